"""Noise-free muscle activation over a performance; what truth is computed from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emgmon.virtual.calibration_plan import TRIAL_RAMP_S, CalibrationPlan
from emgmon.virtual.chance import generator
from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.plan import RepPlan
from emgmon.virtual.set_up import SetUpMove
from emgmon.virtual.stir import stir

TONIC_PCT = {"gluteus_maximus": 1.0, "erector_spinae": 1.5}
"""Activity between repetitions, percent of reference: a back at work is never quite silent."""

LARGEST_TONIC_FRACTION = 0.2
"""Tonic activity never exceeds this part of a repetition's mean level."""

LEAD_S = 0.06
"""A muscle is active this long before the movement it causes (electromechanical delay)."""

ONSET_SD_S = 0.02
"""Standard deviation of that lead from repetition to repetition."""


LEAST_RAMP_S = 0.02
"""No muscle rises in less."""

BOW_PCT = {"gluteus_maximus": 12.0, "erector_spinae": 25.0}
"""Activity in the bows of a calibration: plausible, not measured."""

CALM_S = 0.8
"""In so much time a muscle relaxes wholly before the rest of a calibration, and gets tonic after it."""


class ShapeKnot(NamedTuple):
    """One knot of a repetition's activation."""

    time_s: float
    height: float
    """0 is tonic activity, 1 the plateau."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """How a muscle's share in every repetition differs from the usual shape."""

    delay_s: float = 0.0
    """It begins this much later."""
    ramp_s: float | None = None
    """Length of its first rise; ``None`` for the usual one."""
    fade: float = 0.0
    """Part of the plateau that is lost at the end of the hold."""
    surge: float = 0.0
    """Part of the plateau that is added at the end of the lift."""


USUAL = Shaping()


@dataclass(frozen=True, slots=True, eq=False)
class MuscleActivation:
    """Activation of one muscle on both sides, percent of reference."""

    site: str
    left: SmoothCurve
    right: SmoothCurve
    rises_s: tuple[tuple[float, float], ...]
    """Of every repetition: when activation begins to rise, and when this first rise is over."""

    def mean_pct(self, start_s: float, end_s: float) -> float:
        """Mean over a stretch and over both sides."""
        return (self.left.mean(start_s, end_s) + self.right.mean(start_s, end_s)) / 2.0


def activate(
    site: str,
    reps: Sequence[RepPlan],
    means_pct: Sequence[float],
    sides: Sequence[float],
    *,
    seed: int,
    set_up: Sequence[SetUpMove] = (),
    shaping: Shaping = USUAL,
    calibration: CalibrationPlan | None = None,
) -> MuscleActivation:
    """Build the activation of a muscle whose mean over each repetition's work is as asked, exactly.

    Parameters
    ----------
    site
        ``gluteus_maximus`` or ``erector_spinae``.
    reps
        The repetitions, in order of time.
    means_pct
        Mean activation over the working phases of each repetition, both sides averaged.
    sides
        By which fraction the left side is above that mean.
    seed
        Of the performance.
    set_up
        Movements apart from the repetitions, during which the muscle works too.
    shaping
        What is unusual about its share in the repetitions.
    calibration
        What came before them.
    """
    chance = generator(seed, "onset", site)
    tonic_pct = min([TONIC_PCT[site], *(LARGEST_TONIC_FRACTION * mean for mean in means_pct)])
    both: list[tuple[float, float, float]] = [
        (knot.time_s, tonic_pct + knot.left, tonic_pct + knot.right) for knot in stir(site, set_up, seed=seed)
    ]
    if calibration is not None:
        both += [(time_s, pct, pct) for time_s, pct in _calibrating(site, calibration, tonic_pct)]
    rises_s = []
    rested_from_s = -math.inf
    for rep, mean_pct, side in zip(reps, means_pct, sides, strict=True):
        lead_s = LEAD_S + float(np.clip(ONSET_SD_S * chance.standard_normal(), -0.05, 0.05))
        # In quick pulses the muscle has no time to rest longer than half the pause.
        lead_s = min(lead_s, (rep.start_s - rested_from_s) / 2.0)
        earliest_s = rested_from_s + (rep.start_s - rested_from_s) / 2.0
        rested_from_s = rep.end_s
        knots = _shaped(rep, _shape(rep, lead_s), shaping, earliest_s=earliest_s)
        rises_s.append((knots[0].time_s, knots[1].time_s))
        plateau_pct = _plateau_for_mean(rep, knots, mean_pct, tonic_pct)
        for knot in knots:
            rise_pct = (plateau_pct - tonic_pct) * knot.height
            swing_pct = plateau_pct * knot.height * side
            level_pct = tonic_pct + rise_pct
            both.append((knot.time_s, level_pct + swing_pct, level_pct - swing_pct))
    times_s, left, right = np.asarray(sorted(both)).T
    return MuscleActivation(site, SmoothCurve(times_s, left), SmoothCurve(times_s, right), tuple(rises_s))


def _shape(rep: RepPlan, lead_s: float) -> list[ShapeKnot]:
    """Ramp, plateau and fade of one repetition."""
    start, reached, left, end = rep.start_s, rep.reached_s, rep.left_s, rep.end_s
    if rep.lift_first:
        return [
            ShapeKnot(start - lead_s, 0.0),
            ShapeKnot(start + 0.6 * (reached - start), 1.0),
            ShapeKnot(left, 1.0),
            ShapeKnot(left + 0.4 * (end - left), 0.45),
            ShapeKnot(end, 0.0),
        ]
    return [
        ShapeKnot(start - lead_s, 0.0),
        ShapeKnot(start + 0.8 * (reached - start), 0.4),
        ShapeKnot(rep.turn_s + 0.3 * (end - rep.turn_s), 1.0),
        ShapeKnot(rep.turn_s + 0.6 * (end - rep.turn_s), 1.0),
        ShapeKnot(end, 0.0),
    ]


def _shaped(rep: RepPlan, knots: list[ShapeKnot], shaping: Shaping, *, earliest_s: float) -> list[ShapeKnot]:
    """Make a repetition's shape unusual, as far as it has room for it."""
    if shaping == USUAL:
        return knots
    onset, risen, plateau, fading, rest = knots
    latest_s = plateau.time_s - 2.0 * LEAST_RAMP_S
    onset_s = min(max(onset.time_s + shaping.delay_s, earliest_s), latest_s)
    risen_s = risen.time_s if shaping.ramp_s is None else onset_s + shaping.ramp_s
    risen_s = min(max(risen_s, onset_s + LEAST_RAMP_S), plateau.time_s - LEAST_RAMP_S)
    first = [onset._replace(time_s=onset_s), risen._replace(time_s=risen_s)]
    kept = 1.0 - shaping.fade
    if rep.lift_first:
        faded = [plateau._replace(height=kept), fading._replace(height=kept * fading.height), rest]
        return first + _surging_lift(rep, risen_s, shaping.surge) + _raised(faded, shaping.surge)
    return [*first, plateau, fading._replace(height=kept), *_surging_rise(rep, shaping.surge), rest]


def _surging_lift(rep: RepPlan, risen_s: float, surge: float) -> list[ShapeKnot]:
    """Rise further over the last fifth of a lift that comes first."""
    from_s = max(rep.start_s + 0.75 * (rep.reached_s - rep.start_s), risen_s + LEAST_RAMP_S)
    to_s = rep.start_s + 0.9 * (rep.reached_s - rep.start_s)
    if not surge or to_s < from_s + LEAST_RAMP_S:
        return []
    return [ShapeKnot(from_s, 1.0), ShapeKnot(to_s, 1.0 + surge)]


def _raised(knots: list[ShapeKnot], surge: float) -> list[ShapeKnot]:
    """Keep what the surge added until the hold ends."""
    return [knots[0]._replace(height=knots[0].height + surge), *knots[1:]]


def _surging_rise(rep: RepPlan, surge: float) -> list[ShapeKnot]:
    """Rise again over the last fifth of a lift that comes last, instead of fading towards standing."""
    return [ShapeKnot(rep.left_s + 0.88 * (rep.end_s - rep.left_s), surge)] if surge else []


def _calibrating(site: str, calibration: CalibrationPlan, tonic_pct: float) -> list[tuple[float, float]]:
    """Give times and activation: a little in the bows, none at rest, 100 % in the muscle's own trials."""
    knots = []
    for start_s, down_s, up_s, end_s in calibration.bow_edges_s:
        heights = (tonic_pct, BOW_PCT[site], BOW_PCT[site], tonic_pct)
        knots += list(zip((start_s, down_s, up_s, end_s), heights, strict=True))
    if calibration.rest_s is None:
        return knots
    knots += [(calibration.rest_s[0] - CALM_S, tonic_pct), (calibration.rest_s[0] - 0.1, 0.0)]
    for start_s, end_s in (
        trial for own in calibration.references if own.site == site for trial in own.trials_s
    ):
        knots += [
            (start_s, 0.0),
            (start_s + TRIAL_RAMP_S, 100.0),
            (end_s - TRIAL_RAMP_S, 100.0),
            (end_s, 0.0),
        ]
    return [*knots, (calibration.end_s - CALM_S, 0.0), (calibration.end_s, tonic_pct)]


def _plateau_for_mean(rep: RepPlan, knots: Sequence[ShapeKnot], mean_pct: float, tonic_pct: float) -> float:
    """Plateau at which the mean over the work is `mean_pct`: the mean is linear in it."""
    shape = SmoothCurve(np.asarray([k.time_s for k in knots]), np.asarray([k.height for k in knots]))
    weight = shape.mean(*rep.work_s)
    return tonic_pct + (mean_pct - tonic_pct) / weight

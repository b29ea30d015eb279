"""Noise-free muscle activation over a performance; what truth is computed from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

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


class ShapeKnot(NamedTuple):
    """One knot of a repetition's activation."""

    time_s: float
    height: float
    """0 is tonic activity, 1 the plateau."""


@dataclass(frozen=True, slots=True, eq=False)
class MuscleActivation:
    """Activation of one muscle on both sides, percent of reference."""

    site: str
    left: SmoothCurve
    right: SmoothCurve

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
    """
    chance = generator(seed, "onset", site)
    tonic_pct = min([TONIC_PCT[site], *(LARGEST_TONIC_FRACTION * mean for mean in means_pct)])
    both: list[tuple[float, float, float]] = [
        (knot.time_s, tonic_pct + knot.left, tonic_pct + knot.right) for knot in stir(site, set_up, seed=seed)
    ]
    rested_from_s = -math.inf
    for rep, mean_pct, side in zip(reps, means_pct, sides, strict=True):
        lead_s = LEAD_S + float(np.clip(ONSET_SD_S * chance.standard_normal(), -0.05, 0.05))
        # In quick pulses the muscle has no time to rest longer than half the pause.
        lead_s = min(lead_s, (rep.start_s - rested_from_s) / 2.0)
        rested_from_s = rep.end_s
        knots = _shape(rep, lead_s)
        plateau_pct = _plateau_for_mean(rep, knots, mean_pct, tonic_pct)
        for knot in knots:
            rise_pct = (plateau_pct - tonic_pct) * knot.height
            swing_pct = plateau_pct * knot.height * side
            level_pct = tonic_pct + rise_pct
            both.append((knot.time_s, level_pct + swing_pct, level_pct - swing_pct))
    times_s, left, right = np.asarray(sorted(both)).T
    return MuscleActivation(site, SmoothCurve(times_s, left), SmoothCurve(times_s, right))


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


def _plateau_for_mean(rep: RepPlan, knots: Sequence[ShapeKnot], mean_pct: float, tonic_pct: float) -> float:
    """Plateau at which the mean over the work is `mean_pct`: the mean is linear in it."""
    shape = SmoothCurve(np.asarray([k.time_s for k in knots]), np.asarray([k.height for k in knots]))
    weight = shape.mean(*rep.work_s)
    return tonic_pct + (mean_pct - tonic_pct) / weight

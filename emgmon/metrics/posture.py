"""Quiet standing, told as tilt against the person's own neutral stance; there is no angle to reach."""

import enum
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import STANCE_AND_BOWS, Alignment, MotionTrack, tilt_deg
from emgmon.dsp.rotations import angle_deg, unit
from emgmon.dsp.timeline import runs
from emgmon.errors import CalibrationError
from emgmon.events import HOP_RATE_HZ

UPRIGHT_DEG = 35.0
"""A pelvis that leans farther from neutral is not standing."""

LEAST_STRETCH_S = 3.0
LONGEST_STRETCH_S = 60.0
"""Longer standing is cut into equal pieces, so that a slow change shows."""

STILL_DEG_PER_S = 4.0
"""Sway and breathing stay below this; the same speed at which a pelvis counts as resting in an exercise."""

LARGEST_SPREAD_DEG = 3.0
"""95 % of a stretch lie within this of its mean; more was a slow movement."""

_STEP = 25
"""Up is averaged over this many hops, and compared between this many hops before and after."""

MIN_STRETCHES_FOR_OWN_SCATTER = 4

PRIOR_SMALLEST_CHANGE_DEG = 5.0
"""Smallest change that is told while the person's own scatter is not known: the largest mean error published
for lumbar flexion from an accelerometer on the skin, -4.8 to +4.3 degrees (PMC11219489)."""

FLOOR_SMALLEST_CHANGE_DEG = 2.0
"""However steady the person: 1.96 sqrt(2) times 0.6 degrees, the tilt error of the orientation filter that
was measured on the BROAD data set, is 1.7."""

CONTEXT = (
    "There is no angle to reach: most people stand with some anterior tilt "
    "(85 % of men and 75 % of women among 120 people; Herrington 2011).",
    "That such a tilt makes the glute work less is a hypothesis, not a finding.",
)
NOT_THE_SAME_WEARING = (
    "the sensor was aligned anew between them, so each has a neutral of its own; "
    "only changes within one wearing can be compared"
)
SOFT_TISSUE = "the skin under the sensor moves too"


class Neutral(enum.StrEnum):
    """Which pose counts as 0 degrees."""

    CALIBRATION_STANCE = "calibration-stance"
    FIRST_STRETCH = "first-stretch"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of quiet standing; angles are against the person's own neutral."""

    start_s: float
    end_s: float
    tilt_deg: float
    """Positive is more anterior tilt."""
    obliquity_deg: float
    """Positive is the left side higher."""
    spread_deg: float
    """95 % of the stretch lay within this of its mean."""


@dataclass(frozen=True, slots=True)
class PostureChange:
    """How tilt changed from the first stretch to the last."""

    tilt_deg: float
    obliquity_deg: float
    minutes: float
    """Between the middles of the two stretches."""
    tilt_deg_per_min: float | None
    """Theil-Sen slope over all stretches; ``None`` with fewer than three."""
    smallest_deg: float
    """A smaller change of tilt cannot be told from chance and from the sensor moving on the skin."""

    @property
    def is_told(self) -> bool:
        """Whether the change of tilt is larger than the smallest one that can be told."""
        return abs(self.tilt_deg) > self.smallest_deg


@dataclass(frozen=True, slots=True)
class Posture:
    """Standing posture in one recording."""

    neutral: Neutral
    stretches: tuple[Stretch, ...]
    change: PostureChange | None
    """``None`` with fewer than two stretches."""
    mean_tilt_deg: float | None
    """Over all stretches, weighted by their length; ``None`` without any."""
    smallest_change_deg: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean tilt of a later recording against an earlier one."""

    tilt_deg: float | None
    """Later minus earlier; positive is more anterior tilt; ``None`` where they do not compare."""
    smallest_deg: float | None
    reason: str | None
    """Why they do not compare, in words."""


def measure_posture(track: MotionTrack, alignment: Alignment) -> Posture:
    """Find quiet standing in a track and measure its tilt.

    Neutral is the stance of the calibration. An alignment that was learnt from repetitions has none; the
    first stretch then takes its place.

    Parameters
    ----------
    track
        Motion of the pelvis sensor over the session.
    alignment
        How the sensor sits.

    Raises
    ------
    CalibrationError
        When the alignment does not tell forwards from backwards.
    """
    if not alignment.sides_known:
        raise CalibrationError(
            "the alignment was learnt from rotations and does not tell forwards from backwards",
            advice=STANCE_AND_BOWS,
        )
    stretches = quiet_standing(track, alignment)
    neutral = Neutral.CALIBRATION_STANCE if alignment.knows_neutral else Neutral.FIRST_STRETCH
    if neutral is Neutral.FIRST_STRETCH and stretches:
        stretches = _against_first(stretches)
    smallest_deg = smallest_change_deg(stretches)
    return Posture(
        neutral, stretches, _change(stretches, smallest_deg), _mean_tilt_deg(stretches), smallest_deg
    )


def quiet_standing(track: MotionTrack, alignment: Alignment) -> tuple[Stretch, ...]:
    """Stretches in which the pelvis was upright and still for at least three seconds.

    Sitting upright without moving looks the same to a pelvis sensor and is found too.

    Parameters
    ----------
    track
        Motion of the pelvis sensor; a missing gyroscope costs only the notice of turning on the spot.
    alignment
        How the sensor sits; angles are against its pitch 0.
    """
    if len(track.up) < LEAST_STRETCH_S * HOP_RATE_HZ:
        return ()
    up = _smooth(track.up)
    body_up = up @ alignment.matrix.T
    quiet = _still(up) & (angle_deg(body_up, np.array([0.0, 0.0, 1.0])) <= UPRIGHT_DEG)
    if track.rate_radps is not None:
        rate = np.degrees(np.linalg.norm(_moving_mean(track.rate_radps), axis=1))
        quiet &= rate <= STILL_DEG_PER_S
    pieces = (piece for start, stop, still in runs(quiet) if still for piece in _pieces(start, stop))
    found = (_stretch(up[start:stop], track.first_hop + start, alignment) for start, stop in pieces)
    return tuple(stretch for stretch in found if stretch.spread_deg <= LARGEST_SPREAD_DEG)


def smallest_change_deg(stretches: Sequence[Stretch]) -> float:
    """Smallest change of tilt between two stretches that is more than the person's own scatter.

    The 95 % limit of a difference, 1.96 sqrt(2) times the standard deviation about the Theil-Sen line; a
    prior while there are too few stretches for that.
    """
    n = len(stretches)
    if n < MIN_STRETCHES_FOR_OWN_SCATTER:
        return PRIOR_SMALLEST_CHANGE_DEG
    minutes, tilt = _middles_min(stretches), np.array([stretch.tilt_deg for stretch in stretches])
    rest = tilt - theil_sen(minutes, tilt) * minutes
    scatter_deg = math.sqrt(float(np.sum((rest - np.median(rest)) ** 2)) / (n - 2))
    return max(FLOOR_SMALLEST_CHANGE_DEG, 1.96 * math.sqrt(2.0) * scatter_deg)


def theil_sen(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Median of the slopes of all pairs (Sen 1968, J Am Stat Assoc 63:1379, 10.1080/01621459.1968.10480934).

    Parameters
    ----------
    x
        Shape (n,), n at least 2, all different.
    y
        Shape (n,).
    """
    slopes = [(y[j] - y[i]) / (x[j] - x[i]) for i, j in itertools.combinations(range(len(x)), 2)]
    return float(np.median(slopes))


def compare(earlier: Posture, later: Posture, *, same_wearing: bool) -> Comparison:
    """Compare the mean tilt of two recordings, where the sensor stayed in place between them."""
    if not same_wearing:
        return Comparison(None, None, NOT_THE_SAME_WEARING)
    if Neutral.FIRST_STRETCH in (earlier.neutral, later.neutral):
        return Comparison(None, None, "there was no calibration stance to serve both as neutral")
    if earlier.mean_tilt_deg is None or later.mean_tilt_deg is None:
        return Comparison(None, None, "one of them holds no quiet standing")
    smallest_deg = max(earlier.smallest_change_deg, later.smallest_change_deg)
    return Comparison(later.mean_tilt_deg - earlier.mean_tilt_deg, smallest_deg, None)


def posture_sentences(posture: Posture) -> tuple[str, ...]:
    """Tell what was found in one recording, for a person."""
    if not posture.stretches:
        return (f"No quiet standing of at least {LEAST_STRETCH_S:g} s was found.",)
    if posture.neutral is Neutral.CALIBRATION_STANCE:
        neutral = "Tilt is against your own neutral, the quiet stance of the calibration."
    else:
        neutral = "There was no calibration stance, so the first stretch of standing serves as your neutral."
    if posture.change is None:
        return (neutral,)
    return neutral, _change_sentence(posture.change)


def comparison_sentence(comparison: Comparison) -> str:
    """Tell two recordings' difference, or why there is none, for a person."""
    if comparison.tilt_deg is None or comparison.smallest_deg is None:
        return f"Not compared: {comparison.reason}."
    return _told("Between the recordings", comparison.tilt_deg, comparison.smallest_deg)


def _change_sentence(change: PostureChange) -> str:
    when = f"From the first stretch to the last, {change.minutes:.1f} min later,"
    said = _told(when, change.tilt_deg, change.smallest_deg)
    if change.tilt_deg_per_min is None or not change.is_told:
        return said
    return f"{said} The trend over all stretches is {change.tilt_deg_per_min:+.2f}° per minute."


def _told(when: str, tilt_deg: float, smallest_deg: float) -> str:
    if abs(tilt_deg) <= smallest_deg:
        return (
            f"{when} your tilt stayed the same as far as can be told ({tilt_deg:+.1f}°; less than "
            f"{smallest_deg:.1f}° may be chance, and {SOFT_TISSUE})."
        )
    way = "more anterior" if tilt_deg > 0.0 else "less anterior"
    return (
        f"{when} your pelvis came to tilt {abs(tilt_deg):.1f}° {way}; "
        f"{smallest_deg:.1f}° is the smallest change that can be told, and {SOFT_TISSUE}."
    )


def _still(up: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether up turned slowly around each hop; a hop next to missing ones is not still."""
    n = len(up)
    hops = np.arange(n)
    before, after = np.maximum(hops - _STEP, 0), np.minimum(hops + _STEP, n - 1)
    speed = angle_deg(up[before], up[after]) * HOP_RATE_HZ / (after - before)
    still: NDArray[np.bool_] = speed <= STILL_DEG_PER_S
    return still


def _smooth(up: NDArray[np.float64]) -> NDArray[np.float64]:
    return unit(_moving_mean(up))


def _moving_mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over `_STEP` hops around each, shape as given; fewer at the ends."""
    window = np.ones(_STEP)
    count = np.convolve(np.ones(len(rows)), window, mode="same")
    columns = [np.convolve(column, window, mode="same") / count for column in rows.T]
    return np.stack(columns, axis=1)


def _pieces(start: int, stop: int) -> list[tuple[int, int]]:
    """Cut one run of hops into equal pieces that are neither too short nor too long."""
    length = stop - start
    if length < LEAST_STRETCH_S * HOP_RATE_HZ:
        return []
    n = math.ceil(length / (LONGEST_STRETCH_S * HOP_RATE_HZ))
    edges = [start + length * i // n for i in range(n + 1)]
    return list(itertools.pairwise(edges))


def _stretch(up: NDArray[np.float64], first_hop: int, alignment: Alignment) -> Stretch:
    mean = unit(up.sum(axis=0))
    pitch_deg, obliquity_deg = tilt_deg(mean[np.newaxis], alignment)
    return Stretch(
        start_s=first_hop / HOP_RATE_HZ,
        end_s=(first_hop + len(up)) / HOP_RATE_HZ,
        tilt_deg=float(pitch_deg[0]),
        obliquity_deg=float(obliquity_deg[0]),
        spread_deg=float(np.percentile(angle_deg(up, mean), 95)),
    )


def _against_first(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    first = stretches[0]
    return tuple(
        Stretch(
            s.start_s,
            s.end_s,
            s.tilt_deg - first.tilt_deg,
            s.obliquity_deg - first.obliquity_deg,
            s.spread_deg,
        )
        for s in stretches
    )


def _change(stretches: Sequence[Stretch], smallest_deg: float) -> PostureChange | None:
    if len(stretches) < 2:
        return None
    first, last = stretches[0], stretches[-1]
    minutes = _middles_min(stretches)
    tilt = np.array([stretch.tilt_deg for stretch in stretches])
    return PostureChange(
        tilt_deg=last.tilt_deg - first.tilt_deg,
        obliquity_deg=last.obliquity_deg - first.obliquity_deg,
        minutes=float(minutes[-1] - minutes[0]),
        tilt_deg_per_min=theil_sen(minutes, tilt) if len(stretches) > 2 else None,
        smallest_deg=smallest_deg,
    )


def _middles_min(stretches: Sequence[Stretch]) -> NDArray[np.float64]:
    return np.array([(stretch.start_s + stretch.end_s) / 120.0 for stretch in stretches])


def _mean_tilt_deg(stretches: Sequence[Stretch]) -> float | None:
    if not stretches:
        return None
    seconds = [stretch.end_s - stretch.start_s for stretch in stretches]
    return float(np.average([stretch.tilt_deg for stretch in stretches], weights=seconds))

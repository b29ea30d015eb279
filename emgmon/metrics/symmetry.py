"""Left glute against right glute: information for the person, never part of a verdict.

Left-right differences of back muscles are not reported: their reliability is moderate at best and they say
nothing about the back (Larivière et al. 2005, J Rehabil Res Dev 42:235); an exercise that rotates the trunk
even needs them.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import Metric, Quality
from emgmon.metrics.engagement import Z_95, Muscle, engagement, missing, worse
from emgmon.metrics.reference import PUBLISHED_REP_CV

TOLERATED_PCT = 15.0
"""Differences below this are not mentioned; our own choice, no published limit was found."""


def symmetry_pct(left: float, right: float) -> float:
    """Difference of left and right over their mean, percent; 0 is even, +-200 one side alone."""
    return 100.0 * (left - right) / (0.5 * (left + right))


def symmetry_metric(
    glute: Muscle, activation_pct: NDArray[np.float64], *, gap: str | None, seen: Quality = Quality.GOOD
) -> Metric:
    """Symmetry of the two glutes over the working phases of one repetition.

    100 (L - R) / (0.5 (L + R)) equals 200 tanh(ln(L / R) / 2), so the interval is made on the logarithm of
    the ratio by the delta method and carried over; it holds the scatter of both amplitudes and of both
    references.

    Parameters
    ----------
    glute
        The muscle, with the channels of both sides.
    activation_pct
        Shape (n_hops, n_channels): the working phases, of an exercise in which both sides work at once.
    gap
        Why the repetition must not be measured, in words.
    seen
        Quality of the muscle's channels over the repetition.
    """
    name = "symmetry_pct"
    reason = glute.missing or gap
    if reason is not None:
        return missing(name, reason)
    left_muscle, right_muscle = _one_side(glute, "left"), _one_side(glute, "right")
    if left_muscle is None or right_muscle is None:
        return missing(name, "needs an electrode on the glute of either side")
    left = engagement(left_muscle, activation_pct, gap=None, seen=seen)
    right = engagement(right_muscle, activation_pct, gap=None, seen=seen)
    if left.percent is None or right.percent is None:
        return missing(name, left.reason or right.reason)
    if min(left.percent, right.percent) <= 0.0:
        return missing(name, "a glute did not rise above its rest noise")
    value, margin = symmetry_pct(left.percent, right.percent), Z_95 * math.hypot(left.cv, right.cv)
    ratio = math.log(left.percent / right.percent)
    low, high = (200.0 * math.tanh(0.5 * end) for end in (ratio - margin, ratio + margin))
    quality = worse(left.quality, right.quality)
    return Metric(name, value, low, high, 1, quality, normalisation=glute.normalisation)


def _one_side(muscle: Muscle, side: str) -> Muscle | None:
    found = [i for i, part in enumerate(muscle.parts) if part.side == side]
    if len(found) != 1:
        return None
    i = found[0]
    return replace(muscle, channels=(muscle.channels[i],), parts=(muscle.parts[i],))


def detectable_symmetry_pct(n_reps: int, *, rep_cv: float = PUBLISHED_REP_CV) -> float:
    """Smallest difference between the sides, in percent, that is more than scatter of `n_reps` repetitions.

    1.96 sqrt(2) times the standard error of the index, which near 0 is 100 times that of ln(L / R).

    Parameters
    ----------
    n_reps
        How many repetitions are averaged.
    rep_cv
        Relative variation of one side's engagement from repetition to repetition.
    """
    return 100.0 * Z_95 * math.sqrt(2.0) * math.sqrt(2.0 * rep_cv**2 / n_reps)


def symmetry_sentence(symmetry: Metric, *, detectable_pct: float) -> str | None:
    """Say which glute was more active, where the difference is worth a word.

    Parameters
    ----------
    symmetry
        Of a repetition or a set.
    detectable_pct
        From :func:`detectable_symmetry_pct`.

    Returns
    -------
    str or None
        ``None`` within `TOLERATED_PCT` or within what scatter alone can bring.
    """
    if symmetry.value is None or abs(symmetry.value) <= max(TOLERATED_PCT, detectable_pct):
        return None
    more, other = ("left", "right") if symmetry.value > 0.0 else ("right", "left")
    return (
        f"The {more} glute was more active than the {other}, by {abs(symmetry.value):.0f} % of their mean. "
        "This is information only and plays no part in the verdict."
    )

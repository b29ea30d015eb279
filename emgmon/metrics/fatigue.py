"""How a muscle's signal changes over the repetitions of a set: a slope with its interval, then perhaps words.

Within a set the same muscle is compared with itself, in the same phases of every repetition, so electrode
and skin stay what they were. What is measured is a trend of the signal; it is called a sign of tiring only
where the frequency falls and the amplitude rises together, and even then no more than that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emgmon.events import Metric, Quality
from emgmon.metrics.engagement import Z_95, missing

Values = Sequence[float] | NDArray[np.float64]
"""One figure for each repetition; NaN where it was not measured."""

BASELINE_REPS = 3
"""Change is relative to the median of the first three measured repetitions."""

MIN_SLOPE_REPS = 5
"""With four, even the steepest order of all comes by chance too often for a 95 % interval."""

MIN_LABEL_REPS = 6

EXACT_UP_TO = 40
"""Above so many repetitions the distribution of Kendall's tau is normal enough."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A robust slope and its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Points it rests on."""


def theil_sen(x: Values, y: Values) -> Slope | None:
    """Median of the slopes between all pairs of points, with Sen's distribution-free interval.

    The interval cuts as many of the sorted slopes from either end as Kendall's tau would leave there by
    chance at 2.5 % (Sen 1968, J Am Stat Assoc 63:1379, 10.1080/01621459.1968.10480934), from the exact
    distribution for small sets.

    Parameters
    ----------
    x
        Shape (n,), no value twice.
    y
        Shape (n,); points that are NaN do not count.

    Returns
    -------
    Slope or None
        ``None`` with fewer than `MIN_SLOPE_REPS` points.
    """
    along, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    along, up = along[np.isfinite(up)], up[np.isfinite(up)]
    n = len(up)
    if n < MIN_SLOPE_REPS:
        return None
    first, second = np.triu_indices(n, 1)
    slopes = np.sort((up[second] - up[first]) / (along[second] - along[first]))
    cut = _cut(n)
    return Slope(float(np.median(slopes)), float(slopes[cut]), float(slopes[-1 - cut]), n)


@lru_cache(maxsize=64)
def _cut(n: int) -> int:
    """How many sorted slopes lie outside the 95 % interval at either end."""
    n_pairs = n * (n - 1) // 2
    if n > EXACT_UP_TO:
        spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 72.0)
        return math.floor(0.5 * n_pairs - Z_95 * spread - 0.5)
    # How many of all orders of n values have 0, 1, 2 ... pairs the wrong way round.
    chance = np.ones(1)
    for k in range(2, n + 1):
        chance = np.convolve(chance, np.full(k, 1.0 / k))
    return int(np.searchsorted(np.cumsum(chance), 0.025, side="right")) - 1


def relative_to_start(values: Values) -> NDArray[np.float64]:
    """Values as percent of the median of the first three that were measured; NaN stays NaN."""
    given = np.asarray(values, dtype=np.float64)
    return np.asarray(100.0 * given / _start(given))


def _start(values: NDArray[np.float64]) -> float:
    measured = values[np.isfinite(values)][:BASELINE_REPS]
    return float(np.median(measured)) if len(measured) else math.nan


def relative_log_index(log_index: Values) -> NDArray[np.float64]:
    """ln(FInsm5 / that of the start): the start is the median of the first three measured repetitions.

    0 means no change and ln 2 a doubling. A spectrum that shrinks by the factor s as a whole, and its
    median frequency with it, adds -6 ln s (Dimitrov et al. 2006, 10.1249/01.mss.0000233794.31659.6d); seen
    through a band whose edges stay, a spectrum with a long tail adds about half of that.
    """
    given = np.asarray(log_index, dtype=np.float64)
    return given - _start(given)


@dataclass(frozen=True, slots=True)
class Fatigue:
    """How the signal of one muscle changed over a set."""

    frequency: Metric
    """``fatigue_slope_pct_per_rep``: of the median frequency."""
    index: Slope | None
    """Of ln FInsm5, per repetition; ``None`` with too few repetitions."""
    amplitude: Slope | None
    """Of the engagement, percent of its start per repetition; ``None`` with too few repetitions."""
    sentence: str | None
    """What may be said of it; ``None`` where nothing is certain enough."""


def assess_fatigue(
    muscle: str,
    *,
    number: Values,
    median_frequency_hz: Values,
    log_index: Values,
    engagement_pct: Values,
    quality: Quality,
) -> Fatigue:
    """Follow one muscle over the repetitions of a set.

    Parameters
    ----------
    muscle
        Its name, for the sentence.
    number
        Shape (n,): place of each repetition in the set; those of one side only where sides alternate.
    median_frequency_hz, log_index, engagement_pct
        Shape (n,) each, taken from the same phases of every repetition; NaN where not measured.
    quality
        Lowest of the repetitions.
    """
    frequency = theil_sen(number, relative_to_start(median_frequency_hz))
    amplitude = theil_sen(number, relative_to_start(engagement_pct))
    return Fatigue(
        frequency=fatigue_metric(number, median_frequency_hz, quality=quality),
        index=theil_sen(number, relative_log_index(log_index)),
        amplitude=amplitude,
        sentence=fatigue_sentence(muscle, frequency, amplitude),
    )


def fatigue_metric(number: Values, median_frequency_hz: Values, *, quality: Quality) -> Metric:
    """Slope of the median frequency in percent of its start per repetition, or why there is none."""
    name = "fatigue_slope_pct_per_rep"
    frequency_hz = np.asarray(median_frequency_hz, dtype=np.float64)
    slope = theil_sen(number, relative_to_start(frequency_hz))
    if slope is None:
        n = int(np.isfinite(frequency_hz).sum())
        reason = f"a trend needs {MIN_SLOPE_REPS} repetitions with a median frequency, there were {n}"
        return missing(name, reason)
    return Metric(name, slope.value, slope.low, slope.high, slope.n, quality)


def fatigue_sentence(muscle: str, frequency: Slope | None, amplitude: Slope | None) -> str | None:
    """Say that a muscle may be tiring, where its frequency falls and its amplitude rises for certain.

    Amplitude alone also rises with effort, and frequency alone also falls with a shorter or cooler muscle;
    both intervals have to lie beyond zero, over at least `MIN_LABEL_REPS` repetitions.
    """
    if frequency is None or amplitude is None or min(frequency.n, amplitude.n) < MIN_LABEL_REPS:
        return None
    if frequency.high >= 0.0 or amplitude.low <= 0.0:
        return None
    return f"The {muscle}'s signal slowed while it grew, which can be a sign of tiring."

"""How a muscle's activity runs within one repetition: whether the squeeze lasts, whether the back comes late.

Both intervals carry the known scatter of the envelope through to the figure. A bootstrap over blocks of
time would answer another question: a repetition's course is not drawn by chance, its estimate is.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.metrics.engagement import (
    EDGE_S,
    USUAL_BANDWIDTH_HZ,
    WINDOW_S,
    Z_95,
    Muscle,
    engagement,
    missing,
    worse,
)

ABOVE_REST = 3.0
"""A muscle that squeezes stands this many times above its rest noise ..."""

PEAK_SHARE = 0.5
"""... and at this share of its own peak in the repetition."""

PEAK_PERCENTILE = 95.0

PEAK_EXCESS = 0.25
"""A high percentile of an estimate lies above that of the activity by up to 0.8 of the estimate's scatter
on a plateau, and by none on a short peak; taking off this much left the least bias over plateaus, ramps and
waves."""

PEAK_SCATTER = 0.7
"""Scatter of the percentile, relative to that of a single hop."""

WINDOW_HOPS = round(WINDOW_S * HOP_RATE_HZ)
_SHARED = 1.0 - np.abs(np.arange(1 - WINDOW_HOPS, WINDOW_HOPS)) / WINDOW_HOPS
SIDE_CORRELATION = 2.0 / np.pi * np.arcsin(_SHARED)
"""How strongly hops up to a window apart lie on the same side of a threshold: their envelopes share part of
their samples, and of two correlated normal values the signs are correlated by the arcsine law."""

EARLY_SHARE = 0.5
LATE_SHARE = 0.2
"""The first half of the lift is compared with its last fifth."""

SHORTEST_LIFT_S = 0.5
"""In a shorter lift the last fifth is less than 100 ms, well within the envelope's window."""

SHORTEST_WORK_S = 0.5


def squeeze_sustain(
    glute: Muscle,
    activation_pct: NDArray[np.float64],
    *,
    gap: str | None,
    seen: Quality = Quality.GOOD,
    edge_s: float = EDGE_S,
) -> Metric:
    """Share of the work for which the glute kept squeezing, percent.

    A hop counts where activation reaches both three times the rest noise and half of the repetition's own
    95th percentile. Each hop near that threshold may lie on its other side; the interval adds up those
    chances, correlated over the envelope's window, and what a shifted threshold would change.

    Parameters
    ----------
    glute
        Which columns to average.
    activation_pct
        Shape (n_hops, n_channels): the working phases of one repetition.
    gap
        Why the repetition must not be measured, in words.
    seen
        Quality of the muscle's channels over the repetition.
    edge_s
        Standard error of where the work begins and ends: hops there count or do not.
    """
    name = "squeeze_sustain_pct"
    reason = glute.missing or gap
    if reason is not None:
        return missing(name, reason)
    columns = activation_pct[:, list(glute.channels)]
    if len(columns) < SHORTEST_WORK_S * HOP_RATE_HZ:
        return missing(name, f"the work lasted only {len(columns) / HOP_RATE_HZ:.2f} s")
    if bool(np.isnan(columns).any()):
        return missing(name, "samples are missing in this repetition")
    rest_pct = float(_rest_pct(glute).mean())
    activity_pct, scatter_pct = columns.mean(axis=1), _hop_scatter_pct(glute, columns)
    peak_pct = float(np.percentile(activity_pct, PEAK_PERCENTILE))
    if peak_pct < ABOVE_REST * rest_pct:
        return missing(name, "the glute hardly rose above its rest noise")
    if PEAK_SHARE * peak_pct < ABOVE_REST * rest_pct:
        # Then the noise would decide what counts, and a noisier electrode would show less of a squeeze.
        return missing(name, "the glute rose to less than 6 times its rest noise, too little to see it fade")
    value, margin = _sustained(activity_pct, scatter_pct, ABOVE_REST * rest_pct, peak_pct)
    # Work begins below the threshold and ends above it: an edge that moves adds or takes such time.
    edges = math.hypot(value, 100.0 - value) * edge_s * HOP_RATE_HZ / len(columns)
    margin = math.hypot(margin, Z_95 * edges)
    low, high = max(0.0, value - margin), min(100.0, value + margin)
    quality = worse(glute.quality, seen)
    return Metric(name, value, low, high, 1, quality, normalisation=glute.normalisation)


def _rest_pct(muscle: Muscle) -> NDArray[np.float64]:
    """Rest noise of each channel, percent of its reference."""
    return np.array([100.0 * part.rest_uv / part.reference_uv for part in muscle.parts])


def _hop_scatter_pct(muscle: Muscle, activation_pct: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the standard error, at each hop, of the mean over a muscle's channels.

    An envelope over the time T of a signal of bandwidth B scatters by 1 / (2 sqrt(B T)) of itself; taking
    the noise off in power multiplies that by e² / a².
    """
    rest_pct = _rest_pct(muscle)
    time_bandwidth = WINDOW_S * np.array([part.bandwidth_hz or USUAL_BANDWIDTH_HZ for part in muscle.parts])
    reached = np.maximum(activation_pct, np.maximum(rest_pct / time_bandwidth**0.25, 1e-9))
    scatter = (activation_pct**2 + rest_pct**2) / reached / (2.0 * np.sqrt(time_bandwidth))
    total: NDArray[np.float64] = np.sqrt(np.square(scatter).sum(axis=1)) / scatter.shape[1]
    return total


def _sustained(
    activity_pct: NDArray[np.float64], scatter_pct: NDArray[np.float64], least_pct: float, peak_pct: float
) -> tuple[float, float]:
    """Percentage of hops at or above the threshold, and the margin of that figure."""
    n_hops = len(activity_pct)
    at_peak = scatter_pct[activity_pct >= peak_pct].mean() / peak_pct
    own_pct = PEAK_SHARE * peak_pct / (1.0 + PEAK_EXCESS * at_peak)
    threshold_pct = max(least_pct, own_pct)
    value = 100.0 * float((activity_pct >= threshold_pct).mean())
    # The logistic curve stands in for the normal one: never off by more than 0.01.
    certainty = np.tanh(0.851 * (activity_pct - threshold_pct) / np.maximum(scatter_pct, 1e-9))
    doubt = 0.5 * np.sqrt(1.0 - certainty**2)
    own_chance = float(doubt @ np.convolve(doubt, SIDE_CORRELATION, mode="same")) / n_hops**2
    # Three times the rest noise of the calibration is given; a share of the peak scatters with the peak.
    shift_pct = PEAK_SCATTER * at_peak * own_pct if own_pct > least_pct else 0.0
    near = float((np.abs(activity_pct - threshold_pct) < shift_pct).mean()) / 2.0
    one_hop = 100.0 / n_hops
    return value, 100.0 * Z_95 * math.sqrt(own_chance + near**2) + one_hop


def late_back_surge(
    back: Muscle,
    activation_pct: NDArray[np.float64] | None,
    *,
    gap: str | None,
    seen: Quality = Quality.GOOD,
    shifted: Sequence[NDArray[np.float64]] = (),
) -> Metric:
    """Back activity at the end of the lift, as a multiple of that in its first half.

    The interval is the delta method's, made on the logarithm of the ratio. The reference of each channel
    stands in both parts alike and cancels.

    Parameters
    ----------
    back
        Which columns to average.
    activation_pct
        Shape (n_hops, n_channels): the lift of one repetition; ``None`` where phases are not known.
    gap
        Why the repetition must not be measured, in words.
    seen
        Quality of the muscle's channels over the repetition.
    shifted
        The lift with its start, or its end, moved by their standard error one way and the other: two for the
        start and two for the end. How far that moves the figure is part of its interval.
    """
    name = "late_back_surge"
    reason = back.missing or gap
    if reason is not None:
        return missing(name, reason)
    if activation_pct is None:
        return missing(name, "needs a motion sensor: bursts of activity do not show where a lift ends")
    n_hops = len(activation_pct)
    if n_hops < SHORTEST_LIFT_S * HOP_RATE_HZ:
        return missing(name, f"the lift lasted only {n_hops / HOP_RATE_HZ:.2f} s")
    parts = tuple(replace(part, reference_cv=0.0) for part in back.parts)
    exact = replace(back, parts=parts)
    early_hops, late_hops = round(EARLY_SHARE * n_hops), round(LATE_SHARE * n_hops)
    early = engagement(exact, activation_pct[:early_hops], gap=None, seen=seen)
    late = engagement(exact, activation_pct[-late_hops:], gap=None, seen=seen)
    if early.percent is None or late.percent is None:
        return missing(name, early.reason or late.reason)
    if min(early.percent, late.percent) < float(_rest_pct(back).mean()) or early.percent <= 0.0:
        part = "at the end" if late.percent < early.percent else "in the first half"
        return missing(name, f"the back was at its rest noise {part} of the lift")
    value = late.percent / early.percent
    moved = [_surge(part[:, list(back.channels)]) for part in shifted]
    cv = math.hypot(
        early.cv * _smoothing(early_hops),
        late.cv * _smoothing(late_hops),
        _moved_by(math.log(value), moved[:2]),
        _moved_by(math.log(value), moved[2:]),
    )
    spread = math.exp(Z_95 * cv)
    return Metric(name, value, value / spread, value * spread, 1, early.quality)


def _surge(columns: NDArray[np.float64]) -> float:
    """Logarithm of the surge in one stretch, shape (n_hops, n_channels); NaN where there is none."""
    early = float(columns[: round(EARLY_SHARE * len(columns))].mean())
    late = float(columns[len(columns) - round(LATE_SHARE * len(columns)) :].mean())
    return math.log(late / early) if early > 0.0 and late > 0.0 else math.nan


def _moved_by(log_value: float, moved: Sequence[float]) -> float:
    """How far the figure goes, on the logarithm, where an edge of the lift goes one way or the other."""
    return max((abs(other - log_value) for other in moved if not math.isnan(other)), default=0.0)


def _smoothing(n_hops: int) -> float:
    """Tell how much less than its own hops a mean scatters: the envelope's window reaches beyond its ends.

    A mean over T of a moving average over w weighs time by a trapezoid, worth T² / (T - w / 3) or, where
    w is longer, the same with both exchanged.
    """
    longer, shorter = max(n_hops, WINDOW_HOPS), min(n_hops, WINDOW_HOPS)
    return math.sqrt(n_hops * (longer - shorter / 3.0)) / longer

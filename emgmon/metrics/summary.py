"""What the repetitions of a set have in common: means whose intervals hold scatter and calibration."""

import math
from collections.abc import Sequence

from emgmon.events import Metric
from emgmon.metrics.engagement import Z_95, Body, missing, worse
from emgmon.metrics.reference import student_975

_NEVER_NEGATIVE = frozenset(
    {
        "glute_engagement_pct",
        "back_engagement_pct",
        "hamstring_engagement_pct",
        "glute_share_pct",
        "squeeze_sustain_pct",
        "late_back_surge",
        "median_frequency_hz",
        "lift_s",
        "hold_s",
        "return_s",
        "pelvis_height_range_m",
        "pelvis_pitch_range_deg",
        "pelvis_rotation_range_deg",
        "pelvis_obliquity_range_deg",
        "pelvis_reversal_deg",
        "pelvis_lockout_deg",
    }
)
_AT_MOST_100 = frozenset({"glute_share_pct", "squeeze_sustain_pct"})


def summarise(
    reps: Sequence[Sequence[Metric]], votes: Sequence[bool], *, body: Body | None = None
) -> tuple[Metric, ...]:
    """Mean of every metric over the repetitions that vote, with the interval of that mean.

    The scatter from repetition to repetition gives the interval by Student's t: with the 3 to 12
    repetitions of a set a bootstrap is too narrow, because it can only draw what is there. What the
    calibration is off by is the same in all of them and does not average out; it is added in quadrature
    (delta method), where the muscles are given.

    Parameters
    ----------
    reps
        The metrics of each repetition of a set.
    votes
        For each repetition whether it counts here.
    body
        The muscles, with how well their references are known; ``None`` leaves that out.
    """
    names = list(dict.fromkeys(metric.name for metrics in reps for metric in metrics))
    voting = [metrics for metrics, vote in zip(reps, votes, strict=True) if vote]
    if not voting:
        return tuple(missing(name, "no repetition of this set could be measured whole") for name in names)
    found = [[metric for metrics in voting for metric in metrics if metric.name == name] for name in names]
    return tuple(
        _mean_metric(name, metrics, body) for name, metrics in zip(names, found, strict=True) if metrics
    )


def _mean_metric(name: str, metrics: list[Metric], body: Body | None) -> Metric:
    measured = [metric for metric in metrics if metric.value is not None]
    if not measured:
        return missing(name, metrics[0].reason)
    values = [metric.value for metric in measured if metric.value is not None]
    n, mean = len(values), math.fsum(values) / len(values)
    quality = measured[0].quality
    for metric in measured[1:]:
        quality = worse(quality, metric.quality)
    common = 0.0 if body is None else _common_error(name, mean, body)
    low, high = _interval(name, values, measured, common or _shared_error(name, measured))
    return Metric(name, mean, low, high, n, quality, normalisation=measured[0].normalisation)


def _interval(
    name: str, values: list[float], measured: list[Metric], common: float
) -> tuple[float | None, float | None]:
    n, mean = len(values), math.fsum(values) / len(values)
    if n < 2:
        return measured[0].low, measured[0].high
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    margin = math.hypot(student_975(n - 1) * spread / math.sqrt(n), Z_95 * common)
    low = max(mean - margin, 0.0) if name in _NEVER_NEGATIVE else mean - margin
    high = min(mean + margin, 100.0) if name in _AT_MOST_100 else mean + margin
    return low, high


def _common_error(name: str, mean: float, body: Body) -> float:
    """Give the standard error that all repetitions share, because they share a calibration."""
    muscles = {"glute": body.glute, "back": body.back, "hamstring": body.hamstring}
    muscle = muscles.get(name.removesuffix("_engagement_pct"))
    if muscle is not None:
        return mean * muscle.reference_cv
    ratio = math.hypot(body.glute.reference_cv, body.back.reference_cv)
    if name == "glute_back_log_ratio":
        return ratio
    if name == "symmetry_pct":
        return 100.0 * math.hypot(*(part.reference_cv or 0.0 for part in body.glute.parts))
    if name == "glute_share_pct":
        # The share is the logistic function of the log ratio; this is its slope.
        return ratio * mean * (100.0 - mean) / 100.0
    return 0.0


_EDGES_TELL = frozenset({"squeeze_sustain_pct", "late_back_surge"})
"""Figures of which most of the error is where a phase ends, found alike in all repetitions of a set."""

SHARED_EDGES = 0.7
"""Part of a repetition's standard error that the others of its set share: our choice."""


def _shared_error(name: str, measured: list[Metric]) -> float:
    """Give the standard error that all repetitions share because their edges are found in the same way."""
    if name not in _EDGES_TELL:
        return 0.0
    widths = [m.high - m.low for m in measured if m.high is not None and m.low is not None]
    return SHARED_EDGES * math.fsum(widths) / len(widths) / (2.0 * Z_95) if widths else 0.0

"""How much glute, how much back, and the share between them, for one repetition and for a set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.metrics.calibration import GOOD_SNR_DB, REJECTED_SNR_DB, Calibration

GLUTE_SITES = ("gluteus_maximus", "gluteus_medius")
BACK_SITES = ("erector_spinae", "multifidus")
HAMSTRING_SITES = ("biceps_femoris",)
"""Of each group the first site that is worn counts; the others would be another muscle's story."""

ESTIMATOR_CV_1S = 0.035
"""Scatter of the mean amplitude over one second of steady EMG; falls with the square root of time."""

REFERENCE_CV = 0.05
"""Scatter of a reference that rests on half a second of steady EMG."""

REST_CV = 0.1
"""Rest noise is not the same all session long."""

LARGEST_CV = 2.0
"""Beyond this the figure says nothing, and a larger number would not say it better."""

Z_95 = 1.96


@dataclass(frozen=True, slots=True)
class ChannelSite:
    """Where one channel sits."""

    site: str
    side: str | None


@dataclass(frozen=True, slots=True)
class Muscle:
    """The channels that together stand for one muscle group."""

    name: str
    channels: tuple[int, ...]
    rest_pct: float
    """Rest noise in percent of the reference, mean over the channels; NaN without calibration."""
    missing: str | None
    """Why the muscle cannot be measured at all, in words."""
    quality: Quality


def find_muscle(
    name: str, sites: Sequence[str], channels: Sequence[ChannelSite], calibration: Calibration | None
) -> Muscle:
    """Choose the channels of one muscle group and say how good their calibration is."""
    site = next((site for site in sites if any(channel.site == site for channel in channels)), None)
    if site is None:
        return Muscle(name, (), math.nan, f"no electrode on the {name}", Quality.REJECT)
    found = tuple(i for i, channel in enumerate(channels) if channel.site == site)
    if calibration is None:
        reason = "no calibration: rest and reference were not measured"
        return Muscle(name, found, math.nan, reason, Quality.REJECT)
    parts = [
        part for i in found if (part := calibration.find(channels[i].site, channels[i].side)) is not None
    ]
    if len(parts) < len(found) or any(part.reference_uv <= 0.0 for part in parts):
        return Muscle(name, found, math.nan, f"the calibration does not cover the {name}", Quality.REJECT)
    snr_db = min(part.snr_db for part in parts)
    rest_pct = math.fsum(100.0 * part.rest_uv / part.reference_uv for part in parts) / len(parts)
    if snr_db < REJECTED_SNR_DB:
        reason = f"the reference of the {name} stands only {snr_db:.0f} dB above rest"
        return Muscle(name, found, rest_pct, reason, Quality.REJECT)
    return Muscle(name, found, rest_pct, None, Quality.GOOD if snr_db >= GOOD_SNR_DB else Quality.USABLE)


@dataclass(frozen=True, slots=True)
class Engagement:
    """Mean activation of one muscle over the working phases of a repetition."""

    muscle: Muscle
    percent: float | None
    cv: float
    """Scatter that estimating amplitude and reference brings, relative."""
    reason: str | None


def engagement(muscle: Muscle, activation_pct: NDArray[np.float64], *, gap: str | None) -> Engagement:
    """Average a muscle's channels over the hops of the working phases.

    Parameters
    ----------
    muscle
        Which columns to average.
    activation_pct
        Shape (n_hops, n_channels): the working phases of one repetition.
    gap
        Why the repetition must not be measured, in words.
    """
    reason = muscle.missing or gap
    if reason is not None:
        return Engagement(muscle, None, math.nan, reason)
    columns = activation_pct[:, list(muscle.channels)]
    if not len(columns) or bool(np.isnan(columns).any()):
        return Engagement(muscle, None, math.nan, "samples are missing in this repetition")
    seconds = len(columns) / HOP_RATE_HZ
    percent = float(columns.mean())
    return Engagement(muscle, percent, _scatter(muscle, percent, seconds), None)


def _scatter(muscle: Muscle, percent: float, seconds: float) -> float:
    """Relative scatter of an engagement; close to the noise, taking the noise off multiplies it.

    With a² = e² - n², a relative change of e changes a by (e / a)² times as much, one of n by (n / a)².
    """
    noise = (muscle.rest_pct / percent) ** 2 if percent > 0.0 else math.inf
    estimator = ESTIMATOR_CV_1S / math.sqrt(seconds) * (1.0 + noise)
    cv = math.hypot(estimator, REFERENCE_CV, REST_CV * noise) / math.sqrt(len(muscle.channels))
    return min(cv, LARGEST_CV)


def engagement_metric(part: Engagement) -> Metric:
    """State an engagement as a metric."""
    name = f"{part.muscle.name}_engagement_pct"
    if part.percent is None:
        return missing(name, part.reason)
    margin = Z_95 * part.cv * part.percent
    return Metric(
        name, part.percent, max(0.0, part.percent - margin), part.percent + margin, 1, part.muscle.quality
    )


def share_metrics(glute: Engagement, back: Engagement) -> tuple[Metric, Metric]:
    """Glute share and log ratio of one repetition.

    The log ratio ln(glute / back) is symmetric and additive, so the interval is made there and carried
    over to the share, which is its logistic function. It holds the scatter of estimating an amplitude
    from this much signal, in the repetition and in the reference; where the electrodes sit, and how hard
    the person really tried for the reference, are not in it.
    """
    share, ratio = "glute_share_pct", "glute_back_log_ratio"
    if glute.percent is None or back.percent is None:
        reason = glute.reason or back.reason
        return missing(share, reason), missing(ratio, reason)
    quality = worse(glute.muscle.quality, back.muscle.quality)
    if glute.percent <= 0.0 or back.percent <= 0.0:
        silent = "back" if back.percent <= 0.0 else "glute"
        if glute.percent <= 0.0 and back.percent <= 0.0:
            return missing(share, _ALL_SILENT), missing(ratio, _ALL_SILENT)
        value = 100.0 if silent == "back" else 0.0
        reason = f"the {silent} did not rise above its rest noise, so there is no ratio"
        return Metric(share, value, None, None, 1, quality), missing(ratio, reason)
    log_ratio = math.log(glute.percent) - math.log(back.percent)
    margin = Z_95 * math.hypot(glute.cv, back.cv)
    low, high = log_ratio - margin, log_ratio + margin
    return (
        Metric(share, share_pct(log_ratio), share_pct(low), share_pct(high), 1, quality),
        Metric(ratio, log_ratio, low, high, 1, quality),
    )


_ALL_SILENT = "neither glute nor back rose above rest noise"


def share_pct(log_ratio: float) -> float:
    """Glute share that belongs to a log ratio of glute to back."""
    # The same as 100 / (1 + exp(-x)), without its overflow.
    return 50.0 * (1.0 + math.tanh(0.5 * log_ratio))


def missing(name: str, reason: str | None) -> Metric:
    """State that a figure was not measured, and why."""
    return Metric(name, None, None, None, 0, Quality.REJECT, reason)


def worse(first: Quality, second: Quality) -> Quality:
    """Choose the lower of two qualities."""
    order = (Quality.GOOD, Quality.USABLE, Quality.REJECT)
    return max(first, second, key=order.index)


def duration_metric(name: str, seconds: float | None, reason: str | None = None) -> Metric:
    """State a duration that follows from the rep's edges."""
    if seconds is None:
        return missing(name, reason)
    return Metric(name, seconds, None, None, 1, Quality.GOOD)


def summarise(reps: Sequence[Sequence[Metric]], votes: Sequence[bool]) -> tuple[Metric, ...]:
    """Mean of every metric over the repetitions that vote, with the interval of that mean.

    Parameters
    ----------
    reps
        The metrics of each repetition of a set.
    votes
        For each repetition whether it counts here.
    """
    names = list(dict.fromkeys(metric.name for metrics in reps for metric in metrics))
    voting = [metrics for metrics, vote in zip(reps, votes, strict=True) if vote]
    if not voting:
        return tuple(missing(name, "no repetition of this set could be measured whole") for name in names)
    return tuple(
        _mean_metric(name, [metric for metrics in voting for metric in metrics if metric.name == name])
        for name in names
    )


def _mean_metric(name: str, metrics: list[Metric]) -> Metric:
    measured = [metric for metric in metrics if metric.value is not None]
    if not measured:
        return missing(name, metrics[0].reason)
    values = [metric.value for metric in measured if metric.value is not None]
    n = len(values)
    mean = math.fsum(values) / n
    quality = measured[0].quality
    for metric in measured[1:]:
        quality = worse(quality, metric.quality)
    if n < 2:
        return Metric(name, mean, None, None, n, quality)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    margin = _student(n - 1) * spread / math.sqrt(n)
    low = max(mean - margin, 0.0) if name in _NEVER_NEGATIVE else mean - margin
    high = min(mean + margin, 100.0) if name == "glute_share_pct" else mean + margin
    return Metric(name, mean, low, high, n, quality)


_NEVER_NEGATIVE = frozenset(
    {
        "glute_engagement_pct",
        "back_engagement_pct",
        "hamstring_engagement_pct",
        "glute_share_pct",
        "lift_s",
        "hold_s",
        "return_s",
        "pelvis_height_range_m",
    }
)
_STUDENT_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)


def _student(freedom: int) -> float:
    """Give the 97.5 % point of Student's t: a table, then its expansion about the normal distribution."""
    if freedom <= len(_STUDENT_975):
        return _STUDENT_975[freedom - 1]
    return Z_95 + (Z_95**3 + Z_95) / (4 * freedom)

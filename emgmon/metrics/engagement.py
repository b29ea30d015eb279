"""How much glute, how much back, and the share between them, for one repetition."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.quality_grades import GOOD_SNR_DB, REJECTED_SNR_DB
from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.metrics.calibration import Calibration, ChannelCalibration

GLUTE_SITES = ("gluteus_maximus", "gluteus_medius")
BACK_SITES = ("erector_spinae", "multifidus")
HAMSTRING_SITES = ("biceps_femoris",)
"""Of each group the first site that is worn counts; the others would be another muscle's story."""

USUAL_BANDWIDTH_HZ = 150.0
"""Statistical bandwidth of cleaned EMG where the calibration does not tell."""

USUAL_REFERENCE_CV = 0.05
"""Scatter of a reference that rests on half a second of steady EMG, where the calibration does not tell."""

LEAST_REFERENCE_CV = 0.03
"""No reference is believed to be surer: with less, intervals held the virtual athlete's truth too seldom."""

REST_CV = 0.05
"""Rest noise is not the same all session long."""

WINDOW_S = 0.15
"""Length of the envelope's window."""

EDGE_S = 0.08
"""Standard error of where a phase begins or ends, found on an angle, against the virtual athlete ..."""

HEIGHT_EDGE_S = 0.04
"""... and found on the height of the pelvis."""

HEARTBEAT_ERROR = 0.4
"""Relative error of an engagement for each part of the signal that is heartbeat. Its mean power goes with the
rest noise, but the root of a power that comes in beats is less than that of an even one: on the virtual back,
a heartbeat of a quarter of the power took 15 % off."""

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
    parts: tuple[ChannelCalibration, ...]
    """Calibration of each of them; empty where the muscle is not calibrated."""
    missing: str | None
    """Why the muscle cannot be measured at all, in words."""
    quality: Quality
    """As far as the calibration tells."""
    normalisation: str | None = None
    """What 100 % stands for."""

    @property
    def reference_cv(self) -> float:
        """Relative error of the mean over the channels that their references bring."""
        cvs = [USUAL_REFERENCE_CV if part.reference_cv is None else part.reference_cv for part in self.parts]
        return math.hypot(*cvs) / len(cvs) if cvs else 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """Which channels stand for which muscle in this session."""

    glute: Muscle
    back: Muscle
    hamstring: Muscle | None
    """``None`` when it is not worn: then nothing is said about it."""

    @property
    def has_emg(self) -> bool:
        """Whether glute or back is worn at all."""
        return bool(self.glute.channels or self.back.channels)

    @property
    def watched(self) -> list[int]:
        """Columns that have to be whole for a repetition to count."""
        return sorted({*self.glute.channels, *self.back.channels})


def find_body(channels: Sequence[ChannelSite], calibration: Calibration | None) -> Body:
    """Map the channels of all EMG streams, in column order, to muscles."""
    hamstring = find_muscle("hamstring", HAMSTRING_SITES, channels, calibration)
    return Body(
        glute=find_muscle("glute", GLUTE_SITES, channels, calibration),
        back=find_muscle("back", BACK_SITES, channels, calibration),
        hamstring=hamstring if hamstring.channels else None,
    )


def find_muscle(
    name: str, sites: Sequence[str], channels: Sequence[ChannelSite], calibration: Calibration | None
) -> Muscle:
    """Choose the channels of one muscle group and say how good their calibration is."""
    site = next((site for site in sites if any(channel.site == site for channel in channels)), None)
    if site is None:
        return Muscle(name, (), (), f"no electrode on the {name}", Quality.REJECT)
    found = tuple(i for i, channel in enumerate(channels) if channel.site == site)
    if calibration is None:
        reason = "no calibration: rest and reference were not measured"
        return Muscle(name, found, (), reason, Quality.REJECT)
    parts = tuple(
        part for i in found if (part := calibration.find(channels[i].site, channels[i].side)) is not None
    )
    if len(parts) < len(found) or any(part.reference_uv <= 0.0 for part in parts):
        return Muscle(name, found, (), f"the calibration does not cover the {name}", Quality.REJECT)
    parts = tuple(map(_believed, parts))
    methods = dict.fromkeys(calibration.method_of(part) for part in parts)
    normalisation = " and ".join(methods)
    snr_db = min(part.snr_db for part in parts)
    if snr_db < REJECTED_SNR_DB:
        reason = f"the reference of the {name} stands only {snr_db:.0f} dB above rest"
        return Muscle(name, found, parts, reason, Quality.REJECT, normalisation)
    quality = Quality.GOOD if snr_db >= GOOD_SNR_DB else Quality.USABLE
    return Muscle(name, found, parts, None, quality, normalisation)


def _believed(part: ChannelCalibration) -> ChannelCalibration:
    """Keep a calibration from looking surer than any is."""
    if part.reference_cv is None or part.reference_cv >= LEAST_REFERENCE_CV:
        return part
    return replace(part, reference_cv=LEAST_REFERENCE_CV)


@dataclass(frozen=True, slots=True)
class Engagement:
    """Mean activation of one muscle over the working phases of a repetition."""

    muscle: Muscle
    percent: float | None
    cv: float
    """Relative standard error: of estimating an amplitude, of the reference and of rest."""
    reason: str | None
    quality: Quality = Quality.REJECT
    edge_cv: float = 0.0
    """Relative standard error that the edges of the work bring; nearly the same for all muscles of a
    repetition, so a ratio of two has none of it."""


def engagement(
    muscle: Muscle,
    activation_pct: NDArray[np.float64],
    *,
    gap: str | None,
    seen: Quality = Quality.GOOD,
    heartbeat_share: float = 0.0,
    edge_s: float = EDGE_S,
) -> Engagement:
    """Average a muscle's channels over the hops of the working phases.

    Parameters
    ----------
    muscle
        Which columns to average.
    activation_pct
        Shape (n_hops, n_channels): the working phases of one repetition.
    gap
        Why the repetition must not be measured, in words.
    seen
        Quality of the muscle's channels over the repetition.
    heartbeat_share
        Part of the cleaned signal's power that comes with the heartbeat.
    edge_s
        Standard error of where the working phases begin and end.
    """
    reason = muscle.missing or gap
    if reason is not None:
        return Engagement(muscle, None, math.nan, reason)
    columns = activation_pct[:, list(muscle.channels)]
    if not len(columns) or bool(np.isnan(columns).any()):
        return Engagement(muscle, None, math.nan, "samples are missing in this repetition")
    percent = float(columns.mean())
    cv = min(math.hypot(_scatter(muscle, columns), HEARTBEAT_ERROR * heartbeat_share), LARGEST_CV)
    edge_cv = _edge_cv(columns.mean(axis=1), percent, edge_s)
    return Engagement(muscle, percent, cv, None, worse(muscle.quality, seen), edge_cv)


def _edge_cv(activation_pct: NDArray[np.float64], percent: float, edge_s: float) -> float:
    """Relative standard error of a mean, shape (n_hops,), whose stretch may begin or end a little elsewhere.

    Moving an edge by d changes the mean over T by (mean - activation there) d / T.
    """
    if percent <= 0.0:
        return LARGEST_CV
    hops = edge_s * HOP_RATE_HZ
    near = activation_pct[: round(hops)], activation_pct[-round(hops) :]
    slopes = [1.0 - float(edge.mean()) / percent for edge in near]
    return min(hops / len(activation_pct) * math.hypot(*slopes), LARGEST_CV)


@dataclass(frozen=True, slots=True, eq=False)
class _KnownScatter:
    """What of the scatter follows from the calibration alone, shape (n_channels,) each."""

    noise_power: NDArray[np.float64]
    """Of rest, in percent of the reference, squared."""
    least_pct: NDArray[np.float64]
    """The square root has no slope at zero: nearer than this an activation is not known anyway."""
    hop_cv: NDArray[np.float64]
    reference_cv: NDArray[np.float64]


@lru_cache(maxsize=64)
def _scatter_of(parts: tuple[ChannelCalibration, ...]) -> _KnownScatter:
    noise_pct = np.array([100.0 * part.rest_uv / part.reference_uv for part in parts])
    bandwidth_hz = np.array([part.bandwidth_hz or USUAL_BANDWIDTH_HZ for part in parts])
    cvs = [USUAL_REFERENCE_CV if part.reference_cv is None else part.reference_cv for part in parts]
    return _KnownScatter(
        noise_power=noise_pct**2,
        least_pct=np.maximum(noise_pct / (bandwidth_hz * WINDOW_S) ** 0.25, 1e-9),
        hop_cv=np.sqrt(HOP_RATE_HZ / bandwidth_hz),
        reference_cv=np.array(cvs),
    )


def _scatter(muscle: Muscle, activation_pct: NDArray[np.float64]) -> float:
    """Relative standard error of a mean activation; close to the noise, taking the noise off multiplies it.

    With a² = e² - n² the error of a is that of e² over 2 a. Powers of 10 ms hops are independent and known
    to 1 / sqrt(B x 10 ms) of themselves, B being the statistical bandwidth; the sliding window only hands
    them on. An error of n is the same at all hops.
    """
    percent = float(activation_pct.mean())
    if percent <= 0.0:
        return LARGEST_CV
    known = _scatter_of(muscle.parts)
    reached = np.maximum(activation_pct, known.least_pct)
    power = activation_pct**2 + known.noise_power
    n_hops, n_channels = activation_pct.shape
    chance = known.hop_cv * np.sqrt(((power / reached) ** 2).sum(axis=0)) / (2.0 * n_hops)
    rest = REST_CV * (known.noise_power / reached).mean(axis=0)
    reference = known.reference_cv * activation_pct.mean(axis=0)
    total = math.sqrt(float((chance**2 + rest**2 + reference**2).sum())) / n_channels
    relative: float = min(total / percent, LARGEST_CV)
    return relative


def engagement_metric(part: Engagement) -> Metric:
    """State an engagement as a metric."""
    name = f"{part.muscle.name}_engagement_pct"
    if part.percent is None:
        return missing(name, part.reason)
    margin = Z_95 * math.hypot(part.cv, part.edge_cv) * part.percent
    low, high = max(0.0, part.percent - margin), part.percent + margin
    return Metric(name, part.percent, low, high, 1, part.quality, normalisation=part.muscle.normalisation)


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
    quality = worse(glute.quality, back.quality)
    methods = dict.fromkeys(part.muscle.normalisation for part in (glute, back))
    carried = " and ".join(method for method in methods if method) or None
    if glute.percent <= 0.0 or back.percent <= 0.0:
        silent = "back" if back.percent <= 0.0 else "glute"
        if glute.percent <= 0.0 and back.percent <= 0.0:
            return missing(share, _ALL_SILENT), missing(ratio, _ALL_SILENT)
        value = 100.0 if silent == "back" else 0.0
        reason = f"the {silent} did not rise above its rest noise, so there is no ratio"
        said = Metric(share, value, None, None, 1, quality, normalisation=carried)
        return said, missing(ratio, reason)
    log_ratio = math.log(glute.percent) - math.log(back.percent)
    margin = Z_95 * math.hypot(glute.cv, back.cv)
    low, high = log_ratio - margin, log_ratio + margin
    return (
        Metric(
            share, share_pct(log_ratio), share_pct(low), share_pct(high), 1, quality, normalisation=carried
        ),
        Metric(ratio, log_ratio, low, high, 1, quality, normalisation=carried),
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

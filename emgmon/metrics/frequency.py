"""Where a muscle's spectrum lies: taken from cleaned samples of its work, or not given at all.

What the cleaning took away is given back. The band-pass lets half the power through at 30 Hz and less
below, which by itself would lift the median of a typical spectrum from 95.7 to 98.9 Hz. Dividing by
the known power response, no lower than `RESPONSE_FLOOR`, leaves 0.2 Hz of that 3.2 Hz and costs no
scatter. Rest noise is subtracted as if it were as flat as an amplifier's; since it need not be, half of
what its removal moved is added to the uncertainty.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.filters import LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE, band_pass
from emgmon.dsp.quality_grades import GOOD_SNR_DB
from emgmon.dsp.rates import has_median_frequency
from emgmon.dsp.spectrum import SEGMENT_S, power_spectrum
from emgmon.events import Metric, Quality
from emgmon.metrics.engagement import Z_95, missing, worse

BAND_HZ = (20.0, 450.0)
"""Where surface EMG has its power."""

MIN_SEGMENTS = 3
"""Half-overlapping Hann windows in half a second of work."""

LEAST_SNR_DB = 10.0
"""Nearer to rest, the shape of the noise decides where the median lies."""

RESPONSE_FLOOR = 0.1
"""The band-pass is undone down to this power response; further down little but artefact is left."""

SLOPE_HALF_WIDTH_HZ = 24.0
"""The density at the median is averaged over this much at either side: a single bin is too uneven."""

HANN_SHARE = 18.0 / 35.0
"""A Hann window is worth this share of its length: (mean of w²)² / mean of w⁴."""

HANN_NEIGHBOUR = 3.0 / 70.0
"""Correlation of the power of two Hann windows that overlap by half."""

NOISE_SHAPE_CV = 0.5
"""How far off the removal of the rest noise may be, relative to what it moved."""

CHANCE_FACTOR = 1.1
"""Seen scatter over the delta method's, in repetitions of the virtual athlete ..."""

ARTEFACT_HZ = 1.0
"""... and how far what the cleaning leaves of hum and movement shifts the median there."""

NO_SPECTRUM_OF_ENVELOPES = "this channel sends an envelope, which no longer holds the muscle's frequencies"
INDEX_ORDERS = (-1, 5)
"""Of the spectral moments whose ratio is FInsm5."""


def _within(
    density: NDArray[np.float64], frequency_hz: NDArray[np.float64], band_hz: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cut a density, linear between its bins, to a band; the edges become bins of their own."""
    low_hz, high_hz = max(band_hz[0], frequency_hz[0]), min(band_hz[1], frequency_hz[-1])
    first, stop = np.searchsorted(frequency_hz, [low_hz, high_hz], side="right")
    stop = stop - 1 if frequency_hz[stop - 1] == high_hz else stop
    edges = []
    for edge_hz, right in ((low_hz, first), (high_hz, min(stop, len(frequency_hz) - 1))):
        step_hz = frequency_hz[right] - frequency_hz[right - 1]
        share = (edge_hz - frequency_hz[right - 1]) / step_hz
        edges.append((1.0 - share) * density[..., right - 1] + share * density[..., right])
    cut = np.concatenate([edges[0][..., None], density[..., first:stop], edges[1][..., None]], axis=-1)
    return cut, np.concatenate([[low_hz], frequency_hz[first:stop], [high_hz]])


def _cumulative(density: NDArray[np.float64], frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power up to each bin."""
    power = np.zeros_like(density)
    np.cumsum(
        0.5 * (density[..., 1:] + density[..., :-1]) * np.diff(frequency_hz), axis=-1, out=power[..., 1:]
    )
    return power


def median_frequency(
    density: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    band_hz: tuple[float, float] = BAND_HZ,
) -> float:
    """Frequency that halves the power of a band.

    The density is taken as linear between its bins, and the median is found inside the bin, so a
    flat density over 20 to 450 Hz gives 235 Hz whatever the grid.

    Parameters
    ----------
    density
        Shape (n_bins,); may dip below zero where noise was subtracted.
    frequency_hz
        Shape (n_bins,), increasing.
    band_hz
        Lower and upper edge.

    Returns
    -------
    float
        NaN where the band holds no power.
    """
    density, frequency_hz = _within(density, frequency_hz, band_hz)
    return _halving(density, frequency_hz, _cumulative(density, frequency_hz))


def _halving(
    density: NDArray[np.float64], frequency_hz: NDArray[np.float64], power: NDArray[np.float64]
) -> float:
    """Find where the power up to a frequency is half of all."""
    half = 0.5 * float(power[-1])
    if not half > 0.0:
        return math.nan
    i = int(np.argmax(power >= half)) - 1
    rest = half - float(power[i])
    first, last = float(density[i]), float(density[i + 1])
    slope = (last - first) / float(frequency_hz[i + 1] - frequency_hz[i])
    # The root of first * x + slope * x² / 2 = rest that stays exact for a flat density.
    root = math.sqrt(max(first**2 + 2.0 * slope * rest, 0.0))
    return float(frequency_hz[i]) + 2.0 * rest / (first + root)


def spectral_moment(
    density: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    order: int,
    band_hz: tuple[float, float] = BAND_HZ,
) -> NDArray[np.float64]:
    """Integral of the density times the frequency to the power of `order` over a band.

    Exact for a density that is linear between its bins.

    Parameters
    ----------
    density
        Shape (..., n_bins).
    frequency_hz
        Shape (n_bins,), increasing.
    order
        -1, 0 or more.
    band_hz
        Lower and upper edge.

    Returns
    -------
    ndarray
        Shape of `density` without its last axis.
    """
    density, frequency_hz = _within(density, frequency_hz, band_hz)
    slope = np.diff(density) / np.diff(frequency_hz)
    start = density[..., :-1] - slope * frequency_hz[:-1]
    area = np.diff(_antiderivative(frequency_hz, order))
    moment: NDArray[np.float64] = start @ area + slope @ np.diff(_antiderivative(frequency_hz, order + 1))
    return moment


def _antiderivative(frequency_hz: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    if order == -1:
        return np.log(frequency_hz)
    return np.asarray(frequency_hz ** (order + 1) / (order + 1))


def mean_frequency(
    density: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    band_hz: tuple[float, float] = BAND_HZ,
) -> float:
    """Centre of gravity of the density over a band, Hz; NaN where the band holds no power."""
    power, weighted = (float(spectral_moment(density, frequency_hz, order, band_hz)) for order in (0, 1))
    return weighted / power if power > 0.0 else math.nan


def spectral_index(
    density: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    band_hz: tuple[float, float] = BAND_HZ,
) -> float:
    """FInsm5, the ratio of the spectral moments of order -1 and 5; it grows as a muscle tires.

    A spectrum that is compressed by `s` as a whole multiplies it by ``s ** -6``
    (Dimitrov et al. 2006, Med Sci Sports Exerc, 10.1249/01.mss.0000233794.31659.6d).

    Returns
    -------
    float
        In Hz⁻⁶; NaN where either moment is not positive.
    """
    low, high = (float(spectral_moment(density, frequency_hz, order, band_hz)) for order in INDEX_ORDERS)
    return low / high if low > 0.0 and high > 0.0 else math.nan


def power_response(
    sos: NDArray[np.float64], frequency_hz: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float64]:
    """Squared gain of a row of second-order sections, shape (n_sections, 6), at each frequency."""
    delay = np.exp(-2j * np.pi * frequency_hz / rate_hz)
    response: NDArray[np.float64] = np.ones(len(frequency_hz))
    for b0, b1, b2, a0, a1, a2 in sos:
        top, bottom = b0 + delay * (b1 + delay * b2), a0 + delay * (a1 + delay * a2)
        response = response * np.abs(top / bottom) ** 2
    return response


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """What follows from the rate alone; bins end with the first one beyond the band."""

    segment_s: float
    segment_samples: int
    frequency_hz: NDArray[np.float64]
    restored: NDArray[np.float64]
    """What to divide a density by to undo the band-pass."""
    flat: NDArray[np.float64]
    """Density of flat noise that has 1 µV RMS behind the band-pass, restored."""
    moments: NDArray[np.float64]
    """Shape (n_bins, 3): a density times this gives its moments of order 0, -1 and 5 over the band."""


@lru_cache(maxsize=8)
def _grid(rate_hz: float) -> _Grid:
    length = int(SEGMENT_S * rate_hz)
    frequency_hz = np.asarray(np.arange(length // 2 + 1) * (rate_hz / length), dtype=np.float64)
    response = power_response(band_pass(rate_hz).sos, frequency_hz, rate_hz)
    n_bins = int(np.searchsorted(frequency_hz, BAND_HZ[1])) + 1
    flat = response / _cumulative(response, frequency_hz)[-1]
    frequency_hz, restored = frequency_hz[:n_bins], np.maximum(response, RESPONSE_FLOOR)[:n_bins]
    each_bin = np.eye(len(frequency_hz))
    orders = (0, *INDEX_ORDERS)
    return _Grid(
        segment_s=length / rate_hz,
        segment_samples=length,
        frequency_hz=frequency_hz,
        restored=restored,
        flat=flat[:n_bins] / restored,
        moments=np.stack([spectral_moment(each_bin, frequency_hz, order) for order in orders], axis=1),
    )


@dataclass(frozen=True, slots=True)
class SpectralFigures:
    """What the spectrum of one muscle says of one repetition."""

    median_frequency: Metric
    log_index: float | None
    """ln FInsm5, mean over the channels; ``None`` where the spectrum was not measured."""


def spectral_figures(
    clean_uv: NDArray[np.float64] | None,
    *,
    rate_hz: float,
    rest_uv: NDArray[np.float64],
    quality: Quality,
    gap: str | None = None,
) -> SpectralFigures:
    """Median frequency and spectral index of one muscle over the working phases of a repetition.

    Welch's estimate with Hann windows of 250 ms, half overlapping, those with missing samples left out;
    the median of each channel, then their mean. The interval is the delta method's: the median m of
    a density S measured for a time T has the variance ∫S² / (4 T S(m)²), with T shortened by windowing
    and by uneven amplitude.

    Parameters
    ----------
    clean_uv
        Shape (n_channels, n_samples): band-passed samples of the muscle's channels, NaN where missing;
        ``None`` where the channels send envelopes.
    rate_hz
        Sample rate.
    rest_uv
        Shape (n_channels,): RMS of the same cleaned signal at rest; NaN where it is not known.
    quality
        Of the channels.
    gap
        Why the repetition must not be measured, in words.
    """
    reason = gap or _hindrance(clean_uv, rate_hz, rest_uv)
    if reason is not None or clean_uv is None:
        return _not_measured(reason)
    grid = _grid(rate_hz)
    step = grid.segment_samples // 2
    windows = np.lib.stride_tricks.sliding_window_view(clean_uv, grid.segment_samples, axis=1)[:, ::step]
    segments = power_spectrum(windows, rate_hz)[1]
    power = segments.sum(axis=2) / grid.segment_s
    whole = ~np.isnan(power)
    if int(whole.sum(axis=1).min()) < MIN_SEGMENTS:
        return _not_measured("samples are missing in this repetition")
    snr_db = _snr_db(np.nanmean(power, axis=1), rest_uv**2)
    if snr_db < LEAST_SNR_DB:
        said = f"the muscle stood only {snr_db:.0f} dB above its noise at rest"
        return _not_measured(f"{said}, a spectrum needs {LEAST_SNR_DB:.0f} dB")
    power = np.where(whole, power, 0.0)
    raw = _mean_of_whole(segments[:, :, : len(grid.frequency_hz)], whole)
    quality = worse(quality, Quality.USABLE) if snr_db < GOOD_SNR_DB else quality
    return _figures(raw / grid.restored, power, rest_uv, grid, quality)


def _mean_of_whole(segments: NDArray[np.float64], whole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean density of each channel over its segments that miss no sample."""
    if whole.all():
        return np.asarray(segments.mean(axis=1))
    total = np.where(whole[:, :, None], segments, 0.0).sum(axis=1)
    return np.asarray(total / whole.sum(axis=1, keepdims=True), dtype=np.float64)


def _not_measured(reason: str | None) -> SpectralFigures:
    return SpectralFigures(missing("median_frequency_hz", reason), None)


def _hindrance(
    clean_uv: NDArray[np.float64] | None, rate_hz: float, rest_uv: NDArray[np.float64]
) -> str | None:
    """Say why there can be no spectrum, whatever the samples are."""
    if clean_uv is None:
        return NO_SPECTRUM_OF_ENVELOPES
    upper_hz = min(LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE * rate_hz)
    if not has_median_frequency(rate_hz):
        return f"at {rate_hz:.0f} samples per second a spectrum ends too early, at {upper_hz:.0f} Hz"
    if not len(clean_uv):
        return "no electrode on the muscle"
    if not bool(np.all(np.isfinite(rest_uv))):
        return "the noise at rest is not known"
    length = int(SEGMENT_S * rate_hz)
    if 1 + (clean_uv.shape[1] - length) // (length // 2) < MIN_SEGMENTS:
        lasted_s = clean_uv.shape[1] / rate_hz
        return f"a spectrum needs half a second of work, this was {lasted_s:.2f} s"
    return None


def _snr_db(power: NDArray[np.float64], rest_power: NDArray[np.float64]) -> float:
    """Signal-to-noise ratio of the channel that has the lowest; rest without any noise is no limit."""
    if float(power.min()) <= 0.0:
        return -math.inf
    noisy = rest_power > 0.0
    return 10.0 * math.log10(float((power[noisy] / rest_power[noisy]).min())) if noisy.any() else math.inf


def _figures(
    noisy: NDArray[np.float64],
    power: NDArray[np.float64],
    rest_uv: NDArray[np.float64],
    grid: _Grid,
    quality: Quality,
) -> SpectralFigures:
    """Join the channels, from densities that hold rest noise, (n_channels, n_bins), and power per window."""
    muscle = noisy - np.square(rest_uv)[:, None] * grid.flat
    moments = muscle @ grid.moments
    cut, bins_hz = _within(np.stack([muscle, noisy]), grid.frequency_hz, BAND_HZ)
    below = _cumulative(cut, bins_hz)
    n_channels = len(noisy)
    medians_hz = [_halving(cut[0, i], bins_hz, below[0, i]) for i in range(n_channels)]
    median_hz = math.fsum(medians_hz) / n_channels
    squared, n_independent = _chance(noisy, power, grid)
    variance_hz2 = 0.0
    for i, own_hz in enumerate(medians_hz):
        around = (own_hz - SLOPE_HALF_WIDTH_HZ, own_hz + SLOPE_HALF_WIDTH_HZ)
        reached = np.interp(around, bins_hz, below[0, i])
        at_median = float(reached[1] - reached[0]) / (2.0 * SLOPE_HALF_WIDTH_HZ)
        observed_s = n_independent[i] * HANN_SHARE * grid.segment_s
        variance_hz2 += float(squared[i] / (4.0 * observed_s * at_median**2))
        variance_hz2 += (NOISE_SHAPE_CV * (_halving(cut[1, i], bins_hz, below[1, i]) - own_hz)) ** 2
    chance_hz = CHANCE_FACTOR * math.sqrt(variance_hz2) / n_channels
    margin_hz = Z_95 * math.hypot(chance_hz, ARTEFACT_HZ)
    metric = Metric(
        "median_frequency_hz", median_hz, median_hz - margin_hz, median_hz + margin_hz, 1, quality
    )
    known = bool(np.all(moments[:, 1:] > 0.0))
    log_index = float(np.log(moments[:, 1] / moments[:, 2]).mean()) if known else None
    return SpectralFigures(metric, log_index)


def _chance(
    noisy: NDArray[np.float64], power: NDArray[np.float64], grid: _Grid
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Integral of each channel's squared density, and how many independent windows it rests on.

    Windows count by their power, since loud ones decide the mean. The mean of few windows has too
    large a square, and so has the power of one window; both are corrected for.
    """
    squared = np.square(noisy) @ grid.moments[:, 0]
    total = noisy @ grid.moments[:, 0]
    excess = squared / (np.square(total) * HANN_SHARE * grid.segment_s)
    own = np.square(power).sum(axis=1) / (1.0 + excess)
    shared = 2.0 * HANN_NEIGHBOUR * (power[:, 1:] * power[:, :-1]).sum(axis=1)
    n_independent = np.square(power.sum(axis=1)) / (own + shared)
    return squared / (1.0 + 1.0 / n_independent), n_independent

"""What the heartbeat adds to EMG of the trunk, and the EMG without it: less the mean beat, no more."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BEFORE_S, AFTER_S = 0.2, 0.4
"""A beat's wave begins this long before the R wave and ends this long after it: P wave to T wave."""

BEFORE_SHARE, AFTER_SHARE = 0.35, 0.6
"""In quick hearts it is cut to these parts of the usual interval, so that waves do not overlap."""

TAPER_S = 0.04
"""Both ends of the wave fade to nothing over this long; so nothing steps where a beat is taken out."""

NEIGHBOURS = 30
"""Beats on either side that the mean wave rests on: half a minute, in which posture changes it little."""

FEWEST_NEIGHBOURS = 4
"""With fewer beats to average, their EMG would be subtracted instead."""

SMOOTHING_S = 0.04
"""Of the wave outside the QRS complex: what lies above 50 Hz there is EMG."""

DOUBT = 3.0

STEP_S = 0.005
"""Half a period of 100 Hz, the middle of the EMG's spectrum."""

QRS_BEFORE_S, QRS_AFTER_S = 0.06, 0.1
"""Around the R wave, what the 30 Hz high-pass leaves of a heartbeat, its own ringing included."""


def subtract_beats(raw_uv: ArrayLike, beats: NDArray[np.int64], rate_hz: float) -> tuple[Floats, Floats]:
    """Take the heartbeat out of raw EMG by the moving mean of the beats around each beat.

    Parameters
    ----------
    raw_uv
        Shape (n_samples,) or (n_channels, n_samples), before any filter, NaN where missing.
    beats
        Samples of the R waves, ascending.
    rate_hz
        Sample rate.

    Returns
    -------
    cleaned : ndarray
        Raw less the heartbeat; shape and unit as given, NaN where missing.
    artefact : ndarray
        The heartbeat, same shape; 0 where nothing was taken out. Their sum is what was given.

    Notes
    -----
    Moving mean template (Fraser et al. 2012, 10.1109/MeMeA.2012.6226621): no relaxed stretch is needed. Each
    beat counts with the inverse of the power around it, so that beats at rest make the wave and those inside
    a contraction hardly do; the beat itself does not count, so that its own EMG is not taken out with it.
    On real ECG added to real EMG the median of the beats left more than this mean. A size and a shift fitted
    to each beat left a tenth less between contractions and up to a third more in them, so none is fitted.
    """
    raw = np.asarray(raw_uv, dtype=np.float64)
    rows = [_waves_laid(row, beats, rate_hz) for row in np.atleast_2d(raw)]
    artefact = np.array(rows).reshape(raw.shape)
    return raw - artefact, artefact


def _waves_laid(raw: Floats, beats: NDArray[np.int64], rate_hz: float) -> Floats:
    """Lay the mean wave around each beat where the beat is; shape (n_samples,)."""
    if len(beats) <= FEWEST_NEIGHBOURS:
        return np.zeros(len(raw))
    before, after = _wave_samples(beats, rate_hz)
    # A beat cut by an end or a gap has no say in the mean, but its part is taken out.
    padded = np.pad(raw, (before, after), constant_values=np.nan)
    waves = _levelled(sliding_window_view(padded, before + after)[beats], rate_hz)
    power = _rough_power(waves, before, rate_hz)
    mean, variance = _mean_of_neighbours(waves, np.where(power > 0.0, 1.0 / np.maximum(power, 1e-300), 0.0))
    mean = _believed(mean, variance, before, rate_hz) * _taper(before + after, rate_hz)
    laid = np.zeros(len(padded))
    np.add.at(laid, beats[:, np.newaxis] + np.arange(before + after), mean)
    return laid[before : before + len(raw)]


def _wave_samples(beats: NDArray[np.int64], rate_hz: float) -> tuple[int, int]:
    usual_s = float(np.median(np.diff(beats))) / rate_hz
    before_s, after_s = min(BEFORE_S, BEFORE_SHARE * usual_s), min(AFTER_S, AFTER_SHARE * usual_s)
    return round(before_s * rate_hz), round(after_s * rate_hz)


def _levelled(waves: Floats, rate_hz: float) -> Floats:
    """Take out the line through both ends: what drifts is no heartbeat."""
    n_end = max(2, round(TAPER_S * rate_hz))
    first, last = waves[:, :n_end].mean(axis=1), waves[:, -n_end:].mean(axis=1)
    along = (np.arange(waves.shape[1]) - (n_end - 1) / 2.0) / (waves.shape[1] - n_end)
    return np.asarray(waves - (first[:, np.newaxis] + (last - first)[:, np.newaxis] * along))


def _qrs(before: int, rate_hz: float) -> slice:
    return slice(max(0, before - round(QRS_BEFORE_S * rate_hz)), before + round(QRS_AFTER_S * rate_hz))


def _steps(waves: Floats, rate_hz: float) -> Floats:
    """Give differences over 5 ms of means over 2.5 ms: large where EMG is, nothing of drift and T wave."""
    each = max(1, round(STEP_S / 2.0 * rate_hz))
    apart = max(1, round(STEP_S * rate_hz / each))
    n = waves.shape[1] // each
    means = waves[:, : n * each].reshape(len(waves), n, each).mean(axis=2)
    return np.asarray(means[:, apart:] - means[:, :-apart])


def _rough_power(waves: Floats, before: int, rate_hz: float) -> Floats:
    """Mean square of the steps outside the QRS complex, 0 for a cut beat; shape (n_beats,)."""
    qrs = _qrs(before, rate_hz)
    outside = [_steps(waves[:, : qrs.start], rate_hz), _steps(waves[:, qrs.stop :], rate_hz)]
    power = np.square(np.concatenate(outside, axis=1)).mean(axis=1)
    whole = ~np.isnan(power)
    if not whole.any():
        return np.zeros(len(waves))
    # The quietest beats count alike, so that the mean rests on many.
    floor = max(float(np.quantile(power[whole], 0.1)), 1e-30)
    return np.where(whole, np.maximum(power, floor), 0.0)


def _mean_of_neighbours(waves: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of the beats around each, without it, and its variance; 0 where too few are whole."""
    n = len(waves)
    weighted = np.where(weights[:, np.newaxis] > 0.0, waves, 0.0) * weights[:, np.newaxis]
    start = np.maximum(np.arange(n) - NEIGHBOURS, 0)
    stop = np.minimum(np.arange(n) + NEIGHBOURS + 1, n)

    def others(values: Floats) -> Floats:
        sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
        return np.asarray(sums[stop] - sums[start] - values)

    total = others(weights)
    enough = others((weights > 0.0).astype(np.float64)) >= FEWEST_NEIGHBOURS
    variance = np.where(enough, 1.0 / np.where(enough, total, 1.0), 0.0)
    return others(weighted) * variance[:, np.newaxis], variance


def _believed(mean: Floats, variance: Floats, before: int, rate_hz: float) -> Floats:
    """Keep of a mean wave what is a heartbeat rather than what is left of the EMG it was averaged from.

    Outside the QRS complex nothing of a heartbeat is quick, so it is smoothed. Inside, it is shrunk by the
    part of its power that averaging leaves to chance (James and Stein 1961) and `DOUBT` times over, so that
    a heartbeat too small to matter is rather left than made worse.
    """
    qrs = _qrs(before, rate_hz)
    power = np.square(_steps(mean[:, qrs], rate_hz)).mean(axis=1)
    chance = DOUBT * variance
    kept = np.where(power > chance, 1.0 - chance / np.maximum(power, 1e-300), 0.0)
    kernel = np.hanning(round(SMOOTHING_S * rate_hz) + 2)[1:-1]
    smooth = np.stack([np.convolve(wave, kernel / kernel.sum(), mode="same") for wave in mean])
    quick = np.zeros(mean.shape[1])
    quick[qrs] = _taper(len(quick[qrs]), rate_hz)
    return np.asarray((smooth + quick * (mean - smooth)) * kept[:, np.newaxis])


def _taper(n_wave: int, rate_hz: float) -> Floats:
    n_end = round(TAPER_S * rate_hz)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(n_end) / n_end)
    taper = np.ones(n_wave)
    taper[:n_end], taper[n_wave - n_end :] = rise, rise[::-1]
    return taper


def heartbeat_share(clean_uv: Floats, beats: NDArray[np.int64], rate_hz: float) -> float | None:
    """How much of a cleaned signal's power comes with the heartbeat.

    Parameters
    ----------
    clean_uv
        Shape (n_samples,), after the band-pass, NaN where missing.
    beats
        Samples of the R waves in it.
    rate_hz
        Sample rate.

    Returns
    -------
    float or None
        0 to 1: power around the beats beyond that beside each of them, over all power. Compared beat by beat,
        so that a contraction counts on both sides. ``None`` where no beat or no signal is.
    """
    before, after = round(QRS_BEFORE_S * rate_hz), round(QRS_AFTER_S * rate_hz)
    usual = float(np.median(np.diff(beats))) if len(beats) > 1 else rate_hz
    beside = max(1, min(before + after, math.floor((usual - before - after) / 2.0)))
    power = _RunningPower(clean_uv)
    around, n_around = power.between(beats - before, beats + after)
    left, n_left = power.between(beats - before - beside, beats - before)
    right, n_right = power.between(beats + after, beats + after + beside)
    known = (n_around > 0) & (n_left + n_right > 0)
    total, n_total = power.between(np.array([0]), np.array([len(clean_uv)]))
    if not known.any() or not n_total[0] or total[0] <= 0.0:
        return None
    rest = (left + right)[known] / (n_left + n_right)[known]
    excess = float(np.sum(around[known] - rest * n_around[known]))
    return min(1.0, max(0.0, excess / float(total[0])))


def rest_between_beats(clean_uv: Floats, beats: NDArray[np.int64], rate_hz: float) -> float | None:
    """RMS of a stretch of rest outside the beats, microvolt; ``None`` where nothing of it lies outside.

    Parameters
    ----------
    clean_uv
        Shape (n_samples,), after the band-pass, NaN where missing; a stretch without contractions.
    beats
        Samples of the R waves in it.
    rate_hz
        Sample rate.
    """
    outside = ~np.isnan(clean_uv)
    before, after = round(QRS_BEFORE_S * rate_hz), round(QRS_AFTER_S * rate_hz)
    for beat in beats.tolist():
        outside[max(0, beat - before) : max(0, beat + after)] = False
    return float(np.sqrt(np.mean(np.square(clean_uv[outside])))) if outside.any() else None


class _RunningPower:
    """Sums of squares, and of samples that are there, between any two samples."""

    def __init__(self, clean_uv: Floats) -> None:
        missing = np.isnan(clean_uv)
        self._power = np.append(0.0, np.cumsum(np.square(np.where(missing, 0.0, clean_uv))))
        self._count = np.append(0, np.cumsum(~missing))

    def between(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        start, stop = (np.clip(edge, 0, len(self._power) - 1) for edge in (start, stop))
        return self._power[stop] - self._power[start], self._count[stop] - self._count[start]

"""Where the heart beats in raw EMG of the trunk: one wave that repeats, in all channels at once."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from emgmon.dsp.filters import butterworth_sos, sosfilt_inplace, steady_state

Floats = NDArray[np.float64]

SEARCH_RATE_HZ = 200.0
"""Beats are looked for at about this rate; faster signals are averaged down to it."""

SLOWEST_RATE_HZ = 100.0

QRS_BAND_HZ = (10.0, 40.0)
"""Most of the R wave's power and little of the muscle's."""

HALF_WAVE_S = 0.1
"""The wave that is compared reaches this far to either side."""

SHORTEST_INTERVAL_S = 0.27
"""At 200 beats per minute intervals are 0.3 s; they vary by a tenth."""

LONGEST_INTERVAL_S = 2.0

NOISE_WINDOW_S = 0.75
"""Local noise is measured over this long: several times a QRS complex, shorter than most contractions."""

MAX_SEEDS = 300
"""Waves that are compared with each other when nothing is known yet."""

FEWEST_BEATS = 10
"""With fewer waves alike there is no telling whether they are a heartbeat."""

SEEN = 3.0
"""Standard deviations of local noise above which a beat stands out. A weaker one is not placed by the rhythm:
its moment would be off by several milliseconds, and a wave subtracted there adds as much as it takes."""

VISIBLE = 2.0
"""Standard deviations of a mean beat in the local noise; where it has fewer, what stands out is EMG."""

CLEAR = 5.0
"""Standard deviations above which a wave needs no rhythm to be believed."""

RHYTHM_SD = 0.15
"""Intervals differ from those around them by this fraction: breathing, effort, early beats."""

OFF_RHYTHM_COST = 8.0
"""Most that an interval can speak against a beat, in log likelihood; an early beat that stands out stays."""

BELIEF_LIMIT = 12.0
"""Most that one wave can speak for itself; so a single artefact does not outweigh the rhythm."""

MAX_SKIPPED = 4

STANDS_OUT = 1.5
"""A heartbeat's waves are this many times as high as the best match between two of them, in the median. In
noise the one is as high as the other."""

UNLIKE_WAVE, UNLIKE_NOISE = 0.3, 2.5
"""What of a beat is not the mean wave has at most this part of the wave's power, or at most this many times
the power half-way between beats. The best match inside a contraction leaves more, being part of something
longer."""


def find_beats(raw_uv: ArrayLike, rate_hz: float) -> NDArray[np.int64]:
    """Find the heartbeat in a whole recording of one or several trunk channels.

    Parameters
    ----------
    raw_uv
        Shape (n_samples,) or (n_channels, n_samples), before any filter; any unit, NaN where missing. All
        channels are searched together: a beat is one moment of all of them.
    rate_hz
        Sample rate, 100 Hz or more.

    Returns
    -------
    ndarray
        Samples of the R waves, ascending, shape (n_beats,): of the largest deflection of the mean beat in the
        channel that shows it best. Empty where no heartbeat is found. Beats that do not stand out of a
        contraction are not among them.

    Notes
    -----
    The band 10-40 Hz is matched with the recording's own mean beat, in units of the local noise, which gives
    the likelihood of a beat at each moment. Dynamic programming then takes the sequence of beats that is
    likeliest under a rhythm which varies by `RHYTHM_SD` around what it is nearby.
    """
    raw = np.atleast_2d(np.asarray(raw_uv, dtype=np.float64))
    raw = raw[~np.isnan(raw).all(axis=1)]
    search = _prepare(raw, rate_hz)
    if search is None:
        return np.empty(0, dtype=np.int64)
    wave = _first_wave(search)
    beats = np.empty(0)
    for _ in range(3):
        if wave is None:
            return np.empty(0, dtype=np.int64)
        match = _match(search, wave)
        beats = _follow_rhythm(match)
        wave = _mean_wave(search, beats)
    if wave is None or not (_stand_out(match, beats) and _repeats(search, wave, beats)):
        return np.empty(0, dtype=np.int64)
    return _at_peaks(raw, rate_hz, search, match, beats)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The signal in which beats are looked for."""

    band: Floats
    """Shape (n_channels, n): band of the QRS complex, 0 where missing."""
    noise: Floats
    """Local standard deviation, same shape; infinite where missing."""
    rate_hz: float
    samples_each: int
    """Samples of the recording behind each one here."""

    @property
    def half_wave(self) -> int:
        return round(HALF_WAVE_S * self.rate_hz)


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """How much each moment looks like a beat."""

    score: Floats
    """Standard deviations of local noise, shape (n,)."""
    expected: Floats
    """Score that a mean beat has there, same shape."""
    rate_hz: float

    @property
    def seen(self) -> NDArray[np.bool_]:
        high = self.score > np.maximum(SEEN, 0.4 * self.expected)
        return np.asarray(high & (self.expected > VISIBLE))


def _prepare(raw: Floats, rate_hz: float) -> _Search | None:
    each = max(1, math.floor(rate_hz / SEARCH_RATE_HZ))
    search_rate_hz = rate_hz / each
    n = raw.shape[1] // each
    too_short = n < FEWEST_BEATS * SHORTEST_INTERVAL_S * search_rate_hz
    if too_short or search_rate_hz < SLOWEST_RATE_HZ or not len(raw):
        return None
    slow = raw[:, : n * each].reshape(len(raw), n, each).mean(axis=2)
    missing = np.isnan(slow)
    band = np.stack([_qrs_band(_bridged(row), search_rate_hz) for row in slow])
    # A filter that crosses a hole leaves a step's answer beside it; nothing is believed there.
    near = _dilated(missing, round(HALF_WAVE_S * search_rate_hz))
    band[near] = 0.0
    noise = np.stack([_local_noise(row, search_rate_hz) for row in band])
    noise[near] = np.inf
    return _Search(band, noise, search_rate_hz, each)


def _bridged(x: Floats) -> Floats:
    there = np.flatnonzero(~np.isnan(x))
    return np.interp(np.arange(len(x)), there, x[there])


def _dilated(flags: NDArray[np.bool_], half: int) -> NDArray[np.bool_]:
    if not flags.any():
        return flags
    padded = np.pad(flags, ((0, 0), (half, half)))
    return np.asarray(sliding_window_view(padded, 2 * half + 1, axis=1).any(axis=2))


def _qrs_band(x: Floats, rate_hz: float) -> Floats:
    """Filter forwards and backwards, so that nothing is delayed."""
    low_hz, high_hz = QRS_BAND_HZ
    sos = np.concatenate(
        [
            butterworth_sos(2, low_hz, rate_hz, kind="high"),
            butterworth_sos(2, high_hz, rate_hz, kind="low"),
        ]
    )
    y = x.copy()
    for _ in range(2):
        sosfilt_inplace(sos, y[np.newaxis], (steady_state(sos) * y[0])[np.newaxis])
        y = np.ascontiguousarray(y[::-1])
    return y


def _local_noise(band: Floats, rate_hz: float) -> Floats:
    """Measure the standard deviation around each sample, by medians that a QRS complex does not move."""
    window, step = round(NOISE_WINDOW_S * rate_hz), max(1, round(0.1 * rate_hz))
    padded = np.pad(np.abs(band), window // 2, mode="reflect")
    medians = np.median(sliding_window_view(padded, window)[::step], axis=1) / 0.6745
    # The edges of a contraction belong to it.
    medians = sliding_window_view(np.pad(medians, 2, mode="edge"), 5).max(axis=1)
    noise = np.interp(np.arange(len(band)), np.arange(len(medians)) * step, medians)
    quiet = np.median(noise[noise > 0.0]) if (noise > 0.0).any() else 1.0
    # Stretches without any signal (a dead electrode) are no quieter than a hundredth of the rest.
    return np.asarray(np.maximum(noise, 0.01 * quiet))


def _segments(search: _Search, at: NDArray[np.int64]) -> Floats:
    """Waves around moments in units of quiet noise, channels in a row: shape (n, n_channels * n_wave)."""
    half = search.half_wave
    padded = np.pad(search.band / _quiet(search)[:, np.newaxis], ((0, 0), (half, half)))
    waves = sliding_window_view(padded, 2 * half + 1, axis=1)[:, at]
    return np.concatenate(list(waves), axis=1)


def _quiet(search: _Search) -> Floats:
    noise = np.where(np.isinf(search.noise), np.nan, search.noise)
    return np.asarray(np.nanquantile(noise, 0.25, axis=1))


def _first_wave(search: _Search) -> Floats | None:
    """Mean of the waves most alike among the energetic, regular moments; shape (n_channels, n_wave)."""
    at = _regular_peaks(search)
    if len(at) < FEWEST_BEATS:
        return None
    inside = (at >= 2 * search.half_wave) & (at < search.band.shape[1] - 2 * search.half_wave)
    at = at[inside]
    if len(at) > MAX_SEEDS:
        at = at[np.linspace(0, len(at) - 1, MAX_SEEDS).astype(np.int64)]
    likeness, lag = _likeness(search, at)
    centre = int(np.argmax(np.quantile(likeness, 0.75, axis=1)))
    alike = np.flatnonzero(likeness[centre] > 0.6)
    if len(alike) < FEWEST_BEATS:
        return None
    return _mean_wave(search, (at[alike] + lag[centre, alike]).astype(np.float64))


def _regular_peaks(search: _Search) -> NDArray[np.int64]:
    """Moments of most energy, alone within 0.25 s, that come at even intervals."""
    rate_hz = search.rate_hz
    width, alone = round(0.1 * rate_hz) | 1, round(0.25 * rate_hz)
    relative = np.square(search.band / search.noise).sum(axis=0)
    energy = np.convolve(relative, np.ones(width) / width, mode="same")
    highest = sliding_window_view(np.pad(energy, alone), 2 * alone + 1).max(axis=1)
    peaks = np.flatnonzero((energy == highest) & (energy > 2.0 * len(search.band)))
    gaps = np.diff(peaks)
    even = np.abs(gaps[1:] - gaps[:-1]) < 0.2 * np.minimum(gaps[1:], gaps[:-1])
    even &= np.maximum(gaps[1:], gaps[:-1]) < LONGEST_INTERVAL_S * rate_hz
    return np.asarray(peaks[1:-1][even])


def _likeness(search: _Search, at: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Best correlation of each wave with each other one, and the lag at which the other one has it."""
    here = _unit(_segments(search, at))
    best, best_lag = np.full((len(at), len(at)), -1.0), np.zeros((len(at), len(at)), dtype=np.int64)
    reach = search.half_wave // 2
    for lag in range(-reach, reach + 1):
        likeness = here @ _unit(_segments(search, at + lag)).T
        better = likeness > best
        best[better], best_lag[better] = likeness[better], lag
    return best, best_lag


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300))


def _mean_wave(search: _Search, beats: Floats) -> Floats | None:
    """Mean wave, each beat weighted by how quiet it is around it; shape (n_channels, n_wave)."""
    half = search.half_wave
    at = np.round(beats).astype(np.int64)
    at = at[(at >= half) & (at < search.band.shape[1] - half)]
    if len(at) < FEWEST_BEATS:
        return None
    waves = sliding_window_view(search.band, 2 * half + 1, axis=1)[:, at - half]
    weights = 1.0 / np.square(np.maximum(search.noise[:, at], _quiet(search)[:, np.newaxis]))
    if not (weights.sum(axis=1) > 0.0).any():
        return None
    total = np.maximum(weights.sum(axis=1), 1e-300)[:, np.newaxis]
    wave = np.einsum("cb,cbk->ck", weights, waves) / total
    return np.asarray(wave * np.hanning(2 * half + 3)[1:-1])


def _match(search: _Search, wave: Floats) -> _Match:
    """Match with a wave; channels count by their noise."""
    weight = 1.0 / np.square(search.noise)
    energy = np.square(wave).sum(axis=1)[:, np.newaxis] * weight
    matched = np.stack(
        [np.convolve(row, one[::-1], mode="same") for row, one in zip(search.band, wave, strict=True)]
    )
    expected = np.sqrt(energy.sum(axis=0))
    score = (matched * weight).sum(axis=0) / np.maximum(expected, 1e-300)
    # Neighbouring samples are not independent; what a standard deviation is, the score itself tells.
    spread = np.median(np.abs(score[expected > 0.0])) / 0.6745
    return _Match(score / spread, expected / spread, search.rate_hz)


def _follow_rhythm(match: _Match) -> Floats:
    """Likeliest sequence of beats that stand out, in samples of the search with fractions."""
    score, rate_hz = match.score, match.rate_hz
    alone = round(0.1 * rate_hz)
    highest = sliding_window_view(np.pad(score, alone), 2 * alone + 1).max(axis=1)
    at = np.flatnonzero((score == highest) & (score > 0.8 * SEEN))
    interval = _local_interval(match, at)
    if interval is None:
        return np.empty(0)
    expected = match.expected[at]
    belief = expected * np.minimum(score[at], 1.5 * expected) - np.square(expected) / 2.0
    chain = _best_chain(at, np.minimum(belief, BELIEF_LIMIT), interval, SHORTEST_INTERVAL_S * rate_hz)
    return _between_samples(score, chain[match.seen[chain]])


def _local_interval(match: _Match, at: NDArray[np.int64]) -> Floats | None:
    """Interval between beats at each moment, from beats beyond doubt nearby."""
    clear = at[match.score[at] > np.maximum(CLEAR, 0.6 * match.expected[at])]
    gaps = np.diff(clear)
    usual = (gaps > SHORTEST_INTERVAL_S * match.rate_hz) & (gaps < LONGEST_INTERVAL_S * match.rate_hz)
    if usual.sum() < FEWEST_BEATS - 1:
        return None
    gaps, middle = gaps[usual], (clear[1:] + clear[:-1])[usual] / 2.0
    reach = min(7, (len(gaps) - 1) // 2)
    local = np.median(sliding_window_view(np.pad(gaps, reach, mode="edge"), 2 * reach + 1), axis=1)
    return np.asarray(np.interp(at, middle, local))


def _best_chain(
    at: NDArray[np.int64], belief: Floats, interval: Floats, shortest: float
) -> NDArray[np.int64]:
    """Sequence of moments of greatest belief less what their intervals speak against it."""
    best, previous = belief.copy(), np.full(len(at), -1)
    start = 0
    leader, led = -1, 0
    for j in range(len(at)):
        while at[j] - at[start] > (MAX_SKIPPED + 1.5) * interval[j]:
            start += 1
        while led < j and at[j] - at[led] >= shortest:
            leader = led if leader < 0 or best[led] > best[leader] else leader
            led += 1
        if leader >= 0 and best[leader] > OFF_RHYTHM_COST:
            best[j], previous[j] = belief[j] + best[leader] - OFF_RHYTHM_COST, leader
        if led > start:
            gap = (at[j] - at[start:led]) / interval[j]
            skipped = np.clip(np.round(gap), 1.0, MAX_SKIPPED + 1.0)
            cost = np.square((gap / skipped - 1.0) / RHYTHM_SD) / 2.0 + skipped - 1.0
            total = best[start:led] - np.minimum(cost, OFF_RHYTHM_COST)
            i = int(np.argmax(total))
            if total[i] + belief[j] > best[j]:
                best[j], previous[j] = total[i] + belief[j], start + i
    return _walk_back(at, best, previous)


def _walk_back(at: NDArray[np.int64], best: Floats, previous: NDArray[np.int64]) -> NDArray[np.int64]:
    chain = []
    j = int(np.argmax(best)) if len(best) else -1
    while j >= 0:
        chain.append(at[j])
        j = int(previous[j])
    return np.array(chain[::-1], dtype=np.int64)


def _between_samples(score: Floats, at: NDArray[np.int64]) -> Floats:
    """Peak of the parabola through each maximum and its neighbours."""
    at = at[(at > 0) & (at < len(score) - 1)]
    left, here, right = score[at - 1], score[at], score[at + 1]
    curve = left - 2.0 * here + right
    return np.asarray(at + np.where(curve < 0.0, 0.5 * (left - right) / np.minimum(curve, -1e-300), 0.0))


def _stand_out(match: _Match, beats: Floats) -> bool:
    """Whether the beats are more than the best matches that noise would give."""
    if len(beats) < FEWEST_BEATS:
        return False
    at = np.round(beats).astype(np.int64)
    clear = round(0.15 * match.rate_hz)
    between = [
        match.score[a + clear : b - clear].max()
        for a, b in pairwise(at)
        if 2 * clear < b - a < LONGEST_INTERVAL_S * match.rate_hz
    ]
    return len(between) >= FEWEST_BEATS - 1 and bool(
        np.median(match.score[at]) > STANDS_OUT * np.median(between)
    )


def _repeats(search: _Search, wave: Floats, beats: Floats) -> bool:
    """Whether most beats are the mean wave and noise, rather than the best match inside a contraction."""
    half = search.half_wave
    at = np.round(beats).astype(np.int64)
    at = at[(at >= half) & (at < search.band.shape[1] - half)]
    shape = (wave / _quiet(search)[:, np.newaxis]).ravel()
    here = _segments(search, at) * np.tile(np.hanning(2 * half + 3)[1:-1], len(wave))
    between = _segments(search, (at[1:] + at[:-1]) // 2) * np.tile(np.hanning(2 * half + 3)[1:-1], len(wave))
    size = here @ shape / (shape @ shape)
    unlike = np.square(here - size[:, np.newaxis] * shape).sum(axis=1)
    noise = np.square(between).sum(axis=1)
    noise = np.minimum(np.append(noise[:1], noise), np.append(noise, noise[-1:]))
    limit = np.maximum(UNLIKE_WAVE * np.square(size) * (shape @ shape), UNLIKE_NOISE * noise)
    return bool((unlike < limit).mean() > 0.5)


def _at_peaks(
    raw: Floats, rate_hz: float, search: _Search, match: _Match, beats: Floats
) -> NDArray[np.int64]:
    """Turn moments of best match into samples of the R wave's peak."""
    centre = search.samples_each * beats + (search.samples_each - 1) / 2.0
    half = round(HALF_WAVE_S * rate_hz)
    at = np.round(centre).astype(np.int64)
    whole = (at >= half) & (at < raw.shape[1] - half)
    quietest = np.argsort(-match.expected[np.round(beats).astype(np.int64)[whole]], kind="stable")[:MAX_SEEDS]
    waves = sliding_window_view(raw, 2 * half + 1, axis=1)[:, at[whole][quietest] - half]
    whole_waves = [row[~np.isnan(row).any(axis=1)] for row in waves]
    means = [row.mean(axis=0) for row in whole_waves if len(row)]
    if not means:
        return np.empty(0, dtype=np.int64)
    best = max(means, key=np.ptp)
    peak = int(np.argmax(np.abs(best - np.median(best)))) - half
    samples = np.round(centre + peak).astype(np.int64)
    return np.asarray(samples[(samples >= 0) & (samples < raw.shape[1])])

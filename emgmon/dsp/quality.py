"""What raw EMG says of its own electrode, in blocks on the absolute hop grid: the same bits however cut."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.clipping import Extremes, Limits, LimitsState, find_extremes
from emgmon.dsp.filters import LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE
from emgmon.dsp.rest_noise import RestNoise, RestNoiseState
from emgmon.dsp.spectrum import hann, power_spectrum
from emgmon.dsp.timeline import SampleClock
from emgmon.events import HOP_RATE_HZ

BLOCK_HOPS = 40
"""0.4 s. Lines of its spectrum are 2.5 Hz apart, which tells 50 from 60 Hz; and an electrode that comes off
has spoilt a whole block within 0.8 s."""

SLOWEST_HZ = 5.0
"""Slower is the drift of the baseline, which the high-pass takes away entirely."""

MOTION_HZ = 20.0
"""Below, movement of electrodes and cables; little of the muscle."""

MAINS_HZ = (50.0, 60.0)

LARGEST_MISSING_SHARE = 0.5
"""Blocks with more missing than this say nothing but that."""

FLAT_UV = 0.3
"""Peak to peak over a block: no amplifier on skin is as quiet."""

DROWNED_UV = 50.0
DROWNED_SHARE = 0.6
"""Engineering choice. Hum as strong as this, and so much of the signal, is an antenna's: an electrode on skin
picks up a tenth of it."""

SWAYED_UV = 1000.0
"""Engineering choice. A millivolt of movement below `MOTION_HZ` is an electrode that swings free; the
high-pass leaves 12 µV of it at 10 Hz."""

_BLOCKS_AT_ONCE = 32
"""As many as stay in the processor's cache."""


class Measured(IntEnum):
    """What is measured of each channel in each block: places in `QualityBlocks.values`. Powers are in µV²."""

    MISSING_SHARE = 0
    """Share of raw samples that never came."""
    TOTAL = 1
    """Power of the raw signal from `SLOWEST_HZ` to half the rate."""
    LOW = 2
    """Power from `SLOWEST_HZ` to below `MOTION_HZ`."""
    BAND = 3
    """Power from 20 to 450 Hz, or to 0.45 of the rate."""
    HUM_50 = 4
    """Power of 50 Hz and its harmonics above what surrounds them; scatters about zero without hum."""
    HUM_60 = 5
    """The same of 60 Hz."""
    CLIPPED_SHARE = 6
    """Share of samples at the amplifier's limit."""
    FLAT = 7
    """1 where the signal did not move, else 0."""
    CLEAN = 8
    """Mean square of the cleaned samples."""
    REST_UV = 9
    """RMS at rest as far as it showed in the session up to here; NaN until it did."""


@dataclass(frozen=True, slots=True, eq=False)
class QualityBlocks:
    """Consecutive blocks of one stream."""

    first_block: int
    """Block *k* covers the hops from ``BLOCK_HOPS * k``."""
    values: NDArray[np.float64]
    """Shape (n_blocks, n_channels, len(Measured)); NaN where too much is missing."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, measured: Measured) -> NDArray[np.float64]:
        """One of them, shape (n_blocks, n_channels)."""
        return self.values[:, :, measured]


_LEVEL, _THERE, _STANDING = (slice(len(Measured) + i, len(Measured) + i + 2) for i in (0, 2, 4))
_WIDTH = _STANDING.stop
"""`Measured` is followed by the `Extremes`, from which the amplifier's limits are told."""

_POWERS = [Measured.TOTAL, Measured.LOW, Measured.BAND, Measured.HUM_50, Measured.HUM_60]


@dataclass(slots=True)
class QualityState:
    """The block under way."""

    block: int | None
    """``None`` before the first sample."""
    n_waiting: int
    raw_uv: NDArray[np.float64]
    """Shape (n_channels, at least n_waiting)."""
    clean_uv: NDArray[np.float64]
    rest: RestNoiseState
    limits: LimitsState

    def copy(self) -> "QualityState":
        """Independent copy, for a checkpoint."""
        raw_uv, clean_uv = self.raw_uv.copy(), self.clean_uv.copy()
        rest, limits = self.rest.copy(), self.limits.copy()
        return QualityState(self.block, self.n_waiting, raw_uv, clean_uv, rest, limits)


class QualityStage:
    """Raw and cleaned samples of one EMG stream in, what they say of each electrode out.

    Parameters
    ----------
    n_channels
        Channels of the stream.
    rate_hz
        Sample rate.
    """

    def __init__(self, n_channels: int, rate_hz: float) -> None:
        self._n_channels, self._rate_hz = n_channels, rate_hz
        room = math.ceil(BLOCK_HOPS / HOP_RATE_HZ * rate_hz) + 1
        self._rest, self._limits = RestNoise(n_channels), Limits(n_channels)
        self._state = QualityState(
            block=None,
            n_waiting=0,
            raw_uv=np.empty((n_channels, room)),
            clean_uv=np.empty((n_channels, room)),
            rest=self._rest.state,
            limits=self._limits.state,
        )
        self._clock: SampleClock | None = None
        self._stop = 0
        """First sample after the block under way, as the clock counts."""
        self._none = QualityBlocks(0, np.empty((0, n_channels, len(Measured))))

    @property
    def state(self) -> QualityState:
        """All that the past leaves to the future; a copy, and settable."""
        self._state.rest, self._state.limits = self._rest.state, self._limits.state
        return self._state.copy()

    @state.setter
    def state(self, state: QualityState) -> None:
        self._state = state.copy()
        self._rest.state, self._limits.state = self._state.rest, self._state.limits
        self._clock = None

    def process(
        self,
        raw_uv: NDArray[np.float64],
        clean_uv: NDArray[np.float64],
        clock: SampleClock,
        first_sample: int,
    ) -> QualityBlocks:
        """Take the next samples and give the blocks that are complete.

        Parameters
        ----------
        raw_uv, clean_uv
            Shape (n_channels, n_samples), microvolt, NaN where missing; neither is changed nor kept.
        clock
            The stream's sample clock.
        first_sample
            Index of the first column; follows the last one of the call before.
        """
        # Sums have the same bits only along rows whose samples lie side by side.
        raw_uv, clean_uv = (
            x if x.strides[1] == x.itemsize else np.ascontiguousarray(x) for x in (raw_uv, clean_uv)
        )
        state, stop_sample = self._state, first_sample + raw_uv.shape[1]
        if clock is not self._clock:
            self._set_clock(clock, first_sample)
        if stop_sample < self._stop:
            early = 0 if state.n_waiting else max(0, self._start - first_sample)
            self._wait(raw_uv, clean_uv, early)
            return self._none
        first_block = state.block or 0
        parts = list(self._blocks(raw_uv, clean_uv, clock, first_sample))
        return self._joined(first_block, parts[0] if len(parts) == 1 else np.concatenate(parts))

    def _joined(self, first_block: int, rows: NDArray[np.float64]) -> QualityBlocks:
        """Add what only the blocks before can tell: the amplifier's limits and the noise at rest."""
        blocks = QualityBlocks(first_block, rows[:, :, : len(Measured)])
        extremes = Extremes(rows[:, :, _LEVEL], rows[:, :, _THERE], rows[:, :, _STANDING])
        blocks[Measured.CLIPPED_SHARE][:] *= self._limits.n_clipped(extremes).sum(axis=-1)
        rest_uv = self._rest.follow(blocks[Measured.CLEAN], tells_of_rest(blocks), first_block)
        blocks[Measured.REST_UV][:] = rest_uv
        return blocks

    def _set_clock(self, clock: SampleClock, first_sample: int) -> None:
        state = self._state
        if state.block is None:
            state.block = -(-clock.first_hop_from(first_sample) // BLOCK_HOPS)
        self._clock = clock
        self._find_stop(clock, state.block)

    def _find_stop(self, clock: SampleClock, block: int) -> None:
        hops = np.array([block, block + 1]) * BLOCK_HOPS
        self._start, self._stop = (int(sample) for sample in clock.samples_at(hops))

    def _wait(self, raw_uv: NDArray[np.float64], clean_uv: NDArray[np.float64], early: int) -> None:
        """Keep samples until their block is complete; the first ones may come before any whole block."""
        state = self._state
        stop = state.n_waiting + raw_uv.shape[1] - early
        if stop <= state.n_waiting:
            return
        if stop > state.raw_uv.shape[1]:
            more = np.empty((self._n_channels, stop))
            state.raw_uv = np.concatenate([state.raw_uv, more], axis=1)
            state.clean_uv = np.concatenate([state.clean_uv, more], axis=1)
        state.raw_uv[:, state.n_waiting : stop] = raw_uv[:, early:]
        state.clean_uv[:, state.n_waiting : stop] = clean_uv[:, early:]
        state.n_waiting = stop

    def _blocks(
        self,
        raw_uv: NDArray[np.float64],
        clean_uv: NDArray[np.float64],
        clock: SampleClock,
        first_sample: int,
    ) -> Iterator[NDArray[np.float64]]:
        """Measure the block under way and those after it, and keep what is left."""
        state, block = self._state, self._state.block or 0
        used = max(0, self._stop - first_sample)
        if state.n_waiting:
            self._wait(raw_uv[:, :used], clean_uv[:, :used], 0)
            n = state.n_waiting
            yield _measure(state.raw_uv[:, np.newaxis, :n], state.clean_uv[:, np.newaxis, :n], self._rate_hz)
            block, state.n_waiting = block + 1, 0
        stop_block = max(block, clock.hop_before(first_sample + raw_uv.shape[1]) // BLOCK_HOPS)
        edges = clock.samples_at(np.arange(block, stop_block + 1) * BLOCK_HOPS) - first_sample
        edges = np.maximum(edges, 0)
        for start in range(0, len(edges) - 1, _BLOCKS_AT_ONCE):
            yield _measure_between(
                raw_uv, clean_uv, edges[start : start + _BLOCKS_AT_ONCE + 1], self._rate_hz
            )
        state.block = stop_block
        self._find_stop(clock, stop_block)
        self._wait(raw_uv[:, edges[-1] :], clean_uv[:, edges[-1] :], 0)
        self._none = QualityBlocks(stop_block, self._none.values)


def tells_of_rest(blocks: QualityBlocks) -> NDArray[np.bool_]:
    """Tell which blocks, shape (n_blocks, n_channels), show an electrode on skin: rest is sought in these."""
    hum = np.maximum(blocks[Measured.HUM_50], blocks[Measured.HUM_60])
    drowned = (hum > DROWNED_UV**2) & (hum > DROWNED_SHARE * blocks[Measured.BAND])
    swayed = blocks[Measured.LOW] > SWAYED_UV**2
    whole = (blocks[Measured.FLAT] == 0.0) & (blocks[Measured.CLIPPED_SHARE] == 0.0)
    return np.asarray(whole & ~drowned & ~swayed & (blocks[Measured.CLEAN] > 0.0))


def _measure_between(
    raw_uv: NDArray[np.float64], clean_uv: NDArray[np.float64], edges: NDArray[np.int64], rate_hz: float
) -> NDArray[np.float64]:
    """Measure the blocks between neighbouring edges; lengths differ by a sample where the rate is odd."""
    lengths = np.diff(edges)
    n_channels, n_blocks, length = len(raw_uv), len(lengths), int(lengths[0])
    if (lengths == length).all():
        shape = (n_channels, n_blocks, length)
        raw, clean = (x[:, edges[0] : edges[-1]].reshape(shape) for x in (raw_uv, clean_uv))
        return _measure(raw, clean, rate_hz)
    values = np.empty((n_blocks, n_channels, _WIDTH))
    for length in sorted(set(lengths.tolist())):
        at = np.flatnonzero(lengths == length)
        samples = edges[at, np.newaxis] + np.arange(length)
        raw, clean = (np.take(x, samples, axis=1) for x in (raw_uv, clean_uv))
        values[at] = _measure(raw, clean, rate_hz)
    return values


def _measure(
    raw_uv: NDArray[np.float64], clean_uv: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float64]:
    """Measure blocks of equal length.

    Parameters
    ----------
    raw_uv, clean_uv
        Shape (n_channels, n_blocks, n_samples), microvolt, NaN where missing.
    rate_hz
        Sample rate.

    Returns
    -------
    ndarray
        Shape (n_blocks, n_channels, n): `Measured`, then the `Extremes`. `Measured.REST_UV` is not known here
        and NaN; `Measured.CLIPPED_SHARE` is that of one sample.
    """
    n_channels, n_blocks, _ = raw_uv.shape
    values = np.full((n_blocks, n_channels, _WIDTH), np.nan)
    by_row = values.transpose(1, 0, 2)
    by_row[..., Measured.MISSING_SHARE] = 0.0
    by_row[..., Measured.CLEAN] = np.square(clean_uv).mean(axis=-1)
    extremes_uv = raw_uv.min(axis=-1), raw_uv.max(axis=-1)
    holed = np.isnan(extremes_uv[0]) | np.isnan(by_row[..., Measured.CLEAN])
    if not holed.any():
        _measure_whole(raw_uv, extremes_uv, rate_hz, by_row)
        return values
    by_row[holed] = _measure_holed(raw_uv[holed], clean_uv[holed], rate_hz)
    whole = ~holed
    if whole.any():
        rows = by_row[whole]
        _measure_whole(raw_uv[whole], (extremes_uv[0][whole], extremes_uv[1][whole]), rate_hz, rows)
        by_row[whole] = rows
    return values


def _measure_whole(
    raw_uv: NDArray[np.float64],
    extremes_uv: tuple[NDArray[np.float64], NDArray[np.float64]],
    rate_hz: float,
    values: NDArray[np.float64],
) -> None:
    """Measure raw rows, shape (..., n_samples), without a hole, into `values`, shape (..., n)."""
    low_uv, high_uv = extremes_uv
    values[..., Measured.FLAT] = high_uv - low_uv < FLAT_UV
    extremes = find_extremes(raw_uv, low_uv, high_uv)
    values[..., _LEVEL], values[..., _THERE] = extremes.level_uv, extremes.n_there
    values[..., _STANDING] = extremes.n_standing
    values[..., Measured.CLIPPED_SHARE] = 1.0 / raw_uv.shape[-1]
    lines = _lines(raw_uv.shape[-1], rate_hz)
    _, power = power_spectrum(raw_uv, rate_hz)
    power *= rate_hz / raw_uv.shape[-1]
    values[..., Measured.TOTAL] = power[..., lines.slowest :].sum(axis=-1)
    values[..., Measured.LOW] = power[..., lines.slowest : lines.motion].sum(axis=-1)
    values[..., Measured.BAND] = power[..., lines.motion : lines.upper].sum(axis=-1)
    for measured, (at, weight) in zip((Measured.HUM_50, Measured.HUM_60), lines.hum, strict=True):
        values[..., measured] = (np.take(power, at, axis=-1) * weight).sum(axis=-1)


def _measure_holed(
    raw_uv: NDArray[np.float64], clean_uv: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float64]:
    """Measure rows, shape (n_rows, n_samples), that miss samples; shape (n_rows, n).

    Holes are bridged by straight lines, which hold no power of the muscle's; what is there stands for them.
    """
    values = np.full((len(raw_uv), _WIDTH), np.nan)
    missing, lost = np.isnan(raw_uv), np.isnan(clean_uv)
    values[:, Measured.MISSING_SHARE] = missing.mean(axis=-1)
    told = np.flatnonzero(values[:, Measured.MISSING_SHARE] <= LARGEST_MISSING_SHARE)
    if not len(told):
        return values
    bridged_uv = raw_uv[told]
    for row, hole in zip(bridged_uv, missing[told], strict=True):
        row[hole] = np.interp(np.flatnonzero(hole), np.flatnonzero(~hole), row[~hole])
    part = values[told]
    _measure_whole(bridged_uv, (bridged_uv.min(axis=-1), bridged_uv.max(axis=-1)), rate_hz, part)
    window = np.square(hann(raw_uv.shape[1]))
    part[:, _POWERS] /= 1.0 - (window * missing[told]).sum(axis=-1, keepdims=True) / window.sum()
    n_clean = (~lost[told]).sum(axis=-1)
    square = np.where(lost[told], 0.0, np.square(clean_uv[told])).sum(axis=-1)
    enough = n_clean >= (1.0 - LARGEST_MISSING_SHARE) * raw_uv.shape[1]
    part[:, Measured.CLEAN] = np.where(enough, square / np.maximum(n_clean, 1), np.nan)
    values[told] = part
    return values


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Where in a spectrum to look; follows from the length of a block and the rate."""

    slowest: int
    motion: int
    upper: int
    hum: tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]
    """For each of `MAINS_HZ` lines and their weights."""


@lru_cache(maxsize=32)
def _lines(n_samples: int, rate_hz: float) -> _Lines:
    frequency_hz = np.fft.rfftfreq(n_samples, 1.0 / rate_hz).astype(np.float64)
    upper_hz = min(LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE * rate_hz)
    half_hz = 0.5 * rate_hz / n_samples
    slowest, motion, upper = np.searchsorted(frequency_hz + half_hz, [SLOWEST_HZ, MOTION_HZ, upper_hz])
    hum = tuple(_hum_weights(mains_hz, frequency_hz, int(upper)) for mains_hz in MAINS_HZ)
    return _Lines(int(slowest), int(motion), int(upper), hum)


def _hum_weights(
    mains_hz: float, frequency_hz: NDArray[np.float64], upper: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Weigh the three lines that hold a harmonic against those beside it.

    Where 50 and 60 Hz families come near each other, the lines of the other one are no measure of what
    surrounds this one and are left out.
    """
    width_hz = frequency_hz[1]
    weights = np.zeros(len(frequency_hz))
    taken = {
        round(harmonic * family_hz / width_hz) + shift
        for family_hz in MAINS_HZ
        for harmonic in range(1, int(frequency_hz[-1] / family_hz) + 1)
        for shift in (-1, 0, 1)
    }
    for harmonic in range(1, int(frequency_hz[-1] / mains_hz) + 1):
        centre = round(harmonic * mains_hz / width_hz)
        sides = [[line for i in (2, 3) if (line := centre + way * i) not in taken] for way in (-1, 1)]
        if centre + 1 >= upper or not all(sides) or max(sides[1]) >= len(weights):
            continue
        weights[centre - 1 : centre + 2] += 1.0
        for side in sides:
            weights[side] -= 1.5 / len(side)
    at = np.flatnonzero(weights)
    return at, weights[at]

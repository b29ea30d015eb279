"""From raw EMG to a moving RMS on the hop grid: one stage, chunk by chunk or all at once, the same bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.cleaning import Cleaning, CleaningState
from emgmon.dsp.rates import LOWEST_ENVELOPE_RATE_HZ
from emgmon.dsp.timeline import SampleClock
from emgmon.events import HOP_RATE_HZ

WINDOW_HOPS = 15
"""150 ms: within the 100 to 250 ms that the field uses, short enough to follow a quick repetition."""

HALF_WINDOW = WINDOW_HOPS // 2
"""The window is centred: hop *k* is known this many hops later, and is not late itself."""

MIN_MEASURED_HOPS = 10
"""With fewer hops measured in the window there is no envelope."""


@dataclass(frozen=True, slots=True, eq=False)
class EnvelopeHops:
    """Consecutive hops of the envelope of one stream."""

    first_hop: int
    envelope_uv: NDArray[np.float64]
    """Shape (n_hops, n_channels); NaN where any sample of the hop is missing."""

    @property
    def next_hop(self) -> int:
        """The hop after the last one."""
        return self.first_hop + len(self.envelope_uv)


@dataclass(slots=True)
class EnvelopeState:
    """Samples and hops that wait for their neighbours."""

    cleaning: CleaningState | None
    """``None`` where no channel is raw EMG."""
    hop: int | None
    """Hop whose first waiting sample is ``squares[:, 0]``; ``None`` before the first sample."""
    squares: NDArray[np.float64]
    """Cleaned samples squared that do not fill a hop yet, shape (n_channels, n)."""
    power: NDArray[np.float64]
    """Sums of squares of the last hops, shape (n_channels, up to WINDOW_HOPS - 1); 0 where not measured."""
    count: NDArray[np.int64]
    """Samples behind each sum, same shape; 0 where not measured."""

    def copy(self) -> "EnvelopeState":
        """Independent copy, for a checkpoint."""
        return EnvelopeState(
            self.cleaning and self.cleaning.copy(),
            self.hop,
            self.squares.copy(),
            self.power.copy(),
            self.count.copy(),
        )


class EnvelopeStage:
    """Cleaned EMG of one stream, squared, summed per hop and averaged over a centred window.

    Channels that are envelopes already go past the cleaning and are averaged over the same window, also by
    their squares. Rest noise is taken off in power, and squares keep that right: a moving RMS squared is a
    mean of squares, so averaging it goes on where it left off; and whatever is rectified and averaged instead
    grows in proportion to the amplitude of the EMG under it, so its mean square is the power of EMG and noise
    times one factor of its smoothing (1 for full-wave rectified, 2/pi for a long average), the same at rest
    and in the reference contraction, which cancels.

    Parameters
    ----------
    n_channels
        Channels of the stream.
    rate_hz
        Sample rate; at least 10 Hz, and enough for a band above the high-pass where any channel is raw.
    envelope_channels
        For each channel whether it is rectified or smoothed already; empty when all are raw EMG.
    hum_hz
        For each channel the mains frequency to take out, 50.0 or 60.0, or ``None``; empty when none is to be
        taken out. It has no meaning for an envelope.

    Raises
    ------
    ValueError
        When the rate is too low, or `envelope_channels` or `hum_hz` does not name every channel.
    """

    def __init__(
        self,
        *,
        n_channels: int,
        rate_hz: float,
        envelope_channels: Sequence[bool] = (),
        hum_hz: Sequence[float | None] = (),
    ) -> None:
        enveloped = np.array(envelope_channels or [False] * n_channels, dtype=np.bool_)
        if len(enveloped) != n_channels:
            raise ValueError(f"{len(enveloped)} of {n_channels} channels are told to be envelopes or not")
        self._raw = np.flatnonzero(~enveloped)
        self._all_raw = len(self._raw) == n_channels
        if not len(self._raw) and rate_hz < LOWEST_ENVELOPE_RATE_HZ:
            raise ValueError(f"a rate of {rate_hz} Hz is too slow for an envelope")
        self._cleaning = _cleaning(self._raw, n_channels, rate_hz, hum_hz)
        # Envelopes may be as slow as the hop grid: each sample then stands for the time until the next, often
        # enough that no hop is without one.
        self._repeats = math.floor(HOP_RATE_HZ / rate_hz) + 1
        self._state = EnvelopeState(
            cleaning=None if self._cleaning is None else self._cleaning.state,
            hop=None,
            squares=np.empty((n_channels, 0)),
            power=np.zeros((n_channels, HALF_WINDOW)),
            count=np.zeros((n_channels, HALF_WINDOW), dtype=np.int64),
        )

    @property
    def state(self) -> EnvelopeState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: EnvelopeState) -> None:
        self._state = state.copy()
        if self._cleaning is not None and self._state.cleaning is not None:
            self._cleaning.state = self._state.cleaning

    def clean(self, emg_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Clean the next samples of the raw channels in place.

        Parameters
        ----------
        emg_uv
            Shape (n_channels, n_samples), microvolt, NaN where missing; overwritten.

        Returns
        -------
        ndarray
            The same array: cleaned, envelope channels as they came.
        """
        if self._cleaning is None:
            return emg_uv
        if self._all_raw:
            return self._cleaning.process(emg_uv)
        emg_uv[self._raw] = self._cleaning.process(emg_uv[self._raw])
        return emg_uv

    def average(self, clean_uv: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EnvelopeHops:
        """Take what `clean` gave and give the hops that are complete.

        Parameters
        ----------
        clean_uv
            Shape (n_channels, n_samples), microvolt, NaN where missing; left as it is.
        clock
            The stream's sample clock.
        first_sample
            Index of the first column; follows the last one of the call before.
        """
        if self._repeats > 1:
            clean_uv = np.repeat(clean_uv, self._repeats, axis=1)
            clock, first_sample = _repeated(clock, self._repeats), first_sample * self._repeats
        state = self._state
        if state.hop is None:
            state.hop = clock.first_hop_from(first_sample)
        waiting = state.squares.shape[1]
        squares = np.empty((len(clean_uv), waiting + clean_uv.shape[1]))
        squares[:, :waiting] = state.squares
        np.multiply(clean_uv, clean_uv, out=squares[:, waiting:])
        # Samples before the first whole hop run through the filter but fill no hop.
        early = max(0, int(clock.samples_at(np.array([state.hop]))[0]) - (first_sample - waiting))
        return self._sum_hops(squares[:, early:], clock, first_sample - waiting + early)

    def process(self, emg_uv: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EnvelopeHops:
        """Clean and average the next samples; `emg_uv`, shape (n_channels, n_samples), is overwritten."""
        return self.average(self.clean(emg_uv), clock, first_sample)

    def _sum_hops(self, squares: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EnvelopeHops:
        state = self._state
        hop = 0 if state.hop is None else state.hop
        first_hop = hop - state.power.shape[1] + HALF_WINDOW
        last_hop = clock.hop_before(first_sample + squares.shape[1])
        if last_hop <= hop:
            state.squares = squares.copy()
            return EnvelopeHops(first_hop, np.empty((0, len(squares))))
        bounds = clock.samples_at(np.arange(hop, last_hop + 1)) - first_sample
        # A clock that changed its pace within the hop may round its first sample to a neighbour.
        bounds[0] = 0
        whole, state.squares = squares[:, : bounds[-1]], squares[:, bounds[-1] :].copy()
        power = np.add.reduceat(whole, bounds[:-1], axis=1)
        count = np.broadcast_to(np.diff(bounds), power.shape)
        missing = np.isnan(power)
        if missing.any():
            power = np.where(missing, 0.0, power)
            count = np.where(missing, 0, count)
        state.hop = last_hop
        return EnvelopeHops(first_hop, self._average(power, count))

    def _average(self, power: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
        state = self._state
        power = np.concatenate([state.power, power], axis=1)
        count = np.concatenate([state.count, count], axis=1)
        n_hops = power.shape[1] - (WINDOW_HOPS - 1)
        if n_hops <= 0:
            state.power, state.count = power, count
            return np.empty((0, len(power)))
        state.power, state.count = power[:, n_hops:].copy(), count[:, n_hops:].copy()
        total = np.zeros((len(power), n_hops))
        samples = np.zeros((len(power), n_hops), dtype=np.int64)
        hops = np.zeros((len(power), n_hops), dtype=np.int64)
        for shift in range(WINDOW_HOPS):
            total += power[:, shift : shift + n_hops]
            samples += count[:, shift : shift + n_hops]
            hops += count[:, shift : shift + n_hops] > 0
        here = count[:, HALF_WINDOW : HALF_WINDOW + n_hops] > 0
        measured = here & (hops >= MIN_MEASURED_HOPS)
        mean_square = np.divide(total, samples, out=np.full_like(total, np.nan), where=measured)
        return np.ascontiguousarray(np.sqrt(mean_square).T)

    def finish(self) -> EnvelopeHops:
        """Close the last windows with the hops there are."""
        state = self._state
        first_hop = (state.hop or 0) - state.power.shape[1] + HALF_WINDOW
        closing = np.zeros((len(state.power), HALF_WINDOW))
        return EnvelopeHops(first_hop, self._average(closing, closing.astype(np.int64)))


def _cleaning(
    raw: NDArray[np.intp], n_channels: int, rate_hz: float, hum_hz: Sequence[float | None]
) -> Cleaning | None:
    """Make what cleans the raw channels; ``None`` where there is none."""
    if hum_hz and len(hum_hz) != n_channels:
        raise ValueError(f"hum is told of {len(hum_hz)} of {n_channels} channels")
    if not len(raw):
        return None
    hum = tuple(hum_hz[channel] for channel in raw.tolist()) if hum_hz else ()
    return Cleaning(n_channels=len(raw), rate_hz=rate_hz, hum_hz=hum)


def _repeated(clock: SampleClock, repeats: int) -> SampleClock:
    """Clock of a stream whose every sample is given several times."""
    return SampleClock(clock.anchor_sample * repeats, clock.anchor_s, clock.rate_hz * repeats, clock.stretch)

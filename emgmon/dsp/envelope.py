"""From raw EMG to a moving RMS on the hop grid: one stage, chunk by chunk or all at once, the same bits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.filters import BandPass, BandPassState
from emgmon.dsp.timeline import SampleClock

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

    filter: BandPassState
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
            self.filter.copy(), self.hop, self.squares.copy(), self.power.copy(), self.count.copy()
        )


class EnvelopeStage:
    """Cleaned EMG of one stream, squared, summed per hop and averaged over a centred window."""

    def __init__(self, *, n_channels: int, rate_hz: float) -> None:
        self._filter = BandPass(n_channels=n_channels, rate_hz=rate_hz)
        self._state = EnvelopeState(
            filter=self._filter.state,
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
        self._filter.state = self._state.filter

    def process(self, emg_uv: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EnvelopeHops:
        """Take the next samples and give the hops that are complete.

        Parameters
        ----------
        emg_uv
            Shape (n_channels, n_samples), microvolt, NaN where missing; overwritten.
        clock
            The stream's sample clock.
        first_sample
            Index of the first column; follows the last one of the call before.
        """
        state = self._state
        if state.hop is None:
            state.hop = clock.first_hop_from(first_sample)
        squares = self._filter.process(emg_uv)
        np.multiply(squares, squares, out=squares)
        waiting = state.squares.shape[1]
        if waiting:
            squares = np.concatenate([state.squares, squares], axis=1)
        # Samples before the first whole hop run through the filter but fill no hop.
        early = max(0, int(clock.samples_at(np.array([state.hop]))[0]) - (first_sample - waiting))
        return self._sum_hops(squares[:, early:], clock, first_sample - waiting + early)

    def _sum_hops(self, squares: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EnvelopeHops:
        state = self._state
        hop = 0 if state.hop is None else state.hop
        first_hop = hop - state.power.shape[1] + HALF_WINDOW
        last_hop = clock.hop_before(first_sample + squares.shape[1])
        if last_hop <= hop:
            state.squares = squares.copy()
            return EnvelopeHops(first_hop, np.empty((0, len(squares))))
        bounds = clock.samples_at(np.arange(hop, last_hop + 1)) - first_sample
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

"""Whether a heartbeat shows in the envelope of a channel at rest, and how much; live, and next to free."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeHops
from emgmon.events import HOP_RATE_HZ

Floats = NDArray[np.float64]

WINDOW_HOPS = 10 * HOP_RATE_HZ
"""Ten seconds hold six beats of the slowest heart."""

STEP_HOPS = 5 * HOP_RATE_HZ
"""Looked at when the hop number is a multiple of this."""

COARSE_HOPS = 5
"""Rhythm is looked for in means over 50 ms: the envelope's own window is three times as long."""

FASTEST_INTERVAL, SLOWEST_INTERVAL = 6, 33
"""Beats are 0.3 to 1.65 s apart: 200 to 36 per minute; in steps of `COARSE_HOPS`."""

WIDTH = 3
"""Of a beat in the envelope, 150 ms, in the same steps."""

RHYTHM = 0.4
"""Autocorrelation at the interval between beats. That of noise, at its best interval, is lower."""

STILL_RHYTHM = 0.25
"""Autocorrelation at twice that interval: a rhythm, not two bursts."""

NARROW = 0.1
"""Most autocorrelation at 150 ms, were the power between beats nothing: beats fill little more than the
envelope's window, the pulses of a quick exercise twice as much and more."""

MOST_MISSING = 0.2

EVEN = 3.0
"""The 95th percentile of the power of a rest without beats is at most this many times its median."""

AT_REST = 4.0
"""A channel rests while the median of its power is at most this many times the lowest rest it has shown."""

REST_RISE = 1.05
"""What is taken for the lowest rest rises by this factor from one look to the next, so that a channel that
has become noisier for good is at rest again after two minutes."""


_TENTH, _HALF = WINDOW_HOPS // 10, WINDOW_HOPS // 2


@dataclass(frozen=True, slots=True)
class BeatReading:
    """What the ten seconds before a hop show."""

    hop: int
    heartbeat_uv2: tuple[float | None, ...]
    """Mean power of the heartbeat of each channel: the last that was seen, carried through contractions;
    ``None`` while none was seen, or when the last rest was without."""


@dataclass(slots=True)
class BeatWatchState:
    """What one hop leaves for the next."""

    next_hop: int | None
    """Hop after the last one taken; ``None`` before the first."""
    envelope_uv: Floats
    """Up to `WINDOW_HOPS` last hops, shape (n_hops, n_channels)."""
    heartbeat_uv2: Floats
    """Shape (n_channels,), NaN where none."""
    rest_uv2: Floats
    """Lowest power at rest so far, shape (n_channels,); infinite before the first look."""

    def copy(self) -> "BeatWatchState":
        """Independent copy, for a checkpoint."""
        return BeatWatchState(
            self.next_hop, self.envelope_uv.copy(), self.heartbeat_uv2.copy(), self.rest_uv2.copy()
        )


class BeatWatch:
    """Looks for narrow, regular peaks in the envelopes of trunk channels every five seconds."""

    def __init__(self, n_channels: int) -> None:
        self._state = BeatWatchState(
            None, np.empty((0, n_channels)), np.full(n_channels, np.nan), np.full(n_channels, np.inf)
        )

    @property
    def state(self) -> BeatWatchState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: BeatWatchState) -> None:
        self._state = state.copy()

    @property
    def heartbeat_uv2(self) -> tuple[float | None, ...]:
        """Mean power of each channel's heartbeat as last read, uV^2; ``None`` where there is none."""
        return tuple(None if np.isnan(power) else float(power) for power in self._state.heartbeat_uv2)

    def process(self, hops: EnvelopeHops) -> list[BeatReading]:
        """Take the next hops.

        Parameters
        ----------
        hops
            Envelope in microvolt, NaN where missing. Hops left out since the last call count as missing.

        Returns
        -------
        list of BeatReading
            One for every multiple of `STEP_HOPS` passed with ten seconds known before it.
        """
        state = self._state
        first = hops.first_hop if state.next_hop is None else state.next_hop
        skipped = min(max(0, hops.first_hop - first), WINDOW_HOPS)
        hole = np.full((skipped, state.envelope_uv.shape[1]), np.nan)
        known = np.concatenate([state.envelope_uv, hole, hops.envelope_uv])
        start = hops.next_hop - len(known)
        readings = []
        for hop in range(-(-(hops.first_hop + 1) // STEP_HOPS) * STEP_HOPS, hops.next_hop + 1, STEP_HOPS):
            if hop - WINDOW_HOPS >= start:
                readings.append(self._read(hop, known[hop - WINDOW_HOPS - start : hop - start]))
        state.envelope_uv, state.next_hop = known[-WINDOW_HOPS:].copy(), hops.next_hop
        return readings

    def _read(self, hop: int, envelope_uv: Floats) -> BeatReading:
        state = self._state
        for channel, row in enumerate(envelope_uv.T):
            power = np.square(row)
            missing = np.isnan(power)
            n_missing = np.count_nonzero(missing)
            if n_missing > MOST_MISSING * WINDOW_HOPS:
                continue
            if n_missing:
                power[missing] = np.median(power[~missing])
            ordered = np.partition(power, (_TENTH, _HALF - 1, _HALF))
            low = float(ordered[_TENTH])
            middle = float(0.5 * (ordered[_HALF - 1] + ordered[_HALF]))
            rest = state.rest_uv2[channel] = min(low, REST_RISE * state.rest_uv2[channel])
            heartbeat_uv2 = heartbeat_power(power)
            if heartbeat_uv2 is not None:
                state.heartbeat_uv2[channel] = heartbeat_uv2
            elif middle <= AT_REST * rest and np.quantile(power, 0.95) <= EVEN * middle:
                state.heartbeat_uv2[channel] = np.nan
        return BeatReading(hop, self.heartbeat_uv2)


def heartbeat_power(power_uv2: Floats) -> float | None:
    """Mean power that a heartbeat adds to ten seconds: all of it less that between beats.

    Parameters
    ----------
    power_uv2
        Squared envelope, shape (WINDOW_HOPS,).

    Returns
    -------
    float or None
        Microvolt squared; ``None`` where no narrow peaks come at even intervals.
    """
    tenth, nearly_all = WINDOW_HOPS // 10, WINDOW_HOPS * 95 // 100
    low, high = np.partition(power_uv2, (tenth, nearly_all))[[tenth, nearly_all]]
    if not (high > low and _is_rhythm(np.minimum(power_uv2, high))):
        return None
    between = power_uv2[power_uv2 <= low + 0.25 * (high - low)]
    return max(0.0, float(power_uv2.mean() - between.mean()))


def _is_rhythm(power: Floats) -> bool:
    coarse = power.reshape(-1, COARSE_HOPS).mean(axis=1)
    coarse -= coarse.mean()
    n = len(coarse)
    likeness = np.correlate(coarse, coarse, mode="full")[n - 1 : n + 2 * SLOWEST_INTERVAL + 2]
    if likeness[0] <= 0.0:
        return False
    likeness *= n / (n - np.arange(len(likeness))) / likeness[0]
    interval = FASTEST_INTERVAL + int(np.argmax(likeness[FASTEST_INTERVAL : SLOWEST_INTERVAL + 1]))
    before, peak, after = likeness[interval - 1 : interval + 2]
    again = likeness[2 * interval - 2 : 2 * interval + 3].max()
    # The mean was taken out, so peaks that fill a part of the time are anticorrelated beside themselves.
    filled = WIDTH / max(interval, 3 * WIDTH)
    narrow = likeness[WIDTH] <= (NARROW - filled) / (1.0 - filled)
    return bool(narrow and peak >= max(RHYTHM, before, after) and again > STILL_RHYTHM)

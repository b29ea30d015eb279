"""Gravity from gyroscope and accelerometer, never a magnetometer: which way is up, and how it is gone."""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vqf import VQF

from emgmon.dsp.timeline import SampleClock, missing_runs
from emgmon.events import HOP_RATE_HZ
from emgmon.units import GRAVITY_MPS2

LONGEST_BRIDGED_S = 0.25
"""Missing samples are bridged by straight lines up to here; after more, orientation starts anew."""


@dataclass(frozen=True, slots=True, eq=False)
class VerticalHops:
    """Motion of the sensor along the plumb line at the start of consecutive hops; NaN across a break."""

    first_hop: int
    acceleration_mps2: NDArray[np.float64]
    """Upwards, gravity removed, shape (n_hops,)."""
    turn_rate_radps: NDArray[np.float64]
    """Magnitude of the angular rate, shape (n_hops,)."""


@dataclass(slots=True)
class OrientationState:
    """What one sample leaves for the next."""

    vqf: dict[str, Any]
    last: NDArray[np.float64] | None
    """The last measured sample (6,): acceleration, angular rate; ``None`` at the start and after a break."""
    last_vertical: tuple[float, float]
    """Vertical acceleration and turn rate of that sample."""
    missing: int
    """Samples missing since then."""
    hop: int | None
    """Next hop to be given; ``None`` before the first sample."""


class VerticalStage:
    """VQF without magnetometer (Laidig and Seel 2023, Inf Fusion 91:187, 10.1016/j.inffus.2022.10.014)."""

    def __init__(self, *, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._longest_bridged = math.floor(LONGEST_BRIDGED_S * rate_hz)
        self._vqf = VQF(1.0 / rate_hz)
        self._state = OrientationState(self._vqf.state, None, (0.0, 0.0), 0, None)

    @property
    def state(self) -> OrientationState:
        """All that the past leaves to the future; a copy, and settable."""
        self._state.vqf = self._vqf.state
        return copy.deepcopy(self._state)

    @state.setter
    def state(self, state: OrientationState) -> None:
        self._state = copy.deepcopy(state)
        self._vqf.state = self._state.vqf

    def process(self, imu: NDArray[np.float64], clock: SampleClock, first_sample: int) -> VerticalHops:
        """Take the next samples and give the hops whose moment they enclose.

        Parameters
        ----------
        imu
            Shape (6, n_samples): acceleration x, y, z in m/s², angular rate x, y, z in rad/s;
            NaN where missing.
        clock
            The stream's sample clock.
        first_sample
            Index of the first column; follows the last one of the call before.
        """
        state = self._state
        if state.hop is None:
            state.hop = clock.first_hop_from(first_sample)
        first_hop = state.hop
        pieces: list[NDArray[np.float64]] = []
        for start, stop, missing in missing_runs(imu):
            if missing:
                state.missing += stop - start
            else:
                pieces.append(self._measure(imu[:, start:stop], clock, first_sample + start))
        hops = np.concatenate(pieces, axis=1) if pieces else np.empty((2, 0))
        return VerticalHops(first_hop, hops[0], hops[1])

    def _measure(self, run: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        state = self._state
        bridged, state.missing = state.missing, 0
        if state.last is None or bridged > self._longest_bridged:
            return self._start_anew(run, clock, sample)
        if bridged:
            share = np.arange(1, bridged + 1) / (bridged + 1)
            bridge = state.last[:, np.newaxis] + share * (run[:, :1] - state.last[:, np.newaxis])
            run = np.concatenate([bridge, run], axis=1)
        before = np.array(state.last_vertical)[:, np.newaxis]
        vertical = np.concatenate([before, self._vertical(run)], axis=1)
        return self._at_hops(vertical, clock, sample - bridged - 1)

    def _start_anew(self, run: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        state = self._state
        self._vqf.resetState()
        lost = 0 if state.hop is None else max(0, clock.first_hop_from(sample) - state.hop)
        state.hop = (state.hop or 0) + lost
        hops = self._at_hops(self._vertical(run), clock, sample)
        return np.concatenate([np.full((2, lost), np.nan), hops], axis=1)

    def _vertical(self, run: NDArray[np.float64]) -> NDArray[np.float64]:
        acceleration, turn_rate = np.ascontiguousarray(run[:3].T), np.ascontiguousarray(run[3:].T)
        w, x, y, z = self._vqf.updateBatch(turn_rate, acceleration)["quat6D"].T
        ax, ay, az = run[:3]
        up = 2.0 * (x * z - w * y) * ax + 2.0 * (y * z + w * x) * ay + (1.0 - 2.0 * (x * x + y * y)) * az
        gx, gy, gz = run[3:]
        vertical = np.stack([up - GRAVITY_MPS2, np.sqrt(gx * gx + gy * gy + gz * gz)])
        self._state.last = run[:, -1].copy()
        self._state.last_vertical = (float(vertical[0, -1]), float(vertical[1, -1]))
        return vertical

    def _at_hops(self, vertical: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        """Straight lines between samples, read at the hops; `sample` is the index of the first column."""
        state = self._state
        hop = state.hop or 0
        last_sample = sample + vertical.shape[1] - 1
        stop = math.ceil(clock.seconds(last_sample) * HOP_RATE_HZ) + 1
        hops = np.arange(hop, max(hop, stop))
        position = (hops / HOP_RATE_HZ - clock.anchor_s) * clock.rate_hz + (clock.anchor_sample - sample)
        # The first hop may begin less than a sample before the first sample, which then stands for it.
        position = np.maximum(position, 0.0)
        position = position[position < vertical.shape[1] - 1]
        state.hop = hop + len(position)
        left = np.floor(position).astype(np.int64)
        share = position - left
        at_hops: NDArray[np.float64] = vertical[:, left] + share * (vertical[:, left + 1] - vertical[:, left])
        return at_hops

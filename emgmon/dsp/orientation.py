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

UP, FORCE, VERTICAL, TURN_RATE, QUATERNION = slice(0, 3), 3, 4, 5, slice(6, 10)
_N_COLUMNS = 10
"""Of what is known of a sample. Without a gyroscope the last six are missing."""


@dataclass(frozen=True, slots=True, eq=False)
class OrientationHops:
    """Attitude and motion of one sensor at the start of consecutive hops; NaN across a break."""

    first_hop: int
    up: NDArray[np.float64]
    """Direction away from the ground in sensor axes, unit length, shape (n_hops, 3)."""
    force_mps2: NDArray[np.float64]
    """Size of the specific force, gravity included, shape (n_hops,)."""
    acceleration_mps2: NDArray[np.float64]
    """Upwards, gravity removed, shape (n_hops,); NaN without a gyroscope."""
    turn_rate_radps: NDArray[np.float64]
    """Magnitude of the angular rate, shape (n_hops,); NaN without a gyroscope."""
    quaternion: NDArray[np.float64]
    """Sensor to earth as w, x, y, z, shape (n_hops, 4); heading is arbitrary and drifts slowly. NaN without
    a gyroscope."""

    def __len__(self) -> int:
        return len(self.force_mps2)

    @property
    def next_hop(self) -> int:
        """The hop after the last one."""
        return self.first_hop + len(self)


@dataclass(slots=True)
class OrientationState:
    """What one sample leaves for the next."""

    vqf: dict[str, Any]
    last: NDArray[np.float64] | None
    """The last measured sample (n_axes,); ``None`` at the start and after a break."""
    last_known: NDArray[np.float64]
    """What is known of that sample, shape (n_columns,)."""
    missing: int
    """Samples missing since then."""
    hop: int | None
    """Next hop to be given; ``None`` before the first sample."""


class OrientationStage:
    """VQF without magnetometer (Laidig and Seel 2023, Inf Fusion 91:187, 10.1016/j.inffus.2022.10.014).

    With an accelerometer alone, "up" is the direction of the specific force as it is: right while the
    sensor is moved gently, and for whoever uses it to average.

    Parameters
    ----------
    rate_hz
        Sample rate.
    n_axes
        6 with a gyroscope, 3 without.
    """

    def __init__(self, *, rate_hz: float, n_axes: int = 6) -> None:
        self._rate_hz, self._n_axes = rate_hz, n_axes
        self._longest_bridged = math.floor(LONGEST_BRIDGED_S * rate_hz)
        self._vqf = VQF(1.0 / rate_hz)
        self._state = OrientationState(self._vqf.state, None, np.zeros(_N_COLUMNS), 0, None)

    @property
    def state(self) -> OrientationState:
        """All that the past leaves to the future; a copy, and settable."""
        self._state.vqf = self._vqf.state
        return copy.deepcopy(self._state)

    @state.setter
    def state(self, state: OrientationState) -> None:
        self._state = copy.deepcopy(state)
        self._vqf.state = self._state.vqf

    def process(self, imu: NDArray[np.float64], clock: SampleClock, first_sample: int) -> OrientationHops:
        """Take the next samples and give the hops whose moment they enclose.

        Parameters
        ----------
        imu
            Shape (n_axes, n_samples): acceleration x, y, z in m/s², then angular rate x, y, z in rad/s
            where there is a gyroscope; NaN where missing.
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
        hops = np.concatenate(pieces) if pieces else np.empty((0, _N_COLUMNS))
        return OrientationHops(
            first_hop,
            hops[:, UP],
            hops[:, FORCE],
            hops[:, VERTICAL],
            hops[:, TURN_RATE],
            hops[:, QUATERNION],
        )

    def _measure(self, run: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        state = self._state
        bridged, state.missing = state.missing, 0
        if state.last is None or bridged > self._longest_bridged:
            return self._start_anew(run, clock, sample)
        if bridged:
            share = np.arange(1, bridged + 1) / (bridged + 1)
            bridge = state.last[:, np.newaxis] + share * (run[:, :1] - state.last[:, np.newaxis])
            run = np.concatenate([bridge, run], axis=1)
        known = np.concatenate([state.last_known[np.newaxis], self._know(run)])
        return self._at_hops(known, clock, sample - bridged - 1)

    def _start_anew(self, run: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        state = self._state
        self._vqf.resetState()
        state.last = None
        lost = 0 if state.hop is None else max(0, clock.first_hop_from(sample) - state.hop)
        state.hop = (state.hop or 0) + lost
        hops = self._at_hops(self._know(run), clock, sample)
        return np.concatenate([np.full((lost, _N_COLUMNS), np.nan), hops])

    def _know(self, run: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what is known of each sample, shape (n_samples, n_columns)."""
        force = np.sqrt(run[0] ** 2 + run[1] ** 2 + run[2] ** 2)
        known = np.full((run.shape[1], _N_COLUMNS), np.nan)
        known[:, FORCE] = force
        if self._n_axes == 6:
            self._fuse(run, known)
        else:
            known[:, UP] = (run / np.maximum(force, 1e-9)).T
        self._state.last, self._state.last_known = run[:, -1].copy(), known[-1].copy()
        return known

    def _fuse(self, run: NDArray[np.float64], known: NDArray[np.float64]) -> None:
        acceleration, turn_rate = np.ascontiguousarray(run[:3].T), np.ascontiguousarray(run[3:].T)
        quaternion = self._vqf.updateBatch(turn_rate, acceleration)["quat6D"]
        w, x, y, z = quaternion.T
        up = np.stack([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)])
        known[:, UP] = up.T
        known[:, VERTICAL] = up[0] * run[0] + up[1] * run[1] + up[2] * run[2] - GRAVITY_MPS2
        known[:, TURN_RATE] = np.sqrt(run[3] ** 2 + run[4] ** 2 + run[5] ** 2)
        known[:, QUATERNION] = self._continuous(quaternion)

    def _continuous(self, quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose the sign of each quaternion, which means the same turned round, as that before it."""
        before = self._state.last_known[QUATERNION] if self._state.last is not None else quaternion[0]
        all_rows = np.concatenate([before[np.newaxis], quaternion])
        flips = np.where(np.sum(all_rows[1:] * all_rows[:-1], axis=1) < 0.0, -1.0, 1.0)
        signed: NDArray[np.float64] = quaternion * np.multiply.accumulate(flips)[:, np.newaxis]
        return signed

    def _at_hops(self, known: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        """Straight lines between samples, read at the hops; `sample` is the index of the first row."""
        state = self._state
        hop = state.hop or 0
        last_sample = sample + len(known) - 1
        stop = math.ceil(clock.seconds(last_sample) * HOP_RATE_HZ) + 1
        hops = np.arange(hop, max(hop, stop))
        since_s = hops / HOP_RATE_HZ - clock.anchor_s
        position = since_s * clock.session_rate_hz + (clock.anchor_sample - sample)
        # The first hop may begin less than a sample before the first sample, which then stands for it.
        position = np.maximum(position, 0.0)
        position = position[position < len(known) - 1]
        state.hop = hop + len(position)
        left = np.floor(position).astype(np.int64)
        share = (position - left)[:, np.newaxis]
        at_hops: NDArray[np.float64] = known[left] + share * (known[left + 1] - known[left])
        return at_hops

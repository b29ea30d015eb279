"""Height and speed of the pelvis from its vertical acceleration: integrated twice, drift let go."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.orientation import OrientationHops
from emgmon.dsp.timeline import runs
from emgmon.events import HOP_RATE_HZ

_DT_S = 1.0 / HOP_RATE_HZ
_TURN = 2.0 * math.pi * _DT_S
"""Gain per hop of a first-order system, for each Hz of its corner."""


@dataclass(frozen=True, slots=True)
class PelvisMotionParams:
    """What may be tuned; the defaults serve squat, bridge and hip thrust alike."""

    leak_hz: float = 0.02
    """Each of the three integrations forgets below this frequency. Higher would bend slow repetitions."""
    start_boost: float = 8.0
    """At the start nothing is known of the accelerometer's offset, so forgetting is faster by this much..."""
    start_boost_s: float = 3.0
    """... and the haste dies away with this time constant."""
    quiet_turn_rate_radps: float = 0.07
    """4 degrees per second: slower counts as not turning."""
    quiet_acceleration_mps2: float = 0.2
    quiet_before_hops: int = 15
    """The pelvis rests at a moment when it was quiet this long before it ..."""
    quiet_after_hops: int = 10
    """... and stays so this long after it; the onset of a slow lift must not be taken for rest."""
    quiet_offset_hz: float = 0.1
    """How fast the accelerometer's offset is learnt at rest."""
    quiet_velocity_s: float = 0.1
    """Time constant with which the velocity goes to zero at rest."""
    largest_first_offset_mps2: float = 0.2
    """The first hops may already be moving; more offset than this is not believed at once."""
    smoothing_half_hops: int = 4
    """Acceleration is averaged over this many hops to either side before it is compared."""


@dataclass(frozen=True, slots=True, eq=False)
class PelvisMotionHops:
    """Consecutive hops of vertical pelvis motion; NaN across a break."""

    first_hop: int
    height_m: NDArray[np.float64]
    """Above where it began; drifts slowly, so only differences within seconds mean anything."""
    velocity_mps: NDArray[np.float64]
    acceleration_mps2: NDArray[np.float64]
    """Averaged, offset removed."""
    offset_mps2: NDArray[np.float64]
    """What was removed."""
    resting: NDArray[np.bool_]
    """Whether the pelvis rested, so that its velocity was drawn to zero."""

    @property
    def next_hop(self) -> int:
        """The hop after the last one."""
        return self.first_hop + len(self.height_m)


@dataclass(slots=True)
class PelvisMotionState:
    """What one hop leaves for the next; made anew after every break."""

    raw: NDArray[np.float64]
    """Acceleration and turn rate still needed for averaging, shape (2, n)."""
    n_raw: NDArray[np.float64]
    """1 for each of these hops that was measured, 0 for those before the beginning, shape (n,)."""
    waiting: list[tuple[float, float]]
    """Acceleration as measured and averaged of the hops that wait for those after them."""
    quiet_hops: int = 0
    """Length of the quiet run that ends at the newest averaged hop."""
    warm_hops: int = 0
    """Hops integrated since the beginning."""
    offset_mps2: float | None = None
    velocity_mps: float = 0.0
    height_m: float = 0.0

    def copy(self) -> "PelvisMotionState":
        """Independent copy, for a checkpoint."""
        return replace(self, raw=self.raw.copy(), n_raw=self.n_raw.copy(), waiting=self.waiting.copy())


class PelvisMotionStage:
    """Strapdown integration with three leaks, and a stop to all drift whenever the pelvis rests.

    Acceleration minus its offset is integrated to velocity and to height; offset, velocity and height
    each leak away slowly. At rest the velocity is drawn to zero, the height stands still and the offset
    is learnt faster (zero-velocity update; Skog et al. 2010, IEEE Trans Biomed Eng,
    10.1109/TBME.2010.2060723).
    """

    def __init__(self, params: PelvisMotionParams | None = None) -> None:
        self.params = params or PelvisMotionParams()
        self._state = self._begin()
        self._next_hop: int | None = None

    @property
    def state(self) -> tuple[PelvisMotionState, int | None]:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy(), self._next_hop

    @state.setter
    def state(self, state: tuple[PelvisMotionState, int | None]) -> None:
        self._state, self._next_hop = state[0].copy(), state[1]

    def _begin(self) -> PelvisMotionState:
        half = self.params.smoothing_half_hops
        return PelvisMotionState(raw=np.zeros((2, half)), n_raw=np.zeros(half), waiting=[])

    def process(self, hops: OrientationHops) -> PelvisMotionHops:
        """Take the next hops and give those that are far enough back to be judged."""
        if self._next_hop is None:
            self._next_hop = hops.first_hop
        raw = np.stack([hops.acceleration_mps2, hops.turn_rate_radps])
        breaks = np.isnan(raw[0])
        if not breaks.any():
            return self._give(self._advance(raw))
        pieces = [
            self._break(stop - start) if broken else self._advance(raw[:, start:stop])
            for start, stop, broken in runs(breaks)
        ]
        return self._give(np.concatenate(pieces, axis=1))

    def finish(self) -> PelvisMotionHops:
        """Give the hops that still wait, judged by what there is."""
        waiting, self._state.waiting = self._state.waiting, []
        out = [self._step(acceleration, averaged) for acceleration, averaged in waiting]
        return self._give(np.array(out).reshape(-1, 5).T)

    def _give(self, columns: NDArray[np.float64]) -> PelvisMotionHops:
        first_hop = self._next_hop or 0
        self._next_hop = first_hop + columns.shape[1]
        height, velocity, acceleration, offset, resting = columns
        return PelvisMotionHops(first_hop, height, velocity, acceleration, offset, resting == 1.0)

    def _break(self, n_hops: int) -> NDArray[np.float64]:
        waiting = len(self._state.waiting) + int(self._state.n_raw[self.params.smoothing_half_hops :].sum())
        self._state = self._begin()
        return np.full((5, waiting + n_hops), np.nan)

    def _advance(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        state, half = self._state, self.params.smoothing_half_hops
        raw = np.concatenate([state.raw, raw], axis=1)
        n_raw = np.concatenate([state.n_raw, np.ones(raw.shape[1] - len(state.n_raw))])
        n_hops = max(0, raw.shape[1] - 2 * half)
        state.raw, state.n_raw = raw[:, n_hops:].copy(), n_raw[n_hops:].copy()
        total, count = np.zeros((2, n_hops)), np.zeros(n_hops)
        for shift in range(2 * half + 1 if n_hops else 0):
            total += raw[:, shift : shift + n_hops]
            count += n_raw[shift : shift + n_hops]
        smooth = total / count
        measured = raw[0, half : half + n_hops]
        return self._integrate(measured.tolist(), smooth[0].tolist(), smooth[1].tolist())

    def _integrate(
        self, measured: list[float], smooth: list[float], turn_rate: list[float]
    ) -> NDArray[np.float64]:
        state, params = self._state, self.params
        if state.offset_mps2 is None and smooth:
            limit = params.largest_first_offset_mps2
            state.offset_mps2 = min(max(smooth[0], -limit), limit)
        max_rate, max_acceleration = params.quiet_turn_rate_radps, params.quiet_acceleration_mps2
        after = params.quiet_after_hops
        out = []
        for acceleration, averaged, rate in zip(measured, smooth, turn_rate, strict=True):
            still = rate < max_rate and abs(averaged - (state.offset_mps2 or 0.0)) < max_acceleration
            state.quiet_hops = state.quiet_hops + 1 if still else 0
            state.waiting.append((acceleration, averaged))
            if len(state.waiting) > after:
                out.append(self._step(*state.waiting.pop(0)))
        return np.array(out).reshape(-1, 5).T

    def _step(self, acceleration: float, averaged: float) -> tuple[float, float, float, float, float]:
        """Integrate one hop: height, velocity, averaged acceleration without offset, the offset, resting."""
        state, params = self._state, self.params
        offset = state.offset_mps2 or 0.0
        free = acceleration - offset
        resting = state.quiet_hops > params.quiet_before_hops + params.quiet_after_hops
        if resting:
            offset += _TURN * params.quiet_offset_hz * free
            state.velocity_mps -= _DT_S / params.quiet_velocity_s * state.velocity_mps
            state.height_m += _DT_S * state.velocity_mps
        else:
            haste = math.exp(-state.warm_hops * _DT_S / params.start_boost_s)
            leak = _TURN * params.leak_hz * (1.0 + params.start_boost * haste)
            offset += leak * free
            state.velocity_mps += _DT_S * free - leak * state.velocity_mps
            state.height_m += _DT_S * state.velocity_mps - leak * state.height_m
        state.offset_mps2 = offset
        state.warm_hops += 1
        return state.height_m, state.velocity_mps, averaged - offset, offset, float(resting)

"""Direction of gravity, smoothed, and its velocity: what tilts are judged on, the same for any cut."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.rotations import unit
from emgmon.events import HOP_RATE_HZ

UP, VELOCITY, SPEED, SHAKE = slice(0, 3), slice(3, 6), 6, 7
"""Columns of a row: unit vector up, its change in a second, degrees in a second, size of shaking."""


def no_rows() -> NDArray[np.float64]:
    """Give an empty table of rows."""
    return np.empty((0, 8))


@dataclass(slots=True)
class TiltTrackState:
    """What one hop leaves for the next; arrays are replaced, never written to."""

    raw: NDArray[np.float64]
    """Rows still needed for averaging: up, specific force, and 1 for each that was measured."""
    smooth: NDArray[np.float64]
    """The last two averaged rows, or fewer at the beginning."""
    next_hop: int = 0
    """Hop of the next averaged row."""

    def copy(self) -> "TiltTrackState":
        """Independent copy, for a checkpoint."""
        return replace(self)


class TiltTrack:
    """Average to both sides, then a central difference; begins anew after a break.

    Parameters
    ----------
    half_hops
        How many hops to either side are averaged; rows come this many hops and one late.
    """

    def __init__(self, *, half_hops: int) -> None:
        self._half_hops = half_hops
        self._state = TiltTrackState(np.zeros((half_hops, 5)), np.empty((0, 4)))

    @property
    def state(self) -> TiltTrackState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: TiltTrackState) -> None:
        self._state = state.copy()

    def process(
        self, first_hop: int, up: NDArray[np.float64], force_mps2: NDArray[np.float64]
    ) -> tuple[int, NDArray[np.float64]]:
        """Take hops; gives the hop of the first row that is ready, and the rows, shape (n, 8)."""
        state = self._state
        if len(state.raw) == self._half_hops and not len(state.smooth):
            state.next_hop = first_hop
        raw = np.column_stack([up, force_mps2, np.ones(len(up))])
        return self._advance(raw)

    def finish(self) -> tuple[int, NDArray[np.float64]]:
        """Give the rows that wait for others, averaged over those there are."""
        state = self._state
        hop, rows = self._advance(np.zeros((self._half_hops, 5)))
        if not len(state.smooth):
            return hop, rows
        last = np.concatenate([rows[-1:, VELOCITY], rows[-1:, SPEED : SPEED + 1]], axis=1)
        last = last if len(last) else np.zeros((1, 4))
        smooth = state.smooth[-1:]
        final = np.concatenate([unit(smooth[:, :3]), last, smooth[:, 3:]], axis=1)
        return hop, np.concatenate([rows, final])

    def _advance(self, raw: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
        state, half = self._state, self._half_hops
        raw = np.concatenate([state.raw, raw])
        n_hops = max(0, len(raw) - 2 * half)
        state.raw = raw[n_hops:].copy()
        total = np.zeros((n_hops, 5))
        for shift in range(2 * half + 1 if n_hops else 0):
            total += raw[shift : shift + n_hops]
        smooth = total[:, :4] / total[:, 4:]
        # Against its own average, since no accelerometer's gain is exact.
        smooth[:, 3] = np.abs(raw[half : half + n_hops, 3] - smooth[:, 3])
        return self._differentiate(smooth)

    def _differentiate(self, new: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
        state = self._state
        if not len(state.smooth):
            new = np.concatenate([new[:1], new])
        smooth = np.concatenate([state.smooth, new])
        state.smooth = smooth[-2:].copy()
        if len(smooth) < 3:
            return state.next_hop, no_rows()
        up = unit(smooth[:, :3])
        velocity = (up[2:] - up[:-2]) * (0.5 * HOP_RATE_HZ)
        speed = np.degrees(np.sqrt(np.sum(velocity**2, axis=1, keepdims=True)))
        hop, state.next_hop = state.next_hop, state.next_hop + len(velocity)
        return hop, np.concatenate([up[1:-1], velocity, speed, smooth[1:-1, 3:]], axis=1)

"""A signal is cut off where it stands still at its extreme and nowhere else near it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_LEVELS = 100
"""Engineering choice. An extreme of fewer converter steps than this is a quiet signal drawn coarsely: its
peaks stand still for lack of steps. An amplifier's limit is at least half a converter's range away."""

COARSEST_STEP_UV = 10.0
"""No converter of EMG has larger steps. A signal thrown from limit to limit may show just two values."""

OUTER_SHARE = 0.25
"""How near to the extreme the signal must not stand still elsewhere, as a share of the whole swing: the
round top of a slow wave stands still on all the steps below its highest."""

SHORTEST_RUN = 3
"""Equal samples in a row; two may meet by chance."""


LONG_STAND = 8
"""Samples at one level in one block that make it a limit at once; fewer have to be met there again."""

_SIGNS = np.array([-1.0, 1.0])
"""Upside down, the lower extreme is one more upper one."""


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """Lower and upper extreme of some blocks, shape (..., 2) each."""

    level_uv: NDArray[np.float64]
    """Counted away from zero: the lower one upside down."""
    n_there: NDArray[np.float64]
    """How many samples have this value."""
    n_standing: NDArray[np.float64]
    """How many of them stand still, where the signal does so at the extreme and nowhere else near it."""


@dataclass(slots=True)
class LimitsState:
    """What the past tells of the amplifier, shape (n_channels, 2) each."""

    reached_uv: NDArray[np.float64]
    """Farthest that the signal ever went."""
    stood_uv: NDArray[np.float64]
    """Where it last stood still when it had never gone farther."""
    limit_uv: NDArray[np.float64]
    """The limit; minus infinity while there is none."""

    def copy(self) -> "LimitsState":
        """Independent copy, for a checkpoint."""
        return LimitsState(self.reached_uv.copy(), self.stood_uv.copy(), self.limit_uv.copy())


class Limits:
    """The amplifier's limits, told from the signal: never passed, and stood upon more than once.

    One round peak may by chance show three equal samples, but not twice at the same height.
    """

    def __init__(self, n_channels: int) -> None:
        never = np.full((n_channels, 2), -np.inf)
        self._state = LimitsState(never, never.copy(), never.copy())

    @property
    def state(self) -> LimitsState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: LimitsState) -> None:
        self._state = state.copy()

    def n_clipped(self, extremes: Extremes) -> NDArray[np.float64]:
        """Count samples at the limit in consecutive blocks, shape (n_blocks, n_channels, 2) throughout."""
        state, level_uv = self._state, extremes.level_uv
        reached_uv = np.fmax.accumulate(np.concatenate([state.reached_uv[np.newaxis], level_uv]), axis=0)
        farthest = level_uv >= reached_uv[:-1]
        matters = farthest & ((extremes.n_standing > 0) | (level_uv == reached_uv[:-1]))
        clipped = np.zeros(level_uv.shape)
        for place in zip(*np.nonzero(matters), strict=True):
            self._meet(place[1:], float(level_uv[place]), float(extremes.n_standing[place]))
            if state.limit_uv[place[1:]] == level_uv[place]:
                clipped[place] = extremes.n_there[place]
        state.reached_uv = reached_uv[-1]
        return clipped

    def _meet(self, side: tuple[int, ...], level_uv: float, n_standing: float) -> None:
        if n_standing > 0:
            if n_standing >= LONG_STAND or self._state.stood_uv[side] == level_uv:
                self._state.limit_uv[side] = level_uv
            self._state.stood_uv[side] = level_uv


def find_extremes(
    x_uv: NDArray[np.float64], low_uv: NDArray[np.float64], high_uv: NDArray[np.float64]
) -> Extremes:
    """Find how rows behave at their extremes.

    Parameters
    ----------
    x_uv
        Shape (..., n_samples), raw microvolt, no NaN.
    low_uv, high_uv
        Shape (...), least and largest sample of each row.
    """
    level_uv = np.stack([low_uv, high_uv], axis=-1)
    n_there = np.empty(level_uv.shape)
    for side in range(2):
        n_there[..., side] = np.count_nonzero(x_uv == level_uv[..., side, np.newaxis], axis=-1)
    n_standing = np.zeros(level_uv.shape)
    suspects = (n_there.max(axis=-1) >= SHORTEST_RUN) & (low_uv < high_uv)
    # All but a few rows end here.
    if suspects.any():
        n_standing[suspects] = _standing(x_uv[suspects], low_uv[suspects], high_uv[suspects])
    return Extremes(level_uv * _SIGNS, n_there, n_standing)


def _standing(
    x_uv: NDArray[np.float64], low_uv: NDArray[np.float64], high_uv: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count, shape (n_rows, 2), in rows, shape (n_rows, n_samples), that may stand still at an extreme."""
    still = _stands_still(x_uv)
    outer_uv = (OUTER_SHARE * (high_uv - low_uv))[:, np.newaxis]
    counts = np.zeros((len(x_uv), 2), dtype=np.int64)
    for side, from_limit_uv in enumerate((x_uv - low_uv[:, np.newaxis], high_uv[:, np.newaxis] - x_uv)):
        at_limit = np.count_nonzero(still & (from_limit_uv == 0.0), axis=-1)
        nearby = np.count_nonzero(still & (from_limit_uv > 0.0) & (from_limit_uv < outer_uv), axis=-1)
        counts[:, side] = np.where(at_limit > nearby, at_limit, 0)
    standing = np.flatnonzero(counts.any(axis=1))
    coarse = standing[_n_levels(x_uv[standing]) < LEAST_LEVELS]
    counts[coarse] = 0
    return counts


def _stands_still(x_uv: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which samples are among at least three equal ones in a row."""
    equal = x_uv[:, 1:] == x_uv[:, :-1]
    middle = equal[:, 1:] & equal[:, :-1]
    still = np.zeros(x_uv.shape, dtype=np.bool_)
    for shift in range(SHORTEST_RUN):
        still[:, shift : shift + middle.shape[1]] |= middle
    return still


def _n_levels(x_uv: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many converter steps each row spans; the step is the least distance between two samples."""
    ordered = np.sort(x_uv, axis=-1)
    distance_uv = np.diff(ordered, axis=-1)
    step_uv = np.where(distance_uv > 0.0, distance_uv, COARSEST_STEP_UV).min(axis=-1)
    levels: NDArray[np.float64] = (ordered[:, -1] - ordered[:, 0]) / step_uv
    return levels

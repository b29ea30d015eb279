"""Activity without spikes: peaks too short for a muscle go, dips stay, and the cut does not matter."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

SPIKE_HALF_HOPS = 9
"""Peaks of up to twice this many hops are no contraction but a cable, a heartbeat or a step of the electrode:
one spike fills the 15 hops of the envelope's window, a heartbeat a few more."""

MEAN_HALF_HOPS = 3
"""What is left is averaged over this many hops to either side."""

LAG_HOPS = 2 * SPIKE_HALF_HOPS + MEAN_HALF_HOPS
"""So many hops must follow before the level of a hop is known."""


@dataclass(slots=True)
class SmoothingState:
    """Values that wait for their neighbours."""

    hop: int | None = None
    """Hop of the next level; ``None`` before the first measured value."""
    raw: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    """Without spikes, not yet averaged."""

    def copy(self) -> "SmoothingState":
        """Independent copy, for a checkpoint."""
        return replace(self, raw=self.raw.copy(), opened=self.opened.copy())


class ActivitySmoothing:
    """Morphological opening (a running minimum, then a running maximum of it), then a moving mean.

    An opening takes away what is narrower than its window and leaves edges and dips where they are, so that
    the short rests between quick repetitions are not filled in (Serra 1982, Image Analysis and Mathematical
    Morphology).
    """

    def __init__(self) -> None:
        self.state = SmoothingState()

    def process(
        self, first_hop: int, activity: NDArray[np.float64], *, flat_uv: float
    ) -> tuple[int, list[float]]:
        """Take the next hops.

        Parameters
        ----------
        first_hop
            Hop of the first value.
        activity
            Shape (n_hops,), microvolt, NaN where not measured.
        flat_uv
            No amplifier is this quiet: up to it nothing was measured either.

        Returns
        -------
        int
            Hop of the first level.
        list of float
            Levels, microvolt, of as many hops as are now known; none before the first measured value.
        """
        state = self.state
        for offset, value in enumerate(activity.tolist()):
            measured = value > flat_uv
            if measured and state.hop is None:
                # Before the first value it is taken to have been the same all along.
                state.hop = first_hop + offset
                state.raw = [value] * (2 * SPIKE_HALF_HOPS)
            if state.hop is not None:
                # What was not measured cannot begin or end a burst: the last level holds on.
                state.raw.append(value if measured else state.raw[-1])
        return self._smooth()

    def finish(self) -> tuple[int, list[float]]:
        """Give the levels that still wait, as if the last value held on; nothing when asked again."""
        state = self.state
        if state.hop is None:
            return 0, []
        state.raw.extend([state.raw[-1]] * LAG_HOPS)
        levels = self._smooth()
        self.state = SmoothingState()
        return levels

    def _smooth(self) -> tuple[int, list[float]]:
        state = self.state
        hop = 0 if state.hop is None else state.hop
        n_opened = len(state.raw) - 4 * SPIKE_HALF_HOPS
        if n_opened > 0:
            opened = _running(np.maximum, _running(np.minimum, np.array(state.raw)))
            if not state.opened:
                state.opened = [float(opened[0])] * MEAN_HALF_HOPS
            state.opened.extend(opened.tolist())
            del state.raw[:n_opened]
        n_levels = len(state.opened) - 2 * MEAN_HALF_HOPS
        if n_levels <= 0:
            return hop, []
        total, values = np.zeros(n_levels), np.array(state.opened)
        for shift in range(2 * MEAN_HALF_HOPS + 1):
            total += values[shift : shift + n_levels]
        del state.opened[:n_levels]
        state.hop = hop + n_levels
        return hop, (total / (2 * MEAN_HALF_HOPS + 1)).tolist()


def _running(extreme: np.ufunc, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Extreme of each window of `SPIKE_HALF_HOPS` to either side; shorter than `values` by twice that.

    Extremes of extremes: windows of 1, 2, 4, 8 and 16 values, and two of the last that overlap for the rest.
    """
    window, reach = 2 * SPIKE_HALF_HOPS + 1, 1
    while 2 * reach <= window:
        values = extreme(values[reach:], values[:-reach])
        reach *= 2
    rest = window - reach
    result: NDArray[np.float64] = extreme(values[rest:], values[:-rest]) if rest else values
    return result

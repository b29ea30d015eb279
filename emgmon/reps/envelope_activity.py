"""One activity out of all channels: none so loud at rest that it drowns the others, none that is dead."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ

BLOCK_HOPS = HOP_RATE_HZ
"""Rest is looked for once in a block of this many hops, which begin at multiples of it on the hop grid."""

QUARTER_HOPS = BLOCK_HOPS // 4
"""A block's rest is the mean of its calmest quarter: many pauses between repetitions are no longer."""

REMEMBERED_BLOCKS = 30
"""The calmest of so many blocks is the rest of a channel; a hold of ten seconds does not pass for rest."""

LOUDEST_REST = 2.0
"""A channel is turned down to this many times the rest of the middle channel."""

FLAT_UV = 0.1
"""No amplifier is this quiet: at or below it there is no electrode."""


@dataclass(slots=True)
class ActivityState:
    """What one hop leaves for the next."""

    hop: int | None = None
    """Hop of the first value that waits."""
    waiting: NDArray[np.float64] | None = None
    """Values of the block under way, shape (n_hops, n_channels); NaN where not measured or flat."""
    rests_uv: list[NDArray[np.float64]] = field(default_factory=list)
    """Rest of every channel in the last blocks, each of shape (n_channels,); infinite where unknown."""
    weight: NDArray[np.float64] | None = None
    """Of every channel in the mean, shape (n_channels,), at most 1."""

    def copy(self) -> "ActivityState":
        """Independent copy, for a checkpoint; the arrays within are never written to."""
        return replace(self, rests_uv=self.rests_uv.copy())


class EnvelopeActivity:
    """Mean of the envelopes of several channels, in microvolt.

    Where all channels rest at about the same level this is their plain mean. The weight of a channel that
    hums, or whose electrode is loose, falls with the square of its rest, so that its noise does not hide the
    bursts of the others.
    """

    def __init__(self) -> None:
        self._state = ActivityState()

    @property
    def state(self) -> ActivityState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: ActivityState) -> None:
        self._state = state.copy()

    def process(self, first_hop: int, envelope_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Combine the next hops.

        Parameters
        ----------
        first_hop
            Hop of the first row; follows the last one of the call before.
        envelope_uv
            Shape (n_hops, n_channels), NaN where not measured.

        Returns
        -------
        ndarray
            Shape (n_hops,), microvolt; NaN where no channel was measured.
        """
        state = self._state
        measured = np.where(envelope_uv > FLAT_UV, envelope_uv, np.nan)
        if state.hop is None or state.waiting is None or state.weight is None:
            state.hop, state.waiting = first_hop, measured[:0]
            state.weight = np.ones(measured.shape[1])
        activity, start = np.empty(len(measured)), 0
        while start < len(measured):
            block_end = (first_hop + start) // BLOCK_HOPS * BLOCK_HOPS + BLOCK_HOPS
            stop = min(len(measured), block_end - first_hop)
            activity[start:stop] = _weighted_mean(measured[start:stop], state.weight)
            state.waiting = np.concatenate([state.waiting, measured[start:stop]])
            if first_hop + stop == block_end:
                self._learn(state.waiting)
                state.hop, state.waiting = block_end, measured[:0]
            start = stop
        return activity

    def _learn(self, block: NDArray[np.float64]) -> None:
        """Find each channel's rest and from it the gains that hold from the next block on."""
        state = self._state
        if len(block) < BLOCK_HOPS:
            return
        quarters = block.reshape(4, QUARTER_HOPS, -1).sum(axis=1) / QUARTER_HOPS
        calmest = np.where(np.isnan(quarters), np.inf, quarters).min(axis=0)
        state.rests_uv = [*state.rests_uv[1 - REMEMBERED_BLOCKS :], calmest]
        rests_uv = np.min(state.rests_uv, axis=0)
        known = np.sort(rests_uv[np.isfinite(rests_uv)])
        if len(known):
            # The lower one of the middle: of two channels the calm one sets the scale.
            loudest_uv = LOUDEST_REST * known[(len(known) - 1) // 2]
            loud = np.isfinite(rests_uv) & (rests_uv > loudest_uv)
            state.weight = np.square(loudest_uv / np.where(loud, rests_uv, loudest_uv))


def _weighted_mean(columns: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the channels that were measured, shape (n_hops,); NaN where none was."""
    total, weights = np.zeros(len(columns)), np.zeros(len(columns))
    for column, share in zip(columns.T, weight.tolist(), strict=True):
        measured = ~np.isnan(column)
        total += np.where(measured, share * column, 0.0)
        weights += np.where(measured, share, 0.0)
    mean: NDArray[np.float64] = np.full(len(columns), np.nan)
    np.divide(total, weights, out=mean, where=weights > 0.0)
    return mean

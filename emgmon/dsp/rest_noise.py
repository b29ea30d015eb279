"""The noise of a channel at rest, told from the session itself: the quiet end of all it has shown so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUIET_SHARE = 0.1
"""Muscles rest for at least a tenth of a session. Engineering choice."""

LEAST_BLOCKS = 5
"""2 s of signal; before, nothing is said."""

RENEWED_EVERY = 5
"""Blocks, on their absolute grid, between two estimates."""

STEPS_PER_DECADE = 40
"""Amplitudes are sorted by half a decibel."""

LEAST_UV, LARGEST_UV = 1e-2, 1e5

_EDGES = np.logspace(
    np.log10(LEAST_UV**2),
    np.log10(LARGEST_UV**2),
    STEPS_PER_DECADE * round(np.log10(LARGEST_UV / LEAST_UV)) + 1,
)
"""Of power, µV²."""


@dataclass(slots=True)
class RestNoiseState:
    """How often each amplitude was seen."""

    counts: NDArray[np.int64]
    """Shape (n_channels, number of amplitudes)."""
    rest_uv: NDArray[np.float64]
    """Shape (n_channels,): the newest estimate."""

    def copy(self) -> "RestNoiseState":
        """Independent copy, for a checkpoint."""
        return RestNoiseState(self.counts.copy(), self.rest_uv.copy())


class RestNoise:
    """Tenth percentile of the amplitude of all blocks so far.

    Estimating noise blindly from the signal's own distribution follows the idea of Agostini and Knaflitz
    (2012, 10.1109/TBME.2011.2170687); the percentile is plainer than their method. A session that never
    rests makes it too large, never too small: a signal-to-noise ratio from it is a lower bound.
    """

    def __init__(self, n_channels: int) -> None:
        self._state = RestNoiseState(
            np.zeros((n_channels, len(_EDGES) + 1), dtype=np.int64), np.full(n_channels, np.nan)
        )

    @property
    def state(self) -> RestNoiseState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: RestNoiseState) -> None:
        self._state = state.copy()

    def follow(
        self, power: NDArray[np.float64], counts: NDArray[np.bool_], first_block: int
    ) -> NDArray[np.float64]:
        """Take the next blocks and give what was known of rest at each.

        Parameters
        ----------
        power
            Shape (n_blocks, n_channels), mean square of the cleaned signal, µV².
        counts
            Same shape: which blocks show an electrode on skin at all.
        first_block
            Place of the first on the absolute grid.

        Returns
        -------
        ndarray
            Same shape, µV; NaN before enough was seen. Rests on earlier blocks only.
        """
        state = self._state
        rest_uv = np.empty(power.shape)
        places = np.searchsorted(_EDGES, power)
        channels = np.arange(power.shape[1])
        start = 0
        while start < len(power):
            into = (first_block + start) % RENEWED_EVERY
            if into == 0:
                state.rest_uv = quiet_end_uv(state.counts)
            stop = min(len(power), start + RENEWED_EVERY - into)
            rest_uv[start:stop] = state.rest_uv
            np.add.at(state.counts, (channels, places[start:stop]), counts[start:stop])
            start = stop
        return rest_uv


def quiet_end_uv(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Find the amplitude below which `QUIET_SHARE` of the blocks lie, (n_channels,); NaN for too few."""
    upto = counts.cumsum(axis=1)
    n_blocks = upto[:, -1]
    wanted = QUIET_SHARE * n_blocks
    place = (upto < wanted[:, np.newaxis]).sum(axis=1)
    place = np.clip(place, 1, len(_EDGES) - 1)
    rows = np.arange(len(counts))
    inside = (wanted - upto[rows, place - 1]) / np.maximum(counts[rows, place], 1)
    power = _EDGES[place - 1] * (_EDGES[1] / _EDGES[0]) ** np.clip(inside, 0.0, 1.0)
    return np.where(n_blocks >= LEAST_BLOCKS, np.sqrt(power), np.nan)

"""Time comes from the sample counter: every sample has one moment, and every hop one run of samples."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ

LONGEST_PIECE_S = 60.0
"""A long gap is handed on in pieces of this length, so that it never fills the memory."""

_ROUNDING = 1e-6
"""Fraction of a sample below which a moment counts as exactly on a hop."""


@dataclass(frozen=True, slots=True)
class SampleClock:
    """Which moment of session time each sample of a stream belongs to."""

    anchor_sample: int
    anchor_s: float
    """Session time of the anchor sample."""
    rate_hz: float
    """By the sensor's own clock."""
    stretch: float = 1.0
    """Session seconds that a second of the sensor's clock takes, where it is laid over another's."""

    @property
    def session_rate_hz(self) -> float:
        """Samples in a second of the session."""
        return self.rate_hz / self.stretch

    def seconds(self, sample: int) -> float:
        """Session time of a sample."""
        return self.anchor_s + (sample - self.anchor_sample) / self.session_rate_hz

    def stretched(self, sample: int, stretch: float) -> "SampleClock":
        """Go on from a sample at another pace, without a jump."""
        return SampleClock(sample, self.seconds(sample), self.rate_hz, stretch)

    def samples_at(self, hops: NDArray[np.int64]) -> NDArray[np.int64]:
        """First sample at or after the start of each hop; shape as given."""
        exact = (hops / HOP_RATE_HZ - self.anchor_s) * self.session_rate_hz
        return np.ceil(exact - _ROUNDING).astype(np.int64) + self.anchor_sample

    def first_hop_from(self, sample: int) -> int:
        """First hop none of whose samples comes before a given one."""
        hop = math.floor(self.seconds(sample) * HOP_RATE_HZ) - 1
        while int(self.samples_at(np.array([hop]))[0]) < sample:
            hop += 1
        return hop

    def hop_before(self, sample: int) -> int:
        """Last hop whose first sample is not after a given one."""
        hop = math.floor(self.seconds(sample) * HOP_RATE_HZ) + 1
        while int(self.samples_at(np.array([hop]))[0]) > sample:
            hop -= 1
        return hop


def missing_pieces(n_samples: int, *, n_channels: int, rate_hz: float) -> Iterator[NDArray[np.float64]]:
    """Lay out a gap as samples that are all missing, in pieces of bounded size.

    Yields
    ------
    ndarray
        NaN, shape (n_channels, up to a minute of samples).
    """
    piece = max(1, math.floor(LONGEST_PIECE_S * rate_hz))
    for start in range(0, n_samples, piece):
        yield np.full((n_channels, min(piece, n_samples - start)), np.nan)


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """Cut a row of flags where it changes: (start, stop, value) of each run."""
    if not len(flags):
        return []
    starts = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist()]
    stops = [*starts[1:], len(flags)]
    return [(start, stop, bool(flags[start])) for start, stop in zip(starts, stops, strict=True)]


def missing_runs(samples: NDArray[np.float64]) -> list[tuple[int, int, bool]]:
    """Cut samples, shape (n_channels, n_samples), where they begin or cease to miss any channel."""
    missing: NDArray[np.bool_] = np.zeros(samples.shape[1], dtype=np.bool_)
    np.any(np.isnan(samples), axis=0, out=missing)
    return runs(missing)

"""Smooth curves through knots, whose mean over any stretch is known exactly: the source of all truth."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emgmon.errors import SimulationError

BLOCK_SAMPLES = 120_000
"""How many samples are computed at once; bounds the memory of long sessions."""


def sample_in_blocks(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], n_samples: int, rate_hz: float
) -> NDArray[np.float32]:
    """Sample a function of time on a regular grid from 0 on; shape (n_samples,)."""
    samples = np.empty(n_samples, dtype=np.float32)
    for first in range(0, n_samples, BLOCK_SAMPLES):
        last = min(first + BLOCK_SAMPLES, n_samples)
        samples[first:last] = function(np.arange(first, last) / rate_hz)
    return samples


@dataclass(frozen=True, slots=True, eq=False)
class SmoothCurve:
    """Minimum-jerk steps from knot to knot; constant before the first and after the last.

    A step from `a` to `b` over the unit interval is ``a + (b - a)(10 u^3 - 15 u^4 + 6 u^5)``, the
    path with least jerk between two resting points (Flash and Hogan 1985): velocity and
    acceleration are zero at every knot.
    """

    times_s: NDArray[np.float64]
    """Shape (n_knots,), strictly increasing."""
    values: NDArray[np.float64]
    """Shape (n_knots,)."""

    def __post_init__(self) -> None:
        if len(self.times_s) != len(self.values) or len(self.times_s) == 0:
            raise SimulationError(
                f"a curve needs as many times as values, got {len(self.times_s)} and {len(self.values)}"
            )
        if np.any(np.diff(self.times_s) <= 0.0):
            raise SimulationError("the knots of a curve must increase in time")

    def at(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Value at each time; same shape as `times_s`."""
        times = np.asarray(times_s, dtype=np.float64)
        if len(self.times_s) == 1:
            return np.full(times.shape, self.values[0])
        knot, u = self._place(times)
        rise = np.diff(self.values)[knot]
        return self.values[knot] + rise * u**3 * (10.0 + u * (6.0 * u - 15.0))

    def sampled(self, n_samples: int, rate_hz: float, *, start_s: float = 0.0) -> NDArray[np.float32]:
        """Values on a regular grid, computed block by block; shape (n_samples,)."""
        return sample_in_blocks(lambda times_s: self.at(start_s + times_s), n_samples, rate_hz)

    def mean(self, start_s: float, end_s: float) -> float:
        """Exact mean over a stretch."""
        if end_s <= start_s:
            raise SimulationError(f"the mean from {start_s} s to {end_s} s is over no time")
        area = self._integral(end_s) - self._integral(start_s)
        return area / (end_s - start_s)

    def _place(self, times: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Index of the knot before each time, and the fraction of the way to the next (0 to 1)."""
        knot = np.clip(np.searchsorted(self.times_s, times, side="right") - 1, 0, len(self.times_s) - 2)
        width = np.diff(self.times_s)[knot]
        return knot, np.clip((times - self.times_s[knot]) / width, 0.0, 1.0)

    def _integral(self, time_s: float) -> float:
        """Area under the curve from the first knot to `time_s`; negative before it."""
        if time_s <= self.times_s[0]:
            return float((time_s - self.times_s[0]) * self.values[0])
        if time_s >= self.times_s[-1]:
            whole = np.sum(np.diff(self.times_s) * (self.values[:-1] + self.values[1:]) / 2.0)
            return float(whole + (time_s - self.times_s[-1]) * self.values[-1])
        knots, fractions = self._place(np.asarray([time_s]))
        knot, u = int(knots[0]), float(fractions[0])
        widths, steps = np.diff(self.times_s), np.diff(self.values)
        before = np.sum(widths[:knot] * (self.values[:knot] + self.values[1 : knot + 1]) / 2.0)
        within = widths[knot] * (self.values[knot] * u + steps[knot] * u**4 * (2.5 + u * (u - 3.0)))
        return float(before + within)


@dataclass(frozen=True, slots=True, eq=False)
class SmoothPath:
    """Several quantities that move together: the same steps as :class:`SmoothCurve`, for each column."""

    times_s: NDArray[np.float64]
    """Shape (n_knots,), strictly increasing, at least two."""
    values: NDArray[np.float64]
    """Shape (n_knots, n_columns)."""

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at each time; shape (n,) to (n, n_columns)."""
        knot = np.clip(np.searchsorted(self.times_s, times_s, side="right") - 1, 0, len(self.times_s) - 2)
        u = np.clip((times_s - self.times_s[knot]) / np.diff(self.times_s)[knot], 0.0, 1.0)[:, np.newaxis]
        rise = np.diff(self.values, axis=0)[knot]
        return np.asarray(self.values[knot] + rise * u**3 * (10.0 + u * (6.0 * u - 15.0)))

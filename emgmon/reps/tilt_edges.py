"""Where a smooth movement begins and ends, and how long something has lasted: sums over rows of hops."""

import math

import numpy as np
from numpy.typing import NDArray

_LOW, _HIGH = 0.1, 0.3
_REACH = math.sqrt(_LOW) / (math.sqrt(_HIGH) - math.sqrt(_LOW))
"""A smooth movement's speed begins and ends with the square of time: from where it crosses `_HIGH` and
`_LOW` of its fastest, its edge lies this much farther than the two are apart."""
_LONGEST_REACH_HOPS = 25


def edge_after(speed: NDArray[np.float64], *, least: int = 0, smoothed_half_hops: int) -> int:
    """How many rows after the first, which is the fastest, a smooth movement has come to its end.

    Extrapolated from where its speed crosses two levels: smooth movements begin and end with a speed that
    grows with the square of time, so that its root reaches zero in a straight line. Averaging over h rows to
    either side moves that point outwards by about h / 2, which is taken back.

    Parameters
    ----------
    speed
        Shape (n,), the first one being the fastest.
    least
        Before this row a slow moment is a halt on the way, not its end.
    smoothed_half_hops
        Over how many rows to either side the movement was averaged.
    """
    slow = np.flatnonzero(speed[least:] < _LOW * speed[0])
    low_row = least + int(slow[0]) if len(slow) else len(speed) - 1
    fast = np.flatnonzero(speed[: low_row + 1] >= _HIGH * speed[0])
    low, high = _between(speed, low_row, _LOW), _between(speed, int(fast[-1]) + 1 if len(fast) else 0, _HIGH)
    reach = min(_REACH * (low - high), _LONGEST_REACH_HOPS)
    return max(0, round(low + reach - 0.5 * smoothed_half_hops))


def _between(speed: NDArray[np.float64], row: int, share: float) -> float:
    """Where between a row and the one before it the speed falls through a level."""
    if not 0 < row < len(speed):
        return float(min(max(row, 0), len(speed) - 1))
    level, before, after = share * float(speed[0]), float(speed[row - 1]), float(speed[row])
    return row - 1 + (before - level) / (before - after) if before > level > after else float(row)


def run_lengths(flags: NDArray[np.bool_], before: int) -> NDArray[np.int64]:
    """For each row count the flags in a row up to it, `before` of which came earlier."""
    index = np.arange(len(flags))
    last_other = np.maximum.accumulate(np.where(flags, -1, index))
    return np.where(last_other < 0, index + 1 + before, index - last_other)

"""Where a smooth movement begins and ends, and how long something has lasted: sums over rows of hops."""

import math

import numpy as np
from numpy.typing import NDArray

_LOW, _HIGH = 0.1, 0.3
_REACH = math.sqrt(_LOW) / (math.sqrt(_HIGH) - math.sqrt(_LOW))
"""A smooth movement's speed begins and ends with the square of time: from where it crosses `_HIGH` and
`_LOW` of its fastest, its edge lies this much farther than the two are apart."""
_LONGEST_REACH_HOPS = 25


def edge_after(speed: NDArray[np.float64]) -> int:
    """How many rows after the first, which is the fastest, a smooth movement has come to its end.

    Extrapolated from where its speed crosses two levels: smooth movements begin and end with a speed that
    grows with the square of time, so that its root reaches zero in a straight line.
    """
    low, high = (_crossing(speed, share * float(speed[0])) for share in (_LOW, _HIGH))
    return round(low + min(_REACH * (low - high), _LONGEST_REACH_HOPS))


def _crossing(speed: NDArray[np.float64], level: float) -> float:
    """Where the speed first falls below a level, between two rows; the last row if it does not."""
    below = np.flatnonzero(speed < level)
    if not len(below):
        return float(len(speed) - 1)
    after = int(below[0])
    if after == 0:
        return 0.0
    before_value, after_value = float(speed[after - 1]), float(speed[after])
    return after - 1 + (before_value - level) / (before_value - after_value)


def run_lengths(flags: NDArray[np.bool_], before: int) -> NDArray[np.int64]:
    """For each row count the flags in a row up to it, `before` of which came earlier."""
    index = np.arange(len(flags))
    last_other = np.maximum.accumulate(np.where(flags, -1, index))
    return np.where(last_other < 0, index + 1 + before, index - last_other)

"""Where a hold begins and ends: between the braking of the way out and the push of the way back."""

import numpy as np
from numpy.typing import NDArray


def hold_around(
    top: int, velocity: NDArray[np.float64], acceleration: NDArray[np.float64], *, share: float
) -> tuple[int, int]:
    """Where braking on the way out has died away, and where the push for the way back rises.

    Parameters
    ----------
    top
        Index of the farthest point.
    velocity, acceleration
        Of one repetition, away from rest positive, shape (n,).
    share
        Of the nearest peak of acceleration, at which a movement begins and ends.
    """
    out, back = int(np.argmax(velocity[: top + 1])), int(np.argmin(velocity[top:])) + top
    hold = int(np.argmin(acceleration[out : top + 1])) + out
    level = share * acceleration[hold]
    while hold < top and acceleration[hold] < level:
        hold += 1
    leave = int(np.argmin(acceleration[top : back + 1])) + top
    level = share * acceleration[leave]
    while leave > top and acceleration[leave] < level:
        leave -= 1
    return hold, leave

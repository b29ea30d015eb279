"""How sure an angle of the pelvis is: sensor, swing of the skin, edges of the repetition, alignment, drift.

An interval says how far a figure may lie from that of the skin under the sensor, its quick swing apart. Skin
and fat also slide on the bone, slowly and much the same way in every repetition: against optical markers,
angles of spine and hip were off by 3 to 11 degrees, most of all in deep flexion (Bailes 2024, Sensors
24:6580). That is left out on purpose. It cancels where a person is compared with themselves, which is all
that a verdict does, and an interval that held it would hide every change there is to see. Whoever compares
with another person or with an optical system has to add it.

The constants were set on the virtual athlete: all nine exercises, usual, slow (12 s) and quick (0.9 s)
repetitions, swing of 0.25 and 0.6 degrees, alignment from bows and from repetitions, sensors worn any way
round, 4,700 repetitions. On 7,000 others the 95 % intervals of each metric held the truth in 94 to 98 %
(those of the reversal, which mostly is 0 or nearly so, in 99 %); in the worst group, obliquity with much
swing and a learnt alignment, in 79 %.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment, AlignmentMethod
from emgmon.events import HOP_RATE_HZ

CALM_S = 0.25
"""Skin and fat swing under a sensor at 3 to 7 Hz: angles are averaged over this long ..."""

CALM_SHARE = 1.0 / 16.0
"""... but over no more than this part of the repetition, so that its own way is not cut short."""

SWING_HZ = 5.0

LEAST_LEFT = 0.2
"""Even averaging over a whole period leaves this part of a swing whose rate is not known."""

TILT_DEG = 0.1
"""Standard error of one tilt against another of the same sensor: the filter, the accelerometer's offset."""

SWING_SHARE = 0.25
"""So much of the swing gets into the tilt that the filter takes for rest."""

LATE_SHARE = 3.0
"""A start that swing hides is noticed when the pelvis has turned by up to this many swings ..."""

LATE_DEG_PER_S = 2.0
"""... if it turns slowly: at this mean speed half of it, and less where it turns faster."""

SLOW_DEG, SLOW_S = 0.6, 12.0
"""Edges of a slow movement are found less sharply: by this much where it takes so long or longer, by a
quarter of it where it takes half as long."""

CUT_SHARE = 1.0 / 3.0
"""Averaging over a bend lowers it by this part of what it falls by within half the window."""

MOMENT_S = 0.1
"""A moment within the repetition is found to about this ..."""

MOMENT_SHARE = 0.25
"""... and this part of what the angle changes by meanwhile is its standard error."""

BOWS_DEG = 0.15
"""Standard error of each axis of an alignment from standing and bows, beside what the bows show."""

LEARNT_DEG = 0.2
"""The same of one that was learnt from repetitions that pitch the pelvis ..."""

LEARNT_TURNING_DEG = 1.4
"""... and of one from repetitions that rotate it."""

DRIFT_DEG_PER_ROOT_S = 0.1
"""Without a magnetometer heading wanders by this much, times the square root of the time in seconds."""

HELD_DEG = 0.9
"""Standard error of one tilt against another, each read from gravity alone over a fifth of a second."""

HELD_ROLL_SHARE = 0.03
"""From gravity alone, this part of a roll to the side is taken for pitch."""

RANGE_LOW, RANGE_HIGH = 2.0, 1.0
"""A range takes in two extremes of the swing that is left, and is too large by so many RMS of it."""

PITCH, OBLIQUITY, ROTATION = range(3)
"""Rows of the angles; they turn about body axes y, x and z."""

_AXIS = {OBLIQUITY: 0, ROTATION: 2}
"""Which body axis, upright, makes an angle drift with the heading."""


@dataclass(frozen=True, slots=True, eq=False)
class CalmAngles:
    """Angles of a segment over one repetition without the quick swing of the skin."""

    deg: NDArray[np.float64]
    """Change since the first hop, shape (3, n): pitch, obliquity, rotation."""
    ranges_deg: NDArray[np.float64]
    """Largest less smallest value of each, shape (3,)."""
    swing_deg: float
    """RMS of the swing under the sensor."""
    left_deg: float
    """RMS of what averaging has left of it."""
    half_hops: int
    """Half the window, rounded down."""


def calmed(angles_deg: NDArray[np.float64]) -> CalmAngles:
    """Average the swing of the skin out, over a window that gets narrower towards either end.

    Parameters
    ----------
    angles_deg
        Pitch, obliquity and rotation since the first hop, shape (3, n), n at least 1.
    """
    n_hops = angles_deg.shape[1]
    longest = round(CALM_S * HOP_RATE_HZ)
    hops = min(longest, int(CALM_SHARE * n_hops))
    swings_deg = np.sqrt(np.mean((angles_deg - _averaged(angles_deg, longest)) ** 2, axis=1))
    # A quick repetition itself looks like swing, but mostly about one axis.
    swing_deg = float(np.median(swings_deg))
    left = max(LEAST_LEFT, float(np.sinc(SWING_HZ * hops / HOP_RATE_HZ)))
    calm_deg = _averaged(angles_deg, hops)
    ranges_deg = calm_deg.max(axis=1) - calm_deg.min(axis=1)
    return CalmAngles(calm_deg, ranges_deg, swing_deg, left * swing_deg, hops // 2)


def _averaged(rows: NDArray[np.float64], hops: int) -> NDArray[np.float64]:
    """Give the moving mean of each row, odd and centred, no wider than the ends allow."""
    n_hops = rows.shape[1]
    total = np.cumsum(np.concatenate([np.zeros((len(rows), 1)), rows], axis=1), axis=1)
    index = np.arange(n_hops)
    half = np.minimum(hops // 2, np.minimum(index, n_hops - 1 - index))
    means: NDArray[np.float64] = (total[:, index + half + 1] - total[:, index - half]) / (2 * half + 1)
    return means


def sensor_error_deg(angles: CalmAngles, alignment: Alignment, *, angle: int = PITCH) -> float:
    """Give the standard error that one sensor and how it sits bring to a change of an angle.

    Parameters
    ----------
    angles
        Of its segment.
    alignment
        How it sits: an axis that is off by a small angle takes that part of the turns about the others for
        its own.
    angle
        `PITCH`, `OBLIQUITY` or `ROTATION`.
    """
    others_deg = math.hypot(*(deg for row, deg in enumerate(angles.ranges_deg.tolist()) if row != angle))
    others_rad = math.radians(others_deg)
    aligned_deg = _axis_error_deg(alignment) * others_rad
    return math.hypot(TILT_DEG, SWING_SHARE * angles.swing_deg, angles.left_deg, aligned_deg)


def _axis_error_deg(alignment: Alignment) -> float:
    """Give the standard error of an axis, by what the alignment was learnt from and what that showed."""
    if alignment.method is AlignmentMethod.STANDING_AND_BOWS:
        return math.hypot(BOWS_DEG, alignment.off_expected_deg or 0.0)
    least_deg = LEARNT_DEG if alignment.sides_known else LEARNT_TURNING_DEG
    return math.hypot(least_deg, (alignment.disagreement_deg or 0.0) / 2.0)


def start_error_deg(angles: CalmAngles) -> float:
    """Give the standard error that a start hidden by swing brings to every change since the start."""
    seconds = float(angles.deg.shape[1]) / HOP_RATE_HZ
    mean_speed = 2.0 * math.hypot(*angles.ranges_deg.tolist()) / seconds
    return LATE_SHARE * angles.swing_deg / (1.0 + mean_speed / LATE_DEG_PER_S)


def slow_error_deg(n_hops: int) -> float:
    """Give the standard error that the unsharp edges of a slow repetition bring, of so many hops."""
    return SLOW_DEG * min(1.0, n_hops / HOP_RATE_HZ / SLOW_S) ** 2


def moment_error_deg(values_deg: NDArray[np.float64], hop: int) -> float:
    """Give the standard error of one of the values, shape (n,), at a moment not found to the hop."""
    return MOMENT_SHARE * _change_deg(values_deg, hop, round(MOMENT_S * HOP_RATE_HZ))


def cut_deg(angles: CalmAngles, angle: int, hop: int) -> float:
    """Give about how much averaging has taken off an extreme of an angle."""
    return CUT_SHARE * _change_deg(angles.deg[angle], hop, angles.half_hops)


def _change_deg(values_deg: NDArray[np.float64], hop: int, reach: int) -> float:
    around = values_deg[[max(0, hop - reach), min(len(values_deg) - 1, hop + reach)]]
    return float(np.abs(around - values_deg[hop]).max())


def drift_error_deg(n_hops: int, up: NDArray[np.float64], *, angle: int) -> float:
    """Give the standard error that a wandering heading brings to an angle about a steep axis.

    Parameters
    ----------
    n_hops
        Length of the repetition.
    up
        Direction of up in body axes at its start, shape (3,).
    angle
        `PITCH` does not drift: its axis is level.
    """
    if angle not in _AXIS:
        return 0.0
    return DRIFT_DEG_PER_ROOT_S * abs(float(up[_AXIS[angle]])) * math.sqrt(n_hops / HOP_RATE_HZ)


def held_error_deg(rolled_deg: float) -> float:
    """Give the standard error of a change of pitch between two held poses, read from gravity alone."""
    return math.hypot(HELD_DEG, HELD_ROLL_SHARE * rolled_deg)

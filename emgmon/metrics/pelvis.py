"""How the pelvis moved within one repetition, always as a change from that repetition's own start.

With R(t) from body to world axes, D(t) = R(start)ᵀ R(t) = Ry(pitch) Rx(obliquity) Rz(rotation). The heading
of a sensor without magnetometer is arbitrary, but the same at the start and at t, so it cancels.
Positive: leaning forward (anterior tilt), left side higher, turning to the left.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment, AlignmentMethod, tilt_deg
from emgmon.dsp.rotations import angle_deg, rotation_matrices, unit
from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.metrics.engagement import missing, worse

PELVIS_METRICS = (
    "pelvis_pitch_range_deg",
    "pelvis_anterior_change_deg",
    "pelvis_rotation_range_deg",
    "pelvis_obliquity_range_deg",
    "lumbar_extension_deg",
)

LONGEST_SHARP_S = 15.0
"""Heading drifts; over longer repetitions what turns about the plumb line is less certain."""

STILL_HALF_HOPS = 10
"""Gravity is read over this many hops to either side of the start and of the turn ..."""

STILL_SPREAD_DEG = 2.0
"""... within which it must not turn by more than this from its mean."""

LEAST_SIDE_DEG = 5.0
"""A pelvis that turned by less has not lifted either side."""

NO_SENSOR = "needs a motion sensor on the pelvis"
NO_GYROSCOPE = "needs a gyroscope: an accelerometer alone knows tilt only while held still"
NO_ALIGNMENT = (
    "needs standing still and a few bows first, or repetitions that tilt the pelvis, "
    "to learn how the sensor sits"
)
NO_DIRECTION = (
    "needs standing still and a few bows first: repetitions that only rotate the pelvis do not tell "
    "forwards from backwards"
)
NOT_STILL = "needs the start and the turn held still: without a gyroscope tilt is known only then"
NO_LUMBAR = "needs a second IMU at T12/L1"
NO_LUMBAR_GYROSCOPE = "needs a gyroscope in the sensor at T12/L1"
NO_LUMBAR_ALIGNMENT = "needs standing still and a few bows first, to learn how the sensor at T12/L1 sits"
HOLES = "samples are missing in this repetition"


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMotion:
    """One body segment over the hops of one repetition, from its start to its end."""

    up: NDArray[np.float64]
    """Unit vector that points up, in sensor axes, shape (n, 3)."""
    quaternion: NDArray[np.float64] | None
    """Sensor to earth as w, x, y, z, shape (n, 4); ``None`` without a gyroscope."""
    alignment: Alignment | None
    """How the sensor sits; ``None`` where that is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentAngles:
    """Change of a segment's orientation since the start of the repetition, degrees, shape (n,) each."""

    pitch_deg: NDArray[np.float64]
    obliquity_deg: NDArray[np.float64]
    rotation_deg: NDArray[np.float64]


def segment_angles(quaternion: NDArray[np.float64], alignment: Alignment) -> SegmentAngles:
    """Split the change since the first hop into pitch, obliquity and rotation (intrinsic y, x, z).

    Parameters
    ----------
    quaternion
        Sensor to earth as w, x, y, z, shape (n, 4); NaN rows give NaN.
    alignment
        How the sensor sits.
    """
    body_to_world = rotation_matrices(quaternion) @ alignment.matrix.T
    change = body_to_world[0].T @ body_to_world
    return SegmentAngles(
        pitch_deg=np.degrees(np.arctan2(change[:, 0, 2], change[:, 2, 2])),
        obliquity_deg=np.degrees(np.arcsin(np.clip(-change[:, 1, 2], -1.0, 1.0))),
        rotation_deg=np.degrees(np.arctan2(change[:, 1, 0], change[:, 1, 1])),
    )


def side_of_rotation(
    rotation_deg: float, alignment: Alignment, *, least_deg: float = LEAST_SIDE_DEG
) -> Literal["left", "right"] | None:
    """Tell which side a prone or all-fours repetition lifted, from the rotation at its turn.

    Belly down, x points to the floor and y to the left; turning about z by a positive angle takes x towards
    the left and so y upwards: the left side was lifted.

    Returns
    -------
    "left", "right" or None
        ``None`` when the pelvis hardly rotated or the alignment does not tell the sides.
    """
    if not alignment.sides_known or not abs(rotation_deg) >= least_deg:
        return None
    return "left" if rotation_deg > 0.0 else "right"


def pelvis_metrics(
    pelvis: SegmentMotion | None,
    *,
    turn: int,
    lumbar: SegmentMotion | None = None,
    gap: str | None = None,
) -> tuple[Metric, ...]:
    """Pelvis motion of one repetition, by the names of `PELVIS_METRICS`.

    Parameters
    ----------
    pelvis
        Hops from the repetition's start to its end; ``None`` when no sensor is worn there.
    turn
        Index of the turn within these hops.
    lumbar
        The same hops of a sensor at T12/L1; ``None`` when none is worn.
    gap
        Why motion of this repetition must not be measured, in words; ``None`` when it may.
    """
    if pelvis is None:
        return _all_missing(NO_SENSOR, None if lumbar else NO_LUMBAR)
    reason = gap or (HOLES if _has_holes(pelvis) else None)
    if reason is not None:
        return _all_missing(reason, None if lumbar else NO_LUMBAR)
    if pelvis.alignment is None:
        return _all_missing(NO_ALIGNMENT, None if lumbar else NO_LUMBAR)
    if pelvis.quaternion is None:
        return _from_gravity(pelvis, pelvis.alignment, turn, lumbar)
    angles = segment_angles(pelvis.quaternion, pelvis.alignment)
    quality = _quality(pelvis.alignment)
    about_x, about_z = _drifting(pelvis, pelvis.alignment)
    return (
        _range("pelvis_pitch_range_deg", angles.pitch_deg, quality),
        _anterior_change(float(angles.pitch_deg[turn]), pelvis.alignment, quality),
        _range("pelvis_rotation_range_deg", angles.rotation_deg, worse(quality, about_z)),
        _range("pelvis_obliquity_range_deg", angles.obliquity_deg, worse(quality, about_x)),
        _lumbar_extension(float(angles.pitch_deg[turn]), pelvis.alignment, lumbar, turn),
    )


def held_pitch_deg(up: NDArray[np.float64], alignment: Alignment, hop: int) -> float | None:
    """Pitch from gravity around one hop.

    Parameters
    ----------
    up
        Unit vectors in sensor axes, shape (n, 3).
    alignment
        How the sensor sits.
    hop
        Index of the moment.

    Returns
    -------
    float or None
        Degrees, 0 upright; ``None`` when the segment was not held still around that moment.
    """
    around = up[max(0, hop - STILL_HALF_HOPS) : hop + STILL_HALF_HOPS + 1]
    if not len(around) or bool(np.isnan(around).any()):
        return None
    mean = unit(around.sum(axis=0))
    if float(angle_deg(unit(around), mean).max()) > STILL_SPREAD_DEG:
        return None
    pitch_deg, _ = tilt_deg(mean[np.newaxis], alignment)
    return float(pitch_deg[0])


def _from_gravity(
    pelvis: SegmentMotion, alignment: Alignment, turn: int, lumbar: SegmentMotion | None
) -> tuple[Metric, ...]:
    start_deg = held_pitch_deg(pelvis.up, alignment, 0)
    turn_deg = held_pitch_deg(pelvis.up, alignment, turn)
    if start_deg is None or turn_deg is None:
        change = missing("pelvis_anterior_change_deg", NOT_STILL)
    else:
        change_deg = (turn_deg - start_deg + 180.0) % 360.0 - 180.0
        change = _anterior_change(change_deg, alignment, Quality.USABLE)
    pitch, _, rotation, obliquity, extension = _all_missing(NO_GYROSCOPE, None if lumbar else NO_LUMBAR)
    return pitch, change, rotation, obliquity, extension


def _anterior_change(change_deg: float, alignment: Alignment, quality: Quality) -> Metric:
    if not alignment.sides_known:
        return missing("pelvis_anterior_change_deg", NO_DIRECTION)
    return Metric("pelvis_anterior_change_deg", change_deg, None, None, 1, quality)


def _lumbar_extension(
    pelvis_change_deg: float, pelvis_alignment: Alignment, lumbar: SegmentMotion | None, turn: int
) -> Metric:
    """Change of pelvis pitch minus change of lumbar pitch; positive when the trunk bends backwards."""
    name = "lumbar_extension_deg"
    if lumbar is None:
        return missing(name, NO_LUMBAR)
    if lumbar.quaternion is None:
        return missing(name, NO_LUMBAR_GYROSCOPE)
    if lumbar.alignment is None:
        return missing(name, NO_LUMBAR_ALIGNMENT)
    if not (pelvis_alignment.sides_known and lumbar.alignment.sides_known):
        return missing(name, NO_DIRECTION)
    if _has_holes(lumbar):
        return missing(name, HOLES)
    lumbar_deg = float(segment_angles(lumbar.quaternion, lumbar.alignment).pitch_deg[turn])
    quality = worse(_quality(pelvis_alignment), _quality(lumbar.alignment))
    return Metric(name, pelvis_change_deg - lumbar_deg, None, None, 1, quality)


def _drifting(pelvis: SegmentMotion, alignment: Alignment) -> tuple[Quality, Quality]:
    """Doubt what a long repetition turned about x and about z, each where it was near the plumb line.

    Upright that is rotation; lying it is obliquity, and rotation is as sharp as gravity is.
    """
    if len(pelvis.up) <= LONGEST_SHARP_S * HOP_RATE_HZ:
        return Quality.GOOD, Quality.GOOD
    up_x, _, up_z = alignment.matrix @ pelvis.up[0]
    about_x, about_z = (Quality.USABLE if abs(part) > 0.5 else Quality.GOOD for part in (up_x, up_z))
    return about_x, about_z


def _quality(alignment: Alignment) -> Quality:
    known = alignment.method is AlignmentMethod.STANDING_AND_BOWS
    return Quality.GOOD if known else Quality.USABLE


def _has_holes(motion: SegmentMotion) -> bool:
    rows = motion.up if motion.quaternion is None else motion.quaternion
    return not len(rows) or bool(np.isnan(rows).any())


def _range(name: str, values_deg: NDArray[np.float64], quality: Quality) -> Metric:
    return Metric(name, float(np.ptp(values_deg)), None, None, 1, quality)


def _all_missing(reason: str, lumbar_reason: str | None) -> tuple[Metric, ...]:
    *pelvis, lumbar = PELVIS_METRICS
    return (*(missing(name, reason) for name in pelvis), missing(lumbar, lumbar_reason or reason))

"""How the pelvis moved within one repetition, always as a change from that repetition's own start.

With R(t) from body to world axes, D(t) = R(start)ᵀ R(t) = Ry(pitch) Rx(obliquity) Rz(rotation). The heading
of a sensor without magnetometer is arbitrary, but the same at the start and at t, so it cancels.
Positive: leaning forward (anterior tilt), left side higher, turning to the left.
Every figure carries its 95 % interval; what that holds, and that it leaves the sliding of skin on bone out,
is said in :mod:`emgmon.metrics.pelvis_error`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment, AlignmentMethod, tilt_deg
from emgmon.dsp.rotations import angle_deg, rotation_matrices, unit
from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.metrics.engagement import Z_95, missing, worse
from emgmon.metrics.pelvis_error import (
    OBLIQUITY,
    PITCH,
    RANGE_HIGH,
    RANGE_LOW,
    ROTATION,
    CalmAngles,
    calmed,
    cut_deg,
    drift_error_deg,
    held_error_deg,
    moment_error_deg,
    sensor_error_deg,
    slow_error_deg,
    start_error_deg,
)

PELVIS_METRICS = (
    "pelvis_pitch_range_deg",
    "pelvis_anterior_change_deg",
    "pelvis_rotation_range_deg",
    "pelvis_obliquity_range_deg",
    "lumbar_extension_deg",
)
"""Given of every exercise, in this order."""

Tipping = Literal["reversal", "lockout"]
"""How a pelvis can tip where it should not: forward again at the top, or back beyond standing at the end."""

TIPPING_METRICS: dict[Tipping, str] = {"reversal": "pelvis_reversal_deg", "lockout": "pelvis_lockout_deg"}

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
NO_PHASES = "needs repetitions that were found on movement: bursts of activity do not show where a hold ends"


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
    tipping: Tipping | None = None,
    back: int | None = None,
) -> tuple[Metric, ...]:
    """Pelvis motion of one repetition, by the names of `PELVIS_METRICS`, and what `tipping` asks for.

    ``pelvis_reversal_deg`` is how far the pelvis has tipped forward, when the hold ends, from the most
    backward pitch that it had reached by then. ``pelvis_lockout_deg`` is how far it tips back on the way up,
    beyond the pitch with which this repetition began: the same with every alignment, and whether or not a
    sensor slipped since the person stood still. Neither is ever below 0.

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
    tipping
        What is asked besides; ``None`` where neither means anything in the exercise.
    back
        Index of the hop at which the way back begins; ``None`` where phases are not known.
    """
    asked = PELVIS_METRICS if tipping is None else (*PELVIS_METRICS, TIPPING_METRICS[tipping])
    lumbar_reason = None if lumbar else NO_LUMBAR
    if pelvis is None:
        return _all_missing(asked, NO_SENSOR, lumbar_reason)
    reason = gap or (HOLES if _has_holes(pelvis) else None)
    if reason is None and pelvis.alignment is None:
        reason = NO_ALIGNMENT
    if reason is not None or pelvis.alignment is None:
        return _all_missing(asked, reason or NO_ALIGNMENT, lumbar_reason)
    if pelvis.quaternion is None:
        held = _held_change(pelvis.up, pelvis.alignment, turn)
        rest = _all_missing(asked, NO_GYROSCOPE, lumbar_reason)
        return tuple(held if metric.name == held.name else metric for metric in rest)
    seen = _Seen.of(pelvis, pelvis.alignment, pelvis.quaternion)
    given = (
        seen.range("pelvis_pitch_range_deg", PITCH),
        seen.anterior_change(turn),
        seen.range("pelvis_rotation_range_deg", ROTATION),
        seen.range("pelvis_obliquity_range_deg", OBLIQUITY),
        _lumbar_extension(seen, lumbar, turn),
    )
    return given if tipping is None else (*given, seen.tipped(tipping, back))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One segment of one repetition, as a gyroscope shows it."""

    angles: CalmAngles
    alignment: Alignment
    up: NDArray[np.float64]
    """In body axes at the start, shape (3,)."""

    @classmethod
    def of(cls, motion: SegmentMotion, alignment: Alignment, quaternion: NDArray[np.float64]) -> "_Seen":
        split = segment_angles(quaternion, alignment)
        angles = calmed(np.stack([split.pitch_deg, split.obliquity_deg, split.rotation_deg]))
        return cls(angles, alignment, alignment.matrix @ motion.up[0])

    @property
    def n_hops(self) -> int:
        return int(self.angles.deg.shape[1])

    @property
    def quality(self) -> Quality:
        known = self.alignment.method is AlignmentMethod.STANDING_AND_BOWS
        return Quality.GOOD if known else Quality.USABLE

    @property
    def edges_error_deg(self) -> float:
        return math.hypot(start_error_deg(self.angles), slow_error_deg(self.n_hops))

    def range(self, name: str, angle: int) -> Metric:
        """Largest less smallest value of an angle."""
        values_deg = self.angles.deg[angle]
        value_deg = float(self.angles.ranges_deg[angle])
        margin_deg = Z_95 * math.hypot(
            sensor_error_deg(self.angles, self.alignment, angle=angle),
            self.edges_error_deg,
            drift_error_deg(self.n_hops, self.up, angle=angle),
        )
        low_deg = max(0.0, value_deg - margin_deg - RANGE_LOW * self.angles.left_deg)
        high_deg = value_deg + max(0.0, margin_deg - RANGE_HIGH * self.angles.left_deg)
        high_deg += sum(
            cut_deg(self.angles, angle, int(hop)) for hop in (values_deg.argmin(), values_deg.argmax())
        )
        return Metric(name, value_deg, low_deg, high_deg, 1, worse(self.quality, self._drifting(angle)))

    def _drifting(self, angle: int) -> Quality:
        """Doubt what a long repetition turned about x and about z, each where it was near the plumb line.

        Upright that is rotation; lying it is obliquity, and rotation is as sharp as gravity is.
        """
        axis = {OBLIQUITY: 0, ROTATION: 2}.get(angle)
        if axis is None or self.n_hops <= LONGEST_SHARP_S * HOP_RATE_HZ:
            return Quality.GOOD
        return Quality.USABLE if abs(float(self.up[axis])) > 0.5 else Quality.GOOD

    def anterior_change(self, turn: int) -> Metric:
        """Pitch at the turn."""
        pitch_deg = self.angles.deg[PITCH]
        error_deg = math.hypot(
            sensor_error_deg(self.angles, self.alignment),
            self.edges_error_deg,
            moment_error_deg(pitch_deg, turn),
        )
        return _anterior_change(float(pitch_deg[turn]), error_deg, self.alignment, self.quality)

    def tipped(self, tipping: Tipping, back: int | None) -> Metric:
        """How far the pelvis tipped where it should not."""
        name, pitch_deg = TIPPING_METRICS[tipping], self.angles.deg[PITCH]
        if not self.alignment.sides_known:
            return missing(name, NO_DIRECTION)
        if back is None or not 0 <= back < self.n_hops:
            return missing(name, NO_PHASES)
        error_deg = math.hypot(sensor_error_deg(self.angles, self.alignment), slow_error_deg(self.n_hops))
        if tipping == "reversal":
            farthest = int(np.argmin(pitch_deg[: back + 1]))
            value_deg = float(pitch_deg[back] - pitch_deg[farthest])
            error_deg = math.hypot(error_deg, moment_error_deg(pitch_deg, back))
        else:
            farthest = back + int(np.argmin(pitch_deg[back:]))
            value_deg = max(0.0, -float(pitch_deg[farthest]))
            error_deg = math.hypot(error_deg, start_error_deg(self.angles))
        low_deg = max(0.0, value_deg - Z_95 * error_deg - RANGE_LOW * self.angles.left_deg)
        high_deg = value_deg + Z_95 * error_deg + cut_deg(self.angles, PITCH, farthest)
        return Metric(name, value_deg, low_deg, high_deg, 1, self.quality)


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


def _held_change(up: NDArray[np.float64], alignment: Alignment, turn: int) -> Metric:
    """Give the change of pitch between start and turn from gravity alone."""
    start_deg = held_pitch_deg(up, alignment, 0)
    turn_deg = held_pitch_deg(up, alignment, turn)
    if start_deg is None or turn_deg is None:
        return missing("pelvis_anterior_change_deg", NOT_STILL)
    change_deg = (turn_deg - start_deg + 180.0) % 360.0 - 180.0
    _, rolls_deg = tilt_deg(up[[0, turn]], alignment)
    error_deg = held_error_deg(float(np.ptp(rolls_deg)))
    return _anterior_change(change_deg, error_deg, alignment, Quality.USABLE)


def _anterior_change(change_deg: float, error_deg: float, alignment: Alignment, quality: Quality) -> Metric:
    if not alignment.sides_known:
        return missing("pelvis_anterior_change_deg", NO_DIRECTION)
    return _signed("pelvis_anterior_change_deg", change_deg, error_deg, quality)


def _signed(name: str, value_deg: float, error_deg: float, quality: Quality) -> Metric:
    margin_deg = Z_95 * error_deg
    return Metric(name, value_deg, value_deg - margin_deg, value_deg + margin_deg, 1, quality)


def _lumbar_extension(pelvis: _Seen, lumbar: SegmentMotion | None, turn: int) -> Metric:
    """Change of pelvis pitch minus change of lumbar pitch; positive when the trunk bends backwards."""
    name = "lumbar_extension_deg"
    if lumbar is None:
        return missing(name, NO_LUMBAR)
    if lumbar.quaternion is None:
        return missing(name, NO_LUMBAR_GYROSCOPE)
    if lumbar.alignment is None:
        return missing(name, NO_LUMBAR_ALIGNMENT)
    if not (pelvis.alignment.sides_known and lumbar.alignment.sides_known):
        return missing(name, NO_DIRECTION)
    if _has_holes(lumbar):
        return missing(name, HOLES)
    upper = _Seen.of(lumbar, lumbar.alignment, lumbar.quaternion)
    extension_deg = pelvis.angles.deg[PITCH] - upper.angles.deg[PITCH]
    error_deg = math.hypot(
        sensor_error_deg(pelvis.angles, pelvis.alignment),
        sensor_error_deg(upper.angles, upper.alignment),
        pelvis.edges_error_deg,
        moment_error_deg(extension_deg, turn),
    )
    return _signed(name, float(extension_deg[turn]), error_deg, worse(pelvis.quality, upper.quality))


def _has_holes(motion: SegmentMotion) -> bool:
    rows = motion.up if motion.quaternion is None else motion.quaternion
    return not len(rows) or bool(np.isnan(rows).any())


def _all_missing(names: tuple[str, ...], reason: str, lumbar_reason: str | None) -> tuple[Metric, ...]:
    reasons = {"lumbar_extension_deg": lumbar_reason or reason}
    return tuple(missing(name, reasons.get(name, reason)) for name in names)

"""Which way a sensor sits on the body: learnt from a stance and bows, or from repetitions; never assumed.

Body axes: x anterior, y left, z towards the head. Pitch about y: 0 upright, +90 on the front, -90 on the
back; leaning forward is positive.
"""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.rotations import (
    angle_deg,
    nearest_rotation,
    rotation_between,
    rotation_matrices,
    rotation_vectors,
    turn_between_deg,
    unit,
)
from emgmon.errors import CalibrationError
from emgmon.events import HOP_RATE_HZ

MIN_STANCE_S = 2.0
MIN_BOWS_S = 2.0

LARGEST_STANCE_SPREAD_DEG = 3.0
"""Quiet standing sways by about a degree; a sensor that turned by more was not worn standing still."""

SMALLEST_BOW_DEG = 15.0
"""A smaller bow does not stand out of the sway about the other axes."""

LEAST_AXIS_SHARE = 0.9
"""Least share of the angular rate's power that has to be about one axis."""

LARGEST_TILT_OF_BOW_AXIS_DEG = 20.0

SMALLEST_LEARNT_DEG = 8.0
"""A repetition that turns the pelvis by less does not tell its axes."""

LARGEST_TILT_OF_LEARNT_AXIS_DEG = 25.0

LARGEST_DISAGREEMENT_DEG = 15.0
"""Repetitions whose medio-lateral axis lies farther than this from their mean have taught nothing."""

STANCE_AND_BOWS = "Stand still for 5 s, then bow slowly from the hips three times, at least 30° forward."
"""What to do for an alignment; also the advice when one was refused."""

SegmentSite = Literal["pelvis", "lumbar"]

PelvisTurn = Literal["pitch-forward", "pitch-backward", "rotation", "little"]
"""What the pelvis does from the start of a repetition to its turn."""

Matrix9 = tuple[float, float, float, float, float, float, float, float, float]
"""A rotation matrix, row after row."""


class AlignmentMethod(enum.StrEnum):
    """What an alignment was learnt from."""

    STANDING_AND_BOWS = "standing-and-bows"
    REPETITIONS = "repetitions"


CALMED_HOPS = 15
"""Angular rate in the bows is averaged over this many hops to either side."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How one sensor sits on its body segment, and how sure that is; kept in the recording's header."""

    site: SegmentSite
    method: AlignmentMethod
    sensor_to_body: Matrix9
    """Turns a vector in sensor axes into body axes."""
    turn_deg: float
    """How far the bows or the repetition went; of several repetitions the smallest."""
    first_axis_share: float | None = None
    """Share of the turning that was about the axis which was taken, 0 to 1."""
    off_expected_deg: float | None = None
    """How far that axis lay from where gravity says it should (for bows: off horizontal)."""
    stance_spread_deg: float | None = None
    """95 % of the quiet stance lay within this angle of its mean."""
    n_reps: int = 0
    """How many repetitions it was learnt from."""
    disagreement_deg: float | None = None
    """How far the medio-lateral axis of the farthest of several repetitions lies from their mean."""
    sides_known: bool = True
    """Where false, left and right, and forwards and backwards, may both be swapped."""

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Sensor to body, shape (3, 3)."""
        return np.array(self.sensor_to_body).reshape(3, 3)

    @property
    def knows_neutral(self) -> bool:
        """Whether pitch 0 is the person's own quiet stance."""
        return self.method is AlignmentMethod.STANDING_AND_BOWS


@dataclass(frozen=True, slots=True, eq=False)
class MotionTrack:
    """One motion sensor of a session on the 100 Hz grid; NaN where nothing was measured."""

    site: str
    side: str | None
    first_hop: int
    up: NDArray[np.float64]
    """Unit vector that points up, in sensor axes, shape (n, 3)."""
    quaternion: NDArray[np.float64] | None
    """Sensor to earth as w, x, y, z, heading arbitrary, shape (n, 4); ``None`` without a gyroscope."""
    rate_radps: NDArray[np.float64] | None
    """Angular rate in sensor axes, shape (n, 3); ``None`` without a gyroscope."""


def tilt_deg(
    up: NDArray[np.float64], alignment: Alignment
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitch and obliquity of a segment from gravity alone.

    Exact while the segment only pitches. With obliquity o the pitch is that of the sagittal plane; which way
    the person faces plays no part.

    Parameters
    ----------
    up
        Unit vectors in sensor axes, shape (n, 3).
    alignment
        How the sensor sits.

    Returns
    -------
    pitch_deg, obliquity_deg
        Shape (n,) each; positive is leaning forward, and left side higher.
    """
    x, y, z = alignment.matrix @ up.T
    return np.degrees(np.arctan2(-x, z)), np.degrees(np.arcsin(np.clip(y, -1.0, 1.0)))


def align_from_bows(
    stance_up: NDArray[np.float64],
    bow_rate_radps: NDArray[np.float64] | None,
    bow_up: NDArray[np.float64],
    *,
    site: SegmentSite = "pelvis",
) -> Alignment:
    """Learn the alignment from a quiet stance and a few slow bows that begin from it.

    Gravity in the stance is the body's length axis; the principal axis of the angular rate in the bows is
    the medio-lateral axis, made orthogonal to it; the first bow leads forward. (Principal axis of the
    angular rate: Kong et al. 2016, Sensors, PMC5190992; review: Pacher et al. 2020, Sensors 20:3322.)

    Parameters
    ----------
    stance_up
        Up in sensor axes while standing still, shape (n, 3), 100 Hz.
    bow_rate_radps
        Angular rate in sensor axes during the bows, shape (m, 3); ``None`` without a gyroscope, then the
        axis is the one about which gravity turns.
    bow_up
        Up in sensor axes during the bows, shape (m, 3), 100 Hz.
    site
        Where the sensor sits.

    Raises
    ------
    CalibrationError
        When the stance moved or the bows do not tell an axis.
    """
    stance, bows = _measured(stance_up), _measured(bow_up)
    _refuse_short("quiet stance", stance, MIN_STANCE_S)
    _refuse_short("stretch with bows", bows, MIN_BOWS_S)
    up = unit(stance.sum(axis=0))
    spread_deg = float(np.percentile(angle_deg(unit(stance), up), 95))
    if spread_deg > LARGEST_STANCE_SPREAD_DEG:
        raise _refused(f"the sensor turned by {spread_deg:.1f}° during the quiet stance")
    lean_deg = angle_deg(unit(bows), up)
    bow_deg = float(lean_deg.max())
    if bow_deg < SMALLEST_BOW_DEG:
        raise _refused(f"the bows tilted the sensor by only {bow_deg:.0f}°")
    turns = np.cross(bows, up)
    axis, share = _principal_axis(turns if bow_rate_radps is None else _calmed(_measured(bow_rate_radps)))
    off_deg = abs(math.degrees(math.asin(min(1.0, max(-1.0, float(axis @ up))))))
    if share < LEAST_AXIS_SHARE:
        raise _refused(f"only {100 * share:.0f} % of the turning in the bows was about one axis")
    if off_deg > LARGEST_TILT_OF_BOW_AXIS_DEG:
        raise _refused(f"the axis of the bows lies {off_deg:.0f}° off horizontal")
    first_lean = int(np.argmax(lean_deg > bow_deg / 2.0))
    left = axis if turns[first_lean] @ axis > 0.0 else -axis
    matrix = rotation_between((up, left), (_Z, _Y))
    return Alignment(
        site, AlignmentMethod.STANDING_AND_BOWS, _as_tuple(matrix), bow_deg, share, off_deg, spread_deg
    )


def align_from_repetition(
    quaternion: NDArray[np.float64],
    *,
    start_pitch_deg: float,
    pelvis_turn: PelvisTurn,
    site: SegmentSite = "pelvis",
) -> Alignment | None:
    """Learn the alignment from one repetition of a known exercise, between its start and its turn.

    Up at the start is known in the sagittal plane. The mean of all rotations away from the start is about
    the medio-lateral axis where the pelvis mainly pitches, and about the body's length axis where it mainly
    rotates. The sign of a rotation is not known: it is taken to be towards the left, and the alignment
    says ``sides_known=False``.

    Parameters
    ----------
    quaternion
        Sensor to earth as w, x, y, z from the start to the turn, shape (n, 4).
    start_pitch_deg
        Pitch of the segment in the exercise's start position.
    pelvis_turn
        What the segment does on the way out.
    site
        Where the sensor sits.

    Returns
    -------
    Alignment or None
        ``None`` when this movement cannot tell: too small, about an axis that does not fit the exercise,
        or not measured whole. Then a quiet stance and bows are needed.
    """
    if len(quaternion) < 2 or bool(np.isnan(quaternion).any()):
        return None
    up = rotation_matrices(quaternion[:1])[0, 2]
    turns = rotation_vectors(quaternion)
    return _learn(up, turns, start_pitch_deg, pelvis_turn, site)


def align_from_held_poses(
    start_up: NDArray[np.float64],
    turn_up: NDArray[np.float64],
    *,
    start_pitch_deg: float,
    pelvis_turn: PelvisTurn,
    site: SegmentSite = "pelvis",
) -> Alignment | None:
    """Learn the alignment from gravity alone, at the start and the turn of a repetition, both held still.

    Gravity cannot tell whether the axis was horizontal, so this is the less certain of the two.

    Parameters
    ----------
    start_up, turn_up
        Up in sensor axes, shape (3,) each.
    start_pitch_deg, pelvis_turn, site
        As for :func:`align_from_repetition`.
    """
    if bool(np.isnan(start_up).any() or np.isnan(turn_up).any()):
        return None
    up = unit(start_up)
    axis = np.cross(unit(turn_up), up)
    turned_rad = math.radians(float(angle_deg(unit(turn_up), up)))
    turns = turned_rad * axis[np.newaxis] / max(float(np.linalg.norm(axis)), 1e-12)
    return _learn(up, turns, start_pitch_deg, pelvis_turn, site)


def averaged(alignments: Sequence[Alignment]) -> Alignment | None:
    """Mean of alignments that were learnt from several repetitions.

    The rotation that is closest to all of them in the sense of the chord (Moakher 2002, SIAM J Matrix Anal
    Appl 24:1, 10.1137/S0895479801383877). Where the sides are not known the others are turned to the first.
    Only the medio-lateral axes have to agree: people begin their repetitions 10 to 20 degrees more or less
    upright, which changes no pitch within a repetition.

    Returns
    -------
    Alignment or None
        ``None`` when there is none, or when they disagree by more than `LARGEST_DISAGREEMENT_DEG`.
    """
    if not alignments:
        return None
    first = alignments[0]
    parts = [_nearer(first, other) for other in alignments]
    matrix = nearest_rotation(np.sum([part.matrix for part in parts], axis=0))
    lateral = np.array([part.matrix[1] for part in parts])
    disagreement_deg = float(angle_deg(lateral, matrix[1]).max())
    if disagreement_deg > LARGEST_DISAGREEMENT_DEG:
        return None
    shares = [part.first_axis_share for part in parts if part.first_axis_share is not None]
    offs = [part.off_expected_deg for part in parts if part.off_expected_deg is not None]
    return replace(
        first,
        sensor_to_body=_as_tuple(matrix),
        turn_deg=min(part.turn_deg for part in parts),
        first_axis_share=min(shares, default=None),
        off_expected_deg=max(offs, default=None),
        n_reps=sum(part.n_reps for part in parts),
        disagreement_deg=disagreement_deg if len(parts) > 1 else None,
    )


def swap_sides(alignment: Alignment) -> Alignment:
    """Turn the body about its x axis: left becomes right, and towards the head becomes towards the feet."""
    return replace(alignment, sensor_to_body=_as_tuple(np.diag([1.0, -1.0, -1.0]) @ alignment.matrix))


_Y, _Z = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])

_TURN_AXES: dict[PelvisTurn, NDArray[np.float64]] = {
    "pitch-forward": _Y,
    "pitch-backward": -_Y,
    "rotation": _Z,
}
"""About which body axis the pelvis turns on the way out; in the prone start +z lifts the left side."""


def _learn(
    up: NDArray[np.float64],
    turns: NDArray[np.float64],
    start_pitch_deg: float,
    pelvis_turn: PelvisTurn,
    site: SegmentSite,
) -> Alignment | None:
    """Choose the rotation that puts up and the mean axis of the turns, shape (n, 3) in radians, in place."""
    body_axis = _TURN_AXES.get(pelvis_turn)
    total = turns.sum(axis=0)
    turn_deg = math.degrees(float(np.linalg.norm(turns, axis=1).max()))
    if body_axis is None or turn_deg < SMALLEST_LEARNT_DEG or not total.any():
        return None
    axis = unit(total)
    pitch_rad = math.radians(start_pitch_deg)
    body_up = np.array([-math.sin(pitch_rad), 0.0, math.cos(pitch_rad)])
    off_deg = abs(float(angle_deg(axis, up) - angle_deg(body_axis, body_up)))
    # Where the axis should be upright, gravity says nothing about the direction in which the body faces.
    if off_deg > LARGEST_TILT_OF_LEARNT_AXIS_DEG or abs(float(body_axis @ body_up)) > 0.5:
        return None
    return Alignment(
        site,
        AlignmentMethod.REPETITIONS,
        _as_tuple(rotation_between((up, axis), (body_up, body_axis))),
        turn_deg,
        first_axis_share=_share_about(turns, axis),
        off_expected_deg=off_deg,
        n_reps=1,
        sides_known=pelvis_turn != "rotation",
    )


def _measured(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows[~np.isnan(rows).any(axis=1)]


def _refused(message: str) -> CalibrationError:
    return CalibrationError(message, advice=STANCE_AND_BOWS)


def _refuse_short(what: str, rows: NDArray[np.float64], least_s: float) -> None:
    seconds = len(rows) / HOP_RATE_HZ
    if seconds < least_s:
        raise _refused(f"the {what} holds only {seconds:.1f} s of measured motion")


def _principal_axis(turns: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Give the unit axis with most of the power, sign arbitrary, and its share; the mean stays in."""
    power, axes = np.linalg.eigh(turns.T @ turns)
    total = float(power.sum())
    return axes[:, 2], float(power[2]) / total if total > 0.0 else 0.0


def _calmed(rate_radps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average out the swing of skin and fat under the sensor, which is much faster than a bow."""
    half = min(CALMED_HOPS, len(rate_radps) // 4)
    total = np.cumsum(np.concatenate([np.zeros((1, 3)), rate_radps]), axis=0)
    width = 2 * half + 1
    calmed: NDArray[np.float64] = (total[width:] - total[:-width]) / width
    return calmed


def _share_about(turns: NDArray[np.float64], axis: NDArray[np.float64]) -> float:
    return min(1.0, float(np.sum((turns @ axis) ** 2) / np.sum(turns**2)))


def _nearer(first: Alignment, other: Alignment) -> Alignment:
    if first.sides_known and other.sides_known:
        return other
    swapped = swap_sides(other)
    as_is = turn_between_deg(first.matrix, other.matrix)
    return swapped if turn_between_deg(first.matrix, swapped.matrix) < as_is else other


def _as_tuple(matrix: NDArray[np.float64]) -> Matrix9:
    a, b, c, d, e, f, g, h, i = matrix.ravel().tolist()
    return a, b, c, d, e, f, g, h, i

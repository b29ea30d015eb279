"""Where the segments of the body are and how they are turned at any time, without sensor or noise.

World axes: X and Y level, Z up. Body axes of every segment: x anterior, y left, z towards the head.
Pitch turns about y: 0 upright, positive leaning forward, 90 degrees lying on the front, -90 on the back.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.chance import generator
from emgmon.virtual.curve import SmoothCurve, SmoothPath
from emgmon.virtual.exercise_model import ExerciseModel
from emgmon.virtual.floor_path import FloorPath
from emgmon.virtual.geometry import about_x, about_y, about_z
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import PARTIAL_RANGE, Plan, RepPlan
from emgmon.virtual.wander import Wander, drawn_sway, wander

LUMBAR_M = 0.18
"""From the sensor on the pelvis up to the one at T12/L1."""

HIP_M = (0.04, 0.09, -0.05)
"""From the sensor on the pelvis to the left hip joint, in pelvis axes; the right one has y negative."""

THIGH_M = 0.20
"""From the hip joint down to the sensor on the thigh."""

PRONE_PITCH_DEG = 45.0
"""Whose start position leans further sways about the body's length, not about the vertical."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the body that a sensor can be worn on."""

    site: str
    """``pelvis``, ``lumbar`` (T12/L1) or ``thigh``."""
    side: str | None = None


PELVIS = Segment("pelvis")
LUMBAR = Segment("lumbar")


class Placed(NamedTuple):
    """Position and orientation of a segment at n times."""

    position_m: NDArray[np.float64]
    """Shape (n, 3), world axes."""
    turn: NDArray[np.float64]
    """Shape (n, 3, 3), body to world."""


class FarPose(NamedTuple):
    """How the far position of one repetition differs from the start; angles in degrees."""

    way: float
    """Of the pelvis, as a fraction of the exercise's mean."""
    tilt: float
    """Of the pelvis's pitch, as a fraction of the exercise's mean."""
    pitch_excess: float
    obliquity: float
    rotation: float
    lumbar_extension: float
    left_thigh: float
    right_thigh: float


BOWED = FarPose(
    way=0.0,
    tilt=0.0,
    pitch_excess=40.0,
    obliquity=0.0,
    rotation=0.0,
    lumbar_extension=-9.0,
    left_thigh=-10.0,
    right_thigh=-10.0,
)
"""Far position of a bow of the calibration: the pelvis leans forward, the back rounds a little."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyMotion:
    """The whole movement of the body, as functions of time."""

    model: ExerciseModel
    reps: SmoothPath
    """Columns of :class:`FarPose`; all 0 in the start position."""
    heading_rad: float
    sway: tuple[Wander, ...]
    """Metres along X, Y, Z, then degrees of roll, pitch, yaw."""
    floor: FloorPath | None
    """Where the person is between the sets; ``None`` for always in the start position."""
    lean_deg: SmoothCurve | None = None
    """Pitch that a repetition's own way out and back does not have: see :func:`lean`."""

    def place(
        self, segment: Segment, times_s: NDArray[np.float64], shake: NDArray[np.float64] | None = None
    ) -> Placed:
        """Place a segment.

        Parameters
        ----------
        segment
            Which one.
        times_s
            Shape (n,).
        shake
            Added to the segment: metres along X, Y, Z, degrees of roll, pitch, yaw; shape (n, 6).
        """
        now = _Now.of(self, times_s)
        still = np.zeros((len(times_s), 3))
        angles, shift = (still, still) if shake is None else (shake[:, 3:], shake[:, :3])
        turn = self._turn(segment, now, angles)
        position = now.position_m + shift
        if segment.site != PELVIS.site:
            # The skin turns under the sensor, the bone that carries it away does not.
            bone = turn if shake is None else self._turn(segment, now, still)
            position = position + self._lever(segment, self._turn(PELVIS, now, still), bone)
        return Placed(position, turn)

    def _turn(self, segment: Segment, now: "_Now", shake_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        model, reps, floor = self.model, now.reps, now.floor
        pitch_deg = reps[:, 1] * model.pitch_deg + reps[:, 2]
        follows = 1.0
        start_deg = floor[:, 4]
        if segment.site == LUMBAR.site:
            pitch_deg, follows = pitch_deg - reps[:, 5], model.lumbar_turn_share
        elif segment.site == "thigh":
            left = segment.side == "left"
            start_deg, pitch_deg = floor[:, 7 if left else 8], reps[:, 6 if left else 7]
            follows = 1.0 if model.posture == "prone" else 0.0
        sway_deg = now.sway[:, 3:] + shake_deg
        pitch = np.deg2rad(start_deg + now.facing * pitch_deg) + np.deg2rad(sway_deg[:, 1])
        obliquity = np.deg2rad(sway_deg[:, 0]) + np.deg2rad(floor[:, 5] + now.facing * follows * reps[:, 3])
        yaw, rotation = np.deg2rad(sway_deg[:, 2]), np.deg2rad(floor[:, 6] + follows * reps[:, 4])
        if model.start_pitch_deg > PRONE_PITCH_DEG:
            yaw, rotation = np.zeros(len(yaw)), rotation + yaw
        heading = self.heading_rad + np.deg2rad(floor[:, 3]) + yaw
        turn = about_z(heading) @ about_y(pitch) @ about_x(obliquity)
        return np.asarray(turn @ about_z(rotation) if np.any(rotation) else turn)

    @staticmethod
    def _lever(
        segment: Segment, pelvis: NDArray[np.float64], turn: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """From the pelvis's sensor to the segment's; shape (n, 3)."""
        if segment.site == LUMBAR.site:
            return np.asarray(LUMBAR_M / 2.0 * (pelvis[:, :, 2] + turn[:, :, 2]))
        side = 1.0 if segment.side == "left" else -1.0
        hip = pelvis @ np.array([HIP_M[0], side * HIP_M[1], HIP_M[2]])
        return np.asarray(hip - THIGH_M * turn[:, :, 2])


class _Now(NamedTuple):
    """Everything that moves, at n times."""

    reps: NDArray[np.float64]
    floor: NDArray[np.float64]
    sway: NDArray[np.float64]
    position_m: NDArray[np.float64]
    facing: NDArray[np.float64]
    """-1 while the person has rolled over, else 1: which way the body's x and y point."""

    @classmethod
    def of(cls, body: BodyMotion, times_s: NDArray[np.float64]) -> "_Now":
        model, reps, sway = body.model, body.reps.at(times_s), wander(body.sway, times_s)
        if body.lean_deg is not None:
            lean_deg = body.lean_deg.at(times_s)
            reps[:, 2] += lean_deg
            reps[:, 5] += np.abs(lean_deg)
        if body.floor is None:
            start = (0.0, 0.0, 0.0, 0.0, model.start_pitch_deg, 0.0, 0.0, *[model.thigh_start_pitch_deg] * 2)
            floor = np.broadcast_to(np.asarray(start), (len(times_s), len(start)))
        else:
            floor = body.floor.at(times_s)
        facing = np.cos(np.deg2rad(floor[:, 6]))
        forward = body.heading_rad + np.deg2rad(floor[:, 3] + floor[:, 6])
        position = sway[:, :3] + floor[:, :3]
        position[:, 0] += reps[:, 0] * model.forward_m * np.cos(forward)
        position[:, 1] += reps[:, 0] * model.forward_m * np.sin(forward)
        position[:, 2] += reps[:, 0] * model.height_m
        return cls(reps, floor, sway, position, facing)


def move_body(params: AthleteParams, plan: Plan) -> BodyMotion:
    """Give the movement of a person who performs a plan."""
    chance = generator(params.seed, "motion")
    heading_rad = float(chance.uniform(-np.pi, np.pi))
    chance.standard_normal(4)  # the pelvis sensor's mounting is drawn from the same generator
    bows_s = plan.calibration.bow_edges_s if plan.calibration else ()
    return BodyMotion(
        model=params.model,
        reps=there_and_back(
            [*bows_s, *(rep.edges_s for rep in plan.reps)],
            [BOWED] * len(bows_s) + [far_pose(rep, params) for rep in plan.reps],
        ),
        heading_rad=heading_rad,
        sway=drawn_sway(chance),
        floor=FloorPath.through(params, plan.set_up, heading_rad=heading_rad) if plan.set_up else None,
        lean_deg=lean(params, plan.reps),
    )


def lean(params: AthleteParams, reps: Sequence[RepPlan]) -> SmoothCurve | None:
    """Tip the pelvis forward again at the top, or back beyond standing before the end.

    Either way the lumbar spine extends by as much: at the top under a trunk that stays, at the end with a
    trunk that goes back twice as far.
    """
    if params.reversal_deg:
        return _leaning(reps, params.reversal_deg, _reversing_s)
    return _leaning(reps, -params.lockout_deg, _locking_out_s) if params.lockout_deg else None


def _leaning(
    reps: Sequence[RepPlan], lean_deg: float, times_s: Callable[[RepPlan], tuple[float, ...]]
) -> SmoothCurve:
    parts = [_excess_part(rep) * lean_deg for rep in reps]
    knots = [
        (time_s, deg)
        for rep, part in zip(reps, parts, strict=True)
        for time_s, deg in zip(times_s(rep), (0.0, part, part, 0.0), strict=True)
    ]
    columns = np.asarray(knots)
    return SmoothCurve(columns[:, 0], columns[:, 1])


def _reversing_s(rep: RepPlan) -> tuple[float, float, float, float]:
    out_s, dwell_s, _ = np.diff(rep.edges_s).tolist()
    return rep.reached_s - 0.2 * out_s, rep.reached_s + 0.5 * dwell_s, rep.left_s, rep.end_s


def _locking_out_s(rep: RepPlan) -> tuple[float, float, float, float]:
    back_s = rep.end_s - rep.left_s
    return rep.left_s + 0.4 * back_s, rep.left_s + 0.7 * back_s, rep.left_s + 0.88 * back_s, rep.end_s


def there_and_back(edges_s: Sequence[tuple[float, ...]], far: Sequence[FarPose]) -> SmoothPath:
    """Leave the start position, stay in the far one, and come back: at four times of every repetition."""
    times_s = [time_s for edges in edges_s for time_s in edges]
    rest = (0.0,) * len(FarPose._fields)
    values = [pose for one in far for pose in (rest, one, one, rest)]
    return SmoothPath(np.asarray(times_s), np.asarray(values))


def far_pose(rep: RepPlan, params: AthleteParams) -> FarPose:
    """Say where a repetition goes.

    The trunk moves as the exercise's model and the lumbar share say. What the pelvis tilts in excess,
    it tilts under a trunk that stays, so the lumbar spine extends by the same angle.
    """
    model = params.model
    working_deg = rep.thigh_scale * model.thigh_pitch_deg
    other_deg = working_deg if rep.side is None else rep.thigh_scale * model.other_thigh_pitch_deg
    pitch_excess_deg = _excess_part(rep) * params.pitch_excess_deg
    hip_extension_deg = working_deg - rep.pitch_scale * model.pitch_deg
    share = params.asked_lumbar_share
    return FarPose(
        way=rep.range_scale,
        tilt=rep.pitch_scale,
        pitch_excess=pitch_excess_deg,
        obliquity=_turned(rep, model.obliquity_deg, params.obliquity_excess_deg),
        rotation=_turned(rep, model.rotation_deg, params.rotation_excess_deg),
        lumbar_extension=share / (1.0 - share) * hip_extension_deg + pitch_excess_deg,
        left_thigh=other_deg if rep.side == "right" else working_deg,
        right_thigh=other_deg if rep.side == "left" else working_deg,
    )


def _turned(rep: RepPlan, own_deg: float, excess_deg: float) -> float:
    """Add to an exercise's own turn the excess, the same way round; without an own one as to the left."""
    more_deg = math.copysign(_excess_part(rep), own_deg) * excess_deg
    return rep.side_sign * rep.turn_scale * own_deg + (rep.side_sign or 1) * more_deg


def _excess_part(rep: RepPlan) -> float:
    return PARTIAL_RANGE if rep.partial else 1.0

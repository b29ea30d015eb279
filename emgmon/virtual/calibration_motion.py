"""What the worn inertial sensors measure while the person stands still and bows: input of the alignment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.body import BodyMotion, FarPose, Segment, there_and_back
from emgmon.virtual.chance import generator
from emgmon.virtual.exercise_model import ExerciseModel
from emgmon.virtual.inertial import ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS, record_imu
from emgmon.virtual.motion import mounted, worn_segments
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.wander import drawn_sway

STANCE_S = 5.0
"""Length of the quiet stance, pelvis upright."""

N_BOWS = 3
BOW_S = 2.5
"""Length of one bow, there and back."""

BOW_PAUSE_S = 0.5
"""Stillness before each bow and after the last."""

BOW_DEG = 40.0
"""How far the pelvis leans forward."""

BOW_LUMBAR_DEG = -9.0
"""Lumbar extension in the bow: the back rounds a little."""

BOW_THIGH_DEG = -10.0
"""The thighs tip as the hips go back."""

_BOW = ExerciseModel(
    name="bow",
    posture="standing",
    sides="both",
    out_s=0.45 * BOW_S,
    dwell_s=0.1 * BOW_S,
    back_s=0.45 * BOW_S,
    pause_s=BOW_PAUSE_S,
    lift_first=False,
    height_m=-0.03,
    forward_m=-0.08,
    start_pitch_deg=0.0,
    pitch_deg=BOW_DEG,
    thigh_start_pitch_deg=0.0,
    thigh_pitch_deg=BOW_THIGH_DEG,
    lumbar_share=0.15,
    work_pct=1.0,
    good_share_pct=50.0,
)


@dataclass(frozen=True, slots=True, eq=False)
class ImuTake:
    """What one sensor measured, and how it really sits."""

    segment: Segment
    imu: NDArray[np.float64]
    """Shape (n_samples, 6): specific force x, y, z in m/s², angular rate x, y, z in rad/s; the latter
    NaN for an accelerometer alone."""
    mounting: NDArray[np.float64]
    """Truth: shape (3, 3), sensor axes to segment axes."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationMotion:
    """A quiet stance and slow bows, before the sensors had time to slip. Time zero is the first sample."""

    rate_hz: float
    stance_s: tuple[float, float]
    """From and to."""
    bows_s: tuple[tuple[float, float], ...]
    """From and to of each bow."""
    takes: tuple[ImuTake, ...]
    """One for each sensor worn, in the order of their streams."""


def record_calibration_motion(params: AthleteParams) -> CalibrationMotion:
    """Let the person of a performance stand and bow, wearing the same sensors in the same way.

    In the stance every segment is upright: pelvis pitch, obliquity and that of the others are 0 but for
    the body's sway.
    """
    starts_s = [STANCE_S + BOW_PAUSE_S + bow * (BOW_S + BOW_PAUSE_S) for bow in range(N_BOWS)]
    bows_s = tuple((start_s, start_s + BOW_S) for start_s in starts_s)
    body = _bow(starts_s, seed=params.seed)
    n_samples = round((bows_s[-1][1] + BOW_PAUSE_S) * params.imu_rate_hz)
    return CalibrationMotion(
        rate_hz=params.imu_rate_hz,
        stance_s=(0.0, STANCE_S),
        bows_s=bows_s,
        takes=tuple(
            _record(params, body, segment, bows_s, n_samples=n_samples) for segment in worn_segments(params)
        ),
    )


def _bow(starts_s: list[float], *, seed: int) -> BodyMotion:
    chance = generator(seed, "calibration motion")
    far = FarPose(
        way=1.0,
        tilt=1.0,
        pitch_excess=0.0,
        obliquity=0.0,
        rotation=0.0,
        lumbar_extension=BOW_LUMBAR_DEG,
        left_thigh=BOW_THIGH_DEG,
        right_thigh=BOW_THIGH_DEG,
    )
    offsets_s = (0.0, _BOW.out_s, _BOW.out_s + _BOW.dwell_s, BOW_S)
    edges_s = [tuple(start_s + offset_s for offset_s in offsets_s) for start_s in starts_s]
    return BodyMotion(
        model=_BOW,
        reps=there_and_back(edges_s, [far] * len(starts_s)),
        heading_rad=float(chance.uniform(-np.pi, np.pi)),
        sway=drawn_sway(chance),
        floor=None,
    )


def _record(
    params: AthleteParams,
    body: BodyMotion,
    segment: Segment,
    bows_s: tuple[tuple[float, float], ...],
    *,
    n_samples: int,
) -> ImuTake:
    motion = mounted(params, body, segment, movements_s=bows_s)
    counts = record_imu(motion, n_samples, params, take="calibration motion")
    imu = counts * np.repeat([ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS], 3)
    imu[:, params.imu_axes :] = np.nan
    return ImuTake(segment, imu, motion.mounting)

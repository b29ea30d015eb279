"""The virtual athlete performs: parameters in; samples of every stream, calibration and truth out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.virtual.activation import MuscleActivation, activate
from emgmon.virtual.calibrate import calibrate, good_set
from emgmon.virtual.emg import Take, channel_models, record_channel
from emgmon.virtual.exercise_model import EXERCISE_MODELS, ExerciseModel
from emgmon.virtual.inertial import record_imu
from emgmon.virtual.montage import describe
from emgmon.virtual.motion import move_pelvis
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, RepPlan, make_plan
from emgmon.virtual.truth import ParamsTruth, PhaseTruth, RepTruth, Truth
from firmware_protocol.capabilities import Capabilities, Stream

__all__ = ["AthleteParams", "Performance", "StreamSamples", "perform"]


@dataclass(frozen=True, slots=True, eq=False)
class StreamSamples:
    """All samples of one stream, as the converter gave them."""

    stream: Stream
    first_time_us: int
    """Time of the first sample, counted from the start of the performance."""
    counts: NDArray[np.int16]
    """Shape (n_samples, n_channels)."""


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """One session of the virtual athlete. Time zero is the first sample of every stream."""

    capabilities: Capabilities
    streams: tuple[StreamSamples, ...]
    truth: Truth
    calibration: Calibration
    reference: ReferenceSet | None
    exercise: str


def perform(params: AthleteParams) -> Performance:
    """Perform the exercise.

    Raises
    ------
    SimulationError
        When the sets do not fit into the duration asked for.
    """
    plan = make_plan(params)
    glute, back = activate_muscles(plan, seed=params.seed)
    capabilities = describe(params)
    emg, imu = capabilities.streams
    return Performance(
        capabilities=capabilities,
        streams=(
            StreamSamples(emg, 0, _record_emg(plan, glute, back, params)),
            StreamSamples(imu, 0, _record_motion(plan, params)),
        ),
        truth=tell_truth(plan, glute, back, params),
        calibration=calibrate(params),
        reference=good_set(params.exercise),
        exercise=params.exercise,
    )


def activate_muscles(plan: Plan, *, seed: int) -> tuple[MuscleActivation, MuscleActivation]:
    """Give the noise-free activation of the gluteus maximus and of the erector spinae."""
    reps = plan.reps
    glute = activate(
        "gluteus_maximus", reps, [rep.glute_pct for rep in reps], [rep.glute_side for rep in reps], seed=seed
    )
    back = activate(
        "erector_spinae", reps, [rep.back_pct for rep in reps], [rep.back_side for rep in reps], seed=seed
    )
    return glute, back


def tell_truth(plan: Plan, glute: MuscleActivation, back: MuscleActivation, params: AthleteParams) -> Truth:
    """Compute the truth of a performance from its noise-free curves."""
    model = EXERCISE_MODELS[params.exercise]
    return Truth(
        reps=tuple(_rep_truth(rep, model, glute, back) for rep in plan.reps),
        exercise=params.exercise,
        duration_s=plan.duration_s,
        params=ParamsTruth(
            glute_share_pct=params.asked_share_pct,
            snr_db=params.snr_db,
            hum_uv=params.hum_uv,
            heartbeat_uv=params.heartbeat_uv,
            drift_uv=params.drift_uv,
            motion_uv=params.motion_uv,
            seed=params.seed,
        ),
    )


def _rep_truth(
    rep: RepPlan, model: ExerciseModel, glute: MuscleActivation, back: MuscleActivation
) -> RepTruth:
    glute_pct, back_pct = glute.mean_pct(*rep.work_s), back.mean_pct(*rep.work_s)
    edges_s = (rep.start_s, rep.reached_s, rep.left_s, rep.end_s)
    return RepTruth(
        set=rep.set_number,
        number=rep.number,
        side=None,
        start_s=rep.start_s,
        turn_s=rep.turn_s,
        end_s=rep.end_s,
        glute_share_pct=100.0 * glute_pct / (glute_pct + back_pct),
        glute_engagement_pct=glute_pct,
        back_engagement_pct=back_pct,
        work_start_s=rep.work_s[0],
        work_end_s=rep.work_s[1],
        phases=tuple(
            PhaseTruth(name, start_s, end_s)
            for name, start_s, end_s in zip(model.phase_names, edges_s[:-1], edges_s[1:], strict=True)
        ),
        pelvis_height_range_m=abs(model.height_m) * rep.range_scale,
        pelvis_pitch_range_deg=abs(model.pitch_deg) * rep.pitch_scale,
    )


def _record_emg(
    plan: Plan, glute: MuscleActivation, back: MuscleActivation, params: AthleteParams
) -> NDArray[np.int16]:
    """Record all channels; shape (n_samples, n_channels)."""
    moments_s = tuple(moment_s for rep in plan.reps for moment_s in (rep.start_s, rep.end_s))
    take = Take("performance", round(plan.duration_s * params.emg_rate_hz), moments_s)
    channels = channel_models(params)
    counts = np.empty((take.n_samples, len(channels)), dtype=np.int16)
    for channel in channels:
        muscle = glute if channel.site == glute.site else back
        curve = muscle.left if channel.side == "left" else muscle.right
        counts[:, channel.number] = record_channel(channel, curve, take, params)
    return counts


def _record_motion(plan: Plan, params: AthleteParams) -> NDArray[np.int16]:
    motion = move_pelvis(EXERCISE_MODELS[params.exercise], plan.reps, seed=params.seed)
    return record_imu(motion, round(plan.duration_s * params.imu_rate_hz), params)

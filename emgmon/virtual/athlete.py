"""The virtual athlete performs: parameters in; samples of every stream, calibration and truth out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.virtual.activation import MuscleActivation, activate
from emgmon.virtual.body import Segment, move_body
from emgmon.virtual.body_truth import RepMotion, rep_motions
from emgmon.virtual.calibrate import align, calibrate, good_set
from emgmon.virtual.emg import Take, channel_models, record_channel
from emgmon.virtual.exercise_model import ExerciseModel
from emgmon.virtual.inertial import record_imu
from emgmon.virtual.montage import describe
from emgmon.virtual.motion import movements, wear_sensor, worn_segments
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, RepPlan, make_plan
from emgmon.virtual.truth import ParamsTruth, PhaseTruth, RepTruth, SetUpTruth, Truth
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
    calibration: Calibration | None
    """``None`` without electrodes."""
    reference: ReferenceSet | None
    exercise: str
    alignments: tuple[Alignment, ...] = ()
    """How the motion sensors sit, as a stance and bows before the performance told."""


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
    recorded = [_record_emg(plan, glute, back, params)] if params.emg else []
    recorded += [_record_motion(plan, segment, params) for segment in worn_segments(params)]
    return Performance(
        capabilities=capabilities,
        streams=tuple(
            StreamSamples(stream, 0, counts)
            for stream, counts in zip(capabilities.streams, recorded, strict=True)
        ),
        truth=tell_truth(plan, glute, back, params),
        calibration=calibrate(params) if params.emg else None,
        reference=good_set(params.exercise) if params.emg else None,
        alignments=align(params),
        exercise=params.exercise,
    )


def activate_muscles(plan: Plan, *, seed: int) -> tuple[MuscleActivation, MuscleActivation]:
    """Give the noise-free activation of the gluteus maximus and of the erector spinae."""
    reps, set_up = plan.reps, plan.set_up
    glute_pct, back_pct = [rep.glute_pct for rep in reps], [rep.back_pct for rep in reps]
    glute_side, back_side = [rep.glute_side for rep in reps], [rep.back_side for rep in reps]
    glute = activate("gluteus_maximus", reps, glute_pct, glute_side, seed=seed, set_up=set_up)
    back = activate("erector_spinae", reps, back_pct, back_side, seed=seed, set_up=set_up)
    return glute, back


def tell_truth(plan: Plan, glute: MuscleActivation, back: MuscleActivation, params: AthleteParams) -> Truth:
    """Compute the truth of a performance from its noise-free curves."""
    motions = rep_motions(move_body(params, plan), plan.reps)
    return Truth(
        reps=tuple(
            _rep_truth(rep, motion, params.model, glute, back)
            for rep, motion in zip(plan.reps, motions, strict=True)
        ),
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
            lumbar_share=params.asked_lumbar_share,
            slip_deg=params.slip_deg,
            wobble_deg=params.wobble_deg,
        ),
        set_up=tuple(SetUpTruth(move.kind, move.start_s, move.end_s) for move in plan.set_up),
    )


def _rep_truth(
    rep: RepPlan, motion: RepMotion, model: ExerciseModel, glute: MuscleActivation, back: MuscleActivation
) -> RepTruth:
    glutes_pct = [curve.mean(*rep.work_s) for curve in (glute.left, glute.right)]
    backs_pct = [curve.mean(*rep.work_s) for curve in (back.left, back.right)]
    glute_pct, back_pct = sum(glutes_pct) / 2.0, sum(backs_pct) / 2.0
    return RepTruth(
        set=rep.set_number,
        number=rep.number,
        side=rep.side,
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
            for name, start_s, end_s in zip(model.phase_names, rep.edges_s[:-1], rep.edges_s[1:], strict=True)
        ),
        partial=rep.partial,
        glute_left_engagement_pct=glutes_pct[0],
        glute_right_engagement_pct=glutes_pct[1],
        back_left_engagement_pct=backs_pct[0],
        back_right_engagement_pct=backs_pct[1],
        **motion._asdict(),
    )


def _record_emg(
    plan: Plan, glute: MuscleActivation, back: MuscleActivation, params: AthleteParams
) -> NDArray[np.int16]:
    """Record all channels; shape (n_samples, n_channels)."""
    moments_s = tuple(moment_s for movement in movements(plan) for moment_s in movement)
    take = Take("performance", round(plan.duration_s * params.emg_rate_hz), moments_s)
    channels = channel_models(params)
    counts = np.empty((take.n_samples, len(channels)), dtype=np.int16)
    for channel in channels:
        muscle = glute if channel.site == glute.site else back
        curve = muscle.left if channel.side == "left" else muscle.right
        counts[:, channel.number] = record_channel(channel, curve, take, params)
    return counts


def _record_motion(plan: Plan, segment: Segment, params: AthleteParams) -> NDArray[np.int16]:
    """Record one inertial sensor; shape (n_samples, imu_axes)."""
    n_samples = round(plan.duration_s * params.imu_rate_hz)
    counts = record_imu(wear_sensor(params, plan, segment), n_samples, params)
    return np.ascontiguousarray(counts[:, : params.imu_axes])

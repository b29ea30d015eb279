"""The virtual athlete performs: parameters in; samples of every stream, calibration and truth out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.virtual.activation import MuscleActivation, Shaping, activate
from emgmon.virtual.body import Segment
from emgmon.virtual.calibrate import align, calibrate, good_set
from emgmon.virtual.emg import BACK_SITE, Fault, Take, channel_models, heartbeats_s, record_channel
from emgmon.virtual.inertial import record_imu
from emgmon.virtual.montage import describe
from emgmon.virtual.motion import movements, wear_sensor, worn_segments
from emgmon.virtual.muscle import Tired
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, make_plan
from emgmon.virtual.tell import tell_truth
from emgmon.virtual.truth import Truth
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
    """``None`` where the performance begins with a calibration: whoever measures that makes it."""
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
    glute, back = activate_muscles(plan, params)
    take, capabilities = _take(plan, params), describe(params)
    recorded = [_record_emg(take, glute, back, params)] if params.emg else []
    recorded += [_record_motion(plan, segment, params) for segment in worn_segments(params)]
    return Performance(
        capabilities=capabilities,
        streams=tuple(
            StreamSamples(stream, 0, counts)
            for stream, counts in zip(capabilities.streams, recorded, strict=True)
        ),
        truth=tell_truth(plan, glute, back, params, heartbeats_s=heartbeats_s(take, params)),
        calibration=calibrate(params) if params.emg and not params.with_calibration else None,
        reference=None if params.with_calibration else good_set(params.exercise, has_emg=params.emg),
        alignments=() if params.with_calibration else align(params),
        exercise=params.exercise,
    )


def activate_muscles(plan: Plan, params: AthleteParams) -> tuple[MuscleActivation, MuscleActivation]:
    """Give the noise-free activation of the gluteus maximus and of the erector spinae."""
    reps, ramp_s = plan.reps, params.onset_ramp_s

    def muscle(site: str, means_pct: list[float], sides: list[float], shaping: Shaping) -> MuscleActivation:
        return activate(
            site,
            reps,
            means_pct,
            sides,
            seed=params.seed,
            set_up=plan.set_up,
            shaping=shaping,
            calibration=plan.calibration,
        )

    return (
        muscle(
            "gluteus_maximus",
            [rep.glute_pct for rep in reps],
            [rep.glute_side for rep in reps],
            Shaping(delay_s=params.glute_delay_s, ramp_s=ramp_s, fade=params.squeeze_fade),
        ),
        muscle(
            BACK_SITE,
            [rep.back_pct for rep in reps],
            [rep.back_side for rep in reps],
            Shaping(ramp_s=ramp_s, surge=params.back_surge),
        ),
    )


def _take(plan: Plan, params: AthleteParams) -> Take:
    """Describe the performance to the electrodes."""
    moments_s = tuple(moment_s for movement in movements(plan) for moment_s in movement)
    off_at_s = params.off_at_s(plan.duration_s)
    fault = Fault(params.clip_uv, params.electrode_off, off_at_s, params.electrode_off_kind)
    n_samples = round(plan.duration_s * params.emg_rate_hz)
    return Take("performance", n_samples, moments_s, _tired(plan), fault)


def _tired(plan: Plan) -> tuple[Tired, ...]:
    """Change the muscles' spectrum in the middle of every pause; nothing where they do not tire."""
    if all(rep.spectrum == 1.0 for rep in plan.reps):
        return ()
    ends_s = [0.0, *(rep.end_s for rep in plan.reps[:-1])]
    return tuple(
        Tired((before_s + rep.start_s) / 2.0, rep.spectrum)
        for before_s, rep in zip(ends_s, plan.reps, strict=True)
    )


def _record_emg(
    take: Take, glute: MuscleActivation, back: MuscleActivation, params: AthleteParams
) -> NDArray[np.int16]:
    """Record all channels; shape (n_samples, n_channels)."""
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

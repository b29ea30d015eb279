"""The calibration that a session with the virtual person would have, measured through the same channels."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment, SegmentSite, align_from_bows
from emgmon.dsp.orientation import OrientationStage
from emgmon.dsp.rotations import unit
from emgmon.dsp.timeline import SampleClock
from emgmon.errors import CalibrationError
from emgmon.events import HOP_RATE_HZ
from emgmon.metrics.calibrating import ChannelStretches, Stretch, Trial, measure_channel
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.reference import MotionReference, ReferenceSet
from emgmon.virtual.body import move_body
from emgmon.virtual.body_truth import RepMotion, rep_motions
from emgmon.virtual.calibration_motion import record_calibration_motion
from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.emg import EMG_SCALE_UV, EmgChannelModel, Take, channel_models, record_channel
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import LOG_RATIO_SD, make_plan

REST_S = 5.0
"""Length of the stretch in which the person lies relaxed."""

N_TRIALS = 3
"""Reference contractions of every muscle."""

TRIAL_S = 5.0
"""Length of one, ramps included."""

TRIAL_RAMP_S = 1.0
"""Time to reach and to leave 100 %."""

TRIAL_REST_S = 2.0
"""Rest between two; a person needs longer, a model does not."""

REFERENCE_REPS = 10
"""Repetitions of the person's good set."""

MEASUREMENT_LOG_RATIO_SD = 0.05
"""What the noise-like nature of EMG adds to the log ratio of one repetition: two sides of each of
two muscles, each known to 4-5 % from 2 s of signal."""


MEASUREMENT_ANGLE_SD_DEG = 0.5
"""What one sensor adds to the scatter of a pelvis angle from repetition to repetition."""

GOOD_SEED = 20_000
"""The day of the good set is none that anybody else's seed stands for by chance."""


def calibrate(params: AthleteParams) -> Calibration:
    """Record rest and reference contractions and measure them as a person's are measured.

    A channel whose signal would be refused is not among those calibrated.
    """
    measured = (_calibrate_channel(channel, params) for channel in channel_models(params))
    return Calibration(method="mvic", channels=tuple(one for one in measured if one is not None))


def _calibrate_channel(channel: EmgChannelModel, params: AthleteParams) -> ChannelCalibration | None:
    rate_hz = params.emg_rate_hz
    reference_uv = _record(channel, _reference_take(params), _trials(), params)
    starts = [round(start_s * rate_hz) for start_s in _trial_starts_s()]
    stretches = ChannelStretches(
        site=channel.site,
        side=channel.side,
        rate_hz=rate_hz,
        rest=Stretch(_record(channel, _rest_take(params), None, params)),
        trials=tuple(
            Trial("", Stretch(reference_uv[start : start + round(TRIAL_S * rate_hz)])) for start in starts
        ),
    )
    try:
        return measure_channel(stretches).channel
    except CalibrationError:
        return None


@lru_cache(maxsize=32)
def good_set(exercise: str, *, has_emg: bool = True) -> ReferenceSet:
    """Give the person's good set, from the parameters of the model.

    Parameters
    ----------
    exercise
        Its name.
    has_emg
        Whether the muscles were measured; otherwise only the movement of the pelvis is known.
    """
    share = EXERCISE_MODELS[exercise].good_share_pct / 100.0
    return ReferenceSet(
        exercise=exercise,
        n_reps=REFERENCE_REPS,
        log_ratio=math.log(share / (1.0 - share)) if has_emg else None,
        rep_sd=math.hypot(LOG_RATIO_SD, MEASUREMENT_LOG_RATIO_SD) if has_emg else 0.0,
        motion=_good_motion(exercise),
    )


def _good_motion(exercise: str) -> tuple[MotionReference, ...]:
    """Measure the pelvis in a good set, without sensor; what a sensor adds to the scatter is added to it."""
    params = AthleteParams(exercise=exercise, n_reps=REFERENCE_REPS, seed=GOOD_SEED, emg=False)
    plan = make_plan(params)
    motions = list(rep_motions(move_body(params, plan), plan.reps))
    found = []
    for name in RepMotion._fields:
        values = [value for motion in motions if (value := getattr(motion, name)) is not None]
        if name.endswith("_deg") and len(values) == len(motions):
            sd = math.hypot(float(np.std(values, ddof=1)), MEASUREMENT_ANGLE_SD_DEG)
            found.append(MotionReference(name, float(np.mean(values)), sd, len(values)))
    return tuple(found)


def _rest_take(params: AthleteParams) -> Take:
    return Take("rest", round(REST_S * params.emg_rate_hz))


def _reference_take(params: AthleteParams) -> Take:
    duration_s = N_TRIALS * TRIAL_S + (N_TRIALS - 1) * TRIAL_REST_S
    return Take("reference", round(duration_s * params.emg_rate_hz))


def _trial_starts_s() -> list[float]:
    return [trial * (TRIAL_S + TRIAL_REST_S) for trial in range(N_TRIALS)]


def _trials() -> SmoothCurve:
    """Activation over the reference take, percent."""
    offsets_s = (0.0, TRIAL_RAMP_S, TRIAL_S - TRIAL_RAMP_S, TRIAL_S)
    times_s = [start_s + offset_s for start_s in _trial_starts_s() for offset_s in offsets_s]
    return SmoothCurve(np.asarray(times_s), np.asarray([0.0, 100.0, 100.0, 0.0] * N_TRIALS))


def _record(
    channel: EmgChannelModel, take: Take, activation: SmoothCurve | None, params: AthleteParams
) -> NDArray[np.float64]:
    """Record one take of one channel, in microvolt; shape (n_samples,)."""
    return record_channel(channel, activation, take, params).astype(np.float64) * EMG_SCALE_UV


def align(params: AthleteParams) -> tuple[Alignment, ...]:
    """Learn how the worn motion sensors sit, from standing and bowing, as a session would."""
    motion = record_calibration_motion(params)
    found = []
    for take in motion.takes:
        if take.segment.site not in ("pelvis", "lumbar"):
            continue
        rate = None if params.imu_axes == 3 else take.imu[:, 3:]
        up = _up(take.imu[:, : params.imu_axes], motion.rate_hz)
        stance, bows = (
            round(motion.stance_s[1] * motion.rate_hz),
            round(motion.bows_s[-1][1] * motion.rate_hz),
        )
        bow_rate = None if rate is None else rate[stance:bows]
        site: SegmentSite = "pelvis" if take.segment.site == "pelvis" else "lumbar"
        found.append(align_from_bows(up[:stance], bow_rate, up[stance:bows], site=site))
    return tuple(found)


def _up(imu: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Direction away from the ground at each sample, in sensor axes, shape (n, 3)."""
    stage = OrientationStage(rate_hz=rate_hz, n_axes=imu.shape[1])
    hops = stage.process(imu.T.copy(), SampleClock(0, 0.0, rate_hz), 0)
    at_s = np.arange(len(imu)) / rate_hz
    hop_s = (hops.first_hop + np.arange(len(hops))) / HOP_RATE_HZ
    return unit(np.stack([np.interp(at_s, hop_s, column) for column in hops.up.T], axis=1))

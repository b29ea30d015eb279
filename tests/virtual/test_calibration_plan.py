"""A recording that begins with a calibration holds what is needed to measure one, where its truth says."""

import numpy as np
import pytest

from emgmon.dsp.alignment import align_from_bows
from emgmon.virtual.athlete import AthleteParams, Performance, perform
from emgmon.virtual.emg import EMG_SCALE_UV, channel_models
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.inertial import ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS
from emgmon.virtual.motion import sensor_mounting, worn_segments
from emgmon.virtual.params import SET_UP_KINDS
from emgmon.virtual.plan import make_plan
from emgmon.virtual.truth import CalibrationTruth, Truth

CLEAN = {"snr_db": 40.0, "hum_uv": 0.0, "heartbeat_uv": 0.0, "drift_uv": 0.0, "motion_uv": 0.0}


def calibrated(**params) -> Performance:
    return perform(AthleteParams(**{"n_reps": 2, "with_calibration": True, **params}))


def told(performance: Performance) -> CalibrationTruth:
    assert performance.truth.calibration is not None
    return performance.truth.calibration


def rms_uv(performance: Performance, from_s: float, to_s: float) -> np.ndarray:
    counts = performance.streams[0].counts[round(from_s * 2000) : round(to_s * 2000)].astype(np.float64)
    return np.sqrt(np.mean(np.square(counts * EMG_SCALE_UV), axis=0))


def test_nothing_is_handed_over_beside_it_and_the_truth_reads_back() -> None:
    performance = calibrated()
    assert (performance.calibration, performance.reference, performance.alignments) == (None, None, ())
    assert Truth.from_json(performance.truth.to_json()) == performance.truth
    assert perform(AthleteParams(n_reps=2)).truth.calibration is None


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_stance_bows_rest_and_references_follow_each_other_before_the_first_set(exercise: str) -> None:
    params = AthleteParams(exercise=exercise, n_reps=2, with_calibration=True)
    plan = make_plan(params)
    calibration = plan.calibration
    assert calibration is not None
    trials_s = [trial for reference in calibration.references for trial in reference.trials_s]
    times_s = [calibration.stance_s, *calibration.bows_s, calibration.rest_s, *trials_s]
    assert [reference.site for reference in calibration.references] == ["gluteus_maximus", "erector_spinae"]
    assert len(trials_s) == 6
    assert np.all(np.diff(np.ravel(times_s)) > 0.0)
    assert plan.reps[0].start_s >= times_s[-1][1] + 5.0
    lying = [move.kind for move in plan.set_up]
    assert bool(lying) is (EXERCISE_MODELS[exercise].posture != "standing")


def test_the_sets_are_performed_as_without_it() -> None:
    usual, late = make_plan(AthleteParams()), make_plan(AthleteParams(with_calibration=True))
    shift_s = late.reps[0].start_s - usual.reps[0].start_s
    for before, after in zip(usual.reps, late.reps, strict=True):
        assert np.subtract(after.edges_s, before.edges_s) == pytest.approx([shift_s] * 4, abs=0.002)
        assert (after.glute_pct, after.back_pct) == (before.glute_pct, before.back_pct)


def test_muscles_are_silent_at_rest_and_each_gives_its_reference_in_its_own_trials() -> None:
    performance = calibrated(**CLEAN)
    models = channel_models(AthleteParams(**CLEAN))
    calibration = told(performance)
    assert rms_uv(performance, *calibration.rest_s) == pytest.approx([m.noise_uv for m in models], rel=0.1)
    for reference in calibration.references:
        own = np.array([model.site == reference.site for model in models])
        for start_s, end_s in reference.trials_s:
            level_uv = rms_uv(performance, start_s + 1.0, end_s - 1.0)
            wanted_uv = np.array([model.reference_uv for model in models])
            # 3 s of about 150 Hz equivalent bandwidth: known to 2.5 %.
            assert level_uv[own] == pytest.approx(wanted_uv[own], rel=0.1)
            assert np.all(level_uv[~own] < 0.05 * wanted_uv[~own])


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_stance_and_bows_tell_how_the_sensor_sits(exercise: str) -> None:
    params = AthleteParams(exercise=exercise, n_reps=1, with_calibration=True, emg=False)
    performance = perform(params)
    calibration = told(performance)
    counts = performance.streams[0].counts.astype(np.float64)
    stance, bows = (
        slice(round(from_s * 100), round(to_s * 100))
        for from_s, to_s in (calibration.stance_s, (calibration.bows_s[0][0], calibration.bows_s[-1][1]))
    )
    up = counts[:, :3] / np.linalg.norm(counts[:, :3], axis=1, keepdims=True)
    rate_radps = counts[:, 3:] * ANGULAR_RATE_SCALE_RADPS
    found = align_from_bows(up[stance], rate_radps[bows], up[bows])
    mounting = sensor_mounting(params, worn_segments(params)[0])
    # Axes to the left agree; the stance itself is a pelvis that leans forward by 5 degrees.
    assert found.matrix[1] @ mounting[1] > np.cos(np.deg2rad(2.5))
    assert np.rad2deg(np.arccos(found.matrix[2] @ mounting[2])) == pytest.approx(5.0, abs=1.5)
    assert found.turn_deg == pytest.approx(40.0, abs=4.0)


def test_while_it_rests_and_contracts_the_pelvis_lies_still() -> None:
    performance = calibrated(exercise="bridge")
    calibration = told(performance)
    first_s, last_s = calibration.rest_s[0], calibration.references[-1].trials_s[-1][1]
    force_mps2 = performance.streams[1].counts[round(first_s * 100) : round(last_s * 100), :3]
    assert np.ptp(force_mps2 * ACCELERATION_SCALE_MPS2, axis=0).max() < 0.4


def test_without_electrodes_there_is_only_stance_and_bows_and_without_motion_only_the_rest() -> None:
    motion, electrodes = told(calibrated(emg=False)), told(calibrated(imu_sites=()))
    assert (motion.rest_s, motion.references) == (None, ())
    assert len(motion.bows_s) == 3
    assert (electrodes.stance_s, electrodes.bows_s) == (None, ())
    assert electrodes.rest_s is not None


def test_set_up_movement_comes_between_the_calibration_and_the_first_set() -> None:
    params = AthleteParams(exercise="bridge", n_reps=1, with_calibration=True, set_up=SET_UP_KINDS)
    plan = make_plan(params)
    assert plan.calibration is not None
    before = [move for move in plan.set_up if move.end_s < plan.reps[0].start_s]
    after_calibration = [move for move in before if move.start_s > plan.calibration.end_s]
    assert {"walking", "shuffling"} <= {move.kind for move in after_calibration}
    for earlier, later in zip(plan.set_up[:-1], plan.set_up[1:], strict=True):
        if later.start_s < plan.reps[0].start_s:
            assert earlier.reaches == later.leaves

"""Stance and bows are measured by the same sensors, worn the same way."""

import numpy as np
import pytest

from emgmon.virtual.body import LUMBAR, PELVIS, Segment
from emgmon.virtual.calibration_motion import record_calibration_motion
from emgmon.virtual.motion import GRAVITY_MPS2, sensor_mounting, wear_sensor
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import make_plan

WORN = AthleteParams(exercise="scorpion", imu_sites=("pelvis", "lumbar", "thigh"), slip_deg=20.0, seed=5)


def test_there_is_one_take_for_each_sensor_and_three_bows_after_the_stance() -> None:
    motion = record_calibration_motion(WORN)
    assert [take.segment for take in motion.takes] == [PELVIS, LUMBAR, Segment("thigh", "right")]
    assert motion.stance_s == (0.0, 5.0)
    assert [round(end_s - start_s, 6) for start_s, end_s in motion.bows_s] == [2.5] * 3
    assert motion.bows_s[0][0] > 5.0
    assert {take.imu.shape for take in motion.takes} == {(round((motion.bows_s[-1][1] + 0.5) * 100), 6)}


def test_the_mounting_is_that_of_the_performance_before_any_slip() -> None:
    plan = make_plan(WORN)
    for take in record_calibration_motion(WORN).takes:
        assert np.array_equal(take.mounting, wear_sensor(WORN, plan, take.segment).mounting)
        assert np.array_equal(take.mounting, sensor_mounting(WORN, take.segment))


def test_in_the_stance_every_segment_is_upright() -> None:
    for take in record_calibration_motion(WORN).takes:
        upward = take.mounting @ take.imu[:500, :3].mean(axis=0)
        assert upward == pytest.approx([0.0, 0.0, GRAVITY_MPS2], abs=0.12)


def test_the_bows_turn_the_pelvis_about_its_y_axis_by_forty_degrees_forward_and_back() -> None:
    motion = record_calibration_motion(WORN)
    pelvis = motion.takes[0]
    rate_dps = np.rad2deg(pelvis.imu[:, 3:] @ pelvis.mounting.T)
    for start_s, end_s in motion.bows_s:
        bow = rate_dps[round(start_s * 100) : round(end_s * 100)]
        angle_deg = np.cumsum(bow - rate_dps[:500].mean(axis=0), axis=0) / 100.0
        assert angle_deg[:, 1].max() == pytest.approx(40.0, abs=1.5)
        assert angle_deg[-1, 1] == pytest.approx(0.0, abs=1.5)
        assert np.abs(angle_deg[:, [0, 2]]).max() < 3.0


def test_an_accelerometer_alone_has_no_angular_rate() -> None:
    take = record_calibration_motion(AthleteParams(imu_axes=3)).takes[0]
    assert np.isnan(take.imu[:, 3:]).all()
    assert not np.isnan(take.imu[:, :3]).any()


def test_equal_parameters_give_equal_takes() -> None:
    first, second = record_calibration_motion(WORN), record_calibration_motion(WORN)
    for one, same in zip(first.takes, second.takes, strict=True):
        assert np.array_equal(one.imu, same.imu)

"""Specific force and angular rate agree with the movement they come from."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.inertial import ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS, record_imu
from emgmon.virtual.motion import GRAVITY_MPS2, PelvisMotion, move_pelvis, random_rotation
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, make_plan

RATE_HZ = 500.0


def performed(exercise: str) -> tuple[Plan, PelvisMotion]:
    plan = make_plan(AthleteParams(exercise=exercise, n_reps=2))
    return plan, move_pelvis(EXERCISE_MODELS[exercise], plan.reps, seed=1)


def grid(plan: Plan) -> np.ndarray:
    return np.arange(round(plan.duration_s * RATE_HZ)) / RATE_HZ


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_at_rest_the_specific_force_is_gravity_upward(exercise: str) -> None:
    _, motion = performed(exercise)
    times_s = np.arange(400) / 100.0
    force = motion.specific_force_mps2(times_s)
    upward = np.einsum("nij,nj->ni", motion.sensor_to_world(times_s), force).mean(axis=0)
    assert upward == pytest.approx([0.0, 0.0, GRAVITY_MPS2], abs=0.01)


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_integrating_the_angular_rate_gives_the_orientation(exercise: str) -> None:
    plan, motion = performed(exercise)
    times_s = grid(plan)
    middle_rates = motion.angular_rate_radps(times_s[:-1] + 0.5 / RATE_HZ)
    rotation = Rotation.from_matrix(motion.sensor_to_world(times_s[:1])[0])
    for rate in middle_rates:
        rotation = rotation * Rotation.from_rotvec(rate / RATE_HZ)
    left_over = rotation.inv() * Rotation.from_matrix(motion.sensor_to_world(times_s[-1:])[0])
    assert np.rad2deg(left_over.magnitude()) < 0.02


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_integrating_the_acceleration_twice_gives_the_position(exercise: str) -> None:
    plan, motion = performed(exercise)
    times_s = grid(plan)
    force = motion.specific_force_mps2(times_s)
    acceleration = np.einsum("nij,nj->ni", motion.sensor_to_world(times_s), force)
    acceleration[:, 2] -= GRAVITY_MPS2
    position = motion.position_m(times_s)
    velocity = (motion.position_m(np.array([1e-4])) - motion.position_m(np.array([-1e-4])))[0] / 2e-4
    # Stormer-Verlet: the second difference of the position is the acceleration.
    step = 1.0 / RATE_HZ
    integrated = np.empty_like(position)
    integrated[0] = position[0]
    integrated[1] = position[0] + velocity * step + acceleration[0] * step**2 / 2.0
    for i in range(1, len(times_s) - 1):
        integrated[i + 1] = 2.0 * integrated[i] - integrated[i - 1] + acceleration[i] * step**2
    assert np.abs(integrated - position).max() < 0.002


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_the_pelvis_travels_the_way_that_the_plan_says(exercise: str) -> None:
    plan, motion = performed(exercise)
    for rep in plan.reps:
        start, far = motion.position_m(np.array([rep.start_s, rep.turn_s]))[:, 2]
        asked_m = EXERCISE_MODELS[exercise].height_m * rep.range_scale
        assert far - start == pytest.approx(asked_m, abs=0.006)  # sway and wobble come on top


def test_a_bridge_lifts_the_pelvis_while_the_anterior_side_faces_up() -> None:
    plan, motion = performed("bridge")
    turn_s = plan.reps[0].turn_s
    pelvis_to_world = motion.sensor_to_world(np.array([0.0, turn_s])) @ motion.mounting.T
    assert pelvis_to_world[0, 2, 0] > 0.99
    headward_down_deg = np.rad2deg(np.arcsin(-pelvis_to_world[1, 2, 2]))
    assert headward_down_deg == pytest.approx(25.0 * plan.reps[0].pitch_scale, abs=2.0)


def test_a_squat_lowers_the_pelvis() -> None:
    plan, motion = performed("squat")
    start, bottom = motion.position_m(np.array([plan.reps[0].start_s, plan.reps[0].turn_s]))[:, 2]
    assert bottom - start == pytest.approx(-0.45, abs=0.07)


def test_a_random_rotation_is_a_rotation() -> None:
    matrix = random_rotation(np.random.default_rng(1))
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_the_recorded_counts_are_the_ideal_values_plus_small_bias_and_noise() -> None:
    params = AthleteParams(exercise="squat", n_reps=2)
    plan, motion = performed("squat")
    counts = record_imu(motion, 2000, params)
    times_s = np.arange(2000) / 100.0
    force_error = counts[:, :3] * ACCELERATION_SCALE_MPS2 - motion.specific_force_mps2(times_s)
    rate_error = counts[:, 3:] * ANGULAR_RATE_SCALE_RADPS - motion.angular_rate_radps(times_s)
    assert np.linalg.norm(force_error.mean(axis=0)) == pytest.approx(0.03, abs=0.002)
    assert np.rad2deg(np.linalg.norm(rate_error.mean(axis=0))) == pytest.approx(0.3, abs=0.01)
    assert force_error.std(axis=0) == pytest.approx([0.015] * 3, rel=0.1)
    assert np.rad2deg(rate_error.std(axis=0)) == pytest.approx([0.06] * 3, rel=0.1)
    assert len(plan.reps) == 2


def test_recording_in_blocks_gives_a_longer_recording_the_same_beginning() -> None:
    _, motion = performed("squat")
    params = AthleteParams(exercise="squat", n_reps=2)
    long = record_imu(motion, 20_500, params)
    assert np.array_equal(record_imu(motion, 20_000, params), long[:20_000])

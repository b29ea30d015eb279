"""Specific force and angular rate agree with the movement they come from."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emgmon.virtual.body import LUMBAR, PELVIS, Segment
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.inertial import ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS, record_imu
from emgmon.virtual.motion import GRAVITY_MPS2, SensorMotion, sensor_mounting, wear_sensor, worn_segments
from emgmon.virtual.params import SET_UP_KINDS, AthleteParams
from emgmon.virtual.plan import Plan, make_plan

RATE_HZ = 500.0
SEGMENTS = [PELVIS, LUMBAR, Segment("thigh", "right")]
TRIALS = [
    *[(AthleteParams(exercise=exercise, n_reps=2), PELVIS) for exercise in EXERCISE_MODELS],
    *[(AthleteParams(exercise="scorpion", n_reps=2), segment) for segment in SEGMENTS],
    (AthleteParams(exercise="bridge", n_reps=1, slip_deg=20.0), PELVIS),
    (AthleteParams(exercise="bird-dog", n_reps=1, set_up=("rolling-over", "walking")), PELVIS),
    (AthleteParams(exercise="lunge", n_reps=1, set_up=("sitting-down", "shuffling")), LUMBAR),
]


def performed(params: AthleteParams, segment: Segment = PELVIS) -> tuple[Plan, SensorMotion]:
    plan = make_plan(params)
    return plan, wear_sensor(params, plan, segment)


def grid(plan: Plan) -> np.ndarray:
    return np.arange(round(plan.duration_s * RATE_HZ)) / RATE_HZ


def segment_to_world(motion: SensorMotion, times_s: list[float]) -> np.ndarray:
    return motion.sensor_to_world(np.array(times_s)) @ motion.mounting.T


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda segment: segment.site)
def test_at_rest_the_specific_force_is_gravity_upward(exercise: str, segment: Segment) -> None:
    _, motion = performed(AthleteParams(exercise=exercise, n_reps=2), segment)
    times_s = np.arange(400) / 100.0
    force = motion.specific_force_mps2(times_s)
    upward = np.einsum("nij,nj->ni", motion.sensor_to_world(times_s), force).mean(axis=0)
    assert upward == pytest.approx([0.0, 0.0, GRAVITY_MPS2], abs=0.01)


@pytest.mark.parametrize(("params", "segment"), TRIALS)
def test_integrating_the_angular_rate_gives_the_orientation(params: AthleteParams, segment: Segment) -> None:
    plan, motion = performed(params, segment)
    times_s = grid(plan)
    middle_rates = motion.angular_rate_radps(times_s[:-1] + 0.5 / RATE_HZ)
    rotation = Rotation.from_matrix(motion.sensor_to_world(times_s[:1])[0])
    for step in Rotation.from_rotvec(middle_rates / RATE_HZ):
        rotation = rotation * step
    left_over = rotation.inv() * Rotation.from_matrix(motion.sensor_to_world(times_s[-1:])[0])
    assert np.rad2deg(left_over.magnitude()) < 0.02


@pytest.mark.parametrize(("params", "segment"), TRIALS)
def test_integrating_the_acceleration_twice_gives_the_position(
    params: AthleteParams, segment: Segment
) -> None:
    plan, motion = performed(params, segment)
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
    assert np.abs(integrated - position).max() < 0.004


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_the_pelvis_travels_the_way_that_the_plan_says(exercise: str) -> None:
    plan, motion = performed(AthleteParams(exercise=exercise, n_reps=2))
    for rep in plan.reps:
        start, far = motion.position_m(np.array([rep.start_s, rep.turn_s]))[:, 2]
        asked_m = EXERCISE_MODELS[exercise].height_m * rep.range_scale
        assert far - start == pytest.approx(asked_m, abs=0.006)  # sway and wobble come on top


def test_a_bridge_lifts_the_pelvis_while_the_anterior_side_faces_up() -> None:
    plan, motion = performed(AthleteParams(n_reps=2))
    pelvis_to_world = segment_to_world(motion, [0.0, plan.reps[0].turn_s])
    assert pelvis_to_world[0, 2, 0] > 0.99
    headward_down_deg = np.rad2deg(np.arcsin(-pelvis_to_world[1, 2, 2]))
    assert headward_down_deg == pytest.approx(25.0 * plan.reps[0].pitch_scale, abs=2.0)


def test_a_squat_lowers_the_pelvis() -> None:
    plan, motion = performed(AthleteParams(exercise="squat", n_reps=2))
    start, bottom = motion.position_m(np.array([plan.reps[0].start_s, plan.reps[0].turn_s]))[:, 2]
    assert bottom - start == pytest.approx(-0.45, abs=0.07)


def test_the_recorded_counts_are_the_ideal_values_plus_small_bias_and_noise() -> None:
    params = AthleteParams(exercise="squat", n_reps=2)
    plan, motion = performed(params)
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
    params = AthleteParams(exercise="squat", n_reps=2)
    _, motion = performed(params)
    long = record_imu(motion, 20_500, params)
    assert np.array_equal(record_imu(motion, 20_000, params), long[:20_000])


def test_sensors_of_two_sites_sit_and_err_differently() -> None:
    params = AthleteParams(imu_sites=("pelvis", "lumbar"), n_reps=1)
    (_, pelvis), (_, lumbar) = performed(params, PELVIS), performed(params, LUMBAR)
    assert not np.allclose(pelvis.mounting, lumbar.mounting)
    still_s = np.arange(300) / 100.0
    errors = [
        record_imu(motion, 300, params)[:, 3:] * ANGULAR_RATE_SCALE_RADPS - motion.angular_rate_radps(still_s)
        for motion in (pelvis, lumbar)
    ]
    assert abs(np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1]) < 0.9
    assert not np.allclose(errors[0].mean(axis=0), errors[1].mean(axis=0), atol=1e-4)


def test_every_seed_mounts_the_sensor_another_way_round() -> None:
    matrices = [sensor_mounting(AthleteParams(seed=seed), PELVIS) for seed in range(4)]
    assert matrices[0] @ matrices[0].T == pytest.approx(np.eye(3), abs=1e-12)
    assert len({matrix.round(6).tobytes() for matrix in matrices}) == 4


def test_a_mounting_that_is_asked_for_is_worn_and_changes_nothing_else() -> None:
    params = AthleteParams(n_reps=1)
    turned = replace(params, mounting_deg=(0.0, 0.0, 90.0))
    (_, drawn), (_, asked) = performed(params), performed(turned)
    assert asked.mounting == pytest.approx(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), abs=1e-12)
    times_s = np.arange(1000) / 100.0
    to_pelvis = [motion.specific_force_mps2(times_s) @ motion.mounting.T for motion in (drawn, asked)]
    assert to_pelvis[0] == pytest.approx(to_pelvis[1], abs=1e-6)


def test_a_mounting_turns_about_x_then_y_then_z() -> None:
    mounting = sensor_mounting(AthleteParams(mounting_deg=(10.0, 20.0, 30.0)), PELVIS)
    assert mounting == pytest.approx(Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix())


def slipped_deg(motion: SensorMotion, time_s: float) -> float:
    """Turn of the sensor on the segment since the mounting."""
    shake = motion.moving.at([time_s])[:, np.newaxis] * np.zeros((1, 6))
    turn = motion.body.place(motion.segment, np.array([time_s]), shake).turn[0]
    return float(
        np.rad2deg(
            Rotation.from_matrix(
                turn.T @ motion.sensor_to_world(np.array([time_s]))[0] @ motion.mounting.T
            ).magnitude()
        )
    )


def test_a_slow_slip_goes_on_from_the_first_moment_to_the_last() -> None:
    plan, motion = performed(AthleteParams(slip_deg=15.0, wobble_deg=0.0, n_reps=2))
    angles_deg = [slipped_deg(motion, part * plan.duration_s) for part in (0.0, 0.5, 1.0)]
    assert angles_deg == pytest.approx([0.0, 7.5, 15.0], abs=1e-6)


def test_a_sudden_slip_happens_within_half_a_second() -> None:
    _, motion = performed(AthleteParams(slip_deg=15.0, slip_at_s=8.0, wobble_deg=0.0, n_reps=2))
    assert [slipped_deg(motion, time_s) for time_s in (7.99, 8.51)] == pytest.approx([0.0, 15.0], abs=1e-6)


def test_wobble_is_as_large_as_asked_for_and_only_there_while_something_moves() -> None:
    asked = AthleteParams(n_reps=1, hold_s=10.0)
    plan, calm = performed(replace(asked, wobble_deg=0.0))
    _, shaken = performed(replace(asked, wobble_deg=2.0))
    rep = plan.reps[0]

    def apart_deg(start_s: float, end_s: float) -> np.ndarray:
        times_s = np.linspace(start_s, end_s, 2000)
        pair = [Rotation.from_matrix(motion.sensor_to_world(times_s)) for motion in (calm, shaken)]
        return np.rad2deg((pair[0].inv() * pair[1]).magnitude())

    assert apart_deg(0.0, rep.start_s - 0.1).max() < 1e-5
    hold_deg = apart_deg(rep.reached_s, rep.left_s)
    assert np.sqrt(np.mean(hold_deg**2)) == pytest.approx(2.0 * np.sqrt(3.0), rel=0.2)


def test_in_quick_pulses_the_tissue_does_not_come_to_rest() -> None:
    params = AthleteParams(n_reps=5, lift_s=0.25, hold_s=0.05, return_s=0.25, pause_s=0.15)
    plan, motion = performed(params)
    between_s = [rep.end_s + 0.05 for rep in plan.reps[:-1]]
    assert motion.moving.at(between_s).tolist() == [1.0] * 4
    assert motion.moving.at([plan.reps[0].start_s - 0.1, plan.reps[-1].end_s + 0.3]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("asked", "side"),
    [
        ({"side": "left"}, "left"),
        ({"side": "right"}, "right"),
        ({}, "right"),
        ({"side": "left", "thigh_side": "right"}, "right"),
    ],
)
def test_the_thigh_sensor_is_on_the_working_side_unless_asked_otherwise(
    asked: dict[str, str], side: str
) -> None:
    params = AthleteParams(exercise="lunge", imu_sites=("thigh",), **asked)  # type: ignore[arg-type]
    assert worn_segments(params) == (Segment("thigh", side),)


def test_no_movement_is_more_violent_than_a_sensor_can_measure() -> None:
    params = AthleteParams(exercise="scorpion", n_sets=2, n_reps=2, set_up=SET_UP_KINDS)
    plan, motion = performed(params)
    force, rate = motion.measured(grid(plan))
    assert np.linalg.norm(force, axis=1).max() < 3.0 * GRAVITY_MPS2
    assert np.rad2deg(np.linalg.norm(rate, axis=1)).max() < 500.0

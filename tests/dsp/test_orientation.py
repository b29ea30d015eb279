"""Attitude from exact synthetic sensors: known turns are found, whatever the cut, rate and mounting."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.dsp.orientation import OrientationStage
from emgmon.dsp.rotations import angle_deg, rotation_matrices, turn_between_deg
from emgmon.dsp.timeline import SampleClock
from emgmon.units import GRAVITY_MPS2
from tests.builders import Movement

BACK_AND_FORTH = Movement([(3.0, 1.2, 0.6, 1.2, 1.0), (7.0, 1.0, 0.5, 1.0, 1.0)], tail_s=3.0)
mountings = st.integers(0, 10_000).map(lambda seed: Rotation.random(rng=seed))


def turning_sensor(axis, turn_deg, *, rate_hz=100.0, mounting=None, lean_deg=0.0):
    """A sensor at one place that turns about an axis fixed in the earth: its samples and its attitude.

    Exact: up is taken from the attitude, and the angular rate is that of a turn about a constant axis.
    """
    t_s = np.arange(0.0, BACK_AND_FORTH.duration_s, 1.0 / rate_hz)
    angle = np.radians(turn_deg) * BACK_AND_FORTH.height_m(t_s)
    step = 1e-5
    speed = (
        np.radians(turn_deg)
        * (BACK_AND_FORTH.height_m(t_s + step) - BACK_AND_FORTH.height_m(t_s - step))
        / (2 * step)
    )
    axis = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    start = Rotation.from_rotvec([np.radians(lean_deg), 0.0, 0.0]) * (mounting or Rotation.identity())
    attitude = Rotation.from_rotvec(np.outer(angle, axis)) * start
    acceleration = attitude.inv().apply([0.0, 0.0, GRAVITY_MPS2])
    turn_rate = attitude.inv().apply(np.outer(speed, axis))
    return np.concatenate([acceleration, turn_rate], axis=1).T, attitude


def follow(imu, *, rate_hz=100.0, clock=None, cuts=(10_000_000,), restore=False):
    n_axes = len(imu)
    clock = clock or SampleClock(0, 0.0, rate_hz)
    stage, pieces, start, n = OrientationStage(rate_hz=rate_hz, n_axes=n_axes), [], 0, 0
    while start < imu.shape[1]:
        stop = start + cuts[n % len(cuts)]
        pieces.append(stage.process(imu[:, start:stop], clock, start))
        if restore:
            kept, stage = stage.state, OrientationStage(rate_hz=rate_hz, n_axes=n_axes)
            stage.state = kept
        start, n = stop, n + 1
    return pieces


def columns(pieces):
    for before, after in itertools.pairwise(pieces):
        assert before.next_hop == after.first_hop
    names = ("up", "force_mps2", "acceleration_mps2", "turn_rate_radps", "quaternion")
    return {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names}


TILT, _ = turning_sensor((1.0, 2.0, 0.5), 75.0, lean_deg=20.0)
HOLED = TILT.copy()
HOLED[:, 420:430] = np.nan
HOLED[1, 600:680] = np.nan


@pytest.mark.parametrize("cuts", [(1,), (7,), (64, 3)])
@pytest.mark.parametrize("n_axes", [6, 3])
def test_every_cut_gives_the_same_bits(cuts, n_axes):
    whole = columns(follow(HOLED[:n_axes]))
    for name, values in columns(follow(HOLED[:n_axes], cuts=cuts)).items():
        np.testing.assert_array_equal(values, whole[name])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(30, 500), min_size=1, max_size=6).map(tuple))
def test_the_state_put_into_another_stage_goes_on_with_the_same_bits(cuts):
    whole = columns(follow(HOLED))
    for name, values in columns(follow(HOLED, cuts=cuts, restore=True)).items():
        np.testing.assert_array_equal(values, whole[name])


@pytest.mark.parametrize("cuts", [(1,), (50,), (10_000,)])
@pytest.mark.parametrize("turn_deg", [75.0, 200.0, 350.0])
def test_quaternions_never_jump_to_their_other_sign(cuts, turn_deg):
    imu, _ = turning_sensor((0.0, 1.0, 0.2), turn_deg)
    quaternion = columns(follow(imu, cuts=cuts))["quaternion"]
    assert np.linalg.norm(np.diff(quaternion, axis=0), axis=1).max() < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_whatever_signs_the_filter_gives_those_of_neighbours_agree(seed):
    """VQF has not been seen to jump; interpolation between two signs would be nonsense if it ever did."""
    stage = OrientationStage(rate_hz=100.0)
    stage.process(TILT[:, :100], SampleClock(0, 0.0, 100.0), 0)
    true = Rotation.from_rotvec(np.outer(np.linspace(0.0, 5.0, 50), [0.0, 0.6, 0.8])).as_quat(
        scalar_first=True
    )
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (50, 1))
    found = stage._continuous(true * signs)
    assert np.sum(found[1:] * found[:-1], axis=1).min() > 0.9
    np.testing.assert_array_equal(np.abs(found), np.abs(true))


@pytest.mark.parametrize("rate_hz", [100.0, 110.2, 208.0])
def test_directions_and_quaternions_have_unit_length(rate_hz):
    imu, _ = turning_sensor((1.0, 2.0, 0.5), 75.0, rate_hz=rate_hz)
    found = columns(follow(imu, rate_hz=rate_hz))
    # Between two samples a straight line cuts the corner a little.
    np.testing.assert_allclose(np.linalg.norm(found["up"], axis=1), 1.0, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(found["quaternion"], axis=1), 1.0, atol=2e-4)


@settings(max_examples=25, deadline=None)
@given(mounting=mountings, lean_deg=st.floats(-80.0, 80.0))
def test_a_known_turn_is_found_however_the_sensor_sits(mounting, lean_deg):
    imu, attitude = turning_sensor((0.3, 1.0, 0.0), 70.0, mounting=mounting, lean_deg=lean_deg)
    found = columns(follow(imu))
    n = len(found["up"])
    true_up = attitude.inv().apply([0.0, 0.0, 1.0])[:n]
    assert angle_deg(found["up"], true_up)[200:].max() < 1.0
    start, turn = 290, 450
    known = (attitude[start].inv() * attitude[turn]).as_matrix()
    matrices = rotation_matrices(found["quaternion"][[start, turn]])
    assert turn_between_deg(matrices[0].T @ matrices[1], known) < 1.0


@pytest.mark.parametrize("turn_deg", [-120.0, 40.0, 170.0])
def test_turning_about_the_plumb_line_is_known_relative_to_where_it_began(turn_deg):
    imu, _ = turning_sensor((0.0, 0.0, 1.0), turn_deg, lean_deg=30.0)
    quaternion = columns(follow(imu))["quaternion"]
    start, turn, end = rotation_matrices(quaternion[[290, 450, 620]])
    # In earth axes the change is a pure change of heading.
    change = turn @ start.T
    heading_deg = np.degrees(np.arctan2(change[1, 0], change[0, 0]))
    assert (heading_deg - turn_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1.5)
    assert turn_between_deg(end, start) < 1.5


def test_up_is_the_last_row_of_the_attitude():
    found = columns(follow(TILT))
    np.testing.assert_allclose(found["up"], rotation_matrices(found["quaternion"])[:, 2], atol=1e-9)


def test_an_accelerometer_alone_gives_the_direction_of_its_force_and_nothing_it_cannot_know():
    found = columns(follow(TILT[:3]))
    n = len(found["up"])
    np.testing.assert_allclose(found["up"], TILT[:3, :n].T / GRAVITY_MPS2, atol=1e-9)
    np.testing.assert_allclose(found["force_mps2"], GRAVITY_MPS2, rtol=1e-9)
    for name in ("acceleration_mps2", "turn_rate_radps", "quaternion"):
        assert np.isnan(found[name]).all()


def test_a_sensor_in_free_fall_gives_no_direction_and_no_error():
    falling = np.zeros((3, 300))
    assert not np.isnan(columns(follow(falling))["up"]).any()


@pytest.mark.parametrize("n_axes", [6, 3])
def test_a_short_hole_is_bridged_and_a_long_one_is_a_break(n_axes):
    found = columns(follow(HOLED[:n_axes]))
    missing = np.flatnonzero(np.isnan(found["up"][:, 0]))
    assert set(range(600, 680)) <= set(missing) <= set(range(599, 681))
    np.testing.assert_array_equal(np.isnan(found["force_mps2"]), np.isnan(found["up"][:, 0]))


def test_after_a_break_the_direction_is_found_again_at_once():
    imu, attitude = turning_sensor((0.3, 1.0, 0.0), 70.0, lean_deg=35.0)
    imu[:, 380:460] = np.nan
    up = columns(follow(imu))["up"]
    true_up = attitude.inv().apply([0.0, 0.0, 1.0])[: len(up)]
    assert angle_deg(up[462:], true_up[462:]).max() < 1.5

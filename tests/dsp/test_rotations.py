import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.dsp.rotations import (
    angle_deg,
    nearest_rotation,
    rotation_between,
    rotation_matrices,
    rotation_vectors,
    turn_between_deg,
    unit,
)

seeds = st.integers(0, 10_000)


@given(seed=seeds)
def test_matrices_of_quaternions_are_those_of_scipy(seed):
    rotations = Rotation.random(5, rng=seed)
    found = rotation_matrices(rotations.as_quat(scalar_first=True))
    np.testing.assert_allclose(found, rotations.as_matrix(), atol=1e-12)


@given(seed=seeds)
def test_rotation_vectors_are_relative_to_the_first_whatever_the_sign_of_a_quaternion(seed):
    rotations = Rotation.random(6, rng=seed)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (6, 1))
    found = rotation_vectors(signs * rotations.as_quat(scalar_first=True))
    np.testing.assert_allclose(found, (rotations[0].inv() * rotations).as_rotvec(), atol=1e-6)


@pytest.mark.parametrize("degrees", [0.0, 1e-5, 60.0, 180.0])
def test_angles_are_exact_from_tiny_ones_to_half_a_turn(degrees):
    turn = Rotation.from_euler("x", degrees, degrees=True)
    y = np.array([0.0, 1.0, 0.0])
    assert angle_deg(y, turn.apply(y)) == pytest.approx(degrees, rel=1e-6)
    assert turn_between_deg(np.eye(3), turn.as_matrix()) == pytest.approx(degrees, rel=1e-6)


@given(seed=seeds)
def test_two_directions_are_turned_into_two_others(seed):
    turn = Rotation.random(rng=seed)
    first, second = unit(np.random.default_rng(seed).normal(size=(2, 3)))
    found = rotation_between((first, second), tuple(turn.apply([first, second])))
    np.testing.assert_allclose(found, turn.as_matrix(), atol=1e-6)


def test_the_first_direction_is_met_exactly_and_the_second_as_far_as_it_can_be():
    x, y, z = np.eye(3)
    found = rotation_between((x, unit(x + y)), (z, x))
    np.testing.assert_allclose(found @ x, z, atol=1e-12)
    np.testing.assert_allclose(found @ y, x, atol=1e-12)


@given(seed=seeds)
def test_the_nearest_rotation_of_a_stretched_one_is_itself(seed):
    matrix = Rotation.random(rng=seed).as_matrix()
    np.testing.assert_allclose(nearest_rotation(0.3 * matrix), matrix, atol=1e-12)


def test_the_nearest_rotation_of_a_mirror_is_still_a_rotation():
    found = nearest_rotation(np.diag([1.0, 1.0, -0.5]))
    np.testing.assert_allclose(found, np.eye(3), atol=1e-12)

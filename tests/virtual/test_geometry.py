"""Angles are taken apart as they were put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.virtual.geometry import (
    about_axis,
    about_x,
    about_y,
    about_z,
    body_angles,
    random_rotation,
    rotation_vector,
)

ANGLES = st.floats(-80.0, 80.0)


def turned(pitch_deg: float, obliquity_deg: float, rotation_deg: float) -> np.ndarray:
    pitch, obliquity, rotation = (np.deg2rad([deg]) for deg in (pitch_deg, obliquity_deg, rotation_deg))
    return (about_y(pitch) @ about_x(obliquity) @ about_z(rotation))[0]


@given(ANGLES, ANGLES, ANGLES)
def test_a_change_has_the_angles_that_made_it(pitch: float, obliquity: float, rotation: float) -> None:
    assert body_angles(turned(pitch, obliquity, rotation)) == pytest.approx(
        (pitch, obliquity, rotation), abs=1e-9
    )


def test_leaning_forward_turns_the_head_to_the_front() -> None:
    assert turned(30.0, 0.0, 0.0) @ [0.0, 0.0, 1.0] == pytest.approx([0.5, 0.0, np.sqrt(0.75)])


def test_positive_obliquity_raises_the_left_side_and_positive_rotation_takes_it_back() -> None:
    assert (turned(0.0, 30.0, 0.0) @ [0.0, 1.0, 0.0])[2] == pytest.approx(0.5)
    assert (turned(0.0, 0.0, 30.0) @ [0.0, 1.0, 0.0])[0] == pytest.approx(-0.5)


def test_the_rotation_about_an_axis_is_that_of_its_rotation_vector() -> None:
    axis = np.array([2.0, -1.0, 2.0]) / 3.0
    angles = np.array([-0.5, 0.0, 1.2])
    expected = Rotation.from_rotvec(angles[:, np.newaxis] * axis).as_matrix()
    assert about_axis(axis, angles) == pytest.approx(expected, abs=1e-12)
    assert rotation_vector(expected) == pytest.approx(angles[:, np.newaxis] * axis, abs=1e-12)


def test_a_random_rotation_is_a_rotation() -> None:
    matrix = random_rotation(np.random.default_rng(1))
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)

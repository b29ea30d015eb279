"""Rotations and their angles: the convention of the body's axes, in one place.

Rotation matrices turn body coordinates into world coordinates. A change within a repetition is
``D = R(start)^T R(t) = Ry(pitch) Rx(obliquity) Rz(rotation)``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class BodyAngles(NamedTuple):
    """Angles of a change of orientation, degrees; each of the shape of the stack of rotations."""

    pitch_deg: NDArray[np.float64]
    """About y: positive leaning forward."""
    obliquity_deg: NDArray[np.float64]
    """About x': positive with the left side up."""
    rotation_deg: NDArray[np.float64]
    """About z'': positive with the left side back."""


def about_x(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations about x by angles in radians; shape (n,) to (n, 3, 3)."""
    return _about(angle, axis=0)


def about_y(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations about y by angles in radians; shape (n,) to (n, 3, 3)."""
    return _about(angle, axis=1)


def about_z(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations about z by angles in radians; shape (n,) to (n, 3, 3)."""
    return _about(angle, axis=2)


def about_axis(axis: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations about one unit vector by angles in radians (Rodrigues); shape (n,) to (n, 3, 3)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, versine = np.sin(angle), 1.0 - np.cos(angle)
    return np.asarray(
        np.eye(3)
        + sine[:, np.newaxis, np.newaxis] * cross
        + versine[:, np.newaxis, np.newaxis] * cross @ cross
    )


def body_angles(change: NDArray[np.float64]) -> BodyAngles:
    """Take a change ``Ry(pitch) Rx(obliquity) Rz(rotation)`` apart; shape (..., 3, 3) to (...)."""
    pitch = np.arctan2(change[..., 0, 2], change[..., 2, 2])
    obliquity = np.arcsin(np.clip(-change[..., 1, 2], -1.0, 1.0))
    rotation = np.arctan2(change[..., 1, 0], change[..., 1, 1])
    return BodyAngles(np.rad2deg(pitch), np.rad2deg(obliquity), np.rad2deg(rotation))


def random_rotation(chance: np.random.Generator) -> NDArray[np.float64]:
    """Rotation drawn evenly from all rotations; shape (3, 3)."""
    quaternion = chance.standard_normal(4)
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def rotation_vector(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axis times angle of small rotations (below a quarter turn); shape (n, 3, 3) to (n, 3)."""
    doubled_sine_axis = np.stack(
        [
            rotation[:, 2, 1] - rotation[:, 1, 2],
            rotation[:, 0, 2] - rotation[:, 2, 0],
            rotation[:, 1, 0] - rotation[:, 0, 1],
        ],
        axis=1,
    )
    sine = np.linalg.norm(doubled_sine_axis, axis=1) / 2.0
    angle_per_sine = np.ones(len(sine))
    np.divide(np.arcsin(np.minimum(sine, 1.0)), sine, out=angle_per_sine, where=sine > 1e-12)
    return np.asarray(doubled_sine_axis / 2.0 * angle_per_sine[:, np.newaxis])


def _about(angle: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    following, last = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.zeros((len(angle), 3, 3))
    rotation[:, axis, axis] = 1.0
    rotation[:, following, following] = rotation[:, last, last] = np.cos(angle)
    rotation[:, last, following] = np.sin(angle)
    rotation[:, following, last] = -np.sin(angle)
    return rotation

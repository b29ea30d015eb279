"""Turning in space: quaternions, matrices and angles between directions; no body, no sensor, no time."""

import math

import numpy as np
from numpy.typing import NDArray

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Two directions that are not parallel, unit vectors of shape (3,)."""


def rotation_matrices(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation matrices, shape (n, 3, 3), of unit quaternions w, x, y, z, shape (n, 4)."""
    w, x, y, z = quaternion.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows).transpose(2, 0, 1)


def angle_deg(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle between unit vectors along the last axis, exact for small angles too; 0 to 180 degrees."""
    apart = first - second
    chord = np.sqrt(np.einsum("...i,...i->...", apart, apart))
    angle: NDArray[np.float64] = np.degrees(2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0)))
    return angle


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors along the last axis, scaled to length 1."""
    length: NDArray[np.float64] = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / length


def rotation_vectors(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation of every row relative to the first, in the axes of the first.

    Parameters
    ----------
    quaternion
        Unit quaternions w, x, y, z, shape (n, 4).

    Returns
    -------
    ndarray
        Axis times angle in radians, shape (n, 3); the shorter way round.
    """
    w0, x0, y0, z0 = quaternion[0]
    conjugate = np.array([[w0, x0, y0, z0], [-x0, w0, z0, -y0], [-y0, -z0, w0, x0], [-z0, y0, -x0, w0]])
    w, *vector = conjugate @ quaternion.T
    # A quaternion and its negative are the same rotation; the one with positive w is the shorter way.
    xyz = np.array(vector).T * np.where(w < 0.0, -1.0, 1.0)[:, np.newaxis]
    sine = np.linalg.norm(xyz, axis=1)
    angle = 2.0 * np.arctan2(sine, np.abs(w))
    turns: NDArray[np.float64] = xyz * (angle / np.maximum(sine, 1e-12))[:, np.newaxis]
    return turns


def rotation_between(sensor: Pair, body: Pair) -> NDArray[np.float64]:
    """Turn one pair of directions into the other: the first exactly, the second as far as it can be.

    (Triad: Black 1964, AIAA J 2:1350, 10.2514/3.2555.)
    """
    return _frame(body) @ _frame(sensor).T


def _frame(pair: Pair) -> NDArray[np.float64]:
    first, second = pair
    across = unit(np.cross(first, second))
    return np.stack([first, across, np.cross(first, across)], axis=1)


def nearest_rotation(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation whose matrix differs least from a given one, shape (3, 3)."""
    left, _, right = np.linalg.svd(matrix)
    handed = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))])
    rotation: NDArray[np.float64] = left @ handed @ right
    return rotation


def turn_between_deg(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Angle of the rotation that leads from one rotation matrix to another."""
    chord = float(np.linalg.norm(first - second)) / math.sqrt(8.0)
    return math.degrees(2.0 * math.asin(min(1.0, chord)))

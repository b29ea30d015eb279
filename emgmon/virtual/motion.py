"""Where the pelvis is and how it is turned at any time, and what an inertial sensor on it measures.

World axes: X to the front, Y to the left, Z up. Pelvis axes: x anterior, y left, z towards the
head. Pitch turns about the pelvis's y axis: 0 upright, positive leaning forward, -90 degrees lying
on the back. Acceleration and angular rate are derived from the same position and orientation, so
they agree with each other to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.chance import generator
from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.exercise_model import ExerciseModel
from emgmon.virtual.plan import RepPlan

GRAVITY_MPS2 = 9.80665
"""Standard gravity."""

STEP_S = 1e-3
"""Half the width over which position and orientation are differentiated: far shorter than any
movement, far longer than rounding allows to matter."""

SWAY_HZ = (0.15, 0.45)
"""Breathing and balance."""

SWAY_M = (0.003, 0.002, 0.001)
"""RMS of the pelvis's sway along X, Y and Z."""

SWAY_DEG = (0.2, 0.3, 0.2)
"""RMS of its sway in roll, pitch and yaw."""

WOBBLE_HZ = (3.0, 7.0)
"""Skin and fat under the sensor swing at these rates while the body moves."""

WOBBLE_M = 0.0002
"""RMS of that swing along each axis."""

WOBBLE_DEG = 0.25
"""RMS of that swing about each axis."""

N_SINES = 4
"""Sines in each wandering signal."""


@dataclass(frozen=True, slots=True, eq=False)
class Wander:
    """A bounded random signal whose value is known at any time: a few sines of random phase."""

    amplitude: float
    frequencies_hz: NDArray[np.float64]
    """Shape (n_sines,)."""
    phases: NDArray[np.float64]
    """Shape (n_sines,), radians."""

    @classmethod
    def drawn(cls, rms: float, band_hz: tuple[float, float], chance: np.random.Generator) -> "Wander":
        """Draw frequencies and phases; the RMS is over all time."""
        frequencies_hz = chance.uniform(*band_hz, size=N_SINES)
        phases = chance.uniform(0.0, 2.0 * np.pi, size=N_SINES)
        return cls(rms * np.sqrt(2.0 / N_SINES), frequencies_hz, phases)

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value at each time; shape (n,)."""
        total = np.zeros(len(times_s))
        for frequency_hz, phase in zip(self.frequencies_hz, self.phases, strict=True):
            total += np.sin(2.0 * np.pi * frequency_hz * times_s + phase)
        return self.amplitude * total


@dataclass(frozen=True, slots=True, eq=False)
class PelvisMotion:
    """The whole movement of the sensor on the pelvis, as functions of time."""

    model: ExerciseModel
    way: SmoothCurve
    """0 in the start position, about 1 in the far one."""
    tilt: SmoothCurve
    """The same for pitch."""
    moving: SmoothCurve
    """0 at rest, 1 during repetitions: scales the wobble."""
    heading_rad: float
    mounting: NDArray[np.float64]
    """Shape (3, 3): sensor axes to pelvis axes."""
    sway: tuple[Wander, ...]
    """Metres along X, Y, Z, then degrees of roll, pitch, yaw."""
    wobble: tuple[Wander, ...]
    """The same."""

    def position_m(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position in the world; shape (n, 3). The start position is near the origin."""
        way = self.way.at(times_s)
        position = self._wandering(times_s, slice(0, 3))
        position[:, 0] += way * self.model.forward_m * np.cos(self.heading_rad)
        position[:, 1] += way * self.model.forward_m * np.sin(self.heading_rad)
        position[:, 2] += way * self.model.height_m
        return position

    def sensor_to_world(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotation of the sensor; shape (n, 3, 3)."""
        angles = np.deg2rad(self._wandering(times_s, slice(3, 6)))
        pitch_deg = self.model.start_pitch_deg + self.tilt.at(times_s) * self.model.pitch_deg
        pitch = np.deg2rad(pitch_deg) + angles[:, 1]
        turn = _about_z(self.heading_rad + angles[:, 2]) @ _about_y(pitch) @ _about_x(angles[:, 0])
        return np.asarray(turn @ self.mounting)

    def specific_force_mps2(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what an ideal accelerometer measures: ``R^T (a - g)``; shape (n, 3)."""
        before, now, after = (self.position_m(times_s + shift) for shift in (-STEP_S, 0.0, STEP_S))
        acceleration = (before - 2.0 * now + after) / STEP_S**2
        acceleration[:, 2] += GRAVITY_MPS2
        return np.asarray(np.einsum("nji,nj->ni", self.sensor_to_world(times_s), acceleration))

    def angular_rate_radps(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what an ideal gyroscope measures, in sensor axes; shape (n, 3)."""
        before = self.sensor_to_world(times_s - STEP_S)
        after = self.sensor_to_world(times_s + STEP_S)
        return rotation_vector(np.einsum("nji,njk->nik", before, after)) / (2.0 * STEP_S)

    def _wandering(self, times_s: NDArray[np.float64], parts: slice) -> NDArray[np.float64]:
        moving = self.moving.at(times_s)
        columns = [
            sway.at(times_s) + moving * wobble.at(times_s)
            for sway, wobble in zip(self.sway[parts], self.wobble[parts], strict=True)
        ]
        return np.stack(columns, axis=1)


def move_pelvis(model: ExerciseModel, reps: Sequence[RepPlan], *, seed: int) -> PelvisMotion:
    """Give the movement of a person who performs `reps`, with a sensor mounted any way round."""
    chance = generator(seed, "motion")
    sway_rms = (*SWAY_M, *SWAY_DEG)
    wobble_rms = (*[WOBBLE_M] * 3, *[WOBBLE_DEG] * 3)
    return PelvisMotion(
        model=model,
        way=_there_and_back(reps, [rep.range_scale for rep in reps]),
        tilt=_there_and_back(reps, [rep.pitch_scale for rep in reps]),
        moving=_gate(reps),
        heading_rad=float(chance.uniform(-np.pi, np.pi)),
        mounting=random_rotation(chance),
        sway=tuple(Wander.drawn(rms, SWAY_HZ, chance) for rms in sway_rms),
        wobble=tuple(Wander.drawn(rms, WOBBLE_HZ, chance) for rms in wobble_rms),
    )


def _there_and_back(reps: Sequence[RepPlan], scales: Sequence[float]) -> SmoothCurve:
    times_s = [time_s for rep in reps for time_s in (rep.start_s, rep.reached_s, rep.left_s, rep.end_s)]
    values = [value for scale in scales for value in (0.0, scale, scale, 0.0)]
    return SmoothCurve(np.asarray(times_s), np.asarray(values))


def _gate(reps: Sequence[RepPlan]) -> SmoothCurve:
    """Open over each repetition; the tissue settles within 0.25 s of its end."""
    times_s = [
        time_s
        for rep in reps
        for time_s in (rep.start_s - 0.05, rep.start_s + 0.2, rep.end_s - 0.2, rep.end_s + 0.25)
    ]
    return SmoothCurve(np.asarray(times_s), np.asarray([0.0, 1.0, 1.0, 0.0] * len(reps)))


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


def _about_x(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return _about(angle, axis=0)


def _about_y(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return _about(angle, axis=1)


def _about_z(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return _about(angle, axis=2)


def _about(angle: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Rotations about one axis; shape (n, 3, 3)."""
    following, last = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.zeros((len(angle), 3, 3))
    rotation[:, axis, axis] = 1.0
    rotation[:, following, following] = rotation[:, last, last] = np.cos(angle)
    rotation[:, last, following] = np.sin(angle)
    rotation[:, following, last] = -np.sin(angle)
    return rotation

"""What an ideal inertial sensor on a moving body measures, with its mounting, wobble and slip.

Acceleration and angular rate are derived from the same position and orientation, so they agree with
each other to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.body import PELVIS, BodyMotion, Segment, move_body
from emgmon.virtual.chance import generator
from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.geometry import about_axis, about_x, about_y, about_z, random_rotation, rotation_vector
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan
from emgmon.virtual.wander import Wander, drawn_sway, drawn_wobble, wander

GRAVITY_MPS2 = 9.80665
"""Standard gravity."""

STEP_S = 1e-3
"""Half the width over which position and orientation are differentiated: far shorter than any
movement, far longer than rounding allows to matter."""

SLIP_S = 0.5
"""How long a sudden slip takes."""

GATE_S = (0.05, 0.2, 0.2, 0.25)
"""Wobble begins this long before a movement, is whole this long into it, fades this long before its end
and is over this long after it."""


@dataclass(frozen=True, slots=True, eq=False)
class SensorMotion:
    """The whole movement of one inertial sensor, as functions of time."""

    body: BodyMotion
    segment: Segment
    moving: SmoothCurve
    """0 at rest, 1 during movement: scales the wobble."""
    mounting: NDArray[np.float64]
    """Shape (3, 3): sensor axes to segment axes, before any slip."""
    wobble: tuple[Wander, ...]
    """Metres along X, Y, Z, then degrees of roll, pitch, yaw."""
    slip_axis: NDArray[np.float64]
    """Shape (3,), in segment axes."""
    slip: SmoothCurve | None
    """Angle by which the sensor has turned on the skin, radians."""

    def position_m(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position in the world; shape (n, 3). The pelvis's start position is near the origin."""
        return self._placed(times_s)[0]

    def sensor_to_world(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotation of the sensor; shape (n, 3, 3)."""
        return self._placed(times_s)[1]

    def specific_force_mps2(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what an ideal accelerometer measures: ``R^T (a - g)``; shape (n, 3)."""
        return self.measured(times_s)[0]

    def angular_rate_radps(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what an ideal gyroscope measures, in sensor axes; shape (n, 3)."""
        return self.measured(times_s)[1]

    def measured(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Specific force (m/s²) and angular rate (rad/s) at once; shape (n, 3) each."""
        before, now, after = (self._placed(times_s + shift) for shift in (-STEP_S, 0.0, STEP_S))
        acceleration = (before[0] - 2.0 * now[0] + after[0]) / STEP_S**2
        acceleration[:, 2] += GRAVITY_MPS2
        force = np.einsum("nji,nj->ni", now[1], acceleration)
        turned = np.einsum("nji,njk->nik", before[1], after[1])
        return np.asarray(force), rotation_vector(turned) / (2.0 * STEP_S)

    def _placed(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        shake = self.moving.at(times_s)[:, np.newaxis] * wander(self.wobble, times_s)
        placed = self.body.place(self.segment, times_s, shake)
        if self.slip is None:
            return placed.position_m, np.asarray(placed.turn @ self.mounting)
        slipped = about_axis(self.slip_axis, self.slip.at(times_s)) @ self.mounting
        return placed.position_m, np.asarray(placed.turn @ slipped)


def worn_segments(params: AthleteParams) -> tuple[Segment, ...]:
    """Give the segments that wear an inertial sensor, in the order of their streams."""
    sides = {"thigh": params.worn_thigh}
    return tuple(Segment(site, sides.get(site)) for site in params.imu_sites)


def wear_sensor(params: AthleteParams, plan: Plan, segment: Segment) -> SensorMotion:
    """Give the movement of a sensor on a person who performs a plan."""
    slip = _slip(params, plan)
    return mounted(params, move_body(params, plan), segment, movements_s=movements(plan), slip=slip)


def mounted(
    params: AthleteParams,
    body: BodyMotion,
    segment: Segment,
    *,
    movements_s: Sequence[tuple[float, float]],
    slip: SmoothCurve | None = None,
) -> SensorMotion:
    """Put a sensor on a moving body, the same way in every take of one seed."""
    chance, mounting = _mounting(params, segment)
    axis = generator(params.seed, "slip", segment.site).standard_normal(3)
    return SensorMotion(
        body=body,
        segment=segment,
        moving=_gate(movements_s),
        mounting=mounting,
        wobble=drawn_wobble(params.wobble_deg, chance),
        slip_axis=axis / np.linalg.norm(axis),
        slip=slip,
    )


def sensor_mounting(params: AthleteParams, segment: Segment) -> NDArray[np.float64]:
    """Give the true rotation from sensor axes to segment axes, before any slip; shape (3, 3)."""
    return _mounting(params, segment)[1]


def _mounting(params: AthleteParams, segment: Segment) -> tuple[np.random.Generator, NDArray[np.float64]]:
    """Give the mounting, and the generator that goes on to draw the wobble."""
    if segment.site == PELVIS.site:
        chance = generator(params.seed, "motion")
        chance.uniform(-np.pi, np.pi)  # the heading
        drawn = random_rotation(chance)
        drawn_sway(chance)
    else:
        chance = generator(params.seed, "motion", segment.site)
        drawn = random_rotation(chance)
    if params.mounting_deg is None:
        return chance, drawn
    x, y, z = (np.deg2rad([angle_deg]) for angle_deg in params.mounting_deg)
    return chance, np.asarray(about_z(z) @ about_y(y) @ about_x(x))[0]


def _slip(params: AthleteParams, plan: Plan) -> SmoothCurve | None:
    if params.slip_deg == 0.0:
        return None
    times_s = (0.0, plan.duration_s)
    if params.slip_at_s is not None:
        times_s = (params.slip_at_s, params.slip_at_s + SLIP_S)
    return SmoothCurve(np.asarray(times_s), np.deg2rad([0.0, params.slip_deg]))


def movements(plan: Plan) -> list[tuple[float, float]]:
    """Start and end of every bow, repetition and set-up movement, in order of time; seconds."""
    stretches = list(plan.calibration.bows_s) if plan.calibration else []
    stretches += [(rep.start_s, rep.end_s) for rep in plan.reps]
    return sorted(stretches + [(move.start_s, move.end_s) for move in plan.set_up])


def _gate(stretches: Sequence[tuple[float, float]]) -> SmoothCurve:
    """Open over each movement; closed in between where there is time for it."""
    before_s, rise_s, fall_s, after_s = GATE_S
    times_s: list[float] = []
    values: list[float] = []
    for start_s, end_s in stretches:
        half_s = 0.4 * (end_s - start_s)
        opened = [start_s - before_s, start_s + min(rise_s, half_s)]
        if times_s and opened[0] <= times_s[-1]:
            del times_s[-2:], values[-2:]
        else:
            times_s += opened
            values += [0.0, 1.0]
        times_s += [end_s - min(fall_s, half_s), end_s + after_s]
        values += [1.0, 0.0]
    return SmoothCurve(np.asarray(times_s), np.asarray(values))

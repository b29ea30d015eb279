"""What walking does to pelvis and thighs on top of the way: bob, list, lean and turn with every step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.curve import SmoothCurve

STEPS_HZ = (1.6, 2.0)
"""Slowest and fastest cadence."""

BOB_M = (0.03, 0.05)
"""Height from the lowest to the highest point of a step."""

HARMONIC = 0.12
"""The foot's landing: bob at twice the cadence, as a fraction."""

SURGE_M = 0.012
ASIDE_M = 0.02
"""Half the way forward and back with each step, and from side to side with each pair."""

LEAN_DEG = 1.5
LIST_DEG = 3.0
TURN_DEG = 5.0
THIGH_DEG = 20.0
"""Half the change of pitch with each step, and of obliquity, rotation and thigh pitch with each pair."""

IRREGULAR = 0.3
IRREGULAR_HZ = 0.3
"""Steps come early or late by this phase, in radians, at this rate."""

FADE_S = 0.6
"""Time in which walking begins and ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Gait:
    """One stretch of walking."""

    start_s: float
    end_s: float
    steps_hz: float
    bob_m: float
    phases: tuple[float, float, float]
    """Of the pairs of steps, of their irregularity, of the landing; radians."""
    strength: SmoothCurve
    """0 standing, 1 walking."""

    @classmethod
    def drawn(cls, start_s: float, end_s: float, chance: np.random.Generator) -> "Gait":
        """Draw cadence, bob and phases."""
        fade_s = min(FADE_S, (end_s - start_s) / 3.0)
        strength = SmoothCurve(
            np.array([start_s, start_s + fade_s, end_s - fade_s, end_s]), np.array([0.0, 1.0, 1.0, 0.0])
        )
        first, second, third = chance.uniform(0.0, 2.0 * np.pi, 3)
        steps_hz, bob_m = float(chance.uniform(*STEPS_HZ)), float(chance.uniform(*BOB_M))
        return cls(start_s, end_s, steps_hz, bob_m, (first, second, third), strength)

    def at(self, times_s: NDArray[np.float64], direction_rad: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what is added to every column of a floor path.

        Parameters
        ----------
        times_s
            Within the stretch; shape (n,).
        direction_rad
            To where the person walks; shape (n,).

        Returns
        -------
        ndarray, shape (n, 9)
            Metres along X, Y, Z, degrees of yaw, pitch, obliquity, rotation, left and right thigh pitch.
        """
        wave = np.sin(2.0 * np.pi * IRREGULAR_HZ * times_s + self.phases[1])
        pair = np.pi * self.steps_hz * times_s + self.phases[0] + IRREGULAR * wave
        step = 2.0 * pair
        bob = np.cos(step) + HARMONIC * np.cos(2.0 * step + self.phases[2])
        surge, aside = SURGE_M * np.sin(step), ASIDE_M * np.cos(pair)
        columns = (
            surge * np.cos(direction_rad) - aside * np.sin(direction_rad),
            surge * np.sin(direction_rad) + aside * np.cos(direction_rad),
            self.bob_m / 2.0 * bob,
            np.zeros(len(times_s)),
            LEAN_DEG * np.sin(step),
            LIST_DEG * np.sin(pair),
            TURN_DEG * np.cos(pair),
            THIGH_DEG * np.sin(pair),
            -THIGH_DEG * np.sin(pair),
        )
        return np.asarray(self.strength.at(times_s)[:, np.newaxis] * np.stack(columns, axis=1))

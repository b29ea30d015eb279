"""Random signals that are smooth functions of time: sway of the body, swing of the skin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SWAY_HZ = (0.15, 0.45)
"""Breathing and balance."""

SWAY_M = (0.003, 0.002, 0.001)
"""RMS of the pelvis's sway along X, Y and Z."""

SWAY_DEG = (0.2, 0.3, 0.2)
"""RMS of the body's sway in roll, pitch and yaw."""

WOBBLE_HZ = (3.0, 7.0)
"""Skin and fat under the sensor swing at these rates while the body moves."""

WOBBLE_M = 0.0002
"""RMS of that swing along each axis."""

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


def drawn_sway(chance: np.random.Generator) -> tuple[Wander, ...]:
    """Draw the body's sway: metres along X, Y, Z, then degrees of roll, pitch and yaw."""
    return tuple(Wander.drawn(rms, SWAY_HZ, chance) for rms in (*SWAY_M, *SWAY_DEG))


def drawn_wobble(wobble_deg: float, chance: np.random.Generator) -> tuple[Wander, ...]:
    """Draw a sensor's swing on the skin: the same order, `wobble_deg` of RMS about each axis."""
    rms = (*[WOBBLE_M] * 3, *[wobble_deg] * 3)
    return tuple(Wander.drawn(one, WOBBLE_HZ, chance) for one in rms)


def wander(parts: tuple[Wander, ...], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of several at each time; shape (n, n_parts)."""
    return np.stack([part.at(times_s) for part in parts], axis=1)

"""What the virtual athlete can be asked for, refused here when it is impossible."""

import math
from dataclasses import dataclass

from emgmon.errors import SimulationError
from emgmon.virtual.exercise_model import EXERCISE_MODELS


@dataclass(frozen=True, slots=True)
class Range:
    """Values that make sense, ends included."""

    low: float
    high: float
    unit: str


RANGES = {
    "n_sets": Range(1, 100, ""),
    "n_reps": Range(1, 100, ""),
    "glute_share_pct": Range(1.0, 99.0, " %"),
    "snr_db": Range(0.0, 60.0, " dB"),
    "hum_uv": Range(0.0, 1000.0, " uV"),
    "heartbeat_uv": Range(0.0, 2000.0, " uV"),
    "drift_uv": Range(0.0, 2000.0, " uV"),
    "motion_uv": Range(0.0, 2000.0, " uV"),
    "mains_hz": Range(45.0, 65.0, " Hz"),
    "duration_s": Range(1.0, 36_000.0, " s"),
    "set_rest_s": Range(2.0, 600.0, " s"),
    "seed": Range(0, 2**63 - 1, ""),
    "emg_rate_hz": Range(1000.0, 8000.0, " Hz"),
    "imu_rate_hz": Range(25.0, 1000.0, " Hz"),
}
"""Range of every numeric parameter; the command line shows the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AthleteParams:
    """One performance of the virtual athlete.

    Equal parameters give equal samples, bit for bit.
    """

    exercise: str = "bridge"
    n_sets: int | None = None
    """Sets to perform; without it one set, or as many as fit into `duration_s`."""
    n_reps: int = 8
    """Repetitions in each set."""
    glute_share_pct: float | None = None
    """Mean glute share over the repetitions; ``None`` for the share of the person's good set."""
    snr_db: float = 20.0
    """``20 log10(RMS of the muscle at its mean working level / RMS of the amplifier noise)``, the
    same for every channel; see :mod:`emgmon.virtual.emg`."""
    hum_uv: float = 3.0
    """RMS of mains hum, harmonic included."""
    heartbeat_uv: float = 30.0
    """Peak of the heartbeat's R wave on the back channels."""
    drift_uv: float = 150.0
    """RMS of the electrode's wander below 1 Hz."""
    motion_uv: float = 150.0
    """Peak of the burst below 20 Hz at lift-off and landing."""
    mains_hz: float = 50.0
    duration_s: float | None = None
    """Length of the whole performance, quiet ends included; ``None`` for as long as the sets take."""
    set_rest_s: float = 20.0
    """Rest between two sets."""
    seed: int = 1
    emg_rate_hz: float = 2000.0
    imu_rate_hz: float = 100.0

    def __post_init__(self) -> None:
        if self.exercise not in EXERCISE_MODELS:
            raise SimulationError(
                f"the virtual athlete cannot perform {self.exercise!r}",
                advice=f"Choose one of {', '.join(EXERCISE_MODELS)}.",
            )
        for name, allowed in RANGES.items():
            _check_range(name, getattr(self, name), allowed)

    @property
    def asked_share_pct(self) -> float:
        """Glute share to perform: as asked, else that of the good set."""
        if self.glute_share_pct is not None:
            return self.glute_share_pct
        return EXERCISE_MODELS[self.exercise].good_share_pct


def _check_range(name: str, value: float | None, allowed: Range) -> None:
    if value is None or (math.isfinite(value) and allowed.low <= value <= allowed.high):
        return
    raise SimulationError(
        f"{name} is {value:g}{allowed.unit}, outside what can be simulated",
        advice=f"Give a value from {allowed.low:g} to {allowed.high:g}{allowed.unit}.",
    )

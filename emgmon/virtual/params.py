"""What the virtual athlete can be asked for, refused here when it is impossible."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emgmon.errors import SimulationError
from emgmon.virtual.exercise_model import EXERCISE_MODELS, SIDES, ExerciseModel, Sides


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
    "range_scale": Range(0.3, 1.5, ""),
    "tempo_scale": Range(0.2, 5.0, ""),
    "lift_s": Range(0.15, 15.0, " s"),
    "hold_s": Range(0.02, 20.0, " s"),
    "return_s": Range(0.15, 15.0, " s"),
    "pause_s": Range(0.05, 60.0, " s"),
    "n_partial": Range(0, 100, ""),
    "mid_set_rest_s": Range(0.0, 60.0, " s"),
    "lumbar_share": Range(0.0, 0.9, ""),
    "pitch_excess_deg": Range(-30.0, 30.0, " degrees"),
    "obliquity_excess_deg": Range(-30.0, 30.0, " degrees"),
    "rotation_excess_deg": Range(-60.0, 60.0, " degrees"),
    "wobble_deg": Range(0.0, 5.0, " degrees"),
    "slip_deg": Range(0.0, 60.0, " degrees"),
    "slip_at_s": Range(0.0, 36_000.0, " s"),
    "glute_delay_s": Range(-0.3, 0.5, " s"),
    "onset_ramp_s": Range(0.02, 2.0, " s"),
    "squeeze_fade": Range(0.0, 0.9, ""),
    "back_surge": Range(0.0, 2.0, ""),
    "fatigue_pct_per_rep": Range(0.0, 10.0, " %"),
    "fatigue_rise_pct_per_rep": Range(0.0, 10.0, " %"),
    "electrode_off_at_s": Range(0.0, 36_000.0, " s"),
    "clip_uv": Range(5.0, 3276.0, " uV"),
    "reversal_deg": Range(0.0, 30.0, " degrees"),
    "lockout_deg": Range(0.0, 30.0, " degrees"),
}
"""Range of every numeric parameter; the command line shows the same."""

IMU_SITES = ("pelvis", "lumbar", "thigh")
"""Where an inertial sensor can be worn."""

SET_UP_KINDS = ("walking", "sitting-down", "rolling-over", "shuffling", "getting-up")
"""Movements that are no repetitions, before, between and after the sets."""

ELECTRODES = tuple(
    f"{site}.{side}" for site in ("gluteus_maximus", "erector_spinae") for side in ("left", "right")
)
"""Names of the electrodes that can come off."""

ELECTRODE_OFF_KINDS = ("floating", "flat")
"""What an electrode that came off gives: an antenna's hum, or nothing at all."""

LARGEST_ANGLE_DEG = 360.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AthleteParams:
    """One performance of the virtual athlete.

    Equal parameters give equal samples, bit for bit.
    """

    exercise: str = "bridge"
    n_sets: int | None = None
    """Sets to perform; without it one set, or as many as fit into `duration_s`."""
    n_reps: int = 8
    """Repetitions in each set; where the sides alternate, of both together."""
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
    """Rest between two sets, at least: set-up movement may take longer."""
    seed: int = 1
    emg_rate_hz: float = 2000.0
    imu_rate_hz: float = 100.0

    glute_delay_s: float = 0.0
    """The glute becomes active this much later than the back would let expect; negative is earlier."""
    onset_ramp_s: float | None = None
    """Length of the first rise of both muscles; ``None`` for what the exercise's shape gives."""
    squeeze_fade: float = 0.0
    """Part of its plateau that the glute has lost when the hold ends; its mean stays as asked."""
    back_surge: float = 0.0
    """Part of its plateau by which the back rises at the end of the lift; its mean stays as asked."""
    fatigue_pct_per_rep: float = 0.0
    """Both muscles' median frequency falls by this from repetition to repetition of a set."""
    fatigue_rise_pct_per_rep: float = 0.0
    """Both muscles' activation rises by this from repetition to repetition of a set."""
    electrode_off: str | None = None
    """Electrode that comes off, for example ``gluteus_maximus.left``."""
    electrode_off_at_s: float | None = None
    """When it does; ``None`` for the middle of the performance."""
    electrode_off_kind: str = "floating"
    clip_uv: float | None = None
    """The amplifier gives no more than this to either side, in the performance; ``None`` for all it can."""
    with_calibration: bool = False
    """Whether the performance begins with stance, bows, rest and reference contractions; what they would
    tell is then not handed over beside it."""

    side: Sides | None = None
    """Which side works; ``None`` for what is usual in the exercise. Alternating begins on the left."""
    range_scale: float = 1.0
    """Way of everything that moves, as a fraction of the exercise's mean."""
    tempo_scale: float = 1.0
    """Length of every part of a repetition and of the pause, as a fraction of the exercise's mean."""
    lift_s: float | None = None
    """Mean length of the lift, instead of the exercise's; like the next three not scaled by tempo."""
    hold_s: float | None = None
    return_s: float | None = None
    pause_s: float | None = None
    """Stillness between two repetitions."""
    n_partial: int = 0
    """Repetitions in each set that go a third of the way only; never the first two of a longer set."""
    mid_set_rest_s: float = 0.0
    """Extra rest in the middle of each set, which stays one set."""
    set_up: tuple[str, ...] = ()
    """Movements before the first set, between sets and after the last, in this order."""

    lumbar_share: float | None = None
    """Part of the trunk-on-thigh extension that the lumbar spine does; ``None`` for the exercise's."""
    pitch_excess_deg: float = 0.0
    """Added to the pelvis's pitch at the far position; the trunk stays, so the lumbar spine gives it."""
    obliquity_excess_deg: float = 0.0
    """Added to its obliquity, the way round that the exercise turns it (as to the left where both work)."""
    rotation_excess_deg: float = 0.0
    """The same for its rotation."""
    reversal_deg: float = 0.0
    """By about this much the pelvis tips forward again at the top of a bridge or thrust."""
    lockout_deg: float = 0.0
    """By about this much it tips back beyond standing at the end of the way up of a squat or deadlift."""

    emg: bool = True
    """Whether electrodes are worn."""
    imu_sites: tuple[str, ...] = ("pelvis",)
    thigh_side: str | None = None
    """Which thigh wears the sensor; ``None`` for the working one, right where both work."""
    imu_axes: int = 6
    """3 for an accelerometer alone."""
    wobble_deg: float = 0.25
    """RMS of each sensor's swing on the skin during movement, about each axis."""
    mounting_deg: tuple[float, float, float] | None = None
    """How every inertial sensor sits on the body: turned about its own z, then y, then x axis by these
    three angles (in the order x, y, z); ``None`` for any way round, by the seed."""
    slip_deg: float = 0.0
    """Angle by which every sensor turns on the skin, about an axis drawn by the seed."""
    slip_at_s: float | None = None
    """When it slips, within half a second; ``None`` for slowly, from the first second to the last."""

    def __post_init__(self) -> None:
        _check_choice("exercise", self.exercise, tuple(EXERCISE_MODELS), "the virtual athlete cannot perform")
        for name, allowed in RANGES.items():
            _check_range(name, getattr(self, name), allowed)
        _check_choice("side", self.side, (None, *SIDES), "the working side cannot be")
        _check_choice("thigh_side", self.thigh_side, (None, "left", "right"), "a thigh cannot be")
        _check_choice("imu_axes", self.imu_axes, (3, 6), "an inertial sensor cannot have this many axes:")
        for kind in self.set_up:
            _check_choice("set_up", kind, SET_UP_KINDS, "there is no set-up movement called")
        _check_choice("electrode_off", self.electrode_off, (None, *ELECTRODES), "there is no electrode")
        _check_choice(
            "electrode_off_kind", self.electrode_off_kind, ELECTRODE_OFF_KINDS, "an electrode cannot come off"
        )
        _check_worn(self)
        _check_meant(self)

    @property
    def model(self) -> ExerciseModel:
        """How the exercise is performed."""
        return EXERCISE_MODELS[self.exercise]

    @property
    def asked_share_pct(self) -> float:
        """Glute share to perform: as asked, else that of the good set."""
        return self.model.good_share_pct if self.glute_share_pct is None else self.glute_share_pct

    @property
    def asked_side(self) -> Sides:
        """Which side works: as asked, else as is usual."""
        return self.side or self.model.sides

    @property
    def asked_lumbar_share(self) -> float:
        """Lumbar share to perform: as asked, else as is usual."""
        return self.model.lumbar_share if self.lumbar_share is None else self.lumbar_share

    def off_at_s(self, duration_s: float) -> float:
        """When an electrode comes off in a performance of this length."""
        return duration_s / 2.0 if self.electrode_off_at_s is None else self.electrode_off_at_s

    @property
    def worn_thigh(self) -> str:
        """Which thigh a sensor is on, if any."""
        return self.thigh_side or ("left" if self.asked_side == "left" else "right")


def _check_range(name: str, value: float | None, allowed: Range) -> None:
    if value is None or (math.isfinite(value) and allowed.low <= value <= allowed.high):
        return
    raise SimulationError(
        f"{name} is {value:g}{allowed.unit}, outside what can be simulated",
        advice=f"Give a value from {allowed.low:g} to {allowed.high:g}{allowed.unit}.",
    )


def _check_choice(name: str, value: object, choices: Sequence[object], refusal: str) -> None:
    if value in choices:
        return
    named = ", ".join(str(choice) for choice in choices if choice is not None)
    prefix = "Choose one of" if name == "exercise" else f"For {name} choose one of"
    raise SimulationError(f"{refusal} {value!r}", advice=f"{prefix} {named}.")


def _check_worn(params: AthleteParams) -> None:
    """Refuse a sensor without streams, a site twice, and a mounting that is no rotation."""
    for site in params.imu_sites:
        _check_choice("imu_sites", site, IMU_SITES, "no inertial sensor can be worn at")
    if len(set(params.imu_sites)) != len(params.imu_sites):
        raise SimulationError(
            f"imu_sites names a place twice: {', '.join(params.imu_sites)}", advice="Name each place once."
        )
    if not params.emg and not params.imu_sites:
        raise SimulationError(
            "neither electrodes nor an inertial sensor are worn", advice="Wear at least one of them."
        )
    for angle_deg in params.mounting_deg or ():
        _check_range("mounting_deg", angle_deg, Range(-LARGEST_ANGLE_DEG, LARGEST_ANGLE_DEG, " degrees"))


def _check_meant(params: AthleteParams) -> None:
    """Refuse a way to move that an exercise has no place for."""
    for name, meant in (("reversal_deg", "tips_backward"), ("lockout_deg", "locks_out")):
        angle_deg = getattr(params, name)
        if angle_deg and not getattr(params.model, meant):
            fitting = (model.name for model in EXERCISE_MODELS.values() if getattr(model, meant))
            raise SimulationError(
                f"{name} is {angle_deg:g} degrees, and {params.exercise} has no such movement",
                advice=f"Leave it at 0, or choose one of {', '.join(fitting)}.",
            )

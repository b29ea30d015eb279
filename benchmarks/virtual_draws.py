"""How random sets of the virtual athlete are drawn: every distribution of the benchmark stands here.

Every set
    3 to 15 repetitions; way 0.6 to 1.4 and length of every part 0.6 to 1.7 times the exercise's mean;
    sensors sewn on in any orientation; wobble of each sensor 0.1 to 0.6 degrees RMS; glute share 35 to 75 %;
    EMG signal to noise 12 to 26 dB; all uniform. Within a set repetitions vary as the virtual athlete's do
    (8 % in the length of every part, 5 % in the way).
Rhythm
    70 % as is usual; 15 % held for 3 to 10 s; 15 % quick pulses: out, turn and back in 0.70 to 0.90 s, 0.10
    to 0.30 s of pause, way 0.6 to 1.0 times the mean but no further than the pelvis gets with 6 m/s² at
    most (half a g; 0.3 times the mean is the least).
In 20 % of the sets each
    a rest of 2 to 8 s in the middle; one or two partial repetitions, a third of the way and never among the
    first two (they are not to be counted); in 30 % pelvic excess: pitch -6 to 10, obliquity and rotation -8
    to 8 degrees; in 50 % a lumbar share of 0 to 0.4 instead of the usual one.
Sides
    where they alternate, 70 % alternating, 15 % left only, 15 % right only; where one works, left or right.
Groups
    `plain`: one set, with stillness before and after. `set-up`: two sets, and before, between and after them
    one to three of walking, sitting down, rolling over, shuffling and getting up, in any order, with
    whatever is needed to get from one to the next.
No sample is lost on the way.
"""

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from emgmon.virtual.exercise_model import EXERCISE_MODELS, ExerciseModel, Sides
from emgmon.virtual.params import SET_UP_KINDS, AthleteParams

Drawn = dict[str, Any]
"""Parameters of the virtual athlete, by name."""

EXERCISES = tuple(EXERCISE_MODELS)

GROUPS = ("plain", "set-up")

LEG_LIFTS = ("leg-extension-tubing", "bird-dog", "prone-hip-extension")

PULSE_MPS2 = 6.0
"""Largest vertical acceleration of the pelvis in a quick pulse."""

SMOOTH_PEAK = 5.77
"""Peak acceleration of the smoothest way from rest to rest, in ways per squared time (minimum jerk)."""


@dataclass(frozen=True, slots=True)
class Wear:
    """Which sensors are worn, and by whom."""

    worn: dict[str, Any]
    exercises: tuple[str, ...] = EXERCISES
    share: float = 0.2
    """Of the sets asked for, so many are drawn; the way to wear that matters most gets all."""
    bows: bool = True
    """Whether a stance and bows before the set told how the pelvis sensor sits."""


WAYS_TO_WEAR: dict[str, Wear] = {
    "default": Wear({}, share=1.0),
    "pelvis": Wear({"emg": False}),
    "pelvis, no bows": Wear({"emg": False}, bows=False),
    "pelvis accelerometer": Wear({"emg": False, "imu_axes": 3}),
    "pelvis and lumbar": Wear({"emg": False, "imu_sites": ("pelvis", "lumbar")}),
    "pelvis and thigh": Wear({"emg": False, "imu_sites": ("pelvis", "thigh")}, (*LEG_LIFTS, "scorpion")),
    "thigh accelerometer": Wear(
        {"emg": False, "imu_sites": ("thigh",), "imu_axes": 3}, (*LEG_LIFTS, "bridge", "squat")
    ),
    "electrodes alone": Wear({"imu_sites": ()}),
}
"""`default` is electrodes and a six-axis sensor on the pelvis."""


@dataclass(frozen=True, slots=True)
class VirtualSet:
    """One draw; `seed`, group, way to wear and exercise give it again."""

    exercise: str
    group: str
    wear: str
    seed: int
    params: AthleteParams

    @property
    def name(self) -> str:
        return f'--look {self.seed} --exercise {self.exercise} --group {self.group} --wear "{self.wear}"'


def draw_set(exercise: str, *, group: str, wear: str, seed: int) -> VirtualSet:
    """Draw one performance; the same movement whatever is worn."""
    chance = np.random.default_rng([seed, zlib.crc32(exercise.encode()), GROUPS.index(group)])
    model = EXERCISE_MODELS[exercise]
    drawn: dict[str, Any] = {
        "exercise": exercise,
        "seed": seed,
        "n_sets": 1 if group == "plain" else 2,
        "n_reps": int(chance.integers(3, 16)),
        "range_scale": _uniform(chance, 0.6, 1.4),
        "tempo_scale": _uniform(chance, 0.6, 1.7),
        "wobble_deg": _uniform(chance, 0.1, 0.6),
        "glute_share_pct": _uniform(chance, 35.0, 75.0),
        "snr_db": _uniform(chance, 12.0, 26.0),
        "side": _draw_side(model, chance),
    }
    for draw in (_draw_rhythm, _draw_interruptions, _draw_posture):
        drawn |= draw(model, chance, drawn)
    if group == "set-up":
        n_kinds = int(chance.integers(1, 4))
        drawn["set_up"] = tuple(str(kind) for kind in chance.permutation(SET_UP_KINDS)[:n_kinds])
    return VirtualSet(exercise, group, wear, seed, AthleteParams(**drawn, **WAYS_TO_WEAR[wear].worn))


def _draw_rhythm(model: ExerciseModel, chance: np.random.Generator, drawn: Drawn) -> Drawn:
    which = chance.random()
    if which < 0.15:
        return {"hold_s": _uniform(chance, 3.0, 10.0)}
    if which < 0.30:
        return _draw_pulses(model, chance)
    return {}


def _draw_pulses(model: ExerciseModel, chance: np.random.Generator) -> Drawn:
    whole_s = _uniform(chance, 0.70, 0.90)
    dwell_s = 0.06
    way_s = round((whole_s - dwell_s) / 2.0, 3)
    furthest = PULSE_MPS2 * way_s**2 / (SMOOTH_PEAK * max(abs(model.height_m), 0.01))
    return {
        "range_scale": round(max(0.3, min(_uniform(chance, 0.6, 1.0), furthest)), 3),
        "lift_s": way_s,
        "hold_s": dwell_s,
        "return_s": way_s,
        "pause_s": _uniform(chance, 0.10, 0.30),
    }


def _draw_interruptions(model: ExerciseModel, chance: np.random.Generator, drawn: Drawn) -> Drawn:
    extra: dict[str, Any] = {}
    if chance.random() < 0.2:
        extra["mid_set_rest_s"] = _uniform(chance, 2.0, 8.0)
    if chance.random() < 0.2:
        extra["n_partial"] = min(int(chance.integers(1, 3)), drawn["n_reps"] - 2)
    return extra


def _draw_posture(model: ExerciseModel, chance: np.random.Generator, drawn: Drawn) -> Drawn:
    extra: dict[str, Any] = {}
    if chance.random() < 0.3:
        extra["pitch_excess_deg"] = _uniform(chance, -6.0, 10.0)
        extra["obliquity_excess_deg"] = _uniform(chance, -8.0, 8.0)
        extra["rotation_excess_deg"] = _uniform(chance, -8.0, 8.0)
    if chance.random() < 0.5:
        extra["lumbar_share"] = _uniform(chance, 0.0, 0.4)
    return extra


def _draw_side(model: ExerciseModel, chance: np.random.Generator) -> Sides | None:
    which = chance.random()
    one: Sides = "left" if chance.random() < 0.5 else "right"
    if model.sides == "both":
        return None
    if model.sides == "alternating" and which < 0.7:
        return "alternating"
    return one


def _uniform(chance: np.random.Generator, low: float, high: float) -> float:
    return round(float(chance.uniform(low, high)), 3)


def n_performances(n_sets: int, *, group: str, wear: str) -> int:
    """How many performances hold the sets asked for."""
    wanted = max(1, round(n_sets * WAYS_TO_WEAR[wear].share))
    return wanted if group == "plain" else math.ceil(wanted / 2)

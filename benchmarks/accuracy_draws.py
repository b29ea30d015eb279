"""Which athletes the accuracy benchmark draws and under which conditions: every distribution stands here.

Every athlete
    an exercise, electrodes of their own, and two performances with the same electrodes, tempo and way: the
    person's good set (10 repetitions, share as usual for the exercise, nothing unusual about them) and two
    sets of 10 that are measured. The reference set comes from the good one through the engine. It is judged
    against by the second set alone, whose chance and whose noise have nothing in common with the good set.
Drawn, uniform
    glute share 20 to 85 %; length of every part 0.7 to 1.5 and way 0.7 to 1.3 times the exercise's mean;
    swing of each sensor on the skin 0.1 to 0.6 degrees RMS; in half of the athletes each: the glute 200 ms
    earlier to 300 ms later, first rise of 0.1 to 0.8 s, a squeeze that loses 10 to 70 % by the end of the
    hold, a back that surges by 0.2 to 1.5 of its plateau, a spectrum that falls by 0.5 to 4 % and activity
    that rises by 0.5 to 4 % from repetition to repetition.
Conditions
    signal-to-noise 5 to 30 dB with the virtual athlete's usual disturbances (hum 3 µV, heartbeat 30 µV,
    drift 150 µV, motion 150 µV, no loss); at 15 dB each disturbance by itself made larger, and none at all.
    Athletes of one exercise and ratio are the same in all conditions; no others have a seed in common.
Montages
    `both sides`: four electrodes, as the virtual athlete wears them. `left only`: what those of the left side
    recorded, where both sides work; truth is that of the left side.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from emgmon.virtual.athlete import Performance
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.truth import RepTruth
from firmware_protocol.capabilities import StreamKind

EXERCISES = tuple(EXERCISE_MODELS)

BOTH_WORK = tuple(name for name, model in EXERCISE_MODELS.items() if model.sides == "both")
"""Exercises in which both sides work at once."""

SNRS_DB = (5.0, 8.0, 10.0, 15.0, 20.0, 30.0)

USUAL_SNR_DB = 15.0
"""At which the disturbances are tried."""

N_REPS = 10
"""In every set, the good one too."""

JUDGED_SET = 2
"""The set that is held against the reference set."""

FIRST_SEED = 40_000
"""Seeds count from here; no other benchmark or test draws from them."""

SEEDS_EACH = 100
"""For each exercise and ratio so many are kept: electrodes and calibration hang on the seed alone."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What disturbs the measurement."""

    name: str
    snr_db: float = USUAL_SNR_DB
    disturbed: dict[str, float] = field(default_factory=dict)
    """Parameters of the virtual athlete that differ from its usual ones."""
    loss_pct: float = 0.0
    second_look: bool = False
    """Whether the recording is looked at as a whole first, as ``analyze --refine`` does."""


def usual(snr_db: float) -> Condition:
    return Condition(f"{snr_db:g} dB", snr_db)


SWEEP = tuple(usual(snr_db) for snr_db in SNRS_DB)
"""The usual disturbances at every signal-to-noise ratio."""

QUIET = {"hum_uv": 0.0, "heartbeat_uv": 0.0, "drift_uv": 0.0, "motion_uv": 0.0}

DISTURBED = (
    Condition("nothing", disturbed=QUIET),
    Condition("hum 30 µV", disturbed={"hum_uv": 30.0}),
    Condition("hum 100 µV", disturbed={"hum_uv": 100.0}),
    Condition("heartbeat 200 µV", disturbed={"heartbeat_uv": 200.0}),
    Condition("heartbeat 200 µV, second look", disturbed={"heartbeat_uv": 200.0}, second_look=True),
    Condition("heartbeat 500 µV", disturbed={"heartbeat_uv": 500.0}),
    Condition("heartbeat 500 µV, second look", disturbed={"heartbeat_uv": 500.0}, second_look=True),
    Condition("drift 1000 µV", disturbed={"drift_uv": 1000.0}),
    Condition("motion 1000 µV", disturbed={"motion_uv": 1000.0}),
    Condition("loss 0.1 %", loss_pct=0.1),
    Condition("loss 1 %", loss_pct=1.0),
)
"""One disturbance at a time; the usual ones are in every row but the first."""

QUICK_EXERCISES = ("bridge", "squat", "prone-hip-extension")
"""One of each kind: found on an angle, on a height, and with sides that take turns."""


@dataclass(frozen=True, slots=True)
class Athlete:
    """One draw; exercise, signal-to-noise ratio and number give it again."""

    exercise: str
    condition: Condition
    number: int

    @property
    def seed(self) -> int:
        place = SNRS_DB.index(self.condition.snr_db) * len(EXERCISES) + EXERCISES.index(self.exercise)
        return FIRST_SEED + SEEDS_EACH * place + self.number

    @property
    def good(self) -> AthleteParams:
        """The person's good set."""
        usual = {"tempo_scale", "range_scale", "wobble_deg"}
        drawn = {name: value for name, value in self._drawn().items() if name in usual}
        return AthleteParams(n_sets=1, **self._common(), **drawn)

    @property
    def measured(self) -> AthleteParams:
        """What is measured."""
        return AthleteParams(n_sets=JUDGED_SET, **self._common(), **self._drawn())

    def _common(self) -> dict[str, Any]:
        condition = self.condition
        return {
            "exercise": self.exercise,
            "seed": self.seed,
            "n_reps": N_REPS,
            "snr_db": condition.snr_db,
            **condition.disturbed,
        }

    def _drawn(self) -> dict[str, Any]:
        chance = np.random.default_rng([self.seed, zlib.crc32(self.exercise.encode())])
        drawn = {
            name: _uniform(chance, low, high)
            for name, low, high in (
                ("glute_share_pct", 20.0, 85.0),
                ("tempo_scale", 0.7, 1.5),
                ("range_scale", 0.7, 1.3),
                ("wobble_deg", 0.1, 0.6),
            )
        }
        for name, low, high in (
            ("glute_delay_s", -0.2, 0.3),
            ("onset_ramp_s", 0.1, 0.8),
            ("squeeze_fade", 0.1, 0.7),
            ("back_surge", 0.2, 1.5),
            ("fatigue_pct_per_rep", 0.5, 4.0),
            ("fatigue_rise_pct_per_rep", 0.5, 4.0),
        ):
            # Both are drawn every time, so that one athlete's habits do not hang on another's.
            has_it, value = chance.random() < 0.5, _uniform(chance, low, high)
            if has_it:
                drawn[name] = value
        return drawn


def _uniform(chance: np.random.Generator, low: float, high: float) -> float:
    return round(float(chance.uniform(low, high)), 3)


def on_left_only(performance: Performance) -> Performance:
    """What the electrodes of the left side recorded; motion sensors stay."""
    streams, described = [], []
    for samples in performance.streams:
        stream = samples.stream
        if stream.kind is StreamKind.EMG:
            kept = [row for row, channel in enumerate(stream.channels) if channel.side == "left"]
            stream = replace(stream, channels=tuple(stream.channels[row] for row in kept))
            samples = replace(samples, stream=stream, counts=np.ascontiguousarray(samples.counts[:, kept]))
        streams.append(samples)
        described.append(stream)
    capabilities = replace(performance.capabilities, streams=tuple(described))
    return replace(performance, capabilities=capabilities, streams=tuple(streams))


@dataclass(frozen=True, slots=True)
class Montage:
    """Which electrodes are worn, and what is true of what they see."""

    name: str
    left_only: bool = False

    def worn(self, performance: Performance) -> Performance:
        return on_left_only(performance) if self.left_only else performance

    def engagements_pct(self, rep: RepTruth) -> tuple[float, float]:
        """True mean activation of glute and back under the electrodes, percent of reference."""
        if self.left_only:
            both = rep.glute_left_engagement_pct, rep.back_left_engagement_pct
        else:
            both = rep.glute_engagement_pct, rep.back_engagement_pct
        glute_pct, back_pct = both
        assert glute_pct is not None
        assert back_pct is not None
        return glute_pct, back_pct


BOTH_SIDES = Montage("both sides")
LEFT_ONLY = Montage("left only", left_only=True)


def plan(conditions: Sequence[Condition], exercises: Sequence[str], n_athletes: int) -> list[Athlete]:
    """`n_athletes` of each exercise in every condition."""
    return [
        Athlete(exercise, condition, number)
        for condition in conditions
        for number in range(1, n_athletes + 1)
        for exercise in exercises
    ]

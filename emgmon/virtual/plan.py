"""When each repetition happens and how strong it is, decided before a single sample is made."""

import math
from dataclasses import dataclass

import numpy as np

from emgmon.errors import SimulationError
from emgmon.virtual.chance import generator
from emgmon.virtual.exercise_model import EXERCISE_MODELS, ExerciseModel
from emgmon.virtual.params import RANGES, AthleteParams

QUIET_START_S = 5.0
"""Stillness in the start position before the first repetition."""

QUIET_END_S = 3.0
"""Stillness after the last repetition, at least."""

TEMPO_CV = 0.08
"""Coefficient of variation of each part of a repetition."""

RANGE_CV = 0.05
"""Coefficient of variation of the way the pelvis travels."""

LEVEL_CV = 0.06
"""Coefficient of variation of the summed glute and back engagement."""

LOG_RATIO_SD = 0.08
"""Standard deviation of ln(glute / back engagement) from repetition to repetition: 1.7 points of
share around 68 %."""

SIDE_SD = 0.02
"""Standard deviation of the left-right difference of a muscle from repetition to repetition."""

LARGEST_DEVIATION_SD = 2.5
"""Variation is cut off here, so that no repetition is absurd."""


@dataclass(frozen=True, slots=True)
class RepPlan:
    """One repetition as it will be performed. Times are seconds of the performance."""

    set_number: int
    number: int
    start_s: float
    """The pelvis leaves the start position."""
    reached_s: float
    """It reaches the far position."""
    left_s: float
    """It leaves the far position."""
    end_s: float
    """It is back in the start position."""
    lift_first: bool
    range_scale: float
    """Way of the pelvis, as a fraction of the exercise's mean."""
    pitch_scale: float
    """Change of pitch, as a fraction of the exercise's mean."""
    glute_pct: float
    """Mean glute activation over the working phases, both sides averaged, percent of reference."""
    back_pct: float
    """The same for the erector spinae."""
    glute_side: float
    """Left is stronger than the mean of both sides by this fraction, right weaker by the same."""
    back_side: float

    @property
    def turn_s(self) -> float:
        """Middle of the time in the far position."""
        return round((self.reached_s + self.left_s) / 2.0, 4)

    @property
    def work_s(self) -> tuple[float, float]:
        """Start and end of the working phases: lift and hold, or turn and lift where the lift comes last."""
        return (self.start_s, self.left_s) if self.lift_first else (self.turn_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole performance: repetitions in order of time."""

    duration_s: float
    reps: tuple[RepPlan, ...]


def make_plan(params: AthleteParams) -> Plan:
    """Lay out the sets one after the other.

    Raises
    ------
    SimulationError
        When `duration_s` is too short for the sets asked for.
    """
    chance = generator(params.seed, "plan")
    limit_s = math.inf if params.duration_s is None else params.duration_s - QUIET_END_S
    wanted = _wanted_sets(params)
    reps: list[RepPlan] = []
    next_start_s = QUIET_START_S
    for set_number in range(1, wanted + 1 if wanted else 1_000_000):
        planned = _plan_set(params, chance, set_number=set_number, start_s=next_start_s)
        if planned[-1].end_s > limit_s:
            break
        reps += planned
        next_start_s = planned[-1].end_s + params.set_rest_s
    _check_fit(params, n_sets=reps[-1].set_number if reps else 0, wanted=wanted)
    duration_s = params.duration_s if params.duration_s is not None else reps[-1].end_s + QUIET_END_S
    _check_length(duration_s)
    return Plan(duration_s=_whole_imu_periods(duration_s, params.imu_rate_hz), reps=tuple(reps))


def _wanted_sets(params: AthleteParams) -> int | None:
    """How many sets must be there; ``None`` for as many as fit."""
    if params.n_sets is None and params.duration_s is None:
        return 1
    return params.n_sets


def _check_fit(params: AthleteParams, *, n_sets: int, wanted: int | None) -> None:
    if n_sets >= (wanted or 1):
        return
    raise SimulationError(
        f"{wanted or 1} set(s) of {params.n_reps} repetitions do not fit into {params.duration_s:g} s",
        advice="Ask for a longer duration, fewer repetitions or fewer sets.",
    )


def _check_length(duration_s: float) -> None:
    longest_s = RANGES["duration_s"].high
    if duration_s > longest_s:
        raise SimulationError(
            f"these sets take {duration_s:.0f} s, and no more than {longest_s:.0f} s can be simulated",
            advice="Ask for fewer sets or repetitions.",
        )


def _whole_imu_periods(duration_s: float, imu_rate_hz: float) -> float:
    """Shortest duration, not below the one given, at which the IMU has a whole number of samples."""
    return math.ceil(round(duration_s * imu_rate_hz, 6)) / imu_rate_hz


def _plan_set(
    params: AthleteParams, chance: np.random.Generator, *, set_number: int, start_s: float
) -> list[RepPlan]:
    model = EXERCISE_MODELS[params.exercise]
    reps: list[RepPlan] = []
    for number in range(1, params.n_reps + 1):
        rep = _plan_rep(params, model, chance, place=(set_number, number), start_s=start_s)
        reps.append(rep)
        start_s = round(rep.end_s + _varied(model.pause_s, TEMPO_CV, chance), 3)
    return reps


def _plan_rep(
    params: AthleteParams,
    model: ExerciseModel,
    chance: np.random.Generator,
    *,
    place: tuple[int, int],
    start_s: float,
) -> RepPlan:
    reached_s = round(start_s + _varied(model.out_s, TEMPO_CV, chance), 3)
    left_s = round(reached_s + _varied(model.dwell_s, TEMPO_CV, chance), 3)
    end_s = round(left_s + _varied(model.back_s, TEMPO_CV, chance), 3)
    share = params.asked_share_pct / 100.0
    odds = _varied(share / (1.0 - share), LOG_RATIO_SD, chance)
    work_pct = _varied(model.work_pct, LEVEL_CV, chance)
    return RepPlan(
        set_number=place[0],
        number=place[1],
        start_s=start_s,
        reached_s=reached_s,
        left_s=left_s,
        end_s=end_s,
        lift_first=model.lift_first,
        range_scale=_varied(1.0, RANGE_CV, chance),
        pitch_scale=_varied(1.0, RANGE_CV, chance),
        glute_pct=work_pct * odds / (1.0 + odds),
        back_pct=work_pct / (1.0 + odds),
        glute_side=SIDE_SD * _deviation(chance),
        back_side=SIDE_SD * _deviation(chance),
    )


def _varied(mean: float, log_sd: float, chance: np.random.Generator) -> float:
    """Log-normal around `mean`; for small spread `log_sd` is the coefficient of variation."""
    return mean * math.exp(log_sd * _deviation(chance))


def _deviation(chance: np.random.Generator) -> float:
    return float(np.clip(chance.standard_normal(), -LARGEST_DEVIATION_SD, LARGEST_DEVIATION_SD))

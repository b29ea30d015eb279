"""When each repetition happens, how far it goes and how strong it is: decided before any sample is made."""

import math
from dataclasses import dataclass

import numpy as np

from emgmon.errors import SimulationError
from emgmon.virtual.calibration_plan import CalibrationPlan, plan_calibration
from emgmon.virtual.chance import generator
from emgmon.virtual.params import RANGES, AthleteParams
from emgmon.virtual.set_up import LEAD_S, REST_S, SETTLE_S, SetUpMove, plan_set_up

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

PARTIAL_RANGE = 0.35
"""A partial repetition goes this fraction of the way..."""

PARTIAL_TEMPO = 0.6
"""... in this fraction of the time..."""

PARTIAL_WORK = 0.6
"""... with this fraction of the effort."""

FULL_FIRST = 2
"""So many repetitions of a set are never partial, where there are others."""

LOWEST_SPECTRUM = 0.5
"""Fatigue does not compress a spectrum further."""

OTHER_SIDE_FRACTION = 0.25
"""Activation of the glute of the side that does not work, as a fraction of the working one's."""

GLUTE_LEAN = (1.0 - OTHER_SIDE_FRACTION) / (1.0 + OTHER_SIDE_FRACTION)
"""The working side's glute is above the mean of both by this fraction."""

BACK_LEAN = 0.15
"""The back of the other side is above the mean of both by this fraction: it holds the pelvis."""


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
    turn_scale: float
    """Change of obliquity and rotation, as a fraction of the exercise's mean."""
    thigh_scale: float
    """Change of the thighs' pitch, as a fraction of the exercise's mean."""
    side: str | None
    """``left`` or ``right`` where one side works."""
    partial: bool
    """Whether the way is `PARTIAL_RANGE` of that of the others."""
    glute_pct: float
    """Mean glute activation over the working phases, both sides averaged, percent of reference."""
    back_pct: float
    """The same for the erector spinae."""
    glute_side: float
    """Left is stronger than the mean of both sides by this fraction, right weaker by the same."""
    back_side: float
    spectrum: float = 1.0
    """Frequencies of both muscles, as a fraction of the rested ones."""

    @property
    def side_sign(self) -> int:
        """1 where the left side works, -1 where the right one does, 0 where both do."""
        return {"left": 1, "right": -1}.get(self.side or "", 0)

    @property
    def edges_s(self) -> tuple[float, float, float, float]:
        """Start, far position reached, far position left, end."""
        return self.start_s, self.reached_s, self.left_s, self.end_s

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
    """The whole performance: repetitions, and set-up movement, each in order of time."""

    duration_s: float
    reps: tuple[RepPlan, ...]
    set_up: tuple[SetUpMove, ...] = ()
    calibration: CalibrationPlan | None = None
    """What comes before, where it is part of the performance."""


@dataclass(frozen=True, slots=True)
class _Chances:
    """Generators of what varies; a later one never reshuffles an earlier one."""

    tempo: np.random.Generator
    turn: np.random.Generator


def make_plan(params: AthleteParams) -> Plan:
    """Lay out the sets one after the other.

    Raises
    ------
    SimulationError
        When `duration_s` is too short for the sets asked for.
    """
    chances = _Chances(generator(params.seed, "plan"), generator(params.seed, "plan", "turn"))
    limit_s = math.inf if params.duration_s is None else params.duration_s - QUIET_END_S
    wanted = _wanted_sets(params)
    reps: list[RepPlan] = []
    calibration = plan_calibration(params) if params.with_calibration else None
    set_up, first_s = _before_first(params, calibration)
    end_s = 0.0
    after: tuple[SetUpMove, ...] = ()
    for set_number in range(1, wanted + 1 if wanted else 1_000_000):
        moves, start_s = (set_up, first_s) if not reps else _between(params, reps[-1])
        planned = _plan_set(params, chances, set_number=set_number, start_s=start_s)
        tail, tail_end_s = _after(params, planned[-1])
        if tail_end_s > limit_s:
            break
        set_up = moves if not reps else set_up + moves
        reps, after, end_s = reps + planned, tail, tail_end_s
    _check_fit(params, n_sets=reps[-1].set_number if reps else 0, wanted=wanted)
    duration_s = params.duration_s if params.duration_s is not None else end_s + QUIET_END_S
    _check_length(duration_s)
    return Plan(_whole_imu_periods(duration_s, params.imu_rate_hz), tuple(reps), set_up + after, calibration)


def _before_first(
    params: AthleteParams, calibration: CalibrationPlan | None
) -> tuple[tuple[SetUpMove, ...], float]:
    """Give the movements before the first set, and its start."""
    if calibration is None:
        moves = plan_set_up(params, "before", number=0, start_s=LEAD_S)[0]
        return moves, round(moves[-1].end_s + SETTLE_S, 3) if moves else QUIET_START_S
    moves, end_s = plan_set_up(params, "between", number=0, start_s=round(calibration.end_s + LEAD_S, 3))
    quiet_s = SETTLE_S if moves else QUIET_START_S - LEAD_S
    return calibration.set_up + moves, round(end_s + quiet_s, 3)


def _between(params: AthleteParams, last: RepPlan) -> tuple[tuple[SetUpMove, ...], float]:
    """Give the movements between two sets, and the start of the next one."""
    rested_s = last.end_s + params.set_rest_s
    moves, end_s = plan_set_up(
        params, "between", number=last.set_number, start_s=round(last.end_s + REST_S, 3)
    )
    return moves, max(rested_s, round(end_s + SETTLE_S, 3)) if moves else rested_s


def _after(params: AthleteParams, last: RepPlan) -> tuple[tuple[SetUpMove, ...], float]:
    """Give the movements after the last set, and when all movement has ended."""
    start_s = round(last.end_s + SETTLE_S, 3)
    moves, end_s = plan_set_up(params, "after", number=last.set_number, start_s=start_s)
    return moves, end_s if moves else last.end_s


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


def _plan_set(params: AthleteParams, chances: _Chances, *, set_number: int, start_s: float) -> list[RepPlan]:
    partial = _partial_numbers(params, set_number)
    reps: list[RepPlan] = []
    for number in range(1, params.n_reps + 1):
        rep = _plan_rep(
            params, chances, place=(set_number, number), start_s=start_s, partial=number in partial
        )
        reps.append(rep)
        pause_s = _varied(_pause_s(params), TEMPO_CV, chances.tempo)
        if number == params.n_reps // 2:
            pause_s += params.mid_set_rest_s
        start_s = round(rep.end_s + pause_s, 3)
    return reps


def _partial_numbers(params: AthleteParams, set_number: int) -> set[int]:
    """Draw which repetitions of a set are partial."""
    n_partial = min(params.n_partial, params.n_reps)
    first = min(FULL_FIRST, params.n_reps - n_partial) + 1
    chance = generator(params.seed, "partial", set_number)
    drawn = chance.permutation(np.arange(first, params.n_reps + 1))[:n_partial]
    return {int(number) for number in drawn}


def _plan_rep(
    params: AthleteParams, chances: _Chances, *, place: tuple[int, int], start_s: float, partial: bool
) -> RepPlan:
    chance = chances.tempo
    out_s, dwell_s, back_s = _part_lengths(params, partial=partial)
    way = params.range_scale * (PARTIAL_RANGE if partial else 1.0)
    reached_s = round(start_s + _varied(out_s, TEMPO_CV, chance), 3)
    left_s = round(reached_s + _varied(dwell_s, TEMPO_CV, chance), 3)
    end_s = round(left_s + _varied(back_s, TEMPO_CV, chance), 3)
    share = params.asked_share_pct / 100.0
    odds = _varied(share / (1.0 - share), LOG_RATIO_SD, chance)
    work_pct = _varied(params.model.work_pct * (PARTIAL_WORK if partial else 1.0), LEVEL_CV, chance)
    work_pct *= (1.0 + params.fatigue_rise_pct_per_rep / 100.0) ** (place[1] - 1)
    side = _working_side(params, place[1])
    sign = {"left": 1.0, "right": -1.0}.get(side or "", 0.0)
    return RepPlan(
        set_number=place[0],
        number=place[1],
        start_s=start_s,
        reached_s=reached_s,
        left_s=left_s,
        end_s=end_s,
        lift_first=params.model.lift_first,
        range_scale=_varied(way, RANGE_CV, chance),
        pitch_scale=_varied(way, RANGE_CV, chance),
        turn_scale=_varied(way, RANGE_CV, chances.turn),
        thigh_scale=_varied(way, RANGE_CV, chances.turn),
        side=side,
        partial=partial,
        glute_pct=work_pct * odds / (1.0 + odds),
        back_pct=work_pct / (1.0 + odds),
        glute_side=sign * GLUTE_LEAN + SIDE_SD * _deviation(chance),
        back_side=-sign * BACK_LEAN + SIDE_SD * _deviation(chance),
        spectrum=max(LOWEST_SPECTRUM, (1.0 - params.fatigue_pct_per_rep / 100.0) ** (place[1] - 1)),
    )


def _part_lengths(params: AthleteParams, *, partial: bool) -> tuple[float, float, float]:
    """Mean length of the way out, the dwell and the way back, in seconds."""
    model, tempo = params.model, params.tempo_scale
    asked_out_s, asked_back_s = params.lift_s, params.return_s
    if not model.lift_first:
        asked_out_s, asked_back_s = asked_back_s, asked_out_s
    out_s = model.out_s * tempo if asked_out_s is None else asked_out_s
    dwell_s = model.dwell_s * tempo if params.hold_s is None else params.hold_s
    back_s = model.back_s * tempo if asked_back_s is None else asked_back_s
    shorter = PARTIAL_TEMPO if partial else 1.0
    return out_s * shorter, dwell_s, back_s * shorter


def _pause_s(params: AthleteParams) -> float:
    return params.model.pause_s * params.tempo_scale if params.pause_s is None else params.pause_s


def _working_side(params: AthleteParams, number: int) -> str | None:
    if params.asked_side == "alternating":
        return "left" if number % 2 else "right"
    return None if params.asked_side == "both" else params.asked_side


def _varied(mean: float, log_sd: float, chance: np.random.Generator) -> float:
    """Log-normal around `mean`; for small spread `log_sd` is the coefficient of variation."""
    return mean * math.exp(log_sd * _deviation(chance))


def _deviation(chance: np.random.Generator) -> float:
    return float(np.clip(chance.standard_normal(), -LARGEST_DEVIATION_SD, LARGEST_DEVIATION_SD))

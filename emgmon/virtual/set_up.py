"""Movements that are no repetitions: what a person does before, between and after the sets, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emgmon.virtual.chance import generator
from emgmon.virtual.exercise_model import Posture
from emgmon.virtual.params import AthleteParams

Where = Literal["calibration", "before", "between", "after"]

LEAD_S = 2.0
"""Stillness before the first movement of a performance that begins with set-up."""

REST_S = 1.5
"""Stillness between the last repetition and the first movement after it."""

SETTLE_S = 3.0
"""Stillness in the start position between set-up and the first repetition."""

PAUSE_S = (0.6, 1.6)
"""Shortest and longest stillness between two movements."""

SIT_S = (2.0, 4.0)
"""The same after sitting down."""

HEIGHT_M: dict[Posture, float] = {
    "standing": 0.95,
    "sitting": 0.55,
    "all-fours": 0.48,
    "reclined": 0.30,
    "supine": 0.14,
    "prone": 0.14,
}
"""Height of the pelvis above the floor."""

PITCH_DEG: dict[Posture, float] = {
    "standing": 5.0,
    "sitting": -5.0,
    "all-fours": 90.0,
    "reclined": -50.0,
    "supine": -90.0,
    "prone": 90.0,
}
"""Pelvis pitch, by the convention of the exercises."""

LYING: dict[Posture, Posture] = {
    "all-fours": "prone",
    "prone": "prone",
    "reclined": "supine",
    "supine": "supine",
    "sitting": "supine",
}
"""How a person lies who lets go in a posture; one who stands chooses."""

ROLLED: dict[Posture, Posture] = {"prone": "supine", "supine": "prone"}
"""How a person lies after rolling over."""

_DURATION_S = {
    "walking": (6.0, 12.0),
    "sitting-down": (1.6, 2.4),
    "rolling-over": (1.6, 2.6),
    "shuffling": (3.0, 6.0),
}


@dataclass(frozen=True, slots=True)
class SetUpMove:
    """One movement that is no repetition. Times are seconds of the performance."""

    kind: str
    """One of the kinds that can be asked for, or ``lying-down`` where a person has to get lower."""
    leaves: Posture
    reaches: Posture
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    leaves: Posture
    reaches: Posture


def plan_set_up(
    params: AthleteParams, where: Where, *, number: int, start_s: float
) -> tuple[tuple[SetUpMove, ...], float]:
    """Lay out the movements of one pause, from `start_s` on.

    Parameters
    ----------
    params
        Which movements, and of which exercise.
    where
        From the stance of the calibration to the start position, before the first set, between two, or
        after the last.
    number
        How many sets came before.
    start_s
        When the person is free to move.

    Returns
    -------
    tuple of SetUpMove
        Empty when none are asked for.
    float
        When the last one has ended, or `start_s`.
    """
    chance = generator(params.seed, "set-up", where, number)
    moves: list[SetUpMove] = []
    now_s = start_s
    start = params.model.posture
    steps = _route("standing", start) if where == "calibration" else _steps(params.set_up, where, start)
    for step in steps:
        end_s = round(now_s + _duration_s(step, chance), 3)
        moves.append(SetUpMove(step.kind, step.leaves, step.reaches, now_s, end_s))
        still_s = SIT_S if step.reaches == "sitting" else PAUSE_S
        now_s = round(end_s + float(chance.uniform(*still_s)), 3)
    return tuple(moves), moves[-1].end_s if moves else start_s


def _steps(kinds: Sequence[str], where: Where, start: Posture) -> list[_Step]:
    """Chain the movements asked for, with whatever is needed in between."""
    if not kinds:
        return []
    posture = _first_posture(kinds[0], start) if where == "before" else start
    steps: list[_Step] = []
    for kind in kinds:
        steps += _route(posture, _needed(kind, posture, start))
        posture = steps[-1].reaches if steps else posture
        steps.append(_Step(kind, posture, _reached(kind, posture)))
        posture = steps[-1].reaches
    return steps if where == "after" else steps + _route(posture, start)


def _first_posture(kind: str, start: Posture) -> Posture:
    """How the person is found: so that the first movement can begin at once."""
    if kind in ("walking", "sitting-down"):
        return "standing"
    if kind == "rolling-over":
        return ROLLED[LYING.get(start, "prone")]
    return LYING.get(start, "supine") if kind == "getting-up" else start


def _needed(kind: str, posture: Posture, start: Posture) -> Posture:
    """From which posture a movement can begin."""
    if kind in ("walking", "sitting-down"):
        return "standing"
    if kind == "rolling-over" or (kind == "getting-up" and posture == "standing"):
        return LYING.get(posture, LYING.get(start, "supine"))
    return posture


def _reached(kind: str, posture: Posture) -> Posture:
    if kind == "rolling-over":
        return ROLLED[posture]
    changed: dict[str, Posture] = {"sitting-down": "sitting", "getting-up": "standing"}
    return changed.get(kind, posture)


def _route(leaves: Posture, reaches: Posture) -> list[_Step]:
    """Get from one posture to another: face up to face down only by rolling over."""
    if leaves == reaches:
        return []
    lying, wanted = LYING.get(leaves), LYING.get(reaches)
    if lying is None or wanted is None or lying == wanted:
        kind = "getting-up" if HEIGHT_M[reaches] > HEIGHT_M[leaves] else "lying-down"
        return [_Step(kind, leaves, reaches)]
    return [*_route(leaves, lying), _Step("rolling-over", lying, wanted), *_route(wanted, reaches)]


def _duration_s(step: _Step, chance: np.random.Generator) -> float:
    if step.kind in _DURATION_S:
        return float(chance.uniform(*_DURATION_S[step.kind]))
    climb_m = abs(HEIGHT_M[step.reaches] - HEIGHT_M[step.leaves])
    turn_deg = abs(PITCH_DEG[step.reaches] - PITCH_DEG[step.leaves])
    return float(chance.uniform(0.8, 1.2)) * (0.8 + 2.2 * climb_m + turn_deg / 90.0)

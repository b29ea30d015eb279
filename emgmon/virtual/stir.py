"""Muscle activity of set-up movement: what electrodes see that is no repetition."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from emgmon.virtual.chance import generator
from emgmon.virtual.set_up import SetUpMove

LEVEL_PCT = {
    "walking": {"gluteus_maximus": 12.0, "erector_spinae": 10.0},
    "sitting-down": {"gluteus_maximus": 14.0, "erector_spinae": 20.0},
    "lying-down": {"gluteus_maximus": 10.0, "erector_spinae": 14.0},
    "rolling-over": {"gluteus_maximus": 8.0, "erector_spinae": 15.0},
    "shuffling": {"gluteus_maximus": 8.0, "erector_spinae": 8.0},
    "getting-up": {"gluteus_maximus": 24.0, "erector_spinae": 28.0},
}
"""Plateau of each movement, percent of reference: plausible, not measured."""

LEVEL_CV = 0.2
"""Coefficient of variation of that plateau from movement to movement and step to step."""

STEP_S = 0.55
"""From one step to the next."""


class StirKnot(NamedTuple):
    """One knot of both sides' activation."""

    time_s: float
    left: float
    """Above tonic activity, percent of reference."""
    right: float


def stir(site: str, moves: Sequence[SetUpMove], *, seed: int) -> list[StirKnot]:
    """Give knots that begin and end at tonic activity with every movement, in order of time."""
    chance = generator(seed, "stir", site)
    return [knot for move in moves for knot in _knots(move, LEVEL_PCT[move.kind][site], chance)]


def _knots(move: SetUpMove, level_pct: float, chance: np.random.Generator) -> list[StirKnot]:
    if move.kind == "walking":
        return _steps(move, level_pct, chance)
    height = level_pct * float(np.exp(LEVEL_CV * np.clip(chance.standard_normal(), -2.5, 2.5)))
    length_s = move.end_s - move.start_s
    parts = ((0.0, 0.0), (0.25, height), (0.6, height), (1.0, 0.0))
    return [StirKnot(move.start_s + part * length_s, pct, pct) for part, pct in parts]


def _steps(move: SetUpMove, level_pct: float, chance: np.random.Generator) -> list[StirKnot]:
    """Give a burst of one side, then of the other, with every step."""
    n_steps = int((move.end_s - move.start_s) / STEP_S)
    heights = level_pct * np.exp(LEVEL_CV * np.clip(chance.standard_normal(n_steps), -2.5, 2.5))
    knots = [StirKnot(move.start_s, 0.0, 0.0)]
    for step, height in enumerate(heights.tolist()):
        start_s = move.start_s + step * STEP_S
        left, right = (height, 0.0) if step % 2 else (0.0, height)
        knots.append(StirKnot(start_s + 0.4 * STEP_S, left, right))
        knots.append(StirKnot(start_s + STEP_S, 0.0, 0.0))
    return knots

"""How the pelvis travels between the sets: walking, sitting down, rolling over, shuffling, getting up.

A rolled-over body is kept as the same pitch and half a turn about its length: lying on the front is
lying on the back, turned by 180 degrees. So every movement is continuous in every column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.chance import generator
from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.exercise_model import ExerciseModel, Posture
from emgmon.virtual.gait import Gait
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.set_up import HEIGHT_M, PITCH_DEG, SetUpMove

X, Y, Z, YAW, PITCH, OBLIQUITY, ROTATION, LEFT_THIGH, RIGHT_THIGH = range(9)
"""Columns: metres in the world, then degrees; angles as in :mod:`emgmon.virtual.body`."""

THIGH_DEG: dict[Posture, float] = {
    "standing": 0.0,
    "sitting": -85.0,
    "all-fours": 0.0,
    "reclined": -130.0,
    "supine": -90.0,
    "prone": 90.0,
}
"""Thigh pitch in postures that are not the exercise's own start position."""

WALKING_MPS = (0.7, 1.1)
"""Speed of walking about a room, the turn included."""

SIT_LEAN_DEG = 35.0
SIT_BACK_M = 0.25
"""The pelvis goes back while it goes down."""

RISE_LEAN_DEG = 30.0
"""Who gets up from the back, or lies down on it, leans forward on the way."""

ROLL_UP_M = 0.10
ROLL_ASIDE_M = (0.2, 0.4)
SHUFFLE_M = (0.01, 0.06)
SHUFFLE_DEG = (2.0, 8.0)


class Stretch(NamedTuple):
    """From one moment to another, in seconds."""

    start_s: float
    end_s: float

    def part(self, first: float, last: float) -> "Stretch":
        """Give a part of it, by fractions."""
        length_s = self.end_s - self.start_s
        return Stretch(self.start_s + first * length_s, self.start_s + last * length_s)


@dataclass(frozen=True, slots=True, eq=False)
class FloorPath:
    """Where the start position itself is, as functions of time."""

    columns: tuple[SmoothCurve, ...]
    gaits: tuple[Gait, ...]
    heading_rad: float

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give all columns at each time; shape (n,) to (n, 9)."""
        path = np.stack([column.at(times_s) for column in self.columns], axis=1)
        direction = self.heading_rad + np.deg2rad(path[:, YAW] + path[:, ROTATION])
        for gait in self.gaits:
            within = (times_s > gait.start_s) & (times_s < gait.end_s)
            if within.any():
                path[within] += gait.at(times_s[within], direction[within])
        return path

    @classmethod
    def through(cls, params: AthleteParams, moves: Sequence[SetUpMove], *, heading_rad: float) -> "FloorPath":
        """Choreograph movements, at least one, so that each begins where the one before ended."""
        stage = _Stage(params.model, heading_rad)
        stage.stand_still(moves[0].leaves, before_s=moves[0].start_s - 1.0)
        for number, move in enumerate(moves):
            stage.perform(move, generator(params.seed, "set-up path", number))
        columns = [np.asarray(knots) for knots in stage.knots]
        curves = tuple(SmoothCurve(knots[:, 0], knots[:, 1]) for knots in columns)
        return cls(curves, tuple(stage.gaits), heading_rad)


@dataclass(slots=True)
class _Stage:
    """Writes the knots of every column, in order of time."""

    model: ExerciseModel
    heading_rad: float
    knots: list[list[tuple[float, float]]] = field(default_factory=lambda: [[] for _ in range(9)])
    gaits: list[Gait] = field(default_factory=list)

    def stand_still(self, posture: Posture, *, before_s: float) -> None:
        """Begin in a posture; later postures are reached from there, the exercise's own at the origin."""
        for column in (X, Y, YAW, OBLIQUITY, ROTATION):
            self.knots[column].append((before_s, 0.0))
        for column, value in self._posture(posture, facing=1.0):
            self.knots[column].append((before_s, value))

    def perform(self, move: SetUpMove, chance: np.random.Generator) -> None:
        """Write one movement."""
        time = Stretch(move.start_s, move.end_s)
        if move.kind == "walking":
            self._walk(time, chance)
        elif move.kind == "shuffling":
            self._shuffle(move, time, chance)
        elif move.kind == "rolling-over":
            self._roll(move, time, chance)
        elif move.kind == "sitting-down":
            self._sit(move, time, chance)
        else:
            self._rise_or_sink(move, time, chance)

    def _now(self, column: int) -> float:
        return self.knots[column][-1][1]

    def _go(self, column: int, time: Stretch, value: float) -> None:
        """Move one column to a value."""
        knots = self.knots[column]
        if time.start_s > knots[-1][0]:
            knots.append((time.start_s, knots[-1][1]))
        knots.append((time.end_s, value))

    def _out_and_back(self, column: int, time: Stretch, way: float) -> None:
        rest = self._now(column)
        self._go(column, time.part(0.0, 0.5), rest + way)
        self._go(column, time.part(0.5, 1.0), rest)

    @property
    def _facing(self) -> float:
        """1, or -1 while the person has rolled over."""
        return float(np.cos(np.deg2rad(self._now(ROTATION))))

    def _advance(self, time: Stretch, way_m: float, *, aside_deg: float = 0.0) -> None:
        """Travel along the floor, by default to where the person faces."""
        direction = self.heading_rad + np.deg2rad(self._now(YAW) + self._now(ROTATION) + aside_deg)
        self._go(X, time, self._now(X) + way_m * float(np.cos(direction)))
        self._go(Y, time, self._now(Y) + way_m * float(np.sin(direction)))

    def _posture(self, posture: Posture, *, facing: float) -> list[tuple[int, float]]:
        """Give height, pitch and thighs of a posture; the exercise's own is as its model says."""
        own = posture == self.model.posture
        pitch_deg = self.model.start_pitch_deg if own else PITCH_DEG[posture]
        thigh_deg = self.model.thigh_start_pitch_deg if own else THIGH_DEG[posture]
        height_m = HEIGHT_M[posture] - HEIGHT_M[self.model.posture]
        angles_deg = ((PITCH, pitch_deg), (LEFT_THIGH, thigh_deg), (RIGHT_THIGH, thigh_deg))
        return [(Z, height_m), *((column, facing * angle_deg) for column, angle_deg in angles_deg)]

    def _reach(self, posture: Posture, time: Stretch, *, columns: Sequence[int]) -> None:
        for column, value in self._posture(posture, facing=self._facing):
            if column in columns:
                self._go(column, time, value)

    def _walk(self, time: Stretch, chance: np.random.Generator) -> None:
        """Go somewhere, turn, and go on."""
        self.gaits.append(Gait.drawn(time.start_s, time.end_s, chance))
        speed_mps = float(chance.uniform(*WALKING_MPS))
        turn_deg = float(chance.uniform(90.0, 200.0) * chance.choice([-1.0, 1.0]))
        there, back = time.part(0.0, 0.45), time.part(0.55, 1.0)
        self._advance(there, speed_mps * (there.end_s - there.start_s))
        self._go(YAW, time.part(0.4, 0.6), self._now(YAW) + turn_deg)
        self._advance(back, speed_mps * (back.end_s - back.start_s))

    def _sit(self, move: SetUpMove, time: Stretch, chance: np.random.Generator) -> None:
        lean_deg = SIT_LEAN_DEG * float(chance.uniform(0.8, 1.2))
        self._go(PITCH, time.part(0.0, 0.55), self._facing * lean_deg)
        self._reach(move.reaches, time.part(0.55, 1.0), columns=(PITCH,))
        self._reach(move.reaches, time.part(0.15, 0.95), columns=(Z, LEFT_THIGH, RIGHT_THIGH))
        self._advance(time.part(0.2, 0.9), -SIT_BACK_M)

    def _roll(self, move: SetUpMove, time: Stretch, chance: np.random.Generator) -> None:
        """Turn over about the body's length."""
        toward = float(chance.choice([-1.0, 1.0]))
        way_m = float(chance.uniform(*ROLL_ASIDE_M))
        self._advance(time, way_m, aside_deg=90.0 * toward)
        self._out_and_back(Z, time, ROLL_UP_M)
        self._out_and_back(OBLIQUITY, time, float(chance.uniform(-10.0, 10.0)))
        self._out_and_back(PITCH, time, float(chance.uniform(-8.0, 8.0)))
        self._go(ROTATION, time, self._now(ROTATION) + 180.0 * toward)
        self._reach(move.reaches, time, columns=(LEFT_THIGH, RIGHT_THIGH))

    def _shuffle(self, move: SetUpMove, time: Stretch, chance: np.random.Generator) -> None:
        """Adjust the position: a few small moves with stillness between; the last one settles."""
        rotation_deg = self._now(ROTATION)
        n_moves = int(chance.integers(3, 7))
        for number in range(n_moves):
            slot = time.part(number / n_moves, (number + float(chance.uniform(0.4, 0.9))) / n_moves)
            self._advance(slot, _any(SHUFFLE_M, chance), aside_deg=float(chance.uniform(-180.0, 180.0)))
            self._go(YAW, slot, self._now(YAW) + _any(SHUFFLE_DEG, chance))
            for column, value in self._posture(move.reaches, facing=self._facing):
                off = abs(_any(SHUFFLE_M, chance)) if column == Z else _any(SHUFFLE_DEG, chance)
                self._go(column, slot, value if number == n_moves - 1 else value + off)
            for column, value in ((OBLIQUITY, 0.0), (ROTATION, rotation_deg)):
                off = _any(SHUFFLE_DEG, chance)
                self._go(column, slot, value if number == n_moves - 1 else value + off)

    def _rise_or_sink(self, move: SetUpMove, time: Stretch, chance: np.random.Generator) -> None:
        """Get from one posture to another, by way of kneeling or sitting where it is far."""
        from_back = min(PITCH_DEG[move.leaves], PITCH_DEG[move.reaches]) < 0.0
        rising = HEIGHT_M[move.reaches] > HEIGHT_M[move.leaves]
        if from_back and "standing" in (move.leaves, move.reaches):
            lean = time.part(0.0, 0.6) if rising else time.part(0.0, 0.4)
            self._go(PITCH, lean, self._facing * RISE_LEAN_DEG)
            self._reach(move.reaches, Stretch(lean.end_s, time.end_s), columns=(PITCH,))
        else:
            self._reach(move.reaches, time.part(0.0, 0.9), columns=(PITCH,))
        half_m = (HEIGHT_M[move.leaves] + HEIGHT_M[move.reaches]) / 2.0 - HEIGHT_M[self.model.posture]
        self._go(Z, time.part(0.05, 0.5), half_m)
        self._reach(move.reaches, time.part(0.5, 1.0), columns=(Z,))
        self._reach(move.reaches, time, columns=(LEFT_THIGH, RIGHT_THIGH))
        for column in (OBLIQUITY, ROTATION):
            self._out_and_back(column, time, float(chance.uniform(-10.0, 10.0)))
        self._go(YAW, time, self._now(YAW) + float(chance.uniform(-30.0, 30.0)))
        self._advance(time, float(chance.uniform(-0.2, 0.2)))


def _any(size: tuple[float, float], chance: np.random.Generator) -> float:
    """Draw a size, either way."""
    return float(chance.uniform(*size) * chance.choice([-1.0, 1.0]))

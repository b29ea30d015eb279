"""Finds exercises by name: those that ship and a person's own; no own one replaces a shipped one."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources

import msgspec

from emgmon.errors import ExerciseError
from emgmon.exercises.exercise import (
    Exercise,
    Fault,
    Phase,
    Placement,
    SignalChoice,
    SignalName,
    exercise_problems,
)
from emgmon.exercises.figures import Statement, statement_problems
from emgmon.exercises.reading import Problem, read

__all__ = [
    "EXERCISE_NAMES",
    "Catalogue",
    "Exercise",
    "Fault",
    "Phase",
    "Placement",
    "SignalChoice",
    "SignalName",
    "load_care",
    "load_exercise",
    "parse_exercise",
    "shipped_catalogue",
]

EXERCISE_NAMES = (
    "bridge",
    "hip-thrust",
    "romanian-deadlift",
    "leg-extension-tubing",
    "bird-dog",
    "scorpion",
    "prone-hip-extension",
    "squat",
    "lunge",
)
"""Every exercise that ships."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All exercises at hand."""

    exercises: tuple[Exercise, ...]
    own: frozenset[str] = frozenset()
    """Names of those that a person has added."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the catalogue: the shipped ones first."""
        return tuple(exercise.name for exercise in self.exercises)

    def find(self, name: str) -> Exercise:
        """Look an exercise up.

        Raises
        ------
        ExerciseError
            When there is none of that name.
        """
        for exercise in self.exercises:
            if exercise.name == name:
                return exercise
        raise unknown_name("exercise", name, self.names)

    def with_own(self, name: str, data: bytes, *, file: str | None = None) -> "Catalogue":
        """Add a person's own exercise.

        Raises
        ------
        ExerciseError
            When the file is not valid, or its name is taken.
        """
        file = file or f"{name}.toml"
        if name in self.names:
            raise taken_name(file, "exercise", name)
        exercise = parse_exercise(name, data, file=file)
        return replace(self, exercises=(*self.exercises, exercise), own=self.own | {name})


def load_exercise(name: str, *, catalogue: Catalogue | None = None) -> Exercise:
    """Find an exercise by name, among those that ship or in a catalogue.

    Raises
    ------
    ExerciseError
        When the name is unknown or the file is not valid.
    """
    if catalogue is not None:
        return catalogue.find(name)
    if name not in EXERCISE_NAMES:
        raise unknown_name("exercise", name, EXERCISE_NAMES)
    return _shipped(name)


def shipped_catalogue() -> Catalogue:
    """Gather the exercises that ship."""
    return Catalogue(tuple(_shipped(name) for name in EXERCISE_NAMES))


def parse_exercise(name: str, data: bytes, *, file: str | None = None) -> Exercise:
    """Read an exercise from the bytes of its file.

    Parameters
    ----------
    name
        The file's name without ``.toml``; the field `name` has to say the same.
    file
        What errors call the file; its name when not given.

    Raises
    ------
    ExerciseError
        When it is not valid; names the file, the field and what may stand there.
    """
    return read(file or f"{name}.toml", data, Exercise, check=lambda value: exercise_problems(value, name))


def unknown_name(kind: str, name: str, known: tuple[str, ...]) -> ExerciseError:
    """Say that there is nothing of that name, and what there is."""
    return ExerciseError(f"there is no {kind} called {name!r}", advice=f"Choose one of: {', '.join(known)}.")


def taken_name(file: str, kind: str, name: str) -> ExerciseError:
    """Say that a person's own file may not stand in for another."""
    return ExerciseError(
        f"{file}: name is {name!r}, which is the name of another {kind}, so the file was not used",
        advice=f"Rename the file and its field name, for instance to my-{name}.",
    )


class _Care(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    care: tuple[Statement, ...]


@functools.cache
def load_care() -> tuple[Statement, ...]:
    """Read what to take care of in every exercise.

    Raises
    ------
    ExerciseError
        When the file is not valid.
    """
    data = resources.files(__package__).joinpath("care.toml").read_bytes()
    return read("care.toml", data, _Care, check=_care_problems).care


def _care_problems(file: _Care) -> Iterator[Problem]:
    for i, statement in enumerate(file.care):
        yield from statement_problems(f"care[{i}]", statement)


@functools.cache
def _shipped(name: str) -> Exercise:
    return parse_exercise(name, resources.files(__package__).joinpath(f"{name}.toml").read_bytes())

"""Reads and checks exercise files; errors name the file, the field and what it may be."""

from importlib import resources
from typing import Literal

import msgspec

from emgmon.errors import ExerciseError

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
"""Every exercise a recording may name."""


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one exercise is segmented and which of its phases count as work."""

    name: str
    title: str
    movement_signal: Literal["pelvis_height", "emg_envelope"]
    """What repetitions are found on when a pelvis IMU is worn; the EMG envelope serves when there is none."""
    leaves_rest: Literal["up", "down"]
    """Which way the pelvis goes first."""
    concentric: Literal["out", "back"]
    """Which way the muscles shorten: away from rest (a bridge) or back to it (a squat). The hold at the far
    end counts as work with the former."""
    how: tuple[str, ...]
    """How to do it, one step a line."""

    @property
    def direction(self) -> int:
        """+1 when the pelvis goes up first, -1 when it goes down."""
        return 1 if self.leaves_rest == "up" else -1


def load_exercise(name: str) -> Exercise:
    """Read one exercise of the catalogue.

    An exercise that the catalogue does not describe yet is counted on the EMG envelope.

    Raises
    ------
    ExerciseError
        When the name is unknown or the file is not valid.
    """
    if name not in EXERCISE_NAMES:
        raise ExerciseError(
            f"there is no exercise called {name!r}", advice=f"Choose one of: {', '.join(EXERCISE_NAMES)}."
        )
    file = resources.files(__package__).joinpath(f"{name}.toml")
    if not file.is_file():
        title = name.replace("-", " ").capitalize()
        return Exercise(name, title, "emg_envelope", "up", "out", ())
    try:
        return msgspec.toml.decode(file.read_bytes(), type=Exercise)
    except msgspec.ValidationError as error:
        raise ExerciseError(
            f"{name}.toml is not valid: {error}", advice="Correct the field it names."
        ) from error

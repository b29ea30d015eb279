"""What each exercise is: one TOML file apiece, checked on reading, so that no rule hides in the code."""

from emgmon.exercises.catalogue import (
    EXERCISE_NAMES,
    Catalogue,
    Exercise,
    load_exercise,
    parse_exercise,
    shipped_catalogue,
)
from emgmon.exercises.exercise import SignalChoice

__all__ = [
    "EXERCISE_NAMES",
    "Catalogue",
    "Exercise",
    "SignalChoice",
    "load_exercise",
    "parse_exercise",
    "shipped_catalogue",
]

"""What each exercise is: one TOML file apiece, checked on reading, so that no rule hides in the code."""

from emgmon.exercises.catalogue import EXERCISE_NAMES, Exercise, load_exercise

__all__ = ["EXERCISE_NAMES", "Exercise", "load_exercise"]

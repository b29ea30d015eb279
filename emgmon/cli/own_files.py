"""Reads a person's own exercises and programs: TOML files in the folder of their data."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from emgmon.errors import ExerciseError

if TYPE_CHECKING:
    from emgmon.exercises import Catalogue, Exercise
    from emgmon.exercises.programs import ProgramShelf

FOLDER_VARIABLE = "EMGMON_DATA"
"""Environment variable that names another folder for the person's data."""

Shelf = TypeVar("Shelf")


def data_folder() -> Path:
    """Where a person's own files are, whether or not the folder exists."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("emgmon")


def find_exercise(name: str) -> "Exercise":
    """Find an exercise by name, among those that ship and the person's own.

    Only the file of that name is read: a slip in another one is no reason to refuse this one.

    Raises
    ------
    ExerciseError
        When there is none, when its file is not valid, or when an own file has the name of a shipped one.
    """
    from emgmon.exercises import EXERCISE_NAMES, load_exercise, parse_exercise
    from emgmon.exercises.catalogue import taken_name, unknown_name

    own = {path.stem: path for path in _files("exercises")}
    if name in EXERCISE_NAMES:
        if name in own:
            raise taken_name(str(own[name]), "exercise", name)
        return load_exercise(name)
    if name not in own:
        raise unknown_name("exercise", name, (*EXERCISE_NAMES, *own))
    return parse_exercise(name, _bytes(own[name]), file=str(own[name]))


def whole_catalogue() -> tuple["Catalogue", tuple[ExerciseError, ...]]:
    """Gather all exercises, and what is wrong with own files that could not be used."""
    from emgmon.exercises import Catalogue, shipped_catalogue

    return _with_own("exercises", shipped_catalogue(), Catalogue.with_own)


def all_programs() -> tuple["ProgramShelf", tuple[ExerciseError, ...]]:
    """Gather all programs, and what is wrong with own files that could not be used."""
    from emgmon.exercises.programs import ProgramShelf, shipped_programs

    catalogue, problems = whole_catalogue()
    shelf, more = _with_own("programs", shipped_programs(catalogue), ProgramShelf.with_own)
    return shelf, (*problems, *more)


def _with_own(
    folder: str, shelf: Shelf, add: Callable[..., Shelf]
) -> tuple[Shelf, tuple[ExerciseError, ...]]:
    problems = []
    for path in _files(folder):
        try:
            shelf = add(shelf, path.stem, _bytes(path), file=str(path))
        except ExerciseError as error:
            problems.append(error)
    return shelf, tuple(problems)


def _files(folder: str) -> list[Path]:
    """List the TOML files of a folder by name; one that is not there holds none."""
    try:
        paths = sorted((data_folder() / folder).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ExerciseError(f"{data_folder() / folder} cannot be read: {error.strerror}") from error
    return [path for path in paths if path.suffix == ".toml" and not path.name.startswith(".")]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExerciseError(f"{path} cannot be read: {error.strerror}") from error

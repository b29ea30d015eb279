"""A TOML file becomes a checked value, or an error that names file, field and what may stand there."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from msgspec import inspect

from emgmon.errors import ExerciseError

Value = TypeVar("Value")
HELP = "emgmon's docs/exercises.md describes every field."
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Names are what people type: lower-case words joined by hyphens."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a file says and may not."""

    field: str
    """Where, as a path: ``signals[0].least_deg``. Entries of a list are counted from 0."""
    says: str
    """What stands there, continuing the sentence that the field begins: ``is 'x'``."""
    advice: str
    """What may stand there, as a sentence."""


def read(file: str, data: bytes, kind: type[Value], *, check: Callable[[Value], Iterable[Problem]]) -> Value:
    """Turn the bytes of a file into a value that holds all its rules.

    Parameters
    ----------
    file
        What the person knows the file by; every error begins with it.
    check
        Yields what the types cannot say; the first problem is told.

    Raises
    ------
    ExerciseError
        When the bytes are no TOML, when a field is unknown, missing or of another kind, or when `check`
        finds a problem.
    """
    raw = _toml(file, data)
    try:
        value = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise refusal(file, _explained(error, raw, kind)) from error
    for problem in check(value):
        raise refusal(file, problem)
    return value


def refusal(file: str, problem: Problem) -> ExerciseError:
    """Say a problem so that a person can find and correct it."""
    return ExerciseError(f"{file}: {problem.field} {problem.says}", advice=problem.advice)


def name_problem(name: str, stem: str) -> Problem | None:
    """Hold the rules for names: typeable, and the same inside and outside of the file."""
    if not NAME.fullmatch(name):
        return Problem("name", f"is {name!r}", "It may hold lower-case words joined by hyphens: my-bridge.")
    if name != stem:
        write = f"write {stem!r}, or " if NAME.fullmatch(stem) else ""
        advice = f"Name and file have to agree: {write}rename the file to {name}.toml."
        return Problem("name", f"is {name!r}", advice)
    return None


def one_of(values: Iterable[str]) -> str:
    """List what is allowed, as advice."""
    return f"It may be one of: {', '.join(values)}."


def _toml(file: str, data: bytes) -> object:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ExerciseError(f"{file} is not UTF-8 text: {error}", advice="Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: a number of many thousand digits or very deep brackets end otherwise.
        raise ExerciseError(f"{file} is not valid TOML: {error}", advice=HELP) from error


_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def _explained(error: msgspec.ValidationError, raw: object, kind: type) -> Problem:
    """Follow the path that msgspec names through value and type, and see what is wrong there.

    Only the path is taken from msgspec's message: its sentences do not name the allowed values.
    """
    message, _, path = str(error).partition(" - at `$")
    path = path.strip("`").removeprefix(".")
    value, node = raw, inspect.type_info(kind)
    for index, key in _STEP.findall(path):
        value, node = _inside(value, node, int(index) if index else key)
    return _wrong(path, value, node) or Problem(path or "the file", f"is not valid: {message}", HELP)


def _inside(value: object, node: inspect.Type, key: int | str) -> tuple[object, inspect.Type]:
    """Go one step down; a key that leads nowhere cannot come from msgspec."""
    node = _without_none(node)
    if isinstance(key, int) and isinstance(value, list):
        if isinstance(node, inspect.TupleType):
            return value[key], node.item_types[key]
        if isinstance(node, inspect.VarTupleType):
            return value[key], node.item_type
    if isinstance(value, dict) and isinstance(node, inspect.StructType):
        return value[key], next(field.type for field in node.fields if field.name == key)
    raise TypeError(f"no {key!r} in {node}")


def _wrong(path: str, value: object, node: inspect.Type) -> Problem | None:
    node = _without_none(node)
    if isinstance(node, inspect.StructType) and isinstance(value, dict):
        return _wrong_table(path, value, node)
    allowed = _choices(node)
    if allowed:
        return Problem(path, f"is {_shown(value)}", one_of(allowed))
    return Problem(path, f"is {_shown(value)}", f"It has to be {_in_words(node)}.")


def _wrong_table(path: str, value: dict[str, object], node: inspect.StructType) -> Problem | None:
    prefix = f"{path}." if path else ""
    known = [field.name for field in node.fields]
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            return Problem(f"{prefix}{key}", "is not a field", f"{meant}The fields are: {', '.join(known)}.")
    for field in node.fields:
        if field.required and field.name not in value:
            allowed = _choices(field.type)
            advice = one_of(allowed) if allowed else f"It has to be {_in_words(field.type)}."
            return Problem(f"{prefix}{field.name}", "is missing", advice)
    return None


def _without_none(node: inspect.Type) -> inspect.Type:
    """Leave out the None of an optional field: TOML cannot say it."""
    if isinstance(node, inspect.UnionType):
        return next(inner for inner in node.types if not isinstance(inner, inspect.NoneType))
    return node


def _choices(node: inspect.Type) -> list[str]:
    node = _without_none(node)
    if isinstance(node, inspect.LiteralType):
        return [str(value) for value in node.values]
    if isinstance(node, inspect.EnumType):
        return [str(member.value) for member in node.cls]
    return []


def _in_words(node: inspect.Type) -> str:
    match _without_none(node):
        case inspect.StrType():
            return 'text in quotes ("...")'
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)}"
        case inspect.VarTupleType():
            return "a list ([...])"
        case _:
            return "a table of fields"


def _shown(value: object) -> str:
    """Show a value; a long one only by its beginning."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

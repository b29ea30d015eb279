"""What to do in one session: warm-up, main sets, how to move on, and how much feedback each set gives."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from typing import Literal

import msgspec

from emgmon.exercises.catalogue import Catalogue, shipped_catalogue, taken_name, unknown_name
from emgmon.exercises.exercise import SUMMARY_LETTERS
from emgmon.exercises.figures import Statement, statement_problems
from emgmon.exercises.reading import Problem, name_problem, one_of, read

PROGRAM_NAMES = ("routine", "short-routine")
"""Every program that ships."""

Feedback = Literal["concurrent", "bandwidth", "summary", "none"]
MOST = 100
"""More sets or repetitions than this are a slip of the finger."""


class WarmUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets of one exercise before the main one; they prepare and are not compared with anything."""

    exercise: str
    sets: int
    reps: int
    """Per side, where the exercise has sides."""
    rest_s: float
    """After each set."""
    hold_s: float = 0.0
    feedback: Feedback = "none"
    note: str = ""


class MainSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the main sets."""

    reps: int
    """Per side, where the exercise has sides."""
    rest_s: float
    """After the set."""
    feedback: Feedback


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One exercise of the progression."""

    exercise: str
    note: str = ""


class MoveOn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to go to the next step: the own reference met in n of the last m main sets."""

    sets_met: int
    of_sets: int
    reps_met_pct: float
    """A set has met the reference when at least this part of its judged repetitions has."""


class MainWork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The main exercise: the step that the person has reached."""

    steps: tuple[Step, ...]
    """From the first to the last; a single one is no progression."""
    sets: tuple[MainSet, ...]
    hold_s: float = 0.0
    """At the far end of every repetition."""
    move_on: MoveOn | None = None


class Program(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One session's plan."""

    name: str
    title: str
    main: MainWork
    summary: str = ""
    purpose: str = ""
    warm_up: tuple[WarmUp, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgramShelf:
    """All programs at hand, with the exercises that they may name."""

    programs: tuple[Program, ...]
    catalogue: Catalogue
    own: frozenset[str] = frozenset()
    """Names of those that a person has added."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the shelf: the shipped ones first."""
        return tuple(program.name for program in self.programs)

    def find(self, name: str) -> Program:
        """Look a program up.

        Raises
        ------
        ExerciseError
            When there is none of that name.
        """
        for program in self.programs:
            if program.name == name:
                return program
        raise unknown_name("program", name, self.names)

    def with_own(self, name: str, data: bytes, *, file: str | None = None) -> "ProgramShelf":
        """Add a person's own program.

        Raises
        ------
        ExerciseError
            When the file is not valid, or its name is taken.
        """
        file = file or f"{name}.toml"
        if name in self.names:
            raise taken_name(file, "program", name)
        program = parse_program(name, data, self.catalogue, file=file)
        return replace(self, programs=(*self.programs, program), own=self.own | {name})


def shipped_programs(catalogue: Catalogue | None = None) -> ProgramShelf:
    """Gather the programs that ship, beside the exercises that own ones may name."""
    catalogue = catalogue or shipped_catalogue()
    folder = resources.files("emgmon.exercises").joinpath("programs")
    programs = (
        parse_program(name, folder.joinpath(f"{name}.toml").read_bytes(), catalogue) for name in PROGRAM_NAMES
    )
    return ProgramShelf(tuple(programs), catalogue)


def parse_program(name: str, data: bytes, catalogue: Catalogue, *, file: str | None = None) -> Program:
    """Read a program from the bytes of its file.

    Parameters
    ----------
    name
        The file's name without ``.toml``; the field `name` has to say the same.
    catalogue
        The exercises that the program may name.
    file
        What errors call the file; its name when not given.

    Raises
    ------
    ExerciseError
        When it is not valid; names the file, the field and what may stand there.
    """

    def check(program: Program) -> Iterator[Problem]:
        return _problems(program, name, catalogue.names)

    return read(file or f"{name}.toml", data, Program, check=check)


def _problems(program: Program, stem: str, exercises: tuple[str, ...]) -> Iterator[Problem]:
    wrong_name = name_problem(program.name, stem)
    if wrong_name:
        yield wrong_name
    if not program.title.strip():
        yield Problem("title", "is empty", "It is the name that people read.")
    if len(program.summary) > SUMMARY_LETTERS:
        advice = f"It has to fit in a list: at most {SUMMARY_LETTERS} letters."
        yield Problem("summary", f"has {len(program.summary)} letters", advice)
    for i, block in enumerate(program.warm_up):
        field = f"warm_up[{i}]"
        if block.exercise not in exercises:
            yield Problem(f"{field}.exercise", f"is {block.exercise!r}", one_of(exercises))
        yield from _count_problems(f"{field}.sets", block.sets)
        yield from _count_problems(f"{field}.reps", block.reps)
        yield from _duration_problems(f"{field}.rest_s", block.rest_s)
        yield from _duration_problems(f"{field}.hold_s", block.hold_s)
    yield from _main_problems(program.main, exercises)
    for i, finding in enumerate(program.findings):
        yield from statement_problems(f"findings[{i}]", finding)


def _main_problems(main: MainWork, exercises: tuple[str, ...]) -> Iterator[Problem]:
    steps = [step.exercise for step in main.steps]
    if not steps:
        yield Problem("main.steps", "is empty", f"Name one or more of: {', '.join(exercises)}.")
    for i, exercise in enumerate(steps):
        if exercise not in exercises:
            yield Problem(f"main.steps[{i}].exercise", f"is {exercise!r}", one_of(exercises))
        if exercise in steps[:i]:
            yield Problem(f"main.steps[{i}].exercise", f"is {exercise!r} once more", "Name each step once.")
    if not main.sets:
        yield Problem("main.sets", "is empty", "Give at least one set: reps, rest_s and feedback.")
    for i, work in enumerate(main.sets):
        yield from _count_problems(f"main.sets[{i}].reps", work.reps)
        yield from _duration_problems(f"main.sets[{i}].rest_s", work.rest_s)
    yield from _duration_problems("main.hold_s", main.hold_s)
    yield from _move_on_problems(main)


def _move_on_problems(main: MainWork) -> Iterator[Problem]:
    rule = main.move_on
    if rule is None:
        if len(main.steps) > 1:
            advice = "Several steps need a rule: sets_met, of_sets and reps_met_pct."
            yield Problem("main.move_on", "is missing", advice)
        return
    if len(main.steps) == 1:
        yield Problem("main.move_on", "is given for a single step", "Leave it out, or name the next step.")
    yield from _count_problems("main.move_on.of_sets", rule.of_sets)
    if not 1 <= rule.sets_met <= rule.of_sets:
        advice = f"It has to lie between 1 and of_sets, {rule.of_sets}."
        yield Problem("main.move_on.sets_met", f"is {rule.sets_met}", advice)
    if not 0 < rule.reps_met_pct <= 100:
        advice = "It has to lie above 0 and be at most 100."
        yield Problem("main.move_on.reps_met_pct", f"is {rule.reps_met_pct:g}", advice)


def _count_problems(field: str, count: int) -> Iterator[Problem]:
    if not 1 <= count <= MOST:
        yield Problem(field, f"is {count}", f"It has to lie between 1 and {MOST}.")


def _duration_problems(field: str, duration_s: float) -> Iterator[Problem]:
    if not 0 <= duration_s <= 3600:
        yield Problem(field, f"is {duration_s:g}", "It has to lie between 0 and 3600 seconds.")

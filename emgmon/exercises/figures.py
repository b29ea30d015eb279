"""What is known and how well: every figure or statement carries its source, or says `unknown`."""

import enum
import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from emgmon.exercises.reading import Problem


class Grade(enum.StrEnum):
    """How well something is known."""

    SOURCED = "sourced"
    """Read in the source that is named."""
    DERIVED = "derived"
    """Worked out from sourced figures; the source is theirs."""
    CONVENTION = "convention"
    """A choice of emgmon's own that its figures refer to; nothing that could be true or false."""
    UNKNOWN = "unknown"
    """Not found, or not checked; nothing is claimed."""


Quantity = Literal[
    "gluteus_maximus",
    "gluteus_maximus_upper",
    "gluteus_maximus_lower",
    "gluteus_medius",
    "erector_spinae",
    "multifidus",
    "back_muscles",
    "hamstrings",
    "biceps_femoris",
    "glute_back_ratio",
    "pelvis_pitch_range",
    "pelvis_obliquity_range",
    "pelvis_rotation_range",
    "lumbar_extension",
]
Unit = Literal["% MVIC", "% of the highest in a lift", "% of a submaximal contraction", "ratio", "degrees"]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence with the grade of its evidence."""

    grade: Grade
    says: str = ""
    """Empty when unknown: what is not known is not said."""
    source: str = ""
    """Who and where, without the year: ``Hollman, J Sport Rehabil 27(2):138``."""
    year: int | None = None
    doi: str | None = None


class ExpectedFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What others measured in an exercise: a prior to show, never a pass mark."""

    quantity: Quantity
    grade: Grade
    unit: Unit | None = None
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    """Above `low` and without an end when left out."""
    when: str = ""
    """Under which condition: ``asked to squeeze``."""
    who: str = ""
    """How many people: ``30 women``."""
    note: str = ""
    source: str = ""
    year: int | None = None
    doi: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a figure at all."""
        return self.grade is not Grade.UNKNOWN


NEEDS_SOURCE = (Grade.SOURCED, Grade.DERIVED)


def statement_problems(field: str, statement: Statement) -> Iterator[Problem]:
    """Yield what contradicts itself in a statement that stands at `field`."""
    unknown = statement.grade is Grade.UNKNOWN
    if unknown and statement.says:
        yield Problem(f"{field}.says", "says something unknown", "Leave it out, or give grade and source.")
    if not unknown and not statement.says.strip():
        yield Problem(f"{field}.says", "is empty", "Only a statement of grade unknown says nothing.")
    yield from _source_problems(field, statement)


def figure_problems(field: str, figure: ExpectedFigure) -> Iterator[Problem]:
    """Yield what contradicts itself in an expected figure that stands at `field`."""
    yield from _source_problems(field, figure)
    if figure.grade is Grade.CONVENTION:
        yield Problem(f"{field}.grade", "is 'convention'", "It may be one of: sourced, derived, unknown.")
    numbers = {name: getattr(figure, name) for name in ("mean", "sd", "low", "high")}
    given = {name: value for name, value in numbers.items() if value is not None}
    if not figure.is_known:
        if given:
            yield Problem(f"{field}.{next(iter(given))}", "is given for something unknown", "Leave it out.")
        return
    for name, value in given.items():
        if not math.isfinite(value):
            yield Problem(f"{field}.{name}", f"is {value}", "It has to be a finite number.")
    if figure.unit is None:
        yield Problem(f"{field}.unit", "is missing", "A figure needs its unit.")
    yield from _number_problems(field, figure)


def _number_problems(field: str, figure: ExpectedFigure) -> Iterator[Problem]:
    if (figure.mean is None) == (figure.low is None):
        yield Problem(field, "has neither or both of mean and low", "Give mean (and sd), or low (and high).")
    if figure.sd is not None and (figure.mean is None or not figure.sd > 0):
        yield Problem(f"{field}.sd", f"is {figure.sd}", "It goes with a mean and has to be above 0.")
    if figure.high is not None and (figure.low is None or not figure.high > figure.low):
        yield Problem(f"{field}.high", f"is {figure.high}", "It goes with low and has to be above it.")


def _source_problems(field: str, claim: Statement | ExpectedFigure) -> Iterator[Problem]:
    if claim.grade in NEEDS_SOURCE and not claim.source.strip():
        yield Problem(f"{field}.source", "is missing", f"Whatever is {claim.grade} names its source.")
    if claim.doi is not None and not claim.doi.startswith("10."):
        yield Problem(f"{field}.doi", f"is {claim.doi!r}", "It has to begin with 10. (no https://doi.org/).")
    if claim.year is not None and not 1900 <= claim.year <= 2100:
        yield Problem(f"{field}.year", f"is {claim.year}", "It has to be a year with four digits.")

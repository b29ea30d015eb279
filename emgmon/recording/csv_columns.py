"""A column's name says what it holds: ``kind.site[.side][.axis]_unit``; anything else is not ours."""

import csv
import math
import re
from dataclasses import dataclass

from emgmon.errors import ImportFileError
from emgmon.units import GRAVITY_MPS2
from firmware_protocol.capabilities import Quantity

CONTRACT = (
    "The first column is t_s (seconds), the others are named like emg.gluteus_maximus.left_uV"
    " (env. in place of emg. where it is rectified or smoothed), acc.pelvis.x_mps2 or gyr.pelvis.x_radps."
)
QUANTITIES = {
    "emg": Quantity.EMG,
    "env": Quantity.ENVELOPE,
    "acc": Quantity.ACCELERATION,
    "gyr": Quantity.ANGULAR_RATE,
}
_MICROVOLTS = {"uV": 1.0, "mV": 1e3, "V": 1e6}
UNITS = {
    Quantity.EMG: _MICROVOLTS,
    Quantity.ENVELOPE: _MICROVOLTS,
    Quantity.ACCELERATION: {"mps2": 1.0, "g": GRAVITY_MPS2},
    Quantity.ANGULAR_RATE: {"radps": 1.0, "dps": math.pi / 180.0},
}
"""How many of the unit that we keep (microvolt, m/s², rad/s) one of the file's unit is."""
MAX_SITE_LENGTH = 31

_SITE = re.compile(r"[a-z][a-z0-9_]*")
_SIDES = ("left", "right")
_AXES = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """One column that holds samples."""

    index: int
    """Place in the file, 0 for the first."""
    name: str
    quantity: Quantity
    site: str
    side: str | None
    axis: str | None
    factor: float
    """Multiplies the file's values to give microvolt, m/s² or rad/s."""

    @property
    def signal(self) -> tuple[Quantity, str, str | None, str | None]:
        """What there can be only once: raw EMG and its envelope are the same muscle."""
        kind = Quantity.EMG if self.quantity.is_emg else self.quantity
        return kind, self.site, self.side, self.axis


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The first line of a file, understood."""

    names: tuple[str, ...]
    columns: tuple[CsvColumn, ...]
    skipped: tuple[str, ...]
    """Sentences about columns that are left out."""


class _NotOursError(Exception):
    """The name does not follow the contract; the message says where."""


def parse_header_line(line: str, *, file: str) -> CsvHeader:
    """Understand the first line of a CSV file.

    Parameters
    ----------
    file
        Named in messages only.

    Raises
    ------
    ImportFileError
        When it is no header, ``t_s`` is not first, or a column comes twice.
    """
    names = _names(line, file)
    _check_first(names, line, file)
    columns: list[CsvColumn] = []
    skipped: list[str] = []
    for index, name in enumerate(names[1:], start=1):
        try:
            columns.append(parse_column(index, name))
        except _NotOursError as error:
            skipped.append(f"column {index + 1} ({name!r}) is skipped: {error}")
    _check_twice(columns, file)
    return CsvHeader(names, tuple(columns), tuple(skipped))


def parse_column(index: int, name: str) -> CsvColumn:
    """Understand one column's name."""
    place, _, unit = name.rpartition("_")
    kind, *words = place.split(".")
    if kind not in QUANTITIES:
        raise _NotOursError("its name does not begin with emg., env., acc. or gyr. and end with a unit")
    quantity = QUANTITIES[kind]
    if unit not in UNITS[quantity]:
        known = ", ".join(UNITS[quantity])
        raise _NotOursError(f"its unit {unit!r} is not one of {known}")
    axis = None if quantity.is_emg else _take_last(words, _AXES)
    if not quantity.is_emg and axis is None:
        raise _NotOursError("it names no axis .x, .y or .z")
    side = _take_last(words, _SIDES)
    if not words:
        example = "gluteus_maximus.left" if quantity.is_emg else "pelvis.x"
        raise _NotOursError(f"it names no site, as in {kind}.{example}_{unit}")
    site = ".".join(words)
    if not _SITE.fullmatch(site) or len(site) > MAX_SITE_LENGTH:
        raise _NotOursError(
            f"its site {site!r} is not one word of a-z, 0-9 and _, at most {MAX_SITE_LENGTH} characters long,"
            " followed by .left or .right where it has a side"
        )
    return CsvColumn(index, name, quantity, site, side, axis, UNITS[quantity][unit])


def _take_last(words: list[str], known: tuple[str, ...]) -> str | None:
    return words.pop() if words and words[-1] in known else None


def _names(line: str, file: str) -> tuple[str, ...]:
    try:
        return tuple(name.strip() for name in next(csv.reader([line], skipinitialspace=True), []))
    except csv.Error as error:
        raise ImportFileError(f"{file}, line 1: {error}", advice=CONTRACT) from error


def _check_first(names: tuple[str, ...], line: str, file: str) -> None:
    if names and names[0] == "t_s":
        return
    if len(names) == 1 and any(separator in line for separator in ";\t"):
        separator = "semicolons" if ";" in line else "tabs"
        raise ImportFileError(
            f"{file}, line 1: the columns are separated by {separator}, not commas",
            advice="Save it as CSV with commas between columns and points in decimal numbers.",
        )
    if all(_is_number(name) for name in names):
        raise ImportFileError(
            f"{file}, line 1: there is no header, the first line is {line[:60]!r}",
            advice=f"Add a first line with the names of the columns. {CONTRACT}",
        )
    where = f"; t_s is column {names.index('t_s') + 1}" if "t_s" in names else ""
    raise ImportFileError(
        f"{file}, line 1, column 1: the first column is {names[0]!r}, not 't_s'{where}", advice=CONTRACT
    )


def _check_twice(columns: list[CsvColumn], file: str) -> None:
    seen: dict[tuple[object, ...], CsvColumn] = {}
    for column in columns:
        key = column.signal
        if key in seen:
            raise ImportFileError(
                f"{file}, line 1: columns {seen[key].index + 1} ({seen[key].name!r}) and"
                f" {column.index + 1} ({column.name!r}) hold the same signal",
                advice="Remove or rename one of them; of raw EMG and its envelope, keep the raw EMG.",
            )
        seen[key] = column


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

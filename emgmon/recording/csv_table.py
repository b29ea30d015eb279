"""A CSV file becomes numbers quickly; only when that fails is it read slowly, to name line and column."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from emgmon.errors import ImportFileError
from emgmon.recording.csv_columns import CONTRACT, CsvHeader, parse_header_line

_MISSING = ("", "nan", "NaN", "NAN")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
_DECIMAL_COMMA = "Numbers need a decimal point, cells a comma between them."


@dataclass(frozen=True, slots=True, eq=False)
class CsvTable:
    """The numbers of one file."""

    file: str
    """Name without folders, for messages."""
    header: CsvHeader
    t_s: NDArray[np.float64]
    """Shape (n_rows,), finite and strictly increasing."""
    values: NDArray[np.float64]
    """Shape (n_rows, n_columns) like ``header.columns``, in the file's units; NaN where missing."""


def read_csv(path: Path) -> CsvTable:
    """Read one CSV file, packed with gzip or not.

    Raises
    ------
    ImportFileError
        Names file, line, column and value of the first thing that does not follow the contract.
    """
    text = _read_bytes(path)
    line = re.split(rb"[\r\n]", text, maxsplit=1)[0]
    header = parse_header_line(_decoded(line, path), file=path.name)
    if not header.columns:
        reasons = "; ".join(header.skipped[:3]) or "it has no column but t_s"
        raise ImportFileError(f"{path.name}: no column can be used: {reasons}", advice=CONTRACT)
    numbers = _read_fast(text, header)
    if numbers is None:
        numbers = _read_carefully(text, header, path.name)
    if len(numbers) == 0:
        raise ImportFileError(f"{path.name}: there is no row below the header", advice="Export it again.")
    _check_times(numbers[:, 0], text, path.name)
    return CsvTable(path.name, header, numbers[:, 0], numbers[:, 1:])


def _read_bytes(path: Path) -> bytes:
    """Unpack and judge a file; what comes back is text without a byte order mark."""
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    except FileNotFoundError as error:
        raise ImportFileError(f"{path} does not exist", advice="Check the name and the folder.") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ImportFileError(
            f"{path.name} is a damaged gzip file: {error}", advice="Copy or download it again."
        ) from error
    except OSError as error:
        what = "is a folder" if path.is_dir() else f"cannot be read: {error.strerror or error}"
        raise ImportFileError(f"{path} {what}", advice="Give the name of a CSV file.") from error
    except ValueError as error:
        raise ImportFileError(f"{str(path)!r} is not a file name: {error}") from error
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportFileError(f"{path.name} is written in UTF-16", advice="Save it as UTF-8.")
    text = text.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise ImportFileError(f"{path.name} is empty", advice=f"Export it again. {CONTRACT}")
    if b"\x00" in text[:65536]:
        hint = "It is an Arrow file, perhaps a recording already." if raw[:4] == b"\xff" * 4 else CONTRACT
        raise ImportFileError(f"{path.name} is not a text file", advice=hint)
    return text


def _decoded(line: bytes, path: Path) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise ImportFileError(
            f"{path.name}, line 1: byte {error.start + 1} is not UTF-8", advice="Save it as UTF-8."
        ) from error


def _read_fast(text: bytes, header: CsvHeader) -> NDArray[np.float64] | None:
    """Let Arrow read the columns that are used; None when anything at all is unusual.

    Returns
    -------
    ndarray or None
        Shape (n_rows, 1 + n_columns), ``t_s`` first.
    """
    names = [f"c{index}" for index in range(len(header.names))]
    wanted = ["c0", *(names[column.index] for column in header.columns)]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(text),
            read_options=pa.csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
            convert_options=pa.csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.float64()),
                null_values=list(_MISSING),
            ),
        )
    except (pa.ArrowException, OSError, ValueError):
        return None
    numbers = np.empty((table.num_rows, len(wanted)))
    for index, column in enumerate(table.columns):
        if index == 0 and column.null_count:
            return None
        numbers[:, index] = column.to_numpy()
    if np.isinf(numbers).any() or not np.isfinite(numbers[:, 0]).all():
        return None
    return numbers


def _read_carefully(text: bytes, header: CsvHeader, file: str) -> NDArray[np.float64]:
    """Read cell by cell; raises ImportFileError at the first cell that is no number."""
    wanted = [0, *(column.index for column in header.columns)]
    numbers = []
    for line, cells in _lines(text, file):
        if len(cells) != len(header.names):
            raise ImportFileError(
                f"{file}, line {line}: {len(cells)} cells, the header has {len(header.names)} columns",
                advice=f"Every line needs as many cells as the header, empty where missing. {_DECIMAL_COMMA}",
            )
        numbers.append([_number(cells[index], file, line, index, header.names[index]) for index in wanted])
    return np.array(numbers, np.float64).reshape(-1, len(wanted))


def _lines(text: bytes, file: str) -> Iterator[tuple[int, list[str]]]:
    """Lines below the header that are not blank, with their numbers in the file."""
    reader = csv.reader(io.StringIO(text.decode(errors="replace"), newline=""))
    try:
        next(reader)
        for cells in reader:
            if cells and (len(cells) > 1 or cells[0].strip()):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ImportFileError(
            f"{file}, line {reader.line_num + 1}: {error}", advice="Export it again as plain CSV."
        ) from error


def _number(cell: str, file: str, line: int, index: int, name: str) -> float:
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        value = float(text)
        if np.isfinite(value):
            return value
    if index > 0 and text in _MISSING:
        return np.nan
    what = f"is {cell[:40]!r}, not a number" if text else "is empty"
    advice = (
        _DECIMAL_COMMA if index == 0 else f"Leave the cell empty when the sample is missing. {_DECIMAL_COMMA}"
    )
    raise ImportFileError(f"{file}, line {line}, column {index + 1} ({name}): the cell {what}", advice=advice)


def _check_times(t_s: NDArray[np.float64], text: bytes, file: str) -> None:
    late = np.flatnonzero(np.diff(t_s) <= 0)
    if len(late) == 0:
        return
    row = int(late[0]) + 1
    line = next(line for number, (line, _) in enumerate(_lines(text, file)) if number == row)
    before, here = float(t_s[row - 1]), float(t_s[row])
    if here == before:
        raise ImportFileError(
            f"{file}, line {line}, column 1 (t_s): the time {here!r} s comes twice",
            advice="Every row needs its own time; write t_s with more decimals, or remove the repeated row.",
        )
    raise ImportFileError(
        f"{file}, line {line}, column 1 (t_s): time goes backwards from {before!r} s to {here!r} s",
        advice="Sort the rows by time, or cut the file here and import the parts one by one.",
    )

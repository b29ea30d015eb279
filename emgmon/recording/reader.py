"""A recording is read up to its last sound batch, and what stopped the reading is told in words."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from emgmon.errors import RecordingError
from emgmon.events import NotificationBatch
from emgmon.recording.columns import join
from emgmon.recording.files import part_path
from emgmon.recording.format import (
    FORMAT_NAME,
    HEADER_CRC_KEY,
    HEADER_KEY,
    RecordingHeader,
    damaged_header,
    parse_header,
    plain_schema,
)
from emgmon.recording.messages import Damage, DamageKind, SoundBatch, walk

_PROBE_BYTES = 1 << 16


class RecordingReader:
    """One recording, opened for reading.

    The file is mapped into memory, not copied: batches are views of it.

    Parameters
    ----------
    path
        A finished recording, or the part file that an interrupted one left.

    Raises
    ------
    RecordingError
        When the file cannot be opened, is no recording, has a damaged header, or is too new.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._stream = open_bytes(self.path)
        self.header: RecordingHeader = read_header(self._stream, self.path)
        self.damage: Damage | None = None
        """Where the last reading ended early; None before reading and when all was well."""

    @property
    def n_bytes(self) -> int:
        """Size of the file."""
        return int(self._stream.size)

    @property
    def torn(self) -> str | None:
        """Why reading ended before the end of the file, with the byte; None when it did not."""
        if self.damage is None:
            return None
        return f"byte {self.damage.first_byte}: {self.damage.what}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for a person about what could not be read, with advice; filled by reading."""
        if self.damage is None:
            return ()
        if self.damage.kind is DamageKind.UNCLOSED:
            return (f"{self.path} was never closed; every batch in it was read",)
        if self.damage.kind is DamageKind.TRAILING:
            return (f"{self.path}, {self.torn}",)
        failure = self.failure
        return () if failure is None else (f"{failure}. {failure.advice}",)

    @property
    def failure(self) -> RecordingError | None:
        """What a person has to know who asked for the whole recording; None when all of it was read."""
        if self.damage is None or self.damage.kind not in (DamageKind.TORN, DamageKind.DAMAGED):
            return None
        if self.damage.kind is DamageKind.TORN:
            advice = f"The file was cut off there. To close it as it is, run: emgmon repair {self.path}"
        else:
            advice = f"What follows may be rescued with: emgmon repair {self.path}"
        said = f"{self.path}, {self.torn}; only what stands before it was read"
        return RecordingError(said, advice=advice)

    def batches(self, min_rows: int = 20_000) -> Iterator[NotificationBatch]:
        """Go through the notifications up to the first damage; then see :attr:`warnings`.

        Parameters
        ----------
        min_rows
            Small batches are joined until they have this many rows; 1 keeps the file's own batches.

        Yields
        ------
        NotificationBatch
            Read-only views of the file, or joined copies.
        """
        self.damage = None
        waiting: list[NotificationBatch] = []
        n_waiting = 0
        for found in walk(self._stream):
            if not isinstance(found, SoundBatch):
                self.damage = found
                break
            waiting.append(found.batch)
            n_waiting += len(found.batch)
            if n_waiting >= min_rows:
                yield join(waiting)
                waiting, n_waiting = [], 0
        if waiting:
            yield join(waiting)

    def read_all(self) -> NotificationBatch:
        """Every notification up to the first damage, as one batch."""
        return join(list(self.batches(min_rows=1)))

    def walk(self) -> Iterator[SoundBatch | Damage]:
        """Go through the whole file, across damage; see :func:`emgmon.recording.messages.walk`."""
        return walk(self._stream)


def open_bytes(path: Path) -> pa.Buffer:
    """Map a file into memory.

    Raises
    ------
    RecordingError
        When there is no such file, it is empty, or it may not be read.
    """
    try:
        if path.is_dir():
            raise RecordingError(f"{path} is a folder", advice="Give the name of a recording inside it.")
        if path.stat().st_size == 0:
            raise _not_a_recording(path, "it is empty")
        with pa.memory_map(str(path), "r") as file:
            return file.read_buffer()
    except FileNotFoundError as error:
        raise _missing(path) from error
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be read: {error.strerror or error}", advice="Check the file's permissions."
        ) from error
    except ValueError as error:
        raise RecordingError(f"{str(path)!r} is not a file name: {error}") from error


def read_header(stream: pa.Buffer, path: Path) -> RecordingHeader:
    """Read what a recording says about itself.

    Parameters
    ----------
    path
        Named in messages only.

    Raises
    ------
    RecordingError
        When the bytes are no recording, the header is damaged, or it is too new.
    """
    try:
        schema = pa.ipc.open_stream(pa.BufferReader(stream)).schema
        metadata = schema.metadata or {}
        columns = [(field.name, field.type) for field in schema]
    except Exception as error:
        # Bytes that are no Arrow stream make Arrow raise nearly anything; all of it means the same here.
        raise _unreadable(stream, path) from error
    if HEADER_KEY not in metadata or columns != [(field.name, field.type) for field in plain_schema()]:
        raise _unreadable(stream, path)
    try:
        return parse_header(metadata[HEADER_KEY], metadata.get(HEADER_CRC_KEY))
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}", advice=error.advice) from error


def _unreadable(stream: pa.Buffer, path: Path) -> RecordingError:
    start = stream.slice(0, min(_PROBE_BYTES, stream.size)).to_pybytes()
    if FORMAT_NAME.encode() in start and not _is_text(start):
        error = damaged_header("its bytes do not form an Arrow schema with our columns")
        return RecordingError(f"{path}: {error}", advice=error.advice)
    return _not_a_recording(path, *_describe(start))


def _not_a_recording(path: Path, what: str, advice: str = "") -> RecordingError:
    return RecordingError(
        f"{path} is not a recording: {what}",
        advice=advice or "Recordings are made by emgmon record, live, import or simulate and end in .arrows.",
    )


def _missing(path: Path) -> RecordingError:
    part = part_path(path)
    if part.exists():
        return RecordingError(
            f"{path} does not exist, but {part} does: an interrupted recording",
            advice=f"Read {part.name} as it is, or close it with: emgmon repair {part}",
        )
    return RecordingError(f"{path} does not exist", advice="Check the name and the folder.")


def _describe(start: bytes) -> tuple[str, str]:
    """Tell what a file is, judged by its first bytes, and what to do with it."""
    importable = "To make a recording of a CSV file, run: emgmon import OUT.arrows --csv FILE --exercise NAME"
    for magic, what, advice in (
        (b"\x1f\x8b", "it is a gzip file", f"Unpack it first. {importable}"),
        (b"ARROW1", "it is an Arrow file (Feather), not an Arrow stream", ""),
        (b"PAR1", "it is a Parquet file", ""),
        (b"PK\x03\x04", "it is a zip file", "Unpack it first."),
        (b"\xff\xff\xff\xff", "it is an Arrow stream of another program, or its start is damaged", ""),
    ):
        if start.startswith(magic):
            return what, advice
    if not np.frombuffer(start, np.uint8).any():
        return "it begins with nothing but zeros", "The disk may have lost it; look for another copy."
    if _is_text(start):
        return "it is a text file", importable
    return f"its first bytes are {start[:8].hex(' ')}", ""


def _is_text(start: bytes) -> bool:
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in start)
    return control == 0

"""One Arrow message is one batch of notifications; only a batch whose checksum fits is believed."""

import enum
import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emgmon.events import NotificationBatch
from emgmon.recording.columns import rows
from emgmon.recording.format import RecordingHeader, arrow_schema, plain_schema

CRC_KEY = b"crc32"
MAX_ROWS = 16_384
"""A batch is kept small enough that losing one costs little and a reader's memory stays flat."""
MAX_PAYLOAD_BYTES = 16 << 20
END_MARK = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_SCAN_BYTES = 1 << 20
_PLAIN_SCHEMA = plain_schema()
_PLAIN_SCHEMA_SIZE = len(_PLAIN_SCHEMA.serialize())


class DamageKind(enum.Enum):
    """What is wrong with a stretch of bytes."""

    UNCLOSED = "unclosed"
    """Every batch is whole, only the end mark is missing: the writer was stopped."""
    TORN = "torn"
    """The file ends inside a batch."""
    DAMAGED = "damaged"
    """Bytes were changed, removed or inserted."""
    TRAILING = "trailing"
    """Bytes follow the end mark."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundBatch:
    """A batch whose checksum fits; bytes ``first_byte`` up to ``end_byte`` of the file."""

    first_byte: int
    end_byte: int
    batch: NotificationBatch


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of the file that gives no notifications: ``first_byte`` up to ``end_byte``."""

    first_byte: int
    end_byte: int
    kind: DamageKind
    what: str


class _UnsoundError(Exception):
    """The bytes at hand are no sound batch; the message says why."""


def seconds(batch: NotificationBatch) -> Iterator[NotificationBatch]:
    """Cut many notifications at every second of arrival, so that losing one batch costs no more."""
    second = np.maximum.accumulate(batch.arrival_ns) // 1_000_000_000
    edges = [0, *(np.flatnonzero(np.diff(second)) + 1).tolist(), len(batch)]
    for start, stop in itertools.pairwise(edges):
        yield rows(batch, start, stop)


def cut(batch: NotificationBatch) -> Iterator[NotificationBatch]:
    """Cut notifications where they exceed the limits of one message."""
    start = 0
    while start < len(batch):
        limit = int(batch.offsets[start]) + MAX_PAYLOAD_BYTES
        fits = int(np.searchsorted(batch.offsets, limit, side="right")) - 1
        stop = max(start + 1, min(fits, start + MAX_ROWS))
        yield rows(batch, start, stop)
        start = stop


def header_message(header: RecordingHeader) -> bytes:
    """Write the Arrow message that begins a recording: columns and header."""
    return bytes(arrow_schema(header).serialize())


def batch_message(batch: NotificationBatch) -> bytes:
    """Write one batch, within the limits of :func:`cut`, as an Arrow message with its checksum.

    The checksum is zlib's CRC32 of the number of rows (unsigned 64-bit, little-endian) followed by
    the body of the Arrow message: the values of ``arrival_ns``, ``sensor``, ``kind``, the 32-bit
    offsets of ``payload`` and its bytes, each padded with zeros to a multiple of 8. It stands in the
    message's custom metadata, key ``crc32``, as eight hex digits.
    """
    first, last = int(batch.offsets[0]), int(batch.offsets[-1])
    columns: list[NDArray[Any]] = [
        np.ascontiguousarray(batch.arrival_ns, "<i8"),
        np.ascontiguousarray(batch.sensor, np.uint8),
        np.ascontiguousarray(batch.kind, np.uint8),
        np.ascontiguousarray(batch.offsets - first, "<i4"),
        np.ascontiguousarray(batch.data[first:last]),
    ]
    crc32 = zlib.crc32(struct.pack("<Q", len(batch)))
    for column in columns:
        crc32 = zlib.crc32(bytes(-column.nbytes % 8), zlib.crc32(column.data, crc32))
    sink = pa.BufferOutputStream()
    # A stream of its own for every batch, cut off its schema: nothing is left half written inside Arrow.
    with pa.ipc.new_stream(sink, _PLAIN_SCHEMA) as stream:
        stream.write_batch(_record_batch(columns), custom_metadata={CRC_KEY: f"{crc32:08x}"})
    return bytes(memoryview(sink.getvalue())[_PLAIN_SCHEMA_SIZE : -len(END_MARK)])


def _record_batch(columns: list[NDArray[Any]]) -> pa.RecordBatch:
    n_rows = len(columns[0])
    buffers = [pa.py_buffer(column) for column in columns]
    arrays = [
        pa.Array.from_buffers(field.type, n_rows, [None, buffer])
        for field, buffer in zip(list(_PLAIN_SCHEMA)[:3], buffers[:3], strict=True)
    ]
    arrays.append(pa.Array.from_buffers(pa.binary(), n_rows, [None, *buffers[3:]]))
    return pa.RecordBatch.from_arrays(arrays, schema=_PLAIN_SCHEMA)


def walk(stream: pa.Buffer, *, header_of: pa.Buffer | None = None) -> Iterator[SoundBatch | Damage]:
    """Go through a recording from its first batch to its last byte.

    Every byte after the header and before the end mark belongs to exactly one yielded item. After
    damage the walk looks for the next sound batch; who stops at the first damage does not pay for
    what follows it.

    Parameters
    ----------
    stream
        The whole file; its Arrow schema must be readable.
    header_of
        Another recording, whose Arrow schema is used when that of `stream` is damaged.
    """
    source = _Source(stream, stream if header_of is None else header_of)
    at: int | None = source.first_byte if header_of is None else 0
    while at is not None:
        damage, sound = source.step(at)
        if damage:
            yield damage
        if sound:
            yield sound
        at = sound.end_byte if sound else None


class _Source:
    """Finds batches in the bytes of a file; quick while nothing is damaged."""

    def __init__(self, stream: pa.Buffer, header_of: pa.Buffer) -> None:
        self._stream = stream
        self._raw = np.frombuffer(stream, np.uint8)
        self._bytes = memoryview(stream).cast("B")
        self._size = len(self._bytes)
        self._input = pa.BufferReader(header_of)
        self._reader = pa.ipc.open_stream(self._input)
        self.first_byte: int = self._input.tell()
        self._schema = header_of.slice(0, self.first_byte).to_pybytes()
        self._intact = header_of is stream

    def step(self, at: int) -> tuple[Damage | None, SoundBatch | None]:
        """Find the next sound batch at or behind a byte, and what is wrong before it."""
        if self._bytes[at : at + 8] == END_MARK[: self._size - at]:
            return self._behind_last(at)
        try:
            return None, self._next_in_order(at) if self._intact else self._alone(at)
        except _UnsoundError as error:
            resumed = self._next_sound(at + 1)
            return self._damage(at, resumed, str(error)), resumed

    def _next_in_order(self, at: int) -> SoundBatch:
        try:
            batch, metadata = self._reader.read_next_batch_with_custom_metadata()
            end = self._input.tell()
            body = batch.column(0).buffers()[1].address - self._stream.address
            return _sound(self._raw, (at, body, end), batch.num_rows, metadata)
        except Exception as error:
            # Damaged bytes make Arrow raise nearly anything; all of it means the same here.
            self._intact = False
            raise _UnsoundError(_reason(error)) from error

    def _alone(self, at: int) -> SoundBatch:
        """Read one batch wherever it lies, by putting the schema before a copy of it."""
        try:
            rest = self._stream.slice(at)
            source = pa.BufferReader(rest)
            message = pa.ipc.read_message(source)
            if message.type != "record batch":
                raise _UnsoundError(f"a message of type {message.type!r} stands where a batch should be")
            length = source.tell()
            stream = pa.py_buffer(self._schema + rest.slice(0, length).to_pybytes())
            reader = pa.ipc.open_stream(pa.BufferReader(stream))
            batch, metadata = reader.read_next_batch_with_custom_metadata()
            body = batch.column(0).buffers()[1].address - stream.address - len(self._schema) + at
            return _sound(self._raw, (at, body, at + length), batch.num_rows, metadata)
        except Exception as error:
            raise _UnsoundError(_reason(error)) from error

    def _next_sound(self, start: int) -> SoundBatch | None:
        """Find the first sound batch at or behind a byte, by the marker that begins every message."""
        self._intact = False
        for at in _candidates(self._raw, start):
            try:
                return self._alone(at)
            except _UnsoundError:
                continue
        return None

    def _damage(self, at: int, resumed: SoundBatch | None, why: str) -> Damage:
        end = resumed.first_byte if resumed else self._size
        closed = self._bytes[-8:] == END_MARK
        if resumed is None and not closed:
            what = f"the file ends inside a batch: its last {end - at} bytes cannot be used"
            return Damage(at, end, DamageKind.TORN, what)
        if resumed is None:
            end -= len(END_MARK)
        return Damage(at, end, DamageKind.DAMAGED, f"{end - at} bytes are damaged: {why}")

    def _behind_last(self, at: int) -> tuple[Damage | None, SoundBatch | None]:
        """Look behind the end mark, or behind the last batch where it is missing."""
        size = self._size
        behind = at + len(END_MARK)
        if behind > size:
            return Damage(at, size, DamageKind.UNCLOSED, "the end mark is missing: it was never closed"), None
        if behind == size:
            return None, None
        resumed = self._next_sound(behind)
        if resumed is None:
            what = f"{size - behind} bytes follow the end mark and are not used"
            return Damage(behind, size, DamageKind.TRAILING, what), None
        what = f"{resumed.first_byte - at} bytes are damaged: an end mark stands before further batches"
        return Damage(at, resumed.first_byte, DamageKind.DAMAGED, what), resumed


def _sound(raw: NDArray[np.uint8], span: tuple[int, int, int], n_rows: int, metadata: Any) -> SoundBatch:
    """Take a batch out of the file's own bytes once its checksum fits.

    Parameters
    ----------
    raw
        Shape (n_bytes,), the whole file.
    span
        Where the message begins, where its body begins, where both end.
    metadata
        The message's custom metadata, if it has any.
    """
    first, body, end = span
    content = raw.data
    if not first < body <= end or metadata is None:
        raise _UnsoundError("a batch has no checksum")
    crc32 = zlib.crc32(content[body:end], zlib.crc32(struct.pack("<Q", n_rows)))
    if metadata[CRC_KEY] != f"{crc32:08x}".encode():
        raise _UnsoundError("the checksum of a batch does not fit its content")
    return SoundBatch(first, end, _decode(raw[body:end], n_rows))


def _decode(body: NDArray[np.uint8], n_rows: int) -> NotificationBatch:
    """Read the columns where our own layout puts them; nothing is copied but the offsets."""
    sensor = 8 * n_rows
    kind = sensor + _padded(n_rows)
    offsets_at = kind + _padded(n_rows)
    data = offsets_at + _padded(4 * (n_rows + 1))
    offsets = np.frombuffer(body, "<i4", n_rows + 1, offsets_at).astype(np.int64)
    n_bytes = int(offsets[-1])
    if offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any() or data + _padded(n_bytes) != len(body):
        raise _UnsoundError("the payload offsets of a batch make no sense")
    return NotificationBatch(
        arrival_ns=np.frombuffer(body, "<i8", n_rows),
        sensor=body[sensor : sensor + n_rows],
        kind=body[kind : kind + n_rows],
        data=body[data : data + n_bytes],
        offsets=offsets,
    )


def _padded(n_bytes: int) -> int:
    return n_bytes + -n_bytes % 8


def _candidates(raw: NDArray[np.uint8], start: int) -> Iterator[int]:
    """Where a message could begin: the marker, followed by a believable length of metadata."""
    for block in range(start, len(raw) - len(END_MARK), _SCAN_BYTES):
        piece = raw[block : block + _SCAN_BYTES + 7]
        n = len(piece) - 7
        hit = piece[6 : n + 6] == 0
        for index in (7, 3, 2, 1, 0):
            hit &= piece[index : n + index] == (0 if index == 7 else 0xFF)
        hit &= (piece[4 : n + 4] % 8 == 0) & (piece[4 : n + 4] | piece[5 : n + 5] > 0)
        yield from (np.flatnonzero(hit) + block).tolist()


def _reason(error: BaseException) -> str:
    if isinstance(error, _UnsoundError):
        return str(error)
    words = str(error).split("\n")[0].strip()
    return f"a batch cannot be read ({words or type(error).__name__})"

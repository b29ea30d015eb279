"""Finds the few batches that hold rows of one kind, by frames and one column; payloads are not read."""

import struct
from collections.abc import Iterator

import pyarrow as pa

from emgmon.events import NotificationBatch, NotificationKind
from emgmon.recording.messages import SoundBatch, walk

_PREFIX = struct.Struct("<IiI").unpack_from
"""FF FF FF FF and the length of the metadata, before every Arrow message; then where its table is."""
_PREFIX_BYTES = 8
_U32 = struct.Struct("<I").unpack_from
_I32 = struct.Struct("<i").unpack_from
_I64 = struct.Struct("<q").unpack_from

# Where the fields of a flatbuffer's table are: the size of this list, that of the table, then a place for
# each field (Message.fbs and Schema.fbs of the Arrow format).
_MESSAGE_FIELDS = struct.Struct("<H 6x H H").unpack_from
"""Size; skipped: table, version, kind of header; header; length of the body."""
_MESSAGE_FIELDS_BYTES = 12
_BATCH_FIELDS = struct.Struct("<H 2x H").unpack_from
"""Size; skipped: table; number of rows."""
_BATCH_FIELDS_BYTES = 6


def batches_with(stream: pa.Buffer, kind: NotificationKind) -> Iterator[NotificationBatch]:
    """Give the batches in which some row is of a kind.

    A batch is believed only when its checksum fits, but only those that hold such rows are checked: a
    file of an hour costs some 25 ms instead of the 200 ms of reading it. Where the frames themselves
    are damaged, the search ends.

    Parameters
    ----------
    stream
        The whole file; its Arrow schema must be readable.
    kind
        What is sought.
    """
    wanted = bytes([kind])
    content = memoryview(stream).cast("B")
    at, size = 0, len(content)
    try:
        while at + _PREFIX_BYTES < size:
            marker, n_metadata, root = _PREFIX(content, at)
            body = at + _PREFIX_BYTES + n_metadata
            n_body, n_rows = _lengths(content, at + _PREFIX_BYTES + root)
            end = body + n_body
            if marker != 0xFFFFFFFF or n_metadata <= 0 or end > size or not 0 <= 10 * n_rows <= n_body:
                return
            kind_at = body + 8 * n_rows + n_rows + -n_rows % 8
            if wanted in content[kind_at : kind_at + n_rows].tobytes():
                alone = next(walk(stream.slice(at, end - at), header_of=stream), None)
                if isinstance(alone, SoundBatch):
                    yield alone.batch
            at = end
    except struct.error:
        # Damaged metadata point outside the file.
        return


def _lengths(content: memoryview, message: int) -> tuple[int, int]:
    """Read how long a message's body is and how many rows it has; both 0 for the schema."""
    size, header_at, body_at = _MESSAGE_FIELDS(content, message - _I32(content, message)[0])
    n_body = _I64(content, message + body_at)[0] if size >= _MESSAGE_FIELDS_BYTES and body_at else 0
    if not n_body:
        return 0, 0
    batch = message + header_at
    batch += _U32(content, batch)[0]
    size, n_rows_at = _BATCH_FIELDS(content, batch - _I32(content, batch)[0])
    return n_body, _I64(content, batch + n_rows_at)[0] if size >= _BATCH_FIELDS_BYTES and n_rows_at else 0

"""Notifications are on their way to the disk before anything is computed from them."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from emgmon.clock import Clock
from emgmon.errors import RecordingError
from emgmon.events import Notification, NotificationBatch
from emgmon.recording.columns import from_notifications
from emgmon.recording.files import cannot_write, move_into_place, part_path, refuse_existing
from emgmon.recording.format import RecordingHeader
from emgmon.recording.messages import (
    END_MARK,
    MAX_PAYLOAD_BYTES,
    MAX_ROWS,
    batch_message,
    cut,
    header_message,
    seconds,
)

FLUSH_NS = 250_000_000
"""A notification is handed to the operating system at most this long after it came: it then survives
the end of the program, even by ``kill -9``."""
SYNC_NS = 1_000_000_000
"""At most this long until it is on the disk itself: it then survives a power cut."""


class RecordingWriter:
    """A recording that grows beside its final place and gets its name when it is closed.

    The recording is readable at any moment, as ``PATH.part``. Leaving the ``with`` block closes it
    properly whatever the reason, Ctrl-C included; :meth:`discard` throws it away instead.

    Parameters
    ----------
    path
        Final place.
    header
        What is known before the first notification.
    clock
        Tells when to flush; looked at by :meth:`append` and :meth:`tick` only.
    replace
        Whether an existing file (and a part file left by an interrupted recording) may be replaced.

    Raises
    ------
    RecordingError
        When the file exists, or cannot be written.
    """

    def __init__(
        self, path: Path | str, header: RecordingHeader, *, clock: Clock, replace: bool = False
    ) -> None:
        self.path = Path(path)
        self.part = part_path(self.path)
        self._replace = replace
        self._clock = clock
        self._waiting: list[Notification] = []
        self._waiting_bytes = 0
        self._n_written = 0
        refuse_existing(self.path, replace=replace)
        self._file: BinaryIO | None = self._create()
        self._waiting_since_ns = self._synced_ns = clock.now_ns()
        self._dirty = False
        self._write(header_message(header))
        self._sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, notification: Notification) -> None:
        """Take one notification; it is flushed when the clock says so.

        Raises
        ------
        RecordingError
            When the disk does not take it; what was flushed before is safe.
        """
        self._open_file()
        if not self._waiting:
            self._waiting_since_ns = self._clock.now_ns()
        self._waiting.append(notification)
        self._waiting_bytes += len(notification.payload)
        if len(self._waiting) >= MAX_ROWS or self._waiting_bytes >= MAX_PAYLOAD_BYTES:
            self._flush()
        self.tick()

    def append_many(self, batch: NotificationBatch) -> None:
        """Write many notifications at once, behind all that came before; for imports and simulations."""
        self._open_file()
        self._flush()
        for piece in itertools.chain.from_iterable(map(cut, seconds(batch))):
            self._write(batch_message(piece))
        self.tick()

    def tick(self) -> None:
        """Flush and sync what is due; to be called at least every 250 ms while nothing arrives."""
        now_ns = self._clock.now_ns()
        if self._waiting and now_ns - self._waiting_since_ns >= FLUSH_NS:
            self._flush()
        if self._dirty and now_ns - self._synced_ns >= SYNC_NS:
            self._sync()

    def close(self) -> None:
        """Write what is left and give the file its name; a second call does nothing.

        Raises
        ------
        RecordingError
            When the disk does not take it or the name was taken meanwhile; the part file stays.
        """
        if self._file is None:
            return
        try:
            self._flush()
            self._write(END_MARK)
            self._sync()
        finally:
            self._close_file()
        move_into_place(self.part, self.path, replace=self._replace)

    def discard(self) -> None:
        """Throw away what was written; for makers of files that are worthless when incomplete."""
        if self._file is not None:
            self._close_file()
            self.part.unlink(missing_ok=True)

    def _create(self) -> BinaryIO:
        try:
            if self._replace:
                # Taken away, not overwritten: whoever still reads or writes it keeps a whole file.
                self.part.unlink(missing_ok=True)
            return self.part.open("xb", buffering=0)
        except FileExistsError as error:
            raise RecordingError(
                f"{self.part} exists: a recording of this name was interrupted, or is being written",
                advice=f"Keep it with: emgmon repair {self.part}. To throw it away, say --force.",
            ) from error
        except OSError as error:
            raise cannot_write(self.part, error) from error

    def _flush(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for piece in cut(from_notifications(waiting)):
            self._write(batch_message(piece))

    def _write(self, message: bytes) -> None:
        """Hand a whole message to the system; after a failure the file ends with the one before."""
        file = self._open_file()
        data = memoryview(message)
        whole = self._n_written
        try:
            while data:
                n_bytes = file.write(data)
                self._n_written += n_bytes
                data = data[n_bytes:]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(file.fileno(), whole)
            self._close_file()
            raise self._failed(error) from error
        self._dirty = True

    def _sync(self) -> None:
        try:
            os.fsync(self._open_file().fileno())
        except OSError as error:
            self._close_file()
            raise self._failed(error) from error
        self._synced_ns = self._clock.now_ns()
        self._dirty = False

    def _failed(self, error: OSError) -> RecordingError:
        return RecordingError(
            f"{self.part} cannot be written any further: {error.strerror or error}",
            advice="What was recorded before is safe in that file. Free some space, then run: emgmon repair "
            f"{self.part}",
        )

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise RecordingError(f"{self.path} is closed already", advice="Start a new recording.")
        return self._file

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


@contextlib.contextmanager
def complete_or_nothing(
    path: Path | str, header: RecordingHeader, *, clock: Clock, replace: bool = False
) -> Iterator[RecordingWriter]:
    """Write a recording that is worth nothing when it is not complete: a failure leaves no file."""
    writer = RecordingWriter(path, header, clock=clock, replace=replace)
    try:
        yield writer
    except BaseException:
        writer.discard()
        raise
    writer.close()

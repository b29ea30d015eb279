"""A finished recording may grow: a longer copy takes its place at once, with every byte that was there."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from emgmon.errors import RecordingError
from emgmon.events import Notification
from emgmon.recording.columns import from_notifications
from emgmon.recording.files import cannot_write, move_into_place
from emgmon.recording.messages import END_MARK, Damage, DamageKind, batch_message, cut, walk
from emgmon.recording.reader import open_bytes, read_header

APPEND_SUFFIX = ".append"

NewRows = Callable[[int], Sequence[Notification]]
"""Is told the newest arrival time in the file, nanoseconds, and gives what is to be written behind it."""


def append_rows(path: Path | str, new_rows: NewRows) -> None:
    """Write rows behind the last one of a finished recording.

    The bytes that were there stay as they are, up to the end mark. The longer file is written beside the
    old one, synced to the disk and renamed: at any moment, power cuts included, the name stands for the
    whole old recording or for the whole new one. Who has the old one open keeps it.

    Parameters
    ----------
    path
        The recording. A link is followed: what it points to is replaced.
    new_rows
        Gives the rows, once the newest arrival time is known.

    Raises
    ------
    RecordingError
        When the file is no recording, is damaged or was never closed, when another program is changing
        it, or when the disk does not take it. The recording is as it was then.
    """
    path = Path(path)
    # Replacing a link would leave what it points to as it was.
    whole = path.resolve()
    with _created(whole, path) as (beside, file):
        _write_longer(whole, path, file, new_rows)
        file.flush()
        os.fsync(file.fileno())
        shutil.copymode(whole, beside)
    move_into_place(beside, whole, replace=True)


def _write_longer(whole: Path, path: Path, file: BinaryIO, new_rows: NewRows) -> None:
    stream = open_bytes(whole)
    read_header(stream, path)
    batch = from_notifications(new_rows(_newest_ns(stream, path)))
    file.write(stream.slice(0, stream.size - len(END_MARK)))
    for piece in cut(batch):
        file.write(batch_message(piece))
    file.write(END_MARK)


@contextlib.contextmanager
def _created(whole: Path, path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open the file beside the recording; it is taken away again when it does not become whole."""
    if not whole.is_file():
        # Says what is wrong with it.
        open_bytes(path)
    beside = whole.with_name(whole.name + APPEND_SUFFIX)
    try:
        file = beside.open("xb")
    except FileExistsError as error:
        raise RecordingError(
            f"{beside} exists: a change of this recording is under way, or was cut off",
            advice=f"The recording is whole. If no other emgmon is at work on it, delete {beside.name}"
            " and try again.",
        ) from error
    except OSError as error:
        raise cannot_write(beside, error) from error
    try:
        with file:
            yield beside, file
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise cannot_write(beside, error) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _newest_ns(stream: pa.Buffer, path: Path) -> int:
    """Read every batch, because what is copied has to be sound; give the newest arrival time."""
    newest_ns = 0
    for item in walk(stream):
        if isinstance(item, Damage):
            raise _unsound(path, item)
        if len(item.batch):
            newest_ns = max(newest_ns, int(item.batch.arrival_ns.max()))
    return newest_ns


def _unsound(path: Path, damage: Damage) -> RecordingError:
    if damage.kind is DamageKind.UNCLOSED:
        what = "was never closed, or is still being recorded"
    else:
        what = f"is damaged, byte {damage.first_byte}: {damage.what}"
    return RecordingError(
        f"{path} {what}; nothing was written into it",
        advice=f"Make a sound copy first, then change that one: emgmon repair {path}",
    )

"""A file gets its name only when it is whole: written beside, renamed into place, over nothing else."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from emgmon.errors import RecordingError

PART_SUFFIX = ".part"


def part_path(path: Path) -> Path:
    """Where the file grows until it is whole: beside its final place, so that renaming is atomic."""
    return path.with_name(path.name + PART_SUFFIX)


def refuse_existing(path: Path, *, replace: bool) -> None:
    """Make sure that writing to a path destroys nothing.

    Raises
    ------
    RecordingError
        When the path is a folder, when its folder is missing, or when it exists and `replace` is false.
    """
    if path.is_dir():
        raise RecordingError(f"{path} is a folder", advice="Give the name of a file inside it.")
    if not path.parent.is_dir():
        raise RecordingError(
            f"the folder {path.parent} does not exist", advice="Create it first, or choose another place."
        )
    if path.exists() and not replace:
        raise RecordingError(
            f"{path} exists already and was left as it is",
            advice="Choose another name, or replace it with --force where the command has it.",
        )


def move_into_place(part: Path, path: Path, *, replace: bool) -> None:
    """Give a finished file its name; an existing file survives unless `replace` is true.

    Raises
    ------
    RecordingError
        When the name was taken meanwhile or the file system refuses; the part file stays.
    """
    try:
        refuse_existing(path, replace=replace)
        part.replace(path)
        _sync_folder(path.parent)
    except RecordingError as error:
        raise RecordingError(f"{error}; the new data is in {part}", advice=error.advice) from None
    except OSError as error:
        raise RecordingError(
            f"{part} could not be renamed to {path.name}: {error.strerror}",
            advice=f"The data is whole; rename {part.name} by hand.",
        ) from error


@contextlib.contextmanager
def written_beside(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Hand out a part file's path; rename it into place on success, remove it on failure.

    Parameters
    ----------
    path
        Final place.
    replace
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Where to write.
    """
    refuse_existing(path, replace=replace)
    part = part_path(path)
    refuse_existing(part, replace=replace)
    try:
        yield part
    except OSError as error:
        part.unlink(missing_ok=True)
        raise cannot_write(path, error) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    move_into_place(part, path, replace=replace)


def cannot_write(path: Path, error: OSError) -> RecordingError:
    """Say why the operating system would not take the bytes."""
    return RecordingError(
        f"{path} cannot be written: {error.strerror or error}",
        advice="Check free space and permissions, or choose another place.",
    )


def _sync_folder(folder: Path) -> None:
    # A rename survives a power cut only once the folder itself is on disk; not every system can do it.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

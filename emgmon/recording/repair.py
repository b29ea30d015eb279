"""Every sound batch of a damaged recording goes into a new one; what is lost is told, nothing is made up."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from emgmon.clock import SystemClock
from emgmon.errors import RecordingError
from emgmon.recording.files import PART_SUFFIX, move_into_place, refuse_existing
from emgmon.recording.format import RecordingHeader
from emgmon.recording.messages import Damage, DamageKind, SoundBatch, walk
from emgmon.recording.reader import open_bytes, read_header
from emgmon.recording.writer import complete_or_nothing


@dataclass(frozen=True, slots=True)
class LostStretch:
    """Bytes that gave no notifications."""

    first_byte: int
    end_byte: int
    what: str
    after_s: float | None
    """Arrival of the last notification kept before it; None when there is none."""
    before_s: float | None
    """Arrival of the first notification kept behind it; None when there is none."""


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair kept and what it could not."""

    path: Path
    n_batches: int
    n_rows: int
    lost: tuple[LostStretch, ...]
    closed: bool
    """Whether the recording had been closed properly."""


def default_output(path: Path) -> Path:
    """Name a repaired recording: a part file gets the name it never got, others get ``.repaired``."""
    if path.suffix == PART_SUFFIX:
        return path.with_suffix("")
    return path.with_name(f"{path.stem}.repaired{path.suffix}")


def repair(
    path: Path | str, out: Path | str, *, replace: bool = False, header_from: Path | str | None = None
) -> RepairReport:
    """Write a new recording with every sound batch of a damaged one.

    Parameters
    ----------
    path
        The damaged recording; it is not changed.
    out
        Where the new one goes.
    replace
        Whether an existing `out` may be replaced.
    header_from
        Another recording of the same sensors and setup, whose header takes the place of a damaged one.

    Raises
    ------
    RecordingError
        When the header cannot be used, no batch is sound, or `out` cannot be written.
    """
    path, out = Path(path), Path(out)
    if out.exists() and out.samefile(path):
        raise RecordingError(
            f"{out} would replace the damaged recording itself",
            advice="Choose another name: what cannot be repaired today may be repaired tomorrow.",
        )
    refuse_existing(out, replace=replace)
    stream = open_bytes(path)
    if header_from is None:
        header, found = read_header(stream, path), walk(stream)
    else:
        donor = open_bytes(Path(header_from))
        header, found = read_header(donor, Path(header_from)), walk(stream, header_of=donor)
    return _rewrite(header, list(found), path, out, replace=replace)


def _rewrite(
    header: RecordingHeader, found: list[SoundBatch | Damage], path: Path, out: Path, *, replace: bool
) -> RepairReport:
    sound = [item for item in found if isinstance(item, SoundBatch)]
    lost = tuple(_lost(found))
    if lost and not sound:
        raise RecordingError(
            f"{path}: no batch in it is sound, so nothing was written",
            advice="Look for another copy of the file.",
        )
    if lost:
        n_bytes = sum(stretch.end_byte - stretch.first_byte for stretch in lost)
        note = f"repaired: {n_bytes} bytes of {path.name} could not be read"
        header = msgspec.structs.replace(header, notes=(*header.notes, note))
    # Not by way of OUT.part, which may be the very recording under repair.
    beside = out.with_name(f"{out.name}.repair")
    with complete_or_nothing(beside, header, clock=SystemClock(), replace=True) as writer:
        for item in sound:
            writer.append_many(item.batch)
    move_into_place(beside, out, replace=replace)
    return RepairReport(
        path=out,
        n_batches=len(sound),
        n_rows=sum(len(item.batch) for item in sound),
        lost=lost,
        closed=not any(
            isinstance(i, Damage) and i.kind in (DamageKind.UNCLOSED, DamageKind.TORN) for i in found
        ),
    )


def _lost(found: list[SoundBatch | Damage]) -> Iterator[LostStretch]:
    for index, item in enumerate(found):
        if isinstance(item, Damage) and item.kind is not DamageKind.UNCLOSED:
            before = found[index - 1] if index else None
            behind = found[index + 1] if index + 1 < len(found) else None
            yield LostStretch(
                item.first_byte,
                item.end_byte,
                item.what,
                int(before.batch.arrival_ns[-1]) / 1e9 if isinstance(before, SoundBatch) else None,
                int(behind.batch.arrival_ns[0]) / 1e9 if isinstance(behind, SoundBatch) else None,
            )

"""What the host itself writes into a recording: EVENT rows, tagged JSON that a later reader may skip."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import msgspec

from emgmon.dsp.alignment import Alignment
from emgmon.events import HOP_RATE_HZ, LinkState, Notification, NotificationBatch, NotificationKind
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.recording.columns import to_notifications
from emgmon.recording.reader import open_bytes, read_header
from emgmon.recording.skim import batches_with
from emgmon.reps.corrections import Correction, RepAdded, RepMoved, RepRemoved

Side = Literal["left", "right"]


class LinkRow(msgspec.Struct, frozen=True, tag_field="event", tag="link"):
    """A change of the connection to a sensor."""

    sensor: int
    state: LinkState
    detail: str = ""


class _ByHand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all that people say has in common; only the number is ever used to compute."""

    number: int
    """Counts what people said about this recording from 1; never given twice."""
    author: str | None = None
    note: str | None = None
    made_utc: str | None = None
    """ISO 8601."""


class RepAddedRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="rep-added"):
    """A repetition was put in. Times are session seconds here and below."""

    start_s: float
    turn_s: float
    end_s: float
    side: Side | None = None

    def __post_init__(self) -> None:
        _check_order(self.start_s, self.turn_s, self.end_s)

    @property
    def correction(self) -> RepAdded:
        """The same as a value."""
        return RepAdded(self.start_s, self.turn_s, self.end_s, self.side)


class RepRemovedRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="rep-removed"):
    """A repetition was taken away."""

    at_s: float
    start_s: float
    """Edges that it had."""
    end_s: float

    def __post_init__(self) -> None:
        _check_order(self.start_s, self.end_s)
        _check_order(self.at_s)

    @property
    def correction(self) -> RepRemoved:
        """The same as a value."""
        return RepRemoved(self.at_s, self.start_s, self.end_s)


class RepMovedRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="rep-moved"):
    """A repetition got other edges."""

    at_s: float
    """Its turn, before."""
    was_start_s: float
    was_end_s: float
    start_s: float
    turn_s: float | None = None
    end_s: float

    def __post_init__(self) -> None:
        _check_order(self.was_start_s, self.was_end_s)
        _check_order(self.start_s, *(() if self.turn_s is None else (self.turn_s,)), self.end_s)
        _check_order(self.at_s)

    @property
    def correction(self) -> RepMoved:
        """The same as a value."""
        return RepMoved(
            self.at_s, self.was_start_s, self.was_end_s, self.start_s, self.end_s, turn_s=self.turn_s
        )


class CorrectionUndoneRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="correction-undone"):
    """A correction was taken back."""

    undone: int
    """Number of the correction."""


class AlignmentSetRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="alignment-set"):
    """How motion sensors sit was measured from a stance and bows; holds for the whole recording."""

    alignments: tuple[Alignment, ...]


class ReferenceSetRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="reference-set"):
    """A set of this recording was made the person's own reference; holds for the whole recording."""

    reference: ReferenceSet
    set_number: int
    """Which set it was, as counted then; for people."""


class CalibrationSetRow(_ByHand, frozen=True, kw_only=True, tag_field="event", tag="calibration-set"):
    """Rest and references were measured in stretches of this recording; holds for the whole recording."""

    calibration: Calibration
    rest: str = ""
    """Which stretch, as it was asked for; for people, like the next."""
    references: tuple[str, ...] = ()


CorrectionRow = RepAddedRow | RepRemovedRow | RepMovedRow
HostEvent = (
    LinkRow | CorrectionRow | CorrectionUndoneRow | AlignmentSetRow | ReferenceSetRow | CalibrationSetRow
)
"""What this version writes and reads. Another tag is of a later version and is skipped."""

TAGS = frozenset(kind.__struct_config__.tag for kind in get_args(HostEvent))


class _Probe(msgspec.Struct, frozen=True):
    event: str


class MalformedEventError(ValueError):
    """The payload of an EVENT row is not what its tag says; the message tells why."""


def encode(event: HostEvent) -> bytes:
    """Write the payload of an EVENT row."""
    return msgspec.json.encode(event)


def decode(payload: bytes) -> HostEvent | None:
    """Read the payload of an EVENT row.

    Returns
    -------
    HostEvent or None
        ``None`` for a tag that this version does not know.

    Raises
    ------
    MalformedEventError
        When it is no JSON object with a tag, or does not say what its tag promises.
    """
    try:
        if msgspec.json.decode(payload, type=_Probe).event not in TAGS:
            return None
        event: HostEvent = msgspec.json.decode(payload, type=HostEvent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedEventError(str(error)) from error
    return event


@dataclass(frozen=True, slots=True)
class CorrectionLog:
    """All that people have said about a recording, in order."""

    rows: tuple[CorrectionRow, ...] = ()
    """Every correction, those that were taken back too."""
    undone: frozenset[int] = frozenset()
    """Numbers of corrections that were taken back."""
    next_number: int = 1
    n_malformed: int = 0
    """EVENT rows that could not be read, whatever they were about."""
    alignments: tuple[Alignment, ...] = ()
    """How the sensors sit, as it was last measured for each place; empty where the header's hold."""
    reference: ReferenceSet | None = None
    """The reference set that was made last; ``None`` where the header's holds."""
    calibration: Calibration | None = None
    """The calibration that was made last; ``None`` where the header's holds."""
    reference_is_older: bool = False
    """Whether that reference set was measured before that calibration, so in other percentages."""

    @property
    def standing(self) -> tuple[CorrectionRow, ...]:
        """Those that were not taken back."""
        return tuple(row for row in self.rows if row.number not in self.undone)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What the engine has to know: those that hold, in the order in which they were made."""
        return tuple(row.correction for row in self.standing)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for a person about what could not be read or does not fit together."""
        said = []
        if self.n_malformed:
            events = "1 EVENT row" if self.n_malformed == 1 else f"{self.n_malformed} EVENT rows"
            said.append(f"{events} could not be read and had no effect; a correction may be among them")
        if self.reference_is_older:
            said.append(
                "the reference set was made before the calibration that holds now, in other percentages;"
                " make it anew: emgmon reference"
            )
        return tuple(said)


def read_corrections(path: Path | str) -> CorrectionLog:
    """Gather the corrections and alignments in a recording, without reading its samples.

    Cheap beside an analysis: some 25 ms for an hour. Batches whose checksum does not fit are left out,
    and where the frames of the file are damaged the search ends.

    Raises
    ------
    RecordingError
        When the file cannot be opened or its header cannot be used.
    """
    path = Path(path)
    stream = open_bytes(path)
    read_header(stream, path)
    return correction_log(batches_with(stream, NotificationKind.EVENT))


def correction_log(batches: Iterable[NotificationBatch]) -> CorrectionLog:
    """Gather the corrections in notifications that have been read already, in order."""
    events: list[HostEvent] = []
    n_malformed = 0
    for batch in batches:
        for payload in _event_payloads(batch):
            try:
                event = decode(payload)
            except MalformedEventError:
                n_malformed += 1
                continue
            if event is not None:
                events.append(event)
    said = [event for event in events if not isinstance(event, LinkRow)]
    aligned = [one for event in said if isinstance(event, AlignmentSetRow) for one in event.alignments]
    return CorrectionLog(
        rows=tuple(event for event in said if isinstance(event, CorrectionRow)),
        alignments=tuple({one.site: one for one in aligned}.values()),
        reference=next((e.reference for e in reversed(said) if isinstance(e, ReferenceSetRow)), None),
        calibration=next((e.calibration for e in reversed(said) if isinstance(e, CalibrationSetRow)), None),
        undone=frozenset(event.undone for event in said if isinstance(event, CorrectionUndoneRow)),
        next_number=1 + max((event.number for event in said), default=0),
        n_malformed=n_malformed,
        reference_is_older=_reference_is_older(said),
    )


def _reference_is_older(said: Sequence[HostEvent]) -> bool:
    made = [event for event in said if isinstance(event, ReferenceSetRow | CalibrationSetRow)]
    return any(isinstance(event, ReferenceSetRow) for event in made) and isinstance(
        made[-1], CalibrationSetRow
    )


def event_notifications(events: Sequence[HostEvent], *, arrival_ns: int) -> list[Notification]:
    """Make rows of events that have nothing to do with one sensor."""
    return [Notification(arrival_ns, 0, NotificationKind.EVENT, encode(event)) for event in events]


def _event_payloads(batch: NotificationBatch) -> list[bytes]:
    if not (batch.kind == NotificationKind.EVENT).any():
        return []
    return [row.payload for row in to_notifications(batch) if row.kind is NotificationKind.EVENT]


def _check_order(*times_s: float) -> None:
    """Refuse times that are negative, endless or not one hop after the other."""
    hops = [round(time_s * HOP_RATE_HZ) if 0.0 <= time_s < math.inf else -1 for time_s in times_s]
    if -1 in hops or not all(first < then for first, then in itertools.pairwise(hops)):
        raise ValueError(f"times {', '.join(f'{time_s:g}' for time_s in times_s)} s are not in order")

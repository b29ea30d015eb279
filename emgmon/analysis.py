"""A recording as a document: the same engine as live, run to the end, put down as ``emgmon.analysis/1``."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from emgmon.events import (
    Metric,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SessionEnded,
    SessionEvent,
    SetCompleted,
)
from emgmon.exercises.exercise import Exercise
from emgmon.recording.format import RecordingHeader, sensor_capabilities, session_setup
from emgmon.recording.host_events import read_corrections
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session

SCHEMA = "emgmon.analysis/1"

Watch = Callable[[SessionEvent], None]
"""Is shown every event of an analysis."""


class MetricDocument(msgspec.Struct, frozen=True):
    """One figure, or the reason why there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    quality: str
    reason: str | None


class RepDocument(msgspec.Struct, frozen=True):
    """One repetition; times are seconds of the recording."""

    number: int
    side: str | None
    start_s: float
    turn_s: float
    end_s: float
    verdict: str
    verdict_basis: str
    sentence: str
    excluded: str | None
    metrics: dict[str, MetricDocument]
    origin: str = "found"
    """``found`` by the program, or ``added`` or ``moved`` by hand."""


class UncountedDocument(msgspec.Struct, frozen=True):
    """A movement of a set that is not counted."""

    start_s: float
    end_s: float
    reason: str


class SetDocument(msgspec.Struct, frozen=True):
    """One set and what its repetitions have in common."""

    exercise: str
    start_s: float
    end_s: float
    reps: tuple[RepDocument, ...]
    summary: dict[str, MetricDocument]
    uncounted: tuple[UncountedDocument, ...] = ()
    """Partial repetitions, and movements that the rest of the set showed to be none."""


class SensorDocument(msgspec.Struct, frozen=True):
    """One sensor of the recording."""

    name: str
    address: str


class StreamDocument(msgspec.Struct, frozen=True):
    """One stream of a sensor."""

    sensor: int
    stream: int
    kind: str
    rate_hz: float
    channels: tuple[str, ...]
    lost_samples: int


class RecordingDocument(msgspec.Struct, frozen=True):
    """What was analysed."""

    path: str
    duration_s: float
    sensors: tuple[SensorDocument, ...]
    streams: tuple[StreamDocument, ...]
    lost_samples: int
    normalisation: str | None
    """Which contraction is 100 %; null when the recording carries no calibration."""
    movement_signal: str | None
    """What repetitions were found on; null when none could be."""
    alignment: str | None
    """What the place of the pelvis sensor is known from; null when it is not known."""
    complete: bool
    """False when the file is damaged and only what stands before the damage was read."""
    warnings: tuple[str, ...]


class AnalysisDocument(msgspec.Struct, frozen=True):
    """The whole analysis."""

    schema: str
    recording: RecordingDocument
    sets: tuple[SetDocument, ...]


def analysis_schema() -> bytes:
    """JSON schema of the document, indented."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(AnalysisDocument)), indent=2) + b"\n"


def ignore(_event: SessionEvent) -> None:
    """Watch nothing."""


def analyse(
    path: Path,
    *,
    exercise: str | Exercise | None = None,
    partial: str = "left-out",
    watch: Watch = ignore,
) -> AnalysisDocument:
    """Analyse a recording from its first notification to its last sound one.

    Parameters
    ----------
    path
        The recording.
    exercise
        Takes the place of the recording's own.
    partial
        ``left-out`` or ``counted``: what to do with partial repetitions.
    watch
        Is shown every event, for example to write envelopes down.

    Raises
    ------
    RecordingError
        When the file is not a recording.
    ExerciseError
        When the exercise is unknown.
    """
    reader = RecordingReader(path)
    log = read_corrections(path)
    setup = session_setup(
        reader.header,
        exercise=exercise,
        partial=partial,
        corrections=log.corrections,
        alignments=log.alignments,
    )
    session = Session(setup)
    kept: list[SessionEvent] = []
    for batch in reader.batches():
        _take(session.receive_many(batch), kept, watch)
    _take(session.finish(), kept, watch)
    return _document(reader, session, kept, log.warnings)


def _take(events: list[SessionEvent], kept: list[SessionEvent], watch: Watch) -> None:
    """Show all events and keep the few that the document is made of."""
    for event in events:
        watch(event)
        if isinstance(event, RepCompleted | RepWithdrawn | SetCompleted | SamplesLost | SessionEnded):
            kept.append(event)


def _document(
    reader: RecordingReader, session: Session, events: list[SessionEvent], warnings: tuple[str, ...]
) -> AnalysisDocument:
    header = reader.header
    lost: dict[tuple[int, int], int] = {}
    for event in events:
        if isinstance(event, SamplesLost):
            key = (event.sensor, event.stream)
            lost[key] = lost.get(key, 0) + event.n_samples
    duration_s = next(event.end_s for event in reversed(events) if isinstance(event, SessionEnded))
    recording = RecordingDocument(
        path=str(reader.path),
        duration_s=duration_s,
        sensors=tuple(SensorDocument(sensor.name, sensor.address) for sensor in header.sensors),
        streams=_streams(header, lost),
        lost_samples=sum(lost.values()),
        normalisation=header.calibration.method if header.calibration else None,
        movement_signal=session.movement_signal.value if session.movement_signal else None,
        alignment=session.alignment_method,
        complete=reader.failure is None,
        warnings=(*reader.warnings, *warnings, *_other_exercise(header, session), *session.limits),
    )
    sets = [event for event in events if isinstance(event, SetCompleted)]
    return AnalysisDocument(SCHEMA, recording, tuple(_set(done, events) for done in sets))


def _other_exercise(header: RecordingHeader, session: Session) -> tuple[str, ...]:
    asked = session.exercise.name if session.exercise else None
    if header.exercise is None or asked == header.exercise:
        return ()
    return (f"the recording is one of {header.exercise}; it was analysed as {asked}",)


def _streams(header: RecordingHeader, lost: dict[tuple[int, int], int]) -> tuple[StreamDocument, ...]:
    return tuple(
        StreamDocument(
            sensor=sensor,
            stream=stream.number,
            kind=stream.kind.name.lower(),
            rate_hz=stream.rate_hz,
            channels=tuple(
                ".".join(part for part in (channel.site, channel.side, channel.axis) if part)
                for channel in stream.channels
            ),
            lost_samples=lost.get((sensor, stream.number), 0),
        )
        for sensor, capabilities in enumerate(sensor_capabilities(header))
        for stream in capabilities.streams
    )


def _set(done: SetCompleted, events: list[SessionEvent]) -> SetDocument:
    counted, uncounted = _sorted_out(done.set_number, events)
    return SetDocument(
        exercise=done.exercise,
        start_s=done.start_s,
        end_s=done.end_s,
        reps=tuple(_rep(rep, number) for number, rep in enumerate(counted, start=1)),
        summary=_metrics(done.summary),
        uncounted=uncounted,
    )


def _sorted_out(
    set_number: int, events: list[SessionEvent]
) -> tuple[list[RepCompleted], tuple[UncountedDocument, ...]]:
    """Tell the repetitions of a set that count in the end from the movements that do not."""
    counted: list[RepCompleted] = []
    uncounted: list[UncountedDocument] = []
    for event in events:
        if isinstance(event, RepCompleted) and event.set_number == set_number:
            if event.uncounted is None:
                counted.append(event)
            else:
                uncounted.append(UncountedDocument(event.start_s, event.end_s, event.uncounted))
        elif isinstance(event, RepWithdrawn) and event.set_number == set_number:
            del counted[event.number - 1]
            uncounted.append(UncountedDocument(event.start_s, event.end_s, event.reason))
    return counted, tuple(sorted(uncounted, key=lambda movement: movement.start_s))


def _rep(rep: RepCompleted, number: int) -> RepDocument:
    return RepDocument(
        number=number,
        side=rep.side,
        start_s=rep.start_s,
        turn_s=rep.turn_s,
        end_s=rep.end_s,
        verdict=rep.verdict.value,
        verdict_basis=rep.verdict_basis.value,
        sentence=rep.sentence,
        excluded=rep.excluded,
        metrics=_metrics(rep.metrics),
        origin=rep.origin,
    )


def _metrics(metrics: tuple[Metric, ...]) -> dict[str, MetricDocument]:
    return {
        metric.name: MetricDocument(
            metric.value, metric.low, metric.high, metric.n, metric.quality.value, metric.reason
        )
        for metric in metrics
    }

"""A recording as a document: the same engine as live, run to the end, put down as ``emgmon.analysis/1``."""

import enum
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from emgmon.analysis_document import (
    SCHEMA,
    AnalysisDocument,
    ChannelDocument,
    MetricDocument,
    QualityChangeDocument,
    RecordingDocument,
    RefinementDocument,
    RepDocument,
    SensorDocument,
    SetDocument,
    StreamDocument,
    UncountedDocument,
)
from emgmon.events import (
    ChannelQuality,
    Metric,
    QualityChanged,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SessionEnded,
    SessionEvent,
    SetCompleted,
)
from emgmon.exercises.exercise import Exercise
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.recording.format import RecordingHeader, sensor_capabilities, session_setup
from emgmon.recording.host_events import read_corrections
from emgmon.recording.reader import RecordingReader
from emgmon.refining import refine
from emgmon.session import Session
from emgmon.streams import StreamRefinement

_KEPT = RepCompleted | RepWithdrawn | SetCompleted | SamplesLost | QualityChanged | SessionEnded


class Refining(enum.StrEnum):
    """How often a recording is looked at."""

    AS_LIVE = "as-live"
    """Once, in order: what a live session would have shown."""
    SECOND_LOOK = "second-look"
    """Twice: heartbeats are taken out by their template, hum where it dominates an uncalibrated channel."""


Watch = Callable[[SessionEvent], None]
"""Is shown every event of an analysis."""


def ignore(_event: SessionEvent) -> None:
    """Watch nothing."""


def analyse(
    path: Path,
    *,
    exercise: str | Exercise | None = None,
    partial: str = "left-out",
    reference: ReferenceSet | None = None,
    calibration: Calibration | None = None,
    refined: Refining = Refining.AS_LIVE,
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
    reference, calibration
        Take the place of the recording's own.
    refined
        Whether to look a second time, at the whole recording, for heartbeat and hum.
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
        reference=reference or log.reference,
        calibration=calibration or log.calibration,
    )
    if refined is Refining.SECOND_LOOK:
        found = refine(path, setup.calibration)
        setup = replace(setup, refinements=found.streams, calibration=found.calibration)
    session = Session(setup)
    kept: list[SessionEvent] = []
    for batch in reader.batches():
        _take(session.receive_many(batch), kept, watch)
    _take(session.finish(), kept, watch)
    return _document(reader, session, kept, (*log.warnings, *_other_reference(reference, session)))


def _take(events: list[SessionEvent], kept: list[SessionEvent], watch: Watch) -> None:
    """Show all events and keep the few that the document is made of."""
    for event in events:
        watch(event)
        if isinstance(event, _KEPT):
            kept.append(event)


def _document(
    reader: RecordingReader, session: Session, events: list[SessionEvent], warnings: tuple[str, ...]
) -> AnalysisDocument:
    header, setup = reader.header, session.setup
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
        streams=_streams(header, lost, session),
        lost_samples=sum(lost.values()),
        normalisation=setup.calibration.method if setup.calibration else None,
        movement_signal=session.movement_signal.value if session.movement_signal else None,
        alignment=session.alignment_method,
        complete=reader.failure is None,
        calibration=setup.calibration,
        reference=setup.reference,
        refinements=tuple(_refinement(found) for found in setup.refinements),
        quality_changes=_changes(events),
        warnings=(
            *reader.warnings,
            *warnings,
            *_other_exercise(header, session),
            *session.limits,
            *session.notes,
        ),
    )
    sets = [event for event in events if isinstance(event, SetCompleted)]
    return AnalysisDocument(SCHEMA, recording, tuple(_set(done, events) for done in sets))


def _other_exercise(header: RecordingHeader, session: Session) -> tuple[str, ...]:
    asked = session.exercise.name if session.exercise else None
    if header.exercise is None or asked == header.exercise:
        return ()
    return (f"the recording is one of {header.exercise}; it was analysed as {asked}",)


def _other_reference(asked: ReferenceSet | None, session: Session) -> tuple[str, ...]:
    name = session.exercise.name if session.exercise else None
    if asked is None or asked.exercise == name:
        return ()
    return (f"the reference set asked for is one of {asked.exercise} and says nothing about {name}",)


def _refinement(found: StreamRefinement) -> RefinementDocument:
    return RefinementDocument(
        sensor=found.sensor,
        stream=found.stream,
        n_beats=found.n_beats,
        heartbeat_uv=tuple(math.sqrt(power) if power > 0.0 else None for power in found.heartbeat_uv2),
    )


def _changes(events: list[SessionEvent]) -> tuple[QualityChangeDocument, ...]:
    changes = (event for event in events if isinstance(event, QualityChanged))
    ordered = sorted(changes, key=lambda event: (event.at_s, event.sensor, event.stream, event.channel))
    return tuple(_change(event) for event in ordered)


def _change(event: QualityChanged) -> QualityChangeDocument:
    return QualityChangeDocument(event.at_s, event.sensor, event.stream, _channel(event.quality))


def _channel(channel: ChannelQuality) -> ChannelDocument:
    name = ".".join(part for part in (channel.site, channel.side) if part)
    return ChannelDocument(name, channel.grade.value, channel.reason, channel.figures)


def _streams(
    header: RecordingHeader, lost: dict[tuple[int, int], int], session: Session
) -> tuple[StreamDocument, ...]:
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
            hum_removed_hz=session.hum_removed_hz(sensor, stream.number),
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
        notes=done.notes,
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
        warning=rep.warning,
        grounds=rep.grounds,
        channels=tuple(_channel(channel) for channel in rep.channels),
    )


def _metrics(metrics: tuple[Metric, ...]) -> dict[str, MetricDocument]:
    return {
        metric.name: MetricDocument(
            metric.value,
            metric.low,
            metric.high,
            metric.n,
            metric.quality.value,
            metric.reason,
            metric.normalisation,
        )
        for metric in metrics
    }

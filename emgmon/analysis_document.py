"""The shape of ``emgmon.analysis/1``: what other programs read; fields are added, never changed."""

import msgspec

from emgmon.events import QualityFigures, VerdictGrounds
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet

SCHEMA = "emgmon.analysis/1"


class MetricDocument(msgspec.Struct, frozen=True):
    """One figure, or the reason why there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    quality: str
    reason: str | None
    normalisation: str | None = None
    """What 100 % stands for; null where nothing was normalised."""


class ChannelDocument(msgspec.Struct, frozen=True):
    """How far one EMG channel could be trusted over a stretch of time."""

    channel: str
    grade: str
    reason: str | None
    """Why it is not good, in words."""
    figures: QualityFigures


class QualityChangeDocument(msgspec.Struct, frozen=True):
    """An EMG channel became better or worse."""

    at_s: float
    sensor: int
    stream: int
    channel: ChannelDocument


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
    warning: str | None = None
    """What a person was told after it: two of the last three lay beyond the reference."""
    grounds: VerdictGrounds | None = None
    """What decided the verdict, as data."""
    channels: tuple[ChannelDocument, ...] = ()
    """Quality of every EMG channel over this repetition."""


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
    notes: tuple[str, ...] = ()
    """What the set as a whole shows, in words; information, never a verdict."""


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
    hum_removed_hz: tuple[float | None, ...] = ()
    """For each EMG channel the mains frequency that was taken out; null where none."""


class RefinementDocument(msgspec.Struct, frozen=True):
    """What a second look took out of one EMG stream."""

    sensor: int
    stream: int
    n_beats: int
    """Heartbeats whose template was subtracted."""
    heartbeat_uv: tuple[float | None, ...]
    """For each channel the RMS that the band-pass alone would have left of them; null where none."""


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
    calibration: Calibration | None = None
    """What 0 and 100 % mean, channel by channel; null where nothing was calibrated."""
    reference: ReferenceSet | None = None
    """The person's own good set that repetitions were compared with."""
    refinements: tuple[RefinementDocument, ...] = ()
    """What a second look took out; empty when there was none."""
    quality_changes: tuple[QualityChangeDocument, ...] = ()
    """When EMG channels became better or worse."""


class AnalysisDocument(msgspec.Struct, frozen=True):
    """The whole analysis."""

    schema: str
    recording: RecordingDocument
    sets: tuple[SetDocument, ...]


def analysis_schema() -> bytes:
    """JSON schema of the document, indented."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(AnalysisDocument)), indent=2) + b"\n"

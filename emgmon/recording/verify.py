"""Reads a whole recording the hard way and lists what is wrong with it, byte by byte and packet by packet."""

import enum
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from emgmon.events import NotificationBatch, NotificationKind
from emgmon.intake import stretches
from emgmon.recording.columns import rows, to_notifications
from emgmon.recording.format import RecordingHeader, sensor_capabilities
from emgmon.recording.messages import DamageKind, SoundBatch
from emgmon.recording.reader import RecordingReader
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import StreamStart
from firmware_protocol.errors import ProtocolError
from firmware_protocol.reassembly import Backfill, Duplicate, Expired, Gap, Reject
from firmware_protocol.receiver import Receiver, ReceiverEvent, StreamsOpened


class Severity(enum.Enum):
    """Whether a finding is the file's fault."""

    PROBLEM = "problem"
    """The file is damaged or was not written as it should be."""
    INFORMATION = "information"
    """The file is sound; this happened while recording."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a recording, or worth knowing about it."""

    byte: int
    """Where in the file: the first damaged byte, or the batch in which it was seen first."""
    what: str
    advice: str
    severity: Severity


def verify(path: Path | str) -> list[Finding]:
    """Check a recording from its first byte to its last.

    Returns
    -------
    list of Finding
        Ordered by byte; empty when there is nothing to say.

    Raises
    ------
    RecordingError
        When the file cannot be opened or its header cannot be used: then there is nothing to check.
    """
    reader = RecordingReader(path)
    contents = _Contents(reader.header)
    findings: list[Finding] = []
    for found in reader.walk():
        if isinstance(found, SoundBatch):
            findings += contents.check(found)
        else:
            findings.append(_damage_finding(found.first_byte, found.kind, found.what, reader.path))
    findings += contents.finish(reader.n_bytes)
    return sorted(findings, key=lambda finding: finding.byte)


def _damage_finding(byte: int, kind: DamageKind, what: str, path: Path) -> Finding:
    advice = {
        DamageKind.UNCLOSED: f"Nothing but the end mark is missing; to close it, run: emgmon repair {path}",
        DamageKind.TORN: f"To keep everything before it, run: emgmon repair {path}",
        DamageKind.DAMAGED: f"To keep everything around it, run: emgmon repair {path}",
        DamageKind.TRAILING: f"They are ignored; to be rid of them, run: emgmon repair {path}",
    }[kind]
    return Finding(byte, what, advice, Severity.PROBLEM)


@dataclass(slots=True)
class _Tally:
    """How often something was seen, and where first."""

    byte: int
    first_s: float
    n_times: int = 0
    n_samples: int = 0


@dataclass(slots=True)
class _Contents:
    """Checks what the sound batches say, across batches."""

    header: RecordingHeader
    capabilities: tuple[Capabilities, ...] = field(init=False)
    receivers: list[Receiver] = field(init=False)
    tallies: dict[tuple[str, int, str], _Tally] = field(default_factory=dict)
    newest_ns: int | None = None
    n_rows: int = 0
    starts: dict[tuple[int, int], StreamStart] = field(default_factory=dict)
    """Where each stream of each sensor begins, in session time."""

    def __post_init__(self) -> None:
        self.capabilities = sensor_capabilities(self.header)
        self.receivers = [Receiver(capabilities) for capabilities in self.capabilities]

    def check(self, found: SoundBatch) -> Iterator[Finding]:
        self.n_rows += len(found.batch)
        yield from self._check_order(found)
        yield from self._check_columns(found)
        for start, stop in stretches(found.batch):
            piece = rows(found.batch, start, stop)
            sensor, kind = int(piece.sensor[0]), int(piece.kind[0])
            if sensor >= len(self.receivers):
                continue
            if kind == NotificationKind.DATA:
                self._decode(found.first_byte, sensor, piece)
            else:
                for row in to_notifications(piece):
                    yield from self._check_row(found.first_byte, sensor, kind, row.payload)

    def finish(self, n_bytes: int) -> Iterator[Finding]:
        for (event, sensor, subject), tally in self.tallies.items():
            samples = f", {tally.n_samples} samples in all" if tally.n_samples else ""
            times = "once" if tally.n_times == 1 else f"{tally.n_times} times"
            what = f"sensor {sensor}, {subject}: {event}, {times}{samples}, first at {tally.first_s:.3f} s"
            yield Finding(tally.byte, what, "", Severity.INFORMATION)
        if self.n_rows == 0:
            yield Finding(n_bytes, "there are no notifications in it", "", Severity.INFORMATION)
        elif not self.starts:
            what = "no answer to START was recorded: session time begins with the first packet"
            yield Finding(n_bytes, what, "", Severity.INFORMATION)

    def _check_order(self, found: SoundBatch) -> Iterator[Finding]:
        arrival_ns = found.batch.arrival_ns
        before = arrival_ns[0] if self.newest_ns is None else self.newest_ns
        newest = np.maximum.accumulate(np.concatenate([[before], arrival_ns]))
        late = np.flatnonzero(arrival_ns < newest[:-1])
        self.newest_ns = int(newest[-1])
        if len(late):
            row = int(late[0])
            yield Finding(
                found.first_byte,
                f"arrival times go backwards {len(late)} times, first from {newest[row] / 1e9:.6f} s to"
                f" {arrival_ns[row] / 1e9:.6f} s",
                "Results do not depend on it; a replay shows these notifications late.",
                Severity.INFORMATION,
            )

    def _check_columns(self, found: SoundBatch) -> Iterator[Finding]:
        n_sensors = len(self.receivers)
        strangers = np.unique(found.batch.sensor[found.batch.sensor >= n_sensors]).tolist()
        if strangers:
            what = f"notifications of sensors {strangers}, the header knows {n_sensors}"
            yield Finding(found.first_byte, what, "They are left out.", Severity.PROBLEM)
        kinds = np.unique(found.batch.kind[found.batch.kind > max(NotificationKind)]).tolist()
        if kinds:
            what = f"notifications of kinds {kinds}, which this emgmon does not know"
            yield Finding(found.first_byte, what, "A newer emgmon may know them.", Severity.INFORMATION)

    def _check_row(self, byte: int, sensor: int, kind: int, payload: bytes) -> Iterator[Finding]:
        try:
            if kind == NotificationKind.CONTROL:
                self._check_control(byte, sensor, payload)
            elif kind == NotificationKind.BATTERY and len(payload) != 1:
                raise ValueError(f"a battery level of {len(payload)} bytes, not 1")
            elif kind == NotificationKind.EVENT:
                json.loads(payload)
        except (ProtocolError, ValueError, RecursionError) as error:
            what = f"sensor {sensor}: a {NotificationKind(kind).name} notification does not decode: {error}"
            yield Finding(byte, what, "It is left out.", Severity.INFORMATION)

    def _check_control(self, byte: int, sensor: int, payload: bytes) -> None:
        for event in self.receivers[sensor].receive_control(payload):
            if isinstance(event, Reject):
                raise ValueError(event.reason)
            if isinstance(event, StreamsOpened):
                for start in event.started.streams:
                    begun = replace(start, time_us=start.time_us - event.started.time_us)
                    self.starts.setdefault((sensor, start.stream), begun)
            else:
                self._note(byte, sensor, event, 0.0)

    def _decode(self, byte: int, sensor: int, piece: NotificationBatch) -> None:
        arrival_s = int(piece.arrival_ns[0]) / 1e9
        for event in self.receivers[sensor].receive_data_many(piece.data, piece.offsets):
            self._note(byte, sensor, event, arrival_s)

    def _note(self, byte: int, sensor: int, event: ReceiverEvent, arrival_s: float) -> None:
        match event:
            case Gap(stream, sample, n_samples):
                self._count_samples("samples missing", byte, sensor, (stream, sample, n_samples), arrival_s)
            case Backfill(block):
                place = (block.stream, block.first_sample, len(block.values))
                self._count_samples("of those sent again", byte, sensor, place, arrival_s)
            case Expired(stream, sample, n_samples):
                place = (stream, sample, n_samples)
                self._count_samples("of those not kept by the sensor", byte, sensor, place, arrival_s)
            case Duplicate(stream, sample, n_samples):
                self._count_samples(
                    "samples came twice", byte, sensor, (stream, sample, n_samples), arrival_s
                )
            case Reject(reason, clause, _):
                subject = f"{reason} (SPEC {clause})"
                self._count(("packets do not decode", sensor, subject), byte, arrival_s, 0)
            case _:
                pass

    def _count_samples(
        self, what: str, byte: int, sensor: int, place: tuple[int, int, int], otherwise_s: float
    ) -> None:
        stream, sample, n_samples = place
        at_s = self._time_s(sensor, stream, sample, otherwise_s)
        self._count((what, sensor, f"stream {stream}"), byte, at_s, n_samples)

    def _time_s(self, sensor: int, stream: int, sample: int, otherwise_s: float) -> float:
        start = self.starts.get((sensor, stream))
        about = self.capabilities[sensor].stream(stream)
        if start is None or about is None:
            return otherwise_s
        return start.time_us / 1e6 + (sample - start.first_sample) / about.rate_hz

    def _count(self, key: tuple[str, int, str], byte: int, first_s: float, n_samples: int) -> None:
        # Damaged packets can give a different reason each; a list of thousands helps nobody.
        if key not in self.tallies and len(self.tallies) >= 100:
            key = (key[0], key[1], "further reasons")
        tally = self.tallies.setdefault(key, _Tally(byte, first_s))
        tally.n_times += 1
        tally.n_samples += n_samples

"""The raw EMG of a recording as arrays in microvolt, placed on session time as a session places it."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.pipeline import time_line_sample
from emgmon.events import NotificationBatch, NotificationKind
from emgmon.metrics.engagement import ChannelSite
from emgmon.recording.format import sensor_capabilities
from emgmon.recording.reader import RecordingReader
from emgmon.streams import EmgStream, SensorStreams
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.decoder import SampleBlock
from firmware_protocol.errors import ProtocolError


@dataclass(frozen=True, slots=True, eq=False)
class EmgTrack:
    """One EMG stream over part of a recording; sample *k* lies at ``k / rate_hz`` of session time."""

    sensor: int
    stream: int
    sites: tuple[ChannelSite, ...]
    is_envelope: tuple[bool, ...]
    """For each channel whether it was rectified or smoothed before it was sent."""
    rate_hz: float
    from_s: float
    """Where the stream begins in the recording, and..."""
    to_s: float
    """... where it ends, whatever part of it was read."""
    first_sample: int
    raw_uv: NDArray[np.float64]
    """Shape (n_channels, n), microvolt; NaN where missing."""

    def between(self, from_s: float, to_s: float) -> tuple[int, int]:
        """Columns of `raw_uv` from one moment to another, cut at both ends of it."""
        first, stop = (round(second * self.rate_hz) - self.first_sample for second in (from_s, to_s))
        return max(0, first), min(stop, self.raw_uv.shape[1])


def read_emg(path: Path | str, *, from_s: float = 0.0, to_s: float = math.inf) -> tuple[EmgTrack, ...]:
    """Read the EMG streams of a recording, in the order of its sensors.

    Parameters
    ----------
    path
        The recording.
    from_s, to_s
        Session time that is kept; the file is read from end to end all the same.

    Raises
    ------
    RecordingError
        When the file is not a recording.
    """
    reader = RecordingReader(path)
    sensors = [
        SensorStreams(i, capabilities, follow_height=False)
        for i, capabilities in enumerate(sensor_capabilities(reader.header))
    ]
    heard = {(s.sensor, s.number): _Heard(s, from_s, to_s) for one in sensors for s in one.emg}
    for batch in reader.batches():
        for sensor, block in _blocks(batch, sensors):
            place = heard.get((sensor, block.stream))
            if place is not None:
                sensors[sensor].note_block(block)
                place.take(block, time_line_sample(sensors[sensor].clock(block.stream), block.first_sample))
    return tuple(one.track() for one in heard.values() if one.first is not None)


@dataclass(slots=True, eq=False)
class _Heard:
    """What of one stream was heard so far."""

    stream: EmgStream
    from_s: float
    to_s: float
    first: int | None = None
    stop: int = 0
    pieces: list[tuple[int, NDArray[np.float64]]] = field(default_factory=list)

    def take(self, block: SampleBlock, sample: int) -> None:
        stop, rate_hz = sample + len(block.values), self.stream.rate_hz
        self.first = sample if self.first is None else min(self.first, sample)
        self.stop = max(self.stop, stop)
        skipped = max(0, round(self.from_s * rate_hz) - sample)
        kept = min(len(block.values), max(0, round(min(self.to_s * rate_hz, stop)) - sample))
        if skipped < kept:
            self.pieces.append((sample + skipped, self.stream.physical(block)[:, skipped:kept].copy()))

    def track(self) -> EmgTrack:
        """Join the pieces; what lies between them is missing."""
        first = min((sample for sample, _ in self.pieces), default=0)
        stop = max((sample + piece.shape[1] for sample, piece in self.pieces), default=first)
        raw_uv = np.full((len(self.stream.sites), stop - first), np.nan)
        for sample, piece in self.pieces:
            raw_uv[:, sample - first : sample - first + piece.shape[1]] = piece
        return EmgTrack(
            sensor=self.stream.sensor,
            stream=self.stream.number,
            sites=self.stream.sites,
            is_envelope=self.stream.is_envelope,
            rate_hz=self.stream.rate_hz,
            from_s=(self.first or 0) / self.stream.rate_hz,
            to_s=self.stop / self.stream.rate_hz,
            first_sample=first,
            raw_uv=raw_uv,
        )


def _blocks(batch: NotificationBatch, sensors: list[SensorStreams]) -> Iterator[tuple[int, SampleBlock]]:
    """Decode the notifications of known sensors, answers to START among them, in order."""
    changes = np.flatnonzero((np.diff(batch.kind) != 0) | (np.diff(batch.sensor) != 0)) + 1
    for start, stop in itertools.pairwise([0, *changes.tolist(), len(batch)]):
        sensor = int(batch.sensor[start]) if start < stop else len(sensors)
        if sensor >= len(sensors):
            continue
        if batch.kind[start] == NotificationKind.DATA:
            for event in sensors[sensor].decode_many(batch.data, batch.offsets[start : stop + 1]):
                if isinstance(event, SampleBlock):
                    yield sensor, event
        elif batch.kind[start] == NotificationKind.CONTROL:
            for first, last in itertools.pairwise(batch.offsets[start : stop + 1].tolist()):
                _start(sensors[sensor], batch.data[first:last].tobytes())


def _start(streams: SensorStreams, payload: bytes) -> None:
    try:
        response = Response.from_bytes(payload)
        if response.opcode == Opcode.START and response.status == Status.OK:
            streams.start(Started.from_bytes(response.payload))
    except ProtocolError:
        # A session tells of it; here nobody asked.
        return

"""The raw EMG of a recording as arrays in microvolt, placed on session time as a session places it."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.pipeline import time_line_sample
from emgmon.intake import Intake
from emgmon.metrics.engagement import ChannelSite
from emgmon.recording.format import sensor_capabilities
from emgmon.recording.reader import RecordingReader
from emgmon.streams import EmgStream, SensorStreams
from emgmon.time_line import TimeLine
from firmware_protocol.reassembly import SampleBlock


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
    capabilities = sensor_capabilities(reader.header)
    line = TimeLine(len(capabilities))
    sensors = [SensorStreams(i, one, line, follow_height=False) for i, one in enumerate(capabilities)]
    tracks = {(s.sensor, s.number): _Growing(s, from_s, to_s) for one in sensors for s in one.emg}
    intake = Intake(capabilities)
    for batch in reader.batches():
        for _ in intake.take_many(batch):
            _place(intake, sensors, tracks)
    intake.give_up()
    _place(intake, sensors, tracks)
    return tuple(one.track() for one in tracks.values() if one.first is not None)


def _place(intake: Intake, sensors: list[SensorStreams], tracks: "dict[tuple[int, int], _Growing]") -> None:
    """Put what is settled where a session would put it."""
    for heard in intake.settled():
        streams, event = sensors[heard.sensor], heard.event
        streams.hear(heard)
        if isinstance(event, SampleBlock) and (heard.sensor, event.stream) in tracks:
            sample = time_line_sample(streams.clock(event.stream), event.first_sample)
            tracks[heard.sensor, event.stream].take(event, sample)


@dataclass(slots=True, eq=False)
class _Growing:
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

"""One sensor's notifications become hops: its decoder, and for every stream a clock and a pipeline."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.filters import has_emg_band
from emgmon.dsp.pipeline import EmgPipeline, PelvisPipeline
from emgmon.dsp.timeline import SampleClock
from emgmon.metrics.calibration import Calibration, activation_pct
from emgmon.metrics.engagement import ChannelSite
from emgmon.units import to_physical
from firmware_protocol.capabilities import Capabilities, Quantity, Stream, StreamKind
from firmware_protocol.control import Started
from firmware_protocol.decoder import Decoder, DecoderEvent, DecoderState, SampleBlock

PELVIS = "pelvis"
_SIX_AXES = [
    (quantity, axis) for quantity in (Quantity.ACCELERATION, Quantity.ANGULAR_RATE) for axis in "xyz"
]


class EmgStream:
    """One EMG stream of a sensor."""

    def __init__(self, sensor: int, stream: Stream) -> None:
        self.sensor, self.number = sensor, stream.number
        self.sites = tuple(ChannelSite(channel.site, channel.side) for channel in stream.channels)
        self.scales = tuple(channel.scale for channel in stream.channels)
        self.pipeline = EmgPipeline(n_channels=len(self.sites), rate_hz=stream.rate_hz)
        self._rest_uv = np.full(len(self.sites), np.nan)
        self._reference_uv = np.full(len(self.sites), np.nan)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Take rest and reference of every channel that the calibration covers."""
        for i, site in enumerate(self.sites):
            channel = calibration.find(site.site, site.side) if calibration else None
            if channel is not None and channel.reference_uv > 0.0:
                self._rest_uv[i], self._reference_uv[i] = channel.rest_uv, channel.reference_uv

    def activation_pct(self, envelope_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Envelope, shape (n_hops, n_channels), as percent of each channel's reference."""
        return activation_pct(envelope_uv, self._rest_uv, self._reference_uv)

    def physical(self, block: SampleBlock) -> NDArray[np.float64]:
        """Give samples in microvolt, channel by channel."""
        return to_physical(block.values, self.scales)


class PelvisStream:
    """The six-axis IMU on the pelvis."""

    def __init__(self, sensor: int, stream: Stream, rows: list[int]) -> None:
        self.sensor, self.number, self.rate_hz = sensor, stream.number, stream.rate_hz
        self._rows = rows
        self._scales = tuple(channel.scale for channel in stream.channels)
        self.pipeline = PelvisPipeline(rate_hz=stream.rate_hz)

    def physical(self, block: SampleBlock) -> NDArray[np.float64]:
        """Give samples in m/s² and rad/s, in the order x, y, z of each."""
        return to_physical(block.values, self._scales)[self._rows]


def pelvis_rows(stream: Stream) -> list[int] | None:
    """Find acceleration x, y, z and angular rate x, y, z of the pelvis; ``None`` unless all are there."""
    places = {
        (channel.quantity, channel.axis): row
        for row, channel in enumerate(stream.channels)
        if channel.site == PELVIS
    }
    return [places[axis] for axis in _SIX_AXES] if all(axis in places for axis in _SIX_AXES) else None


@dataclass(frozen=True, slots=True)
class SensorState:
    """All that one sensor's past leaves to its future."""

    decoder: DecoderState
    clocks: dict[int, SampleClock]
    origin_us: int | None
    pipelines: tuple[Any, ...]


class SensorStreams:
    """Decoder, clocks and pipelines of one sensor."""

    def __init__(self, sensor: int, capabilities: Capabilities) -> None:
        self._decoder = Decoder(capabilities)
        self._rates_hz = {stream.number: stream.rate_hz for stream in capabilities.streams}
        self._clocks: dict[int, SampleClock] = {}
        self._origin_us: int | None = None
        emg = [stream for stream in capabilities.streams if stream.kind is StreamKind.EMG]
        self.emg = [EmgStream(sensor, stream) for stream in emg if has_emg_band(stream.rate_hz)]
        self.too_slow = tuple(stream.number for stream in emg if not has_emg_band(stream.rate_hz))
        """EMG streams without a band above the high-pass; nothing is measured on them."""
        found = [(stream, pelvis_rows(stream)) for stream in capabilities.streams]
        self.pelvis = next((PelvisStream(sensor, s, rows) for s, rows in found if rows is not None), None)

    @property
    def state(self) -> SensorState:
        """All that the past leaves to the future; a copy, and settable."""
        pipelines = [stream.pipeline.state for stream in self._streams]
        return SensorState(self._decoder.state, dict(self._clocks), self._origin_us, tuple(pipelines))

    @state.setter
    def state(self, state: SensorState) -> None:
        self._decoder.state, self._clocks = state.decoder, dict(state.clocks)
        self._origin_us = state.origin_us
        for stream, pipeline in zip(self._streams, copy.copy(state.pipelines), strict=True):
            stream.pipeline.state = pipeline

    @property
    def _streams(self) -> list[EmgStream | PelvisStream]:
        return [*self.emg, *([self.pelvis] if self.pelvis else [])]

    def start(self, started: Started) -> None:
        """Take the zero of session time and of every sample count; later starts keep the first zero."""
        self._decoder.start(started)
        if self._origin_us is None:
            self._origin_us = started.time_us
        for stream in started.streams:
            self._anchor(stream.stream, stream.first_sample, stream.time_us)

    def decode(self, notification: bytes) -> list[DecoderEvent]:
        """Decode one notification."""
        return self._decoder.receive(notification)

    def decode_many(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[DecoderEvent]:
        """Decode many notifications."""
        return self._decoder.receive_many(data, offsets)

    def clock(self, stream: int) -> SampleClock:
        """Sample clock of a stream whose beginning is known."""
        return self._clocks[stream]

    def note_block(self, block: SampleBlock) -> None:
        """Let the first samples set the clock when the answer to START was lost."""
        if self._origin_us is None:
            self._origin_us = block.time_us
        self._anchor(block.stream, block.first_sample, block.time_us)

    def _anchor(self, stream: int, sample: int, time_us: int) -> None:
        if stream in self._clocks or stream not in self._rates_hz or self._origin_us is None:
            return
        anchor_s = (time_us - self._origin_us) / 1e6
        self._clocks[stream] = SampleClock(sample, anchor_s, self._rates_hz[stream])

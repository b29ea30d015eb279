"""One sensor's samples become hops: for every stream a clock and a pipeline."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.pipeline import EmgPipeline, MotionPipeline, time_line_sample
from emgmon.dsp.rates import is_too_slow
from emgmon.dsp.timeline import SampleClock
from emgmon.events import channel_words
from emgmon.intake import Heard, Lost
from emgmon.metrics.calibration import Calibration, ChannelCalibration, activation_pct
from emgmon.metrics.engagement import ChannelSite
from emgmon.time_line import TimeLine
from emgmon.units import to_physical
from firmware_protocol.capabilities import Capabilities, Quantity, Stream, StreamKind
from firmware_protocol.control import StreamStart
from firmware_protocol.packets import SampleFormat
from firmware_protocol.reassembly import SampleBlock
from firmware_protocol.receiver import Rebooted, StreamsOpened, TimeAnswered

PELVIS = "pelvis"

SHORTEST_RESTART_S = 1.0
"""A sensor that begins anew was away at least this long."""

LONGEST_ABSENCE_S = 12 * 3600.0
"""A longer absence within one session is not believed."""

LARGEST_EMG_UV = 5e6
LARGEST_MPS2 = 300.0
LARGEST_RADPS = 100.0
"""Beyond these no electrode and no sensor on a body can be; such a sample is missing, not measured."""

_LARGEST = np.repeat([[LARGEST_MPS2], [LARGEST_RADPS]], 3, axis=0)
_SIX_AXES = [
    (quantity, axis) for quantity in (Quantity.ACCELERATION, Quantity.ANGULAR_RATE) for axis in "xyz"
]


@dataclass(frozen=True, slots=True, eq=False)
class StreamRefinement:
    """What a second look at a whole recording takes out of one EMG stream."""

    sensor: int
    stream: int
    sites: tuple[ChannelSite, ...]
    first_sample: int
    """On the session's time line (see `emgmon.dsp.pipeline.time_line_sample`)."""
    heartbeat_uv: NDArray[np.float32]
    """Shape (n_channels, n); 0 where there is none."""
    heartbeat_uv2: tuple[float, ...]
    """For each channel the mean power that it would have left after the band-pass."""
    quiet_uv: tuple[float, ...]
    """For each channel the RMS, cleaned, of the quiet moments without it; NaN where nothing was taken out."""
    n_beats: int
    hum_hz: tuple[float | None, ...]
    """Mains frequency that dominates each channel that is not calibrated; ``None``: none does."""


class EmgStream:
    """One EMG stream of a sensor."""

    def __init__(self, sensor: int, stream: Stream) -> None:
        self.sensor, self.number, self.rate_hz = sensor, stream.number, stream.rate_hz
        self.sites = tuple(ChannelSite(channel.site, channel.side) for channel in stream.channels)
        self.scales = tuple(channel.scale for channel in stream.channels)
        self.is_envelope = tuple(channel.quantity is Quantity.ENVELOPE for channel in stream.channels)
        """For each channel whether it was rectified or smoothed before it was sent."""
        self._may_be_wild = stream.sample_format is SampleFormat.FLOAT32
        self.hum_hz: tuple[float | None, ...] = (None,) * len(self.sites)
        """For each channel the mains frequency that is taken out."""
        self.calibrated: tuple[ChannelCalibration | None, ...] = (None,) * len(self.sites)
        self.rest_uv = np.full(len(self.sites), np.nan)
        """RMS of each channel at rest; NaN without calibration."""
        self.reference_uv = np.full(len(self.sites), np.nan)
        """RMS of each channel in the reference contraction; NaN without calibration."""
        self._refinement: StreamRefinement | None = None
        self.pipeline = self._new_pipeline()

    @property
    def rest_between_beats_uv(self) -> NDArray[np.float64]:
        """RMS of each channel at rest without the heartbeat; NaN where that is not known."""
        between = [None if one is None else one.rest_between_beats_uv for one in self.calibrated]
        return np.array([np.nan if rest is None else rest for rest in between])

    @property
    def enveloped_sites(self) -> list[str]:
        """Names of the channels that came as envelopes."""
        pairs = zip(self.sites, self.is_envelope, strict=True)
        return [channel_words(channel.site, channel.side) for channel, is_one in pairs if is_one]

    def _new_pipeline(self) -> EmgPipeline:
        return EmgPipeline(
            n_channels=len(self.sites),
            rate_hz=self.rate_hz,
            envelope_channels=self.is_envelope,
            hum_hz=self.hum_hz,
        )

    def calibrate(self, calibration: Calibration | None) -> None:
        """Take rest, reference and cleaning of the channels that are calibrated; before any sample."""
        found = [calibration.find(site.site, site.side) if calibration else None for site in self.sites]
        self.calibrated = tuple(one if one is not None and one.reference_uv > 0.0 else None for one in found)
        for i, channel in enumerate(self.calibrated):
            if channel is not None:
                self.rest_uv[i], self.reference_uv[i] = channel.rest_uv, channel.reference_uv
        self.hum_hz = tuple(None if channel is None else channel.hum_hz for channel in found)
        if any(self.hum_hz):
            self.pipeline = self._new_pipeline()

    def refine(self, refinement: StreamRefinement) -> None:
        """Take out what a second look found; before any sample, and after `calibrate`."""
        self._refinement = refinement
        decided = zip(self.calibrated, self.hum_hz, refinement.hum_hz, strict=True)
        self.hum_hz = tuple(other if one is None else hum for one, hum, other in decided)
        self.pipeline = self._new_pipeline()

    def activation_pct(self, envelope_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Envelope, shape (n_hops, n_channels), as percent of each channel's reference."""
        return activation_pct(envelope_uv, self.rest_uv, self.reference_uv)

    def physical(self, block: SampleBlock) -> NDArray[np.float64]:
        """Give samples in microvolt, channel by channel; NaN where missing or impossible."""
        emg_uv = to_physical(block.values, self.scales)
        if self._may_be_wild:
            emg_uv[np.abs(emg_uv) > LARGEST_EMG_UV] = np.nan
        return emg_uv

    def refined(self, emg_uv: NDArray[np.float64], clock: SampleClock, sample: int) -> NDArray[np.float64]:
        """Take the heartbeat out of samples, shape (n_channels, n), where a second look has found it."""
        known = self._refinement
        if known is None:
            return emg_uv
        start = time_line_sample(clock, sample) - known.first_sample
        stop = min(start + emg_uv.shape[1], known.heartbeat_uv.shape[1])
        early = max(0, -start)
        if start + early < stop:
            emg_uv[:, early : stop - start] -= known.heartbeat_uv[:, start + early : stop]
        return emg_uv


@dataclass(frozen=True, slots=True)
class ImuRows:
    """Which channels of a stream are one IMU."""

    site: str
    side: str | None
    rows: tuple[int, ...]
    """Acceleration x, y, z and, where there is a gyroscope, angular rate x, y, z."""


def imu_rows(stream: Stream) -> tuple[ImuRows, ...]:
    """Find the IMUs of a stream; whatever lacks an axis of acceleration is none."""
    places: dict[tuple[str, str | None], dict[tuple[Quantity, str | None], int]] = {}
    for row, channel in enumerate(stream.channels):
        if channel.quantity in (Quantity.ACCELERATION, Quantity.ANGULAR_RATE):
            places.setdefault((channel.site, channel.side), {})[channel.quantity, channel.axis] = row
    found = []
    for (site, side), axes in places.items():
        wanted = _SIX_AXES if all(axis in axes for axis in _SIX_AXES) else _SIX_AXES[:3]
        if all(axis in axes for axis in wanted):
            found.append(ImuRows(site, side, tuple(axes[axis] for axis in wanted)))
    return tuple(found)


def _too_slow(stream: Stream) -> bool:
    has_raw = any(channel.quantity is Quantity.EMG for channel in stream.channels)
    return is_too_slow(stream.rate_hz, has_raw=has_raw)


class MotionStream:
    """One IMU: the motion channels of one site in a stream."""

    def __init__(self, sensor: int, stream: Stream, imu: ImuRows, *, follow_height: bool) -> None:
        self.sensor, self.number, self.rate_hz = sensor, stream.number, stream.rate_hz
        self.site, self.side, self.n_axes = imu.site, imu.side, len(imu.rows)
        self._rows = list(imu.rows)
        self._scales = tuple(channel.scale for channel in stream.channels)
        self.pipeline = MotionPipeline(
            rate_hz=stream.rate_hz, n_axes=self.n_axes, follow_height=follow_height and imu.site == PELVIS
        )

    @property
    def has_gyroscope(self) -> bool:
        """Whether all of its attitude is known, not only where it is held still."""
        return self.n_axes == 6

    def physical(self, block: SampleBlock) -> NDArray[np.float64]:
        """Give samples in m/s² and rad/s, in the order x, y, z of each; NaN where missing or impossible."""
        imu = to_physical(block.values, self._scales)[self._rows]
        imu[np.abs(imu) > _LARGEST[: self.n_axes]] = np.nan
        return imu


@dataclass(frozen=True, slots=True)
class PlacedGap:
    """Missing samples of a stream, and where on the time line they would have been."""

    stream: int
    first_sample: int
    n_samples: int
    clock: SampleClock
    """Places these samples; a sensor that began anew has another one afterwards."""


@dataclass(frozen=True, slots=True)
class SensorState:
    """All that one sensor's past leaves to its future."""

    clocks: dict[int, SampleClock]
    next_samples: dict[int, int]
    rebooted: bool
    pipelines: tuple[Any, ...]


class SensorStreams:
    """Clocks and pipelines of one sensor."""

    def __init__(
        self, sensor: int, capabilities: Capabilities, line: TimeLine, *, follow_height: bool
    ) -> None:
        self._sensor, self._line = sensor, line
        self._rates_hz = {stream.number: stream.rate_hz for stream in capabilities.streams}
        self._clocks: dict[int, SampleClock] = {}
        self._next_samples: dict[int, int] = {}
        self._rebooted = False
        emg = [stream for stream in capabilities.streams if stream.kind is StreamKind.EMG]
        self.emg = [EmgStream(sensor, stream) for stream in emg if not _too_slow(stream)]
        self.too_slow = tuple(stream.number for stream in emg if _too_slow(stream))
        """EMG streams without a band above the high-pass; nothing is measured on them."""
        self.motion = [
            MotionStream(sensor, stream, imu, follow_height=follow_height)
            for stream in capabilities.streams
            for imu in imu_rows(stream)
        ]

    @property
    def state(self) -> SensorState:
        """All that the past leaves to the future; a copy, and settable."""
        return SensorState(
            clocks=dict(self._clocks),
            next_samples=dict(self._next_samples),
            rebooted=self._rebooted,
            pipelines=tuple(stream.pipeline.state for stream in self._streams),
        )

    @state.setter
    def state(self, state: SensorState) -> None:
        self._clocks, self._next_samples = dict(state.clocks), dict(state.next_samples)
        self._rebooted = state.rebooted
        for stream, pipeline in zip(self._streams, copy.copy(state.pipelines), strict=True):
            stream.pipeline.state = pipeline

    @property
    def _streams(self) -> list[EmgStream | MotionStream]:
        return [*self.emg, *self.motion]

    def hear(self, heard: Heard) -> list[PlacedGap]:
        """Take note of where samples lie, before anything is done with them.

        Returns what is missing, with its place on the time line.
        """
        event = heard.event
        if isinstance(event, SampleBlock):
            gaps = self._catch_up(event)
            self._note(event, heard.arrival_ns)
            return gaps
        elif isinstance(event, Lost):
            clock = self._clocks[event.stream]
            self._next_samples[event.stream] = event.first_sample + event.n_samples
            return [PlacedGap(event.stream, event.first_sample, event.n_samples, clock)]
        elif isinstance(event, Rebooted):
            self._rebooted = True
            self._line.reboot(self._sensor)
        elif isinstance(event, StreamsOpened):
            return self._open(event, heard)
        else:
            self._learn(event, heard)
        return []

    def _catch_up(self, block: SampleBlock) -> list[PlacedGap]:
        """Put a block that does not follow behind what came before: the answer to its START was lost."""
        expected = self._next_samples.get(block.stream)
        if expected is None or block.stream not in self._clocks or expected == block.first_sample:
            return []
        start = StreamStart(block.stream, block.first_sample, block.time_us)
        return [self._resume(start, away_s=0.0)]

    def _learn(self, answered: TimeAnswered, heard: Heard) -> None:
        """Let an exchange of times change the pace of the clocks, from the next sample on."""
        place = self._line.learn(self._sensor, answered, heard.arrival_ns, heard.quickest)
        if place is None:
            return
        for stream, clock in self._clocks.items():
            self._clocks[stream] = clock.stretched(self._next_samples[stream], place.stretch)

    def _open(self, opened: StreamsOpened, heard: Heard) -> list[PlacedGap]:
        """Take the place of the clock and of every sample count; later starts keep the first place.

        A count that does not go on where it was (the sensor was switched off, or stayed away for long)
        is put on the same time line, after what came before. Returns what is missing in between.
        """
        started, gaps = opened.started, []
        self._line.begin(self._sensor, started.time_us, heard.arrival_ns)
        away_s = (heard.arrival_ns - heard.data_ns) / 1e9
        for stream in started.streams:
            if stream.stream not in self._clocks or stream.stream not in self._next_samples:
                self._anchor(stream.stream, stream.first_sample, stream.time_us)
                self._next_samples[stream.stream] = stream.first_sample
            elif stream.stream not in opened.continued:
                gaps.append(self._resume(stream, away_s=away_s))
        self._rebooted = False
        return gaps

    def _resume(self, start: StreamStart, *, away_s: float) -> PlacedGap:
        """Put a count that began anew behind the old one; `away_s` is the host's word for how far."""
        clock, expected = self._clocks[start.stream], self._next_samples[start.stream]
        away_s = self._away_s(start.time_us, clock.seconds(expected), by_host_s=away_s)
        n_samples = round(away_s * clock.rate_hz)
        resumed_s = clock.seconds(expected + n_samples)
        self._clocks[start.stream] = SampleClock(start.first_sample, resumed_s, clock.rate_hz)
        self._next_samples[start.stream] = start.first_sample
        self._line.resume(self._sensor, start.time_us, resumed_s)
        return PlacedGap(start.stream, expected, n_samples, clock)

    def _away_s(self, device_us: int, since_s: float, *, by_host_s: float) -> float:
        """How long nothing was measured since a moment of the session, by the best clock that tells.

        A sensor that was switched off counts its time from zero again; then its own clock tells nothing,
        but the comparison with the other sensors' may.
        """
        if self._rebooted:
            placed_s = self._line.where(self._sensor, device_us)
            if placed_s is not None and placed_s - since_s >= SHORTEST_RESTART_S:
                return placed_s - since_s
        elif (place := self._line.place(self._sensor)) is not None:
            by_device_s = place.seconds(device_us) - since_s
            if SHORTEST_RESTART_S <= by_device_s <= LONGEST_ABSENCE_S:
                return by_device_s
        return by_host_s if SHORTEST_RESTART_S <= by_host_s <= LONGEST_ABSENCE_S else SHORTEST_RESTART_S

    def clock(self, stream: int) -> SampleClock:
        """Sample clock of a stream whose beginning is known."""
        return self._clocks[stream]

    def _note(self, block: SampleBlock, arrival_ns: int) -> None:
        """Take note of samples; the first ones set the clock when the answer to START was lost."""
        self._line.begin(self._sensor, block.time_us, arrival_ns)
        self._anchor(block.stream, block.first_sample, block.time_us)
        self._next_samples[block.stream] = block.first_sample + len(block.values)

    def _anchor(self, stream: int, sample: int, time_us: int) -> None:
        place = self._line.place(self._sensor)
        if stream in self._clocks or stream not in self._rates_hz or place is None:
            return
        self._clocks[stream] = SampleClock(
            sample, place.seconds(time_us), self._rates_hz[stream], place.stretch
        )

"""Notifications in; sample blocks, gaps, duplicates and rejects out; bad bytes never raise."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities, Stream
from firmware_protocol.columns import (
    StreamColumns,
    checked_columns,
    elapsed_us,
    gather_headers,
    gather_stretches,
    stream_columns,
)
from firmware_protocol.control import Started, StreamStart
from firmware_protocol.errors import SensorFault
from firmware_protocol.packets import (
    BOUNDARY_FLAGS,
    HEADER_SIZE,
    KNOWN_FLAGS,
    PROTOCOL_MAJOR,
    SAMPLE_MODULUS,
    TIME_MODULUS,
    PacketHeader,
    Sample,
    SampleFormat,
    check_header,
    decode_samples,
    sample_time_us,
)

MAX_JUMP_S = 3600
"""A sample counter further away than this says nothing trustworthy (SPEC 5.7)."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleBlock:
    """Consecutive samples of one stream, none of them delivered before."""

    stream: int
    first_sample: int
    """Number of the first sample, unwrapped."""
    time_us: int
    """Device time of the first sample, unwrapped, microseconds."""
    values: NDArray[Sample]
    """Shape (n_samples, n_channels), raw counts."""
    flags: int
    """The :class:`~firmware_protocol.packets.PacketFlag` bits that hold for the whole block."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that are missing; comes right before the block that revealed it."""

    stream: int
    first_sample: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Samples that came though they, or later ones, had been delivered; left out."""

    stream: int
    first_sample: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A notification that was left out whole."""

    reason: str
    """What is wrong, in words, with the value."""
    clause: str
    """The clause of SPEC.md that it breaks."""
    n_bytes: int


DecoderEvent: TypeAlias = SampleBlock | Gap | Duplicate | Reject


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far one stream has come."""

    stream: int
    next_sample: int | None = None
    """Unwrapped number of the sample expected next; None before the first."""
    time_us: int | None = None
    """Unwrapped device time of the newest packet, against which the next one is unwrapped."""


@dataclass(frozen=True, slots=True)
class DecoderState:
    """Everything that changes while decoding; can be kept and put back."""

    streams: tuple[StreamState, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What follows from the capabilities of one stream, worked out once."""

    stream: int
    sample_format: SampleFormat
    n_channels: int
    sample_size: int
    rate_hz: float
    max_jump: int

    @classmethod
    def of(cls, stream: Stream) -> "_Layout":
        max_jump = min(math.ceil(MAX_JUMP_S * stream.rate_hz), SAMPLE_MODULUS // 2 - 1)
        n_channels = len(stream.channels)
        return cls(
            stream.number, stream.sample_format, n_channels, stream.sample_size, stream.rate_hz, max_jump
        )


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a packet lies against what its stream expects."""

    first_sample: int
    n_known: int
    """How many of its samples, from the first on, are not new."""
    event: Gap | Duplicate | None


class Decoder:
    """Turns the notifications of one sensor into sample blocks.

    Parameters
    ----------
    capabilities
        What the sensor said about itself; after a change of ``boot_id`` a new decoder is due.
    """

    def __init__(self, capabilities: Capabilities) -> None:
        self._layouts = {stream.number: _Layout.of(stream) for stream in capabilities.streams}
        self._states = {number: StreamState(number) for number in self._layouts}
        # Unknown streams keep a version byte of 0, which no packet of this version has.
        self._version_format = np.zeros(256, np.uint8)
        self._sample_size = np.zeros(256, np.int64)
        for number, layout in self._layouts.items():
            self._version_format[number] = PROTOCOL_MAJOR << 4 | layout.sample_format
            self._sample_size[number] = layout.sample_size

    @property
    def state(self) -> DecoderState:
        """How far every stream has come; assign it to another decoder to carry on there."""
        return DecoderState(tuple(self._states.values()))

    @state.setter
    def state(self, state: DecoderState) -> None:
        numbers = [stream.stream for stream in state.streams]
        if set(numbers) != set(self._layouts):
            raise ValueError(f"a state of streams {numbers} does not fit {sorted(self._layouts)}")
        self._states = {stream.stream: stream for stream in state.streams}

    def start(self, started: Started) -> None:
        """Take note of where the streams begin, so that loss before the first packet shows as a gap.

        After a reconnection the count goes on where the sensor's count is: what was missed becomes a gap.
        A count that went backwards or jumped beyond SPEC 5.7 begins anew.
        """
        for start in started.streams:
            layout = self._layouts.get(start.stream)
            if layout is not None:
                self._states[start.stream] = _started_state(self._states[start.stream], layout, start)

    def receive(self, notification: bytes | memoryview) -> list[DecoderEvent]:
        """Decode one notification, however damaged."""
        data = bytes(notification)
        header = self._admit(data)
        if isinstance(header, Reject):
            return [header]
        layout, state = self._layouts[header.stream], self._states[header.stream]
        placed = _place(state, layout, first_sample=header.first_sample, n_samples=header.n_samples)
        if isinstance(placed, str):
            return [Reject(placed, "5.7", len(data))]
        events: list[DecoderEvent] = [] if placed.event is None else [placed.event]
        if placed.n_known == header.n_samples:
            return events
        raw = np.frombuffer(data, np.uint8, offset=HEADER_SIZE).copy()
        values = decode_samples(raw, layout.sample_format, n_channels=layout.n_channels)
        time_us = _unwrap(header.time_us, near=state.time_us, modulus=TIME_MODULUS)
        flags = header.flags & int(KNOWN_FLAGS)
        events.append(_block(placed, layout, time_us=time_us, values=values, flags=flags))
        next_sample = placed.first_sample + header.n_samples
        self._states[header.stream] = StreamState(header.stream, next_sample, time_us)
        return events

    def receive_many(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[DecoderEvent]:
        """Decode many notifications: what `receive` reports one by one, coalesced.

        Parameters
        ----------
        data
            All notifications, one behind the other.
        offsets
            Shape (n + 1,); notification *i* is ``data[offsets[i]:offsets[i + 1]]``.

        Returns
        -------
        list
            Ordered by the first notification of each event; see :func:`coalesce`.
        """
        data, offsets = checked_columns(data, offsets)
        starts, sizes = offsets[:-1], np.diff(offsets)
        headers = gather_headers(data, starts, sizes)
        n_samples = headers["n_samples"].astype(np.int64)
        sound = (sizes >= HEADER_SIZE) & (n_samples > 0)
        sound &= headers["version_format"] == self._version_format[headers["stream"]]
        sound &= sizes == HEADER_SIZE + n_samples * self._sample_size[headers["stream"]]
        found = list(self._rejects(data, offsets, np.flatnonzero(~sound)))
        for number, layout in self._layouts.items():
            index = np.flatnonzero(sound & (headers["stream"] == number))
            columns = stream_columns(headers[index], index, starts[index])
            found += self._receive_stream(layout, columns, data)
        found.sort(key=lambda indexed: indexed[0])
        return coalesce(event for _, event in found)

    def _admit(self, data: bytes) -> PacketHeader | Reject:
        """Read a header that fits this sensor; everything that needs no memory is judged here."""
        try:
            header = PacketHeader.from_bytes(data)
            layout = self._layouts.get(header.stream)
            if layout is None and header.major == PROTOCOL_MAJOR:
                raise SensorFault(f"stream {header.stream} is not among the capabilities", clause="4.3")
            n_channels = 1 if layout is None else layout.n_channels
            sample_format = check_header(header, n_bytes=len(data), n_channels=n_channels)
            if layout is not None and sample_format is not layout.sample_format:
                raise SensorFault(
                    f"stream {header.stream} came in {sample_format.name}, announced was"
                    f" {layout.sample_format.name}",
                    clause="4.2",
                )
        except SensorFault as fault:
            return Reject(str(fault), fault.clause, len(data))
        return header

    def _rejects(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64], indices: NDArray[np.int64]
    ) -> Iterator[tuple[int, DecoderEvent]]:
        """Word the reasons by the same code as `receive` does."""
        for index in indices.tolist():
            admitted = self._admit(data[offsets[index] : offsets[index + 1]].tobytes())
            if isinstance(admitted, Reject):
                yield index, admitted

    def _receive_stream(
        self, layout: _Layout, columns: StreamColumns, data: NDArray[np.uint8]
    ) -> Iterator[tuple[int, DecoderEvent]]:
        """Go from run to run; only a packet that does not join the one before is looked at alone."""
        run_ends = columns.run_ends()
        row = 0
        while row < len(columns.index):
            index, n_samples = int(columns.index[row]), int(columns.n_samples[row])
            placed = _place(
                self._states[layout.stream],
                layout,
                first_sample=int(columns.first_sample[row]),
                n_samples=n_samples,
            )
            if isinstance(placed, str):
                yield index, Reject(placed, "5.7", HEADER_SIZE + n_samples * layout.sample_size)
                row += 1
                continue
            if placed.event is not None:
                yield index, placed.event
            if placed.n_known == n_samples:
                row += 1
                continue
            end = int(run_ends[np.searchsorted(run_ends, row, side="right")])
            yield index, self._receive_run(layout, columns, data, rows=slice(row, end), placed=placed)
            row = end

    def _receive_run(
        self,
        layout: _Layout,
        columns: StreamColumns,
        data: NDArray[np.uint8],
        *,
        rows: slice,
        placed: _Placed,
    ) -> SampleBlock:
        """Copy the samples of a run in one go and move the stream on to its end."""
        n_samples = columns.n_samples[rows]
        raw = gather_stretches(data, columns.payload_start[rows], n_samples * layout.sample_size)
        values = decode_samples(raw, layout.sample_format, n_channels=layout.n_channels)
        times_us = columns.time_us[rows]
        time_us = _unwrap(int(times_us[0]), near=self._states[layout.stream].time_us, modulus=TIME_MODULUS)
        self._states[layout.stream] = StreamState(
            layout.stream,
            placed.first_sample + int(n_samples.sum()),
            time_us + elapsed_us(times_us),
        )
        flags = int(columns.flags[rows.start])
        return _block(placed, layout, time_us=time_us, values=values, flags=flags)


def coalesce(events: Iterable[DecoderEvent]) -> list[DecoderEvent]:
    """Join blocks of a stream that follow each other, at the place of the first of them.

    Blocks are joined when nothing else of their stream came between them, their samples follow each
    other, their flags are equal and the later one has none that speaks of the moment before it.
    The device times of the later blocks are dropped.
    """
    places: list[DecoderEvent | list[SampleBlock]] = []
    open_runs: dict[int, list[SampleBlock]] = {}
    for event in events:
        if isinstance(event, SampleBlock):
            run = open_runs.get(event.stream)
            if run is not None and _joins(run[-1], event):
                run.append(event)
            else:
                open_runs[event.stream] = run = [event]
                places.append(run)
        else:
            places.append(event)
            if not isinstance(event, Reject):
                open_runs.pop(event.stream, None)
    return [_joined(place) if isinstance(place, list) else place for place in places]


def _joins(before: SampleBlock, after: SampleBlock) -> bool:
    return (
        after.first_sample == before.first_sample + len(before.values)
        and after.flags == before.flags
        and not after.flags & int(BOUNDARY_FLAGS)
    )


def _joined(run: list[SampleBlock]) -> SampleBlock:
    if len(run) == 1:
        return run[0]
    first = run[0]
    values = np.concatenate([block.values for block in run])
    return SampleBlock(first.stream, first.first_sample, first.time_us, values, first.flags)


def _unwrap(raw: int, *, near: int | None, modulus: int) -> int:
    """Continue a counter: the number nearest to ``near`` that is ``raw`` modulo its width (SPEC 5.1)."""
    if near is None:
        return raw
    half = modulus // 2
    return near + (raw - near + half) % modulus - half


def _started_state(state: StreamState, layout: _Layout, start: StreamStart) -> StreamState:
    first = _unwrap(start.first_sample, near=state.next_sample, modulus=SAMPLE_MODULUS)
    if state.next_sample is not None and 0 <= first - state.next_sample <= layout.max_jump:
        return state
    return StreamState(start.stream, start.first_sample, start.time_us)


def _place(state: StreamState, layout: _Layout, *, first_sample: int, n_samples: int) -> _Placed | str:
    """Compare a packet's sample counter with the expected one; words when it is implausible."""
    if state.next_sample is None:
        return _Placed(first_sample, 0, None)
    first = _unwrap(first_sample, near=state.next_sample, modulus=SAMPLE_MODULUS)
    missing = first - state.next_sample
    if abs(missing) > layout.max_jump:
        return (
            f"sample {first_sample} of stream {layout.stream} is {abs(missing)} samples"
            f" {'after' if missing > 0 else 'before'} the expected one, more than one hour"
        )
    if missing > 0:
        return _Placed(first, 0, Gap(layout.stream, state.next_sample, missing))
    if missing < 0:
        n_known = min(-missing, n_samples)
        return _Placed(first, n_known, Duplicate(layout.stream, first, n_known))
    return _Placed(first, 0, None)


def _block(
    placed: _Placed, layout: _Layout, *, time_us: int, values: NDArray[Sample], flags: int
) -> SampleBlock:
    """Leave out the samples that are not new."""
    return SampleBlock(
        stream=layout.stream,
        first_sample=placed.first_sample + placed.n_known,
        time_us=time_us + sample_time_us(placed.n_known, rate_hz=layout.rate_hz),
        values=values[placed.n_known :],
        flags=flags,
    )

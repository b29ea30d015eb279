"""Notifications in; sample blocks, gaps, backfill, duplicates and rejects out; bad bytes never raise."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities
from firmware_protocol.columns import (
    StreamColumns,
    checked_columns,
    elapsed_us,
    gather_headers,
    gather_stretches,
    stream_columns,
)
from firmware_protocol.control import Started
from firmware_protocol.errors import SensorFault
from firmware_protocol.packets import (
    HEADER_SIZE,
    KNOWN_FLAGS,
    PROTOCOL_MAJOR,
    TIME_MODULUS,
    PacketHeader,
    check_header,
    decode_samples,
)
from firmware_protocol.reassembly import (
    Backfill,
    DecoderEvent,
    Duplicate,
    Expired,
    Gap,
    Layout,
    Placed,
    Reject,
    SampleBlock,
    Span,
    StreamState,
    advance,
    coalesce,
    expire,
    forget,
    open_stream,
    part,
    place,
    unwrap,
)

__all__ = [
    "Backfill",
    "Decoder",
    "DecoderEvent",
    "DecoderState",
    "Duplicate",
    "Expired",
    "Gap",
    "Opened",
    "Reject",
    "SampleBlock",
    "StreamState",
    "coalesce",
]


_NO_VERSION = -1


@dataclass(frozen=True, slots=True)
class Opened:
    """What a START brought."""

    continued: tuple[int, ...]
    """Streams whose count goes on where it was; the others begin, or begin anew."""
    events: tuple[DecoderEvent, ...]
    """What is final now, and what was missed since the stream stopped."""


@dataclass(frozen=True, slots=True)
class DecoderState:
    """Everything that changes while decoding; can be kept and put back."""

    streams: tuple[StreamState, ...]


class Decoder:
    """Turns the notifications of one sensor into sample blocks.

    Parameters
    ----------
    capabilities
        What the sensor said about itself.
    """

    def __init__(self, capabilities: Capabilities) -> None:
        ring_ms = capabilities.ring_ms
        self._layouts = {stream.number: Layout.of(stream, ring_ms=ring_ms) for stream in capabilities.streams}
        self._states = {number: StreamState(number) for number in self._layouts}
        # Packets of an unknown stream are told from sound ones by a version that none has.
        self._version_format = np.full(256, _NO_VERSION, np.int16)
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

    def missing(self, stream: int) -> tuple[Span, ...]:
        """Spans of samples of a stream that did not come and still may, unwrapped, oldest first."""
        return self._states[stream].missing

    def newest_us(self) -> int | None:
        """Device time of the newest packet of any stream, unwrapped; None before the first."""
        times = [state.time_us for state in self._states.values() if state.time_us is not None]
        return max(times, default=None)

    def start(self, started: Started) -> Opened:
        """Take note of where the streams begin, so that no loss goes unseen.

        After a reconnection the count goes on where the sensor's count is: what was missed becomes a gap.
        A count that went backwards or jumped beyond SPEC 5.7 begins anew.
        """
        continued: list[int] = []
        events: list[DecoderEvent] = []
        for start in started.streams:
            layout = self._layouts.get(start.stream)
            if layout is None:
                continue
            opened = open_stream(self._states[start.stream], layout, start)
            self._states[start.stream] = opened.state
            events += opened.events
            if opened.continued:
                continued.append(start.stream)
        return Opened(tuple(continued), tuple(events))

    def restart(self) -> list[DecoderEvent]:
        """Forget the counters: the sensor has another boot id (SPEC 7.5). What was missing is final."""
        events: list[DecoderEvent] = []
        for number, state in self._states.items():
            events += forget(state, list(state.missing))[1]
            self._states[number] = StreamState(number)
        return events

    def give_up(self, stream: int, span: Span) -> list[DecoderEvent]:
        """Take samples for lost, wherever they are missing: the sensor said so (SPEC 8.3)."""
        if stream not in self._states:
            return []
        self._states[stream], expired = forget(self._states[stream], [span])
        return list(expired)

    def unwrapped(self, stream: int, sample: int) -> int | None:
        """Unwrap a sample number of a stream by where the stream is; None for an unknown stream."""
        state = self._states.get(stream)
        return None if state is None else unwrap(sample, near=state.next_sample, modulus=1 << 32)

    def receive(self, notification: bytes | memoryview) -> list[DecoderEvent]:
        """Decode one notification, however damaged."""
        data = bytes(notification)
        header = self._admit(data)
        if isinstance(header, Reject):
            return [header]
        return self._receive_packet(header, np.frombuffer(data, np.uint8, offset=HEADER_SIZE).copy())

    def _receive_packet(self, header: PacketHeader, raw: NDArray[np.uint8]) -> list[DecoderEvent]:
        layout, state = self._layouts[header.stream], self._states[header.stream]
        placed = place(state, layout, first_sample=header.first_sample, n_samples=header.n_samples)
        if isinstance(placed, str):
            return [Reject(placed, "5.7", HEADER_SIZE + len(raw))]
        values = decode_samples(raw, layout.sample_format, n_channels=layout.n_channels)
        time_us = unwrap(header.time_us, near=state.time_us, modulus=TIME_MODULUS)
        flags = header.flags & int(KNOWN_FLAGS)
        block = SampleBlock(header.stream, placed.first_sample, time_us, values, flags)
        events = _sorted_out(block, placed, layout)
        state = advance(state, layout, placed, n_samples=header.n_samples, time_us=time_us)
        self._states[header.stream], expired = expire(state, layout)
        return [*events, *expired]

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
        self, layout: Layout, columns: StreamColumns, data: NDArray[np.uint8]
    ) -> Iterator[tuple[int, DecoderEvent]]:
        """Go from run to run; a packet is looked at alone where something is missing or does not join."""
        run_ends = columns.run_ends()
        row = 0
        while row < len(columns.index):
            state = self._states[layout.stream]
            place_of = (int(columns.first_sample[row]), int(columns.n_samples[row]))
            placed = place(state, layout, first_sample=place_of[0], n_samples=place_of[1])
            if state.missing or isinstance(placed, str) or placed.gap is not None or placed.n_known:
                for event in self._receive_packet(*self._packet(layout, columns, data, row)):
                    yield int(columns.index[row]), event
                row += 1
                continue
            end = int(run_ends[np.searchsorted(run_ends, row, side="right")])
            index = int(columns.index[row])
            yield index, self._receive_run(layout, columns, data, rows=slice(row, end), placed=placed)
            row = end

    def _packet(
        self, layout: Layout, columns: StreamColumns, data: NDArray[np.uint8], row: int
    ) -> tuple[PacketHeader, NDArray[np.uint8]]:
        n_samples, start = int(columns.n_samples[row]), int(columns.payload_start[row])
        header = PacketHeader(
            major=PROTOCOL_MAJOR,
            format_code=layout.sample_format,
            stream=layout.stream,
            sequence=0,
            first_sample=int(columns.first_sample[row]),
            time_us=int(columns.time_us[row]),
            n_samples=n_samples,
            flags=int(columns.flags[row]),
        )
        return header, data[start : start + n_samples * layout.sample_size].copy()

    def _receive_run(
        self,
        layout: Layout,
        columns: StreamColumns,
        data: NDArray[np.uint8],
        *,
        rows: slice,
        placed: Placed,
    ) -> SampleBlock:
        """Copy the samples of a run in one go and move the stream on to its end."""
        n_samples = columns.n_samples[rows]
        raw = gather_stretches(data, columns.payload_start[rows], n_samples * layout.sample_size)
        values = decode_samples(raw, layout.sample_format, n_channels=layout.n_channels)
        times_us = columns.time_us[rows]
        time_us = unwrap(int(times_us[0]), near=self._states[layout.stream].time_us, modulus=TIME_MODULUS)
        self._states[layout.stream] = StreamState(
            layout.stream,
            placed.first_sample + int(n_samples.sum()),
            time_us + elapsed_us(times_us),
        )
        flags = int(columns.flags[rows.start])
        return SampleBlock(layout.stream, placed.first_sample, time_us, values, flags)


def _sorted_out(block: SampleBlock, placed: Placed, layout: Layout) -> list[DecoderEvent]:
    """Tell which samples of a packet are new, which fill a gap, and which are neither."""
    events: list[DecoderEvent] = [] if placed.gap is None else [placed.gap]
    if placed.duplicate is not None:
        events.append(placed.duplicate)
    events += (Backfill(part(block, span, rate_hz=layout.rate_hz)) for span in placed.fills)
    stop = block.first_sample + len(block.values)
    if placed.n_known < len(block.values):
        new = (block.first_sample + placed.n_known, stop)
        events.append(part(block, new, rate_hz=layout.rate_hz))
    return events

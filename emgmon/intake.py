"""What sensors send, in the order of its samples: behind a gap that may still be filled the rest waits."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import Notification, NotificationBatch, NotificationKind
from emgmon.quickest import Quickest, quickest_of
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.reassembly import (
    Backfill,
    Duplicate,
    Expired,
    Gap,
    Reject,
    SampleBlock,
    joined_block,
    part,
)
from firmware_protocol.receiver import (
    Rebooted,
    Receiver,
    ReceiverEvent,
    ReceiverState,
    StatusReceived,
    StreamsOpened,
    TimeAnswered,
)

SLICE_S = 1.0
"""Streams whose gaps were filled are handed on in slices of this length, so that none runs far ahead."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Samples of a stream that will never come."""

    stream: int
    first_sample: int
    n_samples: int


InOrder = SampleBlock | Lost | StreamsOpened | Rebooted | TimeAnswered
"""What has a place among the samples."""

Aside = Duplicate | Reject | StatusReceived
"""What has none, and is told at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Something that one sensor sent."""

    sensor: int
    arrival_ns: int
    """Host clock at the arrival of the notification, or of the last one of a batch."""
    data_ns: int
    """Host clock at the arrival of the newest data before it."""
    event: InOrder
    quickest: tuple[int, int] | None = None
    """With an answer to TIME: device time of the last sample of the data notification that came
    quickest since the last one, and its arrival."""


@dataclass(slots=True, eq=False)
class Awaited:
    """A gap that may still be filled, with as much of it as is known by now."""

    sensor: int
    first_sample: int
    stop_sample: int
    stream: int
    rate_hz: float
    arrival_ns: int
    """When it was noticed."""
    parts: list[SampleBlock | Lost] = field(default_factory=list)
    """In the order of their samples."""
    n_missing: int = 0

    @property
    def resolved(self) -> bool:
        """Whether every sample has come or is lost for good."""
        return self.n_missing == 0

    def covers(self, sensor: int, stream: int, sample: int) -> bool:
        """Whether a sample belongs into this gap."""
        is_stream = (self.sensor, self.stream) == (sensor, stream)
        return is_stream and self.first_sample <= sample < self.stop_sample

    def resolve(self, piece: SampleBlock | Lost) -> None:
        """Take in samples that have come, or are lost for good."""
        self.parts.append(piece)
        self.parts.sort(key=lambda known: known.first_sample)
        self.n_missing -= n_samples_of(piece)

    def as_it_stands(self) -> list[SampleBlock | Lost]:
        """All of the gap, with what is still missing as lost."""
        found: list[SampleBlock | Lost] = []
        at = self.first_sample
        for piece in self.parts:
            if piece.first_sample > at:
                found.append(Lost(self.stream, at, piece.first_sample - at))
            found.append(piece)
            at = piece.first_sample + n_samples_of(piece)
        if at < self.stop_sample:
            found.append(Lost(self.stream, at, self.stop_sample - at))
        return found

    def copy(self) -> "Awaited":
        """Independent copy, for a checkpoint."""
        return replace(self, parts=self.parts.copy())


def n_samples_of(piece: SampleBlock | Lost) -> int:
    """Count the samples of a piece."""
    return piece.n_samples if isinstance(piece, Lost) else len(piece.values)


@dataclass(frozen=True, slots=True, eq=False)
class IntakeState:
    """All that the past leaves to the future."""

    receivers: tuple[ReceiverState, ...]
    data_ns: tuple[int, ...]
    queue: tuple[Heard | Awaited, ...]
    quickest: tuple[Quickest | None, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What notifications brought."""

    heard: list[Heard | Awaited]
    """New, in the order in which it was noticed."""
    asides: list[tuple[int, Aside]]
    """By sensor."""


class Intake:
    """Decodes the notifications of all sensors and keeps them in order.

    Parameters
    ----------
    sensors
        What each sensor said about itself.
    """

    def __init__(self, sensors: Sequence[Capabilities]) -> None:
        self._receivers = [Receiver(capabilities) for capabilities in sensors]
        self._has_ring = [capabilities.ring_ms > 0 for capabilities in sensors]
        self._rates_hz = [{s.number: s.rate_hz for s in capabilities.streams} for capabilities in sensors]
        self._data_ns = [0] * len(sensors)
        self._queue: deque[Heard | Awaited] = deque()
        # One sensor alone needs no comparison of clocks.
        self._quickest: list[Quickest | None] = [None] * len(sensors)
        self._compares = len(sensors) > 1

    @property
    def state(self) -> IntakeState:
        """All that the past leaves to the future; a copy, and settable."""
        queue = tuple(item.copy() if isinstance(item, Awaited) else item for item in self._queue)
        states = tuple(receiver.state for receiver in self._receivers)
        return IntakeState(states, tuple(self._data_ns), queue, tuple(self._quickest))

    @state.setter
    def state(self, state: IntakeState) -> None:
        for receiver, kept in zip(self._receivers, state.receivers, strict=True):
            receiver.state = kept
        self._data_ns, self._quickest = list(state.data_ns), list(state.quickest)
        self._queue = deque(item.copy() if isinstance(item, Awaited) else item for item in state.queue)

    @property
    def waiting(self) -> Sequence[Heard | Awaited]:
        """What waits behind a gap that may still be filled, that gap first; empty when nothing waits."""
        return tuple(self._queue)

    @property
    def oldest_gap_ns(self) -> int | None:
        """When the gap was noticed that everything waits for; ``None`` when nothing waits."""
        return self._queue[0].arrival_ns if self._queue else None

    def n_missing(self) -> dict[tuple[int, int], int]:
        """For each sensor and stream how many samples are missing and may still come."""
        if not self._queue:
            return {}
        found = {
            (sensor, stream.number): sum(stop - start for start, stop in receiver.missing(stream.number))
            for sensor, receiver in enumerate(self._receivers)
            for stream in receiver.capabilities.streams
        }
        return {key: n_samples for key, n_samples in found.items() if n_samples}

    def take(self, notification: Notification) -> Taken:
        """Take one notification of data or of the control point of a known sensor."""
        sensor, arrival_ns = notification.sensor, notification.arrival_ns
        receiver, payload = self._receivers[sensor], notification.payload
        if notification.kind is not NotificationKind.DATA:
            return self._sort_in(sensor, arrival_ns, receiver.receive_control(payload))
        taken = self._sort_in(sensor, arrival_ns, receiver.receive_data(payload))
        self._data_ns[sensor] = arrival_ns
        if self._compares:
            data = np.frombuffer(payload, np.uint8)
            self._note_quickest(sensor, data, np.array([0, len(data)]), np.array([arrival_ns]))
        return taken

    def take_many(self, batch: NotificationBatch) -> Iterator[Taken]:
        """Take many notifications, stretch by stretch; of unknown sensors and of other kinds nothing."""
        for start, stop in stretches(batch):
            sensor, kind = int(batch.sensor[start]), int(batch.kind[start])
            if sensor >= len(self._receivers):
                continue
            if kind == NotificationKind.DATA:
                yield self.take_data_many(sensor, batch, start, stop)
            elif kind == NotificationKind.CONTROL:
                for row in range(start, stop):
                    yield self.take(notification_at(batch, row))

    def take_data_many(self, sensor: int, batch: NotificationBatch, start: int, stop: int) -> Taken:
        """Take many data notifications of one sensor: rows of a batch."""
        offsets = batch.offsets[start : stop + 1]
        events = self._receivers[sensor].receive_data_many(batch.data, offsets)
        taken = self._sort_in(sensor, int(batch.arrival_ns[start]), events)
        self._data_ns[sensor] = int(batch.arrival_ns[stop - 1])
        if self._compares:
            self._note_quickest(sensor, batch.data, offsets, batch.arrival_ns[start:stop])
        return taken

    def _note_quickest(
        self,
        sensor: int,
        data: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        arrival_ns: NDArray[np.int64],
    ) -> None:
        found = quickest_of(data, offsets, arrival_ns, self._rates_hz[sensor])
        before = self._quickest[sensor]
        if found is not None and (before is None or found.delay_ns < before.delay_ns):
            self._quickest[sensor] = found

    def settled(self) -> list[Heard]:
        """Hand out, once, all that nothing missing stands before."""
        return joined(list(self._settled()))

    def _settled(self) -> Iterator[Heard]:
        while self._queue:
            head = list(itertools.takewhile(lambda item: isinstance(item, Awaited), self._queue))
            gaps = [item for item in head if isinstance(item, Awaited)]
            if not all(gap.resolved for gap in gaps):
                return
            for _ in gaps:
                self._queue.popleft()
            yield from _by_time(gaps)
            while self._queue and isinstance(self._queue[0], Heard):
                item = self._queue.popleft()
                assert isinstance(item, Heard)
                yield item

    def give_up(self) -> None:
        """Take everything that is missing for lost: nothing more will come."""
        for item in self._queue:
            if isinstance(item, Awaited):
                item.parts = item.as_it_stands()
                item.n_missing = 0

    def _sort_in(self, sensor: int, arrival_ns: int, events: Iterable[ReceiverEvent]) -> Taken:
        taken = Taken([], [])
        for event in events:
            if isinstance(event, Duplicate | Reject | StatusReceived):
                taken.asides.append((sensor, event))
            elif isinstance(event, Backfill | Expired):
                self._resolve(sensor, event)
            else:
                item = self._item(sensor, arrival_ns, event)
                self._queue.append(item)
                taken.heard.append(item)
        return taken

    def _item(
        self, sensor: int, arrival_ns: int, event: SampleBlock | Gap | StreamsOpened | Rebooted | TimeAnswered
    ) -> Heard | Awaited:
        if isinstance(event, TimeAnswered):
            quickest, self._quickest[sensor] = self._quickest[sensor], None
            pair = None if quickest is None else (quickest.device_us, quickest.arrival_ns)
            return Heard(sensor, arrival_ns, self._data_ns[sensor], event, pair)
        if not isinstance(event, Gap):
            return Heard(sensor, arrival_ns, self._data_ns[sensor], event)
        first, n_samples = event.first_sample, event.n_samples
        if not self._has_ring[sensor]:
            lost = Lost(event.stream, first, n_samples)
            return Heard(sensor, arrival_ns, self._data_ns[sensor], lost)
        return Awaited(
            sensor=sensor,
            first_sample=first,
            stop_sample=first + n_samples,
            stream=event.stream,
            rate_hz=self._rates_hz[sensor][event.stream],
            arrival_ns=arrival_ns,
            n_missing=n_samples,
        )

    def _resolve(self, sensor: int, event: Backfill | Expired) -> None:
        if isinstance(event, Backfill):
            piece: SampleBlock | Lost = event.block
        else:
            piece = Lost(event.stream, event.first_sample, event.n_samples)
        for item in self._queue:
            if not isinstance(item, Awaited) or item.resolved:
                continue
            if item.covers(sensor, piece.stream, piece.first_sample):
                item.resolve(piece)
                return
        # Behind the end of a session gaps have been given up that the sensor still fills.


def stretches(batch: NotificationBatch) -> Iterator[tuple[int, int]]:
    """Cut a batch where sensor or kind change: first row of each stretch, and the one after its last."""
    changes = np.flatnonzero((np.diff(batch.kind) != 0) | (np.diff(batch.sensor) != 0)) + 1
    return itertools.pairwise([0, *changes.tolist(), *([len(batch)] if len(batch) else [])])


def notification_at(batch: NotificationBatch, row: int) -> Notification:
    """Take one row out of a batch."""
    first, last = batch.offsets[row : row + 2]
    return Notification(
        int(batch.arrival_ns[row]),
        int(batch.sensor[row]),
        NotificationKind(int(batch.kind[row])),
        batch.data[first:last].tobytes(),
    )


def joined(items: Sequence[Heard]) -> list[Heard]:
    """Join blocks that follow each other within their stream; the engine is the faster for it.

    A joined block stands where its first part stood. Nothing is joined over what is not a block.
    """
    if len(items) < 2:
        return list(items)
    found: list[Heard] = []
    runs: dict[tuple[int, int], _BlockRun] = {}
    for item in items:
        block = item.event
        if not isinstance(block, SampleBlock):
            found += _closed(runs)
            found.append(item)
            continue
        key = item.sensor, block.stream
        if key in runs and runs[key].next_sample != block.first_sample:
            found += _closed(runs)
        runs.setdefault(key, _BlockRun(item)).add(block)
    return [*found, *_closed(runs)]


class _BlockRun:
    """Blocks that follow each other."""

    def __init__(self, first: Heard) -> None:
        self._first = first
        self._blocks: list[SampleBlock] = []
        self.next_sample = 0

    def add(self, block: SampleBlock) -> None:
        self._blocks.append(block)
        self.next_sample = block.first_sample + len(block.values)

    def joined(self) -> Heard:
        return replace(self._first, event=joined_block(self._blocks))


def _closed(runs: dict[tuple[int, int], _BlockRun]) -> list[Heard]:
    found = [run.joined() for run in runs.values()]
    runs.clear()
    return found


def _by_time(gaps: Sequence[Awaited]) -> list[Heard]:
    """Lay gaps of several streams, filled by now, side by side."""
    found: list[tuple[float, int, Heard]] = []
    for place, gap in enumerate(gaps):
        for piece in gap.as_it_stands():
            for one in _slices(piece, gap.rate_hz):
                since_s = (one.first_sample - gap.first_sample) / gap.rate_hz
                found.append((since_s, place, Heard(gap.sensor, gap.arrival_ns, gap.arrival_ns, one)))
    found.sort(key=lambda item: item[:2])
    return [heard for _, _, heard in found]


def _slices(piece: SampleBlock | Lost, rate_hz: float) -> Iterator[SampleBlock | Lost]:
    n_samples, length = n_samples_of(piece), max(1, round(SLICE_S * rate_hz))
    if isinstance(piece, Lost) or n_samples <= length:
        yield piece
        return
    for start in np.arange(0, n_samples, length).tolist():
        first = piece.first_sample + start
        yield part(piece, (first, min(first + length, piece.first_sample + n_samples)), rate_hz=rate_hz)


def without_missing(item: Heard | Awaited) -> list[Heard]:
    """Look at a waiting item as if what is missing were lost."""
    if isinstance(item, Heard):
        return [item]
    pieces = item.as_it_stands()
    return [Heard(item.sensor, item.arrival_ns, item.arrival_ns, piece) for piece in pieces]

"""Where a packet lies among the samples of its stream: new, known, or late and missed; no bytes here."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Stream
from firmware_protocol.control import StreamStart
from firmware_protocol.packets import BOUNDARY_FLAGS, SAMPLE_MODULUS, Sample, SampleFormat, sample_time_us

MAX_JUMP_S = 3600
"""A sample counter further away than this says nothing trustworthy (SPEC 5.7)."""

LAST_CHANCE_MS = 5000
"""So much longer than the ring is deep a missing sample may still come (SPEC 5.9)."""

Span: TypeAlias = tuple[int, int]
"""First sample and the one after the last, unwrapped."""


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
    """Samples that are missing; comes right before the block that revealed it.

    Where the sensor has a ring they may still come, as :class:`Backfill`, until they are
    :class:`Expired`. Without a ring they are lost.
    """

    stream: int
    first_sample: int
    n_samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Backfill:
    """Samples of a gap, come late; all of them were missing until now."""

    block: SampleBlock


@dataclass(frozen=True, slots=True)
class Expired:
    """Samples of a gap that will never come (SPEC 5.9)."""

    stream: int
    first_sample: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Samples that came though they had been delivered, or were lost for good; left out."""

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


DecoderEvent: TypeAlias = SampleBlock | Gap | Backfill | Expired | Duplicate | Reject


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far one stream has come."""

    stream: int
    next_sample: int | None = None
    """Unwrapped number of the sample expected next; None before the first."""
    time_us: int | None = None
    """Unwrapped device time of the newest packet, against which the next one is unwrapped."""
    missing: tuple[Span, ...] = ()
    """Samples that did not come and still may, in order."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What follows from the capabilities of one stream, worked out once."""

    stream: int
    sample_format: SampleFormat
    n_channels: int
    sample_size: int
    rate_hz: float
    max_jump: int
    last_chance: int
    """A missing sample is final when one comes that is more than so many newer; 0 without a ring."""

    @classmethod
    def of(cls, stream: Stream, *, ring_ms: int) -> "Layout":
        """Work out what decoding a stream needs; the ring is the sensor's."""
        max_jump = min(math.ceil(MAX_JUMP_S * stream.rate_hz), SAMPLE_MODULUS // 2 - 1)
        chance_ms = ring_ms + LAST_CHANCE_MS if ring_ms else 0
        return cls(
            stream=stream.number,
            sample_format=stream.sample_format,
            n_channels=len(stream.channels),
            sample_size=stream.sample_size,
            rate_hz=stream.rate_hz,
            max_jump=max_jump,
            last_chance=math.ceil(chance_ms * stream.rate_hz / 1000),
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a packet lies against what its stream expects and misses."""

    first_sample: int
    """Unwrapped."""
    n_known: int
    """How many of its samples, from the first on, are older than the one expected next."""
    gap: Gap | None = None
    """What it reveals as missing before itself."""
    fills: tuple[Span, ...] = ()
    """Which of the older ones were missing."""
    duplicate: Duplicate | None = None
    """Which of the older ones were not."""


def unwrap(raw: int, *, near: int | None, modulus: int) -> int:
    """Continue a counter: the number nearest to ``near`` that is ``raw`` modulo its width (SPEC 5.1)."""
    if near is None:
        return raw
    half = modulus // 2
    return near + (raw - near + half) % modulus - half


def place(state: StreamState, layout: Layout, *, first_sample: int, n_samples: int) -> Placed | str:
    """Compare a packet's sample counter with the expected one; words when it is implausible."""
    if state.next_sample is None:
        return Placed(first_sample, 0)
    first = unwrap(first_sample, near=state.next_sample, modulus=SAMPLE_MODULUS)
    ahead = first - state.next_sample
    if abs(ahead) > layout.max_jump:
        return (
            f"sample {first_sample} of stream {layout.stream} is {abs(ahead)} samples"
            f" {'after' if ahead > 0 else 'before'} the expected one, more than one hour"
        )
    if ahead > 0:
        return Placed(first, 0, Gap(layout.stream, state.next_sample, ahead))
    if ahead < 0:
        return _place_late(state, first, min(-ahead, n_samples))
    return Placed(first, 0)


def _place_late(state: StreamState, first: int, n_known: int) -> Placed:
    fills = common(state.missing, (first, first + n_known))
    n_duplicates = n_known - sum(stop - start for start, stop in fills)
    duplicate = None
    if n_duplicates:
        starts_missing = bool(fills) and fills[0][0] == first
        duplicate = Duplicate(state.stream, fills[0][1] if starts_missing else first, n_duplicates)
    return Placed(first, n_known, fills=fills, duplicate=duplicate)


def advance(
    state: StreamState, layout: Layout, placed: Placed, *, n_samples: int, time_us: int
) -> StreamState:
    """Go on by one packet: what it fills is no longer missing, what it reveals is."""
    missing = state.missing
    for span in placed.fills:
        missing = without(missing, span)
    if placed.n_known == n_samples:
        return replace(state, missing=missing)
    if placed.gap is not None and layout.last_chance:
        gap = placed.gap
        missing = (*missing, (gap.first_sample, gap.first_sample + gap.n_samples))
    return StreamState(state.stream, placed.first_sample + n_samples, time_us, missing)


def expire(state: StreamState, layout: Layout) -> tuple[StreamState, list[Expired]]:
    """Give up what is missing for longer than a ring can hold it (SPEC 5.9)."""
    missing = state.missing
    if not missing or state.next_sample is None:
        return state, []
    oldest = state.next_sample - 1 - layout.last_chance
    gone = [span for span in missing if span[1] - 1 < oldest]
    return forget(state, gone)


def forget(state: StreamState, gone: list[Span]) -> tuple[StreamState, list[Expired]]:
    """Take samples for lost; those of them that are not missing are let be."""
    events: list[Expired] = []
    missing = state.missing
    for span in gone:
        for start, stop in common(missing, span):
            events.append(Expired(state.stream, start, stop - start))
        missing = without(missing, span)
    return replace(state, missing=missing), events


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """What a START made of one stream."""

    state: StreamState
    continued: bool
    """Whether its count goes on where it was."""
    events: tuple[DecoderEvent, ...] = ()


def open_stream(state: StreamState, layout: Layout, start: StreamStart) -> OpenedStream:
    """Take a stream to where a START says that it begins.

    Where the count goes on, what was passed over is a gap. A count that went backwards or jumped beyond
    SPEC 5.7 begins anew, and what was missing is final.
    """
    first = unwrap(start.first_sample, near=state.next_sample, modulus=SAMPLE_MODULUS)
    if state.next_sample is None or not 0 <= first - state.next_sample <= layout.max_jump:
        _, expired = forget(state, list(state.missing))
        anew = StreamState(start.stream, start.first_sample, start.time_us)
        return OpenedStream(anew, continued=False, events=tuple(expired))
    if first == state.next_sample:
        return OpenedStream(state, continued=True)
    gap = Gap(start.stream, state.next_sample, first - state.next_sample)
    missing = (*state.missing, (state.next_sample, first)) if layout.last_chance else state.missing
    return OpenedStream(
        StreamState(state.stream, first, state.time_us, missing), continued=True, events=(gap,)
    )


def common(spans: tuple[Span, ...], with_span: Span) -> tuple[Span, ...]:
    """Cut out what spans share with one span."""
    start, stop = with_span
    if start >= stop:
        return ()
    return tuple((max(a, start), min(b, stop)) for a, b in spans if a < stop and b > start)


def without(spans: tuple[Span, ...], span: Span) -> tuple[Span, ...]:
    """Take a span out of spans."""
    start, stop = span
    if start >= stop:
        return spans
    left: list[Span] = []
    for a, b in spans:
        if b <= start or a >= stop:
            left.append((a, b))
            continue
        if a < start:
            left.append((a, start))
        if b > stop:
            left.append((stop, b))
    return tuple(left)


def part(block: SampleBlock, span: Span, *, rate_hz: float) -> SampleBlock:
    """Cut consecutive samples out of a block."""
    skipped = span[0] - block.first_sample
    return SampleBlock(
        stream=block.stream,
        first_sample=span[0],
        time_us=block.time_us + sample_time_us(skipped, rate_hz=rate_hz),
        values=block.values[skipped : span[1] - block.first_sample],
        flags=block.flags,
    )


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
            if isinstance(event, Backfill):
                open_runs.pop(event.block.stream, None)
            elif not isinstance(event, Reject):
                open_runs.pop(event.stream, None)
    return [joined_block(place) if isinstance(place, list) else place for place in places]


def _joins(before: SampleBlock, after: SampleBlock) -> bool:
    return (
        after.first_sample == before.first_sample + len(before.values)
        and after.flags == before.flags
        and not after.flags & int(BOUNDARY_FLAGS)
    )


def joined_block(run: Sequence[SampleBlock]) -> SampleBlock:
    """Join blocks that follow each other; time and flags are those of the first."""
    if len(run) == 1:
        return run[0]
    first = run[0]
    values = np.concatenate([block.values for block in run])
    return SampleBlock(first.stream, first.first_sample, first.time_us, values, first.flags)

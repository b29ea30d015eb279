"""Many notifications at once give what one by one gives, however they are cut into calls."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.decoder import (
    Backfill,
    Decoder,
    DecoderEvent,
    Gap,
    Reject,
    SampleBlock,
    coalesce,
)
from firmware_protocol.packets import PackedNotifications, SampleFormat, pack_stream

EMG = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 1.0)
SENSOR = Capabilities(
    version_minor=0,
    boot_id=1,
    name="emgmon",
    ring_ms=0,
    streams=(
        Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (EMG, EMG)),
        Stream(2, StreamKind.EMG, SampleFormat.INT24, 500.0, (EMG,)),
        Stream(3, StreamKind.EMG, SampleFormat.FLOAT32, 100.0, (EMG,)),
    ),
)
RINGED = replace(SENSOR, version_minor=1, ring_ms=2)
"""Keeps two milliseconds; with the time of grace, missing samples of the fast stream expire after 5,002."""


def packet(
    stream: int, first: int, n_samples: int, *, time_us: int, flags: int = 0, sample_format: int | None = None
) -> bytes:
    """Put a packet together by hand; its sample bytes follow from its sample numbers."""
    format_code = stream - 1 if sample_format is None else sample_format
    header = struct.pack("<BBHI", 0x10 | format_code, stream, 0, first % 2**32)
    header += struct.pack("<Q", time_us % 2**48)[:6] + bytes((n_samples, flags))
    size = (4, 3, 4)[stream - 1]
    return header + bytes((first * size + k) % 120 for k in range(n_samples * size))


@st.composite
def journeys(draw: st.DrawFn) -> list[bytes]:
    """Draw what a bad link and a bad sensor make of three interleaved streams, most of it sound."""
    next_sample = dict.fromkeys((1, 2, 3), draw(st.integers(2**32 - 60, 2**32)))
    time_us = draw(st.sampled_from([0, 2**48 - 40_000]))
    notifications: list[bytes] = []
    for _ in range(draw(st.integers(0, 60))):
        stream = draw(st.sampled_from([1, 1, 1, 2, 3]))
        n_samples = draw(st.sampled_from([4, 4, 4, 4, 1, 7]))
        what = draw(
            st.sampled_from(
                ["sound"] * 12
                + ["lost", "back", "late", "flag", "jump", "away", "format", "junk", "cut", "long"]
            )
        )
        first = next_sample[stream] - (draw(st.integers(1, 9)) if what == "back" else 0)
        first -= draw(st.integers(1, 60)) if what == "late" else 0
        next_sample[stream] += draw(st.integers(2000, 6000)) if what == "away" else 0
        first += 10_000_000 if what == "jump" else 0
        flags = draw(st.integers(0, 255)) if what == "flag" else 0
        data = packet(
            stream,
            first,
            n_samples,
            time_us=time_us + draw(st.integers(-5, 5)),
            flags=flags,
            sample_format=draw(st.integers(0, 15)) if what == "format" else None,
        )
        if what == "junk":
            data = draw(st.binary(max_size=40))
        elif what == "cut":
            data = data[: draw(st.integers(0, len(data)))]
        elif what == "long":
            data += bytes(draw(st.integers(1, 9)))
        elif what in ("sound", "flag", "lost"):
            next_sample[stream] += n_samples
        time_us += 2000
        if what != "lost":
            notifications.append(data)
    return notifications


def columns(notifications: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    offsets = np.cumsum([0, *map(len, notifications)], dtype=np.int64)
    return np.frombuffer(b"".join(notifications), np.uint8), offsets


def spelled(events: Sequence[DecoderEvent]) -> list[Any]:
    """Make sample blocks comparable, down to the bits of a NaN."""
    return [
        ("late", *spelled([e.block]))
        if isinstance(e, Backfill)
        else (
            e.stream,
            e.first_sample,
            e.time_us,
            e.flags,
            e.values.dtype,
            e.values.shape,
            e.values.tobytes(),
        )
        if isinstance(e, SampleBlock)
        else e
        for e in events
    ]


@settings(max_examples=300)
@given(st.sampled_from([SENSOR, RINGED]), journeys(), st.data())
def test_many_at_once_is_one_by_one_coalesced(
    sensor: Capabilities, notifications: list[bytes], draw: st.DataObject
) -> None:
    scalar = Decoder(sensor)
    one_by_one = [event for data in notifications for event in scalar.receive(data)]
    whole = Decoder(sensor)
    at_once = whole.receive_many(*columns(notifications))
    assert spelled(at_once) == spelled(coalesce(one_by_one))
    assert whole.state == scalar.state

    cut = Decoder(sensor)
    data, offsets = columns(notifications)
    in_parts: list[DecoderEvent] = []
    first = 0
    while first < len(notifications):
        last = draw.draw(st.integers(first, len(notifications)))
        in_parts += cut.receive_many(data, offsets[first : last + 1])
        if last == first:
            in_parts += cut.receive(notifications[first])
            last += 1
        first = last
    assert spelled(coalesce(in_parts)) == spelled(at_once)
    assert cut.state == scalar.state


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_no_bytes_raise_and_all_are_judged_as_one_by_one(notifications: list[bytes]) -> None:
    one, many = Decoder(SENSOR), Decoder(SENSOR)
    expected = [event for data in notifications for event in one.receive(data)]
    assert spelled(many.receive_many(*columns(notifications))) == spelled(coalesce(expected))


def packed(stream: Stream, values: NDArray[Any], per_packet: int) -> PackedNotifications:
    return pack_stream(
        values,
        stream=stream.number,
        sample_format=stream.sample_format,
        rate_hz=stream.rate_hz,
        samples_per_packet=per_packet,
    )


def test_interleaved_streams_come_out_as_one_block_each() -> None:
    numbers = np.arange(600)
    emg = np.stack([numbers, -numbers], axis=1).astype(np.int16)
    fine = (numbers[:150, np.newaxis] * 1000 - 70_000).astype(np.int32)
    parts = []
    for stream, values, per_packet in ((SENSOR.streams[0], emg, 7), (SENSOR.streams[1], fine, 5)):
        made = packed(stream, values, per_packet)
        times_s = made.first_samples / stream.rate_hz
        cuts = zip(made.offsets[:-1], made.offsets[1:], strict=True)
        parts += [(time, made.data[a:b].tobytes()) for time, (a, b) in zip(times_s, cuts, strict=True)]
    parts.sort(key=lambda part: part[0])
    first, second = Decoder(SENSOR).receive_many(*columns([data for _, data in parts]))
    assert isinstance(first, SampleBlock)
    assert isinstance(second, SampleBlock)
    assert (first.stream, second.stream) == (1, 2)
    np.testing.assert_array_equal(first.values, emg)
    np.testing.assert_array_equal(second.values, fine)


def test_events_stand_in_the_order_of_their_first_notification() -> None:
    notifications = [
        packet(2, 0, 1, time_us=0),
        b"junk",
        packet(1, 0, 4, time_us=0),
        packet(2, 1, 1, time_us=2000),
        packet(2, 5, 1, time_us=10_000),
        packet(1, 4, 4, time_us=4000),
    ]
    events = Decoder(SENSOR).receive_many(*columns(notifications))
    kinds = [(type(event), getattr(event, "stream", None)) for event in events]
    assert kinds == [(SampleBlock, 2), (Reject, None), (SampleBlock, 1), (Gap, 2), (SampleBlock, 2)]


def test_a_flag_holds_for_its_own_samples_only() -> None:
    saturated, gap_before = 4, 2
    flags = [0, 0, saturated, saturated, 0, gap_before, gap_before]
    notifications = [packet(1, k, 1, time_us=1000 * k, flags=flag) for k, flag in enumerate(flags)]
    blocks = Decoder(SENSOR).receive_many(*columns(notifications))
    assert [(b.first_sample, len(b.values), b.flags) for b in blocks if isinstance(b, SampleBlock)] == [
        (0, 2, 0),
        (2, 2, saturated),
        (4, 1, 0),
        (5, 1, gap_before),
        (6, 1, gap_before),
    ]


def test_a_reject_does_not_part_the_blocks_of_a_stream_and_a_duplicate_does() -> None:
    first, second = packet(1, 0, 2, time_us=0), packet(1, 2, 2, time_us=2000)
    across = Decoder(SENSOR).receive_many(*columns([first, b"?", second]))
    assert [type(event).__name__ for event in across] == ["SampleBlock", "Reject"]
    parted = Decoder(SENSOR).receive_many(*columns([first, first, second]))
    assert [type(event).__name__ for event in parted] == ["SampleBlock", "Duplicate", "SampleBlock"]


def test_read_only_and_partial_columns_are_taken() -> None:
    notifications = [packet(1, k, 1, time_us=1000 * k) for k in range(10)]
    data, offsets = columns(notifications)
    assert not data.flags.writeable
    (block,) = Decoder(SENSOR).receive_many(data, offsets[3:8])
    assert isinstance(block, SampleBlock)
    assert (block.first_sample, len(block.values)) == (3, 4)
    assert block.values.flags.writeable


def test_a_notification_with_bytes_behind_its_samples_is_rejected() -> None:
    too_long = packet(1, 0, 2, time_us=0) + b"\0"
    (reject,) = Decoder(SENSOR).receive_many(*columns([too_long]))
    assert isinstance(reject, Reject)
    assert (reject.clause, reject.n_bytes) == ("4.10", 25)


def test_a_counter_that_wraps_does_not_part_a_block() -> None:
    notifications = [packet(1, 2**32 - 4 + 2 * k, 2, time_us=2**48 - 4000 + 2000 * k) for k in range(5)]
    decoder = Decoder(SENSOR)
    (block,) = decoder.receive_many(*columns(notifications))
    assert isinstance(block, SampleBlock)
    assert (block.first_sample, len(block.values)) == (2**32 - 4, 10)
    assert decoder.state.streams[0].next_sample == 2**32 + 6
    assert decoder.state.streams[0].time_us == 2**48 + 4000


def test_nothing_in_is_nothing_out() -> None:
    assert Decoder(SENSOR).receive_many(np.zeros(0, np.uint8), np.zeros(1, np.int64)) == []


@pytest.mark.parametrize("offsets", [[], [0, 9], [-1, 4], [4, 2]])
def test_offsets_outside_the_data_are_the_caller_s_mistake(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        Decoder(SENSOR).receive_many(np.zeros(8, np.uint8), np.array(offsets, np.int64))

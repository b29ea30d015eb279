"""The decoder, notification by notification, against SPEC 4 and 5."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Started, StreamStart
from firmware_protocol.decoder import (
    Decoder,
    DecoderState,
    Duplicate,
    Gap,
    Opened,
    Reject,
    SampleBlock,
    StreamState,
)
from firmware_protocol.packets import SampleFormat

EMG = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 1.0)
SENSOR = Capabilities(
    version_minor=0,
    boot_id=1,
    name="emgmon",
    ring_ms=0,
    streams=(
        Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (EMG,)),
        Stream(2, StreamKind.EMG, SampleFormat.INT24, 500.0, (EMG, EMG)),
        Stream(3, StreamKind.EMG, SampleFormat.FLOAT32, 100.0, (EMG,)),
    ),
)


def notification(
    samples: list[int], *, first: int, stream: int = 1, time_us: int = 0, flags: int = 0, version: int = 0x10
) -> bytes:
    """Put a packet of single-channel INT16 samples together by hand."""
    time = struct.pack("<Q", time_us % 2**48)[:6]
    header = struct.pack("<BBHI", version, stream, 0, first % 2**32) + time
    return header + bytes((len(samples), flags)) + struct.pack(f"<{len(samples)}h", *samples)


def spelled(event: Any) -> Any:
    """Make a sample block comparable."""
    if isinstance(event, SampleBlock):
        return event.stream, event.first_sample, event.time_us, event.values[:, 0].tolist(), event.flags
    return event


def received(decoder: Decoder, data: bytes) -> list[Any]:
    return [spelled(event) for event in decoder.receive(data)]


def started(first: int, time_us: int = 0) -> Started:
    return Started(7, time_us, (StreamStart(1, first, time_us),))


def test_samples_that_follow_each_other_are_blocks() -> None:
    decoder = Decoder(SENSOR)
    assert received(decoder, notification([1, 2], first=10, time_us=99)) == [(1, 10, 99, [1, 2], 0)]
    assert received(decoder, notification([3], first=12, time_us=101)) == [(1, 12, 101, [3], 0)]


def test_a_jump_ahead_is_a_gap_before_the_block_that_revealed_it() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1, 2], first=10))
    assert received(decoder, notification([3], first=17)) == [Gap(1, 12, 5), (1, 17, 0, [3], 0)]


def test_loss_before_the_first_packet_is_a_gap_when_start_was_seen() -> None:
    decoder = Decoder(SENSOR)
    decoder.start(started(first=5))
    assert received(decoder, notification([3], first=7)) == [Gap(1, 5, 2), (1, 7, 0, [3], 0)]


def test_samples_that_came_before_are_duplicates() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1, 2, 3], first=10))
    assert received(decoder, notification([1, 2, 3], first=10)) == [Duplicate(1, 10, 3)]
    assert received(decoder, notification([9], first=4)) == [Duplicate(1, 4, 1)]


def test_the_new_end_of_an_overlapping_packet_is_delivered() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1, 2, 3], first=10, time_us=10_000))
    events = received(decoder, notification([2, 3, 4, 5], first=11, time_us=11_000))
    assert events == [Duplicate(1, 11, 2), (1, 13, 13_000, [4, 5], 0)]


def test_a_late_packet_after_its_gap_is_a_duplicate() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1], first=0))
    decoder.receive(notification([3], first=2))
    assert received(decoder, notification([2], first=1)) == [Duplicate(1, 1, 1)]


def test_the_sample_counter_goes_on_over_its_wrap() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1, 2], first=2**32 - 2))
    assert received(decoder, notification([3], first=0)) == [(1, 2**32, 0, [3], 0)]
    assert received(decoder, notification([4], first=3)) == [Gap(1, 2**32 + 1, 2), (1, 2**32 + 3, 0, [4], 0)]


def test_device_time_goes_on_over_its_wrap() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1], first=0, time_us=2**48 - 400))
    assert received(decoder, notification([2], first=1, time_us=600)) == [(1, 1, 2**48 + 600, [2], 0)]


def test_the_furthest_jump_is_one_hour() -> None:
    hour = 3_600_000
    decoder = Decoder(SENSOR)
    decoder.start(started(first=100))
    (reject,) = decoder.receive(notification([1], first=100 + hour + 1))
    assert reject == Reject(
        f"sample {hour + 101} of stream 1 is {hour + 1} samples after the expected one, more than one hour",
        "5.7",
        18,
    )
    (reject,) = decoder.receive(notification([1], first=100 - hour - 1))
    assert isinstance(reject, Reject)
    assert "before the expected one" in reject.reason
    assert received(decoder, notification([1], first=100 + hour))[0] == Gap(1, 100, hour)


def test_a_rejected_packet_changes_nothing() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1], first=0))
    before = decoder.state
    decoder.receive(notification([1], first=2**31))
    decoder.receive(notification([1], first=1)[:-1])
    assert decoder.state == before


@pytest.mark.parametrize(
    ("data", "clause", "words"),
    [
        (b"", "4.1", "0 bytes are fewer than the 16"),
        (bytes(15), "4.1", "15 bytes"),
        (notification([1], first=0, version=0x20), "3.2", "version 2"),
        (notification([1], first=0, version=0x20, stream=77), "3.2", "version 2"),
        (notification([1], first=0, version=0x13), "4.2", "format 3"),
        (notification([1], first=0, stream=77), "4.3", "stream 77"),
        (notification([], first=0), "4.7", "0 samples"),
        (notification([1], first=0)[:-1], "4.10", "17 bytes came where 1 samples of 1 channels"),
        (notification([1], first=0) + b"\0", "4.10", "19 bytes"),
        (notification([1, 2, 3], first=0, stream=2, version=0x11), "4.10", "3 samples of 2 channels"),
        (notification([1], first=0, stream=3), "4.2", "INT16, announced was FLOAT32"),
    ],
)
def test_what_breaks_a_clause_is_rejected_with_the_value(data: bytes, clause: str, words: str) -> None:
    (reject,) = Decoder(SENSOR).receive(data)
    assert isinstance(reject, Reject)
    assert (reject.clause, reject.n_bytes) == (clause, len(data))
    assert words in reject.reason


def test_known_flags_are_passed_on_and_reserved_ones_ignored() -> None:
    assert received(Decoder(SENSOR), notification([1], first=0, flags=0xFD)) == [(1, 0, 0, [1], 0x1D)]


def test_24_bit_and_float_samples_come_in_their_types() -> None:
    decoder = Decoder(SENSOR)
    head = struct.pack("<HIIHBB", 0, 0, 0, 0, 2, 0)
    (fine,) = decoder.receive(b"\x11\x02" + head + bytes.fromhex("ffffff 010000 000080 ffff7f"))
    assert isinstance(fine, SampleBlock)
    assert fine.values.dtype == np.int32
    assert fine.values.tolist() == [[-1, 1], [-(2**23), 2**23 - 1]]
    (floats,) = decoder.receive(b"\x12\x03" + head + struct.pack("<fI", 1.5, 0xFFC12345))
    assert isinstance(floats, SampleBlock)
    assert floats.values.view(np.uint32).tolist() == [[0x3FC00000], [0xFFC12345]]


def test_a_memoryview_is_read_and_not_kept() -> None:
    buffer = bytearray(notification([1, 2], first=0))
    (block,) = Decoder(SENSOR).receive(memoryview(buffer))
    buffer[16:] = bytes(4)
    assert isinstance(block, SampleBlock)
    assert block.values[:, 0].tolist() == [1, 2]


def test_streams_count_each_on_their_own() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1], first=0))
    header = b"\x12\x03" + struct.pack("<HIIHBB", 0, 900, 0, 0, 1, 0)
    assert received(decoder, header + struct.pack("<f", 2.0)) == [(3, 900, 0, [2.0], 0)]
    assert received(decoder, notification([2], first=1)) == [(1, 1, 0, [2], 0)]


def test_a_state_put_into_another_decoder_carries_on_there() -> None:
    one, other = Decoder(SENSOR), Decoder(SENSOR)
    one.receive(notification([1], first=2**32 - 1, time_us=2**48 - 1))
    other.state = one.state
    rest = notification([2], first=4, time_us=9)
    assert (
        received(other, rest)
        == received(one, rest)
        == [
            Gap(1, 2**32, 4),
            (1, 2**32 + 4, 2**48 + 9, [2], 0),
        ]
    )


def test_a_state_of_another_sensor_is_refused() -> None:
    with pytest.raises(ValueError, match="99"):
        Decoder(SENSOR).state = DecoderState((StreamState(99),))


def test_a_second_start_makes_what_was_missed_a_gap() -> None:
    decoder = Decoder(SENSOR)
    decoder.start(started(first=0))
    decoder.receive(notification([1], first=0))
    assert decoder.start(started(first=500, time_us=500_000)) == Opened((1,), (Gap(1, 1, 499),))
    assert received(decoder, notification([2], first=500, time_us=500_000)) == [(1, 500, 500_000, [2], 0)]


def test_a_second_start_with_a_count_that_went_back_begins_anew() -> None:
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1], first=5000, time_us=5_000_000))
    assert decoder.start(started(first=0, time_us=100)) == Opened((), ())
    assert received(decoder, notification([2], first=0, time_us=100)) == [(1, 0, 100, [2], 0)]


def test_a_start_of_a_stream_that_was_not_announced_is_let_pass() -> None:
    decoder = Decoder(SENSOR)
    decoder.start(Started(1, 0, (StreamStart(99, 0, 0),)))
    assert decoder.state == Decoder(SENSOR).state


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_raise(notifications: list[bytes]) -> None:
    decoder = Decoder(SENSOR)
    for data in notifications:
        for event in decoder.receive(data):
            assert isinstance(event, SampleBlock | Gap | Duplicate | Reject)


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), min_size=1, max_size=30),
)
def test_every_sample_number_is_reported_once_as_delivered_or_missing(
    first: int, packets: list[tuple[int, int]]
) -> None:
    """Whatever the order, repetition or loss: blocks and gaps tile the axis of sample numbers."""
    decoder = Decoder(SENSOR)
    decoder.start(started(first=first))
    expected = first
    for offset, n_samples in packets:
        samples = [(offset + k) % 100 for k in range(n_samples)]
        for event in decoder.receive(notification(samples, first=first + offset)):
            if isinstance(event, Gap):
                assert event.first_sample == expected
                expected += event.n_samples
            elif isinstance(event, SampleBlock):
                assert event.first_sample == expected
                positions = np.arange(expected, expected + len(event.values)) - first
                assert event.values[:, 0].tolist() == (positions % 100).tolist()
                expected += len(event.values)
            else:
                assert isinstance(event, Duplicate)
                assert event.first_sample + event.n_samples <= expected
    assert expected == first + max(offset + n_samples for offset, n_samples in packets)

"""Data packets against the byte tables of SPEC 4, put together by hand."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.packets import (
    DataPacket,
    PacketFlag,
    SampleFormat,
    pack_stream,
    sample_time_us,
    samples_per_packet,
)

DTYPES = {SampleFormat.INT16: np.int16, SampleFormat.INT24: np.int32, SampleFormat.FLOAT32: np.float32}
LIMITS = {SampleFormat.INT16: 2**15, SampleFormat.INT24: 2**23}


def packet(values: Any, sample_format: SampleFormat = SampleFormat.INT16, **changes: Any) -> DataPacket:
    fields = {"stream": 1, "sequence": 0, "first_sample": 0, "time_us": 0, "flags": PacketFlag(0)} | changes
    return DataPacket(
        sample_format=sample_format, values=np.array(values, DTYPES[sample_format]).reshape(-1, 1), **fields
    )


@st.composite
def samples(draw: st.DrawFn, sample_format: SampleFormat, max_samples: int = 255) -> NDArray[Any]:
    shape = draw(st.tuples(st.integers(1, max_samples), st.integers(1, 7)))
    if sample_format is SampleFormat.FLOAT32:
        bits = draw(npst.arrays(np.uint32, shape))
        values = bits.view(np.float32)
        return np.where(np.isinf(values), np.float32(0), values)
    limit = LIMITS[sample_format]
    return draw(npst.arrays(DTYPES[sample_format], shape, elements=st.integers(-limit, limit - 1)))


def bits(values: NDArray[Any]) -> NDArray[Any]:
    return values.view(np.uint32) if values.dtype == np.float32 else values


def test_the_example_of_clause_4_13_is_written_and_read() -> None:
    values = np.array([[1, -1], [256, -32768]], np.int16)
    one = DataPacket(1, 258, 100_000, 50_000_000, SampleFormat.INT16, PacketFlag.SATURATED, values)
    by_hand = bytes.fromhex("10 01 02 01 A0 86 01 00 80 F0 FA 02 00 00 02 04 01 00 FF FF 00 01 00 80")
    assert one.to_bytes() == by_hand
    again = DataPacket.from_bytes(by_hand, n_channels=2)
    assert (again.stream, again.sequence, again.first_sample, again.time_us) == (1, 258, 100_000, 50_000_000)
    assert again.flags == PacketFlag.SATURATED
    assert again.values.dtype == np.int16
    np.testing.assert_array_equal(again.values, values)


def test_counters_wrap_when_written() -> None:
    one = packet([5], sequence=2**16 + 3, first_sample=2**32 + 4, time_us=2**48 + 2**40 + 6)
    expected = struct.pack("<BBHIIHBBh", 0x10, 1, 3, 4, 6, 2**8, 1, 0, 5)
    assert one.to_bytes() == expected


def test_24_bit_samples_are_three_bytes_and_keep_their_sign() -> None:
    data = packet([-1, -(2**23), 2**23 - 1, 0x010203], SampleFormat.INT24).to_bytes()
    assert data[0] == 0x11
    assert data[16:] == bytes.fromhex("ffffff 000080 ffff7f 030201")
    again = DataPacket.from_bytes(data, n_channels=1).values
    assert again.dtype == np.int32
    assert again[:, 0].tolist() == [-1, -(2**23), 2**23 - 1, 0x010203]


def test_every_nan_keeps_its_bits_and_an_infinity_is_a_missing_sample() -> None:
    patterns = [0x7FC00000, 0x7FC01234, 0xFFC00001, 0x7F800001, 0x7F800000, 0xFF800000]
    header = struct.pack("<BBHIIHBB", 0x12, 1, 0, 0, 0, 0, len(patterns), 0)
    data = header + struct.pack("<6I", *patterns)
    values = DataPacket.from_bytes(data, n_channels=1).values
    assert values[:4, 0].view(np.uint32).tolist() == patterns[:4]
    assert np.isnan(values[4:]).all()


def test_a_number_beyond_float32_is_sent_as_missing() -> None:
    values = np.array([[1e300], [2.0]])
    packed = pack_stream(
        values, stream=1, sample_format=SampleFormat.FLOAT32, rate_hz=1.0, samples_per_packet=2
    )
    again = DataPacket.from_bytes(packed.data.tobytes(), n_channels=1).values
    assert np.isnan(again[0, 0])
    assert again[1, 0] == 2.0


def test_reserved_flags_are_ignored_when_read_and_refused_when_written() -> None:
    data = bytearray(packet([1], flags=PacketFlag.LEAD_OFF).to_bytes())
    data[15] |= 0xE0
    assert DataPacket.from_bytes(bytes(data), n_channels=1).flags == PacketFlag.LEAD_OFF
    with pytest.raises(HostFault, match="0x20") as fault:
        packet([1], flags=PacketFlag(0x20)).to_bytes()
    assert fault.value.clause == "4.8"


@pytest.mark.parametrize(
    ("data", "clause", "value"),
    [
        (b"", "4.1", "0 bytes"),
        (bytes(15), "4.1", "15 bytes"),
        (b"\x20" + bytes(15), "3.2", "version 2"),
        (b"\x1f" + bytes(15), "4.2", "format 15"),
        (b"\x10\x07" + bytes(14), "4.7", "stream 7"),
        (b"\x10" + bytes(13) + b"\x02\x00" + bytes(3), "4.10", "19 bytes"),
        (b"\x10" + bytes(13) + b"\x02\x00" + bytes(5), "4.10", "21 bytes"),
    ],
)
def test_a_packet_that_breaks_a_clause_is_refused_with_it(data: bytes, clause: str, value: str) -> None:
    with pytest.raises(SensorFault, match=value) as fault:
        DataPacket.from_bytes(data, n_channels=1)
    assert fault.value.clause == clause


@pytest.mark.parametrize(
    ("values", "sample_format", "clause"),
    [
        (np.array([[2**15]]), SampleFormat.INT16, "4.11"),
        (np.array([[-(2**23) - 1]]), SampleFormat.INT24, "4.11"),
        (np.array([[0.5]]), SampleFormat.INT16, "4.11"),
        (np.array([1, 2]), SampleFormat.INT16, "4.9"),
        (np.zeros((256, 1), np.int16), SampleFormat.INT16, "4.7"),
        (np.zeros((0, 1), np.int16), SampleFormat.INT16, "4.7"),
    ],
)
def test_what_does_not_fit_is_not_written(
    values: NDArray[Any], sample_format: SampleFormat, clause: str
) -> None:
    with pytest.raises(HostFault) as fault:
        DataPacket(1, 0, 0, 0, sample_format, PacketFlag(0), values).to_bytes()
    assert fault.value.clause == clause


@given(st.data(), st.sampled_from(SampleFormat))
def test_what_was_written_is_read_back(data: st.DataObject, sample_format: SampleFormat) -> None:
    values = data.draw(samples(sample_format))
    one = DataPacket(
        data.draw(st.integers(0, 255)),
        data.draw(st.integers(0, 2**16 - 1)),
        data.draw(st.integers(0, 2**32 - 1)),
        data.draw(st.integers(0, 2**48 - 1)),
        sample_format,
        PacketFlag(data.draw(st.integers(0, 31))),
        values,
    )
    again = DataPacket.from_bytes(one.to_bytes(), n_channels=values.shape[1])
    for field in ("stream", "sequence", "first_sample", "time_us", "sample_format", "flags"):
        assert getattr(again, field) == getattr(one, field)
    assert again.values.dtype == values.dtype
    np.testing.assert_array_equal(bits(again.values), bits(values))


@given(
    st.data(),
    st.sampled_from(SampleFormat),
    st.integers(0, 2**34),
    st.integers(0, 2**17),
    st.integers(0, 2**50),
    st.integers(1, 255),
)
def test_a_packed_stream_is_byte_for_byte_the_single_packets(
    data: st.DataObject,
    sample_format: SampleFormat,
    first_sample: int,
    first_sequence: int,
    zero_us: int,
    per_packet: int,
) -> None:
    values = data.draw(samples(sample_format, max_samples=600))
    packed = pack_stream(
        values,
        stream=9,
        sample_format=sample_format,
        rate_hz=148.148,
        first_sample=first_sample,
        first_sequence=first_sequence,
        time_us_of_sample_zero=zero_us,
        samples_per_packet=per_packet,
        flags=PacketFlag.LEAD_OFF,
    )
    singles = [
        DataPacket(
            9,
            first_sequence + k,
            first_sample + start,
            zero_us + sample_time_us(first_sample + start, rate_hz=148.148),
            sample_format,
            PacketFlag.LEAD_OFF,
            values[start : start + per_packet],
        )
        for k, start in enumerate(range(0, len(values), per_packet))
    ]
    assert packed.data.tobytes() == b"".join(one.to_bytes() for one in singles)
    assert np.diff(packed.offsets).tolist() == [len(one.to_bytes()) for one in singles]
    assert packed.first_samples.tolist() == [one.first_sample for one in singles]
    assert packed.n_samples.tolist() == [len(one.values) for one in singles]


def test_given_times_are_those_of_each_packet_s_first_sample() -> None:
    values = np.arange(5, dtype=np.int16).reshape(-1, 1)
    times_us = np.array([10, 20, 31, 39, 2**48 + 50])
    packed = pack_stream(
        values,
        stream=1,
        sample_format=SampleFormat.INT16,
        rate_hz=100.0,
        times_us=times_us,
        samples_per_packet=2,
    )
    packets = [
        DataPacket.from_bytes(packed.data[start:end].tobytes(), n_channels=1)
        for start, end in zip(packed.offsets[:-1], packed.offsets[1:], strict=True)
    ]
    assert [one.time_us for one in packets] == [10, 31, 50]


def test_an_empty_stretch_packs_to_nothing() -> None:
    packed = pack_stream(
        np.zeros((0, 3), np.int16),
        stream=1,
        sample_format=SampleFormat.INT16,
        rate_hz=1.0,
        samples_per_packet=5,
    )
    assert packed.offsets.tolist() == [0]
    assert len(packed.data) == len(packed.first_samples) == len(packed.n_samples) == 0


@pytest.mark.parametrize(
    ("payload_size", "n_channels", "sample_format", "n_samples"),
    [
        (244, 4, SampleFormat.INT16, 28),  # 228 bytes of samples, 8 bytes each
        (182, 2, SampleFormat.INT24, 27),  # 166 bytes, 6 each
        (20, 1, SampleFormat.FLOAT32, 1),
        (509, 1, SampleFormat.INT16, 246),
        (10_000, 1, SampleFormat.INT16, 255),
    ],
)
def test_as_many_samples_go_into_a_packet_as_fit(
    payload_size: int, n_channels: int, sample_format: SampleFormat, n_samples: int
) -> None:
    fits = samples_per_packet(payload_size=payload_size, n_channels=n_channels, sample_format=sample_format)
    assert fits == n_samples


def test_a_notification_too_small_for_one_sample_is_refused() -> None:
    with pytest.raises(HostFault, match="20 bytes") as fault:
        samples_per_packet(payload_size=20, n_channels=3, sample_format=SampleFormat.INT16)
    assert fault.value.clause == "2.6"


def test_times_follow_from_sample_numbers() -> None:
    assert [sample_time_us(k, rate_hz=3.0) for k in (0, 1, 2, 3)] == [0, 333333, 666667, 1000000]

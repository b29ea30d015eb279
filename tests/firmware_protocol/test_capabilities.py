"""The description of a sensor against the byte tables of SPEC 7, put together by hand."""

import string
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.packets import SampleFormat

GLUTE = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.25)
LIFT = Channel(Quantity.ACCELERATION, "pelvis", None, "z", Unit.METRE_PER_SECOND_SQUARED, 0.5)
SENSOR = Capabilities(
    version_minor=3,
    boot_id=0x01020304,
    name="emgmon Ü",
    ring_ms=0,
    streams=(
        Stream(1, StreamKind.EMG, SampleFormat.INT24, 2000.0, (GLUTE,)),
        Stream(2, StreamKind.IMU, SampleFormat.INT16, 104.166667, (LIFT,)),
    ),
)


def record(record_type: int, value: bytes) -> bytes:
    return bytes((record_type, len(value))) + value


PROTOCOL = record(0x01, b"\x01\x03")
BOOT_ID = record(0x02, struct.pack("<I", 0x01020304))
NAME = record(0x03, "emgmon Ü".encode())
RING_MS = record(0x04, bytes(4))
EMG_STREAM = record(0x10, struct.pack("<BBBBQ", 1, 1, 1, 1, 2_000_000_000))
EMG_CHANNEL = record(0x11, struct.pack("<BBBBBfB", 1, 1, 1, 0, 1, 0.25, 15) + b"gluteus_maximus")
IMU_STREAM = record(0x10, struct.pack("<BBBBQ", 2, 2, 0, 1, 104_166_667))
IMU_CHANNEL = record(0x11, struct.pack("<BBBBBfB", 2, 2, 0, 3, 2, 0.5, 6) + b"pelvis")
HEAD = PROTOCOL + BOOT_ID + NAME + RING_MS
BY_HAND = HEAD + EMG_STREAM + EMG_CHANNEL + IMU_STREAM + IMU_CHANNEL


def test_a_description_is_written_and_read_as_the_tables_say() -> None:
    assert SENSOR.to_bytes() == BY_HAND
    assert Capabilities.from_bytes(BY_HAND) == SENSOR


def test_raw_emg_and_envelopes_share_a_stream_channel_by_channel() -> None:
    stream = record(0x10, struct.pack("<BBBBQ", 1, 1, 1, 2, 2_000_000_000))
    envelope = record(0x11, struct.pack("<BBBBBfB", 1, 4, 2, 0, 1, 2.0, 10) + b"multifidus")
    mixed = Capabilities.from_bytes(HEAD + stream + EMG_CHANNEL + envelope)
    assert mixed.streams[0].channels == (
        GLUTE,
        Channel(Quantity.ENVELOPE, "multifidus", "right", None, Unit.MICROVOLT, 2.0),
    )
    assert mixed.to_bytes() == HEAD + stream + EMG_CHANNEL + envelope


@pytest.mark.parametrize(
    ("envelope", "kind", "words"),
    [
        ((1, 4, 0, 1, 1), 1, "axis 'x' does not suit ENVELOPE"),
        ((1, 4, 0, 0, 2), 1, "ENVELOPE is not measured in METRE_PER_SECOND_SQUARED"),
        ((1, 4, 0, 0, 1), 2, "an IMU stream has no ENVELOPE channel"),
    ],
)
def test_an_envelope_is_held_to_the_rules_of_emg(envelope: tuple[int, ...], kind: int, words: str) -> None:
    stream = record(0x10, struct.pack("<BBBBQ", 1, kind, 1, 1, 1_000_000))
    with pytest.raises(SensorFault, match=words):
        Capabilities.from_bytes(
            HEAD + stream + record(0x11, struct.pack("<BBBBBfB", *envelope, 1.0, 1) + b"a")
        )


def test_streams_are_found_by_number() -> None:
    assert SENSOR.stream(2) is SENSOR.streams[1]
    assert SENSOR.stream(3) is None
    assert SENSOR.streams[0].sample_size == 3


def test_unknown_records_and_later_bytes_are_skipped() -> None:
    longer_ring = record(0x04, bytes(4) + b"later")
    longer_channel = record(0x11, IMU_CHANNEL[2:] + b"later")
    data = PROTOCOL + record(0x77, b"?") + BOOT_ID + NAME + longer_ring + EMG_STREAM + EMG_CHANNEL
    data += record(0xFF, b"") + IMU_STREAM + longer_channel
    assert Capabilities.from_bytes(data) == SENSOR


def test_a_higher_minor_version_is_accepted_and_another_major_version_is_not() -> None:
    assert Capabilities.from_bytes(record(1, b"\x01\xff") + BY_HAND[4:]).version_minor == 255
    with pytest.raises(SensorFault, match="version 2") as fault:
        Capabilities.from_bytes(record(1, b"\x02\x00") + BY_HAND[4:])
    assert fault.value.clause == "3.2"


@pytest.mark.parametrize(
    ("data", "clause"),
    [
        (b"", "7.4"),
        (BOOT_ID + BY_HAND, "7.4"),
        (record(1, b"\x01"), "7.4"),
        (BY_HAND[:-1], "7.1"),
        (BY_HAND + b"\x55", "7.1"),
        (HEAD + BOOT_ID + EMG_STREAM + EMG_CHANNEL, "7.3"),
        (PROTOCOL + BOOT_ID + RING_MS + EMG_STREAM + EMG_CHANNEL, "7.3"),
        (PROTOCOL + record(2, b"\0\0\0") + NAME + RING_MS + EMG_STREAM + EMG_CHANNEL, "7.5"),
        (PROTOCOL + BOOT_ID + record(3, b"\xff") + RING_MS + EMG_STREAM + EMG_CHANNEL, "7.6"),
        (PROTOCOL + BOOT_ID + record(3, b"a\x1b[2J") + RING_MS + EMG_STREAM + EMG_CHANNEL, "7.6"),
        (PROTOCOL + BOOT_ID + NAME + record(4, b"\0") + EMG_STREAM + EMG_CHANNEL, "7.7"),
        (HEAD, "7.8"),
        (HEAD + EMG_STREAM, "7.8"),
        (HEAD + EMG_STREAM + EMG_CHANNEL + EMG_CHANNEL, "7.8"),
        (HEAD + record(0x10, struct.pack("<BBBBQ", 1, 2, 1, 1, 1_000_000)) + EMG_CHANNEL, "7.8"),
        (HEAD + record(0x10, struct.pack("<BBBBQ", 1, 1, 3, 1, 1_000_000)) + EMG_CHANNEL, "7.8"),
        (HEAD + record(0x10, struct.pack("<BBBBQ", 1, 1, 1, 1, 10**12 + 1)) + EMG_CHANNEL, "7.8"),
        (HEAD + EMG_CHANNEL, "7.9"),
        (HEAD + EMG_STREAM + record(0x11, struct.pack("<BBBBBfB", 1, 1, 3, 0, 1, 1, 1) + b"a"), "7.9"),
        (HEAD + EMG_STREAM + record(0x11, struct.pack("<BBBBBfB", 1, 1, 0, 1, 1, 1, 1) + b"a"), "7.9"),
        (HEAD + EMG_STREAM + record(0x11, struct.pack("<BBBBBfB", 1, 1, 0, 0, 2, 1, 1) + b"a"), "7.9"),
        (HEAD + EMG_STREAM + record(0x11, struct.pack("<BBBBBfB", 1, 1, 0, 0, 1, 0, 1) + b"a"), "7.9"),
        (HEAD + EMG_STREAM + record(0x11, struct.pack("<BBBBBfB", 1, 1, 0, 0, 1, 1, 2) + b"a"), "7.9"),
        (HEAD + EMG_STREAM + record(0x11, struct.pack("<BBBBBfB", 1, 1, 0, 0, 1, 1, 0)), "7.10"),
    ],
)
def test_a_description_that_breaks_a_clause_is_refused_with_it(data: bytes, clause: str) -> None:
    with pytest.raises(SensorFault) as fault:
        Capabilities.from_bytes(data)
    assert fault.value.clause == clause


@pytest.mark.parametrize("field", ["kind", "quantity", "unit"])
def test_undefined_numbers_are_named(field: str) -> None:
    stream = record(0x10, struct.pack("<BBBBQ", 1, 9 if field == "kind" else 1, 1, 1, 1_000_000))
    quantity, unit = (9 if field == name else 1 for name in ("quantity", "unit"))
    channel = record(0x11, struct.pack("<BBBBBfB", 1, quantity, 0, 0, unit, 1.0, 1) + b"a")
    with pytest.raises(SensorFault, match=f"(?i){field} 9"):
        Capabilities.from_bytes(HEAD + stream + channel)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"site": "Gluteus"}, "7.10"),
        ({"site": "a" * 32}, "7.10"),
        ({"site": ""}, "7.10"),
        ({"site": "pelvis\n"}, "7.10"),
        ({"side": "middle"}, "7.9"),
        ({"axis": "x"}, "7.9"),
        ({"unit": Unit.RADIAN_PER_SECOND}, "7.9"),
        ({"scale": 1e300}, "7.9"),
        ({"scale": float("nan")}, "7.9"),
        ({"scale": -1.0}, "7.9"),
    ],
)
def test_a_channel_that_contradicts_itself_cannot_be_made(change: dict[str, Any], clause: str) -> None:
    fields: dict[str, Any] = {
        "quantity": Quantity.EMG,
        "site": "multifidus",
        "side": None,
        "axis": None,
        "unit": Unit.MICROVOLT,
        "scale": 1.0,
    }
    with pytest.raises(HostFault) as fault:
        Channel(**fields | change)
    assert fault.value.clause == clause


def test_a_description_that_is_too_long_is_not_written() -> None:
    streams = tuple(
        Stream(number, StreamKind.EMG, SampleFormat.INT16, 1.0, (GLUTE,) * 255) for number in range(11)
    )
    with pytest.raises(HostFault) as fault:
        Capabilities(0, 0, "x", 0, streams).to_bytes()
    assert fault.value.clause == "7.1"


SITES = st.builds(
    str.__add__,
    st.sampled_from(string.ascii_lowercase),
    st.text(string.ascii_lowercase + string.digits + "_", max_size=30),
)
SIDES = st.sampled_from([None, "left", "right"])
SCALES = st.floats(1e-30, 1e30, width=64)
EMG_CHANNELS = st.builds(
    Channel,
    st.sampled_from([Quantity.EMG, Quantity.ENVELOPE]),
    SITES,
    SIDES,
    st.none(),
    st.just(Unit.MICROVOLT),
    SCALES,
)
IMU_CHANNELS = st.builds(
    Channel,
    st.just(Quantity.ANGULAR_RATE),
    SITES,
    SIDES,
    st.sampled_from("xyz"),
    st.just(Unit.RADIAN_PER_SECOND),
    SCALES,
)


@st.composite
def streams(draw: st.DrawFn, number: int) -> Stream:
    kind = draw(st.sampled_from(StreamKind))
    channels = draw(
        st.lists(EMG_CHANNELS if kind is StreamKind.EMG else IMU_CHANNELS, min_size=1, max_size=4)
    )
    rate_hz = draw(st.floats(0.001, 1e6))
    return Stream(number, kind, draw(st.sampled_from(SampleFormat)), rate_hz, tuple(channels))


@given(st.data())
def test_every_description_is_read_back(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, 255), min_size=1, max_size=4, unique=True))
    sensor = Capabilities(
        data.draw(st.integers(0, 255)),
        data.draw(st.integers(0, 2**32 - 1)),
        data.draw(st.text(min_size=1, max_size=60).filter(str.isprintable)),
        data.draw(st.integers(0, 2**32 - 1)),
        tuple(data.draw(streams(number)) for number in numbers),
    )
    assert Capabilities.from_bytes(sensor.to_bytes()) == sensor


CLAUSES_OF_A_DESCRIPTION = {"3.2", "7.1", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.9", "7.10"}


def check_is_read_or_refused(data: bytes) -> None:
    clause = "7.1"
    try:
        sensor = Capabilities.from_bytes(data)
    except SensorFault as fault:
        clause = fault.clause
    else:
        assert Capabilities.from_bytes(sensor.to_bytes()) == sensor
    assert clause in CLAUSES_OF_A_DESCRIPTION


@given(st.data())
def test_damaged_descriptions_are_read_or_refused_as_a_sensor_s_fault(data: st.DataObject) -> None:
    damaged = bytearray(BY_HAND)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    check_is_read_or_refused(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3, 4, 0x10, 0x11, 0x77]), st.binary(max_size=20)), max_size=8
    ).map(lambda records: b"".join(record(kind, value) for kind, value in records))
)
def test_any_records_are_read_or_refused_as_a_sensor_s_fault(records: bytes) -> None:
    check_is_read_or_refused(records)
    check_is_read_or_refused(PROTOCOL + records)
    check_is_read_or_refused(HEAD + records)


@given(st.integers(0, len(BY_HAND) - 1))
def test_a_cut_description_is_refused(n_bytes: int) -> None:
    whole_without_motion = len(HEAD + EMG_STREAM + EMG_CHANNEL)
    if n_bytes == whole_without_motion:
        assert len(Capabilities.from_bytes(BY_HAND[:n_bytes]).streams) == 1
        return
    with pytest.raises(SensorFault):
        Capabilities.from_bytes(BY_HAND[:n_bytes])

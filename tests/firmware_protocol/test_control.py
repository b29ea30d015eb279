"""Control point messages against the byte tables of SPEC 6, put together by hand."""

import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_protocol.control import (
    CapabilityPart,
    Opcode,
    Request,
    Response,
    Started,
    Status,
    StreamStart,
    capability_offset,
    capability_part,
    capability_request,
    mtu_too_small,
    needed_mtu,
)
from firmware_protocol.errors import HostFault, ProtocolError, SensorFault

U8, U16, U32, U48 = (st.integers(0, 2**width - 1) for width in (8, 16, 32, 48))

STREAM_STARTS = st.lists(st.builds(StreamStart, U8, U32, U48), unique_by=lambda one: one.stream, max_size=255)


def test_requests_and_responses_lie_as_in_the_tables() -> None:
    assert Request(Opcode.START, 7).to_bytes() == b"\x02\x07"
    assert capability_request(transaction=9, offset=0x0102).to_bytes() == b"\x01\x09\x02\x01"
    assert Response(Opcode.STOP, 8, Status.WRONG_STATE).to_bytes() == b"\x83\x08\x03"
    assert Response.from_bytes(b"\x82\x07\x00abc") == Response(Opcode.START, 7, Status.OK, b"abc")
    assert Request.from_bytes(b"\x01\x09\x02\x01") == Request(Opcode.GET_CAPABILITIES, 9, b"\x02\x01")


def test_the_start_response_lies_as_in_its_table() -> None:
    started = Started(0xA1B2C3D4, 2**40 + 5, (StreamStart(1, 77, 2**47), StreamStart(200, 2**32 - 1, 6)))
    by_hand = struct.pack("<IQ", 0xA1B2C3D4, 2**40 + 5)[:10] + b"\x02"
    by_hand += struct.pack("<BIQ", 1, 77, 2**47)[:11] + struct.pack("<BIQ", 200, 2**32 - 1, 6)[:11]
    assert started.to_bytes() == by_hand
    assert Started.from_bytes(by_hand) == started
    assert Started.from_bytes(by_hand + b"later") == started


def test_unknown_opcodes_and_statuses_are_values() -> None:
    assert Response.from_bytes(b"\xff\x00\xee").opcode == 0x7F
    assert Response.from_bytes(b"\xff\x00\xee").status == 0xEE
    assert Request.from_bytes(b"\x7f\x00").opcode == 0x7F


def test_mtu_too_small_tells_what_would_do() -> None:
    refusal = mtu_too_small(Request(Opcode.START, 3), needed_mtu=185)
    assert refusal.to_bytes() == b"\x82\x03\x04\xb9\x00"
    assert needed_mtu(refusal) == 185
    assert needed_mtu(Response(Opcode.START, 3, Status.MTU_TOO_SMALL)) is None
    assert needed_mtu(Response(Opcode.START, 3, Status.OK, b"\x01\x02")) is None


@given(st.binary(min_size=1, max_size=900), st.integers(8, 244))
def test_a_description_read_part_by_part_is_the_description(description: bytes, payload_size: int) -> None:
    read = b""
    while len(read) < len(description):
        request = capability_request(transaction=0, offset=len(read))
        part = capability_part(
            description, offset=capability_offset(request.payload), payload_size=payload_size
        )
        response = Response(Opcode.GET_CAPABILITIES, 0, Status.OK, part.to_bytes()).to_bytes()
        assert len(response) <= payload_size
        received = CapabilityPart.from_bytes(Response.from_bytes(response).payload)
        assert (received.total_size, received.offset) == (len(description), len(read))
        read += received.data
    assert read == description


def test_an_offset_beyond_the_description_is_refused() -> None:
    with pytest.raises(HostFault, match="offset 3") as fault:
        capability_part(b"abc", offset=3, payload_size=20)
    assert fault.value.clause == "6.6"


@given(U32, U48, STREAM_STARTS)
def test_a_start_response_is_read_back(session_id: int, time_us: int, streams: list[StreamStart]) -> None:
    started = Started(session_id, time_us, tuple(streams))
    assert Started.from_bytes(started.to_bytes()) == started


def test_a_stream_named_twice_is_refused() -> None:
    twice = Started(0, 0, (StreamStart(1, 0, 0), StreamStart(1, 0, 0))).to_bytes()
    with pytest.raises(SensorFault) as fault:
        Started.from_bytes(twice)
    assert fault.value.clause == "6.8"


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (Request(0x80, 0), "6.1"),
        (Request(0, 0), "6.1"),
        (Request(Opcode.START, 256), "6.1"),
        (Response(0x80, 0, 0), "6.2"),
        (Response(Opcode.START, 0, 256), "6.4"),
        (CapabilityPart(2, 1, b"ab"), "6.6"),
        (CapabilityPart(2, 1, b""), "6.6"),
        (Started(2**32, 0, ()), "6.8"),
        (Started(0, 2**48, ()), "6.8"),
        (Started(0, 0, (StreamStart(1, -1, 0),)), "6.8"),
    ],
)
def test_what_does_not_fit_is_not_written(
    value: Request | Response | CapabilityPart | Started, clause: str
) -> None:
    with pytest.raises(HostFault) as fault:
        value.to_bytes()
    assert fault.value.clause == clause


REQUESTS = st.builds(Request, st.integers(1, 127), U8, st.binary(max_size=30))
RESPONSES = st.builds(Response, st.integers(0, 127), U8, U8, st.binary(max_size=30))


@given(REQUESTS)
def test_a_request_is_read_back(request: Request) -> None:
    assert Request.from_bytes(request.to_bytes()) == request


@given(RESPONSES)
def test_a_response_is_read_back(response: Response) -> None:
    assert Response.from_bytes(response.to_bytes()) == response


@given(U16, st.binary(min_size=1, max_size=40), U16)
def test_a_part_is_read_back(offset: int, data: bytes, rest: int) -> None:
    total_size = offset + len(data) + rest
    if total_size > 0xFFFF:
        return
    part = CapabilityPart(total_size, offset, data)
    assert CapabilityPart.from_bytes(part.to_bytes()) == part


@given(STREAM_STARTS, st.data())
def test_a_cut_start_response_is_refused(streams: list[StreamStart], data: st.DataObject) -> None:
    whole = Started(0, 0, tuple(streams)).to_bytes()
    with pytest.raises(SensorFault) as fault:
        Started.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert fault.value.clause == "6.8"


@pytest.mark.parametrize(
    ("kind", "whose", "clause"),
    [
        (Request, HostFault, "6.1"),
        (Response, SensorFault, "6.2"),
        (CapabilityPart, SensorFault, "6.6"),
        (Started, SensorFault, "6.8"),
    ],
)
@given(data=st.binary(max_size=60) | st.binary(max_size=120).map(lambda rest: bytes(10) + b"\x02" + rest))
@example(data=bytes(11) + bytes(22))
def test_any_bytes_are_read_or_break_the_clause_of_their_table(
    kind: Any, whose: type[ProtocolError], clause: str, data: bytes
) -> None:
    broken = clause
    try:
        value = kind.from_bytes(data)
    except whose as fault:
        broken = fault.clause
    else:
        # What was read is a beginning of what was sent: bytes behind it are a later version's.
        assert data.startswith(value.to_bytes())
    assert broken == clause


@given(st.binary(max_size=4))
def test_the_payload_of_get_capabilities_is_two_bytes(payload: bytes) -> None:
    if len(payload) == 2:
        assert capability_offset(payload) == int.from_bytes(payload, "little")
        return
    with pytest.raises(HostFault) as fault:
        capability_offset(payload)
    assert fault.value.clause == "6.6"


def test_an_indication_that_cannot_carry_a_byte_of_the_description_is_refused() -> None:
    assert capability_part(b"abc", offset=0, payload_size=8).data == b"a"
    with pytest.raises(HostFault, match="7 bytes") as fault:
        capability_part(b"abc", offset=0, payload_size=7)
    assert fault.value.clause == "6.15"


def test_a_needed_mtu_beyond_16_bits_is_not_written() -> None:
    with pytest.raises(HostFault) as fault:
        mtu_too_small(Request(Opcode.START, 0), needed_mtu=2**16)
    assert fault.value.clause == "6.9"

"""Control point messages against the byte tables of SPEC 6, put together by hand."""

import contextlib
import struct

import pytest
from hypothesis import given
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


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_as_a_protocol_error(data: bytes) -> None:
    for kind in (Request, Response, CapabilityPart, Started):
        with contextlib.suppress(ProtocolError):
            kind.from_bytes(data)

"""RESEND and TIME against the byte tables of SPEC 8, put together by hand."""

import contextlib
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_protocol.control import Opcode, Response, Status
from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.resend import (
    ResendAnswer,
    SampleRange,
    TimeAnswer,
    host_time,
    resend_request,
    time_request,
)

U8, U32, U48, U64 = (st.integers(0, 2**width - 1) for width in (8, 32, 48, 64))
RANGES = st.builds(SampleRange, U8, U32, st.integers(1, 2**32 - 1))
ASKED = SampleRange(1, 1000, 200)


@st.composite
def held_parts(draw: st.DrawFn) -> ResendAnswer:
    """Some part of a range, as a ring may hold it; the range may run over the wrap."""
    asked = draw(RANGES)
    skipped = draw(st.integers(0, asked.n_samples - 1))
    count = draw(st.integers(1, asked.n_samples - skipped))
    return ResendAnswer(asked, (asked.first_sample + skipped) % 2**32, count)


def answered(status: int, payload: bytes) -> Response:
    return Response(Opcode.RESEND, 0, status, payload)


def test_resend_and_its_answer_lie_as_in_the_tables() -> None:
    assert resend_request(SampleRange(3, 0x01020304, 0x0A0B0C0D), transaction=7).to_bytes() == bytes.fromhex(
        "04 07 03 04030201 0d0c0b0a"
    )
    answer = ResendAnswer(SampleRange(3, 0x01020304, 0x0A0B0C0D), 0x01020310, 0x0A0B0C01)
    by_hand = bytes.fromhex("03 04030201 0d0c0b0a 10030201 010c0b0a")
    assert answer.to_bytes() == by_hand
    assert ResendAnswer.from_response(answered(Status.OK, by_hand)) == answer


def test_time_and_its_answer_lie_as_in_the_tables() -> None:
    assert time_request(0x0102030405060708, transaction=9).to_bytes() == bytes.fromhex(
        "05 09 0807060504030201"
    )
    answer = TimeAnswer(2**63 + 1, 2**47 + 2, 2**40 + 3)
    by_hand = (
        struct.pack("<Q", 2**63 + 1) + struct.pack("<Q", 2**47 + 2)[:6] + struct.pack("<Q", 2**40 + 3)[:6]
    )
    assert answer.to_bytes() == by_hand
    assert len(by_hand) == 20
    assert TimeAnswer.from_bytes(by_hand + b"later") == answer


@given(RANGES)
def test_a_range_is_read_back(asked: SampleRange) -> None:
    assert SampleRange.from_bytes(asked.to_bytes()) == asked


@given(held_parts())
@example(ResendAnswer(SampleRange(1, 2**32 - 10, 30), 5, 15))
def test_a_held_part_is_read_back(answer: ResendAnswer) -> None:
    assert ResendAnswer.from_response(answered(Status.OK, answer.to_bytes())) == answer
    assert ResendAnswer.from_response(answered(Status.OK, answer.to_bytes() + b"later")) == answer


@given(held_parts())
def test_expired_is_said_by_a_count_of_nothing_and_by_nothing_else(answer: ResendAnswer) -> None:
    nothing = ResendAnswer(answer.asked, 0, 0)
    assert ResendAnswer.from_response(answered(Status.EXPIRED, nothing.to_bytes())) == nothing
    for status, contradiction in ((Status.OK, nothing), (Status.EXPIRED, answer)):
        with pytest.raises(SensorFault, match=f"{status.name} came with {contradiction.held_count}") as fault:
            ResendAnswer.from_response(answered(status, contradiction.to_bytes()))
        assert fault.value.clause == "8.3"


@given(held_parts(), st.integers(1, 2**31))
def test_a_held_part_that_reaches_beyond_the_range_is_refused(answer: ResendAnswer, excess: int) -> None:
    asked = answer.asked
    offset = (answer.held_first - asked.first_sample) % 2**32
    count = asked.n_samples - offset + excess
    if count >= 2**32:
        return
    with pytest.raises(SensorFault, match="do not lie inside") as fault:
        ResendAnswer.from_response(
            answered(Status.OK, ResendAnswer(asked, answer.held_first, count).to_bytes())
        )
    assert fault.value.clause == "8.3"


@pytest.mark.parametrize("status", [Status.BUSY, Status.WRONG_STATE, Status.NOT_SUPPORTED, 0xEE])
def test_a_refusal_decides_nothing(status: int) -> None:
    assert ResendAnswer.from_response(answered(status, b"")) is None
    assert ResendAnswer.from_response(answered(status, ResendAnswer(ASKED, 0, 0).to_bytes())) is None


def test_the_answer_to_something_else_decides_nothing() -> None:
    payload = ResendAnswer(ASKED, 1000, 200).to_bytes()
    assert ResendAnswer.from_response(Response(Opcode.TIME, 0, Status.OK, payload)) is None


@given(U32, st.integers(1, 2**31), st.integers(-2, 2))
@example(2**32 - 1, 2, 0)
@example(5, 2**31, 0)
@example(5, 2**31 - 1, 0)
def test_a_range_lies_below_the_next_sample_when_its_last_one_was_taken(
    first_sample: int, n_samples: int, beyond: int
) -> None:
    asked = SampleRange(1, first_sample, n_samples)
    next_sample = first_sample + n_samples + beyond
    taken = beyond >= 0 and n_samples + beyond < 2**31
    assert asked.lies_below(next_sample) is taken
    assert asked.lies_below(next_sample % 2**32) is taken


def test_what_was_not_taken_yet_does_not_lie_below() -> None:
    assert not SampleRange(1, 1000, 1).lies_below(1000)
    assert not SampleRange(1, 1001, 1).lies_below(1000)
    assert SampleRange(1, 999, 1).lies_below(1000)


@given(st.builds(TimeAnswer, U64, U48, U48))
def test_time_stamps_are_read_back(answer: TimeAnswer) -> None:
    assert TimeAnswer.from_bytes(answer.to_bytes()) == answer


@given(U64, U8)
def test_the_hosts_time_is_read_back(host_ns: int, transaction: int) -> None:
    request = time_request(host_ns, transaction=transaction)
    assert (request.opcode, request.transaction) == (Opcode.TIME, transaction)
    assert host_time(request.payload) == host_ns


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (SampleRange(256, 0, 1), "8.2"),
        (SampleRange(0, 2**32, 1), "8.2"),
        (SampleRange(0, 0, 2**32), "8.2"),
        (SampleRange(0, 0, 0), "8.2"),
        (ResendAnswer(SampleRange(-1, 0, 1), 0, 0), "8.2"),
        (ResendAnswer(ASKED, 2**32, 0), "8.3"),
        (ResendAnswer(ASKED, 0, -1), "8.3"),
        (TimeAnswer(2**64, 0, 0), "8.5"),
        (TimeAnswer(0, 2**48, 0), "8.5"),
        (TimeAnswer(0, 0, -1), "8.5"),
    ],
)
def test_what_does_not_fit_is_not_written(
    value: SampleRange | ResendAnswer | TimeAnswer, clause: str
) -> None:
    with pytest.raises(HostFault) as fault:
        value.to_bytes()
    assert fault.value.clause == clause


def test_a_host_time_beyond_64_bits_is_not_written() -> None:
    with pytest.raises(HostFault) as fault:
        time_request(2**64, transaction=0)
    assert fault.value.clause == "8.5"


@given(st.binary(max_size=12))
def test_the_payload_of_resend_is_nine_bytes_of_at_least_one_sample(payload: bytes) -> None:
    sound = len(payload) == 9 and any(payload[5:])
    if sound:
        assert SampleRange.from_bytes(payload).to_bytes() == payload
        return
    with pytest.raises(HostFault) as fault:
        SampleRange.from_bytes(payload)
    assert fault.value.clause == "8.2"


@given(st.binary(max_size=10))
def test_the_payload_of_time_is_eight_bytes(payload: bytes) -> None:
    if len(payload) == 8:
        assert host_time(payload) == int.from_bytes(payload, "little")
        return
    with pytest.raises(HostFault) as fault:
        host_time(payload)
    assert fault.value.clause == "8.5"


@given(st.sampled_from([Status.OK, Status.EXPIRED]), st.binary(max_size=20))
def test_any_answer_to_resend_is_read_or_refused_as_the_sensors_fault(status: Status, payload: bytes) -> None:
    clause = None
    try:
        answer = ResendAnswer.from_response(answered(status, payload))
    except SensorFault as fault:
        answer, clause = None, fault.clause
    assert clause == (None if answer else "8.3")
    assert answer is None or answer.to_bytes() == payload[:17]


@given(st.binary(max_size=24))
def test_any_answer_to_time_is_read_or_refused_as_the_sensors_fault(payload: bytes) -> None:
    if len(payload) >= 20:
        assert TimeAnswer.from_bytes(payload).to_bytes() == payload[:20]
        return
    with pytest.raises(SensorFault) as fault:
        TimeAnswer.from_bytes(payload)
    assert fault.value.clause == "8.5"


@given(held_parts(), st.integers(0, 16))
def test_a_cut_answer_is_refused(answer: ResendAnswer, n_bytes: int) -> None:
    with pytest.raises(SensorFault, match=f"{n_bytes} bytes") as fault:
        ResendAnswer.from_response(answered(Status.OK, answer.to_bytes()[:n_bytes]))
    assert fault.value.clause == "8.3"


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_the_fault_of_whoever_wrote_them(data: bytes) -> None:
    with contextlib.suppress(HostFault):
        SampleRange.from_bytes(data)
    with contextlib.suppress(SensorFault):
        TimeAnswer.from_bytes(data)
    with contextlib.suppress(SensorFault):
        ResendAnswer.from_response(Response.from_bytes(data))

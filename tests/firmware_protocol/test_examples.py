"""The examples of SPEC 11.1: bytes are read as the words beside them say, and written back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import firmware_protocol
from firmware_protocol.control import Opcode, Request, Response, Status, capability_offset, capability_request
from firmware_protocol.resend import (
    ResendAnswer,
    SampleRange,
    TimeAnswer,
    host_time,
    resend_request,
    time_request,
)
from firmware_protocol.worn import (
    BatteryState,
    DroppedOnDevice,
    Lead,
    LeadCheck,
    LeadsChanged,
    SitesSet,
    identify_request,
    identify_seconds,
    is_status_notification,
    lead_check_request,
    lead_check_stream,
    read_status,
    sites_request,
    status_bytes,
)

SPEC = (Path(firmware_protocol.__file__).parent / "SPEC.md").read_text(encoding="utf-8")
BLOCK = SPEC.split("**11.1**")[1].split("```")[1].strip()
LINES = [
    (line[0], bytes.fromhex(found[1]), found[2])
    for line in BLOCK.splitlines()
    if (found := re.fullmatch(r"[HS] ((?:[0-9A-F]{2} )+) +(\S.*)", line))
]


def span(first: int, count: int) -> str:
    return f"{first} to {first + count - 1}"


def words_of_request(request: Request) -> str:
    payload = request.payload
    if request.opcode == Opcode.RESEND:
        asked = SampleRange.from_bytes(payload)
        return f"RESEND stream {asked.stream}, samples {span(asked.first_sample, asked.n_samples)}"
    if request.opcode == Opcode.SET_SITES:
        sites = SitesSet.from_bytes(payload)
        told = (f"channel {one.channel}, {one.side} {one.site}" for one in sites.entries)
        return f"SET SITES: stream {sites.stream}, " + ", ".join(told)
    readers: dict[int, Callable[[], str]] = {
        Opcode.GET_CAPABILITIES: lambda: f"GET CAPABILITIES from byte {capability_offset(payload)}",
        Opcode.TIME: lambda: f"TIME, t1 = {host_time(payload) / 1e9:g} s",
        Opcode.IDENTIFY: lambda: f"IDENTIFY for {identify_seconds(payload)} s",
        Opcode.LEAD_CHECK: lambda: f"LEAD CHECK of stream {lead_check_stream(payload)}",
    }
    return readers[request.opcode]() if request.opcode in readers else Opcode(request.opcode).name


def words_of_lead(lead: Lead) -> str:
    word = lead.contact.name.lower()
    return word if lead.impedance_kohm is None else f"{word} at {lead.impedance_kohm} kOhm"


def words_of_resend(response: Response) -> str:
    answer = ResendAnswer.from_response(response)
    assert answer is not None
    asked = answer.asked
    if not answer.held_count:
        return f"EXPIRED: {span(asked.first_sample, asked.n_samples)} are final"
    held = span(answer.held_first, answer.held_count)
    final = span(asked.first_sample, answer.held_first - asked.first_sample)
    # The example has nothing asked behind what is held.
    assert answer.held_first + answer.held_count == asked.first_sample + asked.n_samples
    return f"OK: {held} will come, {final} are final"


def words_of_response(response: Response) -> str:
    if response.opcode == Opcode.RESEND:
        return words_of_resend(response)
    assert response.status == Status.OK
    if response.opcode == Opcode.TIME:
        answer = TimeAnswer.from_bytes(response.payload)
        return f"TIME: t2 = {answer.device_received_us:,} us, t3 = {answer.device_sent_us:,} us"
    if response.opcode == Opcode.LEAD_CHECK:
        leads = LeadCheck.from_bytes(response.payload).leads
        return ", ".join(f"channel {row} {words_of_lead(lead)}" for row, lead in enumerate(leads))
    assert (response.opcode, response.payload) == (Opcode.STOP, b"")
    return "stopped"


def words_of_status(data: bytes) -> str:
    status = read_status(data)
    if isinstance(status, LeadsChanged):
        what = f"stream {status.stream}, channel {status.channel}, electrode {status.contact.name.lower()}"
    elif isinstance(status, DroppedOnDevice):
        what = f"samples {span(status.first_sample, status.n_samples)} of stream {status.stream} dropped"
    else:
        assert isinstance(status, BatteryState)
        bits = {"charging": status.charging, "low": status.low, "switching itself off": status.ending}
        what = ", ".join(
            [f"battery at {status.level_pct} %", *(word for word, is_set in bits.items() if is_set)]
        )
    return f"status notification: {what}"


def words(sender: str, data: bytes) -> str:
    if sender == "H":
        return words_of_request(Request.from_bytes(data))
    if is_status_notification(data):
        return words_of_status(data)
    return words_of_response(Response.from_bytes(data))


def write_again(sender: str, data: bytes) -> bytes:
    """Take a message apart to its fields and put it together again."""
    if sender == "S":
        if is_status_notification(data):
            status = read_status(data)
            assert status is not None
            return status_bytes(status, count=data[1])
        return Response.from_bytes(data).to_bytes()
    request = Request.from_bytes(data)
    again: dict[int, Callable[[], Request]] = {
        Opcode.GET_CAPABILITIES: lambda: capability_request(
            transaction=data[1], offset=capability_offset(data[2:])
        ),
        Opcode.RESEND: lambda: resend_request(SampleRange.from_bytes(data[2:]), transaction=data[1]),
        Opcode.TIME: lambda: time_request(host_time(data[2:]), transaction=data[1]),
        Opcode.SET_SITES: lambda: sites_request(SitesSet.from_bytes(data[2:]), transaction=data[1]),
        Opcode.IDENTIFY: lambda: identify_request(identify_seconds(data[2:]), transaction=data[1]),
        Opcode.LEAD_CHECK: lambda: lead_check_request(lead_check_stream(data[2:]), transaction=data[1]),
    }
    return again.get(request.opcode, lambda: Request(request.opcode, data[1]))().to_bytes()


def test_every_line_of_the_examples_is_understood_as_one() -> None:
    assert len(LINES) == len(BLOCK.splitlines()) == 16


@pytest.mark.parametrize(("sender", "data", "told"), LINES, ids=[told for _, _, told in LINES])
def test_the_bytes_of_an_example_say_what_the_words_beside_them_say(
    sender: str, data: bytes, told: str
) -> None:
    assert words(sender, data) == told


@pytest.mark.parametrize(("sender", "data", "told"), LINES, ids=[told for _, _, told in LINES])
def test_an_example_is_written_back_byte_for_byte(sender: str, data: bytes, told: str) -> None:
    assert write_again(sender, data) == data, told


def test_every_request_of_this_version_has_an_example() -> None:
    assert {data[0] for sender, data, _ in LINES if sender == "H"} == set(Opcode)

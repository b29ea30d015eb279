"""The committed vectors are what the encoder makes, and mean what the decoder reads."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import firmware_protocol
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import PRECEDENCE, Opcode, Request, Response, Started, Status
from firmware_protocol.decoder import Decoder, Reject
from firmware_protocol.errors import HostFault, ProtocolError, SensorFault
from firmware_protocol.gatt import payload_size
from firmware_protocol.packets import DataPacket, PacketFlag
from firmware_protocol.vectors import make
from firmware_protocol.vectors.meaning import (
    capabilities_meaning,
    message_meaning,
    packet_meaning,
    response_meaning,
)
from firmware_protocol.worn import StatusKind

NAMES = ("packets.json", "capabilities.json", "control.json", "answers.json", "sessions.json")
WRITERS = {"request": HostFault, "response": SensorFault, "status": SensorFault}


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((make.VECTOR_FOLDER / name).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_vectors_are_what_the_script_makes(name: str) -> None:
    assert (make.VECTOR_FOLDER / name).read_text(encoding="utf-8") == make.vector_files()[name]


def test_there_is_no_other_vector_file() -> None:
    assert sorted(path.name for path in make.VECTOR_FOLDER.glob("*.json")) == sorted(NAMES)


def test_every_packet_means_what_its_vector_says() -> None:
    for vector in load("packets.json")["vectors"]:
        data = bytes.fromhex(vector["hex"])
        assert packet_meaning(data, n_channels=vector["n_channels"]) == vector["meaning"], vector["name"]


def test_every_faulty_packet_breaks_the_clause_that_its_vector_names() -> None:
    for vector in load("packets.json")["faults"]:
        with pytest.raises(ProtocolError) as fault:
            DataPacket.from_bytes(bytes.fromhex(vector["hex"]), n_channels=vector["n_channels"])
        assert fault.value.clause == vector["clause"], vector["name"]


def test_every_description_means_what_its_vector_says() -> None:
    for vector in load("capabilities.json")["vectors"]:
        sensor = Capabilities.from_bytes(bytes.fromhex(vector["hex"]))
        assert capabilities_meaning(sensor) == vector["meaning"], vector["name"]


def test_every_faulty_description_breaks_the_clause_that_its_vector_names() -> None:
    for vector in load("capabilities.json")["faults"]:
        with pytest.raises(ProtocolError) as fault:
            Capabilities.from_bytes(bytes.fromhex(vector["hex"]))
        assert fault.value.clause == vector["clause"], vector["name"]


def test_the_description_of_an_envelope_is_right_by_hand() -> None:
    """Guard against a mistake that encoder and decoder share: these bytes follow from SPEC 7.9 alone."""
    vector = next(one for one in load("capabilities.json")["vectors"] if "envelope" in one["name"])
    site = b"erector_spinae".hex()
    # CHANNEL, 24 bytes: stream 7, quantity 4, right, no axis, microvolt, scale 0.125, 14 letters of the site.
    assert f"111807040200010000003e0e{site}" in vector["hex"]
    assert vector["meaning"]["streams"][0]["channels"][1]["quantity"] == "ENVELOPE"


def test_every_message_means_what_its_vector_says() -> None:
    for vector in load("control.json")["vectors"]:
        data = bytes.fromhex(vector["hex"])
        assert message_meaning(vector["kind"], data) == vector["meaning"], vector["name"]


def test_every_faulty_message_breaks_the_clause_that_its_vector_names() -> None:
    for vector in load("control.json")["faults"]:
        with pytest.raises(WRITERS[vector["kind"]]) as fault:
            message_meaning(vector["kind"], bytes.fromhex(vector["hex"]))
        assert fault.value.clause == vector["clause"], vector["name"]


def test_every_request_response_and_status_of_this_version_has_a_vector_and_a_fault() -> None:
    content = load("control.json")
    with_payload = set(Opcode) - {Opcode.START, Opcode.STOP}
    with_answer = set(Opcode) - {Opcode.STOP, Opcode.SET_SITES, Opcode.IDENTIFY}
    seen = {(one["kind"], one["meaning"].get("opcode")) for one in content["vectors"]}
    damaged = {(one["kind"], int(one["hex"][:2] or "0", 16)) for one in content["faults"]}
    assert seen >= {("request", int(opcode)) for opcode in Opcode}
    assert seen >= {("response", int(opcode)) for opcode in Opcode}
    assert damaged >= {("request", int(opcode)) for opcode in with_payload}
    assert damaged >= {("response", opcode | 0x80) for opcode in with_answer}
    kinds = {one["meaning"]["kind"] for one in content["vectors"] if one["kind"] == "status"}
    assert kinds > {int(kind) for kind in StatusKind}
    statuses = {one["meaning"]["status"] for one in content["vectors"] if one["kind"] == "response"}
    assert statuses > {int(status) for status in Status}


def test_messages_are_right_by_hand() -> None:
    """Guard against a mistake that encoder and decoder share: these bytes follow from SPEC 6 and 8 alone."""
    by_name = {one["name"]: one for one in load("control.json")["vectors"]}
    resend = by_name["RESEND of a range that runs over the wrap"]
    # 0xfffffff6 is 10 before the wrap; 0x1e = 30 samples from there on end at 19.
    assert resend["hex"] == "0405" + "c8" + "f6ffffff" + "1e000000"
    assert resend["meaning"]["payload"] == {"stream": 200, "first_sample": 2**32 - 10, "n_samples": 30}
    times = by_name["TIME, the device clock wraps"]
    assert times["hex"] == "850600" + "ff" * 8 + "ecffffffffff" + "0f0000000000"
    assert times["meaning"]["payload"] == {"t1_ns": 2**64 - 1, "t2_us": 2**48 - 20, "t3_us": 15}
    battery = by_name["battery ends"]
    assert battery["hex"] == "ffff04" + "01" + "06"
    assert battery["meaning"]["payload"] == {"level_pct": 1, "charging": False, "low": True, "ending": True}


def answer_rows() -> list[Any]:
    rows: list[Any] = load("answers.json")["vectors"]
    return rows


@pytest.mark.parametrize("row", answer_rows(), ids=lambda row: row["name"])
def test_an_answer_belongs_to_its_request_and_fits_the_mtu(row: dict[str, Any]) -> None:
    written, stated = bytes.fromhex(row["request"]), bytes.fromhex(row["response"])
    assert len(stated) <= row["n_bytes"] <= payload_size(row["att_mtu"])
    assert len(written) <= payload_size(row["att_mtu"])
    response = Response.from_bytes(stated)
    try:
        request = Request.from_bytes(written)
    except HostFault:
        assert stated == b"\x80\x00\x02"
        return
    assert (response.opcode, response.transaction) == (request.opcode, request.transaction)


@pytest.mark.parametrize("row", answer_rows(), ids=lambda row: row["name"])
def test_bad_payload_is_answered_exactly_where_a_payload_breaks_a_clause(row: dict[str, Any]) -> None:
    """What needs no state: the rest, an unknown stream say, is named in the row."""
    status = bytes.fromhex(row["response"])[2]
    try:
        message_meaning("request", bytes.fromhex(row["request"]))
    except HostFault:
        assert status == Status.BAD_PAYLOAD
    else:
        words = ("unknown", "beyond the end", "with a payload", "more than can have been")
        assert status != Status.BAD_PAYLOAD or any(word in row["name"] for word in words)


def test_complete_answers_of_ok_are_read() -> None:
    complete = [
        row
        for row in answer_rows()
        if row["response"][4:6] == "00" and len(row["response"]) == 2 * row["n_bytes"]
    ]
    assert len(complete) > 10
    for row in complete:
        assert response_meaning(bytes.fromhex(row["response"]))["status"] == Status.OK, row["name"]


def test_the_states_of_the_answers_are_those_that_the_readme_explains() -> None:
    readme = (make.VECTOR_FOLDER / "README.md").read_text(encoding="utf-8")
    states = {row["state"] for row in answer_rows()}
    assert states == {"connected", "silent", "streaming"}
    assert all(f"| `{state}` |" in readme for state in states)
    assert all(f"**`{name}`**" in readme for name in NAMES)


def test_the_order_of_refusals_is_the_one_of_the_specification() -> None:
    spec = (Path(firmware_protocol.__file__).parent / "SPEC.md").read_text(encoding="utf-8")
    row = re.search(r"the first of this row: ([A-Z_, ]+)\.", " ".join(spec.split()))
    assert row is not None
    assert row[1].split(", ") == [status.name for status in PRECEDENCE]
    assert set(PRECEDENCE) == set(Status) - {Status.OK}


def every_vector() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in NAMES:
        content = load(name)
        for vector in (*content.get("vectors", ()), *content.get("faults", ())):
            yield name, vector


def test_every_file_names_the_version_of_the_page_and_no_name_twice() -> None:
    page = (Path(firmware_protocol.__file__).parent / "SPEC.md").read_text(encoding="utf-8")
    assert page.startswith(f"# emgmon sensor protocol, version {make.SPEC_VERSION}\n")
    assert {load(name)["spec"] for name in NAMES} == {"1.1"}
    named = [(name, one.get("kind"), one["name"]) for name, one in every_vector()]
    assert len(named) == len(set(named))


def test_the_vectors_have_every_flag() -> None:
    flags = [one["meaning"]["flags"] for one in load("packets.json")["vectors"]]
    assert all(any(seen & flag for seen in flags) for flag in PacketFlag)


def test_every_session_decodes_to_the_events_of_its_vector() -> None:
    content = load("sessions.json")
    sensor = Capabilities.from_bytes(bytes.fromhex(content["capabilities"]))
    for session in content["sessions"]:
        decoder = Decoder(sensor)
        if session["started"] is not None:
            decoder.start(Started.from_bytes(bytes.fromhex(session["started"])))
        for notification in session["notifications"]:
            events = decoder.receive(bytes.fromhex(notification["hex"]))
            assert [make.event_meaning(event) for event in events] == notification["events"]


def test_a_session_vector_is_right_by_hand() -> None:
    """Guard against a mistake that encoder and decoder share: these events follow from SPEC 5 alone."""
    session = load("sessions.json")["sessions"][0]
    first, *_, last = session["notifications"]
    # START says 1000 is next; 1002 comes, so two are missing: byte 4 on is 0x3ea = 1002.
    assert first["hex"][8:16] == "ea030000"
    assert first["events"][0] == {"event": "gap", "stream": 1, "first_sample": 1000, "n_samples": 2}
    assert first["events"][1]["values"] == [[1, 1], [2, 2]]
    assert first["hex"][32:] == "0100010002000200"
    # 1004 to 1006 were taken over, 1010 = 0x3f2 comes with GAP_BEFORE.
    assert last["hex"][8:16] == "f2030000"
    assert last["hex"][30:32] == "02"
    assert last["events"][0] == {"event": "gap", "stream": 1, "first_sample": 1007, "n_samples": 3}


def test_the_words_of_a_reject_are_not_part_of_the_contract() -> None:
    assert make.event_meaning(Reject("whatever", "4.3", 20)) == make.event_meaning(Reject("other", "4.3", 20))

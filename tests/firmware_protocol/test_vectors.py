"""The committed vectors are what the encoder makes, and mean what the decoder reads."""

import json
from typing import Any

import pytest

from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import CapabilityPart, Request, Response, Started
from firmware_protocol.decoder import Decoder, Reject
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import DataPacket
from firmware_protocol.vectors import make

NAMES = ("packets.json", "capabilities.json", "control.json", "sessions.json")
KINDS: dict[str, Any] = {
    "request": Request,
    "response": Response,
    "started": Started,
    "capability_part": CapabilityPart,
}


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
        assert make.packet_meaning(data, n_channels=vector["n_channels"]) == vector["meaning"], vector["name"]


def test_every_faulty_packet_breaks_the_clause_that_its_vector_names() -> None:
    for vector in load("packets.json")["faults"]:
        with pytest.raises(ProtocolError) as fault:
            DataPacket.from_bytes(bytes.fromhex(vector["hex"]), n_channels=vector["n_channels"])
        assert fault.value.clause == vector["clause"], vector["name"]


def test_every_description_means_what_its_vector_says() -> None:
    for vector in load("capabilities.json")["vectors"]:
        sensor = Capabilities.from_bytes(bytes.fromhex(vector["hex"]))
        assert make.capabilities_meaning(sensor) == vector["meaning"], vector["name"]


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


def test_every_exchange_means_what_its_vector_says() -> None:
    content = load("control.json")
    for vector in content["requests"]:
        request = Request.from_bytes(bytes.fromhex(vector["hex"]))
        assert make.exchange_meaning(request) == vector["meaning"]
    for vector in content["responses"]:
        response = Response.from_bytes(bytes.fromhex(vector["hex"]))
        assert make.exchange_meaning(response) | {"status": response.status} == vector["meaning"]
    for vector in content["started"]:
        started = Started.from_bytes(bytes.fromhex(vector["hex"]))
        assert make.started_meaning(started) == vector["meaning"]
    for vector in content["capability_parts"]:
        part = CapabilityPart.from_bytes(bytes.fromhex(vector["hex"]))
        assert make.part_meaning(part) == vector["meaning"]


def test_every_faulty_exchange_breaks_the_clause_that_its_vector_names() -> None:
    for vector in load("control.json")["faults"]:
        with pytest.raises(ProtocolError) as fault:
            KINDS[vector["kind"]].from_bytes(bytes.fromhex(vector["hex"]))
        assert fault.value.clause == vector["clause"], vector["name"]


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

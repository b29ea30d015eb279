"""The C sensor writes the conformance vectors, byte for byte."""

import ctypes
import json
from typing import Any

import numpy as np

from firmware_protocol.c.sensor import CSensor, load_library
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Opcode, Request, Response, Status
from firmware_protocol.gatt import ATT_OVERHEAD
from firmware_protocol.packets import SampleFormat
from firmware_protocol.vectors.make import VECTOR_FOLDER
from firmware_protocol.worn import BatteryState, Contact, LeadsChanged, Saturated, status_bytes
from tests.firmware_protocol.c.tools import needs_compiler

pytestmark = needs_compiler

NATIVE = {"INT16": np.int16, "INT24": np.int32, "FLOAT32": np.uint32}
HOW_TO_START = Request(Opcode.START, 0).to_bytes()


class Header(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_uint8),
        ("stream", ctypes.c_uint8),
        ("n_samples", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("first_sample", ctypes.c_uint64),
        ("time_us", ctypes.c_uint64),
    )


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((VECTOR_FOLDER / name).read_text(encoding="utf-8"))
    return content


def a_sensor(description: bytes) -> CSensor:
    sensor = CSensor(Capabilities.from_bytes(description), random_u32=lambda: 0)
    sensor.connect()
    return sensor


def written_packet(meaning: dict[str, Any]) -> bytes:
    library = load_library()
    bits = [[int(v, 16) if isinstance(v, str) else v for v in row] for row in meaning["values"]]
    values = np.array(bits, NATIVE[meaning["sample_format"]])
    sample_format = SampleFormat[meaning["sample_format"]]
    counters = (meaning["sequence"], meaning["first_sample"], meaning["time_us"])
    header = Header(sample_format, meaning["stream"], len(values), meaning["flags"], *counters)
    out = ctypes.create_string_buffer(16 + values.size * sample_format.width)
    library.emgmon_write_header(ctypes.byref(header), out)
    library.emgmon_write_values.restype = ctypes.c_bool
    behind = ctypes.byref(out, 16)
    assert library.emgmon_write_values(
        sample_format, ctypes.c_void_p(values.ctypes.data), ctypes.c_size_t(values.size), behind
    )
    return out.raw


def test_every_packet_is_written_as_its_vector_says():
    # Reserved flags are read and ignored; nobody writes them.
    vectors = [one for one in load("packets.json")["vectors"] if "reserved" not in one["name"]]
    assert len(vectors) > 4
    for vector in vectors:
        assert written_packet(vector["meaning"]).hex() == vector["hex"], vector["name"]


def test_every_description_is_written_as_its_vector_says():
    # What only a later version writes is read and ignored.
    written = 0
    for vector in load("capabilities.json")["vectors"]:
        capabilities = Capabilities.from_bytes(bytes.fromhex(vector["hex"]))
        if capabilities.to_bytes().hex() == vector["hex"]:
            sensor = CSensor(capabilities, random_u32=lambda: 0)
            assert sensor.description.hex() == vector["hex"], vector["name"]
            written += 1
    assert written >= 2


def test_every_answer_is_as_its_vector_says():
    content = load("answers.json")
    for vector in content["vectors"]:
        sensor = a_sensor(bytes.fromhex(content["capabilities"]))
        link = {"payload_size": vector["att_mtu"] - ATT_OVERHEAD, "notifying": vector["state"] != "silent"}
        if vector["state"] == "streaming":
            assert sensor.respond(HOW_TO_START, **link, now_us=0)[2] == Status.OK
        answer = sensor.respond(bytes.fromhex(vector["request"]), **link, now_us=0)
        assert answer.hex().startswith(vector["response"]), vector["name"]
        assert len(answer) == vector["n_bytes"], vector["name"]


def test_every_faulty_request_is_answered_bad_payload():
    description = bytes.fromhex(load("answers.json")["capabilities"])
    faults = [one for one in load("control.json")["faults"] if one["kind"] == "request"]
    assert len(faults) > 20
    for fault in faults:
        sensor = a_sensor(description)
        answer = sensor.respond(bytes.fromhex(fault["hex"]), payload_size=244, notifying=True, now_us=0)
        assert Response.from_bytes(answer).status == Status.BAD_PAYLOAD, fault["name"]


def test_every_kind_of_status_notification_is_written_as_python_writes_it():
    sensor = a_sensor(bytes.fromhex(load("answers.json")["capabilities"]))
    said = (
        LeadsChanged(1, 1, Contact.OFF),
        Saturated(3, 0),
        BatteryState(7, charging=False, low=True, ending=False),
        BatteryState(80, charging=True, low=False, ending=True),
    )
    for count, status in enumerate(said):
        sensor.report(status)
        assert sensor.next_status(count * 1_000_000) == status_bytes(status, count=count)

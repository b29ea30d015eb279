"""What a sensor answers in which state, as the vectors have it: the model in Python and the code in C."""

import json
from pathlib import Path
from typing import Any

import pytest

import firmware_protocol
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import SensorMachine, c_machine
from firmware_protocol.c.build import CompilerError
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Opcode, Request
from firmware_protocol.gatt import payload_size

FILE = Path(firmware_protocol.__file__).parent / "vectors" / "answers.json"
ANSWERS = json.loads(FILE.read_text(encoding="utf-8"))
SENSOR = Capabilities.from_bytes(bytes.fromhex(ANSWERS["capabilities"]))
NOW_US = 1000


@pytest.fixture(params=["python", "c"])
def machine(request: pytest.FixtureRequest) -> SensorMachine:
    if request.param == "python":
        return Firmware(SENSOR)
    try:
        return c_machine(SENSOR)
    except CompilerError as error:
        pytest.skip(f"the C code cannot be compiled here: {error}")


@pytest.mark.parametrize("row", ANSWERS["vectors"], ids=lambda row: row["name"])
def test_a_sensor_answers_as_the_vectors_say(machine: SensorMachine, row: dict[str, Any]) -> None:
    size = payload_size(row["att_mtu"])
    machine.connect()
    notifying = row["state"] != "silent"
    if row["state"] == "streaming":
        start = Request(Opcode.START, 1).to_bytes()
        assert machine.respond(start, payload_size=size, notifying=True, now_us=NOW_US)[2] == 0
    answer = machine.respond(
        bytes.fromhex(row["request"]), payload_size=size, notifying=notifying, now_us=NOW_US
    )
    assert answer[: len(row["response"]) // 2].hex() == row["response"]
    assert len(answer) == row["n_bytes"]

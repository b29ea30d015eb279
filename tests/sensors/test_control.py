"""The host's side of the control point against scripted sensors; the clauses are those of SPEC.md."""

import asyncio

import pytest

from emgmon.errors import SensorError
from emgmon.sensors import control as module
from emgmon.sensors.control import ControlPoint, fetch_capabilities, start_streaming, stop_streaming
from emgmon.sensors.refusals import UnusableSensor
from firmware_protocol.control import (
    Opcode,
    Request,
    Response,
    Started,
    Status,
    StreamStart,
    capability_part,
    mtu_too_small,
)
from tests.sensors.bench import small_capabilities

STARTED = Started(7, 1000, (StreamStart(1, 5, 1000),))


class Scripted:
    """A sensor that answers each request with the next of its prepared answers."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.control = ControlPoint(self.write)

    async def write(self, written):
        request = Request.from_bytes(written)
        self.requests.append(request)
        answer = self.answers.pop(0)
        for indication in answer(request):
            asyncio.get_running_loop().call_soon(self.control.on_indication, indication)


def says(status, payload=b""):
    return lambda request: [Response(request.opcode, request.transaction, status, payload).to_bytes()]


def opcodes(sensor):
    return [request.opcode for request in sensor.requests]


async def test_start_gives_what_the_sensor_answered():
    sensor = Scripted(says(Status.OK, STARTED.to_bytes()))
    assert await start_streaming(sensor.control) == STARTED
    assert sensor.requests == [Request(Opcode.START, 1)]


async def test_a_running_session_is_stopped_and_started_anew():
    """Clause 6.7."""
    sensor = Scripted(says(Status.WRONG_STATE), says(Status.OK), says(Status.OK, STARTED.to_bytes()))
    assert await start_streaming(sensor.control) == STARTED
    assert opcodes(sensor) == [Opcode.START, Opcode.STOP, Opcode.START]
    assert [request.transaction for request in sensor.requests] == [1, 2, 3]


async def test_a_sensor_that_stays_in_the_wrong_state_is_given_up():
    sensor = Scripted(says(Status.WRONG_STATE), says(Status.OK), says(Status.WRONG_STATE))
    with pytest.raises(SensorError, match="not in the state for START") as caught:
        await start_streaming(sensor.control)
    assert caught.value.advice


async def test_a_running_session_is_ended_without_loss_where_notifications_can_be_switched():
    """Clause 6.7."""
    sensor = Scripted(says(Status.WRONG_STATE), says(Status.OK, STARTED.to_bytes()))
    renewed = []

    async def renew():
        renewed.append(opcodes(sensor))

    assert await start_streaming(sensor.control, renew=renew) == STARTED
    assert renewed == [[Opcode.START]]
    assert opcodes(sensor) == [Opcode.START, Opcode.START]


async def test_stop_is_the_last_means_against_a_running_session():
    sensor = Scripted(
        says(Status.WRONG_STATE),
        says(Status.WRONG_STATE),
        says(Status.OK),
        says(Status.OK, STARTED.to_bytes()),
    )

    async def renew():
        pass

    assert await start_streaming(sensor.control, renew=renew) == STARTED
    assert opcodes(sensor) == [Opcode.START, Opcode.START, Opcode.STOP, Opcode.START]


async def test_who_asks_meanwhile_waits_for_the_answer_that_is_due():
    """Clause 6.5."""
    sensor = Scripted(lambda _: [], says(Status.OK))
    first = asyncio.create_task(stop_streaming(sensor.control))
    second = asyncio.create_task(stop_streaming(sensor.control))
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(sensor.requests) == 1
    sensor.control.on_indication(Response(Opcode.STOP, 1, Status.OK).to_bytes())
    await asyncio.gather(first, second)
    assert len(sensor.requests) == 2


async def test_what_the_sensor_refuses_can_be_asked_for_all_the_same():
    sensor = Scripted(says(Status.BUSY, b"why"))
    response = await sensor.control.ask(Request(Opcode.RESEND, 9))
    assert (response.status, response.payload) == (Status.BUSY, b"why")


async def test_an_answer_to_another_request_is_ignored():
    """Clause 6.5."""

    def late_answers_first(request):
        other = (request.transaction + 9) % 256
        return [
            Response(Opcode.START, other, Status.BAD_PAYLOAD).to_bytes(),
            Response(Opcode.GET_CAPABILITIES, request.transaction, Status.BAD_PAYLOAD).to_bytes(),
            Response(Opcode.STOP, request.transaction, Status.OK).to_bytes(),
        ]

    sensor = Scripted(lambda request: late_answers_first(request)[:2])
    stopping = asyncio.create_task(stop_streaming(sensor.control))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not stopping.done()
    sensor.control.on_indication(late_answers_first(sensor.requests[0])[2])
    await stopping


async def test_indications_in_one_breath_are_all_looked_at():
    def burst(request):
        return [
            Response(Opcode.STOP, 99, Status.OK).to_bytes(),
            Response(Opcode.STOP, request.transaction, Status.OK).to_bytes(),
        ]

    sensor = Scripted(burst)
    async with asyncio.timeout(2):
        await stop_streaming(sensor.control)


async def test_transactions_wrap():
    sensor = Scripted(*[says(Status.OK)] * 257)
    for _ in range(257):
        await stop_streaming(sensor.control)
    assert [request.transaction for request in sensor.requests][-3:] == [255, 0, 1]


async def test_silence_is_an_error_after_a_while(monkeypatch):
    monkeypatch.setattr(module, "RESPONSE_LIMIT_S", 0.01)
    with pytest.raises(SensorError, match=r"did not answer STOP within 0\.01 s"):
        await stop_streaming(Scripted(lambda _: []).control)


async def test_nonsense_is_an_error_that_names_the_clause():
    with pytest.raises(SensorError, match=r"broke its protocol.*SPEC 6\.2"):
        await stop_streaming(Scripted(lambda _: [b"\x83"]).control)
    with pytest.raises(SensorError, match=r"SPEC 6\.8"):
        await start_streaming(Scripted(says(Status.OK, b"short")).control)


async def test_an_unasked_indication_is_ignored():
    control = Scripted().control
    control.on_indication(b"\x83\x01\x00")
    control.abandon(SensorError("gone"))


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.UNKNOWN_OPCODE, "UNKNOWN_OPCODE"), (Status.BAD_PAYLOAD, "BAD_PAYLOAD"), (77, "status 77")],
)
async def test_a_refusal_is_named(status, words):
    """Clause 6.4: any status that is not known is a refusal."""
    with pytest.raises(SensorError, match=f"refused START .{words}."):
        await start_streaming(Scripted(says(status)).control)


async def test_packets_too_small_are_told_with_what_is_needed():
    def refuse(request):
        return [mtu_too_small(request, needed_mtu=185).to_bytes()]

    with pytest.raises(SensorError, match="needs an MTU of 185"):
        await start_streaming(Scripted(refuse).control)


def describes(description, *, payload_size=60):
    def answer(request):
        offset = int.from_bytes(request.payload, "little")
        part = capability_part(description, offset=offset, payload_size=payload_size)
        return says(Status.OK, part.to_bytes())(request)

    return answer


async def test_the_description_is_joined_from_its_parts():
    capabilities = small_capabilities()
    answer = describes(capabilities.to_bytes())
    sensor = Scripted(*[answer] * 20)
    assert await fetch_capabilities(sensor.control) == capabilities
    assert len(sensor.requests) == -(-len(capabilities.to_bytes()) // 53)


async def test_a_part_out_of_place_is_an_error():
    answer = describes(small_capabilities().to_bytes())
    first_again = lambda request: [  # noqa: E731
        Response(
            request.opcode,
            request.transaction,
            Status.OK,
            Response.from_bytes(answer(Request(request.opcode, 1, b"\x00\x00"))[0]).payload,
        ).to_bytes()
    ]
    sensor = Scripted(answer, first_again)
    with pytest.raises(SensorError, match=r"part at 0 came, not at 53.*SPEC 6\.6"):
        await fetch_capabilities(sensor.control)


async def test_another_protocol_version_is_told_by_its_number():
    """Clause 3.2."""
    description = bytearray(small_capabilities().to_bytes())
    description[2] = 9
    with pytest.raises(UnusableSensor, match=r"version 9\.1 .*knows version 1") as caught:
        await fetch_capabilities(Scripted(*[describes(bytes(description))] * 20).control)
    assert "pip install --upgrade emgmon" in caught.value.advice

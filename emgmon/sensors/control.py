"""The host's side of the control point: one request at a time, its response found by transaction number."""

import asyncio
from collections.abc import Awaitable, Callable

from emgmon.errors import SensorError
from emgmon.sensors.refusals import RESTART_ADVICE, UPDATE_ADVICE, Unanswered, other_version
from firmware_protocol.capabilities import Capabilities, RecordType
from firmware_protocol.control import (
    CapabilityPart,
    Opcode,
    Request,
    Response,
    Started,
    Status,
    capability_request,
    needed_mtu,
)
from firmware_protocol.errors import ProtocolError, SensorFault
from firmware_protocol.packets import PROTOCOL_MAJOR

RESPONSE_LIMIT_S = 5.0
"""How long a sensor may think; SPEC asks for less than a second."""

_VERSION_RECORD = bytes((RecordType.PROTOCOL, 2))


class ControlPoint:
    """Pairs requests with responses; who asks while another waits for an answer comes after it.

    Parameters
    ----------
    write
        Writes to the control characteristic.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._transaction = 0
        self._asked: Request | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._turn = asyncio.Lock()

    def next_transaction(self) -> int:
        """Draw the number for the next request; wraps at 256."""
        self._transaction = (self._transaction + 1) % 256
        return self._transaction

    async def request(self, request: Request) -> Response:
        """Send a request and wait for its response.

        Raises
        ------
        SensorError
            When the sensor refuses, answers nonsense, disconnects, or does not answer in time.
        """
        response = await self.ask(request)
        if response.status != Status.OK:
            raise _refusal(request, response)
        return response

    async def ask(self, request: Request) -> Response:
        """Send a request and wait for its response, whatever it says.

        Raises
        ------
        SensorError
            When the sensor answers nonsense, disconnects, or does not answer in time.
        """
        async with self._turn:
            return await self._ask(request)

    async def _ask(self, request: Request) -> Response:
        self._asked = request
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(RESPONSE_LIMIT_S):
                await self._write(request.to_bytes())
                return await self._waiting
        except TimeoutError as error:
            what = f"the sensor did not answer {_name(request)} within {RESPONSE_LIMIT_S:g} s"
            raise Unanswered(what, advice=RESTART_ADVICE) from error
        finally:
            waiting, self._waiting = self._waiting, None
            if waiting.done() and not waiting.cancelled():
                # The write may have failed for the same reason and been told first.
                waiting.exception()

    def on_indication(self, indication: bytes) -> None:
        """Take what the control point indicated; what nobody asked for is ignored (SPEC 6.5)."""
        waiting, asked = self._waiting, self._asked
        if waiting is None or asked is None or waiting.done():
            return
        try:
            response = Response.from_bytes(indication)
        except SensorFault as fault:
            waiting.set_exception(_nonsense(fault))
            return
        if (response.opcode, response.transaction) == (asked.opcode, asked.transaction):
            waiting.set_result(response)

    def abandon(self, error: SensorError) -> None:
        """Let a waiting request fail: no answer will come."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


async def fetch_capabilities(control: ControlPoint) -> Capabilities:
    """Ask for the description, part by part, and read it.

    Raises
    ------
    UnusableSensor
        When the sensor speaks another major version of the protocol.
    SensorError
        When a part does not follow the one before, or the description is not valid.
    """
    description = b""
    while True:
        request = capability_request(transaction=control.next_transaction(), offset=len(description))
        response = await control.request(request)
        try:
            part = CapabilityPart.from_bytes(response.payload)
            if part.offset != len(description):
                raise SensorFault(f"part at {part.offset} came, not at {len(description)}", clause="6.6")
            description += part.data
            if len(description) >= part.total_size:
                return _read(description)
        except ProtocolError as fault:
            raise _nonsense(fault) from fault


def _read(description: bytes) -> Capabilities:
    # The first record is always the version: type, length, major, minor (SPEC 7.3, 7.4).
    if description[:2] == _VERSION_RECORD and len(description) >= 4 and description[2] != PROTOCOL_MAJOR:
        raise other_version(f"{description[2]}.{description[3]}")
    return Capabilities.from_bytes(description)


async def start_streaming(
    control: ControlPoint, *, renew: Callable[[], Awaitable[None]] | None = None
) -> Started:
    """Send START; a session that is found running is ended first (SPEC 6.7).

    Parameters
    ----------
    control
        Where to send it.
    renew
        Switches notifications of data off and on: that ends a session and costs no sample. Where it does not
        help, or is not given, STOP is sent.

    Raises
    ------
    SensorError
        When the sensor refuses all the same.
    """
    response = await control.ask(_start(control))
    if response.status == Status.WRONG_STATE and renew is not None:
        await renew()
        response = await control.ask(_start(control))
    if response.status == Status.WRONG_STATE:
        await stop_streaming(control)
        response = await control.ask(_start(control))
    if response.status != Status.OK:
        raise _refusal(Request(Opcode.START, response.transaction), response)
    try:
        return Started.from_bytes(response.payload)
    except ProtocolError as fault:
        raise _nonsense(fault) from fault


def _start(control: ControlPoint) -> Request:
    return Request(Opcode.START, control.next_transaction())


async def stop_streaming(control: ControlPoint) -> None:
    """Send STOP."""
    await control.request(Request(Opcode.STOP, control.next_transaction()))


def _name(request: Request) -> str:
    return Opcode(request.opcode).name.replace("_", " ")


def _nonsense(fault: ProtocolError) -> SensorError:
    return SensorError(f"the sensor broke its protocol: {fault} (SPEC {fault.clause})", advice=UPDATE_ADVICE)


def _refusal(request: Request, response: Response) -> SensorError:
    name = _name(request)
    if response.status == Status.MTU_TOO_SMALL:
        needed = needed_mtu(response)
        asked = "" if needed is None else f": it needs an MTU of {needed}"
        return SensorError(
            f"the connection's packets are too small for this sensor's streams{asked}",
            advice="Use a Bluetooth adapter of version 4.2 or later, or have the sensor send fewer channels.",
        )
    if response.status == Status.WRONG_STATE:
        return SensorError(f"the sensor is not in the state for {name}", advice=RESTART_ADVICE)
    try:
        reason = Status(response.status).name
    except ValueError:
        reason = f"status {response.status}"
    return SensorError(f"the sensor refused {name} ({reason})", advice=UPDATE_ADVICE)

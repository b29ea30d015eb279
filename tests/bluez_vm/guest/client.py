"""The client's lower parts without its link: fewer steps for each notification, so more of them a second."""

import asyncio
import time

from emgmon.events import NotificationKind
from emgmon.sensors.ble import SYSTEM_RADIO, Connection, find
from emgmon.sensors.control import ControlPoint, fetch_capabilities, start_streaming, stop_streaming
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.packets import PacketHeader
from tests.bluez_vm.guest.judgement import Heard, Received, judge
from tests.bluez_vm.guest.messages import Sensor

FIND_LIMIT_S = 15.0
LOOK_S = 0.1


class Client:
    """A connected sensor, and all that came from it; everything but keeping it has time until the end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._control = ControlPoint(connection.write_control)
        self._capabilities: Capabilities | None = None
        self._heard: list[Heard] = []
        self._n_samples = 0

    async def stream(self, n_samples: int, *, limit_s: float) -> None:
        """Have a session sent until so many samples have come."""
        await self.connection.subscribe_control(self._on_control)
        self._capabilities = await fetch_capabilities(self._control)
        await self.connection.subscribe_data(self._on_data)
        await start_streaming(self._control)
        async with asyncio.timeout(limit_s):
            while self._n_samples < n_samples:
                await asyncio.sleep(LOOK_S)

    async def stop(self) -> None:
        """Send STOP."""
        await stop_streaming(self._control)

    def received(self) -> Received:
        """Judge what has come."""
        assert self._capabilities is not None
        return judge(self._capabilities, self._heard)

    def _on_control(self, indication: bytes) -> None:
        self._heard.append(Heard(time.monotonic(), NotificationKind.CONTROL, indication))
        self._control.on_indication(indication)

    def _on_data(self, notification: bytes) -> None:
        self._heard.append(Heard(time.monotonic(), NotificationKind.DATA, notification))
        self._n_samples += PacketHeader.from_bytes(notification).n_samples


async def connect(sensor: Sensor) -> Client:
    """Find a sensor and connect."""
    found = await find(SYSTEM_RADIO, address=sensor.address, limit_s=FIND_LIMIT_S)
    connection = Connection(found, SYSTEM_RADIO, on_lost=_nothing)
    await connection.open()
    return Client(connection)


def _nothing() -> None:
    """A connection that is lost here ends in a time-out."""

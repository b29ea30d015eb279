"""The virtual sensor: the firmware's machine behind a real GATT server, turned by an injected clock."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from bumble.att import ATT_Error, Attribute
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service

from emgmon.clock import Clock
from emgmon.virtual.firmware import Firmware
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.gatt import (
    ADVERTISED_NAME_PREFIX,
    ATT_OVERHEAD,
    BATTERY_LEVEL_UUID,
    BATTERY_SERVICE_UUID,
    CONTROL_UUID,
    DATA_UUID,
    SERVICE_UUID,
)

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

PACE_S = 0.01
"""How often the sensor looks whether a packet is due; a packet leaves at most this much late."""

ADVERTISING_INTERVAL_MS = 100
BATTERY_PCT = 87
"""A virtual battery does not run down."""

_LE_GENERAL_DISCOVERABLE = bytes([0x06])
_CCCD_IMPROPERLY_CONFIGURED = 0xFD
_NOTIFY = 1
_INDICATE = 2


def advertised_name(boot_id: int) -> str:
    """Name under which a sensor shows itself: the prefix and four hexadecimal digits."""
    return f"{ADVERTISED_NAME_PREFIX}-{boot_id & 0xFFFF:04X}"


class VirtualSensor:
    """A sensor that measures prepared samples.

    Parameters
    ----------
    capabilities
        What it says about itself.
    streams
        What it will measure from START on.
    device
        Its Bluetooth device, switched on.
    clock
        Drives its device time; a faster clock makes a faster sensor.
    wait
        Sleeps between two looks at the clock.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        streams: Sequence["StreamSamples"],
        device: Device,
        *,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = advertised_name(capabilities.boot_id)
        self.finished = asyncio.Event()
        """Set when every sample has been sent: no more will come before another START."""
        self._firmware = Firmware(capabilities, streams)
        self._device = device
        self._clock = clock
        self._wait = wait
        self._session = 0
        self._boot_ns = clock.now_ns()
        self._readvertising: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._data = Characteristic[bytes](
            DATA_UUID, Characteristic.Properties.NOTIFY, Attribute.Permissions(0), b""
        )
        self._control = Characteristic[bytes](
            CONTROL_UUID,
            Characteristic.Properties.WRITE | Characteristic.Properties.INDICATE,
            Attribute.Permissions.WRITEABLE,
            CharacteristicValue(write=self._on_control),
        )
        self._battery = Characteristic[bytes](
            BATTERY_LEVEL_UUID,
            Characteristic.Properties.READ | Characteristic.Properties.NOTIFY,
            Attribute.Permissions.READABLE,
            bytes([BATTERY_PCT]),
        )

    async def open(self) -> None:
        """Offer the services and advertise."""
        self._device.add_service(Service(SERVICE_UUID, [self._data, self._control]))
        self._device.add_service(Service(BATTERY_SERVICE_UUID, [self._battery]))
        self._device.on(Device.EVENT_CONNECTION, self._on_connection)
        await self._advertise()

    async def close(self) -> None:
        """Fall silent; idempotent."""
        self._firmware.disconnect()
        self._cancel_tasks()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._readvertising is not None:
            await self._readvertising
        if self._device.is_advertising:
            await self._device.stop_advertising()

    async def notify_battery(self, level_pct: int) -> None:
        """Tell the host another battery level."""
        self._battery.value = bytes([level_pct])
        await self._device.notify_subscribers(self._battery)

    def _now_us(self) -> int:
        return (self._clock.now_ns() - self._boot_ns) // 1000

    def _on_connection(self, connection: Connection) -> None:
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)

    def _on_disconnection(self, _reason: int) -> None:
        self._firmware.disconnect()
        self._cancel_tasks()
        self._readvertising = asyncio.create_task(self._advertise())

    def _on_control(self, connection: Connection, written: bytes) -> None:
        if not self._enabled(connection, self._control) & _INDICATE:
            raise ATT_Error(_CCCD_IMPROPERLY_CONFIGURED)
        was_streaming = self._firmware.streaming
        response = self._firmware.respond(
            written,
            payload_size=connection.att_mtu - ATT_OVERHEAD,
            notifying=bool(self._enabled(connection, self._data) & _NOTIFY),
            now_us=self._now_us(),
        )
        if self._firmware.streaming and not was_streaming:
            self._session += 1
            self._spawn(self._begin(connection, response, self._session))
        else:
            self._spawn(self._indicate(connection, response))

    def _enabled(self, connection: Connection, characteristic: Characteristic[bytes]) -> int:
        return self._device.gatt_server.read_cccd(connection, characteristic)[0]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _indicate(self, connection: Connection, response: bytes) -> None:
        await self._device.indicate_subscriber(connection, self._control, response)

    async def _begin(self, connection: Connection, response: bytes, session: int) -> None:
        """Send what is due by the clock, again and again: being late once does not make the next one late."""
        # Returns when the host has confirmed: no sample may be sent before.
        self.finished.clear()
        await self._indicate(connection, response)
        while self._firmware.streaming and self._session == session:
            for packet in self._firmware.packets_due(self._now_us()):
                await self._device.notify_subscriber(connection, self._data, packet)
            if self._firmware.finished:
                self.finished.set()
                return
            await self._wait(PACE_S)

    async def _advertise(self) -> None:
        await self._device.start_advertising(
            advertising_data=_advertising_data(self.name),
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
        )

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()


def _advertising_data(name: str) -> bytes:
    return bytes(
        AdvertisingData(
            [
                (AdvertisingData.FLAGS, _LE_GENERAL_DISCOVERABLE),
                (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(SERVICE_UUID))),
                (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()),
            ]
        )
    )

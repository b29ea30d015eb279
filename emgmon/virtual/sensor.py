"""The virtual sensor: the firmware's machine behind a real GATT server, turned by an injected clock."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Connection, Device
from bumble.hci import HCI_ErrorCode

from emgmon.clock import Clock
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import MachineFactory
from emgmon.virtual.powered import PoweredSensor
from emgmon.virtual.services import SensorServices
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Opcode
from firmware_protocol.gatt import ADVERTISED_NAME_PREFIX, ATT_OVERHEAD, SERVICE_UUID, Security

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

PACE_S = 0.01
"""How often the sensor looks whether a packet is due; a packet leaves at most this much late."""

BURST = 64
"""Packets that the radio takes at once: what is due for the first time need not wait behind more of them."""

ADVERTISING_INTERVAL_MS = 100
POWER_OFF = HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR

_LE_GENERAL_DISCOVERABLE = bytes([0x06])


def advertised_name(boot_id: int) -> str:
    """Name under which a sensor shows itself: the prefix and four hexadecimal digits of its first boot id."""
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
    machine
        Makes its back end: :class:`Firmware`, or :func:`emgmon.virtual.machine.c_machine`.
    security
        Whether it demands an encrypted link.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        streams: Sequence["StreamSamples"],
        device: Device,
        *,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        machine: MachineFactory = Firmware,
        security: Security = Security.OPEN,
    ) -> None:
        self.name = advertised_name(capabilities.boot_id)
        self.finished = asyncio.Event()
        """Set when every sample has been sent: nothing more will come unless it is asked for."""
        self.powered = PoweredSensor(capabilities, streams, clock=clock, machine=machine)
        self.services = SensorServices(
            device, security=security, on_request=self._on_request, on_subscribed=self._on_subscribed
        )
        self._device = device
        self._wait = wait
        self._connection: Connection | None = None
        self._sending = False
        self._is_on = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._advertising: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Offer the services and advertise."""
        self.services.battery.value = bytes([self.powered.battery_pct])
        self.services.offer(serial=self.name)
        self._device.on(Device.EVENT_CONNECTION, self._on_connection)
        self._is_on = True
        await self._advertise()

    async def close(self) -> None:
        """Fall silent; idempotent."""
        self._is_on = False
        self._forget_host()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stop_advertising()

    async def _stop_advertising(self) -> None:
        advertising, self._advertising = self._advertising, None
        if advertising is not None:
            await asyncio.gather(advertising, return_exceptions=True)
        if self._device.is_advertising:
            await self._device.stop_advertising()

    async def reboot(self, boot_id: int | None = None) -> None:
        """Begin anew in the middle of everything: the link is gone, the counters and the ring too."""
        await self.switch_off()
        self.powered.reboot(boot_id)
        await self.switch_on()

    async def switch_off(self) -> None:
        """Go out: no goodbye but the radio's own, nothing advertised."""
        self._is_on = False
        connection = self._connection
        self._forget_host()
        if connection is not None:
            await connection.disconnect(POWER_OFF)
        await self._stop_advertising()

    async def switch_on(self) -> None:
        """Advertise again."""
        self._is_on = True
        await self._advertise()

    async def hang_up(self) -> None:
        """Disconnect the host with a goodbye (0x13)."""
        if self._connection is not None:
            await self._connection.disconnect(HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR)

    async def notify_battery(self, level_pct: int) -> None:
        """Have another battery level, and tell the host."""
        self.powered.set_battery(level_pct)
        await self._tell_battery()

    async def _tell_battery(self) -> None:
        self.services.battery.value = bytes([self.powered.battery_pct])
        await self._device.notify_subscribers(self.services.battery)
        self.powered.measuring.machine.report(self.powered.battery_state())

    def _on_connection(self, connection: Connection) -> None:
        self._connection = connection
        self.powered.measuring.machine.connect()
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        self._spawn(self._serve(connection))

    def _on_disconnection(self, _reason: int) -> None:
        self._forget_host()
        if self._is_on:
            # Not among the tasks of the link: a command to the controller is never cut off.
            self._advertising = asyncio.create_task(self._advertise())

    def _forget_host(self) -> None:
        self._connection = None
        self._sending = False
        self.powered.measuring.machine.disconnect()
        for task in self._tasks:
            task.cancel()

    def _on_subscribed(self, connection: Connection) -> None:
        machine = self.powered.measuring.machine
        if machine.streaming and not self.services.is_notifying(connection):
            self._sending = False
            machine.notifications_off()

    def _on_request(self, connection: Connection, written: bytes) -> None:
        response = self.powered.measuring.respond(
            written,
            payload_size=_payload_size(connection),
            notifying=self.services.is_notifying(connection),
            now_us=self.powered.now_us,
        )
        self._spawn(self._answer(connection, response))

    async def _answer(self, connection: Connection, response: bytes) -> None:
        if not self._sending:
            self.finished.clear()
        # Returns when the host has confirmed: no sample may be sent before.
        await self._indicate(connection, response)
        if response[0] & 0x7F == Opcode.START:
            self._sending = self.powered.measuring.streaming

    async def _indicate(self, connection: Connection, indication: bytes) -> None:
        await self._device.indicate_subscriber(connection, self.services.control, indication)

    async def _serve(self, connection: Connection) -> None:
        """Send what is due by the clock, again and again: being late once does not make the next one late."""
        told_pct = self.powered.battery_pct
        while True:
            await self._send_due(connection)
            status = self.powered.measuring.machine.next_status(self.powered.now_us)
            if status is not None and self.services.is_indicating(connection):
                # Data does not wait until the host has confirmed it.
                self._spawn(self._indicate(connection, status))
            if self.powered.battery_pct != told_pct:
                told_pct = self.powered.battery_pct
                await self._tell_battery()
                if told_pct == 0:
                    self._die()
                    return
            await self._wait(PACE_S)

    async def _send_due(self, connection: Connection) -> None:
        measuring = self.powered.measuring
        while self._sending:
            packets = measuring.packets_due(
                self.powered.now_us, payload_size=_payload_size(connection), limit=BURST
            )
            for packet in packets:
                await self._device.notify_subscriber(connection, self.services.data, packet)
            if measuring.finished:
                self.finished.set()
            if len(packets) < BURST:
                return
            await connection.drain()

    def _die(self) -> None:
        """Go out because the battery is empty."""
        self._is_on = False
        connection = self._connection
        self._forget_host()
        if connection is not None:
            self._spawn(_disconnect(connection))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        # A link that ends in the middle of anything is nothing to tell; what is wrong in here is.
        if error is not None and not isinstance(error, BaseBumbleError | TimeoutError):
            task.get_loop().call_exception_handler(
                {"message": "the virtual sensor failed", "exception": error}
            )

    async def _advertise(self) -> None:
        await self._device.start_advertising(
            advertising_data=_advertising_data(self.name),
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
        )


async def _disconnect(connection: Connection) -> None:
    await connection.disconnect(POWER_OFF)


def _payload_size(connection: Connection) -> int:
    return int(connection.att_mtu) - ATT_OVERHEAD


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

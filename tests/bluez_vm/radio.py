"""The sensors' end: two virtual sensors on the air with a controller whose host is the guest's kernel.

All controllers are Bumble's. The guest's one has no host here: its commands and data come through a socket.
"""

import asyncio
from pathlib import Path

from bumble.controller import Controller
from bumble.device import Device
from bumble.hci import Address, HCI_ErrorCode
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.ll import AdvertisingPdu
from bumble.transport.common import AsyncPipeSink

from emgmon.clock import SystemClock
from emgmon.virtual.air import ACL_BUFFER_SIZE
from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.sensor import VirtualSensor
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.gatt import Security
from firmware_protocol.packets import SampleFormat
from tests.bluez_vm.guest.messages import Ask, Deed, Facts, Sensor
from tests.bluez_vm.guest.pattern import pattern
from tests.bluez_vm.hci_line import HciLine, LinuxController

DURATION_S = 120.0
SENSOR_MTU = 247
"""What sensors commonly offer: one notification in one packet on the air."""
ACL_BUFFERS = 64
DEED_LIMIT_S = 10.0
RING_MS = 15_000


class Air(LocalLink):
    """What lies between the radios; some may be too far away to be heard."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.away: set[Controller] = set()

    def send_advertising_pdu(self, sender_controller: Controller, packet: AdvertisingPdu) -> None:
        """Carry an advertisement as far as it gets."""
        if sender_controller not in self.away:
            super().send_advertising_pdu(sender_controller, packet)


class SensorOnAir:
    """One virtual sensor with its radio."""

    def __init__(self, link: Air, which: Sensor, described: Capabilities) -> None:
        self._link = link
        self.address = which.address
        self.controller = Controller(which.value, link=link, public_address=self.address)
        set_buffers(self.controller)
        self.device = Device(
            name=which.value,
            address=Address(self.address),
            host=Host(self.controller, AsyncPipeSink(self.controller)),
        )
        self.device.gatt_server.max_mtu = SENSOR_MTU
        samples = [_measured(stream) for stream in described.streams]
        self.sensor = VirtualSensor(
            described, samples, self.device, clock=SystemClock(), security=Security.ENCRYPTED
        )
        self._away: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Switch it on."""
        await self.device.power_on()
        self.device.keystore = MemoryKeyStore()
        await self.sensor.open()

    async def close(self) -> None:
        """Switch it off."""
        if self._away is not None:
            self._away.cancel()
        await self.sensor.close()
        await self.device.power_off()

    def cut(self, guest: Controller, *, away_s: float) -> None:
        """Break the link at both ends, as Bumble knows no time-out, and stay away."""
        if away_s:
            self._link.away.add(self.controller)
            self._away = asyncio.create_task(self._come_back(away_s))
        for controller in (guest, self.controller):
            for connection in list(controller.le_connections.values()):
                controller.on_le_disconnected(connection, HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    async def _come_back(self, away_s: float) -> None:
        await asyncio.sleep(away_s)
        self._link.away.discard(self.controller)

    def tell(self) -> Facts:
        """What the sensor knows."""
        encrypted = any(connection.is_encrypted for connection in self.device.connections.values())
        return {"name": self.sensor.name, "encrypted": encrypted}


class GuestAir:
    """The sensors, the guest's controller and what is between them."""

    def __init__(self) -> None:
        link = Air()
        # No public address: the guest's kernel makes a random one, as it does for a radio that has none.
        self._guest = LinuxController("guest", link=link)
        set_buffers(self._guest)
        self._line = HciLine(self._guest)
        self._sensors = {which: SensorOnAir(link, which, described(which)) for which in Sensor}

    async def open(self, socket: Path) -> None:
        """Switch the sensors on, and wait on a socket for the guest's kernel."""
        await self._line.open(socket)
        for sensor in self._sensors.values():
            await sensor.open()

    async def do(self, ask: Ask) -> Facts:
        """Do what a scenario asked for; what there is to tell afterwards."""
        on_air = self._sensors[ask.sensor]
        async with asyncio.timeout(DEED_LIMIT_S):
            match ask.deed:
                case Deed.HANG_UP:
                    await on_air.sensor.hang_up()
                case Deed.CUT:
                    on_air.cut(self._guest, away_s=ask.away_s)
                case Deed.REBOOT:
                    await on_air.sensor.reboot()
                case Deed.FORGET_BOND:
                    await on_air.sensor.services.forget_bonds()
        return on_air.tell()

    async def close(self) -> None:
        """Switch everything off."""
        async with asyncio.timeout(DEED_LIMIT_S):
            for sensor in self._sensors.values():
                await sensor.close()
            await self._line.close()


def set_buffers(controller: Controller) -> None:
    """Let a controller take a whole notification at once, and many of them."""
    controller.le_acl_data_packet_length = ACL_BUFFER_SIZE
    controller.total_num_le_acl_data_packets = ACL_BUFFERS


def described(which: Sensor) -> Capabilities:
    """What a sensor says about itself."""
    emg = tuple(
        Channel(Quantity.EMG, f"muscle_{index}", None, None, Unit.MICROVOLT, 0.1)
        for index in range(which.n_channels)
    )
    motion = tuple(
        Channel(Quantity.ACCELERATION, "pelvis", None, axis, Unit.METRE_PER_SECOND_SQUARED, 0.01)
        for axis in "xyz"
    )
    streams = [Stream(1, StreamKind.EMG, SampleFormat.INT16, which.rate_hz, emg)]
    if which is Sensor.USUAL:
        streams.append(Stream(2, StreamKind.IMU, SampleFormat.INT16, which.rate_hz / 10, motion))
    return Capabilities(
        version_minor=1, boot_id=which.boot_id, name=which.value, ring_ms=RING_MS, streams=tuple(streams)
    )


def _measured(stream: Stream) -> StreamSamples:
    """What a stream measures: values that tell their place."""
    return StreamSamples(stream, 0, pattern(0, round(DURATION_S * stream.rate_hz), len(stream.channels)))

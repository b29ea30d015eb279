"""Two Bluetooth controllers in one process, joined by a link that a test may cut: only the radio is missing.

Bumble's types stop at this module's edge where they are missing: the wrappers below are typed.
"""

import logging

from bumble.controller import Controller
from bumble.device import Device
from bumble.hci import Address, HCI_ErrorCode
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

# Bumble says on stderr what a cut link makes of packets under way; that would tear up a drawn screen.
logging.getLogger("bumble").addHandler(logging.NullHandler())

ACL_BUFFER_SIZE = 251
"""Bytes a controller takes at once: one whole notification of 244 bytes with its ATT and L2CAP headers.
Bumble's default of 27 would cut each one into ten."""

SENSOR_ADDRESS = "F0:00:00:00:E0:01"
HOST_ADDRESS = "F0:00:00:00:E0:02"


class VirtualAir:
    """The sensor's radio, the host's radio and what is between them.

    Build it inside the event loop that will run it; call :meth:`open` before and :meth:`close` after use.
    """

    def __init__(self, *, sensor_name: str = "emgmon-0000") -> None:
        self._link = LocalLink()  # type: ignore[no-untyped-call]
        self._controllers: list[Controller] = []
        self.sensor_device = self._device(sensor_name, SENSOR_ADDRESS)
        self.host_device = self._device("emgmon-host", HOST_ADDRESS)

    def _device(self, name: str, address: str) -> Device:
        controller = Controller(name, link=self._link, public_address=address)
        controller.le_acl_data_packet_length = ACL_BUFFER_SIZE
        self._controllers.append(controller)
        return Device(name=name, address=Address(address), host=Host(controller, AsyncPipeSink(controller)))

    async def open(self) -> None:
        """Switch both radios on."""
        await self.sensor_device.power_on()
        await self.host_device.power_on()

    def cut(self) -> None:
        """Drop the connection as a radio does when the other side is out of reach: a timeout, no goodbye."""
        for controller in self._controllers:
            for connection in list(controller.le_connections.values()):
                controller.on_le_disconnected(connection, HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    async def close(self) -> None:
        """Switch both radios off; idempotent."""
        for device in (self.host_device, self.sensor_device):
            if device.powered_on and device.is_advertising:
                await device.stop_advertising()
            await device.power_off()

"""Bluetooth controllers in one process, and the air between them with every fault that a radio has.

Bumble's types stop at this module's edge where they are missing: the wrappers below are typed.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import cast

from bumble import ll
from bumble.att import Opcode
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.device import Device
from bumble.hci import (
    Address,
    HCI_ErrorCode,
    HCI_LE_Create_Connection_Cancel_Command,
    HCI_StatusReturnParameters,
)
from bumble.host import Host
from bumble.l2cap import L2CAP_PDU
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from emgmon.virtual.fate import Fate, FateHook, Passage, deliver_all

# Bumble says on stderr what a cut link makes of packets under way; that would tear up a drawn screen.
logging.getLogger("bumble").addHandler(logging.NullHandler())

ACL_BUFFER_SIZE = 251
"""Bytes a controller takes at once: one whole notification of 244 bytes with its ATT and L2CAP headers.
Bumble's default of 27 would cut each one into ten."""

SENSOR_ADDRESS = "F0:00:00:00:E0:01"
HOST_ADDRESS = "F0:00:00:00:E0:02"

LINK_LOSS = HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
"""0x08: the supervision time-out; the other side was not heard any more."""
REMOTE_DISCONNECT = HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR
"""0x13: the other side said goodbye."""

_ATT_CID = 4
_VALUE_AT = 3
"""A notification's value stands behind its opcode and handle."""


@dataclass(slots=True)
class _Way:
    """What the air does to one sensor."""

    silent: bool = False
    out_of_reach: bool = False
    passage: Passage = field(default_factory=Passage)


class _FaultyLink(LocalLink):
    """Carries what the controllers send, or does not."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fate: FateHook = deliver_all
        self.ways: dict[str, _Way] = {}

    def _way(self, *addresses: Address) -> tuple[str, _Way] | None:
        texts = (address.to_string(with_type_qualifier=False) for address in addresses)
        return next(((text, self.ways[text]) for text in texts if text in self.ways), None)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        sender = sender_controller.random_address
        found = self._way(sender, destination_address)
        if found is None:
            arriving = [data]
        else:
            text, way = found
            is_ours = sender.to_string(with_type_qualifier=False) == text
            arriving = [] if way.silent else self._arriving(text, way, data) if is_ours else [data]
        for pdu in arriving:
            super().send_acl_data(sender_controller, destination_address, transport, pdu)

    def _arriving(self, address: str, way: _Way, data: bytes) -> list[bytes]:
        pdu = L2CAP_PDU.from_bytes(data)
        if pdu.cid != _ATT_CID or pdu.payload[:1] != bytes([Opcode.ATT_HANDLE_VALUE_NOTIFICATION]):
            return [data]
        head, value = pdu.payload[:_VALUE_AT], pdu.payload[_VALUE_AT:]
        fate = self.fate(address, value)
        bent = Fate(fate.copies, fate.behind)
        return list(way.passage.through(bytes(L2CAP_PDU(_ATT_CID, head + fate.bend(value))), bent))

    def send_ll_control_pdu(
        self, sender_address: Address, receiver_address: Address, packet: ll.ControlPdu
    ) -> None:
        found = self._way(sender_address, receiver_address)
        if found is not None and found[1].silent:
            if not isinstance(packet, ll.TerminateInd):
                return
            # The goodbye is not heard; a moment later the other side's supervision time-out says the same.
            packet = ll.TerminateInd(LINK_LOSS)
        super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        # Every PDU that this link carries names the advertiser.
        found = self._way(cast("ll.AdvInd", packet).advertiser_address)
        if found is None or not (found[1].out_of_reach or found[1].silent):
            super().send_advertising_pdu(sender_controller, packet)


class _Controller(Controller):
    """Bumble's, which says that it gave up connecting but does not."""

    def on_hci_le_create_connection_cancel_command(
        self, _command: HCI_LE_Create_Connection_Cancel_Command
    ) -> HCI_StatusReturnParameters:
        self.pending_le_connection = None
        return HCI_StatusReturnParameters(HCI_ErrorCode.SUCCESS)


class VirtualAir:
    """One host's radio, one sensor's or several, and what is between them.

    Build it inside the event loop that will run it; call :meth:`open` before and :meth:`close` after use.

    Parameters
    ----------
    sensor_name
        Of the first sensor's controller.
    fate
        Decides about every notification; may be set later.
    """

    def __init__(self, *, sensor_name: str = "emgmon-0000", fate: FateHook = deliver_all) -> None:
        self._link = _FaultyLink()
        self._link.fate = fate
        self._controllers: dict[str, Controller] = {}
        self._devices: list[Device] = []
        self.sensor_device = self.add_sensor(sensor_name, SENSOR_ADDRESS)
        """The first sensor's."""
        self.host_device = self._device("emgmon-host", HOST_ADDRESS)

    @property
    def fate(self) -> FateHook:
        """What decides about every notification."""
        return self._link.fate

    @fate.setter
    def fate(self, hook: FateHook) -> None:
        self._link.fate = hook

    def add_sensor(self, name: str, address: str) -> Device:
        """Make a radio for one more sensor; before :meth:`open`."""
        self._link.ways[address] = _Way()
        return self._device(name, address)

    def _device(self, name: str, address: str) -> Device:
        controller = _Controller(name, link=self._link, public_address=address)
        controller.le_acl_data_packet_length = ACL_BUFFER_SIZE
        self._controllers[address] = controller
        device = Device(name=name, address=Address(address), host=Host(controller, AsyncPipeSink(controller)))
        self._devices.append(device)
        return device

    async def open(self) -> None:
        """Switch every radio on."""
        for device in self._devices:
            await device.power_on()

    def cut(self, address: str = SENSOR_ADDRESS, reason: HCI_ErrorCode = LINK_LOSS) -> None:
        """End the connection of a sensor on both sides; by default as when nothing was heard any more."""
        self._link.ways[address].passage = Passage()
        for own, controller in self._controllers.items():
            for connection in list(controller.le_connections.values()):
                peer = connection.peer_address.to_string(with_type_qualifier=False)
                if address in (own, peer):
                    controller.on_le_disconnected(connection, reason)

    def silence(self, address: str = SENSOR_ADDRESS) -> None:
        """Let nothing pass between a sensor and the host, while both believe that they are connected."""
        self._link.ways[address].silent = True

    def take_out_of_reach(self, address: str = SENSOR_ADDRESS) -> None:
        """End the connection; the sensor cannot be heard or connected to until it comes back."""
        self._link.ways[address].out_of_reach = True
        self.cut(address)

    def bring_back(self, address: str = SENSOR_ADDRESS) -> None:
        """End silence, or bring a sensor within reach again."""
        way = self._link.ways[address]
        way.silent = way.out_of_reach = False

    def release(self, address: str = SENSOR_ADDRESS) -> None:
        """Deliver what is held back behind notifications that never came."""
        sensor, host = self._controllers[address], self._controllers[HOST_ADDRESS]
        for pdu in self._link.ways[address].passage.release():
            asyncio.get_running_loop().call_soon(
                host.on_link_acl_data, sensor.random_address, PhysicalTransport.LE, pdu
            )

    async def close(self) -> None:
        """Switch every radio off; idempotent."""
        for device in reversed(self._devices):
            if device.powered_on and device.is_advertising:
                await device.stop_advertising()
            await device.power_off()

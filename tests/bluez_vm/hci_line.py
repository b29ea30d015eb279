"""A Bluetooth controller whose host is at the other end of a socket: HCI packets in H4 framing, both ways."""

import asyncio
from collections import deque
from pathlib import Path

from bumble.controller import Controller
from bumble.hci import (
    Address,
    HCI_Disconnection_Complete_Event,
    HCI_Encryption_Change_Event,
    HCI_ErrorCode,
    HCI_LE_Connection_Complete_Event,
    HCI_LE_Create_Connection_Cancel_Command,
    HCI_LE_Enhanced_Connection_Complete_Event,
    HCI_Packet,
    HCI_StatusReturnParameters,
    Role,
)
from bumble.link import LocalLink
from bumble.transport.common import PacketParser

AIR_TIME_S = 0.05
"""How long encryption and goodbyes take: a few connection intervals."""

_CHUNK = 65536
_SLOW = (HCI_Encryption_Change_Event, HCI_Disconnection_Complete_Event)


class LinuxController(Controller):
    """A controller as Linux knows them.

    It reports connections as Linux expects it from one that knows extended advertising. Bumble's sends the
    plain event always; Linux then goes on waiting for the enhanced one, and after four seconds takes a
    connection that stands for one that failed.

    It gives up a connection when asked to. Bumble's only says that it did, connects once the sensor is back,
    and the kernel has a connection that it does not know.

    And it takes its time: encryption and goodbyes need some connection events on the air, while Bumble's are
    done before the kernel has noted that it asked for them. Linux 6.1 has been seen to crash over that.
    """

    def __init__(self, name: str, link: LocalLink) -> None:
        super().__init__(name, link=link)
        self._waiting: deque[HCI_Packet] = deque()

    def send_hci_packet(self, packet: HCI_Packet) -> None:
        """Send to the host, in order."""
        is_slow = isinstance(packet, _SLOW)
        if isinstance(packet, HCI_LE_Connection_Complete_Event):
            packet = _enhanced(packet)
        if not is_slow and not self._waiting:
            super().send_hci_packet(packet)
            return
        self._waiting.append(packet)
        if is_slow:
            asyncio.get_running_loop().call_later(AIR_TIME_S, self._send_next)

    def on_hci_le_create_connection_cancel_command(
        self, command: HCI_LE_Create_Connection_Cancel_Command
    ) -> HCI_StatusReturnParameters:
        """Stop waiting for a sensor (Bluetooth Core, volume 4, part E, 7.8.13)."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return HCI_StatusReturnParameters(HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        # Behind the answer to the command itself.
        asyncio.get_running_loop().call_soon(self.send_hci_packet, _given_up(pending.peer_address))
        return HCI_StatusReturnParameters(HCI_ErrorCode.SUCCESS)

    def _send_next(self) -> None:
        """Send the slow event that has waited long enough, and all behind it up to the next slow one."""
        while self._waiting:
            super().send_hci_packet(self._waiting.popleft())
            if self._waiting and isinstance(self._waiting[0], _SLOW):
                return


def _enhanced(plain: HCI_LE_Connection_Complete_Event) -> HCI_LE_Enhanced_Connection_Complete_Event:
    return HCI_LE_Enhanced_Connection_Complete_Event(
        status=plain.status,
        connection_handle=plain.connection_handle,
        role=plain.role,
        peer_address_type=plain.peer_address_type,
        peer_address=plain.peer_address,
        local_resolvable_private_address=Address.ANY_RANDOM,
        peer_resolvable_private_address=Address.ANY_RANDOM,
        connection_interval=plain.connection_interval,
        peripheral_latency=plain.peripheral_latency,
        supervision_timeout=plain.supervision_timeout,
        central_clock_accuracy=plain.central_clock_accuracy,
    )


def _given_up(peer: Address) -> HCI_LE_Connection_Complete_Event:
    return HCI_LE_Connection_Complete_Event(
        status=HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
        connection_handle=0,
        role=Role.CENTRAL,
        peer_address_type=peer.address_type,
        peer_address=peer,
        connection_interval=0,
        peripheral_latency=0,
        supervision_timeout=0,
        central_clock_accuracy=0,
    )


class HciLine:
    """Listens on a socket and joins whoever comes with a controller.

    Parameters
    ----------
    controller
        Gets the commands and data that come, and its answers go back.
    """

    def __init__(self, controller: Controller) -> None:
        self._parser = PacketParser(controller)
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        controller.set_packet_sink(self)

    async def open(self, socket: Path) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_unix_server(self._serve, socket)

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def on_packet(self, packet: bytes) -> None:
        """Send what the controller says; what it says to nobody is lost, as on a cable without an end."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(packet)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        while data := await reader.read(_CHUNK):
            self._parser.feed_data(data)
        writer.close()

"""A sensor on the quick air, and its link to a host: what GATT and the link layer do, without their bytes."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bleak.exc import BleakError, BleakGATTProtocolError

from emgmon.clock import Clock
from emgmon.virtual.fate import FateHook, Passage
from emgmon.virtual.machine import MachineFactory
from emgmon.virtual.powered import PoweredSensor
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import RESPONSE_BIT, Opcode
from firmware_protocol.gatt import (
    ADVERTISED_NAME_PREFIX,
    ATT_CCCD_IMPROPERLY_CONFIGURED,
    ATT_INSUFFICIENT_AUTHENTICATION,
    ATT_INSUFFICIENT_ENCRYPTION,
    BATTERY_LEVEL_UUID,
    CONTROL_UUID,
    DATA_UUID,
    Security,
)

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

SUPERVISION_S = 2.0
"""How long nothing may be heard before a link is over (SPEC 2.10)."""

_START_RESPONSE = Opcode.START | RESPONSE_BIT


class QuickLink:
    """One connection. It is over for both sides at once, but for a goodbye that is not heard.

    Parameters
    ----------
    payload_size
        ATT_MTU - 3.
    on_over
        The host's; called once.
    """

    def __init__(self, sensor: "QuickSensor", *, payload_size: int, on_over: Callable[[], None]) -> None:
        self.sensor = sensor
        self.payload_size = payload_size
        self.is_encrypted = False
        self.is_over = False
        self.subscribers: dict[str, Callable[[bytes], None]] = {}
        self._on_over = on_over
        self._passable = asyncio.Event()
        self._passable.set()

    @property
    def is_silent(self) -> bool:
        """Whether nothing passes at the moment."""
        return not self._passable.is_set()

    def set_silent(self) -> None:
        """Let nothing pass."""
        self._passable.clear()

    def set_passable(self) -> None:
        """Let pass what waited."""
        self._passable.set()

    async def round_trip(self) -> None:
        """Wait as long as a request and its answer take.

        Raises
        ------
        BleakError
            When the link ends meanwhile.
        """
        await asyncio.sleep(self.sensor.latency_s)
        await self._passable.wait()
        if self.is_over:
            raise BleakError("Disconnected")

    def check(self) -> None:
        """Refuse what the sensor refuses over an open link (SPEC 2.11)."""
        if self.sensor.security is Security.OPEN or self.is_encrypted:
            return
        has_bond = self.sensor.bond is not None
        raise BleakGATTProtocolError(
            ATT_INSUFFICIENT_ENCRYPTION if has_bond else ATT_INSUFFICIENT_AUTHENTICATION
        )

    def end(self) -> None:
        """Be over."""
        if self.is_over:
            return
        self.is_over = True
        self._passable.set()
        self.subscribers.clear()
        self.sensor.on_link_over(self)
        self._on_over()


class QuickSensor:
    """A sensor with a radio that only the quick air has; made by :meth:`QuickAir.add`."""

    def __init__(
        self,
        capabilities: Capabilities,
        streams: Sequence["StreamSamples"],
        *,
        clock: Clock,
        address: str,
        machine: MachineFactory,
        security: Security,
        latency_s: float,
        pace_s: float,
        packets_per_s: float | None,
        fate: FateHook,
        jitter_s: Callable[[], float] | None,
    ) -> None:
        self.address = address
        self.name = f"{ADVERTISED_NAME_PREFIX}-{capabilities.boot_id & 0xFFFF:04X}"
        self.security = security
        self.latency_s = latency_s
        self.powered = PoweredSensor(capabilities, streams, clock=clock, machine=machine)
        self.bond: int | None = None
        """Key that it shares with the host."""
        self.takes_bonds = True
        """Whether it pairs with whoever asks."""
        self.link: QuickLink | None = None
        self.n_sent = 0
        """Notifications of data since it was made, lost ones included."""
        self._pace_s = pace_s
        self._limit = None if packets_per_s is None else max(1, round(packets_per_s * pace_s))
        self._fate = fate
        self._jitter_s = jitter_s
        self._is_on = True
        self._is_in_reach = True
        self._sending = False
        self._passage = Passage()
        self._responses: deque[bytes] = deque()
        self._last_arrival_s = 0.0
        self._told_pct = self.powered.battery_pct

    @property
    def is_heard(self) -> bool:
        """Whether it advertises, and somebody can hear it."""
        return self._is_on and self._is_in_reach and self.link is None

    @property
    def finished(self) -> bool:
        """Whether every sample was sent and nothing waits."""
        return self.powered.measuring.finished

    # The link, as the host's client uses it.

    def connect(self, link: QuickLink) -> None:
        """Have a host."""
        self.link = link
        self._told_pct = self.powered.battery_pct
        self.powered.measuring.machine.connect()
        asyncio.get_running_loop().call_later(self._pace_s, self._look, link)

    def on_link_over(self, link: QuickLink) -> None:
        """Have no host any more."""
        if self.link is not link:
            return
        self.link = None
        self._sending = False
        self._responses.clear()
        self._passage = Passage()
        self.powered.measuring.machine.disconnect()

    def write_control(self, written: bytes) -> None:
        """Obey the host; raises bleak's errors where GATT refuses."""
        link = self._own_link()
        link.check()
        if CONTROL_UUID not in link.subscribers:
            raise BleakGATTProtocolError(ATT_CCCD_IMPROPERLY_CONFIGURED)
        response = self.powered.measuring.respond(
            written,
            payload_size=link.payload_size,
            notifying=DATA_UUID in link.subscribers,
            now_us=self.powered.now_us,
        )
        self._responses.append(response)
        asyncio.get_running_loop().call_later(self.latency_s, self._indicate, link)

    def subscribe(self, uuid: str, deliver: Callable[[bytes], None]) -> None:
        """Switch notifications or indications on."""
        link = self._own_link()
        if uuid != BATTERY_LEVEL_UUID:
            link.check()
        link.subscribers[uuid] = deliver

    def unsubscribe(self, uuid: str) -> None:
        """Switch them off; nobody then listens to the data (SPEC 2.8)."""
        self._own_link().subscribers.pop(uuid, None)
        machine = self.powered.measuring.machine
        if uuid == DATA_UUID and machine.streaming:
            self._sending = False
            machine.notifications_off()

    def _own_link(self) -> QuickLink:
        if self.link is None:
            raise BleakError("Not connected")
        return self.link

    # What it sends.

    def _look(self, link: QuickLink) -> None:
        """Send what is due by the clock, and look again a little later."""
        if self.link is not link:
            return
        if not link.is_silent:
            self._indicate(link)
            self._send_due(link)
            self._tell_status(link)
        if self._tell_battery(link):
            asyncio.get_running_loop().call_later(self._pace_s, self._look, link)

    def _indicate(self, link: QuickLink) -> None:
        while self.link is link and not link.is_silent and self._responses:
            response = self._responses.popleft()
            deliver = link.subscribers.get(CONTROL_UUID)
            if deliver is not None:
                deliver(response)
                # The host has confirmed: samples may follow.
                if response[0] == _START_RESPONSE:
                    self._sending = self.powered.measuring.streaming

    def _send_due(self, link: QuickLink) -> None:
        if not self._sending:
            return
        packets = self.powered.measuring.packets_due(
            self.powered.now_us, payload_size=link.payload_size, limit=self._limit
        )
        for packet in packets:
            self.n_sent += 1
            for arriving in self._passage.through(packet, self._fate(self.address, packet)):
                self._deliver(link, arriving)

    def _deliver(self, link: QuickLink, value: bytes) -> None:
        if self._jitter_s is None:
            self._arrive(link, value)
            return
        loop = asyncio.get_running_loop()
        self._last_arrival_s = max(self._last_arrival_s, loop.time() + self._jitter_s())
        loop.call_at(self._last_arrival_s, self._arrive, link, value)

    def _arrive(self, link: QuickLink, value: bytes) -> None:
        deliver = link.subscribers.get(DATA_UUID)
        if deliver is not None:
            deliver(value)

    def _tell_status(self, link: QuickLink) -> None:
        if self.link is not link or CONTROL_UUID not in link.subscribers or self._responses:
            return
        status = self.powered.measuring.machine.next_status(self.powered.now_us)
        if status is not None:
            link.subscribers[CONTROL_UUID](status)

    def _tell_battery(self, link: QuickLink) -> bool:
        """Tell a level that changed; whether there is still power."""
        level_pct = self.powered.battery_pct
        if level_pct != self._told_pct and self.link is link:
            self._told_pct = level_pct
            self.powered.measuring.machine.report(self.powered.battery_state())
            deliver = link.subscribers.get(BATTERY_LEVEL_UUID)
            if deliver is not None and not link.is_silent:
                deliver(bytes([level_pct]))
        if level_pct == 0:
            self.switch_off()
        return level_pct > 0

    # What happens to it.

    def cut(self) -> None:
        """End the link on both sides, lost (0x08) or with a goodbye (0x13): bleak tells no difference."""
        if self.link is not None:
            self.link.end()

    def silence(self) -> None:
        """Let nothing pass, while both believe to be connected; what the sensor has waits in its ring."""
        if self.link is not None:
            self.link.set_silent()

    def take_out_of_reach(self, for_s: float | None = None) -> None:
        """Let nothing pass until it is brought back, or for so long; after a while the link is over."""
        self._is_in_reach = False
        loop = asyncio.get_running_loop()
        if self.link is not None:
            self.link.set_silent()
            loop.call_later(SUPERVISION_S, self._supervise, self.link)
        if for_s is not None:
            loop.call_later(for_s, self.bring_back)

    def _supervise(self, link: QuickLink) -> None:
        if link.is_silent:
            link.end()

    def bring_back(self) -> None:
        """End silence, or be within reach again."""
        self._is_in_reach = True
        if self.link is not None:
            self.link.set_passable()

    def reboot(self, boot_id: int | None = None) -> None:
        """Begin anew in the middle of everything: the link is gone, the counters and the ring too."""
        self.switch_off()
        self.powered.reboot(boot_id)
        self.switch_on()

    def switch_off(self) -> None:
        """Go out."""
        self._is_on = False
        self.cut()

    def switch_on(self) -> None:
        """Advertise again."""
        self._is_on = True

    def release(self) -> None:
        """Deliver what is held back behind notifications that never came."""
        if self.link is not None:
            for value in self._passage.release():
                self._deliver(self.link, value)

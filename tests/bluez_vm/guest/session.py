"""Sessions as our own client leads them, kept from the search for the sensor to the goodbye."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from emgmon.clock import SystemClock
from emgmon.events import LinkChanged, LinkState, NotificationKind
from emgmon.sensors.ble import SYSTEM_RADIO
from emgmon.sensors.link import Acquainted, SensorLink
from firmware_protocol.packets import PacketFlag, PacketHeader
from firmware_protocol.receiver import Rebooted, Receiver
from tests.bluez_vm.guest.judgement import Heard, Received, judge, listen
from tests.bluez_vm.guest.messages import Sensor

LOOK_S = 0.1
"""How often silence is looked for; in a live session it is the feed that does."""


class GuestSession:
    """One link, and everything that it passed on."""

    def __init__(self, sensor: Sensor) -> None:
        self.changes: list[tuple[float, LinkChanged]] = []
        """With the time of each."""
        self.n_live = 0
        """Samples that came in their turn."""
        self.heard: list[Heard] = []
        self.link = SensorLink(
            0,
            SYSTEM_RADIO,
            SystemClock(),
            address=sensor.address,
            receive=self._receive,
            changed=self._change,
        )
        self.known: Acquainted | None = None

    async def open(self) -> Acquainted:
        """Find the sensor, connect, pair where it demands that, and have the samples sent."""
        self.known = await self.link.connect()
        await self.link.start()
        return self.known

    async def until(self, condition: Callable[[], bool], *, limit_s: float) -> float:
        """Wait for something to be so, with an eye on silence; seconds waited."""
        begun_s = time.monotonic()
        async with asyncio.timeout(limit_s):
            while not condition():
                self.link.check()
                await asyncio.sleep(LOOK_S)
        return time.monotonic() - begun_s

    async def more_samples(self, n_samples: int, *, limit_s: float) -> None:
        """Wait for so many samples more."""
        enough = self.n_live + n_samples
        await self.until(lambda: self.n_live >= enough, limit_s=limit_s)

    def has_been(self, state: LinkState) -> bool:
        """Whether the link was ever in a state."""
        return any(change.state is state for _, change in self.changes)

    def when(self, state: LinkState, *, after_s: float) -> float:
        """When the link came to a state, for the first time after a moment."""
        return next(at_s for at_s, change in self.changes if change.state is state and at_s >= after_s)

    def received(self) -> Received:
        """Judge what has come so far."""
        assert self.known is not None
        return judge(self.known.capabilities, self.heard)

    def rebooted(self) -> bool:
        """Whether the sensor said that it began anew."""
        assert self.known is not None
        receiver = Receiver(self.known.capabilities)
        return any(isinstance(event, Rebooted) for item in self.heard for event in listen(receiver, item))

    def _receive(self, kind: NotificationKind, payload: bytes) -> None:
        self.heard.append(Heard(time.monotonic(), kind, payload))
        if kind is NotificationKind.DATA:
            header = PacketHeader.from_bytes(payload)
            self.n_live += 0 if header.flags & PacketFlag.RETRANSMITTED else header.n_samples

    def _change(self, change: LinkChanged) -> None:
        self.changes.append((time.monotonic(), change))


@asynccontextmanager
async def session(sensor: Sensor = Sensor.USUAL) -> AsyncIterator[GuestSession]:
    """A session that is under way, closed on the way out."""
    under_way = GuestSession(sensor)
    try:
        await under_way.open()
        yield under_way
    finally:
        await under_way.link.close()

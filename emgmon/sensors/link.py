"""The life of a link: every state it may be in, every legal move, and the way back after a loss."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from emgmon.clock import Clock
from emgmon.errors import SensorError
from emgmon.events import LinkChanged, LinkState, NotificationKind
from emgmon.sensors.backfill import is_worth_waiting, n_missing
from emgmon.sensors.backoff import retry_delay_s
from emgmon.sensors.ble import CONNECT_LIMIT_S, FoundSensor, Radio, find
from emgmon.sensors.device_information import DeviceInformation
from emgmon.sensors.dialogue import LOOK_S, Dialogue
from emgmon.sensors.listener import Listener
from emgmon.sensors.refusals import Unanswered, UnusableSensor
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Started

LEGAL_MOVES: Mapping[LinkState, frozenset[LinkState]] = {
    LinkState.IDLE: frozenset({LinkState.SCANNING, LinkState.CLOSED}),
    LinkState.SCANNING: frozenset({LinkState.CONNECTING, LinkState.RECONNECTING, LinkState.CLOSED}),
    LinkState.CONNECTING: frozenset(
        {LinkState.CHECKING, LinkState.RECONNECTING, LinkState.LOST, LinkState.CLOSED}
    ),
    LinkState.CHECKING: frozenset(
        {
            LinkState.SCANNING,
            LinkState.STREAMING,
            LinkState.RECONNECTING,
            LinkState.LOST,
            LinkState.CLOSED,
        }
    ),
    LinkState.STREAMING: frozenset({LinkState.STALLED, LinkState.RECONNECTING, LinkState.CLOSED}),
    LinkState.STALLED: frozenset({LinkState.STREAMING, LinkState.RECONNECTING, LinkState.CLOSED}),
    LinkState.RECONNECTING: frozenset(
        {LinkState.SCANNING, LinkState.CONNECTING, LinkState.LOST, LinkState.CLOSED}
    ),
    LinkState.LOST: frozenset({LinkState.CLOSED}),
    LinkState.CLOSED: frozenset(),
}
"""Where a link may go from each state (SPEC 10.3). RECONNECTING is for links that have streamed."""

STALL_LIMIT_NS = 1_000_000_000
"""Silence after which a link counts as stalled; a sensor sends many packets a second."""

STILL_NS = 300_000_000
"""After so much silence it is not known what is missing."""

SILENCE_LIMIT_NS = 4_000_000_000
"""Silence after which a link that claims to be there is taken down and built anew."""

FIND_LIMIT_S = 15.0
RETURN_LIMIT_S = 5.0
"""How long one try to come back waits for the sensor to be heard or to answer."""

RETURN_ALONE_LIMIT_S = 15.0
"""The same for its answer where no other link waits for the radio: a system that waits to connect does so at
the first advertisement, while one that scans may take seconds to tell of it (4 s were seen on BlueZ)."""

N_LONG_TRIES = 2
RETURN_AMONG_LIMIT_S = 1.0
"""The limit after so many tries, where other links may be waiting: a sensor that stays away must not keep one
waiting that is back."""

N_TIMES = 8
"""Comparisons of clocks before a first START, or one after a reboot (SPEC 8.5)."""

N_TIMES_AGAIN = 2
"""Before another START: the clock is known, and every comparison delays the samples."""

RATE_TOLERANCE = 1e-3
"""A sensor may announce its rate anew after it has measured it against its crystal (SPEC 5.3)."""

LOW_BATTERY_PCT = 5

OPEN_LINK = "the link is not encrypted: a sensor of version 1.0 does not ask for it"

_CONNECTED = (LinkState.STREAMING, LinkState.STALLED)


@dataclass(frozen=True, slots=True)
class Acquainted:
    """Who was found, and what it says about itself."""

    sensor: FoundSensor
    capabilities: Capabilities
    information: DeviceInformation


class SensorLink:
    """One sensor from the search for it to the goodbye; comes back by itself after every loss.

    Parameters
    ----------
    index
        Number of the sensor within the session.
    radio
        Whose classes to scan and connect with.
    clock
        Judges silence and stamps comparisons of clocks; from `start` on it has the zero of the recording.
    address
        Which sensor; ``None`` takes the first that is heard.
    receive
        Called with every payload that belongs into a recording, in order of arrival.
    changed
        Called with every change of state.
    wait
        Sleeps.
    chance
        Draws a number from 0 to 1, for the pauses between tries.
    turn
        Held while scanning and connecting; links that share a radio share it.
    give_up_after_s
        How long to try to come back; ``None`` for as long as it takes.
    """

    def __init__(
        self,
        index: int,
        radio: Radio,
        clock: Clock,
        *,
        address: str | None,
        receive: Callable[[NotificationKind, bytes], None],
        changed: Callable[[LinkChanged], None],
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        turn: asyncio.Lock | None = None,
        give_up_after_s: float | None = None,
    ) -> None:
        self._index = index
        self._radio = radio
        self._clock = clock
        self._address = address
        self._changed = changed
        self._wait = wait
        self._chance = chance
        self._turn, self._alone = turn or asyncio.Lock(), turn is None
        self._give_up_after_s = give_up_after_s
        self._state = LinkState.IDLE
        self._listener = Listener(clock, receive=receive, on_samples=self._on_samples)
        self._known: Acquainted | None = None
        self._boot_id: int | None = None
        self._dialogue: Dialogue | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        return self._state

    @property
    def n_missing(self) -> int:
        """How many samples did not come and still may."""
        return n_missing(self._listener.streams)

    def _move(self, state: LinkState, detail: str = "") -> None:
        if state not in LEGAL_MOVES[self._state]:
            raise ValueError(f"a link cannot go from {self._state} to {state}")
        self._state = state
        self._changed(LinkChanged(self._index, state, detail))

    async def connect(self) -> Acquainted:
        """Find the sensor, connect, and learn what it is.

        Raises
        ------
        SensorError
            When any of this fails; the link is then closed.
        """
        try:
            dialogue, capabilities = await self._meet()
            information = await dialogue.read_information()
        except BaseException as error:
            await self._end(str(error))
            raise
        self._known = Acquainted(dialogue.sensor, capabilities, information)
        return self._known

    async def _meet(self) -> tuple[Dialogue, Capabilities]:
        dialogue = await self._seek()
        try:
            return dialogue, await dialogue.describe()
        except Unanswered:
            # BlueZ 5.66 pairs by itself, and may forget the request that made it pair: now there is a bond.
            await self._hang_up()
        dialogue = await self._seek()
        return dialogue, await dialogue.describe()

    async def _seek(self) -> Dialogue:
        async with self._turn:
            self._move(LinkState.SCANNING)
            sensor = await find(self._radio, address=self._address, limit_s=FIND_LIMIT_S)
            return await self._reach(sensor, CONNECT_LIMIT_S)

    async def start(self) -> Started:
        """Have the samples sent, and see to it that they go on coming.

        Raises
        ------
        SensorError
            When the sensor refuses or falls silent; the link is then closed.
        """
        if self._known is None or self._dialogue is None:
            raise ValueError("a link starts after it has connected")
        capabilities = self._known.capabilities
        self._listener.begin(capabilities)
        try:
            started = await self._begin(self._dialogue, capabilities)
        except BaseException as error:
            await self._end(str(error))
            raise
        self._move(LinkState.STREAMING, "" if capabilities.version_minor else OPEN_LINK)
        self._life = asyncio.create_task(self._live())
        return started

    async def _reach(self, sensor: FoundSensor, limit_s: float) -> Dialogue:
        self._move(LinkState.CONNECTING, f"{sensor.name} ({sensor.address})")
        self._dialogue = dialogue = Dialogue(
            sensor, self._radio, listener=self._listener, clock=self._clock, wait=self._wait
        )
        await dialogue.open(limit_s=limit_s)
        self._move(LinkState.CHECKING)
        return dialogue

    async def _begin(self, dialogue: Dialogue, capabilities: Capabilities) -> Started:
        is_known = self._boot_id == capabilities.boot_id
        self._boot_id = capabilities.boot_id
        started = await dialogue.begin(capabilities, n_times=N_TIMES_AGAIN if is_known else N_TIMES)
        self._listener.last_samples_ns = self._clock.now_ns()
        return started

    async def _live(self) -> None:
        """Come back after every loss."""
        while self._dialogue is not None:
            why = await self._dialogue.over()
            if not await self._return(why):
                return

    async def _return(self, why: str) -> bool:
        """Whether the samples flow again."""
        lost_ns, attempt = self._clock.now_ns(), 0
        why += self._battery_words()
        while True:
            self._move(LinkState.RECONNECTING, why)
            await self._hang_up()
            away_s = (self._clock.now_ns() - lost_ns) / 1e9
            if self._give_up_after_s is not None and away_s >= self._give_up_after_s:
                self._move(LinkState.LOST, f"the sensor has been away for {away_s:.0f} s")
                return False
            await self._wait(retry_delay_s(attempt, jitter=self._chance()))
            try:
                await self._try_to_return(attempt)
            except UnusableSensor as error:
                await self._hang_up()
                self._move(LinkState.LOST, f"{error}. {error.advice}")
                return False
            except SensorError as error:
                why, attempt = str(error), attempt + 1
                continue
            away_s = (self._clock.now_ns() - lost_ns) / 1e9
            self._move(LinkState.STREAMING, f"after {away_s:.1f} s")
            return True

    async def _try_to_return(self, attempt: int) -> None:
        """Try the sensor directly, as the system remembers it; every second time listen for it first."""
        assert self._known is not None
        sensor = self._known.sensor
        async with self._turn:
            shared_s = RETURN_LIMIT_S if attempt < N_LONG_TRIES else RETURN_AMONG_LIMIT_S
            if attempt % 2:
                self._move(LinkState.SCANNING)
                limit_s = RETURN_LIMIT_S if self._alone else shared_s
                sensor = await find(self._radio, address=sensor.address, limit_s=limit_s)
            dialogue = await self._reach(sensor, RETURN_ALONE_LIMIT_S if self._alone else shared_s)
        self._known = replace(self._known, sensor=dialogue.sensor)
        capabilities = await dialogue.describe()
        if not is_same_kind(self._known.capabilities, capabilities):
            raise UnusableSensor(
                "the sensor came back with another name or other streams than the session began with",
                advice="Start a new session: its recording can describe the sensor as it is now.",
            )
        await self._begin(dialogue, capabilities)

    def _battery_words(self) -> str:
        level = self._listener.battery_pct
        is_low = level is not None and level <= LOW_BATTERY_PCT
        return f"; its battery was at {level} %" if is_low else ""

    def check(self) -> None:
        """Notice silence, and what went wrong unseen; to be called a few times a second.

        Raises
        ------
        Exception
            Whatever ended the link's own work, where that was a mistake of this program.
        """
        if self._life is not None and self._life.done() and not self._life.cancelled():
            self._life.result()
        if self._dialogue is not None:
            self._dialogue.check()
        silence_ns = self._clock.now_ns() - self._listener.last_samples_ns
        if self._state is LinkState.STREAMING and silence_ns > STALL_LIMIT_NS:
            self._move(LinkState.STALLED, "no samples for one second")
        if self._state is LinkState.STALLED and silence_ns > SILENCE_LIMIT_NS and self._dialogue is not None:
            self._dialogue.give_up(f"no samples for {SILENCE_LIMIT_NS / 1e9:.0f} s")

    def _on_samples(self) -> None:
        if self._state is LinkState.STALLED:
            self._move(LinkState.STREAMING, "samples are coming again")

    async def close(self, *, patient: bool = True) -> None:
        """Fetch what is missing, if patient and within limits; then send STOP and disconnect; idempotent."""
        if self._state is LinkState.CLOSED:
            return
        try:
            if patient:
                await self._finish()
            if self._state in _CONNECTED and self._dialogue is not None:
                # The session is over either way: a sensor that does not answer stops once disconnected.
                with suppress(SensorError):
                    await self._dialogue.stop()
        finally:
            await self._end("")

    async def _finish(self) -> None:
        """Wait for what is missing, as long as it may come and the limits allow."""
        began_ns = progress_ns = self._clock.now_ns()
        before = self._left()
        while (left := self._left()) > (0, 0):
            now_ns = self._clock.now_ns()
            if left < before:
                progress_ns = now_ns
            before = left
            if not is_worth_waiting(waited_ns=now_ns - began_ns, since_progress_ns=now_ns - progress_ns):
                return
            await self._wait(LOOK_S)

    def _left(self) -> tuple[int, int]:
        """How far the link is from having everything: steps to a connection, then samples."""
        if self._known is None or not self._known.capabilities.ring_ms:
            return 0, 0
        if self._state in _CONNECTED:
            silence_ns = self._clock.now_ns() - self._listener.last_samples_ns
            return (1 if silence_ns > STILL_NS else 0), self.n_missing
        is_away = self._life is not None and not self._life.done()
        return (1 if is_away else 0), 0

    async def _end(self, detail: str) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        await self._hang_up()
        if self._state is not LinkState.CLOSED:
            self._move(LinkState.CLOSED, detail)

    async def _hang_up(self) -> None:
        if self._dialogue is not None:
            await self._dialogue.close()
            # Only now: whoever is cancelled above leaves it to `_end`.
            self._dialogue = None


def is_same_kind(one: Capabilities, other: Capabilities) -> bool:
    """Whether two descriptions may be of one sensor and one session; a rate may have been measured anew."""
    fixed = [(sensor.name, sensor.version_minor, sensor.ring_ms) for sensor in (one, other)]
    if fixed[0] != fixed[1] or len(one.streams) != len(other.streams):
        return False
    return all(
        replace(a, rate_hz=b.rate_hz) == b and abs(a.rate_hz - b.rate_hz) <= RATE_TOLERANCE * b.rate_hz
        for a, b in zip(one.streams, other.streams, strict=True)
    )

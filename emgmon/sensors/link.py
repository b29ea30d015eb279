"""The life of one connection: every state it may be in, and every legal move between them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from emgmon.clock import Clock
from emgmon.errors import SensorError
from emgmon.events import LinkChanged, LinkState, NotificationKind
from emgmon.sensors.ble import Connection, FoundSensor, Radio, find
from emgmon.sensors.control import ControlPoint, fetch_capabilities, start_streaming, stop_streaming
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Started

LEGAL_MOVES: Mapping[LinkState, frozenset[LinkState]] = {
    LinkState.IDLE: frozenset({LinkState.SCANNING, LinkState.CLOSED}),
    LinkState.SCANNING: frozenset({LinkState.CONNECTING, LinkState.CLOSED}),
    LinkState.CONNECTING: frozenset({LinkState.CHECKING, LinkState.LOST, LinkState.CLOSED}),
    LinkState.CHECKING: frozenset({LinkState.STREAMING, LinkState.LOST, LinkState.CLOSED}),
    LinkState.STREAMING: frozenset({LinkState.STALLED, LinkState.LOST, LinkState.CLOSED}),
    LinkState.STALLED: frozenset({LinkState.STREAMING, LinkState.LOST, LinkState.CLOSED}),
    LinkState.RECONNECTING: frozenset(),
    LinkState.LOST: frozenset({LinkState.CLOSED}),
    LinkState.CLOSED: frozenset(),
}
"""Where a link may go from each state. RECONNECTING cannot be reached: this version ends a lost session."""

STALL_LIMIT_NS = 1_000_000_000
"""Silence after which a link counts as stalled; a sensor sends many packets a second."""

FIND_LIMIT_S = 15.0
BATTERY_PERIOD_S = 60.0
"""Many sensors never notify their battery level, so it is read as well."""

LOST_DETAIL = (
    "the connection was lost; this version does not reconnect. "
    "The recording is complete up to this moment: start a new session to go on."
)


class SensorLink:
    """One sensor from the search for it to the goodbye.

    Parameters
    ----------
    index
        Number of the sensor within the session.
    radio
        Whose classes to scan and connect with.
    clock
        Judges silence.
    address
        Which sensor; ``None`` takes the first that is heard.
    receive
        Called with every payload that belongs into a recording, in order of arrival.
    changed
        Called with every change of state.
    wait
        Sleeps between two readings of the battery.
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
    ) -> None:
        self._index = index
        self._radio = radio
        self._clock = clock
        self._address = address
        self._receive = receive
        self._changed = changed
        self._wait = wait
        self._state = LinkState.IDLE
        self._connection: Connection | None = None
        self._control: ControlPoint | None = None
        self._battery_task: asyncio.Task[None] | None = None
        self._recorded = False
        self._last_data_ns = 0

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        return self._state

    def _move(self, state: LinkState, detail: str = "") -> None:
        if state not in LEGAL_MOVES[self._state]:
            raise ValueError(f"a link cannot go from {self._state} to {state}")
        self._state = state
        self._changed(LinkChanged(self._index, state, detail))

    async def connect(self) -> tuple[FoundSensor, Capabilities]:
        """Find the sensor, connect, and learn what it is.

        Raises
        ------
        SensorError
            When any of this fails; the link is then closed.
        """
        try:
            return await self._connect()
        except BaseException as error:
            await self._give_up(str(error))
            raise

    async def _connect(self) -> tuple[FoundSensor, Capabilities]:
        self._move(LinkState.SCANNING)
        sensor = await find(self._radio, address=self._address, limit_s=FIND_LIMIT_S)
        self._move(LinkState.CONNECTING, f"{sensor.name} ({sensor.address})")
        self._connection = Connection(sensor, self._radio, on_lost=self._on_lost)
        await self._connection.open()
        self._move(LinkState.CHECKING)
        self._control = ControlPoint(self._connection.write_control)
        await self._connection.subscribe_control(self._on_indication)
        return sensor, await fetch_capabilities(self._control)

    async def start(self) -> Started:
        """Have the samples sent.

        Raises
        ------
        SensorError
            When the sensor refuses or falls silent; the link is then closed.
        """
        connection, control = self._connection, self._control
        if connection is None or control is None:
            raise ValueError("a link starts after it has connected")
        try:
            # The subscription comes first, so that not one notification is missed.
            self._recorded = True
            await connection.subscribe_data(self._on_data)
            started = await start_streaming(control)
            if self._state is LinkState.CHECKING:
                self._enter_streaming()
            self._battery_task = asyncio.create_task(self._follow_battery(connection))
        except BaseException as error:
            await self._give_up(str(error))
            raise
        return started

    def _enter_streaming(self) -> None:
        self._last_data_ns = self._clock.now_ns()
        self._move(LinkState.STREAMING)

    async def _give_up(self, detail: str) -> None:
        await self._hang_up()
        if self._state is not LinkState.CLOSED:
            self._move(LinkState.CLOSED, detail)

    def check(self) -> None:
        """Notice silence; to be called a few times a second."""
        silence_ns = self._clock.now_ns() - self._last_data_ns
        if self._state is LinkState.STREAMING and silence_ns > STALL_LIMIT_NS:
            self._move(LinkState.STALLED, "no samples for one second")

    async def close(self) -> None:
        """Send STOP where it can still be heard, and disconnect; idempotent."""
        if self._state is LinkState.CLOSED:
            return
        if self._state in (LinkState.STREAMING, LinkState.STALLED) and self._control is not None:
            # The session is over either way: a sensor that no longer answers stops when it is disconnected.
            with suppress(SensorError):
                await stop_streaming(self._control)
        await self._give_up("")

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if self._battery_task is not None:
            self._battery_task.cancel()
            await asyncio.gather(self._battery_task, return_exceptions=True)
            self._battery_task = None
        if connection is not None:
            await connection.close()

    def _on_lost(self) -> None:
        if self._control is not None:
            self._control.abandon(SensorError("the sensor disconnected", advice=LOST_DETAIL))
        if self._connection is not None and LinkState.LOST in LEGAL_MOVES[self._state]:
            self._move(LinkState.LOST, LOST_DETAIL)

    def _on_indication(self, payload: bytes) -> None:
        if self._recorded:
            # Here and not where the answer is awaited: the first samples may come in the same breath.
            self._receive(NotificationKind.CONTROL, payload)
        if self._control is not None:
            self._control.on_indication(payload)

    def _on_data(self, payload: bytes) -> None:
        self._last_data_ns = self._clock.now_ns()
        if self._state is LinkState.STALLED:
            self._move(LinkState.STREAMING, "samples are coming again")
        self._receive(NotificationKind.DATA, payload)

    async def _follow_battery(self, connection: Connection) -> None:
        def on_level(level: bytes) -> None:
            self._receive(NotificationKind.BATTERY, level)

        # A battery that cannot be read is no reason to end a session.
        with suppress(SensorError):
            await connection.subscribe_battery(on_level)
        while True:
            with suppress(SensorError):
                level = await connection.read_battery()
                if level is not None:
                    on_level(level)
            await self._wait(BATTERY_PERIOD_S)

"""What host and sensor say to each other over one connection; it ends with that and is never mended."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from emgmon.clock import Clock
from emgmon.errors import SensorError
from emgmon.sensors.backfill import Backfill
from emgmon.sensors.ble import Connection, FoundSensor, Radio
from emgmon.sensors.control import ControlPoint, fetch_capabilities, start_streaming, stop_streaming
from emgmon.sensors.device_information import DeviceInformation
from emgmon.sensors.listener import Listener
from emgmon.sensors.refusals import OUT_OF_REACH_ADVICE
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Response, Started, Status
from firmware_protocol.errors import SensorFault
from firmware_protocol.resend import ResendAnswer, SampleRange, resend_request, time_request

BATTERY_PERIOD_S = 60.0
"""Many sensors never notify their battery level, so it is read as well."""

TIME_PERIOD_NS = 10_000_000_000
"""How often the clocks are compared while samples flow (SPEC 8.5)."""

LOOK_S = 0.03
"""How often somebody looks whether there is something to ask for."""

GONE = "the connection was lost"


class Dialogue:
    """One connection to a sensor, with everything that is under way on it.

    Parameters
    ----------
    sensor
        What a scan found, now or before.
    radio
        Whose classes to connect with.
    listener
        Hears all that comes.
    clock
        Stamps questions about time; it has the zero of the recording.
    wait
        Sleeps.
    """

    def __init__(
        self,
        sensor: FoundSensor,
        radio: Radio,
        *,
        listener: Listener,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]],
    ) -> None:
        self._connection = Connection(sensor, radio, on_lost=lambda: self.give_up(GONE))
        self._control = ControlPoint(self._connection.write_control)
        self._listener = listener
        self._clock = clock
        self._wait = wait
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._parting = False

    @property
    def sensor(self) -> FoundSensor:
        """Who is spoken to, as last heard in the air."""
        return self._connection.sensor

    async def open(self, *, limit_s: float) -> None:
        """Connect.

        Raises
        ------
        SensorError
            When the sensor cannot be reached, or is not one of ours.
        """
        await self._connection.open(limit_s=limit_s)

    async def describe(self) -> Capabilities:
        """Listen to the control point, pairing if need be, and have the sensor describe itself.

        Raises
        ------
        SensorError
            When the sensor refuses or falls silent, or what it says cannot be used.
        """
        async with self._connection.agreeing():
            await self._connection.subscribe_control(self._on_indication)
            return await fetch_capabilities(self._control)

    async def read_information(self) -> DeviceInformation:
        """Read who made the sensor; empty where it does not say."""
        return await self._connection.read_device_information()

    async def begin(self, capabilities: Capabilities, *, n_times: int) -> Started:
        """Compare clocks so many times, have the samples sent, and look after all that goes with them.

        Raises
        ------
        SensorError
            When the sensor refuses or falls silent.
        """
        is_1_0 = capabilities.version_minor == 0
        # The subscription comes before START, so that not one notification is missed.
        await self._connection.subscribe_data(self._listener.on_data)
        for _ in range(0 if is_1_0 else n_times):
            if not await self._compare_clocks():
                break
        started = await self._start(is_1_0=is_1_0)
        self._spawn(self._follow_battery())
        if not is_1_0:
            self._spawn(self._keep_asking(capabilities))
        return started

    async def over(self) -> str:
        """Wait until there is no use in going on; why."""
        return await asyncio.shield(self._over)

    def check(self) -> None:
        """Raise what ended a task of this connection, where it was a mistake of this program."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def give_up(self, why: str) -> None:
        """End it: whoever waits for an answer gets none."""
        if not self._over.done():
            self._over.set_result(why)
        self._control.abandon(SensorError(f"{why} while the sensor was asked", advice=OUT_OF_REACH_ADVICE))

    async def stop(self) -> None:
        """Send STOP.

        Raises
        ------
        SensorError
            When the sensor does not confirm it.
        """
        self._parting = True
        await stop_streaming(self._control)

    async def close(self) -> None:
        """Let go of everything and disconnect; idempotent."""
        self.give_up("it was closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _on_indication(self, indication: bytes) -> None:
        # Here and not where the answer is awaited: the first samples may come in the same breath.
        self._listener.on_control(indication)
        self._control.on_indication(indication)

    async def _start(self, *, is_1_0: bool) -> Started:
        return await start_streaming(self._control, renew=None if is_1_0 else self._renew)

    async def _renew(self) -> None:
        """Switch notifications off and on: whatever session is running ends, and no sample is lost by it."""
        await self._connection.unsubscribe_data()
        await self._connection.subscribe_data(self._listener.on_data)

    async def _compare_clocks(self) -> bool:
        """Whether the sensor told its time; one whose packets are too small for that does not."""
        request = time_request(self._clock.now_ns(), transaction=self._control.next_transaction())
        return (await self._control.ask(request)).status == Status.OK

    async def _keep_asking(self, capabilities: Capabilities) -> None:
        """Ask for what is missing and for the time, one thing at a time."""
        rates_hz = {stream.number: stream.rate_hz for stream in capabilities.streams}
        plan = Backfill(rates_hz, ring_ms=capabilities.ring_ms)
        compared_ns = self._clock.now_ns()
        while True:
            await self._wait(LOOK_S)
            if self._parting:
                return
            try:
                asked = plan.ask(self._listener.streams, self._clock.now_ns())
                if asked is not None:
                    await self._fetch(plan, asked)
                elif self._clock.now_ns() - compared_ns >= TIME_PERIOD_NS:
                    compared_ns = self._clock.now_ns()
                    await self._compare_clocks()
            except SensorError as error:
                # A control point that fails cannot be trusted with what is still to come.
                self.give_up(str(error))
                return

    async def _fetch(self, plan: Backfill, asked: SampleRange) -> None:
        request = resend_request(asked, transaction=self._control.next_transaction())
        response = await self._control.ask(request)
        if response.status == Status.WRONG_STATE and not self._parting:
            # The sensor sees no session where we see one: begin it anew, the ring goes on.
            plan.refused(self._clock.now_ns())
            await self._start(is_1_0=False)
            return
        answer = _read_answer(response)
        if answer is None:
            plan.refused(self._clock.now_ns())
        else:
            plan.answered(answer, self._clock.now_ns())

    async def _follow_battery(self) -> None:
        # A battery that cannot be read is no reason to end a session.
        with suppress(SensorError):
            await self._connection.subscribe_battery(self._listener.on_battery)
        while True:
            with suppress(SensorError):
                level = await self._connection.read_battery()
                if level is not None:
                    self._listener.on_battery(level)
            await self._wait(BATTERY_PERIOD_S)


def _read_answer(response: Response) -> ResendAnswer | None:
    try:
        return ResendAnswer.from_response(response)
    except SensorFault:
        return None

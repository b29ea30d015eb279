"""A live session whose sensor is virtual: the real feed and the real link, in one event loop with it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from emgmon.clock import Clock
from emgmon.events import Event
from emgmon.sensors.live import LiveFeed, LiveSetup
from emgmon.virtual.air import VirtualAir
from emgmon.virtual.backend import host_radio
from emgmon.virtual.montage import as_live
from emgmon.virtual.script import Script
from emgmon.virtual.sensor import VirtualSensor, advertised_name
from firmware_protocol.capabilities import Capabilities

VIRTUAL_NOTE = "virtual athlete on a virtual sensor: nobody was measured"


class VirtualFeed:
    """A session with the virtual sensor; it ends by itself when the performance is over.

    Parameters
    ----------
    exercise
        What the screen is told before the samples exist.
    make_script
        Makes the samples; called once, by :meth:`open`.
    out
        Where the recording goes.
    clock
        The host's: stamps arrivals and judges silence.
    sensor_clock
        The sensor's; a faster clock makes a faster performance.
    """

    transport: None = None

    def __init__(
        self,
        exercise: str,
        make_script: Callable[[], Script],
        *,
        out: Path,
        clock: Clock,
        sensor_clock: Clock | None = None,
    ) -> None:
        self.exercise: str | None = exercise
        self.path = out
        self._make_script = make_script
        self._clock = clock
        self._sensor_clock = sensor_clock or clock
        self._live: LiveFeed | None = None
        self._air: VirtualAir | None = None
        self._sensor: VirtualSensor | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def title(self) -> str:
        """Where the events come from, for a person."""
        return "virtual sensor" if self._live is None else f"{self._live.title} (virtual)"

    @property
    def sensors(self) -> tuple[Capabilities, ...]:
        """What the sensor says about itself."""
        return () if self._live is None else self._live.sensors

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._live is not None and self._live.ended

    @property
    def lost(self) -> bool:
        """Whether that is because the sensor went away."""
        return self._live is not None and self._live.lost

    @property
    def recorded(self) -> bool:
        """Whether there is a recording, or one under way."""
        return self._live is not None and self._live.recorded

    async def open(self) -> None:
        """Make the samples, switch the sensor on, and connect to it as to any other.

        Raises
        ------
        EmgmonError
            When the performance is impossible or the recording cannot be written.
        """
        # Seconds of arithmetic: the screen shall go on drawing meanwhile.
        script = await asyncio.to_thread(self._make_script)
        air = self._air = VirtualAir(sensor_name=advertised_name(script.capabilities.boot_id))
        await air.open()
        sensor = VirtualSensor(
            as_live(script.capabilities), script.streams, air.sensor_device, clock=self._sensor_clock
        )
        self._sensor = sensor
        await sensor.open()
        self._live = LiveFeed(self._setup(script, air), clock=self._clock)
        await self._live.open()
        self._watch = asyncio.create_task(self._end_with(sensor, self._live))

    def _setup(self, script: Script, air: VirtualAir) -> LiveSetup:
        return LiveSetup(
            out=self.path,
            exercise=script.exercise,
            radio=host_radio(air.host_device),
            calibration=script.calibration,
            reference=script.reference,
            alignments=script.alignments,
            origin="simulation",
            notes=(VIRTUAL_NOTE,),
        )

    async def _end_with(self, sensor: VirtualSensor, live: LiveFeed) -> None:
        await sensor.finished.wait()
        await live.close()

    def poll(self) -> Sequence[Event]:
        """Everything new since the last call; never waits."""
        return () if self._live is None else self._live.poll()

    async def close(self) -> None:
        """End the session and switch everything off; idempotent."""
        watch, self._watch = self._watch, None
        if watch is not None and not watch.done():
            watch.cancel()
        try:
            if watch is not None:
                await asyncio.gather(watch, return_exceptions=True)
            if self._live is not None:
                await self._live.close()
        finally:
            await self._switch_off()

    async def _switch_off(self) -> None:
        sensor, self._sensor = self._sensor, None
        if sensor is not None:
            await sensor.close()
        air, self._air = self._air, None
        if air is not None:
            await air.close()

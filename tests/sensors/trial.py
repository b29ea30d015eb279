"""One link on the quick air, its heart that beats, and what came of it."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from emgmon.clock import ManualClock
from emgmon.events import LinkChanged, LinkState, NotificationKind
from emgmon.sensors.link import SensorLink
from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.quick_air import FIRST_ADDRESS, QuickAir
from emgmon.virtual.quick_sensor import QuickSensor
from emgmon.virtual.turned_loop import run_turned
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Opcode, Response
from firmware_protocol.reassembly import Backfill, Expired, Gap, SampleBlock
from firmware_protocol.receiver import Rebooted, Receiver, StreamsOpened
from firmware_protocol.worn import is_status_notification
from tests.sensors.bench import noise, small_capabilities

HEARTBEAT_S = 0.1


@dataclass
class Heard:
    """What a link passed on, with the moment of everything."""

    clock: ManualClock
    payloads: list[tuple[float, NotificationKind, bytes]] = field(default_factory=list)
    changes: list[tuple[float, LinkChanged]] = field(default_factory=list)

    def receive(self, kind: NotificationKind, payload: bytes) -> None:
        self.payloads.append((self.clock.now_ns() / 1e9, kind, payload))

    def changed(self, change: LinkChanged) -> None:
        self.changes.append((self.clock.now_ns() / 1e9, change))

    @property
    def states(self) -> list[LinkState]:
        return [change.state for _, change in self.changes]

    def of(self, kind: NotificationKind) -> list[bytes]:
        return [payload for _, found, payload in self.payloads if found is kind]

    def responses(self, opcode: Opcode) -> list[tuple[float, Response]]:
        found = [
            (at_s, Response.from_bytes(payload))
            for at_s, kind, payload in self.payloads
            if kind is NotificationKind.CONTROL and not is_status_notification(payload)
        ]
        return [(at_s, response) for at_s, response in found if response.opcode == opcode]

    def moments(self, state: LinkState) -> list[float]:
        return [at_s for at_s, change in self.changes if change.state is state]


@dataclass
class Trial:
    clock: ManualClock
    air: QuickAir
    sensor: QuickSensor
    link: SensorLink
    heard: Heard
    capabilities: Capabilities
    streams: Sequence[StreamSamples]
    heart: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self.link.connect()
        await self.link.start()
        self.heart = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            self.link.check()
            await asyncio.sleep(HEARTBEAT_S)

    async def end(self) -> None:
        """Close, with the heart beating until that is done."""
        await self.link.close()
        if self.heart is not None:
            self.heart.cancel()
            await asyncio.gather(self.heart, return_exceptions=True)
            if not self.heart.cancelled():
                self.heart.result()

    async def until(self, state: LinkState, limit_s: float = 60.0) -> float:
        """Wait until the link has come to a state once more; the moment."""
        n_before = len(self.heard.moments(state))
        async with asyncio.timeout(limit_s):
            while len(self.heard.moments(state)) == n_before:
                await asyncio.sleep(0.01)
        return self.heard.moments(state)[n_before]


@asynccontextmanager
async def a_trial(
    clock: ManualClock,
    *,
    duration_s: float = 120.0,
    ring_ms: int = 15_000,
    capabilities: Capabilities | None = None,
    air_options: dict[str, object] | None = None,
    sensor_options: dict[str, object] | None = None,
    **link_options: object,
) -> AsyncIterator[Trial]:
    """A sensor in the air and a link that has not connected; nothing of it runs on afterwards."""
    capabilities = small_capabilities(ring_ms=ring_ms) if capabilities is None else capabilities
    streams = noise(capabilities, duration_s)
    air = QuickAir(clock, **(air_options or {}))
    sensor = air.add(capabilities, streams, **(sensor_options or {}))
    heard = Heard(clock)
    link = SensorLink(
        0,
        air.radio,
        clock,
        **{
            "address": FIRST_ADDRESS,
            "receive": heard.receive,
            "changed": heard.changed,
            "chance": lambda: 0.5,
            **link_options,
        },
    )
    trial = Trial(clock, air, sensor, link, heard, capabilities, streams)
    try:
        yield trial
    finally:
        await trial.end()
        air.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def turned(**options):
    """Make a test of a coroutine that is given a trial."""

    def decorate(test):
        @functools.wraps(test)
        def wrapper(*args, **kwargs):
            async def main(clock):
                async with a_trial(clock, **options) as trial:
                    await test(trial, *args, **kwargs)

            run_turned(main)

        parameters = list(inspect.signature(test).parameters.values())[1:]
        wrapper.__signature__ = inspect.Signature(parameters)
        return wrapper

    return decorate


@dataclass
class Got:
    """Samples of one stream between two power-ups."""

    start: int | None = None
    blocks: list[tuple[int, np.ndarray]] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    """First and number behind the last."""

    @property
    def numbers(self) -> np.ndarray:
        return np.concatenate([np.arange(first, first + len(values)) for first, values in self.blocks])

    @property
    def values(self) -> np.ndarray:
        return np.concatenate([values for _, values in self.blocks])


def gathered(capabilities: Capabilities, heard: Heard) -> list[dict[int, Got]]:
    """Put together what was heard, by power-up and stream."""
    receiver = Receiver(capabilities)
    boots = [{stream.number: Got() for stream in capabilities.streams}]
    for _, kind, payload in heard.payloads:
        if kind is NotificationKind.DATA:
            events = receiver.receive_data(payload)
        elif kind is NotificationKind.CONTROL:
            events = receiver.receive_control(payload)
        else:
            continue
        for event in events:
            if isinstance(event, Rebooted):
                boots.append({stream.number: Got() for stream in capabilities.streams})
            elif isinstance(event, StreamsOpened):
                for start in event.started.streams:
                    got = boots[-1][start.stream]
                    got.start = start.first_sample if got.start is None else got.start
            elif isinstance(event, SampleBlock):
                boots[-1][event.stream].blocks.append((event.first_sample, event.values))
            elif isinstance(event, Backfill):
                block = event.block
                boots[-1][block.stream].blocks.append((block.first_sample, block.values))
            elif isinstance(event, Expired) or (isinstance(event, Gap) and not capabilities.ring_ms):
                span = (event.first_sample, event.first_sample + event.n_samples)
                boots[-1][event.stream].lost += [span] if event.n_samples else []
    return boots


def assert_whole(capabilities: Capabilities, streams: Sequence[StreamSamples], heard: Heard) -> int:
    """Every sample from START to the last that came is there, once, as it was measured; how many."""
    (boot,) = gathered(capabilities, heard)
    n_samples = 0
    for samples in streams:
        got = boot[samples.stream.number]
        assert got.lost == []
        n_samples += assert_true(got, samples.counts)
        assert len(got.numbers) == got.numbers.max() - got.start + 1
    return n_samples


def assert_true(got: Got, counts: np.ndarray) -> int:
    """No sample came twice and none was invented."""
    numbers = got.numbers
    assert len(np.unique(numbers)) == len(numbers)
    np.testing.assert_array_equal(got.values, counts[numbers - got.start])
    return len(numbers)


def whole(trial):
    """See `assert_whole`."""
    return assert_whole(trial.capabilities, trial.streams, trial.heard)


async def parted(trial):
    """Close the link and see that nothing is missing; how many samples came."""
    await trial.end()
    return whole(trial)

"""A sensor on the virtual air for the host's own code to find."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from tests.sensors.bench import Bench, switch_on


@pytest.fixture
def nothing_blocks() -> Iterator[BlockBuster]:
    """Fail when our code holds up the event loop: by a sleep, a lock, a socket, a file.

    The recording is the exception: a payload is on the disk before anything is made of it. And an
    exercise that ships is read once, two kilobytes, before the samples flow.
    """
    with blockbuster_ctx("emgmon.sensors") as guard:
        for name in guard.functions:
            guard.functions[name].can_block_in(
                "emgmon/recording/writer.py", {"__init__", "tick", "append", "close"}
            )
            guard.functions[name].can_block_in("emgmon/sensors/live.py", {"_prepare"})
            guard.functions[name].can_block_in("emgmon/exercises/catalogue.py", {"_shipped"})
        yield guard


@pytest.fixture
async def make_bench() -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    """Switch on a sensor that measures noise; after the test nothing of it may still be running."""
    benches: list[Bench] = []

    async def make(**options: object) -> Bench:
        benches.append(await switch_on(**options))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.sensor.close()
        await bench.air.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}

"""A sensor on the virtual air for the host's own code to find."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.sensors.bench import Bench, switch_on


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

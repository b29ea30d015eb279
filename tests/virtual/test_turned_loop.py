"""Time that passes only when everybody waits."""

import asyncio
import threading
import time

import pytest

from emgmon.clock import ManualClock
from emgmon.virtual import turned_loop
from emgmon.virtual.turned_loop import StuckError, run_turned


def test_an_hour_is_slept_at_once():
    async def main(clock):
        before_ns = clock.now_ns()
        await asyncio.sleep(3600)
        return clock.now_ns() - before_ns

    started_s = time.monotonic()
    assert run_turned(main) == pytest.approx(3600e9, abs=1e3)
    assert time.monotonic() - started_s < 5


def test_the_loop_tells_the_time_of_the_clock():
    async def main(clock):
        return asyncio.get_running_loop().time()

    assert run_turned(main, ManualClock(5_000_000_000)) == 5.0


def test_what_waits_is_woken_in_the_order_of_time():
    order = []

    async def wake(seconds):
        await asyncio.sleep(seconds)
        order.append(seconds)

    async def main(_clock):
        await asyncio.gather(wake(3.0), wake(1.0), wake(2.0))

    run_turned(main)
    assert order == [1.0, 2.0, 3.0]


def test_a_time_limit_ends_a_wait_for_something_that_never_comes():
    async def main(_clock):
        async with asyncio.timeout(5):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_turned(main)


def test_no_time_passes_while_something_can_still_be_done():
    async def main(clock):
        asyncio.get_running_loop().call_later(0.001, lambda: None)
        for _ in range(100):
            await asyncio.sleep(0)
        return clock.now_ns()

    assert run_turned(main) == 0


def test_a_thread_is_waited_for():
    go = threading.Event()

    async def main(_clock):
        asyncio.get_running_loop().call_soon(go.set)
        return await asyncio.to_thread(go.wait, 5)

    assert run_turned(main)


def test_waiting_for_what_nothing_can_bring_is_an_error(monkeypatch):
    monkeypatch.setattr(turned_loop, "THREAD_LIMIT_S", 0.0)

    async def main(_clock):
        await asyncio.Event().wait()

    with pytest.raises(StuckError):
        run_turned(main)

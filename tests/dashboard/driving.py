"""Runs the screen without a terminal and reads what is on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot

from emgmon.clock import ManualClock
from emgmon.dashboard.app import MonitorApp
from tests.dashboard.synthetic import SyntheticFeed

POLL_S = 0.005


@dataclass
class Run:
    """A running screen with the hands to drive it."""

    app: MonitorApp
    pilot: Pilot[None]
    feed: SyntheticFeed

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def advance_to(self, session_s: float) -> None:
        """Let session time pass and wait until the screen has taken everything in."""
        assert isinstance(self.feed.clock, ManualClock)
        self.feed.clock.advance_s(session_s - self.feed.clock.now_ns() / 1e9)
        await self.until(lambda: self.feed.next_s > session_s)
        await self.settle()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot._app._press_keys([key])
        await self.settle()

    async def settle(self) -> None:
        """Two more frames: what has been taken in is laid out and drawn."""
        wanted = self.feed.n_polls + 2
        await self.until(lambda: self.feed.n_polls >= wanted or self._over)

    @property
    def _over(self) -> bool:
        """A feed that failed is not asked again, and neither is any once the screen is left."""
        return self.app.failure is not None or self.app.return_code is not None

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a fact; the test's time limit ends it when it never comes true."""
        while not condition():
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def running(feed: SyntheticFeed, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Run]:
    """Start the screen and wait for its first frames."""
    app = MonitorApp(feed)
    async with app.run_test(size=size) as pilot:
        run = Run(app, pilot, feed)
        await run.settle()
        yield run

"""An event loop whose time is a hand-turned clock: what waits for a moment is given it, and nobody sleeps."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from emgmon.clock import ManualClock

THREAD_LIMIT_S = 5.0
"""How long, in real time, the loop waits for a thread when nothing else is left to do."""

_Result = TypeVar("_Result")


class StuckError(RuntimeError):
    """Everybody waits for somebody else: no timer is set that could ever end it."""


class _TurningSelector(selectors.BaseSelector):
    """Turns the clock to the next timer instead of waiting for it."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = self._real.select(0)
        if events or timeout == 0:
            return events
        if timeout is None:
            events = self._real.select(THREAD_LIMIT_S)
            if not events:
                raise StuckError("nothing is left that could happen")
            return events
        # A nanosecond more, so that rounding does not leave the timer a little in the future.
        self._clock.advance_s(max(timeout, 0.0) + 1e-9)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class TurnedLoop(asyncio.SelectorEventLoop):
    """A loop for tests: `asyncio.sleep(10)` returns once all that happens in ten seconds has happened.

    Time passes only while everything waits, and then at once. The order of what happens is the same every
    time. Nothing in it may wait for a thread while timers are set: they would all be over before.

    Parameters
    ----------
    clock
        Shared with the code under test.
    """

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(_TurningSelector(clock))
        self._manual_clock = clock

    def time(self) -> float:
        """Give the clock's time, seconds."""
        return self._manual_clock.now_ns() / 1e9


def run_turned(
    main: Callable[[ManualClock], Coroutine[Any, Any, _Result]], clock: ManualClock | None = None
) -> _Result:
    """Run a coroutine function on a loop of its own, with the clock that drives it.

    Raises
    ------
    StuckError
        When nothing is left that could end a wait.
    """
    turned = ManualClock() if clock is None else clock
    with asyncio.Runner(loop_factory=lambda: TurnedLoop(turned)) as runner:
        return runner.run(main(turned))

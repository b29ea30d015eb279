"""Time comes in from outside: the one real clock, and the one a test turns by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock that starts anywhere."""

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary moment; never goes backwards."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        """Nanoseconds of the machine's monotonic clock."""
        return time.monotonic_ns()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Nanoseconds as last set."""
        return self._now_ns

    def advance_s(self, seconds: float) -> None:
        """Move forward.

        Raises
        ------
        ValueError
            When asked to go backwards.
        """
        if seconds < 0:
            raise ValueError(f"a monotonic clock cannot go back by {-seconds} s")
        self._now_ns += round(seconds * 1e9)

"""What a sensor says without being asked, one thing at a time and not too often (SPEC 6.14)."""

from collections.abc import Iterator
from dataclasses import dataclass

from firmware_protocol.packets import SAMPLE_MODULUS
from firmware_protocol.worn import (
    BatteryState,
    DroppedOnDevice,
    LeadsChanged,
    Saturated,
    StatusNotification,
    status_bytes,
)

PERIOD_US = 1_000_000
"""The same kind is not told of the same channel more often."""


@dataclass(frozen=True, slots=True)
class _Topic:
    """What the limit of one per second holds for."""

    kind: type[StatusNotification]
    stream: int = 0
    channel: int = 0


@dataclass(slots=True)
class _Lost:
    first: int
    end: int


class StatusQueue:
    """Status notifications that wait for their turn; newer states replace older ones, losses add up."""

    def __init__(self) -> None:
        self._states: dict[_Topic, StatusNotification] = {}
        self._losses: dict[int, _Lost] = {}
        self._told_us: dict[_Topic, int] = {}
        self._count = 0

    def forget(self) -> None:
        """Let go of everything that waits: nobody is there to hear it."""
        self._states.clear()
        self._losses.clear()

    def report(self, status: StatusNotification) -> None:
        """Have a state told."""
        self._states[_topic(status)] = status

    def lost(self, stream: int, first: int, end: int) -> None:
        """Have a loss told; numbers not wrapped. What joins a loss that waits makes it longer."""
        waiting = self._losses.setdefault(stream, _Lost(first, end))
        # One that does not join it is not told: no sample may be named that may still come.
        if first <= waiting.end and end >= waiting.first:
            waiting.first, waiting.end = min(waiting.first, first), max(waiting.end, end)

    def next(self, now_us: int) -> bytes | None:
        """Give the next one that may be told by now."""
        for topic, status in self._waiting():
            if now_us - self._told_us.get(topic, now_us - PERIOD_US) >= PERIOD_US:
                self._told_us[topic] = now_us
                if isinstance(status, DroppedOnDevice):
                    del self._losses[status.stream]
                else:
                    del self._states[topic]
                self._count += 1
                return status_bytes(status, count=(self._count - 1) % 256)
        return None

    def _waiting(self) -> Iterator[tuple[_Topic, StatusNotification]]:
        yield from self._states.items()
        for stream, lost in self._losses.items():
            n_samples = min(lost.end - lost.first, SAMPLE_MODULUS - 1)
            yield (
                _Topic(DroppedOnDevice, stream),
                DroppedOnDevice(stream, lost.first % SAMPLE_MODULUS, n_samples),
            )


def _topic(status: StatusNotification) -> _Topic:
    if isinstance(status, LeadsChanged | Saturated):
        return _Topic(type(status), status.stream, status.channel)
    return _Topic(BatteryState)

"""What the screen needs of a source of events; sources fulfil it without knowing the screen."""

from collections.abc import Sequence
from typing import Protocol

from emgmon.events import Event
from firmware_protocol.capabilities import Capabilities


class Transport(Protocol):
    """The hand on a replay: where it stands, how fast it runs."""

    @property
    def position_s(self) -> float:
        """Session time that has been played, or that was asked for by the last seek."""
        ...

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        ...

    @property
    def speed(self) -> float:
        """1 is the pace of the recording; ``inf`` is as fast as possible."""
        ...

    @property
    def paused(self) -> bool:
        """Whether the replay stands still."""
        ...

    def toggle_pause(self) -> None: ...

    def set_speed(self, speed: float) -> None: ...

    def seek(self, position_s: float) -> None:
        """Go to a session time.

        Where the session has to be told anew, ``poll`` gives a :class:`emgmon.events.Rewound` and behind it
        every event from the beginning up to the position.
        """
        ...


class Feed(Protocol):
    """A session as it comes in: live from sensors, or from a recording."""

    @property
    def title(self) -> str:
        """Where the events come from, for a person."""
        ...

    @property
    def exercise(self) -> str | None:
        """Name of the exercise, where one is known."""
        ...

    @property
    def sensors(self) -> tuple[Capabilities, ...]:
        """What each sensor says about itself; known once ``open`` has returned."""
        ...

    @property
    def transport(self) -> Transport | None:
        """``None`` when live."""
        ...

    async def open(self) -> None:
        """Connect, or open the file.

        Raises
        ------
        EmgmonError
            When there will be no events.
        """
        ...

    def poll(self) -> Sequence[Event]:
        """Give everything new since the last call; never blocks; may be called before ``open`` is done."""
        ...

    async def close(self) -> None:
        """Say goodbye; may be called twice, and when ``open`` failed or was cancelled."""
        ...

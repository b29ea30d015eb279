"""A recording as a feed: what is due goes through the same engine as live, with a hand on time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emgmon.clock import Clock
from emgmon.events import Event, Rewound
from emgmon.exercises.exercise import Exercise
from emgmon.recording.format import session_setup
from emgmon.recording.host_events import read_corrections
from emgmon.recording.reader import RecordingReader
from emgmon.recording.replay import ReplaySource
from firmware_protocol.capabilities import Capabilities

if TYPE_CHECKING:
    from emgmon.session import Session, SessionSetup

MAX_PER_POLL = 5_000
"""Notifications taken in at once; after a long jump the screen stays alive between such pieces."""


class PlaybackFeed:
    """Plays a recording; is its own transport.

    A step back starts the session anew and runs it silently up to the position. A step forward runs the
    session on, which gives the same events. Either way they come all at once when the position is reached.

    Parameters
    ----------
    path
        The recording.
    clock
        Turned by hand in tests.
    speed
        1 is the pace of the recording, ``math.inf`` as fast as it is polled.
    exercise
        Instead of the one that the recording names.
    """

    def __init__(
        self, path: Path | str, *, clock: Clock, speed: float = 1.0, exercise: str | Exercise | None = None
    ) -> None:
        self.path = Path(path)
        self.title = self.path.name
        self._asked = exercise
        self.exercise = exercise.name if isinstance(exercise, Exercise) else exercise
        self.sensors: tuple[Capabilities, ...] = ()
        self.warnings: tuple[str, ...] = ()
        """What of the file could not be read; known once open."""
        self.complete = True
        """Whether all of the file could be read; known once open."""
        self.ended = False
        """Whether the last event has been computed; a step back makes it false again."""
        self._clock = clock
        self._speed = speed
        self._source: ReplaySource | None = None
        self._setup: SessionSetup | None = None
        self._session: Session | None = None
        self._waiting: list[Event] = []
        self._catching_up = False

    @property
    def transport(self) -> "PlaybackFeed":
        return self

    @property
    def position_s(self) -> float:
        return 0.0 if self._source is None else self._source.position_s

    @property
    def duration_s(self) -> float:
        return 0.0 if self._source is None else self._source.duration_s

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def paused(self) -> bool:
        return self._source is not None and self._source.paused

    async def open(self) -> None:
        """Read the file and start to play.

        Raises
        ------
        RecordingError
            When it is no recording, or its header is damaged.
        ExerciseError
            When there is no such exercise.
        """
        reader = RecordingReader(self.path)
        log = read_corrections(self.path)
        self._setup = session_setup(
            reader.header,
            exercise=self._asked,
            corrections=log.corrections,
            alignments=log.alignments,
            reference=log.reference,
            calibration=log.calibration,
        )
        self.sensors = self._setup.sensors
        self._session = self._new_session()
        if self._session.exercise is not None:
            self.exercise = self._session.exercise.name
        self._source = ReplaySource(reader.batches(), self._clock, self._speed)
        self.complete = reader.failure is None
        self.warnings = (*reader.warnings, *log.warnings, *self._session.limits)

    def poll(self) -> Sequence[Event]:
        """Give what has become due since the last call."""
        if self._source is not None and self._session is not None and not self.ended:
            self._run_on(self._source, self._session)
        if self._catching_up:
            return ()
        events, self._waiting = self._waiting, []
        return events

    async def close(self) -> None:
        """Stop playing; open repetitions and sets are closed, as at the end of the recording."""
        if self._session is not None and not self.ended:
            self._waiting += self._session.finish()
        self.ended = True
        self._catching_up = False
        self._source = None

    def toggle_pause(self) -> None:
        if self._source is not None:
            self._source.toggle()

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        if self._source is not None:
            self._source.speed = speed

    def seek(self, position_s: float) -> None:
        if self._source is None:
            return
        if self._source.seek(position_s):
            self._session = self._new_session()
            self._waiting = [Rewound()]
            self.ended = False
        self._catching_up = not self.ended

    def _run_on(self, source: ReplaySource, session: "Session") -> None:
        batch = source.due_batch(MAX_PER_POLL)
        if len(batch):
            self._waiting += session.receive_many(batch)
        if len(batch) < MAX_PER_POLL:
            self._catching_up = False
        if source.finished:
            self._waiting += session.finish()
            self.ended, self._catching_up = True, False

    def _new_session(self) -> "Session":
        # scipy and vqf take a second to load; the first frame of the screen does not wait for them.
        from emgmon.session import Session

        assert self._setup is not None
        return Session(self._setup)

"""A live session as a feed for the screen: a payload goes into the recording first, then into the engine."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from emgmon import __version__
from emgmon.clock import Clock
from emgmon.dsp.alignment import Alignment
from emgmon.errors import RecordingError
from emgmon.events import Event, LinkChanged, LinkState, Notification, NotificationKind
from emgmon.exercises import EXERCISE_NAMES, Exercise
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.recording.files import refuse_existing
from emgmon.recording.format import RecordingHeader, SensorHeader, sensor_header, session_setup
from emgmon.recording.writer import RecordingWriter
from emgmon.sensors.ble import SYSTEM_RADIO, Radio
from emgmon.sensors.journal import link_row
from emgmon.sensors.link import Acquainted, SensorLink
from emgmon.session import Lookahead, Session
from firmware_protocol.capabilities import Capabilities

HEARTBEAT_S = 0.1
"""How often the recording is flushed and silence is looked for, whether or not a screen asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSetup:
    """What a live session has to know before it looks for its sensors."""

    out: Path
    """Where the recording goes; its folder is made, an existing file is refused."""
    exercise: str | Exercise | None = None
    """By its name in the catalogue, or as such; a person's own goes into the recording's header."""
    addresses: tuple[str, ...] = ()
    """Bluetooth addresses of the sensors, each once, the one whose clock is the session's first; without any
    the first sensor that is heard is taken."""
    give_up_after_s: float | None = None
    """How long to try to reach a sensor that went away; ``None`` for as long as the session lasts."""
    radio: Radio = SYSTEM_RADIO
    calibration: Calibration | None = None
    reference: ReferenceSet | None = None
    alignments: tuple[Alignment, ...] = ()
    origin: str = "live"
    """``live``, or ``simulation`` when nobody wears the sensor."""
    notes: tuple[str, ...] = ()

    @property
    def exercise_name(self) -> str | None:
        return self.exercise.name if isinstance(self.exercise, Exercise) else self.exercise

    @property
    def own_exercise(self) -> Exercise | None:
        """The exercise itself when the catalogue does not have it."""
        exercise = self.exercise
        if isinstance(exercise, Exercise) and exercise.name not in EXERCISE_NAMES:
            return exercise
        return None


def recording_path(folder: Path, exercise: str | None, started: datetime) -> Path:
    """Name a recording after the moment it began (local time) and its exercise."""
    return folder / f"{started:%Y-%m-%d_%H%M%S}_{exercise or 'session'}.arrows"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SessionClock:
    """A clock whose zero is the beginning of a session; it stands at 0 until then.

    Parameters
    ----------
    clock
        The clock that goes on all the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zero_ns: int | None = None

    def begin(self) -> None:
        """Let the session begin now."""
        self._zero_ns = self._clock.now_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the session began."""
        return 0 if self._zero_ns is None else self._clock.now_ns() - self._zero_ns


class LiveFeed:
    """One session with one sensor or several, from the search for them to the closed recording.

    Parameters
    ----------
    setup
        What is known beforehand.
    clock
        Stamps arrivals and judges silence.
    utc_now
        Tells the time of day for the recording's header.
    wait
        Sleeps, for the links.
    """

    transport: None = None

    def __init__(
        self,
        setup: LiveSetup,
        *,
        clock: Clock,
        utc_now: Callable[[], datetime] = _utc_now,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.title = "live"
        self.exercise = setup.exercise_name
        self.sensors: tuple[Capabilities, ...] = ()
        self.path = setup.out
        self.ended = False
        """Whether nothing more will come."""
        self._setup = setup
        self._clock = clock
        self._time = SessionClock(clock)
        self._utc_now = utc_now
        # A lock between links that share the radio; a single one need not give way.
        turn = asyncio.Lock() if len(setup.addresses) > 1 else None
        self._links = tuple(
            SensorLink(
                index,
                setup.radio,
                self._time,
                address=address,
                receive=partial(self._on_payload, index),
                changed=self._on_change,
                wait=wait,
                turn=turn,
                give_up_after_s=setup.give_up_after_s,
            )
            for index, address in enumerate(setup.addresses or (None,))
        )
        self._unwritten: deque[Notification] = deque()
        self._unread: deque[Notification | LinkChanged] = deque()
        self._events: list[Event] = []
        self._writer: RecordingWriter | None = None
        self._broken = False
        self._session: Session | None = None
        self._heartbeat: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._closing = asyncio.Lock()
        self._gone: set[int] = set()

    @property
    def recorded(self) -> bool:
        """Whether there is a recording at :attr:`path`, or one under way."""
        return self._writer is not None

    @property
    def lost(self) -> bool:
        """Whether every sensor went away for good."""
        return len(self._gone) == len(self._links)

    @property
    def n_missing(self) -> int:
        """How many samples did not come and still may."""
        return sum(link.n_missing for link in self._links)

    async def open(self) -> None:
        """Find the sensors, connect, begin the recording and have the samples sent.

        Raises
        ------
        SensorError
            When a sensor cannot be found, reached or understood.
        RecordingError
            When the recording cannot be written.
        """
        _prepare(self._setup.out)
        try:
            found = [await link.connect() for link in self._links]
            self.sensors = tuple(acquainted.capabilities for acquainted in found)
            self.title = f"live, {' and '.join(acquainted.sensor.name for acquainted in found)}"
            # Before anything is asked about time: all sensors share the zero of the arrivals.
            self._time.begin()
            started_utc = self._utc_now()
            for link in self._links:
                await link.start()
            self._begin(self._header(found, started_utc))
        except BaseException:
            await self._close_links()
            raise
        self._heartbeat = asyncio.create_task(self._beat())

    def _header(self, found: Sequence[Acquainted], started_utc: datetime) -> RecordingHeader:
        return RecordingHeader(
            app_version=__version__,
            origin=self._setup.origin,
            started_utc=started_utc.isoformat(timespec="milliseconds"),
            exercise=self._setup.exercise_name,
            own_exercise=self._setup.own_exercise,
            sensors=tuple(_sensor_header(acquainted) for acquainted in found),
            calibration=self._setup.calibration,
            reference=self._setup.reference,
            alignments=self._setup.alignments,
            notes=self._setup.notes,
        )

    def _begin(self, header: RecordingHeader) -> None:
        # The engine is set up from the header, as a replay will do it.
        self._session = Session(session_setup(header), lookahead=Lookahead.PROVISIONAL)
        self._writer = RecordingWriter(self._setup.out, header, clock=self._clock)

    def poll(self) -> Sequence[Event]:
        """Everything that has happened since the last call, in order; never waits.

        Raises
        ------
        RecordingError
            When the recording could not be written any further.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        self._read()
        events, self._events = self._events, []
        return events

    async def close(self) -> None:
        """Fetch what is missing, within limits, send STOP, disconnect, close the recording; idempotent."""
        async with self._closing:
            try:
                # The heart goes on beating: what comes late is written as it comes.
                await self._close_links()
            finally:
                try:
                    heartbeat, self._heartbeat = self._heartbeat, None
                    if heartbeat is not None:
                        heartbeat.cancel()
                        await asyncio.gather(heartbeat, return_exceptions=True)
                finally:
                    self._end()

    async def _close_links(self) -> None:
        # Without a sound recording there is nowhere to put what would still come.
        patient = self._writer is not None and not self._broken
        await asyncio.gather(*(link.close(patient=patient) for link in self._links))

    def _on_payload(self, sensor: int, kind: NotificationKind, payload: bytes) -> None:
        # What happened before the first START has time zero: a replay need not wait for a search to end.
        notification = Notification(self._time.now_ns(), sensor, kind, payload)
        self._unwritten.append(notification)
        self._unread.append(notification)

    def _on_change(self, change: LinkChanged) -> None:
        if change.state is LinkState.LOST:
            self._gone.add(change.sensor)
        row = link_row(change)
        self._unwritten.append(Notification(self._time.now_ns(), change.sensor, NotificationKind.EVENT, row))
        self._unread.append(change)

    async def _beat(self) -> None:
        try:
            while not self.ended:
                for link in self._links:
                    link.check()
                self._write()
                if self.lost:
                    self._end()
                await asyncio.sleep(HEARTBEAT_S)
        except Exception as error:
            # The next poll raises it: a task has nobody to tell.
            self._failure = error

    def _write(self) -> None:
        """Put into the recording what has arrived, and on the disk what is due."""
        writer = self._writer
        if writer is None or self._broken or self.ended:
            return
        try:
            while self._unwritten:
                writer.append(self._unwritten.popleft())
            writer.tick()
        except RecordingError:
            self._broken = True
            raise

    def _read(self) -> None:
        """Let the engine work on what has been written."""
        self._write()
        while self._unread:
            item = self._unread[0]
            if isinstance(item, LinkChanged):
                self._events.append(item)
            elif self._session is None:
                return
            else:
                self._events += self._session.receive(item)
            self._unread.popleft()

    def _end(self) -> None:
        """Close the recording, then let the engine close what is open."""
        if self.ended:
            self._read()
            return
        try:
            self._write()
            if self._writer is not None:
                # A disk that is full has been told of; closing once more would tell it twice.
                with suppress(*((RecordingError,) if self._broken else ())):
                    self._writer.close()
        finally:
            self.ended = True
            self._read()
            if self._session is not None:
                self._events += self._session.finish()


def _sensor_header(acquainted: Acquainted) -> SensorHeader:
    return sensor_header(
        acquainted.capabilities,
        address=acquainted.sensor.address,
        firmware=acquainted.information.firmware,
    )


def _prepare(out: Path) -> None:
    """Make the folder, and find out before anyone connects whether the file may be written."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(
            f"the folder {out.parent} cannot be made: {error.strerror or error}",
            advice="Choose another place with --out.",
        ) from error
    refuse_existing(out, replace=False)

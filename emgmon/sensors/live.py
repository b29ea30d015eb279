"""A live session as a feed for the screen: a payload goes into the recording first, then into the engine."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
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
from emgmon.recording.format import RecordingHeader, sensor_header, session_setup
from emgmon.recording.writer import RecordingWriter
from emgmon.sensors.ble import SYSTEM_RADIO, FoundSensor, Radio
from emgmon.sensors.journal import link_row
from emgmon.sensors.link import SensorLink
from emgmon.session import Session
from firmware_protocol.capabilities import Capabilities

HEARTBEAT_S = 0.1
"""How often the recording is flushed and silence is looked for, whether or not a screen asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSetup:
    """What a live session has to know before it looks for its sensor."""

    out: Path
    """Where the recording goes; its folder is made, an existing file is refused."""
    exercise: str | Exercise | None = None
    """By its name in the catalogue, or as such; a person's own goes into the recording's header."""
    address: str | None = None
    """Bluetooth address of the sensor; ``None`` takes the first that is heard."""
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


class LiveFeed:
    """One session with one sensor, from the search for it to the closed recording.

    Parameters
    ----------
    setup
        What is known beforehand.
    clock
        Stamps arrivals and judges silence.
    utc_now
        Tells the time of day for the recording's header.
    """

    transport: None = None

    def __init__(self, setup: LiveSetup, *, clock: Clock, utc_now: Callable[[], datetime] = _utc_now) -> None:
        self.title = "live"
        self.exercise = setup.exercise_name
        self.sensors: tuple[Capabilities, ...] = ()
        self.path = setup.out
        self.ended = False
        """Whether nothing more will come."""
        self.lost = False
        """Whether that is because the sensor went away."""
        self._setup = setup
        self._clock = clock
        self._utc_now = utc_now
        self._link = SensorLink(
            0, setup.radio, clock, address=setup.address, receive=self._on_payload, changed=self._on_change
        )
        self._zero_ns: int | None = None
        self._unwritten: deque[Notification] = deque()
        self._unread: deque[Notification | LinkChanged] = deque()
        self._events: list[Event] = []
        self._writer: RecordingWriter | None = None
        self._broken = False
        self._session: Session | None = None
        self._heartbeat: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._closing = asyncio.Lock()

    @property
    def recorded(self) -> bool:
        """Whether there is a recording at :attr:`path`, or one under way."""
        return self._writer is not None

    async def open(self) -> None:
        """Find the sensor, connect, begin the recording and have the samples sent.

        Raises
        ------
        SensorError
            When the sensor cannot be found, reached or understood.
        RecordingError
            When the recording cannot be written.
        """
        _prepare(self._setup.out)
        sensor, capabilities = await self._link.connect()
        self.sensors = (capabilities,)
        self.title = f"live, {sensor.name}"
        self._zero_ns = self._clock.now_ns()
        started_utc = self._utc_now()
        await self._link.start()
        try:
            self._begin(self._header(sensor, capabilities, started_utc))
        except BaseException:
            await self._link.close()
            raise
        self._heartbeat = asyncio.create_task(self._beat())

    def _header(
        self, sensor: FoundSensor, capabilities: Capabilities, started_utc: datetime
    ) -> RecordingHeader:
        return RecordingHeader(
            app_version=__version__,
            origin=self._setup.origin,
            started_utc=started_utc.isoformat(timespec="milliseconds"),
            exercise=self._setup.exercise_name,
            own_exercise=self._setup.own_exercise,
            sensors=(sensor_header(capabilities, address=sensor.address),),
            calibration=self._setup.calibration,
            reference=self._setup.reference,
            alignments=self._setup.alignments,
            notes=self._setup.notes,
        )

    def _begin(self, header: RecordingHeader) -> None:
        # The engine is set up from the header, as a replay will do it.
        self._session = Session(session_setup(header))
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
        """Send STOP, disconnect, and close the recording; idempotent."""
        async with self._closing:
            if self._heartbeat is not None:
                self._heartbeat.cancel()
                await asyncio.gather(self._heartbeat, return_exceptions=True)
                self._heartbeat = None
            await self._link.close()
            self._end()

    def _on_payload(self, kind: NotificationKind, payload: bytes) -> None:
        notification = self._stamped(kind, payload)
        self._unwritten.append(notification)
        self._unread.append(notification)

    def _on_change(self, change: LinkChanged) -> None:
        self.lost = self.lost or change.state is LinkState.LOST
        self._unwritten.append(self._stamped(NotificationKind.EVENT, link_row(change)))
        self._unread.append(change)

    def _stamped(self, kind: NotificationKind, payload: bytes) -> Notification:
        # What happened before START counts as time zero: a replay need not wait for a search to end.
        arrival_ns = 0 if self._zero_ns is None else self._clock.now_ns() - self._zero_ns
        return Notification(arrival_ns, 0, kind, payload)

    async def _beat(self) -> None:
        while not self.ended:
            try:
                self._link.check()
                self._write()
                if self.lost:
                    self._end()
            except Exception as error:
                # The next poll raises it: a task has nobody to tell.
                self._failure = error
                return
            await asyncio.sleep(HEARTBEAT_S)

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

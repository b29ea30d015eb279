"""A session: notifications in, events out; what comes late heals what was computed without it."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emgmon.engine import Engine, EngineState, Overhear, SessionSetup
from emgmon.events import (
    BatteryRead,
    DuplicateReceived,
    Healed,
    MovementSignal,
    Notification,
    NotificationBatch,
    NotificationKind,
    NotificationRejected,
    SamplesLost,
    SamplesMissing,
    SensorStatus,
    SessionEnded,
    SessionEvent,
    SetCompleted,
)
from emgmon.exercises import Exercise
from emgmon.healing import Told, ToldState
from emgmon.intake import (
    Aside,
    Heard,
    Intake,
    IntakeState,
    Taken,
    joined,
    notification_at,
    stretches,
    without_missing,
)
from emgmon.sensor_words import status_words
from emgmon.streams import MotionStream
from firmware_protocol.reassembly import Duplicate, Reject

__all__ = ["Lookahead", "Session", "SessionSetup", "SessionState"]

PATIENCE_NS = 200_000_000
"""So long nothing is told behind a gap: most are filled by then, and need no telling twice."""


REFRESH_NS = 1_000_000_000
"""What is told provisionally is computed anew at most this often while gaps are being filled."""


_KINDS = frozenset(NotificationKind)


class Lookahead(enum.Enum):
    """What to tell while samples are missing that may still come."""

    NOTHING = "nothing"
    """Nothing behind the gap: all that is told stands."""
    PROVISIONAL = "provisional"
    """What can be told without them; once they have come it is corrected (`Healed`)."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionState:
    """All that a session's past leaves to its future; put back into a session of the same setup."""

    intake: IntakeState
    engine: EngineState
    told: ToldState
    n_missing: dict[tuple[int, int], int]


class Session:
    """One session from the first notification to the last, sans IO.

    The same notifications give the same repetitions and sets, live, replayed or all at once, and the same as
    if everything had come in order the first time, as far as it came at all. Samples
    that are missing and may still come stop the engine in front of them; meanwhile a copy of it
    goes ahead without them, where that is asked for.
    """

    def __init__(
        self,
        setup: SessionSetup,
        *,
        overhear: Overhear | None = None,
        lookahead: Lookahead = Lookahead.NOTHING,
    ) -> None:
        """Begin; `overhear` is shown the attitude of every motion sensor, by its place in `motion`."""
        self.setup, self._lookahead = setup, lookahead
        self._intake = Intake(setup.sensors)
        self._engine = Engine(setup, overhear=overhear)
        self._ahead: Engine | None = None
        self._ahead_ns, self._stale = 0, False
        self._told = Told()
        self._n_missing: dict[tuple[int, int], int] = {}
        self._ended = False

    @property
    def state(self) -> SessionState:
        """All that the past leaves to the future; a copy, and settable."""
        return SessionState(self._intake.state, self._engine.state, self._told.state, dict(self._n_missing))

    @state.setter
    def state(self, state: SessionState) -> None:
        self._intake.state, self._engine.state = state.intake, state.engine
        self._told.state, self._n_missing = state.told, dict(state.n_missing)
        self._ahead = None

    @property
    def exercise(self) -> Exercise | None:
        """What is counted."""
        return self._engine.exercise

    @property
    def motion(self) -> tuple[MotionStream, ...]:
        """The motion sensors of all sensors, in order."""
        return self._engine.motion

    @property
    def movement_signal(self) -> MovementSignal | None:
        """What repetitions are found on; ``None`` when nothing serves, so none will be found."""
        return self._engine.movement_signal

    @property
    def alignment_method(self) -> str | None:
        """What the place of the pelvis sensor is known from; ``None`` while it is not known."""
        return self._engine.alignment_method

    @property
    def limits(self) -> tuple[str, ...]:
        """Sentences about what cannot be given with this setup, and why."""
        return self._engine.limits

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about how what came lies together; they may change while more comes."""
        return self._engine.notes

    def hum_removed_hz(self, sensor: int, stream: int) -> tuple[float | None, ...]:
        """For each channel of an EMG stream the mains frequency that is taken out."""
        return self._engine.hum_removed_hz(sensor, stream)

    def receive(self, notification: Notification) -> list[SessionEvent]:
        """Take one notification."""
        sensor, kind = notification.sensor, notification.kind
        if sensor >= len(self.setup.sensors):
            return [_unknown(sensor)]
        if kind is NotificationKind.BATTERY and len(notification.payload) == 1:
            return [BatteryRead(sensor, notification.payload[0])]
        if kind in (NotificationKind.DATA, NotificationKind.CONTROL):
            return self._follow(self._intake.take(notification), notification.arrival_ns)
        return []

    def receive_many(self, batch: NotificationBatch) -> list[SessionEvent]:
        """Take many notifications; gives what `receive` gives one by one."""
        events: list[SessionEvent] = []
        for start, stop in stretches(batch):
            if int(batch.kind[start]) not in _KINDS:
                continue
            is_data = batch.kind[start] == NotificationKind.DATA
            sensor = int(batch.sensor[start])
            if is_data and sensor < len(self.setup.sensors):
                taken = self._intake.take_data_many(sensor, batch, start, stop)
                events += self._follow(taken, int(batch.arrival_ns[stop - 1]))
                continue
            for row in range(start, stop):
                events += self.receive(notification_at(batch, row))
        return events

    def finish(self) -> list[SessionEvent]:
        """Nothing more will come: close what is open. Calling it again gives nothing."""
        if self._ended:
            return []
        self._ended = True
        self._intake.give_up()
        settled = [event for heard in self._intake.settled() for event in self._engine.take(heard)]
        settled += self._engine.finish()
        self._ahead = None
        ending = [event for event in settled if isinstance(event, SessionEnded)]
        told = self._told.settle([event for event in settled if not isinstance(event, SessionEnded)], [])
        return [*told, *self._missing_now(), *ending]

    def _follow(self, taken: Taken, arrival_ns: int) -> list[SessionEvent]:
        """Run the engine as far as nothing is missing, and where asked for a copy of it beyond."""
        asides = [_told_at_once(sensor, aside) for sensor, aside in taken.asides]
        settled = [event for heard in self._intake.settled() for event in self._engine.take(heard)]
        if self._intake.oldest_gap_ns is None:
            self._ahead = None
            return [*asides, *self._told.settle(settled, []), *self._missing_now()]
        if self._lookahead is Lookahead.NOTHING:
            return [*asides, *self._told.settle_some(settled), *self._missing_now()]
        return [*asides, *self._look_ahead(taken, settled, arrival_ns), *self._missing_now()]

    def _look_ahead(
        self, taken: Taken, settled: list[SessionEvent], arrival_ns: int
    ) -> Sequence[SessionEvent]:
        told: list[SessionEvent] = []
        if self._ahead is not None:
            # Before what stands now, which may be of the same hops.
            news = joined([heard for item in taken.heard for heard in without_missing(item)])
            told += self._told.go_on(_provisional(self._ahead, news))
        standing = self._told.settle_some(settled)
        contradicted = any(isinstance(event, Healed) for event in standing)
        self._stale = self._stale or bool(settled)
        if self._ahead is None:
            gap_ns = self._intake.oldest_gap_ns
            is_due = gap_ns is not None and arrival_ns - gap_ns >= PATIENCE_NS
        else:
            is_due = contradicted or (self._stale and arrival_ns - self._ahead_ns >= REFRESH_NS)
        anew = self._told.settle([], self._begin_ahead(arrival_ns)) if is_due else []
        return [*told, *standing, *anew]

    def _begin_ahead(self, arrival_ns: int) -> list[SessionEvent]:
        """Copy the engine as it stands and run it over all that waits."""
        self._ahead, self._ahead_ns, self._stale = Engine(self.setup), arrival_ns, False
        self._ahead.state = self._engine.state
        waiting = [heard for item in self._intake.waiting for heard in without_missing(item)]
        return _provisional(self._ahead, joined(waiting))

    def _missing_now(self) -> list[SessionEvent]:
        now = self._intake.n_missing()
        if now == self._n_missing:
            return []
        keys = sorted({*now, *self._n_missing})
        changed = [key for key in keys if now.get(key, 0) != self._n_missing.get(key, 0)]
        self._n_missing = now
        return [SamplesMissing(*key, now.get(key, 0)) for key in changed]


def _provisional(engine: Engine, heard: Iterable[Heard]) -> list[SessionEvent]:
    """Run a copy of the engine ahead; what only the whole can tell (sets, what is lost) is left out."""
    events = (event for one in heard for event in engine.take(one))
    return [event for event in events if not isinstance(event, SetCompleted | SamplesLost)]


def _told_at_once(sensor: int, aside: Aside) -> SessionEvent:
    if isinstance(aside, Duplicate):
        return DuplicateReceived(sensor, aside.stream, aside.n_samples)
    if isinstance(aside, Reject):
        return NotificationRejected(sensor, aside.reason, aside.clause)
    return SensorStatus(sensor, status_words(aside.status))


def _unknown(sensor: int) -> NotificationRejected:
    return NotificationRejected(sensor, f"there is no sensor {sensor} in this session", clause="")

"""One recording through the engine, notification by notification as live, and what came of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emgmon.events import (
    MovementSignal,
    Notification,
    NotificationBatch,
    NotificationKind,
    RepCompleted,
    RepWithdrawn,
    SessionEnded,
    SessionEvent,
)
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session, SessionSetup


@dataclass(frozen=True, slots=True)
class Announced:
    """A counted repetition and how long after its end it was announced."""

    rep: RepCompleted
    delay_s: float | None
    """``None`` where it came with the end of the recording, or the samples were not fed as live."""


@dataclass(slots=True)
class Outcome:
    """What the engine made of one recording."""

    counted: list[Announced] = field(default_factory=list)
    """Announced, countable, and not taken back."""
    uncounted: list[RepCompleted] = field(default_factory=list)
    withdrawn: list[RepWithdrawn] = field(default_factory=list)
    signal: MovementSignal | None = None
    duration_s: float = 0.0

    @property
    def reps(self) -> list[RepCompleted]:
        return [announced.rep for announced in self.counted]

    @property
    def delays_s(self) -> list[float]:
        return [announced.delay_s for announced in self.counted if announced.delay_s is not None]

    def take(self, event: SessionEvent, arrival_s: float | None) -> None:
        """Keep an event as `emgmon.analysis` does; `arrival_s` is when its notification came."""
        if isinstance(event, RepCompleted):
            if event.uncounted is None:
                delay_s = None if arrival_s is None else arrival_s - event.end_s
                self.counted.append(Announced(event, delay_s))
            else:
                self.uncounted.append(event)
        elif isinstance(event, RepWithdrawn):
            self.withdrawn.append(event)
            self._take_back(event)
        elif isinstance(event, SessionEnded):
            self.duration_s = event.end_s

    def _take_back(self, event: RepWithdrawn) -> None:
        of_set = [i for i, one in enumerate(self.counted) if one.rep.set_number == event.set_number]
        del self.counted[of_set[event.number - 1]]


def one_by_one(batch: NotificationBatch) -> Iterator[Notification]:
    for row in range(len(batch)):
        payload = batch.data[batch.offsets[row] : batch.offsets[row + 1]].tobytes()
        kind = NotificationKind(int(batch.kind[row]))
        yield Notification(int(batch.arrival_ns[row]), int(batch.sensor[row]), kind, payload)


def run_live(setup: SessionSetup, batches: Iterable[NotificationBatch]) -> Outcome:
    """Feed every notification by itself; tells delays."""
    session, outcome = Session(setup), Outcome()
    for batch in batches:
        for notification in one_by_one(batch):
            for event in session.receive(notification):
                outcome.take(event, notification.arrival_ns / 1e9)
    return _ended(session, outcome)


def run_batches(setup: SessionSetup, batches: Iterable[NotificationBatch]) -> Outcome:
    """Feed second by second: the same repetitions, sooner, and no delays."""
    session, outcome = Session(setup), Outcome()
    for batch in batches:
        for event in session.receive_many(batch):
            outcome.take(event, None)
    return _ended(session, outcome)


def _ended(session: Session, outcome: Outcome) -> Outcome:
    for event in session.finish():
        outcome.take(event, None)
    outcome.signal = session.movement_signal
    return outcome


def run_recording(path: Path, *, as_live: bool = True) -> Outcome:
    """Run a recording with the exercise that it names."""
    reader = RecordingReader(path)
    run = run_live if as_live else run_batches
    return run(session_setup(reader.header), reader.batches())

"""Sessions of the virtual athlete: performed once, sent over an imagined radio, run through the engine."""

from functools import cache

from emgmon.events import (
    Notification,
    NotificationKind,
    RepCompleted,
    RepWithdrawn,
    SessionEvent,
    SetCompleted,
)
from emgmon.session import Session, SessionSetup
from emgmon.virtual.athlete import AthleteParams, Performance, perform
from emgmon.virtual.simulate import transmit


@cache
def performed(exercise: str, **params) -> Performance:
    return perform(AthleteParams(exercise=exercise, **params))


@cache
def notifications_of(performance: Performance, *, loss_pct: float = 0.0) -> tuple[Notification, ...]:
    return tuple(
        Notification(
            int(batch.arrival_ns[i]),
            int(batch.sensor[i]),
            NotificationKind(int(batch.kind[i])),
            batch.data[batch.offsets[i] : batch.offsets[i + 1]].tobytes(),
        )
        for batch in transmit(performance, loss_pct=loss_pct).seconds()
        for i in range(len(batch))
    )


def setup_of(performance: Performance, **how) -> SessionSetup:
    told = {
        "exercise": performance.exercise,
        "calibration": performance.calibration,
        "reference": performance.reference,
        "alignments": performance.alignments,
    }
    return SessionSetup(sensors=(performance.capabilities,), **{**told, **how})


def run(session: Session, performance: Performance, *, loss_pct: float = 0.0) -> list[SessionEvent]:
    """Give everything that arrived, second by second, and finish."""
    batches = transmit(performance, loss_pct=loss_pct).seconds()
    events = [event for batch in batches for event in session.receive_many(batch)]
    return events + session.finish()


def events_of(performance, **how):
    return run(Session(setup_of(performance, **how)), performance)


def counted(events):
    """The repetitions that stand in the end, in order."""
    kept = {}
    for event in events:
        if isinstance(event, RepCompleted) and event.uncounted is None:
            kept.setdefault(event.set_number, []).append(event)
        elif isinstance(event, RepWithdrawn):
            del kept[event.set_number][event.number - 1]
    return [rep for reps in kept.values() for rep in reps]


def sets_of(events):
    return [event for event in events if isinstance(event, SetCompleted)]


def metric(rep, name):
    return next(metric for metric in rep.metrics if metric.name == name)

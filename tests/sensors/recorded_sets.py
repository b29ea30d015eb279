"""A set of the virtual athlete, recorded over the quick air while something happens to the radio."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from emgmon.events import (
    Event,
    QualityChanged,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SessionEnded,
    SetCompleted,
)
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.sensors.live import LiveFeed, LiveSetup
from emgmon.session import Session
from emgmon.virtual.athlete import perform
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.quick_air import QuickAir
from emgmon.virtual.quick_sensor import QuickSensor
from emgmon.virtual.script import Script, script
from emgmon.virtual.turned_loop import run_turned

RESULTS = (RepCompleted, RepWithdrawn, SetCompleted, QualityChanged, SamplesLost, SessionEnded)
RING_MS = 15_000
POLL_S = 0.05


@cache
def a_set(n_reps: int) -> Script:
    made = script([perform(AthleteParams(exercise="bridge", n_reps=n_reps))])
    return replace(made, capabilities=replace(made.capabilities, version_minor=1, ring_ms=RING_MS))


def recorded(
    path: Path, mishap: Callable[[QuickSensor], None], *, n_reps: int = 4, at_s: float = 6.0
) -> list[Event]:
    """Do the set, have something go wrong after so long; all that a screen is told."""
    made, told = a_set(n_reps), []

    async def main(clock):
        air = QuickAir(clock)
        sensor = air.add(made.capabilities, made.streams)
        setup = LiveSetup(
            out=path,
            radio=air.radio,
            exercise=made.exercise,
            calibration=made.calibration,
            reference=made.reference,
            alignments=made.alignments,
        )
        feed = LiveFeed(setup, clock=clock)
        await feed.open()
        for _ in range(round(at_s / POLL_S)):
            told.extend(feed.poll())
            await air.turn(POLL_S)
        mishap(sensor)
        while not sensor.finished or feed.n_missing:
            told.extend(feed.poll())
            await air.turn(POLL_S)
        await feed.close()
        told.extend(feed.poll())
        air.close()

    run_turned(main)
    return told


def results(path: Path) -> Sequence[Event]:
    """What an analysis of the recording tells."""
    reader = RecordingReader(path)
    session = Session(session_setup(reader.header))
    told = [event for batch in reader.batches() for event in session.receive_many(batch)]
    return [event for event in (*told, *session.finish()) if isinstance(event, RESULTS)]

"""A set in the middle of which the radio drops gives the numbers that a perfect radio would have given."""

from dataclasses import replace
from functools import cache

import pytest

from emgmon.events import (
    LinkChanged,
    LinkState,
    QualityChanged,
    RepCompleted,
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
from emgmon.virtual.script import script
from emgmon.virtual.turned_loop import run_turned

RESULTS = (RepCompleted, SetCompleted, QualityChanged, SamplesLost, SessionEnded)


@cache
def a_set():
    made = script([perform(AthleteParams(exercise="bridge", n_reps=4))])
    return replace(made, capabilities=replace(made.capabilities, version_minor=1, ring_ms=15_000))


def recorded(path, mishap):
    """Do the set; what goes wrong happens in a task of its own. The states of the link."""
    made, told = a_set(), []

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
        await air.turn(6)
        mishap(sensor)
        while not sensor.finished or feed.n_missing:
            told.extend(feed.poll())
            await air.turn(0.05)
        await feed.close()
        told.extend(feed.poll())
        air.close()

    run_turned(main)
    return told


def results(path):
    """What a replay of the recording tells."""
    reader = RecordingReader(path)
    session = Session(session_setup(reader.header))
    told = [event for batch in reader.batches() for event in session.receive_many(batch)]
    return [event for event in (*told, *session.finish()) if isinstance(event, RESULTS)]


MISHAPS = {
    "out of reach for ten seconds": lambda sensor: sensor.take_out_of_reach(for_s=10),
    "a cut link": lambda sensor: sensor.cut(),
    "silence": lambda sensor: sensor.silence(),
}


@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS.keys())
def test_a_loss_in_mid_set_changes_no_number(mishap, tmp_path):
    recorded(tmp_path / "perfect.arrows", lambda _sensor: None)
    told = recorded(tmp_path / "lossy.arrows", mishap)
    perfect = results(tmp_path / "perfect.arrows")
    assert sum(isinstance(event, RepCompleted) for event in perfect) == 4
    assert results(tmp_path / "lossy.arrows") == perfect
    states = [event.state for event in told if isinstance(event, LinkChanged)]
    assert states.count(LinkState.STREAMING) >= 2

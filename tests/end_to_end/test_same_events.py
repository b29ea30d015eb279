"""Live, replayed in real time and analysed at once: one session, one set of events."""

import asyncio

import numpy as np
import pytest

from emgmon.analysis import analyse
from emgmon.clock import ManualClock, SystemClock
from emgmon.events import LinkChanged, RepCompleted, RepWithdrawn, SessionEnded, SetCompleted
from emgmon.recording.append import append_rows
from emgmon.recording.format import session_setup
from emgmon.recording.host_events import RepMovedRow, RepRemovedRow, event_notifications
from emgmon.recording.playback import PlaybackFeed
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.feed import VirtualFeed
from emgmon.virtual.script import script
from emgmon.virtual.simulate import write_recording
from tests.builders import curves, decisions

LIMIT_S = 60


async def live(path):
    """A short set on the virtual sensor, over the virtual air, in real time."""
    params = AthleteParams(exercise="bridge", n_reps=2, seed=5)
    feed = VirtualFeed("bridge", lambda: script([perform(params)]), out=path, clock=SystemClock())
    events = []
    async with asyncio.timeout(LIMIT_S):
        await feed.open()
        while not feed.ended:
            events += feed.poll()
            await asyncio.sleep(1 / 30)
    await feed.close()
    return events + list(feed.poll())


async def replayed(path):
    """The recording at the pace of the recording, by a clock that is turned thirty times a second."""
    clock = ManualClock()
    feed = PlaybackFeed(path, clock=clock, speed=1.0)
    await feed.open()
    events = []
    while not feed.ended:
        events += feed.poll()
        clock.advance_s(1 / 30)
    await feed.close()
    return events


async def test_live_replay_and_analysis_report_the_same(tmp_path):
    path = tmp_path / "session.arrows"
    lived = [event for event in await live(path) if not isinstance(event, LinkChanged)]
    played = await replayed(path)
    assert decisions(lived) == [e for e in decisions(played) if not isinstance(e, LinkChanged)]
    assert sum(isinstance(event, RepCompleted) for event in lived) == 2
    assert isinstance(lived[-1], SessionEnded)

    reader = RecordingReader(path)
    session = Session(session_setup(reader.header))
    at_once = [event for batch in reader.batches() for event in session.receive_many(batch)]
    at_once += session.finish()
    kinds = (RepCompleted, SetCompleted, SessionEnded)
    assert [e for e in lived if isinstance(e, kinds)] == [e for e in at_once if isinstance(e, kinds)]
    for name, values in curves(lived).items():
        np.testing.assert_array_equal(curves(played)[name], values)
        np.testing.assert_array_equal(curves(at_once)[name], values)

    document = analyse(path)
    shares = [rep.metrics["glute_share_pct"].value for done in document.sets for rep in done.reps]
    lived_shares = [
        m.value
        for e in lived
        if isinstance(e, RepCompleted)
        for m in e.metrics
        if m.name == "glute_share_pct"
    ]
    assert shares == lived_shares


@pytest.mark.parametrize("exercise", ["scorpion", "squat", "bird-dog"])
async def test_a_recording_with_corrections_is_replayed_as_it_is_analysed(tmp_path, exercise):
    path = tmp_path / "session.arrows"
    athlete = perform(AthleteParams(exercise=exercise, n_reps=4, seed=6, emg=False))
    write_recording(athlete, path, loss_pct=0.5)
    first, second = athlete.truth.reps[:2]
    rows = [
        RepRemovedRow(number=1, at_s=first.turn_s, start_s=first.start_s - 0.2, end_s=first.end_s + 0.2),
        RepMovedRow(
            number=2,
            at_s=second.turn_s,
            was_start_s=second.start_s - 0.2,
            was_end_s=second.end_s + 0.2,
            start_s=second.start_s,
            end_s=second.end_s,
        ),
    ]
    append_rows(path, lambda newest_ns: event_notifications(rows, arrival_ns=newest_ns))
    at_once = []
    document = analyse(path, watch=at_once.append)
    played = [event for event in await replayed(path) if not isinstance(event, LinkChanged)]
    kinds = (RepCompleted, RepWithdrawn, SetCompleted, SessionEnded)
    assert [e for e in played if isinstance(e, kinds)] == [e for e in at_once if isinstance(e, kinds)]
    for name, values in curves(at_once).items():
        np.testing.assert_array_equal(curves(played)[name], values)
    (done,) = document.sets
    assert [rep.origin for rep in done.reps] == ["moved", "found", "found"]

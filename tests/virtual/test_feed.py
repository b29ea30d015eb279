"""A whole virtual session: athlete, sensor, air, link, recording, events."""

import asyncio
import time

import numpy as np
import pytest

from emgmon.clock import SystemClock
from emgmon.errors import RecordingError, SimulationError
from emgmon.events import (
    BatteryRead,
    LinkChanged,
    LinkState,
    NotificationKind,
    RepCompleted,
    SamplesLost,
    SessionEnded,
    SetCompleted,
)
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session
from emgmon.virtual.athlete import perform
from emgmon.virtual.feed import VIRTUAL_NOTE, VirtualFeed
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.script import script
from firmware_protocol.decoder import Decoder, SampleBlock

LIMIT_S = 60.0
PARAMS = AthleteParams(n_reps=1, seed=5)


class FastClock:
    def __init__(self, speed):
        self.speed = speed

    def now_ns(self):
        return time.monotonic_ns() * self.speed


def a_feed(path, *, speed=20, params=PARAMS):
    return VirtualFeed(
        "bridge",
        lambda: script([perform(params)]),
        out=path,
        clock=SystemClock(),
        sensor_clock=FastClock(speed),
    )


async def play(feed):
    events = []
    await feed.open()
    async with asyncio.timeout(LIMIT_S):
        while not feed.ended:
            events += feed.poll()
            await asyncio.sleep(0.005)
    await feed.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return events + list(feed.poll())


async def test_the_session_ends_by_itself_when_the_performance_is_over(tmp_path):
    events = await play(a_feed(tmp_path / "a.arrows"))
    assert isinstance(events[-1], SessionEnded)
    states = [event.state for event in events if isinstance(event, LinkChanged)]
    assert states == [
        LinkState.SCANNING,
        LinkState.CONNECTING,
        LinkState.CHECKING,
        LinkState.STREAMING,
        LinkState.CLOSED,
    ]


async def test_every_sample_of_the_performance_is_in_the_recording(tmp_path):
    await play(a_feed(tmp_path / "a.arrows"))
    performance = perform(PARAMS)
    reader = RecordingReader(tmp_path / "a.arrows")
    decoder = Decoder(performance.capabilities)
    blocks = []
    for batch in reader.batches():
        data = [i for i in range(len(batch)) if batch.kind[i] == NotificationKind.DATA]
        for i in data:
            blocks += decoder.receive(batch.data[batch.offsets[i] : batch.offsets[i + 1]].tobytes())
    assert all(isinstance(block, SampleBlock) for block in blocks)
    for samples in performance.streams:
        came = np.concatenate([block.values for block in blocks if block.stream == samples.stream.number])
        np.testing.assert_array_equal(came, samples.counts)


async def test_the_recording_gives_the_same_repetitions_and_sets_again(tmp_path):
    params = AthleteParams(n_reps=2, seed=5)
    live = [event for event in await play(a_feed(tmp_path / "a.arrows", params=params)) if is_result(event)]
    reader = RecordingReader(tmp_path / "a.arrows")
    session = Session(session_setup(reader.header))
    again = [event for batch in reader.batches() for event in session.receive_many(batch)] + session.finish()
    assert [event for event in again if is_result(event)] == live
    assert sum(isinstance(event, RepCompleted) for event in live) == 2


def is_result(event):
    return isinstance(event, RepCompleted | SetCompleted | SessionEnded | SamplesLost | BatteryRead)


async def test_the_recording_says_that_nobody_was_measured(tmp_path):
    await play(a_feed(tmp_path / "a.arrows"))
    performance = perform(PARAMS)
    header = RecordingReader(tmp_path / "a.arrows").header
    assert (header.origin, header.exercise) == ("simulation", "bridge")
    assert VIRTUAL_NOTE in header.notes
    assert (header.calibration, header.reference) == (performance.calibration, performance.reference)


async def test_leaving_in_the_middle_stops_everything_and_keeps_the_recording(tmp_path):
    feed = a_feed(tmp_path / "a.arrows", speed=1)
    await feed.open()
    await feed.close()
    await feed.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert isinstance(list(feed.poll())[-1], SessionEnded)
    reader = RecordingReader(tmp_path / "a.arrows")
    assert sum(len(batch) for batch in reader.batches()) > 0
    assert reader.torn is None


async def test_a_session_that_cannot_be_recorded_leaves_nothing_switched_on(tmp_path):
    path = tmp_path / "a.arrows"
    path.write_bytes(b"precious")
    feed = a_feed(path)
    with pytest.raises(RecordingError):
        await feed.open()
    await feed.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert path.read_bytes() == b"precious"


async def test_an_impossible_performance_is_told_and_the_feed_can_still_be_closed(tmp_path):
    def impossible():
        raise SimulationError("cannot be done")

    feed = VirtualFeed("bridge", impossible, out=tmp_path / "a.arrows", clock=SystemClock())
    with pytest.raises(SimulationError):
        await feed.open()
    await feed.close()
    assert list(feed.poll()) == []
    assert not feed.recorded

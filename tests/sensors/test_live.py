"""A live session from the air to the closed recording."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest

from emgmon import __version__
from emgmon.clock import SystemClock
from emgmon.errors import RecordingError, SensorError
from emgmon.events import BatteryRead, LinkChanged, LinkState, NotificationKind, SessionEnded
from emgmon.exercises import load_exercise, parse_exercise
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.recording.reader import RecordingReader
from emgmon.sensors.journal import read_link_row
from emgmon.sensors.live import LiveFeed, LiveSetup, recording_path
from firmware_protocol.control import Opcode, Response, Started
from firmware_protocol.decoder import Decoder, SampleBlock
from tests.exercises.examples import exercise_toml
from tests.sensors.bench import LIMIT_S, FastClock, happens

pytestmark = pytest.mark.usefixtures("nothing_blocks")

CALIBRATION = Calibration("mvic", (ChannelCalibration("muscle_0", None, 2.0, 200.0),))
REFERENCE = ReferenceSet("bridge", 8, 0.7, 0.1)
MOMENT = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


def a_feed(bench, path, **options):
    setup = LiveSetup(**({"out": path, "exercise": "bridge", "radio": bench.radio} | options))
    return LiveFeed(setup, clock=SystemClock(), utc_now=lambda: MOMENT)


async def play(bench, feed):
    """Run the whole session; every event in order."""
    events = []
    await feed.open()
    async with asyncio.timeout(LIMIT_S):
        while not bench.sensor.finished.is_set():
            events += feed.poll()
            await asyncio.sleep(0.01)
    await feed.close()
    return events + list(feed.poll())


def rows_of(path):
    reader = RecordingReader(path)
    rows = [
        (
            int(batch.arrival_ns[i]),
            int(batch.kind[i]),
            batch.data[batch.offsets[i] : batch.offsets[i + 1]].tobytes(),
        )
        for batch in reader.batches()
        for i in range(len(batch))
    ]
    assert reader.torn is None
    return reader.header, rows


def payloads(rows, kind):
    return [payload for _, found, payload in rows if found == kind]


def decoded(bench, rows):
    responses = [Response.from_bytes(payload) for payload in payloads(rows, NotificationKind.CONTROL)]
    (start,) = (response for response in responses if response.opcode == Opcode.START)
    decoder = Decoder(bench.capabilities)
    decoder.start(Started.from_bytes(start.payload))
    return [item for data in payloads(rows, NotificationKind.DATA) for item in decoder.receive(data)]


async def test_the_recording_holds_every_sample_as_it_came(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(20))
    path = tmp_path / "new" / "folders" / "set.arrows"
    await play(bench, a_feed(bench, path))
    _, rows = rows_of(path)
    items = decoded(bench, rows)
    assert all(isinstance(item, SampleBlock) for item in items)
    for samples in bench.streams:
        came = np.concatenate([item.values for item in items if item.stream == samples.stream.number])
        np.testing.assert_array_equal(came, samples.counts)
    assert [path.name for path in path.parent.iterdir()] == ["set.arrows"]


async def test_the_header_says_who_was_measured_with_what_and_when(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(20), duration_s=0.1)
    feed = a_feed(
        bench,
        tmp_path / "a.arrows",
        calibration=CALIBRATION,
        reference=REFERENCE,
        origin="simulation",
        notes=("a note",),
    )
    await play(bench, feed)
    header, _ = rows_of(tmp_path / "a.arrows")
    assert header.sensors[0].capabilities == bench.capabilities.to_bytes().hex()
    assert header.sensors[0].address == bench.air.sensor_device.random_address.to_string(
        with_type_qualifier=False
    )
    assert (header.exercise, header.origin, header.notes) == ("bridge", "simulation", ("a note",))
    assert (header.calibration, header.reference) == (CALIBRATION, REFERENCE)
    assert header.sensors[0].firmware == __version__
    assert header.started_utc == "2031-05-06T07:08:09.123+00:00"


async def test_a_persons_own_exercise_is_kept_whole(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(20), duration_s=0.1)
    own = parse_exercise("frog-bridge", exercise_toml(), file="frog-bridge.toml")
    feed = a_feed(bench, tmp_path / "a.arrows", exercise=own)
    assert feed.exercise == "frog-bridge"
    await play(bench, feed)
    header, _ = rows_of(tmp_path / "a.arrows")
    assert (header.exercise, header.own_exercise) == ("frog-bridge", own)


@pytest.mark.parametrize("exercise", ["bridge", load_exercise("bridge")], ids=["by name", "as such"])
def test_an_exercise_of_the_catalogue_is_kept_by_its_name(exercise, tmp_path):
    setup = LiveSetup(out=tmp_path / "a.arrows", exercise=exercise)
    assert (setup.exercise_name, setup.own_exercise) == ("bridge", None)


async def test_the_recording_tells_the_life_of_the_link_as_the_screen_saw_it(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(20), duration_s=0.1)
    events = await play(bench, a_feed(bench, tmp_path / "a.arrows"))
    _, rows = rows_of(tmp_path / "a.arrows")
    shown = [event for event in events if isinstance(event, LinkChanged)]
    assert [read_link_row(row) for row in payloads(rows, NotificationKind.EVENT)] == shown
    assert [change.state for change in shown] == [
        LinkState.SCANNING,
        LinkState.CONNECTING,
        LinkState.CHECKING,
        LinkState.STREAMING,
        LinkState.CLOSED,
    ]


async def test_time_begins_with_start_and_never_goes_back(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(20), duration_s=0.5)
    await play(bench, a_feed(bench, tmp_path / "a.arrows"))
    _, rows = rows_of(tmp_path / "a.arrows")
    arrivals = [arrival for arrival, _, _ in rows]
    assert arrivals[0] == 0
    assert arrivals == sorted(arrivals)
    first_data = next(arrival for arrival, kind, _ in rows if kind == NotificationKind.DATA)
    assert 0 < first_data < LIMIT_S * 1e9


async def test_the_session_ends_with_its_last_event_and_closing_again_changes_nothing(make_bench, tmp_path):
    # Long enough for the battery, which is read while samples come already.
    bench = await make_bench(clock=FastClock(20), duration_s=6.0)
    feed = a_feed(bench, tmp_path / "a.arrows")
    events = await play(bench, feed)
    assert isinstance(events[-1], SessionEnded)
    assert BatteryRead(0, 87) in events
    content = (tmp_path / "a.arrows").read_bytes()
    await feed.close()
    assert list(feed.poll()) == []
    assert (tmp_path / "a.arrows").read_bytes() == content


async def test_what_arrives_is_written_although_no_screen_asks(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(1), duration_s=30.0)
    feed = a_feed(bench, tmp_path / "a.arrows")
    await feed.open()
    part = tmp_path / "a.arrows.part"
    size = part.stat().st_size
    await happens(lambda: part.stat().st_size > size)
    await feed.close()


async def test_an_existing_recording_is_refused_before_anyone_searches(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(1))
    path = tmp_path / "a.arrows"
    path.write_bytes(b"precious")
    feed = a_feed(bench, path)
    with pytest.raises(RecordingError, match="exists already"):
        await feed.open()
    assert list(feed.poll()) == []
    await feed.close()
    assert path.read_bytes() == b"precious"


async def test_a_folder_that_cannot_be_made_is_reported(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be made"):
        await a_feed(bench, tmp_path / "file" / "a.arrows").open()


async def test_without_a_sensor_there_is_no_recording(make_bench, tmp_path, monkeypatch):
    monkeypatch.setattr("emgmon.sensors.link.FIND_LIMIT_S", 0.2)
    bench = await make_bench(clock=FastClock(1))
    feed = a_feed(bench, tmp_path / "a.arrows", addresses=("F0:00:00:00:00:99",))
    with pytest.raises(SensorError):
        await feed.open()
    await feed.close()
    assert not feed.recorded
    assert list(tmp_path.iterdir()) == []


async def test_cancelling_open_hangs_up(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(1))
    feed = a_feed(bench, tmp_path / "a.arrows")
    opening = asyncio.create_task(feed.open())
    await happens(lambda: bool(bench.air.sensor_device.connections))
    opening.cancel()
    await asyncio.wait((opening,))
    await feed.close()
    assert not bench.air.sensor_device.connections


async def test_a_disk_that_fills_up_is_told_by_the_next_poll_and_keeps_what_was_written(make_bench, tmp_path):
    bench = await make_bench(clock=FastClock(1), duration_s=30.0)
    feed = a_feed(bench, tmp_path / "a.arrows")
    await feed.open()

    written, append = [], feed._writer.append

    def fills_up(notification):
        if len(written) == 20:
            raise RecordingError("no space left", advice="Free some.")
        written.append(notification.payload)
        append(notification)

    feed._writer.append = fills_up
    with pytest.raises(RecordingError, match="no space left"):
        await happens(lambda: feed.poll() is None)
    await feed.close()
    assert feed.ended
    _, rows = rows_of(tmp_path / "a.arrows")
    assert [payload for _, _, payload in rows] == written


def test_a_recording_is_named_after_its_moment_and_exercise(tmp_path):
    moment = datetime(2031, 5, 6, 7, 8, 9)
    assert recording_path(tmp_path, "hip-thrust", moment) == tmp_path / "2031-05-06_070809_hip-thrust.arrows"
    assert recording_path(tmp_path, None, moment) == tmp_path / "2031-05-06_070809_session.arrows"

"""Live sessions through losses: several sensors on one time line, and recordings that miss nothing."""

import asyncio
import statistics
from contextlib import asynccontextmanager

import pytest

from emgmon.errors import SensorError
from emgmon.events import (
    LinkChanged,
    LinkState,
    Notification,
    NotificationKind,
    SamplesLost,
    SamplesMissing,
    SessionEnded,
)
from emgmon.recording.format import sensor_capabilities, session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.sensors.live import LiveFeed, LiveSetup
from emgmon.session import Session
from emgmon.virtual.quick_air import FIRST_ADDRESS, QuickAir
from emgmon.virtual.turned_loop import run_turned
from firmware_protocol.control import Opcode, Response
from firmware_protocol.reassembly import Backfill, SampleBlock
from firmware_protocol.receiver import Receiver
from firmware_protocol.resend import TimeAnswer
from firmware_protocol.worn import is_status_notification
from tests.sensors.bench import noise, small_capabilities

pytestmark = pytest.mark.usefixtures("nothing_blocks")

OTHER_ADDRESS = "F0:00:00:00:E0:03"


@asynccontextmanager
async def two_sensors(clock, out, **options):
    """A session with two sensors on the quick air, closed afterwards."""
    air = QuickAir(clock)
    sensors = []
    for number, address in enumerate((FIRST_ADDRESS, OTHER_ADDRESS)):
        capabilities = small_capabilities(boot_id=100 + number)
        sensors.append(air.add(capabilities, noise(capabilities, 120), address=address))
    setup = LiveSetup(out=out, radio=air.radio, addresses=(FIRST_ADDRESS, OTHER_ADDRESS), **options)
    feed = LiveFeed(setup, clock=clock)
    try:
        yield air, sensors, feed
    finally:
        await feed.close()
        feed.poll()
        air.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def rows_of(path):
    reader = RecordingReader(path)
    rows = [
        (int(batch.arrival_ns[i]), int(batch.sensor[i]), int(batch.kind[i]), payload(batch, i))
        for batch in reader.batches()
        for i in range(len(batch))
    ]
    assert reader.torn is None
    return reader.header, rows


def payload(batch, row):
    return batch.data[batch.offsets[row] : batch.offsets[row + 1]].tobytes()


def spans_of(header, rows):
    """For every sensor and stream: how many samples came, and from where to where."""
    found = {}
    for sensor, capabilities in enumerate(sensor_capabilities(header)):
        receiver, numbers = Receiver(capabilities), {}
        for _, of, kind, data in rows:
            if of != sensor or kind not in (NotificationKind.DATA, NotificationKind.CONTROL):
                continue
            is_data = kind == NotificationKind.DATA
            events = receiver.receive_data(data) if is_data else receiver.receive_control(data)
            for event in events:
                block = event.block if isinstance(event, Backfill) else event
                if isinstance(block, SampleBlock):
                    run = range(block.first_sample, block.first_sample + len(block.values))
                    numbers.setdefault(block.stream, set()).update(run)
        for stream, have in numbers.items():
            found[sensor, stream] = (len(have), min(have), max(have))
    return found


def responses(rows, sensor, opcode):
    found = [
        (at_ns, Response.from_bytes(data))
        for at_ns, of, kind, data in rows
        if of == sensor and kind == NotificationKind.CONTROL and not is_status_notification(data)
    ]
    return [(at_ns, response) for at_ns, response in found if response.opcode == opcode]


def test_two_sensors_share_one_recording_and_one_zero_of_time(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (air, _, feed):
            await feed.open()
            assert feed.title == "live, emgmon-0064 and emgmon-0065"
            assert len(feed.sensors) == 2
            await air.turn(12)

    run_turned(main)
    header, rows = rows_of(tmp_path / "a.arrows")
    assert [sensor.address for sensor in header.sensors] == [FIRST_ADDRESS, OTHER_ADDRESS]
    assert [at_ns for at_ns, *_ in rows] == sorted(at_ns for at_ns, *_ in rows)
    for n, first, last in spans_of(header, rows).values():
        assert n == last - first + 1
    for sensor in (0, 1):
        for at_ns, response in responses(rows, sensor, Opcode.TIME):
            sent_ns = TimeAnswer.from_bytes(response.payload).host_sent_ns
            assert 0 < at_ns - sent_ns < 50_000_000
    starts = [responses(rows, sensor, Opcode.START)[0][0] for sensor in (0, 1)]
    assert 0 < starts[0] < starts[1] < 1_000_000_000


def test_a_sensor_that_vanishes_does_not_disturb_the_other(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (air, sensors, feed):
            await feed.open()
            await air.turn(5)
            sensors[1].switch_off()
            await air.turn(30)
            assert not feed.ended
            assert not feed.lost
            changes = [event for event in feed.poll() if isinstance(event, LinkChanged)]
            assert changes[-1].sensor == 1
            assert [change.state for change in changes if change.sensor == 0][-1] is LinkState.STREAMING

    run_turned(main)
    header, rows = rows_of(tmp_path / "a.arrows")
    spans = spans_of(header, rows)
    assert spans[0, 1][0] == spans[0, 1][2] - spans[0, 1][1] + 1 > 34_000
    assert 4_500 < spans[1, 1][0] < 5_500


def test_a_sensor_that_is_back_does_not_wait_for_one_that_stays_away(tmp_path):
    away_s = []

    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (air, sensors, feed):
            await feed.open()
            await air.turn(2)
            sensors[1].switch_off()
            await air.turn(20)
            for k in range(12):
                feed.poll()
                sensors[0].cut()
                cut_s = clock.now_ns() / 1e9
                states = []
                while LinkState.STREAMING not in states:
                    await air.turn(0.02)
                    states += [e.state for e in feed.poll() if isinstance(e, LinkChanged) and e.sensor == 0]
                away_s.append(clock.now_ns() / 1e9 - cut_s)
                await air.turn(1.0 + 0.13 * k)

    run_turned(main)
    assert statistics.median(away_s) < 1.0
    assert max(away_s) < 2.0


def test_a_sensor_that_comes_back_brings_what_it_missed_while_the_other_goes_on(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (air, sensors, feed):
            await feed.open()
            await air.turn(5)
            sensors[0].take_out_of_reach(for_s=9)
            await air.turn(3)
            sensors[1].take_out_of_reach(for_s=9)
            await air.turn(20)
            assert feed.n_missing == 0
            missing = [event.n_samples for event in feed.poll() if isinstance(event, SamplesMissing)]
            assert max(missing) > 8_000
            assert missing[-1] == 0

    run_turned(main)
    header, rows = rows_of(tmp_path / "a.arrows")
    for n, first, last in spans_of(header, rows).values():
        assert n == last - first + 1


def test_the_session_is_lost_only_when_every_sensor_is(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows", give_up_after_s=20.0) as (air, sensors, feed):
            await feed.open()
            sensors[1].switch_off()
            await air.turn(40)
            assert not feed.lost
            assert not feed.ended
            sensors[0].switch_off()
            await air.turn(40)
            assert feed.lost
            assert feed.ended
            # Closed already, although nobody has called close.
            assert (tmp_path / "a.arrows").exists()
            assert isinstance(feed.poll()[-1], SessionEnded)

    run_turned(main)


def test_a_second_sensor_that_is_not_there_is_told_and_the_first_let_go(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (_, sensors, feed):
            sensors[1].switch_off()
            with pytest.raises(SensorError, match=f"{OTHER_ADDRESS} was not heard"):
                await feed.open()
            assert sensors[0].link is None
            assert not feed.recorded

    run_turned(main)


def test_everything_a_sensor_says_is_in_the_recording_in_the_order_it_came(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (air, sensors, feed):
            await feed.open()
            await air.turn(3)
            sensors[0].take_out_of_reach(for_s=4)
            await air.turn(10)

    run_turned(main)
    _, rows = rows_of(tmp_path / "a.arrows")
    opcodes = [
        data[0] & 0x7F
        for _, sensor, kind, data in rows
        if sensor == 0 and kind == NotificationKind.CONTROL and not is_status_notification(data)
    ]
    n_parts = opcodes.count(Opcode.GET_CAPABILITIES)
    assert n_parts >= 1
    again = [*[Opcode.GET_CAPABILITIES] * n_parts, *[Opcode.TIME] * 2, Opcode.START]
    assert opcodes[: 9 + len(again)] == [*[Opcode.TIME] * 8, Opcode.START, *again]
    assert set(opcodes[9 + len(again) : -1]) == {Opcode.RESEND}
    assert opcodes[-1] == Opcode.STOP


def test_a_link_row_names_its_sensor(tmp_path):
    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows") as (air, _, feed):
            await feed.open()
            await air.turn(0.5)

    run_turned(main)
    _, rows = rows_of(tmp_path / "a.arrows")
    assert {sensor for _, sensor, kind, _ in rows if kind == NotificationKind.EVENT} == {0, 1}


def test_what_was_told_in_the_end_is_what_a_replay_of_the_recording_tells(tmp_path):
    told = []

    async def main(clock):
        async with two_sensors(clock, tmp_path / "a.arrows", exercise="bridge") as (air, sensors, feed):
            await feed.open()
            await air.turn(5)
            sensors[0].take_out_of_reach(for_s=5)
            await air.turn(15)
            await feed.close()
            told.extend(feed.poll())

    run_turned(main)
    header, rows = rows_of(tmp_path / "a.arrows")
    session = Session(session_setup(header))
    replayed = [
        event
        for at_ns, sensor, kind, data in rows
        for event in session.receive(Notification(at_ns, sensor, NotificationKind(kind), data))
    ]
    replayed += session.finish()
    assert told[-1] == replayed[-1]
    assert isinstance(told[-1], SessionEnded)
    lost = [event for event in told if isinstance(event, SamplesLost)]
    assert lost == [event for event in replayed if isinstance(event, SamplesLost)] == []

"""Every fault that a radio and a sensor have, one at a time: what the link does, and what is lost by it.

Time is turned by hand: a minute without a sensor takes no longer than the work it makes.
"""

import itertools

import pytest

from emgmon.events import LinkState, NotificationKind
from emgmon.sensors.link import RETURN_ALONE_LIMIT_S, SILENCE_LIMIT_NS, STALL_LIMIT_NS
from emgmon.virtual.fate import DELIVER, DROP, DUPLICATE, corrupted, cut_short, held_back
from firmware_protocol.control import Opcode, Status
from tests.sensors.trial import assert_true, gathered, parted, turned, whole

pytestmark = pytest.mark.usefixtures("nothing_blocks")

WAY_BACK = [LinkState.RECONNECTING, LinkState.CONNECTING, LinkState.CHECKING, LinkState.STREAMING]


FATES = {
    "dropped": DROP,
    "duplicated": DUPLICATE,
    "overtaken by the next": held_back(1),
    "overtaken by twenty": held_back(20),
    "damaged in its header": corrupted(0),
    "cut short": cut_short(30),
}


@pytest.mark.parametrize("fate", FATES.values(), ids=FATES.keys())
@turned()
async def test_no_sample_is_lost_when_now_and_then_a_notification_is(trial, fate):
    count = iter(range(10**9))
    trial.air.fate = lambda _address, _value: fate if next(count) % 7 == 3 else DELIVER
    await trial.begin()
    await trial.air.turn(10)
    trial.air.fate = lambda _address, _value: DELIVER
    trial.sensor.release()
    await trial.air.turn(3)
    assert trial.link.n_missing == 0
    assert await parted(trial) > 12 * 1100
    assert trial.heard.states.count(LinkState.STREAMING) == 1


@turned()
async def test_a_packet_that_is_only_overtaken_is_not_asked_for_again(trial):
    count = iter(range(10**9))
    trial.air.fate = lambda _address, _value: held_back(1) if next(count) % 7 == 3 else DELIVER
    await trial.begin()
    await trial.air.turn(10)
    assert trial.heard.responses(Opcode.RESEND) == []


@turned()
async def test_a_lost_link_comes_back_by_itself_and_nothing_is_lost(trial):
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.cut()
    await trial.air.turn(5)
    assert trial.heard.states == [
        LinkState.SCANNING,
        LinkState.CONNECTING,
        LinkState.CHECKING,
        LinkState.STREAMING,
        *WAY_BACK,
    ]
    assert await parted(trial) > 9 * 1100


@turned()
async def test_ten_seconds_out_of_reach_with_a_ring_of_fifteen_lose_nothing(trial):
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.take_out_of_reach(for_s=10)
    await trial.air.turn(20)
    assert trial.link.n_missing == 0
    assert await parted(trial) > 24 * 1100


@turned(ring_ms=4000)
async def test_what_the_ring_does_not_hold_any_more_is_lost_and_everything_else_is_not(trial):
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.take_out_of_reach(for_s=10)
    await trial.air.turn(20)
    await trial.end()
    (boot,) = gathered(trial.capabilities, trial.heard)
    started_s = trial.heard.responses(Opcode.START)[-1][0]
    for samples in trial.streams:
        got, rate_hz = boot[samples.stream.number], samples.stream.rate_hz
        assert_true(got, samples.counts)
        lost_until = max(end for _, end in got.lost)
        n_lost = sum(end - first for first, end in got.lost)
        assert n_lost + len(got.numbers) == got.numbers.max() - got.start + 1
        # The ring held everything of the last four seconds, but for the time it took to ask.
        first_s = trial.heard.moments(LinkState.STREAMING)[0]
        assert lost_until / rate_hz < started_s - first_s - 4.0 + 1.0
    assert trial.link.n_missing == 0


@turned(ring_ms=2000)
async def test_a_ring_that_is_long_over_costs_no_time_for_what_is_left_in_it(trial):
    await trial.begin()
    await trial.air.turn(2)
    trial.sensor.take_out_of_reach(for_s=60)
    await trial.air.turn(75)
    expired = [r for _, r in trial.heard.responses(Opcode.RESEND) if r.status == Status.EXPIRED]
    assert len(expired) <= 2
    assert trial.link.n_missing == 0


@turned()
async def test_silence_without_a_disconnection_stalls_and_is_then_taken_for_a_loss(trial):
    await trial.begin()
    await trial.air.turn(5)
    silent_s = trial.clock.now_ns() / 1e9
    trial.sensor.silence()
    stalled_s = await trial.until(LinkState.STALLED)
    assert STALL_LIMIT_NS / 1e9 - 0.1 < stalled_s - silent_s < STALL_LIMIT_NS / 1e9 + 0.2
    lost_s = await trial.until(LinkState.RECONNECTING)
    assert lost_s - silent_s < SILENCE_LIMIT_NS / 1e9 + 0.2
    # A second of it goes on a goodbye that nobody hears.
    await trial.air.turn(2)
    assert trial.link.state is LinkState.STREAMING
    await trial.air.turn(5)
    assert await parted(trial) > 9 * 1100


@turned()
async def test_silence_that_passes_in_time_is_no_loss(trial):
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.silence()
    await trial.until(LinkState.STALLED)
    trial.sensor.bring_back()
    await trial.until(LinkState.STREAMING)
    await trial.air.turn(3)
    assert LinkState.RECONNECTING not in trial.heard.states
    assert await parted(trial) > 9 * 1100


@turned()
async def test_a_sensor_that_reboots_goes_on_under_its_new_boot_id(trial):
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.reboot()
    await trial.air.turn(5)
    await trial.end()
    before, after = gathered(trial.capabilities, trial.heard)
    for samples in trial.streams:
        number, rate_hz = samples.stream.number, samples.stream.rate_hz
        n_before = len(before[number].numbers)
        assert_true(before[number], samples.counts)
        n_after = len(after[number].numbers)
        assert n_after == after[number].numbers.max() - after[number].start + 1
        # What was measured after the reboot is somewhere behind what was measured before.
        assert n_before + n_after > 9.5 * rate_hz
    assert trial.heard.states[4:8] == WAY_BACK
    # Clocks are compared as often as with a sensor that was never seen before.
    assert len(trial.heard.responses(Opcode.TIME)) == 16


@turned()
async def test_a_sensor_whose_battery_dies_is_waited_for_as_long_as_the_session_lasts(trial):
    await trial.begin()
    await trial.air.turn(2)
    trial.sensor.powered.set_battery(5, lasts_s=5)
    await trial.air.turn(600)
    assert LinkState.LOST not in trial.heard.states
    why = next(change.detail for _, change in trial.heard.changes if change.state is LinkState.RECONNECTING)
    assert why == "the connection was lost; its battery was at 0 %"
    trial.sensor.powered.set_battery(80)
    trial.sensor.reboot()
    await trial.until(LinkState.STREAMING)


@turned(give_up_after_s=30.0)
async def test_a_link_that_was_told_to_give_up_does_so(trial):
    await trial.begin()
    trial.sensor.switch_off()
    await trial.until(LinkState.LOST)
    lost_s, change = trial.heard.changes[-1]
    assert 30 <= lost_s - trial.heard.moments(LinkState.RECONNECTING)[0] < 40
    assert "has been away for" in change.detail


@turned()
async def test_tries_come_fast_at_first_and_then_never_far_apart(trial):
    await trial.begin()
    trial.sensor.switch_off()
    await trial.air.turn(120)
    tries = [
        at_s
        for at_s, change in trial.heard.changes
        if change.state in (LinkState.SCANNING, LinkState.CONNECTING)
    ][2:]
    assert tries[0] - trial.heard.moments(LinkState.RECONNECTING)[0] == pytest.approx(0, abs=0.01)
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    # A try to connect is itself a way of listening: the radio answers the first advertisement.
    assert max(gaps) < RETURN_ALONE_LIMIT_S + 3
    assert len(tries) < 30


@pytest.mark.parametrize("away_s", [1.0, 3.3, 7.9, 12.2, 26.0, 61.7])
@turned(ring_ms=15_000)
async def test_a_sensor_that_advertises_again_streams_again_within_two_seconds(trial, away_s):
    await trial.begin()
    await trial.air.turn(1)
    trial.sensor.switch_off()
    await trial.air.turn(away_s)
    back_s = trial.clock.now_ns() / 1e9
    trial.sensor.switch_on()
    assert await trial.until(LinkState.STREAMING) - back_s < 2.5


@turned(sensor_options={"packets_per_s": 150.0})
async def test_what_is_asked_for_again_does_not_hold_up_live_samples(trial):
    """The sensor makes 100 packets a second, the radio takes 150."""
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.take_out_of_reach(for_s=6)
    await trial.until(LinkState.STREAMING)
    while trial.link.n_missing:
        await trial.air.turn(0.05)
        newest = trial.link._listener.streams[0].next_sample
        assert trial.sensor.powered.now_us / 1e3 - newest < 500
    assert await parted(trial) > 10 * 1100


@turned()
async def test_closing_waits_for_what_is_missing(trial):
    await trial.begin()
    await trial.air.turn(5)
    trial.sensor.take_out_of_reach(for_s=4)
    await trial.until(LinkState.RECONNECTING)
    await trial.end()
    assert trial.heard.states[-1] is LinkState.CLOSED
    assert whole(trial) > 8.5 * 1100
    assert trial.heard.responses(Opcode.STOP)[-1][1].status == Status.OK


@turned()
async def test_closing_does_not_wait_for_ever_for_a_sensor_that_stays_away(trial):
    await trial.begin()
    trial.sensor.switch_off()
    await trial.air.turn(3)
    began_s = trial.clock.now_ns() / 1e9
    await trial.end()
    assert trial.clock.now_ns() / 1e9 - began_s < 6


@turned()
async def test_closing_a_link_that_misses_nothing_waits_for_nothing(trial):
    await trial.begin()
    await trial.air.turn(3.005)
    began_s = trial.clock.now_ns() / 1e9
    await trial.end()
    assert trial.clock.now_ns() / 1e9 - began_s < 0.2


@turned(ring_ms=0)
async def test_a_sensor_of_version_1_0_is_asked_for_nothing_it_does_not_know(trial):
    await trial.begin()
    await trial.air.turn(12)
    trial.sensor.cut()
    await trial.air.turn(3)
    await trial.end()
    opcodes = {payload[0] & 0x7F for payload in trial.heard.of(NotificationKind.CONTROL)}
    assert opcodes == {Opcode.GET_CAPABILITIES, Opcode.START, Opcode.STOP}
    (boot,) = gathered(trial.capabilities, trial.heard)
    assert all(got.lost for got in boot.values())
    assert "not encrypted" in trial.heard.changes[3][1].detail


@turned()
async def test_clocks_are_compared_eight_times_at_first_then_every_ten_seconds(trial):
    await trial.begin()
    await trial.air.turn(35)
    moments = [at_s for at_s, _ in trial.heard.responses(Opcode.TIME)]
    started_s = trial.heard.responses(Opcode.START)[0][0]
    assert len([at_s for at_s in moments if at_s < started_s]) == 8
    later = [at_s - started_s for at_s in moments if at_s > started_s]
    assert later == pytest.approx([10, 20, 30], abs=0.5)


@turned()
async def test_a_comparison_of_clocks_has_all_its_four_stamps_in_the_recording(trial):
    await trial.begin()
    for at_s, response in trial.heard.responses(Opcode.TIME):
        sent_ns = int.from_bytes(response.payload[:8], "little")
        # One way takes 10 ms, on the clock of the arrivals.
        assert (at_s - sent_ns / 1e9) == pytest.approx(0.03, abs=0.011)


@turned()
async def test_a_session_that_the_sensor_forgot_is_begun_anew_on_the_same_connection(trial):
    await trial.begin()
    await trial.air.turn(3)
    trial.sensor.powered.measuring.machine.notifications_off()
    trial.sensor.powered.measuring.machine.connect()
    await trial.air.turn(8)
    assert trial.link.state is LinkState.STREAMING
    assert await parted(trial) > 10 * 1100

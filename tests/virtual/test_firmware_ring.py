"""What the sensor's machine does since version 1.1, with both back ends; the clauses are those of SPEC.md."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import c_machine
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode, Response, Started, Status, needed_mtu
from firmware_protocol.packets import SAMPLE_MODULUS, DataPacket, PacketFlag, SampleFormat
from firmware_protocol.resend import ResendAnswer, SampleRange, TimeAnswer, resend_request, time_request
from firmware_protocol.worn import (
    BatteryState,
    Contact,
    DroppedOnDevice,
    Lead,
    LeadCheck,
    LeadsChanged,
    Saturated,
    SiteEntry,
    SitesSet,
    identify_request,
    lead_check_request,
    read_status,
    sites_request,
)

PAYLOAD_SIZE = 244
CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
EMG = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,))
AXIS = Channel(Quantity.ACCELERATION, "pelvis", None, "x", Unit.METRE_PER_SECOND_SQUARED, 0.01)
IMU = Stream(2, StreamKind.IMU, SampleFormat.INT16, 100.0, (AXIS,))
RING_SAMPLES = 2000
CAPABILITIES = Capabilities(1, 7, "bench", 2000, (EMG, IMU))
GAP, SATURATED, LEAD_OFF = PacketFlag.GAP_BEFORE, PacketFlag.SATURATED, PacketFlag.LEAD_OFF


@pytest.fixture(params=[Firmware, c_machine], ids=["python", "c"])
def make(request, tmp_path_factory):
    if request.param is c_machine:
        build = pytest.importorskip("firmware_protocol.c.build")
        try:
            build.shared_library()
        except build.CompilerError as error:
            pytest.skip(f"the C sensor cannot be compiled here: {error}")

    def switch_on(capabilities=CAPABILITIES):
        sensor = request.param(capabilities)
        sensor.connect()
        return sensor

    return switch_on


def ask(sensor, request, *, payload_size=PAYLOAD_SIZE, now_us=0, notifying=True):
    written = request if isinstance(request, bytes) else request.to_bytes()
    response = sensor.respond(written, payload_size=payload_size, notifying=notifying, now_us=now_us)
    return Response.from_bytes(response)


def start(sensor, now_us=0):
    response = ask(sensor, bytes([Opcode.START, 1]), now_us=now_us)
    assert response.status == Status.OK
    return Started.from_bytes(response.payload)


def counts(first, n):
    """Samples of stream 1, each of which tells its number."""
    return (np.arange(first, first + n) % 30_000).astype(np.int16)[:, np.newaxis]


def fetch(sensor, payload_size=PAYLOAD_SIZE):
    packets = []
    while (packet := sensor.next_packet(payload_size=payload_size)) is not None:
        packets.append(DataPacket.from_bytes(packet, n_channels=1))
    return packets


def numbers(packets):
    return [packet.first_sample + i for packet in packets for i in range(len(packet.values))]


def resend(sensor, first, n, stream=1):
    return ask(sensor, resend_request(SampleRange(stream, first % SAMPLE_MODULUS, n), transaction=4))


def held(response):
    answer = ResendAnswer.from_response(response)
    return answer.held_first, answer.held_count


def test_what_was_sent_can_be_sent_again_and_is_marked(make):
    """Clauses 8.1 to 8.4."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 200))
    fetch(sensor)
    response = resend(sensor, 30, 50)
    assert (response.status, held(response)) == (Status.OK, (30, 50))
    again = fetch(sensor)
    assert numbers(again) == list(range(30, 80))
    assert [packet.flags for packet in again] == [PacketFlag.RETRANSMITTED] * 3
    np.testing.assert_array_equal(np.concatenate([packet.values for packet in again]), counts(30, 50))


def test_packets_sent_again_take_the_next_sequence_numbers(make):
    """Clause 4.4."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 60))
    packets = fetch(sensor)
    resend(sensor, 0, 40)
    packets += fetch(sensor)
    sensor.take(1, counts(60, 20))
    packets += fetch(sensor)
    assert [packet.sequence for packet in packets] == list(range(6))


def test_what_is_due_for_the_first_time_goes_before_what_was_asked_for(make):
    """Clause 8.4."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 100))
    fetch(sensor)
    resend(sensor, 0, 60)
    first = sensor.next_packet(payload_size=PAYLOAD_SIZE)
    sensor.take(1, counts(100, 40))
    packets = [DataPacket.from_bytes(first, n_channels=1), *fetch(sensor)]
    assert [packet.first_sample for packet in packets] == [0, 100, 120, 20, 40]


def test_a_second_range_has_to_wait_until_the_first_was_sent(make):
    """Clause 8.3."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 100))
    fetch(sensor)
    resend(sensor, 0, 40)
    busy = resend(sensor, 40, 40)
    assert busy.status == Status.BUSY
    assert busy.payload == ResendAnswer(SampleRange(1, 40, 40), 0, 0).to_bytes()
    fetch(sensor)
    assert resend(sensor, 40, 40).status == Status.OK


def test_the_ring_says_what_it_does_not_hold_any_more(make):
    """Clause 8.3."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, RING_SAMPLES + 100))
    assert resend(sensor, 0, 100).status == Status.EXPIRED
    assert held(resend(sensor, 50, 100)) == (100, 50)


def test_what_is_overwritten_before_it_was_sent_again_is_skipped(make):
    """Clause 8.4."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, RING_SAMPLES))
    fetch(sensor)
    resend(sensor, 0, 100)
    sensor.take(1, counts(RING_SAMPLES, 70))
    packets = [packet for packet in fetch(sensor) if packet.flags & PacketFlag.RETRANSMITTED]
    assert numbers(packets) == list(range(70, 100))


@pytest.mark.parametrize(
    ("first", "n", "stream"), [(200, 1, 1), (100, 101, 1), (0, 0, 1), (0, 1, 9), (300, 5, 1), (0, 1 << 31, 1)]
)
def test_what_was_not_taken_yet_or_never_will_be_is_a_bad_payload(make, first, n, stream):
    """Clause 8.2."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 200))
    request = bytes([Opcode.RESEND, 4, stream]) + first.to_bytes(4, "little") + n.to_bytes(4, "little")
    assert ask(sensor, request) == Response(Opcode.RESEND, 4, Status.BAD_PAYLOAD)


def test_a_range_may_run_over_the_wrap_of_the_counter(make):
    """Clause 8.2."""
    sensor = make()
    wrap_us = (SAMPLE_MODULUS - 100) * 1000
    assert start(sensor, wrap_us).streams[0].first_sample == SAMPLE_MODULUS - 96  # where stream 2 has one too
    sensor.take(1, counts(0, 200))
    fetch(sensor)
    assert held(resend(sensor, SAMPLE_MODULUS - 10, 20)) == (SAMPLE_MODULUS - 10, 20)
    again = np.concatenate([packet.values for packet in fetch(sensor)])
    np.testing.assert_array_equal(again, counts(86, 20))


def test_sending_again_needs_a_session_and_a_ring(make):
    """Clauses 6.4 and 8.3."""
    sensor = make()
    assert resend(sensor, 0, 10).status == Status.WRONG_STATE
    without = make(Capabilities(1, 7, "bench", 0, (EMG, IMU)))
    assert resend(without, 0, 10).status == Status.NOT_SUPPORTED


def test_sampling_goes_on_while_nobody_is_connected(make):
    """Clause 2.8."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 100))
    fetch(sensor)
    sensor.disconnect()
    sensor.take(1, counts(100, 400))
    assert fetch(sensor) == []
    sensor.connect()
    assert fetch(sensor) == []
    again = start(sensor, now_us=500_000)
    assert again.streams[0].first_sample == 500
    assert held(resend(sensor, 100, 400)) == (100, 400)
    assert numbers(fetch(sensor)) == list(range(100, 500))


def test_a_range_that_was_being_sent_is_forgotten_with_the_connection(make):
    """Clause 8.4."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 100))
    fetch(sensor)
    resend(sensor, 0, 100)
    sensor.disconnect()
    sensor.connect()
    start(sensor, now_us=100_000)
    assert fetch(sensor) == []


def test_after_stop_nothing_is_sampled(make):
    """Clause 6.10."""
    sensor = make()
    start(sensor)
    ask(sensor, bytes([Opcode.STOP, 2]))
    sensor.take(1, counts(0, 100))
    sensor.disconnect()
    sensor.take(1, counts(0, 100))
    sensor.connect()
    start(sensor, now_us=1_000_000)
    sensor.take(1, counts(1000, 20))
    assert numbers(fetch(sensor)) == list(range(1000, 1020))
    assert resend(sensor, 0, 100).status == Status.EXPIRED


def test_samples_lost_by_the_converter_leave_a_gap_that_is_told(make):
    """Clauses 4.8, 5.5 and 6.14."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 25))
    sensor.skip(1, 10)
    sensor.take(1, counts(35, 25))
    packets = fetch(sensor)
    # What lies before the gap cannot become more: it leaves at once.
    assert [(packet.first_sample, len(packet.values)) for packet in packets] == [(0, 20), (20, 5), (35, 20)]
    assert [packet.flags for packet in packets] == [0, 0, GAP]
    assert read_status(sensor.next_status(0)) == DroppedOnDevice(1, 25, 10)


def test_a_host_that_fetches_nothing_for_longer_than_the_ring_loses_the_oldest(make):
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, RING_SAMPLES + 300))
    packets = fetch(sensor)
    assert packets[0].first_sample == 300
    assert [packet.flags for packet in packets[:3]] == [GAP, 0, 0]
    assert read_status(sensor.next_status(0)) == DroppedOnDevice(1, 0, 300)
    assert sensor.next_status(10_000_000) is None


def test_a_packet_carries_the_flags_of_its_samples_also_when_it_is_sent_again(make):
    """Clauses 4.8 and 8.4."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 30))
    sensor.take(1, counts(30, 5), flags=SATURATED | LEAD_OFF)
    sensor.take(1, counts(35, 45))
    assert [packet.flags for packet in fetch(sensor)] == [0, SATURATED | LEAD_OFF, 0, 0]
    resend(sensor, 20, 15)
    assert [packet.flags for packet in fetch(sensor)] == [PacketFlag.RETRANSMITTED | SATURATED | LEAD_OFF]


def test_a_clock_that_was_set_begins_a_packet(make):
    """Clause 4.8."""
    sensor = make()
    start(sensor)
    sensor.take(1, counts(0, 30))
    sensor.take(1, counts(30, 20), flags=PacketFlag.TIME_DISCONTINUITY)
    packets = fetch(sensor)
    assert [(packet.first_sample, packet.flags) for packet in packets] == [
        (0, 0),
        (20, 0),
        (30, PacketFlag.TIME_DISCONTINUITY),
    ]


def test_an_infinity_is_sent_as_missing_and_saturated(make):
    """Clause 4.12."""
    channel = Channel(Quantity.EMG, "multifidus", None, None, Unit.MICROVOLT, 1.0)
    stream = Stream(1, StreamKind.EMG, SampleFormat.FLOAT32, 50.0, (channel,))
    sensor = make(Capabilities(1, 7, "bench", 2000, (stream,)))
    start(sensor)
    sensor.take(1, np.array([[1.5], [np.inf]], np.float32))
    plain, saturated = (sensor.next_packet(payload_size=PAYLOAD_SIZE) for _ in range(2))
    assert (plain[15], saturated[15]) == (0, SATURATED)
    assert saturated[16:] == bytes.fromhex("0000c07f")


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "skip", "fetch", "fetch one"]), st.integers(1, 900)), max_size=30
    )
)
def test_no_sample_is_sent_twice_or_invented_and_every_gap_is_marked(steps):
    sensor = Firmware(CAPABILITIES)
    sensor.connect()
    start(sensor)
    head, skipped, packets = 0, set(), []
    for step, n in [*steps, ("take", 1), ("skip", 1), ("fetch", 1)]:
        if step == "take":
            sensor.take(1, counts(head, n))
            head += n
        elif step == "skip":
            sensor.skip(1, n)
            skipped |= set(range(head, head + n))
            head += n
        elif step == "fetch":
            packets += [
                DataPacket.from_bytes(p, n_channels=1) for p in sensor.packets(payload_size=PAYLOAD_SIZE)
            ]
        elif (packet := sensor.next_packet(payload_size=PAYLOAD_SIZE)) is not None:
            packets.append(DataPacket.from_bytes(packet, n_channels=1))
    sent = numbers(packets)
    assert sent == sorted(set(sent))
    assert skipped.isdisjoint(sent)
    # Everything is there that the ring still held when it was fetched.
    assert set(range(head - RING_SAMPLES, head)) - skipped <= set(sent) | set(range(-RING_SAMPLES, 0))
    expected = 0
    for packet in packets:
        assert bool(packet.flags & GAP) == (packet.first_sample != expected)
        np.testing.assert_array_equal(packet.values, counts(packet.first_sample, len(packet.values)))
        expected = packet.first_sample + len(packet.values)


@given(
    chunks=st.lists(st.integers(0, 700), max_size=12),
    flags=st.lists(st.sampled_from([0, 0, 0, 4, 8, 16]), min_size=12, max_size=12),
    payload_size=st.sampled_from([20, 61, 244]),
)
def test_many_packets_at_once_are_the_same_as_one_by_one(chunks, flags, payload_size):
    at_once, one_by_one = Firmware(CAPABILITIES), Firmware(CAPABILITIES)
    for sensor in (at_once, one_by_one):
        start(sensor)
    head = 0
    for chunk, flag in zip(chunks, flags, strict=False):
        for sensor in (at_once, one_by_one):
            sensor.take(1, counts(head, chunk), flags=flag)
            sensor.take(2, counts(0, chunk // 10))
        head += chunk
        single = []
        while (packet := one_by_one.next_packet(payload_size=payload_size)) is not None:
            single.append(packet)
        assert at_once.packets(payload_size=payload_size) == single


def test_statuses_wait_for_a_second_and_the_newest_is_told(make):
    """Clause 6.14."""
    sensor = make()
    sensor.report(LeadsChanged(1, 0, Contact.OFF))
    assert read_status(sensor.next_status(0)) == LeadsChanged(1, 0, Contact.OFF)
    sensor.report(LeadsChanged(1, 0, Contact.POOR))
    sensor.report(LeadsChanged(1, 0, Contact.GOOD))
    sensor.report(Saturated(1, 0))
    assert read_status(sensor.next_status(999_999)) == Saturated(1, 0)
    assert sensor.next_status(999_999) is None
    assert read_status(sensor.next_status(1_000_000)) == LeadsChanged(1, 0, Contact.GOOD)
    assert sensor.next_status(9_000_000) is None


def test_statuses_are_counted_and_need_somebody_who_listens(make):
    """Clause 6.14."""
    sensor = make()
    battery = BatteryState(9, charging=False, low=True, ending=False)
    told = []
    for second in range(3):
        sensor.report(battery)
        told.append(sensor.next_status(second * 1_000_000))
    assert [indication[:3] for indication in told] == [bytes([0xFF, count, 4]) for count in range(3)]
    assert read_status(told[0]) == battery
    sensor.report(battery)
    sensor.disconnect()
    sensor.report(battery)
    sensor.connect()
    assert sensor.next_status(60_000_000) is None


def test_time_is_answered_with_the_sensors_own(make):
    """Clause 8.5."""
    response = ask(make(), time_request(123, transaction=5), now_us=(1 << 48) + 77)
    assert TimeAnswer.from_bytes(response.payload) == TimeAnswer(123, 77, 77)


def test_sites_are_taken_over_into_the_description(make):
    """Clause 6.11."""
    sensor = make()
    sites = SitesSet(1, (SiteEntry(0, "multifidus", "right"),))
    assert ask(sensor, sites_request(sites, transaction=6)).status == Status.OK
    description = ask(sensor, bytes([Opcode.GET_CAPABILITIES, 1, 0, 0])).payload[4:]
    (channel,) = Capabilities.from_bytes(description).streams[0].channels
    assert (channel.site, channel.side) == ("multifidus", "right")
    start(sensor)
    assert ask(sensor, sites_request(sites, transaction=6)).status == Status.WRONG_STATE


@pytest.mark.parametrize(
    "sites",
    [SitesSet(9, (SiteEntry(0, "lumbar", None),)), SitesSet(1, (SiteEntry(1, "lumbar", None),))],
)
def test_sites_of_what_the_sensor_has_not_are_a_bad_payload(make, sites):
    """Clause 6.11."""
    assert ask(make(), sites_request(sites, transaction=6)).status == Status.BAD_PAYLOAD


def test_leads_are_told_as_they_touch(make):
    """Clause 6.13."""
    sensor = make()
    unknown = ask(sensor, lead_check_request(1, transaction=7))
    assert LeadCheck.from_bytes(unknown.payload) == LeadCheck(1, (Lead(Contact.UNKNOWN, None),))
    sensor.set_lead(1, 0, Lead(Contact.POOR, 80))
    known = ask(sensor, lead_check_request(1, transaction=7))
    assert LeadCheck.from_bytes(known.payload) == LeadCheck(1, (Lead(Contact.POOR, 80),))
    assert ask(sensor, lead_check_request(9, transaction=7)).status == Status.BAD_PAYLOAD


def test_a_response_that_does_not_fit_is_not_sent_in_part(make):
    """Clause 6.15."""
    wide = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,) * 6)
    sensor = make(Capabilities(1, 7, "bench", 2000, (wide,)))
    refused = ask(sensor, lead_check_request(1, transaction=7), payload_size=20)
    assert (refused.status, needed_mtu(refused)) == (Status.MTU_TOO_SMALL, 26)
    refused = ask(sensor, time_request(1, transaction=7), payload_size=20)
    assert (refused.status, needed_mtu(refused)) == (Status.MTU_TOO_SMALL, 26)


def test_identify_is_obeyed_in_every_state(make):
    """Clause 6.12."""
    sensor = make()
    assert ask(sensor, identify_request(5, transaction=7)).status == Status.OK
    start(sensor)
    assert ask(sensor, identify_request(0, transaction=7)).status == Status.OK
    assert ask(sensor, bytes([Opcode.IDENTIFY, 7])).status == Status.BAD_PAYLOAD


def test_how_long_it_blinks_counts_from_the_last_request():
    """Clause 6.12."""
    sensor = Firmware(CAPABILITIES)
    ask(sensor, identify_request(9, transaction=7), now_us=0)
    ask(sensor, identify_request(5, transaction=7), now_us=1_000_000)
    assert sensor.identify_until_us == 6_000_000


def test_the_sensor_draws_another_session_for_every_start(make):
    """Clause 6.8."""
    sensor = make()
    first = start(sensor)
    ask(sensor, bytes([Opcode.STOP, 1]))
    assert start(sensor, now_us=1000).session_id != first.session_id


def test_notifications_switched_off_end_the_session_but_not_the_sampling(make):
    """Clause 2.8."""
    sensor = make()
    start(sensor)
    sensor.notifications_off()
    assert not sensor.streaming
    sensor.take(1, counts(0, 100))
    start(sensor, now_us=100_000)
    assert held(resend(sensor, 0, 100)) == (0, 100)

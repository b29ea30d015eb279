"""Prepared samples, measured as the clock goes on, whoever listens; with both back ends."""

import numpy as np
import pytest

from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import c_machine
from emgmon.virtual.measuring import Measuring
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.packets import DataPacket, PacketFlag, SampleFormat
from firmware_protocol.resend import SampleRange, resend_request

SECOND_US = 1_000_000
CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
EMG = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,) * 2)
AXIS = Channel(Quantity.ACCELERATION, "pelvis", None, "x", Unit.METRE_PER_SECOND_SQUARED, 0.01)
IMU = Stream(2, StreamKind.IMU, SampleFormat.INT16, 148.148148, (AXIS,) * 3)
CAPABILITIES = Capabilities(1, 7, "bench", 15_000, (EMG, IMU))


def prepared(stream, duration_s, first_time_us=0):
    n_samples = round(duration_s * stream.rate_hz)
    counts = np.arange(n_samples * len(stream.channels)).reshape(n_samples, -1) % 30_000
    return StreamSamples(stream, first_time_us, counts.astype(np.int16))


@pytest.fixture(params=[Firmware, c_machine], ids=["python", "c"])
def make(request):
    if request.param is c_machine:
        build = pytest.importorskip("firmware_protocol.c.build")
        try:
            build.shared_library()
        except build.CompilerError as error:
            pytest.skip(f"the C sensor cannot be compiled here: {error}")

    def switch_on(duration_s=20.0):
        streams = [prepared(stream, duration_s) for stream in CAPABILITIES.streams]
        measuring = Measuring(request.param(CAPABILITIES), CAPABILITIES, streams)
        measuring.machine.connect()
        return measuring

    return switch_on


def ask(measuring, written, now_us):
    return Response.from_bytes(measuring.respond(written, payload_size=244, notifying=True, now_us=now_us))


def start(measuring, now_us=0):
    response = ask(measuring, bytes([Opcode.START, 1]), now_us)
    assert response.status == Status.OK
    return {one.stream: one.first_sample for one in Started.from_bytes(response.payload).streams}


def due(measuring, now_us, **options):
    return measuring.packets_due(now_us, payload_size=244, **options)


def values(packets, stream):
    decoded = [
        DataPacket.from_bytes(packet, n_channels=len(stream.channels))
        for packet in packets
        if packet[1] == stream.number
    ]
    return np.concatenate([packet.values for packet in decoded])


def test_every_sample_is_sent_once_the_last_one_too(make):
    measuring = make()
    start(measuring)
    packets = due(measuring, 30 * SECOND_US)
    for stream in CAPABILITIES.streams:
        np.testing.assert_array_equal(values(packets, stream), prepared(stream, 20.0).counts)
    assert measuring.finished


def test_the_clock_may_jump_over_more_than_the_ring_and_nothing_is_lost(make):
    measuring = make(duration_s=100.0)
    start(measuring)
    packets = due(measuring, 100 * SECOND_US)
    np.testing.assert_array_equal(values(packets, EMG), prepared(EMG, 100.0).counts)
    assert not any(packet[15] for packet in packets)


def test_samples_are_measured_while_nobody_is_connected(make):
    measuring = make()
    first = start(measuring)
    sent = due(measuring, 1 * SECOND_US)
    measuring.machine.disconnect()
    measuring.machine.connect()
    again = start(measuring, 4 * SECOND_US)
    missing = SampleRange(1, first[1] + len(values(sent, EMG)), again[1] - len(values(sent, EMG)))
    sent_later = due(measuring, 5 * SECOND_US)
    response = ask(measuring, resend_request(missing, transaction=2).to_bytes(), 5 * SECOND_US)
    assert response.status == Status.OK
    resent = [packet for packet in due(measuring, 5 * SECOND_US) if packet[15] & PacketFlag.RETRANSMITTED]
    whole = np.concatenate([values(part, EMG) for part in (sent, resent, sent_later)])
    np.testing.assert_array_equal(whole, prepared(EMG, 20.0).counts[: len(whole)])
    assert 4980 < len(whole) <= 5000


def test_stop_and_start_begin_with_the_first_sample_anew(make):
    measuring = make()
    start(measuring)
    due(measuring, 1 * SECOND_US)
    ask(measuring, bytes([Opcode.STOP, 1]), 1 * SECOND_US)
    start(measuring, 2 * SECOND_US)
    packets = due(measuring, 3 * SECOND_US)
    np.testing.assert_array_equal(values(packets, EMG)[:900], prepared(EMG, 20.0).counts[:900])


def test_what_was_not_measured_yet_is_left_for_a_sensor_that_reboots(make):
    measuring = make()
    assert [len(samples.counts) for samples in measuring.left()] == [20_000, 2963]
    start(measuring)
    measuring.measure(5 * SECOND_US)
    (emg, imu) = measuring.left()
    np.testing.assert_array_equal(emg.counts, prepared(EMG, 20.0).counts[5001:])
    np.testing.assert_array_equal(imu.counts, prepared(IMU, 20.0).counts[741:])


def test_a_radio_that_takes_few_packets_gets_the_oldest_first(make):
    measuring = make()
    start(measuring)
    n_all = len(due(make_started(make), 1 * SECOND_US))
    packets = []
    for _ in range(n_all // 7 + 1):
        some = due(measuring, 1 * SECOND_US, limit=7)
        assert len(some) <= 7
        packets += some
    assert packets == due(make_started(make), 1 * SECOND_US)


def make_started(make):
    measuring = make()
    start(measuring)
    return measuring


def test_it_is_finished_only_when_nothing_waits_that_was_asked_for(make):
    measuring = make(duration_s=1.0)
    start(measuring)
    due(measuring, 2 * SECOND_US)
    assert measuring.finished
    ask(measuring, resend_request(SampleRange(1, 0, 500), transaction=2).to_bytes(), 2 * SECOND_US)
    assert not measuring.finished
    due(measuring, 2 * SECOND_US, limit=3)
    assert not measuring.finished
    due(measuring, 2 * SECOND_US)
    assert measuring.finished


def test_a_stream_that_begins_later_has_a_gap_before_it():
    measuring = Measuring(
        Firmware(CAPABILITIES), CAPABILITIES, [prepared(EMG, 1.0, first_time_us=100_000), prepared(IMU, 1.0)]
    )
    start(measuring)
    first = next(packet for packet in due(measuring, SECOND_US) if packet[1] == 1)
    packet = DataPacket.from_bytes(first, n_channels=2)
    assert (packet.first_sample, packet.flags) == (100, PacketFlag.GAP_BEFORE)

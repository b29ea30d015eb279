"""The sensor's machine turned by hand; the clauses are those of firmware_protocol/SPEC.md."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.measuring import Measuring
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import CapabilityPart, Opcode, Request, Response, Started, Status
from firmware_protocol.decoder import Decoder, SampleBlock
from firmware_protocol.packets import DataPacket, SampleFormat

PAYLOAD_SIZE = 244
EMG_CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
IMU_CHANNEL = Channel(Quantity.ACCELERATION, "pelvis", None, "x", Unit.METRE_PER_SECOND_SQUARED, 0.01)
EMG = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (EMG_CHANNEL,) * 4)
IMU = Stream(2, StreamKind.IMU, SampleFormat.INT16, 100.0, (IMU_CHANNEL,) * 6)
CAPABILITIES = Capabilities(0, 0xFFFFFFFF, "bench", 0, (EMG, IMU))


def samples(stream, duration_s):
    n_samples = round(duration_s * stream.rate_hz)
    counts = np.arange(n_samples * len(stream.channels), dtype=np.int16).reshape(n_samples, -1)
    return StreamSamples(stream, 0, counts)


def a_sensor(duration_s=1.0):
    """A sensor of version 1.0, without a ring, that measures prepared samples."""
    streams = [samples(EMG, duration_s), samples(IMU, duration_s)]
    return Measuring(Firmware(CAPABILITIES), CAPABILITIES, streams)


def due(sensor, now_us):
    return sensor.packets_due(now_us, payload_size=PAYLOAD_SIZE)


def ask(sensor, opcode, *, payload=b"", payload_size=PAYLOAD_SIZE, now_us=0, notifying=True):
    request = Request(opcode, 9, payload)
    written = request.to_bytes()
    response = Response.from_bytes(
        sensor.respond(written, payload_size=payload_size, now_us=now_us, notifying=notifying)
    )
    assert (response.opcode, response.transaction) == (opcode, 9)
    return response


def start(sensor, *, now_us=0, payload_size=PAYLOAD_SIZE):
    response = ask(sensor, Opcode.START, now_us=now_us, payload_size=payload_size)
    assert response.status == Status.OK
    return Started.from_bytes(response.payload)


def test_start_takes_effect_at_the_next_moment_at_which_all_streams_have_a_sample():
    started = start(a_sensor(), now_us=123_456)
    assert started.time_us == 130_000
    assert [(s.stream, s.first_sample, s.time_us) for s in started.streams] == [
        (1, 130, 130_000),
        (2, 13, 130_000),
    ]


def test_sample_numbers_go_on_with_time_while_nothing_is_sent():
    """Clause 5.2."""
    sensor = a_sensor()
    start(sensor, now_us=0)
    ask(sensor, Opcode.STOP)
    again = start(sensor, now_us=60_000_000)
    assert [s.first_sample for s in again.streams] == [60_000, 6_000]


def test_sample_numbers_wrap_after_long_uptime():
    sensor = a_sensor()
    past_the_wrap_us = ((1 << 32) + 5) * 1000
    started = start(sensor, now_us=past_the_wrap_us - 999)
    assert started.streams[0].first_sample == -(-past_the_wrap_us // 10_000) * 10 % (1 << 32)


def test_packet_sequences_go_on_over_sessions():
    """Clause 4.4."""
    sensor = a_sensor(0.1)
    sequences = []
    for now_us in (0, 1_000_000):
        start(sensor, now_us=now_us)
        packets = due(sensor, now_us + 100_000)
        sequences += [DataPacket.from_bytes(p, n_channels=4).sequence for p in packets if p[1] == 1]
        ask(sensor, Opcode.STOP)
    assert sequences == list(range(10))


def test_every_start_has_another_session_number():
    sensor = a_sensor()
    first = start(sensor)
    ask(sensor, Opcode.STOP)
    assert start(sensor).session_id != first.session_id


def test_nothing_is_sent_before_start_and_nothing_after_stop():
    sensor = a_sensor()
    assert due(sensor, 10_000_000) == []
    start(sensor)
    ask(sensor, Opcode.STOP)
    assert due(sensor, 10_000_000) == []


def test_nothing_is_sent_after_the_host_has_gone():
    sensor = a_sensor()
    start(sensor)
    sensor.machine.disconnect()
    assert due(sensor, 10_000_000) == []
    assert not sensor.streaming


def test_a_packet_leaves_when_its_last_sample_is_taken_and_not_before():
    sensor = a_sensor()
    start(sensor, now_us=10_000)
    # A packet spans 20 ms: 20 samples of stream 1, 2 of stream 2.
    assert due(sensor, 10_000 + 9_999) == []
    assert [packet[1] for packet in due(sensor, 10_000 + 10_000)] == [2]
    assert due(sensor, 10_000 + 18_999) == []
    assert [packet[1] for packet in due(sensor, 10_000 + 19_000)] == [1]
    assert due(sensor, 10_000 + 19_000) == []


def test_packets_of_all_streams_leave_in_order_of_time():
    sensor = a_sensor()
    start(sensor)
    packets = [
        DataPacket.from_bytes(packet, n_channels=4 if packet[1] == 1 else 6)
        for packet in due(sensor, 1_000_000)
    ]
    ends = [packet.time_us + (19_000 if packet.stream == 1 else 10_000) for packet in packets]
    assert ends == sorted(ends)


@given(st.lists(st.integers(0, 400_000), max_size=40))
def test_how_often_the_sensor_looks_at_its_clock_changes_nothing(steps_us):
    all_at_once, step_by_step = a_sensor(), a_sensor()
    start(all_at_once)
    start(step_by_step)
    now_us, packets = 0, []
    for step_us in [*steps_us, 2_000_000]:
        now_us += step_us
        packets += due(step_by_step, now_us)
    assert packets == due(all_at_once, now_us)


@pytest.mark.parametrize("payload_size", [36, 40, 182, 244, 509])
def test_whatever_the_packet_size_every_sample_arrives_once(payload_size):
    sensor = a_sensor(0.5)
    decoder = Decoder(CAPABILITIES)
    decoder.start(start(sensor, payload_size=payload_size))
    packets = sensor.packets_due(500_000, payload_size=payload_size)
    assert max(map(len, packets)) <= payload_size
    blocks = [block for packet in packets for block in decoder.receive(packet)]
    assert all(isinstance(block, SampleBlock) for block in blocks)
    for stream in (EMG, IMU):
        came = np.concatenate([block.values for block in blocks if block.stream == stream.number])
        np.testing.assert_array_equal(came, samples(stream, 0.5).counts)


def test_the_last_packet_carries_what_is_left():
    capabilities = Capabilities(0, 1, "bench", 0, (EMG,))
    sensor = Measuring(Firmware(capabilities), capabilities, [samples(EMG, 0.05)])
    start(sensor)
    lengths = [len(DataPacket.from_bytes(packet, n_channels=4).values) for packet in due(sensor, 50_000)]
    assert lengths == [20, 20, 10]
    assert sensor.finished


def test_a_sensor_that_has_sent_everything_is_finished_but_streams_until_stop():
    sensor = a_sensor(0.1)
    start(sensor)
    due(sensor, 98_999)
    assert not sensor.finished
    due(sensor, 99_000)
    assert sensor.finished
    assert sensor.streaming
    assert ask(sensor, Opcode.STOP).status == Status.OK
    assert not sensor.finished


def test_start_is_refused_while_streaming():
    sensor = a_sensor()
    start(sensor)
    assert ask(sensor, Opcode.START).status == Status.WRONG_STATE


def test_start_is_refused_when_nobody_would_hear_the_data():
    """Clause 6.7."""
    sensor = a_sensor()
    assert ask(sensor, Opcode.START, notifying=False).status == Status.WRONG_STATE
    assert not sensor.streaming


def test_stop_is_obeyed_also_when_nothing_runs():
    """Clause 6.10."""
    assert ask(a_sensor(), Opcode.STOP).status == Status.OK


@pytest.mark.parametrize("opcode", [Opcode.START, Opcode.STOP])
def test_start_and_stop_take_no_payload(opcode):
    assert ask(a_sensor(), opcode, payload=b"x").status == Status.BAD_PAYLOAD


@pytest.mark.parametrize("written", [b"", b"\x02", b"\x00\x01", b"\x80\x01", b"\xff\x01xyz"])
def test_a_write_that_is_no_request_is_answered_as_such(written):
    """Clause 6.1."""
    answer = a_sensor().respond(written, payload_size=PAYLOAD_SIZE, now_us=0, notifying=True)
    assert answer == bytes([0x80, 0, Status.BAD_PAYLOAD])


@pytest.mark.parametrize("payload_size", [20, 27, 35])
def test_start_is_refused_when_its_answer_or_a_sample_does_not_fit(payload_size):
    """Clause 6.9."""
    sensor = a_sensor()
    response = ask(sensor, Opcode.START, payload_size=payload_size)
    assert response.status == Status.MTU_TOO_SMALL
    # The answer to START is the larger one: 3 + 11 bytes and 11 for each stream, and 3 bytes of ATT.
    assert int.from_bytes(response.payload, "little") == 3 + 11 + 2 * 11 + 3
    assert not sensor.streaming


@pytest.mark.parametrize("payload_size", [20, 60, 244])
def test_the_description_comes_in_parts_that_fit(payload_size):
    sensor = a_sensor()
    description, n_parts = b"", 0
    while True:
        response = ask(
            sensor,
            Opcode.GET_CAPABILITIES,
            payload=len(description).to_bytes(2, "little"),
            payload_size=payload_size,
        )
        assert len(response.to_bytes()) <= payload_size
        part = CapabilityPart.from_bytes(response.payload)
        description += part.data
        n_parts += 1
        if len(description) == part.total_size:
            break
    assert n_parts == -(-len(description) // (payload_size - 7))
    assert Capabilities.from_bytes(description) == CAPABILITIES


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x00\x00\x00", b"\xff\xff"])
def test_a_description_asked_for_wrongly_is_a_bad_payload(payload):
    assert ask(a_sensor(), Opcode.GET_CAPABILITIES, payload=payload).status == Status.BAD_PAYLOAD


@pytest.mark.parametrize("opcode", [0x04, 0x05, 0x06, 0x07, 0x08, 0x7F])
def test_an_opcode_of_another_version_is_unknown(opcode):
    """Clause 3.3: this sensor is one of version 1.0."""
    assert ask(a_sensor(), opcode).status == Status.UNKNOWN_OPCODE

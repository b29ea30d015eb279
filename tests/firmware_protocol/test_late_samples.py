"""Samples that come late fill their gap once, until they are final (SPEC 5.6, 5.9, 8.3)."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.control import CapabilityPart, Opcode, Response, Started, Status, StreamStart
from firmware_protocol.decoder import Backfill, Decoder, Duplicate, Expired, Gap, SampleBlock
from firmware_protocol.reassembly import Reject, common, without
from firmware_protocol.receiver import Rebooted, Receiver, StatusReceived, StreamsOpened, TimeAnswered
from firmware_protocol.resend import ResendAnswer, SampleRange, TimeAnswer
from firmware_protocol.worn import DroppedOnDevice, status_bytes
from tests.firmware_protocol.test_decoder import SENSOR, notification, started

RINGED = replace(SENSOR, version_minor=1, ring_ms=1000)
"""Stream 1 has 1,000 samples a second: what is missing is final 6,000 samples later."""


def spelled(event):
    if isinstance(event, Backfill):
        return ("late", *spelled(event.block))
    if isinstance(event, SampleBlock):
        return event.first_sample, event.values[:, 0].tolist()
    return event


def received(decoder, data):
    return [spelled(event) for event in decoder.receive(data)]


def test_a_late_packet_fills_its_gap_once():
    decoder = Decoder(RINGED)
    decoder.receive(notification([1], first=0))
    assert received(decoder, notification([4], first=3)) == [Gap(1, 1, 2), (3, [4])]
    assert decoder.missing(1) == ((1, 3),)
    assert received(decoder, notification([2, 3], first=1)) == [("late", 1, [2, 3])]
    assert decoder.missing(1) == ()
    assert received(decoder, notification([2, 3], first=1)) == [Duplicate(1, 1, 2)]


def test_a_packet_over_two_gaps_fills_both_and_leaves_out_what_is_known():
    decoder = Decoder(RINGED)
    for first in (0, 2, 4):
        decoder.receive(notification([first], first=first))
    events = received(decoder, notification([0, 1, 2, 3, 4, 5], first=0))
    assert events == [Duplicate(1, 0, 3), ("late", 1, [1]), ("late", 3, [3]), (5, [5])]


def test_what_is_missing_for_longer_than_the_ring_and_five_seconds_is_final():
    decoder = Decoder(RINGED)
    decoder.receive(notification([1], first=0))
    decoder.receive(notification([3], first=2))
    assert received(decoder, notification([4], first=6001))[:1] == [Gap(1, 3, 5998)]
    assert decoder.missing(1) == ((1, 2), (3, 6001))
    assert received(decoder, notification([4], first=6002)) == [(6002, [4]), Expired(1, 1, 1)]
    assert received(decoder, notification([2], first=1)) == [Duplicate(1, 1, 1)]


def test_without_a_ring_a_gap_is_final_at_once():
    decoder = Decoder(SENSOR)
    decoder.receive(notification([1], first=0))
    decoder.receive(notification([3], first=2))
    assert decoder.missing(1) == ()
    assert received(decoder, notification([2], first=1)) == [Duplicate(1, 1, 1)]


def test_a_second_start_tells_at_once_what_was_missed():
    decoder = Decoder(RINGED)
    decoder.start(started(first=0))
    decoder.receive(notification([1], first=0))
    opened = decoder.start(started(first=500, time_us=500_000))
    assert opened.events == (Gap(1, 1, 499),)
    assert received(decoder, notification([2], first=499)) == [("late", 499, [2])]


def test_a_count_that_begins_anew_ends_the_wait():
    decoder = Decoder(RINGED)
    decoder.receive(notification([1], first=5000))
    decoder.receive(notification([1], first=5002))
    assert decoder.start(started(first=0)).events == (Expired(1, 5001, 1),)


def test_giving_up_nothing_gives_up_nothing():
    decoder = Decoder(RINGED)
    decoder.receive(notification([1], first=0))
    decoder.receive(notification([1], first=9))
    for empty in ((3, 3), (9, 9), (5, 4)):
        assert decoder.give_up(1, empty) == []
    assert decoder.give_up(77, (1, 2)) == []
    assert decoder.missing(1) == ((1, 9),)


spans = st.lists(st.integers(0, 40), min_size=2, max_size=8, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@given(spans, st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_spans_are_cut_as_sets_of_numbers_are(of, span):
    def numbers(some):
        return {n for start, stop in some for n in range(start, stop)}

    assert numbers(common(of, span)) == numbers(of) & numbers([span])
    assert numbers(without(of, span)) == numbers(of) - numbers([span])
    assert all(start < stop for start, stop in (*common(of, span), *without(of, span)))


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6)), min_size=1, max_size=60),
)
def test_in_any_order_every_sample_is_delivered_once_or_missing(first, packets):
    decoder = Decoder(RINGED)
    decoder.start(started(first=first))
    delivered = []
    for offset, n_samples in packets:
        values = [offset + k for k in range(n_samples)]
        for event in decoder.receive(notification(values, first=first + offset)):
            block = event.block if isinstance(event, Backfill) else event
            if isinstance(block, SampleBlock):
                delivered += list(range(block.first_sample, block.first_sample + len(block.values)))
                np.testing.assert_array_equal(
                    block.values[:, 0], np.arange(len(block.values)) + block.first_sample - first
                )
    missing = [n for start, stop in decoder.missing(1) for n in range(start, stop)]
    assert len(set(delivered)) == len(delivered)
    stop = first + max(offset + n_samples for offset, n_samples in packets)
    assert sorted([*delivered, *missing]) == list(range(first, stop))


def response(opcode, payload, status=Status.OK):
    return Response(opcode, 1, status, payload).to_bytes()


def listening():
    receiver = Receiver(RINGED)
    answer = Started(1, 0, (StreamStart(1, 0, 0),))
    (opened,) = receiver.receive_control(response(Opcode.START, answer.to_bytes()))
    assert opened == StreamsOpened(answer, ())
    receiver.receive_data(notification([1], first=100))
    return receiver


def test_an_answer_to_resend_makes_final_what_the_ring_does_not_hold():
    receiver = listening()
    partly = ResendAnswer(SampleRange(1, 10, 50), 30, 20)
    events = receiver.receive_control(response(Opcode.RESEND, partly.to_bytes()))
    assert events == [Expired(1, 10, 20), Expired(1, 50, 10)]
    nothing = ResendAnswer(SampleRange(1, 30, 20), 0, 0)
    events = receiver.receive_control(response(Opcode.RESEND, nothing.to_bytes(), Status.EXPIRED))
    assert events == [Expired(1, 30, 20)]
    assert receiver.missing(1) == ((0, 10), (60, 100))


def test_busy_and_refusals_decide_nothing():
    receiver = listening()
    for status in (Status.BUSY, Status.WRONG_STATE, Status.BAD_PAYLOAD):
        answer = ResendAnswer(SampleRange(1, 10, 50), 0, 0).to_bytes()
        assert not receiver.receive_control(response(Opcode.RESEND, answer, status))
    assert receiver.missing(1) == ((0, 100),)


def test_another_boot_id_makes_all_final_and_the_same_one_nothing():
    receiver = listening()

    def described(capabilities):
        data = capabilities.to_bytes()
        parts = [CapabilityPart(len(data), i, data[i : i + 20]) for i in range(0, len(data), 20)]
        told = [
            receiver.receive_control(response(Opcode.GET_CAPABILITIES, part.to_bytes())) for part in parts
        ]
        return [event for events in told for event in events]

    assert described(RINGED) == []
    assert described(replace(RINGED, boot_id=5)) == [Expired(1, 0, 100), Rebooted(5)]
    assert described(replace(RINGED, boot_id=5)) == []


def test_the_time_of_an_answer_goes_on_over_its_wrap():
    receiver = Receiver(RINGED)
    receiver.receive_data(notification([1], first=101, time_us=2**48 - 10))
    answer = TimeAnswer(7, 2**48 - 1, 9)
    (told,) = receiver.receive_control(response(Opcode.TIME, answer.to_bytes()))
    assert told == TimeAnswered(7, 2**48 - 1, 2**48 + 9)


def test_samples_dropped_inside_the_sensor_are_final():
    receiver = listening()
    status = DroppedOnDevice(1, 20, 30)
    events = receiver.receive_control(status_bytes(status, count=0))
    assert events == [StatusReceived(status), Expired(1, 20, 30)]


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_indication_raises(indications):
    receiver = listening()
    for indication in indications:
        for event in receiver.receive_control(indication):
            assert not isinstance(event, Reject) or event.clause


def test_a_receiver_restored_in_mid_session_goes_on_alike():
    one, other = listening(), Receiver(RINGED)
    other.state = one.state
    late = notification([5], first=7)
    assert [spelled(e) for e in other.receive_data(late)] == [spelled(e) for e in one.receive_data(late)]
    assert one.state == other.state

"""The planner of backfill, without a radio and with time turned by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.sensors.backfill import (
    FINISH_LIMIT_NS,
    GRACE_NS,
    LAST_LIMIT_NS,
    LONGEST_RANGE_S,
    NEXT_NS,
    PATIENCE_NS,
    PROGRESS_LIMIT_NS,
    Backfill,
    is_worth_waiting,
    n_missing,
)
from firmware_protocol.packets import SAMPLE_MODULUS
from firmware_protocol.reassembly import StreamState, without
from firmware_protocol.resend import ResendAnswer, SampleRange

EMG, IMU = 1, 2
RATES_HZ = {EMG: 1000.0, IMU: 100.0}
RING_MS = 15_000


def state(stream, next_sample, *missing):
    return StreamState(stream, next_sample, 0, tuple(missing))


def a_plan(ring_ms=RING_MS):
    return Backfill(RATES_HZ, ring_ms=ring_ms)


def ripe(plan, *states):
    """Show what is missing, and once more when its grace has passed; what is asked for, and when."""
    assert plan.ask(states, 0) is None
    return plan.ask(states, GRACE_NS)


def all_held(asked):
    return ResendAnswer(asked, asked.first_sample, asked.n_samples)


def test_nothing_missing_is_nothing_to_ask_for():
    assert ripe(a_plan(), state(EMG, 5000), state(IMU, 500)) is None


def test_a_gap_is_asked_for_once_it_has_not_closed_by_itself():
    plan = a_plan()
    states = [state(EMG, 5000, (4000, 4020))]
    assert plan.ask(states, 0) is None
    assert plan.ask(states, GRACE_NS - 1) is None
    assert plan.ask(states, GRACE_NS) == SampleRange(EMG, 4000, 20)


def test_what_is_left_of_a_known_gap_has_no_grace_of_its_own():
    plan = a_plan()
    plan.ask([state(EMG, 5000, (4000, 4060))], 0)
    left = [state(EMG, 5000, (4000, 4020), (4040, 4060))]
    assert plan.ask(left, GRACE_NS) == SampleRange(EMG, 4000, 20)


def test_a_sensor_without_a_ring_is_asked_for_nothing():
    assert ripe(a_plan(ring_ms=0), state(EMG, 5000, (4000, 4020))) is None


def test_no_request_is_longer_than_a_second_of_one_stream():
    assert ripe(a_plan(), state(EMG, 9000, (1000, 6000))) == SampleRange(EMG, 1000, 1000)
    assert ripe(a_plan(), state(IMU, 900, (100, 600))) == SampleRange(IMU, 100, 100)


def test_what_the_ring_need_not_have_any_more_is_asked_for_in_one_go():
    """Clause 8.8: the answer says what is final."""
    asked = ripe(a_plan(), state(EMG, 60_000, (1000, 59_000)))
    assert asked == SampleRange(EMG, 1000, 60_000 - 15_000 + 1000 - 1000)


def test_the_older_samples_go_first_whatever_their_stream():
    newer_emg = state(EMG, 5000, (4000, 4100))
    older_imu = state(IMU, 500, (300, 310))
    assert ripe(a_plan(), newer_emg, older_imu).stream == IMU


def test_streams_take_turns_so_that_they_stay_side_by_side():
    plan, now_ns, order = a_plan(), 0, []
    missing = {EMG: ((1000, 4000),), IMU: ((100, 400),)}
    for _ in range(6):
        now_ns += GRACE_NS
        states = [state(EMG, 5000, *missing[EMG]), state(IMU, 500, *missing[IMU])]
        asked = plan.ask(states, now_ns) or plan.ask(states, now_ns := now_ns + GRACE_NS)
        plan.answered(all_held(asked), now_ns)
        span = (asked.first_sample, asked.first_sample + asked.n_samples)
        missing[asked.stream] = without(missing[asked.stream], span)
        order.append(asked.stream)
    assert order == [EMG, IMU, EMG, IMU, EMG, IMU]
    assert missing == {EMG: (), IMU: ()}


def test_nothing_else_is_asked_for_while_what_was_promised_comes():
    plan = a_plan()
    ripe_states = [state(EMG, 9000, (1000, 3000))]
    asked = ripe(plan, *ripe_states)
    plan.answered(all_held(asked), GRACE_NS)
    now_ns = GRACE_NS
    for come in range(0, 1000, 100):
        now_ns += NEXT_NS - 1
        assert plan.ask([state(EMG, 9000, (1000 + come, 3000))], now_ns) is None
    assert plan.ask([state(EMG, 9000, (2000, 3000))], now_ns) == SampleRange(EMG, 2000, 1000)


def test_the_next_range_is_asked_for_when_nothing_of_the_last_comes_any_more():
    plan = a_plan()
    states = [state(EMG, 9000, (1000, 2500))]
    plan.answered(all_held(ripe(plan, *states)), GRACE_NS)
    assert plan.ask(states, GRACE_NS + NEXT_NS) == SampleRange(EMG, 2000, 500)


def test_what_was_promised_and_did_not_come_is_asked_for_again_after_a_while():
    """Clause 8.8."""
    plan = a_plan()
    states = [state(EMG, 9000, (1000, 1020))]
    plan.answered(all_held(ripe(plan, *states)), GRACE_NS)
    assert plan.ask(states, GRACE_NS + PATIENCE_NS - 1) is None
    assert plan.ask(states, GRACE_NS + PATIENCE_NS) == SampleRange(EMG, 1000, 20)


def test_holes_are_asked_for_again_as_soon_as_the_last_promised_sample_is_here():
    plan = a_plan()
    plan.answered(all_held(ripe(plan, state(EMG, 9000, (1000, 1100)))), GRACE_NS)
    assert plan.ask([state(EMG, 9000, (1040, 1060))], GRACE_NS + 1) == SampleRange(EMG, 1040, 20)


def test_of_a_range_that_is_partly_expired_only_the_held_part_is_waited_for():
    plan = a_plan()
    asked = ripe(plan, state(EMG, 9000, (1000, 1100)))
    plan.answered(ResendAnswer(asked, 1080, 20), GRACE_NS)
    assert plan.ask([state(EMG, 9000, (1080, 1100))], GRACE_NS + 1) is None
    assert plan.ask([state(EMG, 9000)], GRACE_NS + 2) is None


def test_an_expired_range_is_waited_for_not_at_all():
    plan = a_plan()
    asked = ripe(plan, state(EMG, 9000, (1000, 1100), (2000, 2010)))
    plan.answered(ResendAnswer(asked, 0, 0), GRACE_NS)
    assert plan.ask([state(EMG, 9000, (2000, 2010))], GRACE_NS + 1) == SampleRange(EMG, 2000, 10)


def test_a_busy_sensor_is_left_alone_for_a_while():
    """Clause 8.8."""
    plan = a_plan()
    states = [state(EMG, 9000, (1000, 1020))]
    ripe(plan, *states)
    plan.refused(GRACE_NS)
    assert plan.ask(states, GRACE_NS + PATIENCE_NS - 1) is None
    assert plan.ask(states, GRACE_NS + PATIENCE_NS) == SampleRange(EMG, 1000, 20)


def test_a_sensor_that_is_busy_with_what_it_promised_is_asked_again_when_that_has_come():
    plan = a_plan()
    states = [state(EMG, 9000, (1000, 2500))]
    plan.answered(all_held(ripe(plan, *states)), GRACE_NS)
    now_ns = GRACE_NS + NEXT_NS
    assert plan.ask(states, now_ns) == SampleRange(EMG, 2000, 500)
    plan.refused(now_ns)
    assert plan.ask(states, now_ns + NEXT_NS) is None
    assert plan.ask([state(EMG, 9000, (2000, 2500))], now_ns + NEXT_NS + 1) == SampleRange(EMG, 2000, 500)


def test_numbers_go_out_wrapped():
    first = SAMPLE_MODULUS + 5
    asked = ripe(a_plan(), state(EMG, first + 100, (first - 10, first)))
    assert asked == SampleRange(EMG, SAMPLE_MODULUS - 5, 10)


def test_an_answer_is_understood_across_the_wrap():
    plan = a_plan()
    asked = ripe(plan, state(EMG, SAMPLE_MODULUS + 100, (SAMPLE_MODULUS - 10, SAMPLE_MODULUS + 10)))
    plan.answered(ResendAnswer(asked, 4, 6), GRACE_NS)
    waiting = state(EMG, SAMPLE_MODULUS + 200, (SAMPLE_MODULUS + 4, SAMPLE_MODULUS + 10))
    assert plan.ask([waiting], GRACE_NS + 1) is None


@given(data=st.data())
def test_whatever_is_missing_is_asked_for_until_it_is_here_and_nothing_else_is(data):
    """The sensor holds everything; packets sent again get lost now and then."""
    plan, now_ns = a_plan(), 0
    starts = data.draw(st.lists(st.integers(0, 9000), max_size=8, unique=True))
    missing = {
        EMG: spans(starts, data.draw(st.integers(1, 900)), end=10_000),
        IMU: spans([start // 10 for start in starts], data.draw(st.integers(1, 90)), end=1_000),
    }
    for _ in range(2000):
        states = [state(EMG, 10_000, *missing[EMG]), state(IMU, 1_000, *missing[IMU])]
        if not any(missing.values()):
            break
        asked = plan.ask(states, now_ns)
        now_ns += 30_000_000
        if asked is None:
            continue
        span = (asked.first_sample, asked.first_sample + asked.n_samples)
        assert asked.n_samples <= math.floor(LONGEST_RANGE_S * RATES_HZ[asked.stream])
        assert without((span,), span) == ()
        assert any(a <= span[0] and span[1] <= b for a, b in missing[asked.stream])
        fate = data.draw(st.sampled_from(["comes", "comes", "partly", "lost", "busy"]))
        if fate == "busy":
            plan.refused(now_ns)
            continue
        plan.answered(all_held(asked), now_ns)
        end = {"comes": span[1], "partly": (span[0] + span[1]) // 2, "lost": span[0]}[fate]
        missing[asked.stream] = without(missing[asked.stream], (span[0], end))
    assert n_missing([state(EMG, 10_000, *missing[EMG]), state(IMU, 1_000, *missing[IMU])]) == 0


def spans(starts, length, *, end):
    """Spans that do not touch."""
    found = []
    for start in sorted(set(starts)):
        if not found or start > found[-1][1]:
            found.append((start, min(start + length, end - 1)))
    return tuple(span for span in found if span[0] < span[1])


@pytest.mark.parametrize(
    ("waited_ns", "since_progress_ns", "expected"),
    [
        (0, 0, True),
        (FINISH_LIMIT_NS - 1, FINISH_LIMIT_NS - 1, True),
        (FINISH_LIMIT_NS, PROGRESS_LIMIT_NS - 1, True),
        (FINISH_LIMIT_NS, PROGRESS_LIMIT_NS, False),
        (LAST_LIMIT_NS - 1, 0, True),
        (LAST_LIMIT_NS, 0, False),
    ],
)
def test_the_end_of_a_session_is_waited_for_within_limits(waited_ns, since_progress_ns, expected):
    assert is_worth_waiting(waited_ns=waited_ns, since_progress_ns=since_progress_ns) is expected

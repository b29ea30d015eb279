"""Samples that come late heal what was computed without them: the end is that of a perfect radio."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emgmon.events import (
    EnvelopeComputed,
    Healed,
    MovementComputed,
    RepCompleted,
    SamplesLost,
    SamplesMissing,
    SessionEnded,
    SetCompleted,
)
from emgmon.recording.columns import from_notifications
from emgmon.session import Lookahead, Session
from tests.session.late import again, away, curves, expired, lost_and_found, ringed, standing
from tests.session.performing import notifications_of, performed, setup_of


@cache
def bridges():
    return performed("bridge", n_reps=6, seed=5)


@cache
def rows():
    return notifications_of(bridges())


def session(*, lookahead=Lookahead.PROVISIONAL, ring_ms=15_000):
    setup = replace(setup_of(bridges()), sensors=(ringed(bridges(), ring_ms=ring_ms),))
    return Session(setup, lookahead=lookahead)


def run(received, *, one=None, at_once=30):
    """Take rows, so many at once, and finish."""
    one = session() if one is None else one
    pieces = (received[i : i + at_once] for i in range(0, len(received), at_once))
    events = [event for piece in pieces for event in one.receive_many(from_notifications(piece))]
    return events + one.finish()


@cache
def faultless():
    return run(rows())


def told_at_end(events):
    """All that a person knows when the session is over, but for what was lost on the way."""
    reps, _ = standing(events)
    others = [event for event in events if isinstance(event, SetCompleted | SessionEnded | SamplesLost)]
    return reps, others


def assert_as_if_nothing_had_happened(events):
    assert told_at_end(events) == told_at_end(faultless())
    by_stream = {"key": lambda event: (event.sensor, event.stream)}
    assert curves(events, EnvelopeComputed, **by_stream) == curves(faultless(), EnvelopeComputed, **by_stream)
    assert curves(events, MovementComputed) == curves(faultless(), MovementComputed)


def test_the_faultless_run_finds_the_repetitions():
    reps, _ = standing(faultless())
    assert [rep.number for rep in reps] == [1, 2, 3, 4, 5, 6]
    assert all(rep.excluded is None for rep in reps)


@pytest.mark.parametrize("from_s", [3.0, 12.3, 20.0])
@pytest.mark.parametrize("length_s", [0.05, 1.0, 10.0])
@pytest.mark.parametrize("back_s", [0.03, 1.5])
def test_what_was_missed_in_a_radio_loss_is_healed_when_it_comes(from_s, length_s, back_s):
    received = lost_and_found(rows(), away(rows(), from_s, from_s + length_s), back_s=back_s)
    assert_as_if_nothing_had_happened(run(received))


def test_nothing_provisional_is_said_without_lookahead():
    received = lost_and_found(rows(), away(rows(), 12.0, 17.0), back_s=2.0)
    events = run(received, one=session(lookahead=Lookahead.NOTHING))
    assert_as_if_nothing_had_happened(events)
    assert not [event for event in events if isinstance(event, Healed)]


def test_meanwhile_repetitions_are_told_without_the_missing_samples_and_corrected_afterwards():
    received = lost_and_found(rows(), away(rows(), 12.0, 15.0), back_s=9.0)
    events = run(received)
    healed = [i for i, event in enumerate(events) if isinstance(event, Healed)]
    assert healed
    before = [event for event in events[: healed[0]] if isinstance(event, RepCompleted)]
    assert any(rep.excluded is not None for rep in before)
    assert_as_if_nothing_had_happened(events)


def test_a_short_gap_is_waited_for_and_nothing_is_told_twice():
    received = lost_and_found(rows(), away(rows(), 12.0, 12.05), back_s=0.05)
    events = run(received, at_once=1)
    assert not [event for event in events if isinstance(event, Healed)]
    n_hops = sum(len(event.values) for event in events if isinstance(event, MovementComputed))
    assert n_hops == sum(len(e.values) for e in faultless() if isinstance(e, MovementComputed))
    assert_as_if_nothing_had_happened(events)


def test_how_much_is_missing_is_told_until_nothing_is():
    received = lost_and_found(rows(), away(rows(), 12.0, 13.0), back_s=1.0)
    told = [event for event in run(received, at_once=1) if isinstance(event, SamplesMissing)]
    assert max(event.n_samples for event in told) > 900
    last = {(event.sensor, event.stream): event.n_samples for event in told}
    assert len(last) == 2
    assert set(last.values()) == {0}


def test_what_the_ring_does_not_hold_any_more_is_lost_and_the_rest_goes_on():
    lost = away(rows(), 12.0, 12.5)
    answered = [expired(rows()[i], rows()[lost[-1]].arrival_ns + 10_000_000) for i in lost]
    kept = [row for i, row in enumerate(rows()) if i not in set(lost)]
    received = sorted([*kept, *answered], key=lambda row: row.arrival_ns)
    without_ring = run(kept, one=session(ring_ms=0))
    assert told_at_end(run(received)) == told_at_end(without_ring)


def test_what_never_comes_is_lost_when_the_session_ends():
    lost = set(away(rows(), 12.0, 12.5))
    kept = [row for i, row in enumerate(rows()) if i not in lost]
    assert told_at_end(run(kept)) == told_at_end(run(kept, one=session(ring_ms=0)))


def test_what_comes_after_the_ring_could_have_held_it_is_left_out_live_and_replayed():
    lost = away(rows(), 5.0, 5.3)
    kept = [row for i, row in enumerate(rows()) if i not in set(lost)]
    late = [again(rows()[i], kept[-1].arrival_ns + k) for k, i in enumerate(lost)]
    one_second = session(ring_ms=1000)
    events = run([*kept, *late], one=one_second)
    assert told_at_end(events) == told_at_end(run(kept, one=session(ring_ms=0)))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Shrinking runs hundreds of sessions; the example as found says enough.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.data())
def test_any_loss_that_the_ring_repairs_leaves_no_trace(data):
    n_rows = len(rows())
    lost: set[int] = set()
    for _ in range(data.draw(st.integers(1, 4), label="stretches")):
        first = data.draw(st.integers(1, n_rows - 1), label="first")
        length = data.draw(st.sampled_from([1, 2, 30, 300, 900]), label="length")
        lost |= set(range(first, min(first + length, n_rows)))
    share = data.draw(st.sampled_from([1.0, 0.5, 0.1]), label="share")
    chance = np.random.default_rng(data.draw(st.integers(0, 2**16), label="seed"))
    gone = [i for i in sorted(lost) if chance.random() < share]
    back_s = data.draw(st.floats(0.0, 3.0), label="back")
    received = lost_and_found(rows(), gone, back_s=back_s)
    at_once = data.draw(st.sampled_from([5, 30, 500]), label="rows at once")
    assert_as_if_nothing_had_happened(run(received, at_once=at_once))


@pytest.mark.parametrize("at_s", [11.0, 12.5, 15.5, 16.0, 18.0])
def test_a_session_stopped_while_samples_are_missing_goes_on_from_its_state(at_s):
    received = lost_and_found(rows(), away(rows(), 12.0, 15.0), back_s=1.0)
    cut = next(i for i, row in enumerate(received) if row.arrival_ns >= at_s * 1e9)
    one, other = session(), session()
    before = [event for row in received[:cut] for event in one.receive(row)]
    other.state = one.state
    after = [event for row in received[cut:] for event in other.receive(row)] + other.finish()
    assert_as_if_nothing_had_happened([*before, *after])

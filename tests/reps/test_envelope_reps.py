import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.reps.envelope import EnvelopeReps
from emgmon.reps.envelope_edges import level_at, share_at
from emgmon.reps.envelope_smoothing import LAG_HOPS
from emgmon.reps.found import RepFound, RestLeft, RestResumed

TIMES = [(300 + 400 * k, 500 + 400 * k) for k in range(5)]


def activity(times=TIMES, *, rest=5.0, burst=60.0, n_hops=2600, ramp=1, seed=0):
    """Muscle and noise, added in power; bursts rise before and fall after their plateau in `ramp` hops."""
    muscle = np.zeros(n_hops)
    for start, end in times:
        shape = np.interp(np.arange(n_hops), [start - ramp, start, end - 1, end - 1 + ramp], [0, 1, 1, 0])
        muscle = np.maximum(muscle, burst * shape)
    return np.hypot(muscle, rest) * np.random.default_rng(seed).uniform(0.9, 1.1, n_hops)


def found_in(values, *, sizes=None, restore_between=False, first_hop=0):
    reps, found, start = EnvelopeReps(), [], 0
    for size in sizes or [len(values)]:
        found += reps.process(first_hop + start, values[start : start + size])
        start += size
        if restore_between:
            other = EnvelopeReps()
            other.state, reps = reps.state, other
    found += reps.process(first_hop + start, values[start:])
    return found + reps.finish()


def reps_in(values, **how):
    return [news for news in found_in(values, **how) if isinstance(news, RepFound)]


def edges_in(values):
    return [(rep.start_hop, rep.end_hop) for rep in reps_in(values)]


def test_every_burst_is_one_repetition_at_its_place_with_its_middle_as_the_turn():
    reps = reps_in(activity(), first_hop=1000)
    assert len(reps) == len(TIMES)
    for rep, (start, end) in zip(reps, TIMES, strict=True):
        assert rep.start_hop == pytest.approx(1000 + start, abs=5)
        assert rep.turn_hop == pytest.approx(1000 + (start + end) / 2, abs=5)
        assert rep.end_hop == pytest.approx(1000 + end, abs=5)
        assert (rep.hold_hop, rep.back_hop) == (rep.start_hop, rep.end_hop)
        assert not rep.has_phases


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 700), max_size=12), seed=st.integers(0, 5))
def test_every_cut_with_the_state_restored_in_between_gives_the_same_repetitions(sizes, seed):
    values = activity(seed=seed)
    values[:7] = np.nan
    values[1000:1100] = np.nan
    assert found_in(values, sizes=sizes, restore_between=True) == found_in(values)


def test_hop_by_hop_gives_what_all_at_once_gives():
    values = activity()
    assert found_in(values, sizes=[1] * len(values), restore_between=True) == found_in(values)


def test_a_state_that_was_taken_out_does_not_change_with_what_follows():
    values, reps = activity(), EnvelopeReps()
    reps.process(0, values[:450])
    kept = reps.state
    first = reps.process(450, values[450:]) + reps.finish()
    reps.state = kept
    assert reps.process(450, values[450:]) + reps.finish() == first


@pytest.mark.parametrize("gain", [0.5, 1.0, 20.0])
def test_the_gain_of_the_amplifier_does_not_matter(gain):
    assert edges_in(activity() * gain) == edges_in(activity())


def test_rest_alone_and_a_dead_channel_are_no_repetitions():
    assert found_in(activity([])) == []
    assert found_in(np.zeros(3000)) == []
    assert found_in(np.full(3000, np.nan)) == []


def test_news_of_the_beginning_comes_before_the_repetition_and_each_is_resolved():
    kinds = [type(news) for news in found_in(activity())]
    assert kinds == [RestLeft, RepFound] * len(TIMES)


def test_a_repetition_is_announced_within_300_ms_of_its_end_and_its_end_is_in_the_past():
    values, reps = activity(ramp=40), EnvelopeReps()
    envelope_lag = 7
    for hop, value in enumerate(values):
        for news in reps.process(hop, np.array([value])):
            if isinstance(news, RepFound):
                assert 0 <= hop - news.end_hop <= 30 - envelope_lag


def test_bursts_over_a_rest_that_stays_higher_than_before_the_set_are_told_apart():
    values = activity(rest=3.0, burst=30.0)
    values[500:] = np.hypot(values[500:], 8.0)
    assert len(reps_in(values)) == len(TIMES)


def test_a_hold_with_deep_dips_is_one_repetition():
    times = [(300, 1300)]
    values = activity(times, n_hops=1800)
    for start in (500, 800, 1000):
        values[start : start + 60] *= 0.45
    assert len(reps_in(values)) == 1


def test_a_short_rest_between_quick_pulses_separates_them():
    times = [(300 + 80 * k, 350 + 80 * k) for k in range(12)]
    assert len(reps_in(activity(times, n_hops=1700, ramp=10))) == 12


def test_repetitions_do_not_overlap():
    times = [(300 + 80 * k, 350 + 80 * k) for k in range(12)]
    edges = edges_in(activity(times, n_hops=1700, ramp=14))
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(edges))


@pytest.mark.parametrize("width", [15, 22, 35])
def test_spikes_heartbeats_and_the_bursts_of_steps_are_no_repetitions(width):
    times = [(start, start + width) for start in range(300, 2300, 105)]
    assert reps_in(activity(times)) == []


def test_spikes_within_a_burst_and_beside_it_change_nothing_of_its_edges():
    spiked = activity()
    for start in (150, 380, 720, 1800):
        spiked[start : start + 15] = 300.0
    for rep, (start, end) in zip(reps_in(spiked), TIMES, strict=True):
        assert rep.start_hop == pytest.approx(start, abs=8)
        assert rep.end_hop == pytest.approx(end, abs=8)


def test_a_twitch_in_the_tail_of_a_burst_is_no_repetition():
    values = activity([*TIMES, (1740, 1780)])
    values[1740:1780] *= 0.3
    assert len(reps_in(values)) == len(TIMES)


def test_weaker_bursts_late_in_the_set_still_count():
    values = np.concatenate([activity(), activity(burst=35.0)])
    assert len(reps_in(values)) == 2 * len(TIMES)


def test_a_strong_first_burst_does_not_hide_the_set_that_follows():
    values = activity(TIMES[1:], burst=30.0)
    values[300:500] = 100.0
    assert len(reps_in(values)) == len(TIMES)


def test_bursts_far_below_the_usual_ones_are_no_repetitions_within_a_set():
    values = activity(TIMES[:3])
    values[1500:1600] = 15.0
    assert len(reps_in(values)) == 3


@pytest.mark.parametrize("contrast_db", [8.0, 15.0, 25.0])
def test_edges_of_a_ramp_lie_near_its_ends_at_every_noise(contrast_db):
    # A long ramp is seen late by as much as noise covers of it; the end is extrapolated, the start is not.
    burst = 5.0 * 10 ** (contrast_db / 20)
    reps = reps_in(activity(burst=burst, ramp=60))
    assert len(reps) == len(TIMES)
    starts = [rep.start_hop - (start - 60) for rep, (start, _) in zip(reps, TIMES, strict=True)]
    ends = [rep.end_hop - (end + 60) for rep, (_, end) in zip(reps, TIMES, strict=True)]
    assert 0 <= np.median(starts) <= 25
    assert abs(np.median(ends)) <= 15


def test_a_burst_that_lasts_to_the_end_is_closed_there_once():
    reps = EnvelopeReps()
    reps.process(0, activity([(300, 1000)], n_hops=1000))
    closed = reps.finish()
    assert [type(news) for news in closed] == [RepFound]
    assert closed[0].end_hop == 999
    assert reps.finish() == []


def test_activity_that_never_ends_becomes_the_new_rest():
    values = activity([(300, 6000), (6500, 6700)], n_hops=7000)
    values[3800:] = np.hypot(values[3800:], 60.0)
    values[6500:6700] *= 3.0
    news = found_in(values)
    assert isinstance(news[1], RestResumed)
    reps = [one for one in news if isinstance(one, RepFound)]
    assert [rep.turn_hop for rep in reps] == [pytest.approx(6600, abs=10)]


def test_an_hour_of_rest_and_an_hour_of_tension_do_not_fill_the_memory():
    for level in (5.0, 60.0):
        reps, largest = EnvelopeReps(), 0
        for first in range(0, 60_000, 500):
            noise = np.random.default_rng(first).uniform(0.9, 1.1, 500)
            reps.process(first, (5.0 if first < 500 else level) * noise)
            largest = max(largest, len(reps.state.levels), len(reps.state.smoothing.raw))
        assert largest <= 3700


def test_a_level_is_known_after_the_stated_lag():
    reps = EnvelopeReps()
    reps.process(0, activity([], n_hops=100))
    assert len(reps.state.levels) == 100 - LAG_HOPS


@given(share=st.floats(0.01, 1.0), rest=st.floats(0.1, 50.0), rise=st.floats(1.1, 100.0))
def test_share_and_level_of_a_burst_are_inverse(share, rest, rise):
    level = level_at(share, rest=rest, peak=rest * rise)
    assert rest <= level * (1 + sys.float_info.epsilon * 4)
    assert share_at(level, rest=rest, peak=rest * rise) == pytest.approx(share, rel=1e-3)

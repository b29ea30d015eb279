import numpy as np
import pytest

from emgmon.reps.envelope import EnvelopeReps
from emgmon.reps.found import RepFound

TIMES = [(300 + 400 * k, 500 + 400 * k) for k in range(5)]


def activity(times=TIMES, *, rest=5.0, burst=60.0, n_hops=2600, seed=0):
    level = np.full(n_hops, rest)
    for start, end in times:
        level[start:end] = burst
    return level * np.random.default_rng(seed).uniform(0.9, 1.1, n_hops)


def found_in(values, *, size=None, restore_between=False, first_hop=0):
    reps, found = EnvelopeReps(), []
    step = size or len(values)
    for start in range(0, len(values), step):
        found += reps.process(first_hop + start, values[start : start + step])
        if restore_between:
            other = EnvelopeReps()
            other.state, reps = reps.state, other
    return found + reps.finish()


def reps_in(values, **how):
    return [news for news in found_in(values, **how) if isinstance(news, RepFound)]


def test_every_burst_is_one_repetition_at_its_place():
    reps = reps_in(activity(), first_hop=1000)
    assert len(reps) == len(TIMES)
    for rep, (start, end) in zip(reps, TIMES, strict=True):
        assert rep.start_hop == pytest.approx(1000 + start, abs=15)
        assert rep.end_hop == pytest.approx(1000 + end, abs=15)
        assert rep.range_m is None


@pytest.mark.parametrize("size", [1, 10, 333])
def test_every_cut_with_the_state_restored_in_between_gives_the_same_repetitions(size):
    values = activity()
    values[1000:1100] = np.nan
    assert found_in(values, size=size, restore_between=True) == found_in(values)


@pytest.mark.parametrize("gain", [0.5, 1.0, 20.0])
def test_the_gain_of_the_amplifier_does_not_matter(gain):
    assert len(reps_in(activity() * gain)) == len(TIMES)


def test_rest_alone_and_a_dead_channel_are_no_repetitions():
    assert reps_in(activity([])) == []
    assert reps_in(np.zeros(3000)) == []
    assert reps_in(np.full(3000, np.nan)) == []


def test_a_short_dip_does_not_cut_a_burst_and_a_twitch_is_none():
    values = activity([(300, 600), (1000, 1020)])
    values[440:455] = 5.0
    assert len(reps_in(values)) == 1


def test_weaker_bursts_late_in_the_set_still_count():
    values = np.concatenate([activity(), activity(burst=35.0)])
    assert len(reps_in(values)) == 2 * len(TIMES)


def test_a_burst_that_lasts_to_the_end_is_closed_there():
    reps = reps_in(activity([(300, 1000)], n_hops=1000))
    assert len(reps) == 1
    assert reps[0].end_hop == pytest.approx(984, abs=15)

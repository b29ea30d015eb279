import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.reps.envelope import EnvelopeReps
from emgmon.reps.envelope_activity import LOUDEST_REST, EnvelopeActivity
from emgmon.reps.found import RepFound

TIMES = [(300 + 400 * k, 500 + 400 * k) for k in range(5)]


def envelope(rests_uv=(5.0, 6.0, 4.0, 5.0), *, burst=30.0, n_hops=2600, seed=0):
    muscle = np.zeros(n_hops)
    for start, end in TIMES:
        muscle[start:end] = burst
    noise = np.random.default_rng(seed).uniform(0.9, 1.1, (n_hops, len(rests_uv)))
    return np.hypot(muscle[:, np.newaxis], np.array(rests_uv)) * noise


def combined(values, *, sizes=None, first_hop=0):
    stage, parts, start = EnvelopeActivity(), [], 0
    for size in sizes or []:
        parts.append(stage.process(first_hop + start, values[start : start + size]))
        start += size
        other = EnvelopeActivity()
        other.state, stage = stage.state, other
    parts.append(stage.process(first_hop + start, values[start:]))
    return np.concatenate(parts)


def n_reps(activity):
    reps = EnvelopeReps()
    found = reps.process(0, activity) + reps.finish()
    return sum(isinstance(news, RepFound) for news in found)


def test_channels_that_rest_alike_give_their_mean():
    values = envelope()
    np.testing.assert_allclose(combined(values), values.mean(axis=1), rtol=1e-12)


def test_one_channel_is_handed_on_as_it_is():
    values = envelope((5.0,))
    np.testing.assert_array_equal(combined(values), values[:, 0])


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 500), max_size=10), first_hop=st.integers(-150, 1000))
def test_every_cut_with_the_state_restored_in_between_gives_the_same_bits(sizes, first_hop):
    values = envelope((5.0, 90.0, 4.0, 0.05))
    values[700:780, 0] = np.nan
    values[900:1100] = np.nan
    whole = combined(values, first_hop=first_hop)
    np.testing.assert_array_equal(combined(values, sizes=sizes, first_hop=first_hop), whole)


@pytest.mark.parametrize("hum_uv", [60.0, 300.0])
def test_a_loud_hum_on_one_channel_does_not_hide_the_others(hum_uv):
    values = envelope((5.0, 6.0, hum_uv, 5.0))
    assert n_reps(combined(values)) == len(TIMES)
    if hum_uv > 100.0:
        assert n_reps(values.mean(axis=1)) < len(TIMES)


def test_a_hum_that_begins_in_mid_session_is_turned_down_within_the_time_that_rest_is_remembered():
    values = np.concatenate([envelope()] * 3)
    values[2600:, 2] = 200.0
    activity = combined(values)
    assert activity[5750] < LOUDEST_REST * 6.0


def test_a_dead_channel_does_not_halve_the_others():
    values = envelope((5.0, 5.0))
    values[:, 1] = 0.0
    np.testing.assert_array_equal(combined(values), values[:, 0])


def test_nothing_measured_is_no_activity():
    assert np.isnan(combined(np.full((500, 3), np.nan))).all()


def test_a_channel_that_comes_to_life_counts_at_once():
    values = envelope((5.0,))
    values[:450] = np.nan
    np.testing.assert_array_equal(combined(values)[450:], values[450:, 0])

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dsp.change_point import (
    power_sums,
    rise_chance,
    runs_above,
    teager_kaiser,
    variance_change,
    without_lone_spikes,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("x", "rules", "expected"),
    [
        # The docstring of detecta's detect_onset, and three runs of it (Duarte, detecta).
        ([0, 0, 2, 0, NAN, 0, 2, 3, 3, 0, 1, 1, 0], (1, 1, 0), [[2, 2], [6, 8], [10, 11]]),
        ([0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 2, 2, 0], (1, 2, 0), [[2, 4], [6, 7], [11, 12]]),
        ([0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 2, 2, 0], (1, 2, 1), [[2, 7], [11, 12]]),
        ([0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 2, 2, 0], (1, 2, 1, 2), [[11, 12]]),
        ([0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 2, 2, 0], (1, 2, 1, 2, 3), []),
        ([0, 0, 0], (1,), []),
        ([1, 1], (1,), [[0, 1]]),
    ],
)
def test_runs_above_a_threshold_are_those_of_detecta(x, rules, expected):
    np.testing.assert_array_equal(runs_above(np.array(x, dtype=float), *rules).tolist(), expected)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, NAN]), min_size=1, max_size=40), st.integers(1, 4))
def test_without_tolerance_every_sample_of_a_run_is_above_and_its_neighbours_are_not(x, n_above):
    x = np.array(x)
    for first, last in runs_above(x, 1.0, n_above):
        assert last - first + 1 >= n_above
        assert np.all(x[first : last + 1] >= 1.0)
        assert first == 0 or not x[first - 1] >= 1.0
        assert last == len(x) - 1 or not x[last + 1] >= 1.0


def test_the_energy_operator_gives_the_exact_row():
    np.testing.assert_array_equal(teager_kaiser(np.array([0.0, 1.0, 3.0, 2.0, -1.0, 0.5])), [1, 7, 7, 0])


def test_the_energy_operator_of_a_sine_is_constant():
    wave = 2.0 * np.cos(2 * np.pi * 80.0 / 1000.0 * np.arange(50) + 0.3)
    np.testing.assert_allclose(teager_kaiser(wave), 0.9283464100, rtol=1e-9)


def steps(n_channels, index, gain, *, n=600, seed=0):
    samples = np.random.default_rng(seed).standard_normal((n_channels, n))
    samples[:, index:] *= gain
    return samples


def by_hand(samples):
    """The profile likelihood written as its definition."""
    n = samples.shape[1]
    edge = math.ceil(0.02 * n)
    best = (-math.inf, None)
    for k in range(edge, n + 1 - edge):
        parts = (samples[:, :k], samples[:, k:])
        value = sum(-0.5 * part.shape[1] * np.log(np.mean(part**2, axis=1)).sum() for part in parts)
        best = max(best, (value, k))
    return best[1]


@pytest.mark.parametrize("seed", range(5))
def test_the_change_point_is_where_the_likelihood_written_out_is_largest(seed):
    samples = steps(2, 250, 2.0, seed=seed)
    found = variance_change(samples)
    assert found.index == by_hand(samples)
    np.testing.assert_allclose(found.before, np.mean(samples[:, : found.index] ** 2, axis=1))
    np.testing.assert_allclose(found.after, np.mean(samples[:, found.index :] ** 2, axis=1))


@pytest.mark.parametrize("gain", [2.0, 4.0, 10.0, 30.0])
def test_intervals_of_steps_hold_the_true_sample_19_times_in_20(gain):
    held = []
    for seed in range(400):
        found = variance_change(steps(1, 300, gain, seed=seed))
        held.append(found.low <= 300 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.99


def test_channels_together_know_better_than_one():
    errors = [
        [abs(variance_change(steps(n, 300, 1.8, seed=seed)).index - 300) for seed in range(100)]
        for n in (1, 4)
    ]
    assert np.mean(errors[1]) < 0.5 * np.mean(errors[0])


def test_the_scale_of_a_channel_does_not_matter():
    samples = steps(2, 200, 3.0)
    scaled = samples * np.array([[1.0], [1000.0]])
    assert variance_change(scaled).index == variance_change(samples).index
    assert variance_change(scaled).gain == pytest.approx(variance_change(samples).gain)


def test_samples_that_are_missing_take_no_part():
    samples = steps(1, 300, 5.0)
    holed = samples.copy()
    holed[0, 100:110] = NAN
    assert variance_change(holed).index == variance_change(samples).index
    without = np.delete(samples, np.s_[100:110], axis=1)
    assert variance_change(holed).gain == pytest.approx(variance_change(without).gain)


def test_missing_samples_at_the_very_beginning_do_no_harm():
    samples = steps(1, 300, 5.0)
    samples[0, :40] = NAN
    assert abs(variance_change(samples).index - 300) <= 5


def test_a_fall_is_no_rise():
    samples = steps(1, 300, 5.0)[:, ::-1]
    found = variance_change(samples)
    assert found is None or found.gain < 10.0


def test_silence_and_nothing_have_no_change():
    assert variance_change(np.zeros((1, 100))) is None
    assert variance_change(np.full((1, 100), NAN)) is None
    assert variance_change(np.zeros((1, 0))) is None


def test_a_rise_out_of_complete_silence_is_found():
    samples = steps(1, 300, 1.0)
    samples[:, :300] = 0.0
    assert variance_change(samples).index == 300


def test_samples_that_are_half_as_independent_tell_half_as_much():
    whole, half = (variance_change(steps(1, 300, 2.0), independence=worth) for worth in (1.0, 0.5))
    assert half.gain == pytest.approx(0.5 * whole.gain)
    assert half.high - half.low > whole.high - whole.low


def test_power_is_summed_in_bins_and_can_be_cut_out():
    samples = np.array([[1.0, 2.0, NAN, 3.0, 4.0]])
    sums = power_sums(samples, bin_samples=2)
    np.testing.assert_allclose(sums.power, [[0.0, 5.0, 14.0]])
    np.testing.assert_array_equal(sums.count, [[0, 2, 3]])
    np.testing.assert_allclose(sums.between(1, 2).power, [[0.0, 9.0]])


def ramps(rise, seed, *, n=1000, begin=400, gain=10.0):
    chance = np.random.default_rng(seed)
    height = np.clip((np.arange(n) - begin) / max(rise, 1), 0.0, 1.0)
    return chance.standard_normal((1, n)) + gain * height * chance.standard_normal((1, n))


def medians(rise):
    found = [
        rise_chance(power_sums(ramps(rise, seed)), bin_s=0.001, independence=1.0).quantiles((0.5,))[0]
        for seed in range(60)
    ]
    return np.median(found)


def test_a_step_is_told_to_the_millisecond():
    assert abs(medians(0) - 400.0) <= 1.0


@pytest.mark.parametrize("rise", [100, 200, 400])
def test_a_gradual_rise_is_told_nearer_to_its_beginning_than_by_the_change_point(rise):
    late = np.median([variance_change(ramps(rise, seed)).index for seed in range(60)]) - 400.0
    assert late > 0.15 * rise
    assert abs(medians(rise) - 400.0) < 0.8 * late


def test_the_chances_sum_to_one_and_quantiles_ascend():
    found = rise_chance(power_sums(ramps(200, 1)), bin_s=0.001, independence=0.3)
    assert found.chance.sum() == pytest.approx(1.0)
    assert np.all(found.chance >= 0.0)
    quantiles = found.quantiles((0.025, 0.5, 0.975))
    assert quantiles == sorted(quantiles)


def test_the_scale_of_the_samples_does_not_move_the_onset():
    samples = ramps(100, 3)
    one, other = (
        rise_chance(power_sums(scale * samples), bin_s=0.001, independence=0.5).quantiles((0.1, 0.5, 0.9))
        for scale in (1.0, 1e-3)
    )
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_silence_has_no_rise():
    assert rise_chance(power_sums(np.zeros((2, 500))), bin_s=0.001, independence=1.0) is None


def quiet_with_beats(*beats, n=900, contraction=None):
    """Noise at 1 kHz with pulses of 16 ms; and a contraction, if wanted."""
    samples = np.random.default_rng(4).standard_normal((1, n))
    for at in beats:
        samples[0, at : at + 16] = 4.0
    if contraction is not None:
        samples[0, contraction:] *= 5.0
    return power_sums(samples)


def taken_out(sums):
    cleaned = without_lone_spikes(sums, np.ones(len(sums.power)), bin_s=0.001)
    return np.flatnonzero(np.diff(cleaned.count[0]) < np.diff(sums.count[0]))


def test_a_heartbeat_in_quiet_is_taken_out_as_missing_and_only_it():
    out = taken_out(quiet_with_beats(400))
    assert set(range(400, 416)) <= set(out.tolist())
    assert out.min() >= 360
    assert out.max() <= 456


def test_two_heartbeats_half_a_second_apart_are_both_taken_out():
    assert set(taken_out(quiet_with_beats(200, 700)).tolist()) >= {205, 705}


@pytest.mark.parametrize(
    "sums",
    [
        quiet_with_beats(),
        # The first motor units fire about ten times a second: they are the onset, no heartbeats.
        quiet_with_beats(300, 400, 500),
        # Nothing sets a beat that a contraction follows at once apart from its beginning.
        quiet_with_beats(480, contraction=505),
        quiet_with_beats(contraction=400),
        quiet_with_beats(50, n=120),
    ],
    ids=["noise", "motor units", "a beat just before", "a contraction", "too few samples"],
)
def test_what_is_no_lone_heartbeat_stays(sums):
    assert taken_out(sums).size == 0


def test_a_heartbeat_is_taken_out_of_the_channel_that_has_it():
    one, other = quiet_with_beats(400), quiet_with_beats()
    both = type(one)(np.concatenate([one.power, other.power]), np.concatenate([one.count, other.count]))
    cleaned = without_lone_spikes(both, np.ones(2), bin_s=0.001)
    assert cleaned.count[0, -1] < both.count[0, -1]
    np.testing.assert_array_equal(cleaned.count[1], both.count[1])

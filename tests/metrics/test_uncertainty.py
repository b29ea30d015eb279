"""Scatter of amplitudes: against formulas, and against repeating the measurement many times."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dsp.spectrum import power_spectrum, welch
from emgmon.events import HOP_RATE_HZ
from emgmon.metrics.uncertainty import (
    amplitude_cv,
    best_of,
    effective_seconds,
    muscle_cv,
    statistical_bandwidth,
    strongest_window,
)
from emgmon.virtual.muscle import emg_power, muscle_noise

RATE_HZ = 1000.0


def test_a_flat_spectrum_is_as_wide_as_it_is():
    frequency_hz = np.arange(0.0, 500.0)
    flat = ((frequency_hz >= 100.0) & (frequency_hz < 250.0)).astype(float)
    assert statistical_bandwidth(flat, frequency_hz) == pytest.approx(150.0)
    assert statistical_bandwidth(np.stack([flat, 7.0 * flat]), frequency_hz).tolist() == [150.0, 150.0]


def test_a_triangle_is_three_quarters_as_wide():
    frequency_hz = np.linspace(0.0, 400.0, 40_001)
    # (W/2)² / (W/3) = 3/4 W.
    assert statistical_bandwidth(1.0 - frequency_hz / 400.0, frequency_hz) == pytest.approx(300.0, rel=1e-3)


def test_no_power_has_no_bandwidth():
    assert math.isnan(statistical_bandwidth(np.zeros(10), np.arange(10.0)))


def test_few_windows_make_a_spectrum_ragged_and_that_is_made_good():
    chance = np.random.default_rng(2)
    frequency_hz = np.linspace(0.0, 500.0, 5001)
    density = emg_power(frequency_hz)
    truth_hz = statistical_bandwidth(density, frequency_hz)
    found, plain = [], []
    for _ in range(200):
        pieces = muscle_noise(1000, RATE_HZ, chance).astype(float).reshape(4, 250)
        at_hz, drawn = power_spectrum(pieces, RATE_HZ)
        found.append(float(statistical_bandwidth(drawn.mean(axis=0), at_hz, n_windows=4)))
        plain.append(float(statistical_bandwidth(drawn.mean(axis=0), at_hz)))
    assert np.mean(found) == pytest.approx(truth_hz, rel=0.06)
    assert np.mean(plain) < 0.85 * truth_hz


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_the_rms_of_emg_scatters_as_the_formula_says(seconds):
    chance = np.random.default_rng(3)
    n = round(seconds * RATE_HZ)
    pieces = muscle_noise(400 * n, RATE_HZ, chance).astype(float).reshape(400, n)
    rms = np.sqrt(np.square(pieces).mean(axis=1))
    frequency_hz, density = welch(pieces.reshape(1, -1), RATE_HZ)
    bandwidth_hz = float(statistical_bandwidth(density, frequency_hz)[0])
    assert amplitude_cv(bandwidth_hz, seconds) == pytest.approx(rms.std() / rms.mean(), rel=0.1)


def test_four_times_the_signal_halves_the_scatter():
    assert amplitude_cv(100.0, 1.0) == pytest.approx(0.05)
    assert amplitude_cv(100.0, 4.0) == pytest.approx(0.025)
    assert amplitude_cv(0.0, 1.0) == math.inf
    assert amplitude_cv(100.0, 0.0) == math.inf


def test_a_steady_activation_counts_for_all_of_its_time():
    steady = np.full((250, 2), 40.0)
    np.testing.assert_allclose(effective_seconds(steady), 2.5)


def test_an_activation_that_is_there_half_of_the_time_counts_for_half_of_it():
    halves = np.repeat([[60.0], [0.0]], 100, axis=0)
    np.testing.assert_allclose(effective_seconds(halves), 1.0)


@given(st.lists(st.floats(1.0, 100.0), min_size=1, max_size=50), st.floats(0.1, 10.0))
def test_effective_time_is_never_more_than_there_is_and_knows_no_unit(amplitudes, unit):
    activation = np.array(amplitudes)[:, np.newaxis]
    seconds = effective_seconds(activation)
    assert 0.0 < seconds[0] <= len(amplitudes) / HOP_RATE_HZ * (1.0 + 1e-12)
    np.testing.assert_allclose(effective_seconds(unit * activation), seconds)


def test_noise_costs_time_and_silence_is_worth_none():
    activation = np.full((100, 3), 30.0)
    # (e² / a)² is (1 + 1)² a² where noise and muscle are as strong.
    np.testing.assert_allclose(effective_seconds(activation, np.array([0.0, 30.0, 60.0])), [1.0, 0.25, 0.04])
    assert effective_seconds(np.zeros((10, 1)), 5.0)[0] == 0.0
    assert effective_seconds(np.zeros((10, 1)))[0] == 0.0


def test_the_mean_of_a_varying_amplitude_scatters_as_its_effective_time_says():
    chance = np.random.default_rng(4)
    n_hops, n_takes = 200, 600
    envelope = 10.0 + 90.0 * np.sin(np.pi * np.arange(n_hops) / n_hops) ** 2
    frequency_hz = np.linspace(0.0, 500.0, 5001)
    bandwidth_hz = float(statistical_bandwidth(emg_power(frequency_hz), frequency_hz))
    noise = muscle_noise(n_takes * n_hops * 10, RATE_HZ, chance).astype(float)
    work = noise.reshape(n_takes, n_hops, 10) * envelope[:, np.newaxis]
    # As the envelope does: squares of 15 hops averaged.
    power = np.square(work).mean(axis=2)
    smooth = np.stack([np.convolve(row, np.ones(15) / 15, mode="valid") for row in power])
    means = np.sqrt(smooth).mean(axis=1)
    expected = amplitude_cv(bandwidth_hz, float(effective_seconds(envelope[:, np.newaxis])[0]))
    assert means.std() / means.mean() == pytest.approx(expected, rel=0.12)


def test_taking_noise_off_multiplies_the_scatter():
    assert muscle_cv(0.05, noise_to_muscle=0.0) == 0.05
    # 3-4-5: e² / a² = 25 / 16.
    assert muscle_cv(0.04, noise_to_muscle=0.75) == pytest.approx(0.0625)
    assert muscle_cv(0.0, noise_to_muscle=0.75, rest_cv=0.1) == pytest.approx(0.05625)


@pytest.mark.parametrize(("n", "mean", "sd"), [(1, 0.0, 1.0), (2, 0.5642, 0.8256), (10, 1.5388, 0.5868)])
def test_the_largest_of_normal_values_is_the_tabulated_one(n, mean, sd):
    assert best_of(n) == pytest.approx((mean, sd), abs=2e-4)


@pytest.mark.parametrize("spans", [0.0, 0.5, 2.0, 9.0])
def test_the_strongest_sliding_window_is_as_lucky_as_simulated(spans):
    chance = np.random.default_rng(5)
    noise = chance.standard_normal((4000, 50 + round(50 * spans)))
    sums = np.cumsum(np.pad(noise, ((0, 0), (1, 0))), axis=1)
    largest = ((sums[:, 50:] - sums[:, :-50]) / math.sqrt(50)).max(axis=1)
    mean, sd = strongest_window(0.5 * (1.0 + spans), 0.5)
    assert mean == pytest.approx(largest.mean(), abs=0.07)
    assert sd == pytest.approx(largest.std(), rel=0.05)

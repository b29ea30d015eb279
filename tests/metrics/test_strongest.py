"""The strongest half second, chance taken off: right on tones, steps and noise of known amplitude."""

import math

import numpy as np
import pytest

from emgmon.metrics.strongest import step_samples, strongest, window_power
from emgmon.metrics.uncertainty import amplitude_cv, statistical_bandwidth
from emgmon.virtual.muscle import emg_power, muscle_noise

RATE_HZ = 1000.0
FREQUENCY_HZ = np.linspace(0.0, 500.0, 5001)
BANDWIDTH_HZ = float(statistical_bandwidth(emg_power(FREQUENCY_HZ), FREQUENCY_HZ))


def tone(amplitude_uv, seconds):
    return amplitude_uv * np.sin(2 * np.pi * 100.0 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def found(clean_uv, bandwidth_hz=BANDWIDTH_HZ):
    return strongest(window_power(clean_uv, RATE_HZ, 0.5), step_s=0.01, bandwidth_hz=bandwidth_hz)


def test_a_window_of_a_tone_has_half_the_square_of_its_amplitude():
    power = window_power(tone(10.0, 2.0), RATE_HZ, 0.5)
    assert len(power) == 151
    np.testing.assert_allclose(power, 50.0, rtol=1e-9)


def test_a_window_that_misses_too_much_is_not_measured():
    signal = tone(10.0, 2.0)
    signal[600:800] = np.nan
    power = window_power(signal, RATE_HZ, 0.5)
    # Those that hold all of the hole lack two fifths.
    assert np.isnan(power[30:61]).all()
    np.testing.assert_allclose(power[~np.isnan(power)], 50.0, rtol=1e-2)
    assert not np.isnan(power[[0, 150]]).any()


@pytest.mark.parametrize(("rate_hz", "step"), [(2000.0, 20), (250.0, 2), (60.0, 1), (10.0, 1)])
def test_windows_move_by_a_hop_or_a_sample(rate_hz, step):
    assert step_samples(rate_hz) == step


def test_of_steps_the_highest_half_second_counts():
    chance = np.random.default_rng(8)
    steps = np.repeat([20.0, 100.0, 40.0], 2000)
    rms = [found(steps * muscle_noise(6000, RATE_HZ, chance)).rms for _ in range(100)]
    # A window that reaches over the edge of its step counts as one more chance.
    assert 0.97 < np.mean(rms) / 100.0 < 1.0


def test_a_tone_is_not_lucky_and_nothing_is_taken_off():
    best = found(tone(100.0, 5.0))
    assert best.rms == pytest.approx(best.seen, rel=1e-6)
    assert best.steady_s == pytest.approx(5.0)


def test_nothing_measured_has_no_strongest():
    assert found(np.full(2000, np.nan)) is None
    assert found(np.zeros(100)) is None


@pytest.mark.parametrize("seconds", [1.0, 3.0, 20.0])
def test_a_steady_contraction_comes_out_unbiased_with_the_scatter_that_is_stated(seconds):
    chance = np.random.default_rng(6)
    n_takes = 40 if seconds > 10.0 else 250
    takes = [found(100.0 * muscle_noise(round(seconds * RATE_HZ), RATE_HZ, chance)) for _ in range(n_takes)]
    rms = np.array([take.rms for take in takes])
    assert rms.mean() == pytest.approx(100.0, rel=0.012)
    assert np.mean([take.cv for take in takes]) == pytest.approx(rms.std() / rms.mean(), rel=0.2)
    # As it stands, the strongest half second is too high by far.
    assert np.mean([take.seen for take in takes]) > 104.0


def test_a_contraction_that_only_touches_its_peak_is_at_most_five_percent_too_low():
    chance = np.random.default_rng(7)
    envelope = 100.0 * np.clip(1.0 - np.abs(np.arange(5000) / RATE_HZ - 2.5) / 1.5, 0.0, 1.0)
    truth = math.sqrt(float(window_power(envelope, RATE_HZ, 0.5).max()))
    rms = [found(envelope * muscle_noise(5000, RATE_HZ, chance)).rms for _ in range(200)]
    assert 0.94 < np.mean(rms) / truth < 1.0


def test_a_single_window_scatters_like_any():
    best = found(tone(1.0, 0.5))
    assert best.cv == pytest.approx(amplitude_cv(BANDWIDTH_HZ, 0.5), rel=1e-4)

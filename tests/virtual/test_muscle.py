"""Muscle noise has the spectrum and the amplitude of its formula."""

import numpy as np
import pytest
from scipy.signal import welch

from emgmon.virtual import muscle
from emgmon.virtual.muscle import Tired, emg_power, muscle_noise

RATE_HZ = 2000.0


def median_frequency_hz(frequency_hz: np.ndarray, power: np.ndarray) -> float:
    band = (frequency_hz >= 20.0) & (frequency_hz <= 450.0)
    cumulative = np.cumsum(power[band])
    return float(np.interp(cumulative[-1] / 2.0, cumulative, frequency_hz[band]))


def test_the_formula_has_the_median_frequency_that_mathematics_gives() -> None:
    frequency_hz = np.linspace(20.0, 450.0, 400_001)
    assert median_frequency_hz(frequency_hz, emg_power(frequency_hz)) == pytest.approx(95.67, abs=0.01)


def test_the_noise_has_the_median_frequency_of_the_formula() -> None:
    noise = muscle_noise(600_000, RATE_HZ, np.random.default_rng(3))
    frequency_hz, power = welch(noise, RATE_HZ, nperseg=2048)
    assert median_frequency_hz(frequency_hz, power) == pytest.approx(95.67, abs=1.5)


@pytest.mark.parametrize("frequency_hz", [30.0, 60.0, 120.0, 300.0, 450.0])
def test_the_noise_has_the_power_of_the_formula_at_single_frequencies(frequency_hz: float) -> None:
    noise = muscle_noise(1_000_000, RATE_HZ, np.random.default_rng(4))
    grid_hz, power = welch(noise, RATE_HZ, nperseg=2000)
    fine_hz = np.linspace(0.0, 1000.0, 100_001)
    unit = emg_power(fine_hz) / (emg_power(fine_hz).sum() * fine_hz[1])
    near = np.abs(grid_hz - frequency_hz) <= 3.0
    # Seven bins of about 1000 averaged spectra each: 1.3 % standard deviation.
    assert power[near].mean() == pytest.approx(np.interp(grid_hz[near], fine_hz, unit).mean(), rel=0.06)


def test_the_noise_has_unit_rms() -> None:
    noise = muscle_noise(1_000_000, RATE_HZ, np.random.default_rng(5))
    # 500 s of about 150 Hz equivalent bandwidth: the RMS is known to 0.3 %.
    assert np.sqrt(np.mean(np.square(noise, dtype=np.float64))) == pytest.approx(1.0, rel=0.01)


def test_the_noise_is_gaussian_where_mean_rectified_over_rms_shows_it() -> None:
    noise = muscle_noise(1_000_000, RATE_HZ, np.random.default_rng(6)).astype(np.float64)
    assert np.abs(noise).mean() / noise.std() == pytest.approx(np.sqrt(2.0 / np.pi), rel=0.005)


def test_two_channels_are_independent() -> None:
    left = muscle_noise(200_000, RATE_HZ, np.random.default_rng(7))
    right = muscle_noise(200_000, RATE_HZ, np.random.default_rng(8))
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.02


def test_the_same_generator_gives_the_same_noise() -> None:
    first = muscle_noise(5000, RATE_HZ, np.random.default_rng(9))
    assert np.array_equal(first, muscle_noise(5000, RATE_HZ, np.random.default_rng(9)))


def test_a_tired_spectrum_has_its_median_compressed_and_its_amplitude_kept() -> None:
    tired = [Tired(0.0, 0.8)]
    noise = muscle_noise(600_000, RATE_HZ, np.random.default_rng(3), tired=tired)
    frequency_hz, power = welch(noise, RATE_HZ, nperseg=2048)
    found_hz = median_frequency_hz(frequency_hz, power)
    assert found_hz == pytest.approx(muscle.median_frequency_hz(0.8), abs=1.5)
    # The band begins at 20 Hz whatever the scale, so the median falls by a little less than a fifth.
    assert found_hz / 95.67 == pytest.approx(0.8, abs=0.04)
    assert np.sqrt(np.mean(np.square(noise, dtype=np.float64))) == pytest.approx(1.0, rel=0.02)


def test_the_spectrum_changes_where_it_is_told_to_and_nowhere_else() -> None:
    tired = [Tired(0.0, 1.0), Tired(2.0, 0.7)]
    noise = muscle_noise(12_000, RATE_HZ, np.random.default_rng(3), tired=tired)
    rested = muscle_noise(12_000, RATE_HZ, np.random.default_rng(3))
    np.testing.assert_allclose(noise[:4000], rested[:4000], atol=1e-5)
    assert np.abs(noise[4000:] - rested[4000:]).max() > 0.5


def test_the_median_frequency_of_rested_muscle_is_that_of_the_formula() -> None:
    assert muscle.median_frequency_hz() == pytest.approx(95.67, abs=0.05)

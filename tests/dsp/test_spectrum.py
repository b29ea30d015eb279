import numpy as np
import pytest
from scipy.signal import periodogram
from scipy.signal import welch as scipy_welch

from emgmon.dsp.spectrum import band_power, power_spectrum, welch


def noise(n_samples, n_channels=2, seed=0):
    return np.random.default_rng(seed).normal(3.0, 20.0, (n_channels, n_samples))


@pytest.mark.parametrize("n_samples", [80, 81, 445, 800])
def test_the_density_of_one_window_is_that_of_scipy(n_samples):
    x = noise(n_samples)
    frequency_hz, density = power_spectrum(x, 1000.0)
    expected_hz, expected = periodogram(x, 1000.0, window="hann", detrend="constant")
    np.testing.assert_allclose(frequency_hz, expected_hz)
    np.testing.assert_allclose(density, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 1000.0, 1111.1, 2000.0])
def test_the_averaged_density_is_that_of_scipy(rate_hz):
    x, length = noise(3000), round(0.25 * rate_hz)
    frequency_hz, density = welch(x, rate_hz)
    expected_hz, expected = scipy_welch(
        x, rate_hz, window="hann", nperseg=length, noverlap=length - length // 2, detrend="constant"
    )
    np.testing.assert_allclose(frequency_hz, expected_hz)
    np.testing.assert_allclose(density, expected, rtol=1e-9, atol=1e-12)


def test_the_density_of_a_sine_sums_to_its_power():
    sine = 40.0 * np.sin(2 * np.pi * 100.0 * np.arange(2000) / 1000.0)[np.newaxis]
    frequency_hz, density = welch(sine, 1000.0)
    np.testing.assert_allclose(band_power(density, frequency_hz, 20.0, 450.0), 800.0, rtol=1e-9)
    np.testing.assert_allclose(band_power(density, frequency_hz, 150.0, 450.0), 0.0, atol=1e-9)


def test_a_signal_shorter_than_a_window_is_given_on_the_same_grid():
    whole_hz, _ = welch(noise(2000), 1000.0)
    short_hz, density = welch(noise(100), 1000.0)
    np.testing.assert_array_equal(short_hz, whole_hz)
    assert band_power(density, short_hz, 0.0, 501.0)[0] == pytest.approx(400.0, rel=0.5)


def test_windows_that_miss_samples_are_left_out_channel_by_channel():
    x = noise(2000)
    holed = x.copy()
    holed[1, 1990] = np.nan
    _, density = welch(holed, 1000.0)
    np.testing.assert_array_equal(density[0], welch(x, 1000.0)[1][0])
    np.testing.assert_array_equal(density[1], welch(x[:, :1875], 1000.0)[1][1])


def test_a_channel_without_a_whole_window_has_no_density():
    x = noise(1000)
    x[1, ::100] = np.nan
    _, density = welch(x, 1000.0)
    assert np.isfinite(density[0]).all()
    assert np.isnan(density[1]).all()


def test_the_bits_of_a_row_do_not_depend_on_its_neighbours():
    x = noise(445, n_channels=33)
    _, together = power_spectrum(x, 1000.0)
    for row in range(33):
        np.testing.assert_array_equal(power_spectrum(x[row : row + 1], 1000.0)[1][0], together[row])

"""Inputs whose outputs follow from exact mathematics, one test for each row."""

import math

import numpy as np
import pytest

from emgmon.dsp.filters import butterworth_sos, sosfilt_inplace
from emgmon.metrics.engagement import share_pct
from emgmon.metrics.features import amplitude_features
from emgmon.metrics.frequency import (
    mean_frequency,
    median_frequency,
    power_response,
    spectral_index,
    spectral_moment,
)
from emgmon.metrics.reference import minimal_detectable_difference
from emgmon.metrics.symmetry import symmetry_pct
from emgmon.virtual.muscle import emg_power

GRID_HZ = np.arange(0.0, 501.0)
FINE_HZ = np.arange(0.0, 500.01, 0.05)


def test_a_sine_has_its_rms_and_its_rectified_mean():
    features = amplitude_features(3.0 * np.sin(2.0 * np.pi * (np.arange(100_000) + 0.5) / 100_000))
    assert features.rms_uv == pytest.approx(3.0 / math.sqrt(2.0), rel=1e-9)
    assert features.mav_uv == pytest.approx(6.0 / math.pi, rel=1e-9)


def test_gaussian_noise_has_a_rectified_mean_of_0_797885_of_its_rms():
    features = amplitude_features(np.random.default_rng(1).standard_normal(2_000_000))
    assert features.mav_uv / features.rms_uv == pytest.approx(0.797885, abs=1e-3)


def test_the_short_series_has_the_features_that_can_be_counted_by_hand():
    features = amplitude_features(np.array([1.0, -1.0, 2.0, -2.0, 3.0, -3.0]))
    assert features.mav_uv == 2.0
    assert features.rms_uv == pytest.approx(2.1602469, abs=1e-7)
    assert features.waveform_length_uv == 20.0
    assert features.zero_crossings == 5
    assert features.slope_sign_changes == 4
    assert features.iemg_uv == 12.0
    assert features.variance_uv2 == pytest.approx(5.6)


def test_a_flat_spectrum_has_median_and_mean_in_the_middle():
    flat = np.ones_like(GRID_HZ)
    assert median_frequency(flat, GRID_HZ) == pytest.approx(235.0, rel=1e-12)
    assert mean_frequency(flat, GRID_HZ) == pytest.approx(235.0, rel=1e-12)


def test_a_flat_spectrum_has_the_index_of_the_continuous_integral():
    assert spectral_index(np.ones_like(GRID_HZ), GRID_HZ) == pytest.approx(2.2497133e-15, rel=1e-7)


def test_the_muscle_model_has_its_median_and_mean_frequency():
    assert median_frequency(emg_power(FINE_HZ), FINE_HZ) == pytest.approx(95.67, abs=0.005)
    assert mean_frequency(emg_power(FINE_HZ), FINE_HZ) == pytest.approx(115.49, abs=0.005)


@pytest.mark.parametrize(
    ("scale", "factor"), [(0.95, 1.36), (0.9, 1.8817), (0.8, 3.81), (0.68, 10.1)], ids=str
)
def test_a_scaled_spectrum_scales_its_median_and_raises_its_index_to_the_minus_sixth(scale, factor):
    density, scaled_hz, band_hz = emg_power(GRID_HZ), scale * GRID_HZ, (20.0 * scale, 450.0 * scale)
    median_hz = median_frequency(density, scaled_hz, band_hz)
    assert median_hz == pytest.approx(scale * median_frequency(density, GRID_HZ), rel=1e-12)
    grown = spectral_index(density, scaled_hz, band_hz) / spectral_index(density, GRID_HZ)
    assert grown == pytest.approx(scale**-6, rel=1e-9)
    assert grown == pytest.approx(factor, rel=3e-3)


@pytest.mark.parametrize("order", [-1, 1, 2, 3, 4, 5])
def test_a_moment_over_the_power_moment_scales_with_the_frequency_to_its_order(order):
    density, scaled_hz, band_hz = emg_power(GRID_HZ), 0.9 * GRID_HZ, (18.0, 405.0)
    after = spectral_moment(density, scaled_hz, order, band_hz) / spectral_moment(
        density, scaled_hz, 0, band_hz
    )
    before = spectral_moment(density, GRID_HZ, order) / spectral_moment(density, GRID_HZ, 0)
    assert after / before == pytest.approx(0.9**order, rel=1e-9)


@pytest.mark.parametrize(
    ("glute_pct", "back_pct", "ratio", "share", "log_ratio"),
    [(24.0, 49.0, 0.490, 32.9, -0.714), (52.0, 17.0, 3.059, 75.4, 1.118)],
    ids=["preferred", "drawing in"],
)
def test_the_published_prone_hip_extensions_have_their_ratio_and_share(
    glute_pct, back_pct, ratio, share, log_ratio
):
    found = math.log(glute_pct / back_pct)
    assert found == pytest.approx(log_ratio, abs=0.0005)
    assert math.exp(found) == pytest.approx(ratio, abs=0.0005)
    assert share_pct(found) == pytest.approx(share, abs=0.05)


def test_forty_left_and_thirty_right_differ_by_28_57_percent():
    assert symmetry_pct(40.0, 30.0) == pytest.approx(28.57, abs=0.005)


def test_a_test_retest_spread_has_its_standard_error_and_detectable_change():
    agreement = minimal_detectable_difference(6.5)
    assert agreement.sem == pytest.approx(4.60, abs=0.005)
    assert agreement.mdc95 == pytest.approx(12.74, abs=0.005)


@pytest.mark.parametrize(("order", "factor"), [(2, 0.8022), (4, 0.8957)])
def test_a_low_pass_run_forth_and_back_has_its_corner_lower(order, factor):
    corner_hz, rate_hz = 6.0, 20_000.0
    sos = butterworth_sos(order, corner_hz, rate_hz, kind="low")
    once = power_response(sos, np.array([factor * corner_hz]), rate_hz)
    # Each way has this power response, both together its square: -3 dB is half the power.
    assert once**2 == pytest.approx(0.5, abs=2e-4)


def test_a_sine_at_that_corner_comes_back_at_half_its_power():
    rate_hz, corner_hz = 1000.0, 6.0
    n = round(40 * rate_hz)
    wave = np.sin(2.0 * np.pi * 0.8022 * corner_hz * np.arange(n) / rate_hz)[None]
    sos = butterworth_sos(2, corner_hz, rate_hz, kind="low")
    for _ in range(2):
        sosfilt_inplace(sos, wave, np.zeros((1, len(sos), 2)))
        wave = np.ascontiguousarray(wave[:, ::-1])
    middle = wave[0, n // 4 : -n // 4]
    assert np.mean(middle**2) == pytest.approx(0.25, rel=0.01)

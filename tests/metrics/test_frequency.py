import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dsp.filters import BandPass, band_pass
from emgmon.events import Quality
from emgmon.metrics.frequency import (
    ARTEFACT_HZ,
    CHANCE_FACTOR,
    LEAST_SNR_DB,
    mean_frequency,
    median_frequency,
    power_response,
    spectral_figures,
    spectral_index,
    spectral_moment,
)
from emgmon.virtual.artefacts import amplifier_noise
from emgmon.virtual.muscle import emg_power, frequency_grid, muscle_noise, shaped_noise, taps_for

RATE_HZ = 2000.0
TRUE_MEDIAN_HZ = 95.674
"""Of the muscle model, as it is before any filter."""
SETTLED_S = 0.5


def cleaned(emg_uv, rate_hz=RATE_HZ):
    filtered = BandPass(n_channels=len(emg_uv), rate_hz=rate_hz).process(np.array(emg_uv, dtype=np.float64))
    return filtered[:, round(SETTLED_S * rate_hz) :]


def work(seed, *, seconds=1.0, n_channels=1, snr_db=25.0, rate_hz=RATE_HZ, scale=1.0):
    """Cleaned samples of a contraction, and the RMS of the same channels at rest."""
    chance = np.random.default_rng(seed)
    n, noise_uv = round((seconds + SETTLED_S) * rate_hz), 100.0 * 10.0 ** (-snr_db / 20.0)
    taps = taps_for(emg_power(frequency_grid(rate_hz) / scale))
    emg_uv, rest_uv = (
        np.stack(
            [
                muscle_uv * shaped_noise(n, taps, chance) + noise_uv * amplifier_noise(n, rate_hz, chance)
                for _ in range(n_channels)
            ]
        )
        for muscle_uv in (100.0, 0.0)
    )
    return cleaned(emg_uv, rate_hz), np.sqrt(np.square(cleaned(rest_uv, rate_hz)).mean(axis=1))


def figures(clean_uv, rest_uv, *, rate_hz=RATE_HZ, quality=Quality.GOOD, gap=None):
    return spectral_figures(clean_uv, rate_hz=rate_hz, rest_uv=rest_uv, quality=quality, gap=gap)


@pytest.mark.parametrize("bin_hz", [0.5, 1.0, 4.0, 7.3])
def test_a_flat_density_halves_in_the_middle_of_the_band_whatever_the_grid(bin_hz):
    frequency_hz = np.arange(0.0, 1000.0, bin_hz)
    assert median_frequency(np.ones_like(frequency_hz), frequency_hz) == pytest.approx(235.0, rel=1e-12)


@given(st.floats(0.5, 2.0), st.floats(1e-6, 1e6))
def test_the_median_follows_the_scale_of_frequency_and_ignores_that_of_power(scale, gain):
    frequency_hz = np.arange(0.0, 501.0)
    band_hz = (20.0 * scale, 450.0 * scale)
    scaled = median_frequency(gain * emg_power(frequency_hz), scale * frequency_hz, band_hz)
    assert scaled == pytest.approx(scale * median_frequency(emg_power(frequency_hz), frequency_hz), rel=1e-9)


def test_a_band_that_ends_between_bins_or_beyond_the_last_is_cut_exactly():
    frequency_hz, density = np.arange(0.0, 401.0, 4.0), np.ones(101)
    assert spectral_moment(density, frequency_hz, 0, (21.0, 99.0)) == pytest.approx(78.0)
    assert spectral_moment(density, frequency_hz, 0, (20.0, 100.0)) == pytest.approx(80.0)
    assert spectral_moment(density, frequency_hz, 0, (20.0, 450.0)) == pytest.approx(380.0)
    assert median_frequency(density, frequency_hz, (20.0, 450.0)) == pytest.approx(210.0)


def test_without_power_there_is_no_frequency():
    frequency_hz, nothing = np.arange(0.0, 501.0), np.zeros(501)
    found = (
        median_frequency(nothing, frequency_hz),
        mean_frequency(nothing, frequency_hz),
        spectral_index(nothing, frequency_hz),
    )
    assert all(math.isnan(value) for value in found)


def test_the_response_is_half_at_either_corner_of_the_band_pass():
    response = power_response(band_pass(RATE_HZ).sos, np.array([30.0, 120.0, 450.0]), RATE_HZ)
    assert response == pytest.approx([0.5, 1.0, 0.5], abs=1e-4)


def test_what_the_band_pass_took_is_given_back():
    found = [figures(*work(seed, seconds=20.0, snr_db=60.0)).median_frequency.value for seed in range(12)]
    # Left as it comes out of the filter, the median would lie at 98.9 Hz.
    assert np.mean(found) == pytest.approx(TRUE_MEDIAN_HZ, abs=0.6)


@pytest.mark.parametrize(
    ("seconds", "n_channels", "snr_db"), [(0.5, 1, 30.0), (1.0, 1, 15.0), (1.0, 2, 11.0), (2.5, 2, 20.0)]
)
def test_the_interval_covers_the_true_median_as_often_as_it_says(seconds, n_channels, snr_db):
    made = (work(seed, seconds=seconds, n_channels=n_channels, snr_db=snr_db) for seed in range(200))
    metrics = [figures(*one).median_frequency for one in made]
    covered = np.mean([metric.low <= TRUE_MEDIAN_HZ <= metric.high for metric in metrics])
    assert covered >= 0.92
    half_width_hz = np.mean([metric.high - metric.value for metric in metrics])
    scatter_hz = np.std([metric.value for metric in metrics])
    # Wider than chance by what repetitions of a moving body add to it.
    allowed_hz = 1.96 * math.hypot(CHANCE_FACTOR * scatter_hz, ARTEFACT_HZ)
    assert half_width_hz == pytest.approx(allowed_hz, rel=0.25)


def test_rest_noise_does_not_lift_the_median():
    found = [figures(*work(seed, seconds=4.0, snr_db=11.0)).median_frequency.value for seed in range(40)]
    # Not subtracted, noise at 11 dB would lift it by 4 Hz.
    assert np.mean(found) == pytest.approx(TRUE_MEDIAN_HZ, abs=1.0)


def test_two_channels_know_the_median_better_than_one():
    clean_uv, rest_uv = work(1, n_channels=2)
    one, two = (figures(clean_uv[:n], rest_uv[:n]).median_frequency for n in (1, 2))
    assert two.high - two.low < 0.85 * (one.high - one.low)


@pytest.mark.parametrize("rate_hz", [800.0, 1000.0, 1925.926])
def test_other_rates_give_the_same_median(rate_hz):
    made = (work(seed, seconds=10.0, rate_hz=rate_hz) for seed in range(10))
    found = [figures(*one, rate_hz=rate_hz).median_frequency.value for one in made]
    assert np.mean(found) == pytest.approx(TRUE_MEDIAN_HZ, abs=1.5)


@pytest.mark.parametrize("scale", [0.9, 0.8])
def test_a_compressed_spectrum_raises_the_index_and_lowers_the_median_as_the_model_does(scale):
    rested, slowed = (
        [figures(*work(seed, seconds=2.0, snr_db=20.0, scale=factor)) for seed in range(30)]
        for factor in (1.0, scale)
    )
    grown = np.mean([one.log_index for one in slowed]) - np.mean([one.log_index for one in rested])
    bins_hz = np.arange(0.0, 501.0)
    before, after = (spectral_index(emg_power(bins_hz / factor), bins_hz) for factor in (1.0, scale))
    assert grown == pytest.approx(math.log(after / before), abs=0.05)
    fallen = np.mean([one.median_frequency.value for one in slowed]) / TRUE_MEDIAN_HZ
    assert fallen == pytest.approx(scale, abs=0.03)


def test_windows_that_miss_samples_are_left_out_and_widen_the_interval():
    clean_uv, rest_uv = work(3, seconds=3.0)
    whole = figures(clean_uv, rest_uv).median_frequency
    clean_uv[0, 2000:2600] = np.nan
    holed = figures(clean_uv, rest_uv).median_frequency
    assert holed.value == pytest.approx(whole.value, rel=0.05)
    assert holed.high - holed.low > whole.high - whole.low


def test_the_windows_that_are_left_give_the_same_as_if_they_had_come_alone():
    clean_uv, rest_uv = work(3, seconds=3.0)
    clean_uv[0, 2000:] = np.nan
    assert figures(clean_uv, rest_uv).median_frequency.value == pytest.approx(
        figures(clean_uv[:, :2000], rest_uv).median_frequency.value, rel=1e-12
    )


def test_too_many_missing_samples_leave_no_figure():
    clean_uv, rest_uv = work(3)
    clean_uv[0, ::400] = np.nan
    metric = figures(clean_uv, rest_uv).median_frequency
    assert (metric.value, metric.n, metric.reason) == (None, 0, "samples are missing in this repetition")


def test_half_a_second_is_enough_and_less_is_not():
    clean_uv, rest_uv = work(3)
    assert figures(clean_uv[:, :1000], rest_uv).median_frequency.value is not None
    metric = figures(clean_uv[:, :900], rest_uv).median_frequency
    assert metric.reason == "a spectrum needs half a second of work, this was 0.45 s"


def test_near_the_rest_noise_there_is_no_figure():
    metric = figures(*work(3, snr_db=LEAST_SNR_DB - 3.0)).median_frequency
    assert metric.value is None
    assert "above its noise at rest" in metric.reason


def test_a_silent_channel_has_no_spectrum():
    measured = figures(np.zeros((1, 4000)), np.array([0.0]))
    assert (measured.median_frequency.value, measured.log_index) == (None, None)


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 500.0])
def test_a_slow_channel_says_where_its_spectrum_ends(rate_hz):
    metric = figures(np.ones((1, 2000)), np.array([1.0]), rate_hz=rate_hz).median_frequency
    assert f"ends too early, at {0.45 * rate_hz:.0f} Hz" in metric.reason


def test_envelopes_gaps_absent_electrodes_and_unknown_rest_are_named():
    clean_uv, rest_uv = work(3)
    assert "envelope" in figures(None, rest_uv).median_frequency.reason
    assert figures(clean_uv, rest_uv, gap="samples are lost").median_frequency.reason == "samples are lost"
    assert "no electrode" in figures(clean_uv[:0], rest_uv[:0]).median_frequency.reason
    assert "not known" in figures(clean_uv, np.array([np.nan])).median_frequency.reason


def test_a_moderate_signal_to_noise_ratio_is_usable_at_best():
    assert figures(*work(3, snr_db=12.0)).median_frequency.quality is Quality.USABLE
    assert figures(*work(3, snr_db=25.0)).median_frequency.quality is Quality.GOOD
    assert figures(*work(3), quality=Quality.REJECT).median_frequency.quality is Quality.REJECT


def test_uneven_effort_is_known_less_well_than_even_effort():
    n = round(3.0 * RATE_HZ)
    even_uv = 100.0 * muscle_noise(n, RATE_HZ, np.random.default_rng(5)).astype(np.float64)[None]
    burst = np.where(np.arange(n) < n / 4, 1.0, 0.1)
    even, uneven = (figures(cleaned(x), np.array([0.1])).median_frequency for x in (even_uv, even_uv * burst))
    assert uneven.high - uneven.low > 1.5 * (even.high - even.low)

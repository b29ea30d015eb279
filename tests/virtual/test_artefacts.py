"""Each artefact has the amplitude asked for and stays in its part of the spectrum."""

import numpy as np
import pytest
from scipy.signal import periodogram

from emgmon.virtual import artefacts

RATE_HZ = 2000.0


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def power_fraction(values: np.ndarray, low_hz: float, high_hz: float) -> float:
    frequency_hz, power = periodogram(values.astype(np.float64), RATE_HZ, detrend=False)
    return float(power[(frequency_hz >= low_hz) & (frequency_hz <= high_hz)].sum() / power.sum())


def test_hum_has_unit_rms_over_whole_periods() -> None:
    hum = artefacts.mains_hum(20_000, RATE_HZ, mains_hz=50.0, phases=(0.3, 1.0))
    assert rms(hum) == pytest.approx(1.0, abs=1e-6)


def test_hum_lies_at_the_mains_frequency_and_its_third_harmonic() -> None:
    hum = artefacts.mains_hum(20_000, RATE_HZ, mains_hz=50.0, phases=(0.3, 1.0))
    assert power_fraction(hum, 49.5, 50.5) == pytest.approx(1.0 / 1.04, abs=1e-4)
    assert power_fraction(hum, 149.5, 150.5) == pytest.approx(0.04 / 1.04, abs=1e-4)


def test_the_heartbeat_peaks_at_exactly_one() -> None:
    beats = artefacts.heartbeat(20_000, RATE_HZ, np.array([2.0, 3.0, 4.0]))
    assert beats.max() == 1.0
    assert np.flatnonzero(beats == 1.0).tolist() == [4000, 6000, 8000]


def test_a_heartbeat_at_the_edge_of_the_recording_is_cut_not_moved() -> None:
    whole = artefacts.heartbeat(4000, RATE_HZ, np.array([1.0]))
    cut = artefacts.heartbeat(2100, RATE_HZ, np.array([1.0]))
    assert np.array_equal(cut, whole[:2100])


@pytest.mark.parametrize("seed", range(5))
def test_every_interval_between_beats_is_that_of_70_to_110_per_minute(seed: int) -> None:
    times_s = artefacts.beat_times(300.0, np.random.default_rng(seed))
    intervals_s = np.diff(times_s)
    assert intervals_s.min() >= 60.0 / 110.0 - 1e-9
    assert intervals_s.max() <= 60.0 / 70.0 + 1e-9
    assert times_s[0] <= 60.0 / 70.0
    assert times_s[-1] >= 300.0 - 60.0 / 70.0
    assert intervals_s.std() > 0.01


def test_amplifier_noise_has_unit_rms_and_is_flat_over_the_emg_band() -> None:
    noise = artefacts.amplifier_noise(400_000, RATE_HZ, np.random.default_rng(1))
    assert rms(noise) == pytest.approx(1.0, rel=0.01)
    low = power_fraction(noise, 50.0, 150.0)
    high = power_fraction(noise, 350.0, 450.0)
    assert low == pytest.approx(high, rel=0.05)
    assert power_fraction(noise, 530.0, 1000.0) < 0.001


def test_drift_stays_below_one_hertz_and_has_unit_rms() -> None:
    drift = artefacts.drift(1_200_000, RATE_HZ, np.random.default_rng(2))
    assert rms(drift) == pytest.approx(1.0, rel=0.1)
    assert power_fraction(drift, 1.0, 1000.0) < 1e-3


def test_a_motion_burst_stays_below_20_hertz_and_around_its_moment() -> None:
    bursts = artefacts.motion_bursts(20_000, RATE_HZ, [5.0], np.random.default_rng(3))
    assert 0.1 < np.abs(bursts).max() <= 1.0
    assert power_fraction(bursts, 20.0, 1000.0) < 0.005
    assert np.flatnonzero(bursts).min() >= 4.75 * RATE_HZ
    assert np.flatnonzero(bursts).max() <= 5.25 * RATE_HZ


def test_a_motion_burst_at_the_very_start_or_end_is_cut_off() -> None:
    bursts = artefacts.motion_bursts(4000, RATE_HZ, [0.0, 2.0, 9.0], np.random.default_rng(3))
    assert len(bursts) == 4000
    assert np.abs(bursts[:500]).max() > 0.0
    assert np.abs(bursts[-500:]).max() > 0.0

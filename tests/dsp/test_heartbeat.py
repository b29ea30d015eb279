import numpy as np
import pytest

from benchmarks.heartbeat import left_by_us, mix, read_counts
from benchmarks.real_data import VARIABLE, real_data
from emgmon.dsp.filters import BandPass
from emgmon.dsp.heartbeat import heartbeat_share, rest_between_beats, subtract_beats
from tests.dsp.heart import beat_samples, heart_uv, muscle_uv

RATE_HZ = 1000.0
N = 60_000
FOLDER = real_data()
needs_real_data = pytest.mark.skipif(
    FOLDER is None, reason=f"no real recordings here; {VARIABLE} names their folder"
)


def band_passed(raw_uv, rate_hz=RATE_HZ):
    return BandPass(n_channels=1, rate_hz=rate_hz).process(raw_uv[np.newaxis].copy())[0]


def rms(values):
    return np.sqrt(np.nanmean(np.square(values)))


@pytest.mark.parametrize("per_min", [45, 75, 150])
@pytest.mark.parametrize("rate_hz", [200.0, 1000.0, 2000.0])
def test_a_heart_alone_is_taken_out_of_the_emg_band(rate_hz, per_min):
    beats = beat_samples(60, rate_hz, per_min)
    raw_uv = heart_uv(beats, round(60 * rate_hz), rate_hz, peak_uv=100)
    cleaned_uv, _ = subtract_beats(raw_uv, beats, rate_hz)
    assert rms(band_passed(cleaned_uv, rate_hz)) < 0.03 * rms(band_passed(raw_uv, rate_hz))


def test_cleaned_signal_and_artefact_are_what_was_given():
    beats = beat_samples(60, RATE_HZ, 75)
    raw_uv = heart_uv(beats, N, RATE_HZ, peak_uv=100) + muscle_uv(N, RATE_HZ, rest_uv=5)
    cleaned_uv, artefact_uv = subtract_beats(raw_uv, beats, RATE_HZ)
    np.testing.assert_allclose(cleaned_uv + artefact_uv, raw_uv, atol=1e-12)


def test_a_contraction_keeps_its_emg_and_does_not_get_into_the_template():
    beats = beat_samples(60, RATE_HZ, 75)
    heart = heart_uv(beats, N, RATE_HZ, peak_uv=100)
    emg_uv = muscle_uv(N, RATE_HZ, rest_uv=3, work_uv=60)
    _, artefact_uv = subtract_beats(heart + emg_uv, beats, RATE_HZ)
    error_uv = band_passed(artefact_uv - heart)
    # Two thirds of the beats are at rest, so some forty of the sixty neighbours make the mean.
    assert rms(error_uv) < 1.2 * 3 / np.sqrt(40)
    assert rms(error_uv) < 0.1 * rms(band_passed(heart))


def test_beats_where_no_heart_is_take_little_out():
    emg_uv = muscle_uv(N, RATE_HZ, rest_uv=10)
    _, artefact_uv = subtract_beats(emg_uv, beat_samples(60, RATE_HZ, 75), RATE_HZ)
    assert rms(band_passed(artefact_uv)) < 0.02 * rms(band_passed(emg_uv))


def test_the_heart_may_change_slowly():
    beats = beat_samples(200, RATE_HZ, 75)
    size = np.linspace(1.0, 0.3, 200_000)
    raw_uv = size * heart_uv(beats, 200_000, RATE_HZ, peak_uv=100)
    cleaned_uv, _ = subtract_beats(raw_uv, beats, RATE_HZ)
    assert rms(band_passed(cleaned_uv)) < 0.12 * rms(band_passed(raw_uv))


def test_nothing_steps_where_a_beat_is_taken_out():
    beats = beat_samples(60, RATE_HZ, 75)
    drift_uv = 500 * np.sin(2 * np.pi * 0.3 * np.arange(N) / RATE_HZ)
    _, artefact_uv = subtract_beats(drift_uv, beats, RATE_HZ)
    assert np.max(np.abs(np.diff(artefact_uv))) < 1.0


def test_gaps_stay_gaps_and_cost_only_the_beats_in_them():
    beats = beat_samples(60, RATE_HZ, 75)
    raw_uv = heart_uv(beats, N, RATE_HZ, peak_uv=100)
    whole_uv, _ = subtract_beats(raw_uv, beats, RATE_HZ)
    holed = raw_uv.copy()
    holed[beats[20] + 5 : beats[22]] = np.nan
    cleaned_uv, artefact_uv = subtract_beats(holed, beats, RATE_HZ)
    np.testing.assert_array_equal(np.isnan(cleaned_uv), np.isnan(holed))
    assert not np.isnan(artefact_uv).any()
    there = ~np.isnan(holed)
    np.testing.assert_allclose(cleaned_uv[there], whole_uv[there], atol=0.5)


def test_a_beat_cut_by_the_start_is_taken_out_as_far_as_it_is_there():
    beats = np.concatenate([[3], beat_samples(60, RATE_HZ, 75)])
    raw_uv = heart_uv(beats, N, RATE_HZ, peak_uv=100)
    cleaned_uv, _ = subtract_beats(raw_uv, beats, RATE_HZ)
    assert rms(cleaned_uv[:40]) < 0.05 * rms(raw_uv[:40])


def test_channels_are_cleaned_each_by_its_own_template():
    beats = beat_samples(60, RATE_HZ, 75)
    raw_uv = np.outer([1.0, -0.3], heart_uv(beats, N, RATE_HZ, peak_uv=100))
    cleaned_uv, artefact_uv = subtract_beats(raw_uv, beats, RATE_HZ)
    assert cleaned_uv.shape == artefact_uv.shape == raw_uv.shape
    for row, given, laid in zip(cleaned_uv, raw_uv, artefact_uv, strict=True):
        alone_uv, alone_artefact_uv = subtract_beats(given, beats, RATE_HZ)
        np.testing.assert_array_equal(row, alone_uv)
        np.testing.assert_array_equal(laid, alone_artefact_uv)


@pytest.mark.parametrize("n_beats", [0, 1, 4])
def test_with_hardly_any_beats_nothing_is_taken_out(n_beats):
    beats = beat_samples(60, RATE_HZ, 75)[:n_beats]
    raw_uv = muscle_uv(N, RATE_HZ, rest_uv=5)
    np.testing.assert_array_equal(subtract_beats(raw_uv, beats, RATE_HZ)[0], raw_uv)


def clean_with_pulses(beats, *, pulse_uv):
    """White noise of RMS 5, and within 50 ms of each beat of `pulse_uv`."""
    clean_uv = np.random.default_rng(0).normal(0, 5, N)
    near = np.abs(np.arange(N)[:, np.newaxis] - beats).min(axis=1) <= 50
    clean_uv[near] *= pulse_uv / 5
    return clean_uv, near.mean()


@pytest.mark.parametrize("pulse_uv", [5.0, 15.0, 50.0])
def test_the_heartbeat_share_is_the_power_beyond_what_lies_beside(pulse_uv):
    beats = beat_samples(60, RATE_HZ, 75)
    clean_uv, near = clean_with_pulses(beats, pulse_uv=pulse_uv)
    true = near * (pulse_uv**2 - 25) / (near * pulse_uv**2 + (1 - near) * 25)
    assert heartbeat_share(clean_uv, beats, RATE_HZ) == pytest.approx(true, abs=0.015)


def test_contractions_are_no_heartbeat():
    beats = beat_samples(60, RATE_HZ, 75)
    clean_uv = band_passed(muscle_uv(N, RATE_HZ, rest_uv=5, work_uv=100))
    assert heartbeat_share(clean_uv, beats, RATE_HZ) < 0.03


def test_rest_between_beats_is_the_rest_without_the_heart():
    beats = beat_samples(60, RATE_HZ, 75)
    clean_uv, _ = clean_with_pulses(beats, pulse_uv=80.0)
    clean_uv[1000:1500] = np.nan
    assert rest_between_beats(clean_uv, beats, RATE_HZ) == pytest.approx(5.0, rel=0.02)
    assert rms(clean_uv) > 20.0


def test_shares_of_nothing_are_not_measured():
    beats = beat_samples(60, RATE_HZ, 75)
    nothing = np.full(N, np.nan)
    assert heartbeat_share(nothing, beats, RATE_HZ) is None
    assert heartbeat_share(np.zeros(N), beats, RATE_HZ) is None
    assert heartbeat_share(np.ones(N), np.empty(0, dtype=np.int64), RATE_HZ) is None
    assert rest_between_beats(nothing, beats, RATE_HZ) is None
    assert rest_between_beats(np.ones(100), np.array([50]), RATE_HZ) is None
    assert rest_between_beats(np.ones(100), np.empty(0, dtype=np.int64), RATE_HZ) == 1.0


@needs_real_data
@pytest.mark.parametrize(("ratio_db", "most_left"), [(0.0, 0.2), (6.0, 0.25), (12.0, 0.4)])
def test_of_a_real_heart_on_real_emg_little_is_left_between_contractions(ratio_db, most_left):
    folder = FOLDER / "bursts_fatigue_ecg"
    emg, ecg = read_counts(folder / "emg_bursts.csv.gz"), read_counts(folder / "ecg_5_min.csv.gz")
    left = left_by_us(mix("bursts", emg, ecg[: len(emg)], ratio_db, RATE_HZ))
    in_bursts, between = (
        after / before for after, before in zip(left["subtracted"], left["band-pass"], strict=True)
    )
    assert between < most_left
    assert in_bursts < 0.5

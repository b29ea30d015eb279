import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.beats import find_beats
from emgmon.virtual.muscle import muscle_noise
from tests.dsp.heart import beat_samples, heart_uv, muscle_uv, precision_recall


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 997.3, 2000.0])
@pytest.mark.parametrize("per_min", [36, 75, 120])
def test_every_beat_of_a_resting_muscle_is_found_and_nothing_else(rate_hz, per_min):
    n = round(60 * rate_hz)
    beats = beat_samples(60, rate_hz, per_min)
    raw_uv = heart_uv(beats, n, rate_hz, peak_uv=100) + muscle_uv(n, rate_hz, rest_uv=5)
    found = find_beats(raw_uv, rate_hz)
    assert len(found) == len(beats)
    np.testing.assert_allclose(found, beats, atol=max(1.0, 0.003 * rate_hz))


def test_a_heart_of_two_hundred_beats_is_followed():
    beats = beat_samples(60, 1000.0, 200)
    raw_uv = heart_uv(beats, 60000, 1000.0, peak_uv=100) + muscle_uv(60000, 1000.0, rest_uv=5)
    precision, recall = precision_recall(find_beats(raw_uv, 1000.0), beats, 1000.0)
    assert precision == 1.0
    assert recall > 0.95


@pytest.mark.parametrize(("peak_uv", "least_recall"), [(60, 0.9), (200, 1.0)])
def test_beats_are_carried_through_contractions_where_they_stand_out(peak_uv, least_recall):
    beats = beat_samples(80, 1000.0, 80)
    emg_uv = muscle_uv(80000, 1000.0, rest_uv=5, work_uv=40)
    found = find_beats(heart_uv(beats, 80000, 1000.0, peak_uv=peak_uv) + emg_uv, 1000.0)
    precision, recall = precision_recall(found, beats, 1000.0)
    assert precision >= 0.95
    assert recall >= least_recall


def test_beats_drowned_by_a_contraction_are_left_out():
    beats = beat_samples(80, 1000.0, 80)
    emg_uv = muscle_uv(80000, 1000.0, rest_uv=3, work_uv=400)
    found = find_beats(heart_uv(beats, 80000, 1000.0, peak_uv=50) + emg_uv, 1000.0)
    working = found / 1000.0 % 4.0 > 2.6
    assert (~working).sum() > 55
    assert working.sum() < 6


def test_one_channel_shows_the_beats_for_another_that_hides_them():
    beats = beat_samples(60, 1000.0, 80)
    clear_uv = heart_uv(beats, 60000, 1000.0, peak_uv=100) + muscle_uv(60000, 1000.0, rest_uv=5)
    hidden_uv = muscle_uv(60000, 1000.0, rest_uv=5, work_uv=200, seed=1)
    found = find_beats(np.stack([hidden_uv, clear_uv]), 1000.0)
    assert precision_recall(found, beats, 1000.0) == (1.0, 1.0)
    missing = np.full(60000, np.nan)
    np.testing.assert_array_equal(
        find_beats(np.stack([missing, clear_uv]), 1000.0), find_beats(clear_uv, 1000.0)
    )


def test_an_early_beat_that_stands_out_is_found():
    beats = beat_samples(60, 1000.0, 70, spread=0.02)
    beats[30] -= 250
    raw_uv = heart_uv(beats, 60000, 1000.0, peak_uv=100) + muscle_uv(60000, 1000.0, rest_uv=5)
    assert precision_recall(find_beats(raw_uv, 1000.0), beats, 1000.0) == (1.0, 1.0)


def test_counts_near_the_ends_of_their_type_do_not_overflow():
    beats = beat_samples(60, 1000.0, 75)
    raw = 26000 + heart_uv(beats, 60000, 1000.0, peak_uv=6000) + muscle_uv(60000, 1000.0, rest_uv=100)
    found = find_beats(np.round(raw).astype(np.int16), 1000.0)
    np.testing.assert_array_equal(found, find_beats(np.round(raw), 1000.0))
    assert precision_recall(found, beats, 1000.0) == (1.0, 1.0)


def test_gaps_hide_their_beats_and_no_others():
    beats = beat_samples(60, 1000.0, 75)
    raw_uv = heart_uv(beats, 60000, 1000.0, peak_uv=100) + muscle_uv(60000, 1000.0, rest_uv=5) + 3000
    raw_uv[20000:26000] = np.nan
    raw_uv[40000] = np.nan
    found = find_beats(raw_uv, 1000.0)
    clear = (np.abs(beats - 23000) > 3200) & (np.abs(beats - 40000) > 200)
    precision, _ = precision_recall(found, beats, 1000.0)
    _, recall = precision_recall(found, beats[clear], 1000.0)
    assert (precision, recall) == (1.0, 1.0)
    assert not ((found > 20000) & (found < 26000)).any()


@pytest.mark.parametrize("rate_hz", [200.0, 1000.0])
@pytest.mark.parametrize("seed", range(5))
def test_there_is_no_heartbeat_in_muscle(rate_hz, seed):
    n = round(60 * rate_hz)
    assert len(find_beats(muscle_uv(n, rate_hz, rest_uv=5, seed=seed), rate_hz)) == 0
    assert len(find_beats(muscle_uv(n, rate_hz, rest_uv=5, work_uv=50, seed=seed), rate_hz)) == 0


@settings(max_examples=15, deadline=None)
@given(st.floats(0.6, 2.0), st.floats(0.15, 0.4), st.integers(0, 99))
def test_a_muscle_that_works_as_regularly_as_a_heart_is_none(pulse_hz, work_share, seed):
    time_s = np.arange(60000) / 1000.0
    noise = muscle_noise(60000, 1000.0, np.random.default_rng(seed))
    assert len(find_beats(noise * np.where(time_s * pulse_hz % 1.0 < work_share, 50, 5), 1000.0)) == 0


@pytest.mark.parametrize(
    "raw",
    [
        np.zeros(0),
        np.zeros(60000),
        np.full(60000, np.nan),
        np.full((2, 60000), 7),
        np.arange(60000),
        np.tile([32767, -32768], 30000).astype(np.int16),
        np.random.default_rng(0).normal(size=3000),
    ],
    ids=["nothing", "zero", "missing", "constant", "slope", "rails", "short"],
)
def test_there_is_no_heartbeat_where_nothing_beats(raw):
    assert len(find_beats(raw, 1000.0)) == 0


def test_the_same_recording_in_another_unit_has_the_same_beats():
    beats = beat_samples(40, 1000.0, 75)
    raw_uv = heart_uv(beats, 40000, 1000.0, peak_uv=100) + muscle_uv(40000, 1000.0, rest_uv=5, work_uv=30)
    np.testing.assert_array_equal(find_beats(raw_uv / 1024.0, 1000.0), find_beats(raw_uv, 1000.0))

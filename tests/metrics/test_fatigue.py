import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import theilslopes

from emgmon.dsp.filters import BandPass
from emgmon.events import Quality
from emgmon.metrics.fatigue import (
    MIN_LABEL_REPS,
    MIN_SLOPE_REPS,
    assess_fatigue,
    fatigue_metric,
    fatigue_sentence,
    relative_log_index,
    relative_to_start,
    theil_sen,
)
from emgmon.metrics.frequency import spectral_figures

REAL_DATA = Path(os.environ.get("EMGMON_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.parametrize("n", [5, 6, 9, 14, 40, 70])
def test_slope_and_interval_are_those_of_scipy(n):
    chance = np.random.default_rng(n)
    x = np.sort(chance.permutation(3 * n)[:n]).astype(float)
    y = 100.0 - 1.5 * x + 4.0 * chance.standard_normal(n)
    slope, expected = theil_sen(x, y), theilslopes(y, x)
    assert slope.value == pytest.approx(expected[0], rel=1e-12)
    assert slope.low == pytest.approx(expected[2], rel=0.1)
    assert slope.high == pytest.approx(expected[3], rel=0.1)


@pytest.mark.parametrize("n", [5, 8, 12, 30])
def test_the_interval_covers_the_true_slope_at_least_as_often_as_it_says(n):
    chance, x = np.random.default_rng(1), np.arange(1.0, n + 1.0)
    slopes = [theil_sen(x, 2.0 * x + chance.standard_normal(n)) for _ in range(1000)]
    assert 0.935 <= np.mean([slope.low <= 2.0 <= slope.high for slope in slopes]) <= 0.99


@given(st.floats(-5.0, 5.0), st.floats(-100.0, 100.0))
def test_a_line_added_to_the_points_is_added_to_the_slope(added, offset):
    x, y = np.arange(8.0), np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0])
    plain, tilted = theil_sen(x, y), theil_sen(x, y + added * x + offset)
    assert tilted.value == pytest.approx(plain.value + added, abs=1e-9)
    assert tilted.low == pytest.approx(plain.low + added, abs=1e-9)


def test_one_wild_repetition_does_not_decide():
    x, y = np.arange(1.0, 11.0), 100.0 - np.arange(10.0)
    y[4] = 500.0
    assert theil_sen(x, y).value == pytest.approx(-1.0, abs=0.01)


def test_four_points_have_no_95_percent_interval_and_so_no_slope():
    assert theil_sen([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]) is None
    assert theil_sen(range(1, 6), [5.0, 4.0, 3.0, 2.0, 1.0]).n == MIN_SLOPE_REPS


def test_repetitions_that_were_not_measured_keep_their_place_but_do_not_count():
    frequency_hz = [100.0, 99.0, math.nan, 97.0, 96.0, math.nan, 94.0]
    metric = fatigue_metric(range(1, 8), frequency_hz, quality=Quality.GOOD)
    # The start is the median of 100, 99 and 97 Hz.
    assert (metric.value, metric.n) == (pytest.approx(-100.0 / 99.0), 5)


def test_change_is_relative_to_the_median_of_the_first_three():
    assert relative_to_start([90.0, 110.0, 100.0, 50.0]).tolist() == [90.0, 110.0, 100.0, 50.0]
    assert relative_log_index([1.0, 3.0, 2.0, 5.0]).tolist() == [-1.0, 1.0, 0.0, 3.0]
    assert np.isnan(relative_to_start([math.nan, math.nan])).all()


def test_too_few_repetitions_are_counted_in_the_reason():
    metric = fatigue_metric([1, 2, 3], [90.0, math.nan, 80.0], quality=Quality.GOOD)
    assert metric.value is None
    assert metric.reason == "a trend needs 5 repetitions with a median frequency, there were 2"


def assessed(n, *, frequency, amplitude):
    number = np.arange(1.0, n + 1.0)
    wiggle = 0.2 * np.cos(2.0 * number)
    return assess_fatigue(
        "glute",
        number=number,
        median_frequency_hz=95.0 + frequency * number + wiggle,
        log_index=-31.0 - 0.06 * frequency * number,
        engagement_pct=40.0 + amplitude * number + wiggle,
        quality=Quality.USABLE,
    )


def test_a_falling_frequency_beside_a_growing_amplitude_is_put_into_kind_words():
    fatigue = assessed(8, frequency=-1.0, amplitude=1.0)
    assert fatigue.sentence == "The glute's signal slowed while it grew, which can be a sign of tiring."
    assert fatigue.frequency.high < 0.0 < fatigue.amplitude.low
    assert fatigue.frequency.quality is Quality.USABLE
    assert fatigue.index.value == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("n", "frequency", "amplitude"),
    [(8, -1.0, 0.0), (8, 0.0, 1.0), (8, -1.0, -1.0), (8, 1.0, 1.0), (MIN_LABEL_REPS - 1, -1.0, 1.0)],
    ids=["amplitude stays", "frequency stays", "amplitude falls", "frequency rises", "too few"],
)
def test_anything_less_is_left_unsaid(n, frequency, amplitude):
    assert assessed(n, frequency=frequency, amplitude=amplitude).sentence is None


def test_chance_alone_hardly_ever_finds_words():
    chance, number, said = np.random.default_rng(3), np.arange(1.0, 11.0), 0
    for _ in range(500):
        frequency = theil_sen(number, 95.0 + 3.0 * chance.standard_normal(10))
        amplitude = theil_sen(number, 40.0 + 4.0 * chance.standard_normal(10))
        said += fatigue_sentence("glute", frequency, amplitude) is not None
    assert said <= 2


def _contractions(emg_uv, rate_hz):
    """Cleaned signal, its RMS at rest, and start and end of each contraction, by a plain threshold."""
    clean_uv = np.nan_to_num(BandPass(n_channels=1, rate_hz=rate_hz).process(emg_uv[None].copy())[0])
    window = round(0.25 * rate_hz)
    envelope_uv = np.sqrt(np.convolve(clean_uv**2, np.ones(window) / window, mode="same"))
    edges = np.diff((envelope_uv > 0.25 * np.percentile(envelope_uv, 95)).astype(int))
    spans = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    rest_uv = np.percentile(envelope_uv, 3)
    return clean_uv, rest_uv, list(spans)


@pytest.mark.skipif(
    not (REAL_DATA / "bursts_fatigue_ecg").is_dir(), reason="the real recordings are not on this machine"
)
def test_a_real_fatiguing_set_of_thirty_contractions_slows_for_certain():
    path = REAL_DATA / "bursts_fatigue_ecg" / "emg_fatigue.csv.gz"
    counts = np.loadtxt(path, delimiter=",", skiprows=1)[:, 1]
    clean_uv, rest_uv, spans = _contractions(counts - 2048.0, 1000.0)
    assert len(spans) == 30
    measured = [
        spectral_figures(
            clean_uv[None, start:stop], rate_hz=1000.0, rest_uv=np.array([rest_uv]), quality=Quality.GOOD
        )
        for start, stop in spans
    ]
    frequency_hz = [one.median_frequency.value for one in measured]
    metric = fatigue_metric(range(1, 31), frequency_hz, quality=Quality.GOOD)
    assert metric.n == 30
    assert metric.high < 0.0
    index = theil_sen(range(1, 31), relative_log_index([one.log_index for one in measured]))
    assert index.low > 0.0

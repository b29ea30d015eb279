from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.timeline import SampleClock
from emgmon.events import Quality
from emgmon.metrics.calibration import ChannelCalibration
from emgmon.metrics.engagement import Muscle
from emgmon.metrics.symmetry import (
    TOLERATED_PCT,
    detectable_symmetry_pct,
    symmetry_metric,
    symmetry_pct,
    symmetry_sentence,
)
from emgmon.virtual.muscle import muscle_noise


def channel(side, *, reference_cv=0.05, reference_uv=100.0):
    return ChannelCalibration(
        "gluteus_maximus", side, 2.0, reference_uv, reference_cv=reference_cv, bandwidth_hz=185.0
    )


def glute(*sides):
    parts = tuple(channel(side) for side in sides)
    return Muscle("glute", tuple(range(len(sides))), parts, None, Quality.GOOD, "mvic")


BOTH = glute("left", "right")


def level(*percent, n_hops=200):
    return np.tile(np.array(percent), (n_hops, 1))


positive = st.floats(1.0, 200.0)


@given(positive, positive)
def test_exchanging_the_sides_changes_the_sign_and_nothing_else(left, right):
    one, other = (symmetry_metric(BOTH, level(*pair), gap=None) for pair in ((left, right), (right, left)))
    assert one.value == pytest.approx(-other.value, abs=1e-9)
    assert one.low == pytest.approx(-other.high, abs=1e-9)


@given(positive, positive)
def test_the_interval_holds_the_value_and_stays_within_one_side_alone(left, right):
    metric = symmetry_metric(BOTH, level(left, right), gap=None)
    assert -200.0 <= metric.low < metric.value < metric.high <= 200.0


def test_the_columns_are_told_apart_by_the_calibration_not_by_their_order():
    value = symmetry_metric(glute("right", "left"), level(30.0, 40.0), gap=None).value
    assert value == pytest.approx(symmetry_pct(40.0, 30.0))


def test_one_side_alone_is_not_compared():
    for muscle in (glute("left"), glute(None), glute("left", "left")):
        metric = symmetry_metric(muscle, level(40.0, 30.0), gap=None)
        assert (metric.value, metric.reason) == (None, "needs an electrode on the glute of either side")


def test_what_hinders_the_glute_hinders_its_symmetry():
    absent = replace(BOTH, missing="no calibration: rest and reference were not measured")
    assert "no calibration" in symmetry_metric(absent, level(40.0, 30.0), gap=None).reason
    assert symmetry_metric(BOTH, level(40.0, 30.0), gap="samples are lost").reason == "samples are lost"
    assert "missing" in symmetry_metric(BOTH, level(40.0, np.nan), gap=None).reason
    assert "rest noise" in symmetry_metric(BOTH, level(40.0, 0.0), gap=None).reason


def test_quality_and_normalisation_come_along():
    metric = symmetry_metric(BOTH, level(40.0, 30.0), gap=None, seen=Quality.USABLE)
    assert (metric.quality, metric.normalisation, metric.n) == (Quality.USABLE, "mvic", 1)


def test_the_detectable_difference_is_that_of_the_log_ratio_and_shrinks_with_repetitions():
    assert detectable_symmetry_pct(1) == pytest.approx(43.1, abs=0.1)
    assert detectable_symmetry_pct(9) == pytest.approx(detectable_symmetry_pct(1) / 3.0)


def test_a_difference_is_mentioned_only_beyond_both_limits():
    metric = symmetry_metric(BOTH, level(40.0, 30.0), gap=None)
    assert symmetry_sentence(metric, detectable_pct=30.0) is None
    said = symmetry_sentence(metric, detectable_pct=20.0)
    assert said.startswith("The left glute was more active than the right, by 29 % of their mean.")
    assert "information only" in said
    small = symmetry_metric(BOTH, level(30.0, 30.0 * 1.15), gap=None)
    assert abs(small.value) < TOLERATED_PCT
    assert symmetry_sentence(small, detectable_pct=1.0) is None
    other = symmetry_metric(BOTH, level(30.0, 40.0), gap=None)
    assert symmetry_sentence(other, detectable_pct=1.0).startswith("The right glute")


def test_nothing_is_said_about_what_was_not_measured():
    absent = symmetry_metric(glute("left"), level(40.0), gap=None)
    assert symmetry_sentence(absent, detectable_pct=1.0) is None


def _envelope(emg_uv, rate_hz=1000.0):
    stage = EnvelopeStage(n_channels=len(emg_uv), rate_hz=rate_hz)
    clock = SampleClock(anchor_sample=0, anchor_s=0.0, rate_hz=rate_hz)
    first = stage.process(np.array(emg_uv, dtype=np.float64), clock, 0).envelope_uv
    return np.concatenate([first, stage.finish().envelope_uv])


def test_the_interval_covers_the_true_symmetry_as_often_as_it_says():
    covered, true = [], symmetry_pct(50.0, 35.0)
    gain = np.nanmean(_envelope(muscle_noise(200_000, 1000.0, np.random.default_rng(0))[None]))
    for seed in range(150):
        chance = np.random.default_rng(seed)
        emg_uv = np.stack([uv * muscle_noise(2500, 1000.0, chance) for uv in (50.0, 35.0)])
        reference = gain * (1.0 + 0.05 * chance.standard_normal(2))
        metric = symmetry_metric(BOTH, _envelope(emg_uv)[25:225] / reference, gap=None)
        covered.append(metric.low <= true <= metric.high)
    assert 0.91 <= np.mean(covered) <= 0.99

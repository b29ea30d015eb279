import math

import numpy as np
import pytest

from emgmon.events import Metric, Quality
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.engagement import (
    BACK_SITES,
    GLUTE_SITES,
    ChannelSite,
    Engagement,
    Muscle,
    engagement,
    engagement_metric,
    find_muscle,
    share_metrics,
    share_pct,
    summarise,
)

GLUTE = Muscle("glute", (0,), 2.0, None, Quality.GOOD)
BACK = Muscle("back", (1,), 2.0, None, Quality.USABLE)
SITES = [
    ChannelSite("gluteus_maximus", "left"),
    ChannelSite("gluteus_maximus", "right"),
    ChannelSite("gluteus_medius", "left"),
    ChannelSite("erector_spinae", "left"),
]


def calibration(*snr_db, rest_uv=1.0):
    return Calibration(
        "mvic",
        tuple(
            ChannelCalibration(s.site, s.side, rest_uv, rest_uv * 10 ** (db / 20))
            for s, db in zip(SITES, snr_db, strict=True)
        ),
    )


def part(muscle, percent, cv=0.05):
    return Engagement(muscle, percent, cv, None)


@pytest.mark.parametrize(
    ("glute", "back", "share", "log_ratio"),
    [(24.0, 49.0, 32.9, -0.714), (52.0, 17.0, 75.4, 1.118)],
    ids=["Oh 2007 preferred", "Oh 2007 drawing in"],
)
def test_share_and_log_ratio_are_those_of_the_published_means(glute, back, share, log_ratio):
    share_metric, ratio_metric = share_metrics(part(GLUTE, glute), part(BACK, back))
    assert share_metric.value == pytest.approx(share, abs=0.05)
    assert ratio_metric.value == pytest.approx(log_ratio, abs=0.0005)
    assert share_metric.low < share_metric.value < share_metric.high
    assert share_metric.quality is Quality.USABLE


def test_the_share_is_the_logistic_function_of_the_log_ratio():
    assert share_pct(math.log(52 / 17)) == pytest.approx(100 * 52 / 69)
    assert share_pct(0.0) == 50.0


def test_a_silent_muscle_has_a_share_but_no_ratio():
    share, ratio = share_metrics(part(GLUTE, 40.0), part(BACK, 0.0))
    assert (share.value, ratio.value) == (100.0, None)
    assert "back" in ratio.reason
    share, ratio = share_metrics(part(GLUTE, 0.0), part(BACK, 0.0))
    assert share.value is None
    assert "neither" in share.reason


def test_a_muscle_that_was_not_measured_leaves_no_number_behind():
    absent = Engagement(
        Muscle("back", (), 2.0, "no electrode on the back", Quality.REJECT), None, math.nan, "no electrode"
    )
    share, _ = share_metrics(part(GLUTE, 40.0), absent)
    assert (share.value, share.low, share.n, share.reason) == (None, None, 0, "no electrode")
    assert engagement_metric(absent).value is None


def test_both_sides_of_the_first_site_that_is_worn_are_averaged():
    muscle = find_muscle("glute", GLUTE_SITES, SITES, calibration(20, 20, 20, 20))
    assert muscle.channels == (0, 1)
    activation = np.array([[10.0, 30.0, 99.0, 99.0], [20.0, 40.0, 99.0, 99.0]])
    assert engagement(muscle, activation, gap=None).percent == 25.0


@pytest.mark.parametrize(
    ("snr_db", "quality"), [(20, Quality.GOOD), (10, Quality.USABLE), (5, Quality.REJECT)]
)
def test_quality_is_that_of_the_weakest_channel(snr_db, quality):
    muscle = find_muscle("glute", GLUTE_SITES, SITES, calibration(30, snr_db, 30, 30))
    assert muscle.quality is quality
    assert (muscle.missing is None) == (quality is not Quality.REJECT)


def test_why_a_muscle_cannot_be_measured_is_said():
    assert "no electrode on the back" in find_muscle("back", BACK_SITES, SITES[:3], None).missing
    assert "no calibration" in find_muscle("back", BACK_SITES, SITES, None).missing
    empty = Calibration("mvic", ())
    assert "does not cover" in find_muscle("back", BACK_SITES, SITES, empty).missing


def test_missing_hops_are_not_averaged_over():
    holed = np.array([[10.0], [np.nan]])
    assert engagement(GLUTE, holed, gap=None).percent is None
    assert engagement(GLUTE, np.ones((2, 1)), gap="20 ms are missing").reason == "20 ms are missing"
    assert engagement(GLUTE, np.empty((0, 1)), gap=None).percent is None


def metric(value, reason=None):
    return Metric("lift_s", value, None, None, int(value is not None), Quality.GOOD, reason)


def test_a_set_is_the_mean_of_the_repetitions_that_vote():
    (mean,) = summarise([[metric(1.0)], [metric(3.0)], [metric(50.0)]], [True, True, False])
    assert (mean.value, mean.n) == (2.0, 2)
    # Mean 2, standard deviation sqrt(2), Student's t for one degree of freedom 12.706; no time is negative.
    assert (mean.low, mean.high) == pytest.approx((0.0, 14.706))


def test_a_metric_that_no_repetition_has_keeps_its_reason():
    (mean,) = summarise([[metric(None, "needs a sensor")]], [True])
    assert (mean.value, mean.reason) == (None, "needs a sensor")
    (mean,) = summarise([[metric(1.0)]], [False])
    assert (mean.value, mean.n) == (None, 0)

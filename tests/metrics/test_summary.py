import math

import pytest

from emgmon.events import Metric, Quality
from emgmon.metrics.calibration import ChannelCalibration
from emgmon.metrics.engagement import Z_95, Body, Muscle
from emgmon.metrics.summary import summarise


def metric(value, reason=None, name="lift_s"):
    return Metric(name, value, None, None, int(value is not None), Quality.GOOD, reason)


def muscle(name, *cvs):
    parts = tuple(ChannelCalibration("site", None, 1.0, 100.0, reference_cv=cv) for cv in cvs)
    return Muscle(name, tuple(range(len(cvs))), parts, None, Quality.GOOD, "mvic")


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


def test_what_the_calibration_is_off_by_does_not_average_out():
    body = Body(muscle("glute", 0.1), muscle("back", 0.03, 0.04), None)
    reps = [[metric(60.0, name="glute_engagement_pct"), metric(60.0, name="glute_share_pct")]] * 400
    level, share = summarise(reps, [True] * 400, body=body)
    assert (level.low, level.high) == pytest.approx((60.0 - Z_95 * 6.0, 60.0 + Z_95 * 6.0))
    # Two channels of 3 and 4 % make a mean known to 2.5 %; 24 points of share go with a log ratio of 1.
    assert share.high - share.value == pytest.approx(Z_95 * math.hypot(0.1, 0.025) * 24.0)

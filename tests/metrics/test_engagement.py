import math

import numpy as np
import pytest

from emgmon.dsp.filters import BandPass
from emgmon.events import Quality
from emgmon.metrics.calibration import Calibration, ChannelCalibration, activation_pct
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
)
from emgmon.virtual.muscle import muscle_noise

GLUTE = Muscle(
    "glute", (0,), (ChannelCalibration("gluteus_maximus", None, 2.0, 100.0),), None, Quality.GOOD, "mvic"
)
BACK = Muscle(
    "back", (1,), (ChannelCalibration("erector_spinae", None, 2.0, 100.0),), None, Quality.USABLE, "mvic"
)
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
    return Engagement(muscle, percent, cv, None, muscle.quality)


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
        Muscle("back", (), (), "no electrode on the back", Quality.REJECT), None, math.nan, "no electrode"
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


def test_every_percentage_carries_what_100_percent_stands_for():
    share, ratio = share_metrics(part(GLUTE, 24.0), part(BACK, 49.0))
    assert {m.normalisation for m in (share, ratio, engagement_metric(part(GLUTE, 24.0)))} == {"mvic"}
    mixed = Calibration(
        "mvic",
        (
            ChannelCalibration("gluteus_maximus", "left", 1.0, 100.0),
            ChannelCalibration("gluteus_maximus", "right", 1.0, 100.0, method="best-so-far"),
        ),
    )
    muscle = find_muscle("glute", GLUTE_SITES, SITES[:2], mixed)
    assert muscle.normalisation == "mvic and best-so-far"


def test_a_channel_that_is_only_usable_over_the_repetition_makes_its_muscle_so():
    assert engagement(GLUTE, np.ones((9, 1)), gap=None, seen=Quality.USABLE).quality is Quality.USABLE
    assert engagement(GLUTE, np.ones((9, 1)), gap=None).quality is Quality.GOOD


@pytest.mark.parametrize("snr_db", [30.0, 15.0, 8.0])
def test_the_scatter_of_an_engagement_is_the_one_that_repeating_it_shows(snr_db):
    """Shaped noise of a steady muscle, its rest noise and its bandwidth known, two seconds a time."""
    rate_hz, percent, reference_uv = 1000.0, 50.0, 100.0
    rest_uv = reference_uv * percent / 100.0 / 10 ** (snr_db / 20)
    chance = np.random.default_rng(7)
    n = 200 * 2000
    clean_uv = BandPass(n_channels=1, rate_hz=rate_hz).process(
        (50.0 * muscle_noise(n, rate_hz, chance) + rest_uv * chance.standard_normal(n))[np.newaxis].astype(
            float
        )
    )[0]
    density = np.abs(np.fft.rfft(clean_uv[1000:])) ** 2
    smooth = density[: len(density) // 400 * 400].reshape(-1, 400).mean(axis=1)
    bin_hz = rate_hz / 2.0 / len(smooth)
    bandwidth_hz = float(smooth.sum() ** 2 / (smooth**2).sum() * bin_hz)
    known = ChannelCalibration(
        "gluteus_maximus", None, rest_uv, reference_uv, reference_cv=0.0, bandwidth_hz=bandwidth_hz
    )
    muscle = Muscle("glute", (0,), (known,), None, Quality.GOOD)
    squares = np.nan_to_num(clean_uv) ** 2
    envelope_uv = np.sqrt(np.convolve(squares, np.ones(150) / 150, mode="same"))[5::10, np.newaxis]
    activation = activation_pct(envelope_uv, np.array([rest_uv]), np.array([reference_uv]))
    parts = [engagement(muscle, piece, gap=None) for piece in activation.reshape(200, 200, 1)[1:-1]]
    seen = np.std([p.percent for p in parts]) / np.mean([p.percent for p in parts])
    # Rest noise is known exactly here, so the scatter allowed for it makes the figure a little larger.
    assert 0.85 * seen < np.mean([p.cv for p in parts]) < 1.5 * seen

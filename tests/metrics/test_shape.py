import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.timeline import SampleClock
from emgmon.events import Quality
from emgmon.metrics.calibration import ChannelCalibration, activation_pct
from emgmon.metrics.engagement import Muscle
from emgmon.metrics.shape import late_back_surge, squeeze_sustain
from emgmon.virtual.artefacts import amplifier_noise
from emgmon.virtual.muscle import muscle_noise

RATE_HZ = 1000.0
LEAD_S = 0.5
"""Signal before and after the stretch of interest, for the filter and the envelope."""


def muscle(name, *, n_channels=1, rest_uv=1.0, reference_uv=100.0):
    part = ChannelCalibration(
        "gluteus_maximus", None, rest_uv, reference_uv, reference_cv=0.05, bandwidth_hz=185.0
    )
    return Muscle(name, tuple(range(n_channels)), (part,) * n_channels, None, Quality.GOOD, "mvic")


GLUTE, BACK = muscle("glute"), muscle("back")


def column(values):
    return np.asarray(values, dtype=np.float64)[:, None]


def envelope_uv(emg_uv):
    stage = EnvelopeStage(n_channels=len(emg_uv), rate_hz=RATE_HZ)
    clock = SampleClock(anchor_sample=0, anchor_s=0.0, rate_hz=RATE_HZ)
    first = stage.process(np.array(emg_uv, dtype=np.float64), clock, 0).envelope_uv
    return np.concatenate([first, stage.finish().envelope_uv])


@pytest.fixture(scope="module")
def cleaned_gain():
    """What is left of unit muscle noise, and of unit amplifier noise, after cleaning."""
    chance = np.random.default_rng(99)
    return tuple(
        float(np.sqrt(np.nanmean(np.square(envelope_uv(make(200_000, RATE_HZ, chance)[None])))))
        for make in (muscle_noise, amplifier_noise)
    )


class Course:
    """A true activation, in percent over seconds, and what an electrode makes of it."""

    def __init__(self, seconds, *points, n_channels=1, noise_pct=5.0):
        self.seconds, self.n_channels, self.noise_pct = seconds, n_channels, noise_pct
        self.times_s, self.percent = zip(*points, strict=True)

    def at(self, t_s):
        return np.interp(t_s, self.times_s, self.percent)

    @property
    def true_hops(self):
        return self.at(np.arange(round(100 * self.seconds)) / 100 + 0.005)

    def recorded(self, seed, gain):
        chance = np.random.default_rng(seed)
        n = round((self.seconds + 2 * LEAD_S) * RATE_HZ)
        level = self.at(np.arange(n) / RATE_HZ - LEAD_S)
        emg_uv = [
            level * muscle_noise(n, RATE_HZ, chance) + self.noise_pct * amplifier_noise(n, RATE_HZ, chance)
            for _ in range(self.n_channels)
        ]
        first = round(100 * LEAD_S)
        hops_uv = envelope_uv(np.stack(emg_uv))[first : first + round(100 * self.seconds)]
        return activation_pct(hops_uv, np.float64(self.noise_pct * gain[1]), np.float64(100.0 * gain[0]))

    def muscle(self, name, gain):
        rest_uv, reference_uv = self.noise_pct * gain[1], 100.0 * gain[0]
        return muscle(name, n_channels=self.n_channels, rest_uv=rest_uv, reference_uv=reference_uv)


def test_a_squeeze_that_never_lets_go_lasts_all_the_time():
    metric = squeeze_sustain(GLUTE, column(np.full(200, 40.0)), gap=None)
    assert (metric.value, metric.high) == (100.0, 100.0)
    assert metric.normalisation == "mvic"


def test_a_squeeze_that_lets_go_half_way_lasts_half_the_time():
    activity = column([40.0] * 100 + [5.0] * 100)
    metric = squeeze_sustain(GLUTE, activity, gap=None, edge_s=0.0)
    assert metric.value == 50.0
    assert 48.0 < metric.low < 50.0 < metric.high < 52.0
    # Edges known to 50 ms of two seconds, each adding or taking half of what it moves by.
    unsharp = squeeze_sustain(GLUTE, activity, gap=None, edge_s=0.05)
    margins = [0.5 * (one.high - one.low) for one in (metric, unsharp)]
    assert margins[1] == pytest.approx(math.hypot(margins[0], 1.96 * math.sqrt(0.5) * 2.5))


@given(st.floats(20.0, 180.0))
def test_how_hard_a_squeeze_is_does_not_matter_for_how_long_it_lasts(percent):
    shape = np.concatenate([np.full(70, 1.0), np.full(130, 0.2)])
    assert squeeze_sustain(GLUTE, column(percent * shape), gap=None).value == 35.0


def test_where_the_noise_would_decide_what_counts_there_is_no_figure():
    # Three times the noise is 30 %, half of the peaks 50 % and 20 %.
    noisy = muscle("glute", rest_uv=10.0)
    strong = squeeze_sustain(noisy, column([100.0] * 20 + [40.0] * 80 + [20.0] * 100), gap=None)
    assert strong.value == 10.0
    weak = squeeze_sustain(noisy, column([40.0] * 100 + [25.0] * 100), gap=None)
    assert weak.value is None
    assert "less than 6 times its rest noise" in weak.reason
    clean = squeeze_sustain(muscle("glute", rest_uv=1.0), column([40.0] * 100 + [25.0] * 100), gap=None)
    assert clean.value == 100.0


def test_a_level_close_to_the_threshold_is_less_certain():
    far = squeeze_sustain(GLUTE, column([40.0] * 100 + [5.0] * 100), gap=None)
    near = squeeze_sustain(GLUTE, column([40.0] * 100 + [19.0] * 100), gap=None)
    assert near.high - near.low > 3.0 * (far.high - far.low)


def test_a_glute_at_its_rest_noise_has_no_squeeze():
    metric = squeeze_sustain(muscle("glute", rest_uv=10.0), column(np.full(200, 20.0)), gap=None)
    assert metric.reason == "the glute hardly rose above its rest noise"


@pytest.mark.parametrize(
    ("curve", "channels", "noise_pct"),
    [
        (((-0.1, 5), (0.3, 100), (1.4, 100), (1.8, 20), (2.5, 20)), 1, 5.0),
        (((-0.1, 5), (0.4, 100), (2.5, 10), (2.8, 5)), 2, 5.0),
        (((-0.2, 5), (0.8, 100), (1.7, 100), (2.7, 5)), 1, 10.0),
        (((-0.1, 5), (0.4, 100), (2.5, 10), (2.8, 5)), 2, 12.0),
    ],
    ids=["lets go", "fades", "ramps", "fades in noise"],
)
def test_the_interval_of_the_squeeze_covers_its_true_length(cleaned_gain, curve, channels, noise_pct):
    course = Course(2.5, *curve, n_channels=channels, noise_pct=noise_pct)
    glute, true = course.muscle("glute", cleaned_gain), course.true_hops
    rest_pct = 100.0 * glute.parts[0].rest_uv / glute.parts[0].reference_uv
    truth = 100.0 * np.mean(true >= max(3.0 * rest_pct, 0.5 * np.percentile(true, 95)))
    metrics = [squeeze_sustain(glute, course.recorded(seed, cleaned_gain), gap=None) for seed in range(120)]
    assert np.mean([metric.low <= truth <= metric.high for metric in metrics]) >= 0.9
    assert np.mean([metric.value for metric in metrics]) == pytest.approx(truth, abs=5.0)
    assert np.mean([metric.high - metric.low for metric in metrics]) < 25.0


def test_a_back_that_doubles_at_the_end_of_the_lift_surges_twofold():
    metric = late_back_surge(BACK, column([20.0] * 80 + [40.0] * 20), gap=None)
    assert metric.value == pytest.approx(2.0)
    assert metric.low < 2.0 < metric.high
    assert metric.low * metric.high == pytest.approx(4.0)


@given(st.floats(0.2, 5.0))
def test_the_reference_cancels_in_the_surge(gain):
    activity = column([20.0] * 80 + [30.0] * 20)
    plain, scaled = (
        late_back_surge(muscle("back", rest_uv=0.0), k * activity, gap=None).value for k in (1.0, gain)
    )
    assert scaled == pytest.approx(plain)


def test_only_the_first_half_and_the_last_fifth_of_the_lift_count():
    activity = [20.0] * 50 + [500.0] * 30 + [30.0] * 20
    assert late_back_surge(BACK, column(activity), gap=None).value == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("activity", "place"), [([0.5] * 80 + [40.0] * 20, "first half"), ([40.0] * 80 + [0.5] * 20, "end")]
)
def test_a_back_at_its_rest_noise_has_no_surge(activity, place):
    metric = late_back_surge(BACK, column(activity), gap=None)
    assert metric.value is None
    assert place in metric.reason


@pytest.mark.parametrize(
    ("seconds", "curve", "channels", "noise_pct"),
    [
        (1.5, ((-0.3, 5), (0, 30), (1.0, 30), (1.4, 90), (3, 90)), 1, 5.0),
        (0.7, ((-0.3, 10), (0, 30), (0.7, 90), (3, 90)), 2, 5.0),
        (1.5, ((-1, 50), (9, 50)), 2, 10.0),
    ],
    ids=["surge", "short and rising", "even"],
)
def test_the_interval_of_the_surge_covers_the_true_one(cleaned_gain, seconds, curve, channels, noise_pct):
    course = Course(seconds, *curve, n_channels=channels, noise_pct=noise_pct)
    back, true = course.muscle("back", cleaned_gain), course.true_hops
    truth = true[-round(0.2 * len(true)) :].mean() / true[: round(0.5 * len(true))].mean()
    metrics = [late_back_surge(back, course.recorded(seed, cleaned_gain), gap=None) for seed in range(120)]
    assert np.mean([metric.low <= truth <= metric.high for metric in metrics]) >= 0.9
    widths = np.mean([metric.high - metric.low for metric in metrics])
    assert widths < 7.0 * np.std([metric.value for metric in metrics])


def test_what_is_too_short_or_has_no_phases_is_named():
    short = column(np.full(40, 30.0))
    assert squeeze_sustain(GLUTE, short, gap=None).reason == "the work lasted only 0.40 s"
    assert late_back_surge(BACK, short, gap=None).reason == "the lift lasted only 0.40 s"
    assert "needs a motion sensor" in late_back_surge(BACK, None, gap=None).reason


@pytest.mark.parametrize(("measure", "part"), [(squeeze_sustain, GLUTE), (late_back_surge, BACK)])
def test_what_hinders_the_muscle_hinders_its_shape(measure, part):
    activity = column(np.full(200, 30.0))
    absent = replace(part, missing="no electrode on the muscle")
    assert measure(absent, activity, gap=None).reason == "no electrode on the muscle"
    assert measure(part, activity, gap="samples are lost").reason == "samples are lost"
    activity[10] = np.nan
    assert measure(part, activity, gap=None).reason == "samples are missing in this repetition"
    whole = column(np.full(200, 30.0))
    assert measure(part, whole, gap=None, seen=Quality.USABLE).quality is Quality.USABLE

import numpy as np
import pytest

from emgmon.dsp.filters import has_emg_band
from emgmon.dsp.rates import (
    envelope_limits,
    has_median_frequency,
    is_too_slow,
    rate_limits,
)
from emgmon.virtual.muscle import emg_power


@pytest.mark.parametrize("rate_hz", [1000.0, 1111.0, 2000.0, 4000.0])
def test_a_rate_that_holds_the_whole_band_has_no_limit(rate_hz):
    assert rate_limits(rate_hz) == ()


@pytest.mark.parametrize(("rate_hz", "top"), [(200.0, "90"), (250.0, "112"), (399.0, "180")])
def test_a_low_rate_says_where_it_ends_and_that_it_has_no_median_frequency(rate_hz, top):
    (sentence,) = rate_limits(rate_hz)
    assert sentence == (
        f"at {rate_hz:g} Hz nothing above {top} Hz is measured: amplitudes scatter more than at 1000 Hz,"
        " and there is no median frequency"
    )
    assert not has_median_frequency(rate_hz)


@pytest.mark.parametrize("rate_hz", [780.0, 850.0, 990.0])
def test_a_middling_rate_has_a_median_frequency_that_reads_low(rate_hz):
    (sentence,) = rate_limits(rate_hz)
    assert "the median frequency reads lower and falls less" in sentence
    assert has_median_frequency(rate_hz)


@pytest.mark.parametrize("rate_hz", [50.0, 133.0])
def test_a_rate_without_a_band_says_that_nothing_is_measured(rate_hz):
    (sentence,) = rate_limits(rate_hz)
    assert sentence == f"at {rate_hz:g} Hz no band is left above the 30 Hz high-pass: no EMG is measured"


def test_raw_emg_needs_a_band_and_an_envelope_only_needs_to_follow_the_movement():
    assert [is_too_slow(rate_hz, has_raw=True) for rate_hz in (50.0, 133.0, 134.0, 200.0)] == [
        True,
        True,
        False,
        False,
    ]
    assert [is_too_slow(rate_hz, has_raw=False) for rate_hz in (5.0, 10.0, 50.0)] == [True, False, False]


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 500.0, 1000.0, 1111.0])
def test_every_rate_that_is_promised_has_a_band(rate_hz):
    assert has_emg_band(rate_hz)


def median_hz(rate_hz, *, compressed=1.0):
    """Median of the EMG model from 30 Hz to 0.45 of the rate; fatigue compresses the spectrum."""
    frequency_hz = np.linspace(30.0, min(450.0, 0.45 * rate_hz), 20_000)
    below = np.cumsum(emg_power(frequency_hz / compressed))
    return frequency_hz[np.searchsorted(below, below[-1] / 2.0)]


def test_below_the_threshold_a_median_frequency_hides_most_of_a_fall():
    def fall_pct(rate_hz):
        return 100.0 * (1.0 - median_hz(rate_hz, compressed=0.8) / median_hz(rate_hz))

    assert fall_pct(400.0) == pytest.approx(12.0, abs=1.0)
    assert fall_pct(250.0) == pytest.approx(8.0, abs=1.0)
    assert fall_pct(200.0) == pytest.approx(5.0, abs=1.0)
    assert fall_pct(1000.0) == pytest.approx(17.0, abs=1.0)


def test_envelopes_are_named_with_what_they_cannot_give():
    assert envelope_limits([]) == ()
    (sentence,) = envelope_limits(["left gluteus maximus", "left erector spinae"])
    assert sentence.startswith("left gluteus maximus, left erector spinae: rectified or smoothed")
    assert "no median frequency" in sentence
    assert "no onset finer than that smoothing" in sentence

import numpy as np
import pytest
from scipy import signal

from emgmon.dsp import filters
from emgmon.dsp.filters import BandPass, band_pass, butterworth_sos, has_emg_band, steady_state


@pytest.mark.parametrize(
    ("order", "corner_hz", "rate_hz", "kind"),
    [
        (4, 30.0, 2000.0, "high"),
        (4, 450.0, 2000.0, "low"),
        (4, 112.5, 250.0, "low"),
        (2, 20.0, 1000.0, "high"),
    ],
)
def test_the_design_has_the_frequency_response_of_scipy(order, corner_hz, rate_hz, kind):
    ours = butterworth_sos(order, corner_hz, rate_hz, kind=kind)
    theirs = signal.butter(order, corner_hz, f"{kind}pass", fs=rate_hz, output="sos")
    _, response = signal.freqz_sos(ours, 512, fs=rate_hz)
    _, expected = signal.freqz_sos(theirs, 512, fs=rate_hz)
    np.testing.assert_allclose(response, expected, atol=1e-12)


def test_the_gain_at_the_corner_is_minus_three_decibel():
    sos = butterworth_sos(4, 30.0, 2000.0, kind="high")
    _, response = signal.freqz_sos(sos, [30.0], fs=2000.0)
    assert abs(response[0]) == pytest.approx(1 / np.sqrt(2), rel=1e-12)


def test_the_steady_state_is_that_of_scipy():
    sos = signal.butter(4, [30, 450], "bandpass", fs=2000, output="sos")
    np.testing.assert_allclose(steady_state(sos), signal.sosfilt_zi(sos), atol=1e-14)


@pytest.mark.parametrize("corner_hz", [0.0, 500.0, 600.0])
def test_a_corner_outside_the_band_is_refused(corner_hz):
    with pytest.raises(ValueError, match=str(corner_hz)):
        butterworth_sos(4, corner_hz, 1000.0, kind="low")


def test_an_odd_order_and_an_unknown_kind_are_refused():
    with pytest.raises(ValueError, match="order 3"):
        butterworth_sos(3, 30.0, 1000.0, kind="low")
    with pytest.raises(ValueError, match="'band'"):
        butterworth_sos(4, 30.0, 1000.0, kind="band")


def test_the_kernel_loaded_alone_gives_the_bits_of_the_public_function():
    rng = np.random.default_rng(0)
    sos = band_pass(2000.0).sos
    x = rng.normal(0, 20, (3, 5000))
    zi = rng.normal(0, 1, (3, len(sos), 2))
    alone, alone_zi = x.copy(), zi.copy()
    filters.sosfilt_inplace(sos, alone, alone_zi)
    public, public_zi = x.copy(), zi.copy()
    filters._public_kernel(sos, public, public_zi)
    np.testing.assert_array_equal(alone, public)
    np.testing.assert_array_equal(alone_zi, public_zi)
    assert filters.sosfilt_inplace is not filters._public_kernel


def test_a_rate_without_a_band_is_refused():
    assert not has_emg_band(100.0)
    assert has_emg_band(200.0)
    with pytest.raises(ValueError, match=r"100\.0 Hz"):
        band_pass(100.0)


def test_an_offset_does_not_ring_at_the_start():
    stage = BandPass(n_channels=1, rate_hz=1000.0)
    out = stage.process(np.full((1, 1000), 5000.0))
    assert np.nanmax(np.abs(out)) < 1e-6


def test_a_short_hole_is_bridged_and_a_long_one_starts_anew():
    stage = BandPass(n_channels=1, rate_hz=1000.0)
    x = np.random.default_rng(0).normal(0, 10, (1, 1000))
    x[0, 300:303] = np.nan
    x[0, 500:504] = np.nan
    out = stage.process(x)
    missing = np.flatnonzero(np.isnan(out[0]))
    settling = stage.coefficients.settling_samples
    expected = [*range(settling), 300, 301, 302, *range(500, 504 + settling)]
    np.testing.assert_array_equal(missing, expected)


def test_a_hole_in_one_channel_leaves_the_others_alone():
    x = np.random.default_rng(0).normal(0, 10, (2, 1000))
    holed = x.copy()
    holed[1, 400:450] = np.nan
    whole = BandPass(n_channels=2, rate_hz=1000.0).process(x)
    np.testing.assert_array_equal(BandPass(n_channels=2, rate_hz=1000.0).process(holed)[0], whole[0])


def test_a_sine_inside_the_band_passes_and_one_below_is_stopped():
    t_s = np.arange(4000) / 1000.0
    out = BandPass(n_channels=2, rate_hz=1000.0).process(
        np.stack([np.sin(2 * np.pi * 100 * t_s), np.sin(2 * np.pi * 3 * t_s)])
    )
    rms = np.sqrt((out[:, 2000:] ** 2).mean(axis=1))
    assert rms[0] == pytest.approx(1 / np.sqrt(2), rel=0.02)
    # Four poles at 30 Hz leave (3 / 30)^4 of a 3 Hz sine.
    assert rms[1] == pytest.approx(1e-4 / np.sqrt(2), rel=0.05)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from emgmon.dsp.cleaning import (
    DOMINATING_HUM_RATIO,
    LONGEST_CARRIED_S,
    NOTCH_SETTLING_S,
    NOTCH_WIDTH_HZ,
    Cleaning,
    hum_to_remove,
    notch_frequencies,
    notch_sos,
)
from emgmon.dsp.filters import SETTLING_S, BandPass, band_pass
from emgmon.virtual.muscle import emg_power

RATE_HZ = 1000.0


def holed_noise():
    """Four channels with hum, an offset, and holes that are bridged, carried across and too long."""
    t_s = np.arange(3000) / RATE_HZ
    emg_uv = np.random.default_rng(0).normal(0, 20, (4, 3000)) + 500 + 200 * np.sin(2 * np.pi * 50 * t_s)
    emg_uv[1, 700] = np.nan
    emg_uv[:, 1000:1040] = np.nan
    emg_uv[2, 1500:1502] = np.nan
    emg_uv[2, 2000:2400] = np.nan
    return emg_uv


def run(emg_uv, hum_hz, cuts, *, restore_between=False):
    stage = Cleaning(len(emg_uv), RATE_HZ, hum_hz)
    pieces, start, step = [], 0, 0
    while start < emg_uv.shape[1]:
        size = cuts[min(step, len(cuts) - 1)]
        pieces.append(stage.process(emg_uv[:, start : start + size].copy()))
        start, step = start + size, step + 1
        if restore_between:
            other = Cleaning(len(emg_uv), RATE_HZ, hum_hz)
            other.state, stage = stage.state.copy(), other
    return np.concatenate(pieces, axis=1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=20))
def test_channels_without_hum_have_the_bits_of_the_band_pass(cuts):
    emg_uv = holed_noise()
    plain = BandPass(n_channels=4, rate_hz=RATE_HZ).process(emg_uv.copy())
    np.testing.assert_array_equal(run(emg_uv, (), cuts), plain)
    mixed = run(emg_uv, (None, 50.0, 60.0, None), cuts)
    np.testing.assert_array_equal(mixed[[0, 3]], plain[[0, 3]])
    assert not np.array_equal(mixed[1], plain[1], equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=20))
def test_any_cuts_with_the_state_restored_in_between_give_the_same_bits(cuts):
    hum_hz = (50.0, 50.0, 60.0, None)
    whole = run(holed_noise(), hum_hz, [3000])
    np.testing.assert_array_equal(run(holed_noise(), hum_hz, cuts), whole)
    np.testing.assert_array_equal(run(holed_noise(), hum_hz, cuts, restore_between=True), whole)


def test_a_copied_state_does_not_change_with_the_stage():
    stage = Cleaning(1, RATE_HZ, [50.0])
    stage.process(holed_noise()[:1])
    kept = stage.state.copy()
    one, two = Cleaning(1, RATE_HZ, [50.0]), Cleaning(1, RATE_HZ, [50.0])
    one.state = kept.copy()
    stage.process(holed_noise()[1:2])
    two.state = kept
    np.testing.assert_array_equal(one.process(holed_noise()[:1]), two.process(holed_noise()[:1]))


@pytest.mark.parametrize("rate_hz", [200.0, 1000.0, 2000.0])
@pytest.mark.parametrize("hum_hz", [50.0, 60.0])
def test_a_notch_is_that_of_scipy(hum_hz, rate_hz):
    for section, notch_hz in zip(notch_sos(hum_hz, rate_hz), notch_frequencies(hum_hz, rate_hz), strict=True):
        b, a = signal.iirnotch(notch_hz, notch_hz / NOTCH_WIDTH_HZ, fs=rate_hz)
        np.testing.assert_allclose(section, [*b, *a], atol=1e-12)


@pytest.mark.parametrize(
    ("hum_hz", "rate_hz", "notches_hz"),
    [
        (50.0, 200.0, [50]),
        (50.0, 250.0, [50, 100]),
        (60.0, 250.0, [60]),
        (50.0, 2000.0, [50, 100, 150, 200, 250, 300, 350, 400, 450]),
        (60.0, 2000.0, [60, 120, 180, 240, 300, 360, 420]),
    ],
)
def test_every_harmonic_inside_the_band_has_a_notch(hum_hz, rate_hz, notches_hz):
    np.testing.assert_array_equal(notch_frequencies(hum_hz, rate_hz), notches_hz)


@pytest.mark.parametrize("hum_hz", [50.0, 60.0])
@pytest.mark.parametrize("offset_hz", [-0.05, 0.0, 0.05])
def test_hum_that_wanders_is_down_by_more_than_twenty_decibel(hum_hz, offset_hz):
    t_s = np.arange(8000) / RATE_HZ
    hum_uv = np.sin(2 * np.pi * (hum_hz + offset_hz) * t_s)[np.newaxis]
    plain = BandPass(n_channels=1, rate_hz=RATE_HZ).process(hum_uv.copy())[0, 4000:]
    cleaned = Cleaning(1, RATE_HZ, [hum_hz]).process(hum_uv)[0, 4000:]
    assert 20 * np.log10(np.std(cleaned) / np.std(plain)) < -24.0


@pytest.mark.parametrize(("hum_hz", "lost"), [(50.0, 0.065), (60.0, 0.054)])
def test_the_power_lost_from_the_model_spectrum_is_as_stated(hum_hz, lost):
    frequency_hz = np.arange(1.0, 1000.0, 0.01)
    _, plain = signal.freqz_sos(band_pass(2000.0).sos, frequency_hz, fs=2000.0)
    _, notches = signal.freqz_sos(notch_sos(hum_hz, 2000.0), frequency_hz, fs=2000.0)
    power = emg_power(frequency_hz) * np.abs(plain) ** 2
    assert np.sum(power * (1 - np.abs(notches) ** 2)) / np.sum(power) == pytest.approx(lost, abs=5e-4)


def hum_after_gap(gap_s):
    """What is withheld after a gap in pure hum of RMS 100, seconds, and RMS of the 150 ms thereafter."""
    n_gap = round(gap_s * RATE_HZ)
    hum_uv = 100 * np.sqrt(2) * np.sin(2 * np.pi * 50.02 * np.arange(8000) / RATE_HZ + 1)
    hum_uv[4000 : 4000 + n_gap] = np.nan
    after = Cleaning(1, RATE_HZ, [50.0]).process(hum_uv[np.newaxis])[0, 4000 + n_gap :]
    withheld = int(np.argmax(~np.isnan(after)))
    return withheld / RATE_HZ, np.sqrt(np.mean(after[withheld : withheld + 150] ** 2))


@pytest.mark.parametrize("gap_s", [0.004, 0.05, LONGEST_CARRIED_S - SETTLING_S])
def test_hum_is_carried_across_a_short_gap(gap_s):
    withheld_s, rms_uv = hum_after_gap(gap_s)
    assert withheld_s == SETTLING_S
    assert rms_uv < 10.0


@pytest.mark.parametrize("gap_s", [LONGEST_CARRIED_S - SETTLING_S + 0.002, 2.0])
def test_after_a_long_gap_the_notches_settle_before_they_are_believed(gap_s):
    withheld_s, rms_uv = hum_after_gap(gap_s)
    assert withheld_s == pytest.approx(SETTLING_S + NOTCH_SETTLING_S, abs=1e-9)
    assert rms_uv < 10.0


def test_one_lost_sample_lets_little_hum_through():
    withheld_s, rms_uv = hum_after_gap(0.001)
    assert withheld_s == 0.0
    assert rms_uv < 10.0


def test_a_gap_while_the_notches_settle_does_not_shorten_their_settling():
    hum_uv = 100 * np.sin(2 * np.pi * 50 * np.arange(2000) / RATE_HZ)
    hum_uv[300:350] = np.nan
    out = Cleaning(1, RATE_HZ, [50.0]).process(hum_uv[np.newaxis])[0]
    # The notches saw 250 samples before the gap and need 150 more once the band-pass has settled again.
    assert int(np.argmax(~np.isnan(out))) == 350 + 50 + 150


@pytest.mark.parametrize(
    ("ratio_50", "ratio_60", "removed_hz"),
    [
        (None, None, None),
        (np.nan, np.nan, None),
        (0.05, 0.02, None),
        (DOMINATING_HUM_RATIO, None, None),
        (0.12, 0.02, 50.0),
        (0.02, 0.4, 60.0),
        (0.4, 0.2, 50.0),
        (np.nan, 0.5, 60.0),
        (None, 0.5, 60.0),
    ],
)
def test_hum_is_removed_only_where_it_dominates(ratio_50, ratio_60, removed_hz):
    assert hum_to_remove(ratio_50, ratio_60) == removed_hz


def test_hum_dominates_below_nine_decibel():
    assert 10 * np.log10((1 - DOMINATING_HUM_RATIO) / DOMINATING_HUM_RATIO) == pytest.approx(9.0)


def test_channels_left_out_and_other_frequencies_are_refused():
    with pytest.raises(ValueError, match="1 of 2 channels"):
        Cleaning(2, RATE_HZ, [50.0])
    with pytest.raises(ValueError, match="55"):
        Cleaning(2, RATE_HZ, [50.0, 55.0])
    with pytest.raises(ValueError, match=r"100\.0 Hz"):
        Cleaning(1, 100.0)

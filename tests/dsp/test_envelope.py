import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.envelope import HALF_WINDOW, EnvelopeStage
from emgmon.dsp.filters import BandPass
from emgmon.dsp.timeline import SampleClock

RATES_HZ = (250.0, 997.3, 1000.0, 1116.0, 2000.0)


def run(emg_uv, clock, cuts, *, restore_between=False, **channels):
    """First hop and envelope of a signal fed in pieces of the given lengths, the last one repeated."""
    made = {"n_channels": len(emg_uv), "rate_hz": clock.rate_hz, **channels}
    stage = EnvelopeStage(**made)
    first_hop, pieces, start, step = None, [], 0, 0
    while start < emg_uv.shape[1]:
        size = cuts[min(step, len(cuts) - 1)]
        hops = stage.process(emg_uv[:, start : start + size].copy(), clock, clock.anchor_sample + start)
        if len(hops.envelope_uv):
            first_hop = hops.first_hop if first_hop is None else first_hop
            assert hops.first_hop == first_hop + sum(map(len, pieces))
            pieces.append(hops.envelope_uv)
        start, step = start + size, step + 1
        if restore_between:
            other = EnvelopeStage(**made)
            other.state, stage = stage.state, other
    pieces.append(stage.finish().envelope_uv)
    return first_hop, np.concatenate(pieces)


def holed_noise(rate_hz):
    emg_uv = np.random.default_rng(0).normal(0, 20, (3, int(2 * rate_hz))) + 500
    emg_uv[1, 100:130] = np.nan
    emg_uv[:, 200:205] = np.nan
    emg_uv[2, 300] = np.nan
    return emg_uv


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("size", [1, 3, 7, 20, 33, 333])
def test_every_cut_gives_the_same_bits(rate_hz, size):
    emg_uv, clock = holed_noise(rate_hz), SampleClock(7, 0.0137, rate_hz)
    first_hop, whole = run(emg_uv, clock, [emg_uv.shape[1]])
    cut_first_hop, cut = run(emg_uv, clock, [size])
    assert cut_first_hop == first_hop
    np.testing.assert_array_equal(cut, whole)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_any_cuts_with_the_state_restored_in_between_give_the_same_bits(cuts):
    emg_uv, clock = holed_noise(997.3), SampleClock(0, 0.0, 997.3)
    np.testing.assert_array_equal(
        run(emg_uv, clock, cuts, restore_between=True)[1], run(emg_uv, clock, [emg_uv.shape[1]])[1]
    )


def test_the_envelope_of_a_sine_is_its_amplitude_over_root_two():
    clock = SampleClock(0, 0.0, 1000.0)
    sine = 40.0 * np.sin(2 * np.pi * 100 * np.arange(3000) / 1000.0)[np.newaxis]
    _, envelope_uv = run(sine, clock, [3000])
    np.testing.assert_allclose(envelope_uv[100:-10, 0], 40.0 / np.sqrt(2), rtol=1e-3)


def test_the_window_is_centred_on_its_hop():
    clock = SampleClock(0, 0.0, 1000.0)
    emg_uv = np.zeros((1, 2000))
    emg_uv[0, 1000:1010] = 100.0 * np.sin(2 * np.pi * 200 * np.arange(10) / 1000.0)
    first_hop, envelope_uv = run(emg_uv, clock, [2000])
    loud = np.flatnonzero(envelope_uv[:, 0] > 5.0) + first_hop
    assert (loud[0], loud[-1]) == (100 - HALF_WINDOW, 100 + HALF_WINDOW + 1)


def test_hops_with_missing_samples_have_no_envelope():
    clock = SampleClock(0, 0.0, 1000.0)
    emg_uv = np.random.default_rng(0).normal(0, 20, (1, 2000))
    emg_uv[0, 1005] = np.nan
    first_hop, envelope_uv = run(emg_uv, clock, [2000])
    missing = np.flatnonzero(np.isnan(envelope_uv[:, 0])) + first_hop
    # The filter settles at the start, and at the end too few hops are left for a window.
    assert [hop for hop in missing if 10 <= hop < 190] == [100]


def test_a_stream_that_begins_between_two_hops_starts_with_the_next_whole_hop():
    clock = SampleClock(0, 0.0137, 1000.0)
    first_hop, _ = run(np.ones((1, 500)), clock, [1])
    assert first_hop == 2


MIXED = (False, True, False)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("size", [1, 7, 33, 333])
def test_every_cut_of_raw_and_envelope_channels_gives_the_same_bits(rate_hz, size):
    emg_uv, clock = holed_noise(rate_hz), SampleClock(7, 0.0137, rate_hz)
    first_hop, whole = run(emg_uv, clock, [emg_uv.shape[1]], envelope_channels=MIXED)
    cut_first_hop, cut = run(emg_uv, clock, [size], envelope_channels=MIXED, restore_between=True)
    assert cut_first_hop == first_hop
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("rate_hz", [10.0, 37.5, 50.0, 99.9, 100.0, 148.148])
@pytest.mark.parametrize("size", [1, 3, 20])
def test_every_cut_of_slow_envelopes_gives_the_same_bits(rate_hz, size):
    envelope_uv, clock = np.abs(holed_noise(200.0)), SampleClock(7, 0.0137, rate_hz)
    whole = run(envelope_uv, clock, [envelope_uv.shape[1]], envelope_channels=[True] * 3)
    cut = run(envelope_uv, clock, [size], envelope_channels=[True] * 3, restore_between=True)
    assert cut[0] == whole[0]
    np.testing.assert_array_equal(cut[1], whole[1])
    # Five samples of the first channel are missing, and the windows at both ends are short.
    assert np.isnan(cut[1][:, 0]).sum() <= 5 * (100 / rate_hz) + 10


def test_raw_channels_do_not_notice_an_envelope_between_them():
    emg_uv, clock = holed_noise(1000.0), SampleClock(0, 0.0, 1000.0)
    _, mixed = run(emg_uv, clock, [100], envelope_channels=MIXED)
    _, raw = run(emg_uv[[0, 2]], clock, [100])
    np.testing.assert_array_equal(mixed[:, [0, 2]], raw)


def test_an_envelope_keeps_its_level_where_raw_emg_would_lose_it():
    clock = SampleClock(0, 0.0, 1000.0)
    level = np.full((2, 2000), 40.0)
    _, envelope_uv = run(level, clock, [2000], envelope_channels=(True, False))
    np.testing.assert_allclose(envelope_uv[20:-10, 0], 40.0, rtol=1e-12)
    np.testing.assert_allclose(envelope_uv[20:-10, 1], 0.0, atol=1e-6)


def test_full_wave_rectified_emg_has_the_envelope_of_the_emg_itself():
    clock = SampleClock(0, 0.0, 1000.0)
    clean_uv = np.random.default_rng(1).normal(0, 20, (1, 3000))
    _, rectified = run(np.abs(clean_uv), clock, [3000], envelope_channels=[True])
    _, itself = run(clean_uv, clock, [3000], envelope_channels=[True])
    np.testing.assert_array_equal(rectified, itself)


def test_hops_of_an_envelope_with_missing_samples_are_missing_and_need_no_settling():
    clock = SampleClock(0, 0.0, 1000.0)
    envelope_uv = np.full((1, 2000), 5.0)
    envelope_uv[0, 1005] = np.nan
    first_hop, hops_uv = run(envelope_uv, clock, [2000], envelope_channels=[True])
    missing = np.flatnonzero(np.isnan(hops_uv[:, 0])) + first_hop
    assert first_hop == 0
    # Before the third hop and after the last but three, a window holds fewer than ten hops.
    assert missing.tolist() == [0, 1, 100, 198, 199]


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 1000.0])
def test_an_envelope_of_any_rate_keeps_its_slow_course(rate_hz):
    clock = SampleClock(0, 0.0, rate_hz)
    # A sample stands for the time until the next, so a slow stream lags by half a period.
    course = 50.0 + 30.0 * np.sin(2 * np.pi * 0.5 * (np.arange(int(6 * rate_hz)) + 0.5) / rate_hz)
    first_hop, envelope_uv = run(course[np.newaxis], clock, [7], envelope_channels=[True])
    middle_s = (np.arange(len(envelope_uv)) + first_hop + 0.5) / 100.0
    expected = 50.0 + 30.0 * np.sin(2 * np.pi * 0.5 * middle_s)
    np.testing.assert_allclose(envelope_uv[20:-20, 0], expected[20:-20], rtol=0.02)


def test_cleaned_samples_can_be_had_before_they_are_averaged():
    clock, emg_uv = SampleClock(0, 0.0, 1000.0), holed_noise(1000.0)
    stage = EnvelopeStage(n_channels=3, rate_hz=1000.0, envelope_channels=MIXED)
    clean_uv = stage.clean(emg_uv.copy())
    kept = clean_uv.copy()
    hops = stage.average(clean_uv, clock, 0)
    np.testing.assert_array_equal(clean_uv, kept)
    np.testing.assert_array_equal(clean_uv[1], emg_uv[1])
    np.testing.assert_array_equal(
        clean_uv[[0, 2]], BandPass(n_channels=2, rate_hz=1000.0).process(emg_uv[[0, 2]])
    )
    other = EnvelopeStage(n_channels=3, rate_hz=1000.0, envelope_channels=MIXED)
    np.testing.assert_array_equal(other.process(emg_uv.copy(), clock, 0).envelope_uv, hops.envelope_uv)


@pytest.mark.parametrize("size", [1, 33, 333])
def test_every_cut_gives_the_same_bits_where_hum_is_taken_out(size):
    clock = SampleClock(7, 0.0137, 1000.0)
    humming = holed_noise(1000.0) + 100.0 * np.sin(2 * np.pi * 50 * np.arange(2000) / 1000.0)
    how = {"envelope_channels": MIXED, "hum_hz": (50.0, 50.0, None)}
    _, whole = run(humming, clock, [2000], **how)
    np.testing.assert_array_equal(run(humming, clock, [size], restore_between=True, **how)[1], whole)


def test_hum_is_taken_out_of_the_raw_channel_that_was_named_and_of_no_other():
    clock = SampleClock(0, 0.0, 1000.0)
    hum = np.tile(100.0 * np.sin(2 * np.pi * 50 * np.arange(3000) / 1000.0), (3, 1))
    _, envelope_uv = run(hum, clock, [3000], envelope_channels=MIXED, hum_hz=(None, 50.0, 50.0))
    left_uv = envelope_uv[200:-10].mean(axis=0)
    # The high-pass leaves 0.99 of it.
    assert left_uv[0] == pytest.approx(100 / np.sqrt(2), rel=0.02)
    assert left_uv[1] == pytest.approx(100 / np.sqrt(2), rel=0.001)
    assert left_uv[2] < 0.1


def test_every_channel_has_to_be_named():
    with pytest.raises(ValueError, match="2 of 3 channels"):
        EnvelopeStage(n_channels=3, rate_hz=1000.0, envelope_channels=(True, False))
    with pytest.raises(ValueError, match="hum is told of 1 of 3"):
        EnvelopeStage(n_channels=3, rate_hz=1000.0, hum_hz=(50.0,))


def test_a_stream_too_slow_for_what_it_carries_is_refused():
    with pytest.raises(ValueError, match=r"100\.0 Hz leaves no EMG band"):
        EnvelopeStage(n_channels=2, rate_hz=100.0, envelope_channels=(False, True))
    with pytest.raises(ValueError, match=r"5\.0 Hz is too slow"):
        EnvelopeStage(n_channels=1, rate_hz=5.0, envelope_channels=[True])


@pytest.mark.parametrize("smoothing_s", [0.0, 0.02, 0.1, 0.25])
def test_noise_comes_off_an_envelope_in_power_however_it_was_smoothed(smoothing_s):
    """Rest 4 uV, contraction 10 and 20 uV over it: half as much activation stays half, to the scatter."""
    chance, rate_hz = np.random.default_rng(3), 1000.0
    clock = SampleClock(0, 0.0, rate_hz)
    levels = [np.hypot(4.0, muscle_uv) for muscle_uv in (0.0, 10.0, 20.0)]
    raw = np.concatenate([level * chance.normal(0, 1, 60_000) for level in levels])
    width = max(1, round(smoothing_s * rate_hz))
    average = np.convolve(np.abs(raw), np.ones(width) / width, "same")
    _, envelope_uv = run(average[np.newaxis], clock, [20_000], envelope_channels=[True])
    rest, half, full = (
        np.sqrt(np.mean(envelope_uv[start + 50 : start + 5950] ** 2)) for start in (0, 6000, 12000)
    )
    assert np.sqrt((half**2 - rest**2) / (full**2 - rest**2)) == pytest.approx(0.5, abs=0.01)

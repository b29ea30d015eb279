import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.filters import BandPass
from emgmon.dsp.quality import BLOCK_HOPS, Measured, QualityStage
from emgmon.dsp.timeline import SampleClock
from emgmon.virtual.muscle import muscle_noise

RATES_HZ = (200.0, 250.0, 1000.0, 1111.1, 2000.0)


def emg(duration_s, rate_hz, seed=0, rms_uv=30.0):
    """One channel of a working muscle."""
    chance = np.random.default_rng(seed)
    return rms_uv * muscle_noise(int(duration_s * rate_hz), rate_hz, chance)[np.newaxis].astype(np.float64)


def cleaned(raw_uv, rate_hz):
    return BandPass(n_channels=len(raw_uv), rate_hz=rate_hz).process(raw_uv.copy())


def blocks_of(raw_uv, rate_hz, clock=None):
    """All blocks of a signal given at once."""
    clock = clock or SampleClock(0, 0.0, rate_hz)
    stage = QualityStage(len(raw_uv), rate_hz)
    return stage.process(raw_uv, cleaned(raw_uv, rate_hz), clock, clock.anchor_sample)


def run(raw_uv, clock, cuts, *, restore_between=False):
    """First block and values of a signal given in pieces of these lengths, the last one repeated."""
    clean_uv = cleaned(raw_uv, clock.rate_hz)
    stage, given = QualityStage(len(raw_uv), clock.rate_hz), []
    start, step = 0, 0
    while start < raw_uv.shape[1]:
        stop = start + cuts[min(step, len(cuts) - 1)]
        raw_piece, clean_piece = raw_uv[:, start:stop].copy(), clean_uv[:, start:stop].copy()
        blocks = stage.process(raw_piece, clean_piece, clock, clock.anchor_sample + start)
        # What the stage was given may be used for something else afterwards.
        raw_piece[:], clean_piece[:] = 1e6, 1e6
        if len(blocks):
            assert (
                blocks.first_block == (given[0].first_block if given else 0) + sum(map(len, given))
                or not given
            )
            given.append(blocks)
        start, step = stop, step + 1
        if restore_between:
            other = QualityStage(len(raw_uv), clock.rate_hz)
            other.state, stage = stage.state, other
    return given[0].first_block, np.concatenate([blocks.values for blocks in given])


def troubled(rate_hz):
    """Four channels with everything that may happen to them."""
    raw_uv = np.concatenate([emg(6.0, rate_hz, seed) for seed in range(4)])
    n = raw_uv.shape[1]
    raw_uv[0] = np.clip(raw_uv[0], -60.0, 60.0)
    raw_uv[1, n // 3 :] = 0.0
    raw_uv[2] += 50.0 * np.sin(2 * np.pi * 50.0 * np.arange(n) / rate_hz)
    raw_uv[3, n // 4 : n // 2] = np.nan
    raw_uv[:, n // 5 : n // 5 + 7] = np.nan
    raw_uv[1, 10] = np.nan
    return np.round(raw_uv, 1) + 500.0


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("size", [1, 7, 20, 333])
def test_every_cut_gives_the_same_bits(rate_hz, size):
    raw_uv, clock = troubled(rate_hz), SampleClock(7, 0.0137, rate_hz)
    first_block, whole = run(raw_uv, clock, [raw_uv.shape[1]])
    cut_first_block, cut = run(raw_uv, clock, [size])
    assert cut_first_block == first_block
    np.testing.assert_array_equal(cut, whole)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 1500), min_size=1, max_size=20),
    st.sampled_from(RATES_HZ),
    st.floats(-3.0, 3.0),
    st.booleans(),
)
def test_any_cuts_with_the_state_restored_in_between_give_the_same_bits(cuts, rate_hz, anchor_s, restore):
    raw_uv, clock = troubled(rate_hz), SampleClock(-3, anchor_s, rate_hz)
    expected_block, expected = run(raw_uv, clock, [raw_uv.shape[1]])
    first_block, values = run(raw_uv, clock, cuts, restore_between=restore)
    assert first_block == expected_block
    np.testing.assert_array_equal(values, expected)


def test_a_stream_that_counts_anew_goes_on_where_it_was():
    raw_uv = emg(4.0, 1000.0)
    clean_uv, clock = cleaned(raw_uv, 1000.0), SampleClock(0, 0.003, 1000.0)
    whole = QualityStage(1, 1000.0).process(raw_uv, clean_uv, clock, 0)
    stage = QualityStage(1, 1000.0)
    before = stage.process(raw_uv[:, :1500], clean_uv[:, :1500], clock, 0)
    anew = SampleClock(0, clock.seconds(1500), 1000.0)
    after = stage.process(raw_uv[:, 1500:], clean_uv[:, 1500:], anew, 0)
    np.testing.assert_array_equal(np.concatenate([before.values, after.values]), whole.values)


def test_the_samples_given_are_left_as_they_are():
    raw_uv = troubled(1000.0)
    clean_uv = cleaned(raw_uv, 1000.0)
    raw_before, clean_before = raw_uv.copy(), clean_uv.copy()
    QualityStage(4, 1000.0).process(raw_uv, clean_uv, SampleClock(0, 0.0, 1000.0), 0)
    np.testing.assert_array_equal(raw_uv, raw_before)
    np.testing.assert_array_equal(clean_uv, clean_before)


@pytest.mark.parametrize("anchor_s", [0.0, 0.0137, 0.3999, -1.0])
def test_the_first_block_is_the_first_that_is_whole(anchor_s):
    clock = SampleClock(0, anchor_s, 1000.0)
    blocks = blocks_of(emg(3.0, 1000.0), 1000.0, clock)
    begins_s = blocks.first_block * BLOCK_HOPS / 100
    assert anchor_s <= begins_s < anchor_s + 0.4
    assert len(blocks) == np.floor((anchor_s + 3.0 - begins_s) / 0.4 + 1e-9)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(("mains_hz", "measured"), [(50.0, Measured.HUM_50), (60.0, Measured.HUM_60)])
@pytest.mark.parametrize("share", [0.15, 0.4])
def test_hum_of_known_power_is_measured(rate_hz, mains_hz, measured, share):
    muscle_uv = emg(300.0, rate_hz)
    muscle = blocks_of(muscle_uv, rate_hz)[Measured.BAND].mean()
    amplitude_uv = np.sqrt(2.0 * muscle * share / (1.0 - share))
    time_s = np.arange(muscle_uv.shape[1]) / rate_hz
    # Mains are rarely exactly where they should be.
    blocks = blocks_of(muscle_uv + amplitude_uv * np.sin(2 * np.pi * (mains_hz + 0.03) * time_s), rate_hz)
    assert blocks[measured].mean() / blocks[Measured.BAND].mean() == pytest.approx(share, rel=0.1)


def test_harmonics_count_as_hum_and_belong_to_their_own_family():
    time_s = np.arange(60_000) / 1000.0
    hum_uv = sum(10.0 * np.sin(2 * np.pi * 50.0 * harmonic * time_s) for harmonic in (1, 3, 5))
    blocks = blocks_of(emg(60.0, 1000.0) + hum_uv, 1000.0)
    assert blocks[Measured.HUM_50].mean() == pytest.approx(150.0, rel=0.1)
    assert abs(blocks[Measured.HUM_60].mean()) < 20.0


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_muscle_alone_shows_no_hum_on_average(rate_hz):
    blocks = blocks_of(emg(600.0, rate_hz), rate_hz)
    for measured in (Measured.HUM_50, Measured.HUM_60):
        assert abs(blocks[measured].mean() / blocks[Measured.BAND].mean()) < 0.015


def test_power_goes_to_its_band_and_drift_to_none():
    time_s = np.arange(20_000) / 1000.0
    drift_uv = 200.0 * np.sin(2 * np.pi * 0.3 * time_s)
    sway_uv = 30.0 * np.sin(2 * np.pi * 10.0 * time_s)
    work_uv = 20.0 * np.sin(2 * np.pi * 102.5 * time_s)
    blocks = blocks_of((drift_uv + sway_uv + work_uv + 5000.0)[np.newaxis], 1000.0)
    assert blocks[Measured.LOW].mean() == pytest.approx(450.0, rel=0.05)
    assert blocks[Measured.BAND].mean() == pytest.approx(200.0, rel=0.01)
    assert blocks[Measured.TOTAL].mean() == pytest.approx(650.0, rel=0.05)
    assert blocks[Measured.CLEAN][1:].mean() == pytest.approx(200.0, rel=0.01)


@pytest.mark.parametrize("share", [0.002, 0.02, 0.2])
def test_clipping_is_measured_as_the_share_of_samples_at_the_limit(share):
    raw_uv = np.round(emg(60.0, 2000.0, rms_uv=300.0), 1)
    limit_uv = np.round(np.quantile(np.abs(raw_uv), 1.0 - share), 1)
    clipped_uv = np.clip(raw_uv, -limit_uv, limit_uv)
    found = blocks_of(clipped_uv, 2000.0)[Measured.CLIPPED_SHARE].mean()
    # Peaks of one or two samples do not tell a limit from a peak.
    assert 0.6 * share < found <= 1.05 * share


def test_a_signal_thrown_from_limit_to_limit_is_clipped():
    time_s = np.arange(10_000) / 1000.0
    raw_uv = np.clip(1e6 * np.sin(2 * np.pi * 50.0 * time_s + 0.1), -3276.8, 3276.7)[np.newaxis]
    assert blocks_of(raw_uv, 1000.0)[Measured.CLIPPED_SHARE].min() > 0.9


def test_one_round_peak_is_no_limit_but_the_same_height_met_again_is():
    raw_uv = np.round(emg(4.0, 1000.0, rms_uv=30.0), 1)
    raw_uv[0, 600:603] = 500.0
    assert blocks_of(raw_uv, 1000.0)[Measured.CLIPPED_SHARE].max() == 0.0
    raw_uv[0, 2600:2603] = 500.0
    raw_uv[0, 3100] = 500.0
    clipped = blocks_of(raw_uv, 1000.0)[Measured.CLIPPED_SHARE][:, 0]
    np.testing.assert_allclose(clipped * 400, [0, 0, 0, 0, 0, 0, 3, 1, 0, 0], atol=1e-9)
    raw_uv[0, 3300] = 500.1
    assert blocks_of(raw_uv, 1000.0)[Measured.CLIPPED_SHARE][8, 0] == 0.0


@pytest.mark.parametrize("step_uv", [0.1, 0.75, 3.0, 8.0])
@pytest.mark.parametrize("rate_hz", [250.0, 1000.0, 2000.0])
def test_a_quiet_signal_drawn_in_coarse_steps_is_not_clipped(step_uv, rate_hz):
    for seed in range(5):
        raw_uv = np.concatenate([emg(60.0, rate_hz, seed, rms_uv) for rms_uv in (2.0, 10.0, 60.0)])
        blocks = blocks_of(np.round(raw_uv / step_uv) * step_uv, rate_hz)
        assert blocks[Measured.CLIPPED_SHARE].max() == 0.0


def test_slow_round_waves_are_not_clipped():
    time_s = np.arange(120_000) / 2000.0
    sway_uv = 1000.0 * np.sin(2 * np.pi * 1.3 * time_s) + 300.0 * np.sin(2 * np.pi * 0.31 * time_s)
    for step_uv in (0.1, 1.0, 10.0):
        raw_uv = np.round((sway_uv + emg(60.0, 2000.0, rms_uv=3.0)) / step_uv) * step_uv
        assert blocks_of(raw_uv, 2000.0)[Measured.CLIPPED_SHARE].max() == 0.0


def test_a_constant_channel_is_flat_at_any_level_and_a_quiet_one_is_not():
    raw_uv = np.concatenate(
        [np.full((1, 4000), 201_667.0), np.zeros((1, 4000)), emg(4.0, 1000.0, rms_uv=0.5)]
    )
    flat = blocks_of(raw_uv, 1000.0)[Measured.FLAT]
    np.testing.assert_array_equal(flat, np.tile([1.0, 1.0, 0.0], (10, 1)))


def test_the_share_of_missing_samples_is_counted_and_half_a_block_is_too_little():
    raw_uv = emg(2.0, 1000.0)
    raw_uv[0, 400:500] = np.nan
    raw_uv[0, 800:1010] = np.nan
    blocks = blocks_of(raw_uv, 1000.0)
    np.testing.assert_allclose(blocks[Measured.MISSING_SHARE][:, 0], [0.0, 0.25, 0.525, 0.0, 0.0])
    np.testing.assert_array_equal(np.isnan(blocks[Measured.BAND][:, 0]), [False, False, True, False, False])


@pytest.mark.parametrize("lost", [slice(100, 200), slice(None, None, 4), slice(0, 120)])
def test_powers_of_a_block_with_a_hole_are_right_on_average(lost):
    raw_uv = emg(400.0, 1000.0) + 300.0 + 50.0 * np.sin(np.arange(400_000) / 400.0)
    clean_uv = cleaned(raw_uv, 1000.0)
    holed_uv = raw_uv.reshape(1, 1000, 400).copy()
    holed_uv[:, :, lost] = np.nan
    clock = SampleClock(0, 0.0, 1000.0)
    whole = QualityStage(1, 1000.0).process(raw_uv, clean_uv, clock, 0)
    holed = QualityStage(1, 1000.0).process(holed_uv.reshape(1, -1), clean_uv, clock, 0)
    assert holed[Measured.BAND].mean() == pytest.approx(whole[Measured.BAND].mean(), rel=0.2)
    assert holed[Measured.FLAT].max() == 0.0


def test_rest_is_the_quiet_end_of_the_session_so_far():
    loud, quiet = emg(60.0, 1000.0, rms_uv=100.0), emg(60.0, 1000.0, 1, rms_uv=4.0)
    working = (np.arange(60_000) // 2000) % 3 > 0
    blocks = blocks_of(np.where(working, loud + quiet, quiet), 1000.0)
    rest_uv = blocks[Measured.REST_UV][:, 0]
    quiet_uv = np.sqrt(blocks_of(quiet, 1000.0)[Measured.CLEAN][1:].mean())
    assert np.isnan(rest_uv[:5]).all()
    assert abs(20 * np.log10(rest_uv[-1] / quiet_uv)) < 1.0


def test_a_channel_without_signal_tells_nothing_of_its_rest():
    raw_uv = emg(40.0, 1000.0, rms_uv=4.0)
    raw_uv[0, 10_000:] = 0.0
    rest_uv = blocks_of(raw_uv, 1000.0)[Measured.REST_UV][:, 0]
    assert rest_uv[-1] == pytest.approx(4.0, rel=0.25)

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

from emgmon.dsp.quality import BLOCK_HOPS, Measured, QualityBlocks, QualityStage
from emgmon.dsp.quality_track import QualityTrack
from emgmon.dsp.timeline import SampleClock
from emgmon.events import Quality
from emgmon.virtual.muscle import muscle_noise
from tests.dsp.test_quality import RATES_HZ, blocks_of, cleaned


def track_of(raw_uv, rate_hz, anchor_s=0.0, **about):
    """Track that has taken a signal, and the changes it told."""
    track = QualityTrack(n_channels=len(raw_uv), rate_hz=rate_hz, **about)
    changes = track.take(blocks_of(raw_uv, rate_hz, SampleClock(0, anchor_s, rate_hz)))
    return track, changes


def numbered(n_blocks, first_block=0):
    """Blocks whose power is their number."""
    values = np.zeros((n_blocks, 1, len(Measured)))
    values[:, 0, Measured.BAND] = np.arange(first_block, first_block + n_blocks)
    return QualityBlocks(first_block, values)


def test_a_stretch_is_pooled_from_the_blocks_that_ended_in_it():
    track = QualityTrack(n_channels=1, rate_hz=1000.0)
    track.take(numbered(10))
    # Block 2 counts a quarter, 3 and 4 wholly, 5 has not ended.
    pooled = track.between(2 * BLOCK_HOPS + 30, 5 * BLOCK_HOPS + 39)
    assert pooled[Measured.BAND][0] == pytest.approx((0.25 * 2 + 3 + 4) / 2.25)


def test_a_stretch_is_judged_the_same_however_much_came_after_it():
    track = QualityTrack(n_channels=1, rate_hz=1000.0)
    track.take(numbered(5))
    early = track.between(30, 215)
    track.take(numbered(50, first_block=5))
    np.testing.assert_array_equal(track.between(30, 215).values, early.values)


def test_what_was_forgotten_or_never_came_is_not_measured():
    track = QualityTrack(n_channels=1, rate_hz=1000.0)
    track.take(numbered(4000))
    track.forget_before(3900 * BLOCK_HOPS)
    assert np.isnan(track.between(0, 400).values).all()
    assert track.between(3900 * BLOCK_HOPS, 3901 * BLOCK_HOPS)[Measured.BAND][0] == 3900
    assert np.isnan(track.between(10**6, 10**6 + 400).values).all()
    assert np.isnan(track.between(20, 30).values).all()


def test_a_copy_does_not_follow_its_original():
    track = QualityTrack(n_channels=1, rate_hz=1000.0)
    track.take(numbered(5))
    kept = track.copy()
    flat = numbered(5, first_block=5)
    flat.values[:, :, Measured.FLAT] = 1.0
    assert len(track.take(flat)) == 1
    assert np.isnan(kept.between(5 * BLOCK_HOPS, 10 * BLOCK_HOPS).values).all()
    assert len(kept.take(flat)) == 1


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_working_muscle_is_called_good(rate_hz):
    chance = np.random.default_rng(int(rate_hz))
    n_channels, n = 40, int(60 * rate_hz)
    raw_uv = 50.0 * np.stack([muscle_noise(n, rate_hz, chance) for _ in range(n_channels)]).astype(np.float64)
    raw_uv = np.round(raw_uv + chance.normal(0.0, 3.0, raw_uv.shape), 1)
    track, changes = track_of(raw_uv, rate_hz, rest_uv=np.full(n_channels, 3.0))
    grades = [grade.grade for hop in range(100, 5800, 200) for grade in track.grades(hop, hop + 200)]
    poor = sum(grade is not Quality.GOOD for grade in grades)
    assert len(grades) == 29 * n_channels
    # 5 in 1000 at 2 s; slow channels have little else but the lines near 50 and 60 Hz.
    assert poor <= 0.005 * len(grades)
    assert Quality.REJECT not in grades
    assert changes == ()


def test_bursts_drift_and_sway_of_a_good_electrode_are_borne():
    rate_hz, chance = 1000.0, np.random.default_rng(5)
    n_channels, n = 10, 60_000
    time_s = np.arange(n) / rate_hz
    burst = np.clip(np.sin(2 * np.pi * time_s / 4.0), 0.0, None)
    raw_uv = np.stack([muscle_noise(n, rate_hz, chance) for _ in range(n_channels)]) * 100.0 * burst
    raw_uv = raw_uv + chance.normal(0.0, 3.0, raw_uv.shape) + 150.0 * np.sin(2 * np.pi * 0.4 * time_s)
    raw_uv += 40.0 * np.sin(2 * np.pi * 6.0 * time_s)
    track, changes = track_of(raw_uv, rate_hz, rest_uv=np.full(n_channels, 3.0))
    assert changes == ()
    work = [grade for k in range(15) for grade in track.grades(400 * k + 20, 400 * k + 180)]
    assert all(grade.grade is Quality.GOOD for grade in work)


def test_more_sway_than_muscle_is_said_but_does_not_reject():
    time_s = np.arange(20_000) / 1000.0
    muscle_uv = 30.0 * muscle_noise(20_000, 1000.0, np.random.default_rng(0))
    raw_uv = (muscle_uv + 100.0 * np.sin(2 * np.pi * 6.0 * time_s))[np.newaxis]
    track, _ = track_of(raw_uv, 1000.0, rest_uv=np.array([3.0]))
    (graded,) = track.grades(0, 2000)
    assert graded.figures.motion_share == pytest.approx(5000.0 / 5900.0, abs=0.03)
    assert graded.grade is Quality.USABLE
    assert graded.reason.startswith("movement below 20 Hz")


def test_an_envelope_has_no_hum_and_no_motion():
    time_s = np.arange(4000) / 200.0
    raw_uv = np.stack([30.0 + 25.0 * np.sin(2 * np.pi * 0.5 * time_s)] * 2)
    clean_uv, clock = raw_uv.copy(), SampleClock(0, 0.0, 200.0)
    track = QualityTrack(
        n_channels=2,
        rate_hz=200.0,
        rest_uv=np.full(2, 4.0),
        reference_uv=np.full(2, 50.0),
        envelope_channels=(True, True),
    )
    changes = track.take(QualityStage(2, 200.0).process(raw_uv, clean_uv, clock, 0))
    graded = track.grades(100, 1900)[0]
    assert (changes, graded.grade) == ((), Quality.GOOD)
    assert (graded.figures.hum_ratio, graded.figures.motion_share) == (None, None)


@pytest.mark.parametrize("rate_hz", [10.0, 25.0, 50.0])
def test_the_slowest_envelopes_can_be_taken(rate_hz):
    raw_uv = np.abs(np.random.default_rng(0).normal(20.0, 5.0, (1, int(20 * rate_hz))))
    blocks = QualityStage(1, rate_hz).process(raw_uv, raw_uv, SampleClock(0, 0.0, rate_hz), 0)
    np.testing.assert_allclose(blocks[Measured.CLEAN].mean(), np.square(raw_uv).mean(), rtol=1e-9)


def real(name, scale):
    """Channels of a real recording as (samples, rate), or skip."""
    root = Path(os.environ.get("EMGMON_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
    path = root / name
    if not path.is_file():
        pytest.skip(f"the real recordings are not here: EMGMON_REAL_DATA names no folder with {name}")
    table = np.genfromtxt(path, delimiter=",", names=True)
    columns = [column for column in table.dtype.names if "emg" in column or "channel" in column]
    rate_hz = round((len(table) - 1) / (table["t_s"][-1] - table["t_s"][0]), 1)
    return np.array([table[column] * scale for column in columns]), rate_hz


def test_the_dead_channel_is_rejected_and_the_living_ones_are_not():
    for name, expected in (("triceps_resting", Quality.REJECT), ("back_lifting", Quality.USABLE)):
        raw_uv, rate_hz = real(f"back_lifting/{name}.csv.gz", 1e6)
        track, changes = track_of(raw_uv, rate_hz)
        (graded,) = track.grades(0, 10**5)
        assert graded.grade is expected, name
        if expected is Quality.REJECT:
            assert graded.reason == "the electrode gives no signal"
            assert [change.at_s for change in changes] == [0.4]
        else:
            assert changes == ()


@pytest.mark.parametrize("task", ["gait", "seated_knee_extension", "standing_knee_flexion"])
@pytest.mark.parametrize("person", [1, 3, 4, 5])
def test_hum_is_found_where_an_independent_spectrum_shows_it(person, task):
    raw_uv, rate_hz = real(f"thigh_emg_knee_angle/healthy{person}_{task}.csv.gz", 1e3)
    track, _ = track_of(raw_uv, rate_hz)
    for channel, graded in zip(raw_uv, track.grades(0, 10**5), strict=True):
        frequency_hz, density = welch(channel, rate_hz, nperseg=2000)
        band = (frequency_hz >= 20.0) & (frequency_hz <= 450.0)
        hum = 0.0
        for line_hz in np.arange(60.0, 450.0, 60.0):
            away_hz = np.abs(frequency_hz - line_hz)
            hum += (density[away_hz <= 1.0] - np.median(density[(away_hz > 2.0) & (away_hz <= 6.0)])).sum()
        ratio = hum / density[band].sum()
        if ratio > 0.15:
            assert graded.figures.hum_hz == 60.0
            assert graded.figures.hum_ratio == pytest.approx(ratio, abs=0.08)
            assert graded.reason.startswith("mains hum") or graded.grade is Quality.REJECT
        if ratio < 0.05:
            assert graded.reason is None or "hum" not in graded.reason


def test_real_bursts_and_a_tiring_muscle_are_not_called_clipped():
    for name, bits in (("emg_bursts", 16), ("emg_fatigue", 12)):
        counts, rate_hz = real(f"bursts_fatigue_ecg/{name}.csv.gz", 1.0)
        track, changes = track_of((counts - 2.0 ** (bits - 1)) * 3e3 / 2.0**bits, rate_hz)
        (graded,) = track.grades(0, 10**5)
        assert graded.figures.clipped_share < 1e-3
        assert graded.grade is Quality.GOOD
        assert changes == ()


def test_real_bursts_through_a_lower_limit_are_called_clipped():
    counts, rate_hz = real("bursts_fatigue_ecg/emg_bursts.csv.gz", 1.0)
    raw_uv = np.clip(counts - 32_768.0, -4000.0, 4000.0) * 3e3 / 65_536.0
    track, changes = track_of(raw_uv, rate_hz)
    (graded,) = track.grades(0, 10**5)
    assert graded.grade is Quality.REJECT
    assert graded.reason.startswith("the signal is cut off")
    assert {change.reason for change in changes} == {"the signal is cut off at the amplifier's limit", None}


def test_real_heartbeats_are_not_called_clipped():
    for name, scale in (("bursts_fatigue_ecg/ecg_5_min", 0.05), ("back_lifting/chest_lifting", 1e6)):
        raw_uv, rate_hz = real(f"{name}.csv.gz", scale)
        stage = QualityStage(1, rate_hz)
        blocks = stage.process(raw_uv, cleaned(raw_uv, rate_hz), SampleClock(0, 0.0, rate_hz), 0)
        assert blocks[Measured.CLIPPED_SHARE].max() == 0.0

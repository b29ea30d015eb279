"""A recorded channel holds exactly the parts it was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.emg import (
    EMG_SCALE_UV,
    EmgChannelModel,
    Fault,
    Take,
    channel_models,
    heartbeats_s,
    mean_level_pct,
    record_channel,
    to_counts,
)
from emgmon.virtual.params import ELECTRODES, AthleteParams

CLEAN = AthleteParams(snr_db=60.0, hum_uv=0.0, heartbeat_uv=0.0, drift_uv=0.0, motion_uv=0.0)
GLUTE, _, BACK, _ = channel_models(CLEAN)
TAKE = Take("test", 60_000, moments_s=(5.0, 10.0))


def constant(level_pct: float) -> SmoothCurve:
    return SmoothCurve(np.array([0.0]), np.array([level_pct]))


def rms_uv(counts: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(counts * EMG_SCALE_UV))))


def difference_uv(channel: EmgChannelModel, params: AthleteParams) -> np.ndarray:
    """What `params` adds to a clean recording of the same relaxed muscle."""
    with_part = record_channel(channel, None, TAKE, params).astype(np.float64)
    return (with_part - record_channel(channel, None, TAKE, CLEAN)) * EMG_SCALE_UV


@pytest.mark.parametrize("level_pct", [10.0, 50.0, 100.0])
def test_the_amplitude_is_the_activation_times_the_reference(level_pct: float) -> None:
    counts = record_channel(GLUTE, constant(level_pct), TAKE, CLEAN)
    # 30 s of about 150 Hz equivalent bandwidth: the RMS is known to 1 %.
    assert rms_uv(counts) == pytest.approx(GLUTE.reference_uv * level_pct / 100.0, rel=0.03)


@pytest.mark.parametrize("snr_db", [8.0, 15.0, 20.0])
@pytest.mark.parametrize("number", [0, 3])
def test_the_ratio_of_work_to_rest_is_the_snr_asked_for(snr_db: float, number: int) -> None:
    params = replace(CLEAN, snr_db=snr_db, glute_share_pct=40.0)
    channel = channel_models(params)[number]
    noise_uv = rms_uv(record_channel(channel, None, TAKE, params))
    work_uv = channel.reference_uv * mean_level_pct(params, channel.site) / 100.0
    # Counts of 0.1 uV add 0.03 uV of rounding to noise of 1 uV and more.
    assert 20.0 * np.log10(work_uv / noise_uv) == pytest.approx(snr_db, abs=0.15)


def test_the_levels_of_glute_and_back_add_up_to_the_work_of_the_exercise() -> None:
    params = AthleteParams(exercise="squat", glute_share_pct=35.0)
    assert mean_level_pct(params, "gluteus_maximus") == pytest.approx(60.0 * 0.35)
    assert mean_level_pct(params, "erector_spinae") == pytest.approx(60.0 * 0.65)


def test_hum_has_the_rms_asked_for() -> None:
    # The mains frequency wanders, so 30 s are not exactly whole periods.
    assert np.std(difference_uv(GLUTE, replace(CLEAN, hum_uv=20.0))) == pytest.approx(20.0, rel=0.002)


def test_the_heartbeat_has_the_peak_asked_for_and_only_on_the_back() -> None:
    params = replace(CLEAN, heartbeat_uv=200.0)
    assert difference_uv(BACK, params).max() == pytest.approx(200.0, abs=EMG_SCALE_UV)
    assert np.ptp(difference_uv(GLUTE, params)) == 0.0


def test_drift_and_motion_stay_below_20_hertz() -> None:
    added_uv = difference_uv(GLUTE, replace(CLEAN, drift_uv=150.0, motion_uv=300.0))
    spectrum = np.abs(np.fft.rfft(added_uv * np.hanning(len(added_uv)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(added_uv), 1.0 / 2000.0)
    assert np.ptp(added_uv) > 200.0
    assert spectrum[frequency_hz > 20.0].sum() < 1e-3 * spectrum.sum()


def test_a_part_that_is_switched_on_leaves_the_others_as_they_were() -> None:
    both = difference_uv(BACK, replace(CLEAN, hum_uv=20.0, heartbeat_uv=100.0))
    hum = difference_uv(BACK, replace(CLEAN, hum_uv=20.0))
    beat = difference_uv(BACK, replace(CLEAN, heartbeat_uv=100.0))
    assert both == pytest.approx(hum + beat, abs=4 * EMG_SCALE_UV)


def test_what_is_beyond_the_converter_stays_at_its_end() -> None:
    counts = to_counts(np.array([-1e6, -3277.0, 0.0, 0.26, 1e6], dtype=np.float32))
    assert counts.tolist() == [-32768, -32768, 0, 3, 32767]


def test_channels_are_glute_and_back_with_left_before_right() -> None:
    places = [(channel.site, channel.side) for channel in channel_models(CLEAN)]
    assert places == [
        ("gluteus_maximus", "left"),
        ("gluteus_maximus", "right"),
        ("erector_spinae", "left"),
        ("erector_spinae", "right"),
    ]


def test_two_takes_are_independent() -> None:
    first = record_channel(GLUTE, constant(100.0), Take("a", 20_000), CLEAN)
    second = record_channel(GLUTE, constant(100.0), Take("b", 20_000), CLEAN)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


def test_the_electrodes_that_can_come_off_are_those_that_are_worn() -> None:
    assert tuple(f"{channel.site}.{channel.side}" for channel in channel_models(CLEAN)) == ELECTRODES


def failing(**faults) -> Take:
    told = {"clip_uv": None, "off": None, "off_at_s": 10.0, "off_kind": "flat", **faults}
    return replace(TAKE, fault=Fault(**told))


def test_an_electrode_that_came_off_is_flat_from_then_on() -> None:
    take = failing(off="gluteus_maximus.left")
    whole = record_channel(GLUTE, constant(50.0), TAKE, CLEAN)
    off = record_channel(GLUTE, constant(50.0), take, CLEAN)
    assert np.array_equal(off[:20_000], whole[:20_000])
    assert not off[20_000:].any()
    assert np.array_equal(
        record_channel(BACK, constant(50.0), take, CLEAN), record_channel(BACK, constant(50.0), TAKE, CLEAN)
    )


def test_a_floating_electrode_shows_the_mains_and_nothing_of_the_muscle() -> None:
    take = failing(off="gluteus_maximus.left", off_kind="floating")
    floating = record_channel(GLUTE, constant(50.0), take, CLEAN)[20_000:] * EMG_SCALE_UV
    assert np.sqrt(np.mean(np.square(floating))) == pytest.approx(900.0, rel=0.02)
    power = np.abs(np.fft.rfft(floating)) ** 2
    assert power[np.argmax(power) - 2 : np.argmax(power) + 3].sum() > 0.85 * power[1:].sum()
    assert np.fft.rfftfreq(len(floating), 1 / 2000.0)[np.argmax(power)] == pytest.approx(50.0, abs=0.1)


def test_an_amplifier_clips_at_either_side_and_leaves_the_rest_alone() -> None:
    whole = record_channel(GLUTE, constant(100.0), TAKE, CLEAN)
    clipped = record_channel(GLUTE, constant(100.0), failing(clip_uv=150.0), CLEAN)
    assert (clipped.min(), clipped.max()) == (-1500, 1500)
    inside = np.abs(whole) < 1500
    assert 0.5 < inside.mean() < 0.95
    assert np.array_equal(clipped[inside], whole[inside])


def test_the_heart_beats_when_the_truth_says() -> None:
    params = replace(CLEAN, heartbeat_uv=200.0)
    beats = difference_uv(BACK, params)
    times_s = heartbeats_s(TAKE, params)
    assert 30.0 * 70 / 60 <= len(times_s) <= 30.0 * 110 / 60 + 1
    peaks_uv = [beats[round(time_s * 2000)] for time_s in times_s]
    assert peaks_uv == pytest.approx([200.0] * len(times_s), abs=6.0)
    assert heartbeats_s(TAKE, CLEAN) == ()

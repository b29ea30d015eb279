"""A recorded channel holds exactly the parts it was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.emg import (
    EMG_SCALE_UV,
    EmgChannelModel,
    Take,
    channel_models,
    mean_level_pct,
    record_channel,
    to_counts,
)
from emgmon.virtual.params import AthleteParams

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

"""The calibration is what a session measures on the virtual person."""

import math

import pytest

from emgmon.virtual.athlete import AthleteParams
from emgmon.virtual.calibrate import calibrate, good_set
from emgmon.virtual.emg import channel_models


def test_every_channel_is_calibrated_in_order() -> None:
    params = AthleteParams()
    places = [(channel.site, channel.side) for channel in channel_models(params)]
    assert [(channel.site, channel.side) for channel in calibrate(params).channels] == places


def test_the_reference_is_that_of_the_muscle_without_its_noise() -> None:
    params = AthleteParams(snr_db=15.0, heartbeat_uv=0.0)
    for channel, model in zip(calibrate(params).channels, channel_models(params), strict=True):
        # 30-450 Hz keeps 97 % of the RMS; the best of many windows of 500 ms lies 10-25 % above the mean.
        assert 1.0 < channel.reference_uv / model.reference_uv < 1.3


def test_the_rest_is_that_of_the_noise() -> None:
    params = AthleteParams(snr_db=10.0, hum_uv=0.0, heartbeat_uv=0.0)
    for channel, model in zip(calibrate(params).channels, channel_models(params), strict=True):
        # 30-450 Hz keeps 93 % of the RMS of noise that is flat over 10-480 Hz.
        assert channel.rest_uv == pytest.approx(0.93 * model.noise_uv, rel=0.05)


def test_a_better_signal_is_a_quieter_rest() -> None:
    quiet, loud = (calibrate(AthleteParams(snr_db=snr_db)).channels[0] for snr_db in (30.0, 10.0))
    assert quiet.rest_uv < 0.5 * loud.rest_uv


@pytest.mark.parametrize(
    ("exercise", "share_pct"), [("bridge", 68.0), ("hip-thrust", 70.0), ("squat", 62.0), ("bird-dog", 55.0)]
)
def test_the_good_set_has_the_share_that_the_model_says(exercise: str, share_pct: float) -> None:
    reference = good_set(exercise)
    assert reference.exercise == exercise
    assert 100.0 / (1.0 + math.exp(-reference.log_ratio)) == pytest.approx(share_pct)
    assert 0.0 < reference.rep_sd < 0.2

"""The calibration is what a session measures on the virtual person."""

import math

import numpy as np
import pytest

from emgmon.virtual.athlete import AthleteParams
from emgmon.virtual.calibrate import calibrate, good_set
from emgmon.virtual.emg import channel_models
from emgmon.virtual.exercise_model import EXERCISE_MODELS


def test_every_channel_is_calibrated_in_order() -> None:
    params = AthleteParams()
    places = [(channel.site, channel.side) for channel in channel_models(params)]
    assert [(channel.site, channel.side) for channel in calibrate(params).channels] == places


def test_the_reference_is_that_of_the_muscle_without_its_noise() -> None:
    params = AthleteParams(snr_db=15.0, heartbeat_uv=0.0)
    for channel, model in zip(calibrate(params).channels, channel_models(params), strict=True):
        # 30-450 Hz keeps 97 % of the RMS.
        ratio = channel.reference_uv / (0.97 * model.reference_uv)
        assert ratio == pytest.approx(1.0, abs=3.0 * channel.reference_cv)


def test_over_many_people_the_reference_is_unbiased_and_scatters_as_it_says() -> None:
    ratios, scatters = [], []
    for seed in range(1, 21):
        params = AthleteParams(seed=seed, emg_rate_hz=1000.0)
        for channel, model in zip(calibrate(params).channels, channel_models(params), strict=True):
            ratios.append(channel.reference_uv / (0.97 * model.reference_uv))
            scatters.append(channel.reference_cv)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.015)
    assert np.mean(scatters) == pytest.approx(np.std(ratios), rel=0.25)


def test_a_channel_that_would_be_refused_is_not_calibrated() -> None:
    assert calibrate(AthleteParams(hum_uv=500.0)).channels == ()


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


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_the_good_set_knows_how_the_pelvis_moved_with_and_without_electrodes(exercise: str) -> None:
    worn, bare = good_set(exercise), good_set(exercise, has_emg=False)
    assert worn.motion == bare.motion
    assert bare.log_ratio is None
    model = EXERCISE_MODELS[exercise]
    pitch = bare.find_motion("pelvis_anterior_change_deg")
    assert pitch.mean == pytest.approx(model.pitch_deg, abs=2.0)
    assert 0.4 < pitch.rep_sd < 5.0
    assert (bare.find_motion("pelvis_reversal_deg") is not None) == model.tips_backward

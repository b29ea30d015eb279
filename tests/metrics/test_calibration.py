import math

import numpy as np
import pytest

from emgmon.errors import CalibrationError
from emgmon.metrics.calibration import (
    Calibration,
    ChannelCalibration,
    activation_pct,
    fits,
    measure_rest,
)

RATE_HZ = 2000.0


def sine_uv(amplitude_uv, seconds, hz=100.0):
    t_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return amplitude_uv * np.sin(2 * np.pi * hz * t_s)


def test_rest_is_the_root_mean_square_of_each_channel():
    rest_uv = measure_rest(np.stack([sine_uv(3.0, 5), sine_uv(8.0, 5)], axis=1), RATE_HZ)
    np.testing.assert_allclose(rest_uv, [3 / math.sqrt(2), 8 / math.sqrt(2)], rtol=1e-3)


def test_a_stretch_of_which_nothing_was_measured_is_refused():
    with pytest.raises(CalibrationError, match="too little was measured") as refused:
        measure_rest(np.full((2000, 1), np.nan), RATE_HZ)
    assert refused.value.advice


def test_activation_removes_noise_in_power():
    # 3-4-5: a muscle of 40 and noise of 30 make an envelope of 50.
    percent = activation_pct(np.array([[50.0], [30.0], [20.0]]), np.array([30.0]), np.array([80.0]))
    np.testing.assert_allclose(percent[:, 0], [50.0, 0.0, 0.0])


def test_what_is_not_calibrated_or_not_measured_has_no_activation():
    percent = activation_pct(np.array([[50.0, np.nan]]), np.array([np.nan, 1.0]), np.array([np.nan, 80.0]))
    assert np.isnan(percent).all()


def test_a_channel_is_found_by_site_and_side():
    left = ChannelCalibration("gluteus_maximus", "left", 2.0, 100.0)
    calibration = Calibration("mvic", (left,))
    assert calibration.find("gluteus_maximus", "left") is left
    assert calibration.find("gluteus_maximus", "right") is None
    assert left.snr_db == pytest.approx(20 * math.log10(50))


@pytest.mark.parametrize(
    ("calibrated", "worn", "holds"),
    [(3, 3, True), (3, 4, False), (None, 4, True), (3, None, True)],
    ids=["the same electrodes", "new electrodes", "nobody counted then", "nobody counts now"],
)
def test_new_electrodes_end_a_calibration(calibrated, worn, holds):
    assert fits(Calibration("mvic", (), placement=calibrated), worn) is holds


def test_a_channel_may_stand_on_another_contraction_than_the_rest():
    left = ChannelCalibration("gluteus_maximus", "left", 2.0, 100.0)
    right = ChannelCalibration("gluteus_maximus", "right", 2.0, 100.0, method="best-so-far")
    calibration = Calibration("mvic", (left, right))
    assert [calibration.method_of(channel) for channel in calibration.channels] == ["mvic", "best-so-far"]

import numpy as np
import pytest

from emgmon.metrics.features import amplitude_features


def test_a_constant_has_no_waveform():
    features = amplitude_features(np.full(10, -3.0))
    assert (features.mav_uv, features.rms_uv, features.iemg_uv) == (3.0, 3.0, 30.0)
    assert (features.waveform_length_uv, features.variance_uv2) == (0.0, 0.0)
    assert (features.zero_crossings, features.slope_sign_changes) == (0, 0)


def test_a_sample_at_zero_is_no_crossing():
    assert amplitude_features(np.array([1.0, 0.0, 1.0, -1.0])).zero_crossings == 1


def test_one_sample_has_no_features():
    with pytest.raises(ValueError, match="1 samples are too few"):
        amplitude_features(np.array([1.0]))

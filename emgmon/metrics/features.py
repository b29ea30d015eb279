"""Classical amplitude features of a stretch of EMG, as researchers export them; no verdict rests on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AmplitudeFeatures:
    """Amplitude and simple waveform counts of one channel, in microvolt where they have a unit."""

    mav_uv: float
    """Mean absolute value, also called average rectified value."""
    rms_uv: float
    iemg_uv: float
    """Sum of absolute values, not divided by the rate."""
    waveform_length_uv: float
    """Sum of the absolute steps from sample to sample."""
    zero_crossings: int
    slope_sign_changes: int
    variance_uv2: float
    """With n - 1 in the denominator."""


def amplitude_features(emg_uv: NDArray[np.float64]) -> AmplitudeFeatures:
    """Compute the features of one channel over one stretch; no amplitude threshold applies to the counts.

    Definitions after Phinyomark et al. 2012, Expert Syst Appl 39:7420, 10.1016/j.eswa.2012.01.102.

    Parameters
    ----------
    emg_uv
        Shape (n_samples,), cleaned, at least two samples, none missing.

    Raises
    ------
    ValueError
        When there are fewer than two samples.
    """
    if len(emg_uv) < 2:
        raise ValueError(f"{len(emg_uv)} samples are too few for features; two are needed")
    steps = np.diff(emg_uv)
    rectified = np.abs(emg_uv)
    return AmplitudeFeatures(
        mav_uv=float(rectified.mean()),
        rms_uv=float(np.sqrt(np.mean(np.square(emg_uv)))),
        iemg_uv=float(rectified.sum()),
        waveform_length_uv=float(np.abs(steps).sum()),
        zero_crossings=int(np.count_nonzero(emg_uv[1:] * emg_uv[:-1] < 0.0)),
        slope_sign_changes=int(np.count_nonzero(steps[1:] * steps[:-1] < 0.0)),
        variance_uv2=float(np.var(emg_uv, ddof=1)),
    )

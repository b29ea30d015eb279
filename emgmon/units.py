"""Counts become microvolt, m/s² and rad/s here and nowhere else."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GRAVITY_MPS2 = 9.80665
"""Standard gravity."""


def to_physical(counts: NDArray[np.generic], scales: Sequence[float]) -> NDArray[np.float64]:
    """Scale the samples of a stream and lay them out channel by channel.

    Parameters
    ----------
    counts
        Raw samples, shape (n_samples, n_channels).
    scales
        Physical unit per count, one for each channel.

    Returns
    -------
    ndarray
        Shape (n_channels, n_samples), contiguous, so that filters run along memory.
    """
    physical = np.empty(counts.shape[::-1], dtype=np.float64)
    # A missing sample may carry any NaN pattern, also one that signals.
    with np.errstate(invalid="ignore"):
        np.multiply(counts.T, np.asarray(scales, dtype=np.float64)[:, np.newaxis], out=physical)
    return physical

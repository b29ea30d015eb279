"""Values that tell their place: who receives them sees that none is lost, doubled, moved or invented."""

import numpy as np
from numpy.typing import NDArray

_PER_SAMPLE = 31
_PER_CHANNEL = 7919
_MODULUS = 1 << 16


def pattern(first_sample: int, n_samples: int, n_channels: int) -> NDArray[np.int16]:
    """Values of consecutive samples, shape (n_samples, n_channels); repeats after 65,536 samples."""
    samples = np.arange(first_sample, first_sample + n_samples, dtype=np.int64)[:, np.newaxis]
    values = samples * _PER_SAMPLE + np.arange(n_channels) * _PER_CHANNEL
    return (values % _MODULUS - _MODULUS // 2).astype(np.int16)


def n_out_of_place(values: NDArray[np.integer]) -> int:
    """Samples that do not follow from the first one, for values of shape (n_samples, n_channels)."""
    if not len(values):
        return 0
    n_samples, n_channels = values.shape
    first = int(values[0, 0]) + _MODULUS // 2
    place = first * pow(_PER_SAMPLE, -1, _MODULUS) % _MODULUS
    return int((values != pattern(place, n_samples, n_channels)).any(axis=1).sum())

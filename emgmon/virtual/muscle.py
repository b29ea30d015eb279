"""Surface EMG of one contracting muscle as shaped Gaussian noise of known spectrum and amplitude."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import oaconvolve

LOW_CORNER_HZ = 60.0
"""Lower corner of the spectrum."""

HIGH_CORNER_HZ = 120.0
"""Upper corner; with the lower one the median frequency over 20-450 Hz is 95.7 Hz."""

TAPS = 1023
"""Length of the shaping filter: odd, so that it delays by whole samples."""


def emg_power(frequency_hz: ArrayLike) -> NDArray[np.float64]:
    """Give the power spectral density of surface EMG, unscaled (after Stulen and De Luca 1981).

    ``fh^2 f^2 / ((f^2 + fl^2) (f^2 + fh^2)^2)``
    """
    squared = np.square(np.asarray(frequency_hz, dtype=np.float64))
    low, high = LOW_CORNER_HZ**2, HIGH_CORNER_HZ**2
    return np.asarray(high * squared / ((squared + low) * np.square(squared + high)))


def muscle_noise(n_samples: int, rate_hz: float, chance: np.random.Generator) -> NDArray[np.float32]:
    """Make stationary EMG of unit RMS (in expectation, over the whole band); shape (n_samples,)."""
    return shaped_noise(n_samples, _emg_taps(rate_hz), chance)


def shaped_noise(
    n_samples: int, taps: NDArray[np.float32], chance: np.random.Generator
) -> NDArray[np.float32]:
    """White Gaussian noise through a filter; only fully settled samples are kept."""
    white = chance.standard_normal(n_samples + len(taps) - 1, dtype=np.float32)
    return np.asarray(oaconvolve(white, taps, mode="valid"), dtype=np.float32)


def taps_for(power: NDArray[np.float64]) -> NDArray[np.float32]:
    """Zero-phase filter that gives white noise the power spectrum `power` and unit variance.

    Parameters
    ----------
    power
        Shape (n,), on a regular grid from 0 to half the sampling rate.
    """
    response = np.fft.irfft(np.sqrt(power))
    centred = np.roll(response, TAPS // 2)[:TAPS]
    return np.asarray(centred / np.sqrt(np.sum(np.square(centred))), dtype=np.float32)


def frequency_grid(rate_hz: float) -> NDArray[np.float64]:
    """Frequencies on which a spectrum is drawn for :func:`taps_for`."""
    return np.linspace(0.0, rate_hz / 2.0, 4097)


@cache
def _emg_taps(rate_hz: float) -> NDArray[np.float32]:
    return taps_for(emg_power(frequency_grid(rate_hz)))

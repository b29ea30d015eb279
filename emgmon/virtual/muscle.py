"""Surface EMG of one contracting muscle as shaped Gaussian noise of known spectrum and amplitude."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import oaconvolve

LOW_CORNER_HZ = 60.0
"""Lower corner of the spectrum."""

HIGH_CORNER_HZ = 120.0
"""Upper corner; with the lower one the median frequency over 20-450 Hz is 95.7 Hz."""

TAPS = 1023
"""Length of the shaping filter: odd, so that it delays by whole samples."""


MEDIAN_BAND_HZ = (20.0, 450.0)
"""Band over which the median frequency is told."""


class Tired(NamedTuple):
    """From when on the spectrum is compressed, and how much."""

    from_s: float
    scale: float
    """Of every frequency; 1 is rested."""


def emg_power(frequency_hz: ArrayLike, *, scale: float = 1.0) -> NDArray[np.float64]:
    """Give the power spectral density of surface EMG, unscaled (after Stulen and De Luca 1981).

    ``fh^2 f^2 / ((f^2 + fl^2) (f^2 + fh^2)^2)``; fatigue slows conduction, which compresses the spectrum:
    both corners fall by the same factor (Lindström, Magnusson and Petersén 1970).
    """
    squared = np.square(np.asarray(frequency_hz, dtype=np.float64))
    low, high = (LOW_CORNER_HZ * scale) ** 2, (HIGH_CORNER_HZ * scale) ** 2
    return np.asarray(high * squared / ((squared + low) * np.square(squared + high)))


def median_frequency_hz(scale: float = 1.0) -> float:
    """Frequency that halves the power within `MEDIAN_BAND_HZ`."""
    frequency_hz = np.linspace(*MEDIAN_BAND_HZ, 8601)
    below = np.cumsum(emg_power(frequency_hz, scale=scale))
    return float(np.interp(below[-1] / 2.0, below, frequency_hz))


def muscle_noise(
    n_samples: int, rate_hz: float, chance: np.random.Generator, *, tired: Sequence[Tired] = ()
) -> NDArray[np.float32]:
    """Make EMG of unit RMS (in expectation, over the whole band); shape (n_samples,).

    Parameters
    ----------
    n_samples, rate_hz, chance
        Length, rate and where the noise comes from.
    tired
        Stretches of compressed spectrum in order of time; the first begins before the first sample.
        Without any the signal is stationary.
    """
    if not tired:
        return shaped_noise(n_samples, _emg_taps(rate_hz, 1.0), chance)
    white = chance.standard_normal(n_samples + TAPS - 1, dtype=np.float32)
    edges = [0, *(round(one.from_s * rate_hz) for one in tired[1:]), n_samples]
    noise = np.empty(n_samples, dtype=np.float32)
    for one, first, last in zip(tired, edges[:-1], edges[1:], strict=True):
        if last > first:
            taps = _emg_taps(rate_hz, one.scale)
            noise[first:last] = oaconvolve(white[first : last + TAPS - 1], taps, mode="valid")
    return noise


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
def _emg_taps(rate_hz: float, scale: float) -> NDArray[np.float32]:
    return taps_for(emg_power(frequency_grid(rate_hz), scale=scale))

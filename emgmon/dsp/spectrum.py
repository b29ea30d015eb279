"""Power spectra with a Hann window, in numpy alone; a row's bits do not depend on its neighbours."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SEGMENT_S = 0.25
"""Length of one window of Welch's estimate; windows overlap by half."""


@lru_cache(maxsize=16)
def hann(n_samples: int) -> NDArray[np.float64]:
    """Periodic Hann window, shape (n_samples,); shared, so not writable."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_samples) / n_samples)
    window.flags.writeable = False
    return window


def power_spectrum(
    x: NDArray[np.float64], rate_hz: float, *, n_fft: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate the power density of each row from one Hann window over all of it, its mean removed.

    Parameters
    ----------
    x
        Shape (..., n_samples), microvolt; a row with NaN gives NaN.
    rate_hz
        Sample rate.
    n_fft
        Length that rows are filled up to with zeros, for a finer grid or a faster transform;
        ``None`` for their own length.

    Returns
    -------
    frequency_hz
        Shape (n_bins,), from zero to half the rate.
    density
        Shape (..., n_bins), one-sided, µV²/Hz: its sum times the bin width is the power of the row
        as the window weighs it.
    """
    n_samples = x.shape[-1]
    length = n_samples if n_fft is None else max(n_fft, n_samples)
    window = hann(n_samples)
    weighed = x - x.mean(axis=-1, keepdims=True)
    weighed *= window
    spectrum = np.fft.rfft(weighed, length, axis=-1)
    density = np.square(spectrum.real)
    density += np.square(spectrum.imag)
    density *= 2.0 / (rate_hz * float(np.square(window).sum()))
    # Zero, and at even lengths half the rate, have no twin among the negative frequencies.
    density[..., 0] *= 0.5
    if length % 2 == 0:
        density[..., -1] *= 0.5
    frequency_hz: NDArray[np.float64] = np.fft.rfftfreq(length, 1.0 / rate_hz).astype(np.float64, copy=False)
    return frequency_hz, density


def welch(
    x: NDArray[np.float64], rate_hz: float, segment_s: float = SEGMENT_S
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average the power spectra of half-overlapping Hann windows (Welch 1967, 10.1109/TAU.1967.1161901).

    Parameters
    ----------
    x
        Shape (n_channels, n_samples), microvolt. Windows that miss samples are left out, channel by channel.
    rate_hz
        Sample rate.
    segment_s
        Length of a window; a shorter signal is one window, filled up with zeros to the same grid.

    Returns
    -------
    frequency_hz
        Shape (n_bins,), the same for every length of signal.
    density
        Shape (n_channels, n_bins), one-sided, µV²/Hz; NaN where no window was whole.
    """
    length = max(2, round(segment_s * rate_hz))
    if x.shape[-1] <= length:
        frequency_hz, density = power_spectrum(x, rate_hz, n_fft=length)
        return frequency_hz, density
    windows = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., :: length // 2, :]
    frequency_hz, densities = power_spectrum(windows, rate_hz)
    whole = ~np.isnan(densities[..., :1])
    total = (densities if whole.all() else np.where(whole, densities, 0.0)).sum(axis=-2)
    count = whole.sum(axis=-2)
    return frequency_hz, np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def band_power(
    density: NDArray[np.float64], frequency_hz: NDArray[np.float64], low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    """Power of the bins from `low_hz` to below `high_hz`, µV²; shape of `density` without its last axis."""
    first, stop = np.searchsorted(frequency_hz, [low_hz, high_hz])
    power: NDArray[np.float64] = density[..., first:stop].sum(axis=-1) * (frequency_hz[1] - frequency_hz[0])
    return power

"""How surely an amplitude of EMG is known from so much signal: Gaussian noise of known bandwidth, no more."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ

_SETTLED_SPANS = 4.0
"""How quickly the strongest of overlapping windows comes to scatter like the strongest of any longer
choice."""


def statistical_bandwidth(
    density: NDArray[np.float64], frequency_hz: NDArray[np.float64], *, n_windows: float = math.inf
) -> NDArray[np.float64]:
    """Width of the flat spectrum whose power is as hard to know: (∫S df)² / ∫S² df.

    Parameters
    ----------
    density
        Shape (..., n_bins), one-sided, any unit.
    frequency_hz
        Shape (n_bins,), regular.
    n_windows
        How many windows the spectrum is averaged over. Chance makes it ragged, E[S²] = (1 + 1 / n) S², which
        narrows the quotient; with the number known this is made good.

    Returns
    -------
    ndarray
        Shape (...), Hz; NaN where there is no power.

    Notes
    -----
    For Gaussian noise the variance of the mean square over T seconds is 2/T ∫R² = 1/T ∫S² df, with R the
    autocorrelation and S the one-sided density (Parseval), so relative to the squared power it is 1 / (B T)
    (Bendat and Piersol, Random Data, state the same).
    """
    step_hz = float(frequency_hz[1] - frequency_hz[0])
    power, squares = density.sum(axis=-1), np.square(density).sum(axis=-1)
    wide = np.divide(
        np.square(power) * step_hz, squares, out=np.full_like(power, np.nan), where=squares > 0.0
    )
    return np.asarray((1.0 + 1.0 / n_windows) * wide)


def amplitude_cv(bandwidth_hz: float, seconds: float) -> float:
    """Relative scatter of the RMS of steady EMG over a stretch of time: 1 / (2 sqrt(B T)).

    The mean square scatters by 1 / sqrt(B T) of itself (:func:`statistical_bandwidth`), and a root halves a
    small relative error (delta method; the next term is 1 / (8 B T), under 0.2 % from half a second on).

    Parameters
    ----------
    bandwidth_hz
        Statistical bandwidth of the cleaned signal.
    seconds
        Time that the RMS is taken over; of a varying amplitude :func:`effective_seconds`.
    """
    return 0.5 / math.sqrt(bandwidth_hz * seconds) if bandwidth_hz > 0.0 and seconds > 0.0 else math.inf


def effective_seconds(
    activation_pct: NDArray[np.float64], noise_pct: NDArray[np.float64] | float = 0.0
) -> NDArray[np.float64]:
    """Length of steady, noise-free EMG whose amplitude would be known as surely as this mean activation.

    Hop *k* shows the power e² = a² + n², known to c e² with c = 1 / sqrt(B h) in h = 10 ms; so a is known to
    c e² / (2 a), independently of the other hops, and their mean relatively to
    c / 2 sqrt(Σ (e² / a)²) / Σ a. Put equal to 1 / (2 sqrt(B T)) this is T = h (Σ a)² / Σ (e² / a)²: without
    noise h (Σ a)² / Σ a², all of the time when the amplitude is steady. That the envelope smooths over
    neighbouring hops hands their errors on and leaves their sum.

    Parameters
    ----------
    activation_pct
        Shape (n_hops, ...), rest noise taken off; any unit.
    noise_pct
        Rest noise in the same unit, shape (...).

    Returns
    -------
    ndarray
        Shape (...), seconds; 0 where the mean is nothing. Hops below the noise count with the slope of a hop
        at half the noise: at zero the root has no slope.
    """
    noise = np.asarray(noise_pct, dtype=np.float64)
    total = activation_pct.sum(axis=0)
    reached = np.maximum(activation_pct, np.maximum(0.5 * noise, np.finfo(np.float64).tiny))
    spread = np.square((np.square(activation_pct) + np.square(noise)) / reached).sum(axis=0)
    hops = np.divide(np.square(total), spread, out=np.zeros_like(total), where=spread > 0.0)
    return np.asarray(hops / HOP_RATE_HZ)


def muscle_cv(envelope_cv: float, *, noise_to_muscle: float, rest_cv: float = 0.0) -> float:
    """Relative scatter of an amplitude once rest noise is taken off it in power.

    From a² = e² - n² follows a da = e de - n dn, so the relative errors of e and n come in with
    e² / a² = 1 + r² and n² / a² = r² (delta method).

    Parameters
    ----------
    envelope_cv
        Relative scatter of e, muscle and noise together.
    noise_to_muscle
        r = n / a, both RMS.
    rest_cv
        Relative scatter of n.
    """
    ratio = noise_to_muscle * noise_to_muscle
    return math.hypot((1.0 + ratio) * envelope_cv, ratio * rest_cv)


@lru_cache(maxsize=256)
def best_of(n_values: float) -> tuple[float, float]:
    """Mean and standard deviation of the largest of independent standard normal values.

    Parameters
    ----------
    n_values
        At least 1; need not be whole, which stands for values that are partly independent.

    Notes
    -----
    The distribution function of the largest of n is Φⁿ; mean and variance are summed from it numerically
    (Tippett 1925, 10.1093/biomet/17.3-4.364, tabulates the mean: 0.5642 for 2, 1.5388 for 10).
    """
    x = np.linspace(-8.0, 8.0, 3201)
    below = np.array([0.5 * (1.0 + math.erf(value / math.sqrt(2.0))) for value in x])
    weight = np.diff(below ** max(n_values, 1.0))
    middle = 0.5 * (x[1:] + x[:-1])
    mean = float(weight @ middle)
    return mean, math.sqrt(float(weight @ np.square(middle - mean)))


def strongest_window(steady_s: float, window_s: float) -> tuple[float, float]:
    """Mean and standard deviation, in scatters of one window, of the strongest window in steady noise.

    The window slides by hops of 10 ms, so there are more chances than whole windows fit, but no independent
    ones.

    Parameters
    ----------
    steady_s
        Time over which the amplitude stays the same.
    window_s
        Length of the window; with nothing but one window there is no choice: 0 and 1.

    Notes
    -----
    A moving mean of noise is the process of Slepian (1961, 10.1214/aoms/1177705068). For a choice of s window
    lengths its largest value is on average that of 1 + s (2.5 + ln(1 + s)) independent ones, within 0.07 up
    to 50 lengths, and scatters up to 1.22 times as much, fitted to 5,000 to 20,000 simulated stretches each.
    """
    spans = max(0.0, steady_s / window_s - 1.0)
    mean, sd = best_of(round(1.0 + spans * (2.5 + math.log1p(spans)), 2))
    return mean, sd * (1.22 - 0.22 * math.exp(-_SETTLED_SPANS * spans))

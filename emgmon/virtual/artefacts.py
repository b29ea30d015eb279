"""What an electrode picks up besides the muscle, each part with the amplitude asked for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.curve import sample_in_blocks
from emgmon.virtual.muscle import frequency_grid, shaped_noise, taps_for

AMPLIFIER_BAND_HZ = (10.0, 480.0)
"""Amplifier noise is flat over this band and fades out over `AMPLIFIER_FADE_HZ` outside it."""

AMPLIFIER_FADE_HZ = (8.0, 40.0)

HARMONIC = 3
"""Mains hum carries this harmonic: transformers and rectifiers make odd ones."""

HARMONIC_FRACTION = 0.2
"""RMS of the harmonic, as a fraction of that of the fundamental."""

MAINS_WANDER_HZ = 0.02
"""Standard deviation of the mains frequency between recordings."""

HEART_RATE_PER_MIN = (70.0, 110.0)
"""Slowest and fastest heart rate."""

BEAT_INTERVAL_SD_S = 0.02
"""Beat-to-beat variation that breathing does not explain."""

BREATHING_HZ = 0.25
"""Breathing speeds and slows the heart at this rate."""

DRIFT_BAND_HZ = (0.02, 0.6)
"""Frequencies of electrode drift."""

DRIFT_GRID_HZ = 100.0
"""Drift is computed on this grid and interpolated; the error is below 1 part in 10,000."""

MOTION_BAND_HZ = (3.0, 10.0)
"""Frequencies of the burst at lift-off and landing."""

MOTION_BURST_S = 0.5
"""Length of the burst; its Hann window widens the spectrum by 4 Hz at either side."""


def amplifier_noise(n_samples: int, rate_hz: float, chance: np.random.Generator) -> NDArray[np.float32]:
    """Make amplifier and skin noise of unit RMS, flat over `AMPLIFIER_BAND_HZ`."""
    frequency_hz = frequency_grid(rate_hz)
    rise = np.clip((frequency_hz - AMPLIFIER_BAND_HZ[0]) / AMPLIFIER_FADE_HZ[0] + 1.0, 0.0, 1.0)
    fall = np.clip(1.0 - (frequency_hz - AMPLIFIER_BAND_HZ[1]) / AMPLIFIER_FADE_HZ[1], 0.0, 1.0)
    power = np.square(np.sin(np.pi / 2.0 * rise) * np.sin(np.pi / 2.0 * fall))
    return shaped_noise(n_samples, taps_for(power), chance)


def mains_hum(
    n_samples: int, rate_hz: float, *, mains_hz: float, phases: tuple[float, float]
) -> NDArray[np.float32]:
    """Make hum of unit RMS: the fundamental and one harmonic, with their phases in radians."""
    fundamental = np.sqrt(2.0 / (1.0 + HARMONIC_FRACTION**2))

    def hum(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        turn = 2.0 * np.pi * mains_hz * time_s
        harmonic = HARMONIC_FRACTION * np.sin(HARMONIC * turn + phases[1])
        return np.asarray(fundamental * (np.sin(turn + phases[0]) + harmonic))

    return sample_in_blocks(hum, n_samples, rate_hz)


def beat_times(duration_s: float, chance: np.random.Generator) -> NDArray[np.float64]:
    """When the heart beats: a mean rate, slow wander, breathing and beat-to-beat variation.

    Returns
    -------
    ndarray, shape (n_beats,)
        Seconds of the R waves. Every interval lies between those of `HEART_RATE_PER_MIN`.
    """
    slow, fast = HEART_RATE_PER_MIN
    shortest_s, longest_s = 60.0 / fast, 60.0 / slow
    mean_s = 60.0 / chance.uniform(slow + 10.0, fast - 10.0)
    n_most = int(duration_s / shortest_s) + 2
    wander_s = np.clip(np.cumsum(0.002 * chance.standard_normal(n_most)), -0.06, 0.06)
    breath_s = 0.02 * np.sin(2.0 * np.pi * BREATHING_HZ * mean_s * np.arange(n_most))
    jitter_s = BEAT_INTERVAL_SD_S * chance.standard_normal(n_most)
    intervals_s = np.clip(mean_s + wander_s + breath_s + jitter_s, shortest_s, longest_s)
    times_s = chance.uniform(0.0, longest_s) + np.cumsum(intervals_s) - intervals_s[0]
    return np.asarray(times_s[times_s < duration_s])


def heartbeat_template(rate_hz: float) -> tuple[NDArray[np.float64], int]:
    """Draw one heartbeat as the trunk shows it: Q, R, S and a small T wave; peak exactly 1.

    Returns
    -------
    ndarray, shape (n,)
        The wave.
    int
        Index of the R wave's peak in it.
    """
    centre = round(0.1 * rate_hz)
    time_s = (np.arange(round(0.5 * rate_hz)) - centre) / rate_hz
    wave = np.zeros(len(time_s))
    for height, at_s, width_s in (
        (-0.12, -0.024, 0.007),
        (1.0, 0.0, 0.008),
        (-0.25, 0.026, 0.009),
        (0.15, 0.220, 0.040),
    ):
        wave += height * np.exp(-0.5 * np.square((time_s - at_s) / width_s))
    return wave / wave[centre], centre


def heartbeat(n_samples: int, rate_hz: float, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Put one template of peak 1 at each beat; shape (n_samples,)."""
    wave, centre = heartbeat_template(rate_hz)
    first = np.round(times_s * rate_hz).astype(np.int64) - centre
    index = first[:, np.newaxis] + np.arange(len(wave))
    inside = (index >= 0) & (index < n_samples)
    beats = np.zeros(n_samples, dtype=np.float32)
    np.add.at(beats, index[inside], np.broadcast_to(wave, index.shape)[inside])
    return beats


def drift(n_samples: int, rate_hz: float, chance: np.random.Generator) -> NDArray[np.float32]:
    """Make electrode drift of unit RMS (in expectation): a handful of slow sines."""
    n_coarse = int(np.ceil(n_samples / rate_hz * DRIFT_GRID_HZ)) + 2
    coarse_s = np.arange(n_coarse) / DRIFT_GRID_HZ
    n_sines = 6
    low, high = DRIFT_BAND_HZ
    frequencies_hz = low * (high / low) ** chance.uniform(size=n_sines)
    phases = chance.uniform(0.0, 2.0 * np.pi, size=n_sines)
    coarse = np.zeros(n_coarse)
    for frequency_hz, phase in zip(frequencies_hz, phases, strict=True):
        coarse += np.sqrt(2.0 / n_sines) * np.sin(2.0 * np.pi * frequency_hz * coarse_s + phase)
    return sample_in_blocks(lambda time_s: np.interp(time_s, coarse_s, coarse), n_samples, rate_hz)


def motion_bursts(
    n_samples: int, rate_hz: float, moments_s: Sequence[float], chance: np.random.Generator
) -> NDArray[np.float32]:
    """Make bursts below 20 Hz of peak at most 1, one around each moment; shape (n_samples,)."""
    burst_samples = round(MOTION_BURST_S * rate_hz)
    window = np.hanning(burst_samples)
    time_s = np.arange(burst_samples) / rate_hz
    bursts = np.zeros(n_samples + 2 * burst_samples, dtype=np.float32)
    for moment_s in moments_s:
        frequency_hz = chance.uniform(*MOTION_BAND_HZ)
        size, phase = chance.uniform(0.4, 1.0), chance.uniform(0.0, 2.0 * np.pi)
        first = round((moment_s - MOTION_BURST_S / 2.0) * rate_hz) + burst_samples
        if 0 <= first <= n_samples + burst_samples:
            wave = size * window * np.sin(2.0 * np.pi * frequency_hz * time_s + phase)
            bursts[first : first + burst_samples] += wave.astype(np.float32)
    return bursts[burst_samples : burst_samples + n_samples]

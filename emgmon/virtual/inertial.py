"""The inertial sensor: ideal specific force and angular rate, plus bias and noise, as counts."""

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.body import PELVIS
from emgmon.virtual.chance import generator
from emgmon.virtual.motion import GRAVITY_MPS2, SensorMotion
from emgmon.virtual.params import AthleteParams

ACCELERATION_SCALE_MPS2 = float(np.float32(8.0 * GRAVITY_MPS2 / 32768.0))
"""Metre per second squared per count: a range of 8 g."""

ANGULAR_RATE_SCALE_RADPS = float(np.float32(np.deg2rad(1000.0) / 32768.0))
"""Radian per second per count: a range of 1000 degrees per second."""

ACCELERATION_BIAS_MPS2 = 0.03
"""Length of the accelerometer's bias."""

ACCELERATION_NOISE_MPS2 = 0.015
"""RMS of white noise per axis: 200 ug per root hertz over 50 Hz."""

ANGULAR_RATE_BIAS_RADPS = float(np.deg2rad(0.3))
"""Length of the gyroscope's bias."""

ANGULAR_RATE_NOISE_RADPS = float(np.deg2rad(0.06))
"""RMS of white noise per axis: 0.008 degrees per second per root hertz over 50 Hz."""

BLOCK_SAMPLES = 20_000
"""How many samples are computed at once; bounds the memory of long sessions."""


def record_imu(
    motion: SensorMotion, n_samples: int, params: AthleteParams, *, take: str = "performance"
) -> NDArray[np.int16]:
    """Record specific force (x, y, z) and angular rate (x, y, z).

    Parameters
    ----------
    motion
        Of the sensor.
    n_samples
        From time 0 on.
    params
        Rate and seed.
    take
        Takes of different names have independent noise and the same bias.

    Returns
    -------
    ndarray, shape (n_samples, 6)
        Counts of `ACCELERATION_SCALE_MPS2` and `ANGULAR_RATE_SCALE_RADPS` each.
    """
    site = motion.segment.site
    chance = generator(params.seed, "imu", *([] if site == PELVIS.site else [site]))
    force_bias = _along_anything(ACCELERATION_BIAS_MPS2, chance)
    rate_bias = _along_anything(ANGULAR_RATE_BIAS_RADPS, chance)
    if take != "performance":
        chance = generator(params.seed, "imu", site, take)
    counts = np.empty((n_samples, 6), dtype=np.int16)
    for first in range(0, n_samples, BLOCK_SAMPLES):
        last = min(first + BLOCK_SAMPLES, n_samples)
        noise = chance.standard_normal((last - first, 6))
        force, rate = motion.measured(np.arange(first, last) / params.imu_rate_hz)
        force += force_bias + ACCELERATION_NOISE_MPS2 * noise[:, :3]
        rate += rate_bias + ANGULAR_RATE_NOISE_RADPS * noise[:, 3:]
        counts[first:last, :3] = _to_counts(force / ACCELERATION_SCALE_MPS2)
        counts[first:last, 3:] = _to_counts(rate / ANGULAR_RATE_SCALE_RADPS)
    return counts


def _along_anything(length: float, chance: np.random.Generator) -> NDArray[np.float64]:
    direction = chance.standard_normal(3)
    return np.asarray(length * direction / np.linalg.norm(direction))


def _to_counts(values: NDArray[np.float64]) -> NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(values), limits.min, limits.max).astype(np.int16)

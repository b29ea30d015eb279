"""A heart with known beats, on top of a muscle: what the tests of beats and heartbeat share."""

import numpy as np

from emgmon.virtual.artefacts import heartbeat
from emgmon.virtual.muscle import muscle_noise


def beat_samples(duration_s, rate_hz, per_min, *, seed=0, spread=0.04):
    """Samples of the R waves, whole, half a second clear of both ends."""
    interval_s = 60.0 / per_min * (1 + spread * np.random.default_rng(seed).standard_normal(2000))
    times_s = 0.5 + np.cumsum(interval_s) - interval_s[0]
    return np.round(times_s[times_s < duration_s - 0.5] * rate_hz).astype(np.int64)


def heart_uv(beats, n_samples, rate_hz, *, peak_uv):
    return peak_uv * heartbeat(n_samples, rate_hz, beats / rate_hz).astype(np.float64)


def muscle_uv(n_samples, rate_hz, *, rest_uv, work_uv=0.0, seed=0):
    """EMG that works for 1.5 s of every 4 s."""
    rng = np.random.default_rng(seed)
    working = np.arange(n_samples) / rate_hz % 4.0 > 2.5
    return muscle_noise(n_samples, rate_hz, rng).astype(np.float64) * np.where(
        working, np.hypot(rest_uv, work_uv), rest_uv
    )


def precision_recall(found, beats, rate_hz, *, within_s=0.02):
    near = np.abs(found[:, np.newaxis] - beats) <= within_s * rate_hz
    return near.any(axis=1).mean(), near.any(axis=0).mean()

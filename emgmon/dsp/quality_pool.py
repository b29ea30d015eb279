"""Blocks of quality averaged over a stretch of time: powers first, and ratios of the averages after."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.quality import MAINS_HZ, Measured
from emgmon.events import QualityFigures


@dataclass(frozen=True, slots=True, eq=False)
class PooledQuality:
    """What is measured of each channel, averaged over a stretch of time."""

    values: NDArray[np.float64]
    """Shape (n_channels, len(Measured)); NaN where not measured."""
    n_blocks: NDArray[np.float64]
    """Shape (n_channels,): how many blocks of equal power are as much evidence."""

    def __getitem__(self, measured: Measured) -> NDArray[np.float64]:
        """One of them, shape (n_channels,)."""
        return self.values[:, measured]


def pool(values: NDArray[np.float64], weights: NDArray[np.float64]) -> PooledQuality:
    """Average blocks.

    Parameters
    ----------
    values
        Shape (n_blocks, n_channels, len(Measured)), NaN where not measured.
    weights
        Shape (n_blocks,): how much of each block counts.
    """
    known = ~np.isnan(values)
    weight = weights[:, np.newaxis, np.newaxis] * known
    total = weight.sum(axis=0)
    mean = np.divide(
        (np.where(known, values, 0.0) * weight).sum(axis=0),
        total,
        out=np.full(values.shape[1:], np.nan),
        where=total > 0.0,
    )
    # Rest is a state of knowledge, not a power: the newest counts.
    for channel in range(values.shape[1]):
        told = np.flatnonzero(known[:, channel, Measured.REST_UV])
        mean[channel, Measured.REST_UV] = values[told[-1], channel, Measured.REST_UV] if len(told) else np.nan
    return PooledQuality(mean, _evidence(values[:, :, Measured.BAND], weights))


def _evidence(power: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count blocks as far as they matter: a loud one outweighs the quiet ones around it."""
    weight = weights[:, np.newaxis] * ~np.isnan(power)
    part = weight * np.nan_to_num(power)
    squared = (part * np.nan_to_num(power)).sum(axis=0)
    count: NDArray[np.float64] = weight.sum(axis=0)
    np.divide(part.sum(axis=0) ** 2, squared, out=count, where=squared > 0.0)
    return count


def quality_figures(
    pooled: PooledQuality, rest_uv: NDArray[np.float64] | None = None
) -> tuple[QualityFigures, ...]:
    """Turn averages into figures, channel by channel.

    Parameters
    ----------
    pooled
        Of a stretch of time.
    rest_uv
        Shape (n_channels,), RMS of the cleaned signal at rest from a calibration; NaN or ``None`` where it is
        not known and the quiet end of the session so far must do.
    """
    told = np.full(len(pooled.values), np.nan) if rest_uv is None else rest_uv
    noise_uv = np.where(np.isnan(told), pooled[Measured.REST_UV], told)
    return tuple(
        _figures(row, float(noise)) for row, noise in zip(pooled.values.tolist(), noise_uv, strict=True)
    )


def _figures(row: list[float], noise_uv: float) -> QualityFigures:
    hum = row[Measured.HUM_50], row[Measured.HUM_60]
    stronger = int(hum[1] > hum[0])
    hum_ratio = _ratio(max(hum[stronger], 0.0), row[Measured.BAND])
    return QualityFigures(
        noise_uv=_known(noise_uv),
        snr_db=snr_db(math.sqrt(row[Measured.CLEAN]), noise_uv),
        hum_ratio=hum_ratio,
        hum_hz=MAINS_HZ[stronger] if hum_ratio else None,
        clipped_share=_known(row[Measured.CLIPPED_SHARE]),
        flat_share=_known(row[Measured.FLAT]),
        motion_share=_ratio(row[Measured.LOW], row[Measured.TOTAL]),
        missing_share=_known(row[Measured.MISSING_SHARE]),
    )


def snr_db(work_uv: float, rest_uv: float) -> float | None:
    """Put the RMS at work, its noise included, over that at rest; ``None`` where there is no ratio."""
    return 20.0 * math.log10(work_uv / rest_uv) if work_uv > 0.0 and rest_uv > 0.0 else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0.0 and not math.isnan(part) else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value

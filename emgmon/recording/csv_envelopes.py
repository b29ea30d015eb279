"""Rectified or smoothed EMG is told from raw EMG with an offset by its shape, never by its size."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_S = 0.1
"""Long enough for several swings of raw EMG, short enough that a contraction spans many blocks."""

FEWEST_BLOCKS = 10
"""Less than a second of signal tells nothing."""

MOST_BLOCKS = 6000
"""Ten minutes, spread over a longer file, tell all that there is to tell."""

RECTIFIED_SPREAD = 0.4
"""Spread over level within a block. Rectified Gaussian noise has 0.76; raw EMG that never goes below 0 lies 3
spreads above it, so it stays under 0.33; the largest of 79 recorded ones, lifted to just above 0, is 0.21."""

LOUD_QUANTILE = 0.8
QUIET_QUANTILE = 0.2

SMALLEST_RISE = 2.0
"""An envelope rises at least this much from its quiet to its loud blocks; the level of raw EMG stays."""

SMALLEST_RISE_OF_SWING = 2.0
"""What swings within a block grows with an envelope's level, 4-fold and more in recorded ones; under an
offset that drifts it stays (0.8-fold and 0.9-fold in two recordings)."""

FASTEST_ENVELOPE_HZ = 52.0
FASTEST_SHARE_OF_RATE = 0.2
"""Swings within a block are no quicker than this in an envelope: 28-49 Hz for 20 ms RMS, 12 Hz after a 6 Hz
low-pass. Raw EMG has 123 Hz and more at 1000 Hz, 60 at 250 Hz and 50 at 200 Hz."""

SMALLEST_DOUBT = 0.03
"""A signal that never goes below 0 and spreads less than this, over its level, has an offset beyond doubt."""

DEEPEST_UNDERSHOOT = 0.15
"""Beside a steep contraction a low-pass goes below 0, by 4 % (2nd order) to 11 % (4th order) of its height;
raw EMG by all of it."""

MOST_DEEPER_SHARE = 0.002
"""Filters that run both ways swing at the ends of the file."""

MOST_UNDERSHOOT_SHARE = 0.25
"""Raw EMG without an offset spends half of its time below 0."""


class EmgForm(enum.Enum):
    """What an EMG column looks like."""

    RAW = "raw"
    RECTIFIED = "rectified"
    SMOOTHED = "smoothed"
    UNCLEAR = "unclear"
    """Never below 0, but neither clearly an envelope nor clearly raw with an offset."""


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Blocks of 100 ms, each with its level and what swings about it."""

    level: NDArray[np.float64]
    """Mean of each block, shape (n_blocks,)."""
    spread: NDArray[np.float64]
    """Standard deviation within each block."""
    swing: NDArray[np.float64]
    """The same, without the block's own slope."""
    swing_hz: NDArray[np.float64]
    """How quick that is: the root of the mean square frequency; NaN where nothing swings."""


def emg_form(values: NDArray[np.float32], rate_hz: float) -> EmgForm:
    """Tell what an EMG signal is.

    Raw EMG swings about a level that stays, whatever offset the converter gave it; its swings are quick.
    Rectified EMG swings down to 0 wherever it is. A smoothed envelope rises with the effort; what is left of
    its swings is slow and grows with it.

    Parameters
    ----------
    values
        Shape (n_samples,), any unit, NaN where missing.
    rate_hz
        Sample rate.
    """
    if not _is_above_zero(values):
        return EmgForm.RAW
    blocks = _blocks(values, rate_hz)
    if len(blocks.level) < FEWEST_BLOCKS or not (blocks.level > 0.0).any():
        return EmgForm.RAW
    if _is_smoothed(blocks, rate_hz):
        return EmgForm.SMOOTHED
    if (values < 0.0).any():
        return EmgForm.RAW
    heard = blocks.level > 0.0
    if np.median(blocks.spread[heard] / blocks.level[heard]) >= RECTIFIED_SPREAD:
        return EmgForm.RECTIFIED
    return EmgForm.UNCLEAR if _is_doubtful(blocks, rate_hz) else EmgForm.RAW


def _is_above_zero(values: NDArray[np.float32]) -> bool:
    """Whether a signal stays above 0, but for the undershoot of a low-pass."""
    if _share(values < 0.0, values) > MOST_UNDERSHOOT_SHARE:
        return False
    deep = values < -DEEPEST_UNDERSHOOT * np.nanmax(values, initial=0.0)
    return _share(deep, values) <= MOST_DEEPER_SHARE


def _is_doubtful(blocks: _Blocks, rate_hz: float) -> bool:
    """Whether it might be rectified over an offset, or the envelope of a single level."""
    loud = _loud(blocks)
    spread = np.std(blocks.level) + np.median(blocks.spread)
    return bool(
        np.median(blocks.spread[loud] / blocks.level[loud]) >= RECTIFIED_SPREAD
        or (_is_slow(blocks, rate_hz) and spread >= SMALLEST_DOUBT * np.mean(blocks.level))
    )


def _is_smoothed(blocks: _Blocks, rate_hz: float) -> bool:
    loud, quiet = _loud(blocks), blocks.level <= np.quantile(blocks.level, QUIET_QUANTILE)
    level, quiet_level = np.median(blocks.level[loud]), np.median(blocks.level[quiet])
    swing, quiet_swing = np.median(blocks.swing[loud]), np.median(blocks.swing[quiet])
    rises = level >= SMALLEST_RISE * quiet_level
    swings_along = swing >= SMALLEST_RISE_OF_SWING * quiet_swing
    return bool(rises and swings_along and _is_slow(blocks, rate_hz))


def _is_slow(blocks: _Blocks, rate_hz: float) -> bool:
    swing_hz = blocks.swing_hz[_loud(blocks) & ~np.isnan(blocks.swing_hz)]
    fastest_hz = min(FASTEST_ENVELOPE_HZ, FASTEST_SHARE_OF_RATE * rate_hz)
    return len(swing_hz) > 0 and bool(np.median(swing_hz) < fastest_hz)


def _loud(blocks: _Blocks) -> NDArray[np.bool_]:
    loud: NDArray[np.bool_] = blocks.level >= np.quantile(blocks.level, LOUD_QUANTILE)
    return loud


def _blocks(values: NDArray[np.float32], rate_hz: float) -> _Blocks:
    n = max(8, round(BLOCK_S * rate_hz))
    pieces = values[: len(values) // n * n].reshape(-1, n)
    blocks = pieces[:: len(pieces) // MOST_BLOCKS + 1].astype(np.float64)
    blocks = blocks[~np.isnan(blocks).any(axis=1)]
    level = blocks.mean(axis=1)
    swings = blocks - level[:, np.newaxis]
    spread = np.sqrt(np.mean(swings * swings, axis=1))
    ramp = np.arange(n) - (n - 1) / 2.0
    swings -= np.outer(swings @ ramp / (ramp @ ramp), ramp)
    swing = np.sqrt(np.mean(swings * swings, axis=1))
    # Below this a swing is the rounding of the level.
    swing[swing < 1e-6 * level] = 0.0
    speed = np.sqrt(np.mean(np.diff(swings, axis=1) ** 2, axis=1)) * rate_hz / (2.0 * np.pi)
    swing_hz = np.divide(speed, swing, out=np.full_like(swing, np.nan), where=swing > 0.0)
    return _Blocks(level, spread, swing, swing_hz)


def is_often_negative(values: NDArray[np.float32]) -> bool:
    """Whether too much of what is called an envelope lies below 0."""
    return _share(values < 0.0, values) > MOST_UNDERSHOOT_SHARE


def _share(chosen: NDArray[np.bool_], values: NDArray[np.float32]) -> float:
    """How many of the samples that were measured are chosen; missing ones never are."""
    measured = int(np.count_nonzero(~np.isnan(values)))
    return int(np.count_nonzero(chosen)) / measured if measured else 0.0

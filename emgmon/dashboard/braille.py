"""Curves as braille characters: arrays in, characters out; knows no screen.

A character is two dots wide and four dots high. Columns of dots are numbered from the left,
levels from the bottom.
"""

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int64]
"""A level per column of dots, shape (n_columns * DOTS_PER_COLUMN,)."""

DOTS_PER_COLUMN = 2
DOTS_PER_ROW = 4

# Unicode numbers the dots of a braille cell column by column, the fourth row added later.
_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
_BLANK = 0x2800

NOTHING = -1
"""Level of a column of dots in which nothing is drawn."""


def bin_extremes(values: NDArray[np.float64], n_bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the smallest and largest value of each of ``n_bins`` equal stretches.

    Parameters
    ----------
    values
        Shape (n_bins * k,); NaN is left out.

    Returns
    -------
    tuple of ndarray
        Shape (n_bins,) each; NaN where a stretch holds nothing but NaN.
    """
    stretches = values.reshape(n_bins, -1)
    return np.fmin.reduce(stretches, axis=1), np.fmax.reduce(stretches, axis=1)


def to_levels(values: NDArray[np.float64], *, low: float, high: float, n_levels: int) -> Levels:
    """Find the level of each value: ``low`` is on 0, ``high`` on ``n_levels - 1``, NaN on ``NOTHING``."""
    measured = np.isfinite(values)
    scaled = np.rint((np.where(measured, values, low) - low) / (high - low) * (n_levels - 1))
    return np.where(measured, np.clip(scaled, 0, n_levels - 1), NOTHING).astype(np.int64)


def connect(lowest: Levels, highest: Levels) -> tuple[Levels, Levels]:
    """Stretch each column until it meets the one before it, so that a steep curve has no holes."""
    before_low, before_high = lowest[:-1], highest[:-1]
    both = (lowest[1:] != NOTHING) & (before_low != NOTHING)
    low, high = lowest.copy(), highest.copy()
    low[1:] = np.where(both, np.minimum(low[1:], before_high), low[1:])
    high[1:] = np.where(both, np.maximum(high[1:], before_low), high[1:])
    return low, high


def to_cells(lowest: Levels, highest: Levels, n_rows: int) -> NDArray[np.uint8]:
    """Set the dots from ``lowest`` to ``highest`` in every column.

    Parameters
    ----------
    lowest, highest
        Levels, shape (2 * n_columns,); ``NOTHING`` where there is nothing to draw.
    n_rows
        Height in characters.

    Returns
    -------
    ndarray
        Pattern of each character, shape (n_rows, n_columns), the top row first.
    """
    level = np.arange(n_rows * DOTS_PER_ROW - 1, -1, -1)[:, np.newaxis]
    dots = (level >= lowest) & (level <= highest) & (lowest != NOTHING)
    grid = dots.reshape(n_rows, DOTS_PER_ROW, -1, DOTS_PER_COLUMN)
    cells: NDArray[np.uint8] = np.einsum("rdck,dk->rc", grid, _WEIGHTS, dtype=np.uint8)
    return cells


def to_text(cells: NDArray[np.uint8]) -> str:
    """Turn one row of patterns into characters."""
    return (_BLANK + cells.astype("<u2")).astype("<u2").tobytes().decode("utf-16-le")

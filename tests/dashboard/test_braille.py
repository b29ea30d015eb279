"""Braille drawing, against characters made by hand from the numbering of the dots in Unicode."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from emgmon.dashboard import braille


def levels(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def drawn(lowest: np.ndarray, highest: np.ndarray, n_rows: int) -> list[str]:
    return [braille.to_text(row) for row in braille.to_cells(lowest, highest, n_rows)]


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (levels(0, -1), levels(0, -1), ["⡀"]),
        (levels(-1, 0), levels(-1, 0), ["⢀"]),
        (levels(3, -1), levels(3, -1), ["⠁"]),
        (levels(0, 0), levels(3, 3), ["⣿"]),
        (levels(0, 1, 2, 3), levels(0, 1, 2, 3), ["⡠⠊"]),
        (levels(3, 2, 1, 0), levels(3, 2, 1, 0), ["⠑⢄"]),
        (levels(4, 4, 0, 0), levels(7, 7, 3, 3), ["⣿⠀", "⠀⣿"]),
        (levels(-1, -1), levels(-1, -1), ["⠀"]),
    ],
)
def test_dots_are_set_from_the_lowest_to_the_highest_level(
    lowest: np.ndarray, highest: np.ndarray, expected: list[str]
) -> None:
    assert drawn(lowest, highest, len(expected)) == expected


def test_the_range_falls_on_the_outermost_levels_and_what_is_beyond_stays_on_them() -> None:
    values = np.array([0.0, 50.0, 100.0, -20.0, 400.0])
    assert braille.to_levels(values, low=0, high=100, n_levels=9).tolist() == [0, 4, 8, 0, 8]


def test_what_was_not_measured_has_no_level() -> None:
    values = np.array([np.nan, 1.0, np.inf])
    assert braille.to_levels(values, low=0, high=1, n_levels=4).tolist() == [
        braille.NOTHING,
        3,
        braille.NOTHING,
    ]


def test_a_bin_keeps_its_extremes_and_leaves_nan_out() -> None:
    low, high = braille.bin_extremes(np.array([1.0, 5.0, np.nan, 2.0, np.nan, np.nan]), 3)
    np.testing.assert_array_equal(low, [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(high, [5.0, 2.0, np.nan])


def test_a_steep_rise_is_drawn_without_holes() -> None:
    low, high = braille.connect(levels(0, 7), levels(0, 7))
    assert (low.tolist(), high.tolist()) == ([0, 0], [0, 7])


def test_a_steep_fall_is_drawn_without_holes() -> None:
    low, high = braille.connect(levels(7, 0), levels(7, 0))
    assert (low.tolist(), high.tolist()) == ([7, 0], [7, 7])


def test_columns_are_not_connected_across_what_was_not_measured() -> None:
    low, high = braille.connect(levels(0, -1, 7), levels(0, -1, 7))
    assert (low.tolist(), high.tolist()) == ([0, -1, 7], [0, -1, 7])


@given(stn.arrays(np.int64, st.integers(2, 40), elements=st.integers(0, 31)))
def test_connected_neighbours_always_share_a_level(values: np.ndarray) -> None:
    low, high = braille.connect(values, values)
    assert (np.maximum(low[1:], low[:-1]) <= np.minimum(high[1:], high[:-1])).all()


@given(stn.arrays(np.int64, st.integers(1, 20).map(lambda n: 2 * n), elements=st.integers(-1, 11)))
def test_as_many_dots_are_set_as_there_are_columns_with_a_level(values: np.ndarray) -> None:
    cells = braille.to_cells(values, values, 3)
    assert sum(int(cell).bit_count() for cell in cells.ravel()) == (values != braille.NOTHING).sum()

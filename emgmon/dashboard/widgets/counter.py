"""The repetitions of the set in digits large enough to be read from the floor."""

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, heading, width_of

_GLYPH_ROWS = 5
_GLYPH_WIDTH = 3
_GLYPHS = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    words.MISSING: ("   ", "   ", "###", "   ", "   "),
}
_HALF_BLOCKS = np.array([" ", "▄", "▀", "█"])
_LARGEST = 6
_ROOMY = 5
"""From this height on a row below the digits stays empty."""
_LEAST_DIGITS = 2
"""Room is kept for two digits, so that the tenth repetition does not change the size."""
_GAP = 3


def big_text(text: str, *, width: int, height: int) -> list[str]:
    """Write the text in half blocks, as large as fits; empty when not even the smallest size does.

    Half a character is one dot of a glyph at size 1, which makes dots about square.
    """
    n_glyphs = max(len(text), _LEAST_DIGITS)
    for size in range(_LARGEST, 0, -1):
        if size * (n_glyphs * (_GLYPH_WIDTH + 1) - 1) <= width and -(-size * _GLYPH_ROWS // 2) <= height:
            return _half_blocks(np.kron(_dots(text), np.ones((size, size), dtype=np.int64)))
    return []


def _dots(text: str) -> NDArray[np.int64]:
    rows = [" ".join(_GLYPHS[glyph][row] for glyph in text) for row in range(_GLYPH_ROWS)]
    return np.array([[int(dot == "#") for dot in row] for row in rows])


def _half_blocks(dots: NDArray[np.int64]) -> list[str]:
    padded = np.pad(dots, ((0, len(dots) % 2), (0, 0)))
    return ["".join(row) for row in _HALF_BLOCKS[2 * padded[0::2] + padded[1::2]]]


class Counter(LinesWidget):
    """Set number and counted repetitions, by side where known; before anything streams no number."""

    def facts(self, view: SessionView) -> Hashable:
        return view.movements_revision, len(view.sets), bool(view.end_hop)

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        number = view.set_number or 1
        yield heading(f"SET {number}", width, right="closed" if view.set_is_closed else "")
        reps = view.reps_of_set(number)
        text = str(len(reps)) if view.end_hop or view.movements else words.MISSING
        room = height - (1 if height < _ROOMY else 2)
        digits = big_text(text, width=width - 6, height=room) or [text]
        n_below = height - 1 - len(digits)
        if n_below >= 3:
            yield []
        for row in digits[:-1]:
            yield [(row, "strong")]
        last: list[Piece] = [(digits[-1], "strong"), ("  rep" if text == "1" else "  reps", "dim")]
        sides = words.sides(reps)
        if n_below:
            yield from (last, [], [(sides, "strong")]) if n_below >= 4 else (last, [(sides, "strong")])
            return
        fits = width_of(last) + _GAP + len(sides) <= width
        yield [*last, (" " * _GAP + sides if fits and sides else "", "strong")]

"""A moving curve in braille: the last ten seconds, the newest at the right edge."""

import itertools
from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from emgmon.dashboard import braille, words
from emgmon.dashboard.plots import Plot, PlotLine, Scale, Span
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, heading
from emgmon.events import HOP_RATE_HZ, Quality

SHOWN_HOPS = 10 * HOP_RATE_HZ
"""At least this long a stretch is seen, and not much longer."""

_AXIS_WIDTH = 5

# What a cell shows where no curve runs, and in which tone; later ones cover earlier ones.
_BLANK, _CURVE, _REFERENCE, _REP, _MISSING, _GREY_CURVE, _REJECTED, _ABOVE = range(8)
_GLYPHS = {
    _REFERENCE: "┈",
    _REP: "┊",
    _MISSING: "╱",
    _BLANK: " ",
    _REJECTED: words.QUALITY_MARKS[Quality.REJECT],
    _ABOVE: words.ABOVE_MARK,
}
_TONES = {
    _REFERENCE: "dim",
    _REP: "faint",
    _MISSING: "faint",
    _BLANK: "plain",
    _REJECTED: "warn",
    _ABOVE: "strong",
    _GREY_CURVE: "dim",
}


class Trace(LinesWidget):
    """One plot. The screen decides which one with :meth:`show`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plot: Plot | None = None
        self._note_time = False

    def show(self, plot: Plot | None, view: SessionView, *, note_time: bool) -> None:
        """Take the plot to draw and draw it when something in it is new."""
        self.display = plot is not None
        self._plot, self._note_time = plot, note_time
        self.follow(view)

    def facts(self, view: SessionView) -> Hashable:
        plot = self._plot
        changes = view.end_hop, view.movements_revision
        rejected = tuple(line.is_rejected for line in plot.lines) if plot else ()
        return plot and (plot.title, plot.unit, plot.scale, len(plot.lines), rejected, changes)

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        plot = self._plot
        if plot is None:
            return
        seconds = f"last {SHOWN_HOPS // HOP_RATE_HZ} s" if self._note_time else ""
        poor = _rejected_now(plot)
        note = _note(plot, width - len(plot.title) - len(poor) - 4)
        yield heading(plot.title, width, note=note, warning=poor, right=seconds)
        n_rows, n_columns = height - 1, width - _AXIS_WIDTH
        if n_rows < 1 or n_columns < 1:
            return
        if plot.scale is None:
            yield [(" " * _AXIS_WIDTH, "plain"), ("not measured", "dim")] if view.end_hop else []
            return
        yield from _draw_curves(plot, plot.scale, view, n_rows=n_rows, n_columns=n_columns)


def _rejected_now(plot: Plot) -> str:
    """``✕ left``: which of the lines are not to be trusted now; without sides the mark and a word."""
    poor = [line.side for line in plot.lines if line.is_rejected]
    if not poor:
        return ""
    sides = [side for side in poor if side]
    which = " and ".join(sides) if len(plot.lines) > 1 and sides else "rejected"
    return f"{words.QUALITY_MARKS[Quality.REJECT]} {which}"


def _note(plot: Plot, room: int) -> str:
    """Write unit and sides, in fewer words where there is little room."""
    units = plot.unit, plot.unit.replace("your reference", "ref.")
    notes = (*(_unit_and_sides(plot, unit) for unit in units), *units)
    return next((note for note in notes if len(note) <= room), "")


def _unit_and_sides(plot: Plot, unit: str) -> str:
    sides = [line.side for line in plot.lines if line.side]
    if len(sides) == 1:
        return f"{sides[0]}  {unit}"
    return f"{unit}  {sides[0]} ⠤⠤ {sides[1]} ⠄⠄" if len(sides) == 2 else unit


def _draw_curves(
    plot: Plot, scale: Scale, view: SessionView, *, n_rows: int, n_columns: int
) -> Iterable[Line]:
    grid = _Grid(view.end_hop, n_columns)
    cells = np.zeros((n_rows, n_columns), dtype=np.uint8)
    codes = np.full((n_rows, n_columns), _BLANK, dtype=np.uint8)
    _mark_reference(codes, scale)
    for rep in view.movements[-20:]:
        if rep.uncounted is None:
            grid.mark(codes, rep.end_s, _REP)
    filled = plot.filled and len(plot.lines) == 1
    for index, line in enumerate(plot.lines):
        drawn = grid.curve(line, scale, n_rows, filled=filled, dotted=index % 2 == 1)
        codes[:, grid.missing(line)] = _MISSING
        cells |= drawn
    codes[cells != 0] = _CURVE
    if plot.filled:
        for line in plot.lines:
            codes[0, grid.above(line, scale.high)] = _ABOVE
    _mark_rejected(grid, codes, plot)
    labels = _axis_labels(scale, n_rows)
    for row in range(n_rows):
        yield [(labels[row], "dim"), *_row_pieces(cells[row], codes[row], plot.tone)]


def _mark_rejected(grid: "_Grid", codes: NDArray[np.uint8], plot: Plot) -> None:
    """Mark above the curve when a channel was rejected; the curve is grey where all of the plot's are."""
    within = [grid.within(line.rejected) for line in plot.lines]
    if not any(columns.any() for columns in within):
        return
    in_all = np.logical_and.reduce(within)
    codes[(codes == _CURVE) & in_all] = _GREY_CURVE
    codes[0, np.logical_or.reduce(within)] = _REJECTED


class _Grid:
    """Where hops fall on the plot.

    Cells hold whole, absolute stretches of hops, so that the picture moves by whole cells and a drawn
    cell keeps its shape while it moves.
    """

    def __init__(self, end_hop: int, n_columns: int) -> None:
        n_dots = n_columns * braille.DOTS_PER_COLUMN
        self._n_dots = n_dots
        self._hops_per_dot = max(1, -(-SHOWN_HOPS // n_dots))
        self._hops_per_cell = self._hops_per_dot * braille.DOTS_PER_COLUMN
        self._end_hop = -(-end_hop // self._hops_per_cell) * self._hops_per_cell
        self._first_hop = self._end_hop - n_columns * self._hops_per_cell
        self._n_columns = n_columns

    def curve(
        self, line: PlotLine, scale: Scale, n_rows: int, *, filled: bool, dotted: bool
    ) -> NDArray[np.uint8]:
        """Patterns of one curve, shape (n_rows, n_columns)."""
        values = line.ring.window(self._end_hop, self._end_hop - self._first_hop)[:, line.column]
        n_levels = n_rows * braille.DOTS_PER_ROW
        extremes = braille.bin_extremes(values, self._n_dots)
        low, high = (
            braille.to_levels(v, low=scale.low, high=scale.high, n_levels=n_levels) for v in extremes
        )
        low, high = braille.connect(low, high)
        if filled:
            low = np.where(low == braille.NOTHING, braille.NOTHING, 0)
        if dotted:
            low[:: braille.DOTS_PER_COLUMN] = braille.NOTHING
        return braille.to_cells(low, high, n_rows)

    def missing(self, line: PlotLine) -> NDArray[np.bool_]:
        """Cells between the line's first and newest hop in which nothing was measured, shape (n_columns,)."""
        if line.ring.first_hop is None:
            return np.zeros(self._n_columns, dtype=bool)
        values = line.ring.window(self._end_hop, self._end_hop - self._first_hop)[:, line.column]
        absent = np.isnan(values).reshape(self._n_columns, -1).all(axis=1)
        start = self._first_hop + np.arange(self._n_columns) * self._hops_per_cell
        within = (start >= line.ring.first_hop) & (start + self._hops_per_cell <= line.ring.end_hop)
        missing: NDArray[np.bool_] = absent & within
        return missing

    def above(self, line: PlotLine, high: float) -> NDArray[np.bool_]:
        """Cells in which the line rises above the plot, shape (n_columns,)."""
        values = line.ring.window(self._end_hop, self._end_hop - self._first_hop)[:, line.column]
        return np.asarray((values > high).reshape(self._n_columns, -1).any(axis=1))

    def within(self, spans: tuple[Span, ...]) -> NDArray[np.bool_]:
        """Cells that lie in one of the spans of session time, shape (n_columns,)."""
        start = self._first_hop + np.arange(self._n_columns) * self._hops_per_cell
        inside = np.zeros(self._n_columns, dtype=bool)
        for from_s, to_s in spans:
            end = np.inf if to_s is None else to_s * HOP_RATE_HZ
            inside[(start + self._hops_per_cell > from_s * HOP_RATE_HZ) & (start < end)] = True
        return inside

    def mark(self, codes: NDArray[np.uint8], time_s: float, code: int) -> None:
        """Put a vertical mark where a session time falls."""
        column = (int(time_s * HOP_RATE_HZ) - self._first_hop) // self._hops_per_cell
        if 0 <= column < self._n_columns:
            codes[:, column] = code


def _mark_reference(codes: NDArray[np.uint8], scale: Scale) -> None:
    if scale.mark is not None:
        n_rows = len(codes)
        level = (scale.mark - scale.low) / (scale.high - scale.low) * (n_rows * braille.DOTS_PER_ROW - 1)
        codes[n_rows - 1 - int(level) // braille.DOTS_PER_ROW] = _REFERENCE


def _axis_labels(scale: Scale, n_rows: int) -> list[str]:
    """Write what stands before each row: the value at the top and at the bottom."""
    labels = [f"{'':{_AXIS_WIDTH - 1}}│"] * n_rows
    labels[0] = f"{round(scale.high * scale.per_unit):{_AXIS_WIDTH - 1}d}┤"
    if n_rows > 1:
        labels[-1] = f"{round(scale.low * scale.per_unit):{_AXIS_WIDTH - 1}d}┤"
    return labels


def _row_pieces(cells: NDArray[np.uint8], codes: NDArray[np.uint8], tone: str) -> Iterable[Piece]:
    """One row as pieces of equal tone."""
    text = braille.to_text(cells)
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    for start, end in itertools.pairwise(edges):
        code = int(codes[start])
        if code in _GLYPHS:
            yield _GLYPHS[code] * (end - start), _TONES[code]
        else:
            yield text[start:end], _TONES.get(code, tone)

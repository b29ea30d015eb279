"""One line per repetition: glute against back; with motion only, tempo and how the pelvis moved."""

import itertools
from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView, find_metric, metric_value
from emgmon.dashboard.widgets.figures import PelvisFigure, pelvis_figures
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, fit, heading, width_of
from emgmon.events import RepCompleted

GLUTE_BLOCK = "■"
BACK_BLOCK = "□"
_LIFT, _HOLD, _RETURN = "█", "─", "▒"

_WIDE = 92
"""From this width on there is room for times and levels beside the bar."""
_WORDS_WIDTH = 16
_LABEL_WIDTH = 5
_AT_WIDTH = 7


class RepList(LinesWidget):
    """The newest repetitions; older ones can be scrolled to."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._n_back = 0

    def facts(self, view: SessionView) -> Hashable:
        return view.movements_revision, view.movement_signal, view.has_emg, view.ended, self._n_back

    def scroll_rows(self, n_rows: int) -> None:
        """Go back (negative) or forth; the newest line is the end."""
        oldest = max(0, len(_rows(self._view)) - self._n_list_rows)
        self._n_back = min(max(0, self._n_back - n_rows), oldest)
        self.redraw()

    @property
    def _n_list_rows(self) -> int:
        return max(1, self.content_size.height - 2)

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        rows = _rows(view)
        n_shown = max(1, height - 2)
        n_back = min(self._n_back, max(0, len(rows) - n_shown))
        end = len(rows) - n_back
        yield heading("REPETITIONS", width, right=f"↓ {n_back} more" if n_back else "")
        figures = pelvis_figures(view.movement_signal)
        yield _emg_columns(width, figures) if view.has_emg else _motion_columns(width, figures)
        if not rows:
            yield []
            yield [("    none yet" if not view.ended else "    none counted", "dim")]
        slowest_s = max((rep.end_s - rep.start_s for rep in view.movements), default=0.0)
        for row in rows[max(0, end - n_shown) : end]:
            if isinstance(row, int):
                yield [(f"    set {row} ", "dim"), ("─" * max(0, width - 10 - len(str(row))), "faint")]
            elif row.uncounted is not None:
                yield _uncounted_row(row, row.uncounted, width, timed=not view.has_emg)
            elif view.has_emg:
                yield _emg_row(row, width, figures)
            else:
                yield _motion_row(row, width, slowest_s, figures)


def _rows(view: SessionView) -> list[RepCompleted | int]:
    """Repetitions and movements, with the number of a set before each set but the first."""
    rows: list[RepCompleted | int] = []
    for before, rep in zip([None, *view.movements], view.movements, strict=False):
        if before is not None and before.set_number != rep.set_number:
            rows.append(rep.set_number)
        rows.append(rep)
    return rows


def _label(rep: RepCompleted) -> str:
    return f"{rep.number:3d}{(rep.side or ' ')[0].upper()}{words.HAND_MARKS.get(rep.origin, ' ')}"


def _words(rep: RepCompleted) -> Piece:
    if rep.excluded is not None:
        return f"  {words.LEFT_OUT}", "dim"
    text = f"  {words.VERDICT_MARKS[rep.verdict]} {words.VERDICT_WORDS[rep.verdict]}"
    return text, words.VERDICT_TONES[rep.verdict]


def _uncounted_row(rep: RepCompleted, reason: str, width: int, *, timed: bool) -> Line:
    """No number and no figures: only when it was, where times are shown, and why it is not counted."""
    at = f"{words.duration(rep.start_s):>{_AT_WIDTH}}  " if timed or width >= _WIDE else ""
    lead = f"{'':{_LABEL_WIDTH}}{at}"
    said = f"{words.NOT_COUNTED}: {reason}"
    if len(lead) + len(said) > width:
        # Grey and without a number it says so itself; the reason it does not.
        said = f"{words.NOT_COUNTED_MARK} {reason}"
    return [(fit(f"{lead}{said}", width), "dim")]


def _phases(rep: RepCompleted) -> list[float | None]:
    return [metric_value(rep.metrics, name) for name in ("lift_s", "hold_s", "return_s")]


def _pelvis(rep: RepCompleted, figures: tuple[PelvisFigure, ...]) -> str:
    shown = (figure.text(metric_value(rep.metrics, figure.metric)) for figure in figures)
    return "".join(f"{text:>{figure.width}}" for text, figure in zip(shown, figures, strict=True))


def _titles(figures: tuple[PelvisFigure, ...]) -> str:
    return "".join(f"{figure.title:>{figure.width}}" for figure in figures)


# EMG: rep [at lift hold return glute back [pelvis]] bar share interval verdict

_SHARE_WIDTH = 6
_INTERVAL_WIDTH = 7
_TIMES_WIDTH = 8 + 3 * 6
_LEVELS_WIDTH = 2 * 8


_LEAST_BAR = 12
"""Of a bar any shorter too little could be read; figures of the pelvis give way to it."""


def _emg_widths(width: int, figures: tuple[PelvisFigure, ...]) -> tuple[bool, tuple[PelvisFigure, ...], int]:
    """Whether times and levels are shown, which figures of the pelvis are, and the width of the bar."""
    fixed = _LABEL_WIDTH + _SHARE_WIDTH + _INTERVAL_WIDTH + _WORDS_WIDTH
    wide = width >= _WIDE
    bar_width = width - fixed - wide * (_TIMES_WIDTH + _LEVELS_WIDTH + 2)
    needed = sum(figure.width for figure in figures)
    if wide and bar_width - needed >= _LEAST_BAR:
        return wide, figures, bar_width - needed
    return wide, (), max(0, bar_width)


def _emg_columns(width: int, figures: tuple[PelvisFigure, ...]) -> Line:
    wide, figures, bar_width = _emg_widths(width, figures)
    times = f"{'at':>{_AT_WIDTH}} {'lift':>6}{'hold':>6}{'return':>7}{'glute':>7}{'back':>8}"
    extra = f"{times}{_titles(figures)}  " if wide else ""
    legend: list[Piece] = [(GLUTE_BLOCK, "glute"), (" glute ", "dim"), (BACK_BLOCK, "back"), (" back", "dim")]
    room = bar_width - width_of(legend)
    if room < 0:
        legend, room = [], bar_width
    titles = f"{'share':>{_SHARE_WIDTH}}{'95 %':>{_INTERVAL_WIDTH}}    verdict"
    return [(f"rep  {extra}", "dim"), *legend, (" " * room + titles, "dim")]


def _emg_row(rep: RepCompleted, width: int, figures: tuple[PelvisFigure, ...]) -> Line:
    wide, figures, bar_width = _emg_widths(width, figures)
    tail = [_words(rep)]
    start: list[Piece] = [(_label(rep), "plain")]
    if wide:
        start.append((f"{_times(rep)}{_levels(rep)}{_pelvis(rep, figures)}  ", "dim"))
    share = find_metric(rep.metrics, "glute_share_pct")
    if share is None or share.value is None:
        reason = "not measured" + (f": {share.reason}" if share and share.reason else "")
        room = bar_width + _SHARE_WIDTH + _INTERVAL_WIDTH
        return [*start, (f"{fit(reason, room):<{room}}", "dim"), *tail]
    figure = f"{words.percent(share.value):>{_SHARE_WIDTH}}"
    spread = f"{words.interval(share):>{_INTERVAL_WIDTH}}"
    votes = rep.excluded is None
    return [*start, *_bar(share.value, bar_width, votes=votes), (figure, "strong"), (spread, "dim"), *tail]


def _bar(share_pct: float, width: int, *, votes: bool) -> list[Piece]:
    """Both muscles on one bar: the border between them is the share."""
    n_glute = round(min(max(share_pct, 0.0), 100.0) / 100 * width)
    glute, back = ("glute", "back") if votes else ("dim", "dim")
    return [(GLUTE_BLOCK * n_glute, glute), (BACK_BLOCK * (width - n_glute), back)]


def _times(rep: RepCompleted) -> str:
    lift, hold, back = (words.number(value, decimals=1) for value in _phases(rep))
    return f"{words.duration(rep.start_s):>{_AT_WIDTH}} {lift:>6}{hold:>6}{back:>7}"


def _levels(rep: RepCompleted) -> str:
    levels = (metric_value(rep.metrics, f"{muscle}_engagement_pct") for muscle in ("glute", "back"))
    glute, back = (words.percent(level) for level in levels)
    return f"{glute:>7}{back:>8}"


# Motion: rep at lift hold return tempo-bar pelvis [verdict]

_MOTION_FIXED = _LABEL_WIDTH + _TIMES_WIDTH + 1 + 2
_LEAST_TEMPO = 5
"""A bar any shorter says nothing about phases and is left blank."""


def _motion_widths(width: int, figures: tuple[PelvisFigure, ...]) -> tuple[bool, int]:
    """Whether verdicts are shown, and the width of the tempo bar."""
    wide = width >= _WIDE
    needed = _MOTION_FIXED + sum(figure.width for figure in figures)
    return wide, max(0, width - needed - wide * _WORDS_WIDTH)


def _motion_columns(width: int, figures: tuple[PelvisFigure, ...]) -> Line:
    wide, bar_width = _motion_widths(width, figures)
    legend = "tempo" if bar_width < 24 else f"{_LIFT} lift {_HOLD} hold {_RETURN} return"
    legend = legend if len(legend) <= bar_width else ""
    verdict = "    verdict" if wide else ""
    times = f"{'at':>{_AT_WIDTH}} {'lift':>6}{'hold':>6}{'return':>7}  "
    return [(f"rep  {times}{legend:<{bar_width}}{_titles(figures)}{verdict}", "dim")]


def _motion_row(rep: RepCompleted, width: int, slowest_s: float, figures: tuple[PelvisFigure, ...]) -> Line:
    wide, bar_width = _motion_widths(width, figures)
    tempo = _tempo(rep, bar_width, slowest_s) if bar_width >= _LEAST_TEMPO else ""
    return [
        (_label(rep), "plain"),
        (f"{_times(rep)}  ", "plain"),
        (f"{tempo:<{bar_width}}", "dim"),
        (_pelvis(rep, figures), "strong"),
        *([_words(rep)] if wide else []),
    ]


def _tempo(rep: RepCompleted, width: int, slowest_s: float) -> str:
    """Draw the phases in proportion; the slowest repetition fills the width."""
    cells_per_s = width / slowest_s if slowest_s > 0 else 0.0
    ends_s = itertools.accumulate((value or 0.0 for value in _phases(rep)), initial=0.0)
    spans = itertools.pairwise(round(end_s * cells_per_s) for end_s in ends_s)
    blocks = zip((_LIFT, _HOLD, _RETURN), spans, strict=True)
    return fit("".join(block * (end - start) for block, (start, end) in blocks), width)

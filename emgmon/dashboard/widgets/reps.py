"""One line per repetition: glute against back; with motion only, tempo and how the pelvis moved."""

import itertools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView, find_metric, metric_value
from emgmon.dashboard.widgets.figures import PelvisFigure, pelvis_figures
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, fit, heading, width_of
from emgmon.events import RepCompleted, Verdict, VerdictBasis

GLUTE_BLOCK = "■"
BACK_BLOCK = "□"
_LIFT, _HOLD, _RETURN = "█", "─", "▒"

_WIDE = 92
"""From this width on there is room for times and levels beside the bar."""
_WORDS_WIDTH = 16
_GAP = 2
"""Between a verdict and what stands before it."""
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
        note = f"judged {words.FROM_MOTION}" if _judged_by_motion(view) else ""
        yield heading("REPETITIONS", width, note=note, right=f"↓ {n_back} more" if n_back else "")
        figures = pelvis_figures(view.movement_signal)
        layout = _motion_layout(width, figures, judged=_judged_by_motion(view))
        yield _emg_columns(width, figures) if view.has_emg else _motion_columns(width, figures, layout)
        if not rows:
            yield []
            yield [("    none yet" if not view.ended else "    none counted", "dim")]
        slowest_s = max((rep.end_s - rep.start_s for rep in view.movements), default=0.0)
        for row in rows[max(0, end - n_shown) : end]:
            if isinstance(row, int):
                yield [(f"    set {row} ", "dim"), ("─" * max(0, width - 10 - len(str(row))), "faint")]
            elif row.uncounted is not None:
                yield _uncounted_row(row, row.uncounted, width, timed=layout.timed and not view.has_emg)
            elif view.has_emg:
                yield _emg_row(row, width, figures)
            else:
                yield _motion_row(row, slowest_s, figures, layout)


def _judged_by_motion(view: SessionView) -> bool:
    """Whether there is a verdict from motion; where there is no reference there is none to show."""
    return any(
        rep.verdict_basis is VerdictBasis.MOTION and rep.verdict is not Verdict.NO_REFERENCE
        for rep in view.movements
    )


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


def _words(rep: RepCompleted, width: int = _WORDS_WIDTH) -> Piece:
    """Write the verdict as fully as fits; one from motion has words and marks that no muscle's has."""
    ways = (words.LEFT_OUT, words.LEFT_OUT[0]) if rep.excluded is not None else words.verdict(rep)
    written = (f"{'':{gap}}{way}" for way in ways for gap in (_GAP, 1))
    text = next((text for text in written if len(text) <= width), f" {ways[-1]}")
    return text, "dim" if rep.excluded is not None else words.VERDICT_TONES[rep.verdict]


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
    glute, back = (words.level(level) for level in levels)
    return f"{glute:>7}{back:>8}"


# Motion: rep [at] lift hold return [tempo-bar] pelvis [verdict]

_AT_AND_GAP = _AT_WIDTH + 1
_PHASES_WIDTH = 6 + 6 + 7
_LEAST_TEMPO = 5
"""A bar any shorter says nothing about phases and is left blank."""
_FULL_WORDS_WIDTH = 29
"""Of a verdict with "from motion" beside it; in a narrower list the heading says it."""


@dataclass(frozen=True, slots=True)
class _MotionLayout:
    """Where there is little room, verdicts take that of start and tempo."""

    timed: bool
    bar_width: int
    words_width: int


def _motion_layout(width: int, figures: tuple[PelvisFigure, ...], *, judged: bool) -> _MotionLayout:
    room = width - _LABEL_WIDTH - _PHASES_WIDTH - sum(figure.width for figure in figures)
    if judged and width < _WIDE:
        return _MotionLayout(timed=False, bar_width=0, words_width=max(0, room - 1))
    words_width = _FULL_WORDS_WIDTH if width >= _WIDE else 0
    bar_width = max(0, room - _AT_AND_GAP - _GAP - words_width)
    return _MotionLayout(timed=True, bar_width=bar_width, words_width=words_width)


def _motion_columns(width: int, figures: tuple[PelvisFigure, ...], layout: _MotionLayout) -> Line:
    legend = "tempo" if layout.bar_width < 24 else f"{_LIFT} lift {_HOLD} hold {_RETURN} return"
    legend = legend if len(legend) <= layout.bar_width else ""
    at = f"{'at':>{_AT_WIDTH}} " if layout.timed else ""
    bar = f"{'':{_GAP}}{legend:<{layout.bar_width}}" if layout.timed else " "
    title = f"{'':{_GAP + 2}}verdict" if layout.words_width else ""
    title = title if len(title) <= layout.words_width else f"{'':{_GAP}}verdict"
    return [(f"rep  {at}{'lift':>6}{'hold':>6}{'return':>7}{bar}{_titles(figures)}{title}", "dim")]


def _motion_row(
    rep: RepCompleted, slowest_s: float, figures: tuple[PelvisFigure, ...], layout: _MotionLayout
) -> Line:
    tempo = _tempo(rep, layout.bar_width, slowest_s) if layout.bar_width >= _LEAST_TEMPO else ""
    times = _times(rep) if layout.timed else _times(rep)[_AT_AND_GAP:]
    bar = f"{'':{_GAP}}{tempo:<{layout.bar_width}}" if layout.timed else " "
    return [
        (_label(rep), "plain"),
        (times, "plain"),
        (bar, "dim"),
        (_pelvis(rep, figures), "strong"),
        *([_words(rep, layout.words_width)] if layout.words_width else []),
    ]


def _tempo(rep: RepCompleted, width: int, slowest_s: float) -> str:
    """Draw the phases in proportion; the slowest repetition fills the width."""
    cells_per_s = width / slowest_s if slowest_s > 0 else 0.0
    ends_s = itertools.accumulate((value or 0.0 for value in _phases(rep)), initial=0.0)
    spans = itertools.pairwise(round(end_s * cells_per_s) for end_s in ends_s)
    blocks = zip((_LIFT, _HOLD, _RETURN), spans, strict=True)
    return fit("".join(block * (end - start) for block, (start, end) in blocks), width)

"""One line per repetition: glute against back; with motion only, tempo and travel."""

import itertools
from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView, find_metric, metric_value
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, fit, heading, width_of
from emgmon.events import RepCompleted

GLUTE_BLOCK = "■"
BACK_BLOCK = "□"
_LIFT, _HOLD, _RETURN = "█", "─", "▒"

_WIDE = 92
"""From this width on there is room for times and levels beside the bar."""
_WORDS_WIDTH = 16
_LEFT_OUT = "∅ left out"


class RepList(LinesWidget):
    """The newest repetitions; older ones can be scrolled to."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._n_back = 0

    def facts(self, view: SessionView) -> Hashable:
        newest = view.reps[-1] if view.reps else None
        return len(view.reps), newest, view.has_emg, view.ended, self._n_back

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
        yield _emg_columns(width) if view.has_emg else _motion_columns(width)
        if not rows:
            yield []
            yield [("    none yet" if not view.ended else "    none counted", "dim")]
        slowest_s = max((rep.end_s - rep.start_s for rep in view.reps), default=0.0)
        for row in rows[max(0, end - n_shown) : end]:
            if isinstance(row, int):
                yield [(f"    set {row} ", "dim"), ("─" * max(0, width - 10 - len(str(row))), "faint")]
            else:
                yield _emg_row(row, width) if view.has_emg else _motion_row(row, width, slowest_s)


def _rows(view: SessionView) -> list[RepCompleted | int]:
    """Repetitions, with the number of a set before each set but the first."""
    rows: list[RepCompleted | int] = []
    for before, rep in zip([None, *view.reps], view.reps, strict=False):
        if before is not None and before.set_number != rep.set_number:
            rows.append(rep.set_number)
        rows.append(rep)
    return rows


def _label(rep: RepCompleted) -> str:
    return f"{rep.number:3d}{(rep.side or ' ')[0].upper()}"


def _words(rep: RepCompleted) -> Piece:
    if rep.excluded is not None:
        return f"  {_LEFT_OUT}", "dim"
    text = f"  {words.VERDICT_MARKS[rep.verdict]} {words.VERDICT_WORDS[rep.verdict]}"
    return text, words.VERDICT_TONES[rep.verdict]


def _phases(rep: RepCompleted) -> list[float | None]:
    return [metric_value(rep.metrics, name) for name in ("lift_s", "hold_s", "return_s")]


# EMG: rep [at lift hold return glute back] bar share interval verdict

_SHARE_WIDTH = 6
_INTERVAL_WIDTH = 7
_TIMES_WIDTH = 8 + 3 * 6
_LEVELS_WIDTH = 2 * 8


def _emg_widths(width: int) -> tuple[bool, int]:
    """Whether times and levels are shown, and the width of the bar."""
    fixed = 5 + _SHARE_WIDTH + _INTERVAL_WIDTH + _WORDS_WIDTH
    wide = width >= _WIDE
    return wide, max(0, width - fixed - wide * (_TIMES_WIDTH + _LEVELS_WIDTH + 2))


def _emg_columns(width: int) -> Line:
    wide, bar_width = _emg_widths(width)
    extra = f"{'at':>7} {'lift':>6}{'hold':>6}{'return':>7}{'glute':>7}{'back':>8}  " if wide else ""
    legend: list[Piece] = [(GLUTE_BLOCK, "glute"), (" glute ", "dim"), (BACK_BLOCK, "back"), (" back", "dim")]
    room = bar_width - width_of(legend)
    if room < 0:
        legend, room = [], bar_width
    titles = f"{'share':>{_SHARE_WIDTH}}{'95 %':>{_INTERVAL_WIDTH}}    verdict"
    return [(f"rep  {extra}", "dim"), *legend, (" " * room + titles, "dim")]


def _emg_row(rep: RepCompleted, width: int) -> Line:
    wide, bar_width = _emg_widths(width)
    tail = [_words(rep)]
    start: list[Piece] = [(f"{_label(rep)} ", "plain")]
    if wide:
        start.append((_times(rep) + _levels(rep), "dim"))
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
    return f"{words.duration(rep.start_s):>7} {lift:>6}{hold:>6}{back:>7}"


def _levels(rep: RepCompleted) -> str:
    levels = (metric_value(rep.metrics, f"{muscle}_engagement_pct") for muscle in ("glute", "back"))
    glute, back = (words.percent(level) for level in levels)
    return f"{glute:>7}{back:>8}  "


# Motion: rep at lift hold return tempo-bar travel [verdict]

_TRAVEL_WIDTH = 8
_MOTION_FIXED = 5 + _TIMES_WIDTH + 1 + 2 + _TRAVEL_WIDTH


def _motion_widths(width: int) -> tuple[bool, int]:
    """Whether verdicts are shown, and the width of the tempo bar."""
    wide = width >= _WIDE
    return wide, max(0, width - _MOTION_FIXED - wide * _WORDS_WIDTH)


def _motion_columns(width: int) -> Line:
    wide, bar_width = _motion_widths(width)
    legend = fit("tempo" if bar_width < 24 else f"{_LIFT} lift {_HOLD} hold {_RETURN} return", bar_width)
    verdict = "    verdict" if wide else ""
    times = f"{'at':>7} {'lift':>6}{'hold':>6}{'return':>7}  "
    return [(f"rep  {times}{legend:<{bar_width}}{'travel':>{_TRAVEL_WIDTH}}{verdict}", "dim")]


def _motion_row(rep: RepCompleted, width: int, slowest_s: float) -> Line:
    wide, bar_width = _motion_widths(width)
    travel_m = metric_value(rep.metrics, "pelvis_height_range_m")
    travel = words.MISSING if travel_m is None else f"{100 * travel_m:.0f} cm"
    return [
        (f"{_label(rep)} ", "plain"),
        (f"{_times(rep)}  ", "plain"),
        (f"{_tempo(rep, bar_width, slowest_s):<{bar_width}}", "dim"),
        (f"{travel:>{_TRAVEL_WIDTH}}", "strong"),
        *([_words(rep)] if wide else []),
    ]


def _tempo(rep: RepCompleted, width: int, slowest_s: float) -> str:
    """Draw the phases in proportion; the slowest repetition fills the width."""
    cells_per_s = width / slowest_s if slowest_s > 0 else 0.0
    ends_s = itertools.accumulate((value or 0.0 for value in _phases(rep)), initial=0.0)
    spans = itertools.pairwise(round(end_s * cells_per_s) for end_s in ends_s)
    blocks = zip((_LIFT, _HOLD, _RETURN), spans, strict=True)
    return fit("".join(block * (end - start) for block, (start, end) in blocks), width)

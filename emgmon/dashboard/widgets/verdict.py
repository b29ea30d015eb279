"""The last repetition in words."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView, metric_value
from emgmon.dashboard.widgets.figures import (
    compensation_line,
    course_rows,
    level_rows,
    pelvis_rows,
    phase_rows,
)
from emgmon.dashboard.widgets.lines import Line, LinesWidget, fit, heading, wrap
from emgmon.events import RepCompleted, VerdictBasis

_SENTENCE_ROWS = 3
"""Room kept for why a repetition was judged as it was, beside a practice cue."""


class VerdictPanel(LinesWidget):
    """Verdict, practice cue, sentence, why a repetition does not vote; its figures where there is room."""

    def facts(self, view: SessionView) -> Hashable:
        return view.movements_revision, view.ended, view.movement_signal

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        rep = view.newest
        if rep is None:
            yield heading("LAST REP", width)
            yield [("none counted" if view.ended else "none yet", "dim")]
        elif rep.uncounted is not None:
            yield heading("LAST MOVEMENT", width)
            yield [(words.NOT_COUNTED, "dim")]
            reason = wrap(rep.uncounted, width, n_lines=height - 2)
            yield from ([(line, "plain")] for line in reason)
            yield from _cue_lines(view.cue, width, height - 2 - len(reason))
        else:
            yield heading("LAST REP", width, right=f"{rep.number} {rep.side or ''}".strip())
            yield _headline(rep, width)
            yield from _said(rep, view, width, height - 2)


def _said(rep: RepCompleted, view: SessionView, width: int, height: int) -> Iterable[Line]:
    by_hand = [words.HAND_WORDS[rep.origin]] if rep.origin in words.HAND_WORDS else []
    left_out = wrap(_left_out(rep), width, n_lines=3)
    cue = list(_cue_lines(rep.warning, width, height))
    pelvis = compensation_line(rep.metrics, view.movement_signal, width)
    room = height - len(by_hand) - len(left_out) - len(cue)
    sentence = wrap(rep.sentence, width, n_lines=max(room - len(pelvis), min(room, 1)))
    yield from ([(line, "dim")] for line in by_hand)
    yield from cue
    yield from ([(line, "plain")] for line in sentence)
    yield from ([(line, "warn")] for line in left_out)
    room -= len(sentence)
    figures = [
        *pelvis_rows(rep.metrics, view.movement_signal, width),
        *level_rows(rep.metrics, width),
        *phase_rows(rep.metrics),
    ]
    course = list(course_rows(rep.metrics, width))
    if len(figures) < room:
        yield from ([], *figures, *(course if len(figures) + len(course) < room else ()))
    else:
        yield from pelvis


def _left_out(rep: RepCompleted) -> str:
    """Say why a repetition does not vote, unless its sentence has said so."""
    if rep.excluded is None:
        return ""
    return words.LEFT_OUT if rep.excluded in rep.sentence else f"left out: {rep.excluded}"


def _cue_lines(cue: str | None, width: int, height: int) -> Iterable[Line]:
    """Give the practice cue: all of it with room for the sentence as well, else what to do, its beginning."""
    if cue is None:
        return
    whole = wrap(f"{words.CUE_MARK} {cue}", width, n_lines=height)
    what_to_do = f"{cue.split('. ')[0].rstrip('.')}."
    # The mark gives way where it would cost a row.
    ways = f"{words.CUE_MARK} {what_to_do}", what_to_do
    shortest = min(ways, key=lambda way: len(wrap(way, width, n_lines=len(way))))
    first = wrap(shortest, width, n_lines=max(height, 1))
    lines = whole if len(whole) + _SENTENCE_ROWS <= height else first
    yield from ([(line, "strong")] for line in lines)


def _headline(rep: RepCompleted, width: int) -> Line:
    said = f"{words.VERDICT_MARKS[rep.verdict]} {words.VERDICT_WORDS[rep.verdict]}"
    tone = words.VERDICT_TONES[rep.verdict]
    if rep.verdict_basis is VerdictBasis.MOTION:
        beside = next((gap for gap in ("  ", " ") if len(said + gap + words.FROM_MOTION) <= width), None)
        return (
            [(said, tone), (f"{beside}{words.FROM_MOTION}", "plain")]
            if beside
            else [(fit(said, width), tone)]
        )
    share = metric_value(rep.metrics, "glute_share_pct")
    figure = f"  {words.percent(share)}" if share is not None else ""
    return [(fit(said, width), tone), (figure, "strong")]

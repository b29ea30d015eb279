"""The last repetition in words."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView, metric_value
from emgmon.dashboard.widgets.figures import compensation_line, level_rows, pelvis_rows, phase_rows
from emgmon.dashboard.widgets.lines import Line, LinesWidget, fit, heading, wrap
from emgmon.events import RepCompleted


class VerdictPanel(LinesWidget):
    """Verdict, sentence, why a repetition was left out or not counted; its figures where there is room."""

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
            yield from ([(line, "plain")] for line in wrap(rep.uncounted, width, n_lines=height - 2))
        else:
            yield heading("LAST REP", width, right=f"{rep.number} {rep.side or ''}".strip())
            yield _headline(rep, width)
            yield from _said(rep, view, width, height - 2)


def _said(rep: RepCompleted, view: SessionView, width: int, height: int) -> Iterable[Line]:
    by_hand = [words.HAND_WORDS[rep.origin]] if rep.origin in words.HAND_WORDS else []
    left_out = wrap(f"left out: {rep.excluded}", width, n_lines=3) if rep.excluded else []
    pelvis = compensation_line(rep.metrics, view.movement_signal, width)
    room = height - len(by_hand) - len(left_out)
    sentence = wrap(rep.sentence, width, n_lines=max(room - len(pelvis), min(room, 1)))
    yield from ([(line, "dim")] for line in by_hand)
    yield from ([(line, "plain")] for line in sentence)
    yield from ([(line, "warn")] for line in left_out)
    figures = [
        *pelvis_rows(rep.metrics, view.movement_signal, width),
        *level_rows(rep.metrics),
        *phase_rows(rep.metrics),
    ]
    if len(figures) < room - len(sentence):
        yield from ([], *figures)
    else:
        yield from pelvis


def _headline(rep: RepCompleted, width: int) -> Line:
    mark, word = words.VERDICT_MARKS[rep.verdict], words.VERDICT_WORDS[rep.verdict]
    tone = words.VERDICT_TONES[rep.verdict]
    share = metric_value(rep.metrics, "glute_share_pct")
    figure = f"  {words.percent(share)}" if share is not None else ""
    return [(fit(f"{mark} {word}", width), tone), (figure, "strong")]

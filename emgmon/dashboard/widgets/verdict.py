"""The last repetition in words."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView, metric_value
from emgmon.dashboard.widgets.figures import level_rows, movement_rows
from emgmon.dashboard.widgets.lines import Line, LinesWidget, fit, heading, wrap
from emgmon.events import RepCompleted


class VerdictPanel(LinesWidget):
    """Verdict, sentence, why a repetition was left out; its figures where there is room."""

    def facts(self, view: SessionView) -> Hashable:
        return len(view.reps), view.ended, view.reps[-1] if view.reps else None

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        if not view.reps:
            yield heading("LAST REP", width)
            yield [("none counted" if view.ended else "none yet", "dim")]
            return
        rep = view.reps[-1]
        yield heading("LAST REP", width, right=f"{rep.number} {rep.side or ''}".strip())
        yield _headline(rep, width)
        left_out = wrap(f"left out: {rep.excluded}", width, n_lines=3) if rep.excluded else []
        said = wrap(rep.sentence, width, n_lines=height - 2 - len(left_out))
        yield from ([(line, "plain")] for line in said)
        yield from ([(line, "warn")] for line in left_out)
        figures = [*level_rows(rep.metrics), *movement_rows(rep.metrics)]
        if figures and 3 + len(said) + len(left_out) + len(figures) < height:
            yield from ([], *figures)


def _headline(rep: RepCompleted, width: int) -> Line:
    mark, word = words.VERDICT_MARKS[rep.verdict], words.VERDICT_WORDS[rep.verdict]
    tone = words.VERDICT_TONES[rep.verdict]
    share = metric_value(rep.metrics, "glute_share_pct")
    figure = f"  {words.percent(share)}" if share is not None else ""
    return [(fit(f"{mark} {word}", width), tone), (figure, "strong")]

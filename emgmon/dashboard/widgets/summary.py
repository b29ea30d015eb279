"""The last closed set in figures."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.figures import level_rows, movement_rows, row, share_row
from emgmon.dashboard.widgets.lines import Line, LinesWidget, heading, wrap
from emgmon.events import RepCompleted, Verdict

_ROWS_ABOVE = 3
"""Heading, repetitions and activity share."""


class SummaryPanel(LinesWidget):
    """How many repetitions, their share, their levels, their verdicts, their tempo."""

    def facts(self, view: SessionView) -> Hashable:
        return view.last_set, view.has_emg, view.ended

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        closed = view.last_set
        if closed is None:
            yield heading("SET SUMMARY", width)
            text = "no set was completed" if view.ended else "appears when the set is over"
            yield from ([(line, "dim")] for line in wrap(text, width, n_lines=2))
            return
        yield heading(f"SET {closed.set_number} SUMMARY", width)
        yield row("repetitions", f"{closed.n_reps}", f"in {words.duration(closed.end_s - closed.start_s)}")
        if view.has_emg:
            yield share_row(closed.summary)
            verdicts = list(_verdict_rows(view.reps_of_set(closed.set_number)))
            levels = list(level_rows(closed.summary))
            # The verdicts are what the set is about; where there is no room for both, levels give way.
            yield from levels if _ROWS_ABOVE + len(levels) + len(verdicts) <= height else ()
            yield from verdicts
        yield from movement_rows(closed.summary)


def _verdict_rows(reps: list[RepCompleted]) -> Iterable[Line]:
    """How many repetitions got each verdict, those that do not vote apart."""
    voting = [rep.verdict for rep in reps if rep.excluded is None]
    for verdict in Verdict:
        if verdict in voting:
            yield row(words.VERDICT_WORDS[verdict], f"{voting.count(verdict)}")
    if len(voting) < len(reps):
        yield row("left out", f"{len(reps) - len(voting)}")

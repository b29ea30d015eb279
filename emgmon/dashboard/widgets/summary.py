"""The last closed set in figures."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.figures import (
    compensation_line,
    level_rows,
    pelvis_rows,
    phase_rows,
    row,
    share_row,
)
from emgmon.dashboard.widgets.lines import Line, LinesWidget, heading, wrap
from emgmon.events import RepCompleted, SetCompleted, Verdict


class SummaryPanel(LinesWidget):
    """How many repetitions, their share, their levels, their verdicts, the pelvis, their tempo."""

    def facts(self, view: SessionView) -> Hashable:
        return view.last_set, view.has_emg, view.ended, view.movements_revision, view.movement_signal

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        closed = view.last_set
        if closed is None:
            yield heading("SET SUMMARY", width)
            text = "no set was completed" if view.ended else "appears when the set is over"
            yield from ([(line, "dim")] for line in wrap(text, width, n_lines=2))
            return
        yield heading(f"SET {closed.set_number} SUMMARY", width)
        yield row("repetitions", f"{closed.n_reps}", f"in {words.duration(closed.end_s - closed.start_s)}")
        yield from _figures(closed, view, width, height - 2)


def _figures(closed: SetCompleted, view: SessionView, width: int, height: int) -> Iterable[Line]:
    """Show what the set is about in any case, and of the rest what there is room for."""
    reps = view.reps_of_set(closed.set_number)
    share = [share_row(closed.summary)] if view.has_emg else []
    pelvis = compensation_line(closed.summary, view.movement_signal, width)
    verdicts = [
        *(_verdict_rows(reps) if view.has_emg else ()),
        *_not_counted_row(view.n_uncounted_in_set(closed.set_number)),
    ]
    room = height - len(share) - len(pelvis) - len(verdicts)
    sides = words.sides(reps)
    optional: list[list[Line]] = [
        list(level_rows(closed.summary)) if view.has_emg else [],
        [row("by side", sides)] if sides else [],
        [] if pelvis else list(pelvis_rows(closed.summary, view.movement_signal, width)),
        list(phase_rows(closed.summary)),
    ]
    for index, rows in enumerate(optional):
        optional[index] = rows if len(rows) <= room else []
        room -= len(optional[index])
    levels, by_side, travel, phases = optional
    yield from (*by_side, *share, *levels, *pelvis, *verdicts, *travel, *phases)


def _not_counted_row(n_uncounted: int) -> Iterable[Line]:
    return [row("not counted", f"{n_uncounted}")] if n_uncounted else []


def _verdict_rows(reps: list[RepCompleted]) -> Iterable[Line]:
    """How many repetitions got each verdict, those that do not vote apart."""
    voting = [rep.verdict for rep in reps if rep.excluded is None]
    for verdict in Verdict:
        if verdict in voting:
            yield row(words.VERDICT_WORDS[verdict], f"{voting.count(verdict)}")
    if len(voting) < len(reps):
        yield row("left out", f"{len(reps) - len(voting)}")

"""The last closed set in figures."""

import itertools
from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.figures import (
    compensation_line,
    course_rows,
    level_rows,
    pelvis_rows,
    phase_rows,
    row,
    share_row,
)
from emgmon.dashboard.widgets.lines import Line, LinesWidget, heading, wrap
from emgmon.events import RepCompleted, SetCompleted, Verdict, VerdictBasis

_MOST_NOTE_ROWS = 8


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
        *_verdict_rows(reps, judged=view.has_emg),
        *_not_counted_row(view.n_uncounted_in_set(closed.set_number)),
    ]
    room = height - len(share) - len(pelvis) - len(verdicts)
    sides = words.sides(reps)
    optional: list[list[Line]] = [
        list(level_rows(closed.summary, width)) if view.has_emg else [],
        [row("by side", sides)] if sides else [],
        *(list(_note_rows(note, width)) for note in closed.notes),
        list(course_rows(closed.summary, width)),
        [] if pelvis else list(pelvis_rows(closed.summary, view.movement_signal, width)),
        list(phase_rows(closed.summary)),
    ]
    for index, rows in enumerate(optional):
        optional[index] = rows if len(rows) <= room else []
        room -= len(optional[index])
    levels, by_side, *notes, course, travel, phases = optional
    yield from (*by_side, *share, *levels, *pelvis, *verdicts, *course, *travel, *phases)
    yield from itertools.chain(*notes)


def _note_rows(note: str, width: int) -> Iterable[Line]:
    """Say in full what the set as a whole shows; it is information, and in the plain tone."""
    return ([(line, "plain")] for line in wrap(note, width, n_lines=_MOST_NOTE_ROWS))


def _not_counted_row(n_uncounted: int) -> Iterable[Line]:
    return [row("not counted", f"{n_uncounted}")] if n_uncounted else []


def _verdict_rows(reps: list[RepCompleted], *, judged: bool) -> Iterable[Line]:
    """How many repetitions got each verdict, those that do not vote and those with a cue apart.

    Without electrodes and without a reference there is nothing to judge by, and no row about it.
    """
    voting = [rep for rep in reps if rep.excluded is None]
    told = {rep.verdict for rep in voting} - (set() if judged else {Verdict.NO_REFERENCE})
    for verdict, basis in itertools.product(Verdict, VerdictBasis):
        n_reps = sum((rep.verdict, rep.verdict_basis) == (verdict, basis) for rep in voting)
        if n_reps and verdict in told:
            name = words.VERDICT_WORDS[verdict]
            if basis is VerdictBasis.MOTION:
                yield row(f"{words.VERDICT_MARKS[verdict]} {name}", f"{n_reps}", words.FROM_MOTION)
            else:
                yield row(name, f"{n_reps}")
    if len(voting) < len(reps):
        yield row("left out", f"{len(reps) - len(voting)}")
    n_cues = sum(rep.warning is not None for rep in reps)
    if n_cues:
        yield row("practice cues", f"{n_cues}")

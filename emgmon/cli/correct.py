"""``emgmon correct``: what a person knows better about repetitions goes into the recording itself."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from emgmon.analysis_document import AnalysisDocument, RepDocument
    from emgmon.recording.host_events import CorrectionLog, CorrectionRow, CorrectionUndoneRow, Side

Parsed = TypeVar("Parsed")

SECOND_FORM = "a time in seconds, like 12.2"
NAME_FORM = "a set and a rep, like 1.3"
EDGES_FORM = "START:END or START:TURN:END in seconds, like 12.2:15.4"
ADD_FORM = "START:TURN:END in seconds, like 12.2:13.8:15.4"


@dataclass(frozen=True, slots=True)
class RepName:
    """How people name a repetition: by its set and its number there."""

    set_number: int
    number: int

    def __str__(self) -> str:
        return f"{self.set_number}.{self.number}"


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a repetition is to be, seconds of the recording."""

    start_s: float
    turn_s: float | None
    end_s: float

    def __str__(self) -> str:
        return f"{self.start_s:.2f} to {self.end_s:.2f} s"


@dataclass(frozen=True, slots=True)
class Named:
    """A repetition of the analysis, with its name."""

    name: RepName
    rep: "RepDocument"

    @property
    def edges(self) -> Edges:
        return Edges(self.rep.start_s, self.rep.turn_s, self.rep.end_s)

    def __str__(self) -> str:
        return f"rep {self.name}, {self.edges}"


def _second(word: str) -> float:
    second = float(word)
    if not 0.0 <= second < math.inf:
        raise ValueError(word)
    return second


def _name(word: str) -> RepName:
    set_number, number = (int(part) for part in word.split("."))
    if set_number < 1 or number < 1:
        raise ValueError(word)
    return RepName(set_number, number)


def _edges(word: str) -> Edges:
    """Read two or three times; the hundredth of a second is the grain of every analysis."""
    times_s = [round(float(part), 2) for part in word.split(":")]
    ordered = all(first < then for first, then in itertools.pairwise(times_s))
    if len(times_s) not in (2, 3) or not ordered or not 0.0 <= times_s[0] <= times_s[-1] < math.inf:
        raise ValueError(word)
    return Edges(times_s[0], times_s[1] if len(times_s) == 3 else None, times_s[-1])


def _added_edges(word: str) -> Edges:
    edges = _edges(word)
    if edges.turn_s is None:
        raise ValueError(word)
    return edges


def _moved(word: str) -> tuple[RepName, Edges]:
    name, edges = word.split("=")
    return _name(name), _edges(edges)


def _parser(
    read: Callable[[str], Parsed], form: str
) -> Callable[[click.Context, click.Parameter, str | None], Parsed | None]:
    """Make a callback that reads the word of an option, or says what form it should have."""

    def parse(_context: click.Context, _option: click.Parameter, word: str | None) -> Parsed | None:
        if word is None:
            return None
        try:
            return read(word)
        except (ValueError, OverflowError):
            raise click.BadParameter(f"{word!r} is not {form}.") from None

    return parse


@click.command(name="correct")
@click.argument("recording", metavar="REC", type=click.Path(path_type=Path))
@click.option("--remove", metavar="SET.REP", callback=_parser(_name, NAME_FORM), help="It is no repetition.")
@click.option(
    "--remove-at",
    metavar="S",
    callback=_parser(_second, SECOND_FORM),
    help="What was found at this second is no repetition.",
)
@click.option(
    "--add",
    metavar="START:TURN:END",
    callback=_parser(_added_edges, ADD_FORM),
    help="There is a repetition here, seconds of the recording.",
)
@click.option("--side", type=click.Choice(["left", "right"]), help="Side of the repetition to --add.")
@click.option(
    "--move",
    metavar="SET.REP=START:END",
    callback=_parser(_moved, f"SET.REP={EDGES_FORM.replace('12.2', '1.3=12.2')}"),
    help="Its edges are elsewhere; START:TURN:END moves its turn as well.",
)
@click.option("--undo", is_flag=True, help="Take back the last correction that holds.")
@click.option("--list", "list_all", is_flag=True, help="List the corrections in the recording.")
@click.option("--note", metavar="TEXT", help="Why, for people; kept with the correction.")
@click.option("--exercise", metavar="NAME", help="Number the repetitions as those of this exercise.")
def command(
    *,
    recording: Path,
    remove: RepName | None,
    remove_at: float | None,
    add: Edges | None,
    side: "Side | None",
    move: tuple[RepName, Edges] | None,
    undo: bool,
    list_all: bool,
    note: str | None,
    exercise: str | None,
) -> None:
    """Correct the repetitions of the recording REC, for every later analysis.

    What the sensors sent is never changed: the correction is written behind it, and --undo takes it back.
    SET.REP are the numbers that emgmon analyze shows, and they may change with every correction.
    """
    asked = {"--remove": remove, "--remove-at": remove_at, "--add": add, "--move": move}
    flags = {"--undo": undo or None, "--list": list_all or None}
    _check_words({**asked, **flags}, side=side, note=note)
    from emgmon.recording.host_events import read_corrections

    log = read_corrections(recording)
    for warning in log.warnings:
        click.echo(f"warning: {warning}", err=True)
    if list_all:
        _print_log(recording, log)
        return
    row: CorrectionRow | CorrectionUndoneRow
    if undo:
        row, told = _undo(recording, log)
    else:
        from emgmon.analysis import analyse

        document = analyse(recording, exercise=exercise)
        if add is not None:
            row, told = _add(document, add, side, log.next_number)
        elif move is not None:
            row, told = _move(document, *move, log.next_number)
        else:
            row, told = _remove(_found(document, remove, remove_at), log.next_number)
    _write(recording, row, note)
    click.echo(told)
    click.echo(_count(recording, exercise))


def _check_words(asked: dict[str, object], *, side: str | None, note: str | None) -> None:
    from emgmon.errors import UsageError

    given = [option for option, value in asked.items() if value is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} do not go together" if given else "nothing was asked for"
        raise UsageError(said, advice=f"Give one of {', '.join(asked)}.")
    if side is not None and given != ["--add"]:
        raise UsageError(f"--side {side} belongs to --add", advice=f"{given[0]} leaves the side as it is.")
    if note is not None and given == ["--list"]:
        raise UsageError("--note belongs to a correction", advice="--list makes none.")


def _write(recording: Path, row: "CorrectionRow | CorrectionUndoneRow", note: str | None) -> None:
    import msgspec

    from emgmon.recording.append import append_rows
    from emgmon.recording.host_events import event_notifications

    made_utc = datetime.now(UTC).isoformat(timespec="seconds")
    signed = msgspec.structs.replace(row, note=note, made_utc=made_utc)
    append_rows(recording, lambda newest_ns: event_notifications([signed], arrival_ns=newest_ns))


def _remove(found: Named, number: int) -> "tuple[CorrectionRow, str]":
    from emgmon.recording.host_events import RepRemovedRow

    rep = found.rep
    row = RepRemovedRow(number=number, at_s=rep.turn_s, start_s=rep.start_s, end_s=rep.end_s)
    return row, f"removed {found}"


def _add(
    document: "AnalysisDocument", edges: Edges, side: "Side | None", number: int
) -> "tuple[CorrectionRow, str]":
    from emgmon.recording.host_events import RepAddedRow

    assert edges.turn_s is not None
    _check_room(document, edges, except_for=None)
    row = RepAddedRow(
        number=number,
        start_s=edges.start_s,
        turn_s=edges.turn_s,
        end_s=edges.end_s,
        side=side,
    )
    return row, f"added {'a' if side is None else f'a {side}'} rep, {edges}"


def _move(
    document: "AnalysisDocument", name: RepName, edges: Edges, number: int
) -> "tuple[CorrectionRow, str]":
    from emgmon.errors import UsageError
    from emgmon.recording.host_events import RepMovedRow

    found = _found(document, name, None)
    rep = found.rep
    if edges.turn_s is None and not edges.start_s < rep.turn_s < edges.end_s:
        raise UsageError(
            f"rep {name} turns at {rep.turn_s:.2f} s, which is not between {edges}",
            advice=f"If it turns elsewhere, say where: --move {name}=START:TURN:END",
        )
    _check_room(document, edges, except_for=name)
    row = RepMovedRow(
        number=number,
        at_s=rep.turn_s,
        was_start_s=rep.start_s,
        was_end_s=rep.end_s,
        start_s=edges.start_s,
        turn_s=edges.turn_s,
        end_s=edges.end_s,
    )
    return row, f"moved {found}: now {edges}"


def _undo(recording: Path, log: "CorrectionLog") -> "tuple[CorrectionUndoneRow, str]":
    from emgmon.errors import RecordingError
    from emgmon.recording.host_events import CorrectionUndoneRow

    if not log.standing:
        raise RecordingError(
            f"{recording} has no correction to take back", advice="See what there was with --list."
        )
    last = log.standing[-1]
    row = CorrectionUndoneRow(number=log.next_number, undone=last.number)
    return row, f"took back correction {last.number}: {_said(last)}"


def _all_named(document: "AnalysisDocument") -> Iterator[Named]:
    for set_number, done in enumerate(document.sets, start=1):
        for rep in done.reps:
            yield Named(RepName(set_number, rep.number), rep)


def _found(document: "AnalysisDocument", name: RepName | None, at_s: float | None) -> Named:
    """Find a repetition by its name, or by a second that lies in it."""
    from emgmon.errors import RecordingError

    named = list(_all_named(document))
    if name is not None:
        here, sought = [one for one in named if one.name == name], f"rep {name}"
    else:
        at_s = math.nan if at_s is None else at_s
        here = [one for one in named if one.rep.start_s <= at_s <= one.rep.end_s]
        sought = f"rep at {at_s:.2f} s"
    if not here:
        raise RecordingError(
            f"there is no {sought} in {document.recording.path}", advice=_there_are(document)
        )
    return min(here, key=lambda one: 0.0 if at_s is None else abs(one.rep.turn_s - at_s))


def _there_are(document: "AnalysisDocument") -> str:
    path = document.recording.path
    if not document.sets:
        return f"No repetitions were found; to see why, run: emgmon analyze {path}"
    sets = [
        f"{number}.{done.reps[0].number} to {number}.{done.reps[-1].number}"
        if len(done.reps) > 1
        else f"{number}.{done.reps[0].number}"
        for number, done in enumerate(document.sets, start=1)
    ]
    return f"There are {', '.join(sets)}; for their times, run: emgmon analyze {path}"


def _check_room(document: "AnalysisDocument", edges: Edges, *, except_for: RepName | None) -> None:
    """Refuse edges outside the recording or across another repetition."""
    from emgmon.errors import RecordingError, UsageError

    duration_s = document.recording.duration_s
    if edges.end_s > duration_s:
        raise UsageError(
            f"{edges} lies outside the recording, which ends at {duration_s:.2f} s",
            advice="Give times within it.",
        )
    for other in _all_named(document):
        overlaps = other.rep.start_s < edges.end_s and edges.start_s < other.rep.end_s
        if other.name != except_for and overlaps:
            raise RecordingError(
                f"{edges} overlaps {other}",
                advice=f"Move or remove that one first, for example: --move {other.name}=START:END",
            )


def _count(recording: Path, exercise: str | None) -> str:
    from emgmon.analysis import analyse

    sets = analyse(recording, exercise=exercise).sets
    n_reps = sum(len(done.reps) for done in sets)
    within = f" in {len(sets)} sets" if len(sets) > 1 else ""
    return f"now {n_reps} {'rep' if n_reps == 1 else 'reps'}{within}"


def _print_log(recording: Path, log: "CorrectionLog") -> None:
    if not log.rows:
        click.echo(f"{recording}: no corrections")
    for row in log.rows:
        taken_back = " (taken back)" if row.number in log.undone else ""
        by = " ".join(part for part in (row.made_utc, row.author, row.note) if part)
        click.echo(f"{row.number:>3}  {_said(row)}{taken_back}{f'  {by}' if by else ''}")


def _said(row: "CorrectionRow") -> str:
    from emgmon.recording.host_events import RepAddedRow, RepRemovedRow

    edges = Edges(row.start_s, None, row.end_s)
    if isinstance(row, RepRemovedRow):
        return f"removed {edges}"
    if isinstance(row, RepAddedRow):
        return f"added {edges}, turn at {row.turn_s:.2f} s{f', {row.side}' if row.side else ''}"
    turn = "" if row.turn_s is None else f", turn at {row.turn_s:.2f} s"
    return f"moved {Edges(row.was_start_s, None, row.was_end_s)}: now {edges}{turn}"

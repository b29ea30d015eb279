"""``emgmon analyze``: counts, figures and verdicts of a recording, as a table or as JSON."""

import functools
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emgmon.cli.pages import WIDEST

if TYPE_CHECKING:
    from emgmon.analysis import AnalysisDocument, MetricDocument, RepDocument, SetDocument, StreamDocument

MISSING = "–"
"""Stands for "not measured" in a column; why is said below the table."""


@click.command(name="analyze")
@click.argument("recording", metavar="REC", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The whole analysis as JSON (emgmon.analysis/1).")
@click.option("--exercise", metavar="NAME", help="Instead of the exercise that the recording names.")
@click.option(
    "--envelopes",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write the EMG envelopes, 100 a second, to this CSV file.",
)
@click.option(
    "--partial",
    type=click.Choice(["left-out", "counted"]),
    default="left-out",
    show_default=True,
    help="Movements of less than half the usual range.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(
    *,
    recording: Path,
    as_json: bool,
    exercise: str | None,
    envelopes: Path | None,
    partial: str,
    force: bool,
) -> None:
    """Count and judge the repetitions of the recording REC."""
    from emgmon.analysis import analyse
    from emgmon.cli.own_files import find_exercise

    named = None if exercise is None else find_exercise(exercise)
    if envelopes is None:
        document = analyse(recording, exercise=named, partial=partial)
    else:
        from emgmon.recording.envelope_csv import EnvelopeTable
        from emgmon.recording.files import refuse_existing

        refuse_existing(envelopes, replace=force)
        table = EnvelopeTable(recording)
        document = analyse(recording, exercise=named, partial=partial, watch=table.take)
        table.write(envelopes, replace=force)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        _print(document)
    for warning in document.recording.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not document.recording.complete:
        # The figures are those of a part; whoever asked for the whole must not take this for success.
        raise SystemExit(1)


def _print(document: "AnalysisDocument") -> None:
    for line in _head_lines(document):
        click.echo(line)
    for number, done in enumerate(document.sets, start=1):
        click.echo()
        for line in _set_lines(number, done):
            click.echo(line)
    if not document.sets:
        click.echo("No repetitions were found.")


def _head_lines(document: "AnalysisDocument") -> Iterator[str]:
    recording = document.recording
    yield f"{recording.path}: {recording.duration_s:.1f} s, {recording.lost_samples} samples lost"
    for stream in recording.streams:
        yield from _wrapped(f"{stream.kind} {stream.rate_hz:g} Hz: {', '.join(_sites(stream))}", indent=2)
    if recording.movement_signal is not None:
        signal = recording.movement_signal.replace("_", " ").replace("emg", "EMG")
        yield from _wrapped(f"counted on {signal}; {_alignment(recording.alignment)}", indent=2)


def _alignment(method: str | None) -> str:
    """Say what the place of the pelvis sensor is known from."""
    if method is None:
        return "alignment of the pelvis sensor not known"
    return f"alignment of the pelvis sensor from {method.replace('-', ' ')}"


def _sites(stream: "StreamDocument") -> list[str]:
    """Channels of a stream; of an IMU every site once, for its axes go without saying."""
    if stream.kind == "emg":
        return list(stream.channels)
    return list(dict.fromkeys(channel.rpartition(".")[0] or channel for channel in stream.channels))


def _wrapped(text: str, *, indent: int, hanging: int = 4) -> list[str]:
    return textwrap.wrap(
        text,
        WIDEST,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    """Without the space before it."""
    text: Callable[["RepDocument"], str]
    group: str = ""
    """Stands over the first of the columns that have it in common."""
    left: bool = False
    """Words begin on the left, figures end on the right."""

    def cell(self, text: str) -> str:
        return f" {text:<{self.width}}" if self.left else f" {text:>{self.width}}"


def _columns(done: "SetDocument") -> list[_Column]:
    """Choose the columns that hold anything in this set; together they never need more than 80 letters."""
    columns = [_Column("rep", 3, _number)]
    if any(rep.side for rep in done.reps):
        columns.append(_Column("side", 5, lambda rep: rep.side or "", left=True))
    columns += [
        _Column("start", 7, lambda rep: f"{rep.start_s:.2f}"),
        _Column("turn", 7, lambda rep: f"{rep.turn_s:.2f}"),
        _Column("end", 7, lambda rep: f"{rep.end_s:.2f}"),
    ]
    if _measured(done, SHARE):
        columns.append(_Column("share  95%", 10, _share, group="glute, %"))
    columns += [
        _Column(
            title,
            5 if title == "pitch" else 4,
            functools.partial(_degrees, name=name),
            group="pelvis, degrees",
        )
        for title, name in DEGREES
        if _measured(done, name)
    ]
    return [*columns, _Column("verdict", 12, lambda rep: rep.verdict, left=True)]


SHARE = "glute_share_pct"
DEGREES = (
    ("pitch", "pelvis_anterior_change_deg"),
    ("rot.", "pelvis_rotation_range_deg"),
    ("obl.", "pelvis_obliquity_range_deg"),
    ("lum.", "lumbar_extension_deg"),
)
"""Title of the column and metric. Pitch and lumbar extension are changes from the start to the turn."""
SIGNED = frozenset({"pelvis_anterior_change_deg", "lumbar_extension_deg"})

_MARKS = {"added": "+", "moved": "*"}
_MARK_WORDS = {"added": "+ added by hand", "moved": "* edges moved by hand"}


def _number(rep: "RepDocument") -> str:
    return f"{_MARKS.get(rep.origin, '')}{rep.number}"


def _measured(done: "SetDocument", name: str) -> bool:
    return any(_value(rep.metrics.get(name)) is not None for rep in done.reps)


def _value(metric: "MetricDocument | None") -> float | None:
    return None if metric is None else metric.value


def _degrees(rep: "RepDocument", *, name: str) -> str:
    return _degrees_text(_value(rep.metrics.get(name)), name)


def _degrees_text(value: float | None, name: str) -> str:
    if value is None:
        return MISSING
    # Adding 0.0 makes -0.0 a plain 0.
    rounded = round(value) + 0.0
    return f"{rounded:+.0f}" if name in SIGNED and rounded else f"{rounded:.0f}"


def _share(rep: "RepDocument") -> str:
    share = rep.metrics.get(SHARE)
    if share is None or share.value is None:
        return MISSING
    interval = "" if share.low is None or share.high is None else f"{share.low:.0f}-{share.high:.0f}"
    return f"{share.value:3.0f} {interval:>6}"


def _set_lines(number: int, done: "SetDocument") -> Iterator[str]:
    columns = _columns(done)
    yield f"Set {number}: {done.exercise}, {_reps(len(done.reps))}{_by_side(done)}"
    groups = _groups_line(columns)
    if groups:
        yield groups
    yield "".join(column.cell(column.title) for column in columns).rstrip()
    for rep in done.reps:
        yield "".join(column.cell(column.text(rep)) for column in columns).rstrip()
        if rep.excluded:
            yield from _wrapped(f"left out: {rep.excluded}", indent=6, hanging=2)
    yield from _summary_lines(done)
    yield from _uncounted_lines(done)
    marks = [words for origin, words in _MARK_WORDS.items() if any(rep.origin == origin for rep in done.reps)]
    if marks:
        yield f"  {', '.join(marks)}"


def _groups_line(columns: list[_Column]) -> str:
    """Write the names of groups over their columns; nothing where there are none."""
    line, at, last = "", 0, ""
    for column in columns:
        if column.group and column.group != last:
            line = f"{line:<{at + 1}}{column.group}"
        last = column.group
        at += len(column.cell(""))
    return line


def _reps(count: int) -> str:
    return "1 rep" if count == 1 else f"{count} reps"


def _by_side(done: "SetDocument") -> str:
    counts = Counter(rep.side for rep in done.reps)
    known = [f"{side} {counts[side]}" for side in ("left", "right") if counts[side]]
    unknown = [f"side not known {counts[None]}"] if known and counts[None] else []
    return f" ({', '.join(known + unknown)})" if known else ""


def _summary_lines(done: "SetDocument") -> Iterator[str]:
    share = done.summary.get(SHARE)
    if share is None or share.value is None:
        yield from _not_measured("glute share", share)
    else:
        yield f"  mean glute share {_figure(share)} over {_reps(share.n)}"
    yield from _pelvis_lines(done)


def _pelvis_lines(done: "SetDocument") -> Iterator[str]:
    """Means over the set, and for what was not measured the reason, every reason once."""
    means: list[str] = []
    missing: dict[str, list[str]] = {}
    for name, words in PELVIS.items():
        metric = done.summary.get(name)
        if metric is not None and metric.value is not None:
            means.append(f"{words} {_degrees_text(metric.value, name)}°")
            for reason, count in _reasons(done, name).items():
                missing.setdefault(f" in {count} of {_reps(len(done.reps))}: {reason}", []).append(words)
        elif metric is not None:
            missing.setdefault(f": {metric.reason}" if metric.reason else "", []).append(words)
    if means:
        yield from _wrapped(f"mean {', '.join(means)}", indent=2)
    for reason, parts in missing.items():
        yield from _wrapped(f"{', '.join(parts)} not measured{reason}", indent=2)


def _reasons(done: "SetDocument", name: str) -> Counter[str]:
    """Why a figure is missing in some repetitions, and in how many."""
    lacking = (rep.metrics.get(name) for rep in done.reps)
    return Counter(m.reason for m in lacking if m is not None and m.value is None and m.reason)


PELVIS = {
    "pelvis_anterior_change_deg": "pelvis pitch change",
    "pelvis_rotation_range_deg": "rotation",
    "pelvis_obliquity_range_deg": "obliquity",
    "lumbar_extension_deg": "lumbar extension",
}


def _not_measured(words: str, metric: "MetricDocument | None") -> list[str]:
    reason = metric.reason if metric is not None else "no repetition"
    return _wrapped(f"{words} not measured: {reason}", indent=2)


def _uncounted_lines(done: "SetDocument") -> Iterator[str]:
    if done.uncounted:
        yield "  not counted:"
    for movement in done.uncounted:
        span = f"{movement.start_s:.2f} to {movement.end_s:.2f} s"
        yield from _wrapped(f"{span}  {movement.reason}", indent=4)


def _figure(metric: "MetricDocument") -> str:
    if metric.low is None or metric.high is None:
        return f"{metric.value:.1f} %"
    return f"{metric.value:.1f} % ({metric.low:.0f} to {metric.high:.0f})"

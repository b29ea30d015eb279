"""``emgmon analyze``: counts, figures and verdicts of a recording, as a table or as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.analysis import AnalysisDocument, MetricDocument, RepDocument, SetDocument


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
    recording = document.recording
    click.echo(f"{recording.path}: {recording.duration_s:.1f} s, {recording.lost_samples} samples lost")
    for stream in recording.streams:
        click.echo(f"  {stream.kind} {stream.rate_hz:g} Hz: {', '.join(stream.channels)}")
    for number, done in enumerate(document.sets, start=1):
        click.echo()
        click.echo(f"Set {number}: {done.exercise}, {_reps(len(done.reps))}")
        click.echo(f"  {'rep':>3} {'start':>8} {'turn':>8} {'end':>8}  {'glute share':<22} verdict")
        for rep in done.reps:
            click.echo(_rep_line(rep))
        click.echo(_summary_line(done))
    if not document.sets:
        click.echo("No repetitions were found.")


def _reps(count: int) -> str:
    return "1 rep" if count == 1 else f"{count} reps"


def _rep_line(rep: "RepDocument") -> str:
    share = _figure(rep.metrics.get("glute_share_pct"))
    excluded = f" (left out: {rep.excluded})" if rep.excluded else ""
    times = f"{rep.start_s:8.2f} {rep.turn_s:8.2f} {rep.end_s:8.2f}"
    return f"  {rep.number:>3} {times}  {share:<22} {rep.verdict}{excluded}"


def _summary_line(done: "SetDocument") -> str:
    share = done.summary.get("glute_share_pct")
    if share is None or share.value is None:
        return f"  glute share not measured: {share.reason if share else 'no repetition'}"
    return f"  mean glute share {_figure(share)} over {_reps(share.n)}"


def _figure(metric: "MetricDocument | None") -> str:
    if metric is None or metric.value is None:
        return "not measured"
    if metric.low is None or metric.high is None:
        return f"{metric.value:.1f} %"
    return f"{metric.value:.1f} % ({metric.low:.0f} to {metric.high:.0f})"

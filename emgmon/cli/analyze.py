"""``emgmon analyze``: counts, figures and verdicts of a recording, as a table or as JSON."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.analysis_document import AnalysisDocument


@click.command(name="analyze")
@click.argument("recording", metavar="REC", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The whole analysis as JSON (emgmon.analysis/1).")
@click.option("--exercise", metavar="NAME", help="Instead of the exercise that the recording names.")
@click.option(
    "--reference",
    metavar="OTHER",
    type=click.Path(path_type=Path),
    help="Judge by the reference set of this recording or profile, as on another day.",
)
@click.option(
    "--calibration",
    metavar="OTHER",
    type=click.Path(path_type=Path),
    help="Take what 0 and 100 % mean from this recording or profile, of the same electrodes.",
)
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
@click.option(
    "--refine",
    is_flag=True,
    help="Look twice: take the heartbeat out of the back, and hum where it dominates.",
)
@click.option(
    "--quality", "show_quality", is_flag=True, help="Also every figure of signal quality, rep by rep."
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(
    *,
    recording: Path,
    as_json: bool,
    exercise: str | None,
    reference: Path | None,
    calibration: Path | None,
    envelopes: Path | None,
    partial: str,
    refine: bool,
    show_quality: bool,
    force: bool,
) -> None:
    """Count and judge the repetitions of the recording REC."""
    from emgmon.analysis import Refining, analyse
    from emgmon.cli.calibrate import load_calibration
    from emgmon.cli.own_files import find_exercise
    from emgmon.cli.reference import load_reference

    named = None if exercise is None else find_exercise(exercise)
    other = None if reference is None else load_reference(reference, recording=recording, exercise=exercise)
    scale = None if calibration is None else load_calibration(calibration, recording=recording)
    run = functools.partial(
        analyse,
        recording,
        exercise=named,
        partial=partial,
        reference=other,
        calibration=scale,
        refined=Refining.SECOND_LOOK if refine else Refining.AS_LIVE,
    )
    if envelopes is None:
        document = run()
    else:
        from emgmon.recording.envelope_csv import EnvelopeTable
        from emgmon.recording.files import refuse_existing

        refuse_existing(envelopes, replace=force)
        table = EnvelopeTable(recording)
        document = run(watch=table.take)
        table.write(envelopes, replace=force)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        _print(document, show_quality=show_quality)
    for warning in document.recording.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not document.recording.complete:
        # The figures are those of a part; whoever asked for the whole must not take this for success.
        raise SystemExit(1)


def _print(document: "AnalysisDocument", *, show_quality: bool) -> None:
    from emgmon.cli.analysis_head import head_lines
    from emgmon.cli.analysis_quality import quality_lines
    from emgmon.cli.analysis_table import rebase_lines, set_lines

    for line in head_lines(document):
        click.echo(line)
    for number, done in enumerate(document.sets, start=1):
        click.echo()
        for line in set_lines(number, done):
            click.echo(line)
    if not document.sets:
        click.echo("No repetitions were found.")
    for line in rebase_lines(document):
        click.echo(line)
    if show_quality:
        for line in quality_lines(document):
            click.echo(line)

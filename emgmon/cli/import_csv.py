"""``emgmon import``: CSV files become one recording."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.recording.csv_import import ImportedStream


@click.command(name="import")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--csv",
    "paths",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    metavar="FILE",
    help="A CSV file, packed with gzip or not; one for each stream, all on the same time line.",
)
@click.option("--exercise", metavar="NAME", help="The exercise that was performed, for example squat.")
@click.option(
    "--rate", "rate_hz", type=float, metavar="HZ", help="Sample rate; found from t_s when not given."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(
    *, out: Path, paths: tuple[Path, ...], exercise: str | None, rate_hz: float | None, force: bool
) -> None:
    """Make the recording OUT of CSV files.

    The first column is t_s (seconds). The others are named kind.site[.side][.axis]_unit, for example
    emg.gluteus_maximus.left_uV, acc.pelvis.x_mps2 or gyr.pelvis.z_dps. Other columns are skipped with a
    warning; empty cells and NaN are missing samples.
    """
    # Loaded here, so that --help does not wait for Arrow.
    from emgmon.cli.own_files import find_exercise
    from emgmon.recording.csv_import import import_csv

    found = None if exercise is None else find_exercise(exercise)
    report = import_csv(paths, out, exercise=found, rate_hz=rate_hz, replace=force)
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{report.path}: {len(report.streams)} stream(s), {report.duration_s:.1f} s")
    for stream in report.streams:
        click.echo(f"  {_line(stream)}")


def _line(imported: "ImportedStream") -> str:
    stream = imported.stream
    sites = dict.fromkeys(" ".join(filter(None, (c.side, c.site))) for c in stream.channels)
    missing = f", {imported.n_missing} missing in {imported.n_gaps} gap(s)" if imported.n_missing else ""
    return (
        f"{stream.kind.name} of {', '.join(sites)}: {imported.n_samples} samples at {stream.rate_hz:.6g} Hz"
        f"{' (given)' if imported.rate_given else ''}{missing}"
    )

"""``emgmon repair``: saves every sound batch of a damaged recording."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.recording.repair import LostStretch


@click.command(name="repair")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the repaired recording goes; NAME.repaired.arrows, or NAME.arrows for a NAME.arrows.part.",
)
@click.option(
    "--header-from",
    type=click.Path(path_type=Path),
    metavar="OTHER",
    help="A recording of the same sensor and setup, whose header takes the place of a damaged one.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(*, recording: Path, out: Path | None, header_from: Path | None, force: bool) -> None:
    """Write a new recording with everything in RECORDING that is sound; RECORDING stays as it is."""
    # Loaded here, so that --help does not wait for Arrow.
    from emgmon.recording.repair import default_output, repair

    report = repair(recording, out or default_output(recording), replace=force, header_from=header_from)
    for stretch in report.lost:
        click.echo(_line(stretch))
    if not report.lost:
        click.echo(
            "nothing is lost" if report.closed else "nothing is lost; the recording was only not closed"
        )
    click.echo(f"{report.path}: {report.n_rows} notifications in {report.n_batches} batches kept")


def _line(stretch: "LostStretch") -> str:
    if stretch.after_s is None and stretch.before_s is None:
        when = ""
    elif stretch.after_s is None:
        when = f"; everything before {stretch.before_s:.3f} s"
    elif stretch.before_s is None:
        when = f"; everything after {stretch.after_s:.3f} s"
    else:
        when = f"; between {stretch.after_s:.3f} s and {stretch.before_s:.3f} s"
    return f"lost: bytes {stretch.first_byte} to {stretch.end_byte}: {stretch.what}{when}"

"""``emgmon verify``: lists what is wrong with a recording."""

from pathlib import Path

import click


@click.command(name="verify")
@click.argument("recording", type=click.Path(path_type=Path))
def command(*, recording: Path) -> None:
    """Check every byte and every packet of RECORDING.

    Exit status 0 when the file is sound, 1 when it is damaged or was never closed.
    """
    # Loaded here, so that --help does not wait for Arrow.
    from emgmon.recording.verify import Severity, verify

    findings = verify(recording)
    for finding in findings:
        click.echo(f"byte {finding.byte}: {finding.severity.value}: {finding.what}")
    advice = dict.fromkeys(finding.advice for finding in findings if finding.advice)
    for sentence in advice:
        click.echo(sentence, err=True)
    n_problems = sum(finding.severity is Severity.PROBLEM for finding in findings)
    if n_problems:
        click.echo(f"{recording}: {n_problems} problem(s)")
        raise SystemExit(1)
    click.echo(f"{recording}: sound")

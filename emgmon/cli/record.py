"""``emgmon record``: a session without a screen."""

from pathlib import Path

import click

from emgmon.cli.live import NEW_ELECTRODES_HELP, PROFILE_HELP, SENSOR_HELP


@click.command(name="record")
@click.option("--sensor", "sensors", metavar="ADDRESS|virtual", multiple=True, help=SENSOR_HELP)
@click.option("--exercise", metavar="NAME", help="What will be done; the virtual athlete does a bridge.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the recording goes.")
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Seconds to record; until Ctrl-C when not given.",
)
@click.option("--profile", metavar="NAME", help=PROFILE_HELP)
@click.option("--new-electrodes", is_flag=True, help=NEW_ELECTRODES_HELP)
def command(
    *,
    sensors: tuple[str, ...],
    exercise: str | None,
    out: Path | None,
    duration_s: float | None,
    profile: str | None,
    new_electrodes: bool,
) -> None:
    """Record a session; one line per event.

    Ctrl-C ends the session properly: the exit status is 0 when something was recorded, else 130.
    """
    from emgmon.cli.follow import follow
    from emgmon.cli.live import live_feed, only_virtual, worn_by

    person = worn_by(profile, only_virtual(sensors), new_electrodes=new_electrodes)
    follow(live_feed(sensors, exercise, out, person), plain=True, duration_s=duration_s)

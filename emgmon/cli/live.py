"""``emgmon live``: a session with a sensor, on the screen."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.cli.follow import RecordedFeed
    from emgmon.virtual.script import Script

VIRTUAL = "virtual"


@click.command(name="live")
@click.option(
    "--sensor", metavar="ADDRESS|virtual", help="Which sensor; the first that is heard when not given."
)
@click.option("--exercise", metavar="NAME", help="What will be done; the virtual athlete does a bridge.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the recording goes.")
@click.option("--plain", is_flag=True, help="One line per event instead of a screen.")
def command(*, sensor: str | None, exercise: str | None, out: Path | None, plain: bool) -> None:
    """Count and judge repetitions while they are done.

    Everything is recorded. Ctrl-C ends the session properly: the exit status is 0 when something was
    recorded, else 130.
    """
    from emgmon.cli.follow import follow, wants_plain

    follow(live_feed(sensor, exercise, out), plain=wants_plain(plain=plain))


def live_feed(sensor: str | None, exercise: str | None, out: Path | None) -> "RecordedFeed":
    """Prepare a session with the sensor that was asked for.

    Raises
    ------
    ExerciseError
        When there is no such exercise, or the person's own file of that name is not valid.
    """
    from emgmon.cli.own_files import find_exercise

    found = None if exercise is None else find_exercise(exercise)
    if sensor is not None and sensor.lower() == VIRTUAL:
        return _virtual(exercise or "bridge", out)
    from emgmon.cli.follow import default_path
    from emgmon.clock import SystemClock
    from emgmon.sensors.live import LiveFeed, LiveSetup

    setup = LiveSetup(out=out or default_path(exercise), exercise=found, address=sensor)
    return LiveFeed(setup, clock=SystemClock())


def _virtual(exercise: str, out: Path | None) -> "RecordedFeed":
    from emgmon.cli.follow import virtual_feed
    from emgmon.virtual.params import AthleteParams

    params = AthleteParams(exercise=exercise)

    def make_script() -> "Script":
        from emgmon.virtual.athlete import perform
        from emgmon.virtual.script import script

        return script([perform(params)])

    return virtual_feed(exercise, make_script, out)

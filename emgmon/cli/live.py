"""``emgmon live``: a session with a sensor, on the screen."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.cli.follow import RecordedFeed
    from emgmon.cli.profiles import Profile
    from emgmon.virtual.script import Script

VIRTUAL = "virtual"

PROFILE_HELP = "Whose calibration and reference sets to go by."
NEW_ELECTRODES_HELP = "They were put on anew, which ends the calibration in the profile."


@click.command(name="live")
@click.option(
    "--sensor", metavar="ADDRESS|virtual", help="Which sensor; the first that is heard when not given."
)
@click.option("--exercise", metavar="NAME", help="What will be done; the virtual athlete does a bridge.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the recording goes.")
@click.option("--profile", metavar="NAME", help=PROFILE_HELP)
@click.option("--new-electrodes", is_flag=True, help=NEW_ELECTRODES_HELP)
@click.option("--plain", is_flag=True, help="One line per event instead of a screen.")
def command(
    *,
    sensor: str | None,
    exercise: str | None,
    out: Path | None,
    profile: str | None,
    new_electrodes: bool,
    plain: bool,
) -> None:
    """Count and judge repetitions while they are done.

    Everything is recorded. Ctrl-C ends the session properly: the exit status is 0 when something was
    recorded, else 130.
    """
    from emgmon.cli.follow import follow, wants_plain

    person = worn_by(profile, sensor, new_electrodes=new_electrodes)
    follow(live_feed(sensor, exercise, out, person), plain=wants_plain(plain=plain))


def worn_by(profile: str | None, sensor: str | None, *, new_electrodes: bool) -> "Profile | None":
    """Find the profile of who wears the sensor; new electrodes are counted in it at once.

    Raises
    ------
    UsageError
        When the words do not go together.
    ProfileError
        When there is no such profile, or it cannot be used.
    """
    from emgmon.errors import UsageError

    if profile is None:
        if new_electrodes:
            raise UsageError(
                "--new-electrodes are counted in a profile", advice="Give --profile NAME as well."
            )
        return None
    if _is_virtual(sensor):
        raise UsageError(
            f"--profile {profile} is of a person, and the virtual sensor is worn by nobody",
            advice="Leave --profile out; the virtual athlete brings its own calibration.",
        )
    from emgmon.cli.profiles import known_profile, save_profile

    found = known_profile(profile)
    if new_electrodes:
        found = found.with_new_electrodes()
        save_profile(profile, found)
    return found


def live_feed(
    sensor: str | None, exercise: str | None, out: Path | None, person: "Profile | None" = None
) -> "RecordedFeed":
    """Prepare a session with the sensor that was asked for.

    Raises
    ------
    ExerciseError
        When there is no such exercise, or the person's own file of that name is not valid.
    """
    from emgmon.cli.own_files import find_exercise

    found = None if exercise is None else find_exercise(exercise)
    if _is_virtual(sensor):
        return _virtual(exercise or "bridge", out)
    from emgmon.cli.follow import default_path
    from emgmon.clock import SystemClock
    from emgmon.metrics.reference import taken_elsewhere
    from emgmon.sensors.live import LiveFeed, LiveSetup

    reference = None if person is None else person.find_reference(exercise)
    setup = LiveSetup(
        out=out or default_path(exercise),
        exercise=found,
        address=sensor,
        calibration=None if person is None else person.calibration,
        reference=None if reference is None else taken_elsewhere(reference),
    )
    return LiveFeed(setup, clock=SystemClock())


def _is_virtual(sensor: str | None) -> bool:
    return sensor is not None and sensor.lower() == VIRTUAL


def _virtual(exercise: str, out: Path | None) -> "RecordedFeed":
    from emgmon.cli.follow import virtual_feed
    from emgmon.virtual.params import AthleteParams

    params = AthleteParams(exercise=exercise)

    def make_script() -> "Script":
        from emgmon.virtual.athlete import perform
        from emgmon.virtual.script import script

        return script([perform(params)])

    return virtual_feed(exercise, make_script, out)

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
SENSOR_HELP = (
    "Which sensor; the first that is heard when not given. May be given for several sensors: "
    "they share one session, on the clock of the first."
)
NEW_ELECTRODES_HELP = "They were put on anew, which ends the calibration in the profile."


@click.command(name="live")
@click.option("--sensor", "sensors", metavar="ADDRESS|virtual", multiple=True, help=SENSOR_HELP)
@click.option("--exercise", metavar="NAME", help="What will be done; the virtual athlete does a bridge.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the recording goes.")
@click.option("--profile", metavar="NAME", help=PROFILE_HELP)
@click.option("--new-electrodes", is_flag=True, help=NEW_ELECTRODES_HELP)
@click.option("--plain", is_flag=True, help="One line per event instead of a screen.")
def command(
    *,
    sensors: tuple[str, ...],
    exercise: str | None,
    out: Path | None,
    profile: str | None,
    new_electrodes: bool,
    plain: bool,
) -> None:
    """Count and judge repetitions while they are done.

    Everything is recorded. A sensor whose link is lost comes back by itself, and what was missed meanwhile
    is fetched as far as the sensor still has it. Ctrl-C ends the session properly: the exit status is 0 when
    something was recorded, else 130.
    """
    from emgmon.cli.follow import follow, wants_plain

    person = worn_by(profile, only_virtual(sensors), new_electrodes=new_electrodes)
    follow(live_feed(sensors, exercise, out, person), plain=wants_plain(plain=plain))


def only_virtual(sensors: tuple[str, ...]) -> str | None:
    """Tell whether the virtual sensor was asked for.

    Returns
    -------
    str or None
        ``virtual``, or ``None`` when real sensors were, or none was named.

    Raises
    ------
    UsageError
        When the sensors do not go together.
    """
    from emgmon.errors import UsageError

    named = [sensor.lower() for sensor in sensors]
    twice = next((sensor for sensor in named if named.count(sensor) > 1), None)
    if twice is not None:
        raise UsageError(f"--sensor {twice} is given twice", advice="Name every sensor once.")
    if VIRTUAL not in named:
        return None
    if len(named) > 1:
        raise UsageError(
            "the virtual sensor shares no session with others", advice="Leave the other --sensor out."
        )
    return VIRTUAL


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
    sensors: tuple[str, ...] | None, exercise: str | None, out: Path | None, person: "Profile | None" = None
) -> "RecordedFeed":
    """Prepare a session with the sensors that were asked for, the first that is heard when none was.

    Raises
    ------
    UsageError
        When the sensors do not go together.
    ExerciseError
        When there is no such exercise, or the person's own file of that name is not valid.
    """
    from emgmon.cli.own_files import find_exercise

    found = None if exercise is None else find_exercise(exercise)
    if only_virtual(sensors or ()):
        return _virtual(exercise or "bridge", out)
    from emgmon.cli.follow import default_path
    from emgmon.clock import SystemClock
    from emgmon.metrics.reference import taken_elsewhere
    from emgmon.sensors.live import LiveFeed, LiveSetup

    reference = None if person is None else person.find_reference(exercise)
    setup = LiveSetup(
        out=out or default_path(exercise),
        exercise=found,
        addresses=sensors or (),
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

"""``emgmon simulate``: the virtual athlete performs into a recording, with the truth beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from emgmon.virtual.exercise_model import EXERCISE_MODELS, SIDES
from emgmon.virtual.params import (
    ELECTRODE_OFF_KINDS,
    ELECTRODES,
    IMU_SITES,
    RANGES,
    SET_UP_KINDS,
    AthleteParams,
)

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

DEFAULTS = AthleteParams()

NOTHING = "none"
"""An empty list, as a word."""


class Words(click.ParamType[tuple[str, ...]]):
    """Words of a given choice, separated by commas; or ``none``."""

    name = "words"

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.choices = choices

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if not isinstance(value, str):
            return tuple(value)
        words = tuple(word.strip() for word in value.split(",") if word.strip() != NOTHING)
        for word in words:
            if word not in self.choices:
                self.fail(f"{word!r} is not one of {', '.join(self.choices)}.", param, ctx)
        return words


def _number(flag: str, name: str, metavar: str, text: str) -> Decorator:
    """Make an option for a parameter, refused outside the range that the athlete allows."""
    allowed, default = RANGES[name], getattr(DEFAULTS, name)
    return click.option(
        flag,
        name,
        type=click.FloatRange(allowed.low, allowed.high),
        default=default,
        show_default=default is not None,
        metavar=metavar,
        help=text,
    )


def _whole(flag: str, name: str, text: str) -> Decorator:
    """Make an option for a whole number."""
    allowed = click.IntRange(int(RANGES[name].low), int(RANGES[name].high))
    default = getattr(DEFAULTS, name)
    return click.option(
        flag, name, type=allowed, default=default, show_default=default is not None, help=text
    )


@click.command(name="simulate")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--exercise", required=True, metavar="NAME", help=f"{', '.join(EXERCISE_MODELS)}.")
@_whole("--sets", "n_sets", "Sets; 1, or what fits into --duration.")
@_whole("--reps", "n_reps", "Repetitions in each set, both sides together.")
@click.option("--side", type=click.Choice(SIDES), help="Which side works; as usual when not given.")
@_number("--range", "range_scale", "SCALE", "How far, as a fraction of the usual way.")
@_number("--tempo", "tempo_scale", "SCALE", "How long, as a fraction of the usual time.")
@_number("--lift", "lift_s", "S", "Length of the lift; as usual when not given, like the next three.")
@_number("--hold", "hold_s", "S", "Length of the hold.")
@_number("--return", "return_s", "S", "Length of the return.")
@_number("--pause", "pause_s", "S", "Stillness between two repetitions.")
@_whole("--partial", "n_partial", "Repetitions in each set that go a third of the way only.")
@_number("--mid-set-rest", "mid_set_rest_s", "S", "Extra rest in the middle of each set.")
@_number("--set-rest", "set_rest_s", "S", "Rest between two sets.")
@click.option(
    "--set-up",
    type=Words(SET_UP_KINDS),
    default=NOTHING,
    metavar="LIST",
    help=f"Movement before, between and after the sets, separated by commas: {', '.join(SET_UP_KINDS)}.",
)
@_number(
    "--lumbar-share", "lumbar_share", "SHARE", "Part of the extension that the lumbar spine does, 0 to 1."
)
@_number("--pitch-excess", "pitch_excess_deg", "DEG", "More anterior tilt of the pelvis at the far position.")
@_number("--obliquity-excess", "obliquity_excess_deg", "DEG", "More obliquity at the far position.")
@_number("--rotation-excess", "rotation_excess_deg", "DEG", "More rotation at the far position.")
@_number("--reversal", "reversal_deg", "DEG", "Tipping forward again at the top of a bridge or thrust.")
@_number("--lockout", "lockout_deg", "DEG", "Leaning back beyond standing, in squat and deadlift.")
@_number(
    "--glute-share",
    "glute_share_pct",
    "PCT",
    "Mean glute share, percent; that of the person's good set when not given.",
)
@_number("--snr-db", "snr_db", "DB", "Working muscle over noise at rest.")
@_number("--hum-uv", "hum_uv", "UV", "RMS of mains hum.")
@_number("--heartbeat-uv", "heartbeat_uv", "UV", "Peak of the heartbeat on the back channels.")
@_number("--mains-hz", "mains_hz", "HZ", "Frequency of the mains.")
@_number("--glute-delay", "glute_delay_s", "S", "How much later than usual the glute begins.")
@_number("--onset-ramp", "onset_ramp_s", "S", "Length of the muscles' first rise; as usual when not given.")
@_number("--squeeze-fade", "squeeze_fade", "SHARE", "Part of its activity the glute loses in the hold.")
@_number("--back-surge", "back_surge", "SHARE", "Part by which the back rises at the end of the lift.")
@_number("--fatigue", "fatigue_pct_per_rep", "PCT", "Fall of the median frequency with each repetition.")
@_number("--fatigue-rise", "fatigue_rise_pct_per_rep", "PCT", "Rise of activation with each repetition.")
@click.option(
    "--electrode-off",
    type=click.Choice(ELECTRODES),
    metavar="SITE.SIDE",
    help=f"An electrode that comes off: {', '.join(ELECTRODES)}.",
)
@_number("--electrode-off-at", "electrode_off_at_s", "S", "When it does; half-way when not given.")
@click.option(
    "--electrode-off-as",
    "electrode_off_kind",
    type=click.Choice(ELECTRODE_OFF_KINDS),
    default=DEFAULTS.electrode_off_kind,
    show_default=True,
    help="What it gives then: hum, or nothing.",
)
@_number("--clip-uv", "clip_uv", "UV", "Where the amplifier saturates; nowhere when not given.")
@click.option(
    "--with-calibration",
    is_flag=True,
    help="Begin with standing, bows, rest and reference contractions; hand no calibration over beside them.",
)
@click.option("--emg/--no-emg", default=True, help="Whether electrodes are worn.")
@click.option(
    "--imu",
    "imu_sites",
    type=Words(IMU_SITES),
    default="pelvis",
    show_default=True,
    metavar="LIST",
    help=f"Where inertial sensors are worn, separated by commas: {', '.join(IMU_SITES)}; or {NOTHING}.",
)
@click.option(
    "--thigh",
    "thigh_side",
    type=click.Choice(("left", "right")),
    help="Which thigh wears one; the working side's, or the right one, when not given.",
)
@click.option("--accelerometer-only", is_flag=True, help="Inertial sensors without gyroscopes.")
@_number("--wobble", "wobble_deg", "DEG", "RMS of the sensors' swing on the skin.")
@_number("--slip", "slip_deg", "DEG", "Angle by which the sensors turn on the skin.")
@_number("--slip-at", "slip_at_s", "S", "When they do; slowly, all the time, when not given.")
@click.option(
    "--loss",
    "loss_pct",
    type=click.FloatRange(0.0, 90.0),
    default=0.0,
    show_default=True,
    metavar="PCT",
    help="Notifications lost by the radio, percent.",
)
@_number(
    "--duration",
    "duration_s",
    "S",
    "Length of the recording, seconds; as long as the sets take when not given.",
)
@_whole("--seed", "seed", "Another seed is another day: electrodes, noise and variation.")
@click.option("--force", is_flag=True, help="Replace existing files.")
def command(*, out: Path, loss_pct: float, accelerometer_only: bool, force: bool, **asked: Any) -> None:
    """Let the virtual athlete perform into the recording OUT, with its truth beside it.

    The same options and seed give the same files, byte for byte.
    """
    params = AthleteParams(imu_axes=3 if accelerometer_only else 6, **asked)
    _simulate(params, out, loss_pct=loss_pct, replace=force)


def _simulate(params: AthleteParams, out: Path, *, loss_pct: float, replace: bool) -> None:
    # Loaded here, so that --help does not wait for the signal processing.
    from emgmon.recording.files import refuse_existing
    from emgmon.virtual.athlete import perform
    from emgmon.virtual.simulate import write_recording
    from emgmon.virtual.truth import truth_path

    # Before the work, not after it.
    for path in (out, truth_path(out)):
        refuse_existing(path, replace=replace)
    performance = perform(params)
    truth = write_recording(performance, out, loss_pct=loss_pct, seed=params.seed, replace=replace)
    n_sets = truth.reps[-1].set
    n_lost = sum(loss.notifications for loss in truth.lost)
    click.echo(
        f"{out}: {params.exercise}, {n_sets} set(s), {len(truth.reps)} repetitions, {truth.duration_s:.1f} s,"
        f" {n_lost} notifications lost"
    )
    click.echo(f"{truth_path(out)}: what really happened")

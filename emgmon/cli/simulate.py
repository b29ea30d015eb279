"""``emgmon simulate``: the virtual athlete performs into a recording, with the truth beside it."""

from pathlib import Path

import click

from emgmon.virtual.params import RANGES, AthleteParams


def _within(name: str) -> click.FloatRange:
    return click.FloatRange(RANGES[name].low, RANGES[name].high)


def _whole_within(name: str) -> click.IntRange:
    return click.IntRange(int(RANGES[name].low), int(RANGES[name].high))


@click.command(name="simulate")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--exercise", required=True, metavar="NAME", help="bridge, hip-thrust or squat.")
@click.option("--sets", "n_sets", type=_whole_within("n_sets"), help="Sets; 1, or what fits into --duration.")
@click.option("--reps", "n_reps", type=_whole_within("n_reps"), default=8, show_default=True)
@click.option(
    "--glute-share",
    "glute_share_pct",
    type=_within("glute_share_pct"),
    metavar="PCT",
    help="Mean glute share, percent; that of the person's good set when not given.",
)
@click.option(
    "--snr-db",
    type=_within("snr_db"),
    default=20.0,
    show_default=True,
    metavar="DB",
    help="Working muscle over noise at rest.",
)
@click.option(
    "--hum-uv",
    type=_within("hum_uv"),
    default=3.0,
    show_default=True,
    metavar="UV",
    help="RMS of 50 Hz mains hum.",
)
@click.option(
    "--heartbeat-uv",
    type=_within("heartbeat_uv"),
    default=30.0,
    show_default=True,
    metavar="UV",
    help="Peak of the heartbeat on the back channels.",
)
@click.option(
    "--loss",
    "loss_pct",
    type=click.FloatRange(0.0, 90.0),
    default=0.0,
    show_default=True,
    metavar="PCT",
    help="Notifications lost by the radio, percent.",
)
@click.option(
    "--duration",
    "duration_s",
    type=_within("duration_s"),
    metavar="S",
    help="Length of the recording, seconds; as long as the sets take when not given.",
)
@click.option("--seed", type=_whole_within("seed"), default=1, show_default=True)
@click.option("--force", is_flag=True, help="Replace existing files.")
def command(
    *,
    out: Path,
    exercise: str,
    n_sets: int | None,
    n_reps: int,
    glute_share_pct: float | None,
    snr_db: float,
    hum_uv: float,
    heartbeat_uv: float,
    loss_pct: float,
    duration_s: float | None,
    seed: int,
    force: bool,
) -> None:
    """Let the virtual athlete perform into the recording OUT, with its truth beside it.

    The same options and seed give the same files, byte for byte.
    """
    params = AthleteParams(
        exercise=exercise,
        n_sets=n_sets,
        n_reps=n_reps,
        glute_share_pct=glute_share_pct,
        snr_db=snr_db,
        hum_uv=hum_uv,
        heartbeat_uv=heartbeat_uv,
        duration_s=duration_s,
        seed=seed,
    )
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

"""``emgmon calibrate``: stretches of a recording become what 0 and 100 % mean in it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emgmon.cli.stretches import Between, Reference, between, references

if TYPE_CHECKING:
    from emgmon.cli.profiles import Profile
    from emgmon.errors import CalibrationError
    from emgmon.metrics.calibrating import Measured
    from emgmon.metrics.calibration import Calibration

EXAMPLE = "emgmon calibrate set.arrows --rest 5:10 --reference gluteus_maximus=20:25"


@click.command(name="calibrate")
@click.argument("recording", metavar="REC", type=click.Path(path_type=Path))
@click.option(
    "--rest",
    metavar="FROM:TO",
    callback=between,
    help="Seconds in which everything is relaxed, at least 2, better 5.",
)
@click.option(
    "--reference",
    "pointed_out",
    metavar="SITE=FROM:TO",
    multiple=True,
    callback=references,
    help="Seconds in which a muscle works as hard as can be, at least 1, better 5. SITE is both sides,"
    " SITE.left one. Several are trials; name positions that may differ: SITE@prone=FROM:TO.",
)
@click.option(
    "--method",
    type=click.Choice(["mvic", "submaximal"]),
    default="mvic",
    show_default=True,
    help="Whether it was as hard as can be, or a standard task.",
)
@click.option(
    "--best-so-far",
    is_flag=True,
    help="Channels without --reference take the strongest half second of the whole recording. Without --rest:"
    " only those that went above 100 % of the calibration there is.",
)
@click.option(
    "--placement", metavar="N", type=click.IntRange(min=1), help="How often electrodes were put on so far."
)
@click.option("--profile", metavar="NAME", help="Keep it in this person's profile as well.")
@click.option(
    "--new-electrodes", is_flag=True, help="They were put on anew since the profile's last calibration."
)
@click.option("--dry-run", is_flag=True, help="Measure and print, but keep nothing.")
@click.option("--note", metavar="TEXT", help="For people; kept with the calibration.")
def command(
    *,
    recording: Path,
    rest: Between | None,
    pointed_out: tuple[Reference, ...],
    method: str,
    best_so_far: bool,
    placement: int | None,
    profile: str | None,
    new_electrodes: bool,
    dry_run: bool,
    note: str | None,
) -> None:
    """Measure rest and reference contractions in stretches of the recording REC.

    What the sensors sent is never changed: the calibration is written behind it, and every later analysis of
    REC goes by it. For another recording of the same electrodes, give it to emgmon analyze OTHER
    --calibration REC.
    """
    from emgmon.errors import UsageError

    if not (best_so_far or (rest and pointed_out)):
        raise UsageError(
            f"there is no {'reference' if rest else 'rest'} to measure", advice=f"For example: {EXAMPLE}"
        )
    if new_electrodes and (profile is None or placement is not None):
        raise UsageError(
            "--new-electrodes counts on in a profile", advice="Give --profile, or --placement instead."
        )
    # Read first: a profile that cannot be used should cost nobody the measuring.
    old = None if profile is None else _profile(profile, new_electrodes=new_electrodes)
    worn = placement if old is None or placement is not None else old.placement
    if rest is None:
        calibration, lines = _rebased(recording, pointed_out)
    else:
        measured = measure(recording, rest, pointed_out, method=method, best_so_far=best_so_far)
        calibration, lines = _calibration(recording, measured, rest, worn), list(_table(measured))
    for line in lines:
        click.echo(line)
    if dry_run:
        return
    _write(recording, calibration, rest, pointed_out, note)
    click.echo(f"{recording}: this is now its calibration")
    if old is not None and profile is not None:
        from emgmon.cli.profiles import save_profile

        kept = old.with_calibration(replace(calibration, source=recording.name))
        click.echo(f"kept in the profile {profile}: {save_profile(profile, kept)}")


def _profile(name: str, *, new_electrodes: bool) -> "Profile":
    from emgmon.cli.profiles import Profile, load_profile

    profile = load_profile(name)
    if profile is None:
        return Profile()
    return profile.with_new_electrodes() if new_electrodes else profile


def _rebased(recording: Path, pointed_out: Sequence[Reference]) -> "tuple[Calibration, list[str]]":
    """Raise the references that the recording passed, and say which."""
    from emgmon.cli.calibration_stretches import whole_channels
    from emgmon.errors import CalibrationError, UsageError
    from emgmon.metrics.calibrating import raised

    known = _own_calibration(recording)
    if known is None or pointed_out:
        raise UsageError(
            "there is no rest to measure, and none was measured before"
            if known is None
            else "--reference belongs to --rest",
            advice=f"For example: {EXAMPLE}",
        )
    channels, lines = [], []
    whole = {(one.site, one.side): one for one in whole_channels(recording)}
    for channel in known.channels:
        own = whole.get((channel.site, channel.side))
        new = channel if own is None else raised(channel, own)
        channels.append(new)
        if own is not None and new is not channel:
            percent = 100.0 * new.reference_uv / channel.reference_uv
            lines.append(f"{own.name}: {percent:.0f} % of {channel.reference_uv:.1f} µV is now 100 %")
    if not lines:
        raise CalibrationError(
            f"no channel of {recording} was stronger than its reference", advice="It is right as it is."
        )
    return replace(known, channels=tuple(channels)), lines


def load_calibration(source: Path, *, recording: Path) -> "Calibration":
    """Find the calibration that another recording or a profile holds.

    Parameters
    ----------
    source
        A recording or, where there is no such file, the name of a profile.
    recording
        What is to be analysed by it.

    Raises
    ------
    RecordingError
        When a file cannot be read.
    ProfileError
        When the profile cannot be used.
    CalibrationError
        When there is none, or when it is known to be of other electrodes.
    """
    from emgmon.cli.profiles import NAME_FORM, load_profile
    from emgmon.errors import CalibrationError
    from emgmon.metrics.calibration import fits

    name = str(source)
    profile = load_profile(name) if NAME_FORM.fullmatch(name) and not source.exists() else None
    found = _own_calibration(source) if profile is None else profile.calibration
    if found is None:
        holder = f"{source} holds" if profile is None else f"the profile {name} holds"
        raise CalibrationError(f"{holder} no calibration", advice=f"Make one first, for example: {EXAMPLE}")
    own = _own_calibration(recording)
    if own is not None and not fits(found, own.placement):
        raise CalibrationError(
            f"{name} was calibrated with electrodes of placement {found.placement}, and {recording} was"
            f" recorded with placement {own.placement}",
            advice="New electrodes end a calibration: calibrate from a recording of the same placement.",
        )
    return replace(found, source=found.source or source.name)


def _own_calibration(recording: Path) -> "Calibration | None":
    from emgmon.recording.host_events import read_corrections
    from emgmon.recording.reader import RecordingReader

    return read_corrections(recording).calibration or RecordingReader(recording).header.calibration


def measure(
    recording: Path, rest: Between, pointed_out: Sequence[Reference], *, method: str, best_so_far: bool
) -> "list[Measured]":
    """Measure every channel that was asked for.

    Raises
    ------
    RecordingError
        When the file cannot be read.
    UsageError
        When a site is not among the channels, or a stretch lies outside the recording.
    CalibrationError
        When channels are refused; all of them are named.
    """
    from emgmon.cli.calibration_stretches import cut, read_tracks
    from emgmon.errors import CalibrationError
    from emgmon.metrics.calibrating import measure_channel
    from emgmon.metrics.calibration import CalibrationMethod

    measured: list[Measured] = []
    refused: list[CalibrationError] = []
    tracks = read_tracks(recording, rest, pointed_out, best_so_far=best_so_far)
    for stretches, asked in cut(tracks, rest, pointed_out, best_so_far=best_so_far):
        kind = CalibrationMethod(method) if asked else CalibrationMethod.BEST_SO_FAR
        try:
            measured.append(measure_channel(stretches, method=kind))
        except CalibrationError as error:
            refused.append(error)
    if refused:
        raise _joined(refused)
    return measured


def _joined(refused: "Sequence[CalibrationError]") -> "CalibrationError":
    from emgmon.errors import CalibrationError

    if len(refused) == 1:
        return refused[0]
    said = "; ".join(str(error) for error in refused)
    advice = " ".join(dict.fromkeys(error.advice for error in refused))
    return CalibrationError(f"{len(refused)} channels cannot be calibrated: {said}", advice=advice)


def _calibration(
    recording: Path, measured: "Sequence[Measured]", rest: Between, placement: int | None
) -> "Calibration":
    from emgmon.metrics.calibrating import gather
    from emgmon.recording.reader import RecordingReader

    started_utc = RecordingReader(recording).header.started_utc
    return gather(measured, made_utc=_later(started_utc, rest.from_s), placement=placement)


def _later(started_utc: str | None, seconds: float) -> str | None:
    """Tell the time of day of a moment of a recording; ``None`` where its begin is not known."""
    try:
        began = datetime.fromisoformat(started_utc or "")
    except ValueError:
        return None
    return (began + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def _write(
    recording: Path,
    calibration: "Calibration",
    rest: Between | None,
    pointed_out: Sequence[Reference],
    note: str | None,
) -> None:
    from emgmon.recording.append import append_rows
    from emgmon.recording.host_events import CalibrationSetRow, event_notifications, read_corrections

    row = CalibrationSetRow(
        number=read_corrections(recording).next_number,
        calibration=calibration,
        rest="" if rest is None else str(rest),
        references=tuple(str(reference) for reference in pointed_out),
        note=note,
        made_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    append_rows(recording, lambda newest_ns: event_notifications([row], arrival_ns=newest_ns))


def _table(measured: "Sequence[Measured]") -> Iterator[str]:
    width = max(len(one.name) for one in measured)
    titles = ("rest", "reference", "above rest", "trials", "spread", "95 %", "hum out")
    yield " ".join([" " * width, *(f"{title:>10}" for title in titles)]).rstrip()
    for one in measured:
        yield " ".join([f"{one.name:<{width}}", *(f"{cell:>10}" for cell in _cells(one))]).rstrip()
    for one in measured:
        if one.position:
            yield f"{one.name}: the reference is that of position {one.position}"


def _cells(one: "Measured") -> Iterator[str]:
    from emgmon.metrics.engagement import Z_95

    channel = one.channel
    yield f"{channel.rest_uv:.1f} µV"
    yield f"{channel.reference_uv:.1f} µV"
    yield f"{channel.snr_db:.0f} dB"
    yield f"{channel.n_trials}"
    yield "–" if one.spread is None else f"{100.0 * one.spread:.0f} %"
    yield "–" if channel.reference_cv is None else f"±{100.0 * Z_95 * channel.reference_cv:.0f} %"
    yield "no" if channel.hum_hz is None else f"{channel.hum_hz:g} Hz"

"""``emgmon reference``: a good set of a recording becomes the yardstick for the others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.analysis_document import AnalysisDocument, RepDocument, SetDocument
    from emgmon.cli.profiles import Profile
    from emgmon.events import Metric
    from emgmon.exercises import Exercise
    from emgmon.metrics.reference import Comparison, MotionReference, ReferenceSet
    from emgmon.recording.format import RecordingHeader

SET_MEAN_REPS = 8
"""For how many repetitions the limit of a mean is shown: a usual set."""


@click.command(name="reference")
@click.argument("recording", metavar="REC", type=click.Path(path_type=Path))
@click.option(
    "--set", "good", metavar="N", type=click.IntRange(min=1), required=True, help="Number of the good set."
)
@click.option(
    "--back-driven",
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of a set that was driven by the back on purpose; not needed.",
)
@click.option("--exercise", metavar="NAME", help="Instead of the exercise that the recording names.")
@click.option("--profile", metavar="NAME", help="Keep it in this person's profile as well.")
@click.option("--note", metavar="TEXT", help="For people; kept with the reference.")
def command(
    *,
    recording: Path,
    good: int,
    back_driven: int | None,
    exercise: str | None,
    profile: str | None,
    note: str | None,
) -> None:
    """Make a set of the recording REC the person's own reference.

    N are the numbers that emgmon analyze shows. What the sensors sent is never changed: the reference is
    written behind it, and every later analysis of REC judges by it. For another recording, give it to
    emgmon analyze OTHER --reference REC.
    """
    from emgmon.analysis import analyse
    from emgmon.cli.own_files import find_exercise

    if good == back_driven:
        raise click.UsageError(f"set {good} cannot be the good and the back-driven one.")
    # Read first: a profile that cannot be used should cost nobody the analysis.
    old = None if profile is None else _profile(profile)
    document = analyse(recording, exercise=None if exercise is None else find_exercise(exercise))
    done = _set(document, good)
    driven = None if back_driven is None else _set(document, back_driven)
    reference = _reference(recording, document, done, driven)
    _write(recording, reference, good, note)
    for line in _lines(document.recording.path, reference, good, len(done.reps)):
        click.echo(line)
    if old is not None and profile is not None:
        from emgmon.cli.profiles import save_profile

        click.echo(f"kept in the profile {profile}: {save_profile(profile, old.with_reference(reference))}")


def load_reference(source: Path, *, recording: Path, exercise: str | None) -> "ReferenceSet":
    """Find the reference set that another recording or a profile holds.

    Parameters
    ----------
    source
        A recording or, where there is no such file, the name of a profile.
    recording
        What is to be judged by it.
    exercise
        As which exercise; ``None`` for the one that the recording names.

    Raises
    ------
    RecordingError
        When a file cannot be read.
    ProfileError
        When the profile cannot be used.
    ReferenceSetError
        When there is none.
    """
    from emgmon.cli.profiles import NAME_FORM, load_profile
    from emgmon.errors import ReferenceSetError
    from emgmon.metrics.reference import taken_elsewhere
    from emgmon.recording.host_events import read_corrections
    from emgmon.recording.reader import RecordingReader

    name = str(source)
    profile = load_profile(name) if NAME_FORM.fullmatch(name) and not source.exists() else None
    if profile is None:
        found = read_corrections(source).reference or RecordingReader(source).header.reference
    else:
        found = profile.find_reference(exercise or RecordingReader(recording).header.exercise)
    if found is None:
        holder = f"{source} holds" if profile is None else f"the profile {name} holds"
        raise ReferenceSetError(
            f"{holder} no reference set for this",
            advice="Make one of a good set first, for example: emgmon reference good.arrows --set 1",
        )
    return taken_elsewhere(found)


def _profile(name: str) -> "Profile":
    from emgmon.cli.profiles import Profile, load_profile

    return load_profile(name) or Profile()


def _set(document: "AnalysisDocument", number: int) -> "SetDocument":
    from emgmon.errors import ReferenceSetError

    if number <= len(document.sets):
        return document.sets[number - 1]
    path = document.recording.path
    count = {0: "no set", 1: "1 set"}.get(len(document.sets), f"{len(document.sets)} sets")
    raise ReferenceSetError(
        f"there is no set {number} in {path}, which has {count}",
        advice=f"To see them, run: emgmon analyze {path}",
    )


def _reference(
    path: Path, document: "AnalysisDocument", good: "SetDocument", driven: "SetDocument | None"
) -> "ReferenceSet":
    from emgmon.metrics.motion_verdict import measures_of
    from emgmon.metrics.reference import reference_of
    from emgmon.recording.reader import RecordingReader

    header = RecordingReader(path).header
    exercise = _exercise(header, good.exercise)
    measures = measures_of(pelvis_turn=exercise.pelvis_turn, first_signal=exercise.signals[0].on)
    calibration = document.recording.calibration
    return reference_of(
        exercise.name,
        _voting(good),
        motion=measures.names,
        back_driven=() if driven is None else _voting(driven),
        made_utc=header.started_utc,
        placement=None if calibration is None else calibration.placement,
    )


def _exercise(header: "RecordingHeader", name: str) -> "Exercise":
    from emgmon.cli.own_files import find_exercise
    from emgmon.errors import ReferenceSetError

    if not name:
        raise ReferenceSetError(
            "the recording names no exercise, and a reference serves one exercise only",
            advice="Name it, for example: --exercise bridge",
        )
    own = header.own_exercise
    return own if own is not None and own.name == name else find_exercise(name)


def _voting(done: "SetDocument") -> "list[list[Metric]]":
    return [_metrics(rep) for rep in done.reps if rep.excluded is None]


def _metrics(rep: "RepDocument") -> "list[Metric]":
    from emgmon.events import Metric, Quality

    return [
        Metric(name, m.value, m.low, m.high, m.n, Quality(m.quality), m.reason)
        for name, m in rep.metrics.items()
    ]


def _write(recording: Path, reference: "ReferenceSet", set_number: int, note: str | None) -> None:
    from emgmon.recording.append import append_rows
    from emgmon.recording.host_events import ReferenceSetRow, event_notifications, read_corrections

    row = ReferenceSetRow(
        number=read_corrections(recording).next_number,
        reference=reference,
        set_number=set_number,
        note=note,
        made_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    append_rows(recording, lambda newest_ns: event_notifications([row], arrival_ns=newest_ns))


def _lines(path: str, reference: "ReferenceSet", set_number: int, n_reps: int) -> Iterator[str]:
    yield f"{path}: set {set_number} is now your reference for {reference.exercise}"
    if reference.log_ratio is None:
        yield "  activity share not measured; motion only"
    else:
        yield from _share_lines(reference, n_reps)
    for motion in reference.motion:
        yield _motion_line(motion)


def _share_lines(reference: "ReferenceSet", n_reps: int) -> Iterator[str]:
    from emgmon.metrics.engagement import share_pct
    from emgmon.metrics.reference import Comparison

    middle = 0.0 if reference.log_ratio is None else reference.log_ratio
    yield f"  activity share {share_pct(middle):.0f} % glute, from {reference.n_reps} of {_reps(n_reps)}"
    if reference.back_driven_log_ratio is not None:
        yield f"  driven by the back: {share_pct(reference.back_driven_log_ratio):.0f} %"
    yield "  smallest change that can be told, in points of share:"
    yield f"    {'':<22} {'one rep':>9} {f'mean of {SET_MEAN_REPS}':>9}"
    for words, comparison in (
        ("within the session", Comparison.WITHIN_SESSION),
        ("across days", Comparison.ACROSS_DAYS),
    ):
        yield _change_line(words, reference, middle, comparison)


def _change_line(words: str, reference: "ReferenceSet", middle: float, comparison: "Comparison") -> str:
    from emgmon.metrics.reference import detectable_change

    changes = [detectable_change(reference, n_reps=n, comparison=comparison) for n in (1, SET_MEAN_REPS)]
    figures = " ".join(f"{_points(middle, change.log_ratio):>9}" for change in changes)
    sources = dict.fromkeys(change.source.words for change in changes)
    return f"    {words:<22} {figures}  from {' and '.join(sources)}"


def _points(middle: float, change: float) -> str:
    """Say how far down and up the share moves with the log ratio; near 0 and 100 % it moves less."""
    from emgmon.metrics.engagement import share_pct

    down, up = (share_pct(middle + sign * change) - share_pct(middle) for sign in (-1.0, 1.0))
    return f"{down:+.0f}/{up:+.0f}"


def _motion_line(motion: "MotionReference") -> str:
    from emgmon.metrics.motion_verdict import detectable_motion

    limit = detectable_motion(motion)
    source = "your own spread" if limit.source is not None else "a fixed limit"
    name = motion.name.removesuffix("_deg").replace("_", " ")
    return (
        f"  {name} {motion.mean:.1f}° over {_reps(motion.n_reps)}; a change of {limit.deg:.1f}° can be told, "
        f"from {source}"
    )


def _reps(count: int) -> str:
    return "1 rep" if count == 1 else f"{count} reps"

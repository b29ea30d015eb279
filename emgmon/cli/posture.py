"""``emgmon posture``: quiet standing in recordings, as tilt against the person's own neutral."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emgmon.cli.stretches import Between, between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emgmon.dsp.alignment import Alignment, MotionTrack
    from emgmon.metrics.posture import Comparison, Posture

SCHEMA = "emgmon.posture/1"

GIVE_BOWS = (
    "Give a quiet stance and some bows, in seconds of the recording, for example: --stance 0:5 --bows 5:20"
)


@dataclass(frozen=True, slots=True)
class RecordingPosture:
    """What one recording says about standing."""

    path: str
    alignment: "Alignment"
    posture: "Posture"
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordingComparison:
    """A later recording against the first."""

    earlier: str
    later: str
    comparison: "Comparison"
    sentence: str


@dataclass(frozen=True, slots=True)
class PostureDocument:
    """What ``--json`` prints."""

    schema: str
    recordings: tuple[RecordingPosture, ...]
    comparisons: tuple[RecordingComparison, ...]
    context: tuple[str, ...]


@click.command(name="posture")
@click.argument(
    "recordings", metavar="REC [REC ...]", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--stance",
    metavar="FROM:TO",
    callback=between,
    help="Seconds of the first recording with quiet standing.",
)
@click.option(
    "--bows",
    metavar="FROM:TO",
    callback=between,
    help="Seconds of it with a few slow bows after the stance.",
)
@click.option(
    "--worn-through",
    is_flag=True,
    help="The sensor stayed in place between the recordings: the first one's neutral serves for all.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Write how the sensors sit, learnt from --stance and --bows, into the recording: every later"
    " analysis measures by it.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON (emgmon.posture/1).")
def command(
    *,
    recordings: tuple[Path, ...],
    stance: Between | None,
    bows: Between | None,
    worn_through: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Find quiet standing in the recordings REC and tell its tilt.

    Tilt is against the person's own neutral stance; changes are told over each recording and between
    recordings in which the sensor stayed in place.
    """
    _check_words(recordings, stance, bows, worn_through=worn_through)
    if keep:
        _keep(recordings, stance, bows)
    measured: list[RecordingPosture] = []
    for path in recordings:
        track, alignments = read_pelvis(path)
        if worn_through and measured:
            alignment = measured[0].alignment
        elif stance is not None and bows is not None:
            alignment = align(track, stance, bows)
        else:
            alignment = _pelvis_alignment(path, alignments)
        measured.append(_measure(path, track, alignment))
    document = _document(measured, worn_through=worn_through)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        _print(document)


def _keep(recordings: tuple[Path, ...], stance: Between | None, bows: Between | None) -> None:
    """Write the alignments of the first recording's sensors into it."""
    from emgmon.errors import UsageError
    from emgmon.recording.append import append_rows
    from emgmon.recording.host_events import AlignmentSetRow, event_notifications, read_corrections
    from emgmon.recording.motion_reader import read_motion

    if stance is None or bows is None:
        raise UsageError(
            "--keep has nothing to keep", advice="Give --stance and --bows, in seconds of the recording."
        )
    path = recordings[0]
    tracks = [track for track in read_motion(path) if track.site in ("pelvis", "lumbar")]
    row = AlignmentSetRow(
        number=read_corrections(path).next_number,
        alignments=tuple(align(track, stance, bows) for track in tracks),
        made_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    append_rows(path, lambda newest_ns: event_notifications([row], arrival_ns=newest_ns))


def read_pelvis(path: Path) -> "tuple[MotionTrack, tuple[Alignment, ...]]":
    """Read the pelvis sensor's motion and the alignments that the recording's header holds.

    Raises
    ------
    RecordingError
        When the file cannot be read.
    CalibrationError
        When no motion sensor sat on the pelvis.
    """
    from emgmon.errors import CalibrationError
    from emgmon.recording.format import newest_alignments
    from emgmon.recording.host_events import read_corrections
    from emgmon.recording.motion_reader import read_motion
    from emgmon.recording.reader import RecordingReader

    header, log = RecordingReader(path).header, read_corrections(path)
    alignments = newest_alignments(header.alignments, log.alignments)
    for track in read_motion(path):
        if track.site == "pelvis":
            return track, alignments
    raise CalibrationError(
        f"{path} holds no motion of the pelvis", advice="Posture needs a motion sensor on the pelvis."
    )


def align(track: "MotionTrack", stance: Between, bows: Between) -> "Alignment":
    """Learn the alignment from two parts of a track.

    Raises
    ------
    UsageError
        When a part lies outside the recording.
    CalibrationError
        When the parts do not tell how the sensor sits.
    """
    from emgmon.dsp.alignment import align_from_bows

    rate = None if track.rate_radps is None else _part(track, track.rate_radps, bows, "--bows")
    return align_from_bows(
        _part(track, track.up, stance, "--stance"),
        rate,
        _part(track, track.up, bows, "--bows"),
        site="lumbar" if track.site == "lumbar" else "pelvis",
    )


def _part(
    track: "MotionTrack", rows: "NDArray[np.float64]", between: Between, option: str
) -> "NDArray[np.float64]":
    from emgmon.errors import UsageError
    from emgmon.events import HOP_RATE_HZ

    first, stop = (round(s * HOP_RATE_HZ) - track.first_hop for s in (between.from_s, between.to_s))
    here = slice(max(first, 0), min(stop, len(rows)))
    # The first and the last hop of a recording do not lie on round seconds.
    if here.stop - here.start < stop - first - HOP_RATE_HZ // 2:
        from_s, to_s = track.first_hop / HOP_RATE_HZ, (track.first_hop + len(rows)) / HOP_RATE_HZ
        raise UsageError(
            f"{option} {between} lies outside the motion, which goes from {from_s:.2f} to {to_s:.2f} s",
            advice="Give two times within it.",
        )
    return rows[here]


def _check_words(
    recordings: Sequence[Path], stance: Between | None, bows: Between | None, *, worn_through: bool
) -> None:
    from emgmon.errors import UsageError

    if (stance is None) != (bows is None):
        raise UsageError("--stance and --bows belong together", advice=GIVE_BOWS)
    if stance is not None and len(recordings) > 1 and not worn_through:
        raise UsageError(
            f"--stance {stance} is in the first of {len(recordings)} recordings",
            advice="If the sensor stayed in place between them, add --worn-through; otherwise give one only.",
        )


def _pelvis_alignment(path: Path, alignments: "Sequence[Alignment]") -> "Alignment":
    from emgmon.errors import CalibrationError

    found = next((alignment for alignment in alignments if alignment.site == "pelvis"), None)
    if found is None:
        raise CalibrationError(f"{path} does not say how the pelvis sensor sits", advice=GIVE_BOWS)
    return found


def _measure(path: Path, track: "MotionTrack", alignment: "Alignment") -> RecordingPosture:
    from emgmon.metrics.posture import measure_posture, posture_sentences

    posture = measure_posture(track, alignment)
    return RecordingPosture(str(path), alignment, posture, posture_sentences(posture))


def _document(measured: Sequence[RecordingPosture], *, worn_through: bool) -> PostureDocument:
    from emgmon.metrics.posture import CONTEXT, compare, comparison_sentence

    first, *others = measured
    comparisons = []
    for other in others:
        # A calibration belongs to one wearing, so the same one in both headers means the same wearing.
        same_wearing = worn_through or other.alignment == first.alignment
        found = compare(first.posture, other.posture, same_wearing=same_wearing)
        comparisons.append(RecordingComparison(first.path, other.path, found, comparison_sentence(found)))
    return PostureDocument(SCHEMA, tuple(measured), tuple(comparisons), CONTEXT)


def _print(document: PostureDocument) -> None:
    for number, recording in enumerate(document.recordings):
        if number:
            click.echo()
        click.echo(f"{recording.path}: aligned from {recording.alignment.method.value.replace('-', ' ')}")
        if recording.posture.stretches:
            click.echo(f"  {'from s':>8} {'to s':>8} {'tilt':>8} {'left up':>8}")
        for stretch in recording.posture.stretches:
            times = f"{stretch.start_s:8.1f} {stretch.end_s:8.1f}"
            click.echo(f"  {times} {stretch.tilt_deg:+7.1f}° {stretch.obliquity_deg:+7.1f}°")
        for sentence in recording.sentences:
            click.echo(click.wrap_text(sentence, 80, "  ", "  "))
    for comparison in document.comparisons:
        click.echo(f"\n{comparison.later} against {comparison.earlier}:")
        click.echo(click.wrap_text(comparison.sentence, 80, "  ", "  "))
    click.echo()
    for sentence in document.context:
        click.echo(click.wrap_text(sentence, 80))

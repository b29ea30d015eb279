"""What stands above the tables of an analysis: streams, what 100 % means, what is compared with what."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emgmon.cli.pages import WIDEST
from emgmon.events import channel_words

if TYPE_CHECKING:
    from emgmon.analysis_document import AnalysisDocument, RecordingDocument, StreamDocument
    from emgmon.metrics.calibration import Calibration
    from emgmon.metrics.reference import ReferenceSet


def head_lines(document: "AnalysisDocument") -> Iterator[str]:
    """Say what was recorded, what repetitions were counted on, and what figures are held against."""
    recording = document.recording
    yield f"{recording.path}: {recording.duration_s:.1f} s, {recording.lost_samples} samples lost"
    for stream in recording.streams:
        yield from wrapped(f"{stream.kind} {stream.rate_hz:g} Hz: {', '.join(_sites(stream))}", indent=2)
    if recording.movement_signal is not None:
        signal = recording.movement_signal.replace("_", " ").replace("emg", "EMG")
        yield from wrapped(f"counted on {signal}; {_alignment(recording.alignment)}", indent=2)
    if recording.calibration is not None:
        yield from wrapped(_calibration(recording.calibration), indent=2)
    if recording.reference is not None:
        yield from wrapped(_reference(recording.reference, recording.calibration), indent=2)
    for text in _taken_out(recording):
        yield from wrapped(text, indent=2)


def _taken_out(recording: "RecordingDocument") -> Iterator[str]:
    """Say what cleaning did beyond the band-pass that every channel gets."""
    emg = {(stream.sensor, stream.stream): stream for stream in recording.streams if stream.kind == "emg"}
    hum: dict[float, list[str]] = {}
    for stream in emg.values():
        for name, hum_hz in zip(stream.channels, stream.hum_removed_hz, strict=False):
            if hum_hz is not None:
                hum.setdefault(hum_hz, []).append(name)
    for hum_hz, names in hum.items():
        yield f"{hum_hz:g} Hz hum and its harmonics taken out of {', '.join(names)}"
    for found in recording.refinements:
        channels = emg[found.sensor, found.stream].channels
        left = [
            f"{name} ({heart_uv:.1f} µV after the band-pass)"
            for name, heart_uv in zip(channels, found.heartbeat_uv, strict=True)
            if heart_uv is not None
        ]
        beats = f"{found.n_beats} heartbeats taken out of {', '.join(left)}" if left else "no heartbeat found"
        yield f"second look: {beats}"


def _alignment(method: str | None) -> str:
    """Say what the place of the pelvis sensor is known from."""
    if method is None:
        return "alignment of the pelvis sensor not known"
    return f"alignment of the pelvis sensor from {method.replace('-', ' ')}"


def _calibration(calibration: "Calibration") -> str:
    """Say what 100 % stands for, and when, where and with which electrodes that was measured."""
    others: dict[str, list[str]] = {}
    for channel in calibration.channels:
        method = calibration.method_of(channel)
        if method != calibration.method:
            others.setdefault(method, []).append(channel_words(channel.site, channel.side))
    parts = [f"100 % = {calibration.method}"]
    parts += [f"{method} for {' and '.join(names)}" for method, names in others.items()]
    return ", ".join(parts + _made(calibration.made_utc, calibration.placement, calibration.source))


def _reference(reference: "ReferenceSet", calibration: "Calibration | None") -> str:
    """Say what the person's own good set was like, and which change from it can be told in one repetition."""
    made = _made(reference.made_utc, reference.placement, None)
    if reference.log_ratio is None:
        n_reps = max((measure.n_reps for measure in reference.motion), default=reference.n_reps)
        said = [f"reference: a set of {reference.exercise} with {n_reps} reps, motion only"]
        return ", ".join(said + made)
    from emgmon.metrics.engagement import share_pct
    from emgmon.metrics.reference import comparison_of, detectable_change

    comparison = comparison_of(reference, None if calibration is None else calibration.placement)
    change = detectable_change(reference, comparison=comparison)
    middle = reference.log_ratio
    down, up = (share_pct(middle + sign * change.log_ratio) - share_pct(middle) for sign in (-1.0, 1.0))
    said = [f"reference: glute share {share_pct(middle):.0f} % over {reference.n_reps} reps"]
    told = f"one rep can be told from it beyond {down:+.0f}/{up:+.0f} points, from {change.source.words}"
    return "; ".join([", ".join(said + made), told])


def _made(made_utc: str | None, placement: int | None, source: str | None) -> list[str]:
    parts = [
        made_utc and f"measured {made_utc[:10]}",
        placement and f"electrode placement {placement}",
        source and f"from {source}",
    ]
    return [part for part in parts if part]


def _sites(stream: "StreamDocument") -> list[str]:
    """Channels of a stream; of an IMU every site once, for its axes go without saying."""
    if stream.kind == "emg":
        return list(stream.channels)
    return list(dict.fromkeys(channel.rpartition(".")[0] or channel for channel in stream.channels))


def wrapped(text: str, *, indent: int, hanging: int = 4) -> list[str]:
    """Break a text into lines of at most 80 letters."""
    lines = textwrap.wrap(
        text.replace(" %", "\u00a0%"),
        WIDEST,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
    # A figure and its per cent sign stay together; textwrap breaks at plain spaces only.
    return [line.replace("\u00a0", " ") for line in lines]

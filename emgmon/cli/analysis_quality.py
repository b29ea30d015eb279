"""Signal quality of an analysis for experts: every channel over every repetition, and when it changed."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from emgmon.cli.analysis_head import wrapped
from emgmon.cli.analysis_table import MISSING
from emgmon.events import channel_words

if TYPE_CHECKING:
    from emgmon.analysis_document import AnalysisDocument, ChannelDocument, SetDocument
    from emgmon.events import QualityFigures


def quality_lines(document: "AnalysisDocument") -> Iterator[str]:
    """Give a table for each set and channel, the changes in order of time, and what is not measured."""
    from emgmon.dsp.quality_track import CROSSTALK

    yield ""
    for number, done in enumerate(document.sets, start=1):
        for name in dict.fromkeys(channel.channel for rep in done.reps for channel in rep.channels):
            yield from _channel_table(number, done, name)
            yield ""
    changes = document.recording.quality_changes
    yield "Changes of signal quality:" if changes else "No channel became better or worse."
    for change in changes:
        reason = f": {change.channel.reason}" if change.channel.reason else ""
        said = f"{change.at_s:.1f} s  {_name(change.channel.channel)} {change.channel.grade}{reason}"
        yield from wrapped(said, indent=2)
    yield ""
    yield f"{MISSING} means not measured."
    yield from wrapped(CROSSTALK, indent=0, hanging=0)


def _share(value: float | None) -> str:
    return MISSING if value is None else f"{100.0 * value:.1f}"


def _number(value: float | None, decimals: int = 1) -> str:
    return MISSING if value is None else f"{value:.{decimals}f}"


_COLUMNS: tuple[tuple[str, str, Callable[["QualityFigures"], str]], ...] = (
    ("noise", "uV", lambda figures: _number(figures.noise_uv)),
    ("SNR", "dB", lambda figures: _number(figures.snr_db)),
    ("hum", "%", lambda figures: _share(figures.hum_ratio)),
    ("at", "Hz", lambda figures: _number(figures.hum_hz, 0)),
    ("cut", "%", lambda figures: _share(figures.clipped_share)),
    ("silent", "%", lambda figures: _share(figures.flat_share)),
    ("motion", "%", lambda figures: _share(figures.motion_share)),
    ("median", "Hz", lambda figures: _number(figures.median_frequency_hz, 0)),
    ("beat", "%", lambda figures: _share(figures.heartbeat_share)),
    ("missing", "%", lambda figures: _share(figures.missing_share)),
)
"""Title, unit and text of each figure."""


def _channel_table(number: int, done: "SetDocument", name: str) -> Iterator[str]:
    yield f"Set {number}, {_name(name)}"
    yield _row("rep", "grade", [title for title, _, _ in _COLUMNS])
    yield _row("", "", [unit for _, unit, _ in _COLUMNS])
    reasons: dict[str, list[str]] = {}
    for rep in done.reps:
        for channel in rep.channels:
            if channel.channel == name:
                yield _row(f"{rep.number}", channel.grade, _figures(channel))
                if channel.reason:
                    reasons.setdefault(channel.reason, []).append(f"{rep.number}")
    for reason, reps in reasons.items():
        yield from wrapped(f"rep {', '.join(reps)}: {reason}", indent=2)


def _row(rep: str, grade: str, cells: list[str]) -> str:
    widths = (max(5, len(title)) for title, _, _ in _COLUMNS)
    figures = "".join(f" {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f" {rep:>3} {grade:<6}{figures}".rstrip()


def _figures(channel: "ChannelDocument") -> list[str]:
    return [text(channel.figures) for _, _, text in _COLUMNS]


def _name(channel: str) -> str:
    site, _, side = channel.partition(".")
    return channel_words(site, side or None)

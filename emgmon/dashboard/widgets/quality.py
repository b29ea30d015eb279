"""Every figure of every EMG channel: how it stands now, and how it was over the newest repetition."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from textual.geometry import Size

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, fit, heading, wrap
from emgmon.dsp.quality_track import CROSSTALK
from emgmon.events import ChannelQuality, Quality, QualityFigures, RepCompleted

NOT_MEASURED = "not measured"
_LABEL_WIDTH = 18
_COLUMN_WIDTH = 14
_UNKNOWN = ChannelQuality("", None, Quality.GOOD, None, QualityFigures())


def _share(value: float | None) -> str:
    return NOT_MEASURED if value is None else words.percent(100 * value, decimals=1)


def _figure(value: float | None, unit: str, *, decimals: int = 0) -> str:
    return NOT_MEASURED if value is None else f"{words.number(value, decimals=decimals)} {unit}"


_FIGURES: tuple[tuple[str, Callable[[QualityFigures], str]], ...] = (
    ("noise at rest", lambda figures: _figure(figures.noise_uv, "µV", decimals=1)),
    ("signal to noise", lambda figures: _figure(figures.snr_db, "dB", decimals=1)),
    ("mains hum", lambda figures: _share(figures.hum_ratio)),
    ("its frequency", lambda figures: _figure(figures.hum_hz, "Hz")),
    ("cut off", lambda figures: _share(figures.clipped_share)),
    ("no signal", lambda figures: _share(figures.flat_share)),
    ("motion < 20 Hz", lambda figures: _share(figures.motion_share)),
    ("median frequency", lambda figures: _figure(figures.median_frequency_hz, "Hz")),
    ("heartbeat", lambda figures: _share(figures.heartbeat_share)),
    ("missing samples", lambda figures: _share(figures.missing_share)),
)


@dataclass(frozen=True, slots=True)
class _Channel:
    """One channel: where it stands, and what the newest repetition showed of it."""

    site: str
    side: str | None
    now: ChannelQuality | None
    """``None`` before anything came."""
    rep: ChannelQuality | None
    """``None`` before the first repetition."""

    @property
    def name(self) -> str:
        return words.channel(self.site, self.side)


class QualityTable(LinesWidget):
    """Figures in rows and channels in columns; as many columns side by side as fit."""

    def facts(self, view: SessionView) -> Hashable:
        return (
            tuple((key, change.quality) for key, change in view.quality.items()),
            view.movements_revision,
            bool(view.end_hop),
            len(view.sensors),
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(list(self.draw(self._view, width, 0)))

    def show(self, view: SessionView) -> None:
        """Draw anew when something changed; the page grows and shrinks with it."""
        before = self._facts
        self.follow(view)
        if self._facts != before:
            self.refresh(layout=True)

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        rep = next((rep for rep in reversed(view.movements) if rep.channels), None)
        channels = _channels(view, rep)
        yield heading("SIGNAL QUALITY", width, right=_which(rep))
        if not channels:
            yield [("No muscle sensors in this session.", "dim")]
            return
        n_columns = max(1, (width - _LABEL_WIDTH) // _COLUMN_WIDTH)
        for first in range(0, len(channels), n_columns):
            yield from _block(channels[first : first + n_columns], width)
        yield from _reasons(channels, width)
        yield []
        yield from ([(line, "dim")] for line in wrap(CROSSTALK, width, n_lines=12))


def _which(rep: RepCompleted | None) -> str:
    if rep is None:
        return "no repetition yet"
    return "newest movement" if rep.number is None else f"set {rep.set_number} rep {rep.number}"


def _channels(view: SessionView, rep: RepCompleted | None) -> list[_Channel]:
    """Put what is known of each channel together: repetitions list them in column order."""
    known = () if rep is None else rep.channels
    found = []
    for column, (key, channel) in enumerate(view.emg_channels):
        change = view.quality.get(key)
        # A channel that never changed has been good since it began.
        now = change.quality if change else _UNKNOWN if view.end_hop else None
        found.append(
            _Channel(channel.site, channel.side, now, known[column] if column < len(known) else None)
        )
    return found


def _block(channels: list[_Channel], width: int) -> Iterator[Line]:
    room = min(_COLUMN_WIDTH, max(1, width - _LABEL_WIDTH))
    names = [wrap(channel.name, room - 1, n_lines=3) for channel in channels]
    yield []
    for row in range(max(len(name) for name in names)):
        cells = [(name[row] if row < len(name) else "", "heading") for name in names]
        yield _row("", cells, room)
    yield _row("now", [_grade(channel.now) for channel in channels], room)
    yield _row("over the rep", [_grade(channel.rep) for channel in channels], room)
    for label, text in _FIGURES:
        shown = [NOT_MEASURED if one.rep is None else text(one.rep.figures) for one in channels]
        yield _row(label, [(cell, "dim" if cell == NOT_MEASURED else "strong") for cell in shown], room)


def _row(label: str, cells: list[Piece], room: int) -> Line:
    shown = [(f"{fit(text, room - 1):<{room}}", tone) for text, tone in cells]
    return [(f"{label:<{_LABEL_WIDTH}}", "dim"), *shown]


def _grade(quality: ChannelQuality | None) -> Piece:
    if quality is None:
        return NOT_MEASURED, "dim"
    return f"{words.QUALITY_MARKS[quality.grade]} {quality.grade}", words.QUALITY_TONES[quality.grade]


def _reasons(channels: list[_Channel], width: int) -> Iterator[Line]:
    """Why channels are not good, in words, each reason once."""
    said = []
    for channel in channels:
        for when, quality in (("now", channel.now), ("over the rep", channel.rep)):
            if quality is not None and quality.reason is not None:
                said.append(f"{channel.name}, {when}: {quality.reason}")
    if said:
        yield []
    for text in said:
        yield from ([(line, "plain")] for line in wrap(text, width, n_lines=4))

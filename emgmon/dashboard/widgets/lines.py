"""The base of all parts of the screen: lines of toned text, redrawn only where they changed."""

import textwrap
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from emgmon.dashboard.view import SessionView

TONES = ("plain", "dim", "faint", "strong", "heading", "glute", "back", "warn")
"""What a piece of text can look like; the colours stand in ``app.tcss``."""

Piece = tuple[str, str]
"""A text and its tone."""

Line = Sequence[Piece]


def width_of(line: Line) -> int:
    """Count the cells of a line; every character we write ourselves is one cell wide."""
    return sum(len(text) for text, _ in line)


def heading(title: str, width: int, *, note: str = "", warning: str = "", right: str = "") -> list[Piece]:
    """Put a title on a rule across the part, with notes behind it and a word at the right end."""
    left: list[Piece] = [(title, "heading")]
    left += [(f" {text}", tone) for text, tone in ((note, "dim"), (warning, "warn")) if text]
    room = width - width_of(left) - 1
    end: list[Piece] = [(f" {right}", "dim")] if right and len(right) + 4 <= room else []
    rule = "─" * max(0, room - width_of(end))
    return [*left, (f" {rule}", "faint"), *end]


def wrap(text: str, width: int, *, n_lines: int) -> list[str]:
    """Break a text into lines; what does not fit ends in an ellipsis."""
    if width < 1 or n_lines < 1:
        return []
    # A figure and its per cent sign stay together; textwrap breaks at plain spaces only.
    lines = [line.replace("\u00a0", " ") for line in textwrap.wrap(text.replace(" %", "\u00a0%"), width)]
    if len(lines) <= n_lines:
        return lines
    kept = lines[:n_lines]
    kept[-1] = kept[-1][: width - 1].rstrip(" .,;:") + "…"
    return kept


def fit(text: str, width: int) -> str:
    """Cut the text to a width, with an ellipsis where something is missing."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…" * (width > 0)


class LinesWidget(Widget):
    """A part of the screen that is drawn from the state as lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in TONES}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = SessionView()
        self._facts: Hashable = None
        self._strips: list[Strip] = []
        self._styles: dict[str, Style] = {}

    def facts(self, view: SessionView) -> Hashable:
        """Tell what the lines depend on: while it stays the same nothing is drawn."""
        return view.revision

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        """Lines from the top; what is too long or too much is cut off."""
        raise NotImplementedError

    def follow(self, view: SessionView) -> None:
        """Show the state; the screen calls this once per frame."""
        facts = self.facts(view)
        if facts == self._facts and view is self._view:
            return
        self._view, self._facts = view, facts
        self.redraw()

    def redraw(self) -> None:
        """Draw anew and refresh the lines that came out different."""
        before, self._strips = self._strips, self._to_strips()
        width = self.content_size.width
        changed = [y for y, strip in enumerate(self._strips) if y >= len(before) or strip != before[y]]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def on_resize(self) -> None:
        self._strips = self._to_strips()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = []
        self._styles = {}

    def render_line(self, y: int) -> Strip:
        if len(self._strips) != self.content_size.height:
            self._strips = self._to_strips()
        return self._strips[y] if y < len(self._strips) else self._blank()

    def plain_lines(self) -> list[str]:
        """Tell what is shown, without its tones."""
        return [self.render_line(y).text.rstrip() for y in range(self.content_size.height)]

    def _to_strips(self) -> list[Strip]:
        width, height = self.content_size
        if not width or not height:
            return []
        drawn = [self._to_strip(line, width) for line in self.draw(self._view, width, height)][:height]
        return drawn + [self._blank()] * (height - len(drawn))

    def _to_strip(self, line: Line, width: int) -> Strip:
        segments = [Segment(text, self._style(tone)) for text, tone in line if text]
        return Strip(segments).adjust_cell_length(width, self._style("plain"))

    def _blank(self) -> Strip:
        return Strip.blank(self.content_size.width, self._style("plain"))

    def _style(self, tone: str) -> Style:
        """Colours of a tone; Textual works them out along all parents, too slow for every line."""
        if tone not in self._styles:
            self._styles[tone] = self.get_component_rich_style(f"tone--{tone}")
        return self._styles[tone]

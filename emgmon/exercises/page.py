"""Lays text out in a given width: headings, paragraphs, lists, and sources numbered as they are cited."""

import re
import textwrap
from dataclasses import dataclass, field

from emgmon.exercises.figures import ExpectedFigure, Grade, Statement

INDENT = 2
GLUED = "\N{NO-BREAK SPACE}"
"""Keeps a number with its unit while lines are broken; a plain space again on the page."""
_GLUE = re.compile(r"(?<=\d) (?=%|(?:s|ms|mm|cm)\b)| (?=\[\d+\])")


@dataclass(slots=True)
class Page:
    """A page that grows from top to bottom; no line is wider than `width` unless a single word is."""

    width: int
    _lines: list[str] = field(default_factory=list)
    _sources: list[str] = field(default_factory=list)

    def title(self, text: str, beside: str = "") -> None:
        """Put the page's name at the left and what to type for it at the right."""
        room = self.width - len(text) - len(beside)
        self._lines.append(f"{text}{' ' * room}{beside}" if beside and room > 1 else text)

    def heading(self, text: str) -> None:
        """Begin a part of the page."""
        if self._lines:
            self._lines.append("")
        self._wrap(text)

    def paragraph(self, text: str, *, indent: int = INDENT) -> None:
        """Add running text."""
        self._wrap(text, first=" " * indent, rest=" " * indent)

    def item(self, marker: str, text: str, *, indent: int = INDENT) -> None:
        """Add an entry of a list, its later lines below its first word."""
        self._wrap(text, first=f"{' ' * indent}{marker} ", rest=" " * (indent + len(marker) + 1))

    def row(self, left: str, right: str, *, indent: int = INDENT, column: int) -> None:
        """Add a line of a table: `left`, and from `column` on `right`; below each other when too long."""
        column = min(column, self.width // 2)
        start = " " * indent + left
        if len(start) + 2 > column:
            self._wrap(left, first=" " * indent, rest=" " * (indent + INDENT))
            start = ""
        if right:
            self._wrap(right, first=start.ljust(column), rest=" " * column)
        elif start:
            self._lines.append(start)

    def cite(self, claim: Statement | ExpectedFigure) -> str:
        """Give the source of a claim a number, always the same one for the same source."""
        if claim.grade not in (Grade.SOURCED, Grade.DERIVED):
            return ""
        year = f" ({claim.year})" if claim.year is not None else ""
        doi = f", doi:{claim.doi}" if claim.doi else ""
        source = f"{claim.source}{year}{doi}"
        if source not in self._sources:
            self._sources.append(source)
        number = f"[{self._sources.index(source) + 1}]"
        return f"derived from {number}" if claim.grade is Grade.DERIVED else number

    def sources(self) -> None:
        """List what was cited, if anything was."""
        if not self._sources:
            return
        self.heading("Sources")
        for number, source in enumerate(self._sources, start=1):
            self.item(f"[{number}]", source)

    def text(self) -> str:
        """Give the page as one text, without a line end behind the last line."""
        return "\n".join(self._lines)

    def _wrap(self, text: str, *, first: str = "", rest: str = "") -> None:
        lines = textwrap.wrap(
            _GLUE.sub(GLUED, text),
            self.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
            break_long_words=False,
        )
        self._lines += [line.replace(GLUED, " ") for line in lines]


def plural(count: int, one: str) -> str:
    """Count things in words: ``1 set``, ``3 sets``."""
    return f"1 {one}" if count == 1 else f"{count} {one}s"

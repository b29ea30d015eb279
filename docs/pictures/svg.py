"""A small drawing board for diagrams: axes, lines, bands and words as SVG, for light and dark pages."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH = 820
LEFT, RIGHT, TOP, GAP, BOTTOM = 74, 18, 58, 48, 46
"""Margins around the panels and between them, pixels."""

LIGHT = {
    "page": "#ffffff",
    "ink": "#1f2328",
    "soft": "#59636e",
    "grid": "#e3e7eb",
    "raw": "#7a828c",
    "glute": "#0a5fb0",
    "back": "#b3470b",
    "good": "#1a7f37",
    "mark": "#8250df",
}
DARK = {
    "page": "#0d1117",
    "ink": "#e6edf3",
    "soft": "#9da7b1",
    "grid": "#262c34",
    "raw": "#8b949e",
    "glute": "#69b1ff",
    "back": "#ff9e64",
    "good": "#56d364",
    "mark": "#d2a8ff",
}
"""Each tone on a light page and on a dark one; the picture brings its own page along."""


def _style() -> str:
    def rules(tones: dict[str, str]) -> str:
        parts = [f".page{{fill:{tones['page']}}}", f"text{{fill:{tones['ink']}}}"]
        for tone, colour in tones.items():
            parts.append(f".l-{tone}{{stroke:{colour};fill:none}}.f-{tone}{{fill:{colour};stroke:none}}")
            parts.append(f"text.t-{tone}{{fill:{colour}}}")
        return "".join(parts)

    fonts = "text{font-family:DejaVu Sans,Verdana,Helvetica,Arial,sans-serif;font-size:12px}"
    return f"{fonts}{rules(LIGHT)}@media (prefers-color-scheme:dark){{{rules(DARK)}}}"


def ticks_between(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between two ends."""
    step = (high - low) / about
    size = 10.0 ** math.floor(math.log10(step))
    step = min((size * part for part in (1, 2, 2.5, 5, 10) if size * part >= step * 0.999), default=size)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(slots=True)
class Panel:
    """One pair of axes."""

    top: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    title: str = ""
    y_label: str = ""
    x_label: str = ""
    x_ticks: Sequence[float] | None = None
    y_ticks: Sequence[float] | None = None
    parts: list[str] = field(default_factory=list)

    @property
    def width(self) -> float:
        return WIDTH - LEFT - RIGHT

    def x(self, value: float) -> float:
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * self.width

    def y(self, value: float) -> float:
        low, high = self.y_range
        inside = min(max(value, low), high)
        return self.top + self.height - (inside - low) / (high - low) * self.height

    def line(self, x: ArrayLike, y: ArrayLike, tone: str, *, width: float = 1.6, dash: str = "") -> None:
        """A curve; of more than two samples a pixel the lowest and the highest are drawn."""
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        inside = (xs >= self.x_range[0]) & (xs <= self.x_range[1])
        xs, ys = _thinned(xs[inside], ys[inside], int(self.width))
        steps, pen_down = [], False
        for px, value in zip(xs.tolist(), ys.tolist(), strict=True):
            if math.isnan(value):
                pen_down = False
                continue
            steps.append(f"{'L' if pen_down else 'M'}{self.x(px):.1f} {self.y(value):.1f}")
            pen_down = True
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path class="l-{tone}" stroke-width="{width}" stroke-linejoin="round"{dashed}'
            f' d="{"".join(steps)}"/>'
        )

    def band(
        self, x: ArrayLike, low: ArrayLike, high: ArrayLike, tone: str, *, strength: float = 0.18
    ) -> None:
        """The area between two curves."""
        xs = np.asarray(x, dtype=np.float64)
        lows = np.broadcast_to(np.asarray(low, dtype=np.float64), xs.shape)
        highs = np.broadcast_to(np.asarray(high, dtype=np.float64), xs.shape)
        there = [(a, b) for a, b in zip(xs.tolist(), highs.tolist(), strict=True)]
        back = [(a, b) for a, b in zip(xs.tolist(), lows.tolist(), strict=True)][::-1]
        points = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in there + back)
        self.parts.append(f'<polygon class="f-{tone}" fill-opacity="{strength}" points="{points}"/>')

    def across(
        self, value: float, tone: str, words: str = "", *, dash: str = "6 4", above: bool = True
    ) -> None:
        """A level line with its name at the right end."""
        self.line(self.x_range, (value, value), tone, width=1.4, dash=dash)
        if words:
            self.words(self.x_range[1], value, words, tone, anchor="end", dx=-4, dy=-5 if above else 14)

    def down(
        self,
        value: float,
        tone: str,
        words: str = "",
        *,
        dash: str = "",
        row: int = 0,
        before: bool | None = None,
    ) -> None:
        """A moment, with its name at the top, on the side where there is more room if none is asked for."""
        px, dashed = self.x(value), f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path class="l-{tone}" stroke-width="1.4"{dashed}'
            f' d="M{px:.1f} {self.top:.1f}v{self.height:.1f}"/>'
        )
        if words:
            late = value > 0.5 * sum(self.x_range) if before is None else before
            self.words(
                value, self.y_range[1], words, tone, anchor="end" if late else "start",
                dx=-5 if late else 5, dy=14 + 15 * row,
            )  # fmt: skip

    def stretch(
        self, first: float, last: float, tone: str, words: str = "", *, strength: float = 0.12
    ) -> None:
        """A stretch of time, with its name at the bottom."""
        self.band((first, last), self.y_range[0], self.y_range[1], tone, strength=strength)
        if words:
            self.words(0.5 * (first + last), self.y_range[0], words, "soft", anchor="middle", dy=-5)

    def whisker(
        self, x: float, value: float, low: float, high: float, tone: str, *, hollow: bool = False
    ) -> None:
        """A figure and its interval."""
        px = self.x(x)
        bottom, top = self.y(low), self.y(high)
        ends = f"M{px:.1f} {bottom:.1f}V{top:.1f}M{px - 4:.1f} {bottom:.1f}h8M{px - 4:.1f} {top:.1f}h8"
        fill = "page" if hollow else f"f-{tone}"
        self.parts.append(
            f'<path class="l-{tone}" stroke-width="1.5" d="{ends}"/>'
            f'<circle class="{fill}" cx="{px:.1f}" cy="{self.y(value):.1f}" r="4"/>'
        )
        if hollow:
            self.parts.append(
                f'<circle class="l-{tone}" stroke-width="1.5" cx="{px:.1f}" cy="{self.y(value):.1f}" r="4"/>'
            )

    def dots(self, x: ArrayLike, y: ArrayLike, tone: str, *, radius: float = 2.5) -> None:
        for a, b in zip(np.ravel(x).tolist(), np.ravel(y).tolist(), strict=True):
            self.parts.append(
                f'<circle class="f-{tone}" cx="{self.x(a):.1f}" cy="{self.y(b):.1f}" r="{radius}"/>'
            )

    def words(
        self, x: float, y: float, text: str, tone: str = "ink", *,
        anchor: str = "start", dx: float = 0.0, dy: float = 0.0,
    ) -> None:  # fmt: skip
        """Words at a place of the data, moved by pixels."""
        self.parts.append(
            f'<text class="t-{tone}" x="{self.x(x) + dx:.1f}" y="{self.y(y) + dy:.1f}"'
            f' text-anchor="{anchor}">'
            f"{html.escape(text)}</text>"
        )

    def svg(self) -> str:
        bottom = self.top + self.height
        parts = [_text(LEFT, self.top - 9, self.title, weight="600")]
        for value in ticks_between(*self.y_range, about=4) if self.y_ticks is None else self.y_ticks:
            level = self.y(value)
            parts.append(f'<path class="l-grid" d="M{LEFT} {level:.1f}h{self.width}"/>')
            parts.append(_text(LEFT - 7, level + 4, _number(value), anchor="end", tone="soft"))
        for value in ticks_between(*self.x_range, about=8) if self.x_ticks is None else self.x_ticks:
            px = self.x(value)
            parts.append(f'<path class="l-grid" d="M{px:.1f} {self.top}v{self.height}"/>')
            parts.append(_text(px, bottom + 16, _number(value), anchor="middle", tone="soft"))
        parts += self.parts
        parts.append(f'<path class="l-soft" d="M{LEFT} {self.top}V{bottom}h{self.width}"/>')
        if self.x_label:
            parts.append(_text(LEFT + self.width, bottom + 34, self.x_label, anchor="end", tone="soft"))
        if self.y_label:
            middle = self.top + 0.5 * self.height
            parts.append(
                f'<text class="t-soft" transform="translate(18 {middle:.1f}) rotate(-90)"'
                f' text-anchor="middle">'
                f"{html.escape(self.y_label)}</text>"
            )
        return "".join(parts)


@dataclass(slots=True)
class Picture:
    """Panels below each other, under one title."""

    title: str
    panels: list[Panel] = field(default_factory=list)

    def panel(
        self, height: float, x_range: tuple[float, float], y_range: tuple[float, float], **more: object
    ) -> Panel:
        """Begin another panel below the last one."""
        last = self.panels[-1] if self.panels else None
        below = GAP + (18 if last is not None and last.x_label else 0)
        top = TOP if last is None else last.top + last.height + below
        panel = Panel(top, height, x_range, y_range, **more)  # type: ignore[arg-type]
        self.panels.append(panel)
        return panel

    def write(self, folder: Path, name: str) -> Path:
        """Write the picture as ``NAME.svg``."""
        height = self.panels[-1].top + self.panels[-1].height + BOTTOM
        body = "".join(panel.svg() for panel in self.panels)
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}"'
            f' height="{height:.0f}" role="img"><title>{html.escape(self.title)}</title>'
            f"<style>{_style()}</style>"
            f'<rect class="page" width="{WIDTH}" height="{height:.0f}" rx="6"/>'
            f"{_text(16, 24, self.title, weight='600', size=14)}{body}</svg>\n"
        )
        path = folder / f"{name}.svg"
        path.write_text(svg, encoding="utf-8")
        return path


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64], n_columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    each = len(x) // n_columns
    if each < 3:
        return x, y
    n = len(x) // each * each
    pieces = y[:n].reshape(-1, each)
    known = np.where(np.isnan(pieces), np.inf, pieces), np.where(np.isnan(pieces), -np.inf, pieces)
    extremes = np.stack([known[0].min(axis=1), known[1].max(axis=1)], axis=1)
    extremes[~np.isfinite(extremes)] = np.nan
    return np.repeat(x[:n:each], 2), extremes.ravel()


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    tone: str = "ink",
    weight: str = "",
    size: int = 0,
) -> str:
    more = (f' font-weight="{weight}"' if weight else "") + (f' style="font-size:{size}px"' if size else "")
    placed = f'<text class="t-{tone}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
    return f"{placed}{html.escape(text)}</text>"

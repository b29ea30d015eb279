"""Draws the accuracy of each metric as a small SVG by hand: error, what the intervals held, disturbances."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.accuracy_draws import BOTH_SIDES, SNRS_DB, usual
from benchmarks.accuracy_runs import REP_METRICS, SLOPE, Figure, Judged
from benchmarks.accuracy_tables import (
    GOOD_COVER_PCT,
    USUAL_NAME,
    Line,
    as_defined,
    disturbed,
    line_of,
)
from emgmon.events import Verdict

INK, FAINT, GRID, PAPER = "#1f2933", "#616e7c", "#d9dee4", "#ffffff"
MEDIAN, P95, BAND = "#0b6e99", "#c8553d", "#e3f1e6"

VERDICT_COLOURS = {
    Verdict.GLUTE_LED: "#2a9d6f",
    Verdict.SHARED: "#e9b44c",
    Verdict.BACK_LED: "#c8553d",
    Verdict.CANNOT_TELL: "#9aa5b1",
}

PANEL_WIDTH, PANEL_HEIGHT = 250.0, 170.0
TOP, LEFT, GUTTER, BOTTOM = 58.0, 56.0, 66.0, 46.0
LABELS_WIDTH = 190.0
"""Room for the names of the disturbances."""

TITLES = {
    "glute_share_pct": "Glute share, points",
    "glute_back_log_ratio": "Log ratio of glute to back",
    "glute_engagement_pct": "Glute engagement, % of reference",
    "back_engagement_pct": "Back engagement, % of reference",
    "onset_difference_ms": "Onset of glute less that of back, ms",
    "median_frequency_hz": "Median frequency, Hz",
    "squeeze_sustain_pct": "Squeeze sustain, % of the work",
    "late_back_surge": "Late back surge, ratio",
    "symmetry_pct": "Symmetry of the glutes, %",
    "pelvis_pitch_range_deg": "Range of pelvis pitch, degrees",
    "pelvis_anterior_change_deg": "Change of pelvis pitch to the turn, degrees",
    "pelvis_obliquity_range_deg": "Range of pelvis obliquity, degrees",
    "pelvis_rotation_range_deg": "Range of pelvis rotation, degrees",
    "pelvis_reversal_deg": "Late reversal of pelvis pitch, degrees",
    "pelvis_lockout_deg": "Lock-out beyond standing, degrees",
    SLOPE: "Slope of the median frequency, % per repetition (set)",
}


def text(x: float, y: float, said: str, *, size: int = 11, anchor: str = "start", ink: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{ink}">'
        f"{escape(said)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, ink: str = GRID) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{ink}"/>'


def box(x: float, y: float, width: float, height: float, ink: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{ink}"/>'


def document(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif">'
    )
    sheet = box(0.0, 0.0, width, height, PAPER)
    return "\n".join([head, sheet, text(14.0, 24.0, title, size=15), *parts, "</svg>", ""])


def nice_top(largest: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    if not largest > 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= largest)


class Panel:
    """One pair of axes: signal-to-noise along, something upward."""

    def __init__(self, left: float, title: str, low: float, high: float) -> None:
        self.left, self.title, self.low, self.high = left, title, low, high
        self.parts: list[str] = []

    def x(self, snr_db: float) -> float:
        first, last = SNRS_DB[0], SNRS_DB[-1]
        return self.left + 10.0 + (PANEL_WIDTH - 20.0) * (snr_db - first) / (last - first)

    def y(self, value: float) -> float:
        return TOP + PANEL_HEIGHT * (1.0 - (value - self.low) / (self.high - self.low))

    def axes(self, ticks: Sequence[float]) -> None:
        self.parts.append(text(self.left, TOP - 12.0, self.title, ink=FAINT))
        for tick in ticks:
            self.parts.append(line(self.left, self.y(tick), self.left + PANEL_WIDTH, self.y(tick)))
            self.parts.append(text(self.left - 6.0, self.y(tick) + 4.0, f"{tick:g}", anchor="end", ink=FAINT))
        base = TOP + PANEL_HEIGHT
        for snr_db in SNRS_DB:
            self.parts.append(text(self.x(snr_db), base + 16.0, f"{snr_db:g}", anchor="middle", ink=FAINT))
        self.parts.append(
            text(
                self.left + PANEL_WIDTH / 2.0, base + 34.0, "signal-to-noise, dB", anchor="middle", ink=FAINT
            )
        )

    def curve(self, points: Sequence[tuple[float, float]], ink: str) -> None:
        places = [(self.x(at), self.y(min(max(value, self.low), self.high))) for at, value in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2"/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{ink}"/>' for x, y in places]


def metric_picture(name: str, of: str, figures: Sequence[Figure]) -> str | None:
    """Draw one metric; ``None`` where nothing of it was measured."""
    kept = [
        one
        for one in figures
        if one.name == name and one.of == of and one.group[1] == BOTH_SIDES.name and as_defined(one)
    ]
    swept = [(snr_db, line_of([o for o in kept if o.group[0] == usual(snr_db).name])) for snr_db in SNRS_DB]
    swept = [(snr_db, found) for snr_db, found in swept if found.n_measured]
    if not swept:
        return None
    errors = Panel(LEFT, "error: median (blue) and 95th percentile (red)", 0.0, _top(swept))
    errors.axes([errors.high * part / 4.0 for part in range(5)])
    errors.curve([(snr_db, found.p95) for snr_db, found in swept], P95)
    errors.curve([(snr_db, found.median) for snr_db, found in swept], MEDIAN)
    covered = [(snr_db, found.cover_pct) for snr_db, found in swept if found.n_with_interval]
    held = Panel(LEFT + PANEL_WIDTH + GUTTER, "95 % intervals that hold the truth, %", 70.0, 100.0)
    low, high = GOOD_COVER_PCT
    held.parts.append(box(held.left, held.y(high), PANEL_WIDTH, held.y(low) - held.y(high), BAND))
    held.axes((70.0, 80.0, 90.0, 95.0, 100.0))
    held.curve(covered, MEDIAN)
    right = held.left + PANEL_WIDTH + GUTTER
    bars = list(_bars(right, kept))
    width = right + LABELS_WIDTH + PANEL_WIDTH + 60.0 if bars else right - GUTTER + 20.0
    parts = [*errors.parts, *held.parts, *bars]
    return document(width, TOP + PANEL_HEIGHT + BOTTOM, TITLES[name], parts)


def _top(swept: Sequence[tuple[float, Line]]) -> float:
    return nice_top(max(found.p95 for _, found in swept))


def _bars(left: float, figures: Sequence[Figure]) -> Iterator[str]:
    """Median error under each disturbance, and how much was measured at all."""
    lines = [(label, line_of([one for one in figures if keep(one)])) for label, keep in disturbed()]
    lines = [(label, found) for label, found in lines if found.n]
    if len(lines) < 2:
        return
    title = f"median error at {USUAL_NAME}, disturbed by (and how many were measured)"
    yield text(left, TOP - 12.0, title, ink=FAINT)
    largest = nice_top(max((found.median for _, found in lines if found.n_measured), default=1.0))
    step = PANEL_HEIGHT / len(lines)
    for place, (label, found) in enumerate(lines):
        y = TOP + step * place
        yield text(left + LABELS_WIDTH - 8.0, y + step * 0.7, label, anchor="end")
        size = PANEL_WIDTH * found.median / largest if found.n_measured else 0.0
        yield box(left + LABELS_WIDTH, y + step * 0.2, size, step * 0.6, MEDIAN)
        share = 100.0 * found.n_measured / found.n
        said = f"{found.median:.3g} ({share:.0f} %)" if found.n_measured else "not measured"
        yield text(left + LABELS_WIDTH + size + 5.0, y + step * 0.7, said, size=10, ink=FAINT)


def verdict_picture(judged: Sequence[Judged]) -> str:
    """What was said, by how far the true log ratio lies from the person's own reference."""
    names = {usual(snr_db).name for snr_db in SNRS_DB}
    kept = [
        one
        for one in judged
        if one.reference == "measured" and one.group[1] == BOTH_SIDES.name and one.group[0] in names
    ]
    width, height, n_bins, reach = 640.0, 200.0, 24, 6.0
    parts, step = [], width / n_bins
    for place in range(n_bins):
        low = -reach + 2.0 * reach * place / n_bins
        own = [one for one in kept if low <= one.change < low + 2.0 * reach / n_bins]
        y = TOP + height
        for verdict, ink in VERDICT_COLOURS.items():
            part = sum(one.said is verdict for one in own) / max(len(own), 1)
            y -= height * part
            parts.append(box(LEFT + step * place + 1.0, y, step - 2.0, height * part, ink))
    for change in range(-6, 7, 2):
        x = LEFT + width * (change + reach) / (2.0 * reach)
        parts.append(
            text(x, TOP + height + 16.0, f"{change:+d}" if change else "0", anchor="middle", ink=FAINT)
        )
    for edge in (-1.0, 1.0):
        x = LEFT + width * (edge + reach) / (2.0 * reach)
        parts.append(line(x, TOP - 6.0, x, TOP + height + 4.0, INK))
    said = "true log ratio less that of the reference set, in minimal detectable changes"
    parts.append(text(LEFT + width / 2.0, TOP + height + 36.0, said, anchor="middle", ink=FAINT))
    for place, (verdict, ink) in enumerate(VERDICT_COLOURS.items()):
        parts.append(box(LEFT + 150.0 * place, TOP - 20.0, 10.0, 10.0, ink))
        parts.append(text(LEFT + 15.0 + 150.0 * place, TOP - 11.0, verdict.value))
    title = f"What was said of {len(kept)} repetitions, 5 to 30 dB"
    return document(LEFT + width + 30.0, TOP + height + 50.0, title, parts)


def draw_all(folder: Path, figures: Sequence[Figure], judged: Sequence[Judged]) -> list[Path]:
    """Write a picture of every metric and one of the verdicts."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, of in (*((name, "rep") for name in REP_METRICS), (SLOPE, "set")):
        picture = metric_picture(name, of, figures)
        if picture is not None:
            stem = name.removesuffix("_deg").replace("_", "-")
            written.append(_write(folder / f"{stem}.svg", picture))
    if judged:
        written.append(_write(folder / "verdicts.svg", verdict_picture(judged)))
    return written


def _write(path: Path, picture: str) -> Path:
    path.write_text(picture, encoding="utf-8")
    return path

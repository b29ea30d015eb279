"""Metrics as rows of label and figure, the same for one repetition and for a set."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emgmon.dashboard import words
from emgmon.dashboard.view import find_metric, metric_value
from emgmon.dashboard.widgets.lines import Line, wrap
from emgmon.events import Metric, MovementSignal

_LABEL_WIDTH = 15
_PERCENT_WIDTH = 5

_LEVELS = (
    ("glute", "glute_engagement_pct"),
    ("back", "back_engagement_pct"),
    ("hamstrings", "hamstring_engagement_pct"),
)
_PHASES = (("lift", "lift_s"), ("hold", "hold_s"), ("return", "return_s"))


@dataclass(frozen=True, slots=True)
class PelvisFigure:
    """One figure of how the pelvis moved."""

    metric: str
    label: str
    title: str
    """Over a column, where there is less room."""
    width: int
    """Of that column."""
    signed: bool = False

    def text(self, value: float | None) -> str:
        """Write a value with its unit, or the sign for "not measured"."""
        if self.metric.endswith("_m"):
            return words.MISSING if value is None else f"{100 * value:.0f} cm"
        return words.degrees(value, signed=self.signed)


_TRAVEL = PelvisFigure("pelvis_height_range_m", "pelvis travel", "travel", 8)
_PITCH = PelvisFigure("pelvis_pitch_range_deg", "pelvis pitch", "pitch", 8)
_ROTATION = PelvisFigure("pelvis_rotation_range_deg", "pelvis rot.", "rot.", 4)
_PITCH_CHANGE = PelvisFigure("pelvis_anterior_change_deg", "pelvis pitch", "pitch", 6, signed=True)
_LUMBAR = PelvisFigure("lumbar_extension_deg", "lumbar ext.", "lumbar", 8, signed=True)

_OWN_FIGURES = {
    None: (_TRAVEL,),
    MovementSignal.PELVIS_HEIGHT: (_TRAVEL,),
    MovementSignal.PELVIS_PITCH: (_PITCH,),
}
"""Where the pelvis is what moves, how far it did; everywhere else a leg moves, and the pelvis should not."""
_COMPENSATION = (_ROTATION, _PITCH_CHANGE)


def pelvis_figures(signal: MovementSignal | None) -> tuple[PelvisFigure, ...]:
    """Choose what of the pelvis's motion tells most where repetitions are found on that signal."""
    return _OWN_FIGURES.get(signal, _COMPENSATION)


def row(label: str, figure: str, rest: str = "") -> Line:
    """Put a figure behind its label, and its unit or interval behind that."""
    return [(f"{label:<{_LABEL_WIDTH}}", "dim"), (figure, "strong"), (f" {rest}" if rest else "", "dim")]


def share_row(metrics: Iterable[Metric]) -> Line:
    """Show the activity share with its interval, or that it was not measured."""
    share = find_metric(metrics, "glute_share_pct")
    if share is None or share.value is None:
        return [(f"{'activity share':<{_LABEL_WIDTH}}", "dim"), ("not measured", "dim")]
    return row("activity share", words.percent(share.value), words.interval(share))


def level_rows(metrics: Iterable[Metric], width: int) -> Iterator[Line]:
    """Show how active each muscle was, where that was measured, and what 100 % stands for."""
    metrics = tuple(metrics)
    levels = [
        (label, metric)
        for label, name in _LEVELS
        if (metric := find_metric(metrics, name)) is not None and metric.value is not None
    ]
    carried = dict.fromkeys(metric.normalisation for _, metric in levels if metric.normalisation)
    longest = max((len(f" of {normalisation}") for normalisation in carried), default=0)
    beside = _LABEL_WIDTH + _PERCENT_WIDTH + longest <= width
    for label, metric in levels:
        above = metric.value is not None and metric.value > 100
        rest = f"of {metric.normalisation or 'ref.'}" if beside else ""
        yield row(f"{label} {words.ABOVE_MARK}" if above else label, words.percent(metric.value), rest)
    if not beside:
        yield from ([(line, "dim")] for line in wrap(f"100 % = {' and '.join(carried)}", width, n_lines=2))


def course_rows(metrics: Iterable[Metric], width: int) -> Iterator[Line]:
    """Show how activity ran within the repetitions and over the set, where that was measured."""
    metrics = tuple(metrics)
    sustain = metric_value(metrics, "squeeze_sustain_pct")
    if sustain is not None:
        yield row("squeeze kept", words.percent(sustain), "of work")
    surge = metric_value(metrics, "late_back_surge")
    if surge is not None:
        yield row("back at end", f"{surge:.1f}×", "of start")
    yield from _onset_rows(find_metric(metrics, "onset_difference_ms"), width)
    slope = metric_value(metrics, "fatigue_slope_pct_per_rep")
    if slope is not None:
        yield row("frequency", f"{words.with_sign(slope, decimals=1)} %", "a rep")


def _onset_rows(onset: Metric | None, width: int) -> Iterator[Line]:
    """Show when the glute began after the back, with what may be said of it, else how sure it is."""
    if onset is None or onset.value is None:
        return
    said, word = f"{words.with_sign(onset.value)} ms", onset.reason or ""
    if not word and onset.low is not None and onset.high is not None:
        word = f"{words.with_sign(onset.low)} to {words.with_sign(onset.high)}"
    if _LABEL_WIDTH + len(said) + 1 + len(word) <= width:
        yield row("glute onset", said, word)
        return
    yield row("glute onset", said)
    yield from ([(line, "dim")] for line in wrap(word, width, n_lines=3))


def phase_rows(metrics: Iterable[Metric]) -> Iterator[Line]:
    """Show tempo, where it was measured."""
    for label, value in _measured(metrics, _PHASES):
        yield row(label, f"{value:.1f} s")


def pelvis_rows(metrics: Iterable[Metric], signal: MovementSignal | None, width: int) -> Iterator[Line]:
    """Show how the pelvis moved, and why not where it was not measured."""
    metrics = tuple(metrics)
    missing: dict[str, list[str]] = {}
    for figure in pelvis_figures(signal):
        metric = find_metric(metrics, figure.metric)
        if metric is not None and metric.value is not None:
            yield row(figure.label, figure.text(metric.value))
        else:
            missing.setdefault((metric and metric.reason) or "", []).append(figure.label)
    lumbar_deg = metric_value(metrics, _LUMBAR.metric)
    if lumbar_deg is not None:
        yield row(_LUMBAR.label, _LUMBAR.text(lumbar_deg))
    for reason, labels in missing.items():
        said = f"{' and '.join(labels)} not measured" + (f": {reason}" if reason else "")
        yield from ([(line, "dim")] for line in wrap(said, width, n_lines=4))


def compensation_line(metrics: Iterable[Metric], signal: MovementSignal | None, width: int) -> list[Line]:
    """Say in one line how much the pelvis moved along with a leg; nothing where it is what moves."""
    figures = pelvis_figures(signal)
    if figures is not _COMPENSATION:
        return []
    metrics = tuple(metrics)
    if all(metric_value(metrics, figure.metric) is None for figure in figures):
        metric = find_metric(metrics, figures[0].metric)
        reason = f": {metric.reason}" if metric is not None and metric.reason else ""
        return [[(line, "dim") for line in wrap(f"pelvis not measured{reason}", width, n_lines=1)]]
    line: list[tuple[str, str]] = [("pelvis ", "dim")]
    for figure in figures:
        line += [
            (f" {figure.title} ", "dim"),
            (f"{figure.text(metric_value(metrics, figure.metric))} ", "strong"),
        ]
    return [line]


def _measured(metrics: Iterable[Metric], wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[str, float]]:
    metrics = tuple(metrics)
    for label, name in wanted:
        metric = find_metric(metrics, name)
        if metric is not None and metric.value is not None:
            yield label, metric.value

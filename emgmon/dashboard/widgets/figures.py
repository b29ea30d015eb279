"""Metrics as rows of label and figure, the same for one repetition and for a set."""

from collections.abc import Iterable, Iterator

from emgmon.dashboard import words
from emgmon.dashboard.view import find_metric
from emgmon.dashboard.widgets.lines import Line
from emgmon.events import Metric

_LABEL_WIDTH = 15

_LEVELS = (
    ("glute", "glute_engagement_pct"),
    ("back", "back_engagement_pct"),
    ("hamstrings", "hamstring_engagement_pct"),
)
_PHASES = (("lift", "lift_s"), ("hold", "hold_s"), ("return", "return_s"))


def row(label: str, figure: str, rest: str = "") -> Line:
    """Put a figure behind its label, and its unit or interval behind that."""
    return [(f"{label:<{_LABEL_WIDTH}}", "dim"), (figure, "strong"), (f" {rest}" if rest else "", "dim")]


def share_row(metrics: Iterable[Metric]) -> Line:
    """Show the activity share with its interval, or that it was not measured."""
    share = find_metric(metrics, "glute_share_pct")
    if share is None or share.value is None:
        return [(f"{'activity share':<{_LABEL_WIDTH}}", "dim"), ("not measured", "dim")]
    return row("activity share", words.percent(share.value), words.interval(share))


def level_rows(metrics: Iterable[Metric]) -> Iterator[Line]:
    """Show how active each muscle was, where that was measured."""
    for label, value in _measured(metrics, _LEVELS):
        yield row(label, words.percent(value), "of ref.")


def movement_rows(metrics: Iterable[Metric]) -> Iterator[Line]:
    """Show tempo and travel, where they were measured."""
    for label, value in _measured(metrics, _PHASES):
        yield row(label, f"{value:.1f} s")
    for label, value in _measured(metrics, (("pelvis travel", "pelvis_height_range_m"),)):
        yield row(label, f"{100 * value:.0f} cm")


def _measured(metrics: Iterable[Metric], wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[str, float]]:
    metrics = tuple(metrics)
    for label, name in wanted:
        metric = find_metric(metrics, name)
        if metric is not None and metric.value is not None:
            yield label, metric.value

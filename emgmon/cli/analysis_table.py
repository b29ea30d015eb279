"""One set of an analysis as a table, and below it what the figures rest on; 80 columns, for paper."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emgmon.cli.analysis_head import wrapped
from emgmon.events import channel_words

if TYPE_CHECKING:
    from emgmon.analysis_document import AnalysisDocument, MetricDocument, RepDocument, SetDocument

MISSING = "–"
"""Stands for "not measured" in a column; why is said below the table."""


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    """Without the space before it."""
    text: Callable[["RepDocument"], str]
    group: str = ""
    """Stands over the first of the columns that have it in common."""
    left: bool = False
    """Words begin on the left, figures end on the right."""

    def cell(self, text: str) -> str:
        return f" {text:<{self.width}}" if self.left else f" {text:>{self.width}}"


def _columns(done: "SetDocument") -> list[_Column]:
    """Choose the columns that hold anything in this set; together they never need more than 80 letters."""
    columns = [_Column("rep", 3, _number)]
    if any(rep.side for rep in done.reps):
        columns.append(_Column("side", 5, lambda rep: rep.side or "", left=True))
    columns += [
        _Column("start", 7, lambda rep: f"{rep.start_s:.2f}"),
        _Column("turn", 7, lambda rep: f"{rep.turn_s:.2f}"),
        _Column("end", 7, lambda rep: f"{rep.end_s:.2f}"),
    ]
    if _measured(done, SHARE):
        columns.append(_Column("share  95%", 10, _share, group="glute, %"))
    columns += [
        _Column(
            title,
            5 if title == "pitch" else 4,
            functools.partial(_degrees, name=name),
            group="pelvis, degrees",
        )
        for title, name in DEGREES
        if _measured(done, name)
    ]
    width = 12 + len(FROM_MOTION) * any(rep.verdict_basis == "motion" for rep in done.reps)
    return [*columns, _Column("verdict", width, _verdict, left=True)]


FROM_MOTION = " from motion"
SURROGATE = "from motion: a stand-in that tells how the pelvis moved, not which muscle worked"


def _verdict(rep: "RepDocument") -> str:
    """Name the verdict, and beside one from motion alone say so."""
    return rep.verdict + FROM_MOTION if rep.verdict_basis == "motion" else rep.verdict


SHARE = "glute_share_pct"
DEGREES = (
    ("pitch", "pelvis_anterior_change_deg"),
    ("rot.", "pelvis_rotation_range_deg"),
    ("obl.", "pelvis_obliquity_range_deg"),
    ("lum.", "lumbar_extension_deg"),
)
"""Title of the column and metric. Pitch and lumbar extension are changes from the start to the turn."""
SIGNED = frozenset({"pelvis_anterior_change_deg", "lumbar_extension_deg"})

_MARKS = {"added": "+", "moved": "*"}
_MARK_WORDS = {"added": "+ added by hand", "moved": "* edges moved by hand"}


def _number(rep: "RepDocument") -> str:
    return f"{_MARKS.get(rep.origin, '')}{rep.number}"


def _measured(done: "SetDocument", name: str) -> bool:
    return any(_value(rep.metrics.get(name)) is not None for rep in done.reps)


def _value(metric: "MetricDocument | None") -> float | None:
    return None if metric is None else metric.value


def _degrees(rep: "RepDocument", *, name: str) -> str:
    return _degrees_text(_value(rep.metrics.get(name)), name)


def _degrees_text(value: float | None, name: str) -> str:
    if value is None:
        return MISSING
    # Adding 0.0 makes -0.0 a plain 0.
    rounded = round(value) + 0.0
    return f"{rounded:+.0f}" if name in SIGNED and rounded else f"{rounded:.0f}"


def _share(rep: "RepDocument") -> str:
    share = rep.metrics.get(SHARE)
    if share is None or share.value is None:
        return MISSING
    interval = "" if share.low is None or share.high is None else f"{share.low:.0f}-{share.high:.0f}"
    return f"{share.value:3.0f} {interval:>6}"


def set_lines(number: int, done: "SetDocument") -> Iterator[str]:
    """Give the repetitions of a set as a table, with means, notes and what was wrong below."""
    columns = _columns(done)
    yield f"Set {number}: {done.exercise}, {_reps(len(done.reps))}{_by_side(done)}"
    groups = _groups_line(columns)
    if groups:
        yield groups
    yield "".join(column.cell(column.title) for column in columns).rstrip()
    for rep in done.reps:
        row = "".join(column.cell(column.text(rep)) for column in columns).rstrip()
        yield CUE_MARK + row[1:] if rep.warning else row
        if rep.excluded:
            yield from wrapped(f"left out: {rep.excluded}", indent=6, hanging=2)
    yield from _cue_lines(done)
    yield from _summary_lines(done)
    yield from _channel_lines(done)
    for note in done.notes:
        yield from wrapped(note, indent=2)
    if any(rep.verdict_basis == "motion" for rep in done.reps):
        yield from wrapped(SURROGATE, indent=2)
    yield from _uncounted_lines(done)
    marks = [words for origin, words in _MARK_WORDS.items() if any(rep.origin == origin for rep in done.reps)]
    if marks:
        yield f"  {', '.join(marks)}"


def _groups_line(columns: list[_Column]) -> str:
    """Write the names of groups over their columns; nothing where there are none."""
    line, at, last = "", 0, ""
    for column in columns:
        if column.group and column.group != last:
            line = f"{line:<{at + 1}}{column.group}"
        last = column.group
        at += len(column.cell(""))
    return line


def _reps(count: int) -> str:
    return "1 rep" if count == 1 else f"{count} reps"


def _by_side(done: "SetDocument") -> str:
    counts = Counter(rep.side for rep in done.reps)
    known = [f"{side} {counts[side]}" for side in ("left", "right") if counts[side]]
    unknown = [f"side not known {counts[None]}"] if known and counts[None] else []
    return f" ({', '.join(known + unknown)})" if known else ""


def _summary_lines(done: "SetDocument") -> Iterator[str]:
    share = done.summary.get(SHARE)
    if share is None or share.value is None:
        yield from _not_measured("glute share", share)
    else:
        yield f"  mean glute share {_figure(share)} over {_reps(share.n)}"
    yield from _level_lines(done)
    yield from _course_lines(done)
    yield from _pelvis_lines(done)


CUE_MARK = ">"
"""Stands at the beginning of the row of a repetition that called for a practice cue."""


def _cue_lines(done: "SetDocument") -> Iterator[str]:
    """Give what a person was told to do, each once, with the repetitions after which it was said."""
    told: dict[str, list[str]] = {}
    for rep in done.reps:
        if rep.warning:
            what, _, _ = rep.warning.partition(". ")
            told.setdefault(what.rstrip("."), []).append(f"{rep.number}")
    for what, numbers in told.items():
        yield from wrapped(f"{CUE_MARK} {what} (after rep {', '.join(numbers)})", indent=0, hanging=2)


def _level_lines(done: "SetDocument") -> Iterator[str]:
    """Say how active each muscle was, and what 100 % is."""
    levels: dict[str, list[str]] = {}
    for muscle in MUSCLES:
        metric = done.summary.get(f"{muscle}_engagement_pct")
        if metric is not None and metric.value is not None:
            levels.setdefault(metric.normalisation or "the reference", []).append(
                f"{muscle} {_figure(metric)}"
            )
    for normalisation, figures in levels.items():
        yield from wrapped(f"mean activity, 100 % = {normalisation}: {', '.join(figures)}", indent=2)


MUSCLES = ("glute", "back", "hamstring")

COURSE = {
    "squeeze_sustain_pct": ("glute squeezed for {:.0f} % of the work", 0),
    "late_back_surge": ("back at the end of the lift {:.1f} times its start", 1),
    "onset_difference_ms": ("glute begins {:+.0f} ms after the back", 0),
    "median_frequency_hz": ("median frequency of the glute {:.0f} Hz", 0),
    "fatigue_slope_pct_per_rep": ("changing by {:+.1f} % from rep to rep", 1),
}
"""How each figure is said, and with how many decimals its interval."""


def _course_lines(done: "SetDocument") -> Iterator[str]:
    """Say how activity ran within repetitions and over the set, where that was measured."""
    said = []
    for name, (words, decimals) in COURSE.items():
        metric = done.summary.get(name)
        if metric is not None and metric.value is not None:
            beside = f": {metric.reason}" if metric.reason else ""
            # Adding 0.0 makes -0.0 a plain 0.
            value = round(metric.value, decimals) + 0.0
            said.append(f"{words.format(value)}{_interval(metric, decimals)}{beside}")
    if said:
        yield from wrapped("; ".join(said), indent=2)


def _channel_lines(done: "SetDocument") -> Iterator[str]:
    """Say of each channel that was not good in how many repetitions that was, and why."""
    names = dict.fromkeys(channel.channel for rep in done.reps for channel in rep.channels)
    for name in names:
        seen = [channel for rep in done.reps for channel in rep.channels if channel.channel == name]
        counts = Counter(channel.grade for channel in seen if channel.grade != "good")
        if not counts:
            continue
        # What rejects a channel is told rather than what only makes it less good.
        worst = [channel for channel in seen if channel.grade == ("reject" if counts["reject"] else "usable")]
        site, _, side = name.partition(".")
        grades = " and ".join(f"{_GRADES[grade]} in {counts[grade]}" for grade in _GRADES if counts[grade])
        said = f"signal of {channel_words(site, side or None)} {grades} of {_reps(len(done.reps))}"
        yield from wrapped(f"{said}: {worst[0].reason}" if worst[0].reason else said, indent=2)


_GRADES = {"reject": "rejected", "usable": "only usable"}


def rebase_lines(document: "AnalysisDocument") -> Iterator[str]:
    """Say where a muscle went above 100 % of its reference, and how to measure by the strongest so far."""
    above: dict[str, list[MetricDocument]] = {}
    for rep in (rep for done in document.sets for rep in done.reps):
        for muscle in MUSCLES:
            metric = rep.metrics.get(f"{muscle}_engagement_pct")
            if metric is not None and metric.value is not None and metric.value > 100.0:
                above.setdefault(muscle, []).append(metric)
    if not above:
        return
    yield ""
    for muscle, metrics in above.items():
        most = max(metric.value or 0.0 for metric in metrics)
        carried = metrics[0].normalisation or "the reference"
        yield from wrapped(
            f"{muscle} above 100 % of {carried} in {_reps(len(metrics))}, up to {most:.0f} %", indent=0
        )
    yield from wrapped(
        "The reference contraction was less than this work. To measure by the strongest so far:", indent=0
    )
    yield f"  emgmon calibrate {document.recording.path} --best-so-far"


def _pelvis_lines(done: "SetDocument") -> Iterator[str]:
    """Means over the set, and for what was not measured the reason, every reason once."""
    means: list[str] = []
    missing: dict[str, list[str]] = {}
    for name, words in PELVIS.items():
        metric = done.summary.get(name)
        if metric is not None and metric.value is not None:
            means.append(f"{words} {_degrees_text(metric.value, name)}°")
            for reason, count in _reasons(done, name).items():
                missing.setdefault(f" in {count} of {_reps(len(done.reps))}: {reason}", []).append(words)
        elif metric is not None:
            missing.setdefault(f": {metric.reason}" if metric.reason else "", []).append(words)
    if means:
        yield from wrapped(f"mean {', '.join(means)}", indent=2)
    for reason, parts in missing.items():
        yield from wrapped(f"{', '.join(parts)} not measured{reason}", indent=2)


def _reasons(done: "SetDocument", name: str) -> Counter[str]:
    """Why a figure is missing in some repetitions, and in how many."""
    lacking = (rep.metrics.get(name) for rep in done.reps)
    return Counter(m.reason for m in lacking if m is not None and m.value is None and m.reason)


PELVIS = {
    "pelvis_anterior_change_deg": "pelvis pitch change",
    "pelvis_rotation_range_deg": "rotation",
    "pelvis_obliquity_range_deg": "obliquity",
    "lumbar_extension_deg": "lumbar extension",
}


def _not_measured(words: str, metric: "MetricDocument | None") -> list[str]:
    reason = metric.reason if metric is not None else "no repetition"
    return wrapped(f"{words} not measured: {reason}", indent=2)


def _uncounted_lines(done: "SetDocument") -> Iterator[str]:
    if done.uncounted:
        yield "  not counted:"
    for movement in done.uncounted:
        span = f"{movement.start_s:.2f} to {movement.end_s:.2f} s"
        yield from wrapped(f"{span}  {movement.reason}", indent=4)


def _figure(metric: "MetricDocument") -> str:
    return f"{metric.value:.1f} %{_interval(metric)}"


def _interval(metric: "MetricDocument", decimals: int = 0) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f" ({metric.low:.{decimals}f} to {metric.high:.{decimals}f})"

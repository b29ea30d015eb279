"""A session as lines of text, as events come: for pipes, logs and people who do not want a screen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emgmon.events import (
    BatteryRead,
    DuplicateReceived,
    Event,
    Healed,
    LinkChanged,
    Metric,
    NotificationRejected,
    Quality,
    QualityChanged,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SensorStatus,
    SessionEnded,
    SetCompleted,
    VerdictBasis,
    channel_words,
)

SHARE = "glute_share_pct"
GRADES = {Quality.GOOD: "good again", Quality.USABLE: "only usable", Quality.REJECT: "rejected"}
BY_HAND = {"added": "added by hand", "moved": "edges moved by hand"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line for a person."""

    text: str
    is_result: bool
    """Results go to stdout, everything else to stderr."""


def lines(event: Event) -> tuple[Line, ...]:
    """Say an event in words; empty for curves and whatever else is not worth a line.

    Of several lines only the first begins at the margin, so that counting those counts events.
    """
    match event:
        case RepCompleted(uncounted=None):
            return tuple(Line(text, is_result=True) for text in _rep(event))
        case RepCompleted():
            return (Line(_uncounted(event), is_result=True),)
        case RepWithdrawn():
            return (Line(_withdrawn(event), is_result=True),)
        case Healed(n_reps=n_reps):
            return (Line(_healed(n_reps), is_result=True),)
        case SetCompleted():
            return tuple(Line(text, is_result=True) for text in _set(event))
    return () if (said := _aside(event)) is None else (Line(said, is_result=False),)


def _aside(event: Event) -> str | None:
    match event:
        case QualityChanged():
            return _quality(event)
        case SessionEnded(end_s=end_s):
            return f"session ended after {end_s:.1f} s"
        case LinkChanged(sensor=sensor, state=state, detail=detail):
            return f"link{_of(sensor)}: {state}" + (f", {detail}" if detail else "")
        case SensorStatus(sensor=sensor, said=said):
            return f"sensor {sensor}: {said}"
        case BatteryRead(sensor=sensor, level_pct=level_pct):
            return f"battery{_of(sensor)}: {level_pct} %"
        case SamplesLost(stream=stream, start_s=start_s, n_samples=n_samples):
            return f"lost {n_samples} samples of stream {stream} at {start_s:.2f} s"
        case NotificationRejected(reason=reason, clause=clause):
            return f"left out a notification: {reason} (SPEC {clause})"
        case DuplicateReceived(stream=stream, n_samples=n_samples):
            return f"left out {n_samples} repeated samples of stream {stream}"
        case _:
            return None


def _of(sensor: int) -> str:
    """Name a sensor where there are several; the first is the only one of most sessions."""
    return f" of sensor {sensor}" if sensor else ""


def _rep(rep: RepCompleted) -> Iterator[str]:
    side = f" {rep.side}" if rep.side else ""
    # The sentence of a signal that cannot be judged has said why already.
    why = f": {rep.excluded}" if rep.excluded and rep.excluded not in rep.sentence else ""
    excluded = f" (left out{why})" if rep.excluded else ""
    by_hand = f" ({BY_HAND[rep.origin]})" if rep.origin in BY_HAND else ""
    which = f"set {rep.set_number} rep {rep.number}{side}"
    share = f"glute share {_figure(_metric(rep.metrics, SHARE))}"
    yield f"{which}  {_span(rep)}  {share}  {_judgement(rep)}{excluded}{by_hand}"
    if rep.warning:
        yield f"  > {rep.warning}"


def _uncounted(movement: RepCompleted) -> str:
    side = f" {movement.side}" if movement.side else ""
    return f"set {movement.set_number} movement{side}  {_span(movement)}  not counted: {movement.uncounted}"


def _withdrawn(rep: RepWithdrawn) -> str:
    return (
        f"set {rep.set_number} rep {rep.number} taken back  {_span(rep)}  {rep.reason}"
        "; later ones of the set move up by one"
    )


def _healed(n_reps: int) -> str:
    stands = {0: "none stands", 1: "the first one stands"}.get(n_reps, f"the first {n_reps} stand")
    return f"missing samples have come: of the lines about repetitions {stands}, the others follow anew"


def _span(event: RepCompleted | RepWithdrawn) -> str:
    return f"{event.start_s:.1f}-{event.end_s:.1f} s"


def _judgement(rep: RepCompleted) -> str:
    """Name the verdict once: most sentences begin with it; and say so where it is from motion alone."""
    begun = rep.sentence.lower().replace(" ", "-").startswith(rep.verdict)
    said = rep.sentence if begun else f"{rep.verdict}: {rep.sentence}"
    from_motion = rep.verdict_basis is VerdictBasis.MOTION and "from motion" not in said
    return f"{said} (from motion)" if from_motion else said


def _quality(change: QualityChanged) -> str:
    quality = change.quality
    channel = channel_words(quality.site, quality.side)
    reason = f": {quality.reason}" if quality.reason else ""
    return f"signal of {channel} {GRADES[quality.grade]} at {change.at_s:.1f} s{reason}"


def _set(done: SetCompleted) -> Iterator[str]:
    reps = "1 rep" if done.n_reps == 1 else f"{done.n_reps} reps"
    which = f"set {done.set_number} {done.exercise}"
    share = _figure(_metric(done.summary, SHARE))
    yield f"{which}: {reps} in {done.end_s - done.start_s:.1f} s, glute share {share}"
    measured = [metric for metric in done.summary if metric.value is not None]
    levels = [
        f"{muscle} {_figure(level)}"
        for muscle in ("glute", "back", "hamstring")
        if (level := _metric(measured, f"{muscle}_engagement_pct")) is not None
    ]
    if levels:
        yield f"  {', '.join(levels)}"
    for note in done.notes:
        yield f"  {note}"


def _metric(metrics: Iterable[Metric], name: str) -> Metric | None:
    return next((metric for metric in metrics if metric.name == name), None)


def _figure(metric: Metric | None) -> str:
    """Write a percentage with its interval and what 100 % stands for."""
    if metric is None:
        return "not measured"
    if metric.value is None:
        return f"not measured ({metric.reason})" if metric.reason else "not measured"
    interval = "" if metric.low is None or metric.high is None else f" ({metric.low:.0f}-{metric.high:.0f})"
    carried = f" [100 % = {metric.normalisation}]" if metric.normalisation else ""
    return f"{metric.value:.0f} %{interval}{carried}"

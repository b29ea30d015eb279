"""A session as lines of text, one per event: for pipes, logs and people who do not want a screen."""

from dataclasses import dataclass

from emgmon.events import (
    BatteryRead,
    DuplicateReceived,
    Event,
    LinkChanged,
    Metric,
    NotificationRejected,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SessionEnded,
    SetCompleted,
)

SHARE = "glute_share_pct"
BY_HAND = {"added": "added by hand", "moved": "edges moved by hand"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line for a person."""

    text: str
    is_result: bool
    """Results go to stdout, everything else to stderr."""


def line(event: Event) -> Line | None:
    """Say an event in words; ``None`` for curves and whatever else is not worth a line."""
    match event:
        case RepCompleted():
            return Line(_rep(event) if event.uncounted is None else _uncounted(event), is_result=True)
        case RepWithdrawn():
            return Line(_withdrawn(event), is_result=True)
        case SetCompleted():
            return Line(_set(event), is_result=True)
        case SessionEnded(end_s=end_s):
            return Line(f"session ended after {end_s:.1f} s", is_result=False)
        case LinkChanged(state=state, detail=detail):
            return Line(f"link: {state}" + (f", {detail}" if detail else ""), is_result=False)
        case BatteryRead(level_pct=level_pct):
            return Line(f"battery: {level_pct} %", is_result=False)
        case SamplesLost(stream=stream, start_s=start_s, n_samples=n_samples):
            return Line(f"lost {n_samples} samples of stream {stream} at {start_s:.2f} s", is_result=False)
        case NotificationRejected(reason=reason, clause=clause):
            return Line(f"left out a notification: {reason} (SPEC {clause})", is_result=False)
        case DuplicateReceived(stream=stream, n_samples=n_samples):
            return Line(f"left out {n_samples} repeated samples of stream {stream}", is_result=False)
        case _:
            return None


def _rep(rep: RepCompleted) -> str:
    side = f" {rep.side}" if rep.side else ""
    excluded = f" (left out: {rep.excluded})" if rep.excluded else ""
    by_hand = f" ({BY_HAND[rep.origin]})" if rep.origin in BY_HAND else ""
    return (
        f"set {rep.set_number} rep {rep.number}{side}  {_span(rep)}  "
        f"glute share {_figure(_metric(rep.metrics, SHARE))}  {_judgement(rep)}{excluded}{by_hand}"
    )


def _uncounted(movement: RepCompleted) -> str:
    side = f" {movement.side}" if movement.side else ""
    return f"set {movement.set_number} movement{side}  {_span(movement)}  not counted: {movement.uncounted}"


def _withdrawn(rep: RepWithdrawn) -> str:
    return (
        f"set {rep.set_number} rep {rep.number} taken back  {_span(rep)}  {rep.reason}"
        "; later ones of the set move up by one"
    )


def _span(event: RepCompleted | RepWithdrawn) -> str:
    return f"{event.start_s:.1f}-{event.end_s:.1f} s"


def _judgement(rep: RepCompleted) -> str:
    """Name the verdict once: most sentences begin with it."""
    if rep.sentence.lower().startswith(rep.verdict):
        return rep.sentence
    return f"{rep.verdict}: {rep.sentence}"


def _set(done: SetCompleted) -> str:
    reps = "1 rep" if done.n_reps == 1 else f"{done.n_reps} reps"
    share = _figure(_metric(done.summary, SHARE))
    duration_s = done.end_s - done.start_s
    return f"set {done.set_number} {done.exercise}: {reps} in {duration_s:.1f} s, glute share {share}"


def _metric(metrics: tuple[Metric, ...], name: str) -> Metric | None:
    return next((metric for metric in metrics if metric.name == name), None)


def _figure(metric: Metric | None) -> str:
    if metric is None:
        return "not measured"
    if metric.value is None:
        return f"not measured ({metric.reason})" if metric.reason else "not measured"
    interval = "" if metric.low is None or metric.high is None else f" ({metric.low:.0f}-{metric.high:.0f})"
    return f"{metric.value:.0f} %{interval}"

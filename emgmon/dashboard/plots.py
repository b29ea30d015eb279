"""Which curves are shown, in which unit and on which scale; chosen from the state, drawn elsewhere."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from emgmon.dashboard import words
from emgmon.dashboard.ring import HopRing
from emgmon.dashboard.view import BACK_SITES, GLUTE_SITES, EmgHistory, SessionView
from emgmon.events import HOP_RATE_HZ, MovementSignal
from firmware_protocol.capabilities import Channel, StreamKind

_SCALE_HOPS = 15 * HOP_RATE_HZ
"""The scale fits this long a stretch, more than what is seen, so that it does not jump from rep to rep."""

_PERCENT_STEPS = (25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 800.0, 1000.0)
_MICROVOLT_STEPS = tuple(factor * 10.0**power for power in range(1, 6) for factor in (1, 2, 5))
_ROOM_TO_SINK = 0.9
"""A scale sinks to a lower step only when the peak stays below this part of it."""

_HEIGHT_STEPS_M = (0.1,)
_ANGLE_STEPS_DEG = (2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 90.0)
_ENGAGEMENT = {
    "GLUTE": "glute_engagement_pct",
    "BACK": "back_engagement_pct",
    "BICEPS FEMORIS": "hamstring_engagement_pct",
}
"""The metric that tells what 100 % stands for in a plot."""

_REMEMBERED_SPANS = 20
"""Times at which a channel was rejected, for drawing; more do not fit into what is seen."""

_MOST_STEPS = 4
"""A scale of a curve that goes up and down takes the first step of which this many reach across it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values at the bottom and the top of a plot."""

    low: float
    high: float
    per_unit: float = 1.0
    """Labels show the value times this: 100 shows metres in centimetres."""
    mark: float | None = None
    """A value worth a line across the plot."""


Span = tuple[float, float | None]
"""From when to when, session seconds; the end is open."""


@dataclass(frozen=True, slots=True, eq=False)
class PlotLine:
    """One curve: a line of a ring."""

    ring: HopRing
    column: int
    side: str | None
    rejected: tuple[Span, ...] = ()
    """When the channel was not to be trusted."""

    @property
    def is_rejected(self) -> bool:
        """Whether it is not to be trusted now."""
        return bool(self.rejected) and self.rejected[-1][1] is None


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """One pane with its curves."""

    title: str
    unit: str
    tone: str
    lines: tuple[PlotLine, ...]
    scale: Scale | None
    """``None`` while nothing has been measured."""
    filled: bool
    """Whether the curve stands on the bottom of the plot."""


class Tops:
    """The tops of the scales: they rise at once, but sink only when the peak is well below a lower step."""

    def __init__(self) -> None:
        self._tops: dict[str, float] = {}

    def fit(self, name: str, peak: float | None, steps: tuple[float, ...]) -> float | None:
        """Find the top for a peak; ``None`` while nothing has been measured under that name."""
        if peak is None:
            return self._tops.get(name)
        top = self._tops.get(name, 0.0)
        needed, calm = _step_above(peak, steps), _step_above(peak / _ROOM_TO_SINK, steps)
        self._tops[name] = max(needed, min(top, calm))
        return self._tops[name]


def choose_plots(view: SessionView, tops: Tops) -> tuple[Plot, ...]:
    """List the plots worth showing, the most important first."""
    emg = tuple(_emg_plots(view, tops))
    return (*emg, *_movement_plots(view, tops, alone=not emg))


@dataclass(frozen=True, slots=True, eq=False)
class _Trace:
    """A channel and where its hops are; ``None`` before the first ones came."""

    channel: Channel
    column: int
    history: EmgHistory | None

    @property
    def calibrated(self) -> bool:
        return self.history is not None and self.history.calibrated[self.column]

    def line(self, *, calibrated: bool) -> PlotLine | None:
        if self.history is None:
            return None
        ring = self.history.activation_pct if calibrated else self.history.envelope_uv
        rejected = tuple(self.history.rejected[self.column][-_REMEMBERED_SPANS:])
        return PlotLine(ring, self.column, self.channel.side, rejected)


def _emg_plots(view: SessionView, tops: Tops) -> Iterator[Plot]:
    traces = sorted(_emg_traces(view), key=lambda trace: _group(trace.channel))
    groups = [
        (group, list(members)) for group, members in itertools.groupby(traces, lambda t: _group(t.channel))
    ]
    percent = _percent_scale((trace for _, members in groups for trace in members), tops)
    for (rank, title), members in groups:
        calibrated = any(trace.calibrated for trace in members)
        lines = tuple(line for trace in members if (line := trace.line(calibrated=calibrated)))
        scale = percent if calibrated else _microvolt_scale(lines, title, tops)
        unit = _percent_unit(view, title) if calibrated else "µV" if lines else ""
        yield Plot(title, unit, ("glute", "back", "plain")[rank], lines, scale, filled=True)


def _percent_unit(view: SessionView, title: str) -> str:
    """Say what 100 % stands for, once a repetition has told."""
    normalisation = view.normalisations.get(_ENGAGEMENT.get(title, ""))
    return f"% of {normalisation or 'your reference'}"


def _emg_traces(view: SessionView) -> Iterator[_Trace]:
    for index, sensor in enumerate(view.sensors):
        for stream in sensor.streams:
            if stream.kind == StreamKind.EMG:
                history = view.emg.get((index, stream.number))
                for column, channel in enumerate(stream.channels):
                    yield _Trace(channel, column, history)


def _group(channel: Channel) -> tuple[int, str]:
    if channel.site in GLUTE_SITES:
        return 0, "GLUTE"
    if channel.site in BACK_SITES:
        return 1, "BACK"
    return 2, words.site(channel.site).upper()


def _peak(lines: Iterable[PlotLine]) -> float | None:
    """Largest value on the lines in the stretch that the scale has to fit.

    What a loose electrode gives is no reason to shrink what the others do.
    """
    lines = list(lines)
    peaks = []
    for line in [line for line in lines if not line.is_rejected] or lines:
        values = line.ring.window(line.ring.end_hop, _SCALE_HOPS)[:, line.column]
        peaks.append(float(np.fmax.reduce(values)))
    measured = [peak for peak in peaks if np.isfinite(peak)]
    return max(measured) if measured else None


def _step_above(peak: float, steps: tuple[float, ...]) -> float:
    return next((step for step in steps if step >= peak), steps[-1])


def _percent_scale(traces: Iterable[_Trace], tops: Tops) -> Scale | None:
    """One scale for glute and back, or their heights could not be compared by eye."""
    lines = [line for trace in traces if trace.calibrated and (line := trace.line(calibrated=True))]
    if not lines:
        return None
    high = tops.fit("percent", _peak(lines), _PERCENT_STEPS) or _PERCENT_STEPS[0]
    return Scale(0, high, mark=100 if high > 100 else None)


def _microvolt_scale(lines: Iterable[PlotLine], title: str, tops: Tops) -> Scale | None:
    high = tops.fit(title, _peak(lines), _MICROVOLT_STEPS)
    return None if high is None else Scale(0, high)


def _movement_plots(view: SessionView, tops: Tops, *, alone: bool) -> Iterator[Plot]:
    ring, signal = view.movement, view.movement_signal
    if ring is None or signal is None:
        if alone:
            yield Plot("MOVEMENT", "", "plain", (), None, filled=False)
        return
    lines, title = (PlotLine(ring, 0, None),), words.SIGNAL_WORDS[signal].upper()
    if signal is MovementSignal.EMG_ENVELOPE:
        yield Plot(title, signal.unit, "plain", lines, _microvolt_scale(lines, title, tops), filled=True)
    elif signal is MovementSignal.PELVIS_HEIGHT:
        yield Plot(title, "cm", "plain", lines, _swing_scale(ring, _HEIGHT_STEPS_M, 100), filled=False)
    else:
        yield Plot(title, signal.unit, "plain", lines, _swing_scale(ring, _ANGLE_STEPS_DEG, 1), filled=False)


def _swing_scale(ring: HopRing, steps: tuple[float, ...], per_unit: float) -> Scale | None:
    """Fit a scale of whole steps around a curve that goes up and down from anywhere."""
    values = ring.window(ring.end_hop, _SCALE_HOPS)
    lowest, highest = float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))
    if not np.isfinite(lowest):
        return None
    step = next((step for step in steps if highest - lowest <= _MOST_STEPS * step), steps[-1])
    low = np.floor(round(lowest / step, 6)) * step
    high = np.ceil(round(highest / step, 6)) * step
    return Scale(float(low), float(max(high, low + 2 * step)), per_unit=per_unit)

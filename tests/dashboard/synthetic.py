"""Sessions that never took place: every event is written by formula, and time is turned by hand."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.clock import Clock, ManualClock
from emgmon.errors import EmgmonError
from emgmon.events import (
    BatteryRead,
    ChannelQuality,
    EnvelopeComputed,
    Event,
    LinkChanged,
    LinkState,
    Metric,
    MovementComputed,
    MovementSignal,
    Quality,
    QualityChanged,
    QualityFigures,
    RepCompleted,
    Rewound,
    SessionEnded,
    SetCompleted,
    Verdict,
    VerdictBasis,
)
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.packets import SampleFormat

HOPS_PER_EVENT = 2
REP_S = 4.0
LEAD_S = 2.0
"""Rest before the first repetition of a set."""
REST_S = 6.0


def emg_channel(site: str, side: str | None = None) -> Channel:
    return Channel(Quantity.EMG, site, side, None, Unit.MICROVOLT, 0.1)


def sensor(*channels: Channel, imu: bool = True) -> Capabilities:
    streams = []
    if channels:
        streams.append(Stream(1, StreamKind.EMG, SampleFormat.INT16, 2000.0, channels))
    if imu:
        axes = tuple(
            Channel(Quantity.ACCELERATION, "pelvis", None, axis, Unit.METRE_PER_SECOND_SQUARED, 0.001)
            for axis in "xyz"
        )
        streams.append(Stream(2, StreamKind.IMU, SampleFormat.INT16, 100.0, axes))
    return Capabilities(0, 7, "hip-01", 0, tuple(streams))


GLUTE_AND_BACK = sensor(emg_channel("gluteus_maximus", "right"), emg_channel("erector_spinae", "right"))
BOTH_SIDES = sensor(
    *(emg_channel(site, side) for site in ("gluteus_maximus", "erector_spinae") for side in ("left", "right"))
)
IMU_ONLY = sensor()


def measured(name: str, value: float, spread: float = 0.0) -> Metric:
    low, high = (value - spread, value + spread) if spread else (None, None)
    return Metric(name, value, low, high, 1, Quality.GOOD)


def unmeasured(name: str, reason: str) -> Metric:
    return Metric(name, None, None, None, 0, Quality.REJECT, reason)


SENTENCES = {
    Verdict.GLUTE_LED: "Glute-led: activity share {share:.0f} %, above your reference of 58 %.",
    Verdict.SHARED: "Shared: activity share {share:.0f} %, within your usual range of 53 to 63 %.",
    Verdict.BACK_LED: "Back-led: activity share {share:.0f} %, below your usual range of 53 to 63 %.",
    Verdict.NO_REFERENCE: "No reference set of yours is known for this exercise yet, so this is not judged.",
}


def emg_rep(
    number: int | None, *, share: float, set_number: int = 1, start_s: float = 0.0, **changes: object
) -> RepCompleted:
    verdict = Verdict.GLUTE_LED if share > 63 else Verdict.SHARED if share >= 53 else Verdict.BACK_LED
    glute = 30.0 + share / 4
    facts = {
        "set_number": set_number,
        "number": number,
        "side": None,
        "start_s": start_s,
        "turn_s": start_s + 1.4,
        "end_s": start_s + 3.0,
        "verdict": verdict,
        "verdict_basis": VerdictBasis.EMG,
        "sentence": SENTENCES[verdict].format(share=share),
        "excluded": None,
        "metrics": (
            measured("glute_engagement_pct", glute),
            measured("back_engagement_pct", glute * (100 - share) / max(share, 1)),
            measured("glute_share_pct", share, 4.6),
            *tempo(),
        ),
    }
    return RepCompleted(**(facts | changes))  # type: ignore[arg-type]


PARTIAL = "partial: 38 % of the usual range of this set"


def partial_rep(*, set_number: int = 1, start_s: float = 0.0) -> RepCompleted:
    """A movement that is shown but not counted."""
    return emg_rep(None, share=60, set_number=set_number, start_s=start_s, uncounted=PARTIAL)


def pelvis(rotation_deg: float, tilt_deg: float) -> tuple[Metric, ...]:
    """What a leg lift shows of the pelvis."""
    return (
        measured("pelvis_rotation_range_deg", rotation_deg),
        measured("pelvis_anterior_change_deg", tilt_deg),
    )


def leg_lift(number: int, side: str, *, share: float = 60, start_s: float = 0.0) -> RepCompleted:
    """A repetition of an exercise in which a leg moves and the pelvis should not."""
    rep = emg_rep(number, share=share, start_s=start_s, side=side)
    return replace(rep, metrics=(*rep.metrics, *pelvis(12.4, 4.4)))


def motion_rep(
    number: int, *, travel_m: float = 0.42, set_number: int = 1, start_s: float = 0.0, **changes: object
) -> RepCompleted:
    rep = RepCompleted(
        set_number,
        number,
        None,
        start_s,
        start_s + 1.4,
        start_s + 3.0,
        Verdict.NO_REFERENCE,
        VerdictBasis.MOTION,
        SENTENCES[Verdict.NO_REFERENCE],
        None,
        (measured("pelvis_height_range_m", travel_m), *tempo()),
    )
    return replace(rep, **changes)  # type: ignore[arg-type]


CUE = (
    "Practice cue: glute first, back easy. 2 of the last 3 reps were outside your usual range, with less "
    "glute in the activity share."
)
MOTION_CUE = (
    "Practice cue: slow and steady. 2 of the last 3 reps were outside your usual range, from motion alone."
)
MOTION_SENTENCES = {
    Verdict.STEADY: "Steady, from motion alone: the pelvis turned by 5 degrees, within your reference.",
    Verdict.BEYOND_RANGE: "Beyond range, from motion alone: the pelvis turned by 17 degrees, outside your "
    "usual range (up to 7 degrees).",
    Verdict.CANNOT_TELL: "Cannot tell from motion: needs a gyroscope.",
}


def surrogate(number: int, verdict: Verdict, *, start_s: float = 0.0, **changes: object) -> RepCompleted:
    """A repetition that was judged from motion alone."""
    facts = {
        "verdict": verdict,
        "sentence": MOTION_SENTENCES[verdict],
        "side": "left",
        "metrics": (*pelvis(17.2, 3.4), *tempo()),
    }
    return motion_rep(number, start_s=start_s, **(facts | changes))


def normalised(rep: RepCompleted, method: str) -> RepCompleted:
    """The same repetition with percentages that carry what 100 % stands for."""
    metrics = (
        replace(metric, normalisation=method) if metric.name.endswith("_pct") else metric
        for metric in rep.metrics
    )
    return replace(rep, metrics=tuple(metrics))


NO_SIGNAL = "the electrode gives no signal"
FIGURES = QualityFigures(noise_uv=2.14, snr_db=22.3, hum_ratio=0.031, hum_hz=50.0, clipped_share=0.0)


def graded(channel: Channel, grade: Quality, reason: str | None = None) -> ChannelQuality:
    return ChannelQuality(channel.site, channel.side, grade, reason, FIGURES)


def quality_changed(
    capabilities: Capabilities, row: int, grade: Quality, reason: str | None = None, *, at_s: float = 5.0
) -> QualityChanged:
    """A channel of the first stream became better or worse."""
    stream = capabilities.streams[0]
    return QualityChanged(0, stream.number, row, at_s, graded(stream.channels[row], grade, reason))


def tempo() -> tuple[Metric, ...]:
    return measured("lift_s", 1.2), measured("hold_s", 0.4), measured("return_s", 1.4)


def closed_set(reps: Sequence[RepCompleted], exercise: str = "bridge") -> SetCompleted:
    names = [metric.name for metric in reps[0].metrics]
    summary = []
    for name in names:
        values = [m.value for rep in reps for m in rep.metrics if m.name == name and m.value is not None]
        summary.append(measured(name, float(np.mean(values)), 2.1 if name.endswith("share_pct") else 0.0))
    return SetCompleted(
        reps[0].set_number, exercise, reps[0].start_s, reps[-1].end_s, len(reps), tuple(summary)
    )


@dataclass
class Script:
    """A session as (time, event), in order of time."""

    capabilities: Capabilities
    shares: Sequence[float] = (66, 68, 64, 61, 57, 55, 49, 46)
    n_sets: int = 1
    calibrated: bool = True
    missing_s: tuple[float, float] = (0.0, 0.0)

    def timed_events(self) -> list[tuple[float, Event]]:
        return sorted(self._events(), key=lambda timed: timed[0])

    @property
    def set_s(self) -> float:
        return LEAD_S + REP_S * len(self.shares) + REST_S

    @property
    def duration_s(self) -> float:
        return self.n_sets * self.set_s

    def rep_starts(self, set_index: int) -> NDArray[np.float64]:
        return set_index * self.set_s + LEAD_S + REP_S * np.arange(len(self.shares))

    def _events(self) -> Iterator[tuple[float, Event]]:
        yield 0.0, BatteryRead(0, 87)
        yield from self._hops()
        for set_index in range(self.n_sets):
            reps = []
            for number, start_s in enumerate(self.rep_starts(set_index), start=1):
                reps.append(self._rep(number, set_index, float(start_s)))
                yield reps[-1].end_s + 0.2, reps[-1]
            yield (set_index + 1) * self.set_s - 0.5, closed_set(reps)
        yield self.duration_s, SessionEnded(self.duration_s)

    def _rep(self, number: int, set_index: int, start_s: float) -> RepCompleted:
        if not self._has_emg:
            return motion_rep(number, travel_m=0.4 + 0.01 * number, set_number=set_index + 1, start_s=start_s)
        share = self.shares[number - 1]
        return emg_rep(number, share=share, set_number=set_index + 1, start_s=start_s)

    @property
    def _has_emg(self) -> bool:
        return any(stream.kind is StreamKind.EMG for stream in self.capabilities.streams)

    def _hops(self) -> Iterator[tuple[float, Event]]:
        time_s = np.arange(round(self.duration_s * 100)) / 100
        effort, share = self._effort(time_s)
        noise = np.random.default_rng(5).normal(1.0, 0.09, (len(time_s), 4))
        for first in range(0, len(time_s), HOPS_PER_EVENT):
            hops = slice(first, first + HOPS_PER_EVENT)
            end_s = (first + HOPS_PER_EVENT) / 100
            for stream in self.capabilities.streams:
                if stream.kind is StreamKind.IMU:
                    height = 0.42 * (effort[hops] - (not self._has_emg)) * (1 if self._has_emg else -1)
                    yield end_s, MovementComputed(first, MovementSignal.PELVIS_HEIGHT, height)
                else:
                    yield end_s, self._envelope(stream, first, effort[hops], share[hops], noise[hops])

    def _effort(self, time_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far each moment is into a repetition, 0 to 1, and the share of that repetition."""
        effort, share = np.zeros_like(time_s), np.full_like(time_s, 60.0)
        for set_index in range(self.n_sets):
            for start_s, rep_share in zip(self.rep_starts(set_index), self.shares, strict=True):
                phase = (time_s - start_s) / 3.0
                within = (phase >= 0) & (phase <= 1)
                effort[within] = np.sin(np.pi * phase[within]) ** 2
                share[within] = rep_share
        return effort, share

    def _envelope(
        self,
        stream: Stream,
        first_hop: int,
        effort: NDArray[np.float64],
        share: NDArray[np.float64],
        noise: NDArray[np.float64],
    ) -> EnvelopeComputed:
        columns = []
        for index, channel in enumerate(stream.channels):
            part = share if channel.site.startswith("gluteus") else 100 - share
            columns.append((1.5 + effort * part) * noise[: len(effort), index])
        activation = np.column_stack(columns)
        time_s = (first_hop + np.arange(len(effort))) / 100
        activation[(time_s >= self.missing_s[0]) & (time_s < self.missing_s[1])] = np.nan
        percent = activation if self.calibrated else np.full_like(activation, np.nan)
        return EnvelopeComputed(0, stream.number, first_hop, 1.8 * activation, percent)


@dataclass
class SyntheticFeed:
    """Plays a script by a clock; live unless it is given a transport."""

    script: Script
    clock: Clock = field(default_factory=ManualClock)
    title: str = "hip-01"
    exercise: str | None = "bridge"
    transport: "SyntheticTransport | None" = None
    error: EmgmonError | None = None
    poll_error: EmgmonError | None = None
    sensors: tuple[Capabilities, ...] = ()
    n_closed: int = 0
    n_polls: int = 0
    pending: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._timed = self.script.timed_events()
        self._next = 0
        self._start_ns: int | None = None
        if self.transport is not None:
            self.transport.duration_s = self.script.duration_s

    async def open(self) -> None:
        if self.error is not None:
            raise self.error
        self.sensors = (self.script.capabilities,)
        self._start_ns = self.clock.now_ns()
        if self.transport is None:
            self.pending.append(LinkChanged(0, LinkState.STREAMING))

    def poll(self) -> Sequence[Event]:
        self.n_polls += 1
        if self.poll_error is not None:
            raise self.poll_error
        events, self.pending = self.pending, []
        if self._start_ns is None:
            return events
        if self.transport is not None and self.transport.sought:
            self.transport.sought = False
            self._next = 0
            events.append(Rewound())
        position_s = self._position_s()
        while self._next < len(self._timed) and self._timed[self._next][0] <= position_s + 1e-9:
            events.append(self._timed[self._next][1])
            self._next += 1
        return events

    @property
    def next_s(self) -> float:
        """Session time of the first event that has not been given out; ``inf`` at the end."""
        return self._timed[self._next][0] if self._next < len(self._timed) else math.inf

    async def close(self) -> None:
        self.n_closed += 1

    def _position_s(self) -> float:
        assert self._start_ns is not None
        elapsed_s = (self.clock.now_ns() - self._start_ns) / 1e9
        return elapsed_s if self.transport is None else self.transport.at(elapsed_s)


@dataclass
class SyntheticTransport:
    """Pause, speed and seek by the book."""

    duration_s: float = 0.0
    speed: float = 1.0
    paused: bool = False
    position_s: float = 0.0
    sought: bool = False
    _seen_s: float = 0.0

    def at(self, elapsed_s: float) -> float:
        if not self.paused:
            self.position_s = min(self.duration_s, self.position_s + (elapsed_s - self._seen_s) * self.speed)
        self._seen_s = elapsed_s
        return self.position_s

    def toggle_pause(self) -> None:
        self.paused = not self.paused

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def seek(self, position_s: float) -> None:
        self.position_s, self.sought = position_s, True

"""The state behind the screen: events are applied to it, widgets read it; it knows no widget and no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from emgmon.dashboard import words
from emgmon.dashboard.ring import HopRing
from emgmon.events import (
    HOP_RATE_HZ,
    BatteryRead,
    DuplicateReceived,
    EnvelopeComputed,
    Event,
    Healed,
    LinkChanged,
    LinkState,
    Metric,
    MovementComputed,
    MovementSignal,
    NotificationRejected,
    Quality,
    QualityChanged,
    RepCompleted,
    RepWithdrawn,
    Rewound,
    SamplesLost,
    SamplesMissing,
    SensorStatus,
    SessionEnded,
    SetCompleted,
)
from firmware_protocol.capabilities import Capabilities, Channel, Stream, StreamKind

GLUTE_SITES = frozenset({"gluteus_maximus", "gluteus_medius"})
BACK_SITES = frozenset({"erector_spinae", "multifidus"})


def find_metric(metrics: Iterable[Metric], name: str) -> Metric | None:
    """Find the metric of that name, measured or not."""
    return next((metric for metric in metrics if metric.name == name), None)


def metric_value(metrics: Iterable[Metric], name: str) -> float | None:
    """Find the figure of that name, ``None`` when it was not measured."""
    metric = find_metric(metrics, name)
    return None if metric is None else metric.value


@dataclass(slots=True, eq=False)
class EmgHistory:
    """The newest envelope hops of one EMG stream."""

    channels: tuple[Channel, ...]
    envelope_uv: HopRing
    activation_pct: HopRing
    calibrated: list[bool]
    """Per channel: whether any activation has been measured, so that percent can be shown."""
    rejected: list[list[tuple[float, float | None]]]
    """Per channel: from when to when, session seconds, it was rejected; the last may be open."""


@dataclass(slots=True, eq=False)
class SessionView:
    """Everything a screen shows of one session."""

    sensors: tuple[Capabilities, ...] = ()
    links: dict[int, LinkChanged] = field(default_factory=dict)
    battery_pct: dict[int, int] = field(default_factory=dict)
    lost_samples: dict[tuple[int, int], int] = field(default_factory=dict)
    """By sensor and stream."""
    missing_samples: dict[tuple[int, int], int] = field(default_factory=dict)
    """By sensor and stream: how many may still come."""
    statuses: dict[int, str] = field(default_factory=dict)
    """By sensor: the newest that it said about itself, in words."""
    n_rejected: int = 0
    n_duplicates: int = 0
    movements: list[RepCompleted] = field(default_factory=list)
    """Repetitions in order, and among them the movements that are not counted: they have no number."""
    movements_revision: int = 0
    """Grows whenever :attr:`movements` changes."""
    normalisations: dict[str, str] = field(default_factory=dict)
    """What 100 % stands for, by metric, as far as a repetition has told."""
    sets: list[SetCompleted] = field(default_factory=list)
    emg: dict[tuple[int, int], EmgHistory] = field(default_factory=dict)
    """By sensor and stream."""
    quality: dict[tuple[int, int, int], QualityChanged] = field(default_factory=dict)
    """Where channels stand that ever changed, by sensor, stream and channel; the others are good."""
    movement: HopRing | None = None
    movement_signal: MovementSignal | None = None
    """What :attr:`movement` is; ``None`` before it came."""
    end_hop: int = 0
    """One past the newest hop of any signal."""
    revision: int = 0
    """Grows with every event."""
    ended: bool = False
    _told_reps: list[RepCompleted | RepWithdrawn] = field(default_factory=list)
    """What :attr:`movements` was made of; the end of it may be taken back."""
    _told_quality: list[QualityChanged] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Take in one event."""
        self.revision += 1
        match event:
            case EnvelopeComputed():
                self._append_envelope(event)
            case MovementComputed():
                self._append_movement(event)
            case RepCompleted() | RepWithdrawn():
                self._told_reps.append(event)
                self._note_rep(event)
            case Healed():
                self._take_back(event)
            case SetCompleted():
                self.sets.append(event)
            case SamplesLost():
                key = (event.sensor, event.stream)
                self.lost_samples[key] = self.lost_samples.get(key, 0) + event.n_samples
            case SamplesMissing():
                self.missing_samples[event.sensor, event.stream] = event.n_samples
            case SensorStatus():
                self.statuses[event.sensor] = event.said
            case QualityChanged():
                self._told_quality.append(event)
                self._note_quality(event)
            case NotificationRejected():
                self.n_rejected += 1
            case DuplicateReceived():
                self.n_duplicates += 1
            case BatteryRead():
                self.battery_pct[event.sensor] = event.level_pct
            case LinkChanged():
                self.links[event.sensor] = event
            case SessionEnded():
                self.ended = True
            case Rewound():
                self._forget()

    @property
    def end_s(self) -> float:
        """Session time up to which anything was computed."""
        return self.end_hop / HOP_RATE_HZ

    @property
    def link(self) -> LinkChanged | None:
        """The link a person has to know of: the worst one."""
        return min(self.links.values(), key=lambda link: words.LINK_ORDER.index(link.state), default=None)

    @property
    def streaming(self) -> bool:
        """Whether every sensor sends, as far as links are reported."""
        return all(link.state is LinkState.STREAMING for link in self.links.values())

    @property
    def lowest_battery_pct(self) -> int | None:
        return min(self.battery_pct.values(), default=None)

    @property
    def loss_pct(self) -> float | None:
        """Lost samples as a share of those expected so far; ``None`` before anything is expected."""
        rates_hz = [stream.rate_hz for sensor in self.sensors for stream in sensor.streams]
        expected = sum(rates_hz) * self.end_s
        if expected <= 0:
            return None
        return min(100.0, 100 * sum(self.lost_samples.values()) / expected)

    @property
    def fetching_s(self) -> float | None:
        """The longest stretch of a stream that is missing and may still come; ``None`` when nothing is."""
        stretches = [
            n_samples / stream.rate_hz
            for key, n_samples in self.missing_samples.items()
            if n_samples and (stream := self._stream(*key)) is not None
        ]
        return max(stretches, default=None)

    @property
    def emg_channels(self) -> list[tuple[tuple[int, int, int], Channel]]:
        """Every EMG channel in column order, with its sensor, stream and row."""
        return [
            ((index, stream.number, row), channel)
            for index, sensor in enumerate(self.sensors)
            for stream in sensor.streams
            if stream.kind == StreamKind.EMG
            for row, channel in enumerate(stream.channels)
        ]

    @property
    def has_emg(self) -> bool:
        """Whether glute or back is worn: without either there is no activity share."""
        return any(channel.site in GLUTE_SITES | BACK_SITES for _, channel in self.emg_channels)

    @property
    def troubles(self) -> list[QualityChanged]:
        """The channels that are not good just now, the rejected ones first."""
        found = [change for change in self.quality.values() if change.quality.grade is not Quality.GOOD]
        return sorted(found, key=lambda change: change.quality.grade is not Quality.REJECT)

    @property
    def cue(self) -> str | None:
        """What to tell the person now; gone with the next repetition that calls for nothing."""
        newest = next((rep for rep in reversed(self.movements) if rep.uncounted is None), None)
        return None if newest is None else newest.warning

    @property
    def reps(self) -> list[RepCompleted]:
        """The counted repetitions."""
        return [rep for rep in self.movements if rep.uncounted is None]

    @property
    def newest(self) -> RepCompleted | None:
        """The newest repetition or movement."""
        return self.movements[-1] if self.movements else None

    @property
    def set_number(self) -> int | None:
        """The set of the newest counted repetition; ``None`` before the first one."""
        return next((rep.set_number for rep in reversed(self.movements) if rep.uncounted is None), None)

    @property
    def n_reps_in_set(self) -> int:
        return 0 if self.set_number is None else len(self.reps_of_set(self.set_number))

    @property
    def last_set(self) -> SetCompleted | None:
        return self.sets[-1] if self.sets else None

    @property
    def set_is_closed(self) -> bool:
        """Whether the set of the newest repetition has ended."""
        closed, number = self.last_set, self.set_number
        return closed is not None and number is not None and closed.set_number >= number

    def reps_of_set(self, set_number: int) -> list[RepCompleted]:
        return [rep for rep in self.reps if rep.set_number == set_number]

    def n_uncounted_in_set(self, set_number: int) -> int:
        return sum(rep.set_number == set_number and rep.uncounted is not None for rep in self.movements)

    def _note_rep(self, event: RepCompleted | RepWithdrawn) -> None:
        self.movements_revision += 1
        if isinstance(event, RepWithdrawn):
            self._withdraw(event)
            return
        self.movements.append(event)
        for metric in event.metrics:
            if metric.normalisation is not None:
                self.normalisations[metric.name] = metric.normalisation

    def _withdraw(self, event: RepWithdrawn) -> None:
        """Take a repetition out of the count; it stays to be seen with the reason, later ones move up."""
        for place, rep in enumerate(self.movements):
            if rep.set_number != event.set_number or rep.number is None:
                continue
            if rep.number == event.number:
                self.movements[place] = replace(rep, number=None, uncounted=event.reason)
            elif rep.number > event.number:
                self.movements[place] = replace(rep, number=rep.number - 1)

    def _take_back(self, event: Healed) -> None:
        """Forget what was told without the samples that have come now; it follows anew."""
        reps, quality = self._told_reps[: event.n_reps], self._told_quality[: event.n_quality]
        self._told_reps, self._told_quality = reps, quality
        self.movements, self.quality = [], {}
        self.movements_revision += 1
        for rep in reps:
            self._note_rep(rep)
        for history in self.emg.values():
            history.rejected[:] = [[] for _ in history.rejected]
        for change in quality:
            self._note_quality(change)

    def _append_envelope(self, event: EnvelopeComputed) -> None:
        history = self._history(event)
        if history is None:
            return
        history.envelope_uv.append(event.first_hop, event.envelope_uv)
        history.activation_pct.append(event.first_hop, event.activation_pct)
        for channel in np.flatnonzero(np.isfinite(event.activation_pct).any(axis=0)):
            history.calibrated[channel] = True
        self.end_hop = max(self.end_hop, event.first_hop + len(event.envelope_uv))

    def _note_quality(self, event: QualityChanged) -> None:
        self.quality[event.sensor, event.stream, event.channel] = event
        history = self.emg.get((event.sensor, event.stream))
        if history is None or event.channel >= len(history.rejected):
            return
        spans = history.rejected[event.channel]
        is_open = bool(spans) and spans[-1][1] is None
        if event.quality.grade is Quality.REJECT and not is_open:
            spans.append((event.at_s, None))
        elif event.quality.grade is not Quality.REJECT and is_open:
            spans[-1] = spans[-1][0], event.at_s

    def _rejected_before(self, *key: int) -> list[tuple[float, float | None]]:
        """Since when a channel is rejected of which no hop has come yet."""
        change = self.quality.get((key[0], key[1], key[2]))
        rejected = change is not None and change.quality.grade is Quality.REJECT
        return [(change.at_s, None)] if change is not None and rejected else []

    def _history(self, event: EnvelopeComputed) -> EmgHistory | None:
        """Where the hops of a stream go; ``None`` when no sensor told of it: it has no labels."""
        key = (event.sensor, event.stream)
        if key not in self.emg:
            stream = self._stream(event.sensor, event.stream)
            n_channels = event.envelope_uv.shape[1]
            if stream is None or len(stream.channels) != n_channels:
                return None
            rings = HopRing(n_channels), HopRing(n_channels)
            self.emg[key] = EmgHistory(
                stream.channels,
                *rings,
                calibrated=[False] * n_channels,
                rejected=[self._rejected_before(*key, channel) for channel in range(n_channels)],
            )
        return self.emg[key]

    def _stream(self, sensor: int, number: int) -> Stream | None:
        if sensor >= len(self.sensors):
            return None
        return next((stream for stream in self.sensors[sensor].streams if stream.number == number), None)

    def _append_movement(self, event: MovementComputed) -> None:
        if self.movement is None:
            self.movement = HopRing(1)
        self.movement_signal = event.signal
        self.movement.append(event.first_hop, event.values[:, np.newaxis])
        self.end_hop = max(self.end_hop, event.first_hop + len(event.values))

    def _forget(self) -> None:
        """Back to the beginning of the session; what the sensors are and how their links stand remains."""
        fresh = SessionView(
            sensors=self.sensors,
            links=self.links,
            revision=self.revision,
            movements_revision=self.movements_revision + 1,
        )
        for name in SessionView.__slots__:
            setattr(self, name, getattr(fresh, name))

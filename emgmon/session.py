"""The engine: notifications in, events out; the only place where dsp, reps and metrics meet."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.orientation import LONGEST_BRIDGED_S
from emgmon.dsp.pelvis_motion import PelvisMotionHops
from emgmon.dsp.timeline import SampleClock, missing_runs
from emgmon.events import (
    HOP_RATE_HZ,
    BatteryRead,
    DuplicateReceived,
    EnvelopeComputed,
    MovementComputed,
    Notification,
    NotificationBatch,
    NotificationKind,
    NotificationRejected,
    SamplesLost,
    SessionEnded,
    SessionEvent,
)
from emgmon.exercises import Exercise, load_exercise
from emgmon.judging import Judging, JudgingState, MotionLoss
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.reps.envelope import EnvelopeReps, EnvelopeRepsState
from emgmon.reps.found import Found, RepFound, RestLeft
from emgmon.reps.height import HeightReps, HeightRepsState
from emgmon.streams import PelvisStream, PlacedGap, SensorState, SensorStreams
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.decoder import DecoderEvent, Duplicate, Gap, Reject, SampleBlock
from firmware_protocol.errors import ProtocolError

SET_REST_S = 12.0
"""A set is over after this long without a repetition and without the beginning of one."""

AFTER_BREAK_HOPS = HOP_RATE_HZ
"""A repetition that begins this soon after a break in the motion does not vote."""


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """What has to be known before the first notification."""

    sensors: tuple[Capabilities, ...]
    exercise: str | None
    calibration: Calibration | None
    reference: ReferenceSet | None


@dataclass(slots=True)
class _MovementState:
    """Where the movement signal stands."""

    next_hop: int = 0
    end_s: float = 0.0
    """Session time after the newest sample of any stream."""
    away: bool = False
    """A repetition may be under way."""
    last_end_hop: int | None = None
    """End of the newest repetition of the set under way; ``None`` between sets."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """All that a session's past leaves to its future; put back into a session of the same setup."""

    sensors: tuple[SensorState, ...]
    height_reps: HeightRepsState
    envelope_reps: EnvelopeRepsState
    movement: _MovementState
    judging: JudgingState
    ended: bool


class Session:
    """One session from the first notification to the last, sans IO.

    The same notifications give the same events, live, replayed or all at once. Repetitions and sets do
    not depend on how the samples were cut; `EnvelopeComputed` and `MovementComputed` come in portions
    that do, while their values do not.
    """

    def __init__(self, setup: SessionSetup) -> None:
        self.setup = setup
        self.exercise = load_exercise(setup.exercise) if setup.exercise is not None else None
        self._sensors = [SensorStreams(i, capabilities) for i, capabilities in enumerate(setup.sensors)]
        self._emg = [stream for sensor in self._sensors for stream in sensor.emg]
        for stream in self._emg:
            stream.calibrate(setup.calibration)
        self._judging = Judging(
            exercise=self.exercise,
            streams=self._emg,
            calibration=setup.calibration,
            reference=setup.reference,
        )
        self._pelvis = self._choose_pelvis(self.exercise)
        self._height_reps = HeightReps(direction=self.exercise.direction if self.exercise else 1)
        self._envelope_reps = EnvelopeReps()
        self._movement = _MovementState()
        self._ended = False

    @property
    def state(self) -> SessionState:
        """All that the past leaves to the future; a copy, and settable."""
        return SessionState(
            sensors=tuple(sensor.state for sensor in self._sensors),
            height_reps=self._height_reps.state,
            envelope_reps=self._envelope_reps.state,
            movement=replace(self._movement),
            judging=self._judging.state,
            ended=self._ended,
        )

    @state.setter
    def state(self, state: SessionState) -> None:
        for sensor, kept in zip(self._sensors, state.sensors, strict=True):
            sensor.state = kept
        self._height_reps.state, self._envelope_reps.state = state.height_reps, state.envelope_reps
        self._movement, self._judging.state = replace(state.movement), state.judging
        self._ended = state.ended

    def _choose_pelvis(self, exercise: Exercise | None) -> PelvisStream | None:
        if exercise is None or exercise.movement_signal != "pelvis_height":
            return None
        return next((sensor.pelvis for sensor in self._sensors if sensor.pelvis is not None), None)

    @property
    def movement_signal(self) -> str | None:
        """What repetitions are found on; ``None`` when nothing serves, so none will be found."""
        if self.exercise is None:
            return None
        if self._pelvis is not None:
            return "pelvis_height"
        return "emg_envelope" if self._emg else None

    @property
    def limits(self) -> tuple[str, ...]:
        """Sentences about what cannot be given with this setup, and why."""
        said = [
            f"EMG stream {number} of sensor {i} is too slow: no band is left above the 30 Hz high-pass"
            for i, sensor in enumerate(self._sensors)
            for number in sensor.too_slow
        ]
        if self.exercise is None:
            said.append("no exercise is named, so no repetitions are counted: give one with --exercise")
        elif self.exercise.movement_signal == "emg_envelope":
            said.append(
                f"repetitions of {self.exercise.name} are counted on the EMG envelope in this version"
            )
            if not self._emg:
                said.append("no EMG was recorded, so nothing can be counted")
        elif self._pelvis is None:
            on = "counted on the EMG envelope" if self._emg else "not counted"
            said.append(f"no six-axis motion sensor on the pelvis: repetitions are {on}")
        return tuple(said)

    def receive(self, notification: Notification) -> list[SessionEvent]:
        """Take one notification."""
        sensor = notification.sensor
        if sensor >= len(self._sensors):
            return [_unknown(sensor)]
        if notification.kind is not NotificationKind.DATA:
            return self._receive_other(sensor, notification.kind, notification.payload)
        return [*self._follow(sensor, self._sensors[sensor].decode(notification.payload)), *self._release()]

    def receive_many(self, batch: NotificationBatch) -> list[SessionEvent]:
        """Take many notifications; gives what `receive` gives one by one."""
        events: list[SessionEvent] = []
        changes = np.flatnonzero((np.diff(batch.kind) != 0) | (np.diff(batch.sensor) != 0)) + 1
        for start, stop in zip([0, *changes], [*changes, len(batch)], strict=True):
            if start == stop:
                continue
            sensor, kind = int(batch.sensor[start]), int(batch.kind[start])
            if sensor >= len(self._sensors):
                events.extend([_unknown(sensor)] * int(stop - start))
                continue
            offsets = batch.offsets[start : stop + 1]
            if kind == NotificationKind.DATA:
                decoded = self._sensors[sensor].decode_many(batch.data, offsets)
                events.extend(self._follow(sensor, decoded))
                events.extend(self._release())
                continue
            for first, last in itertools.pairwise(offsets):
                events.extend(self._receive_other(sensor, kind, batch.data[first:last].tobytes()))
        return events

    def finish(self) -> list[SessionEvent]:
        """Nothing more will come: close what is open. Calling it again gives nothing."""
        if self._ended:
            return []
        self._ended = True
        events: list[SessionEvent] = []
        for index, stream in enumerate(self._emg):
            events.extend(self._take_envelope(index, stream.pipeline.finish()))
        if self._pelvis is not None:
            events.extend(self._take_motion(self._pelvis.pipeline.finish()))
            self._take_found(self._height_reps.finish())
        elif self.movement_signal is not None:
            self._take_found(self._envelope_reps.finish())
        if self._movement.last_end_hop is not None:
            self._judging.close_set()
        events.extend(self._release())
        return [*events, SessionEnded(self._movement.end_s)]

    def _release(self) -> list[SessionEvent]:
        return self._judging.release(movement_hop=self._movement.next_hop, nothing_more=self._ended)

    def _receive_other(self, sensor: int, kind: int, payload: bytes) -> list[SessionEvent]:
        if kind == NotificationKind.BATTERY and len(payload) == 1:
            return [BatteryRead(sensor, payload[0])]
        if kind == NotificationKind.CONTROL:
            return self._receive_control(sensor, payload)
        return []

    def _receive_control(self, sensor: int, payload: bytes) -> list[SessionEvent]:
        try:
            response = Response.from_bytes(payload)
            if response.opcode == Opcode.START and response.status == Status.OK:
                gaps = self._sensors[sensor].start(Started.from_bytes(response.payload))
                return [event for gap in gaps for event in self._skip(sensor, gap)]
        except ProtocolError as fault:
            return [NotificationRejected(sensor, str(fault), fault.clause)]
        return []

    def _follow(self, sensor: int, decoded: Iterable[DecoderEvent]) -> list[SessionEvent]:
        """Run what the decoder said through the pipeline of its stream."""
        events: list[SessionEvent] = []
        for event in decoded:
            if isinstance(event, Reject):
                events.append(NotificationRejected(sensor, event.reason, event.clause))
            elif isinstance(event, Duplicate):
                events.append(DuplicateReceived(sensor, event.stream, event.n_samples))
            elif isinstance(event, Gap):
                clock = self._sensors[sensor].clock(event.stream)
                gap = PlacedGap(event.stream, event.first_sample, event.n_samples, clock)
                events.extend(self._skip(sensor, gap))
            else:
                events.extend(self._take_block(sensor, event))
        return events

    def _skip(self, sensor: int, gap: PlacedGap) -> list[SessionEvent]:
        """Run missing samples through the pipeline of their stream."""
        clock, place = gap.clock, (gap.n_samples, gap.clock, gap.first_sample)
        lost = SamplesLost(sensor, gap.stream, clock.seconds(gap.first_sample), gap.n_samples)
        events: list[SessionEvent] = [lost]
        self._note_end(clock, gap.first_sample + gap.n_samples)
        for index, stream in enumerate(self._emg):
            if (stream.sensor, stream.number) == (sensor, gap.stream):
                for hops in stream.pipeline.skip(*place):
                    events.extend(self._take_envelope(index, hops))
        if self._is_pelvis(sensor, gap.stream) and self._pelvis is not None:
            self._note_motion_loss(clock, gap.first_sample, gap.n_samples)
            for motion in self._pelvis.pipeline.skip(*place):
                events.extend(self._take_motion(motion))
        return events

    def _note_end(self, clock: SampleClock, next_sample: int) -> None:
        self._movement.end_s = max(self._movement.end_s, clock.seconds(next_sample))

    def _note_motion_loss(self, clock: SampleClock, first_sample: int, n_samples: int) -> None:
        first_hop = int(clock.seconds(first_sample) * HOP_RATE_HZ)
        last_hop = int(clock.seconds(first_sample + n_samples) * HOP_RATE_HZ) + 1
        if n_samples > LONGEST_BRIDGED_S * clock.rate_hz:
            # Where the pelvis was when the sight came back is a guess; what begins right then is one, too.
            last_hop += AFTER_BREAK_HOPS
        self._judging.take_motion_loss(MotionLoss(first_hop, last_hop, n_samples / clock.rate_hz))

    def _take_block(self, sensor: int, block: SampleBlock) -> list[SessionEvent]:
        streams = self._sensors[sensor]
        streams.note_block(block)
        clock = streams.clock(block.stream)
        self._note_end(clock, block.first_sample + len(block.values))
        for index, stream in enumerate(self._emg):
            if (stream.sensor, stream.number) == (sensor, block.stream):
                hops = stream.pipeline.process(stream.physical(block), clock, block.first_sample)
                return self._take_envelope(index, hops)
        if self._is_pelvis(sensor, block.stream) and self._pelvis is not None:
            samples = self._pelvis.physical(block)
            for start, stop, missing in missing_runs(samples):
                if missing:
                    self._note_motion_loss(clock, block.first_sample + start, stop - start)
            return self._take_motion(self._pelvis.pipeline.process(samples, clock, block.first_sample))
        return []

    def _is_pelvis(self, sensor: int, stream: int) -> bool:
        return self._pelvis is not None and (self._pelvis.sensor, self._pelvis.number) == (sensor, stream)

    def _take_envelope(self, index: int, hops: EnvelopeHops) -> list[SessionEvent]:
        if not len(hops.envelope_uv):
            return []
        stream = self._emg[index]
        self._judging.take_envelope(index, hops)
        activation = stream.activation_pct(hops.envelope_uv)
        events: list[SessionEvent] = [
            EnvelopeComputed(stream.sensor, stream.number, hops.first_hop, hops.envelope_uv, activation)
        ]
        if self.movement_signal == "emg_envelope" and index == self._movement_stream():
            activity = _mean_measured(hops.envelope_uv[:, self._movement_columns(index)])
            events.append(MovementComputed(hops.first_hop, "emg_envelope", activity))
            self._take_found(self._envelope_reps.process(hops.first_hop, activity))
            self._advance(hops.first_hop + len(activity))
        return events

    def _movement_columns(self, index: int) -> list[int]:
        """Columns of glute and back in an EMG stream, or all of them where it has neither."""
        first = sum(len(stream.sites) for stream in self._emg[:index])
        n_columns = len(self._emg[index].sites)
        own = [column - first for column in self._judging.body.watched if first <= column < first + n_columns]
        return own or list(range(n_columns))

    def _movement_stream(self) -> int:
        """Choose the EMG stream that repetitions are found on: the first that holds glute or back."""
        first = min(self._judging.body.watched, default=0)
        for index, stream in enumerate(self._emg):
            if first < len(stream.sites):
                return index
            first -= len(stream.sites)
        return 0

    def _take_motion(self, motion: PelvisMotionHops) -> list[SessionEvent]:
        if not len(motion.height_m):
            return []
        self._take_found(self._height_reps.process(motion))
        self._advance(motion.next_hop)
        return [MovementComputed(motion.first_hop, "pelvis_height", motion.height_m)]

    def _take_found(self, found: Iterable[Found]) -> None:
        movement = self._movement
        for news in found:
            movement.away = isinstance(news, RestLeft)
            if isinstance(news, RestLeft):
                self._close_set_if_rested(news.hop)
            elif isinstance(news, RepFound):
                self._judging.take_rep(news)
                movement.last_end_hop = news.end_hop

    def _advance(self, next_hop: int) -> None:
        self._movement.next_hop = next_hop
        if not self._movement.away:
            self._close_set_if_rested(next_hop)

    def _close_set_if_rested(self, hop: int) -> None:
        last = self._movement.last_end_hop
        if last is not None and hop - last > SET_REST_S * HOP_RATE_HZ:
            self._judging.close_set()
            self._movement.last_end_hop = None


def _unknown(sensor: int) -> NotificationRejected:
    return NotificationRejected(sensor, f"there is no sensor {sensor} in this session", clause="")


def _mean_measured(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the channels that were measured, shape (n_hops,); NaN where none was."""
    total, count = np.zeros(len(columns)), np.zeros(len(columns))
    for column in columns.T:
        measured = ~np.isnan(column)
        total += np.where(measured, column, 0.0)
        count += measured
    mean: NDArray[np.float64] = np.full(len(columns), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean

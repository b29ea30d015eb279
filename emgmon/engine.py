"""The engine: samples in their order in, events out; the only place where dsp, reps and metrics meet."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from emgmon.attitude import LUMBAR, Attitude
from emgmon.dsp.alignment import Alignment
from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.orientation import LONGEST_BRIDGED_S, OrientationHops
from emgmon.dsp.pipeline import EmgHops, MotionHops
from emgmon.dsp.rates import envelope_limits, rate_limits
from emgmon.dsp.timeline import SampleClock, missing_runs
from emgmon.events import (
    HOP_RATE_HZ,
    EnvelopeComputed,
    MovementSignal,
    SamplesLost,
    SessionEnded,
    SessionEvent,
)
from emgmon.exercises import Exercise, load_exercise
from emgmon.intake import Heard, Lost
from emgmon.judging import Judging, JudgingRules, JudgingState, MotionLoss, Partials
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.engagement import find_body
from emgmon.metrics.reference import ReferenceSet
from emgmon.movement import Followed, Movement, MovementState, movement_limits
from emgmon.reps.corrections import Corrected, CorrectedState, Correction
from emgmon.reps.found import Found, RepFound, RestLeft
from emgmon.streams import (
    EmgStream,
    MotionStream,
    PlacedGap,
    SensorState,
    SensorStreams,
    StreamRefinement,
)
from emgmon.time_line import TimeLine, TimeLineState, notes_on_clocks
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.reassembly import SampleBlock

_S = TypeVar("_S", EmgStream, MotionStream)

SET_REST_S = 12.0
"""A set is over after this long without a repetition and without the beginning of one."""

AFTER_BREAK_HOPS = HOP_RATE_HZ
"""A repetition that begins this soon after a break in the motion does not vote."""


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """What has to be known before the first notification."""

    sensors: tuple[Capabilities, ...]
    exercise: str | Exercise | None
    """By its name in the catalogue, or as such when it is a person's own."""
    calibration: Calibration | None
    reference: ReferenceSet | None
    alignments: tuple[Alignment, ...] = ()
    """How the motion sensors sit, where that was measured; otherwise it is learnt."""
    count_partial: Partials = Partials.LEFT_OUT
    corrections: tuple[Correction, ...] = ()
    """What a person has said about repetitions, in order."""
    refinements: tuple[StreamRefinement, ...] = ()
    """What a second look at the whole recording takes out of its EMG streams."""


@dataclass(slots=True)
class _SetState:
    """Where the set under way stands."""

    end_s: float = 0.0
    """Session time after the newest sample of any stream."""
    away: bool = False
    """A repetition may be under way."""
    last_end_hop: int | None = None
    """End of the newest repetition of the set under way; ``None`` between sets."""


@dataclass(frozen=True, slots=True)
class EngineState:
    """All that the past leaves to the future; put back into an engine of the same setup."""

    sensors: tuple[SensorState, ...]
    line: TimeLineState
    movement: MovementState
    corrected: CorrectedState
    under_way: _SetState
    judging: JudgingState
    ended: bool


Overhear = Callable[[int, OrientationHops], None]


class Engine:
    """One session from the first sample to the last, sans IO.

    The samples of a stream come in their order, each once, or as lost. The same samples give the same
    events. Repetitions and sets do not depend on how the samples were cut; `EnvelopeComputed` and
    `MovementComputed` come in portions that do, while their values do not. `QualityChanged` comes as
    soon as it shows: what it says does not depend on the cuts, but which repetition it comes before does.
    """

    def __init__(self, setup: SessionSetup, *, overhear: Overhear | None = None) -> None:
        """Begin; `overhear` is shown the attitude of every motion sensor, by its place in `motion`."""
        self.setup, self._overhear = setup, overhear
        named = setup.exercise
        self.exercise = load_exercise(named) if isinstance(named, str) else named
        follow_height = self.exercise is not None and any(
            choice.on == MovementSignal.PELVIS_HEIGHT.value for choice in self.exercise.signals
        )
        self._line = TimeLine(len(setup.sensors))
        self._sensors = [
            SensorStreams(i, capabilities, self._line, follow_height=follow_height)
            for i, capabilities in enumerate(setup.sensors)
        ]
        self._emg = [stream for sensor in self._sensors for stream in sensor.emg]
        self._motion = [stream for sensor in self._sensors for stream in sensor.motion]
        for stream in self._emg:
            stream.calibrate(setup.calibration)
            for found in setup.refinements:
                if (found.sensor, found.stream) == (stream.sensor, stream.number):
                    stream.refine(found)
        self._movement = Movement(
            self.exercise,
            self._motion,
            self._emg,
            emg_columns=_watched_columns(self._emg, setup.calibration),
            alignments=setup.alignments,
        )
        self._corrected = Corrected(setup.corrections)
        self._attitude = Attitude(self.exercise, self._motion, setup.alignments)
        self._judging = Judging(self._rules(), self._emg, self._attitude, self._corrected.side)
        self._set = _SetState()
        self._ended = False

    def _rules(self) -> JudgingRules:
        source = self._movement.source
        on_thigh = source is not None and source.signal is MovementSignal.THIGH_PITCH
        return JudgingRules(
            exercise=self.exercise,
            calibration=self.setup.calibration,
            reference=self.setup.reference,
            count_partial=self.setup.count_partial,
            needs_likeness=source is not None and source.accelerometer_only and not on_thigh,
            on_thigh=on_thigh,
            thigh_side=self._motion[source.stream].side if source is not None and on_thigh else None,
        )

    @property
    def state(self) -> EngineState:
        """All that the past leaves to the future; a copy, and settable."""
        return EngineState(
            sensors=tuple(sensor.state for sensor in self._sensors),
            line=self._line.state,
            movement=self._movement.state,
            corrected=self._corrected.state,
            under_way=replace(self._set),
            judging=self._judging.state,
            ended=self._ended,
        )

    @state.setter
    def state(self, state: EngineState) -> None:
        for sensor, kept in zip(self._sensors, state.sensors, strict=True):
            sensor.state = kept
        self._line.state = state.line
        self._movement.state, self._set = state.movement, replace(state.under_way)
        self._corrected.state, self._judging.state = state.corrected, state.judging
        self._ended = state.ended

    @property
    def motion(self) -> tuple[MotionStream, ...]:
        """The motion sensors of all sensors, in order."""
        return tuple(self._motion)

    @property
    def movement_signal(self) -> MovementSignal | None:
        """What repetitions are found on; ``None`` when nothing serves, so none will be found."""
        return None if self._movement.source is None else self._movement.source.signal

    @property
    def alignment_method(self) -> str | None:
        """What the place of the pelvis sensor is known from; ``None`` while it is not known."""
        return self._attitude.alignment_method

    def hum_removed_hz(self, sensor: int, stream: int) -> tuple[float | None, ...]:
        """For each channel of an EMG stream the mains frequency that is taken out."""
        return next((s.hum_hz for s in self._emg if (s.sensor, s.number) == (sensor, stream)), ())

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about how what came lies together; they may change while more comes."""
        return tuple(notes_on_clocks(self._line, len(self._sensors)))

    @property
    def limits(self) -> tuple[str, ...]:
        """Sentences about what cannot be given with this setup, and why."""
        said = [
            f"EMG stream {number} of sensor {i} is too slow: no band is left above the 30 Hz high-pass"
            for i, sensor in enumerate(self._sensors)
            for number in sensor.too_slow
        ]
        for stream in self._emg:
            said += rate_limits(stream.rate_hz) if not all(stream.is_envelope) else ()
            said += envelope_limits(stream.enveloped_sites)
        return (*dict.fromkeys(said), *movement_limits(self.exercise, self._movement.source, self._motion))

    def take(self, heard: Heard) -> list[SessionEvent]:
        """Take what one sensor sent next."""
        sensor, event = heard.sensor, heard.event
        gaps = self._sensors[sensor].hear(heard)
        events = [found for gap in gaps for found in self._skip(sensor, gap)]
        if isinstance(event, SampleBlock):
            events += self._take_block(sensor, event)
        return [*events, *self._release()] if isinstance(event, SampleBlock | Lost) else events

    def finish(self) -> list[SessionEvent]:
        """Nothing more will come: close what is open. Calling it again gives nothing."""
        if self._ended:
            return []
        self._ended = True
        events: list[SessionEvent] = []
        for index, stream in enumerate(self._emg):
            events.extend(self._take_envelope(index, stream.pipeline.finish()))
        for imu in self._motion:
            height = imu.pipeline.finish()
            if height is not None and self._is_followed(imu):
                events.extend(self._take_followed(self._movement.take_height(height)))
        self._take_found(self._corrected.finish(self._movement.finish()))
        if self._set.last_end_hop is not None:
            self._judging.close_set()
        events.extend(self._release())
        return [*events, SessionEnded(self._set.end_s)]

    def _is_followed(self, imu: MotionStream) -> bool:
        source = self._movement.source
        return self._movement.follows_height and source is not None and self._motion[source.stream] is imu

    def _release(self) -> list[SessionEvent]:
        return self._judging.release(movement_hop=self._movement.next_hop, nothing_more=self._ended)

    def _skip(self, sensor: int, gap: PlacedGap) -> list[SessionEvent]:
        """Run missing samples through the pipeline of their stream."""
        clock, place = gap.clock, (gap.n_samples, gap.clock, gap.first_sample)
        lost = SamplesLost(sensor, gap.stream, clock.seconds(gap.first_sample), gap.n_samples)
        events: list[SessionEvent] = [lost]
        self._note_end(clock, gap.first_sample + gap.n_samples)
        for index, stream in self._of(self._emg, sensor, gap.stream):
            for hops in stream.pipeline.skip(*place):
                events.extend(self._take_emg(index, hops))
        for index, imu in self._of(self._motion, sensor, gap.stream):
            self._note_motion_loss(index, clock, gap.first_sample, gap.n_samples)
            for motion in imu.pipeline.skip(*place):
                events.extend(self._take_motion(index, motion))
        return events

    @staticmethod
    def _of(streams: Sequence[_S], sensor: int, number: int) -> list[tuple[int, _S]]:
        """Those that take samples of one stream of one sensor, with their places."""
        return [(i, s) for i, s in enumerate(streams) if (s.sensor, s.number) == (sensor, number)]

    def _note_end(self, clock: SampleClock, next_sample: int) -> None:
        self._set.end_s = max(self._set.end_s, clock.seconds(next_sample))

    def _note_motion_loss(self, index: int, clock: SampleClock, first_sample: int, n_samples: int) -> None:
        if self._motion[index].site == LUMBAR:
            # It says nothing about where a repetition began or ended.
            return
        first_hop = int(clock.seconds(first_sample) * HOP_RATE_HZ)
        last_hop = int(clock.seconds(first_sample + n_samples) * HOP_RATE_HZ) + 1
        if n_samples > LONGEST_BRIDGED_S * clock.rate_hz:
            # Where the pelvis was when the sight came back is a guess; what begins right then is one, too.
            last_hop += AFTER_BREAK_HOPS
        self._judging.take_motion_loss(MotionLoss(first_hop, last_hop, n_samples / clock.rate_hz))

    def _take_block(self, sensor: int, block: SampleBlock) -> list[SessionEvent]:
        streams = self._sensors[sensor]
        clock = streams.clock(block.stream)
        self._note_end(clock, block.first_sample + len(block.values))
        events: list[SessionEvent] = []
        for index, stream in self._of(self._emg, sensor, block.stream):
            emg_uv = stream.refined(stream.physical(block), clock, block.first_sample)
            hops = stream.pipeline.process(emg_uv, clock, block.first_sample)
            events.extend(self._take_emg(index, hops))
        for index, imu in self._of(self._motion, sensor, block.stream):
            samples = imu.physical(block)
            for start, stop, missing in missing_runs(samples):
                if missing:
                    self._note_motion_loss(index, clock, block.first_sample + start, stop - start)
            motion = imu.pipeline.process(samples, clock, block.first_sample)
            events.extend(self._take_motion(index, motion))
        return events

    def _take_emg(self, index: int, hops: EmgHops) -> list[SessionEvent]:
        changes = self._judging.take_emg(index, hops)
        return [*changes, *self._take_envelope(index, hops.envelope)]

    def _take_envelope(self, index: int, hops: EnvelopeHops) -> list[SessionEvent]:
        if not len(hops.envelope_uv):
            return []
        stream = self._emg[index]
        self._judging.take_envelope(index, hops)
        activation = stream.activation_pct(hops.envelope_uv)
        place = (stream.sensor, stream.number, hops.first_hop)
        computed = EnvelopeComputed(*place, hops.envelope_uv, activation)
        return [computed, *self._take_followed(self._movement.take_envelope(index, hops))]

    def _take_motion(self, index: int, hops: MotionHops) -> list[SessionEvent]:
        self._judging.take_orientation(index, hops.orientation)
        if self._overhear is not None:
            self._overhear(index, hops.orientation)
        return self._take_followed(self._movement.take_motion(index, hops))

    def _take_followed(self, followed: Followed) -> list[SessionEvent]:
        if followed.next_hop is not None:
            self._take_found(self._corrected.process(followed.found, followed.next_hop))
            if not self._set.away:
                self._close_set_if_rested(self._corrected.settled_hop)
        return [] if followed.curve is None else [followed.curve]

    def _take_found(self, found: Iterable[Found]) -> None:
        for news in found:
            self._set.away = isinstance(news, RestLeft)
            if isinstance(news, RestLeft):
                self._close_set_if_rested(news.hop)
            elif isinstance(news, RepFound):
                self._judging.take_rep(news)
                self._set.last_end_hop = news.end_hop

    def _close_set_if_rested(self, hop: int) -> None:
        last = self._set.last_end_hop
        if last is not None and hop - last > SET_REST_S * HOP_RATE_HZ:
            self._judging.close_set()
            self._set.last_end_hop = None


def _watched_columns(streams: list[EmgStream], calibration: Calibration | None) -> dict[int, list[int]]:
    """Columns of glute and back in each EMG stream."""
    body = find_body([site for stream in streams for site in stream.sites], calibration)
    columns, first = {}, 0
    for index, stream in enumerate(streams):
        stop = first + len(stream.sites)
        columns[index] = [column - first for column in body.watched if first <= column < stop]
        first = stop
    return columns

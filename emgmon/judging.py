"""Repetitions wait here until their EMG has come in; then they are measured, judged and put into sets."""

import enum
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from emgmon.attitude import Attitude, AttitudeState
from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.orientation import OrientationHops
from emgmon.dsp.pipeline import EmgHops
from emgmon.events import (
    HOP_RATE_HZ,
    Metric,
    RepCompleted,
    RepWithdrawn,
    SessionEvent,
    SetCompleted,
    VerdictGrounds,
)
from emgmon.exercises import Exercise
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.measure import Measured, PhasePlan, RepSignals, measure, one_side, working_hops
from emgmon.metrics.motion_verdict import judge_motion, measures_of
from emgmon.metrics.reference import Comparison, ReferenceSet, comparison_of
from emgmon.metrics.side import Side, glute_pair, louder_glute
from emgmon.metrics.summary import summarise
from emgmon.metrics.trend import RepOfSet, follow
from emgmon.metrics.verdict import WARNING_REPS, Judgement, judge, warning
from emgmon.muscles import Muscles, MusclesState
from emgmon.reps.found import RepFound
from emgmon.reps.likeness import (
    REVISED_REPS,
    USUAL_SHARE,
    USUAL_SHARE_OF_ONE_LEG,
    partial_reason,
    revise,
    too_few_alike,
)
from emgmon.streams import EmgStream

REMEMBERED_S = 60.0
"""The envelope is kept this long behind the movement signal: longer than any repetition may last."""

LONGEST_MEMORY_S = 600.0
"""... and no longer than this, should the movement signal stay away."""

LAST_PACKET_HOPS = 30
"""How far apart the streams of a session may end."""

TOLERATED_LOSS_S = 0.05
"""Motion missing in all of a repetition for no longer than this is bridged and does not exclude it."""


class Partials(enum.StrEnum):
    """What to do with partial repetitions."""

    LEFT_OUT = "left-out"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingRules:
    """What of a session's setup decides how its repetitions are judged."""

    exercise: Exercise | None
    calibration: Calibration | None
    reference: ReferenceSet | None
    count_partial: Partials
    needs_likeness: bool
    """Whether a few movements in a row are too little to be taken for a set."""
    on_thigh: bool
    """Whether repetitions are found on a thigh."""
    thigh_side: str | None
    """Side of the leg whose thigh is followed; ``None`` where no thigh is."""

    @property
    def plan(self) -> PhasePlan:
        """Order of the phases and which are work."""
        exercise = self.exercise
        if exercise is None:
            return PhasePlan()
        return PhasePlan(exercise.phases, exercise.work, both_sides=exercise.sides == "both")


@dataclass(frozen=True, slots=True)
class _SetClosed:
    """The set under way ends here; waits in the queue behind its repetitions."""


@dataclass(frozen=True, slots=True)
class MotionLoss:
    """Motion samples that are missing."""

    first_hop: int
    last_hop: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Counted:
    """A counted repetition of the set under way, as found and as completed."""

    found: RepFound
    completed: RepCompleted
    judgement: Judgement
    log_index: float | None
    """Spectral index of the glute, for the trend over the set."""
    start_up: tuple[float, float, float] | None
    """Direction of up where it began, in axes of the pelvis sensor."""


@dataclass(slots=True)
class JudgingState:
    """All that the past leaves to the future."""

    muscles: MusclesState
    attitude: AttitudeState
    queue: deque[RepFound | _SetClosed] = field(default_factory=deque)
    motion_losses: deque[MotionLoss] = field(default_factory=deque)
    set_number: int = 0
    reps: list[_Counted] = field(default_factory=list)
    """Counted repetitions of the set under way."""
    partial: list[RepFound] = field(default_factory=list)
    """Partial ones among them, not counted."""
    open: bool = False
    """Whether the set under way has its number."""

    def copy(self) -> "JudgingState":
        """Independent copy, for a checkpoint."""
        return replace(
            self,
            muscles=self.muscles.copy(),
            attitude=self.attitude.copy(),
            queue=self.queue.copy(),
            motion_losses=self.motion_losses.copy(),
            reps=self.reps.copy(),
            partial=self.partial.copy(),
        )


class Judging:
    """From found repetitions, envelopes and attitudes to completed repetitions and sets."""

    def __init__(
        self,
        rules: JudgingRules,
        streams: Sequence[EmgStream],
        attitude: Attitude,
        named_side: Callable[[RepFound], str | None],
    ) -> None:
        """Begin; `named_side` tells the side that a person has named for a repetition."""
        self._rules, self._streams, self._attitude = rules, streams, attitude
        self._named_side = named_side
        exercise, reference = rules.exercise, rules.reference
        # A good set of another exercise says nothing about this one.
        fits = reference is not None and exercise is not None and reference.exercise == exercise.name
        self._reference = reference if fits else None
        self._muscles = Muscles(streams, rules.calibration)
        self.body = self._muscles.body
        self._pair = glute_pair(self.body, [site.side for site in self._muscles.sites])
        placement = rules.calibration.placement if rules.calibration else None
        known = self._reference
        self._comparison = comparison_of(known, placement) if known else Comparison.WITHIN_SESSION
        self._state = JudgingState(self._muscles.state, attitude.state)

    @property
    def state(self) -> JudgingState:
        """All that the past leaves to the future; a copy, and settable."""
        self._state.attitude, self._state.muscles = self._attitude.state, self._muscles.state
        return self._state.copy()

    @state.setter
    def state(self, state: JudgingState) -> None:
        self._state = state.copy()
        self._attitude.state, self._muscles.state = state.attitude, state.muscles

    def take_emg(self, index: int, hops: EmgHops) -> list[SessionEvent]:
        """Keep new samples of one EMG stream, and tell of channels that became better or worse."""
        return [*self._muscles.take(index, hops)]

    def take_envelope(self, index: int, hops: EnvelopeHops) -> None:
        """Keep new hops of one EMG stream."""
        self._muscles.take_envelope(index, hops)

    def take_orientation(self, stream: int, hops: OrientationHops) -> None:
        """Keep new hops of one motion stream."""
        self._attitude.take(stream, hops)

    def take_motion_loss(self, loss: MotionLoss) -> None:
        """Keep in mind where motion is missing."""
        self._state.motion_losses.append(loss)

    def take_rep(self, rep: RepFound) -> None:
        """Queue a repetition until its EMG has come in."""
        self._state.queue.append(rep)

    def close_set(self) -> None:
        """End the set under way once its last repetition is judged."""
        self._state.queue.append(_SetClosed())

    def release(self, *, movement_hop: int, nothing_more: bool) -> list[SessionEvent]:
        """Give the repetitions and sets whose EMG has come in, in order, and forget what none can need.

        Parameters
        ----------
        movement_hop
            Where the movement signal stands.
        nothing_more
            Whether to wait for EMG no longer.
        """
        state = self._state
        events: list[SessionEvent] = []
        while state.queue:
            head = state.queue[0]
            if isinstance(head, RepFound):
                if not (nothing_more or self._all_reach(head.end_hop)):
                    break
                ended = self._within_session(head, movement_hop) if nothing_more else head
                events.extend(self._complete_rep(ended))
            else:
                events.extend(self._complete_set())
            state.queue.popleft()
        self._forget(movement_hop)
        return events

    def _within_session(self, rep: RepFound, movement_hop: int) -> RepFound:
        """Let a repetition whose end was foreseen end with the session at the latest."""
        ends = [movement_hop, *self._muscles.ends()]
        # Streams end within a packet of each other; one that fell silent before is missing, not at its end.
        last_hop = min(end for end in ends if end >= max(ends) - LAST_PACKET_HOPS)
        return replace(rep, end_hop=max(rep.back_hop, min(rep.end_hop, last_hop)))

    def _all_reach(self, hop: int) -> bool:
        return self._muscles.reaches(hop) and self._attitude.reaches(hop + 1)

    def _forget(self, movement_hop: int) -> None:
        state = self._state
        waiting = [head.start_hop for head in state.queue if isinstance(head, RepFound)]
        needed = min([movement_hop - int(REMEMBERED_S * HOP_RATE_HZ), *waiting])
        longest_hops = int(LONGEST_MEMORY_S * HOP_RATE_HZ)
        self._muscles.forget_before(needed, longest_hops=longest_hops)
        self._attitude.forget_before(needed, longest_hops=longest_hops)
        while state.motion_losses and state.motion_losses[0].last_hop < needed:
            state.motion_losses.popleft()

    def _complete_rep(self, rep: RepFound) -> list[SessionEvent]:
        state = self._state
        if rep.origin == "found" and self._attitude.changed_position(rep):
            return []
        if not state.open:
            state.set_number, state.open = state.set_number + 1, True
        uncounted = None
        if self._rules.count_partial is Partials.LEFT_OUT and rep.origin == "found":
            before = [*state.partial, *(counted.found for counted in state.reps)]
            uncounted = partial_reason(rep, before, usual_share=self._usual_share)
        number = None if uncounted else len(state.reps) + 1
        counted = self._measured(rep, number=number, uncounted=uncounted)
        if uncounted:
            state.partial.append(rep)
        else:
            state.reps.append(counted)
        return [counted.completed, *self._revise_early()]

    def _measured(self, rep: RepFound, *, number: int | None, uncounted: str | None) -> _Counted:
        motion_gap = self._motion_gap(rep)
        turned = self._attitude.turned(rep, learn=uncounted is None, gap=motion_gap)
        work = working_hops(rep, self._rules.plan)
        signals = self._muscles.signals(rep, work)
        side = self._named_side(rep) or self._side(turned.side, self._louder(rep, work, signals))
        worked = one_side(self.body.glute, side)
        if worked is not self.body.glute:
            signals = replace(signals, glute=self._muscles.samples(worked, rep, work))
        measured = measure(rep, plan=self._rules.plan, body=self.body, worked=worked, signals=signals)
        height = () if rep.range_m is not None else (self._attitude.height(rep, gap=motion_gap),)
        metrics = (*measured.metrics, *height, *turned.metrics)
        judgement = self._judge(measured, metrics, signals)
        completed = RepCompleted(
            set_number=self._state.set_number,
            number=number,
            side=side,
            start_s=rep.start_hop / HOP_RATE_HZ,
            turn_s=rep.turn_hop / HOP_RATE_HZ,
            end_s=rep.end_hop / HOP_RATE_HZ,
            verdict=judgement.verdict,
            verdict_basis=judgement.basis,
            sentence=judgement.sentence,
            excluded=signals.gap or motion_gap,
            metrics=metrics,
            uncounted=uncounted,
            origin=rep.origin,
            warning=None if uncounted else self._warning(judgement),
            channels=signals.qualities,
            grounds=VerdictGrounds(judgement.reason.value, judgement.change, judgement.limit),
        )
        return _Counted(rep, completed, judgement, measured.log_index, self._attitude.start_up(rep))

    def _judge(self, measured: Measured, metrics: Sequence[Metric], signals: RepSignals) -> Judgement:
        """Judge by EMG where it is worn; by motion alone, a surrogate, where it is not."""
        exercise = self._rules.exercise
        if not self.body.has_emg and exercise is not None:
            measures = measures_of(pelvis_turn=exercise.pelvis_turn, first_signal=exercise.signals[0].on)
            return judge_motion(metrics, self._reference, measures)
        return judge(
            glute=measured.metric("glute_engagement_pct"),
            back=measured.metric("back_engagement_pct"),
            share=measured.metric("glute_share_pct"),
            log_ratio=measured.metric("glute_back_log_ratio"),
            reference=self._reference,
            has_emg=self.body.has_emg,
            channels=[signals.qualities[column] for column in self.body.watched],
            comparison=self._comparison,
        )

    def _warning(self, judgement: Judgement) -> str | None:
        """Look back over the set under way only; another set has another load."""
        before = [counted.judgement for counted in self._state.reps[1 - WARNING_REPS :]]
        return warning([*before, judgement])

    def _louder(self, rep: RepFound, work: tuple[int, int], signals: RepSignals) -> Side | None:
        if self._pair is None:
            return None
        hops = slice(work[0] - rep.start_hop, work[1] - rep.start_hop)
        return louder_glute(self._pair, signals.activation_pct[hops], signals.envelope_uv[hops])

    def _side(self, rotated: Side | None, louder: Side | None) -> str | None:
        """Name the side that worked: the leg that wears the sensor, else the rotation, else the glute."""
        exercise = self._rules.exercise
        if exercise is None or exercise.sides == "both":
            return None
        return self._rules.thigh_side or rotated or louder

    @property
    def _usual_share(self) -> float:
        exercise = self._rules.exercise
        one_leg = self._rules.on_thigh and exercise is not None and exercise.sides == "alternating"
        return USUAL_SHARE_OF_ONE_LEG if one_leg else USUAL_SHARE

    def _revise_early(self) -> list[SessionEvent]:
        state = self._state
        return self._revise() if len(state.reps) + len(state.partial) <= REVISED_REPS else []

    def _revise(self) -> list[SessionEvent]:
        """Take back what the rest of the set shows to be no repetition of it."""
        exercise = self._rules.exercise
        if self._rules.count_partial is Partials.COUNTED:
            return []
        unlike = revise(
            [counted.found for counted in self._state.reps],
            [counted.start_up for counted in self._state.reps],
            partial=self._state.partial,
            alternating=exercise is not None and exercise.sides != "both",
            usual_share=self._usual_share,
        )
        found = [one for one in unlike if self._state.reps[one.place].found.origin == "found"]
        return [self._withdraw(one.place, one.reason) for one in reversed(found)]

    def _withdraw(self, place: int, reason: str) -> RepWithdrawn:
        rep = self._state.reps.pop(place).completed
        return RepWithdrawn(rep.set_number, place + 1, rep.start_s, rep.end_s, reason)

    def _motion_gap(self, rep: RepFound) -> str | None:
        lost_s = sum(
            loss.seconds
            for loss in self._state.motion_losses
            if loss.first_hop < rep.end_hop and loss.last_hop > rep.start_hop
        )
        return "motion samples are missing in this repetition" if lost_s > TOLERATED_LOSS_S else None

    def _complete_set(self) -> list[SessionEvent]:
        state = self._state
        if not state.open:
            return []
        events = self._revise()
        found = [counted.found for counted in state.reps]
        # Who corrected one of them has said that this is a set.
        doubted = self._rules.needs_likeness and all(rep.origin == "found" for rep in found)
        reason = too_few_alike(found) if doubted else None
        if reason is not None:
            events += [self._withdraw(place, reason) for place in reversed(range(len(state.reps)))]
        counted, state.reps, state.open = state.reps, [], False
        reps = [one.completed for one in counted]
        state.partial = []
        if not reps:
            # Nothing of it is left, so the next set takes its number.
            state.set_number -= 1
            return events
        summary, notes = self._summary(counted)
        done = SetCompleted(
            set_number=state.set_number,
            exercise=self._rules.exercise.name if self._rules.exercise else "",
            start_s=reps[0].start_s,
            end_s=reps[-1].end_s,
            n_reps=len(reps),
            summary=summary,
            notes=notes,
        )
        return [*events, done]

    def _summary(self, counted: Sequence[_Counted]) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
        """Means over the repetitions that vote, and what the set as a whole shows."""
        votes = [one.completed.excluded is None for one in counted]
        means = summarise([one.completed.metrics for one in counted], votes, body=self.body)
        if not self.body.glute.channels:
            return means, ()
        placed = [
            RepOfSet(place, one.completed.side, one.completed.metrics, one.log_index)
            for place, one in enumerate(counted, start=1)
        ]
        trend = follow([rep for rep, vote in zip(placed, votes, strict=True) if vote], means)
        better = {metric.name for metric in trend.metrics}
        return (*(mean for mean in means if mean.name not in better), *trend.metrics), trend.notes

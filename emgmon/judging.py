"""Repetitions wait here until their EMG has come in; then they are measured, judged and put into sets."""

import enum
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emgmon.attitude import Attitude, AttitudeState
from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.history import HopHistory
from emgmon.dsp.orientation import OrientationHops
from emgmon.events import HOP_RATE_HZ, RepCompleted, RepWithdrawn, SessionEvent, SetCompleted
from emgmon.exercises import Exercise
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.engagement import summarise
from emgmon.metrics.measure import PhasePlan, find_body, measure, working_hops
from emgmon.metrics.reference import ReferenceSet
from emgmon.metrics.side import Side, glute_pair, louder_glute
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
        return PhasePlan(self.exercise.phases, self.exercise.work) if self.exercise else PhasePlan()


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
    start_up: tuple[float, float, float] | None
    """Direction of up where it began, in axes of the pelvis sensor."""


@dataclass(slots=True)
class JudgingState:
    """All that the past leaves to the future."""

    envelopes: list[HopHistory]
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
            envelopes=[history.copy() for history in self.envelopes],
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
        sites = [site for stream in streams for site in stream.sites]
        self.body = find_body(sites, rules.calibration)
        self._pair = glute_pair(self.body, [site.side for site in sites])
        ends = np.cumsum([0, *(len(stream.sites) for stream in streams)]).tolist()
        # For each EMG stream whether it holds glute or back.
        self._watched = [
            any(first <= column < stop for column in self.body.watched) for first, stop in pairwise(ends)
        ]
        self._state = JudgingState([HopHistory(len(stream.sites)) for stream in streams], attitude.state)

    @property
    def state(self) -> JudgingState:
        """All that the past leaves to the future; a copy, and settable."""
        self._state.attitude = self._attitude.state
        return self._state.copy()

    @state.setter
    def state(self, state: JudgingState) -> None:
        self._state = state.copy()
        self._attitude.state = state.attitude

    def take_envelope(self, index: int, hops: EnvelopeHops) -> None:
        """Keep new hops of one EMG stream."""
        self._state.envelopes[index].append(hops.first_hop, hops.envelope_uv)

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
        watched = zip(self._state.envelopes, self._watched, strict=True)
        ends = [movement_hop, *(history.next_hop or 0 for history, needed in watched if needed)]
        # Streams end within a packet of each other; one that fell silent before is missing, not at its end.
        last_hop = min(end for end in ends if end >= max(ends) - LAST_PACKET_HOPS)
        return replace(rep, end_hop=max(rep.back_hop, min(rep.end_hop, last_hop)))

    def _all_reach(self, hop: int) -> bool:
        return self._emg_reaches(hop) and self._attitude.reaches(hop + 1)

    def _emg_reaches(self, hop: int) -> bool:
        """Whether every EMG stream that holds glute or back has come this far."""
        histories = zip(self._state.envelopes, self._watched, strict=True)
        return all((history.next_hop or 0) >= hop for history, watched in histories if watched)

    def _forget(self, movement_hop: int) -> None:
        state = self._state
        waiting = [head.start_hop for head in state.queue if isinstance(head, RepFound)]
        needed = min([movement_hop - int(REMEMBERED_S * HOP_RATE_HZ), *waiting])
        for history in state.envelopes:
            newest = history.next_hop or 0
            history.forget_before(max(needed, newest - int(LONGEST_MEMORY_S * HOP_RATE_HZ)))
        self._attitude.forget_before(needed, longest_hops=int(LONGEST_MEMORY_S * HOP_RATE_HZ))
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
        completed = self._measured(rep, number=number, uncounted=uncounted)
        if uncounted:
            state.partial.append(rep)
            return [completed, *self._revise_early()]
        state.reps.append(_Counted(rep, completed, self._attitude.start_up(rep)))
        return [completed, *self._revise_early()]

    def _measured(self, rep: RepFound, *, number: int | None, uncounted: str | None) -> RepCompleted:
        envelopes = [history.between(rep.start_hop, rep.end_hop) for history in self._state.envelopes]
        gap, motion_gap = self._emg_gap(envelopes), self._motion_gap(rep)
        none = np.empty((rep.end_hop - rep.start_hop, 0))
        activation = [s.activation_pct(e) for s, e in zip(self._streams, envelopes, strict=True)]
        activation_pct = np.concatenate([none, *activation], axis=1)
        metrics, judgement = measure(
            rep,
            plan=self._rules.plan,
            body=self.body,
            activation_pct=activation_pct,
            gap=gap,
            reference=self._reference,
        )
        turned = self._attitude.turned(rep, learn=uncounted is None, gap=motion_gap)
        height = () if rep.range_m is not None else (self._attitude.height(rep, gap=motion_gap),)
        louder = self._louder(rep, activation_pct, np.concatenate([none, *envelopes], axis=1))
        return RepCompleted(
            set_number=self._state.set_number,
            number=number,
            side=self._named_side(rep) or self._side(turned.side, louder),
            start_s=rep.start_hop / HOP_RATE_HZ,
            turn_s=rep.turn_hop / HOP_RATE_HZ,
            end_s=rep.end_hop / HOP_RATE_HZ,
            verdict=judgement.verdict,
            verdict_basis=judgement.basis,
            sentence=judgement.sentence,
            excluded=gap or motion_gap,
            metrics=(*metrics, *height, *turned.metrics),
            uncounted=uncounted,
            origin=rep.origin,
        )

    def _louder(
        self, rep: RepFound, activation_pct: NDArray[np.float64], envelope_uv: NDArray[np.float64]
    ) -> Side | None:
        if self._pair is None:
            return None
        first, stop = working_hops(rep, self._rules.plan)
        work = slice(first - rep.start_hop, stop - rep.start_hop)
        return louder_glute(self._pair, activation_pct[work], envelope_uv[work])

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

    def _emg_gap(self, envelopes: list[NDArray[np.float64]]) -> str | None:
        watched = self.body.watched
        if not watched:
            return None
        columns = np.concatenate(envelopes, axis=1)[:, watched]
        missing = int(np.any(np.isnan(columns), axis=1, keepdims=True).sum())
        if missing:
            lost_ms = missing * 1000 // HOP_RATE_HZ
            return f"EMG samples are missing, {lost_ms} ms of this repetition could not be measured"
        flat = np.concatenate([s.flat(e) for s, e in zip(self._streams, envelopes, strict=True)])
        return "an electrode of the glute or the back gives no signal" if flat[watched].any() else None

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
        reps, state.reps, state.open = [c.completed for c in state.reps], [], False
        state.partial = []
        if not reps:
            # Nothing of it is left, so the next set takes its number.
            state.set_number -= 1
            return events
        done = SetCompleted(
            set_number=state.set_number,
            exercise=self._rules.exercise.name if self._rules.exercise else "",
            start_s=reps[0].start_s,
            end_s=reps[-1].end_s,
            n_reps=len(reps),
            summary=summarise([rep.metrics for rep in reps], [rep.excluded is None for rep in reps]),
        )
        return [*events, done]

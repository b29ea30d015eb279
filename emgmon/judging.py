"""Repetitions wait here until their EMG has come in; then they are measured, judged and put into sets."""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.history import HopHistory
from emgmon.events import HOP_RATE_HZ, RepCompleted, SessionEvent, SetCompleted
from emgmon.exercises import Exercise
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.engagement import summarise
from emgmon.metrics.measure import find_body, measure
from emgmon.metrics.reference import ReferenceSet
from emgmon.reps.found import RepFound
from emgmon.streams import EmgStream

REMEMBERED_S = 45.0
"""The envelope is kept this long behind the movement signal: longer than any repetition may last."""

LONGEST_MEMORY_S = 600.0
"""... and no longer than this, should the movement signal stay away."""

TOLERATED_LOSS_S = 0.05
"""Motion missing in all of a repetition for no longer than this is bridged and does not exclude it."""


@dataclass(frozen=True, slots=True)
class _SetClosed:
    """The set under way ends here; waits in the queue behind its repetitions."""


@dataclass(frozen=True, slots=True)
class MotionLoss:
    """Motion samples that are missing."""

    first_hop: int
    last_hop: int
    seconds: float


@dataclass(slots=True)
class JudgingState:
    """All that the past leaves to the future."""

    envelopes: list[HopHistory]
    queue: deque[RepFound | _SetClosed] = field(default_factory=deque)
    motion_losses: deque[MotionLoss] = field(default_factory=deque)
    set_number: int = 0
    reps: list[RepCompleted] = field(default_factory=list)
    """Repetitions of the set under way."""

    def copy(self) -> "JudgingState":
        """Independent copy, for a checkpoint."""
        return JudgingState(
            envelopes=[history.copy() for history in self.envelopes],
            queue=self.queue.copy(),
            motion_losses=self.motion_losses.copy(),
            set_number=self.set_number,
            reps=self.reps.copy(),
        )


class Judging:
    """From found repetitions and envelopes to completed repetitions and sets."""

    def __init__(
        self,
        *,
        exercise: Exercise | None,
        streams: list[EmgStream],
        calibration: Calibration | None,
        reference: ReferenceSet | None,
    ) -> None:
        self._exercise = exercise
        self._streams = streams
        # A good set of another exercise says nothing about this one.
        fits = reference is not None and exercise is not None and reference.exercise == exercise.name
        self._reference = reference if fits else None
        self.body = find_body([site for stream in streams for site in stream.sites], calibration)
        ends = np.cumsum([0, *(len(stream.sites) for stream in streams)]).tolist()
        # For each EMG stream whether it holds glute or back.
        self._watched = [
            any(first <= column < stop for column in self.body.watched) for first, stop in pairwise(ends)
        ]
        self._state = JudgingState([HopHistory(len(stream.sites)) for stream in streams])

    @property
    def state(self) -> JudgingState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: JudgingState) -> None:
        self._state = state.copy()

    def take_envelope(self, index: int, hops: EnvelopeHops) -> None:
        """Keep new hops of one EMG stream."""
        self._state.envelopes[index].append(hops.first_hop, hops.envelope_uv)

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
                if not (nothing_more or self._emg_reaches(head.end_hop)):
                    break
                events.append(self._complete_rep(head))
            else:
                events.append(self._complete_set())
            state.queue.popleft()
        self._forget(movement_hop)
        return events

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
        while state.motion_losses and state.motion_losses[0].last_hop < needed:
            state.motion_losses.popleft()

    def _complete_rep(self, rep: RepFound) -> RepCompleted:
        state = self._state
        if not state.reps:
            state.set_number += 1
        envelopes = [history.between(rep.start_hop, rep.end_hop) for history in state.envelopes]
        gap = self._emg_gap(envelopes)
        none = np.empty((rep.end_hop - rep.start_hop, 0))
        activation = [s.activation_pct(e) for s, e in zip(self._streams, envelopes, strict=True)]
        metrics, judgement = measure(
            rep,
            concentric=self._exercise.concentric if self._exercise else "out",
            body=self.body,
            activation_pct=np.concatenate([none, *activation], axis=1),
            gap=gap,
            reference=self._reference,
        )
        completed = RepCompleted(
            set_number=state.set_number,
            number=len(state.reps) + 1,
            side=None,
            start_s=rep.start_hop / HOP_RATE_HZ,
            turn_s=rep.turn_hop / HOP_RATE_HZ,
            end_s=rep.end_hop / HOP_RATE_HZ,
            verdict=judgement.verdict,
            verdict_basis=judgement.basis,
            sentence=judgement.sentence,
            excluded=gap or self._motion_gap(rep),
            metrics=metrics,
        )
        state.reps.append(completed)
        return completed

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

    def _complete_set(self) -> SetCompleted:
        reps, self._state.reps = self._state.reps, []
        return SetCompleted(
            set_number=self._state.set_number,
            exercise=self._exercise.name if self._exercise else "",
            start_s=reps[0].start_s,
            end_s=reps[-1].end_s,
            n_reps=len(reps),
            summary=summarise([rep.metrics for rep in reps], [rep.excluded is None for rep in reps]),
        )

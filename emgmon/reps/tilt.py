"""Repetitions on a tilt: gravity's direction leaves rest and comes back, whichever way the sensor sits."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.rotations import angle_deg
from emgmon.dsp.timeline import runs
from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import Found, RepFound, RestResumed
from emgmon.reps.tilt_idea import TiltIdea, TiltIdeaState
from emgmon.reps.tilt_params import TiltRepsParams
from emgmon.reps.tilt_track import SPEED, UP, TiltTrack, TiltTrackState, no_rows

__all__ = ["TiltReps", "TiltRepsParams", "TiltRepsState"]

SLICE_HOPS = 10
"""Ideas are compared at every hop that is a multiple of this, so that no cut of the stream can matter."""

MOST_IDEAS = 4


@dataclass(slots=True)
class TiltRepsState:
    """What one hop leaves for the next; arrays are replaced, never written to."""

    track: TiltTrackState
    ideas: list[TiltIdeaState]
    waiting: NDArray[np.float64] = field(default_factory=no_rows)
    """Rows of a slice that is not whole yet."""
    next_hop: int = 0
    """Hop of the first row that waits."""
    still_hops: int = 0
    first_up: NDArray[np.float64] | None = None
    """Direction at the beginning: what the curve on a screen is drawn against."""
    broken: bool = False
    """There was a break, so that the curve has begun."""


class TiltReps:
    """Follows one idea of where rest is, and others for as long as the first has been left.

    To lie down, to roll over or to get up looks like the way out of a repetition whose hold follows. So
    whenever the sensor is still for a while away from rest, the idea is followed, too, that rest is there.
    The first idea to come home with a whole repetition is right, and the others are dropped.
    """

    def __init__(self, params: TiltRepsParams) -> None:
        self.params = params
        self._track = TiltTrack(half_hops=params.smoothing_half_hops)
        self._ideas = [TiltIdea(params)]
        self._state = TiltRepsState(self._track.state, [])
        self._curve: list[NDArray[np.float64]] = []

    @property
    def state(self) -> TiltRepsState:
        """All that the past leaves to the future; a copy, and settable."""
        return replace(self._state, track=self._track.state, ideas=[idea.state for idea in self._ideas])

    @state.setter
    def state(self, state: TiltRepsState) -> None:
        self._state, self._track.state = replace(state), state.track
        self._ideas = [TiltIdea(self.params, idea.copy()) for idea in state.ideas]

    def process(
        self, first_hop: int, up: NDArray[np.float64], force_mps2: NDArray[np.float64]
    ) -> list[Found]:
        """Take the next hops and give what began and ended within them.

        Parameters
        ----------
        first_hop
            Hop of the first row.
        up
            Shape (n_hops, 3): the direction away from the ground in sensor axes; NaN across a break.
        force_mps2
            Shape (n_hops,): size of the specific force, gravity included.
        """
        found: list[Found] = []
        for start, stop, broken in runs(np.isnan(up[:, 0])):
            if broken:
                found.extend(self._break(first_hop + start, stop - start))
            else:
                rows = self._track.process(first_hop + start, up[start:stop], force_mps2[start:stop])
                found.extend(self._take(*rows))
        return found

    def finish(self) -> list[Found]:
        """Decide on the hops that still wait for those after them."""
        found = self._take(*self._track.finish())
        waiting, self._state.waiting = self._state.waiting, no_rows()
        return [*found, *self._slice(self._state.next_hop, waiting)]

    @property
    def decided_hop(self) -> int:
        """Every hop before this one was decided on."""
        return self._state.next_hop

    def take_curve(self) -> tuple[int, NDArray[np.float64]]:
        """Give the hops since the last call for a screen: degrees from where the sensor was at first.

        Returns
        -------
        first_hop, angle_deg
            The angle has shape (n_hops,).
        """
        curve = np.concatenate(self._curve) if self._curve else np.empty(0)
        self._curve = []
        return self._state.next_hop + len(self._state.waiting) - len(curve), curve

    def _break(self, hop: int, n_hops: int) -> list[Found]:
        away = self._ideas[0].away
        stop = hop + n_hops
        given = self._state.next_hop + len(self._state.waiting)
        begun = self._state.first_up is not None or self._state.broken
        self._curve.append(np.full(stop - (given if begun else hop), np.nan))
        self._track = TiltTrack(half_hops=self.params.smoothing_half_hops)
        self._ideas = [self._ideas[0].after_break()]
        first_up = self._state.first_up
        self._state = TiltRepsState(self._track.state, [], next_hop=stop, first_up=first_up, broken=True)
        return [RestResumed(hop)] if away else []

    def _take(self, first_hop: int, rows: NDArray[np.float64]) -> list[Found]:
        state = self._state
        if not len(rows):
            return []
        if state.first_up is None:
            state.first_up = rows[0, UP].copy()
        if not len(state.waiting):
            state.next_hop = first_hop
        self._curve.append(angle_deg(rows[:, UP], state.first_up))
        rows = np.concatenate([state.waiting, rows])
        rows = self._pass_rest(rows)
        found: list[Found] = []
        while (size := SLICE_HOPS - state.next_hop % SLICE_HOPS) <= len(rows):
            found.extend(self._slice(state.next_hop, rows[:size]))
            rows = self._pass_rest(rows[size:], after=size)
        state.waiting = rows.copy()
        return found

    def _pass_rest(self, rows: NDArray[np.float64], *, after: int = 0) -> NDArray[np.float64]:
        """Count rows that were taken, and pass whole slices of rest at once; returns what is left."""
        state = self._state
        state.next_hop += after
        if len(self._ideas) > 1 or len(rows) < 2 * SLICE_HOPS or state.next_hop % SLICE_HOPS:
            return rows
        n_rows = self._ideas[0].restful(rows) // SLICE_HOPS * SLICE_HOPS
        if n_rows < 2 * SLICE_HOPS:
            return rows
        self._ideas[0].take(state.next_hop, rows[:n_rows])
        slices = np.all(rows[:n_rows, SPEED].reshape(-1, SLICE_HOPS) < self._ideas[0].still_dps, axis=1)
        moved = np.flatnonzero(~slices)
        still = len(slices) if not len(moved) else len(slices) - 1 - int(moved[-1])
        before = 0 if len(moved) else state.still_hops
        state.still_hops = before + still * SLICE_HOPS
        state.next_hop += n_rows
        return rows[n_rows:]

    def _slice(self, hop: int, rows: NDArray[np.float64]) -> list[Found]:
        """Let every idea take a few rows; the first that comes home is right."""
        if not len(rows):
            return []
        heard = [(idea, idea.take(hop, rows)) for idea in self._ideas]
        found = heard[0][1]
        right = next((one for one in heard if _holds(one[1], RepFound)), None)
        if right is not None:
            self._ideas, found = [right[0]], right[1]
        else:
            wrong = [idea for idea, news in heard if idea.refuted and _holds(news, RestResumed)]
            self._ideas = [idea for idea in self._ideas if idea not in wrong] or self._ideas[:1]
            if self._ideas[0] is not heard[0][0] and self._ideas[0].away:
                # Rest has been left all the same, as was told before.
                found = []
        self._ideas = self._ideas[:1] if not self._ideas[0].away else self._ideas
        self._wonder(hop, rows)
        return found

    def _wonder(self, hop: int, rows: NDArray[np.float64]) -> None:
        """Take up the idea that rest is here, when the sensor has been still away from rest."""
        state, first = self._state, self._ideas[0]
        still = bool(np.all(rows[:, SPEED] < first.still_dps))
        state.still_hops = state.still_hops + len(rows) if still else 0
        if not first.away or state.still_hops < self.params.new_rest_s * HOP_RATE_HZ:
            return
        up = rows[-1, UP]
        waiting = any(not idea.away and idea.believes_near(up) for idea in self._ideas)
        if len(self._ideas) < MOST_IDEAS and not waiting:
            self._ideas.append(first.other(up, hop + len(rows)))


def _holds(found: list[Found], kind: type[RepFound] | type[RestResumed]) -> bool:
    return any(isinstance(news, kind) for news in found)

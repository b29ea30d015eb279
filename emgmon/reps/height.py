"""Repetitions on pelvis height: away from rest and back, found in live order, edges set by acceleration."""

import enum
import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.pelvis_motion import PelvisMotionHops
from emgmon.dsp.timeline import runs
from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import Found, RepFound, RestLeft, RestResumed
from emgmon.reps.height_edges import hold_around


@dataclass(frozen=True, slots=True)
class HeightRepsParams:
    """What may be tuned; the same for every exercise and person."""

    min_range_m: float = 0.06
    """Smaller excursions are not repetitions."""
    min_speed_mps: float = 0.05
    """Both ways must be this fast at their fastest; drift is slower."""
    min_duration_s: float = 0.5
    longest_rep_s: float = 30.0
    """After this long away from rest there is no way to tell height from drift."""
    leaving_share: float = 0.25
    """Rest is left with this share of the smallest range of the person's last repetitions, once known."""
    reversal_share: float = 0.35
    """A change of direction counts from this share of the range."""
    return_share: float = 0.5
    """A repetition is over only after this share of the way out was undone."""
    settled_speed_share: float = 0.1
    """... and the way back has slowed down to this share of its fastest."""
    turned_speed_share: float = 0.5
    """Speed away from rest that shows that the next repetition has begun without a pause."""
    edge_acceleration_share: float = 0.1
    """Movement begins and ends where acceleration is this share of its nearest peak. Acceleration does not
    drift, so an edge is as sharp after an hour as in the first repetition."""
    believed_share: float = 0.6
    """A range of less than this share of what the drifting height showed means that the start was missed."""
    least_return_share: float = 0.05
    """Integrated without any leak, a movement that has undone less than this never came back."""
    longest_leaked_s: float = 5.0
    """Who did so for longer has changed position."""
    shortest_hold_s: float = 0.2
    """Shorter stops at the far end are turns, not holds."""
    longest_settling_s: float = 0.3
    """How long the end may be sought after the way back slowed down."""
    remembered_reps: int = 8


_LONGEST_REST_HOPS = 60 * HOP_RATE_HZ
"""Rest is remembered this far back; half of it is let go at a time."""

_NEW_SET_HOPS = 10 * HOP_RATE_HZ
"""After this long at rest the ranges of what came before no longer say what to expect."""

_FEWEST_RANGES = 3
"""Fewer ranges are no habit yet."""

_LONGEST_BLINDNESS_HOPS = 3 * HOP_RATE_HZ
"""After a break the pelvis may be in mid-movement: nothing counts until it rested once, or for this long."""

_WORTH_SKIPPING = 16
"""Fewer hops of rest are quicker looked at one by one."""

_FIRST_TURN = 0.7
"""The way back may be noticed a little earlier than the way out had to be."""

_LOBE_SHARE = 0.3
_LOBE_MARGIN_HOPS = 20
"""The push that begins a movement is sought where its speed was this share of the fastest, and before."""


class _Stage(enum.Enum):
    REST = enum.auto()
    AWAY = enum.auto()
    BACK = enum.auto()
    SETTLING = enum.auto()


@dataclass(slots=True)
class HeightRepsState:
    """What one hop leaves for the next."""

    stage: _Stage = _Stage.REST
    first_hop: int = 0
    """Hop of the first entry of the histories: the end of the last repetition."""
    height: list[float] = field(default_factory=list)
    velocity: list[float] = field(default_factory=list)
    acceleration: list[float] = field(default_factory=list)
    offset: list[float] = field(default_factory=list)
    """What was taken off the acceleration."""
    rest: float = math.inf
    """Lowest point since the last repetition."""
    away_at: int = 0
    """Index where rest was left."""
    farthest: float = -math.inf
    farthest_at: int = 0
    """Index into the histories."""
    nearest: float = math.inf
    """Lowest point on the way back."""
    fastest_back: float = 0.0
    fastest_back_at: int = 0
    settling_at: int = 0
    """Index where the way back had slowed down."""
    ranges: list[float] = field(default_factory=list)
    blind_hops: int = 0
    """How long at most to go on without counting, after a break."""

    def copy(self) -> "HeightRepsState":
        """Independent copy, for a checkpoint."""
        return replace(
            self,
            height=self.height.copy(),
            velocity=self.velocity.copy(),
            acceleration=self.acceleration.copy(),
            offset=self.offset.copy(),
            ranges=self.ranges.copy(),
        )


class HeightReps:
    """State machine from rest, away, back to rest.

    Heights are taken relative to the rest before the repetition and in the direction in which the
    exercise leaves it (`direction` +1 for a bridge, -1 for a squat), so that "away" always goes up.
    """

    def __init__(self, *, direction: int, params: HeightRepsParams | None = None) -> None:
        self.params = params or HeightRepsParams()
        self._direction = float(direction)
        self._state = HeightRepsState()

    @property
    def state(self) -> HeightRepsState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: HeightRepsState) -> None:
        self._state = state.copy()

    def process(self, motion: PelvisMotionHops) -> list[Found]:
        """Take the next hops and give what began and ended within them."""
        found: list[Found] = []
        rows = self._direction * np.stack(
            [motion.height_m, motion.velocity_mps, motion.acceleration_mps2, motion.offset_mps2]
        )
        for start, stop, broken in runs(np.isnan(rows[0])):
            if broken:
                found.extend(self._break(motion.first_hop + start))
                continue
            sighted = start + self._blind(motion.resting[start:stop])
            if self._state.blind_hops == 0 and sighted < stop:
                found.extend(self._run(motion.first_hop + sighted, rows[:, sighted:stop]))
        return found

    def _blind(self, resting: NDArray[np.bool_]) -> int:
        """Pass over hops after a break up to the first at rest; returns how many."""
        if self._state.blind_hops == 0:
            return 0
        at_rest = np.flatnonzero(resting)
        passed = min(int(at_rest[0]) if len(at_rest) else len(resting), self._state.blind_hops)
        found_rest = len(at_rest) > 0 and passed == at_rest[0]
        self._state.blind_hops = 0 if found_rest else self._state.blind_hops - passed
        return passed

    def _break(self, hop: int) -> list[Found]:
        stage = self._state.stage
        self._state = HeightRepsState(blind_hops=_LONGEST_BLINDNESS_HOPS)
        return [] if stage is _Stage.REST else [RestResumed(hop)]

    def _run(self, first_hop: int, rows: NDArray[np.float64]) -> list[Found]:
        found: list[Found] = []
        if not self._state.height:
            self._state.first_hop = first_hop
        columns = rows.tolist()
        n_hops, hop = rows.shape[1], 0
        while hop < n_hops:
            stop = hop + 1
            if self._state.stage is _Stage.REST:
                stop = hop + self._restful(rows[0, hop:])
            self._remember(columns, hop, stop)
            news = self._step(columns[0][stop - 1], columns[1][stop - 1])
            if news is not None:
                found.append(news)
            hop = stop
        return found

    def _remember(self, columns: list[list[float]], start: int, stop: int) -> None:
        state = self._state
        histories = (state.height, state.velocity, state.acceleration, state.offset)
        for history, column in zip(histories, columns, strict=True):
            history.extend(column[start:stop])

    def _restful(self, heights: NDArray[np.float64]) -> int:
        """Count the hops up to and with the first that needs a decision; a long rest is passed at once."""
        state = self._state
        room = max(1, _LONGEST_REST_HOPS + 1 - len(state.height))
        if len(state.height) <= _NEW_SET_HOPS:
            room = min(room, _NEW_SET_HOPS + 1 - len(state.height))
        if len(heights) < _WORTH_SKIPPING or room < _WORTH_SKIPPING:
            return 1
        heights = heights[:room]
        lowest = np.minimum(np.minimum.accumulate(heights), state.rest)
        left = np.flatnonzero(heights - lowest >= self._leaving_m())
        stop = int(left[0]) + 1 if len(left) else len(heights)
        state.rest = float(lowest[stop - 1])
        return stop

    def finish(self) -> list[Found]:
        """Close a repetition that was only waiting for its end to be placed."""
        news = self._complete(self._end_at()) if self._state.stage is _Stage.SETTLING else None
        return [] if news is None else [news]

    def _leaving_m(self) -> float:
        """How far the pelvis has to go before it may be a repetition: more where the ranges are long."""
        ranges = self._state.ranges
        # The smallest counts: big movements while getting into place must not hide the set that follows.
        usual = min(ranges) if len(ranges) >= _FEWEST_RANGES else 0.0
        return max(self.params.min_range_m, self.params.leaving_share * usual)

    def _reversal_m(self, range_m: float) -> float:
        return max(self.params.min_range_m, self.params.reversal_share * range_m)

    def _step(self, height: float, velocity: float) -> Found | None:
        stage = self._state.stage
        if stage is _Stage.REST:
            return self._rest(height)
        if stage is _Stage.AWAY:
            return self._away(height, velocity)
        if stage is _Stage.BACK:
            return self._back(height, velocity)
        return self._settle(velocity)

    def _rest(self, height: float) -> Found | None:
        state = self._state
        state.rest = min(state.rest, height)
        now = len(state.height) - 1
        if height - state.rest >= self._leaving_m():
            state.stage, state.away_at = _Stage.AWAY, now
            state.farthest, state.farthest_at = height, now
            return RestLeft(state.first_hop + now)
        if now == _NEW_SET_HOPS:
            state.ranges = []
        if now >= _LONGEST_REST_HOPS:
            self._forget(_LONGEST_REST_HOPS // 2)
        return None

    def _forget(self, n_hops: int) -> None:
        state = self._state
        for history in (state.height, state.velocity, state.acceleration, state.offset):
            del history[:n_hops]
        state.first_hop += n_hops
        state.rest = min(state.height)

    def _away(self, height: float, velocity: float) -> Found | None:
        state = self._state
        now = len(state.height) - 1
        if height > state.farthest:
            state.farthest, state.farthest_at = height, now
        range_m = state.farthest - state.rest
        turned_m = max(_FIRST_TURN * self.params.min_range_m, self.params.reversal_share * range_m)
        if state.farthest - height >= turned_m:
            state.stage = _Stage.BACK
            state.nearest = height
            state.fastest_back, state.fastest_back_at = velocity, now
        else:
            return self._give_up_if_too_long()
        return None

    def _back(self, height: float, velocity: float) -> Found | None:
        state, params = self._state, self.params
        now = len(state.height) - 1
        state.nearest = min(state.nearest, height)
        if velocity < state.fastest_back:
            state.fastest_back, state.fastest_back_at = velocity, now
        range_m = state.farthest - state.rest
        undone = state.farthest - height >= params.return_share * range_m
        if undone and velocity >= params.settled_speed_share * state.fastest_back:
            state.stage, state.settling_at = _Stage.SETTLING, now
        elif (
            height - state.nearest >= self._reversal_m(range_m)
            and state.farthest - state.nearest < params.return_share * range_m
        ):
            state.stage = _Stage.AWAY
            if height > state.farthest:
                state.farthest, state.farthest_at = height, now
        else:
            return self._give_up_if_too_long()
        return None

    def _give_up_if_too_long(self) -> Found | None:
        state = self._state
        now = len(state.height) - 1
        if now - state.away_at < self.params.longest_rep_s * HOP_RATE_HZ:
            return None
        hop = state.first_hop + now
        self._rest_from(now)
        return RestResumed(hop)

    def _settle(self, velocity: float) -> Found | None:
        state, params = self._state, self.params
        now = len(state.height) - 1
        end = self._end_at()
        if velocity > -params.turned_speed_share * state.fastest_back:
            # No pause at all: the next repetition has begun, and the turn between the two is the end.
            slow = range(state.settling_at, now + 1)
            return self._complete(next(i for i in slow if state.velocity[i] >= 0.0))
        late = now - state.settling_at >= params.longest_settling_s * HOP_RATE_HZ
        return self._complete(end) if end < now or late else None

    def _end_at(self) -> int:
        """Index where braking at the end of the way back has died away; the newest one if it has not yet."""
        state, acceleration = self._state, self._state.acceleration
        braking = _argmax(acceleration, state.fastest_back_at, state.settling_at)
        level = self.params.edge_acceleration_share * acceleration[braking]
        end = braking
        while end < len(acceleration) - 1 and acceleration[end] > level:
            end += 1
        return end

    def _start_at(self, fastest_out: int) -> int:
        """Index where the acceleration of the way out rises."""
        velocity, acceleration = self._state.velocity, self._state.acceleration
        slow = fastest_out
        while slow > 0 and velocity[slow] > _LOBE_SHARE * velocity[fastest_out]:
            slow -= 1
        push = _argmax(acceleration, max(0, slow - _LOBE_MARGIN_HOPS), fastest_out)
        level = self.params.edge_acceleration_share * acceleration[push]
        start = push
        while start > 0 and acceleration[start] > level:
            start -= 1
        return start

    def _slow_start(self, fastest_out: int) -> int:
        """Index where the speed of the way out rises."""
        velocity = self._state.velocity
        level = self.params.edge_acceleration_share * velocity[fastest_out]
        start = fastest_out
        while start > 0 and velocity[start] > level:
            start -= 1
        return start

    def _complete(self, end: int) -> Found | None:
        state, params = self._state, self.params
        fastest_out = _argmax(state.velocity, 0, state.farthest_at)
        start = self._start_at(fastest_out)
        slowest = min(state.velocity[fastest_out], -state.fastest_back)
        gone: Found = RestResumed(state.first_hop + len(state.height) - 1)
        long_enough = end - start >= params.min_duration_s * HOP_RATE_HZ
        believed = slowest >= params.min_speed_mps and long_enough
        rep = self._phases(start, end) if believed else None
        if rep is None and believed and self._only_seemed_undone(start, end):
            return None
        if rep is not None and rep.range_m is not None:
            roughly_m = state.farthest - state.rest
            if rep.range_m < params.believed_share * roughly_m:
                # The push that was found came after most of the way; take the edge from speed instead.
                rep = self._phases(self._slow_start(fastest_out), end)
        if rep is not None and rep.range_m is not None and rep.range_m >= params.min_range_m / 2:
            state.ranges = [*state.ranges[-params.remembered_reps + 1 :], rep.range_m]
            gone = rep
        self._rest_from(end)
        return gone

    def _only_seemed_undone(self, start: int, end: int) -> bool:
        """Go on with a movement that never came back, while the curve may have leaked that much.

        Just after a beginning it leaks so fast that half of a slow way out looks undone at its far end.
        """
        state = self._state
        if end - start > self.params.longest_leaked_s * HOP_RATE_HZ:
            return False
        now = len(state.height) - 1
        state.rest += state.height[now] - state.farthest
        state.stage, state.farthest, state.farthest_at = _Stage.AWAY, state.height[now], now
        return True

    def _phases(self, start: int, end: int) -> RepFound | None:
        """Where the way out ends and the way back begins, when the pelvis stood still at both ends.

        Between two moments of rest the offset of the accelerometer is known, so the repetition is
        integrated once more without any leak.
        """
        state, params = self._state, self.params
        acceleration = np.array(state.acceleration[start : end + 1])
        velocity = np.add.accumulate(acceleration + state.offset[start : end + 1]) / HOP_RATE_HZ
        velocity -= np.linspace(velocity[0], velocity[-1], len(velocity))
        height = np.add.accumulate(velocity) / HOP_RATE_HZ
        top = int(np.argmax(height))
        hold, leave = hold_around(top, velocity, acceleration, share=params.edge_acceleration_share)
        if leave - hold < params.shortest_hold_s * HOP_RATE_HZ:
            hold = leave = top
        first, turn = state.first_hop + start, (hold + leave) // 2
        hops = (first, first + hold, first + turn, first + leave, first + end - start)
        if float(height[-1]) > (1.0 - params.least_return_share) * float(height[top]):
            return None
        return RepFound(*hops, range_m=float(height[top]))

    def _rest_from(self, index: int) -> None:
        """Begin to wait for the next repetition, with the hops from `index` on as its past."""
        state = self._state
        self._state = HeightRepsState(
            first_hop=state.first_hop + index,
            height=state.height[index:],
            velocity=state.velocity[index:],
            acceleration=state.acceleration[index:],
            offset=state.offset[index:],
            rest=min(state.height[index:]),
            ranges=state.ranges,
        )


def _argmax(values: list[float], first: int, last: int) -> int:
    """Index of the largest of ``values[first:last + 1]``."""
    return max(range(first, last + 1), key=values.__getitem__)

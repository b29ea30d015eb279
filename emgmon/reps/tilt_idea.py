"""One idea of where rest is, followed: the direction of gravity leaves it, turns, and comes back."""

import enum
import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.rotations import angle_deg
from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import Found, RepFound, RestLeft, RestResumed
from emgmon.reps.tilt_edges import edge_after, run_lengths
from emgmon.reps.tilt_params import TiltRepsParams
from emgmon.reps.tilt_track import SHAKE, SPEED, UP, VELOCITY, no_rows

_LONGEST_REST_HOPS = 15 * HOP_RATE_HZ
_NEW_SET_HOPS = 10 * HOP_RATE_HZ
_FEWEST_RANGES = 2


_NEAR_HOME = 0.25
"""Only within this share of the range from rest does a slow moment begin or end a repetition."""


class _Stage(enum.Enum):
    REST = enum.auto()
    AWAY = enum.auto()
    BACK = enum.auto()


@dataclass(slots=True)
class TiltIdeaState:
    """What one hop leaves for the next; arrays are replaced, never written to."""

    first_hop: int = 0
    """Hop of the first row of the history: the end of the last repetition, or later."""
    history: NDArray[np.float64] = field(default_factory=no_rows)
    seen: int = 0
    """Rows of the history that were decided on."""
    stage: _Stage = _Stage.REST
    rest: NDArray[np.float64] | None = None
    """Direction of rest; ``None`` before the first hop."""
    settled: NDArray[np.float64] | None = None
    """Where the last repetition slowed down; ``None`` once the sensor has been still."""
    bottom: NDArray[np.float64] | None = None
    """How far it came back since."""
    bottom_deg: float = 0.0
    still_hops: int = 0
    """For how long it has been still."""
    towards: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """Unit vector square to rest, towards the far end."""
    away_at: int = 0
    farthest: float = 0.0
    """Largest angle from rest, degrees."""
    farthest_at: int = 0
    peak: float = 0.0
    """Largest angle since the sensor last went away: below `farthest` after a half-way return."""
    peak_at: int = 0
    nearest: float = 0.0
    fastest_back: float = 0.0
    fastest_back_at: int = 0
    strayed_hops: int = 0
    ranges: list[float] = field(default_factory=list)
    ended_hop: int = 0
    """End of the last repetition."""
    refuted: bool = False
    """The last movement was another one than the exercise's, or never came home."""

    def copy(self) -> "TiltIdeaState":
        """Independent copy, for a checkpoint."""
        return replace(self, ranges=self.ranges.copy())


class TiltIdea:
    """State machine from rest, away, back to rest, on the angle between gravity now and gravity at rest.

    No axis of the body has to be known: the way of a repetition is the angle from the direction of rest,
    and once it has turned, the angle along the great circle through its far end, so that coming back past
    the start to another position (sitting down, rolling over) is told from coming back to it.
    """

    def __init__(self, params: TiltRepsParams, state: TiltIdeaState | None = None) -> None:
        self.params = params
        self.still_dps = min(params.fastest_still_dps, params.still_share_per_s * params.least_deg)
        self._state = state or TiltIdeaState()

    @property
    def state(self) -> TiltIdeaState:
        """All that the past leaves to the future; a copy."""
        return self._state.copy()

    @property
    def away(self) -> bool:
        """Whether rest was left."""
        return self._state.stage is not _Stage.REST

    @property
    def refuted(self) -> bool:
        """Whether the last movement was another one than the exercise's, or never came home."""
        return self._state.refuted

    def believes_near(self, up: NDArray[np.float64]) -> bool:
        """Whether a direction is close to what is taken for rest."""
        rest = self._state.rest
        return rest is not None and float(angle_deg(up, rest)) < self._leaving_deg()

    def other(self, up: NDArray[np.float64], hop: int) -> "TiltIdea":
        """Give another idea: that rest is here, now."""
        state = TiltIdeaState(first_hop=hop, rest=up.copy(), ranges=self._state.ranges.copy())
        return TiltIdea(self.params, state)

    def after_break(self) -> "TiltIdea":
        """Give the idea that rest is still where it was: gravity does not change while nobody looks."""
        state = self._state
        return TiltIdea(self.params, TiltIdeaState(rest=state.rest, ranges=state.ranges.copy()))

    def take(self, first_hop: int, rows: NDArray[np.float64]) -> list[Found]:
        """Take the next rows of a track and give what began and ended within them."""
        state = self._state
        if not len(rows):
            return []
        if state.rest is None:
            state.rest = rows[0, UP].copy()
        if not len(state.history):
            state.first_hop = first_hop
        state.history = np.concatenate([state.history, rows])
        found: list[Found] = []
        while state.seen < len(state.history):
            news = self._advance(state.history[state.seen :])
            if news is not None:
                found.append(news)
        return found

    def _advance(self, rows: NDArray[np.float64]) -> Found | None:
        """Decide on rows up to the first that changes the stage."""
        if self._state.stage is _Stage.REST:
            return self._rest(rows)
        if self._state.stage is _Stage.AWAY:
            return self._away(rows)
        return self._back(rows)

    def restful(self, rows: NDArray[np.float64]) -> int:
        """Count leading rows that need no decision, so that a long rest can be passed at once."""
        state = self._state
        if self.away or state.settled is not None or state.rest is None:
            return 0
        # What is forgotten at rest is forgotten at the same hop, however the stream is cut.
        room = 2 * _LONGEST_REST_HOPS - state.seen
        if state.seen <= _NEW_SET_HOPS:
            room = min(room, _NEW_SET_HOPS - state.seen)
        rows = rows[: max(0, room)]
        if not len(rows):
            return 0
        rest, _, _ = self._rests(rows)
        left = np.flatnonzero(angle_deg(rows[:, UP], rest) >= self._leaving_deg())
        return int(left[0]) if len(left) else len(rows)

    def _rests(
        self, rows: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
        """For each row give rest as it was then, whether it was reached since, and how long it is still."""
        state = self._state
        assert state.rest is not None
        still_hops = run_lengths(rows[:, SPEED] < self.still_dps, state.still_hops)
        still = still_hops >= self.params.shortest_rest_s * HOP_RATE_HZ
        last_still = np.maximum.accumulate(np.where(still, np.arange(len(rows)), -1))
        rested = last_still >= 0
        return np.where(rested[:, np.newaxis], rows[last_still, UP], state.rest), rested, still_hops

    def _rest(self, rows: NDArray[np.float64]) -> Found | None:
        state = self._state
        rest, rested, still_hops = self._rests(rows)
        angle = angle_deg(rows[:, UP], rest)
        if state.settled is not None:
            angle = np.where(rested, angle, np.minimum(angle, self._off_landing_deg(rows)))
        left = np.flatnonzero(angle >= self._leaving_deg())
        now = int(left[0]) if len(left) else len(rows) - 1
        if state.settled is not None:
            self._land(rows[: now + 1])
            rest[now] = rest[now] if rested[now] else state.bottom if len(left) else state.rest
        state.rest, state.still_hops = rest[now].copy(), int(still_hops[now])
        state.settled = None if rested[now] or len(left) else state.settled
        state.seen += now + 1
        if len(left):
            state.stage, state.away_at = _Stage.AWAY, state.seen - 1
            state.farthest, state.farthest_at = float(angle_deg(rows[now, UP], state.rest)), state.away_at
            state.peak, state.peak_at = state.farthest, state.farthest_at
            return RestLeft(state.first_hop + state.away_at)
        if state.seen > _NEW_SET_HOPS:
            state.ranges = []
        if state.seen > 2 * _LONGEST_REST_HOPS:
            self._forget(state.seen - _LONGEST_REST_HOPS)
        return None

    def _off_landing_deg(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Angle to where the last repetition slowed down, or came back farthest, whichever is closer."""
        state = self._state
        assert state.settled is not None
        assert state.bottom is not None
        return np.minimum(angle_deg(rows[:, UP], state.settled), angle_deg(rows[:, UP], state.bottom))

    def _land(self, rows: NDArray[np.float64]) -> None:
        """Keep how far the last repetition came back; it may have slowed down before that."""
        state = self._state
        way, _ = self._way(rows)
        # Who goes to the other side at once has not come back farther, but left again.
        farthest = self._leaving_deg() if self.params.either_way else math.inf
        lowest = int(np.argmin(np.where(way > -0.5 * farthest, way, math.inf)))
        if -0.5 * farthest < way[lowest] < state.bottom_deg:
            state.bottom, state.bottom_deg = rows[lowest, UP].copy(), float(way[lowest])

    def _leaving_deg(self) -> float:
        ranges = self._state.ranges
        usual = sorted(ranges)[(len(ranges) - 1) // 2] if len(ranges) >= _FEWEST_RANGES else 0.0
        return max(self.params.least_deg, self.params.leaving_share * usual)

    def _forget(self, n_hops: int) -> None:
        state = self._state
        state.history = state.history[n_hops:].copy()
        state.first_hop, state.seen = state.first_hop + n_hops, state.seen - n_hops

    def _away(self, rows: NDArray[np.float64]) -> Found | None:
        state, params = self._state, self.params
        assert state.rest is not None
        angle = angle_deg(rows[:, UP], state.rest)
        peak = np.maximum.accumulate(np.maximum(angle, state.peak))
        farthest = np.maximum(peak, state.farthest)
        turned_deg = np.maximum(0.6 * params.least_deg, params.reversal_share * farthest)
        turned = np.flatnonzero(peak - angle >= turned_deg)
        now, late = self._within_time(turned, len(rows))
        top = int(np.argmax(angle[: now + 1]))
        if angle[top] > state.peak:
            state.peak, state.peak_at = float(angle[top]), state.seen + top
        if state.peak > state.farthest:
            state.farthest, state.farthest_at = state.peak, state.peak_at
        state.seen += now + 1
        if late:
            return self._resume()
        if len(turned):
            state.stage, state.nearest, state.strayed_hops = _Stage.BACK, math.inf, 0
            state.fastest_back, state.fastest_back_at = 0.0, state.peak_at
            state.towards = _towards(state.rest, state.history[state.farthest_at, UP])
            # The way back began at the peak, so it is looked at from there.
            state.seen = state.peak_at + 1
        return None

    def _within_time(self, reached: NDArray[np.intp], n_rows: int) -> tuple[int, bool]:
        """Give the index of the row to stop at, and whether it is because the repetition lasts too long."""
        state = self._state
        last = state.away_at + int(self.params.longest_rep_s * HOP_RATE_HZ) - state.seen
        now = int(reached[0]) if len(reached) else n_rows - 1
        return (max(last, 0), True) if last <= now else (now, False)

    def _resume(self) -> RestResumed:
        """Take where the sensor is now for rest."""
        state = self._state
        hop = state.first_hop + state.seen - 1
        state.stage, state.rest, state.still_hops = _Stage.REST, state.history[state.seen - 1, UP], 0
        state.refuted = True
        self._forget(max(0, state.seen - 1))
        return RestResumed(hop)

    def _back(self, rows: NDArray[np.float64]) -> Found | None:
        state, params = self._state, self.params
        assert state.rest is not None
        way, speed = self._way(rows)
        fastest = np.maximum.accumulate(np.maximum(speed, state.fastest_back))
        nearest = np.minimum.accumulate(np.minimum(way, state.nearest))
        home = self._home(rows, way)
        undone = (state.farthest - way >= params.return_share * state.farthest) & home
        settled = undone & (speed <= params.settled_speed_share * fastest)
        again = (way - nearest >= params.reversal_share * state.farthest) & (
            state.farthest - nearest < params.return_share * state.farthest
        )
        strayed_hops = self._strayed(rows, way, home)
        strayed = strayed_hops >= params.strayed_s * HOP_RATE_HZ
        opposite = -way >= np.maximum(2.0 * state.farthest, self._leaving_deg())
        now, late = self._within_time(np.flatnonzero(settled | again | strayed | opposite), len(rows))
        quickest = int(np.argmax(speed[: now + 1]))
        if speed[quickest] > state.fastest_back:
            state.fastest_back, state.fastest_back_at = float(speed[quickest]), state.seen + quickest
        state.nearest, state.strayed_hops = float(nearest[now]), int(strayed_hops[now])
        state.seen += now + 1
        if late or strayed[now]:
            return self._resume()
        if settled[now]:
            return self._complete(float(way[now]))
        if again[now] or opposite[now]:
            # What went the other way, and only half as far, was the swing before the movement.
            state.stage = _Stage.AWAY
            if opposite[now]:
                state.away_at, state.farthest = state.seen - 1, 0.0
            state.peak, state.peak_at = float(angle_deg(rows[now, UP], state.rest)), state.seen - 1
        return None

    def _way(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Angle from rest along the repetition's own great circle, and how fast it shrinks."""
        state = self._state
        assert state.rest is not None
        along, out = rows[:, UP] @ state.rest, rows[:, UP] @ state.towards
        turning = along * (rows[:, VELOCITY] @ state.towards) - out * (rows[:, VELOCITY] @ state.rest)
        return np.degrees(np.arctan2(out, along)), -np.degrees(turning / (along**2 + out**2 + 1e-9))

    def _home(self, rows: NDArray[np.float64], way: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell where the direction is again close to where the repetition began."""
        state = self._state
        assert state.rest is not None
        params, off_deg = self.params, angle_deg(rows[:, UP], state.rest)
        near = np.abs(way) <= params.other_rest_share * state.farthest
        return near & (off_deg <= params.most_drift_share * state.farthest)

    def _strayed(
        self, rows: NDArray[np.float64], way: NDArray[np.float64], home: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """For each row count how long the sensor has rested neither at the far end nor at home."""
        state, params = self._state, self.params
        between = (rows[:, SPEED] < self.still_dps) & ~home & (way < params.strayed_share * state.farthest)
        return run_lengths(between, state.strayed_hops)

    def _complete(self, way_end_deg: float) -> Found:
        state, params = self._state, self.params
        assert state.rest is not None
        now = state.seen - 1
        way, back = self._way(state.history[: now + 1])
        rep = self._edges(way, back)
        shaking = float(np.mean(state.history[rep[0] : now + 1, SHAKE]))
        # It came home about another axis than the exercise turns about: that home is not the exercise's rest.
        state.refuted = self._off_axis_deg() > params.most_off_axis_deg
        good = (
            not state.refuted
            and shaking <= params.most_shaking_mps2
            and rep[4] - rep[0] >= params.min_duration_s * HOP_RATE_HZ
        )
        found: Found = RestResumed(state.first_hop + now)
        if good:
            axis = np.cross(state.rest, state.towards)
            start, hold, turn, leave, end = (state.first_hop + place for place in rep)
            # The end before was foreseen, and may lie behind the beginning of this one.
            start, state.ended_hop = min(max(start, state.ended_hop), hold), end
            found = RepFound(
                start,
                hold,
                turn,
                leave,
                end,
                range_m=None,
                range_deg=state.farthest,
                turn_axis=(float(axis[0]), float(axis[1]), float(axis[2])),
            )
            state.ranges = [*state.ranges[-params.remembered_reps + 1 :], state.farthest]
        state.stage, state.still_hops = _Stage.REST, 0
        state.settled = state.bottom = state.history[now, UP]
        state.bottom_deg = way_end_deg
        self._forget(min(rep[4], now))
        return found

    def _off_axis_deg(self) -> float:
        """How far the way out was from the axis that the exercise turns about; 0 where it is not known."""
        state, expected = self._state, self.params.turn_axis
        if expected is None or state.rest is None:
            return 0.0
        off = float(angle_deg(np.cross(state.rest, state.towards), np.array(expected)))
        return min(off, 180.0 - off) if self.params.either_way else off

    def _edges(self, way: NDArray[np.float64], back: NDArray[np.float64]) -> tuple[int, int, int, int, int]:
        """Places in the history of start, end of the way out, turn, begin of the way back, and end."""
        state = self._state
        top, fastest_back = state.farthest_at, state.fastest_back_at
        begin = max(0, state.away_at - HOP_RATE_HZ)
        fastest_out = begin + int(np.argmin(back[begin : top + 1]))
        near = way <= _NEAR_HOME * state.farthest
        start = self._edge_after(-back[: fastest_out + 1][::-1], _first(near[: fastest_out + 1][::-1]))
        end = self._edge_after(back[fastest_back:], _first(near[fastest_back:]))
        hold = min(fastest_out + self._edge_after(-back[fastest_out : top + 1]), top)
        leave = max(fastest_back - self._edge_after(back[top : fastest_back + 1][::-1]), top)
        if leave - hold < self.params.shortest_hold_s * HOP_RATE_HZ:
            hold = leave = top
        return max(0, fastest_out - start), hold, (hold + leave) // 2, leave, fastest_back + end

    def _edge_after(self, speed: NDArray[np.float64], least: int = 0) -> int:
        return edge_after(speed, least=least, smoothed_half_hops=self.params.smoothing_half_hops)


def _first(flags: NDArray[np.bool_]) -> int:
    """Place of the first true flag; of the last one if none is."""
    return int(np.argmax(flags)) if bool(flags.any()) else len(flags) - 1


def _towards(rest: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
    square = far - (far @ rest) * rest
    unit: NDArray[np.float64] = square / np.linalg.norm(square)
    return unit

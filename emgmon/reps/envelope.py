"""Repetitions on the EMG envelope alone: bursts between rests, whatever the body did meanwhile."""

import enum
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ
from emgmon.reps.envelope_edges import BurstEdges, find_edges, hops_to_silence, level_at
from emgmon.reps.envelope_smoothing import ActivitySmoothing, SmoothingState
from emgmon.reps.found import Found, RepFound, RestLeft, RestResumed


@dataclass(frozen=True, slots=True)
class EnvelopeRepsParams:
    """What may be tuned; the same for every exercise and person.

    A share of a burst is one of the muscle's amplitude: what noise adds in power is taken off.
    """

    contrast: float = 1.35
    """A burst must rise to this many times the level of rest ..."""
    swings: float = 4.0
    """... and above it by this many times the usual swing of rest ..."""
    contrast_cap: float = 2.0
    """... which asks for no more than this many times the level of rest ..."""
    on_share: float = 0.4
    """... and, while a set is under way, to this share of the usual burst; the longer the rest, the less."""
    first_on_share: float = 0.25
    """Until there is a usual burst: one strong first burst must not hide the set that follows."""
    least_on_share: float = 0.15
    on_share_halved_s: float = 10.0
    again_share: float = 0.5
    """Right after a burst only this share of it can be the next one, and not the twitches in its tail ..."""
    again_s: float = 1.0
    """... and less and less until so long after it."""
    off_share: float = 0.25
    """A burst is fading below this share of its peak: dips that stay above it are part of the burst."""
    sunken_share: float = 0.35
    """A dip below this share is rest, too, that stays higher than before, when ..."""
    sunken_s: float = 0.25
    """... it lasts so long and the next burst follows ..."""
    longest_sunken_s: float = 1.0
    """... or when nothing follows for so long."""
    edge_share: float = 0.08
    """It begins and ends at this share of its peak ..."""
    edge_swings: float = 2.0
    """... or so many usual swings above rest, where noise covers more."""
    longest_fading_s: float = 0.5
    """How long the end may be sought; where activity stays higher than before, that is the new rest."""
    min_above_half_s: float = 0.38
    """Shorter above half of their peak are heartbeats, twitches and the gluteal bursts of walking."""
    min_burst_s: float = 0.45
    longest_burst_s: float = 30.0
    flat_uv: float = 0.1
    """No amplifier is this quiet: at or below it there is no electrode."""
    min_rise_uv: float = 2.0
    """Smaller rises are the noise of any amplifier."""
    rest_falls_s: float = 0.2
    """Time constant with which the level of rest follows activity down ..."""
    rest_rises_s: float = 10.0
    """... and up."""
    swing_s: float = 4.0
    """Time constant of the swing of rest."""
    remembered_bursts: int = 5


_REMEMBERED_REST_HOPS = 6 * HOP_RATE_HZ
"""Rest is remembered this far back; half of it is let go at a time."""

_FEWEST_PEAKS = 3
"""Fewer bursts are no habit yet."""

_FIRST_SWING = 0.1
"""Swing of rest, as a share of its level, until it is known."""

_LARGEST_SWING = 3.0
"""What exceeds the usual swing by more than this is no rest and must not teach it."""

_LONG_AGO_HOPS = 10_000_000
"""Age of the last burst when there is none."""


class _Stage(enum.Enum):
    REST = enum.auto()
    BURST = enum.auto()
    FADING = enum.auto()


@dataclass(slots=True)
class EnvelopeRepsState:
    """What one hop leaves for the next."""

    smoothing: SmoothingState = field(default_factory=SmoothingState)
    stage: _Stage = _Stage.REST
    first_hop: int = 0
    """Hop of the first of the levels."""
    levels: list[float] = field(default_factory=list)
    """From the end of the last burst, or the last seconds of a long rest."""
    rest: float = 0.0
    swing: float = 0.0
    """How far activity usually is from `rest`."""
    on_at: int = 0
    """Index where the burst under way was noticed."""
    peak: float = 0.0
    fading_at: int | None = None
    """Index since which it is fading, or where it has sunk to what may be a higher rest."""
    valley_at: int = 0
    """Index of the lowest level since then."""
    sunken_hops: int = 0
    peaks: list[float] = field(default_factory=list)
    """Of the last bursts that were repetitions."""
    faded_hop: int = -_LONG_AGO_HOPS
    """Where the last of them sank into the noise ..."""
    end_hop: int = 0
    """... and where it ended."""

    def copy(self) -> "EnvelopeRepsState":
        """Independent copy, for a checkpoint."""
        return replace(
            self, smoothing=self.smoothing.copy(), levels=self.levels.copy(), peaks=self.peaks.copy()
        )


class EnvelopeReps:
    """State machine from rest, burst, fading to rest, with levels that follow the person.

    A burst is told from rest by its contrast, and from its neighbours by the dip between them, measured
    against its own peak: rests need not come down to the level from before the set. Start and end are those
    of the muscle, with no correction for the delay between muscle and movement; the end is placed where
    activity would reach rest, because the last of its fading lies under the noise.
    """

    def __init__(self, params: EnvelopeRepsParams | None = None) -> None:
        self.params = params or EnvelopeRepsParams()
        self._smoothing = ActivitySmoothing()
        self._state = EnvelopeRepsState()

    @property
    def state(self) -> EnvelopeRepsState:
        """All that the past leaves to the future; a copy, and settable."""
        return replace(self._state, smoothing=self._smoothing.state).copy()

    @state.setter
    def state(self, state: EnvelopeRepsState) -> None:
        self._state = state.copy()
        self._smoothing.state = self._state.smoothing

    def process(self, first_hop: int, activity: NDArray[np.float64]) -> list[Found]:
        """Take the next hops of the activity of all muscles together.

        Parameters
        ----------
        first_hop
            Hop of the first value.
        activity
            Shape (n_hops,), microvolt, NaN where not measured.
        """
        return self._run(*self._smoothing.process(first_hop, activity, flat_uv=self.params.flat_uv))

    @property
    def decided_hop(self) -> int:
        """Every hop before this one was decided on."""
        return self._state.first_hop + len(self._state.levels)

    def finish(self) -> list[Found]:
        """Close the burst under way where it was last seen."""
        found = self._run(*self._smoothing.finish())
        if self._state.stage is _Stage.BURST:
            found.append(self._close(len(self._state.levels) - 1, rest=self._state.rest))
        elif self._state.stage is _Stage.FADING:
            found.append(self._settle())
        return found

    def _run(self, first_hop: int, levels: list[float]) -> list[Found]:
        state, found = self._state, []
        if levels and not state.levels:
            state.first_hop = first_hop
            state.rest, state.swing = levels[0], _FIRST_SWING * levels[0]
        for level in levels:
            state.levels.append(level)
            if state.stage is _Stage.REST:
                found += self._rest(level)
            elif state.stage is _Stage.BURST:
                found += self._burst(level)
            else:
                found += self._fade(level)
        return found

    def _rest(self, level: float) -> list[Found]:
        state, params = self._state, self.params
        # The cheap half of the question first: most of a session is rest.
        if level >= state.rest * params.contrast and level >= self._on_level():
            self._begin(level)
            return [RestLeft(state.first_hop + state.on_at)]
        rise = level - state.rest
        state.rest += rise / (HOP_RATE_HZ * (params.rest_falls_s if rise < 0.0 else params.rest_rises_s))
        usual = min(abs(rise), _LARGEST_SWING * state.swing + 0.01 * state.rest)
        state.swing += (usual - state.swing) / (HOP_RATE_HZ * params.swing_s)
        if len(state.levels) > _REMEMBERED_REST_HOPS:
            self._forget(_REMEMBERED_REST_HOPS // 2)
        return []

    def _begin(self, level: float) -> None:
        state = self._state
        state.stage, state.on_at, state.peak = _Stage.BURST, len(state.levels) - 1, level
        state.fading_at = None

    def _forget(self, n_hops: int) -> None:
        del self._state.levels[:n_hops]
        self._state.first_hop += n_hops

    def _on_level(self) -> float:
        """Level that activity has to reach to be a burst."""
        state, params = self._state, self.params
        swings = min(state.rest + params.swings * state.swing, params.contrast_cap * state.rest)
        on_level = max(state.rest * params.contrast, swings, state.rest + params.min_rise_uv)
        if not state.peaks:
            return on_level
        rested_s = (state.first_hop + len(state.levels) - 1 - state.faded_hop) / HOP_RATE_HZ
        share = params.on_share if len(state.peaks) >= _FEWEST_PEAKS else params.first_on_share
        share = max(params.least_on_share, share / (1.0 + rested_s / params.on_share_halved_s))
        usual = sorted(state.peaks)[(len(state.peaks) - 1) // 2]
        again = params.again_share * max(0.0, 1.0 - rested_s / params.again_s)
        return max(
            on_level,
            level_at(share, rest=state.rest, peak=usual),
            level_at(again, rest=state.rest, peak=state.peaks[-1]),
        )

    def _burst(self, level: float) -> list[Found]:
        state, params = self._state, self.params
        now = len(state.levels) - 1
        state.peak = max(state.peak, level)
        if level < level_at(params.off_share, rest=state.rest, peak=state.peak):
            state.stage = _Stage.FADING
            state.fading_at = state.valley_at = now
            return []
        if now - state.on_at >= params.longest_burst_s * HOP_RATE_HZ:
            # No muscle holds on for ever: this is what rest looks like now.
            state.stage, state.rest, state.swing = _Stage.REST, level, _FIRST_SWING * level
            self._forget(now)
            return [RestResumed(state.first_hop)]
        return self._sink(level)

    def _sink(self, level: float) -> list[Found]:
        """See to dips that are not deep, but may be a rest that stays higher than the one before."""
        state, params = self._state, self.params
        now = len(state.levels) - 1
        sunken = level < level_at(params.sunken_share, rest=state.rest, peak=state.peak)
        if state.fading_at is None:
            if sunken:
                state.fading_at, state.valley_at, state.sunken_hops = now, now, 1
            return []
        state.sunken_hops += sunken
        if sunken and level < state.levels[state.valley_at]:
            state.valley_at = now
        if sunken and now - state.fading_at >= params.longest_sunken_s * HOP_RATE_HZ:
            return [self._settle()]
        if self._rises_again(level):
            if state.sunken_hops >= params.sunken_s * HOP_RATE_HZ:
                return self._cut(level)
            state.fading_at = None
        elif not sunken and now - state.valley_at >= params.longest_sunken_s * HOP_RATE_HZ:
            state.fading_at = None
        return []

    def _fade(self, level: float) -> list[Found]:
        state, params = self._state, self.params
        now = len(state.levels) - 1
        if level < state.levels[state.valley_at]:
            state.valley_at = now
        if self._rises_again(level):
            return self._cut(level)
        if level <= self._edge_level(state.rest):
            return [self._close(now, rest=state.rest, fades=True)]
        if now - (state.fading_at or 0) >= params.longest_fading_s * HOP_RATE_HZ:
            return [self._settle()]
        return []

    def _rises_again(self, level: float) -> bool:
        valley = self._state.levels[self._state.valley_at]
        return level >= level_at(self.params.again_share, rest=valley, peak=self._state.peak)

    def _cut(self, level: float) -> list[Found]:
        """End the burst under way at the valley behind it, and begin the next one."""
        found = self._close(self._state.valley_at, rest=self._state.rest)
        self._begin(level)
        return [found, RestLeft(self._state.first_hop + self._state.on_at)]

    def _settle(self) -> Found:
        """End the burst under way where it came down to what is rest from now on."""
        state = self._state
        valley = state.levels[state.valley_at]
        edge_level = self._edge_level(valley)
        down = (i for i in range(state.fading_at or 0, state.valley_at) if state.levels[i] <= edge_level)
        return self._close(next(down, state.valley_at), rest=valley, fades=True)

    def _edge_level(self, rest: float) -> float:
        """Level at which the burst under way rises out of rest, or sinks into it."""
        state, params = self._state, self.params
        share = level_at(params.edge_share, rest=rest, peak=state.peak)
        return max(share, rest + params.edge_swings * state.swing)

    def _close(self, faded: int, *, rest: float, fades: bool = False) -> Found:
        """End the burst under way at an index; with `fades` it is followed from there into silence."""
        state = self._state
        edges = find_edges(
            state.levels,
            on_at=state.on_at,
            end=faded,
            rest=state.rest,
            peak=state.peak,
            edge_level=self._edge_level(state.rest),
        )
        news: Found = RestResumed(state.first_hop + len(state.levels) - 1)
        if self._is_repetition(edges):
            more = hops_to_silence(state.levels, faded, rest=rest, peak=state.peak) if fades else 0
            news = self._place(edges, more)
            state.faded_hop, state.end_hop = state.first_hop + faded, news.end_hop
            state.peaks = [*state.peaks[1 - self.params.remembered_bursts :], state.peak]
        state.rest = min(state.levels[faded:])
        state.stage = _Stage.REST
        self._forget(faded)
        return news

    def _is_repetition(self, edges: BurstEdges) -> bool:
        long_enough = edges.end - edges.start >= self.params.min_burst_s * HOP_RATE_HZ
        return long_enough and edges.hops_above_half >= self.params.min_above_half_s * HOP_RATE_HZ

    def _place(self, edges: BurstEdges, more: int) -> RepFound:
        """Put a burst on the hop grid, its end later by `more` hops and its start after the last end."""
        state = self._state
        start = max(state.first_hop + edges.start, state.end_hop)
        end = state.first_hop + edges.end + more
        return RepFound(start, start, state.first_hop + edges.turn, end, end, range_m=None)

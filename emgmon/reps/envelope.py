"""Repetitions on the EMG envelope alone: bursts between rests, whatever the body did meanwhile."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import Found, RepFound, RestLeft, RestResumed


@dataclass(frozen=True, slots=True)
class EnvelopeRepsParams:
    """What may be tuned."""

    smoothing_half_hops: int = 15
    """The signal is averaged over this many hops to either side."""
    contrast: float = 2.0
    """Before any repetition is known, a burst must rise to this many times the resting level above it."""
    on_share: float = 0.35
    """Later it must rise to this share of the usual burst above rest ..."""
    off_share: float = 0.6
    """... and ends below this share of the level at which it began."""
    flat_uv: float = 0.1
    """No amplifier is this quiet: at or below it there is no electrode."""
    min_rise_uv: float = 2.0
    """Smaller rises are the noise of any amplifier."""
    min_burst_s: float = 0.5
    min_rest_s: float = 0.25
    """Shorter dips are part of the burst."""
    longest_burst_s: float = 30.0
    rest_rise_per_s: float = 0.02
    """The resting level falls at once and rises by this share in a second, so that it can follow."""
    remembered_bursts: int = 8


@dataclass(slots=True)
class EnvelopeRepsState:
    """What one hop leaves for the next."""

    hop: int | None = None
    """Hop of the first entry of `raw`."""
    raw: list[float] = field(default_factory=list)
    """Hops that are still needed for averaging."""
    rest: float = math.inf
    peaks: list[float] = field(default_factory=list)
    """Heights of the last bursts above rest."""
    start_hop: int | None = None
    """Where the burst under way began; ``None`` at rest."""
    off_level: float = 0.0
    peak: float = 0.0
    peak_hop: int = 0
    last_active_hop: int = 0

    def copy(self) -> "EnvelopeRepsState":
        """Independent copy, for a checkpoint."""
        return replace(self, raw=self.raw.copy(), peaks=self.peaks.copy())


class EnvelopeReps:
    """Burst detection with a resting level and a usual burst that follow the person."""

    def __init__(self, params: EnvelopeRepsParams | None = None) -> None:
        self.params = params or EnvelopeRepsParams()
        self._state = EnvelopeRepsState()

    @property
    def state(self) -> EnvelopeRepsState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: EnvelopeRepsState) -> None:
        self._state = state.copy()

    def process(self, first_hop: int, activity: NDArray[np.float64]) -> list[Found]:
        """Take the next hops of the activity of all muscles together.

        Parameters
        ----------
        first_hop
            Hop of the first value.
        activity
            Shape (n_hops,), microvolt, NaN where not measured.
        """
        state, half = self._state, self.params.smoothing_half_hops
        if state.hop is None:
            state.hop = first_hop
        for value in activity.tolist():
            measured = value > self.params.flat_uv
            if measured or state.raw:
                # What was not measured cannot begin or end a burst: the last level holds on.
                state.raw.append(value if measured else state.raw[-1])
            else:
                state.hop += 1
        n_hops = max(0, len(state.raw) - 2 * half)
        raw = np.array(state.raw)
        total = np.zeros(n_hops)
        for shift in range(2 * half + 1 if n_hops else 0):
            total += raw[shift : shift + n_hops]
        found: list[Found] = []
        for offset, level in enumerate((total / (2 * half + 1)).tolist()):
            news = self._step(state.hop + half + offset, level)
            if news is not None:
                found.append(news)
        del state.raw[:n_hops]
        state.hop += n_hops
        return found

    def finish(self) -> list[Found]:
        """Close the burst under way where it was last active."""
        return [self._close()] if self._state.start_hop is not None else []

    def _step(self, hop: int, level: float) -> Found | None:
        state, params = self._state, self.params
        state.rest = min(level, state.rest * (1.0 + params.rest_rise_per_s / HOP_RATE_HZ))
        if state.start_hop is None:
            on_level = self._on_level()
            if level < on_level:
                return None
            state.start_hop = state.peak_hop = state.last_active_hop = hop
            state.peak = level
            state.off_level = state.rest + params.off_share * (on_level - state.rest)
            return RestLeft(hop)
        if level > state.peak:
            state.peak, state.peak_hop = level, hop
        if level > state.off_level:
            state.last_active_hop = hop
        if hop - state.last_active_hop >= params.min_rest_s * HOP_RATE_HZ:
            return self._close()
        if hop - state.start_hop >= params.longest_burst_s * HOP_RATE_HZ:
            state.start_hop, state.rest = None, level
            return RestResumed(hop)
        return None

    def _on_level(self) -> float:
        state, params = self._state, self.params
        if not state.peaks:
            rise = state.rest * params.contrast
        else:
            rise = params.on_share * sorted(state.peaks)[len(state.peaks) // 2]
        return state.rest + max(rise, params.min_rise_uv)

    def _close(self) -> Found:
        state, params = self._state, self.params
        start, end = state.start_hop or 0, state.last_active_hop
        state.start_hop = None
        if end - start < params.min_burst_s * HOP_RATE_HZ:
            return RestResumed(end)
        state.peaks = [*state.peaks[-params.remembered_bursts + 1 :], state.peak - state.rest]
        return RepFound(start, start, state.peak_hop, end, end, range_m=None)

"""Where a burst of muscle activity begins, is half done and ends, judged in power above its own rest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FADING_SHARE = 0.4
"""The end is extrapolated along the way that activity takes from this share of the burst downwards."""

LONGEST_EXTRAPOLATION_HOPS = 18
"""Not farther than the smoothing is late, so that no end lies in the future."""

_STEEPEST_SHARE = 0.35
"""Where the noise covers more of the burst than this, too little of its fading is seen to extrapolate it."""


def level_at(share: float, *, rest: float, peak: float) -> float:
    """Level at which the muscle alone is at a share of its peak.

    Noise and muscle add in power: ``rest^2 + share^2 (peak^2 - rest^2)`` is the level squared, as in the
    activation of the metrics. A share of the level itself would end a burst where noise merely covers it.
    """
    return math.sqrt(rest * rest + share * share * max(0.0, peak * peak - rest * rest))


def share_at(level: float, *, rest: float, peak: float) -> float:
    """Share of the burst that a level stands for; the inverse of :func:`level_at`."""
    power = peak * peak - rest * rest
    return math.sqrt(max(0.0, level * level - rest * rest) / power) if power > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class BurstEdges:
    """Indices into the levels."""

    start: int
    turn: int
    """Middle of the time above half of the burst: the middle of a hold, near the peak where there is none."""
    end: int
    hops_above_half: int


def find_edges(
    levels: Sequence[float], *, on_at: int, end: int, rest: float, peak: float, edge_level: float
) -> BurstEdges:
    """Find the start and the middle of a burst whose end is known.

    Parameters
    ----------
    levels
        From the end of the burst before.
    on_at, end
        Where the burst was noticed, and where it ends.
    rest, peak
        Levels before it and at its highest.
    edge_level
        It starts where this level was last crossed before it was noticed, or at the lowest point since the
        burst before where activity never came down to it.
    """
    lowest = min(range(on_at + 1), key=levels.__getitem__)
    start = on_at
    while start > lowest and levels[start - 1] > edge_level:
        start -= 1
    half = level_at(0.5, rest=rest, peak=peak)
    high = [index for index in range(start, end + 1) if levels[index] >= half]
    turn = (high[0] + high[-1]) // 2 if high else start
    return BurstEdges(start, turn, end, len(high))


def hops_to_silence(levels: Sequence[float], end: int, *, rest: float, peak: float) -> int:
    """Hops from `end`, where activity sinks into the noise, to where it would reach rest at the same pace.

    Straight on in the muscle's own amplitude from `FADING_SHARE` of the burst through the level at `end`.
    """
    share = share_at(levels[end], rest=rest, peak=peak)
    if not 0.0 < share < _STEEPEST_SHARE:
        return 0
    above = level_at(FADING_SHARE, rest=rest, peak=peak)
    begun = end
    while begun > 0 and levels[begun] < above:
        begun -= 1
    hops = round((end - begun) * share / (FADING_SHARE - share))
    return min(hops, LONGEST_EXTRAPOLATION_HOPS)

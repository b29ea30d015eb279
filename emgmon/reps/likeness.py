"""Which movements of a set are its repetitions: those alike; decided from what the set itself shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import RepFound

PARTIAL_SHARE = 0.5
"""A movement of less than this share of the set's usual range is a partial repetition."""

FEWEST_TO_COMPARE = 2
"""Fewer repetitions before it say nothing of what is usual."""

REVISED_REPS = 5
"""The first repetitions of a set are looked at again until it has this many."""

OTHER_SHARE = 2.5
"""A movement this many times the usual range belongs to getting into place."""

OTHER_DIRECTION_DEG = 60.0
"""One about an axis this far from that of the others does, too."""

FEWEST_ALIKE = 3
"""Where an accelerometer on the trunk is all there is, fewer movements in a row are no set: bending down
once or sitting down and getting up looks like two."""

LONGEST_TO_SHORTEST = 3.0
"""Such movements have to last about as long as each other, too: none this many times the usual."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """One repetition of a set that is none, by its place, and why."""

    place: int
    reason: str


def partial_reason(rep: RepFound, before: Sequence[RepFound]) -> str | None:
    """Tell why a repetition is only a partial one, from those counted before it in its set.

    How high a lift goes is never judged; this only keeps half-way starts and shifts of weight out of the
    count.
    """
    sizes = [size for other in before if (size := _size(other)) is not None]
    size = _size(rep)
    if size is None or len(sizes) < FEWEST_TO_COMPARE:
        return None
    return _partial(size, median(sizes))


def revise(reps: Sequence[RepFound], *, alternating: bool) -> list[Unlike]:
    """Find the repetitions of a set that turn out to be none in the light of the others.

    Parameters
    ----------
    reps
        Those counted so far, in order of time; all on the same movement signal.
    alternating
        Whether the movement may go to either side of an axis.
    """
    if len(reps) < FEWEST_ALIKE:
        return []
    found = []
    sizes = [_size(rep) for rep in reps]
    known = [size for size in sizes if size is not None]
    for place, (rep, size) in enumerate(zip(reps, sizes, strict=True)):
        reason = None
        if size is not None and len(known) == len(reps):
            reason = _size_reason(size, median(known))
        if reason is None:
            reason = _direction_reason(rep, reps, alternating=alternating)
        if reason is not None:
            found.append(Unlike(place, reason))
    # Half of a set is never taken for something else.
    return found if 2 * len(found) < len(reps) else []


def too_few_alike(reps: Sequence[RepFound]) -> str | None:
    """Tell why the movements of a closed set are no set, where an accelerometer is all there is."""
    lengths = [(rep.end_hop - rep.start_hop) / HOP_RATE_HZ for rep in reps]
    alike = [s for s in lengths if s < LONGEST_TO_SHORTEST * median(lengths)]
    sizes = [size for rep in reps if (size := _size(rep)) is not None]
    alike_sizes = [size for size in sizes if PARTIAL_SHARE * max(sizes) <= size]
    if min(len(alike), len(alike_sizes)) >= FEWEST_ALIKE:
        return None
    return (
        f"with an accelerometer alone fewer than {FEWEST_ALIKE} like movements in a row are not taken for a set"
    )


def _size(rep: RepFound) -> float | None:
    return rep.range_m if rep.range_m is not None else rep.range_deg


def _size_reason(size: float, usual: float) -> str | None:
    if size > OTHER_SHARE * usual:
        return f"{size / usual:.1f} times the usual range of this set: a movement between the repetitions"
    return _partial(size, usual)


def _partial(size: float, usual: float) -> str | None:
    if size >= PARTIAL_SHARE * usual:
        return None
    return f"partial: {100 * size / usual:.0f} % of the usual range of this set"


def _direction_reason(rep: RepFound, reps: Sequence[RepFound], *, alternating: bool) -> str | None:
    axes = [other.turn_axis for other in reps]
    if any(axis is None for axis in axes):
        return None
    angles = [_between_deg(rep, other, alternating=alternating) for other in reps if other is not rep]
    if median(angles) <= OTHER_DIRECTION_DEG:
        return None
    return "about another axis than the rest of this set: a movement between the repetitions"


def _between_deg(rep: RepFound, other: RepFound, *, alternating: bool) -> float:
    assert rep.turn_axis is not None
    assert other.turn_axis is not None
    cosine = math.fsum(a * b for a, b in zip(rep.turn_axis, other.turn_axis, strict=True))
    return math.degrees(math.acos(max(-1.0, min(1.0, abs(cosine) if alternating else cosine))))

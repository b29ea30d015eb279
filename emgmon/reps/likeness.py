"""Which movements of a set are its repetitions: those alike; decided from what the set itself shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import RepFound

PARTIAL_SHARE = 0.5
"""A movement of less than this share of the set's usual range is a partial repetition."""

REVISED_REPS = 5
"""The first repetitions of a set are looked at again until it has this many."""

OTHER_SHARE = 2.5
"""A movement this many times the usual range belongs to getting into place."""

OTHER_DIRECTION_DEG = 60.0
"""One about an axis this far from that of the others does, too."""

USUAL_SHARE = 0.5
"""The usual range is the one that this share of a set stays below."""

USUAL_SHARE_OF_ONE_LEG = 0.75
"""A sensor on one thigh sees the other leg's repetitions, too, much smaller, so the larger ones are usual."""

FEWEST_SIDES = 2
"""Where sides alternate, each has to have been seen this often."""

OTHER_POSITION_DEG = 40.0
"""One that begins in a position this far from that of the others does, too."""

FEWEST_ALIKE = 3
"""Where an accelerometer on the trunk is all there is, fewer movements in a row are no set: bending down
once or sitting down and getting up looks like two."""

LONGEST_TO_USUAL = 2.0
"""Such movements have to last about as long as each other, too: none this many times the usual."""


Direction = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Unlike:
    """One repetition of a set that is none, by its place, and why."""

    place: int
    reason: str


def partial_reason(
    rep: RepFound, before: Sequence[RepFound], *, usual_share: float = USUAL_SHARE
) -> str | None:
    """Tell why a repetition is only a partial one, from those before it in its set.

    How high a lift goes is never judged; this only keeps half-way starts and shifts of weight out of the
    count.
    """
    sizes = [size for other in (*before, rep) if (size := _size(other)) is not None]
    size = _size(rep)
    if size is None or len(sizes) < FEWEST_ALIKE:
        return None
    return _partial(size, _usual(sizes, usual_share))


def revise(
    reps: Sequence[RepFound],
    starts: Sequence[Direction | None],
    *,
    partial: Sequence[RepFound] = (),
    alternating: bool,
    usual_share: float = USUAL_SHARE,
) -> list[Unlike]:
    """Find the repetitions of a set that turn out to be none in the light of the others.

    Parameters
    ----------
    reps
        Those counted so far, in order of time; all on the same movement signal.
    starts
        For each the direction of up at its start, in the axes of the pelvis sensor; ``None`` where unknown.
    partial
        Those not counted so far; they belong to what is usual all the same.
    alternating
        Whether the movement may go to either side of an axis.
    usual_share
        Which of the ranges is the usual one: half of them stay below it, or more.
    """
    if len(reps) + len(partial) < FEWEST_ALIKE:
        return []
    found = []
    sizes = [_size(rep) for rep in reps]
    known = [size for size in (*sizes, *map(_size, partial)) if size is not None]
    for place, (rep, size) in enumerate(zip(reps, sizes, strict=True)):
        reason = _position_reason(place, starts)
        if reason is None and size is not None:
            reason = _size_reason(size, _usual(known, usual_share), known)
        if reason is None:
            reason = _direction_reason(rep, reps, alternating=alternating)
        if reason is not None:
            found.append(Unlike(place, reason))
    # Half of a set is never taken for something else.
    return found if 2 * len(found) < len(reps) + len(partial) else []


def too_few_alike(reps: Sequence[RepFound]) -> str | None:
    """Tell why the movements of a closed set are no set, where an accelerometer is all there is."""
    lengths = [(rep.end_hop - rep.start_hop) / HOP_RATE_HZ for rep in reps]
    alike = [s for s in lengths if s < LONGEST_TO_USUAL * median(lengths)]
    sizes = [size for rep in reps if (size := _size(rep)) is not None]
    alike_sizes = [size for size in sizes if PARTIAL_SHARE * max(sizes) <= size]
    if min(len(alike), len(alike_sizes)) >= FEWEST_ALIKE:
        return None
    return f"with an accelerometer alone, fewer than {FEWEST_ALIKE} like movements in a row are no set"


def _usual(sizes: Sequence[float], share: float) -> float:
    """Give the size that this share of all stay below; between two of them, their mean."""
    if share == USUAL_SHARE:
        return median(sizes)
    ordered = sorted(sizes)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _size(rep: RepFound) -> float | None:
    return rep.range_m if rep.range_m is not None else rep.range_deg


def _size_reason(size: float, usual: float, sizes: Sequence[float]) -> str | None:
    n_alike = sum(0.5 * usual <= other <= 2.0 * usual for other in sizes)
    if size > OTHER_SHARE * usual and n_alike >= FEWEST_ALIKE:
        return f"{size / usual:.1f} times the usual range of this set: a movement between the repetitions"
    return _partial(size, usual)


def _partial(size: float, usual: float) -> str | None:
    if size >= PARTIAL_SHARE * usual:
        return None
    return f"partial: {100 * size / usual:.0f} % of the usual range of this set"


def _position_reason(place: int, starts: Sequence[Direction | None]) -> str | None:
    known = [start for start in starts if start is not None]
    own = starts[place]
    if own is None or len(known) < max(len(starts), FEWEST_ALIKE):
        return None
    angles = [_angle_deg(own, other) for i, other in enumerate(known) if i != place]
    if median(angles) <= OTHER_POSITION_DEG:
        return None
    return "begun in another position than the rest of this set: a movement between the repetitions"


def _direction_reason(rep: RepFound, reps: Sequence[RepFound], *, alternating: bool) -> str | None:
    axes = [other.turn_axis for other in reps]
    if len(reps) < (2 * FEWEST_SIDES if alternating else FEWEST_ALIKE) or any(axis is None for axis in axes):
        return None
    angles = [_between_deg(rep, other, alternating=alternating) for other in reps if other is not rep]
    # Left and right may go about two axes of their own, so one of the same side is enough.
    if (min(angles) if alternating else median(angles)) <= OTHER_DIRECTION_DEG:
        return None
    return "about another axis than the rest of this set: a movement between the repetitions"


def _between_deg(rep: RepFound, other: RepFound, *, alternating: bool) -> float:
    assert rep.turn_axis is not None
    assert other.turn_axis is not None
    angle = _angle_deg(rep.turn_axis, other.turn_axis)
    return min(angle, 180.0 - angle) if alternating else angle


def _angle_deg(first: Direction, second: Direction) -> float:
    cosine = math.fsum(a * b for a, b in zip(first, second, strict=True))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))

"""Limits on the offset between two clocks, and all lines of offset that break none: geometry, no statistics.

A limit at one moment allows a half plane of pairs (offset, drift); what all limits allow is a convex polygon,
and only the corners of the hulls of latest and earliest limits bound it (Zhang, Liu and Xia 2002, Clock
synchronization algorithms for network measurements, 10.1109/INFCOM.2002.1019257). Drift that changes by no
more than ``a`` a second moves an offset by no more than ``a s^2 / 2`` in ``s`` seconds: limits are loosened
by that. Seen from a later moment it adds one straight line to all, so that corners of a hull stay corners.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class LimitKind(Enum):
    """Which way the offset is limited, and by what."""

    EARLIEST = auto()
    """It is no less: from the question of an exchange."""
    LATEST = auto()
    """It is no more: from an answer or an arrival."""
    ASSUMED_EARLIEST = auto()
    """It is no less if half a minute's quickest packet was quick enough."""


@dataclass(frozen=True, slots=True)
class OffsetLimit:
    """What one message says about the offset at one moment."""

    kind: LimitKind
    device_us: int
    offset_ns: int
    """Host less device."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is granted to every limit."""

    stamp_ns: float
    """Inaccuracy of a time stamp."""
    wander_ns_per_s2: float
    """Most that the drift changes in a second, ns/s."""
    steepest_ns_per_s: float
    """Largest drift either way."""
    best_delay_ns: float
    """How far below the latest limits the offset may lie where nothing limits it from below."""

    def slack_ns(self, device_s: float) -> float:
        """By how much a limit is loosened that is so many seconds away."""
        return self.stamp_ns + self.strayed_ns(device_s)

    def strayed_ns(self, device_s: float) -> float:
        """How far an offset may have left its line after so many seconds."""
        return 0.5 * self.wander_ns_per_s2 * device_s**2


@dataclass(frozen=True, slots=True)
class OffsetLines:
    """All lines of offset over time that break no limit, and the one in their middle."""

    device_us: int
    """The newest limit's moment: offsets are those at this time."""
    base_offset_ns: int
    """What the offsets count from, so that floats lose nothing."""
    offset_ns: float
    """Host less device on the middle line."""
    drift_ns_per_s: float
    """Of the host against the device, on the middle line."""
    corner_offset_ns: tuple[float, ...]
    corner_drift_ns_per_s: tuple[float, ...]
    """Offset and drift at each corner of what is allowed, in no order."""

    def seconds(self, device_us: float) -> float:
        """Time since the newest limit."""
        return (device_us - self.device_us) / 1e6

    def middle_ns(self, device_s: float) -> float:
        """Offset on the middle line so many seconds after the newest limit."""
        return self.offset_ns + self.drift_ns_per_s * device_s

    def range_ns(self, device_s: float) -> tuple[float, float]:
        """Least and greatest offset so many seconds after the newest limit, wander left out."""
        offsets = [
            offset + drift * device_s
            for offset, drift in zip(self.corner_offset_ns, self.corner_drift_ns_per_s, strict=True)
        ]
        return min(offsets), max(offsets)


@dataclass(frozen=True, slots=True)
class LimitedOffset:
    """Limits without those that others make superfluous, now and later, and the lines that break none."""

    limits: tuple[OffsetLimit, ...]
    """In order of kind and device time."""
    lines: OffsetLines


Point = tuple[float, float, OffsetLimit]
"""Seconds after the newest limit, loosened nanoseconds above its offset, and where they come from."""


def limited_offset(
    limits: Sequence[OffsetLimit], allowance: Allowance, *, memory_s: float, most: int
) -> LimitedOffset:
    """Find all lines that break no limit, and the limits that they need.

    The middle line is the centre of gravity of all pairs of offset and drift: their mean if each is as likely
    as any other, as they are when waits for a connection event are spread evenly over the interval. Where no
    line keeps all limits, the only one is that which breaks them by least.

    Parameters
    ----------
    limits
        One at least, in any order. Those that were found needed before give the same lines again.
    allowance
        What is granted to each.
    memory_s
        Age from which they are left out, seconds before the newest.
    most
        Largest number of each kind; the newest stay. Fewer limits allow more, never less.
    """
    last_us = max([limit.device_us for limit in limits])
    newest = max((limit for limit in limits if limit.device_us == last_us), key=_narrowness)
    oldest_us = last_us - 1e6 * memory_s
    points = [_point(limit, newest, allowance) for limit in limits if limit.device_us >= oldest_us]
    hulls = {kind: _hull(point for point in points if point[2].kind is kind)[-most:] for kind in LimitKind}
    earliest, assumed = hulls[LimitKind.EARLIEST], hulls[LimitKind.ASSUMED_EARLIEST]
    needed = tuple(limit for hull in hulls.values() for _, _, limit in hull)
    return LimitedOffset(
        needed, _lines(newest, hulls[LimitKind.LATEST], _hull(earliest + assumed), allowance)
    )


def _narrowness(limit: OffsetLimit) -> tuple[int, int]:
    """Order limits of one moment: the last is the narrowest of its kind, which is sure to be needed."""
    return limit.kind.value, -limit.offset_ns if limit.kind is LimitKind.LATEST else limit.offset_ns


def _lines(
    newest: OffsetLimit, latest: Sequence[Point], earliest: Sequence[Point], allowance: Allowance
) -> OffsetLines:
    steepest = allowance.steepest_ns_per_s
    edges = [*_slopes(latest), *(-slope for slope in _slopes(earliest))]
    drift = np.array([-steepest, *sorted(edge for edge in edges if abs(edge) < steepest), steepest])
    high = _below(latest, drift) if latest else allowance.best_delay_ns - _below(earliest, -drift)
    low = -_below(earliest, -drift) if earliest else high - allowance.best_delay_ns
    allowed = _where_open(drift, low, high)
    return OffsetLines(
        newest.device_us,
        newest.offset_ns,
        *_centre(allowed),
        tuple(one.low_ns for one in allowed) + tuple(one.high_ns for one in allowed),
        2 * tuple(one.drift_ns_per_s for one in allowed),
    )


def _point(limit: OffsetLimit, newest: OffsetLimit, allowance: Allowance) -> Point:
    """Place a limit; earliest ones are upside down, so that the lines lie under both."""
    device_s = (limit.device_us - newest.device_us) / 1e6
    offset_ns = limit.offset_ns - newest.offset_ns
    above_ns = offset_ns if limit.kind is LimitKind.LATEST else -offset_ns
    return device_s, above_ns + allowance.slack_ns(device_s), limit


def _hull(points: Iterable[Point]) -> list[Point]:
    """Lower corners in order of time (Andrew 1979, 10.1016/0020-0190(79)90072-3)."""
    hull: list[Point] = []
    for point in sorted(points, key=_BY_PLACE):
        if hull and hull[-1][0] == point[0]:
            continue
        while len(hull) > 1 and not _is_corner(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


_BY_PLACE = itemgetter(0, 1)


def _is_corner(before: Point, point: Point, after: Point) -> bool:
    run, rise = point[0] - before[0], point[1] - before[1]
    return rise * (after[0] - before[0]) < (after[1] - before[1]) * run


def _slopes(hull: Sequence[Point]) -> list[float]:
    return [(after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(hull)]


def _below(hull: Sequence[Point], drift: Floats) -> Floats:
    """Height, at the newest moment, of the highest line of each drift that lies under all points."""
    seconds, heights = np.array([point[0] for point in hull]), np.array([point[1] for point in hull])
    lowest: Floats = (heights[:, np.newaxis] - seconds[:, np.newaxis] * drift).min(axis=0)
    return lowest


@dataclass(frozen=True, slots=True)
class _Slice:
    """Least and greatest offset at one drift."""

    drift_ns_per_s: float
    low_ns: float
    high_ns: float

    @property
    def gap_ns(self) -> float:
        return self.high_ns - self.low_ns

    @property
    def middle_ns(self) -> float:
        return 0.5 * (self.low_ns + self.high_ns)


def _where_open(drift: Floats, low: Floats, high: Floats) -> list[_Slice]:
    """Keep the drifts at which high is above low, and put in those at which they meet, in order."""
    gap = high - low
    is_open = np.flatnonzero(gap >= 0.0)
    if not len(is_open):
        best = int(np.argmax(gap))
        return [_Slice(float(drift[best]), float(low[best]), float(high[best]))]
    first, last = int(is_open[0]), int(is_open[-1])

    def meeting(inside: int, outside: int) -> list[_Slice]:
        if not 0 <= outside < len(gap):
            return []
        share = float(gap[inside] / (gap[inside] - gap[outside]))
        at_ns = float(low[inside] + share * (low[outside] - low[inside]))
        return [_Slice(float(drift[inside] + share * (drift[outside] - drift[inside])), at_ns, at_ns)]

    inner = [_Slice(float(drift[i]), float(low[i]), float(high[i])) for i in range(first, last + 1)]
    return [*meeting(first, first - 1), *inner, *meeting(last, last + 1)]


def _centre(slices: Sequence[_Slice]) -> tuple[float, float]:
    """Offset and drift at the centre of gravity of a polygon that is cut into trapezia."""
    area = offset = drift = 0.0
    for one, two in pairwise(slices):
        # Simpson's weights, which are exact for the product of two lines.
        step = (two.drift_ns_per_s - one.drift_ns_per_s) / 6.0
        weight, next_weight = step * (2.0 * one.gap_ns + two.gap_ns), step * (one.gap_ns + 2.0 * two.gap_ns)
        area += weight + next_weight
        offset += weight * one.middle_ns + next_weight * two.middle_ns
        drift += weight * one.drift_ns_per_s + next_weight * two.drift_ns_per_s
    if area > 0.0:
        return offset / area, drift / area
    central = slices[len(slices) // 2]
    return central.middle_ns, central.drift_ns_per_s

"""How counted repetitions are held against true ones, and how many figures become two."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SAME_SHARE = 0.5
"""Two repetitions are the same when they share this much of the shorter one."""


class Timed(Protocol):
    """Anything that begins and ends."""

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled repetition."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Matching:
    """Places of counted and true repetitions that are the same, and of those left over."""

    pairs: tuple[tuple[int, int], ...]
    """Place among the counted, place among the true."""
    false: tuple[int, ...]
    """Counted, and there was none, or it was counted already."""
    missed: tuple[int, ...]


def match(counted: Sequence[Timed], true: Sequence[Timed]) -> Matching:
    """Pair repetitions by how much they overlap, the best pair first, each one once."""
    overlaps = [
        (_shared(one, other), i, j)
        for i, one in enumerate(counted)
        for j, other in enumerate(true)
        if one.start_s < other.end_s and other.start_s < one.end_s
    ]
    partner: dict[int, int] = {}
    for shared, i, j in sorted(overlaps, reverse=True):
        if shared >= SAME_SHARE and i not in partner and j not in partner.values():
            partner[i] = j
    return Matching(
        tuple(sorted(partner.items())),
        tuple(i for i in range(len(counted)) if i not in partner),
        tuple(j for j in range(len(true)) if j not in partner.values()),
    )


def _shared(one: Timed, other: Timed) -> float:
    """Time in common, as a part of the shorter one."""
    common_s = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return common_s / max(1e-9, min(one.end_s - one.start_s, other.end_s - other.start_s))


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def two(values: Sequence[float], digits: int = 3) -> str:
    """Median and 95th percentile; a dash where nothing was measured."""
    if not values:
        return "-"
    return f"{statistics.median(values):.{digits}f}/{quantile(values, 0.95):.{digits}f}"


def percent(part: int, whole: int) -> str:
    """Share with one decimal; 100 only when nothing is missing."""
    if not whole:
        return "-"
    return "100" if part == whole else f"{min(99.9, 100.0 * part / whole):.1f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table whose first row is its head: first column to the left, others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

"""Written-down times become a rate and sample numbers; rounding, holes and loss must not make them drift."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOLE_PERIODS = 1.5
"""A step of time longer than this many sample periods means that samples are missing."""
MAX_LEAD_SAMPLES = 1.0
"""A hole is kept as a gap unless that puts the sample number further than this before the time."""
MAX_LAG_SAMPLES = 2.0
"""Within a stretch without holes, times further than this ahead of the count mean unseen loss."""
MAX_HOLE_SHARE = 0.2
"""With more holes than this share of the steps, the times came in bursts."""


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """How fast samples came, by their times."""

    rate_hz: float
    mean_hz: float
    """Rows per second over the whole file, holes included."""
    in_bursts: bool
    """Many samples bear nearly the same time, so that only the mean rate is known."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleNumbers:
    """Which sample of its stream each row is."""

    numbers: NDArray[np.int64]
    """Shape (n_rows,), from 0, strictly increasing."""
    stretches: tuple[tuple[int, int], ...]
    """Rows from, to (exclusive) between which no number is left out."""
    n_unseen: int
    """Numbers left out where the times show no hole but run ahead of the count."""
    max_deviation_s: float
    """Largest difference between a row's time and that of its sample number."""


def estimate_rate(t_s: NDArray[np.float64]) -> RateEstimate:
    """Find the rate from times that may be rounded, jittered and have holes.

    The slope of time over rows is fitted within the stretches between holes, all stretches together,
    so neither a hole nor the rounding of a single time weighs on it. Where a whole number of hertz
    describes the file equally well (to half a sample over its length), it is taken.

    Parameters
    ----------
    t_s
        Shape (n_rows,), at least 2, strictly increasing, seconds.
    """
    steps = np.diff(t_s)
    mean_hz = len(steps) / float(t_s[-1] - t_s[0])
    rate_hz = 1.0 / float(np.median(steps))
    if _hole_share(steps, rate_hz) > MAX_HOLE_SHARE:
        rate_hz = mean_hz
    if _hole_share(steps, rate_hz) > MAX_HOLE_SHARE:
        return RateEstimate(mean_hz, mean_hz, in_bursts=True)
    for _ in range(3):
        rate_hz = _pooled_rate(t_s, np.flatnonzero(steps * rate_hz > HOLE_PERIODS) + 1)
    whole_hz = float(round(rate_hz))
    if abs(whole_hz - rate_hz) * float(t_s[-1] - t_s[0]) < 0.5 and whole_hz > 0:
        rate_hz = whole_hz
    return RateEstimate(rate_hz, mean_hz, in_bursts=False)


def number_samples(t_s: NDArray[np.float64], rate_hz: float) -> SampleNumbers:
    """Give every row its sample number.

    Row 0 is sample 0. A hole leaves out as many numbers as its length says, at least one, unless that
    would put the count more than MAX_LEAD_SAMPLES before the time; so the count follows the times
    even where the steps between them are no whole number of periods.

    Parameters
    ----------
    t_s
        Shape (n_rows,), strictly increasing, seconds.
    """
    rows = np.arange(len(t_s))
    lag = (t_s - t_s[0]) * rate_hz - rows
    holes = np.flatnonzero(np.diff(t_s) * rate_hz > HOLE_PERIODS) + 1
    edges = [*holes.tolist(), len(t_s)]
    shifts: list[tuple[int, int]] = [(0, 0)]
    n_unseen, shift, row = 0, 0, 0
    for edge in edges:
        for late, jump in _unseen_loss(lag, row, edge, shift):
            n_unseen += jump
            shift += jump
            shifts.append((late, shift))
        if edge < len(t_s):
            shift = _shift_after_hole(float(lag[edge]), shift)
            shifts.append((edge, shift))
        row = edge
    return _numbered(lag, rate_hz, shifts, n_unseen)


def _hole_share(steps: NDArray[np.float64], rate_hz: float) -> float:
    return float(np.mean(steps * rate_hz > HOLE_PERIODS))


def _pooled_rate(t_s: NDArray[np.float64], cuts: NDArray[np.int64]) -> float:
    """Least squares with one slope for all stretches and an offset for each."""
    stretch = np.zeros(len(t_s), np.int64)
    stretch[cuts] = 1
    stretch = np.cumsum(stretch)
    n_rows = np.bincount(stretch)
    row = np.arange(len(t_s), dtype=np.float64)
    row -= (np.bincount(stretch, row) / n_rows)[stretch]
    time = t_s - (np.bincount(stretch, t_s) / n_rows)[stretch]
    return float((row @ row) / (row @ time))


def _shift_after_hole(lag: float, shift: int) -> int:
    wanted = round(lag)
    if wanted > shift:
        return wanted
    return shift + 1 if shift + 1 - lag <= MAX_LEAD_SAMPLES else shift


def _unseen_loss(lag: NDArray[np.float64], row: int, edge: int, shift: int) -> list[tuple[int, int]]:
    """Rows of one stretch where the time has run too far ahead, and by how many samples."""
    found: list[tuple[int, int]] = []
    while True:
        ahead = np.flatnonzero(lag[row:edge] - shift > MAX_LAG_SAMPLES)
        if len(ahead) == 0:
            return found
        row += int(ahead[0])
        jump = round(float(lag[row])) - shift
        shift += jump
        found.append((row, jump))


def _numbered(
    lag: NDArray[np.float64], rate_hz: float, shifts: list[tuple[int, int]], n_unseen: int
) -> SampleNumbers:
    starts = np.array([row for row, _ in shifts])
    lengths = np.diff(np.append(starts, len(lag)))
    shift = np.repeat([shift for _, shift in shifts], lengths)
    numbers = np.arange(len(lag), dtype=np.int64) + shift
    cuts = [0, *(np.flatnonzero(np.diff(numbers) > 1) + 1).tolist(), len(lag)]
    return SampleNumbers(
        numbers=numbers,
        stretches=tuple(itertools.pairwise(cuts)),
        n_unseen=n_unseen,
        max_deviation_s=float(np.abs(lag - shift).max()) / rate_hz,
    )

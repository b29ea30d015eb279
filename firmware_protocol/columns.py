"""Many notifications as columns: headers and samples are gathered in whole stretches."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.packets import (
    BOUNDARY_FLAGS,
    HEADER_DTYPE,
    HEADER_SIZE,
    KNOWN_FLAGS,
    SAMPLE_MODULUS,
    TIME_MODULUS,
)


@dataclass(frozen=True, slots=True, eq=False)
class StreamColumns:
    """The sound packets of one stream within one call, as columns of shape (n,)."""

    index: NDArray[np.int64]
    """Which notification of the call."""
    payload_start: NDArray[np.int64]
    first_sample: NDArray[np.int64]
    n_samples: NDArray[np.int64]
    time_us: NDArray[np.int64]
    flags: NDArray[np.uint8]

    def run_ends(self) -> NDArray[np.int64]:
        """Find where runs end (exclusive) that can be one block: counters join and flags stay."""
        next_sample = (self.first_sample[:-1] + self.n_samples[:-1]) % SAMPLE_MODULUS
        joins = (self.first_sample[1:] == next_sample) & (self.flags[1:] == self.flags[:-1])
        joins &= (self.flags[1:] & int(BOUNDARY_FLAGS)) == 0
        return np.append(np.flatnonzero(~joins) + 1, len(self.index))


def elapsed_us(times_us: NDArray[np.int64]) -> int:
    """Time from the first to the last packet, each unwrapped against the one before."""
    steps = np.diff(times_us)
    n_wraps = int(np.count_nonzero(steps < -TIME_MODULUS // 2) - np.count_nonzero(steps >= TIME_MODULUS // 2))
    return int(times_us[-1]) - int(times_us[0]) + n_wraps * TIME_MODULUS


def checked_columns(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Refuse columns that would read outside the data: a mistake of the caller, not of a sensor."""
    offsets = np.asarray(offsets, np.int64)
    if len(offsets) == 0 or offsets[0] < 0 or offsets[-1] > len(data) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets do not cut {len(data)} bytes into notifications")
    return np.ascontiguousarray(data, np.uint8), offsets


def _windows(data: NDArray[np.uint8], size: int) -> NDArray[np.void]:
    """Every stretch of ``size`` bytes as one element, so that a gather copies stretches, not bytes."""
    return np.ndarray((max(len(data) - size + 1, 0),), f"V{size}", data, strides=(1,))


def gather_headers(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.void]:
    """Headers of shape (n,), all zero where a notification is too short to have one."""
    headers = np.zeros(len(starts), HEADER_DTYPE)
    long_enough = sizes >= HEADER_SIZE
    headers[long_enough] = _windows(data, HEADER_SIZE)[starts[long_enough]].view(HEADER_DTYPE)
    return headers


def stream_columns(
    headers: NDArray[np.void], index: NDArray[np.int64], starts: NDArray[np.int64]
) -> StreamColumns:
    time_high = headers["time_high"].astype(np.int64)
    return StreamColumns(
        index=index,
        payload_start=starts + HEADER_SIZE,
        first_sample=headers["first_sample"].astype(np.int64),
        n_samples=headers["n_samples"].astype(np.int64),
        time_us=time_high << 32 | headers["time_low"],
        flags=headers["flags"] & np.uint8(KNOWN_FLAGS),
    )


def gather_stretches(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Copy stretches of the data behind each other, all of one size at once."""
    if sizes.min() == sizes.max():
        return _windows(data, int(sizes[0]))[starts].view(np.uint8)
    ends = np.cumsum(sizes)
    joined = np.empty(ends[-1], np.uint8)
    targets = ends - sizes
    for size in np.unique(sizes).tolist():
        chosen = sizes == size
        _windows(joined, size)[targets[chosen]] = _windows(data, size)[starts[chosen]]
    return joined

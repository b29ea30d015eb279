"""The newest samples of one stream by their number: what a sensor can send, for the first time or again."""

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.packets import BOUNDARY_FLAGS, PacketFlag

_SAMPLE_FLAGS = int(PacketFlag.SATURATED | PacketFlag.LEAD_OFF)
_BOUNDARY_FLAGS = int(BOUNDARY_FLAGS)
_HOLE = 0x80
"""Marks a number whose sample the sensor never had."""
_CUTS = _HOLE | _BOUNDARY_FLAGS
"""A packet ends before a sample that carries one of these."""


class Ring:
    """Encoded samples with their flags; the oldest are overwritten.

    Parameters
    ----------
    capacity
        Samples that it holds.
    sample_size
        Bytes of one sample of all channels.
    """

    def __init__(self, capacity: int, sample_size: int) -> None:
        self._capacity = capacity
        self._rows = np.zeros((capacity, sample_size), np.uint8)
        self._marks = np.full(capacity, _HOLE, np.uint8)
        self._gap_before_next = False
        self.head = 0
        """Number of the sample to be taken next, not wrapped."""
        self.oldest = 0
        """No sample below this number is held."""
        self.plain_from = 0
        """From here on every sample is held and has no flag: nothing has to be looked up."""

    def restart(self, first_sample: int) -> None:
        """Forget everything; the next sample has this number."""
        self.head = self.oldest = self.plain_from = first_sample
        self._gap_before_next = False

    def put(self, rows: NDArray[np.uint8], flags: int, *, beyond: NDArray[np.bool_] | None = None) -> None:
        """Hold samples.

        Parameters
        ----------
        rows
            Shape (n_samples, sample_size).
        flags
            Of all of them, as PacketFlag; boundary flags speak of the first.
        beyond
            Shape (n_samples,): which of them lie beyond what their format can say.
        """
        n_samples = len(rows)
        if n_samples == 0:
            return
        kept = min(n_samples, self._capacity)
        self._advance(n_samples)
        slots = self._slots(self.head - kept, self.head)
        self._rows[slots] = rows[n_samples - kept :]
        if flags or beyond is not None or self._gap_before_next:
            self._marks[slots] = self._new_marks(n_samples, flags, beyond)[n_samples - kept :]
            self.plain_from = self.head
        else:
            self._marks[slots] = 0

    def _new_marks(self, n_samples: int, flags: int, beyond: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
        marks = np.full(n_samples, flags & _SAMPLE_FLAGS, np.uint8)
        if beyond is not None:
            marks[beyond] |= int(PacketFlag.SATURATED)
        marks[0] |= flags & _BOUNDARY_FLAGS
        if self._gap_before_next:
            marks[0] |= int(PacketFlag.GAP_BEFORE)
            self._gap_before_next = False
        return marks

    def skip(self, n_samples: int) -> None:
        """Count samples that the sensor lost before they reached the ring."""
        if n_samples == 0:
            return
        self._advance(n_samples)
        self._marks[self._slots(self.head - min(n_samples, self._capacity), self.head)] = _HOLE
        self.plain_from = self.head
        self._gap_before_next = True

    def _advance(self, n_samples: int) -> None:
        self.head += n_samples
        self.oldest = max(self.oldest, self.head - self._capacity)

    def _slots(self, first: int, end: int) -> slice | NDArray[np.int64]:
        start = first % self._capacity
        if start + end - first <= self._capacity:
            return slice(start, start + end - first)
        return np.arange(first, end) % self._capacity

    def held_part(self, first: int, end: int) -> tuple[int, int]:
        """Find the first held sample of a range and the number behind the last; equal when none is held."""
        first, end = max(first, self.oldest), min(end, self.head)
        if first >= end:
            return first, first
        if first >= self.plain_from:
            return first, end
        held = np.flatnonzero((self._marks[self._slots(first, end)] & _HOLE) == 0)
        return (first + int(held[0]), first + int(held[-1]) + 1) if len(held) else (end, end)

    def run(self, first: int, longest: int) -> tuple[int, bool]:
        """Count the samples that may share one packet from a held one on.

        Returns
        -------
        tuple
            How many, at most `longest`; and whether no later sample can join them.
        """
        end = min(first + longest, self.head)
        if first >= self.plain_from:
            return end - first, end - first == longest
        # One further, if it is there, tells whether a packet has to end before it.
        marks = self._marks[self._slots(first, min(end + 1, self.head))]
        cuts = np.flatnonzero(marks[1:] & _CUTS)
        n_samples = int(cuts[0]) + 1 if len(cuts) else end - first
        return n_samples, n_samples == longest or len(cuts) > 0

    def is_plain(self, first: int) -> bool:
        """Whether every sample from this one on is held and carries no flag."""
        return first >= self.oldest and first >= self.plain_from

    def flags(self, first: int, end: int) -> int:
        """Collect the flags of held samples."""
        if first >= self.plain_from:
            return 0
        return int(np.bitwise_or.reduce(self._marks[self._slots(first, end)]))

    def rows(self, first: int, end: int) -> NDArray[np.uint8]:
        """Held samples, encoded; shape (n_samples, sample_size). May share the ring's memory."""
        return self._rows[self._slots(first, end)]

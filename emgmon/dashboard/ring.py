"""The newest hops of a signal, for drawing: older ones are forgotten, memory never grows."""

import numpy as np
from numpy.typing import NDArray


class HopRing:
    """The last ``capacity`` hops of a signal with one or more lines.

    Parameters
    ----------
    n_lines
        How many values a hop has.
    capacity
        How many hops are kept.
    """

    def __init__(self, n_lines: int, *, capacity: int = 4096) -> None:
        # Every hop is kept twice, a capacity apart, so that any stretch of hops is one slice.
        self._values = np.full((2 * capacity, n_lines), np.nan)
        self._capacity = capacity
        self.first_hop: int | None = None
        """The first hop that ever came; ``None`` before it came."""
        self.end_hop = 0
        """One past the newest hop."""

    @property
    def n_lines(self) -> int:
        """How many values a hop has."""
        return self._values.shape[1]

    def append(self, first_hop: int, values: NDArray[np.float64]) -> None:
        """Take in hops; hops that were jumped over count as not measured.

        Hops that are there already are overwritten: they were computed anew. What is too old to be kept
        is left out.

        Parameters
        ----------
        first_hop
            Number of the first of the new hops.
        values
            Shape (n_hops, n_lines).
        """
        if len(values) == 0:
            return
        if self.first_hop is None:
            self.first_hop = self.end_hop = first_hop
        self._skip_to(first_hop)
        end_hop = first_hop + len(values)
        self.end_hop = max(self.end_hop, end_hop)
        oldest = max(first_hop, self.end_hop - self._capacity)
        if oldest < end_hop:
            self._write(oldest, values[oldest - first_hop :])

    def window(self, end_hop: int, n_hops: int) -> NDArray[np.float64]:
        """Copy of hops ``[end_hop - n_hops, end_hop)``, NaN where nothing is kept.

        Returns
        -------
        ndarray
            Shape (n_hops, n_lines).
        """
        window = np.full((n_hops, self.n_lines), np.nan)
        if self.first_hop is None:
            return window
        start_hop = end_hop - n_hops
        oldest = max(start_hop, self.first_hop, self.end_hop - self._capacity)
        newest = min(end_hop, self.end_hop)
        if oldest < newest:
            at = oldest % self._capacity
            window[oldest - start_hop : newest - start_hop] = self._values[at : at + newest - oldest]
        return window

    def _skip_to(self, hop: int) -> None:
        n_skipped = min(hop - self.end_hop, self._capacity)
        if n_skipped > 0:
            self._write(hop - n_skipped, np.full((n_skipped, self.n_lines), np.nan))
            self.end_hop = hop

    def _write(self, first_hop: int, values: NDArray[np.float64]) -> None:
        at = np.arange(first_hop, first_hop + len(values)) % self._capacity
        self._values[at] = values
        self._values[at + self._capacity] = values

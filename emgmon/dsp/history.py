"""The last hops of a stream, kept for as long as a repetition may still ask for them."""

import numpy as np
from numpy.typing import NDArray


class HopHistory:
    """Rows of the hop grid, appended in order and forgotten from the front."""

    def __init__(self, n_columns: int) -> None:
        self._rows = np.empty((1024, n_columns))
        self._first_hop: int | None = None
        self._n_rows = 0

    @property
    def next_hop(self) -> int | None:
        """The hop after the newest one; ``None`` before the first."""
        return None if self._first_hop is None else self._first_hop + self._n_rows

    def append(self, first_hop: int, rows: NDArray[np.float64]) -> None:
        """Add consecutive hops, shape (n_hops, n_columns)."""
        if not len(rows):
            return
        if self._first_hop is None:
            self._first_hop = first_hop
        needed = self._n_rows + len(rows)
        if needed > len(self._rows):
            grown = np.empty((2 * needed, self._rows.shape[1]))
            grown[: self._n_rows] = self._rows[: self._n_rows]
            self._rows = grown
        self._rows[self._n_rows : needed] = rows
        self._n_rows = needed

    def between(self, first_hop: int, stop_hop: int) -> NDArray[np.float64]:
        """Copy hops out, shape (stop_hop - first_hop, n_columns); NaN where there are none."""
        rows = np.full((stop_hop - first_hop, self._rows.shape[1]), np.nan)
        if self._first_hop is not None:
            start = max(first_hop, self._first_hop)
            stop = min(stop_hop, self._first_hop + self._n_rows)
            if start < stop:
                kept = self._rows[start - self._first_hop : stop - self._first_hop]
                rows[start - first_hop : stop - first_hop] = kept
        return rows

    def forget_before(self, hop: int) -> None:
        """Let go of older hops, at a cost that is spread over many calls."""
        if self._first_hop is None:
            return
        old = min(hop - self._first_hop, self._n_rows)
        # Moving the rest pays only when most of what is held is old.
        if old > max(1024, self._n_rows // 2):
            self._rows[: self._n_rows - old] = self._rows[old : self._n_rows].copy()
            self._first_hop += old
            self._n_rows -= old

    def copy(self) -> "HopHistory":
        """Independent copy, for a checkpoint."""
        other = HopHistory(self._rows.shape[1])
        other._rows = self._rows[: max(self._n_rows, 1)].copy()
        other._first_hop, other._n_rows = self._first_hop, self._n_rows
        return other

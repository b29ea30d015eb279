"""The last hops and samples of a stream, kept for as long as a repetition may still ask for them."""

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


FEWEST_KEPT_SAMPLES = 4096
"""Room for fewer is neither given back nor tidied up: it would cost more than it saves."""


class SampleHistory:
    """Cleaned samples of one stream, appended in order and forgotten from the front.

    They are kept as float32, which halves the memory: its 24 bits are as many as the finest sensor sends, the
    rounding lies 140 dB under every sample, and it is the same however the stream was cut.

    Parameters
    ----------
    n_channels
        Channels of the stream.
    """

    def __init__(self, n_channels: int) -> None:
        self._kept = np.empty((n_channels, FEWEST_KEPT_SAMPLES), dtype=np.float32)
        self._first_sample: int | None = None
        self._n_samples = 0

    @property
    def next_sample(self) -> int | None:
        """The sample after the newest one; ``None`` before the first."""
        return None if self._first_sample is None else self._first_sample + self._n_samples

    @property
    def n_bytes(self) -> int:
        """Memory that is held."""
        return self._kept.nbytes

    def append(self, first_sample: int, samples: NDArray[np.float64]) -> None:
        """Add samples that follow the last ones in time; what is missing comes as NaN.

        Parameters
        ----------
        first_sample
            Number of the first column. A sensor that began anew counts from another number: what is kept is
            then counted back from it, as the stream's clock counts time back.
        samples
            Shape (n_channels, n).
        """
        n = samples.shape[1]
        if not n:
            return
        self._make_room(self._n_samples + n)
        self._kept[:, self._n_samples : self._n_samples + n] = samples
        self._first_sample = first_sample - self._n_samples
        self._n_samples += n

    def between(self, first_sample: int, stop_sample: int) -> NDArray[np.float64]:
        """Copy samples out, shape (n_channels, stop_sample - first_sample); NaN where there are none."""
        wanted = np.full((len(self._kept), max(0, stop_sample - first_sample)), np.nan)
        if self._first_sample is not None:
            start = max(first_sample, self._first_sample)
            stop = min(stop_sample, self._first_sample + self._n_samples)
            if start < stop:
                kept = self._kept[:, start - self._first_sample : stop - self._first_sample]
                wanted[:, start - first_sample : stop - first_sample] = kept
        return wanted

    def forget_before(self, sample: int) -> None:
        """Let go of older samples, at a cost spread over many calls; what a long batch took is given back.

        What was let go of may stay for a while: ask for nothing older.
        """
        if self._first_sample is None:
            return
        old = min(sample - self._first_sample, self._n_samples)
        # Moving the rest pays only when most of what is held is old.
        if old <= max(FEWEST_KEPT_SAMPLES, self._n_samples // 2):
            return
        rest = self._kept[:, old : self._n_samples]
        self._first_sample += old
        self._n_samples -= old
        room = max(FEWEST_KEPT_SAMPLES, 2 * self._n_samples)
        if self._kept.shape[1] > 2 * room:
            self._kept = np.empty((len(rest), room), dtype=np.float32)
            self._kept[:, : self._n_samples] = rest
        else:
            self._kept[:, : self._n_samples] = rest.copy()

    def copy(self) -> "SampleHistory":
        """Independent copy, for a checkpoint."""
        other = SampleHistory(len(self._kept))
        other._kept = self._kept[:, : max(self._n_samples, 1)].copy()
        other._first_sample, other._n_samples = self._first_sample, self._n_samples
        return other

    def _make_room(self, needed: int) -> None:
        if needed > self._kept.shape[1]:
            grown = np.empty(
                (len(self._kept), needed + max(needed // 2, FEWEST_KEPT_SAMPLES)), dtype=np.float32
            )
            grown[:, : self._n_samples] = self._kept[:, : self._n_samples]
            self._kept = grown

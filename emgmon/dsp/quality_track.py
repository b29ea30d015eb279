"""The past quality of one stream, kept while a repetition may ask for it, and graded channel by channel."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.history import HopHistory
from emgmon.dsp.quality import BLOCK_HOPS, Measured, QualityBlocks
from emgmon.dsp.quality_grades import Rest, grade
from emgmon.dsp.quality_pool import PooledQuality, pool, quality_figures, snr_db
from emgmon.dsp.quality_watch import ChannelChange, ChannelWatch
from emgmon.events import Quality, QualityFigures

CROSSTALK = (
    "Neighbouring muscles are picked up too: what one electrode shows may in part be the work of a muscle "
    "beside or beneath the one it is named after. This is not measured."
)
"""A limit of every surface electrode, said once per session."""


@dataclass(frozen=True, slots=True)
class ChannelGrade:
    """How far one channel can be trusted over a stretch of time."""

    grade: Quality
    reason: str | None
    """In words; ``None`` when it is good."""
    figures: QualityFigures


class QualityTrack:
    """The last blocks of one stream, and where each of its channels stands.

    Parameters
    ----------
    n_channels
        Channels of the stream.
    rate_hz
        Sample rate.
    rest_uv, reference_uv
        Shape (n_channels,), RMS of the cleaned signal at rest and in the reference contraction; NaN or
        ``None`` where there is no calibration.
    rest_between_beats_uv
        The same as `rest_uv` with the heartbeat taken out, where it is known: a silence between two beats
        is then not taken for a broken lead.
    hum_hz
        For each channel the mains frequency that the cleaning takes out; empty for none.
    envelope_channels
        For each channel whether it is an envelope already; empty when all are raw EMG.
    """

    def __init__(
        self,
        *,
        n_channels: int,
        rate_hz: float,
        rest_uv: NDArray[np.float64] | None = None,
        reference_uv: NDArray[np.float64] | None = None,
        rest_between_beats_uv: NDArray[np.float64] | None = None,
        hum_hz: Sequence[float | None] = (),
        envelope_channels: Sequence[bool] = (),
    ) -> None:
        unknown = np.full(n_channels, np.nan)
        self._n_channels, self._rate_hz = n_channels, rate_hz
        self._rest_uv = unknown if rest_uv is None else rest_uv
        self._reference_uv = unknown if reference_uv is None else reference_uv
        self._hum_hz = tuple(hum_hz) or (None,) * n_channels
        self._enveloped = tuple(envelope_channels) or (False,) * n_channels
        self._history = HopHistory(n_channels * len(Measured))
        between_uv = unknown if rest_between_beats_uv is None else rest_between_beats_uv
        self._watch = ChannelWatch.begin(
            n_channels,
            rest_uv=np.fmin(self._rest_uv, between_uv).tolist(),
            hum_removed=[hum is not None for hum in self._hum_hz],
            enveloped=self._enveloped,
        )

    def take(self, blocks: QualityBlocks) -> tuple[ChannelChange, ...]:
        """Keep consecutive blocks, and tell which channels became better or worse in them."""
        if not len(blocks):
            return ()
        self._history.append(blocks.first_block, blocks.values.reshape(len(blocks), -1))
        self._watch, changes = self._watch.step(blocks)
        return changes

    def between(self, first_hop: int, stop_hop: int) -> PooledQuality:
        """Pool the blocks that had ended by `stop_hop`, each as far as it lies after `first_hop`.

        The block in which a stretch ends is left out, because whether it is known already would depend
        on how the samples were delivered.
        """
        first, stop = first_hop // BLOCK_HOPS, max(first_hop, stop_hop) // BLOCK_HOPS
        rows = self._history.between(first, max(first, stop))
        values = rows.reshape(len(rows), self._n_channels, len(Measured))
        weights: NDArray[np.float64] = np.ones(len(values))
        weights[:1] = 1.0 - (first_hop - first * BLOCK_HOPS) / BLOCK_HOPS
        return pool(values, weights)

    def forget_before(self, hop: int) -> None:
        """Let go of blocks that ended before a hop."""
        self._history.forget_before(hop // BLOCK_HOPS)

    def grades(
        self,
        first_hop: int,
        stop_hop: int,
        *,
        median_frequency_hz: Sequence[float | None] = (),
        heartbeat_share: Sequence[float | None] = (),
    ) -> tuple[ChannelGrade, ...]:
        """Grade every channel over a stretch of work.

        Parameters
        ----------
        first_hop, stop_hop
            First hop and the one after the last; see `between` for what becomes of parts of blocks.
        median_frequency_hz, heartbeat_share
            What others measured of each channel over the same stretch; empty where nothing was.
        """
        pooled = self.between(first_hop, stop_hop)
        figures = quality_figures(pooled, self._rest_uv)
        extra = zip(
            median_frequency_hz or (None,) * self._n_channels,
            heartbeat_share or (None,) * self._n_channels,
            strict=True,
        )
        return tuple(
            self._graded(i, replace(seen, median_frequency_hz=hz, heartbeat_share=share), pooled)
            for i, (seen, (hz, share)) in enumerate(zip(figures, extra, strict=True))
        )

    def _graded(self, channel: int, figures: QualityFigures, pooled: PooledQuality) -> ChannelGrade:
        if self._enveloped[channel]:
            figures = replace(
                figures, hum_ratio=None, hum_hz=None, motion_share=None, median_frequency_hz=None
            )
        rest_uv = float(self._rest_uv[channel])
        found, reason = grade(
            figures,
            rate_hz=self._rate_hz,
            n_blocks=float(pooled.n_blocks[channel]),
            rest=Rest.BLIND if math.isnan(rest_uv) else Rest.MEASURED,
            reference_snr_db=snr_db(float(self._reference_uv[channel]), rest_uv),
            hum_removed_hz=self._hum_hz[channel],
        )
        return ChannelGrade(found, reason, figures)

    def copy(self) -> "QualityTrack":
        """Independent copy, for a checkpoint."""
        other = copy.copy(self)
        other._history = self._history.copy()
        return other

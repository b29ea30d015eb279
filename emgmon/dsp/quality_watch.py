"""Which channel became better or worse, told from its newest block: changes only, no later than a second.

A channel at rest is not judged by how little it gives: signal-to-noise ratio, median frequency and
shares of a quiet signal count over repetitions. Here counts what no muscle at rest or work looks like.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.quality import (
    BLOCK_HOPS,
    DROWNED_SHARE,
    DROWNED_UV,
    LARGEST_MISSING_SHARE,
    SWAYED_UV,
    Measured,
    QualityBlocks,
)
from emgmon.dsp.quality_grades import REJECTED_CLIPPED_SHARE, REJECTED_NOISE_UV, Fault
from emgmon.dsp.quality_pool import PooledQuality, quality_figures
from emgmon.events import HOP_RATE_HZ, Quality, QualityFigures

CUT_OFF_SHARE = 0.05
"""Of a block; a peak or two cost a repetition, but the electrode is not to be looked after."""

QUIET_SHARE_OF_REST = 0.3
"""An electrode that is shorted or whose lead broke is this much quieter than the person's own rest. Only a
measured rest will do: a good electrode on a muscle that had worked all along falls as far when it rests."""

HUM_SHARE = 0.6
"""Of one block's band. The own noise of a muscle stays below half; an attack within the block makes more."""

HUM_DOUBT = 0.2
"""Share of the band's power that may be hum without showing, in one block: while a muscle is loud nobody
can tell."""

RECOVERY_BLOCKS = 2

_SOUND, _UNKNOWN = 0, -1
_KINDS = (
    (Fault.HUM, Quality.USABLE),
    (Fault.CUT_OFF, Quality.USABLE),
    (Fault.QUIET, Quality.REJECT),
    (Fault.SWAY, Quality.REJECT),
    (Fault.HUM, Quality.REJECT),
    (Fault.CUT_OFF, Quality.REJECT),
    (Fault.MISSING, Quality.REJECT),
    (Fault.NO_SIGNAL, Quality.REJECT),
)
"""What a block may show, ever worse; the place counted from one is its code."""

_CODES = {kind: code for code, kind in enumerate(_KINDS, start=1)}
_HUM_UV = {
    _CODES[Fault.HUM, Quality.USABLE]: REJECTED_NOISE_UV,
    _CODES[Fault.HUM, Quality.REJECT]: DROWNED_UV,
}
"""RMS of hum that makes each of its codes."""

_WHERE_REMOVED = 10.0
"""This many times as much of it is borne where the cleaning takes it out."""


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """A channel became better or worse, or for another reason."""

    channel: int
    at_s: float
    """End of the block that showed it, session seconds."""
    grade: Quality
    fault: Fault | None
    reason: str | None
    figures: QualityFigures
    """Of that block."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where one channel stands."""

    code: int = _SOUND
    better_for: int = 0
    """Blocks in a row that showed less than `code`..."""
    lately: int = _SOUND
    """... and the worst of them."""

    def after(self, code: int, *, unseen_hum_uv: float) -> "_Standing":
        """Take one more block, in which there may be hum that a loud muscle hides."""
        if code == _UNKNOWN or (code == _SOUND and unseen_hum_uv > _HUM_UV.get(self.code, np.inf)):
            return self
        if code >= self.code:
            return _Standing(code)
        lately = max(code, self.lately) if self.better_for else code
        if self.better_for + 1 >= RECOVERY_BLOCKS:
            return _Standing(lately)
        return _Standing(self.code, self.better_for + 1, lately)


@dataclass(frozen=True, slots=True)
class ChannelWatch:
    """Standing of every channel of a stream; a value, so keeping it is a checkpoint."""

    channels: tuple[_Standing, ...]
    rest_uv: tuple[float, ...]
    """RMS of the cleaned signal at rest, between heartbeats, where it was measured; NaN elsewhere."""
    hum_removed: tuple[bool, ...]
    """Where the cleaning takes it out."""
    enveloped: tuple[bool, ...]
    """Channels that are envelopes already: they have no spectrum to judge."""

    @classmethod
    def begin(
        cls,
        n_channels: int,
        *,
        rest_uv: Sequence[float] = (),
        hum_removed: Sequence[bool] = (),
        enveloped: Sequence[bool] = (),
    ) -> "ChannelWatch":
        """Start with channels that are taken to be good; empty stands for none of them."""
        none = (False,) * n_channels
        return cls(
            channels=(_Standing(),) * n_channels,
            rest_uv=tuple(rest_uv) or (np.nan,) * n_channels,
            hum_removed=tuple(hum_removed) or none,
            enveloped=tuple(enveloped) or none,
        )

    def grade_of(self, channel: int) -> Quality:
        """Say where a channel stands."""
        return _grade(self.channels[channel].code)

    def step(self, blocks: QualityBlocks) -> tuple["ChannelWatch", tuple[ChannelChange, ...]]:
        """Take the next blocks; gives the watch after them, and the changes in order of time."""
        codes, unseen_uv = self._codes(blocks), self._unseen_hum_uv(blocks)
        channels, changes = list(self.channels), []
        for channel, standing in enumerate(channels):
            of_channel = codes[:, channel]
            if standing.code == _SOUND and not (of_channel > _SOUND).any():
                continue
            for i, code in enumerate(of_channel.tolist()):
                after = standing.after(code, unseen_hum_uv=float(unseen_uv[i, channel]))
                if after.code != standing.code:
                    changes.append(_change(blocks, i, channel, after.code))
                standing = after
            channels[channel] = standing
        changes.sort(key=lambda change: change.at_s)
        return replace(self, channels=tuple(channels)), tuple(changes)

    def _codes(self, blocks: QualityBlocks) -> NDArray[np.int64]:
        """Give the code of every block, shape (n_blocks, n_channels)."""
        hum, band = _hum(blocks), blocks[Measured.BAND]
        raw, bearable = ~np.array(self.enveloped), self._bearable()
        strong = (hum > (REJECTED_NOISE_UV * bearable) ** 2) & (hum > HUM_SHARE * band)
        drowned = (hum > (DROWNED_UV * bearable) ** 2) & (hum > DROWNED_SHARE * band)
        shown = {
            (Fault.HUM, Quality.USABLE): raw & strong,
            (Fault.CUT_OFF, Quality.USABLE): blocks[Measured.CLIPPED_SHARE] > REJECTED_CLIPPED_SHARE,
            (Fault.QUIET, Quality.REJECT): raw & (band < _quiet_power(blocks, np.array(self.rest_uv))),
            (Fault.SWAY, Quality.REJECT): raw & (blocks[Measured.LOW] > SWAYED_UV**2),
            (Fault.HUM, Quality.REJECT): raw & drowned,
            (Fault.CUT_OFF, Quality.REJECT): blocks[Measured.CLIPPED_SHARE] > CUT_OFF_SHARE,
            (Fault.NO_SIGNAL, Quality.REJECT): blocks[Measured.FLAT] > 0.0,
        }
        codes = np.full(band.shape, _SOUND)
        for kind, where in shown.items():
            codes[where] = _CODES[kind]
        missing = blocks[Measured.MISSING_SHARE] > LARGEST_MISSING_SHARE
        # What no channel sent was lost on the way and says nothing of an electrode.
        codes[missing] = _CODES[Fault.MISSING, Quality.REJECT]
        codes[missing.all(axis=1)] = _UNKNOWN
        return codes

    def _bearable(self) -> NDArray[np.float64]:
        return np.where(np.array(self.hum_removed), _WHERE_REMOVED, 1.0)

    def _unseen_hum_uv(self, blocks: QualityBlocks) -> NDArray[np.float64]:
        """Give the RMS that hum may have in each block, as a multiple of what the channel bears."""
        most = np.maximum(_hum(blocks), 0.0) + HUM_DOUBT * blocks[Measured.BAND]
        return np.asarray(np.sqrt(most) / self._bearable())


def _quiet_power(blocks: QualityBlocks, rest_uv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power below which a channel is too quiet; NaN before the session has shown a rest of its own.

    Electrodes may have come to sit better since rest was measured, so the quieter of the two counts.
    """
    return np.asarray((QUIET_SHARE_OF_REST * np.minimum(blocks[Measured.REST_UV], rest_uv)) ** 2)


def _hum(blocks: QualityBlocks) -> NDArray[np.float64]:
    return np.maximum(blocks[Measured.HUM_50], blocks[Measured.HUM_60])


def _grade(code: int) -> Quality:
    return Quality.GOOD if code == _SOUND else _KINDS[code - 1][1]


def _change(blocks: QualityBlocks, i: int, channel: int, code: int) -> ChannelChange:
    pooled = PooledQuality(blocks.values[i], np.ones(blocks.values.shape[1]))
    figures = quality_figures(pooled)[channel]
    at_s = (blocks.first_block + i + 1) * BLOCK_HOPS / HOP_RATE_HZ
    if code == _SOUND:
        return ChannelChange(channel, at_s, Quality.GOOD, None, None, figures)
    fault, grade = _KINDS[code - 1]
    return ChannelChange(
        channel, at_s, grade, fault, _reason(fault, figures, pooled.values[channel]), figures
    )


def _reason(fault: Fault, figures: QualityFigures, measured: NDArray[np.float64]) -> str:
    """Put what a block shows in words."""
    if fault is Fault.HUM:
        return f"mains hum makes up {100.0 * (figures.hum_ratio or 0.0):.0f} % of the signal"
    if fault is Fault.SWAY:
        return f"movement artefacts of {np.sqrt(measured[Measured.LOW]) / 1000.0:.1f} mV"
    return {
        Fault.NO_SIGNAL: "the electrode gives no signal",
        Fault.CUT_OFF: "the signal is cut off at the amplifier's limit",
        Fault.QUIET: "the electrode is far quieter than at rest",
        Fault.MISSING: "its samples are missing",
    }[fault]

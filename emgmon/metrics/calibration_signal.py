"""What would spoil a calibration is looked for in the raw signal of its stretches, and refused in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.quality import BLOCK_HOPS, Measured, QualityBlocks, QualityStage, tells_of_rest
from emgmon.dsp.quality_grades import (
    GOOD_HUM_SHARE,
    HUM_DOUBT,
    HUM_SCATTER,
    REJECTED_CLIPPED_SHARE,
    REJECTED_FLAT_SHARE,
    SLOW_HUM_SCATTER,
    SLOW_RATE_HZ,
)
from emgmon.dsp.timeline import SampleClock
from emgmon.errors import CalibrationError

WORK_SHARE = 0.25
"""Hum is weighed against blocks of at least this part of the strongest one's power: half its RMS."""

USUAL_WORK = 0.25
"""Repetitions reach this part of a maximal contraction's amplitude: our choice, within published means."""

PRESS_ON = (
    "Press the electrodes and their ground on, or moisten the skin; move chargers and mains cables away."
)


@dataclass(frozen=True, slots=True, eq=False)
class SeenSignal:
    """What the raw signal of one channel shows, block by block."""

    name: str
    """The channel as people call it."""
    rate_hz: float
    rest: QualityBlocks
    trials: tuple[QualityBlocks, ...]

    @property
    def hum_ratios(self) -> tuple[float, float]:
        """Power of 50 and of 60 Hz over all power while the muscle works; NaN where not measured."""
        return _hum_ratios(_worked(self.trials))

    @property
    def hum_ratios_at_work(self) -> tuple[float, float]:
        """Power of 50 and of 60 Hz over all power at `USUAL_WORK` of the reference; NaN where not measured.

        Hum is what it is at rest, where it shows best; repetitions are weaker than a reference contraction,
        so it counts for more in them than there.
        """
        rest, worked = self.rest.values[:, 0], _worked(self.trials)
        if not len(rest) or not len(worked):
            return self.hum_ratios
        at_rest, at_work = (float(np.nanmean(part[:, Measured.BAND])) for part in (rest, worked))
        usual = at_rest + USUAL_WORK**2 * max(at_work - at_rest, 0.0)
        hums = (max(0.0, float(np.nanmean(rest[:, hum]))) for hum in (Measured.HUM_50, Measured.HUM_60))
        first, second = (hum / usual if usual > 0.0 else math.nan for hum in hums)
        return first, second

    def check_trials(self) -> None:
        """Refuse a reference that is not whole.

        Raises
        ------
        CalibrationError
            When the electrode gave no signal, or was cut off at the amplifier's limit.
        """
        self._check_flat("reference", self.trials)
        if (share := _mean(self.trials, Measured.CLIPPED_SHARE)) > REJECTED_CLIPPED_SHARE:
            raise CalibrationError(
                f"the {self.name} is cut off at the amplifier's limit in its reference"
                f" ({_pct(share)} of the samples)",
                advice="Lower the gain of the sensor, then record the contraction anew.",
            )

    def check_rest(self) -> None:
        """Refuse a rest that shows no electrode on skin.

        Raises
        ------
        CalibrationError
            When the electrode gave no signal, swung free or drowned in hum.
        """
        self._check_flat("rest", (self.rest,))
        on_skin = tells_of_rest(self.rest)
        if not len(self.rest) or on_skin.any():
            return
        hum_uv = math.sqrt(
            max(0.0, *(_mean((self.rest,), hum) for hum in (Measured.HUM_50, Measured.HUM_60)))
        )
        low_uv = math.sqrt(_mean((self.rest,), Measured.LOW))
        if hum_uv > low_uv:
            raise CalibrationError(
                f"the {self.name} picks up {hum_uv:.0f} µV of mains hum at rest,"
                " as an electrode off the skin does",
                advice=PRESS_ON,
            )
        raise CalibrationError(
            f"the {self.name} was moved at rest: its electrode or cable swung by {low_uv:.0f} µV",
            advice="Fix the cable, lie still, and choose a stretch of rest in which nothing moves.",
        )

    def check_cleaned(self, clean_uv: Sequence[NDArray[np.float64]], hum_hz: float | None) -> None:
        """Refuse a reference that still hums after its hum was taken out.

        Parameters
        ----------
        clean_uv
            The trials, each of shape (n_samples,), cleaned.
        hum_hz
            Mains frequency that was taken out; ``None`` for none.

        Raises
        ------
        CalibrationError
            When mains are so far off their frequency, or hum so strong, that too much is left.
        """
        if hum_hz is None:
            return
        left = _worked(tuple(look(trial, self.rate_hz) for trial in clean_uv))
        ratio = max(_hum_ratios(left), default=math.nan)
        scatter = HUM_SCATTER if self.rate_hz >= SLOW_RATE_HZ else SLOW_HUM_SCATTER
        if ratio > GOOD_HUM_SHARE + HUM_DOUBT * scatter / math.sqrt(max(len(left), 1)):
            raise CalibrationError(
                f"mains hum makes up {_pct(ratio)} of the reference of the {self.name}, {hum_hz:g} Hz and its"
                " harmonics taken out already",
                advice=PRESS_ON,
            )

    def _check_flat(self, what: str, blocks: Sequence[QualityBlocks]) -> None:
        if (share := _mean(blocks, Measured.FLAT)) > REJECTED_FLAT_SHARE:
            raise CalibrationError(
                f"the {self.name} gave no signal for {_pct(share)} of its {what}",
                advice="See whether the electrode, its cable and its plug are on, then record anew.",
            )

    def pass_over(self, clean_uv: Sequence[NDArray[np.float64]]) -> None:
        """Set missing, in place, what of the cleaned trials shows no electrode on skin."""
        for trial, blocks in zip(clean_uv, self.trials, strict=True):
            lengths = np.diff(_edges(len(blocks), self.rate_hz))
            poor = np.repeat(~tells_of_rest(blocks)[:, 0], lengths)
            trial[: len(poor)][poor] = np.nan


def look(raw_uv: NDArray[np.float64], rate_hz: float) -> QualityBlocks:
    """Measure the blocks of 0.4 s of one channel, shape (n_samples,), from its first sample on."""
    stage, clock = QualityStage(1, rate_hz), SampleClock(0, 0.0, rate_hz)
    row = raw_uv[np.newaxis]
    return stage.process(row, row, clock, 0)


def _edges(n_blocks: int, rate_hz: float) -> NDArray[np.int64]:
    return SampleClock(0, 0.0, rate_hz).samples_at(np.arange(n_blocks + 1) * BLOCK_HOPS)


def _worked(trials: Sequence[QualityBlocks]) -> NDArray[np.float64]:
    """Blocks in which the muscle worked, shape (n_blocks, len(Measured))."""
    values = np.concatenate([np.empty((0, len(Measured))), *(blocks.values[:, 0] for blocks in trials)])
    on_skin = np.concatenate([np.empty(0, dtype=np.bool_), *(tells_of_rest(b)[:, 0] for b in trials)])
    values = values[on_skin] if on_skin.any() else values
    power = values[:, Measured.BAND]
    if np.isnan(power).all():
        return values[:0]
    worked: NDArray[np.float64] = values[power >= WORK_SHARE * np.nanmax(power)]
    return worked


def _hum_ratios(worked: NDArray[np.float64]) -> tuple[float, float]:
    total = float(worked[:, Measured.BAND].sum())
    if total <= 0.0:
        return math.nan, math.nan
    return float(worked[:, Measured.HUM_50].sum()) / total, float(worked[:, Measured.HUM_60].sum()) / total


def _mean(blocks: Sequence[QualityBlocks], measured: Measured) -> float:
    """Mean over all blocks; 0 where none was measured."""
    values = np.concatenate([np.empty(0), *(part[measured][:, 0] for part in blocks)])
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _pct(share: float) -> str:
    return f"{100.0 * share:.0f} %" if share >= 0.01 else f"{100.0 * share:.2g} %"

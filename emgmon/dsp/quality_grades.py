"""From figures to one of three grades and its reason in words; every threshold here is an engineering choice.

None of them is a published limit. They say from where on a person should be told, and from where on a figure
had better not be given; an expert sees the figures themselves.
"""

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass

from emgmon.dsp.rates import has_median_frequency
from emgmon.events import Quality, QualityFigures

GOOD_NOISE_UV = 5.0
REJECTED_NOISE_UV = 10.0
"""RMS at rest, where the work is not known. Where it is, twice as much is borne and none rejects."""

GOOD_SNR_DB = 15.0
REJECTED_SNR_DB = 6.0

QUIET_DB = -10.0
"""An electrode that came off or is shorted is this far below its own rest..."""

QUIET_BLOCKS = 2.0
"""... for this long: rest was measured with the heartbeat in it, and fewer blocks may see no beat."""

GOOD_HUM_SHARE = 0.1
REJECTED_HUM_SHARE = 0.3

HUM_SCATTER = 0.065
SLOW_HUM_SCATTER = 0.105
SLOW_RATE_HZ = 500.0
"""Standard deviation of the share of hum in one block of a muscle's work that has none, from 500 Hz on and at
slower rates, whose band is narrower (computed from the EMG model of Stulen and De Luca 1981); over more
blocks it falls with the square root of their number."""

HUM_DOUBT = 2.0
"""Hum counts beyond this many times what chance alone gives."""

GOOD_CLIPPED_SHARE = 0.0
REJECTED_CLIPPED_SHARE = 0.001

GOOD_FLAT_SHARE = 0.0
REJECTED_FLAT_SHARE = 0.1

GOOD_MISSING_SHARE = 0.01
REJECTED_MISSING_SHARE = 0.3

GOOD_MOTION_SHARE = 0.8
"""Movement never rejects by its share. The high-pass leaves 0.4 % of what lies at 15 Hz and 2.5 % at 19 Hz,
so even four times the muscle's power below 20 Hz adds a few percent at most."""

GOOD_MEDIAN_FREQUENCY_HZ = (40.0, 200.0)

GOOD_HEARTBEAT_SHARE = 0.15
"""Nor does the heartbeat: at rest it is known and taken off, and a back that is quiet shows little else."""


class Fault(enum.StrEnum):
    """What may be wrong with a channel, the worst first."""

    NO_SIGNAL = "no signal"
    CUT_OFF = "cut off"
    MISSING = "missing"
    HUM = "hum"
    SWAY = "sway"
    QUIET = "quiet"
    SNR = "signal-to-noise"
    NOISE = "noise"
    MOTION = "motion"
    FREQUENCY = "median frequency"
    HEARTBEAT = "heartbeat"


class Rest(enum.StrEnum):
    """Where the noise at rest is known from."""

    MEASURED = "measured"
    """From a stretch of rest."""
    BLIND = "blind"
    """The quiet end of the session so far: too large where the muscle never rested, so it never rejects."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    fault: Fault
    grade: Quality
    reason: str


def grade(
    figures: QualityFigures,
    *,
    rate_hz: float,
    n_blocks: float = 1.0,
    rest: Rest = Rest.MEASURED,
    reference_snr_db: float | None = None,
    hum_removed_hz: float | None = None,
) -> tuple[Quality, str | None]:
    """Grade one channel over a repetition.

    Parameters
    ----------
    figures
        Whatever is ``None`` is not judged.
    rate_hz
        Sample rate: slow channels have no median frequency worth judging.
    n_blocks
        How many blocks of 0.4 s the figures rest on; chance makes hum of a muscle's own noise in a few.
    rest
        Where `figures.noise_uv` is known from.
    reference_snr_db
        How far the channel's reference contraction stands above rest, where it is calibrated. It is then
        what counts, for a muscle that does little in a repetition is no fault of its electrode.
    hum_removed_hz
        Mains frequency that the cleaning takes out of this channel: its hum then no longer rejects.

    Returns
    -------
    Quality
        The lowest that anything asks for.
    str or None
        The worst reason, in words without a full stop; ``None`` when the channel is good.
    """
    found = findings(
        figures,
        rate_hz=rate_hz,
        n_blocks=n_blocks,
        rest=rest,
        reference_snr_db=reference_snr_db,
        hum_removed_hz=hum_removed_hz,
    )
    worst = min(found, key=_badness, default=None)
    return (Quality.GOOD, None) if worst is None else (worst.grade, worst.reason)


_FAULTS = tuple(Fault)


def _badness(finding: Finding) -> tuple[bool, int]:
    return finding.grade is not Quality.REJECT, _FAULTS.index(finding.fault)


def findings(
    figures: QualityFigures,
    *,
    rate_hz: float,
    n_blocks: float,
    rest: Rest,
    reference_snr_db: float | None,
    hum_removed_hz: float | None,
) -> list[Finding]:
    """Everything that is wrong, in no order; parameters as for `grade`."""
    found = [*_of_signal(figures), *_of_rest(figures, n_blocks, rest, reference_snr_db)]
    scatter = (HUM_SCATTER if rate_hz >= SLOW_RATE_HZ else SLOW_HUM_SCATTER) / max(n_blocks, 1e-9) ** 0.5
    found.extend(_of_hum(figures, HUM_DOUBT * scatter, hum_removed_hz))
    if (share := figures.motion_share) is not None and share > GOOD_MOTION_SHARE:
        reason = f"movement below 20 Hz makes up {_pct(share)} of the signal"
        found.append(Finding(Fault.MOTION, Quality.USABLE, reason))
    median_hz, (least_hz, most_hz) = figures.median_frequency_hz, GOOD_MEDIAN_FREQUENCY_HZ
    if median_hz is not None and has_median_frequency(rate_hz) and not least_hz <= median_hz <= most_hz:
        reason = f"its median frequency of {median_hz:.0f} Hz is outside {least_hz:.0f} to {most_hz:.0f} Hz"
        found.append(Finding(Fault.FREQUENCY, Quality.USABLE, reason))
    if (share := figures.heartbeat_share) is not None and share > GOOD_HEARTBEAT_SHARE:
        reason = f"the heartbeat makes up {_pct(share)} of the cleaned signal"
        found.append(Finding(Fault.HEARTBEAT, Quality.USABLE, reason))
    return found


def _of_signal(figures: QualityFigures) -> Iterator[Finding]:
    """Judge whether the signal is there and whole."""
    if (share := figures.flat_share) is not None and share > GOOD_FLAT_SHARE:
        whole = "the electrode gives no signal"
        reason = whole if share >= 1.0 else f"the electrode gave no signal for {_pct(share)} of the time"
        yield Finding(Fault.NO_SIGNAL, _grade(share, REJECTED_FLAT_SHARE), reason)
    if (share := figures.clipped_share) is not None and share > GOOD_CLIPPED_SHARE:
        reason = f"the signal is cut off at the amplifier's limit ({_pct(share)} of the samples)"
        yield Finding(Fault.CUT_OFF, _grade(share, REJECTED_CLIPPED_SHARE), reason)
    if (share := figures.missing_share) is not None and share > GOOD_MISSING_SHARE:
        yield Finding(
            Fault.MISSING, _grade(share, REJECTED_MISSING_SHARE), f"{_pct(share)} of its samples are missing"
        )


def _of_hum(figures: QualityFigures, chance: float, removed_hz: float | None) -> Iterator[Finding]:
    if figures.hum_ratio is None:
        return
    sure = figures.hum_ratio - chance
    if sure <= GOOD_HUM_SHARE:
        return
    said = f"mains hum makes up {_pct(figures.hum_ratio)} of the signal"
    if removed_hz is not None:
        yield Finding(Fault.HUM, Quality.USABLE, f"{said} and has to be taken out")
    else:
        yield Finding(Fault.HUM, _grade(sure, REJECTED_HUM_SHARE), said)


def _of_rest(
    figures: QualityFigures, n_blocks: float, rest: Rest, reference_snr_db: float | None
) -> Iterator[Finding]:
    """Judge the noise, and how far the work stands above it."""
    below = figures.snr_db is not None and figures.snr_db < QUIET_DB
    if below and n_blocks >= QUIET_BLOCKS and rest is Rest.MEASURED:
        yield Finding(Fault.QUIET, Quality.REJECT, "the electrode is far quieter than at rest")
    snr_db = figures.snr_db if reference_snr_db is None else reference_snr_db
    whose = "" if reference_snr_db is None else "its reference contraction stands "
    if snr_db is not None and snr_db < GOOD_SNR_DB:
        rejected = snr_db < REJECTED_SNR_DB and rest is Rest.MEASURED
        above = "its rest noise" if rest is Rest.MEASURED else "the quietest it has been"
        reason = f"{whose}only {math.floor(max(snr_db, 0.0))} dB above {above}"
        yield Finding(Fault.SNR, Quality.REJECT if rejected else Quality.USABLE, reason)
    least_uv = GOOD_NOISE_UV if snr_db is None else REJECTED_NOISE_UV
    if figures.noise_uv is not None and figures.noise_uv > least_uv and rest is Rest.MEASURED:
        rejected = figures.noise_uv > REJECTED_NOISE_UV and snr_db is None
        reason = f"its noise at rest is {figures.noise_uv:.0f} µV"
        yield Finding(Fault.NOISE, Quality.REJECT if rejected else Quality.USABLE, reason)


def _grade(figure: float, rejected_beyond: float) -> Quality:
    return Quality.REJECT if figure > rejected_beyond else Quality.USABLE


def _pct(share: float) -> str:
    """Percent, with a decimal where there would be nothing to see without it."""
    return f"{100.0 * share:.0f} %" if share >= 0.01 else f"{100.0 * share:.2g} %"

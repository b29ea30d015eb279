"""One EMG channel: activation times muscle noise plus artefacts, as the counts a converter would give.

Amplitudes
----------
A muscle at activation `a` percent gives Gaussian noise of RMS ``reference_uv * a / 100``. The
amplifier noise of a channel has the RMS

    noise_uv = reference_uv * level / 100 / 10^(snr_db / 20)

where `level` is the muscle's mean working level: its share of the exercise's work. So `snr_db` is
the ratio of the muscle at its mean working level to the noise at rest, the same for glute and
back. Both RMS are over the whole recorded band; hum, heartbeat, drift and motion come on top.
Over 20-450 Hz alone the same ratio is 0.5 dB higher.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual import artefacts
from emgmon.virtual.chance import generator
from emgmon.virtual.curve import SmoothCurve
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.muscle import Tired, muscle_noise
from emgmon.virtual.params import AthleteParams

EMG_SCALE_UV = float(np.float32(0.1))
"""Microvolt per count: the converter spans +-3277 uV."""

REFERENCE_UV = {"gluteus_maximus": 120.0, "erector_spinae": 80.0}
"""RMS of each muscle at 100 % activation, in the middle of the population."""

REFERENCE_CV = 0.10
"""Electrodes and skin make channels differ by this much."""

BACK_SITE = "erector_spinae"
"""The muscle whose electrodes see the heart."""


FLOATING_HUM_UV = np.float32(900.0)
"""RMS of the hum that an electrode without skin picks up..."""

FLOATING_NOISE_UV = np.float32(20.0)
"""... and of its noise."""


@dataclass(frozen=True, slots=True)
class EmgChannelModel:
    """What is constant about one channel while its electrode stays in place."""

    number: int
    site: str
    side: str
    reference_uv: float
    """RMS of the muscle at 100 % activation."""
    noise_uv: float
    """RMS of the amplifier noise."""


@dataclass(frozen=True, slots=True)
class Take:
    """One uninterrupted stretch of recording."""

    name: str
    """Chance of two takes of different names is independent."""
    n_samples: int
    moments_s: tuple[float, ...] = ()
    """When the body lifts off or lands."""
    tired: tuple[Tired, ...] = ()
    """Compression of the muscles' spectrum, from the first sample on; empty for rested ones."""
    fault: "Fault | None" = None
    """What goes wrong with the electronics."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What electrodes and amplifier do wrong."""

    clip_uv: float | None
    """The amplifier gives no more than this to either side."""
    off: str | None
    """Electrode that comes off, as ``site.side``..."""
    off_at_s: float
    """... then ..."""
    off_kind: str
    """... and is ``flat`` or ``floating`` from there on."""


def channel_models(params: AthleteParams) -> tuple[EmgChannelModel, ...]:
    """Place the four electrodes on the virtual person."""
    chance = generator(params.seed, "electrodes")
    places = [(site, side) for site in REFERENCE_UV for side in ("left", "right")]
    return tuple(
        _place_channel(params, number, site, side, chance) for number, (site, side) in enumerate(places)
    )


def _place_channel(
    params: AthleteParams, number: int, site: str, side: str, chance: np.random.Generator
) -> EmgChannelModel:
    spread = float(np.clip(chance.standard_normal(), -2.0, 2.0))
    reference_uv = REFERENCE_UV[site] * float(np.exp(REFERENCE_CV * spread))
    work_uv = reference_uv * mean_level_pct(params, site) / 100.0
    return EmgChannelModel(number, site, side, reference_uv, work_uv / 10.0 ** (params.snr_db / 20.0))


def mean_level_pct(params: AthleteParams, site: str) -> float:
    """Mean activation of a muscle over the working phases of all repetitions, percent of reference."""
    glute_fraction = params.asked_share_pct / 100.0
    fraction = 1.0 - glute_fraction if site == BACK_SITE else glute_fraction
    return EXERCISE_MODELS[params.exercise].work_pct * fraction


def record_channel(
    channel: EmgChannelModel, activation_pct: SmoothCurve | None, take: Take, params: AthleteParams
) -> NDArray[np.int16]:
    """Record one channel.

    Parameters
    ----------
    channel
        Where it sits and how it is scaled.
    activation_pct
        Percent of reference over the time of the take; ``None`` for a relaxed muscle.
    take
        Which stretch.
    params
        Artefacts and rate.

    Returns
    -------
    ndarray, shape (n_samples,)
        Counts of `EMG_SCALE_UV` each.
    """
    n, rate_hz = take.n_samples, params.emg_rate_hz
    signal_uv = np.zeros(n, dtype=np.float32)
    if activation_pct is not None:
        signal_uv = muscle_noise(n, rate_hz, _chance(params, channel, take, "muscle"), tired=take.tired)
        signal_uv *= activation_pct.sampled(n, rate_hz)
        signal_uv *= np.float32(channel.reference_uv / 100.0)
    noise = artefacts.amplifier_noise(n, rate_hz, _chance(params, channel, take, "noise"))
    signal_uv += np.float32(channel.noise_uv) * noise
    for part_uv in _disturbances(channel, take, params):
        signal_uv += part_uv
    if take.fault is not None:
        _fail(signal_uv, channel, take, take.fault, params)
    return to_counts(signal_uv)


def _fail(
    signal_uv: NDArray[np.float32], channel: EmgChannelModel, take: Take, fault: Fault, params: AthleteParams
) -> None:
    """Let an electrode come off and the amplifier saturate, in place."""
    if fault.off == f"{channel.site}.{channel.side}":
        first = round(fault.off_at_s * params.emg_rate_hz)
        n = max(0, len(signal_uv) - first)
        signal_uv[first:] = 0.0
        if fault.off_kind == "floating" and n:
            chance = _chance(params, channel, take, "off")
            signal_uv[first:] += FLOATING_HUM_UV * artefacts.mains_hum(
                n,
                params.emg_rate_hz,
                mains_hz=_mains_hz(params),
                phases=(chance.uniform(0.0, 2.0 * np.pi), chance.uniform(0.0, 2.0 * np.pi)),
            )
            signal_uv[first:] += FLOATING_NOISE_UV * artefacts.amplifier_noise(n, params.emg_rate_hz, chance)
    if fault.clip_uv is not None:
        np.clip(signal_uv, -fault.clip_uv, fault.clip_uv, out=signal_uv)


def heartbeats_s(take: Take, params: AthleteParams) -> tuple[float, ...]:
    """When the heart beats in a take; empty where no electrode sees it."""
    if not params.heartbeat_uv or not params.emg:
        return ()
    chance = generator(params.seed, "heart", take.name)
    return tuple(artefacts.beat_times(take.n_samples / params.emg_rate_hz, chance).tolist())


def to_counts(signal_uv: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round to the converter's steps; what is beyond its range stays at the end of it."""
    limits = np.iinfo(np.int16)
    counts = np.rint(signal_uv / np.float32(EMG_SCALE_UV))
    return np.asarray(np.clip(counts, limits.min, limits.max), dtype=np.int16)


def _disturbances(
    channel: EmgChannelModel, take: Take, params: AthleteParams
) -> Sequence[NDArray[np.float32]]:
    """Everything that is neither muscle nor amplifier noise, in microvolt."""
    n, rate_hz = take.n_samples, params.emg_rate_hz
    parts = []
    if params.hum_uv:
        chance = _chance(params, channel, take, "hum")
        phases = (chance.uniform(0.0, 2.0 * np.pi), chance.uniform(0.0, 2.0 * np.pi))
        hum = artefacts.mains_hum(n, rate_hz, mains_hz=_mains_hz(params), phases=phases)
        parts.append(np.float32(params.hum_uv) * hum)
    if params.heartbeat_uv and channel.site == BACK_SITE:
        times_s = np.asarray(heartbeats_s(take, params))
        parts.append(np.float32(params.heartbeat_uv) * artefacts.heartbeat(n, rate_hz, times_s))
    if params.drift_uv:
        drift = artefacts.drift(n, rate_hz, _chance(params, channel, take, "drift"))
        parts.append(np.float32(params.drift_uv) * drift)
    if params.motion_uv and take.moments_s:
        chance = _chance(params, channel, take, "motion")
        bursts = artefacts.motion_bursts(n, rate_hz, take.moments_s, chance)
        parts.append(np.float32(params.motion_uv) * bursts)
    return parts


def _mains_hz(params: AthleteParams) -> float:
    wander = generator(params.seed, "mains").standard_normal()
    return float(params.mains_hz + artefacts.MAINS_WANDER_HZ * wander)


def _chance(params: AthleteParams, channel: EmgChannelModel, take: Take, part: str) -> np.random.Generator:
    return generator(params.seed, part, take.name, channel.number)

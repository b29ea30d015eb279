"""Rest and reference of one channel, measured from stretches of its raw signal or refused with advice."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.cleaning import hum_to_remove
from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.heartbeat import rest_between_beats
from emgmon.dsp.quality_grades import REJECTED_SNR_DB
from emgmon.dsp.spectrum import SEGMENT_S, power_spectrum
from emgmon.errors import CalibrationError
from emgmon.events import channel_words
from emgmon.metrics.calibration import (
    LARGEST_MISSING_SHARE,
    REFERENCE_WINDOW_S,
    Calibration,
    CalibrationMethod,
    ChannelCalibration,
)
from emgmon.metrics.calibration_signal import SeenSignal, look
from emgmon.metrics.calm import SHORTEST_REST_S, CalmPart, longest_calm
from emgmon.metrics.engagement import REST_CV
from emgmon.metrics.strongest import step_samples, strongest, window_power
from emgmon.metrics.uncertainty import muscle_cv, statistical_bandwidth

LEAST_RISE = 1.01
"""A reference is raised for no less."""

SHORTEST_TRIAL_S = 1.0
"""Half a second to choose from is no choice."""

LARGEST_TRIAL_DIFFERENCE = 0.25
"""Of the larger; trials that differ by more were not the same contraction."""

WORK_SHARE = 0.25
"""The spectrum is that of pieces with at least this part of the strongest half second's power, half its
RMS."""

FEWEST_SPECTRA = 3


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Part of one channel's signal, as the sensor sent it."""

    raw_uv: NDArray[np.float64]
    """Shape (n_samples,), NaN where missing."""
    n_lead: int = 0
    """Samples before the stretch, among `raw_uv`, in which the filters settle."""

    @property
    def own_uv(self) -> NDArray[np.float64]:
        """The stretch without what leads to it."""
        return self.raw_uv[self.n_lead :]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One reference contraction."""

    position: str
    """How the person held it, for example ``prone``; trials in different positions need not agree."""
    stretch: Stretch


@dataclass(frozen=True, slots=True, eq=False)
class ChannelStretches:
    """What one channel is calibrated from."""

    site: str
    side: str | None
    rate_hz: float
    rest: Stretch
    trials: tuple[Trial, ...]
    is_envelope: bool = False
    """Whether it was rectified or smoothed before it was sent."""
    beats: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Where in the rest, after its lead, hearts beat; empty where that is not known."""

    @property
    def name(self) -> str:
        """The channel as people call it."""
        return channel_words(self.site, self.side)

    def clean(self, stretch: Stretch, hum_hz: float | None) -> NDArray[np.float64]:
        """Clean a stretch as in a session; shape (n_samples,), without its lead."""
        stage = EnvelopeStage(
            n_channels=1,
            rate_hz=self.rate_hz,
            envelope_channels=(self.is_envelope,),
            hum_hz=() if self.is_envelope else (hum_hz,),
        )
        row = np.array(stretch.raw_uv[np.newaxis], dtype=np.float64)
        return stage.clean(row)[0, stretch.n_lead :]


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibrated channel, and how its trials were."""

    channel: ChannelCalibration
    name: str
    """The channel as people call it."""
    method: CalibrationMethod
    position: str
    """Which of the positions gave the reference."""
    spread: float | None
    """How far the trials in it lie apart, relative to the largest; ``None`` for a single one."""


def measure_channel(
    stretches: ChannelStretches, *, method: CalibrationMethod = CalibrationMethod.MVIC
) -> Measured:
    """Measure rest and reference of one channel.

    Rest is the RMS (:func:`longest_calm`) of the longest calm part of the rest. The reference is the
    strongest half second of each trial, what chance adds to it and rest (in power) taken off; trials in one
    position are averaged, and the stronger position counts. Its scatter is that within a trial or that
    between trials, whichever is larger, over the root of their number: what differs between trials holds the
    chance within each.

    Parameters
    ----------
    stretches
        Of the channel.
    method
        With `CalibrationMethod.BEST_SO_FAR` what shows no electrode on skin is passed over instead of
        refused, for nobody chose the stretch.

    Raises
    ------
    CalibrationError
        When a stretch is too short, misses too much, moves, hums or is cut off; when the reference is too
        little above rest; when trials in one position differ too much. Message and advice are for people.
    """
    chosen = method is not CalibrationMethod.BEST_SO_FAR
    _check_lengths(stretches)
    seen, hum_hz = None, None
    if not stretches.is_envelope:
        seen = _look(stretches)
        seen.check_rest()
        if chosen:
            seen.check_trials()
        hum_hz = hum_to_remove(*map(max, seen.hum_ratios, seen.hum_ratios_at_work))
    rest_uv = stretches.clean(stretches.rest, hum_hz)
    rest = longest_calm(rest_uv, stretches.rate_hz, name=stretches.name)
    trials_uv = [stretches.clean(trial.stretch, hum_hz) for trial in stretches.trials]
    bandwidth_hz = None
    if seen is not None:
        if not chosen:
            seen.pass_over(trials_uv)
        seen.check_cleaned(trials_uv, hum_hz)
        bandwidth_hz = bandwidth_at_work(trials_uv, stretches.rate_hz)
    found = [_best(stretches, clean_uv, rest.rms_uv, bandwidth_hz) for clean_uv in trials_uv]
    _check_above_rest(stretches.name, max(best.muscle_uv for best in found), rest.rms_uv)
    position, trials = _stronger_position(stretches, found)
    channel = ChannelCalibration(
        site=stretches.site,
        side=stretches.side,
        rest_uv=rest.rms_uv,
        reference_uv=_mean_uv(trials),
        reference_cv=_scatter(trials),
        n_trials=len(trials),
        bandwidth_hz=bandwidth_hz,
        hum_hz=hum_hz,
        rest_between_beats_uv=_between_beats(stretches, rest_uv, rest),
    )
    spread = _difference([best.muscle_uv for best in trials]) if len(trials) > 1 else None
    return Measured(channel, stretches.name, method, position, spread)


def raised(known: ChannelCalibration, whole: ChannelStretches) -> ChannelCalibration:
    """Put the strongest half second of a whole recording in the place of a reference that it passed.

    Above 100 % is shown as such; it says that the reference was not the most that the muscle can do. With the
    new reference the strongest half second is 100 %, and the channel says `CalibrationMethod.BEST_SO_FAR`.

    Parameters
    ----------
    known
        The channel, by which the recording was analysed.
    whole
        The same channel; of its trials, which are all there is, those parts count that show an electrode on
        skin.

    Returns
    -------
    ChannelCalibration
        `known` itself when nothing in the recording was stronger than its reference, chance taken off.
    """
    trials_uv = [whole.clean(trial.stretch, known.hum_hz) for trial in whole.trials]
    if not whole.is_envelope:
        _look(whole).pass_over(trials_uv)
    best = max(
        (_best(whole, clean_uv, known.rest_uv, known.bandwidth_hz) for clean_uv in trials_uv),
        key=lambda one: one.muscle_uv,
    )
    if best.muscle_uv <= LEAST_RISE * known.reference_uv:
        return known
    method = CalibrationMethod.BEST_SO_FAR.value
    return replace(known, reference_uv=best.muscle_uv, reference_cv=best.cv, n_trials=1, method=method)


def gather(
    measured: Sequence[Measured], *, made_utc: str | None = None, placement: int | None = None
) -> Calibration:
    """Make a calibration of channels; it bears the first method that is not best-so-far, where there is one.

    Parameters
    ----------
    measured
        At least one.
    made_utc, placement
        When, and how often electrodes had been put on by then.
    """
    chosen = [one.method for one in measured if one.method is not CalibrationMethod.BEST_SO_FAR]
    method = chosen[0] if chosen else CalibrationMethod.BEST_SO_FAR
    channels = tuple(
        one.channel if one.method is method else replace(one.channel, method=one.method.value)
        for one in measured
    )
    return Calibration(method.value, channels, made_utc=made_utc, placement=placement)


@dataclass(frozen=True, slots=True)
class _Best:
    """The strongest half second of one trial, rest and chance taken off."""

    muscle_uv: float
    cv: float


def _check_lengths(stretches: ChannelStretches) -> None:
    """Refuse what is too short or has too little in it."""
    parts = [("rest", stretches.rest, SHORTEST_REST_S)]
    parts += [("reference", trial.stretch, SHORTEST_TRIAL_S) for trial in stretches.trials]
    for what, stretch, shortest_s in parts:
        seconds = len(stretch.own_uv) / stretches.rate_hz
        if seconds < shortest_s:
            raise CalibrationError(
                f"the {what} of the {stretches.name} is {seconds:.2f} s long",
                advice=f"It takes at least {shortest_s:g} s, better 5 s.",
            )
        share = float(np.isnan(stretch.own_uv).mean())
        if share > LARGEST_MISSING_SHARE:
            raise CalibrationError(
                f"{100.0 * share:.0f} % of the {what} of the {stretches.name} is missing",
                advice="Choose a stretch without gaps, or record it anew with the sensor nearer.",
            )
    if not stretches.trials:
        raise CalibrationError(
            f"the {stretches.name} has a rest but no reference",
            advice="Give at least one stretch in which the muscle works as hard as can be.",
        )


def _look(stretches: ChannelStretches) -> SeenSignal:
    return SeenSignal(
        name=stretches.name,
        rate_hz=stretches.rate_hz,
        rest=look(stretches.rest.own_uv, stretches.rate_hz),
        trials=tuple(look(trial.stretch.own_uv, stretches.rate_hz) for trial in stretches.trials),
    )


def _between_beats(stretches: ChannelStretches, rest_uv: NDArray[np.float64], rest: CalmPart) -> float | None:
    beats = stretches.beats[(stretches.beats >= rest.first) & (stretches.beats < rest.stop)]
    if not len(beats):
        return None
    return rest_between_beats(rest_uv[rest.first : rest.stop], beats - rest.first, stretches.rate_hz)


def bandwidth_at_work(trials_uv: Sequence[NDArray[np.float64]], rate_hz: float) -> float | None:
    """Statistical bandwidth of cleaned EMG where the muscle works; ``None`` for too little of it.

    Pieces of a quarter second with at least `WORK_SHARE` of the strongest one's power are brought to the same
    power, so that the spectrum of a contraction that grows is not that of its end alone.
    """
    length = max(2, round(SEGMENT_S * rate_hz))
    pieces = [
        np.lib.stride_tricks.sliding_window_view(x, length)[:: length // 2]
        for x in trials_uv
        if len(x) >= length
    ]
    power = [np.square(piece).mean(axis=1) for piece in pieces]
    strongest_power = max((float(np.nanmax(p)) for p in power if not np.isnan(p).all()), default=0.0)
    worked = [piece[p >= WORK_SHARE * strongest_power] for piece, p in zip(pieces, power, strict=True)]
    windows = np.concatenate([np.empty((0, length)), *worked])
    if len(windows) < FEWEST_SPECTRA or strongest_power <= 0.0:
        return None
    frequency_hz, density = power_spectrum(windows, rate_hz)
    density /= density.sum(axis=1, keepdims=True)
    return float(statistical_bandwidth(density.mean(axis=0), frequency_hz, n_windows=len(windows)))


def _best(
    stretches: ChannelStretches, clean_uv: NDArray[np.float64], rest_uv: float, bandwidth_hz: float | None
) -> _Best:
    rate_hz = stretches.rate_hz
    power = window_power(clean_uv, rate_hz, REFERENCE_WINDOW_S)
    found = strongest(power, step_s=step_samples(rate_hz) / rate_hz, bandwidth_hz=bandwidth_hz)
    if found is None:
        raise CalibrationError(
            f"a reference of the {stretches.name} has no half second in one piece",
            advice="Choose a stretch without gaps, at least one second long.",
        )
    muscle_uv = math.sqrt(max(found.rms**2 - rest_uv**2, 0.0))
    if muscle_uv <= 0.0:
        return _Best(0.0, math.inf)
    return _Best(muscle_uv, muscle_cv(found.cv, noise_to_muscle=rest_uv / muscle_uv, rest_cv=REST_CV))


def _check_above_rest(name: str, muscle_uv: float, rest_uv: float) -> None:
    snr_db = 20.0 * math.log10(muscle_uv / rest_uv) if muscle_uv > 0.0 and rest_uv > 0.0 else math.inf
    if muscle_uv <= 0.0 or snr_db < REJECTED_SNR_DB:
        above = "does not stand" if muscle_uv <= 0.0 else f"stands only {snr_db:.0f} dB"
        raise CalibrationError(
            f"the reference of the {name}, {muscle_uv:.1f} µV, {above} above its rest, {rest_uv:.1f} µV",
            advice=f"It takes {REJECTED_SNR_DB:g} dB, better 15: contract harder, or clean the skin.",
        )


def _stronger_position(stretches: ChannelStretches, found: Sequence[_Best]) -> tuple[str, list[_Best]]:
    """Choose the position with the larger mean; trials in one position have to agree."""
    positions: dict[str, list[_Best]] = {}
    for trial, best in zip(stretches.trials, found, strict=True):
        positions.setdefault(trial.position, []).append(best)
    position, trials = max(positions.items(), key=lambda item: _mean_uv(item[1]))
    trials_uv = [best.muscle_uv for best in trials]
    if (difference := _difference(trials_uv)) > LARGEST_TRIAL_DIFFERENCE:
        listed = ", ".join(f"{uv:.0f}" for uv in trials_uv)
        raise CalibrationError(
            f"the trials of the {stretches.name} differ by {100.0 * difference:.0f} %: {listed} µV",
            advice="They should agree within 25 %: leave out a failed one, or add one more. Trials in"
            " different positions need not agree, if they are named apart.",
        )
    return position, trials


def _mean_uv(trials: Sequence[_Best]) -> float:
    return sum(best.muscle_uv for best in trials) / len(trials)


def _difference(trials_uv: Sequence[float]) -> float:
    return 1.0 - min(trials_uv) / max(trials_uv) if max(trials_uv) > 0.0 else 0.0


def _scatter(trials: Sequence[_Best]) -> float:
    """Relative standard error of the mean over trials; what differs between them holds the chance within."""
    within = sum(best.cv for best in trials) / len(trials)
    between = 0.0
    if len(trials) > 1:
        between = float(np.std([best.muscle_uv for best in trials], ddof=1)) / _mean_uv(trials)
    return max(within, between) / math.sqrt(len(trials))

"""What 0 and 100 % mean for one channel of one person on one day: rest noise and a reference contraction."""

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.timeline import SampleClock
from emgmon.errors import CalibrationError

REFERENCE_WINDOW_S = 0.5
"""The reference is the strongest half second: longer windows are steadier, shorter ones catch chance."""

LARGEST_MISSING_SHARE = 0.3
"""A stretch with more missing than this cannot serve."""


class CalibrationMethod(enum.StrEnum):
    """Which contraction stands for 100 %."""

    MVIC = "mvic"
    """The hardest voluntary contraction against something that does not give way."""
    SUBMAXIMAL = "submaximal"
    """A standard task that anybody can hold, for example the unresisted horizontal hold of the back."""
    BEST_SO_FAR = "best-so-far"
    """The strongest half second of the recording itself; says nothing about how hard that was."""


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """Two amplitudes of one channel, RMS of the cleaned signal, and how well they are known."""

    site: str
    side: str | None
    rest_uv: float
    """At rest: noise of skin, amplifier, mains and heart, all that is not the muscle's work."""
    reference_uv: float
    """During the reference contraction, rest already removed in power: this is 100 %."""
    method: str | None = None
    """Where this channel's differs from the calibration's."""
    reference_cv: float | None = None
    """Relative scatter of `reference_uv`, from chance within a trial and spread between trials."""
    n_trials: int = 1
    bandwidth_hz: float | None = None
    """Statistical bandwidth of the cleaned signal at work: it sets how fast an amplitude becomes known."""
    hum_hz: float | None = None
    """Mains frequency that is removed from this channel, in calibration and session alike; ``None``: none."""
    rest_between_beats_uv: float | None = None
    """Rest noise with the heartbeat taken out; ``None`` where no heartbeat was found."""

    @property
    def snr_db(self) -> float:
        """How far the reference contraction stands above rest."""
        if self.rest_uv <= 0.0:
            return math.inf
        return 20.0 * math.log10(self.reference_uv / self.rest_uv) if self.reference_uv > 0.0 else -math.inf


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured of rest and reference before, or in, a recording."""

    method: str
    """Which contraction served as reference, a `CalibrationMethod`; every percentage carries it."""
    channels: tuple[ChannelCalibration, ...]
    made_utc: str | None = None
    """ISO 8601; when the contractions took place."""
    placement: int | None = None
    """Counts how often electrodes were put on this person; new electrodes end a calibration."""
    source: str | None = None
    """Name of the recording it was measured in, where that is another one."""

    def find(self, site: str, side: str | None) -> ChannelCalibration | None:
        """Look up the calibration of one channel."""
        for channel in self.channels:
            if (channel.site, channel.side) == (site, side):
                return channel
        return None

    def method_of(self, channel: ChannelCalibration) -> str:
        """Tell what 100 % stands for in one channel."""
        return channel.method or self.method


def fits(calibration: Calibration, placement: int | None) -> bool:
    """Whether a calibration is of the electrodes that are worn now: new electrodes end it.

    Parameters
    ----------
    calibration
        Measured earlier.
    placement
        Counts how often electrodes were put on this person, this time included; ``None`` where nobody counts,
        and then nobody can tell.
    """
    return placement is None or calibration.placement is None or calibration.placement == placement


def measure_rest(emg_uv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Root mean square of the cleaned signal over a stretch of rest.

    Parameters
    ----------
    emg_uv
        Shape (n_samples, n_channels), microvolt.
    rate_hz
        Sample rate.

    Returns
    -------
    ndarray
        Shape (n_channels,), microvolt.

    Raises
    ------
    CalibrationError
        When nothing was measured.
    """
    envelope_uv = _envelope(emg_uv, rate_hz)
    mean_square: NDArray[np.float64] = np.nanmean(envelope_uv**2, axis=0)
    return np.sqrt(mean_square)


def _envelope(emg_uv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    stage = EnvelopeStage(n_channels=emg_uv.shape[1], rate_hz=rate_hz)
    clock = SampleClock(anchor_sample=0, anchor_s=0.0, rate_hz=rate_hz)
    body = stage.process(np.array(emg_uv.T, dtype=np.float64, order="C"), clock, 0).envelope_uv
    envelope_uv = np.concatenate([body, stage.finish().envelope_uv])
    if not len(envelope_uv) or np.isnan(envelope_uv).mean(axis=0).max() > LARGEST_MISSING_SHARE:
        raise CalibrationError(
            f"a stretch of {len(emg_uv) / rate_hz:.2f} s holds a channel of which too little was measured",
            advice="Choose a stretch without gaps, at least one second long.",
        )
    return envelope_uv


def activation_pct(
    envelope_uv: NDArray[np.float64], rest_uv: NDArray[np.float64], reference_uv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Envelope as percent of the reference, rest noise removed in power.

    Noise and muscle are independent, so their powers add: 100 sqrt(max(e² - n², 0)) / R.

    Parameters
    ----------
    envelope_uv
        Shape (n_hops, n_channels).
    rest_uv, reference_uv
        Shape (n_channels,); NaN where the channel is not calibrated.

    Returns
    -------
    ndarray
        Shape (n_hops, n_channels); NaN where not measured or not calibrated.
    """
    muscle = np.maximum(envelope_uv * envelope_uv - rest_uv * rest_uv, 0.0)
    percent: NDArray[np.float64] = 100.0 * np.sqrt(muscle) / reference_uv
    return percent

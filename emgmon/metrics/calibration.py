"""What 0 and 100 % mean for one channel of one person on one day: rest noise and a reference contraction."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.timeline import SampleClock
from emgmon.errors import CalibrationError
from emgmon.events import HOP_RATE_HZ

REFERENCE_WINDOW_S = 0.5
"""The reference is the strongest half second: longer windows are steadier, shorter ones catch chance."""

LARGEST_MISSING_SHARE = 0.3
"""A stretch with more missing than this cannot serve."""

REJECTED_SNR_DB = 6.0
GOOD_SNR_DB = 15.0


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """Two amplitudes of one channel, RMS of the cleaned signal."""

    site: str
    side: str | None
    rest_uv: float
    """At rest: noise of skin, amplifier and mains, all that is not the muscle's work."""
    reference_uv: float
    """During the reference contraction, rest already removed in power: this is 100 %."""

    @property
    def snr_db(self) -> float:
        """How far the reference contraction stands above rest."""
        if self.rest_uv <= 0.0:
            return math.inf
        return 20.0 * math.log10(self.reference_uv / self.rest_uv) if self.reference_uv > 0.0 else -math.inf


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a session measured of rest and reference before the sets."""

    method: str
    """Which contraction served as reference, for example ``mvic``; every percentage carries it."""
    channels: tuple[ChannelCalibration, ...]

    def find(self, site: str, side: str | None) -> ChannelCalibration | None:
        """Look up the calibration of one channel."""
        for channel in self.channels:
            if (channel.site, channel.side) == (site, side):
                return channel
        return None


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


def measure_reference(
    emg_uv: NDArray[np.float64], rate_hz: float, rest_uv: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Strongest half second of each channel, rest noise removed in power.

    Parameters
    ----------
    emg_uv
        Shape (n_samples, n_channels), microvolt; one or more contractions.
    rate_hz
        Sample rate.
    rest_uv
        Shape (n_channels,), from :func:`measure_rest`.

    Returns
    -------
    ndarray
        Shape (n_channels,), microvolt.

    Raises
    ------
    CalibrationError
        When the stretch is shorter than half a second.
    """
    envelope_uv = _envelope(emg_uv, rate_hz)
    window = round(REFERENCE_WINDOW_S * HOP_RATE_HZ)
    if len(envelope_uv) < window:
        raise CalibrationError(
            f"a reference contraction of {len(emg_uv) / rate_hz:.2f} s is too short",
            advice=f"Hold the contraction for at least {REFERENCE_WINDOW_S} s, better 5 s.",
        )
    whole = np.where(np.isnan(envelope_uv), 0.0, envelope_uv)
    windows = np.lib.stride_tricks.sliding_window_view(whole**2, window, axis=0)
    strongest = np.max(windows.mean(axis=2), axis=0)
    reference: NDArray[np.float64] = np.sqrt(np.maximum(strongest - rest_uv**2, 0.0))
    return reference


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

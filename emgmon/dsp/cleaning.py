"""What every EMG channel goes through alike: the band-pass, and notches only where mains hum dominates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.filters import (
    LOW_PASS_HZ,
    LOW_PASS_SHARE_OF_RATE,
    BandPass,
    BandPassCoefficients,
    BandPassState,
    sosfilt_inplace,
)
from emgmon.dsp.timeline import runs

MAINS_HZ = (50.0, 60.0)

DOMINATING_SIGNAL_TO_HUM_DB = 9.0
"""Only below this does taking hum out of the spectrum pay off (CleanEMG 2011, spectral interpolation); above
it the muscle's own power at these frequencies is the greater loss."""

DOMINATING_HUM_RATIO = 1.0 / (1.0 + 10.0 ** (DOMINATING_SIGNAL_TO_HUM_DB / 10.0))
"""The same as a part of all power from 20 to 450 Hz, hum included: 0.11."""

NOTCH_WIDTH_HZ = 2.0
"""Between the -3 dB points of every notch.

An offset of *d* Hz leaves ``2 d / width`` of the hum: mains that wander by 0.05 Hz are down by 26 dB, the
third harmonic (0.15 Hz) by 16 dB. Each notch takes ``pi / 2 * width`` = 3.1 Hz out of the muscle's spectrum.
Of the model spectrum (``fh^2 f^2 / ((f^2 + fl^2) (f^2 + fh^2)^2)``, 60 and 120 Hz) all notches of 50 Hz
together take 6.5 % of the power (3.3 % of the RMS), those of 60 Hz 5.4 %, from work and reference alike.
"""

NOTCH_SETTLING_S = 0.4
"""A notch that starts from nothing lets hum in at full size and forgets it with ``exp(-pi width t)``: after
this long it is down by 22 dB."""

LONGEST_CARRIED_S = 0.3
"""Across a gap up to this long the hum is carried on at its nominal frequency: mains off by 0.05 Hz come back
0.1 rad off, so no more than a tenth of the hum shows. After a longer gap the notches start anew."""


def hum_to_remove(hum_ratio_50: float | None, hum_ratio_60: float | None) -> float | None:
    """Decide whether mains hum is taken out of a channel.

    Parameters
    ----------
    hum_ratio_50, hum_ratio_60
        Power of hum and its harmonics over all power from 20 to 450 Hz while the muscle works, averaged over
        a second of work at least; ``None`` or NaN where not measured.

    Returns
    -------
    float or None
        50.0 or 60.0, whichever is stronger, where hum dominates (`DOMINATING_HUM_RATIO`); else ``None``.
    """
    ratios = [
        (ratio, mains_hz)
        for ratio, mains_hz in zip((hum_ratio_50, hum_ratio_60), MAINS_HZ, strict=True)
        if ratio is not None and ratio > DOMINATING_HUM_RATIO
    ]
    return max(ratios)[1] if ratios else None


def notch_frequencies(hum_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """Give the fundamental and every harmonic inside the band of a channel; shape (n_notches,), Hz."""
    upper_hz = min(LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE * rate_hz)
    return hum_hz * np.arange(1.0, math.floor(upper_hz / hum_hz) + 1.0)


def notch_sos(hum_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """One second-order notch of `NOTCH_WIDTH_HZ` for the fundamental and every harmonic inside the band.

    Returns
    -------
    ndarray
        Shape (n_notches, 6): b0, b1, b2, 1, a1, a2. Gain 1 at 0 Hz and at half the rate, 0 at the notch.

    Notes
    -----
    Bilinear transform of ``(s^2 + w^2) / (s^2 + s w / Q + w^2)``, with notch and width
    pre-warped (Orfanidis 1996, Introduction to Signal Processing).
    """
    half_width = math.tan(math.pi * NOTCH_WIDTH_HZ / rate_hz)
    gain = 1.0 / (1.0 + half_width)
    sections = []
    for notch_hz in notch_frequencies(hum_hz, rate_hz):
        turn = -2.0 * math.cos(2.0 * math.pi * notch_hz / rate_hz)
        sections.append([gain, gain * turn, gain, 1.0, gain * turn, 2.0 * gain - 1.0])
    return np.array(sections)


@dataclass(slots=True)
class CleaningState:
    """What one sample leaves for the next."""

    band_pass: BandPassState
    zi: NDArray[np.float64]
    """Of the notches, shape (n_channels, most notches of any channel, 2)."""
    missing: NDArray[np.int64]
    """Shape (n_channels,): samples of the band-pass that were missing since the notches last saw one."""
    settling: NDArray[np.int64]
    """Shape (n_channels,): samples still to be withheld because the notches started anew."""

    def copy(self) -> "CleaningState":
        """Independent copy, for a checkpoint."""
        return CleaningState(self.band_pass.copy(), self.zi.copy(), self.missing.copy(), self.settling.copy())


class Cleaning:
    """Band-pass of all channels of a stream, and notches for those where hum dominates.

    A channel without hum comes out of it with the bits of the band-pass alone. Missing samples are NaN going
    in and coming out.

    Parameters
    ----------
    n_channels
        Channels of the stream.
    rate_hz
        Sample rate.
    hum_hz
        Mains frequency to take out of each channel, 50.0 or 60.0; ``None`` where nothing is taken out. Empty
        for a stream without hum.

    Raises
    ------
    ValueError
        When the rate leaves no EMG band, or `hum_hz` does not name every channel or names another frequency.
    """

    def __init__(self, n_channels: int, rate_hz: float, hum_hz: Sequence[float | None] = ()) -> None:
        self.hum_hz = tuple(hum_hz) if len(hum_hz) else (None,) * n_channels
        if len(self.hum_hz) != n_channels:
            raise ValueError(f"hum is told of {len(self.hum_hz)} of {n_channels} channels")
        if unknown := set(self.hum_hz) - {None, *MAINS_HZ}:
            raise ValueError(f"mains hum is at 50 or 60 Hz, not at {unknown}")
        self._band_pass = BandPass(n_channels=n_channels, rate_hz=rate_hz)
        self._notches = {
            channel: _Notches.design(hum, rate_hz)
            for channel, hum in enumerate(self.hum_hz)
            if hum is not None
        }
        n_notches = max((len(notches.sos) for notches in self._notches.values()), default=0)
        # As after a gap without end: the first sample starts the notches from nothing.
        self._state = CleaningState(
            band_pass=self._band_pass.state,
            zi=np.zeros((n_channels, n_notches, 2)),
            missing=np.full(n_channels, np.iinfo(np.int32).max, dtype=np.int64),
            settling=np.zeros(n_channels, dtype=np.int64),
        )

    @property
    def coefficients(self) -> BandPassCoefficients:
        """Of the band-pass, which all channels share."""
        return self._band_pass.coefficients

    @property
    def state(self) -> CleaningState:
        """All that the past leaves to the future; the stage goes on changing it, so copy it to keep it."""
        return self._state

    @state.setter
    def state(self, state: CleaningState) -> None:
        self._state = state
        self._band_pass.state = state.band_pass

    def process(self, emg_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Filter in place.

        Parameters
        ----------
        emg_uv
            Shape (n_channels, n_samples), NaN where missing; overwritten.

        Returns
        -------
        ndarray
            The same array, filtered; NaN where a sample is missing or a filter was settling.
        """
        self._band_pass.process(emg_uv)
        for channel, notches in self._notches.items():
            self._process_channel(channel, notches, emg_uv[channel])
        return emg_uv

    def _process_channel(self, channel: int, notches: "_Notches", x: NDArray[np.float64]) -> None:
        for start, stop, missing in runs(np.isnan(x)):
            if missing:
                self._state.missing[channel] += stop - start
            else:
                self._process_run(channel, notches, x[start:stop])

    def _process_run(self, channel: int, notches: "_Notches", run: NDArray[np.float64]) -> None:
        state = self._state
        zi = state.zi[channel, : len(notches.sos)]
        n_missing = int(state.missing[channel])
        if n_missing > notches.carried_samples:
            zi[:] = 0.0
            state.settling[channel] = notches.settling_samples
        elif n_missing:
            zi[:] = notches.carry(zi, n_missing)
        state.missing[channel] = 0
        sosfilt_inplace(notches.sos, run[np.newaxis], zi[np.newaxis])
        withheld = min(int(state.settling[channel]), len(run))
        run[:withheld] = np.nan
        state.settling[channel] -= withheld


@dataclass(frozen=True, slots=True, eq=False)
class _Notches:
    """What follows from the mains frequency and the rate."""

    sos: NDArray[np.float64]
    turn_rad: NDArray[np.float64]
    """Angle by which each notch's hum turns from sample to sample, shape (n_notches,)."""
    settling_samples: int
    carried_samples: int

    @classmethod
    def design(cls, hum_hz: float, rate_hz: float) -> "_Notches":
        return cls(
            sos=notch_sos(hum_hz, rate_hz),
            turn_rad=2.0 * np.pi * notch_frequencies(hum_hz, rate_hz) / rate_hz,
            settling_samples=math.ceil(NOTCH_SETTLING_S * rate_hz),
            carried_samples=math.floor(LONGEST_CARRIED_S * rate_hz),
        )

    def carry(self, zi: NDArray[np.float64], n_samples: int) -> NDArray[np.float64]:
        """State after a gap in which the hum went on at its nominal frequency.

        A settled notch lets nothing of its hum *x* out, so its state is ``b2 (-x[n + 1], x[n])``; both follow
        from the two-term recursion of a sine.
        """
        ahead, now = -zi[:, 0], zi[:, 1]
        before, here, after = (np.sin((n_samples + step) * self.turn_rad) for step in (-1, 0, 1))
        sine = np.sin(self.turn_rad)
        return np.stack([(here * now - after * ahead) / sine, (here * ahead - before * now) / sine], axis=1)

"""Second-order sections with kept state: the same samples give the same bits however they were cut."""

import importlib.machinery
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.timeline import runs

SosKernel = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], None]
"""Filters ``x`` (n_signals, n_samples) in place and leaves the state in ``zi`` (n_signals, n_sections, 2)."""


def _load_kernel() -> SosKernel:
    """Load scipy's compiled kernel without the rest of ``scipy.signal``.

    The package takes about a second to import, the kernel alone a few milliseconds, and that second
    would be most of what a person waits for. A scipy that keeps its kernel elsewhere is served
    through the public function.
    """
    package = importlib.util.find_spec("scipy")
    for folder in (package.submodule_search_locations or []) if package else []:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder) / "signal" / f"_sosfilt{suffix}"
            if path.is_file():
                spec = importlib.util.spec_from_file_location("scipy.signal._sosfilt", path)
                if spec is not None and spec.loader is not None:
                    module = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(module)
                    kernel: SosKernel = module._sosfilt
                    return kernel
    return _public_kernel


def _public_kernel(sos: NDArray[np.float64], x: NDArray[np.float64], zi: NDArray[np.float64]) -> None:
    from scipy.signal import sosfilt

    x[:], state = sosfilt(sos, x, axis=1, zi=np.moveaxis(zi, 0, 1))
    zi[:] = np.moveaxis(state, 0, 1)


sosfilt_inplace: SosKernel = _load_kernel()


def butterworth_sos(order: int, corner_hz: float, rate_hz: float, *, kind: str) -> NDArray[np.float64]:
    """Design a Butterworth low-pass or high-pass of even order by the bilinear transform.

    Parameters
    ----------
    order
        Even.
    corner_hz
        Where the gain is -3 dB; the transform is pre-warped so that it is there exactly.
    rate_hz
        Sample rate.
    kind
        ``"low"`` or ``"high"``.

    Returns
    -------
    ndarray
        Shape (order / 2, 6): b0, b1, b2, 1, a1, a2 of each section.

    Raises
    ------
    ValueError
        When the corner does not lie between zero and half the rate, or the order is odd.

    Notes
    -----
    Poles of the analogue prototype lie at equal angles on the unit circle (Butterworth 1930,
    Experimental Wireless 7:536); each conjugate pair makes one section.
    """
    if not 0 < corner_hz < rate_hz / 2:
        raise ValueError(f"a corner of {corner_hz} Hz does not fit a rate of {rate_hz} Hz")
    if order < 2 or order % 2:
        raise ValueError(f"order {order} is not a positive even number")
    warped = math.tan(math.pi * corner_hz / rate_hz)
    # The pair nearest the real axis goes first: it rings least, so later sections see less overshoot.
    angles = [math.pi * (2 * k + 1) / (2 * order) for k in reversed(range(order // 2))]
    return np.array([_section(warped, 2.0 * math.sin(angle), kind) for angle in angles])


def _section(warped: float, damping: float, kind: str) -> list[float]:
    norm = 1.0 / (1.0 + damping * warped + warped * warped)
    a1 = 2.0 * (warped * warped - 1.0) * norm
    a2 = (1.0 - damping * warped + warped * warped) * norm
    if kind == "low":
        gain = warped * warped * norm
        return [gain, 2.0 * gain, gain, 1.0, a1, a2]
    if kind == "high":
        return [norm, -2.0 * norm, norm, 1.0, a1, a2]
    raise ValueError(f"a filter is 'low' or 'high', not {kind!r}")


def steady_state(sos: NDArray[np.float64]) -> NDArray[np.float64]:
    """State that a unit step leaves behind for ever; scaled by the first sample it stops start-up ringing.

    Returns
    -------
    ndarray
        Shape (n_sections, 2).
    """
    state = np.empty((len(sos), 2))
    level = 1.0
    for i, (b0, b1, b2, _, a1, a2) in enumerate(sos):
        out = level * (b0 + b1 + b2) / (1.0 + a1 + a2)
        state[i, 1] = b2 * level - a2 * out
        state[i, 0] = b1 * level - a1 * out + state[i, 1]
        level = out
    return state


HIGH_PASS_HZ = 30.0
"""Best published balance against heartbeat on trunk muscles (Drake and Callaghan 2006,
J Electromyogr Kinesiol, 10.1016/j.jelekin.2005.07.003); the same on every channel."""

LOW_PASS_HZ = 450.0
LOW_PASS_SHARE_OF_RATE = 0.45
"""Slow channels have no band up to 450 Hz; they are cut just below their Nyquist frequency."""

FILTER_ORDER = 4
SETTLING_S = 0.05
"""After a restart the high-pass needs this long before its output is counted."""

LONGEST_BRIDGED_S = 0.003
"""The filter runs on across this much missing signal; after more it starts anew."""


@dataclass(frozen=True, slots=True)
class BandPassCoefficients:
    """What follows from the rate alone."""

    sos: NDArray[np.float64]
    """Shape (n_sections, 6)."""
    step_state: NDArray[np.float64]
    """Shape (n_sections, 2)."""
    settling_samples: int
    bridged_samples: int


def has_emg_band(rate_hz: float) -> bool:
    """Whether a rate leaves room between the high-pass and the Nyquist frequency."""
    return min(LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE * rate_hz) > 2.0 * HIGH_PASS_HZ


def band_pass(rate_hz: float) -> BandPassCoefficients:
    """30 to 450 Hz, or to 0.45 of the rate where that is lower.

    Raises
    ------
    ValueError
        When the rate leaves no band above the high-pass.
    """
    if not has_emg_band(rate_hz):
        raise ValueError(f"a rate of {rate_hz} Hz leaves no EMG band above {HIGH_PASS_HZ} Hz")
    low_pass_hz = min(LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE * rate_hz)
    sos = np.concatenate(
        [
            butterworth_sos(FILTER_ORDER, HIGH_PASS_HZ, rate_hz, kind="high"),
            butterworth_sos(FILTER_ORDER, low_pass_hz, rate_hz, kind="low"),
        ]
    )
    return BandPassCoefficients(
        sos=sos,
        step_state=steady_state(sos),
        settling_samples=math.ceil(SETTLING_S * rate_hz),
        bridged_samples=math.floor(LONGEST_BRIDGED_S * rate_hz),
    )


@dataclass(slots=True)
class BandPassState:
    """What one sample leaves for the next."""

    zi: NDArray[np.float64]
    """Shape (n_channels, n_sections, 2)."""
    missing: NDArray[np.int64]
    """Shape (n_channels,): length of the missing run that the last sample ended in."""
    settling: NDArray[np.int64]
    """Shape (n_channels,): samples still to be withheld after a restart."""

    def copy(self) -> "BandPassState":
        """Independent copy, for a checkpoint."""
        return BandPassState(self.zi.copy(), self.missing.copy(), self.settling.copy())


class BandPass:
    """Band-pass of all channels of a stream; missing samples are NaN going in and coming out."""

    def __init__(self, *, n_channels: int, rate_hz: float) -> None:
        self.coefficients = band_pass(rate_hz)
        n_sections = len(self.coefficients.sos)
        # A missing run without end: the first sample starts the filter as if after a gap.
        self.state = BandPassState(
            zi=np.zeros((n_channels, n_sections, 2)),
            missing=np.full(n_channels, np.iinfo(np.int32).max, dtype=np.int64),
            settling=np.zeros(n_channels, dtype=np.int64),
        )

    def process(self, emg_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Filter in place.

        Parameters
        ----------
        emg_uv
            Shape (n_channels, n_samples), NaN where missing; overwritten.

        Returns
        -------
        ndarray
            The same array, filtered; NaN where a sample is missing or the filter was settling.
        """
        calm = not (self.state.missing.any() or self.state.settling.any())
        if calm and not np.isnan(emg_uv).any():
            sosfilt_inplace(self.coefficients.sos, emg_uv, self.state.zi)
            return emg_uv
        for channel in range(len(emg_uv)):
            self._process_channel(channel, emg_uv[channel])
        return emg_uv

    def _process_channel(self, channel: int, x: NDArray[np.float64]) -> None:
        for start, stop, missing in runs(np.isnan(x)):
            if missing:
                self.state.missing[channel] += stop - start
            else:
                self._process_run(channel, x[start:stop])

    def _process_run(self, channel: int, run: NDArray[np.float64]) -> None:
        state, coefficients = self.state, self.coefficients
        if state.missing[channel] > coefficients.bridged_samples:
            state.zi[channel] = coefficients.step_state * run[0]
            state.settling[channel] = coefficients.settling_samples
        state.missing[channel] = 0
        sosfilt_inplace(coefficients.sos, run[np.newaxis], state.zi[channel : channel + 1])
        withheld = min(int(state.settling[channel]), len(run))
        run[:withheld] = np.nan
        state.settling[channel] -= withheld

"""The stages of one stream in a row: sample blocks and gaps in, hops out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeHops, EnvelopeStage, EnvelopeState
from emgmon.dsp.orientation import OrientationHops, OrientationStage, OrientationState
from emgmon.dsp.pelvis_motion import PelvisMotionHops, PelvisMotionStage, PelvisMotionState
from emgmon.dsp.quality import QualityBlocks, QualityStage, QualityState
from emgmon.dsp.timeline import SampleClock, missing_pieces

MotionPipelineState = tuple[OrientationState, tuple[PelvisMotionState, int | None] | None]


@dataclass(frozen=True, slots=True, eq=False)
class EmgHops:
    """What one EMG stream tells of consecutive samples; the parts come with different delays."""

    envelope: EnvelopeHops
    quality: QualityBlocks
    first_sample: int
    """Of the cleaned samples, on the stream's own time line (see `time_line_sample`)."""
    clean_uv: NDArray[np.float64]
    """Shape (n_channels, n); NaN where missing."""


EmgPipelineState = tuple[EnvelopeState, QualityState]


def time_line_sample(clock: SampleClock, sample: int) -> int:
    """Count a sample from the zero of the session: a sensor that counts anew goes on where it was."""
    return sample - clock.anchor_sample + round(clock.anchor_s * clock.rate_hz)


class EmgPipeline:
    """Cleaning, envelope and quality of one EMG stream.

    Parameters
    ----------
    n_channels
        Channels of the stream.
    rate_hz
        Sample rate.
    envelope_channels
        For each channel whether it is rectified or smoothed already; empty when all are raw EMG.
    hum_hz
        For each channel the mains frequency that is taken out; empty for none.
    """

    def __init__(
        self,
        *,
        n_channels: int,
        rate_hz: float,
        envelope_channels: Sequence[bool] = (),
        hum_hz: Sequence[float | None] = (),
    ) -> None:
        self._n_channels, self._rate_hz = n_channels, rate_hz
        self._envelope = EnvelopeStage(
            n_channels=n_channels, rate_hz=rate_hz, envelope_channels=envelope_channels, hum_hz=hum_hz
        )
        self._quality = QualityStage(n_channels=n_channels, rate_hz=rate_hz)

    @property
    def state(self) -> EmgPipelineState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._envelope.state, self._quality.state

    @state.setter
    def state(self, state: EmgPipelineState) -> None:
        self._envelope.state, self._quality.state = state

    def process(self, emg_uv: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EmgHops:
        """Take samples, shape (n_channels, n), microvolt, overwritten."""
        raw_uv = emg_uv.copy()
        clean_uv = self._envelope.clean(emg_uv)
        return EmgHops(
            envelope=self._envelope.average(clean_uv, clock, first_sample),
            quality=self._quality.process(raw_uv, clean_uv, clock, first_sample),
            first_sample=time_line_sample(clock, first_sample),
            clean_uv=clean_uv,
        )

    def skip(self, n_samples: int, clock: SampleClock, first_sample: int) -> Iterator[EmgHops]:
        """Take a gap."""
        for piece in missing_pieces(n_samples, n_channels=self._n_channels, rate_hz=self._rate_hz):
            yield self.process(piece, clock, first_sample)
            first_sample += piece.shape[1]

    def finish(self) -> EnvelopeHops:
        """Give the hops that still wait for their neighbours."""
        return self._envelope.finish()


@dataclass(frozen=True, slots=True, eq=False)
class MotionHops:
    """What one IMU tells of consecutive hops; the two parts come with different delays."""

    orientation: OrientationHops
    height: PelvisMotionHops | None
    """``None`` where the height is not followed."""


class MotionPipeline:
    """Orientation of one IMU, and where it is asked for the height of where it sits.

    Parameters
    ----------
    rate_hz
        Sample rate.
    n_axes
        6 with a gyroscope, 3 without; height needs 6.
    follow_height
        Whether height is asked for.
    """

    def __init__(self, *, rate_hz: float, n_axes: int = 6, follow_height: bool = True) -> None:
        self._rate_hz, self._n_axes = rate_hz, n_axes
        self._orientation = OrientationStage(rate_hz=rate_hz, n_axes=n_axes)
        self._height = PelvisMotionStage() if follow_height and n_axes == 6 else None

    @property
    def state(self) -> MotionPipelineState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._orientation.state, None if self._height is None else self._height.state

    @state.setter
    def state(self, state: MotionPipelineState) -> None:
        self._orientation.state, height = state
        if self._height is not None and height is not None:
            self._height.state = height

    def process(self, imu: NDArray[np.float64], clock: SampleClock, first_sample: int) -> MotionHops:
        """Take samples, shape (n_axes, n): acceleration in m/s², angular rate in rad/s."""
        hops = self._orientation.process(imu, clock, first_sample)
        return MotionHops(hops, None if self._height is None else self._height.process(hops))

    def skip(self, n_samples: int, clock: SampleClock, first_sample: int) -> Iterator[MotionHops]:
        """Take a gap."""
        for piece in missing_pieces(n_samples, n_channels=self._n_axes, rate_hz=self._rate_hz):
            yield self.process(piece, clock, first_sample)
            first_sample += piece.shape[1]

    def finish(self) -> PelvisMotionHops | None:
        """Give the hops of the height that still wait for those after them."""
        return None if self._height is None else self._height.finish()

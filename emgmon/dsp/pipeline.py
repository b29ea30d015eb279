"""The stages of one stream in a row: sample blocks and gaps in, hops out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeHops, EnvelopeStage, EnvelopeState
from emgmon.dsp.orientation import OrientationHops, OrientationStage, OrientationState
from emgmon.dsp.pelvis_motion import PelvisMotionHops, PelvisMotionStage, PelvisMotionState
from emgmon.dsp.timeline import SampleClock, missing_pieces

MotionPipelineState = tuple[OrientationState, tuple[PelvisMotionState, int | None] | None]


class EmgPipeline:
    """Cleaning and envelope of one EMG stream."""

    def __init__(self, *, n_channels: int, rate_hz: float) -> None:
        self._n_channels, self._rate_hz = n_channels, rate_hz
        self._envelope = EnvelopeStage(n_channels=n_channels, rate_hz=rate_hz)

    @property
    def state(self) -> EnvelopeState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._envelope.state

    @state.setter
    def state(self, state: EnvelopeState) -> None:
        self._envelope.state = state

    def process(self, emg_uv: NDArray[np.float64], clock: SampleClock, first_sample: int) -> EnvelopeHops:
        """Take samples, shape (n_channels, n), microvolt, overwritten."""
        return self._envelope.process(emg_uv, clock, first_sample)

    def skip(self, n_samples: int, clock: SampleClock, first_sample: int) -> Iterator[EnvelopeHops]:
        """Take a gap."""
        for piece in missing_pieces(n_samples, n_channels=self._n_channels, rate_hz=self._rate_hz):
            yield self._envelope.process(piece, clock, first_sample)
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

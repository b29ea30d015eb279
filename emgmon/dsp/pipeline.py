"""The stages of one stream in a row: sample blocks and gaps in, hops out."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.envelope import EnvelopeHops, EnvelopeStage, EnvelopeState
from emgmon.dsp.orientation import OrientationState, VerticalStage
from emgmon.dsp.pelvis_motion import PelvisMotionHops, PelvisMotionStage, PelvisMotionState
from emgmon.dsp.timeline import SampleClock, missing_pieces


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


class PelvisPipeline:
    """Orientation and vertical motion of one six-axis IMU on the pelvis."""

    def __init__(self, *, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._vertical = VerticalStage(rate_hz=rate_hz)
        self._motion = PelvisMotionStage()

    @property
    def state(self) -> tuple[OrientationState, tuple[PelvisMotionState, int | None]]:
        """All that the past leaves to the future; a copy, and settable."""
        return self._vertical.state, self._motion.state

    @state.setter
    def state(self, state: tuple[OrientationState, tuple[PelvisMotionState, int | None]]) -> None:
        self._vertical.state, self._motion.state = state

    def process(self, imu: NDArray[np.float64], clock: SampleClock, first_sample: int) -> PelvisMotionHops:
        """Take samples, shape (6, n): acceleration in m/s², angular rate in rad/s."""
        return self._motion.process(self._vertical.process(imu, clock, first_sample))

    def skip(self, n_samples: int, clock: SampleClock, first_sample: int) -> Iterator[PelvisMotionHops]:
        """Take a gap."""
        for piece in missing_pieces(n_samples, n_channels=6, rate_hz=self._rate_hz):
            yield self.process(piece, clock, first_sample)
            first_sample += piece.shape[1]

    def finish(self) -> PelvisMotionHops:
        """Give the hops that still wait for those after them."""
        return self._motion.finish()

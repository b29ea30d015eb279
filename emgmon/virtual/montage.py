"""What the virtual sensor says about itself: four EMG channels, and an inertial sensor for each site worn."""

from dataclasses import replace

from emgmon.virtual.body import Segment
from emgmon.virtual.chance import generator
from emgmon.virtual.emg import EMG_SCALE_UV, channel_models
from emgmon.virtual.inertial import ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS
from emgmon.virtual.motion import worn_segments
from emgmon.virtual.params import AthleteParams
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.packets import PROTOCOL_MINOR, SampleFormat

SENSOR_NAME = "emgmon virtual athlete"
"""Name that the sensor advertises."""

EMG_STREAM = 1
"""Number of the EMG stream."""

RING_MS = 15_000
"""How far back a live virtual sensor can send again; a recording that nobody sent has nothing to ask for."""

IMU_STREAMS = {"pelvis": 2, "lumbar": 3, "thigh": 4}
"""Number of the inertial stream of each site."""


def describe(params: AthleteParams) -> Capabilities:
    """Give the capabilities of the sensor that this athlete wears."""
    emg = (_emg_stream(params),) if params.emg else ()
    return Capabilities(
        version_minor=0,
        boot_id=int(generator(params.seed, "boot").integers(1, 2**32)),
        name=SENSOR_NAME,
        ring_ms=0,
        streams=emg + tuple(_imu_stream(params, segment) for segment in worn_segments(params)),
    )


def as_live(capabilities: Capabilities) -> Capabilities:
    """Describe the same sensor as one that is there: of the newest version, and with a ring."""
    return replace(capabilities, version_minor=PROTOCOL_MINOR, ring_ms=RING_MS)


def _emg_stream(params: AthleteParams) -> Stream:
    channels = tuple(
        Channel(
            quantity=Quantity.EMG,
            site=model.site,
            side=model.side,
            axis=None,
            unit=Unit.MICROVOLT,
            scale=EMG_SCALE_UV,
        )
        for model in channel_models(params)
    )
    return Stream(EMG_STREAM, StreamKind.EMG, SampleFormat.INT16, params.emg_rate_hz, channels)


def _imu_stream(params: AthleteParams, segment: Segment) -> Stream:
    quantities = (
        (Quantity.ACCELERATION, Unit.METRE_PER_SECOND_SQUARED, ACCELERATION_SCALE_MPS2),
        (Quantity.ANGULAR_RATE, Unit.RADIAN_PER_SECOND, ANGULAR_RATE_SCALE_RADPS),
    )
    channels = tuple(
        Channel(quantity=quantity, site=segment.site, side=segment.side, axis=axis, unit=unit, scale=scale)
        for quantity, unit, scale in quantities[: params.imu_axes // 3]
        for axis in ("x", "y", "z")
    )
    number = IMU_STREAMS[segment.site]
    return Stream(number, StreamKind.IMU, SampleFormat.INT16, params.imu_rate_hz, channels)

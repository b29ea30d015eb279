"""What the virtual sensor says about itself: four EMG channels and the pelvis's inertial sensor."""

from emgmon.virtual.chance import generator
from emgmon.virtual.emg import EMG_SCALE_UV, channel_models
from emgmon.virtual.inertial import ACCELERATION_SCALE_MPS2, ANGULAR_RATE_SCALE_RADPS
from emgmon.virtual.params import AthleteParams
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.packets import SampleFormat

SENSOR_NAME = "emgmon virtual athlete"
"""Name that the sensor advertises."""

EMG_STREAM = 1
"""Number of the EMG stream."""

IMU_STREAM = 2
"""Number of the inertial stream."""


def describe(params: AthleteParams) -> Capabilities:
    """Give the capabilities of the sensor that this athlete wears."""
    return Capabilities(
        version_minor=0,
        boot_id=int(generator(params.seed, "boot").integers(1, 2**32)),
        name=SENSOR_NAME,
        ring_ms=0,
        streams=(_emg_stream(params), _imu_stream(params)),
    )


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


def _imu_stream(params: AthleteParams) -> Stream:
    quantities = (
        (Quantity.ACCELERATION, Unit.METRE_PER_SECOND_SQUARED, ACCELERATION_SCALE_MPS2),
        (Quantity.ANGULAR_RATE, Unit.RADIAN_PER_SECOND, ANGULAR_RATE_SCALE_RADPS),
    )
    channels = tuple(
        Channel(quantity=quantity, site="pelvis", side=None, axis=axis, unit=unit, scale=scale)
        for quantity, unit, scale in quantities
        for axis in ("x", "y", "z")
    )
    return Stream(IMU_STREAM, StreamKind.IMU, SampleFormat.INT16, params.imu_rate_hz, channels)

"""What the vectors are made of: two sensors, one START, and packets put together field by field."""

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Started, StreamStart
from firmware_protocol.packets import PROTOCOL_MINOR, DataPacket, PacketFlag, Sample, SampleFormat

NO_FLAGS = PacketFlag(0)


def example_sensor() -> Capabilities:
    """Describe a belt with two EMG channels, a pelvis IMU, a 24-bit channel and a float32 channel."""
    emg = tuple(
        Channel(Quantity.EMG, site, side, None, Unit.MICROVOLT, 0.25)
        for site, side in (("gluteus_maximus", "left"), ("erector_spinae", "right"))
    )
    motion = tuple(
        Channel(quantity, "pelvis", None, axis, unit, scale)
        for quantity, unit, scale in (
            (Quantity.ACCELERATION, Unit.METRE_PER_SECOND_SQUARED, 9.80665 / 2048),
            (Quantity.ANGULAR_RATE, Unit.RADIAN_PER_SECOND, 0.001),
        )
        for axis in "xyz"
    )
    fine = Channel(Quantity.EMG, "biceps_femoris", None, None, Unit.MICROVOLT, 0.02)
    plain = Channel(Quantity.EMG, "multifidus", "left", None, Unit.MICROVOLT, 1.0)
    return Capabilities(
        version_minor=PROTOCOL_MINOR,
        boot_id=0xDEADBEEF,
        name="emgmon Gürtel",
        ring_ms=15_000,
        streams=(
            Stream(1, StreamKind.EMG, SampleFormat.INT16, 2000.0, emg),
            Stream(2, StreamKind.IMU, SampleFormat.INT16, 104.166667, motion),
            Stream(3, StreamKind.EMG, SampleFormat.INT24, 1000.0, (fine,)),
            Stream(200, StreamKind.EMG, SampleFormat.FLOAT32, 1000.0, (plain,)),
        ),
    )


def envelope_sensor() -> Capabilities:
    """Describe a 1.0 armband that sends one muscle raw and one as an envelope, on one sample clock."""
    raw = Channel(Quantity.EMG, "gluteus_maximus", "right", None, Unit.MICROVOLT, 0.5)
    envelope = Channel(Quantity.ENVELOPE, "erector_spinae", "right", None, Unit.MICROVOLT, 0.125)
    stream = Stream(7, StreamKind.EMG, SampleFormat.INT16, 1000.0, (raw, envelope))
    return Capabilities(
        version_minor=0, boot_id=0x01020304, name="emgmon Hülle", ring_ms=0, streams=(stream,)
    )


def example_start() -> Started:
    """Begin the first two streams of the example sensor."""
    return Started(0x01020304, 500_000, (StreamStart(1, 1000, 500_000), StreamStart(2, 50, 500_000)))


def packet(
    values: list[list[float]],
    *,
    stream: int = 1,
    sequence: int = 0,
    first_sample: int = 0,
    time_us: int = 0,
    sample_format: SampleFormat = SampleFormat.INT16,
    flags: PacketFlag = NO_FLAGS,
) -> bytes:
    """Encode one packet."""
    dtype = (np.int16, np.int32, np.float32)[sample_format]
    samples: NDArray[Sample] = np.array(values, dtype)
    return DataPacket(stream, sequence, first_sample, time_us, sample_format, flags, samples).to_bytes()

"""Data packets, encoded and decoded side by side: one packet is what one notification carries."""

import enum
import struct
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.errors import HostFault, SensorFault

PROTOCOL_MAJOR = 1
"""The only major version this room reads and writes (SPEC 3.1)."""
PROTOCOL_MINOR = 1
"""The newest minor version whose meaning this room knows."""
HEADER_SIZE = 16
MAX_SAMPLES_PER_PACKET = 255
SEQUENCE_MODULUS = 1 << 16
SAMPLE_MODULUS = 1 << 32
TIME_MODULUS = 1 << 48

Sample: TypeAlias = np.int16 | np.int32 | np.float32
"""Element type of decoded samples: int16 for INT16, int32 for INT24, float32 for FLOAT32."""

HEADER_DTYPE = np.dtype(
    [
        ("version_format", "u1"),
        ("stream", "u1"),
        ("sequence", "<u2"),
        ("first_sample", "<u4"),
        ("time_low", "<u4"),
        ("time_high", "<u2"),
        ("n_samples", "u1"),
        ("flags", "u1"),
    ]
)
"""The header of SPEC 4.1 as columns; the 48-bit time comes as its low 32 and its high 16 bits."""

_HEADER = struct.Struct("<BBHIIHBB")


class SampleFormat(enum.IntEnum):
    """How one sample of one channel is written (SPEC 4.2)."""

    INT16 = 0
    INT24 = 1
    FLOAT32 = 2

    @property
    def width(self) -> int:
        """Bytes of one sample of one channel."""
        return (2, 3, 4)[self]


class PacketFlag(enum.IntFlag):
    """What else is true of the samples of a packet (SPEC 4.8)."""

    RETRANSMITTED = 1
    """A RESEND asked for these samples."""
    GAP_BEFORE = 2
    """The sensor itself lost samples right before the first of this packet."""
    SATURATED = 4
    """At least one sample lies at the end of the converter's range."""
    LEAD_OFF = 8
    """At least one electrode had no contact for some of these samples."""
    TIME_DISCONTINUITY = 16
    """The sensor's clock was set right before the first sample of this packet."""


KNOWN_FLAGS = PacketFlag(0x1F)
"""Bits that this version gives a meaning; a host ignores the others (SPEC 4.8)."""
BOUNDARY_FLAGS = PacketFlag.GAP_BEFORE | PacketFlag.TIME_DISCONTINUITY
"""Flags that speak of the moment before the first sample, not of all the samples."""


@dataclass(frozen=True, slots=True)
class PacketHeader:
    """The 16 bytes before the samples (SPEC 4.1), as sent: no counter is unwrapped, no field judged."""

    major: int
    format_code: int
    stream: int
    sequence: int
    first_sample: int
    time_us: int
    n_samples: int
    flags: int

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Self:
        """Read the header; raises SensorFault when fewer than 16 bytes came."""
        if len(data) < HEADER_SIZE:
            raise SensorFault(f"{len(data)} bytes are fewer than the {HEADER_SIZE} of a header", clause="4.1")
        version, stream, sequence, first, low, high, n_samples, flags = _HEADER.unpack_from(data)
        return cls(version >> 4, version & 15, stream, sequence, first, high << 32 | low, n_samples, flags)


@dataclass(frozen=True, slots=True, eq=False)
class DataPacket:
    """Consecutive samples of one stream, as one notification carries them.

    The counters wrap: they are reduced modulo their width when the packet is written.
    """

    stream: int
    sequence: int
    first_sample: int
    time_us: int
    """Device time of the first sample, microseconds."""
    sample_format: SampleFormat
    flags: PacketFlag
    values: NDArray[Sample]
    """Shape (n_samples, n_channels), raw counts; see :data:`Sample`."""

    def to_bytes(self) -> bytes:
        """Write the packet; raises HostFault for what the specification does not allow."""
        n_samples, _ = _shape(self.values)
        if not 1 <= n_samples <= MAX_SAMPLES_PER_PACKET:
            raise HostFault(f"a packet carries 1 to 255 samples, not {n_samples}", clause="4.7")
        _check_stream_and_flags(self.stream, self.flags)
        time_us = self.time_us % TIME_MODULUS
        header = _HEADER.pack(
            PROTOCOL_MAJOR << 4 | self.sample_format,
            self.stream,
            self.sequence % SEQUENCE_MODULUS,
            self.first_sample % SAMPLE_MODULUS,
            time_us & 0xFFFFFFFF,
            time_us >> 32,
            n_samples,
            self.flags,
        )
        return header + encode_samples(self.values, self.sample_format).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, *, n_channels: int) -> Self:
        """Read one packet on its own; raises SensorFault with the clause that the bytes break."""
        header = PacketHeader.from_bytes(data)
        sample_format = check_header(header, n_bytes=len(data), n_channels=n_channels)
        raw = np.frombuffer(data, np.uint8, offset=HEADER_SIZE).copy()
        return cls(
            stream=header.stream,
            sequence=header.sequence,
            first_sample=header.first_sample,
            time_us=header.time_us,
            sample_format=sample_format,
            flags=PacketFlag(header.flags) & KNOWN_FLAGS,
            values=decode_samples(raw, sample_format, n_channels=n_channels),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PackedNotifications:
    """Many packets of one stream as columns; packet *i* is ``data[offsets[i]:offsets[i + 1]]``."""

    data: NDArray[np.uint8]
    """All packets, one behind the other."""
    offsets: NDArray[np.int64]
    """Shape (n + 1,)."""
    first_samples: NDArray[np.int64]
    """Shape (n,), number of the first sample of each packet, not wrapped."""
    n_samples: NDArray[np.int64]
    """Shape (n,)."""


def check_header(header: PacketHeader, *, n_bytes: int, n_channels: int) -> SampleFormat:
    """Judge what a packet says about itself; the format of its samples when all is well.

    Raises
    ------
    SensorFault
        For another major version, an unknown format, no samples, or a length that does not fit.
    """
    if header.major != PROTOCOL_MAJOR:
        raise SensorFault(f"protocol version {header.major} is not {PROTOCOL_MAJOR}", clause="3.2")
    if header.format_code not in (0, 1, 2):
        raise SensorFault(f"sample format {header.format_code} is not defined", clause="4.2")
    if header.n_samples == 0:
        raise SensorFault(f"a packet of stream {header.stream} carries 0 samples", clause="4.7")
    sample_format = SampleFormat(header.format_code)
    expected = HEADER_SIZE + header.n_samples * n_channels * sample_format.width
    if n_bytes != expected:
        raise SensorFault(
            f"{n_bytes} bytes came where {header.n_samples} samples of {n_channels} channels in"
            f" {sample_format.name} take {expected}",
            clause="4.10",
        )
    return sample_format


def decode_samples(
    raw: NDArray[np.uint8], sample_format: SampleFormat, *, n_channels: int
) -> NDArray[Sample]:
    """Read samples without their header.

    Parameters
    ----------
    raw
        Shape (n_samples * n_channels * width,), contiguous and writable; the result may share its memory.

    Returns
    -------
    ndarray
        Shape (n_samples, n_channels); 24-bit samples are sign-extended, float32 keeps its NaN bits,
        an infinity becomes NaN (SPEC 4.12).
    """
    if sample_format is SampleFormat.INT24:
        widened = np.zeros((len(raw) // 3, 4), np.uint8)
        widened[:, 1:] = raw.reshape(-1, 3)
        # The sample sits in the upper three bytes, so the shift back extends its sign.
        return (widened.view("<i4")[:, 0].astype(np.int32, copy=False) >> 8).reshape(-1, n_channels)
    if sample_format is SampleFormat.INT16:
        return raw.view("<i2").astype(np.int16, copy=False).reshape(-1, n_channels)
    floats = raw.view("<f4").astype(np.float32, copy=False).reshape(-1, n_channels)
    floats[np.isinf(floats)] = np.nan
    return floats


def encode_samples(values: NDArray[Any], sample_format: SampleFormat) -> NDArray[np.uint8]:
    """Write samples without their header.

    Parameters
    ----------
    values
        Shape (n_samples, n_channels). Integers for INT16 and INT24, any real number for FLOAT32.

    Returns
    -------
    ndarray
        Shape (n_samples, n_channels * width).

    Raises
    ------
    HostFault
        When a value does not fit the format.
    """
    n_samples, n_channels = _shape(values)
    if sample_format is SampleFormat.FLOAT32:
        # A number beyond float32 becomes an infinity, which a host reads as missing.
        with np.errstate(over="ignore"):
            floats = np.ascontiguousarray(values, "<f4")
        return floats.view(np.uint8).reshape(n_samples, n_channels * 4)
    _check_range(values, sample_format)
    if sample_format is SampleFormat.INT16:
        return np.ascontiguousarray(values, "<i2").view(np.uint8).reshape(n_samples, n_channels * 2)
    widened = np.ascontiguousarray(values, "<i4").view(np.uint8).reshape(n_samples, n_channels, 4)
    return widened[:, :, :3].reshape(n_samples, n_channels * 3)


def samples_per_packet(*, payload_size: int, n_channels: int, sample_format: SampleFormat) -> int:
    """How many samples fit in one notification.

    Parameters
    ----------
    payload_size
        Bytes that one notification can carry: ATT_MTU - 3 (SPEC 2.6).

    Raises
    ------
    HostFault
        When not even one sample fits.
    """
    n_samples = (payload_size - HEADER_SIZE) // (n_channels * sample_format.width)
    if n_samples < 1:
        raise HostFault(
            f"a notification of {payload_size} bytes cannot carry one sample of {n_channels} channels"
            f" in {sample_format.name}",
            clause="2.6",
        )
    return min(n_samples, MAX_SAMPLES_PER_PACKET)


def sample_time_us(sample: int, *, rate_hz: float) -> int:
    """Time of a sample after sample 0 of its stream, to the nearest microsecond (SPEC 5.3)."""
    return round(sample * 1e6 / rate_hz)


def pack_stream(
    values: NDArray[Any],
    *,
    stream: int,
    sample_format: SampleFormat,
    rate_hz: float,
    first_sample: int = 0,
    first_sequence: int = 0,
    time_us_of_sample_zero: int = 0,
    times_us: NDArray[np.int64] | None = None,
    samples_per_packet: int,
    flags: PacketFlag = PacketFlag(0),  # noqa: B008 - a constant
) -> PackedNotifications:
    """Write a contiguous stretch of samples as packets; byte for byte what DataPacket writes.

    Parameters
    ----------
    values
        Shape (n_samples, n_channels), raw counts.
    rate_hz
        Turns sample numbers into device times.
    first_sample, first_sequence
        Counters of the first packet; they may lie beyond their width and wrap on the way.
    time_us_of_sample_zero
        Device time of sample number 0 (not of ``first_sample``), microseconds.
    times_us
        Shape (n_samples,), device time of every sample; used instead of rate and sample zero.
    samples_per_packet
        1 to 255; the last packet carries what is left.

    Raises
    ------
    HostFault
        When a value or a field does not fit.
    """
    if not 1 <= samples_per_packet <= MAX_SAMPLES_PER_PACKET:
        raise HostFault(f"a packet carries 1 to 255 samples, not {samples_per_packet}", clause="4.7")
    _check_stream_and_flags(stream, flags)
    payload = encode_samples(values, sample_format)
    starts = np.arange(0, len(values), samples_per_packet, dtype=np.int64)
    counters = first_sample + starts
    headers = np.empty(len(starts), HEADER_DTYPE)
    headers["version_format"] = PROTOCOL_MAJOR << 4 | sample_format
    headers["stream"] = stream
    headers["sequence"] = (first_sequence + np.arange(len(starts))) % SEQUENCE_MODULUS
    headers["first_sample"] = counters % SAMPLE_MODULUS
    headers["n_samples"] = np.minimum(samples_per_packet, len(values) - starts)
    headers["flags"] = flags
    if times_us is None:
        _set_times(headers, time_us_of_sample_zero + np.rint(counters * 1e6 / rate_hz).astype(np.int64))
    else:
        _set_times(headers, np.asarray(times_us, np.int64)[starts])
    return _join(headers, payload, counters)


def _set_times(headers: NDArray[np.void], times_us: NDArray[np.int64]) -> None:
    headers["time_low"] = times_us & 0xFFFFFFFF
    headers["time_high"] = (times_us >> 32) & 0xFFFF


def _join(
    headers: NDArray[np.void], payload: NDArray[np.uint8], counters: NDArray[np.int64]
) -> PackedNotifications:
    """Put each header before its samples; all packets but the last are of one size."""
    n_packets, row_bytes = len(headers), payload.shape[1]
    n_samples = headers["n_samples"].astype(np.int64)
    offsets = np.zeros(n_packets + 1, np.int64)
    np.cumsum(HEADER_SIZE + n_samples * row_bytes, out=offsets[1:])
    data = np.empty(offsets[-1], np.uint8)
    header_bytes = headers.view(np.uint8).reshape(n_packets, HEADER_SIZE)
    n_full = max(n_packets - 1, 0)
    if n_full:
        packets = data[: offsets[n_full]].reshape(n_full, -1)
        packets[:, :HEADER_SIZE] = header_bytes[:-1]
        packets[:, HEADER_SIZE:] = payload[: n_full * n_samples[0]].reshape(n_full, -1)
    if n_packets:
        data[offsets[n_full] : offsets[n_full] + HEADER_SIZE] = header_bytes[-1]
        data[offsets[n_full] + HEADER_SIZE :] = payload[len(payload) - n_samples[-1] :].ravel()
    return PackedNotifications(data, offsets, counters, n_samples)


def _shape(values: NDArray[Any]) -> tuple[int, int]:
    if values.ndim != 2 or values.shape[1] < 1:
        raise HostFault(f"samples need the shape (n_samples, n_channels), not {values.shape}", clause="4.9")
    return values.shape[0], values.shape[1]


def _check_stream_and_flags(stream: int, flags: PacketFlag) -> None:
    if not 0 <= stream <= 255:
        raise HostFault(f"stream {stream} is not one of 0 to 255", clause="4.3")
    if int(flags) & ~int(KNOWN_FLAGS):
        raise HostFault(f"flags 0x{int(flags):02x} use reserved bits", clause="4.8")


def _check_range(values: NDArray[Any], sample_format: SampleFormat) -> None:
    """Refuse counts that the width cannot hold; nothing is rounded or clipped on the quiet."""
    if not np.issubdtype(values.dtype, np.integer):
        raise HostFault(f"{sample_format.name} carries integers, not {values.dtype}", clause="4.11")
    limit = 1 << (8 * sample_format.width - 1)
    lowest, highest = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if lowest < -limit or highest >= limit:
        worst = lowest if lowest < -limit else highest
        raise HostFault(f"count {worst} does not fit in {sample_format.name}", clause="4.11")

"""What a sensor says about itself, as records of type, length and value; unknown types are skipped."""

import enum
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np

from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.packets import PROTOCOL_MAJOR, SampleFormat

MAX_RATE_HZ = 1e6
MAX_CHANNELS = 255
MAX_DESCRIPTION_SIZE = 0xFFFF

SITE = re.compile(r"[a-z][a-z0-9_]{0,30}")
SIDES = (None, "left", "right")
_AXES = (None, "x", "y", "z")
_STREAM = struct.Struct("<BBBBQ")
_CHANNEL = struct.Struct("<BBBBBfB")
_U32 = struct.Struct("<I")


class RecordType(enum.IntEnum):
    """First byte of a record (SPEC 7.3)."""

    PROTOCOL = 0x01
    BOOT_ID = 0x02
    NAME = 0x03
    RING_MS = 0x04
    STREAM = 0x10
    CHANNEL = 0x11


class Quantity(enum.IntEnum):
    """What a channel measures (SPEC 7.9)."""

    EMG = 1
    ACCELERATION = 2
    ANGULAR_RATE = 3
    ENVELOPE = 4
    """EMG that the sensor rectified or smoothed: an amplitude, without a spectrum of its own."""

    @property
    def is_emg(self) -> bool:
        """Whether it belongs in an EMG stream: raw EMG or its envelope."""
        return self in (Quantity.EMG, Quantity.ENVELOPE)


class Unit(enum.IntEnum):
    """Unit of count times scale (SPEC 7.9)."""

    MICROVOLT = 1
    METRE_PER_SECOND_SQUARED = 2
    RADIAN_PER_SECOND = 3


class StreamKind(enum.IntEnum):
    """What the channels of a stream have in common (SPEC 7.8)."""

    EMG = 1
    IMU = 2


_UNIT_OF = {
    Quantity.EMG: Unit.MICROVOLT,
    Quantity.ENVELOPE: Unit.MICROVOLT,
    Quantity.ACCELERATION: Unit.METRE_PER_SECOND_SQUARED,
    Quantity.ANGULAR_RATE: Unit.RADIAN_PER_SECOND,
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One column of a stream; raises HostFault when it contradicts itself."""

    quantity: Quantity
    site: str
    """Where on the body: lower-case ASCII words joined by ``_``, at most 31 characters."""
    side: str | None
    """``left``, ``right`` or None."""
    axis: str | None
    """``x``, ``y`` or ``z``; None for EMG and its envelope."""
    unit: Unit
    scale: float
    """Physical value of one count, in ``unit``; rounded to the float32 that is sent."""

    def __post_init__(self) -> None:
        """Hold the rules of SPEC 7.9 and 7.10."""
        with np.errstate(over="ignore"):
            object.__setattr__(self, "scale", float(np.float32(self.scale)))
        if not SITE.fullmatch(self.site):
            raise HostFault(
                f"site {self.site!r} is not a lower-case word of 1 to 31 characters", clause="7.10"
            )
        if self.side not in SIDES:
            raise HostFault(f"side {self.side!r} is not left, right or none", clause="7.9")
        if self.axis not in _AXES or (self.axis is None) != self.quantity.is_emg:
            raise HostFault(f"axis {self.axis!r} does not suit {self.quantity.name}", clause="7.9")
        if self.unit is not _UNIT_OF[self.quantity]:
            raise HostFault(f"{self.quantity.name} is not measured in {self.unit.name}", clause="7.9")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise HostFault(f"scale {self.scale} is not a positive number", clause="7.9")


@dataclass(frozen=True, slots=True)
class Stream:
    """One sample clock with its channels; raises HostFault when it contradicts itself."""

    number: int
    kind: StreamKind
    sample_format: SampleFormat
    rate_hz: float
    """Samples per second; rounded to the microhertz that is sent."""
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        """Hold the rules of SPEC 7.8."""
        if not 0 <= self.number <= 255:
            raise HostFault(f"stream {self.number} is not one of 0 to 255", clause="7.8")
        if not 1e-6 <= self.rate_hz <= MAX_RATE_HZ:
            raise HostFault(
                f"rate {self.rate_hz} Hz is not above 0 and at most {MAX_RATE_HZ:g}", clause="7.8"
            )
        object.__setattr__(self, "rate_hz", round(self.rate_hz * 1e6) / 1e6)
        if not 1 <= len(self.channels) <= MAX_CHANNELS:
            raise HostFault(
                f"stream {self.number} has {len(self.channels)} channels, not 1 to 255", clause="7.8"
            )
        for channel in self.channels:
            if channel.quantity.is_emg != (self.kind is StreamKind.EMG):
                raise HostFault(
                    f"an {self.kind.name} stream has no {channel.quantity.name} channel", clause="7.8"
                )

    @property
    def sample_size(self) -> int:
        """Bytes of one sample of all channels."""
        return len(self.channels) * self.sample_format.width


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The whole description (SPEC 7); raises HostFault when it contradicts itself."""

    version_minor: int
    boot_id: int
    """Drawn anew at every start of the sensor, 32 bits: another number, other counters."""
    name: str
    ring_ms: int
    """How far back the sensor can send again, milliseconds; 0 without a ring, as in version 1.0."""
    streams: tuple[Stream, ...]

    def __post_init__(self) -> None:
        """Hold the rules of SPEC 7.4 to 7.8."""
        if not 0 <= self.version_minor <= 255:
            raise HostFault(f"minor version {self.version_minor} is not one of 0 to 255", clause="7.4")
        if not 0 <= self.boot_id < 1 << 32:
            raise HostFault(f"boot id {self.boot_id} does not fit in 32 bits", clause="7.5")
        if not (1 <= len(self.name.encode(errors="replace")) <= 255 and self.name.isprintable()):
            raise HostFault(f"name {self.name!r} is not 1 to 255 bytes of printable text", clause="7.6")
        if not 0 <= self.ring_ms < 1 << 32:
            raise HostFault(f"ring of {self.ring_ms} ms does not fit in 32 bits", clause="7.7")
        numbers = [stream.number for stream in self.streams]
        if not numbers or len(set(numbers)) != len(numbers):
            raise HostFault(f"stream numbers {numbers} are not at least one, each once", clause="7.8")

    def stream(self, number: int) -> Stream | None:
        """Find a stream by its number."""
        return next((stream for stream in self.streams if stream.number == number), None)

    def to_bytes(self) -> bytes:
        """Write the description; raises HostFault when it exceeds 65,535 bytes."""
        records = [
            _record(RecordType.PROTOCOL, bytes((PROTOCOL_MAJOR, self.version_minor))),
            _record(RecordType.BOOT_ID, _U32.pack(self.boot_id)),
            _record(RecordType.NAME, self.name.encode()),
            _record(RecordType.RING_MS, _U32.pack(self.ring_ms)),
        ]
        for stream in self.streams:
            records.append(_record(RecordType.STREAM, _stream_value(stream)))
            records += (
                _record(RecordType.CHANNEL, _channel_value(stream, channel)) for channel in stream.channels
            )
        description = b"".join(records)
        if len(description) > MAX_DESCRIPTION_SIZE:
            raise HostFault(f"{len(description)} bytes of description exceed 65535", clause="7.1")
        return description

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a description; raises SensorFault with the clause that it breaks."""
        records = list(_records(bytes(data)))
        try:
            return cls(
                version_minor=_minor_version(records),
                boot_id=_u32(_single(records, RecordType.BOOT_ID, size=4, clause="7.5")),
                name=_text(_single(records, RecordType.NAME, size=1, clause="7.6"), clause="7.6"),
                ring_ms=_u32(_single(records, RecordType.RING_MS, size=4, clause="7.7")),
                streams=tuple(_read_streams(records)),
            )
        except HostFault as fault:
            # The values were the sensor's, so the fault is the sensor's too.
            raise SensorFault(str(fault), clause=fault.clause) from None


@dataclass(frozen=True, slots=True)
class _Record:
    record_type: int
    value: bytes


def _records(data: bytes) -> Iterator[_Record]:
    position = 0
    while position < len(data):
        start = position + 2
        if start > len(data) or start + data[position + 1] > len(data):
            raise SensorFault(
                f"the record at byte {position} runs beyond the end at {len(data)}", clause="7.1"
            )
        yield _Record(data[position], data[start : start + data[position + 1]])
        position = start + data[position + 1]


def _single(records: list[_Record], record_type: RecordType, *, size: int, clause: str) -> bytes:
    """Value of the one record of this type; more bytes than known are a later version's."""
    values = [record.value for record in records if record.record_type == record_type]
    if len(values) != 1:
        raise SensorFault(f"{len(values)} records {record_type.name} came, not 1", clause="7.3")
    return _at_least(values[0], record_type, size=size, clause=clause)


def _at_least(value: bytes, record_type: RecordType, *, size: int, clause: str) -> bytes:
    if len(value) < size:
        raise SensorFault(
            f"{len(value)} bytes are fewer than the {size} of {record_type.name}", clause=clause
        )
    return value


def _minor_version(records: list[_Record]) -> int:
    if not records or records[0].record_type != RecordType.PROTOCOL:
        raise SensorFault("the description does not begin with its protocol version", clause="7.4")
    major, minor = _single(records, RecordType.PROTOCOL, size=2, clause="7.4")[:2]
    if major != PROTOCOL_MAJOR:
        raise SensorFault(f"protocol version {major} is not {PROTOCOL_MAJOR}", clause="3.2")
    return minor


def _read_streams(records: list[_Record]) -> Iterator[Stream]:
    channels: dict[int, list[Channel]] = {}
    for record in records:
        if record.record_type == RecordType.CHANNEL:
            number, channel = _read_channel(record.value)
            channels.setdefault(number, []).append(channel)
    for record in records:
        if record.record_type == RecordType.STREAM:
            yield _read_stream(record.value, channels)
    if channels:
        raise SensorFault(f"channels name streams {sorted(channels)}, which do not exist", clause="7.9")


def _read_stream(value: bytes, channels: dict[int, list[Channel]]) -> Stream:
    """Build a stream and take its channels away, so that what remains belongs to none."""
    _at_least(value, RecordType.STREAM, size=_STREAM.size, clause="7.8")
    number, kind, sample_format, n_channels, rate_uhz = _STREAM.unpack_from(value)
    own = tuple(channels.pop(number, ()))
    if len(own) != n_channels:
        raise SensorFault(f"stream {number} has {len(own)} channels, not {n_channels}", clause="7.8")
    return Stream(
        number=number,
        kind=_member(StreamKind, kind, clause="7.8"),
        sample_format=_member(SampleFormat, sample_format, clause="7.8"),
        rate_hz=rate_uhz / 1e6,
        channels=own,
    )


def _stream_value(stream: Stream) -> bytes:
    rate_uhz = round(stream.rate_hz * 1e6)
    return _STREAM.pack(stream.number, stream.kind, stream.sample_format, len(stream.channels), rate_uhz)


def _read_channel(value: bytes) -> tuple[int, Channel]:
    _at_least(value, RecordType.CHANNEL, size=_CHANNEL.size, clause="7.9")
    number, quantity, side, axis, unit, scale, site_size = _CHANNEL.unpack_from(value)
    _at_least(value, RecordType.CHANNEL, size=_CHANNEL.size + site_size, clause="7.9")
    if side >= len(SIDES) or axis >= len(_AXES):
        raise SensorFault(f"side {side} or axis {axis} is not defined", clause="7.9")
    return number, Channel(
        quantity=_member(Quantity, quantity, clause="7.9"),
        site=_text(value[_CHANNEL.size : _CHANNEL.size + site_size], clause="7.10"),
        side=SIDES[side],
        axis=_AXES[axis],
        unit=_member(Unit, unit, clause="7.9"),
        scale=scale,
    )


def _channel_value(stream: Stream, channel: Channel) -> bytes:
    side, axis = SIDES.index(channel.side), _AXES.index(channel.axis)
    site = channel.site.encode()
    head = _CHANNEL.pack(stream.number, channel.quantity, side, axis, channel.unit, channel.scale, len(site))
    return head + site


def _record(record_type: RecordType, value: bytes) -> bytes:
    return bytes((record_type, len(value))) + value


def _u32(value: bytes) -> int:
    return int.from_bytes(value[:4], "little")


def _text(value: bytes, *, clause: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise SensorFault(f"0x{value.hex()} is not UTF-8", clause=clause) from None


_Member = TypeVar("_Member", bound=enum.IntEnum)


def _member(kind: type[_Member], value: int, *, clause: str) -> _Member:
    try:
        return kind(value)
    except ValueError:
        raise SensorFault(f"{kind.__name__} {value} is not defined", clause=clause) from None

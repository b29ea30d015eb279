"""The control point: requests that a host writes, responses that a sensor indicates."""

import enum
import struct
from dataclasses import dataclass
from typing import Self

from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.fields import check_unsigned, split_time

RESPONSE_BIT = 0x80
"""Set in the opcode of every response (SPEC 6.2)."""
RESPONSE_OVERHEAD = 3
"""Bytes of a response before its payload (SPEC 6.2)."""

_PART = struct.Struct("<HH")
_STARTED = struct.Struct("<IIHB")
_STREAM_START = struct.Struct("<BIIH")


class Opcode(enum.IntEnum):
    """Requests of this version (SPEC 6.3)."""

    GET_CAPABILITIES = 0x01
    START = 0x02
    STOP = 0x03
    RESEND = 0x04
    TIME = 0x05
    SET_SITES = 0x06
    IDENTIFY = 0x07
    LEAD_CHECK = 0x08


class Status(enum.IntEnum):
    """How a request went (SPEC 6.4)."""

    OK = 0
    UNKNOWN_OPCODE = 1
    BAD_PAYLOAD = 2
    WRONG_STATE = 3
    MTU_TOO_SMALL = 4
    EXPIRED = 5
    BUSY = 6
    NOT_SUPPORTED = 7


PRECEDENCE = (
    Status.UNKNOWN_OPCODE,
    Status.NOT_SUPPORTED,
    Status.BAD_PAYLOAD,
    Status.WRONG_STATE,
    Status.MTU_TOO_SMALL,
    Status.BUSY,
    Status.EXPIRED,
)
"""Of several refusals that apply a sensor answers with the first (SPEC 6.4)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a host writes (SPEC 6.1)."""

    opcode: int
    """An :class:`Opcode`, or another number of 1 to 127 that this version does not know."""
    transaction: int
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        """Write the request; raises HostFault when a field is out of range."""
        if not 1 <= self.opcode < RESPONSE_BIT:
            raise HostFault(f"opcode {self.opcode} is not one of 1 to 127", clause="6.1")
        check_unsigned("transaction", self.transaction, bits=8, clause="6.1")
        return bytes((self.opcode, self.transaction)) + self.payload

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a request, as a sensor does.

        Raises
        ------
        HostFault
            When the host wrote what is no request; a sensor answers as SPEC 6.1 says.
        """
        if len(data) < 2:
            raise HostFault(f"a request has at least 2 bytes, not {len(data)}", clause="6.1")
        if not 1 <= data[0] < RESPONSE_BIT:
            raise HostFault(f"opcode {data[0]} is not one of 1 to 127", clause="6.1")
        return cls(data[0], data[1], bytes(data[2:]))


@dataclass(frozen=True, slots=True)
class Response:
    """What a sensor indicates (SPEC 6.2)."""

    opcode: int
    """Opcode of the request, without the response bit."""
    transaction: int
    status: int
    """A :class:`Status`, or a number that this version does not know: then a refusal."""
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        """Write the response; raises HostFault when a field is out of range."""
        check_unsigned("opcode", self.opcode, bits=7, clause="6.2")
        check_unsigned("transaction", self.transaction, bits=8, clause="6.2")
        check_unsigned("status", self.status, bits=8, clause="6.4")
        return bytes((self.opcode | RESPONSE_BIT, self.transaction, self.status)) + self.payload

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a response; raises SensorFault when it is none."""
        if len(data) < 3:
            raise SensorFault(f"a response has at least 3 bytes, not {len(data)}", clause="6.2")
        if data[0] < RESPONSE_BIT:
            raise SensorFault(f"opcode 0x{data[0]:02x} of a response lacks bit 7", clause="6.2")
        return cls(data[0] & ~RESPONSE_BIT, data[1], data[2], bytes(data[3:]))


@dataclass(frozen=True, slots=True)
class CapabilityPart:
    """Payload of the response to GET CAPABILITIES (SPEC 6.6)."""

    total_size: int
    """Bytes of the whole description."""
    offset: int
    """Where in it ``data`` begins."""
    data: bytes

    def to_bytes(self) -> bytes:
        """Write the part; raises HostFault when it does not lie inside the whole."""
        if not 0 <= self.offset < self.offset + len(self.data) <= self.total_size <= 0xFFFF:
            raise HostFault(self._misfit(), clause="6.6")
        return _PART.pack(self.total_size, self.offset) + self.data

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a part; raises SensorFault when it is empty or does not lie inside the whole."""
        if len(data) <= _PART.size:
            raise SensorFault(f"a capability part has at least 5 bytes, not {len(data)}", clause="6.6")
        total_size, offset = _PART.unpack_from(data)
        part = cls(total_size, offset, bytes(data[_PART.size :]))
        if offset + len(part.data) > total_size:
            raise SensorFault(part._misfit(), clause="6.6")
        return part

    def _misfit(self) -> str:
        return f"{len(self.data)} bytes at offset {self.offset} do not lie inside {self.total_size}"


def capability_part(description: bytes, *, offset: int, payload_size: int) -> CapabilityPart:
    """Cut the part that one indication of ``payload_size`` (SPEC 2.6) bytes can carry.

    Raises
    ------
    HostFault
        When the host asked for an offset at or beyond the end; a sensor answers BAD_PAYLOAD. Also when
        not one byte fits, which is below what any link carries.
    """
    if not 0 <= offset < len(description):
        raise HostFault(f"offset {offset} is not inside {len(description)} bytes", clause="6.6")
    room = payload_size - RESPONSE_OVERHEAD - _PART.size
    if room < 1:
        raise HostFault(f"an indication of {payload_size} bytes carries no description", clause="6.15")
    return CapabilityPart(len(description), offset, description[offset : offset + room])


def capability_offset(payload: bytes) -> int:
    """Read the payload of a GET CAPABILITIES request; raises HostFault when it is not two bytes."""
    if len(payload) != 2:
        raise HostFault(f"GET CAPABILITIES takes 2 bytes, not {len(payload)}", clause="6.6")
    return int.from_bytes(payload, "little")


def capability_request(*, transaction: int, offset: int) -> Request:
    """Ask for the description from ``offset`` on."""
    check_unsigned("offset", offset, bits=16, clause="6.6")
    return Request(Opcode.GET_CAPABILITIES, transaction, offset.to_bytes(2, "little"))


@dataclass(frozen=True, slots=True)
class StreamStart:
    """Where one stream begins (SPEC 6.8)."""

    stream: int
    first_sample: int
    """Number of the first sample that will be sent, 32 bits."""
    time_us: int
    """Device time of that sample, 48 bits."""


@dataclass(frozen=True, slots=True)
class Started:
    """Payload of the response to START (SPEC 6.8)."""

    session_id: int
    """Drawn anew by the sensor for every START, 32 bits."""
    time_us: int
    """Device time of START: the zero of session time."""
    streams: tuple[StreamStart, ...]

    def to_bytes(self) -> bytes:
        """Write the payload; raises HostFault when a field is out of range."""
        check_unsigned("session", self.session_id, bits=32, clause="6.8")
        check_unsigned("time", self.time_us, bits=48, clause="6.8")
        low, high = split_time(self.time_us)
        head = _STARTED.pack(self.session_id, low, high, len(self.streams))
        return head + b"".join(_stream_start_bytes(start) for start in self.streams)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the payload; raises SensorFault when it is too short or names a stream twice.

        Bytes behind the last stream belong to a later minor version and are left out.
        """
        if len(data) < _STARTED.size:
            raise SensorFault(f"{len(data)} bytes are fewer than the 11 of a START response", clause="6.8")
        session_id, low, high, n_streams = _STARTED.unpack_from(data)
        end = _STARTED.size + n_streams * _STREAM_START.size
        if len(data) < end:
            raise SensorFault(f"{len(data)} bytes are fewer than {end} for {n_streams} streams", clause="6.8")
        rows = _STREAM_START.iter_unpack(data[_STARTED.size : end])
        streams = tuple(StreamStart(number, first, hi << 32 | lo) for number, first, lo, hi in rows)
        if len({start.stream for start in streams}) != n_streams:
            raise SensorFault("a START response names a stream twice", clause="6.8")
        return cls(session_id, high << 32 | low, streams)


def mtu_too_small(request: Request, *, needed_mtu: int) -> Response:
    """Refuse a request whose response, or whose samples, do not fit; tell the smallest ATT_MTU that would do.

    Clauses 6.9 and 6.15; the ATT_MTU is payload size + 3. Raises HostFault when it exceeds 16 bits.
    """
    check_unsigned("MTU", needed_mtu, bits=16, clause="6.9")
    payload = needed_mtu.to_bytes(2, "little")
    return Response(request.opcode, request.transaction, Status.MTU_TOO_SMALL, payload)


def needed_mtu(response: Response) -> int | None:
    """Smallest ATT_MTU that the sensor asks for; None when it does not say."""
    if response.status != Status.MTU_TOO_SMALL or len(response.payload) < 2:
        return None
    return int.from_bytes(response.payload[:2], "little")


def _stream_start_bytes(start: StreamStart) -> bytes:
    check_unsigned("stream", start.stream, bits=8, clause="6.8")
    check_unsigned("first sample", start.first_sample, bits=32, clause="6.8")
    check_unsigned("time", start.time_us, bits=48, clause="6.8")
    return _STREAM_START.pack(start.stream, start.first_sample, *split_time(start.time_us))

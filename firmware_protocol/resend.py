"""Payloads of RESEND and TIME: what a host asks to lose nothing, and to lay clocks side by side (SPEC 8)."""

import struct
from dataclasses import dataclass
from typing import Self

from firmware_protocol.control import Opcode, Request, Response, Status
from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.fields import check_unsigned, split_time
from firmware_protocol.packets import SAMPLE_MODULUS

_RANGE = struct.Struct("<BII")
_HELD = struct.Struct("<II")
_ANSWER = struct.Struct("<BIIII")
_TIME = struct.Struct("<QIHIH")


@dataclass(frozen=True, slots=True)
class SampleRange:
    """Consecutive samples of one stream (SPEC 8.2)."""

    stream: int
    first_sample: int
    """32 bits."""
    n_samples: int

    def to_bytes(self) -> bytes:
        """Write the payload of RESEND; raises HostFault when a field is out of range."""
        check_unsigned("stream", self.stream, bits=8, clause="8.2")
        check_unsigned("first sample", self.first_sample, bits=32, clause="8.2")
        check_unsigned("number of samples", self.n_samples, bits=32, clause="8.2")
        if self.n_samples == 0:
            raise HostFault("RESEND asks for 0 samples", clause="8.2")
        return _RANGE.pack(self.stream, self.first_sample, self.n_samples)

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Read the payload of RESEND, as a sensor does; raises HostFault when it is none."""
        if len(payload) != _RANGE.size:
            raise HostFault(f"RESEND takes {_RANGE.size} bytes, not {len(payload)}", clause="8.2")
        asked = cls(*_RANGE.unpack(payload))
        if asked.n_samples == 0:
            raise HostFault("RESEND asks for 0 samples", clause="8.2")
        return asked

    def lies_below(self, next_sample: int) -> bool:
        """Whether a sensor whose next sample has this number, wrapped or not, took all of it (SPEC 8.2)."""
        distance = (next_sample - self.first_sample) % SAMPLE_MODULUS
        return self.n_samples <= distance < SAMPLE_MODULUS // 2


@dataclass(frozen=True, slots=True)
class ResendAnswer:
    """What a sensor still holds of a range (SPEC 8.3)."""

    asked: SampleRange
    held_first: int
    """Number of the first sample that will be sent again, 32 bits; 0 when none will be."""
    held_count: int

    def to_bytes(self) -> bytes:
        """Write the payload; raises HostFault when a field is out of range."""
        check_unsigned("held sample", self.held_first, bits=32, clause="8.3")
        check_unsigned("number of held samples", self.held_count, bits=32, clause="8.3")
        return self.asked.to_bytes() + _HELD.pack(self.held_first, self.held_count)

    @classmethod
    def from_response(cls, response: Response) -> Self | None:
        """Read the answer of a recorded or received response.

        Returns
        -------
        ResendAnswer or None
            None for a refusal that decides nothing: BUSY, and whatever has no range.

        Raises
        ------
        SensorFault
            When the payload does not say what SPEC 8.3 asks for.
        """
        if response.opcode != Opcode.RESEND or response.status not in (Status.OK, Status.EXPIRED):
            return None
        if len(response.payload) < _ANSWER.size:
            raise SensorFault(
                f"{len(response.payload)} bytes are fewer than the {_ANSWER.size} of an answer to RESEND",
                clause="8.3",
            )
        stream, first, count, held_first, held_count = _ANSWER.unpack_from(response.payload)
        answer = cls(SampleRange(stream, first, count), held_first, held_count)
        answer._check(expired=response.status == Status.EXPIRED)
        return answer

    def _check(self, *, expired: bool) -> None:
        """Refuse an answer that contradicts itself: what it says would be taken for lost."""
        first, count = self.asked.first_sample, self.asked.n_samples
        if count == 0:
            raise SensorFault("the answer repeats a RESEND of 0 samples", clause="8.3")
        if expired != (self.held_count == 0):
            status = Status.EXPIRED if expired else Status.OK
            raise SensorFault(f"{status.name} came with {self.held_count} held samples", clause="8.3")
        offset = (self.held_first - first) % SAMPLE_MODULUS
        if self.held_count and offset + self.held_count > count:
            raise SensorFault(
                f"{self.held_count} held samples from {self.held_first} on do not lie inside the {count}"
                f" asked for from {first} on",
                clause="8.3",
            )


def resend_request(asked: SampleRange, *, transaction: int) -> Request:
    """Ask for samples that did not come."""
    return Request(Opcode.RESEND, transaction, asked.to_bytes())


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """Three of the four time stamps of an exchange (SPEC 8.5); the fourth is the host's time of arrival."""

    host_sent_ns: int
    """t1, on the host's clock, 64 bits."""
    device_received_us: int
    """t2, on the sensor's clock, 48 bits."""
    device_sent_us: int
    """t3, on the sensor's clock, 48 bits."""

    def to_bytes(self) -> bytes:
        """Write the payload of the response; raises HostFault when a field is out of range."""
        check_unsigned("host time", self.host_sent_ns, bits=64, clause="8.5")
        check_unsigned("device time", self.device_received_us, bits=48, clause="8.5")
        check_unsigned("device time", self.device_sent_us, bits=48, clause="8.5")
        received, sent = split_time(self.device_received_us), split_time(self.device_sent_us)
        return _TIME.pack(self.host_sent_ns, *received, *sent)

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Read the payload of the response; raises SensorFault when it is too short."""
        if len(payload) < _TIME.size:
            raise SensorFault(
                f"{len(payload)} bytes are fewer than the {_TIME.size} of an answer to TIME", clause="8.5"
            )
        sent_ns, low2, high2, low3, high3 = _TIME.unpack_from(payload)
        return cls(sent_ns, high2 << 32 | low2, high3 << 32 | low3)


def time_request(host_ns: int, *, transaction: int) -> Request:
    """Ask for the sensor's time; ``host_ns`` is the moment of writing."""
    check_unsigned("host time", host_ns, bits=64, clause="8.5")
    return Request(Opcode.TIME, transaction, host_ns.to_bytes(8, "little"))


def host_time(payload: bytes) -> int:
    """Read the payload of TIME, as a sensor does; raises HostFault when it is not eight bytes."""
    if len(payload) != 8:
        raise HostFault(f"TIME takes 8 bytes, not {len(payload)}", clause="8.5")
    return int.from_bytes(payload, "little")

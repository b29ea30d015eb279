"""About the sensor on the body: where it is worn, which one it is, how its electrodes touch (SPEC 6.11)."""

import enum
import struct
from dataclasses import dataclass, replace
from typing import Self

from firmware_protocol.capabilities import SIDES, SITE, Capabilities
from firmware_protocol.control import Opcode, Request
from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.fields import check_unsigned

ALL_CHANNELS = 0xFF
"""Stands for every channel of a stream, in SET SITES."""
NO_IMPEDANCE = 0xFFFF
STATUS_NOTIFICATION = 0xFF
"""First byte of a status notification; no response begins with it (SPEC 6.14)."""

_LEAD = struct.Struct("<BH")
_DROPPED = struct.Struct("<BII")


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """Where one channel, or every channel of a stream, is worn."""

    channel: int
    """Row of the channel in its stream, or :data:`ALL_CHANNELS`."""
    site: str
    side: str | None

    def to_bytes(self) -> bytes:
        """Write the entry; raises HostFault for what SPEC 7.10 does not allow."""
        check_unsigned("channel", self.channel, bits=8, clause="6.11")
        if not SITE.fullmatch(self.site):
            raise HostFault(
                f"site {self.site!r} is not a lower-case word of 1 to 31 characters", clause="7.10"
            )
        if self.side not in SIDES:
            raise HostFault(f"side {self.side!r} is not left, right or none", clause="7.9")
        return bytes((self.channel, SIDES.index(self.side), len(self.site))) + self.site.encode("ascii")


@dataclass(frozen=True, slots=True)
class SitesSet:
    """Payload of SET SITES (SPEC 6.11)."""

    stream: int
    entries: tuple[SiteEntry, ...]

    def to_bytes(self) -> bytes:
        """Write the payload; raises HostFault when a field is out of range."""
        check_unsigned("stream", self.stream, bits=8, clause="6.11")
        if not 1 <= len(self.entries) <= 255:
            raise HostFault(f"SET SITES has {len(self.entries)} entries, not 1 to 255", clause="6.11")
        return bytes((self.stream, len(self.entries))) + b"".join(one.to_bytes() for one in self.entries)

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Read the payload, as a sensor does; raises HostFault when it does not say what SPEC asks for."""
        if len(payload) < 2 or payload[1] == 0:
            raise HostFault("SET SITES names no channel", clause="6.11")
        entries, position = [], 2
        for _ in range(payload[1]):
            entry, position = _read_entry(payload, position)
            entries.append(entry)
        if position != len(payload):
            raise HostFault(f"{len(payload) - position} bytes are behind the last entry", clause="6.11")
        return cls(payload[0], tuple(entries))


def _read_entry(payload: bytes, position: int) -> tuple[SiteEntry, int]:
    start = position + 3
    if start > len(payload) or start + payload[position + 2] > len(payload):
        raise HostFault(f"the entry at byte {position} runs beyond the end", clause="6.11")
    channel, side, size = payload[position:start]
    text = payload[start : start + size].decode("ascii", errors="replace")
    if side >= len(SIDES):
        raise HostFault(f"side {side} is not defined", clause="7.9")
    entry = SiteEntry(channel, text, SIDES[side])
    entry.to_bytes()
    return entry, start + size


def sites_request(sites: SitesSet, *, transaction: int) -> Request:
    """Tell a sensor where it is worn."""
    return Request(Opcode.SET_SITES, transaction, sites.to_bytes())


def with_sites(capabilities: Capabilities, sites: SitesSet) -> Capabilities:
    """Describe the same sensor worn elsewhere; raises HostFault for a stream or channel that it has not."""
    stream = capabilities.stream(sites.stream)
    if stream is None:
        raise HostFault(f"there is no stream {sites.stream}", clause="6.11")
    channels = list(stream.channels)
    for entry in sites.entries:
        if entry.channel != ALL_CHANNELS and entry.channel >= len(channels):
            raise HostFault(f"stream {sites.stream} has no channel {entry.channel}", clause="6.11")
        rows = range(len(channels)) if entry.channel == ALL_CHANNELS else (entry.channel,)
        for row in rows:
            channels[row] = replace(channels[row], site=entry.site, side=entry.side)
    moved = replace(stream, channels=tuple(channels))
    return replace(
        capabilities, streams=tuple(moved if one is stream else one for one in capabilities.streams)
    )


def identify_request(seconds: int, *, transaction: int) -> Request:
    """Have a sensor blink or buzz for so long (SPEC 6.12)."""
    check_unsigned("seconds", seconds, bits=8, clause="6.12")
    return Request(Opcode.IDENTIFY, transaction, bytes([seconds]))


def identify_seconds(payload: bytes) -> int:
    """Read the payload of IDENTIFY, as a sensor does; raises HostFault when it is not one byte."""
    if len(payload) != 1:
        raise HostFault(f"IDENTIFY takes 1 byte, not {len(payload)}", clause="6.12")
    return payload[0]


class Contact(enum.IntEnum):
    """How an electrode touches the skin (SPEC 6.13)."""

    UNKNOWN = 0
    """Not checked, or a channel without electrodes."""
    GOOD = 1
    POOR = 2
    OFF = 3


@dataclass(frozen=True, slots=True)
class Lead:
    """The electrodes of one channel."""

    contact: Contact
    impedance_kohm: int | None
    """None where it was not measured."""


@dataclass(frozen=True, slots=True)
class LeadCheck:
    """Payload of the response to LEAD CHECK."""

    stream: int
    leads: tuple[Lead, ...]

    def to_bytes(self) -> bytes:
        """Write the payload; raises HostFault when a field is out of range."""
        check_unsigned("stream", self.stream, bits=8, clause="6.13")
        check_unsigned("number of channels", len(self.leads), bits=8, clause="6.13")
        return bytes((self.stream, len(self.leads))) + b"".join(_lead_bytes(lead) for lead in self.leads)

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Read the payload; raises SensorFault when it is too short. An unknown contact reads as unknown."""
        if len(payload) < 2 or len(payload) < 2 + 3 * payload[1]:
            raise SensorFault(f"{len(payload)} bytes do not carry a lead check", clause="6.13")
        rows = _LEAD.iter_unpack(payload[2 : 2 + 3 * payload[1]])
        return cls(payload[0], tuple(_lead(contact, kohm) for contact, kohm in rows))


def _lead(contact: int, impedance: int) -> Lead:
    return Lead(_contact(contact), None if impedance == NO_IMPEDANCE else impedance)


def _contact(code: int) -> Contact:
    return Contact(code) if code in tuple(Contact) else Contact.UNKNOWN


def _lead_bytes(lead: Lead) -> bytes:
    impedance = NO_IMPEDANCE if lead.impedance_kohm is None else lead.impedance_kohm
    check_unsigned("impedance", impedance, bits=16, clause="6.13")
    if lead.impedance_kohm == NO_IMPEDANCE:
        raise HostFault(f"impedance {NO_IMPEDANCE} stands for not measured", clause="6.13")
    return _LEAD.pack(lead.contact, impedance)


def lead_check_request(stream: int, *, transaction: int) -> Request:
    """Ask how the electrodes of a stream touch."""
    check_unsigned("stream", stream, bits=8, clause="6.13")
    return Request(Opcode.LEAD_CHECK, transaction, bytes([stream]))


def lead_check_stream(payload: bytes) -> int:
    """Read the payload of LEAD CHECK, as a sensor does; raises HostFault when it is not one byte."""
    if len(payload) != 1:
        raise HostFault(f"LEAD CHECK takes 1 byte, not {len(payload)}", clause="6.13")
    return payload[0]


@dataclass(frozen=True, slots=True)
class LeadsChanged:
    """The contact of one channel changed."""

    stream: int
    channel: int
    contact: Contact


@dataclass(frozen=True, slots=True)
class Saturated:
    """Samples of a channel lie at the end of the converter's range."""

    stream: int
    channel: int


@dataclass(frozen=True, slots=True)
class DroppedOnDevice:
    """Samples were lost inside the sensor; not in its ring either, so final (SPEC 5.9)."""

    stream: int
    first_sample: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class BatteryState:
    """The battery, with what the plain battery service does not say."""

    level_pct: int
    charging: bool
    low: bool
    ending: bool
    """The sensor switches itself off within a minute."""


StatusNotification = LeadsChanged | Saturated | DroppedOnDevice | BatteryState
"""What a sensor says without being asked (SPEC 6.14)."""


class StatusKind(enum.IntEnum):
    """Third byte of a status notification (SPEC 6.14)."""

    LEADS = 1
    SATURATED = 2
    DROPPED = 3
    BATTERY = 4


_PAYLOAD_SIZE = {
    StatusKind.LEADS: 3,
    StatusKind.SATURATED: 2,
    StatusKind.DROPPED: _DROPPED.size,
    StatusKind.BATTERY: 2,
}


def is_status_notification(indication: bytes) -> bool:
    """Whether an indication of the control point is none that answers a request (SPEC 6.14)."""
    return indication[:1] == bytes([STATUS_NOTIFICATION])


def status_bytes(status: StatusNotification, *, count: int) -> bytes:
    """Write a status notification; raises HostFault when a field is out of range."""
    check_unsigned("count", count, bits=8, clause="6.14")
    kind, payload = _status_payload(status)
    return bytes((STATUS_NOTIFICATION, count, kind)) + payload


def _status_payload(status: StatusNotification) -> tuple[StatusKind, bytes]:
    if isinstance(status, BatteryState):
        if not 0 <= status.level_pct <= 100:
            raise HostFault(f"battery level {status.level_pct} is not 0 to 100 percent", clause="6.14")
        bits = status.charging | status.low << 1 | status.ending << 2
        return StatusKind.BATTERY, bytes((status.level_pct, bits))
    check_unsigned("stream", status.stream, bits=8, clause="6.14")
    if isinstance(status, DroppedOnDevice):
        check_unsigned("first sample", status.first_sample, bits=32, clause="6.14")
        check_unsigned("number of samples", status.n_samples, bits=32, clause="6.14")
        return StatusKind.DROPPED, _DROPPED.pack(status.stream, status.first_sample, status.n_samples)
    check_unsigned("channel", status.channel, bits=8, clause="6.14")
    if isinstance(status, LeadsChanged):
        return StatusKind.LEADS, bytes((status.stream, status.channel, status.contact))
    return StatusKind.SATURATED, bytes((status.stream, status.channel))


def read_status(indication: bytes) -> StatusNotification | None:
    """Read a status notification; None for a kind of a later version.

    Raises
    ------
    SensorFault
        When it is none, or too short for its kind.
    """
    if len(indication) < 3 or not is_status_notification(indication):
        raise SensorFault(f"0x{indication[:3].hex()} is no status notification", clause="6.14")
    if indication[2] not in tuple(StatusKind):
        return None
    kind, payload = StatusKind(indication[2]), indication[3:]
    if len(payload) < _PAYLOAD_SIZE[kind]:
        raise SensorFault(
            f"{len(payload)} bytes are fewer than the {_PAYLOAD_SIZE[kind]} of {kind.name}", clause="6.14"
        )
    return _read_payload(kind, payload)


def _read_payload(kind: StatusKind, payload: bytes) -> StatusNotification:
    if kind is StatusKind.LEADS:
        return LeadsChanged(payload[0], payload[1], _contact(payload[2]))
    if kind is StatusKind.SATURATED:
        return Saturated(payload[0], payload[1])
    if kind is StatusKind.DROPPED:
        return DroppedOnDevice(*_DROPPED.unpack_from(payload))
    bits = payload[1]
    return BatteryState(min(payload[0], 100), bool(bits & 1), bool(bits & 2), bool(bits & 4))

"""Spells out bytes of the wire format as JSON values: what every reader of the vectors has to arrive at."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities, Channel
from firmware_protocol.control import (
    CapabilityPart,
    Opcode,
    Request,
    Response,
    Started,
    Status,
    capability_offset,
    needed_mtu,
)
from firmware_protocol.packets import DataPacket, Sample
from firmware_protocol.resend import ResendAnswer, SampleRange, TimeAnswer, host_time
from firmware_protocol.worn import (
    BatteryState,
    DroppedOnDevice,
    LeadCheck,
    LeadsChanged,
    SitesSet,
    identify_seconds,
    lead_check_stream,
    read_status,
)

Json: TypeAlias = dict[str, Any]


def message_meaning(kind: str, data: bytes) -> Json:
    """Spell out a message of the control point: a ``request``, a ``response`` or a ``status``.

    Raises
    ------
    ProtocolError
        When the message breaks a clause.
    """
    readers = {"request": request_meaning, "response": response_meaning, "status": status_meaning}
    return readers[kind](data)


def request_meaning(data: bytes) -> Json:
    """Spell out a request with the fields of its payload."""
    request = Request.from_bytes(data)
    return {
        "opcode": request.opcode,
        "transaction": request.transaction,
        "payload": _request_payload(request),
    }


def _request_payload(request: Request) -> Json:
    payload = request.payload
    if request.opcode == Opcode.GET_CAPABILITIES:
        return {"offset": capability_offset(payload)}
    if request.opcode == Opcode.RESEND:
        return range_meaning(SampleRange.from_bytes(payload))
    if request.opcode == Opcode.TIME:
        return {"t1_ns": host_time(payload)}
    if request.opcode == Opcode.SET_SITES:
        return sites_meaning(SitesSet.from_bytes(payload))
    if request.opcode == Opcode.IDENTIFY:
        return {"seconds": identify_seconds(payload)}
    if request.opcode == Opcode.LEAD_CHECK:
        return {"stream": lead_check_stream(payload)}
    return _unread(payload)


def response_meaning(data: bytes) -> Json:
    """Spell out a response with the fields of its payload."""
    response = Response.from_bytes(data)
    return {
        "opcode": response.opcode,
        "transaction": response.transaction,
        "status": response.status,
        "payload": _response_payload(response),
    }


def _response_payload(response: Response) -> Json:
    if response.opcode == Opcode.RESEND:
        answer = ResendAnswer.from_response(response)
        return _unread(response.payload) if answer is None else answer_meaning(answer)
    needed = needed_mtu(response)
    if needed is not None:
        return {"needed_att_mtu": needed}
    if response.status != Status.OK:
        return _unread(response.payload)
    if response.opcode == Opcode.GET_CAPABILITIES:
        return part_meaning(CapabilityPart.from_bytes(response.payload))
    if response.opcode == Opcode.START:
        return started_meaning(Started.from_bytes(response.payload))
    if response.opcode == Opcode.TIME:
        return time_meaning(TimeAnswer.from_bytes(response.payload))
    if response.opcode == Opcode.LEAD_CHECK:
        return leads_meaning(LeadCheck.from_bytes(response.payload))
    return _unread(response.payload)


def _unread(payload: bytes) -> Json:
    """Keep bytes that this version has no fields for; a payload of none has no fields."""
    return {"hex": payload.hex()} if payload else {}


def status_meaning(data: bytes) -> Json:
    """Spell out a status notification; one of an unknown kind has no fields."""
    status = read_status(data)
    payload: Json
    if status is None:
        payload = {}
    elif isinstance(status, BatteryState):
        payload = {
            "level_pct": status.level_pct,
            "charging": status.charging,
            "low": status.low,
            "ending": status.ending,
        }
    elif isinstance(status, DroppedOnDevice):
        payload = range_meaning(SampleRange(status.stream, status.first_sample, status.n_samples))
    else:
        payload = {"stream": status.stream, "channel": status.channel}
        if isinstance(status, LeadsChanged):
            payload["contact"] = status.contact.name
    return {"count": data[1], "kind": data[2], "payload": payload}


def range_meaning(asked: SampleRange) -> Json:
    """Spell out a range of samples."""
    return {"stream": asked.stream, "first_sample": asked.first_sample, "n_samples": asked.n_samples}


def answer_meaning(answer: ResendAnswer) -> Json:
    """Spell out what a ring holds of a range."""
    held = {"held_first": answer.held_first, "held_count": answer.held_count}
    return range_meaning(answer.asked) | held


def time_meaning(answer: TimeAnswer) -> Json:
    """Spell out three time stamps."""
    return {
        "t1_ns": answer.host_sent_ns,
        "t2_us": answer.device_received_us,
        "t3_us": answer.device_sent_us,
    }


def sites_meaning(sites: SitesSet) -> Json:
    """Spell out where channels are worn."""
    entries = [{"channel": entry.channel, "side": entry.side, "site": entry.site} for entry in sites.entries]
    return {"stream": sites.stream, "entries": entries}


def leads_meaning(check: LeadCheck) -> Json:
    """Spell out a lead check; an impedance that was not measured is null."""
    leads = [{"contact": lead.contact.name, "impedance_kohm": lead.impedance_kohm} for lead in check.leads]
    return {"stream": check.stream, "leads": leads}


def started_meaning(started: Started) -> Json:
    """Spell out the payload of the response to START."""
    return {
        "session_id": started.session_id,
        "time_us": started.time_us,
        "streams": [
            {"stream": one.stream, "first_sample": one.first_sample, "time_us": one.time_us}
            for one in started.streams
        ],
    }


def part_meaning(part: CapabilityPart) -> Json:
    """Spell out a part of a description."""
    return {"total_size": part.total_size, "offset": part.offset, "data": part.data.hex()}


def packet_meaning(data: bytes, *, n_channels: int) -> Json:
    """Spell out a packet."""
    one = DataPacket.from_bytes(data, n_channels=n_channels)
    return {
        "stream": one.stream,
        "sequence": one.sequence,
        "first_sample": one.first_sample,
        "time_us": one.time_us,
        "sample_format": one.sample_format.name,
        "flags": int(one.flags),
        "values": values_meaning(one.values),
    }


def values_meaning(values: NDArray[Sample]) -> list[list[int | str]]:
    """Spell out samples: integers as such, float32 as the hex digits of its bits (SPEC 9.2)."""
    if values.dtype == np.float32:
        return [[f"{bits:08x}" for bits in row] for row in values.view(np.uint32).tolist()]
    rows: list[list[int | str]] = values.tolist()
    return rows


def capabilities_meaning(sensor: Capabilities) -> Json:
    """Spell out a description."""
    return {
        "version_minor": sensor.version_minor,
        "boot_id": sensor.boot_id,
        "name": sensor.name,
        "ring_ms": sensor.ring_ms,
        "streams": [
            {
                "number": stream.number,
                "kind": stream.kind.name,
                "sample_format": stream.sample_format.name,
                "rate_microhertz": round(stream.rate_hz * 1e6),
                "channels": [channel_meaning(channel) for channel in stream.channels],
            }
            for stream in sensor.streams
        ],
    }


def channel_meaning(channel: Channel) -> Json:
    """Spell out a channel; its scale by the bits of the float32."""
    return {
        "quantity": channel.quantity.name,
        "site": channel.site,
        "side": channel.side,
        "axis": channel.axis,
        "unit": channel.unit.name,
        "scale": f"{int(np.float32(channel.scale).view(np.uint32)):08x}",
    }

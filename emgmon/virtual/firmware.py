"""The sensor's firmware as a machine turned by hand: samples, requests, time in; packets, responses out."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.firmware_status import StatusQueue
from emgmon.virtual.firmware_stream import (
    LARGEST_PAYLOAD,
    PACKET_SPAN_S,
    OutgoingStream,
    sample_at,
    sample_time_us,
)
from emgmon.virtual.machine import session_ids
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import (
    Opcode,
    Request,
    Response,
    Started,
    Status,
    StreamStart,
    capability_offset,
    capability_part,
    mtu_too_small,
)
from firmware_protocol.errors import HostFault
from firmware_protocol.gatt import ATT_OVERHEAD
from firmware_protocol.packets import HEADER_SIZE, SAMPLE_MODULUS, TIME_MODULUS, PacketFlag
from firmware_protocol.resend import ResendAnswer, SampleRange, TimeAnswer, host_time
from firmware_protocol.worn import (
    BatteryState,
    Contact,
    Lead,
    LeadCheck,
    LeadsChanged,
    Saturated,
    SitesSet,
    with_sites,
)

__all__ = ["PACKET_SPAN_S", "Firmware"]

_UNKNOWN_LEAD = Lead(Contact.UNKNOWN, None)
_LAST_OPCODE_OF_1_0 = Opcode.STOP
_RESPONSE_HEAD = 3
"""Bytes of a response before its payload (6.2)."""
_LEAST_PAYLOAD = 20
"""No link of Bluetooth Low Energy carries less."""


@dataclass(slots=True)
class _Again:
    """What of a range is still to be sent again."""

    outgoing: OutgoingStream
    next: int
    end: int


class Firmware:
    """What a sensor does, without its radio and without its clock. Clauses are those of SPEC.md.

    Parameters
    ----------
    capabilities
        What it says about itself.
    draw_session_id
        Gives a number of 32 bits for every START; by default drawn from the boot id.
    """

    def __init__(
        self, capabilities: Capabilities, *, draw_session_id: Callable[[], int] | None = None
    ) -> None:
        self.capabilities = capabilities
        self.identify_until_us = 0
        """Until when it blinks (6.12)."""
        self._description = capabilities.to_bytes()
        self._draw_session_id = draw_session_id or session_ids(capabilities)
        self._outgoing = {
            stream.number: OutgoingStream(stream, ring_ms=capabilities.ring_ms)
            for stream in capabilities.streams
        }
        self._statuses = StatusQueue()
        self._leads: dict[tuple[int, int], Lead] = {}
        self._connected = False
        self._sampling = False
        self._streaming = False
        self._again: _Again | None = None

    @property
    def streaming(self) -> bool:
        """Whether START was obeyed and neither STOP nor a disconnection has come since."""
        return self._streaming

    @property
    def description(self) -> bytes:
        """The description as it stands (7)."""
        return self._description

    def connect(self) -> None:
        """Have a host."""
        self._connected = True

    def disconnect(self) -> None:
        """Stop sending, not sampling: the host has gone (2.8)."""
        self._connected = False
        self._stop_sending()
        self._statuses.forget()

    def notifications_off(self) -> None:
        """Stop sending, not sampling: the host switched notifications of data off (2.8)."""
        self._stop_sending()

    def _stop_sending(self) -> None:
        self._streaming, self._again = False, None
        for outgoing in self._outgoing.values():
            outgoing.cursor = None

    def take(self, stream: int, values: NDArray[np.generic], *, flags: int = 0) -> None:
        """Take samples of shape (n_samples, n_channels); ignored while it does not sample."""
        if self._sampling:
            self._tell_lost(stream, *self._outgoing[stream].take(values, flags))

    def skip(self, stream: int, n_samples: int) -> None:
        """Count samples that the converter lost (5.5)."""
        if not self._sampling:
            return
        outgoing = self._outgoing[stream]
        head = outgoing.ring.head
        self._tell_lost(stream, *outgoing.skip(n_samples))
        self._tell_lost(stream, head, head + n_samples)

    def _tell_lost(self, stream: int, first: int, end: int) -> None:
        if self._connected and end > first:
            self._statuses.lost(stream, first, end)

    def report(self, status: LeadsChanged | Saturated | BatteryState) -> None:
        """Have a state told to the host, if there is one."""
        if self._connected:
            self._statuses.report(status)

    def set_lead(self, stream: int, channel: int, lead: Lead) -> None:
        """Say how the electrodes of a channel touch, for LEAD CHECK (6.13)."""
        self._leads[stream, channel] = lead

    def next_status(self, now_us: int) -> bytes | None:
        """Give the next status notification to indicate (6.14)."""
        return self._statuses.next(now_us) if self._connected else None

    def next_packet(self, *, payload_size: int) -> bytes | None:
        """Give the next packet to notify: live ones first, then those asked for again (8.4)."""
        if not self._streaming:
            return None
        due = [
            (outgoing.due_us(cut), outgoing, cut)
            for outgoing in self._outgoing.values()
            if (cut := outgoing.due(payload_size)) is not None
        ]
        if not due:
            return self._next_again(payload_size)
        _, outgoing, cut = min(due, key=itemgetter(0))
        return outgoing.send(cut)

    def packets(self, *, payload_size: int) -> list[bytes]:
        """Give all that `next_packet` would give until it has no more; many at once are fast."""
        if not self._streaming:
            return []
        due: list[tuple[int, bytes]] = []
        for outgoing in self._outgoing.values():
            due += zip(*outgoing.send_plain(payload_size), strict=True)
            while (cut := outgoing.due(payload_size)) is not None:
                due.append((outgoing.due_us(cut), outgoing.send(cut)))
        due.sort(key=itemgetter(0))
        packets = [packet for _, packet in due]
        while (packet := self._next_again(payload_size)) is not None:
            packets.append(packet)
        return packets

    def _next_again(self, payload_size: int) -> bytes | None:
        again = self._again_if_held()
        if again is None:
            return None
        length = again.outgoing.packet_length(payload_size)
        if length == 0:
            return None
        ring = again.outgoing.ring
        first, end = ring.held_part(again.next, again.end)
        n_samples, _ = ring.run(first, min(length, end - first))
        again.next = first + n_samples
        return again.outgoing.write(first, n_samples, PacketFlag.RETRANSMITTED)

    def _again_if_held(self) -> _Again | None:
        """Give the range that is being sent again; forget it once nothing of it is left."""
        again = self._again
        if again is not None:
            first, end = again.outgoing.ring.held_part(again.next, again.end)
            if first == end:
                self._again = None
        return self._again

    def respond(self, written: bytes, *, payload_size: int, notifying: bool, now_us: int) -> bytes:
        """Obey what was written to the control point.

        Parameters
        ----------
        payload_size
            Bytes that one notification or indication can carry: ATT_MTU - 3.
        notifying
            Whether the host has enabled notifications of data.

        Returns
        -------
        bytes
            The indication to send.
        """
        try:
            request = Request.from_bytes(written)
        except HostFault:
            return Response(0, 0, Status.BAD_PAYLOAD).to_bytes()
        try:
            room = min(max(payload_size, _LEAST_PAYLOAD), LARGEST_PAYLOAD)
            response = self._obey(request, room, now_us, notifying=notifying)
        except HostFault:
            response = _answer(request, Status.BAD_PAYLOAD)
        return response.to_bytes()

    def _obey(self, request: Request, payload_size: int, now_us: int, *, notifying: bool) -> Response:
        if request.opcode > _LAST_OPCODE_OF_1_0 and self.capabilities.version_minor == 0:
            return _answer(request, Status.UNKNOWN_OPCODE)
        match request.opcode:
            case Opcode.GET_CAPABILITIES:
                return self._describe(request, payload_size)
            case Opcode.START:
                return self._start(request, payload_size, now_us, notifying=notifying)
            case Opcode.STOP:
                return self._stop(request)
            case Opcode.RESEND:
                return self._send_again(request)
            case Opcode.TIME:
                return self._tell_time(request, payload_size, now_us)
            case Opcode.SET_SITES:
                return self._set_sites(request)
            case Opcode.IDENTIFY:
                return self._identify(request, now_us)
            case Opcode.LEAD_CHECK:
                return self._check_leads(request, payload_size)
            case _:
                return _answer(request, Status.UNKNOWN_OPCODE)

    def _describe(self, request: Request, payload_size: int) -> Response:
        offset = capability_offset(request.payload)
        part = capability_part(self._description, offset=offset, payload_size=payload_size)
        return _answer(request, Status.OK, part.to_bytes())

    def _start(self, request: Request, payload_size: int, now_us: int, *, notifying: bool) -> Response:
        if request.payload:
            return _answer(request, Status.BAD_PAYLOAD)
        if self._streaming or not notifying:
            return _answer(request, Status.WRONG_STATE)
        needed = self._needed_payload_size()
        if needed > payload_size:
            return _too_small(request, needed)
        start_us = self._next_common_moment(now_us)
        starts = tuple(self._start_stream(outgoing, start_us) for outgoing in self._outgoing.values())
        self._streaming = self._sampling = True
        started = Started(self._draw_session_id(), start_us % TIME_MODULUS, starts)
        return _answer(request, Status.OK, started.to_bytes())

    def _needed_payload_size(self) -> int:
        """Payload that carries one sample of every stream, and the answer to START (6.9)."""
        none = Started(0, 0, tuple(StreamStart(number, 0, 0) for number in self._outgoing))
        answer = Response(Opcode.START, 0, Status.OK, none.to_bytes()).to_bytes()
        samples = (HEADER_SIZE + outgoing.stream.sample_size for outgoing in self._outgoing.values())
        return max(len(answer), *samples)

    def _next_common_moment(self, now_us: int) -> int:
        """When START takes effect: the next sample of the slowest stream, so that all begin together."""
        rate_uhz = min(outgoing.rate_uhz for outgoing in self._outgoing.values())
        return sample_time_us(sample_at(now_us, rate_uhz), rate_uhz)

    def _start_stream(self, outgoing: OutgoingStream, start_us: int) -> StreamStart:
        first = sample_at(start_us, outgoing.rate_uhz)
        if not self._sampling:
            outgoing.ring.restart(first)
        outgoing.start(first)
        time_us = sample_time_us(first, outgoing.rate_uhz)
        return StreamStart(outgoing.stream.number, first % SAMPLE_MODULUS, time_us % TIME_MODULUS)

    def _stop(self, request: Request) -> Response:
        if request.payload:
            return _answer(request, Status.BAD_PAYLOAD)
        self._stop_sending()
        self._sampling = False
        return _answer(request, Status.OK)

    def _send_again(self, request: Request) -> Response:
        if self.capabilities.ring_ms == 0:
            return _answer(request, Status.NOT_SUPPORTED)
        asked = SampleRange.from_bytes(request.payload)
        outgoing = self._outgoing.get(asked.stream)
        if outgoing is None:
            return _answer(request, Status.BAD_PAYLOAD)
        if not self._streaming:
            return _answer(request, Status.WRONG_STATE)
        back = (outgoing.ring.head - asked.first_sample) % SAMPLE_MODULUS
        if back >= SAMPLE_MODULUS // 2 or asked.n_samples > back:
            return _answer(request, Status.BAD_PAYLOAD)
        nothing = ResendAnswer(asked, 0, 0).to_bytes()
        if self._again_if_held() is not None:
            return _answer(request, Status.BUSY, nothing)
        first = outgoing.ring.head - back
        held, end = outgoing.ring.held_part(first, first + asked.n_samples)
        if held == end:
            return _answer(request, Status.EXPIRED, nothing)
        self._again = _Again(outgoing, held, end)
        return _answer(request, Status.OK, ResendAnswer(asked, held % SAMPLE_MODULUS, end - held).to_bytes())

    def _tell_time(self, request: Request, payload_size: int, now_us: int) -> Response:
        now = now_us % TIME_MODULUS
        return _if_it_fits(request, TimeAnswer(host_time(request.payload), now, now).to_bytes(), payload_size)

    def _set_sites(self, request: Request) -> Response:
        moved = with_sites(self.capabilities, SitesSet.from_bytes(request.payload))
        description = moved.to_bytes()
        if self._streaming:
            return _answer(request, Status.WRONG_STATE)
        self.capabilities, self._description = moved, description
        return _answer(request, Status.OK)

    def _identify(self, request: Request, now_us: int) -> Response:
        if len(request.payload) != 1:
            return _answer(request, Status.BAD_PAYLOAD)
        self.identify_until_us = now_us + request.payload[0] * 1_000_000
        return _answer(request, Status.OK)

    def _check_leads(self, request: Request, payload_size: int) -> Response:
        outgoing = self._outgoing.get(request.payload[0]) if len(request.payload) == 1 else None
        if outgoing is None:
            return _answer(request, Status.BAD_PAYLOAD)
        number, channels = outgoing.stream.number, range(len(outgoing.stream.channels))
        leads = tuple(self._leads.get((number, channel), _UNKNOWN_LEAD) for channel in channels)
        return _if_it_fits(request, LeadCheck(number, leads).to_bytes(), payload_size)


def _answer(request: Request, status: Status, payload: bytes = b"") -> Response:
    return Response(request.opcode, request.transaction, status, payload)


def _if_it_fits(request: Request, payload: bytes, payload_size: int) -> Response:
    """Answer whole or not at all (6.15)."""
    if _RESPONSE_HEAD + len(payload) > payload_size:
        return _too_small(request, _RESPONSE_HEAD + len(payload))
    return _answer(request, Status.OK, payload)


def _too_small(request: Request, needed_payload_size: int) -> Response:
    return mtu_too_small(request, needed_mtu=needed_payload_size + ATT_OVERHEAD)

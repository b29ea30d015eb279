"""All that a host hears from one sensor, data and control point, as events; bad bytes never raise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import CapabilityPart, Opcode, Response, Started, Status
from firmware_protocol.decoder import Decoder, DecoderState
from firmware_protocol.errors import ProtocolError, SensorFault
from firmware_protocol.packets import SAMPLE_MODULUS, TIME_MODULUS
from firmware_protocol.reassembly import DecoderEvent, Reject, Span, unwrap
from firmware_protocol.resend import ResendAnswer, TimeAnswer
from firmware_protocol.worn import STATUS_NOTIFICATION, DroppedOnDevice, StatusNotification, read_status


@dataclass(frozen=True, slots=True)
class StreamsOpened:
    """The sensor answered START."""

    started: Started
    continued: tuple[int, ...]
    """Streams whose count goes on where it was; the others begin, or begin anew."""


@dataclass(frozen=True, slots=True)
class Rebooted:
    """The sensor described itself with another boot id: its counters and its clock began anew."""

    boot_id: int


@dataclass(frozen=True, slots=True)
class TimeAnswered:
    """Three stamps of an exchange of times; the fourth is when this came."""

    host_sent_ns: int
    device_received_us: int
    """Unwrapped, like the next."""
    device_sent_us: int


@dataclass(frozen=True, slots=True)
class StatusReceived:
    """The sensor said something without being asked."""

    status: StatusNotification


ReceiverEvent: TypeAlias = DecoderEvent | StreamsOpened | Rebooted | TimeAnswered | StatusReceived


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """Everything that changes while listening; can be kept and put back."""

    decoder: DecoderState
    boot_id: int
    description: bytes
    """As far as its parts have come."""


class Receiver:
    """Listens to one sensor.

    What a recording holds is enough: requests are not needed to understand the responses.

    Parameters
    ----------
    capabilities
        What the sensor said about itself when the session began.
    """

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._decoder = Decoder(capabilities)
        self._boot_id = capabilities.boot_id
        self._description = b""

    @property
    def state(self) -> ReceiverState:
        """All that the past leaves to the future; assign it to another receiver to carry on there."""
        return ReceiverState(self._decoder.state, self._boot_id, self._description)

    @state.setter
    def state(self, state: ReceiverState) -> None:
        self._decoder.state = state.decoder
        self._boot_id, self._description = state.boot_id, state.description

    def missing(self, stream: int) -> tuple[Span, ...]:
        """Spans of samples of a stream that did not come and still may, unwrapped, oldest first."""
        return self._decoder.missing(stream)

    def receive_data(self, notification: bytes | memoryview) -> list[DecoderEvent]:
        """Take one data notification."""
        return self._decoder.receive(notification)

    def receive_data_many(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[DecoderEvent]:
        """Take many data notifications; see :meth:`Decoder.receive_many`."""
        return self._decoder.receive_many(data, offsets)

    def receive_control(self, indication: bytes) -> Sequence[ReceiverEvent]:
        """Take one indication of the control point."""
        try:
            if indication[:1] == bytes([STATUS_NOTIFICATION]):
                return self._status(indication)
            return self._respond(Response.from_bytes(indication))
        except ProtocolError as fault:
            return [Reject(str(fault), fault.clause, len(indication))]

    def _respond(self, response: Response) -> Sequence[ReceiverEvent]:
        if response.opcode == Opcode.RESEND:
            return self._resent(ResendAnswer.from_response(response))
        if response.status != Status.OK:
            return []
        if response.opcode == Opcode.START:
            started = Started.from_bytes(response.payload)
            opened = self._decoder.start(started)
            return [StreamsOpened(started, opened.continued), *opened.events]
        if response.opcode == Opcode.TIME:
            return [self._time(TimeAnswer.from_bytes(response.payload))]
        if response.opcode == Opcode.GET_CAPABILITIES:
            return self._described(CapabilityPart.from_bytes(response.payload))
        return []

    def _resent(self, answer: ResendAnswer | None) -> Sequence[ReceiverEvent]:
        """Take for lost what the ring does not hold any more."""
        if answer is None:
            return []
        asked = answer.asked
        first = self._decoder.unwrapped(asked.stream, asked.first_sample)
        if first is None:
            return []
        stop = first + asked.n_samples
        held = (
            first + (answer.held_first - asked.first_sample) % SAMPLE_MODULUS if answer.held_count else stop
        )
        before, behind = (first, held), (held + answer.held_count, stop)
        return [*self._decoder.give_up(asked.stream, before), *self._decoder.give_up(asked.stream, behind)]

    def _time(self, answer: TimeAnswer) -> TimeAnswered:
        near = self._decoder.newest_us()
        received = unwrap(answer.device_received_us, near=near, modulus=TIME_MODULUS)
        sent = unwrap(answer.device_sent_us, near=received, modulus=TIME_MODULUS)
        return TimeAnswered(answer.host_sent_ns, received, sent)

    def _described(self, described: CapabilityPart) -> Sequence[ReceiverEvent]:
        """Put the description together; another boot id in it ends the count."""
        known = b"" if described.offset == 0 else self._description
        if described.offset != len(known):
            raise SensorFault(f"part at {described.offset} came, not at {len(known)}", clause="6.6")
        self._description = known + described.data
        if len(self._description) < described.total_size:
            return []
        description, self._description = self._description, b""
        boot_id = Capabilities.from_bytes(description).boot_id
        if boot_id == self._boot_id:
            return []
        self._boot_id = boot_id
        return [*self._decoder.restart(), Rebooted(boot_id)]

    def _status(self, indication: bytes) -> Sequence[ReceiverEvent]:
        status = read_status(indication)
        if status is None:
            return []
        events: list[ReceiverEvent] = [StatusReceived(status)]
        if isinstance(status, DroppedOnDevice):
            first = self._decoder.unwrapped(status.stream, status.first_sample)
            if first is not None:
                events += self._decoder.give_up(status.stream, (first, first + status.n_samples))
        return events

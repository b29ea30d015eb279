"""A machine measures prepared samples as its clock goes on: what a virtual sensor has for a converter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from emgmon.virtual.firmware_stream import exact_rate_uhz, sample_at, samples_until
from emgmon.virtual.machine import SensorMachine
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.packets import HEADER_SIZE, SAMPLE_MODULUS, PacketFlag, PacketHeader

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

LOOK_US = 100_000
"""A sensor without a ring has to look at its clock at least this often, or it loses samples."""


@runtime_checkable
class _Bulk(Protocol):
    """A machine that can give all its packets at once."""

    def packets(self, *, payload_size: int) -> list[bytes]: ...


@dataclass(slots=True)
class _Source:
    """One stream's prepared samples, and how far they are."""

    samples: "StreamSamples"
    rate_uhz: int
    first: int = 0
    """Number, not wrapped, of the first of them."""
    n_taken: int = 0
    n_sent: int = 0
    """Every sample before this one was sent, or is not waiting to be."""

    @property
    def all_taken(self) -> bool:
        return self.n_taken == len(self.samples.counts)

    @property
    def n_waiting_bytes(self) -> int:
        return max(0, self.n_taken - self.n_sent) * self.samples.stream.sample_size


class Measuring:
    """A sensor whose samples exist beforehand. START begins with the first of them, after STOP anew.

    Parameters
    ----------
    machine
        Just switched on.
    capabilities
        What the machine says about itself.
    streams
        What it measures from START on, whether or not anyone listens.
    """

    def __init__(
        self, machine: SensorMachine, capabilities: Capabilities, streams: Sequence["StreamSamples"]
    ) -> None:
        self.machine = machine
        self._bulk = machine if isinstance(machine, _Bulk) else None
        self._sources = {
            samples.stream.number: _Source(samples, exact_rate_uhz(samples.stream)) for samples in streams
        }
        self._look_us = max(capabilities.ring_ms * 500, LOOK_US)
        self._looked_us = 0
        self._sampling = False
        self._idle = True

    @property
    def streaming(self) -> bool:
        """Whether packets leave or will leave."""
        return self.machine.streaming

    @property
    def finished(self) -> bool:
        """Whether streaming goes on but every sample there was has been sent, and nothing waits."""
        return self.streaming and self._idle and self._all_taken

    @property
    def _all_taken(self) -> bool:
        return all(source.all_taken for source in self._sources.values())

    def respond(self, written: bytes, *, payload_size: int, notifying: bool, now_us: int) -> bytes:
        """Obey what was written to the control point, with everything measured that can be asked for."""
        if not self.streaming or written[:1] == bytes([Opcode.RESEND]):
            self.measure(now_us)
        answer = self.machine.respond(written, payload_size=payload_size, notifying=notifying, now_us=now_us)
        response = Response.from_bytes(answer)
        if response.status == Status.OK:
            self._follow(response, now_us)
        return answer

    def _follow(self, response: Response, now_us: int) -> None:
        if response.opcode == Opcode.START:
            self._begin(Started.from_bytes(response.payload), now_us)
        elif response.opcode == Opcode.STOP:
            self._sampling = False
        elif response.opcode == Opcode.RESEND:
            self._idle = False

    def _begin(self, started: Started, now_us: int) -> None:
        """Lay the prepared samples on the numbers of START, unless they are being measured already."""
        for start in started.streams:
            source = self._sources[start.stream]
            first = _unwrapped(start.first_sample, near=sample_at(now_us, source.rate_uhz))
            if not self._sampling:
                n_before = sample_at(source.samples.first_time_us, source.rate_uhz)
                source.first, source.n_taken = first + n_before, 0
                if n_before:
                    self.machine.skip(start.stream, n_before)
            source.n_sent = first - source.first
        self._looked_us = now_us
        self._sampling, self._idle = True, False

    def measure(self, now_us: int) -> None:
        """Take every sample whose time has come."""
        if not self._sampling:
            return
        for number, source in self._sources.items():
            counts = source.samples.counts
            end = min(samples_until(now_us, source.rate_uhz) - source.first, len(counts))
            if end > source.n_taken:
                self.machine.take(number, counts[source.n_taken : end])
                source.n_taken = end

    def left(self) -> tuple["StreamSamples", ...]:
        """Give the samples that were not measured yet, for a machine that is switched on next."""
        return tuple(
            replace(source.samples, counts=source.samples.counts[source.n_taken if self._sampling else 0 :])
            for source in self._sources.values()
        )

    def packets_due(self, now_us: int, *, payload_size: int, limit: int | None = None) -> list[bytes]:
        """Measure until now, and give what is ready to be sent.

        Parameters
        ----------
        limit
            How many packets the radio takes; the others wait.
        """
        packets: list[bytes] = []
        for moment_us in self._looks(now_us):
            self.measure(moment_us)
            packets += self._fetch(payload_size, None if limit is None else limit - len(packets))
        return packets

    def _looks(self, now_us: int) -> Iterator[int]:
        """Look at the clock often enough, however long nobody called: what is due must leave in time."""
        while self.streaming and self._looked_us + self._look_us < now_us and not self._all_taken:
            self._looked_us += self._look_us
            yield self._looked_us
        self._looked_us = now_us
        yield now_us

    def _fetch(self, payload_size: int, limit: int | None) -> list[bytes]:
        if limit is None and self._bulk is not None:
            packets = self._bulk.packets(payload_size=payload_size)
        else:
            packets = list(islice(self._one_by_one(payload_size), limit))
        self._note_sent(packets)
        self._idle = limit is None or len(packets) < limit
        if self._idle and self._all_taken:
            packets += self._rest(payload_size)
        return packets

    def _one_by_one(self, payload_size: int) -> Iterator[bytes]:
        while (packet := self.machine.next_packet(payload_size=payload_size)) is not None:
            yield packet

    def _note_sent(self, packets: list[bytes]) -> None:
        """Find in the last packet of every stream how far it is."""
        unseen = set(self._sources)
        for packet in reversed(packets):
            header = PacketHeader.from_bytes(packet)
            if header.stream in unseen and not header.flags & PacketFlag.RETRANSMITTED:
                unseen.remove(header.stream)
                source = self._sources[header.stream]
                first = _unwrapped(header.first_sample, near=source.first + source.n_sent)
                source.n_sent = first + header.n_samples - source.first
            if not unseen:
                return

    def _rest(self, payload_size: int) -> list[bytes]:
        """Send the samples that would wait for ever for others to fill their packet."""
        packets = []
        while sizes := [size for source in self._sources.values() if (size := source.n_waiting_bytes)]:
            # A packet is due when it is full: one with less room is full with what is left.
            room = min(payload_size, HEADER_SIZE + min(sizes))
            packet = self.machine.next_packet(payload_size=room)
            if packet is None:
                break
            packets.append(packet)
            self._note_sent([packet])
        return packets


def _unwrapped(number: int, *, near: int) -> int:
    return near + (number - near + SAMPLE_MODULUS // 2) % SAMPLE_MODULUS - SAMPLE_MODULUS // 2

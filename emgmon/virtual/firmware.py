"""The sensor's firmware as a machine turned by hand: requests and time in, responses and packets out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities, Stream
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
from firmware_protocol.packets import (
    HEADER_SIZE,
    SAMPLE_MODULUS,
    PackedNotifications,
    pack_stream,
    sample_time_us,
    samples_per_packet,
)

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

PACKET_SPAN_S = 0.02
"""A packet is sent at the latest when it holds this much time, full or not: a slow stream stays prompt."""


@dataclass(slots=True)
class _Playback:
    """One stream on its way out."""

    packets: PackedNotifications
    due_us: NDArray[np.int64]
    """Shape (n_packets,), device time at which the last sample of each packet is taken."""
    n_sent: int = 0


class Firmware:
    """What a sensor does, without its radio and without its clock. Clauses are those of SPEC.md.

    Parameters
    ----------
    capabilities
        What it says about itself.
    streams
        The samples that it will measure, from the moment of START on.
    """

    def __init__(self, capabilities: Capabilities, streams: Sequence["StreamSamples"]) -> None:
        self._description = capabilities.to_bytes()
        self._streams = streams
        self._chance = random.Random(capabilities.boot_id)
        self._next_sequence = dict.fromkeys((samples.stream.number for samples in streams), 0)
        self._playbacks: list[_Playback] | None = None

    @property
    def streaming(self) -> bool:
        """Whether START was obeyed and no STOP has come since."""
        return self._playbacks is not None

    @property
    def finished(self) -> bool:
        """Whether streaming goes on but every sample there was has been sent."""
        playbacks = self._playbacks
        return playbacks is not None and all(play.n_sent == len(play.due_us) for play in playbacks)

    def disconnect(self) -> None:
        """Stop sending: the host has gone (2.8)."""
        self._playbacks = None

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
        if request.opcode == Opcode.GET_CAPABILITIES:
            response = self._describe(request, payload_size)
        elif request.opcode == Opcode.START:
            response = self._start(request, payload_size, now_us, notifying=notifying)
        elif request.opcode == Opcode.STOP:
            response = self._stop(request)
        else:
            response = _answer(request, Status.UNKNOWN_OPCODE)
        return response.to_bytes()

    def packets_due(self, now_us: int) -> list[bytes]:
        """Every packet whose last sample is taken by now and that was not sent yet, in order of that time."""
        due: list[tuple[int, bytes]] = []
        for play in self._playbacks or ():
            end = int(np.searchsorted(play.due_us, now_us, side="right"))
            offsets = play.packets.offsets
            due += (
                (int(play.due_us[i]), play.packets.data[offsets[i] : offsets[i + 1]].tobytes())
                for i in range(play.n_sent, end)
            )
            play.n_sent = max(play.n_sent, end)
        return [packet for _, packet in sorted(due, key=lambda item: item[0])]

    def _describe(self, request: Request, payload_size: int) -> Response:
        try:
            offset = capability_offset(request.payload)
            part = capability_part(self._description, offset=offset, payload_size=payload_size)
        except HostFault:
            return _answer(request, Status.BAD_PAYLOAD)
        return _answer(request, Status.OK, part.to_bytes())

    def _start(self, request: Request, payload_size: int, now_us: int, *, notifying: bool) -> Response:
        if request.payload:
            return _answer(request, Status.BAD_PAYLOAD)
        if self.streaming or not notifying:
            return _answer(request, Status.WRONG_STATE)
        start_us = self._next_common_moment(now_us)
        first_samples = [_first_sample(samples, start_us) for samples in self._streams]
        started = self._started(start_us, first_samples)
        response = _answer(request, Status.OK, started.to_bytes())
        largest_sample = max(HEADER_SIZE + samples.stream.sample_size for samples in self._streams)
        needed = max(largest_sample, len(response.to_bytes()))
        if needed > payload_size:
            return mtu_too_small(request, needed_mtu=needed + ATT_OVERHEAD)
        pairs = zip(self._streams, first_samples, strict=True)
        self._playbacks = [self._playback(samples, first, payload_size) for samples, first in pairs]
        return response

    def _next_common_moment(self, now_us: int) -> int:
        """When START takes effect: the next sample of the slowest stream, so that all begin together."""
        rate_hz = min(samples.stream.rate_hz for samples in self._streams)
        return sample_time_us(_sample_at(now_us, rate_hz), rate_hz=rate_hz)

    def _started(self, start_us: int, first_samples: Sequence[int]) -> Started:
        starts = (
            StreamStart(
                samples.stream.number,
                first % SAMPLE_MODULUS,
                sample_time_us(first, rate_hz=samples.stream.rate_hz),
            )
            for samples, first in zip(self._streams, first_samples, strict=True)
        )
        return Started(self._chance.getrandbits(32), start_us, tuple(starts))

    def _playback(self, samples: "StreamSamples", first_sample: int, payload_size: int) -> _Playback:
        """Cut a stream into packets of the size that fits, or of the span that may pass."""
        stream = samples.stream
        packets = pack_stream(
            samples.counts,
            stream=stream.number,
            sample_format=stream.sample_format,
            rate_hz=stream.rate_hz,
            first_sample=first_sample,
            first_sequence=self._next_sequence[stream.number],
            samples_per_packet=_packet_length(stream, payload_size),
        )
        self._next_sequence[stream.number] += len(packets.first_samples)
        last_samples = packets.first_samples + packets.n_samples - 1
        return _Playback(packets, np.ceil(last_samples * 1e6 / stream.rate_hz).astype(np.int64))

    def _stop(self, request: Request) -> Response:
        if request.payload:
            return _answer(request, Status.BAD_PAYLOAD)
        self._playbacks = None
        return _answer(request, Status.OK)


def _answer(request: Request, status: Status, payload: bytes = b"") -> Response:
    return Response(request.opcode, request.transaction, status, payload)


def _sample_at(time_us: int, rate_hz: float) -> int:
    """Find the first sample not before a moment; sample 0 is taken at device time 0 (5.2)."""
    rate_uhz = round(rate_hz * 1e6)
    return -(-time_us * rate_uhz // 10**12)


def _first_sample(samples: "StreamSamples", start_us: int) -> int:
    return _sample_at(start_us + samples.first_time_us, samples.stream.rate_hz)


def _packet_length(stream: Stream, payload_size: int) -> int:
    fits = samples_per_packet(
        payload_size=payload_size, n_channels=len(stream.channels), sample_format=stream.sample_format
    )
    return min(fits, max(1, round(stream.rate_hz * PACKET_SPAN_S)))

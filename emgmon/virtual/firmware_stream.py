"""One stream of a sensor: its ring, what of it waits to be sent, and how that is cut into packets."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.ring import Ring
from firmware_protocol.capabilities import Stream
from firmware_protocol.packets import (
    HEADER_DTYPE,
    HEADER_SIZE,
    MAX_SAMPLES_PER_PACKET,
    PROTOCOL_MAJOR,
    SAMPLE_MODULUS,
    SEQUENCE_MODULUS,
    PacketFlag,
    SampleFormat,
    encode_samples,
)

PACKET_SPAN_S = 0.02
"""A packet is sent at the latest when it holds this much time, full or not: a slow stream stays prompt."""

LARGEST_PAYLOAD = 512
"""An attribute is no longer than this, whatever ATT_MTU says (SPEC 2.6)."""

_UHZ_OF_A_SPAN = round(1e6 / PACKET_SPAN_S)
_US_UHZ = 10**12
"""Microseconds in a second, times microhertz in a hertz."""
_WORTH_WHILE = 8
"""So many packets are written faster together than one by one."""
_HEADER = struct.Struct("<BBHIIHBB")
"""As HEADER_DTYPE, for one packet."""
_INT16 = np.dtype("<i2")
_GAP_BEFORE = int(PacketFlag.GAP_BEFORE)


def exact_rate_uhz(stream: Stream) -> int:
    """Rate in microhertz, as announced: whole, so that times can be computed without rounding on the way."""
    return round(stream.rate_hz * 1e6)


def sample_time_us(sample: int, rate_uhz: int) -> int:
    """Device time of a sample, rounded half up (SPEC 5.3)."""
    return (2 * sample * _US_UHZ + rate_uhz) // (2 * rate_uhz)


def sample_at(time_us: int, rate_uhz: int) -> int:
    """Find the first sample not before a moment; sample 0 is taken at device time 0 (SPEC 5.2)."""
    return -(-time_us * rate_uhz // _US_UHZ)


def samples_until(time_us: int, rate_uhz: int) -> int:
    """Count the samples taken until a moment, including it: the number of the one to be taken next."""
    return time_us * rate_uhz // _US_UHZ + 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Samples that become one packet."""

    first: int
    n_samples: int


class OutgoingStream:
    """Samples of one stream between the converter and the radio.

    Parameters
    ----------
    stream
        What it carries.
    ring_ms
        How long a sample can be sent again at least.
    """

    def __init__(self, stream: Stream, *, ring_ms: int) -> None:
        self.stream = stream
        self._number = stream.number
        self._version_format = PROTOCOL_MAJOR << 4 | int(stream.sample_format)
        self._lengths: dict[int, int] = {}
        self.rate_uhz = exact_rate_uhz(stream)
        capacity = -(-ring_ms * self.rate_uhz // 10**9)
        # Even a sensor without a ring has somewhere to put the samples of its next packet.
        self.ring = Ring(max(capacity, MAX_SAMPLES_PER_PACKET), stream.sample_size)
        self.cursor: int | None = None
        """Number of the sample to be sent next; None while nothing is sent."""
        self._sequence = 0
        self._overrun = False

    def take(self, values: NDArray[np.generic], flags: int) -> tuple[int, int]:
        """Hold samples of shape (n_samples, n_channels); the numbers that were lost, as first and end."""
        beyond = None
        if self.stream.sample_format is SampleFormat.FLOAT32:
            values, beyond = _without_infinities(values)
        self.ring.put(_encoded(values, self.stream), flags, beyond=beyond)
        return self._overtaken()

    def skip(self, n_samples: int) -> tuple[int, int]:
        """Count samples that are missing. Returns the numbers that were lost, as first and end."""
        self.ring.skip(n_samples)
        return self._overtaken()

    def _overtaken(self) -> tuple[int, int]:
        """Let go of what was overwritten before anyone fetched it."""
        if self.cursor is None or self.cursor >= self.ring.oldest:
            return 0, 0
        lost = self.cursor, self.ring.oldest
        self.cursor, self._overrun = self.ring.oldest, True
        return lost

    def start(self, first_sample: int) -> None:
        """Send from this sample on."""
        self.cursor, self._overrun = first_sample, False
        self._overtaken()

    def packet_length(self, payload_size: int) -> int:
        """Count the samples of a full packet; 0 where not even one fits."""
        known = self._lengths.get(payload_size)
        if known is not None:
            return known
        fits = (min(payload_size, LARGEST_PAYLOAD) - HEADER_SIZE) // self.stream.sample_size
        prompt = max(1, (2 * self.rate_uhz + _UHZ_OF_A_SPAN) // (2 * _UHZ_OF_A_SPAN))
        length = self._lengths[payload_size] = max(0, min(fits, prompt, MAX_SAMPLES_PER_PACKET))
        return length

    def due(self, payload_size: int) -> Cut | None:
        """Give the next packet for the first time, if it is complete."""
        length = self.packet_length(payload_size)
        if self.cursor is None or length == 0 or self.cursor >= self.ring.head:
            return None
        first, end = self.ring.held_part(self.cursor, self.cursor + length)
        while first == end < self.ring.head:
            first, end = self.ring.held_part(end, end + length)
        if first == end:
            return None
        n_samples, complete = self.ring.run(first, length)
        return Cut(first, n_samples) if complete else None

    def due_us(self, cut: Cut) -> int:
        """Tell when the last sample of a packet was taken."""
        return sample_time_us(cut.first + cut.n_samples - 1, self.rate_uhz)

    def send(self, cut: Cut) -> bytes:
        """Write a packet for the first time."""
        flags = _GAP_BEFORE if self._overrun else 0
        self.cursor, self._overrun = cut.first + cut.n_samples, False
        return self.write(cut.first, cut.n_samples, flags)

    def write(self, first: int, n_samples: int, flags: int) -> bytes:
        """Write a packet with these flags and those of its samples."""
        time_us = sample_time_us(first, self.rate_uhz)
        header = _HEADER.pack(
            self._version_format,
            self._number,
            self._sequence,
            first % SAMPLE_MODULUS,
            time_us & 0xFFFFFFFF,
            time_us >> 32 & 0xFFFF,
            n_samples,
            flags | self.ring.flags(first, first + n_samples),
        )
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULUS
        return header + self.ring.rows(first, first + n_samples).tobytes()

    def send_plain(self, payload_size: int) -> tuple[list[int], list[bytes]]:
        """Write every full packet at once where no flag has to be looked at.

        Returns
        -------
        tuple
            When the last sample of each packet was taken, microseconds, and the packets; none when a flag is
            in the way.
        """
        length = self.packet_length(payload_size)
        if self.cursor is None or length == 0 or self._overrun:
            return [], []
        n_packets = (self.ring.head - self.cursor) // length
        end = self.cursor + n_packets * length
        if n_packets < _WORTH_WHILE or not self.ring.is_plain(self.cursor):
            return [], []
        rows = self.ring.rows(self.cursor, end).reshape(n_packets, -1)
        headers = self._headers(self.cursor, n_packets, length).view(np.uint8).reshape(n_packets, HEADER_SIZE)
        size = HEADER_SIZE + rows.shape[1]
        joined = np.concatenate((headers, rows), axis=1).tobytes()
        due_us = self._times_us(self.cursor + length - 1, n_packets, length)
        self.cursor = end
        return due_us.tolist(), [joined[i : i + size] for i in range(0, len(joined), size)]

    def _headers(self, first: int, n_packets: int, n_samples: int) -> NDArray[np.void]:
        """Headers of packets of one length that follow each other."""
        steps = np.arange(n_packets, dtype=np.int64)
        times_us = self._times_us(first, n_packets, n_samples)
        headers = np.zeros(n_packets, HEADER_DTYPE)
        headers["version_format"] = self._version_format
        headers["stream"] = self.stream.number
        headers["sequence"] = (self._sequence + steps) % SEQUENCE_MODULUS
        headers["first_sample"] = (first + n_samples * steps) % SAMPLE_MODULUS
        headers["time_low"] = times_us & 0xFFFFFFFF
        headers["time_high"] = (times_us >> 32) & 0xFFFF
        headers["n_samples"] = n_samples
        self._sequence = (self._sequence + n_packets) % SEQUENCE_MODULUS
        return headers

    def _times_us(self, first: int, n_packets: int, n_samples: int) -> NDArray[np.int64]:
        """Give the times of every `n_samples`-th sample, as exact as `sample_time_us`."""
        # Only what comes after the first is computed in 64 bits: it stays far from their end.
        whole, rest = divmod(2 * first * _US_UHZ + self.rate_uhz, 2 * self.rate_uhz)
        later = np.arange(n_packets, dtype=np.int64) * (2 * n_samples * _US_UHZ)
        return whole + (rest + later) // (2 * self.rate_uhz)


def _encoded(values: NDArray[Any], stream: Stream) -> NDArray[np.uint8]:
    """Write samples; shape (n_samples, sample_size)."""
    if stream.sample_format is SampleFormat.INT16 and values.dtype == _INT16 and len(values):
        # The usual case: as they are, they cannot but fit.
        return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), stream.sample_size)
    return encode_samples(values, stream.sample_format)


def _without_infinities(values: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Make infinities missing (SPEC 4.12); the samples that had one, None when none had."""
    with np.errstate(over="ignore"):
        floats = np.array(values, np.float32)
    infinite = np.isinf(floats)
    if not infinite.any():
        return floats, None
    floats[infinite] = np.nan
    return floats, np.asarray(infinite.any(axis=1))

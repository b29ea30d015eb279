"""A performance becomes the recording that a host would have made of it, with its truth beside it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from emgmon import __version__
from emgmon.clock import ManualClock
from emgmon.errors import SimulationError
from emgmon.events import Notification, NotificationBatch, NotificationKind
from emgmon.recording.columns import from_notifications, join
from emgmon.recording.files import written_beside
from emgmon.recording.format import RecordingHeader, sensor_header
from emgmon.recording.writer import complete_or_nothing
from emgmon.virtual.athlete import Performance, StreamSamples
from emgmon.virtual.chance import generator
from emgmon.virtual.firmware import PACKET_SPAN_S
from emgmon.virtual.truth import LossTruth, Truth, truth_path
from firmware_protocol.capabilities import Stream
from firmware_protocol.control import Opcode, Response, Started, Status, StreamStart
from firmware_protocol.packets import PackedNotifications, pack_stream, samples_per_packet

PAYLOAD_BYTES = 244
"""What one notification carries after the usual negotiation: ATT_MTU 247 less 3."""

UPTIME_US = 12_345_678
"""The sensor has been on for this long when the host says START."""

LATENCY_NS = 8_000_000
"""From a packet's last sample to its arrival, at least: half a connection interval and the radio."""

JITTER_NS = 4_000_000
"""Mean of what comes on top, exponentially distributed."""

BATCH_NS = 1_000_000_000
"""The recording's batches cover this much time, so that damage to one costs a second."""

LARGEST_LOSS_PCT = 90.0
"""With more than this lost there is nothing left to analyse."""


@dataclass(frozen=True, slots=True, eq=False)
class Transmission:
    """What arrived at the host, and what did not."""

    sent: NotificationBatch
    """The response to START, then every data packet, stream after stream."""
    order: NDArray[np.int64]
    """Rows of `sent` that arrived, in order of arrival."""
    lost: tuple[LossTruth, ...]

    def seconds(self) -> Iterator[NotificationBatch]:
        """Everything that arrived, cut at whole multiples of `BATCH_NS` of arrival time."""
        number = self.sent.arrival_ns[self.order] // BATCH_NS
        starts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
        for first, last in itertools.pairwise([*starts, len(self.order)]):
            yield _select(self.sent, self.order[first:last])


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """One stream's packets and when each would arrive."""

    packets: PackedNotifications
    arrival_ns: NDArray[np.int64]
    arrived: NDArray[np.bool_]


def transmit(performance: Performance, *, loss_pct: float = 0.0, seed: int = 0) -> Transmission:
    """Send a performance over an imagined radio.

    The response to START comes first. Packets arrive when their last sample exists plus latency and
    jitter, each stream in its own order.

    Parameters
    ----------
    performance
        What to send.
    loss_pct
        Chance of each data notification to be lost, percent.
    seed
        Of jitter and loss.

    Raises
    ------
    SimulationError
        When `loss_pct` is not within 0 to `LARGEST_LOSS_PCT`.
    """
    if not 0.0 <= loss_pct <= LARGEST_LOSS_PCT:
        raise SimulationError(
            f"loss_pct is {loss_pct:g} %, outside what can be simulated",
            advice=f"Give a value from 0 to {LARGEST_LOSS_PCT:g} %.",
        )
    sent = [_send(samples, loss_pct=loss_pct, seed=seed) for samples in performance.streams]
    everything = join([_start_response(performance), *(_columns(stream) for stream in sent)])
    arrived = np.flatnonzero(np.concatenate([[True], *(stream.arrived for stream in sent)]))
    order = arrived[np.argsort(everything.arrival_ns[arrived], kind="stable")]
    lost = tuple(
        _count_lost(samples, stream) for samples, stream in zip(performance.streams, sent, strict=True)
    )
    return Transmission(everything, order, lost)


def write_recording(
    performance: Performance, path: Path, *, loss_pct: float = 0.0, seed: int = 0, replace: bool = False
) -> Truth:
    """Write the recording of a performance and its truth beside it.

    Equal arguments give equal bytes. Nothing is left behind when either file cannot be written.

    Returns
    -------
    Truth
        As written: with what was lost.
    """
    header, clock = _header(performance), ManualClock()
    with (
        written_beside(truth_path(path), replace=replace) as truth_part,
        complete_or_nothing(path, header, clock=clock, replace=replace) as writer,
    ):
        transmission = transmit(performance, loss_pct=loss_pct, seed=seed)
        for piece in transmission.seconds():
            writer.append_many(piece)
        truth = msgspec.structs.replace(performance.truth, lost=transmission.lost)
        truth_part.write_bytes(truth.to_json())
    return truth


def _header(performance: Performance) -> RecordingHeader:
    return RecordingHeader(
        app_version=__version__,
        origin="simulation",
        exercise=performance.exercise,
        sensors=(sensor_header(performance.capabilities),),
        calibration=performance.calibration,
        reference=performance.reference,
        alignments=performance.alignments,
        notes=("Made by the virtual athlete; no person was measured.",),
    )


def _start_response(performance: Performance) -> NotificationBatch:
    """Give the first thing that the host hears."""
    starts = tuple(
        StreamStart(samples.stream.number, 0, UPTIME_US + samples.first_time_us)
        for samples in performance.streams
    )
    started = Started(session_id=1, time_us=UPTIME_US, streams=starts)
    response = Response(Opcode.START, transaction=1, status=Status.OK, payload=started.to_bytes())
    return from_notifications([Notification(0, 0, NotificationKind.CONTROL, response.to_bytes())])


def _send(samples: StreamSamples, *, loss_pct: float, seed: int) -> _Sent:
    stream = samples.stream
    packets = pack_stream(
        samples.counts,
        stream=stream.number,
        sample_format=stream.sample_format,
        rate_hz=stream.rate_hz,
        time_us_of_sample_zero=UPTIME_US + samples.first_time_us,
        samples_per_packet=_packet_samples(stream),
    )
    n_packets = len(packets.first_samples)
    complete_s = (packets.first_samples + packets.n_samples) / stream.rate_hz
    chance = generator(seed, "air", stream.number)
    late_ns = LATENCY_NS + JITTER_NS * chance.standard_exponential(n_packets)
    arrival_ns = np.rint(1e9 * complete_s + 1e3 * samples.first_time_us + late_ns).astype(np.int64)
    arrived = chance.uniform(0.0, 100.0, n_packets) >= loss_pct
    return _Sent(packets, np.maximum.accumulate(arrival_ns), arrived)


def _packet_samples(stream: Stream) -> int:
    """As many samples as fit, but no more than may wait for each other."""
    fits = samples_per_packet(
        payload_size=PAYLOAD_BYTES, n_channels=len(stream.channels), sample_format=stream.sample_format
    )
    return min(fits, max(1, round(stream.rate_hz * PACKET_SPAN_S)))


def _columns(sent: _Sent) -> NotificationBatch:
    n_packets = len(sent.arrival_ns)
    return NotificationBatch(
        arrival_ns=sent.arrival_ns,
        sensor=np.zeros(n_packets, dtype=np.uint8),
        kind=np.full(n_packets, NotificationKind.DATA, dtype=np.uint8),
        data=sent.packets.data,
        offsets=sent.packets.offsets,
    )


def _count_lost(samples: StreamSamples, sent: _Sent) -> LossTruth:
    lost = ~sent.arrived
    return LossTruth(samples.stream.number, int(lost.sum()), int(sent.packets.n_samples[lost].sum()))


def _select(batch: NotificationBatch, order: NDArray[np.int64]) -> NotificationBatch:
    """Take rows in any order, payloads copied."""
    lengths = np.diff(batch.offsets)[order]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    source = np.arange(offsets[-1]) + np.repeat(batch.offsets[order] - offsets[:-1], lengths)
    return NotificationBatch(
        arrival_ns=batch.arrival_ns[order],
        sensor=batch.sensor[order],
        kind=batch.kind[order],
        data=batch.data[source],
        offsets=offsets,
    )

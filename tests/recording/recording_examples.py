"""Small recordings whose content follows from their row numbers."""

from pathlib import Path

import numpy as np

from emgmon.clock import ManualClock
from emgmon.events import Notification, NotificationBatch, NotificationKind
from emgmon.recording.format import RecordingHeader, sensor_header
from emgmon.recording.writer import RecordingWriter
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode, Response, Started, Status, StreamStart
from firmware_protocol.packets import DataPacket, PacketFlag, SampleFormat

RATE_HZ = 100.0
SAMPLES_PER_PACKET = 5


def capabilities() -> Capabilities:
    channels = tuple(
        Channel(Quantity.EMG, site, "left", None, Unit.MICROVOLT, 0.5)
        for site in ("gluteus_maximus", "erector_spinae")
    )
    return Capabilities(
        0, 7, "test sensor", 0, (Stream(1, StreamKind.EMG, SampleFormat.INT16, RATE_HZ, channels),)
    )


def header(**changes: object) -> RecordingHeader:
    fields = {
        "app_version": "0.test",
        "origin": "live",
        "sensors": (sensor_header(capabilities()),),
    } | changes
    return RecordingHeader(**fields)  # type: ignore[arg-type]


def start_response() -> Notification:
    started = Started(1, 0, (StreamStart(1, 0, 0),))
    payload = Response(Opcode.START, 0, Status.OK, started.to_bytes()).to_bytes()
    return Notification(0, 0, NotificationKind.CONTROL, payload)


def data_row(number: int) -> Notification:
    """Packet number 0, 1, 2 ... of the only stream; its arrival is the time of its last sample."""
    first = number * SAMPLES_PER_PACKET
    values = np.arange(first * 2, (first + SAMPLES_PER_PACKET) * 2, dtype=np.int64).reshape(-1, 2)
    packet = DataPacket(
        stream=1,
        sequence=number,
        first_sample=first,
        time_us=round(first / RATE_HZ * 1e6),
        sample_format=SampleFormat.INT16,
        flags=PacketFlag(0),
        values=(values % 30_000).astype(np.int16),
    )
    arrival_ns = round((first + SAMPLES_PER_PACKET - 1) / RATE_HZ * 1e9)
    return Notification(arrival_ns, 0, NotificationKind.DATA, packet.to_bytes())


def session_rows(n_packets: int) -> list[Notification]:
    return [start_response(), *(data_row(number) for number in range(n_packets))]


def write(path: Path, rows: list[Notification], *, rows_per_batch: int = 10, **changes: object) -> list[int]:
    """Write a recording with batches of a known size; returns where each batch ends in the file."""
    clock = ManualClock()
    ends = []
    with RecordingWriter(path, header(**changes), clock=clock) as writer:
        for start in range(0, len(rows), rows_per_batch):
            for row in rows[start : start + rows_per_batch]:
                writer.append(row)
            clock.advance_s(0.25)
            writer.tick()
            ends.append(writer.part.stat().st_size)
    return ends


def same(batch: NotificationBatch, rows: list[Notification]) -> bool:
    return (
        batch.arrival_ns.tolist() == [row.arrival_ns for row in rows]
        and batch.sensor.tolist() == [row.sensor for row in rows]
        and batch.kind.tolist() == [row.kind for row in rows]
        and [batch.data[a:b].tobytes() for a, b in zip(batch.offsets[:-1], batch.offsets[1:], strict=True)]
        == [row.payload for row in rows]
    )

"""Writes the conformance vectors with our own encoder: ``python -m firmware_protocol.vectors.make``."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import (
    CapabilityPart,
    Opcode,
    Request,
    Response,
    Started,
    Status,
    StreamStart,
    capability_part,
    capability_request,
    mtu_too_small,
)
from firmware_protocol.decoder import Decoder, DecoderEvent, Reject, SampleBlock
from firmware_protocol.packets import DataPacket, PacketFlag, Sample, SampleFormat

SPEC_VERSION = "1.0"
VECTOR_FOLDER = Path(__file__).parent

Json: TypeAlias = dict[str, Any]

NO_FLAGS = PacketFlag(0)


def example_sensor() -> Capabilities:
    """Describe a belt with two EMG channels, a pelvis IMU and one 24-bit channel."""
    emg = tuple(
        Channel(Quantity.EMG, site, side, None, Unit.MICROVOLT, 0.25)
        for site, side in (("gluteus_maximus", "left"), ("erector_spinae", "right"))
    )
    motion = tuple(
        Channel(quantity, "pelvis", None, axis, unit, scale)
        for quantity, unit, scale in (
            (Quantity.ACCELERATION, Unit.METRE_PER_SECOND_SQUARED, 9.80665 / 2048),
            (Quantity.ANGULAR_RATE, Unit.RADIAN_PER_SECOND, 0.001),
        )
        for axis in "xyz"
    )
    fine = Channel(Quantity.EMG, "biceps_femoris", None, None, Unit.MICROVOLT, 0.02)
    plain = Channel(Quantity.EMG, "multifidus", "left", None, Unit.MICROVOLT, 1.0)
    return Capabilities(
        version_minor=0,
        boot_id=0xDEADBEEF,
        name="emgmon Gürtel",
        ring_ms=0,
        streams=(
            Stream(1, StreamKind.EMG, SampleFormat.INT16, 2000.0, emg),
            Stream(2, StreamKind.IMU, SampleFormat.INT16, 104.166667, motion),
            Stream(3, StreamKind.EMG, SampleFormat.INT24, 1000.0, (fine,)),
            Stream(200, StreamKind.EMG, SampleFormat.FLOAT32, 1000.0, (plain,)),
        ),
    )


def envelope_sensor() -> Capabilities:
    """Describe an armband that sends one muscle raw and one as an envelope, on one sample clock."""
    raw = Channel(Quantity.EMG, "gluteus_maximus", "right", None, Unit.MICROVOLT, 0.5)
    envelope = Channel(Quantity.ENVELOPE, "erector_spinae", "right", None, Unit.MICROVOLT, 0.125)
    stream = Stream(7, StreamKind.EMG, SampleFormat.INT16, 1000.0, (raw, envelope))
    return Capabilities(
        version_minor=0, boot_id=0x01020304, name="emgmon Hülle", ring_ms=0, streams=(stream,)
    )


def packet(
    values: list[list[float]],
    *,
    stream: int = 1,
    sequence: int = 0,
    first_sample: int = 0,
    time_us: int = 0,
    sample_format: SampleFormat = SampleFormat.INT16,
    flags: PacketFlag = NO_FLAGS,
) -> bytes:
    """Encode one packet."""
    dtype = (np.int16, np.int32, np.float32)[sample_format]
    samples: NDArray[Sample] = np.array(values, dtype)
    return DataPacket(stream, sequence, first_sample, time_us, sample_format, flags, samples).to_bytes()


def packets_file() -> Json:
    """Make packets, each on its own (SPEC 4)."""
    nan = float("nan")
    int24, float32 = SampleFormat.INT24, SampleFormat.FLOAT32
    example = packet(
        [[1, -1], [256, -32768]],
        sequence=258,
        first_sample=100_000,
        time_us=50_000_000,
        flags=PacketFlag.SATURATED,
    )
    last = packet([[7]], stream=255, sequence=65535, first_sample=2**32 - 1, time_us=2**48 - 1)
    floats = packet([[0.5, nan], [-0.0, -1e-3]], stream=200, sample_format=float32)
    named = (
        ("the example of clause 4.13", example, 2),
        ("24-bit extremes", packet([[-(2**23)], [-1], [0], [2**23 - 1]], stream=3, sample_format=int24), 1),
        ("float32 with a missing sample", floats, 2),
        ("every counter at its end", last, 1),
        ("255 samples", packet([[i - 128] for i in range(255)], flags=PacketFlag.LEAD_OFF), 1),
        ("reserved flags are ignored", example[:15] + b"\xe4" + example[16:], 2),
    )
    return {
        "spec": SPEC_VERSION,
        "vectors": [
            {"name": name, "n_channels": n, "hex": data.hex(), "meaning": packet_meaning(data, n_channels=n)}
            for name, data, n in named
        ],
        "faults": [
            {"name": name, "n_channels": n, "hex": data.hex(), "clause": clause}
            for name, data, n, clause in faulty_packets(example)
        ],
    }


def faulty_packets(example: bytes) -> tuple[tuple[str, bytes, int, str], ...]:
    """Damage the example of two channels: name, bytes, number of channels, clause."""
    return (
        ("no bytes", b"", 2, "4.1"),
        ("a header cut short", example[:15], 2, "4.1"),
        ("major version 2", b"\x20" + example[1:], 2, "3.2"),
        ("sample format 3", b"\x13" + example[1:], 2, "4.2"),
        ("no samples", example[:14] + b"\0" + example[15:16], 2, "4.7"),
        ("a byte too few", example[:-1], 2, "4.10"),
        ("a byte too many", example + b"\0", 2, "4.10"),
        ("another number of channels", example, 3, "4.10"),
    )


def capabilities_file() -> Json:
    """Make descriptions (SPEC 7)."""
    sensor = example_sensor()
    whole = sensor.to_bytes()
    longer = whole.replace(b"\x04\x04\0\0\0\0", b"\x04\x06\0\0\0\0\xaa\xbb", 1) + b"\x7f\x03abc"
    stream_at = whole.index(b"\x10\x0c\x01")
    enveloped = envelope_sensor().to_bytes()
    with_motion = enveloped.replace(b"\x10\x0c\x07\x01", b"\x10\x0c\x07\x02")
    with_motion = with_motion.replace(b"\x07\x01\x02\x00\x01", b"\x07\x02\x02\x01\x02")
    faults = (
        ("empty", b"", "7.4"),
        ("major version 2", b"\x01\x02\x02\x00" + whole[4:], "3.2"),
        ("cut inside a record", whole[:-1], "7.1"),
        ("boot id missing", whole[:4] + whole[10:], "7.3"),
        ("stream without channels", whole[: stream_at + 14], "7.8"),
        ("kind 9", whole[: stream_at + 3] + b"\x09" + whole[stream_at + 4 :], "7.8"),
        ("rate 0", whole[: stream_at + 6] + bytes(8) + whole[stream_at + 14 :], "7.8"),
        ("channel of no stream", whole + b"\x11\x0b\x63\x01\0\0\x01\0\0\x80\x3f\x01a", "7.9"),
        ("site in capitals", whole.replace(b"pelvis", b"Pelvis"), "7.10"),
        ("envelope beside acceleration", with_motion, "7.8"),
        ("envelope with an axis", enveloped.replace(b"\x07\x04\x02\x00", b"\x07\x04\x02\x01"), "7.9"),
        ("envelope in m/s²", enveloped.replace(b"\x07\x04\x02\x00\x01", b"\x07\x04\x02\x00\x02"), "7.9"),
        ("quantity 5", enveloped.replace(b"\x07\x04\x02\x00", b"\x07\x05\x02\x00"), "7.9"),
    )
    meaning = capabilities_meaning(sensor)
    return {
        "spec": SPEC_VERSION,
        "vectors": [
            {"name": "four streams", "hex": whole.hex(), "meaning": meaning},
            {"name": "unknown record, longer record", "hex": longer.hex(), "meaning": meaning},
            {
                "name": "raw EMG and an envelope in one stream",
                "hex": enveloped.hex(),
                "meaning": capabilities_meaning(envelope_sensor()),
            },
        ],
        "faults": [{"name": name, "hex": data.hex(), "clause": clause} for name, data, clause in faults],
    }


def control_file() -> Json:
    """Make requests and responses (SPEC 6)."""
    start, get = Request(Opcode.START, 2), capability_request(transaction=1, offset=250)
    part = capability_part(example_sensor().to_bytes(), offset=250, payload_size=27)
    started = example_start()
    requests = (get, start, Request(Opcode.STOP, 255), Request(0x7F, 0, b"\x01\x02"))
    responses = (
        Response(Opcode.GET_CAPABILITIES, 1, Status.OK, part.to_bytes()),
        Response(Opcode.START, 2, Status.OK, started.to_bytes()),
        mtu_too_small(start, needed_mtu=185),
        Response(Opcode.STOP, 255, Status.OK),
        Response(0x7F, 0, Status.UNKNOWN_OPCODE),
    )
    return {
        "spec": SPEC_VERSION,
        "requests": [{"hex": one.to_bytes().hex(), "meaning": exchange_meaning(one)} for one in requests],
        "responses": [
            {"hex": one.to_bytes().hex(), "meaning": exchange_meaning(one) | {"status": one.status}}
            for one in responses
        ],
        "started": [{"hex": started.to_bytes().hex(), "meaning": started_meaning(started)}],
        "capability_parts": [{"hex": part.to_bytes().hex(), "meaning": part_meaning(part)}],
        "faults": [
            {"name": "a request of one byte", "kind": "request", "hex": "02", "clause": "6.1"},
            {"name": "a request with bit 7", "kind": "request", "hex": "8201", "clause": "6.1"},
            {"name": "a response without bit 7", "kind": "response", "hex": "020100", "clause": "6.2"},
            {"name": "a response of two bytes", "kind": "response", "hex": "8201", "clause": "6.2"},
            {"name": "a stream cut off", "kind": "started", "hex": "00" * 10 + "01", "clause": "6.8"},
            {"name": "an empty part", "kind": "capability_part", "hex": "0a000000", "clause": "6.6"},
            {"name": "a part too long", "kind": "capability_part", "hex": "0200010001ff", "clause": "6.6"},
        ],
    }


def sessions_file() -> Json:
    """Make whole sessions: notifications in, events out (SPEC 5)."""
    float32 = SampleFormat.FLOAT32
    loss = (
        packet([[1, 1], [2, 2]], first_sample=1002, sequence=1, time_us=500_999),
        packet([[0] * 6], stream=2, first_sample=50, time_us=500_000),
        packet([[3, 3]], first_sample=1004, sequence=2, time_us=501_999),
        packet([[3, 3]], first_sample=1004, sequence=2, time_us=501_999, flags=PacketFlag.RETRANSMITTED),
        packet([[3, 3], [4, 4], [5, 5]], first_sample=1004, sequence=3, time_us=501_999),
        packet([[6, 6]], first_sample=8_300_000, sequence=4, time_us=0),
        packet([[6, 6]], stream=9, first_sample=1007),
        packet([[6.0, 6.0]], first_sample=1007, sample_format=float32),
        packet([[7, 7]], first_sample=1010, sequence=5, time_us=504_999, flags=PacketFlag.GAP_BEFORE),
    )
    wrap = (
        packet(
            [[1.0], [2.0]], stream=200, first_sample=2**32 - 2, time_us=2**48 - 2000, sample_format=float32
        ),
        packet([[float("nan")]], stream=200, first_sample=2**32, time_us=2**48, sample_format=float32),
        packet([[4.0]], stream=200, first_sample=2**32 + 2, time_us=2**48 + 2000, sample_format=float32),
    )
    return {
        "spec": SPEC_VERSION,
        "capabilities": example_sensor().to_bytes().hex(),
        "sessions": [
            session("loss, repetition and rejects after START", loss, example_start()),
            session("counters wrap, START response not seen", wrap, None),
        ],
    }


def example_start() -> Started:
    """Begin the first two streams of the example sensor."""
    return Started(0x01020304, 500_000, (StreamStart(1, 1000, 500_000), StreamStart(2, 50, 500_000)))


def session(name: str, notifications: Iterable[bytes], started: Started | None) -> Json:
    """Decode notification by notification and note what came of each."""
    decoder = Decoder(example_sensor())
    if started is not None:
        decoder.start(started)
    steps = [
        {"hex": data.hex(), "events": [event_meaning(event) for event in decoder.receive(data)]}
        for data in notifications
    ]
    return {"name": name, "started": started and started.to_bytes().hex(), "notifications": steps}


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


def event_meaning(event: DecoderEvent) -> Json:
    """Spell out what a decoder reports; the words of a reject are not part of the contract."""
    if isinstance(event, Reject):
        return {"event": "reject", "clause": event.clause, "n_bytes": event.n_bytes}
    if isinstance(event, SampleBlock):
        return {
            "event": "samples",
            "stream": event.stream,
            "first_sample": event.first_sample,
            "time_us": event.time_us,
            "flags": event.flags,
            "values": values_meaning(event.values),
        }
    return {
        "event": type(event).__name__.lower(),
        "stream": event.stream,
        "first_sample": event.first_sample,
        "n_samples": event.n_samples,
    }


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


def exchange_meaning(one: Request | Response) -> Json:
    """Spell out what requests and responses share."""
    return {"opcode": int(one.opcode), "transaction": one.transaction, "payload": one.payload.hex()}


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


def vector_files() -> dict[str, str]:
    """Text of every vector file by its name."""
    made = {
        "packets.json": packets_file(),
        "capabilities.json": capabilities_file(),
        "control.json": control_file(),
        "sessions.json": sessions_file(),
    }
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in made.items()}


def main() -> None:
    """Write the vector files beside this script."""
    for name, text in vector_files().items():
        (VECTOR_FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

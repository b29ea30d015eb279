"""Writes the conformance vectors with our own encoder: ``python -m firmware_protocol.vectors.make``."""

import json
from collections.abc import Iterable
from pathlib import Path

from firmware_protocol.control import Started
from firmware_protocol.decoder import Backfill, Decoder, DecoderEvent, Reject, SampleBlock
from firmware_protocol.packets import PROTOCOL_MAJOR, PROTOCOL_MINOR, PacketFlag, SampleFormat
from firmware_protocol.vectors.answers import answer_vectors
from firmware_protocol.vectors.examples import envelope_sensor, example_sensor, example_start, packet
from firmware_protocol.vectors.exchanges import message_faults, message_vectors
from firmware_protocol.vectors.meaning import Json, capabilities_meaning, packet_meaning, values_meaning

SPEC_VERSION = f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}"
VECTOR_FOLDER = Path(__file__).parent


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
        (
            "sent again, after a hole",
            packet([[1]], first_sample=9, flags=PacketFlag.RETRANSMITTED | PacketFlag.GAP_BEFORE),
            1,
        ),
        ("the clock was set", packet([[1]], time_us=10**9, flags=PacketFlag.TIME_DISCONTINUITY), 1),
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
    longer = whole.replace(b"\x04\x04\x98\x3a\0\0", b"\x04\x06\x98\x3a\0\0\xaa\xbb", 1) + b"\x7f\x03abc"
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
    """Make requests, responses and status notifications (SPEC 6 and 8)."""
    return {"spec": SPEC_VERSION, "vectors": message_vectors(), "faults": message_faults()}


def answers_file() -> Json:
    """Make what a sensor answers in which state (SPEC 6.4 and 10.2)."""
    return {
        "spec": SPEC_VERSION,
        "capabilities": example_sensor().to_bytes().hex(),
        "vectors": answer_vectors(),
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
    again = PacketFlag.RETRANSMITTED
    late = (
        packet([[0, 0], [1, 1]], first_sample=1000, sequence=0, time_us=500_000),
        packet([[6, 6]], first_sample=1006, sequence=1, time_us=503_000),
        packet([[4, 4], [5, 5]], first_sample=1004, sequence=2, time_us=502_000, flags=again),
        packet([[4, 4], [5, 5]], first_sample=1004, sequence=3, time_us=502_000, flags=again),
        packet([[1, 1], [2, 2], [3, 3]], first_sample=1001, sequence=4, time_us=500_500, flags=again),
        packet([[8, 8]], first_sample=1008, sequence=5, time_us=504_000),
        packet([[9, 9]], first_sample=41_007, sequence=6, time_us=20_503_500),
        packet([[9, 9]], first_sample=41_008, sequence=7, time_us=20_504_000),
        packet([[7, 7]], first_sample=1007, sequence=8, time_us=503_500, flags=again),
    )
    return {
        "spec": SPEC_VERSION,
        "capabilities": example_sensor().to_bytes().hex(),
        "sessions": [
            session("loss, repetition and rejects after START", loss, example_start()),
            session("counters wrap, START response not seen", wrap, None),
            session("samples come late, once, or too late", late, example_start()),
        ],
    }


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


def event_meaning(event: DecoderEvent) -> Json:
    """Spell out what a decoder reports; the words of a reject are not part of the contract."""
    if isinstance(event, Reject):
        return {"event": "reject", "clause": event.clause, "n_bytes": event.n_bytes}
    if isinstance(event, SampleBlock):
        return {"event": "samples"} | _block_meaning(event)
    if isinstance(event, Backfill):
        return {"event": "backfill"} | _block_meaning(event.block)
    return {
        "event": type(event).__name__.lower(),
        "stream": event.stream,
        "first_sample": event.first_sample,
        "n_samples": event.n_samples,
    }


def _block_meaning(block: SampleBlock) -> Json:
    return {
        "stream": block.stream,
        "first_sample": block.first_sample,
        "time_us": block.time_us,
        "flags": block.flags,
        "values": values_meaning(block.values),
    }


def vector_files() -> dict[str, str]:
    """Text of every vector file by its name."""
    made = {
        "packets.json": packets_file(),
        "capabilities.json": capabilities_file(),
        "control.json": control_file(),
        "answers.json": answers_file(),
        "sessions.json": sessions_file(),
    }
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in made.items()}


def main() -> None:
    """Write the vector files beside this script."""
    for name, text in vector_files().items():
        (VECTOR_FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Random exchanges with a sensor as values: played on any machine, compared, written down for the driver."""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.c.sensor import CSensor
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.packets import PacketFlag, SampleFormat
from firmware_protocol.worn import BatteryState, Contact, LeadsChanged, Saturated

EMG = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
IMU = Channel(Quantity.ACCELERATION, "pelvis", None, "x", Unit.METRE_PER_SECOND_SQUARED, 0.01)
SITES = (b"lumbar", b"a", b"gluteus_maximus_of_some_length", b"b" * 31, b"Up", b"", b"c" * 32)
RATES_HZ = (1000.0, 2000.0, 104.166667, 52.0, 0.7, 333.333333)
OPCODES = (*[1] * 2, *[2] * 2, 3, *[4] * 24, *[5] * 2, *[6] * 3, *[7] * 2, *[8] * 2, 9, 0, 0x7F, 200)
PAYLOAD_SIZES = (20, 30, 38, 60, 60, 100, 100, 185, 185, 244, 244, 512)


class Machine(Protocol):
    """What is asked of a sensor here: that of both back ends."""

    def take(self, stream: int, values: NDArray[np.generic], *, flags: int = 0) -> None: ...
    def skip(self, stream: int, n_samples: int) -> None: ...
    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def notifications_off(self) -> None: ...
    def respond(self, written: bytes, *, payload_size: int, notifying: bool, now_us: int) -> bytes: ...
    def next_packet(self, *, payload_size: int) -> bytes | None: ...
    def next_status(self, now_us: int) -> bytes | None: ...
    def report(self, status: Any) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    stream: int
    values: NDArray[Any]
    flags: int


@dataclass(frozen=True, slots=True)
class Skip:
    stream: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class Connect:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    pass


@dataclass(frozen=True, slots=True)
class NotificationsOff:
    pass


@dataclass(frozen=True, slots=True)
class Write:
    written: bytes
    payload_size: int
    notifying: bool
    now_us: int
    session_id: int
    """What the sensor draws if this is a START that it obeys."""


@dataclass(frozen=True, slots=True)
class Fetch:
    payload_size: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Fetch the next status notification."""

    now_us: int


@dataclass(frozen=True, slots=True)
class Report:
    status: LeadsChanged | Saturated | BatteryState


Call = Take | Skip | Connect | Disconnect | NotificationsOff | Write | Fetch | Ask | Report


@dataclass(frozen=True, slots=True)
class Played:
    """A schedule and what the sensor gave: None where a call gives nothing, empty where nothing was there."""

    capabilities: Capabilities
    calls: list[Call]
    answers: list[bytes | None]


class SessionIds:
    """The random source of a sensor: the number that the next START is to have."""

    def __init__(self) -> None:
        self.next = 0

    def __call__(self) -> int:
        return self.next


def random_capabilities(chance: random.Random) -> Capabilities:
    streams = []
    for number in chance.sample(range(256), chance.randint(1, 3)):
        kind = chance.choice(list(StreamKind))
        channels = (EMG if kind is StreamKind.EMG else IMU,) * chance.randint(1, 4)
        rate_hz = chance.choice((*RATES_HZ, chance.uniform(1, 5000)))
        streams.append(Stream(number, kind, chance.choice(list(SampleFormat)), rate_hz, channels))
    ring_ms = chance.choice([0, 200, 1000, 1000, 3000, 3000])
    version_minor = 0 if chance.random() < 0.1 else 1
    return Capabilities(version_minor, chance.getrandbits(32), "bench", ring_ms, tuple(streams))


def play_at_random(seed: int, n_calls: int) -> Played:
    """Play random calls on the C sensor, which is asked only for the numbers that make sense to ask about."""
    chance = random.Random(seed)
    capabilities = random_capabilities(chance)
    session_ids = SessionIds()
    sensor = CSensor(capabilities, random_u32=session_ids)
    calls, answers = [], []
    for call in _random_calls(chance, capabilities, sensor, n_calls):
        calls.append(call)
        answers.append(make(sensor, call, session_ids))
    return Played(capabilities, calls, answers)


def replay(played: Played, machine: Machine, session_ids: SessionIds) -> list[bytes | None]:
    return [make(machine, call, session_ids) for call in played.calls]


def make(machine: Machine, call: Call, session_ids: SessionIds) -> bytes | None:
    match call:
        case Take(stream, values, flags):
            machine.take(stream, values, flags=flags)
        case Skip(stream, n_samples):
            machine.skip(stream, n_samples)
        case Connect():
            machine.connect()
        case Disconnect():
            machine.disconnect()
        case NotificationsOff():
            machine.notifications_off()
        case Report(status):
            machine.report(status)
        case Write():
            session_ids.next = call.session_id
            return machine.respond(
                call.written, payload_size=call.payload_size, notifying=call.notifying, now_us=call.now_us
            )
        case Fetch(payload_size):
            return machine.next_packet(payload_size=payload_size) or b""
        case Ask(now_us):
            return machine.next_status(now_us) or b""
    return None


def _random_calls(
    chance: random.Random, capabilities: Capabilities, sensor: CSensor, n_calls: int
) -> Iterator[Call]:
    # Near the end of a counter of 32 bits (1 kHz) and of 48 bits as often as anywhere else.
    starts = (0, chance.getrandbits(44), (1 << 48) - 2_000_000, ((1 << 32) - chance.randint(0, 3000)) * 1000)
    now_us = chance.choice(starts)
    payload_size = chance.choice(PAYLOAD_SIZES)
    makers: tuple[tuple[float, Callable[[], Call]], ...] = (
        (0.26, lambda: _take(chance, capabilities)),
        (0.04, lambda: Skip(chance.choice(capabilities.streams).number, _few_or_many(chance))),
        (0.03, Connect),
        (0.01, Disconnect),
        (0.01, NotificationsOff),
        (0.42, lambda: Fetch(payload_size)),
        (0.05, lambda: Ask(now_us)),
        (0.02, lambda: Report(_status(chance, capabilities))),
        (0.20, lambda: _write(chance, capabilities, sensor, payload_size, now_us)),
    )
    weights = [weight for weight, _ in makers]
    for _ in range(n_calls):
        now_us += chance.choice([0, 100, 20_000, 20_000, 20_000, chance.choice([0, 1_100_000])])
        yield chance.choices(makers, weights)[0][1]()


def _few_or_many(chance: random.Random) -> int:
    return chance.choice([0, 1, 3, 30, chance.randint(0, 3000)])


def _take(chance: random.Random, capabilities: Capabilities) -> Take:
    stream = chance.choice(capabilities.streams)
    n_samples = chance.choice([0, 1, 5, 20, 40, 40, 100, 100, 255, chance.randint(0, 2000)])
    flags = chance.choice([0, 0, 0, 0, PacketFlag.SATURATED, PacketFlag.LEAD_OFF, 12, 16, 2])
    return Take(stream.number, _values(chance, stream, n_samples), int(flags))


def _values(chance: random.Random, stream: Stream, n_samples: int) -> NDArray[Any]:
    n_values = n_samples * len(stream.channels)
    raw = np.frombuffer(chance.randbytes(4 * n_values), np.int32)
    if stream.sample_format is SampleFormat.FLOAT32:
        # Bits of an infinity now and then; a signalling NaN might not survive its way through a register.
        floats = raw.astype(np.float32) / np.float32(7)
        floats[raw % 50 == 0], floats[raw % 51 == 0] = np.inf, np.nan
        return floats.reshape(n_samples, len(stream.channels))
    shift = 32 - 8 * stream.sample_format.width
    dtype = np.int16 if stream.sample_format is SampleFormat.INT16 else np.int32
    return (raw >> shift).astype(dtype).reshape(n_samples, len(stream.channels))


def _status(chance: random.Random, capabilities: Capabilities) -> LeadsChanged | Saturated | BatteryState:
    stream = chance.choice(capabilities.streams)
    channel = chance.randrange(len(stream.channels))
    return chance.choice(
        [
            LeadsChanged(stream.number, channel, chance.choice(list(Contact))),
            Saturated(stream.number, channel),
            BatteryState(chance.randint(0, 100), *(chance.random() < 0.5 for _ in range(3))),
        ]
    )


def _write(
    chance: random.Random, capabilities: Capabilities, sensor: CSensor, payload_size: int, now_us: int
) -> Write:
    # A sensor that does not stream says little: most of the time it is started at once.
    opcode = 2 if not sensor.streaming and chance.random() < 0.5 else chance.choice(OPCODES)
    payload = _payload(chance, capabilities, sensor, opcode) + chance.choice([*[b""] * 19, b"\0"])
    written = bytes((opcode, chance.getrandbits(8))) + payload
    written = written[: chance.choice([*[len(written)] * 30, 0, 1, 2])]
    return Write(written, payload_size, chance.random() < 0.97, now_us, chance.getrandbits(32))


def _payload(chance: random.Random, capabilities: Capabilities, sensor: CSensor, opcode: int) -> bytes:
    stream = chance.choice(capabilities.streams)
    match opcode:
        case 1:
            return chance.randint(0, 400).to_bytes(2, "little")
        case 4:
            n_samples = chance.choice([0, 1, 20, 300, 300, 1000, 1000, chance.getrandbits(31)])
            further = chance.choice([0, chance.randint(0, 1000), chance.randint(0, 5000)])
            back = chance.choice([*[n_samples + further] * 9, chance.getrandbits(32)])
            first = (sensor.next_sample(stream.number) - back) % (1 << 32)
            return struct.pack("<BII", chance.choice([*[stream.number] * 9, 7]), first, n_samples)
        case 5:
            return chance.randbytes(8)
        case 6:
            n_entries = chance.randint(1, 3)
            return bytes((stream.number, n_entries)) + b"".join(_entry(chance) for _ in range(n_entries))
        case 7:
            return chance.randbytes(1)
        case 8:
            return bytes([chance.choice([stream.number, stream.number, 9])])
        case _:
            return b""


def _entry(chance: random.Random) -> bytes:
    site = chance.choice([b"lumbar", b"gluteus_medius", chance.choice(SITES)])
    head = (chance.choice([0, 0, 1, 255, 255]), chance.choice([0, 1, 2, 2, 1, 0, 3]), len(site))
    return bytes(head) + site


def script_of(played: Played) -> bytes:
    """Write a schedule down for the C driver."""
    rows = {stream.number: row for row, stream in enumerate(played.capabilities.streams)}
    description = played.capabilities.to_bytes()
    head = b"D" + struct.pack("<H", len(description)) + description + struct.pack("<Q", 0)
    return head + b"".join(_line(call, rows) for call in played.calls)


def _line(call: Call, rows: dict[int, int]) -> bytes:
    match call:
        case Take(stream, values, flags):
            native = values.astype(values.dtype.newbyteorder("<")).tobytes()
            return b"T" + struct.pack("<BBH", rows[stream], flags, len(values)) + native
        case Skip(stream, n_samples):
            return b"S" + struct.pack("<BI", rows[stream], n_samples)
        case Connect():
            return b"C"
        case Disconnect():
            return b"X"
        case NotificationsOff():
            return b"O"
        case Fetch(payload_size):
            return b"P" + struct.pack("<H", payload_size)
        case Ask(now_us):
            return b"N" + struct.pack("<Q", now_us)
        case Report(status):
            return _report_line(status, rows)
        case Write():
            link = (call.payload_size, call.notifying, call.now_us, call.session_id, len(call.written))
            return b"W" + struct.pack("<H?QIH", *link) + call.written


def _report_line(status: LeadsChanged | Saturated | BatteryState, rows: dict[int, int]) -> bytes:
    match status:
        case LeadsChanged(stream, channel, contact):
            return b"L" + bytes((rows[stream], channel, contact))
        case Saturated(stream, channel):
            return b"V" + bytes((rows[stream], channel, 0))
        case BatteryState(level_pct, charging, low, ending):
            return b"B" + bytes((level_pct, charging | low << 1 | ending << 2, 0))


def answers_in(output: bytes) -> Iterator[bytes]:
    """Read what the driver wrote."""
    position = 0
    while position < len(output):
        size = int.from_bytes(output[position : position + 2], "little")
        yield output[position + 2 : position + 2 + size]
        position += 2 + size

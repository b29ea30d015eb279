"""The machine in Python and the one in C: whatever happens to them, they say the same bytes."""

import random
import struct

import numpy as np
import pytest

from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import c_machine
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode
from firmware_protocol.packets import SampleFormat
from firmware_protocol.worn import (
    BatteryState,
    Contact,
    Lead,
    LeadsChanged,
    Saturated,
    SiteEntry,
    SitesSet,
)

RATES_HZ = (1000.0, 2000.0, 100.0, 148.148148, 1.5, 333.333333, 52.1)
PAYLOAD_SIZES = (20, 23, 40, 60, 120, 182, 244, 244, 244, 512, 700)
FLOATS = (1.5, float("nan"), float("inf"), -3e38, 0.0)
FLAGS = (0, 0, 0, 0, 4, 8, 16, 2, 12, 1, 31)


@pytest.fixture(scope="module", autouse=True)
def compiled():
    build = pytest.importorskip("firmware_protocol.c.build")
    try:
        build.shared_library()
    except build.CompilerError as error:
        pytest.skip(f"the C sensor cannot be compiled here: {error}")


def some_capabilities(chance):
    streams = []
    for row in range(chance.randint(1, 3)):
        kind, n_channels = chance.choice(list(StreamKind)), chance.randint(1, 6)
        if kind is StreamKind.EMG:
            channel = Channel(Quantity.EMG, "multifidus", None, None, Unit.MICROVOLT, 0.1)
        else:
            channel = Channel(Quantity.ACCELERATION, "pelvis", None, "x", Unit.METRE_PER_SECOND_SQUARED, 0.1)
        rate_hz = chance.choice((*RATES_HZ, chance.uniform(0.5, 3000.0)))
        sample_format = chance.choice(list(SampleFormat))
        streams.append(Stream(7 * row + 1, kind, sample_format, rate_hz, (channel,) * n_channels))
    ring_ms = chance.choice((0, 200, 1500, 15_000))
    return Capabilities(chance.choice((0, 1, 1, 1)), chance.getrandbits(32), "b", ring_ms, tuple(streams))


class Pair:
    """Both machines; every answer is compared."""

    def __init__(self, chance):
        self.chance = chance
        self.capabilities = some_capabilities(chance)
        self.python, self.c = Firmware(self.capabilities), c_machine(self.capabilities)
        wrap_us = int((1 << 32) / self.capabilities.streams[0].rate_hz * 1e6)
        self.now_us = chance.choice((0, 123_456, 10**9, (1 << 48) - 5 * 10**6, max(0, wrap_us - 3 * 10**6)))
        self.history = []

    def tell(self, name, *arguments, **options):
        self.history.append((name, arguments, options))
        getattr(self.python, name)(*arguments, **options)
        getattr(self.c, name)(*arguments, **options)

    def compare(self, name, *arguments, **options):
        self.history.append((name, arguments, options))
        in_python = getattr(self.python, name)(*arguments, **options)
        in_c = getattr(self.c, name)(*arguments, **options)
        assert in_python == in_c, self.history[-8:]
        return in_python

    def ask(self, written, *, notifying=True):
        payload_size = self.chance.choice(PAYLOAD_SIZES)
        self.compare("respond", written, payload_size=payload_size, notifying=notifying, now_us=self.now_us)

    def live(self, n_steps):
        for _ in range(n_steps):
            self.now_us += self.chance.choice((0, 1, 1000, 20_000, 300_000, 1_500_000))
            stream = self.chance.choice(self.capabilities.streams)
            step = self.chance.choice(
                (take, take, take, skip, fetch, fetch, fetch, request, again, link, tell)
            )
            step(self, stream, self.chance)


def take(pair, stream, chance):
    n_samples, n_channels = chance.choice((0, 1, 2, 7, 20, 100, 400)), len(stream.channels)
    if stream.sample_format is SampleFormat.FLOAT32:
        values = np.array(chance.choices(FLOATS, k=n_samples * n_channels), np.float32)
    else:
        limit = 1 << (8 * stream.sample_format.width - 1)
        values = np.random.default_rng(chance.getrandbits(30)).integers(-limit, limit, n_samples * n_channels)
    pair.tell("take", stream.number, values.reshape(n_samples, n_channels), flags=chance.choice(FLAGS))


def skip(pair, stream, chance):
    pair.tell("skip", stream.number, chance.choice((0, 1, 5, 300)))


def fetch(pair, _stream, chance):
    payload_size = chance.choice(PAYLOAD_SIZES)
    for _ in range(chance.choice((1, 3, 50))):
        if pair.compare("next_packet", payload_size=payload_size) is None:
            return


def request(pair, stream, chance):
    payloads = (
        b"",
        b"\x00\x00",
        b"\x05",
        bytes([stream.number]),
        bytes(8),
        chance.randbytes(chance.randint(0, 20)),
        SitesSet(stream.number, (SiteEntry(chance.choice((0, 255, 9)), "lumbar", "left"),)).to_bytes(),
        chance.randint(0, 300).to_bytes(2, "little"),
    )
    opcode = chance.choice((*Opcode, Opcode.START, Opcode.START, chance.randint(0, 130)))
    whole = bytes([opcode, 7]) + (b"" if opcode == Opcode.START else chance.choice(payloads))
    pair.ask(
        chance.choice((whole, whole, whole, b"", b"\x01", bytes([opcode]))), notifying=chance.random() < 0.9
    )


def again(pair, stream, chance):
    back = chance.choice((0, 1, 5, 50, 300, 2000, 40_000, 1 << 31))
    first = (pair.c.next_sample(stream.number) - back) % (1 << 32)
    count = chance.choice((0, 1, 3, 50, 300, 2000, (1 << 32) - 1))
    number = stream.number if chance.random() < 0.95 else 99
    pair.ask(bytes([Opcode.RESEND, 9]) + struct.pack("<BII", number, first, count))


def link(pair, _stream, chance):
    pair.tell(chance.choice(("connect", "connect", "connect", "disconnect", "notifications_off")))


def tell(pair, stream, chance):
    states = (
        LeadsChanged(stream.number, 0, Contact.OFF),
        Saturated(stream.number, 0),
        BatteryState(chance.randint(0, 100), charging=False, low=True, ending=False),
    )
    pair.tell("report", chance.choice(states))
    pair.tell("set_lead", stream.number, 0, Lead(Contact.GOOD, chance.choice((None, 12))))
    pair.compare("next_status", pair.now_us)


@pytest.mark.parametrize("block", range(8))
def test_whatever_happens_both_say_the_same(block):
    for seed in range(25 * block, 25 * (block + 1)):
        Pair(random.Random(seed)).live(120)

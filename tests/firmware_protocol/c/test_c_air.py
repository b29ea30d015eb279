"""The C sensor through a bad radio to the Python receiver: what the ring held comes, once, in its place."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_protocol.c.sensor import CSensor
from firmware_protocol.capabilities import Capabilities, Stream, StreamKind
from firmware_protocol.control import Opcode, Request, Response, Status
from firmware_protocol.packets import PacketHeader, SampleFormat
from firmware_protocol.reassembly import Backfill, Duplicate, Reject, SampleBlock
from firmware_protocol.receiver import Receiver, ReceiverEvent
from firmware_protocol.resend import SampleRange, resend_request
from tests.firmware_protocol.c.schedules import EMG, IMU
from tests.firmware_protocol.c.tools import needs_compiler

pytestmark = needs_compiler

STEP_US = 20_000
RING_MS = 4000
CAPABILITIES = Capabilities(
    1,
    5,
    "bench",
    RING_MS,
    (
        Stream(1, StreamKind.EMG, SampleFormat.INT16, 500.0, (EMG, EMG)),
        Stream(2, StreamKind.IMU, SampleFormat.INT24, 104.166667, (IMU,)),
    ),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """What the radio and the converter do to a session."""

    seed: int
    loss_pct: int
    longest_delay: int
    """In steps of 20 ms; packets overtake each other."""
    absences: tuple[tuple[int, int], ...]
    """When the link is lost, and for how long, steps."""
    skips: tuple[int, ...]
    """When the converter loses some samples."""
    payload_size: int
    begin_us: int


def truth(stream: Stream, first: int, n_samples: int) -> np.ndarray:
    """Counts that tell which sample they are."""
    rows = np.arange(first, first + n_samples, dtype=np.int64)[:, None]
    return (rows * 31 + np.arange(len(stream.channels)) * 7 + stream.number) % 32_768


@dataclass
class World:
    """A sensor, the air and a host that asks for what it misses."""

    weather: Weather
    chance: random.Random = field(init=False)
    now_us: int = field(init=False)
    connected: bool = False
    transaction: int = 0
    air: list[tuple[int, bytes]] = field(default_factory=list)
    events: list[ReceiverEvent] = field(default_factory=list)
    lost: dict[int, set[int]] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)
    n_resent: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.weather.seed)
        self.now_us = self.weather.begin_us
        self.sensor = CSensor(CAPABILITIES, random_u32=lambda: 1)
        self.receiver = Receiver(CAPABILITIES)
        self.lost = {stream.number: set() for stream in CAPABILITIES.streams}
        self.connect()
        self.first = {n: self.sensor.next_sample(n) for n in self.lost}

    def ask(self, request: Request) -> Response:
        link = {"payload_size": self.weather.payload_size, "notifying": True, "now_us": self.now_us}
        indication = self.sensor.respond(request.to_bytes(), **link)
        self.events += self.receiver.receive_control(indication)
        return Response.from_bytes(indication)

    def connect(self) -> None:
        self.sensor.connect()
        self.connected = True
        assert self.ask(Request(Opcode.START, 0)).status == Status.OK

    def disconnect(self) -> None:
        self.sensor.disconnect()
        self.connected = False
        self.air.clear()

    def sample(self, *, lose: bool) -> None:
        """Take what is due by now; the converter loses the first few of it."""
        for stream in CAPABILITIES.streams:
            first = n_due = self.sensor.next_sample(stream.number)
            while self.sensor.sample_time_us(stream.number, n_due) <= self.now_us:
                n_due += 1
            n_lost = min(n_due - first, self.chance.randint(1, 9)) if lose else 0
            self.sensor.skip(stream.number, n_lost)
            self.lost[stream.number] |= set(range(first, first + n_lost))
            self.sensor.take(stream.number, truth(stream, first + n_lost, n_due - first - n_lost))

    def send(self, *, loss_pct: int, longest_delay: int) -> None:
        while (packet := self.sensor.next_packet(payload_size=self.weather.payload_size)) is not None:
            assert len(packet) <= self.weather.payload_size
            self.n_resent += PacketHeader.from_bytes(packet).flags & 1
            copies = self.chance.choice([1] * 9 + [2]) * (self.chance.random() * 100 >= loss_pct)
            self.air += [(self.now_us + self.chance.randint(0, longest_delay) * STEP_US, packet)] * copies

    def hear(self) -> None:
        arrived = [packet for due_us, packet in self.air if due_us <= self.now_us]
        self.air = [one for one in self.air if one[0] > self.now_us]
        self.chance.shuffle(arrived)
        for packet in arrived:
            self.events += self.receiver.receive_data(packet)
        if (status := self.sensor.next_status(self.now_us)) is not None:
            self.events += self.receiver.receive_control(status)

    def ask_again(self) -> None:
        """Ask for what is missing of one stream after the other, all of it at once."""
        stream = CAPABILITIES.streams[self.transaction % 2]
        self.transaction = (self.transaction + 1) % 256
        missing = self.receiver.missing(stream.number)
        if missing:
            first, end = missing[0][0], min(missing[-1][1], missing[0][0] + 2000)
            asked = SampleRange(stream.number, first % (1 << 32), end - first)
            status = self.ask(resend_request(asked, transaction=self.transaction)).status
            assert status in (Status.OK, Status.EXPIRED, Status.BUSY)

    def step(self, *, lose: bool = False, loss_pct: int = 0, longest_delay: int = 0) -> None:
        self.now_us += STEP_US
        self.sample(lose=lose)
        if self.connected:
            self.send(loss_pct=loss_pct, longest_delay=longest_delay)
            self.hear()
            self.ask_again()

    def live_through(self, n_steps: int) -> None:
        absent = {step for begin, length in self.weather.absences for step in range(begin, begin + length)}
        for step in range(n_steps):
            if (step in absent) == self.connected:
                self.disconnect() if self.connected else self.connect()
            lose = step in self.weather.skips
            self.step(lose=lose, loss_pct=self.weather.loss_pct, longest_delay=self.weather.longest_delay)
        if not self.connected:
            self.connect()
        for _ in range(60):
            self.step()


def delivered(world: World, stream: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks with their numbers as the sensor counts them; a host sees the low 32 bits where it begins."""
    unseen = world.first[stream] - world.first[stream] % (1 << 32)
    for event in world.events:
        block = event.block if isinstance(event, Backfill) else event
        if isinstance(block, SampleBlock) and block.stream == stream:
            yield unseen + block.first_sample, block.values


def check_that_nothing_is_lost(world: World) -> None:
    for stream in CAPABILITIES.streams:
        came: set[int] = set()
        for first, values in delivered(world, stream.number):
            numbers = set(range(first, first + len(values)))
            assert not came & numbers, "a sample was delivered twice"
            came |= numbers
            np.testing.assert_array_equal(values, truth(stream, first, len(values)))
        newest = max(came)
        assert set(range(world.first[stream.number], newest + 1)) - came == {
            one for one in world.lost[stream.number] if one <= newest
        }
        assert world.sensor.next_sample(stream.number) - newest < 30
        assert world.receiver.missing(stream.number) == ()
    assert not [event for event in world.events if isinstance(event, Reject)]


BEGINS_US = (0, ((1 << 32) - 300) * 2000, (1 << 48) - 700_000, 123_456_789)
"""Where the counters of samples (of 500 Hz) and of time wrap within the session, and where they do not."""


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    weather=st.builds(
        Weather,
        seed=st.integers(0, 1 << 30),
        loss_pct=st.sampled_from([0, 5, 30, 50]),
        longest_delay=st.sampled_from([0, 1, 5]),
        absences=st.lists(st.tuples(st.integers(0, 160), st.integers(1, 50)), max_size=2).map(tuple),
        skips=st.lists(st.integers(0, 180), max_size=4).map(tuple),
        payload_size=st.sampled_from([38, 60, 185, 244]),
        begin_us=st.sampled_from(BEGINS_US),
    )
)
def test_nothing_is_lost_that_the_ring_held_nothing_comes_twice_and_nothing_is_invented(weather):
    world = World(weather)
    world.live_through(180)
    check_that_nothing_is_lost(world)


def test_the_bad_radio_is_bad():
    """Guard against a channel that loses nothing: what this world repairs is a good part of the session."""
    world = World(Weather(1, 30, 5, ((40, 50),), (20, 120), 185, 0))
    world.live_through(180)
    check_that_nothing_is_lost(world)
    assert world.n_resent > 30
    assert sum(isinstance(event, Backfill) for event in world.events) > 30
    assert any(isinstance(event, Duplicate) for event in world.events)
    assert sum(map(len, world.lost.values())) > 2


def test_what_the_ring_does_not_hold_any_more_becomes_final_and_the_rest_comes():
    world = World(Weather(2, 0, 0, ((20, 240),), (), 244, 0))
    world.live_through(280)
    stream = CAPABILITIES.streams[0]
    came = {n for first, values in delivered(world, 1) for n in range(first, first + len(values))}
    missed = sorted(set(range(world.first[1], max(came) + 1)) - came)
    absent_us = 240 * STEP_US
    assert missed == list(range(missed[0], missed[0] + len(missed)))
    n_beyond_ring = (absent_us - RING_MS * 1000) * int(stream.rate_hz) // 1_000_000
    assert abs(len(missed) - n_beyond_ring) < 30
    assert world.receiver.missing(1) == ()


@pytest.mark.parametrize("first", [0, 65_530, 70_000])
def test_the_sequence_wraps_and_tells_how_many_packets_there_were(first):
    sensor = CSensor(CAPABILITIES, random_u32=lambda: 1)
    sensor.connect()
    sensor.respond(bytes((Opcode.START, 0)), payload_size=38, notifying=True, now_us=0)
    sequences = []
    emg = truth(CAPABILITIES.streams[0], 0, 1000)
    n_packets = first + 100
    while len(sequences) < n_packets:
        sensor.take(1, emg)
        while (packet := sensor.next_packet(payload_size=38)) is not None:
            sequences.append(PacketHeader.from_bytes(packet).sequence)
    assert sequences[first : first + 100] == [n % (1 << 16) for n in range(first, first + 100)]

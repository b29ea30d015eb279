"""The link against a sensor on the virtual air: every byte passes through ATT, in both directions."""

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from emgmon.clock import ManualClock, SystemClock
from emgmon.errors import SensorError
from emgmon.events import LinkChanged, LinkState, NotificationKind
from emgmon.sensors import ble
from emgmon.sensors.link import SensorLink
from emgmon.virtual import air as virtual_air
from emgmon.virtual import backend
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.decoder import Decoder, SampleBlock
from tests.sensors.bench import BOOT_ID, LIMIT_S, FastClock, happens


@dataclass
class Heard:
    payloads: list[tuple[NotificationKind, bytes]] = field(default_factory=list)
    changes: list[LinkChanged] = field(default_factory=list)

    def of(self, kind: NotificationKind) -> list[bytes]:
        return [payload for found, payload in self.payloads if found is kind]

    @property
    def states(self) -> list[LinkState]:
        return [change.state for change in self.changes]


def a_link(bench, heard, *, clock=None, address=None, **options):
    return SensorLink(
        0,
        bench.radio,
        clock or SystemClock(),
        address=address,
        receive=lambda kind, payload: heard.payloads.append((kind, payload)),
        changed=heard.changes.append,
        **options,
    )


async def test_a_session_passes_through_its_states_and_delivers_every_sample(make_bench):
    bench = await make_bench(clock=FastClock(20))
    heard = Heard()
    link = a_link(bench, heard)
    sensor, capabilities = await link.connect()
    assert capabilities == bench.capabilities
    assert (sensor.name, sensor.address) == (f"emgmon-{BOOT_ID & 0xFFFF:04X}", virtual_air.SENSOR_ADDRESS)
    started = await link.start()
    async with asyncio.timeout(LIMIT_S):
        await bench.sensor.finished.wait()
    await link.close()
    assert heard.states == [
        LinkState.SCANNING,
        LinkState.CONNECTING,
        LinkState.CHECKING,
        LinkState.STREAMING,
        LinkState.CLOSED,
    ]
    assert_every_sample_came(bench, started, heard.of(NotificationKind.DATA))


def assert_every_sample_came(bench, started, data):
    decoder = Decoder(bench.capabilities)
    decoder.start(started)
    blocks = [block for packet in data for block in decoder.receive(packet)]
    assert all(isinstance(block, SampleBlock) for block in blocks)
    for samples in bench.streams:
        number = samples.stream.number
        came = np.concatenate([block.values for block in blocks if block.stream == number])
        np.testing.assert_array_equal(came, samples.counts)


async def test_what_is_received_begins_with_the_answer_to_start_and_ends_with_that_to_stop(make_bench):
    bench = await make_bench(clock=FastClock(20))
    heard = Heard()
    link = a_link(bench, heard)
    await link.connect()
    started = await link.start()
    await happens(lambda: len(heard.of(NotificationKind.DATA)) > 10)
    await link.close()
    first, last = (Response.from_bytes(heard.of(NotificationKind.CONTROL)[i]) for i in (0, -1))
    assert heard.payloads[0][0] is NotificationKind.CONTROL
    assert (first.opcode, first.status) == (Opcode.START, Status.OK)
    assert Started.from_bytes(first.payload) == started
    assert (last.opcode, last.status) == (Opcode.STOP, Status.OK)
    assert len(heard.of(NotificationKind.CONTROL)) == 2


async def test_the_battery_is_read_at_the_start_then_periodically_and_when_it_is_notified(make_bench):
    waits: list[float] = []
    ready = asyncio.Event()

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await ready.wait()
        ready.clear()

    bench = await make_bench(clock=FastClock(1))
    heard = Heard()
    link = a_link(bench, heard, wait=wait)
    await link.connect()
    await link.start()
    await happens(lambda: heard.of(NotificationKind.BATTERY) == [bytes([87])])
    await bench.sensor.notify_battery(86)
    await happens(lambda: heard.of(NotificationKind.BATTERY)[1:] == [bytes([86])])
    ready.set()
    await happens(lambda: heard.of(NotificationKind.BATTERY)[2:] == [bytes([86])])
    await link.close()
    assert waits == [60.0, 60.0]


async def test_a_cut_link_is_lost_and_says_that_nothing_will_reconnect(make_bench):
    bench = await make_bench(clock=FastClock(1))
    heard = Heard()
    link = a_link(bench, heard)
    await link.connect()
    await link.start()
    await happens(lambda: len(heard.of(NotificationKind.DATA)) > 3)
    bench.air.cut()
    await happens(lambda: link.state is LinkState.LOST)
    assert "does not reconnect" in heard.changes[-1].detail
    await link.close()
    assert heard.states[-2:] == [LinkState.LOST, LinkState.CLOSED]


async def test_a_sensor_can_be_found_again_after_its_link_was_cut(make_bench):
    bench = await make_bench(clock=FastClock(1))
    for _ in range(2):
        link = a_link(bench, Heard())
        await link.connect()
        await link.start()
        bench.air.cut()
        await happens(lambda link=link: link.state is LinkState.LOST)
        await link.close()


async def test_silence_of_more_than_a_second_is_a_stall_and_data_ends_it(make_bench):
    sensor_clock, host_clock = ManualClock(), ManualClock()
    bench = await make_bench(clock=sensor_clock)
    heard = Heard()
    link = a_link(bench, heard, clock=host_clock)
    await link.connect()
    await link.start()
    host_clock.advance_s(1.0)
    link.check()
    assert link.state is LinkState.STREAMING
    host_clock.advance_s(0.001)
    link.check()
    assert link.state is LinkState.STALLED
    sensor_clock.advance_s(0.1)
    await happens(lambda: link.state is LinkState.STREAMING)
    await link.close()
    assert heard.states[-4:] == [
        LinkState.STREAMING,
        LinkState.STALLED,
        LinkState.STREAMING,
        LinkState.CLOSED,
    ]


async def test_a_sensor_that_is_not_there_is_reported_with_advice(make_bench, monkeypatch):
    monkeypatch.setattr("emgmon.sensors.link.FIND_LIMIT_S", 0.3)
    bench = await make_bench(clock=FastClock(1))
    heard = Heard()
    link = a_link(bench, heard, address="F0:00:00:00:00:99")
    with pytest.raises(SensorError, match=r"F0:00:00:00:00:99 was not heard within 0\.3 s") as caught:
        await link.connect()
    assert caught.value.advice == ble.NOT_HEARD_ADVICE
    assert heard.states == [LinkState.SCANNING, LinkState.CLOSED]


async def test_an_address_is_found_whatever_its_case(make_bench):
    bench = await make_bench(clock=FastClock(1))
    link = a_link(bench, Heard(), address=virtual_air.SENSOR_ADDRESS.lower())
    sensor, _ = await link.connect()
    assert sensor.address == virtual_air.SENSOR_ADDRESS
    await link.close()


async def test_packets_too_small_for_the_sensor_are_reported_with_the_size_it_needs(make_bench, monkeypatch):
    monkeypatch.setattr(backend, "REQUESTED_MTU", 23)
    bench = await make_bench(clock=FastClock(1))
    heard = Heard()
    link = a_link(bench, heard)
    _, capabilities = await link.connect()
    assert capabilities == bench.capabilities  # joined from many small parts
    # The answer to START is the largest: 3 + 11 bytes, 11 for each of two streams, and ATT's own 3.
    with pytest.raises(SensorError, match="needs an MTU of 39"):
        await link.start()
    assert heard.states[-1] is LinkState.CLOSED


async def test_cancelling_the_search_leaves_a_closed_link_and_a_silent_radio(make_bench):
    bench = await make_bench(clock=FastClock(1))
    heard = Heard()
    link = a_link(bench, heard, address="F0:00:00:00:00:99")
    searching = asyncio.create_task(link.connect())
    await happens(lambda: bench.air.host_device.is_scanning)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert link.state is LinkState.CLOSED
    assert not bench.air.host_device.is_scanning


async def test_a_sensor_that_disconnects_while_it_is_asked_is_a_sensor_error(make_bench, monkeypatch):
    bench = await make_bench(clock=FastClock(1))
    monkeypatch.setattr(bench.sensor._firmware, "respond", lambda *_, **__: bench.air.cut())
    heard = Heard()
    with pytest.raises(SensorError, match="Disconnected"):
        await a_link(bench, heard).connect()
    assert heard.states[-2:] == [LinkState.LOST, LinkState.CLOSED]

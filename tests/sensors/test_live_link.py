"""The link against a sensor on the virtual air: every byte passes through ATT, in both directions."""

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from emgmon import __version__
from emgmon.clock import ManualClock, SystemClock
from emgmon.errors import SensorError
from emgmon.events import LinkChanged, LinkState, NotificationKind
from emgmon.sensors import ble
from emgmon.sensors.ble import DeviceInformation
from emgmon.sensors.link import SensorLink
from emgmon.sensors.refusals import PairingRefused
from emgmon.virtual import air as virtual_air
from emgmon.virtual import backend
from emgmon.virtual.sensor import VirtualSensor
from emgmon.virtual.turned_loop import run_turned
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.decoder import Decoder, SampleBlock
from firmware_protocol.gatt import DATA_UUID, Security
from firmware_protocol.receiver import Receiver
from tests.sensors import trial
from tests.sensors.bench import BOOT_ID, LIMIT_S, FastClock, happens, noise, small_capabilities

pytestmark = pytest.mark.usefixtures("nothing_blocks")

OTHER_ADDRESS = "F0:00:00:00:E0:03"


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
    found = await link.connect()
    assert found.capabilities == bench.capabilities
    assert (found.sensor.name, found.sensor.address) == (
        f"emgmon-{BOOT_ID & 0xFFFF:04X}",
        virtual_air.SENSOR_ADDRESS,
    )
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


async def test_what_is_received_begins_with_the_clocks_and_start_and_ends_with_stop(make_bench):
    bench = await make_bench(clock=FastClock(20))
    heard = Heard()
    link = a_link(bench, heard)
    await link.connect()
    started = await link.start()
    await happens(lambda: len(heard.of(NotificationKind.DATA)) > 10)
    await link.close()
    responses = [Response.from_bytes(payload) for payload in heard.of(NotificationKind.CONTROL)]
    assert [response.opcode for response in responses] == [*[Opcode.TIME] * 8, Opcode.START, Opcode.STOP]
    assert {response.status for response in responses} == {Status.OK}
    assert Started.from_bytes(responses[8].payload) == started
    assert {kind for kind, _ in heard.payloads[:9]} == {NotificationKind.CONTROL}


async def test_the_battery_is_read_at_the_start_then_periodically_and_when_it_is_notified(make_bench):
    waits: list[float] = []
    ready = asyncio.Event()

    async def wait(seconds: float) -> None:
        if seconds < 1:
            await asyncio.sleep(seconds)
            return
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


@pytest.mark.parametrize("reason", [virtual_air.LINK_LOSS, virtual_air.REMOTE_DISCONNECT])
async def test_a_link_that_is_cut_comes_back_and_fetches_what_it_missed(make_bench, reason):
    bench = await make_bench(clock=FastClock(1), duration_s=30.0)
    heard = Heard()
    link = a_link(bench, heard)
    await link.connect()
    started = await link.start()
    for n_times in (1, 2):
        await happens(lambda n=n_times: len(heard.of(NotificationKind.DATA)) > 20 * n)
        bench.air.cut(reason=reason)
        await happens(lambda n=n_times: heard.states.count(LinkState.STREAMING) == n + 1)
    await happens(lambda: len(heard.of(NotificationKind.DATA)) > 60)
    await link.close()
    way_back = [LinkState.RECONNECTING, LinkState.CONNECTING, LinkState.CHECKING, LinkState.STREAMING]
    assert heard.states[4:] == [*way_back, *way_back, LinkState.CLOSED]
    assert_nothing_is_missing(bench, started, heard)


def assert_nothing_is_missing(bench, started, heard):
    receiver, blocks = Receiver(bench.capabilities), []
    for kind, payload in heard.payloads:
        if kind is NotificationKind.DATA:
            blocks += [getattr(event, "block", event) for event in receiver.receive_data(payload)]
        elif kind is NotificationKind.CONTROL:
            receiver.receive_control(payload)
    for samples, start in zip(bench.streams, started.streams, strict=True):
        own = [b for b in blocks if isinstance(b, SampleBlock) and b.stream == start.stream]
        own.sort(key=lambda block: block.first_sample)
        came = np.concatenate([block.values for block in own])
        np.testing.assert_array_equal(came, samples.counts[: len(came)])
        assert own[-1].first_sample + len(own[-1].values) == start.first_sample + len(came)


async def test_over_an_encrypted_link_a_sensor_is_paired_with_once_and_known_again(make_bench):
    bench = await make_bench(clock=FastClock(1), duration_s=30.0, security=Security.ENCRYPTED)
    heard = Heard()
    link = a_link(bench, heard)
    await link.connect()
    await link.start()
    await happens(lambda: len(heard.of(NotificationKind.DATA)) > 10)
    bench.system.pairs = False
    bench.air.cut()
    await happens(lambda: heard.states.count(LinkState.STREAMING) == 2)
    await link.close()


async def test_pairing_that_is_refused_is_told_with_what_to_do(make_bench):
    bench = await make_bench(clock=FastClock(1), security=Security.ENCRYPTED)
    bench.system.pairs = False
    with pytest.raises(PairingRefused, match="pairing failed") as caught:
        await a_link(bench, Heard()).connect()
    assert "list of devices" in caught.value.advice


async def test_a_stale_cache_of_services_is_passed_by_once(make_bench):
    bench = await make_bench(clock=FastClock(1))
    bench.system.stale[DATA_UUID] = 1
    link = a_link(bench, Heard())
    found = await link.connect()
    await link.close()
    assert found.capabilities == bench.capabilities


async def test_the_sensor_says_who_made_it(make_bench):
    bench = await make_bench(clock=FastClock(1))
    link = a_link(bench, Heard())
    found = await link.connect()
    await link.close()
    assert found.information == DeviceInformation("emgmon", "virtual sensor", __version__)


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
    found = await link.connect()
    assert found.sensor.address == virtual_air.SENSOR_ADDRESS
    await link.close()


async def test_packets_too_small_for_the_sensor_are_reported_with_the_size_it_needs(make_bench, monkeypatch):
    monkeypatch.setattr(backend, "REQUESTED_MTU", 23)
    bench = await make_bench(clock=FastClock(1))
    heard = Heard()
    link = a_link(bench, heard)
    found = await link.connect()
    assert found.capabilities == bench.capabilities  # joined from many small parts
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
    monkeypatch.setattr(bench.sensor.powered.measuring, "respond", lambda *_, **__: bench.air.cut())
    heard = Heard()
    with pytest.raises(SensorError, match=r"Disconnected|connection was lost"):
        await a_link(bench, heard).connect()
    assert heard.states[-2:] == [LinkState.CHECKING, LinkState.CLOSED]


def test_of_two_sensors_on_a_real_stack_one_may_vanish_and_come_back():
    async def main(clock):
        capabilities = [small_capabilities(boot_id=number) for number in (1, 2)]
        streams = noise(capabilities[0], 60)
        air = virtual_air.VirtualAir()
        devices = [air.sensor_device, air.add_sensor("emgmon-other", OTHER_ADDRESS)]
        await air.open()
        sensors = [
            VirtualSensor(own, streams, device, clock=clock)
            for own, device in zip(capabilities, devices, strict=True)
        ]
        for sensor in sensors:
            await sensor.open()
        radio, turn = backend.host_radio(air.host_device), asyncio.Lock()
        heard = [trial.Heard(clock) for _ in sensors]
        links = [
            SensorLink(
                index, radio, clock, address=address, receive=own.receive, changed=own.changed, turn=turn
            )
            for index, (own, address) in enumerate(
                zip(heard, (virtual_air.SENSOR_ADDRESS, OTHER_ADDRESS), strict=True)
            )
        ]
        for link in links:
            await link.connect()
        for link in links:
            await link.start()
        await asyncio.sleep(3)
        air.take_out_of_reach(OTHER_ADDRESS)
        await asyncio.sleep(9)
        air.bring_back(OTHER_ADDRESS)
        await asyncio.sleep(6)
        assert [link.n_missing for link in links] == [0, 0]
        await asyncio.gather(*(link.close() for link in links))
        for own, one in zip(capabilities, heard, strict=True):
            assert trial.assert_whole(own, streams, one) > 17 * 1100
        assert heard[0].states.count(LinkState.STREAMING) == 1
        assert heard[1].states.count(LinkState.STREAMING) == 2
        for sensor in sensors:
            await sensor.close()
        await air.close()

    run_turned(main)

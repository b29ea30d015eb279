"""Every fault of a radio on the Bumble link, one at a time; the clock is turned by hand."""

import asyncio

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from emgmon.clock import ManualClock
from emgmon.virtual.air import REMOTE_DISCONNECT, SENSOR_ADDRESS, VirtualAir
from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.backend import host_radio
from emgmon.virtual.fate import DELIVER, DROP, DUPLICATE, corrupted, held_back
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import c_machine
from emgmon.virtual.sensor import VirtualSensor
from emgmon.virtual.system import HostSystem
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import CapabilityPart, Opcode, Response, Started, Status, capability_request
from firmware_protocol.gatt import BATTERY_LEVEL_UUID, CONTROL_UUID, DATA_UUID
from firmware_protocol.packets import DataPacket, SampleFormat
from firmware_protocol.resend import SampleRange, resend_request
from firmware_protocol.worn import BatteryState, SiteEntry, SitesSet, read_status, sites_request

LIMIT_S = 20.0
CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
STREAM = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,))
OTHER_ADDRESS = "F0:00:00:00:E0:03"
COUNTS = np.arange(20_000, dtype=np.int16)[:, np.newaxis]


def capabilities(boot_id):
    return Capabilities(1, boot_id, "bench", 15_000, (STREAM,))


class Bench:
    """Sensors on one air, and what the host heard of them."""

    def __init__(self, *, machine=Firmware):
        self.clock = ManualClock()
        self.air = VirtualAir()
        other = self.air.add_sensor("emgmon-0002", OTHER_ADDRESS)
        self.sensors = [
            VirtualSensor(
                capabilities(number),
                [StreamSamples(STREAM, 0, COUNTS)],
                device,
                clock=self.clock,
                machine=machine,
            )
            for number, device in ((1, self.air.sensor_device), (2, other))
        ]
        self.sensor = self.sensors[0]
        self.system = HostSystem()
        self.radio = host_radio(self.air.host_device, self.system)
        self.indications: asyncio.Queue[bytes] = asyncio.Queue()
        self.packets: list[bytes] = []
        self.lost = asyncio.Event()

    async def open(self):
        await self.air.open()
        for sensor in self.sensors:
            await sensor.open()

    async def close(self):
        for sensor in self.sensors:
            await sensor.close()
        await self.air.close()

    async def connect(self, address=SENSOR_ADDRESS):
        device = await BleakScanner.find_device_by_address(address, backend=self.radio.scanner)
        self.lost.clear()
        client = BleakClient(device, lambda _: self.lost.set(), backend=self.radio.client)
        await client.connect()
        await client.start_notify(CONTROL_UUID, lambda _, value: self.indications.put_nowait(bytes(value)))
        await client.start_notify(DATA_UUID, lambda _, value: self.packets.append(bytes(value)))
        return client

    async def ask(self, client, request):
        await client.write_gatt_char(CONTROL_UUID, request, response=True)
        return Response.from_bytes(await self.indications.get())

    async def start(self, client):
        response = await self.ask(client, bytes([Opcode.START, 1]))
        assert response.status == Status.OK
        return Started.from_bytes(response.payload)

    async def boot_id(self, client):
        response = await self.ask(client, capability_request(transaction=1, offset=0).to_bytes())
        return Capabilities.from_bytes(CapabilityPart.from_bytes(response.payload).data).boot_id

    async def stream(self, seconds, sensor=None):
        """Turn the clock and wait until the sensor has sent what became due."""
        sent = asyncio.Event()
        sensor = sensor or self.sensor
        self.clock.advance_s(seconds)
        n_before = len(self.packets)
        measuring = sensor.powered.measuring
        packets_due = measuring.packets_due

        def noted(*arguments, **options):
            packets = packets_due(*arguments, **options)
            if not packets:
                sent.set()
            return packets

        measuring.packets_due = noted
        await sent.wait()
        del measuring.packets_due
        # A round trip behind the last notification: it has arrived if it ever will.
        return n_before


@pytest.fixture(params=[Firmware, c_machine], ids=["python", "c"])
def machine(request):
    if request.param is c_machine:
        build = pytest.importorskip("firmware_protocol.c.build")
        try:
            build.shared_library()
        except build.CompilerError as error:
            pytest.skip(f"the C sensor cannot be compiled here: {error}")
    return request.param


async def running(bench):
    await bench.open()
    async with asyncio.timeout(LIMIT_S):
        yield bench
    await bench.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def bench():
    async for one in running(Bench()):
        yield one


@pytest.fixture
async def any_bench(machine):
    async for one in running(Bench(machine=machine)):
        yield one


def decoded(packets):
    return [DataPacket.from_bytes(packet, n_channels=1) for packet in packets]


async def round_trip(client):
    await client.read_gatt_char(BATTERY_LEVEL_UUID)


async def hear(bench, fates):
    """Six packets, each with its fate; the first samples of those that arrive."""
    chosen = iter(fates)
    bench.air.fate = lambda _address, _value: next(chosen, DELIVER)
    client = await bench.connect()
    await bench.start(client)
    await bench.stream(0.12)
    await round_trip(client)
    await client.disconnect()
    return [packet.first_sample // 20 for packet in decoded(bench.packets)]


@pytest.mark.parametrize(
    ("fates", "arrives"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        ([DELIVER, DROP, DROP], [0, 3, 4, 5]),
        ([DUPLICATE], [0, 0, 1, 2, 3, 4, 5]),
        ([held_back(2)], [1, 2, 0, 3, 4, 5]),
        ([held_back(99)], [1, 2, 3, 4, 5]),
    ],
)
async def test_notifications_are_dropped_doubled_and_reordered_as_told(bench, fates, arrives):
    assert await hear(bench, fates) == arrives


async def test_a_corrupt_notification_arrives_with_its_bits_turned(bench):
    await hear(bench, [corrupted(-1, 0x40)])
    # The last sample of the first packet is 19.
    assert decoded(bench.packets)[0].values[-1, 0] == 19 ^ 0x4000


async def test_what_is_held_back_behind_nothing_can_be_released(bench):
    bench.air.fate = lambda _address, value: held_back(9) if value[4] == 0 else DELIVER
    client = await bench.connect()
    await bench.start(client)
    await bench.stream(0.06)
    bench.air.release()
    await round_trip(client)
    assert [packet.first_sample for packet in decoded(bench.packets)] == [20, 40, 0]
    await client.disconnect()


async def test_indications_and_answers_have_no_fate(bench):
    asked = []

    def fate(address, value):
        asked.append((address, value[1]))
        return DROP

    bench.air.fate = fate
    client = await bench.connect()
    await bench.start(client)
    await bench.stream(0.04)
    await client.disconnect()
    assert asked == [(SENSOR_ADDRESS, 1)] * 2


@pytest.mark.parametrize("reason", [None, REMOTE_DISCONNECT], ids=["link loss", "goodbye"])
async def test_after_a_lost_link_what_was_missed_can_be_asked_for(any_bench, reason):
    bench = any_bench
    client = await bench.connect()
    await bench.start(client)
    await bench.stream(1.0)
    await round_trip(client)
    bench.air.cut(**({} if reason is None else {"reason": reason}))
    await bench.lost.wait()
    bench.clock.advance_s(5.0)
    client = await bench.connect()
    n_missing = (await bench.start(client)).streams[0].first_sample - 1000
    await bench.ask(client, resend_request(SampleRange(1, 1000, n_missing), transaction=3).to_bytes())
    await bench.stream(0.0)
    await round_trip(client)
    came = np.concatenate([packet.values for packet in decoded(bench.packets)])
    np.testing.assert_array_equal(came, COUNTS[: 1000 + n_missing])
    assert n_missing == 5000
    await client.disconnect()


async def test_the_sensor_can_say_goodbye_itself(bench):
    client = await bench.connect()
    await bench.sensor.hang_up()
    await bench.lost.wait()
    assert not client.is_connected
    await (await bench.connect()).disconnect()


async def test_silence_leaves_the_connection_as_it_was(bench):
    client = await bench.connect()
    await bench.start(client)
    bench.air.silence()
    await bench.stream(1.0)
    assert bench.packets == []
    assert client.is_connected
    bench.air.bring_back()
    await bench.stream(0.02)
    await round_trip(client)
    assert [packet.first_sample for packet in decoded(bench.packets)] == [1000]
    await client.disconnect()


async def test_a_host_that_hangs_up_on_a_silent_sensor_finds_it_again(bench):
    client = await bench.connect()
    bench.air.silence()
    await client.disconnect()
    bench.air.bring_back()
    await (await bench.connect()).disconnect()


async def test_out_of_reach_it_is_neither_heard_nor_connected_to(bench):
    await bench.connect()
    bench.air.take_out_of_reach()
    await bench.lost.wait()
    async with BleakScanner(backend=bench.radio.scanner) as scanner:
        heard = {(await anext(scanner.advertisement_data()))[0].address for _ in range(3)}
    assert heard == {OTHER_ADDRESS}
    with pytest.raises(BleakError):
        await BleakClient(SENSOR_ADDRESS, backend=bench.radio.client, timeout=0.05).connect()
    bench.air.bring_back()
    await (await bench.connect()).disconnect()


async def test_a_reboot_in_the_middle_begins_with_other_counters_and_another_boot_id(any_bench):
    bench = any_bench
    client = await bench.connect()
    before = await bench.boot_id(client)
    bench.clock.advance_s(3.0)
    assert (await bench.start(client)).streams[0].first_sample == 3000
    await bench.stream(1.0)
    await bench.sensor.reboot()
    await bench.lost.wait()
    bench.packets.clear()
    bench.clock.advance_s(0.5)
    client = await bench.connect()
    assert await bench.boot_id(client) != before
    assert (await bench.start(client)).streams[0].first_sample == 500
    expired = await bench.ask(client, resend_request(SampleRange(1, 0, 100), transaction=3).to_bytes())
    assert expired.status == Status.EXPIRED
    await bench.stream(0.02)
    await round_trip(client)
    # The body did not wait for the sensor: a second was measured before.
    assert decoded(bench.packets)[0].values[0, 0] == 1001
    await client.disconnect()


async def test_where_it_is_worn_a_sensor_remembers_over_a_reboot(any_bench):
    """Clause 6.11."""
    bench = any_bench
    client = await bench.connect()
    sites = SitesSet(1, (SiteEntry(0, "multifidus", "right"),))
    await bench.ask(client, sites_request(sites, transaction=6).to_bytes())
    await bench.sensor.reboot()
    (channel,) = bench.sensor.powered.capabilities.streams[0].channels
    assert (channel.site, channel.side) == ("multifidus", "right")


async def test_a_low_mtu_is_refused_by_start_with_what_it_takes(bench):
    bench.system.mtu = 23
    client = await bench.connect()
    refused = await bench.ask(client, bytes([Opcode.START, 1]))
    assert (refused.status, refused.payload) == (Status.MTU_TOO_SMALL, bytes([28, 0]))
    await client.disconnect()
    bench.system.mtu = 28
    client = await bench.connect()
    await bench.start(client)
    await bench.stream(0.1)
    await round_trip(client)
    assert {len(packet.values) for packet in decoded(bench.packets)} == {4}
    await client.disconnect()


async def test_a_battery_runs_down_is_told_and_dies(any_bench):
    bench = any_bench
    client = await bench.connect()
    levels: asyncio.Queue[int] = asyncio.Queue()
    await client.start_notify(BATTERY_LEVEL_UUID, lambda _, value: levels.put_nowait(value[0]))
    bench.sensor.powered.set_battery(20, lasts_s=200.0)
    assert await levels.get() == 20
    statuses = [read_status(await bench.indications.get())]
    bench.clock.advance_s(150.0)
    assert await levels.get() == 5
    statuses.append(read_status(await bench.indications.get()))
    assert statuses == [
        BatteryState(20, charging=False, low=False, ending=False),
        BatteryState(5, charging=False, low=True, ending=True),
    ]
    bench.clock.advance_s(50.0)
    await bench.lost.wait()
    async with BleakScanner(backend=bench.radio.scanner) as scanner:
        heard = {(await anext(scanner.advertisement_data()))[0].address for _ in range(3)}
    assert heard == {OTHER_ADDRESS}


async def test_of_two_sensors_one_vanishes_and_the_other_goes_on(bench):
    first, second = await bench.connect(), await bench.connect(OTHER_ADDRESS)
    await bench.start(first)
    await bench.start(second)
    bench.air.take_out_of_reach(SENSOR_ADDRESS)
    await bench.stream(1.0, bench.sensors[1])
    await round_trip(second)
    assert not first.is_connected
    np.testing.assert_array_equal(
        np.concatenate([packet.values for packet in decoded(bench.packets)]), COUNTS[:1000]
    )
    await second.disconnect()


async def test_switching_notifications_off_ends_the_session_and_not_the_sampling(bench):
    """Clause 2.8."""
    client = await bench.connect()
    await bench.start(client)
    await bench.stream(1.0)
    await client.stop_notify(DATA_UUID)
    bench.clock.advance_s(1.0)
    await client.start_notify(DATA_UUID, lambda _, value: bench.packets.append(bytes(value)))
    assert (await bench.start(client)).streams[0].first_sample == 2000
    held = await bench.ask(client, resend_request(SampleRange(1, 1000, 1000), transaction=3).to_bytes())
    assert held.status == Status.OK
    await client.disconnect()

"""Sensors and a host without a Bluetooth stack: the same faults, thousands of times faster."""

import asyncio
import random

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.fate import DELIVER, DROP, DUPLICATE, corrupted, held_back
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import c_machine
from emgmon.virtual.quick_air import FIRST_ADDRESS, QuickAir
from emgmon.virtual.system import HostSystem
from emgmon.virtual.turned_loop import run_turned
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.gatt import (
    ATT_CCCD_IMPROPERLY_CONFIGURED,
    ATT_INSUFFICIENT_AUTHENTICATION,
    ATT_INSUFFICIENT_ENCRYPTION,
    BATTERY_LEVEL_UUID,
    CHARACTERISTICS,
    CONTROL_UUID,
    DATA_UUID,
    FIRMWARE_UUID,
    SERVICE_UUID,
    Property,
    Security,
)
from firmware_protocol.packets import DataPacket, SampleFormat
from firmware_protocol.resend import SampleRange, resend_request
from firmware_protocol.worn import BatteryState, read_status

CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
STREAM = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,))
COUNTS = np.arange(25_000, dtype=np.int16)[:, np.newaxis]
OTHER_ADDRESS = "F0:00:00:00:E0:03"


class Host:
    """One host and what it heard."""

    def __init__(self, air):
        self.air = air
        self.packets = []
        self.arrivals_s = []
        self.indications = asyncio.Queue()
        self.levels = []
        self.n_lost = 0

    def new_client(self, address=FIRST_ADDRESS, **options):
        return BleakClient(address, self.on_lost, backend=self.air.radio.client, **options)

    def on_lost(self, _client):
        self.n_lost += 1

    async def connect(self, address=FIRST_ADDRESS, **options):
        client = self.new_client(address, **options)
        await client.connect()
        return client

    async def listen(self, client):
        await client.start_notify(CONTROL_UUID, lambda _, value: self.indications.put_nowait(bytes(value)))
        await client.start_notify(BATTERY_LEVEL_UUID, lambda _, value: self.levels.append(value[0]))
        await client.start_notify(DATA_UUID, self.on_data)
        return client

    def on_data(self, _sender, value):
        self.packets.append(bytes(value))
        self.arrivals_s.append(asyncio.get_running_loop().time())

    async def ask(self, client, request):
        await client.write_gatt_char(CONTROL_UUID, request, response=True)
        return Response.from_bytes(await self.indications.get())

    async def start(self):
        client = await self.listen(await self.connect())
        response = await self.ask(client, bytes([Opcode.START, 1]))
        assert response.status == Status.OK
        return client, Started.from_bytes(response.payload).streams[0].first_sample

    def heard(self):
        return [DataPacket.from_bytes(packet, n_channels=1) for packet in self.packets]


def add(air, *, boot_id=1, address=FIRST_ADDRESS, **options):
    capabilities = Capabilities(1, boot_id, "bench", 15_000, (STREAM,))
    return air.add(capabilities, [StreamSamples(STREAM, 0, COUNTS)], address=address, **options)


def played(scene, *, with_sensor=None, **options):
    """Run a scene with an air, a sensor and a host; afterwards nothing may be going on any more."""

    async def main(clock):
        air = QuickAir(clock, **options)
        sensor = add(air, **(with_sensor or {}))
        result = await scene(air, sensor, Host(air))
        air.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return run_turned(main)


def test_a_scan_hears_every_sensor_that_is_free():
    async def scene(air, _sensor, host):
        add(air, boot_id=2, address=OTHER_ADDRESS)
        await host.connect(OTHER_ADDRESS)
        return await BleakScanner.discover(1.0, return_adv=True, backend=air.radio.scanner)

    (heard,) = played(scene).values()
    device, data = heard
    assert (device.address, data.local_name) == (FIRST_ADDRESS, "emgmon-0001")
    assert data.service_uuids == [SERVICE_UUID]


def test_it_offers_the_characteristics_of_the_specification():
    async def scene(_air, _sensor, host):
        services = (await host.connect()).services
        return {one.uuid: set(one.properties) for service in services for one in service.characteristics}

    words = {
        Property.READ: "read",
        Property.WRITE: "write",
        Property.NOTIFY: "notify",
        Property.INDICATE: "indicate",
    }
    assert played(scene) == {one.uuid: {words[kind] for kind in one.properties} for one in CHARACTERISTICS}


@pytest.mark.parametrize("machine", [Firmware, c_machine], ids=["python", "c"])
def test_every_sample_comes_once_and_in_time(machine):
    if machine is c_machine:
        build = pytest.importorskip("firmware_protocol.c.build")
        try:
            build.shared_library()
        except build.CompilerError as error:
            pytest.skip(f"the C sensor cannot be compiled here: {error}")

    async def scene(air, _sensor, host):
        await host.start()
        await air.turn(20.0)
        return host

    host = played(scene, with_sensor={"machine": machine})
    came = np.concatenate([packet.values for packet in host.heard()])
    np.testing.assert_array_equal(came, COUNTS[: len(came)])
    assert 19_900 <= len(came) <= 20_000
    late_s = np.array(host.arrivals_s) - [packet.time_us * 1e-6 + 0.019 for packet in host.heard()]
    assert 0.0 <= late_s.min() <= late_s.max() <= 0.0201


def test_notifications_meet_the_fate_that_is_drawn_for_them():
    fates = iter([DELIVER, DROP, DUPLICATE, held_back(2), corrupted(-1, 0x40)])

    async def scene(air, _sensor, host):
        await host.start()
        await air.turn(0.2)
        return [packet.first_sample // 20 for packet in host.heard()], host.heard()

    order, packets = played(scene, fate=lambda _address, _value: next(fates, DELIVER))
    start = order[0]
    assert [number - start for number in order[:7]] == [0, 2, 2, 4, 5, 3, 6]
    assert packets[3].values[-1, 0] == packets[3].values[-2, 0] + 1 ^ 0x4000


def test_jitter_delays_notifications_and_keeps_their_order():
    chance = random.Random(1)

    async def scene(air, _sensor, host):
        await host.start()
        await air.turn(2.0)
        return host

    host = played(scene, jitter_s=lambda: chance.expovariate(100.0))
    numbers = [packet.first_sample for packet in host.heard()]
    assert numbers == sorted(numbers)
    assert len({round(arrival_s % 0.02, 6) for arrival_s in host.arrivals_s}) > 50


@pytest.mark.parametrize("fault", ["cut", "reboot", "switch_off"])
def test_whatever_ends_the_link_the_host_is_told_once(fault):
    async def scene(air, sensor, host):
        client, _ = await host.start()
        getattr(sensor, fault)()
        await air.turn(1.0)
        return host.n_lost, client.is_connected

    assert played(scene) == (1, False)


def test_a_request_under_way_when_the_link_ends_is_an_error():
    async def scene(_air, sensor, host):
        client, _ = await host.start()
        asyncio.get_running_loop().call_later(0.005, sensor.cut)
        with pytest.raises(BleakError, match="Disconnected"):
            await client.read_gatt_char(BATTERY_LEVEL_UUID)
        with pytest.raises(BleakError, match="Not connected"):
            await client.read_gatt_char(BATTERY_LEVEL_UUID)

    played(scene)


def test_what_was_missed_out_of_reach_can_be_asked_for():
    async def scene(air, sensor, host):
        _, first = await host.start()
        await air.turn(3.0)
        sensor.take_out_of_reach(for_s=6.0)
        await air.turn(1.9)
        assert host.n_lost == 0
        await air.turn(0.2)
        assert host.n_lost == 1
        n_before = len(host.packets)
        client, again = await host.start()
        before = host.heard()[n_before - 1]
        missing = before.first_sample + len(before.values)
        await air.turn(0.1)
        answer = await host.ask(
            client, resend_request(SampleRange(1, missing, again - missing), transaction=3).to_bytes()
        )
        assert answer.status == Status.OK
        await air.turn(1.0)
        return first, host.heard()

    first, packets = played(scene)
    numbers = sorted(packet.first_sample + i for packet in packets for i in range(len(packet.values)))
    assert numbers == list(range(first, first + len(numbers)))
    for packet in packets:
        begin = packet.first_sample - first
        np.testing.assert_array_equal(packet.values, COUNTS[begin : begin + len(packet.values)])


def test_out_of_reach_it_cannot_be_connected_to():
    async def scene(_air, sensor, host):
        sensor.take_out_of_reach()
        with pytest.raises(BleakDeviceNotFoundError):
            await host.connect(timeout=3.0)
        asyncio.get_running_loop().call_later(2.0, sensor.bring_back)
        await host.connect(timeout=3.0)

    played(scene)


def test_a_short_silence_delays_and_loses_nothing():
    async def scene(air, sensor, host):
        client, _ = await host.start()
        await air.turn(1.0)
        sensor.silence()
        n_before = len(host.packets)
        await air.turn(5.0)
        assert (len(host.packets), client.is_connected) == (n_before, True)
        sensor.bring_back()
        await air.turn(0.1)
        return host.heard()

    packets = played(scene)
    came = np.concatenate([packet.values for packet in packets])
    np.testing.assert_array_equal(came, COUNTS[: len(came)])
    assert len(came) > 5900


def test_a_request_into_silence_is_answered_by_the_hosts_own_time_limit():
    async def scene(_air, sensor, host):
        client, _ = await host.start()
        sensor.silence()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await client.read_gatt_char(BATTERY_LEVEL_UUID)
        await client.disconnect()

    played(scene)


def test_a_reboot_begins_with_another_boot_id_and_counters_from_zero():
    async def scene(air, sensor, host):
        await air.turn(10.0)
        _, first = await host.start()
        await air.turn(2.0)
        sensor.reboot()
        await air.turn(1.0)
        host.packets.clear()
        _, again = await host.start()
        await air.turn(1.0)
        return first, again, sensor.powered.capabilities.boot_id, host.heard()[0]

    first, again, boot_id, packet = played(scene)
    assert first > 10_000
    assert 1000 < again < 1200
    assert boot_id == 2
    assert packet.values[0, 0] == pytest.approx(2000, abs=50)


def test_a_battery_runs_down_is_told_and_dies():
    async def scene(air, sensor, host):
        await host.start()
        sensor.powered.set_battery(20, lasts_s=200.0)
        await air.turn(210.0)
        statuses = [read_status(host.indications.get_nowait()) for _ in range(host.indications.qsize())]
        return host.levels, statuses, host.n_lost, sensor.is_heard

    levels, statuses, n_lost, is_heard = played(scene)
    assert levels == list(range(20, -1, -1))
    assert statuses[0] == BatteryState(20, charging=False, low=False, ending=False)
    assert statuses[-1] == BatteryState(1, charging=False, low=True, ending=True)
    assert (n_lost, is_heard) == (1, False)


def test_a_small_mtu_makes_small_packets():
    async def scene(air, _sensor, host):
        client, _ = await host.start()
        await air.turn(1.0)
        return client.mtu_size, {len(packet) for packet in host.packets}

    assert played(scene, system=HostSystem(mtu=28)) == (28, {24})


def test_a_slow_radio_sends_what_is_new_before_what_was_asked_for():
    async def scene(air, _sensor, host):
        client, first = await host.start()
        await air.turn(5.0)
        await host.ask(client, resend_request(SampleRange(1, first, 4000), transaction=3).to_bytes())
        n_before = len(host.packets)
        await air.turn(1.0)
        return host.heard()[n_before:]

    packets = played(scene, with_sensor={"packets_per_s": 150.0})
    again = [packet for packet in packets if packet.flags]
    live = [packet for packet in packets if not packet.flags]
    assert len(live) == pytest.approx(50, abs=2)
    assert len(again) == pytest.approx(100, abs=3)


def test_of_two_sensors_one_vanishes_and_the_other_goes_on():
    async def scene(air, sensor, host):
        add(air, boot_id=2, address=OTHER_ADDRESS)
        other = Host(air)
        client = await other.listen(await other.connect(OTHER_ADDRESS))
        await other.ask(client, bytes([Opcode.START, 1]))
        await host.start()
        sensor.take_out_of_reach()
        await air.turn(5.0)
        return host.n_lost, other.n_lost, len(other.packets)

    n_lost, other_n_lost, n_packets = played(scene)
    assert (n_lost, other_n_lost) == (1, 0)
    assert n_packets == pytest.approx(250, abs=5)


async def refusal(attempt):
    with pytest.raises(BleakGATTProtocolError) as caught:
        await attempt
    return caught.value.code


ENCRYPTED = {"security": Security.ENCRYPTED}


def test_without_a_bond_it_refuses_and_with_one_it_does_not():
    """Clauses 2.9 and 2.11."""

    async def scene(_air, _sensor, host):
        client = await host.connect()
        assert await client.read_gatt_char(FIRMWARE_UUID)
        assert await refusal(host.listen(client)) == ATT_INSUFFICIENT_AUTHENTICATION
        await client.pair()
        await host.listen(client)
        await client.disconnect()
        await host.listen(await host.connect())

    played(scene, with_sensor=ENCRYPTED)


def test_a_bond_that_one_side_lost_is_refused_and_can_be_made_anew():
    """Clause 2.12."""

    async def scene(_air, sensor, host):
        client = await host.connect()
        await client.pair()
        await client.unpair()
        client = await host.connect()
        assert await refusal(host.listen(client)) == ATT_INSUFFICIENT_ENCRYPTION
        await client.pair()
        await client.disconnect()
        sensor.bond = None
        client = await host.connect()
        assert await refusal(host.listen(client)) == ATT_INSUFFICIENT_AUTHENTICATION
        await client.pair()
        await host.listen(client)

    played(scene, with_sensor=ENCRYPTED)


def test_keys_that_differ_end_the_link():
    async def scene(_air, sensor, host):
        client = await host.connect()
        await client.pair()
        await client.disconnect()
        sensor.bond = 99
        with pytest.raises(BleakError, match="Disconnected"):
            await host.connect()

    played(scene, with_sensor=ENCRYPTED)


@pytest.mark.parametrize("who", ["sensor", "system"])
def test_either_side_may_refuse_to_pair(who):
    async def scene(air, sensor, host):
        if who == "sensor":
            sensor.takes_bonds = False
        else:
            air.system.pairs = False
        client = await host.connect()
        with pytest.raises(BleakError, match="refused"):
            await client.pair()

    played(scene, with_sensor=ENCRYPTED)


def test_a_request_whose_answer_nobody_would_hear_is_refused():
    """Clause 2.11."""

    async def scene(_air, _sensor, host):
        client = await host.connect()
        written = client.write_gatt_char(CONTROL_UUID, b"\x03\x01", response=True)
        assert await refusal(written) == ATT_CCCD_IMPROPERLY_CONFIGURED

    played(scene)


def test_what_a_system_does_not_remember_is_missing_until_it_looks_again():
    """Clause 2.13."""

    async def scene(_air, _sensor, host):
        seen = []
        for options in ({}, {}, {"winrt": {"use_cached_services": False}}):
            client = await host.connect(**options)
            seen.append(client.services.get_characteristic(DATA_UUID) is not None)
            await client.disconnect()
        return seen

    assert played(scene, system=HostSystem(stale={DATA_UUID: 9})) == [False, False, True]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_the_same_seed_gives_the_same_session(seed):
    def once():
        chance = random.Random(seed)
        fates = (DELIVER, DELIVER, DELIVER, DROP, DUPLICATE, held_back(3), corrupted())

        async def scene(air, sensor, host):
            await host.start()
            await air.turn(chance.random())
            sensor.take_out_of_reach(for_s=chance.random())
            await air.turn(2.0)
            return host.packets, host.arrivals_s

        return played(scene, fate=lambda _address, _value: chance.choice(fates))

    assert once() == once()

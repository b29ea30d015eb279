"""Pairing, bonding and their loss, over GATT; the clauses are those of SPEC.md."""

import asyncio

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError

from emgmon.clock import ManualClock
from emgmon.virtual.air import VirtualAir
from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.backend import host_radio
from emgmon.virtual.sensor import VirtualSensor
from emgmon.virtual.system import HostSystem
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.gatt import (
    ATT_INSUFFICIENT_AUTHENTICATION,
    ATT_INSUFFICIENT_ENCRYPTION,
    BATTERY_LEVEL_UUID,
    CONTROL_UUID,
    DATA_UUID,
    FIRMWARE_UUID,
    Security,
)
from firmware_protocol.packets import SampleFormat

LIMIT_S = 20.0
CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
STREAM = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,))
CAPABILITIES = Capabilities(1, 1, "bench", 15_000, (STREAM,))


class Bench:
    def __init__(self):
        self.air, self.system = VirtualAir(), HostSystem()
        streams = [StreamSamples(STREAM, 0, np.zeros((10, 1), np.int16))]
        self.sensor = VirtualSensor(
            CAPABILITIES,
            streams,
            self.air.sensor_device,
            clock=ManualClock(),
            security=Security.ENCRYPTED,
        )
        self.radio = host_radio(self.air.host_device, self.system)

    async def connect(self, **options):
        device = await BleakScanner.find_device_by_name(self.sensor.name, backend=self.radio.scanner)
        client = BleakClient(device, backend=self.radio.client, **options)
        await client.connect()
        return client

    async def pair(self):
        client = await self.connect()
        await client.pair()
        return client


@pytest.fixture
async def bench():
    bench = Bench()
    await bench.air.open()
    await bench.sensor.open()
    async with asyncio.timeout(LIMIT_S):
        yield bench
    await bench.sensor.close()
    await bench.air.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def listen(client, uuid=CONTROL_UUID):
    await client.start_notify(uuid, lambda *_: None)


async def refusal(attempt):
    with pytest.raises(BleakGATTProtocolError) as caught:
        await attempt
    return caught.value.code


async def test_without_a_bond_data_and_control_are_refused(bench):
    """Clause 2.11."""
    client = await bench.connect()
    for uuid in (CONTROL_UUID, DATA_UUID):
        assert await refusal(listen(client, uuid)) == ATT_INSUFFICIENT_AUTHENTICATION
    written = client.write_gatt_char(CONTROL_UUID, b"\x03\x01", response=True)
    assert await refusal(written) == ATT_INSUFFICIENT_AUTHENTICATION
    await client.disconnect()


async def test_battery_and_device_information_are_open_to_everybody(bench):
    """Clause 2.9."""
    client = await bench.connect()
    assert await client.read_gatt_char(BATTERY_LEVEL_UUID) == bytes([87])
    assert await client.read_gatt_char(FIRMWARE_UUID)
    await listen(client, BATTERY_LEVEL_UUID)
    await client.disconnect()


async def test_once_paired_everything_may_be_used(bench):
    client = await bench.pair()
    await listen(client)
    await listen(client, DATA_UUID)
    await client.write_gatt_char(CONTROL_UUID, b"\x03\x01", response=True)
    await client.disconnect()


async def test_the_link_is_paired_with_secure_connections_and_a_bond(bench):
    """Clause 2.9."""
    client = await bench.pair()
    (connection,) = bench.air.sensor_device.connections.values()
    assert (connection.is_encrypted, connection.sc) == (True, True)
    assert await bench.sensor.services.has_bond(connection)
    await client.disconnect()


async def test_pairing_twice_is_no_trouble(bench):
    client = await bench.pair()
    await client.pair()
    await client.disconnect()


async def test_a_bond_encrypts_the_next_connection_by_itself(bench):
    await (await bench.pair()).disconnect()
    client = await bench.connect()
    await listen(client)
    await client.disconnect()


async def test_a_bond_outlives_a_reboot_of_the_sensor(bench):
    await bench.pair()
    await bench.sensor.reboot()
    client = await bench.connect()
    await listen(client)
    await client.disconnect()


async def test_a_host_that_lost_its_bond_is_told_to_encrypt_and_can_pair_anew(bench):
    """Clauses 2.11 and 2.12."""
    await (await bench.pair()).unpair()
    client = await bench.connect()
    assert await refusal(listen(client)) == ATT_INSUFFICIENT_ENCRYPTION
    await client.pair()
    await listen(client)
    await client.disconnect()


async def test_a_sensor_that_lost_its_bond_takes_a_new_pairing(bench):
    """Clause 2.12."""
    await (await bench.pair()).disconnect()
    await bench.sensor.services.forget_bonds()
    client = await bench.connect()
    assert await refusal(listen(client)) == ATT_INSUFFICIENT_AUTHENTICATION
    await client.pair()
    await listen(client)
    await client.disconnect()


async def test_some_systems_hang_up_when_the_sensor_has_lost_its_bond(bench):
    await (await bench.pair()).disconnect()
    await bench.sensor.services.forget_bonds()
    bench.system.keeps_link_without_key = False
    with pytest.raises(BleakError):
        await bench.connect()
    assert not bench.air.host_device.connections


async def test_a_sensor_that_takes_no_bonds_refuses_to_pair(bench):
    bench.sensor.services.takes_bonds = False
    client = await bench.connect()
    with pytest.raises(BleakError):
        await client.pair()
    assert await refusal(listen(client)) == ATT_INSUFFICIENT_AUTHENTICATION
    await client.disconnect()


async def test_a_person_who_says_no_refuses_to_pair(bench):
    bench.system.pairs = False
    client = await bench.connect()
    with pytest.raises(BleakError, match="refused"):
        await client.pair()
    await client.disconnect()


async def test_what_a_system_does_not_remember_is_missing_until_it_looks_again(bench):
    """Clause 2.13."""
    bench.system.stale = {DATA_UUID: 2}
    for _ in range(2):
        client = await bench.connect()
        assert client.services.get_characteristic(DATA_UUID) is None
        assert client.services.get_characteristic(CONTROL_UUID) is not None
        await client.disconnect()
    client = await bench.connect()
    assert client.services.get_characteristic(DATA_UUID) is not None
    await client.disconnect()


@pytest.mark.parametrize("way", ["unpairing", "looking past the cache"])
async def test_unpairing_and_looking_past_the_cache_make_a_system_look_again(bench, way):
    bench.system.stale = {DATA_UUID: 99}
    client = await bench.connect()
    options = {}
    if way == "unpairing":
        await client.unpair()
    else:
        options = {"winrt": {"use_cached_services": False}}
    await client.disconnect()
    client = await bench.connect(**options)
    assert client.services.get_characteristic(DATA_UUID) is not None
    await client.disconnect()

"""The virtual sensor as a host meets it over GATT; the clauses are those of firmware_protocol/SPEC.md."""

import asyncio

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakGATTProtocolError

from emgmon.clock import ManualClock
from emgmon.virtual.air import VirtualAir
from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.backend import host_radio
from emgmon.virtual.sensor import VirtualSensor
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode, Request, Response, Status
from firmware_protocol.gatt import (
    BATTERY_LEVEL_UUID,
    CHARACTERISTICS,
    CONTROL_UUID,
    DATA_UUID,
    SERVICE_UUID,
    Property,
)
from firmware_protocol.packets import SampleFormat

LIMIT_S = 20.0
CCCD_IMPROPERLY_CONFIGURED = 0xFD
CHANNEL = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
STREAM = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (CHANNEL,))
CAPABILITIES = Capabilities(0, 0xABCD00FF, "bench", 0, (STREAM,))


class Bench:
    def __init__(self):
        self.clock = ManualClock()
        self.air = VirtualAir()
        counts = np.arange(1000, dtype=np.int16)[:, np.newaxis]
        self.sensor = VirtualSensor(
            CAPABILITIES, [StreamSamples(STREAM, 0, counts)], self.air.sensor_device, clock=self.clock
        )
        self.radio = host_radio(self.air.host_device)
        self.indications: asyncio.Queue[Response] = asyncio.Queue()
        self.notifications: asyncio.Queue[bytes] = asyncio.Queue()

    async def connect(self):
        device = await BleakScanner.find_device_by_name("emgmon-00FF", backend=self.radio.scanner)
        client = BleakClient(device, backend=self.radio.client)
        await client.connect()
        return client

    async def enable(self, client):
        await client.start_notify(
            CONTROL_UUID, lambda _, value: self.indications.put_nowait(Response.from_bytes(bytes(value)))
        )
        await client.start_notify(DATA_UUID, lambda _, value: self.notifications.put_nowait(bytes(value)))

    async def ask(self, client, opcode):
        await client.write_gatt_char(CONTROL_UUID, Request(opcode, 1).to_bytes(), response=True)
        return (await self.indications.get()).status


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


async def test_it_advertises_its_service_and_a_name_that_begins_with_emgmon(bench):
    """Clause 2.1."""
    async with BleakScanner(backend=bench.radio.scanner) as scanner:
        _, data = await anext(scanner.advertisement_data())
    assert data.local_name == "emgmon-00FF"
    assert data.service_uuids == [SERVICE_UUID]


async def test_it_offers_the_characteristics_of_the_specification(bench):
    """Clause 2.2."""
    words = {
        Property.READ: "read",
        Property.WRITE: "write",
        Property.NOTIFY: "notify",
        Property.INDICATE: "indicate",
    }
    client = await bench.connect()
    for wanted in CHARACTERISTICS:
        found = client.services.get_service(wanted.service_uuid).get_characteristic(wanted.uuid)
        assert set(found.properties) == {words[one] for one in wanted.properties}
    await client.disconnect()


async def test_it_is_silent_to_others_while_connected_and_advertises_again_after(bench):
    """Clauses 2.7 and 2.8."""
    client = await bench.connect()
    assert not bench.air.sensor_device.is_advertising
    await client.disconnect()
    again = await bench.connect()
    await again.disconnect()


async def test_a_request_is_refused_while_its_answer_could_not_be_heard(bench):
    """Clause 2.4."""
    client = await bench.connect()
    with pytest.raises(BleakGATTProtocolError) as caught:
        await client.write_gatt_char(CONTROL_UUID, Request(Opcode.STOP, 1).to_bytes(), response=True)
    assert caught.value.code == CCCD_IMPROPERLY_CONFIGURED
    await client.disconnect()


async def test_start_needs_somebody_who_listens_to_the_data(bench):
    """Clause 6.7."""
    client = await bench.connect()
    await bench.enable(client)
    await client.stop_notify(DATA_UUID)
    assert await bench.ask(client, Opcode.START) == Status.WRONG_STATE
    await client.disconnect()


async def test_a_second_start_is_refused_and_the_first_session_goes_on(bench):
    client = await bench.connect()
    await bench.enable(client)
    assert await bench.ask(client, Opcode.START) == Status.OK
    assert await bench.ask(client, Opcode.START) == Status.WRONG_STATE
    bench.clock.advance_s(0.1)
    assert await bench.notifications.get()
    await client.disconnect()


async def test_after_stop_nothing_comes_and_start_begins_again(bench):
    client = await bench.connect()
    await bench.enable(client)
    for _ in range(2):
        assert await bench.ask(client, Opcode.START) == Status.OK
        bench.clock.advance_s(0.1)
        packet = await bench.notifications.get()
        assert packet[16:18] == b"\x00\x00"  # the first count of the samples
        assert await bench.ask(client, Opcode.STOP) == Status.OK
        while not bench.notifications.empty():
            bench.notifications.get_nowait()
        bench.clock.advance_s(10)
        assert await bench.ask(client, Opcode.GET_CAPABILITIES) == Status.BAD_PAYLOAD  # a round trip
        assert bench.notifications.empty()
    await client.disconnect()


async def test_a_session_does_not_survive_its_connection(bench):
    """Clause 2.8."""
    client = await bench.connect()
    await bench.enable(client)
    assert await bench.ask(client, Opcode.START) == Status.OK
    bench.air.cut()
    client = await bench.connect()
    await bench.enable(client)
    bench.clock.advance_s(10)
    assert await bench.ask(client, Opcode.START) == Status.OK
    await client.disconnect()


async def test_it_is_finished_once_everything_was_sent(bench):
    client = await bench.connect()
    await bench.enable(client)
    await bench.ask(client, Opcode.START)
    bench.clock.advance_s(0.5)
    await bench.notifications.get()
    assert not bench.sensor.finished.is_set()
    bench.clock.advance_s(0.51)
    await bench.sensor.finished.wait()
    await client.disconnect()


async def test_the_battery_is_read_and_notified(bench):
    """Clause 2.5."""
    client = await bench.connect()
    levels = asyncio.Queue()
    await client.start_notify(BATTERY_LEVEL_UUID, lambda _, value: levels.put_nowait(bytes(value)))
    assert await client.read_gatt_char(BATTERY_LEVEL_UUID) == bytes([87])
    await bench.sensor.notify_battery(12)
    assert await levels.get() == bytes([12])
    assert await client.read_gatt_char(BATTERY_LEVEL_UUID) == bytes([12])
    await client.disconnect()

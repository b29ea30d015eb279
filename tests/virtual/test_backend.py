"""Bleak's own classes on the virtual air, against a GATT server that is none of ours."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_16
from bumble.att import ATT_Error, Attribute
from bumble.core import UUID, AdvertisingData
from bumble.gatt import Characteristic, CharacteristicValue, Descriptor, Service

from emgmon.virtual.air import SENSOR_ADDRESS, VirtualAir
from emgmon.virtual.backend import host_radio

SERVICE = "0f6cf0a4-31a7-4d6b-9cf1-6a3a5b7a0001"
NOTE = "0f6cf0a4-31a7-4d6b-9cf1-6a3a5b7a0002"
ECHO = "0f6cf0a4-31a7-4d6b-9cf1-6a3a5b7a0003"
LONG = "0f6cf0a4-31a7-4d6b-9cf1-6a3a5b7a0004"
LIMIT_S = 20.0
LONG_VALUE = bytes(range(256)) + bytes(200)
WRITE_NOT_PERMITTED = 0x03


class Server:
    """A small GATT server on the sensor's side."""

    def __init__(self, air):
        self.air = air
        self.written = []
        self.note = Characteristic(NOTE, Characteristic.Properties.NOTIFY, Attribute.Permissions(0), b"")
        self.echo = Characteristic(
            ECHO,
            Characteristic.Properties.WRITE | Characteristic.Properties.INDICATE,
            Attribute.Permissions.WRITEABLE,
            CharacteristicValue(write=self.on_write),
        )
        self.long = Characteristic(
            LONG,
            Characteristic.Properties.READ,
            Attribute.Permissions.READABLE,
            LONG_VALUE,
            [Descriptor("2901", Attribute.Permissions.READABLE, b"words")],
        )

    def on_write(self, _connection, value):
        if value == b"no":
            raise ATT_Error(WRITE_NOT_PERMITTED)
        if value == b"die":
            self.air.cut()
        self.written.append(value)

    async def open(self):
        device = self.air.sensor_device
        device.add_service(Service(SERVICE, [self.note, self.echo, self.long]))
        kind = AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
        data = [(kind, bytes(UUID(SERVICE))), (AdvertisingData.COMPLETE_LOCAL_NAME, b"server")]
        await device.start_advertising(
            advertising_data=bytes(AdvertisingData(data)),
            advertising_interval_min=20,
            advertising_interval_max=20,
        )


@pytest.fixture
async def server():
    air = VirtualAir()
    await air.open()
    server = Server(air)
    await server.open()
    async with asyncio.timeout(LIMIT_S):
        yield server
    await air.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def client(server):
    radio = host_radio(server.air.host_device)
    device = await BleakScanner.find_device_by_name("server", backend=radio.scanner)
    async with BleakClient(device, backend=radio.client) as client:
        yield client


async def test_a_scan_reports_name_address_strength_and_services(server):
    radio = host_radio(server.air.host_device)
    async with BleakScanner(service_uuids=[SERVICE], backend=radio.scanner) as scanner:
        device, data = await anext(scanner.advertisement_data())
    assert (device.address, device.name) == (SENSOR_ADDRESS, "server")
    assert (data.local_name, data.service_uuids) == ("server", [SERVICE])
    assert -127 <= data.rssi <= 20
    assert set(scanner.discovered_devices_and_advertisement_data) == {SENSOR_ADDRESS}


async def test_a_scan_for_other_services_reports_nothing(server):
    radio = host_radio(server.air.host_device)
    heard = asyncio.Event()
    server.air.host_device.on("advertisement", lambda _: heard.set())
    async with BleakScanner(service_uuids=[NOTE], backend=radio.scanner) as scanner:
        await heard.wait()
    assert scanner.discovered_devices == []


async def test_an_address_where_nobody_is_cannot_be_connected_to(server):
    radio = host_radio(server.air.host_device)
    client = BleakClient("F0:00:00:00:00:77", backend=radio.client, timeout=0.2)
    with pytest.raises(BleakDeviceNotFoundError, match="F0:00:00:00:00:77"):
        await client.connect()
    assert not client.is_connected


async def test_the_mtu_is_negotiated_so_that_a_notification_fills_one_acl_buffer(client):
    assert client.mtu_size == 247
    assert client.services.get_characteristic(NOTE).max_write_without_response_size == 244


async def test_services_are_found_with_their_properties_and_descriptors(client):
    service = client.services.get_service(SERVICE)
    properties = {found.uuid: set(found.properties) for found in service.characteristics}
    assert properties == {NOTE: {"notify"}, ECHO: {"write", "indicate"}, LONG: {"read"}}
    descriptors = [found.uuid for found in client.services.get_characteristic(LONG).descriptors]
    assert descriptors == [normalize_uuid_16(0x2901)]


async def test_a_value_longer_than_a_packet_is_read_whole(client):
    assert await client.read_gatt_char(LONG) == LONG_VALUE


async def test_a_descriptor_is_read(client):
    descriptor = client.services.get_characteristic(LONG).descriptors[0]
    assert await client.read_gatt_descriptor(descriptor.handle) == b"words"


async def test_a_write_arrives_before_it_is_answered(server, client):
    await client.write_gatt_char(ECHO, b"hello", response=True)
    assert server.written == [b"hello"]


async def test_a_refused_write_raises_bleaks_protocol_error_with_the_code(client):
    with pytest.raises(BleakGATTProtocolError) as caught:
        await client.write_gatt_char(ECHO, b"no", response=True)
    assert caught.value.code == WRITE_NOT_PERMITTED


async def test_notifications_arrive_whole_and_in_order_until_they_are_stopped(server, client):
    sent = [bytes([number]) * 244 for number in range(200)]
    got, all_there = [], asyncio.Event()

    def on_note(_sender, value):
        got.append(bytes(value))
        if len(got) == len(sent):
            all_there.set()

    await client.start_notify(NOTE, on_note)
    for value in sent:
        await server.air.sensor_device.notify_subscribers(server.note, value)
    await all_there.wait()
    await client.stop_notify(NOTE)
    await server.air.sensor_device.notify_subscribers(server.note, b"unheard")
    await client.write_gatt_char(ECHO, b"a round trip", response=True)
    assert got == sent


async def test_indications_arrive_and_are_confirmed(server, client):
    got = []
    await client.start_notify(ECHO, lambda _sender, value: got.append(bytes(value)))
    # Returns only once the other side has confirmed.
    await server.air.sensor_device.indicate_subscribers(server.echo, b"indeed")
    assert got == [b"indeed"]


async def test_hanging_up_calls_back_and_ends_the_connection(server):
    radio = host_radio(server.air.host_device)
    device = await BleakScanner.find_device_by_name("server", backend=radio.scanner)
    gone = []
    client = BleakClient(device, gone.append, backend=radio.client)
    await client.connect()
    await client.disconnect()
    assert gone == [client]
    assert not client.is_connected
    assert not server.air.sensor_device.connections
    await client.disconnect()
    with pytest.raises(BleakError, match="Not connected"):
        await client.read_gatt_char(LONG)


async def test_a_link_cut_while_an_answer_is_awaited_is_an_error_not_a_cancellation(server, client):
    with pytest.raises(BleakError, match="Disconnected"):
        await client.write_gatt_char(ECHO, b"die", response=True)
    assert not client.is_connected

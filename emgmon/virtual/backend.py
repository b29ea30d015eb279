"""Bleak's scanner and client on a Bumble device, so that the host's code reaches a sensor without a radio.

Only translation happens here: bleak's calls to Bumble's, Bumble's objects and errors to bleak's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, cast

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str
from bumble.att import ATT_Error
from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.hci import Address, HCI_Error, HCI_LE_Create_Connection_Cancel_Command

from emgmon.sensors.ble import Radio
from emgmon.virtual.air_client import AirClient
from emgmon.virtual.services import just_works
from emgmon.virtual.system import HostSystem

REQUESTED_MTU = 247
"""One notification then fills exactly one ACL buffer of 251 bytes."""


def host_radio(device: Device, system: HostSystem | None = None) -> Radio:
    """Let bleak's classes use this Bumble device as the machine's only adapter."""
    settings = HostSystem() if system is None else system
    device.pairing_config_factory = lambda _connection: just_works(lambda: settings.pairs)

    class Scanner(BumbleScanner):
        adapter = device

    class Client(BumbleClient):
        adapter = device
        system = settings

    return Radio(scanner=Scanner, client=Client)


def _uuid_text(uuid: UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))


class BumbleScanner(BaseBleakScanner):
    """Reports the advertisements that a Bumble device hears."""

    adapter: ClassVar[Device]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **kwargs: object,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        self.seen_devices = {}
        self.adapter.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self.adapter.start_scanning(active=self._active)

    async def stop(self) -> None:
        await self.adapter.stop_scanning()
        self.adapter.remove_listener(Device.EVENT_ADVERTISEMENT, self._on_advertisement)

    def _on_advertisement(self, heard: Advertisement) -> None:
        data = AdvertisementData(
            local_name=_local_name(heard.data),
            manufacturer_data={},
            service_data={},
            service_uuids=_service_uuids(heard.data),
            tx_power=None,
            rssi=heard.rssi,
            platform_data=(heard,),
        )
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address = heard.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, data.local_name, heard.address, data)
        self.call_detection_callbacks(device, data)


def _local_name(data: AdvertisingData) -> str | None:
    for kind in (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME):
        for name in data.get_all(kind):
            return str(name)
    return None


def _service_uuids(data: AdvertisingData) -> list[str]:
    kinds = (
        AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    )
    lists = cast("list[list[UUID]]", [uuids for kind in kinds for uuids in data.get_all(kind)])
    return [_uuid_text(uuid) for uuids in lists for uuid in uuids]


class BumbleClient(AirClient):
    """A GATT client on a connection of a Bumble device."""

    adapter: ClassVar[Device]

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._peer: Peer | None = None
        self._subscriptions: dict[int, Callable[[bytes], None]] = {}

    @property
    def mtu_size(self) -> int:
        return self._connected_peer().connection.att_mtu

    @property
    def is_connected(self) -> bool:
        return self._peer is not None

    def _connected_peer(self) -> Peer:
        if self._peer is None:
            raise BleakError("Not connected")
        return self._peer

    async def connect(self, pair: bool, **kwargs: Any) -> None:  # noqa: FBT001 - bleak's signature
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self.adapter.connect(Address(self.address), timeout=None)
        except TimeoutError as error:
            await self._give_up_connecting()
            raise BleakDeviceNotFoundError(self.address, f"{self.address} did not answer") from error
        except asyncio.CancelledError:
            await self._give_up_connecting()
            raise
        self._peer = Peer(connection)
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        async with self._translated():
            await self._peer.request_mtu(self.system.mtu or REQUESTED_MTU)
            await self._encrypt_if_bonded(connection)
            await self._peer.discover_all()  # type: ignore[no-untyped-call]
        self.services = _service_collection(self._peer, self.system.hidden(past_cache=self._past_cache))
        if pair:
            await self.pair()

    async def _give_up_connecting(self) -> None:
        """Stop trying; a connection that came about all the same would keep the sensor from others."""
        await self.adapter.send_sync_command(HCI_LE_Create_Connection_Cancel_Command())
        for connection in list(self.adapter.connections.values()):
            if connection.peer_address == Address(self.address):
                await connection.disconnect()

    async def _encrypt_if_bonded(self, connection: Connection) -> None:
        """Encrypt with the bond, as every system does by itself."""
        if self.adapter.keystore is None or await self.adapter.keystore.get(_bond_name(connection)) is None:
            return
        try:
            await connection.encrypt()
        except HCI_Error:
            if not self.system.keeps_link_without_key:
                await connection.disconnect()
                raise

    def _on_disconnection(self, _reason: int) -> None:
        self._peer = None
        self._subscriptions.clear()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._peer is not None:
            async with self._translated():
                await self._peer.connection.disconnect()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        connection = self._connected_peer().connection
        if connection.is_encrypted:
            return
        if not self.system.pairs:
            raise BleakError("Pairing was refused")
        async with self._translated():
            await connection.pair()

    async def unpair(self) -> None:
        if self.adapter.keystore is not None:
            await self.adapter.keystore.delete(Address(self.address).to_string())
        self.system.stale.clear()
        # A system that removes a device disconnects it.
        await self.disconnect()

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        async with self._translated():
            return bytearray(await self._connected_peer().read_value(characteristic.handle))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        async with self._translated():
            return bytearray(await self._connected_peer().read_value(descriptor.handle))

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: SizedBuffer,
        response: bool,  # noqa: FBT001 - bleak's signature
    ) -> None:
        async with self._translated():
            peer = self._connected_peer()
            await peer.write_value(characteristic.handle, bytes(data), with_response=response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        async with self._translated():
            await self._connected_peer().write_value(descriptor.handle, bytes(data), with_response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        def deliver(value: bytes) -> None:
            callback(bytearray(value))

        async with self._translated():
            proxy: CharacteristicProxy[bytes] = characteristic.obj
            await self._connected_peer().subscribe(proxy, deliver)
        self._subscriptions[characteristic.handle] = deliver

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        deliver = self._subscriptions.pop(characteristic.handle, None)
        if deliver is not None:
            async with self._translated():
                await self._connected_peer().unsubscribe(characteristic.obj, deliver)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except BaseBumbleError as error:
            raise BleakError(str(error)) from error
        except asyncio.CancelledError as error:
            # Bumble cancels what waits for an answer when the connection goes; nobody cancelled this task.
            task = asyncio.current_task()
            if self._peer is None and task is not None and not task.cancelling():
                raise BleakError("Disconnected") from error
            raise


def _bond_name(connection: Connection) -> str:
    return str(connection.peer_address)


def _service_collection(peer: Peer, hidden: frozenset[str]) -> BleakGATTServiceCollection:
    collection = BleakGATTServiceCollection()
    for service in peer.services:
        found = BleakGATTService(service, service.handle, _uuid_text(service.uuid))
        collection.add_service(found)
        for proxy in service.characteristics:
            if _uuid_text(proxy.uuid) in hidden:
                continue
            _add_characteristic(collection, found, proxy, peer)
    return collection


def _add_characteristic(
    collection: BleakGATTServiceCollection,
    service: BleakGATTService,
    proxy: CharacteristicProxy[bytes],
    peer: Peer,
) -> None:
    characteristic = BleakGATTCharacteristic(
        proxy,
        proxy.handle,
        _uuid_text(proxy.uuid),
        list(gatt_char_props_to_strs(int(proxy.properties))),
        lambda: peer.connection.att_mtu - 3,
        service,
    )
    collection.add_characteristic(characteristic)
    for descriptor in proxy.descriptors:
        uuid = _uuid_text(descriptor.type)
        collection.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, uuid, characteristic))

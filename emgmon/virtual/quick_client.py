"""Bleak's scanner and client on the quick air."""

import asyncio
from typing import Any, ClassVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError

from emgmon import __version__
from emgmon.virtual.air_client import AirClient
from emgmon.virtual.quick_sensor import QuickLink, QuickSensor
from firmware_protocol.gatt import (
    ATT_OVERHEAD,
    BATTERY_LEVEL_UUID,
    CHARACTERISTICS,
    CONTROL_UUID,
    FIRMWARE_UUID,
    HARDWARE_UUID,
    MANUFACTURER_UUID,
    MODEL_UUID,
    SERIAL_UUID,
    SERVICE_UUID,
    Property,
)

ADVERTISING_INTERVAL_S = 0.1
RSSI_DBM = -50
USUAL_MTU = 247

_WORDS: dict[Property, CharacteristicPropertyName] = {
    Property.READ: "read",
    Property.WRITE: "write",
    Property.NOTIFY: "notify",
    Property.INDICATE: "indicate",
}


class QuickScanner(BaseBleakScanner):
    """Hears every sensor that advertises."""

    sensors: ClassVar[dict[str, QuickSensor]]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **kwargs: object,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self.seen_devices = {}
        self._listen()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _listen(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(ADVERTISING_INTERVAL_S, self._listen)
        for sensor in list(self.sensors.values()):
            if sensor.is_heard:
                self._hear(sensor)

    def _hear(self, sensor: QuickSensor) -> None:
        data = AdvertisementData(
            local_name=sensor.name,
            manufacturer_data={},
            service_data={},
            service_uuids=[SERVICE_UUID],
            tx_power=None,
            rssi=RSSI_DBM,
            platform_data=(sensor,),
        )
        if self.is_allowed_uuid(data.service_uuids):
            device = self.create_or_update_device(sensor.address, sensor.address, sensor.name, sensor, data)
            self.call_detection_callbacks(device, data)


class QuickClient(AirClient):
    """A GATT client on a quick link."""

    bonds: ClassVar[dict[str, int]]
    latency_s: ClassVar[float]
    sensors: ClassVar[dict[str, QuickSensor]]

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._link: QuickLink | None = None

    @property
    def mtu_size(self) -> int:
        return self._own_link().payload_size + ATT_OVERHEAD

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    def _own_link(self) -> QuickLink:
        if self._link is None:
            raise BleakError("Not connected")
        return self._link

    async def connect(self, pair: bool, **kwargs: Any) -> None:  # noqa: FBT001 - bleak's signature
        try:
            async with asyncio.timeout(self._timeout):
                sensor = await self._reach()
        except TimeoutError as error:
            raise BleakDeviceNotFoundError(self.address, f"{self.address} did not answer") from error
        link = QuickLink(
            sensor, payload_size=(self.system.mtu or USUAL_MTU) - ATT_OVERHEAD, on_over=self._on_over
        )
        self._link = link
        sensor.connect(link)
        self._encrypt_if_bonded(link)
        await link.round_trip()
        hidden = self.system.hidden(past_cache=self._past_cache)
        self.services = _service_collection(link.payload_size, hidden)
        if pair:
            await self.pair()

    async def _reach(self) -> QuickSensor:
        while True:
            await asyncio.sleep(self.latency_s)
            sensor = self.sensors.get(self.address.upper())
            if sensor is not None and sensor.is_heard:
                return sensor
            await asyncio.sleep(ADVERTISING_INTERVAL_S)

    def _encrypt_if_bonded(self, link: QuickLink) -> None:
        """Encrypt with the bond, as every system does by itself."""
        key = self.bonds.get(link.sensor.address)
        link.is_encrypted = key is not None and key == link.sensor.bond
        if key is None or link.is_encrypted:
            return
        if link.sensor.bond is not None or not self.system.keeps_link_without_key:
            # Another key cannot be told from noise, and ends the link.
            link.end()

    def _on_over(self) -> None:
        self._link = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._link is not None:
            self._link.end()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        link = self._own_link()
        if link.is_encrypted:
            return
        await link.round_trip()
        if not (self.system.pairs and link.sensor.takes_bonds):
            raise BleakError("Pairing was refused")
        key = max((*self.bonds.values(), link.sensor.bond or 0), default=0) + 1
        self.bonds[link.sensor.address] = link.sensor.bond = key
        link.is_encrypted = True

    async def unpair(self) -> None:
        self.bonds.pop(self.address, None)
        self.system.stale.clear()
        # A system that removes a device disconnects it.
        await self.disconnect()

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        link = self._own_link()
        await link.round_trip()
        return bytearray(_value(link.sensor, characteristic.uuid))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        raise NotImplementedError("the quick air has no descriptors")

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: SizedBuffer,
        response: bool,  # noqa: FBT001 - bleak's signature
    ) -> None:
        link = self._own_link()
        await link.round_trip()
        if characteristic.uuid != CONTROL_UUID:
            raise BleakError(f"{characteristic.uuid} cannot be written")
        link.sensor.write_control(bytes(data))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        raise NotImplementedError("the quick air has no descriptors")

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        link = self._own_link()
        await link.round_trip()
        link.sensor.subscribe(characteristic.uuid, lambda value: callback(bytearray(value)))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        link = self._own_link()
        await link.round_trip()
        link.sensor.unsubscribe(characteristic.uuid)


def _value(sensor: QuickSensor, uuid: str) -> bytes:
    values = {
        BATTERY_LEVEL_UUID: bytes([sensor.powered.battery_pct]),
        MANUFACTURER_UUID: b"emgmon",
        MODEL_UUID: b"virtual sensor",
        SERIAL_UUID: sensor.name.encode(),
        HARDWARE_UUID: b"none",
        FIRMWARE_UUID: __version__.encode(),
    }
    if uuid not in values:
        raise BleakError(f"{uuid} cannot be read")
    return values[uuid]


def _service_collection(payload_size: int, hidden: frozenset[str]) -> BleakGATTServiceCollection:
    """Give the services of SPEC 2.2, without what the system does not remember."""
    collection = BleakGATTServiceCollection()
    services: dict[str, BleakGATTService] = {}
    for handle, one in enumerate(CHARACTERISTICS, start=1):
        service = services.get(one.service_uuid)
        if service is None:
            service = services[one.service_uuid] = BleakGATTService(None, 100 + handle, one.service_uuid)
            collection.add_service(service)
        if one.uuid in hidden:
            continue
        words = [_WORDS[kind] for kind in one.properties]
        collection.add_characteristic(
            BleakGATTCharacteristic(None, handle, one.uuid, words, lambda: payload_size, service)
        )
    return collection

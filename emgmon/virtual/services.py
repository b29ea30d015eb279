"""The GATT services of the virtual sensor: who may write what over which link (SPEC 2.2 and 2.11)."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from bumble.att import ATT_Error, Attribute, AttributeValueV2
from bumble.device import Connection, Device
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    CharacteristicValue,
    Descriptor,
    Service,
)
from bumble.pairing import PairingConfig, PairingDelegate

from emgmon import __version__
from firmware_protocol.gatt import (
    ATT_CCCD_IMPROPERLY_CONFIGURED,
    ATT_INSUFFICIENT_AUTHENTICATION,
    ATT_INSUFFICIENT_ENCRYPTION,
    BATTERY_LEVEL_UUID,
    BATTERY_SERVICE_UUID,
    CONTROL_UUID,
    DATA_UUID,
    DEVICE_INFORMATION_SERVICE_UUID,
    FIRMWARE_UUID,
    HARDWARE_UUID,
    MANUFACTURER_UUID,
    MODEL_UUID,
    SERIAL_UUID,
    SERVICE_UUID,
    Security,
)

_NOTIFY = 1
_INDICATE = 2
_READ = Characteristic.Properties.READ
_OPEN = Attribute.Permissions.READABLE | Attribute.Permissions.WRITEABLE

OnRequest: TypeAlias = Callable[[Connection, bytes], None]


class SensorServices:
    """What a Bluetooth device offers as a sensor.

    Parameters
    ----------
    device
        Its Bluetooth device.
    security
        Whether data and control point demand an encrypted link.
    on_request
        Called with what was written to the control point, once it may be.
    on_subscribed
        Called when the host switched notifications of data on or off.
    """

    def __init__(
        self,
        device: Device,
        *,
        security: Security,
        on_request: OnRequest,
        on_subscribed: Callable[[Connection], None],
    ) -> None:
        self._device = device
        self._security = security
        self._on_request = on_request
        self._on_subscribed = on_subscribed
        self.takes_bonds = True
        """Whether it pairs with whoever asks."""
        self.data = self._guarded(DATA_UUID, Characteristic.Properties.NOTIFY, b"")
        self.control = self._guarded(
            CONTROL_UUID,
            Characteristic.Properties.WRITE | Characteristic.Properties.INDICATE,
            CharacteristicValue(write=self._on_control),
        )
        self.battery = Characteristic[bytes](
            BATTERY_LEVEL_UUID, _READ | Characteristic.Properties.NOTIFY, Attribute.Permissions.READABLE, b""
        )

    def offer(self, serial: str) -> None:
        """Add the services to the device."""
        self._device.add_service(Service(SERVICE_UUID, [self.data, self.control]))
        self._device.add_service(Service(BATTERY_SERVICE_UUID, [self.battery]))
        self._device.add_service(Service(DEVICE_INFORMATION_SERVICE_UUID, _information(serial)))
        self._device.pairing_config_factory = lambda _connection: just_works(lambda: self.takes_bonds)

    def is_notifying(self, connection: Connection) -> bool:
        """Whether the host has enabled notifications of data."""
        return bool(self._enabled(connection, self.data) & _NOTIFY)

    def is_indicating(self, connection: Connection) -> bool:
        """Whether the host has enabled indications of the control point."""
        return bool(self._enabled(connection, self.control) & _INDICATE)

    def _enabled(self, connection: Connection, characteristic: Characteristic[bytes]) -> int:
        return int(self._device.gatt_server.read_cccd(connection, characteristic)[0])

    def _guarded(
        self, uuid: str, properties: Characteristic.Properties, value: bytes | CharacteristicValue[bytes]
    ) -> Characteristic[bytes]:
        """Make a characteristic whose configuration can be written as its value can (2.11)."""

        def read(connection: Connection) -> bytes:
            return bytes(self._device.gatt_server.read_cccd(connection, characteristic))

        async def write(connection: Connection, configuration: bytes) -> None:
            await self._check(connection)
            self._device.gatt_server.write_cccd(connection, characteristic, configuration)
            self._on_subscribed(connection)

        configuration = AttributeValueV2[bytes](
            cast("Callable[[object], bytes]", read),
            cast("Callable[[object, bytes], Awaitable[None]]", write),
        )
        descriptor = Descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, _OPEN, configuration)
        permissions = Attribute.Permissions.WRITEABLE if isinstance(value, CharacteristicValue) else 0
        characteristic = Characteristic[bytes](
            uuid, properties, Attribute.Permissions(permissions), value, [descriptor]
        )
        return characteristic

    async def _check(self, connection: Connection) -> None:
        if self._security is Security.OPEN or connection.is_encrypted:
            return
        if await self.has_bond(connection):
            raise ATT_Error(ATT_INSUFFICIENT_ENCRYPTION)
        raise ATT_Error(ATT_INSUFFICIENT_AUTHENTICATION)

    async def has_bond(self, connection: Connection) -> bool:
        """Whether the sensor has a bond with this host."""
        keystore = self._device.keystore
        return keystore is not None and await keystore.get(str(connection.peer_address)) is not None

    async def forget_bonds(self) -> None:
        """Lose every bond: a long press, or a memory that was erased."""
        if self._device.keystore is not None:
            await self._device.keystore.delete_all()

    async def _on_control(self, connection: Connection, written: bytes) -> None:
        await self._check(connection)
        if not self.is_indicating(connection):
            raise ATT_Error(ATT_CCCD_IMPROPERLY_CONFIGURED)
        self._on_request(connection, written)


def just_works(accepts: Callable[[], bool]) -> PairingConfig:
    """LE Secure Connections with bonding, without display and keyboard (SPEC 2.9)."""

    class Delegate(PairingDelegate):
        async def accept(self) -> bool:
            return accepts()

    # No identity is handed over: a virtual radio has one address and keeps it.
    only_keys = PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
    delegate = Delegate(PairingDelegate.NO_OUTPUT_NO_INPUT, only_keys, only_keys)
    return PairingConfig(sc=True, mitm=False, bonding=True, delegate=delegate)


def _information(serial: str) -> list[Characteristic[bytes]]:
    texts = {
        MANUFACTURER_UUID: "emgmon",
        MODEL_UUID: "virtual sensor",
        SERIAL_UUID: serial,
        HARDWARE_UUID: "none",
        FIRMWARE_UUID: __version__,
    }
    return [
        Characteristic[bytes](uuid, _READ, Attribute.Permissions.READABLE, text.encode())
        for uuid, text in texts.items()
    ]

"""The only module here that imports bleak: its calls become ours, its errors become advice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakError,
)
from bleak.exc import BleakBluetoothNotAvailableReason as Reason

from emgmon.errors import SensorError
from firmware_protocol.gatt import (
    BATTERY_LEVEL_UUID,
    BATTERY_SERVICE_UUID,
    CONTROL_UUID,
    DATA_UUID,
    SERVICE_UUID,
)

CONNECT_LIMIT_S = 20.0
"""Outer limit on connecting: an operating system may otherwise wait for minutes."""

REQUEST_LIMIT_S = 5.0
"""Outer limit on one read, write or subscription; ATT itself waits for 30 s."""

NOT_HEARD_ADVICE = (
    "Switch the sensor on, bring it within two metres, and close any other program or phone that may be "
    "connected to it: a connected sensor does not advertise."
)
OUT_OF_REACH_ADVICE = "Bring the sensor closer, switch it off and on, and try again."
STALE_SERVICES_ADVICE = (
    "Remove the sensor from the system's list of Bluetooth devices, then try again: after a firmware update "
    "the system may still remember the old services."
)

_WITHOUT_BLUETOOTH = "To see emgmon work without Bluetooth, run: emgmon demo"

_ADVICE: dict[Reason, tuple[str, str]] = {
    Reason.NO_BLUETOOTH: (
        "this machine has no Bluetooth adapter",
        f"Plug in a Bluetooth LE adapter. {_WITHOUT_BLUETOOTH}",
    ),
    Reason.NO_BLE_CENTRAL_ROLE: (
        "the Bluetooth adapter cannot connect to Low Energy sensors",
        f"Use an adapter of Bluetooth 4.0 or later. {_WITHOUT_BLUETOOTH}",
    ),
    Reason.POWERED_OFF: ("Bluetooth is switched off", "Switch Bluetooth on and try again."),
    Reason.DENIED_BY_USER: (
        "this program may not use Bluetooth: permission was refused",
        "Allow Bluetooth for your terminal in the system's privacy settings, then try again.",
    ),
    Reason.DENIED_BY_SYSTEM: (
        "this program may not use Bluetooth: the system forbids it",
        "Run emgmon as a user who may use Bluetooth (on Linux often the group 'bluetooth').",
    ),
    Reason.DENIED_BY_UNKNOWN: (
        "this program may not use Bluetooth",
        "Allow Bluetooth for your terminal in the system's settings, then try again.",
    ),
    Reason.UNKNOWN: (
        "Bluetooth is not available",
        f"Check that Bluetooth is present and switched on. {_WITHOUT_BLUETOOTH}",
    ),
}
"""What to tell a person for each of bleak's reasons."""

_NO_SERVICE = (
    "the system's Bluetooth service does not answer",
    "On Linux it needs D-Bus and bluetoothd: start them (sudo systemctl start bluetooth), or install "
    f"BlueZ. Containers usually have neither. {_WITHOUT_BLUETOOTH}",
)


@dataclass(frozen=True, slots=True)
class Radio:
    """Which classes stand in for the operating system's radio; ``None`` means the real one."""

    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None


SYSTEM_RADIO = Radio()


@dataclass(frozen=True, slots=True)
class FoundSensor:
    """A sensor that was heard advertising our service."""

    name: str
    address: str
    """Bluetooth address; on macOS an identifier of the system's own."""
    rssi_dbm: int
    device: BLEDevice


async def scan(radio: Radio, *, duration_s: float) -> tuple[FoundSensor, ...]:
    """Listen for a while and report every sensor heard, the strongest first."""
    found: dict[str, FoundSensor] = {}
    async with _listening(radio, lambda sensor: found.update({sensor.address: sensor})):
        await asyncio.sleep(duration_s)
    return tuple(sorted(found.values(), key=lambda sensor: -sensor.rssi_dbm))


async def find(radio: Radio, *, address: str | None, limit_s: float) -> FoundSensor:
    """Listen until the sensor at `address` (or, without one, any sensor) is heard.

    Scanning has stopped when this returns: several adapters cannot connect while they scan.

    Raises
    ------
    SensorError
        When nothing suitable was heard within `limit_s`, or there is no usable Bluetooth.
    """
    heard: asyncio.Future[FoundSensor] = asyncio.get_running_loop().create_future()

    def on_heard(sensor: FoundSensor) -> None:
        wanted = address is None or sensor.address.lower() == address.lower()
        if wanted and not heard.done():
            heard.set_result(sensor)

    async with _listening(radio, on_heard):
        try:
            async with asyncio.timeout(limit_s):
                return await heard
        except TimeoutError as error:
            what = "no sensor was" if address is None else f"the sensor {address} was not"
            raise SensorError(f"{what} heard within {limit_s:g} s", advice=NOT_HEARD_ADVICE) from error


@asynccontextmanager
async def _listening(radio: Radio, on_heard: Callable[[FoundSensor], None]) -> AsyncIterator[None]:
    def on_advertisement(device: BLEDevice, data: AdvertisementData) -> None:
        if SERVICE_UUID in data.service_uuids:
            name = data.local_name or device.name or ""
            on_heard(FoundSensor(name, device.address, data.rssi, device))

    try:
        # Which library answers depends on the system, and each lets its own exceptions through.
        scanner = BleakScanner(on_advertisement, [SERVICE_UUID], backend=radio.scanner)
        await scanner.start()
    except Exception as error:
        raise _unavailable(error) from error
    try:
        yield
    finally:
        # An adapter that was pulled out while scanning has stopped already.
        with suppress(BleakError, OSError, EOFError):
            await scanner.stop()


def _unavailable(error: Exception) -> SensorError:
    """Why there is no radio to listen with, in words."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        what, advice = _ADVICE[error.reason]
    elif isinstance(error, BleakDBusError | OSError | EOFError):
        what, advice = _NO_SERVICE
    else:
        what, advice = _ADVICE[Reason.UNKNOWN]
    return SensorError(f"{what} ({_detail(error)})", advice=advice)


def _detail(error: Exception) -> str:
    if isinstance(error, BleakBluetoothNotAvailableError):
        return str(error.args[0])
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class Connection:
    """A connected sensor: the few operations the protocol needs, each with a time limit.

    Parameters
    ----------
    sensor
        What a scan found.
    radio
        The radio that found it.
    on_lost
        Called once when the connection ends, whoever ended it.
    """

    def __init__(self, sensor: FoundSensor, radio: Radio, *, on_lost: Callable[[], None]) -> None:
        self._sensor = sensor
        self._client = BleakClient(
            sensor.device, lambda _client: on_lost(), backend=radio.client, timeout=CONNECT_LIMIT_S
        )

    @property
    def is_connected(self) -> bool:
        """Whether the system believes that the sensor is there."""
        return self._client.is_connected

    async def open(self) -> None:
        """Connect, and check that the sensor offers what the protocol needs.

        Raises
        ------
        SensorError
            When the sensor cannot be reached or is not one of ours.
        """
        async with self._limited("connecting", CONNECT_LIMIT_S):
            await self._client.connect()
        missing = [uuid for uuid in (DATA_UUID, CONTROL_UUID) if self._characteristic(uuid) is None]
        if missing:
            await self.close()
            raise SensorError(
                f"{self._name} lacks the characteristic {', '.join(missing)}",
                advice=STALE_SERVICES_ADVICE,
            )

    async def close(self) -> None:
        """Disconnect; idempotent, and quiet when the sensor has already gone."""
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                await self._client.disconnect()
        except (BleakError, TimeoutError, OSError, EOFError):
            return

    async def write_control(self, request: bytes) -> None:
        """Write to the control point and wait until the sensor has taken it."""
        async with self._limited("writing to the control point"):
            await self._client.write_gatt_char(CONTROL_UUID, request, response=True)

    async def subscribe_control(self, on_indication: Callable[[bytes], None]) -> None:
        """Receive the control point's indications."""
        await self._subscribe(CONTROL_UUID, on_indication)

    async def subscribe_data(self, on_notification: Callable[[bytes], None]) -> None:
        """Receive data notifications."""
        await self._subscribe(DATA_UUID, on_notification)

    async def subscribe_battery(self, on_level: Callable[[bytes], None]) -> bool:
        """Receive battery levels; ``False`` when the sensor does not offer that."""
        battery = self._characteristic(BATTERY_LEVEL_UUID)
        if battery is None or "notify" not in battery.properties:
            return False
        await self._subscribe(BATTERY_LEVEL_UUID, on_level)
        return True

    async def read_battery(self) -> bytes | None:
        """Read the battery level characteristic; ``None`` when the sensor has none."""
        if self._characteristic(BATTERY_LEVEL_UUID) is None:
            return None
        async with self._limited("reading the battery level"):
            return bytes(await self._client.read_gatt_char(BATTERY_LEVEL_UUID))

    async def _subscribe(self, uuid: str, on_value: Callable[[bytes], None]) -> None:
        def deliver(_sender: BleakGATTCharacteristic, value: bytearray) -> None:
            on_value(bytes(value))

        async with self._limited("subscribing"):
            # AcquireNotify hands over a socket; StartNotify's detour over D-Bus loses notifications.
            await self._client.start_notify(uuid, deliver, bluez={"use_start_notify": False})

    def _characteristic(self, uuid: str) -> BleakGATTCharacteristic | None:
        service_uuid = BATTERY_SERVICE_UUID if uuid == BATTERY_LEVEL_UUID else SERVICE_UUID
        service = self._client.services.get_service(service_uuid)
        return None if service is None else service.get_characteristic(uuid)

    @property
    def _name(self) -> str:
        return f"{self._sensor.name} ({self._sensor.address})"

    @asynccontextmanager
    async def _limited(self, doing: str, limit_s: float = REQUEST_LIMIT_S) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as error:
            what = f"{self._name} did not answer within {limit_s:g} s while {doing}"
            raise SensorError(what, advice=OUT_OF_REACH_ADVICE) from error
        except BleakBluetoothNotAvailableError as error:
            raise _unavailable(error) from error
        except BleakCharacteristicNotFoundError as error:
            what = f"{self._name} lacks the characteristic {error.char_specifier}"
            raise SensorError(what, advice="Check that its firmware is up to date.") from error
        except (BleakError, OSError, EOFError) as error:
            what = f"{self._name} failed while {doing} ({_detail(error)})"
            raise SensorError(what, advice=OUT_OF_REACH_ADVICE) from error

"""The only module here that imports bleak: its calls become ours, its errors become advice."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TypeVar

from bleak import BleakClient, BleakScanner
from bleak.args.winrt import WinRTClientArgs
from bleak.backends import BleakBackend
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from emgmon.errors import SensorError
from emgmon.sensors.bluez_agent import pairing_agent
from emgmon.sensors.device_information import DeviceInformation, shown_text
from emgmon.sensors.refusals import (
    NO_RADIO,
    NO_SERVICE,
    OUT_OF_REACH_ADVICE,
    STALE_SERVICES_ADVICE,
    PairingRefused,
    Unanswered,
    UnusableSensor,
    bond_advice,
)
from firmware_protocol.gatt import (
    ATT_INSUFFICIENT_AUTHENTICATION,
    ATT_INSUFFICIENT_ENCRYPTION,
    BATTERY_LEVEL_UUID,
    BATTERY_SERVICE_UUID,
    CONTROL_UUID,
    DATA_UUID,
    DEVICE_INFORMATION_SERVICE_UUID,
    FIRMWARE_UUID,
    MANUFACTURER_UUID,
    MODEL_UUID,
    SERVICE_UUID,
)

SCANNER_LIMIT_S = 10.0
"""Outer limit on starting and on stopping to listen; a system that asks the person answers at once."""

PARTING_LIMIT_S = 0.5
"""Outer limit on switching notifications off before disconnecting; one that is gone does not answer."""

CONNECT_LIMIT_S = 20.0
"""Outer limit on connecting: an operating system may otherwise wait for minutes."""

TIDY_UP_S = 1.0
"""How much longer than bleak's own limit on connecting the outer one is."""

REQUEST_LIMIT_S = 5.0
"""Outer limit on one read, write or subscription; ATT itself waits for 30 s."""

PAIR_LIMIT_S = 30.0
"""Outer limit on pairing: the system may ask the person first."""

FIND_AGAIN_LIMIT_S = 10.0
"""How long a sensor is listened for that the system was made to forget."""

NOT_HEARD_ADVICE = (
    "Switch the sensor on, bring it within two metres, and close any other program or phone that may be "
    "connected to it: a connected sensor does not advertise."
)

_T = TypeVar("_T")


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
        async with asyncio.timeout(SCANNER_LIMIT_S):
            await scanner.start()
    except Exception as error:
        raise _unavailable(error) from error
    try:
        yield
    finally:
        # An adapter that was pulled out while scanning has stopped already.
        with suppress(BleakError, OSError, EOFError):
            async with asyncio.timeout(SCANNER_LIMIT_S):
                await scanner.stop()


def _unavailable(error: Exception) -> SensorError:
    """Why there is no radio to listen with, in words."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        what, advice = NO_RADIO[error.reason.name]
    elif isinstance(error, BleakDBusError) and error.dbus_error == "org.bluez.Error.NotReady":
        # An adapter that was switched off a moment ago.
        what, advice = NO_RADIO["POWERED_OFF"]
    elif isinstance(error, BleakDBusError | OSError | EOFError):
        what, advice = NO_SERVICE
    else:
        what, advice = NO_RADIO["UNKNOWN"]
    return SensorError(f"{what} ({_detail(error)})", advice=advice)


def _detail(error: Exception) -> str:
    if isinstance(error, BleakBluetoothNotAvailableError):
        return str(error.args[0])
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class _NotTrusted(SensorError):
    """The sensor demands an encrypted link, or another key than there is (SPEC 2.11)."""


class Connection:
    """A connected sensor: the few operations the protocol needs, each with a time limit.

    Parameters
    ----------
    sensor
        What a scan found.
    radio
        The radio that found it.
    on_lost
        Called once when the open connection ends, unless it was closed from this side.
    """

    def __init__(self, sensor: FoundSensor, radio: Radio, *, on_lost: Callable[[], None]) -> None:
        self.sensor = sensor
        self._radio = radio
        self._on_lost = on_lost
        self._watched = False
        self._subscribed: set[str] = set()
        self._client = self._new_client(CONNECT_LIMIT_S, {})

    @property
    def is_connected(self) -> bool:
        """Whether the system believes that the sensor is there."""
        return self._client.is_connected

    async def open(self, *, limit_s: float = CONNECT_LIMIT_S) -> None:
        """Connect, and check that the sensor offers what is needed, past any cache; raises SensorError."""
        await self._connect(limit_s, {})
        if self._lacking():
            await self._forget_services()
            await self._connect(limit_s, {"use_cached_services": False})
        if lacking := self._lacking():
            await self.close()
            raise UnusableSensor(
                f"{self._name} lacks the characteristic {', '.join(lacking)}", advice=STALE_SERVICES_ADVICE
            )
        self._watched = True

    async def _connect(self, limit_s: float, winrt: WinRTClientArgs) -> None:
        self._client = self._new_client(limit_s, winrt)
        # A little longer than bleak's own limit, after which it tidies up.
        async with self._limited("connecting", limit_s + TIDY_UP_S):
            await self._client.connect()

    def _new_client(self, limit_s: float, winrt: WinRTClientArgs) -> BleakClient:
        device, backend = self.sensor.device, self._radio.client
        return BleakClient(device, self._on_disconnected, timeout=limit_s, winrt=winrt, backend=backend)

    def _on_disconnected(self, client: BleakClient) -> None:
        if self._watched and client is self._client:
            self._watched = False
            self._on_lost()

    def _lacking(self) -> list[str]:
        needed = (DATA_UUID, CONTROL_UUID)
        return [uuid for uuid in needed if self._characteristic(SERVICE_UUID, uuid) is None]

    async def _forget_services(self) -> None:
        """Disconnect, and have the system forget what it knows of the sensor's services."""
        await self.close()
        if self._client.backend_id is not BleakBackend.BLUEZ_DBUS:
            return
        # BlueZ forgets the services only with the device itself, which then has to be heard anew.
        async with self._limited("having the system forget its services"):
            await self._client.unpair()
        self.sensor = await find(self._radio, address=self.sensor.address, limit_s=FIND_AGAIN_LIMIT_S)

    async def close(self) -> None:
        """Disconnect; idempotent, and quiet when the sensor has already gone."""
        self._watched = False
        try:
            await self._stop_notifying()
        finally:
            # Whatever the system says: there is nothing more to be done about it.
            with suppress(Exception):
                async with asyncio.timeout(REQUEST_LIMIT_S):
                    await self._client.disconnect()

    def agreeing(self) -> AbstractAsyncContextManager[None]:
        """Agree to a pairing of the system's own: BlueZ pairs at the first request that needs it."""
        is_bluez = self._client.backend_id is BleakBackend.BLUEZ_DBUS
        return pairing_agent(self.sensor.address) if is_bluez else nullcontext()

    async def _stop_notifying(self) -> None:
        """Give back what was acquired: bluetoothd 5.66 ends with a segmentation fault otherwise."""
        subscribed, self._subscribed = self._subscribed, set()
        if not self._client.is_connected:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING_LIMIT_S):
                for uuid in subscribed:
                    with suppress(Exception):
                        await self._client.stop_notify(uuid)

    async def write_control(self, request: bytes) -> None:
        """Write to the control point and wait until the sensor has taken it."""
        await self._secured(
            "writing to the control point",
            lambda: self._client.write_gatt_char(CONTROL_UUID, request, response=True),
        )

    async def subscribe_control(self, on_indication: Callable[[bytes], None]) -> None:
        """Receive the control point's indications."""
        await self._subscribe(CONTROL_UUID, on_indication)

    async def subscribe_data(self, on_notification: Callable[[bytes], None]) -> None:
        """Receive data notifications."""
        await self._subscribe(DATA_UUID, on_notification)

    async def unsubscribe_data(self) -> None:
        """Have notifications of data switched off."""
        await self._secured("unsubscribing", lambda: self._client.stop_notify(DATA_UUID))
        self._subscribed.discard(DATA_UUID)

    async def subscribe_battery(self, on_level: Callable[[bytes], None]) -> bool:
        """Receive battery levels; ``False`` when the sensor does not offer that."""
        battery = self._characteristic(BATTERY_SERVICE_UUID, BATTERY_LEVEL_UUID)
        if battery is None or "notify" not in battery.properties:
            return False
        await self._subscribe(BATTERY_LEVEL_UUID, on_level)
        return True

    async def read_battery(self) -> bytes | None:
        """Read the battery level characteristic; ``None`` when the sensor has none."""
        return await self._read(BATTERY_SERVICE_UUID, BATTERY_LEVEL_UUID, "reading the battery level")

    async def read_device_information(self) -> DeviceInformation:
        """Read who made the sensor and which firmware it runs, as far as it says so."""
        texts = [await self._read_text(uuid) for uuid in (MANUFACTURER_UUID, MODEL_UUID, FIRMWARE_UUID)]
        return DeviceInformation(*texts)

    async def _read_text(self, uuid: str) -> str:
        value = None
        with suppress(SensorError):
            # Nothing depends on it: a sensor that refuses to say it is none the worse.
            value = await self._read(DEVICE_INFORMATION_SERVICE_UUID, uuid, "reading the device information")
        return shown_text(value)

    async def _read(self, service_uuid: str, uuid: str, doing: str) -> bytes | None:
        characteristic = self._characteristic(service_uuid, uuid)
        if characteristic is None or "read" not in characteristic.properties:
            return None
        return bytes(await self._secured(doing, lambda: self._client.read_gatt_char(characteristic)))

    async def _subscribe(self, uuid: str, on_value: Callable[[bytes], None]) -> None:
        def deliver(_sender: BleakGATTCharacteristic, value: bytearray) -> None:
            on_value(bytes(value))

        # Before it is certain: one that takes too long may be acquired all the same. AcquireNotify hands
        # over a socket; StartNotify's detour over D-Bus loses notifications.
        self._subscribed.add(uuid)
        await self._secured(
            "subscribing",
            lambda: self._client.start_notify(uuid, deliver, bluez={"use_start_notify": False}),
        )

    async def _secured(self, doing: str, operate: Callable[[], Awaitable[_T]]) -> _T:
        """Do it; where the link is not trusted, pair and do it once more (SPEC 2.12)."""
        try:
            async with self._limited(doing):
                return await operate()
        except _NotTrusted:
            await self._pair()
        try:
            async with self._limited(doing):
                return await operate()
        except _NotTrusted as error:
            raise self._pairing_refused(
                "although they are paired, it does not trust this computer"
            ) from error

    async def _pair(self) -> None:
        try:
            async with asyncio.timeout(PAIR_LIMIT_S):
                await self._client.pair()
        except NotImplementedError:
            # macOS pairs by itself, while the operation waits that needs it.
            return
        except TimeoutError as error:
            raise self._pairing_refused(f"pairing took more than {PAIR_LIMIT_S:g} s") from error
        except Exception as error:
            if not self._client.is_connected:
                what = f"{self._name} went away while pairing"
                raise SensorError(what, advice=OUT_OF_REACH_ADVICE) from error
            raise self._pairing_refused(f"pairing failed ({_detail(error)})") from error

    def _pairing_refused(self, why: str) -> PairingRefused:
        return PairingRefused(
            f"{self._name} sends its samples over an encrypted link only, and {why}",
            advice=bond_advice(self.sensor.address, system=sys.platform),
        )

    def _characteristic(self, service_uuid: str, uuid: str) -> BleakGATTCharacteristic | None:
        try:
            service = self._client.services.get_service(service_uuid)
        except BleakError as error:
            # BlueZ's client forgets them with the connection.
            what = f"{self._name} is not connected any more"
            raise SensorError(what, advice=OUT_OF_REACH_ADVICE) from error
        return None if service is None else service.get_characteristic(uuid)

    @property
    def _name(self) -> str:
        return f"{self.sensor.name or 'the sensor'} ({self.sensor.address})"

    @asynccontextmanager
    async def _limited(self, doing: str, limit_s: float = REQUEST_LIMIT_S) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as error:
            what = f"{self._name} did not answer within {limit_s:g} s while {doing}"
            raise Unanswered(what, advice=OUT_OF_REACH_ADVICE) from error
        except BleakBluetoothNotAvailableError as error:
            raise _unavailable(error) from error
        except BleakCharacteristicNotFoundError as error:
            what = f"{self._name} lacks the characteristic {error.char_specifier}"
            raise SensorError(what, advice="Check that its firmware is up to date.") from error
        except Exception as error:
            # As with scanning: each system's library lets its own exceptions through.
            what = f"{self._name} failed while {doing} ({_detail(error)})"
            kind = _NotTrusted if _is_not_trusted(error) else SensorError
            raise kind(what, advice=OUT_OF_REACH_ADVICE) from error


def _is_not_trusted(error: Exception) -> bool:
    """Whether the sensor refused because the link is not encrypted, or not as it asks."""
    if isinstance(error, BleakGATTProtocolError):
        return error.code in (
            ATT_INSUFFICIENT_AUTHENTICATION,
            ATT_INSUFFICIENT_ENCRYPTION,
            BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE,
        )
    # BlueZ has one word for all of these where it knows that there is no bond.
    return isinstance(error, BleakDBusError) and "Not paired" in str(error)

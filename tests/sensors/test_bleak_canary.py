"""What we rely on in the installed bleak: a version that changes it is noticed here and not in the gym."""

import inspect
from typing import get_type_hints

import pytest
from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZNotifyArgs
from bleak.args.winrt import WinRTClientArgs
from bleak.backends import BleakBackend
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from emgmon.sensors.refusals import NO_RADIO
from firmware_protocol.gatt import ATT_INSUFFICIENT_AUTHENTICATION, ATT_INSUFFICIENT_ENCRYPTION


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (BleakScanner.__init__, ["detection_callback", "service_uuids", "backend"]),
        (
            BleakClient.__init__,
            ["address_or_ble_device", "disconnected_callback", "timeout", "winrt", "bluez", "backend"],
        ),
        (BleakClient.start_notify, ["char_specifier", "callback", "bluez"]),
        (BleakClient.stop_notify, ["char_specifier"]),
        (BleakClient.write_gatt_char, ["char_specifier", "data", "response"]),
        (BleakClient.read_gatt_char, ["char_specifier"]),
    ],
)
def test_what_is_called_takes_what_it_is_given(function, names):
    assert set(names) <= set(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    "name", ["connect", "disconnect", "pair", "unpair", "start_notify", "stop_notify", "write_gatt_char"]
)
def test_what_is_awaited_is_a_coroutine(name):
    assert inspect.iscoroutinefunction(getattr(BleakClient, name))


@pytest.mark.parametrize("name", ["connect", "disconnect", "pair", "unpair"])
def test_these_need_no_argument(name):
    parameters = list(inspect.signature(getattr(BleakClient, name)).parameters.values())[1:]
    needed = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert [p for p in parameters if p.default is p.empty and p.kind in needed] == []


@pytest.mark.parametrize("name", ["is_connected", "services", "backend_id"])
def test_a_client_has_these_properties(name):
    assert isinstance(inspect.getattr_static(BleakClient, name), property)


def test_the_words_for_the_operating_systems_are_the_ones_we_use():
    assert "use_start_notify" in get_type_hints(BlueZNotifyArgs)
    assert "use_cached_services" in get_type_hints(WinRTClientArgs)
    assert BleakBackend.BLUEZ_DBUS


def test_errors_are_what_we_take_them_for():
    for kind in (
        BleakBluetoothNotAvailableError,
        BleakCharacteristicNotFoundError,
        BleakDBusError,
        BleakDeviceNotFoundError,
        BleakGATTProtocolError,
    ):
        assert issubclass(kind, BleakError)
    for code in (ATT_INSUFFICIENT_AUTHENTICATION, ATT_INSUFFICIENT_ENCRYPTION):
        assert BleakGATTProtocolError(code).code == code
    assert BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE == 0x0C
    assert "Not paired" in str(BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]))


def test_every_reason_has_its_words():
    assert {reason.name for reason in BleakBluetoothNotAvailableReason} <= set(NO_RADIO)


def test_another_library_may_stand_in_for_the_system():
    """The virtual sensor relies on it."""
    assert inspect.isabstract(BaseBleakClient)
    assert inspect.isabstract(BaseBleakScanner)
    for kind, names in (
        (BLEDevice, ["address", "name"]),
        (AdvertisementData, ["local_name", "service_uuids", "rssi"]),
        (BleakGATTCharacteristic, ["uuid", "properties"]),
    ):
        assert all(hasattr(kind, name) or name in getattr(kind, "__annotations__", {}) for name in names)


def test_the_disconnected_callback_is_called_with_the_client():
    heard = []

    class Backend(BaseBleakClient):
        def __init__(self, device, *, disconnected_callback, timeout, **kwargs):
            super().__init__(device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs)

        mtu_size = name = is_connected = None
        connect = disconnect = pair = unpair = start_notify = stop_notify = None
        read_gatt_char = read_gatt_descriptor = write_gatt_char = write_gatt_descriptor = None

    client = BleakClient("F0:00:00:00:00:01", heard.append, backend=Backend, winrt={}, timeout=3.0)
    client._backend._disconnected_callback()
    assert heard == [client]

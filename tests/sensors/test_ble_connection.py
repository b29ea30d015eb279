"""One connection against a scripted system: pairing, what the system remembers, and errors of any kind."""

from types import SimpleNamespace

import pytest
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError

from emgmon.errors import SensorError
from emgmon.sensors import refusals
from emgmon.sensors.ble import Connection, FoundSensor, Radio
from emgmon.sensors.refusals import PairingRefused, UnusableSensor, bond_advice
from emgmon.virtual.quick_client import _service_collection
from firmware_protocol.gatt import CONTROL_UUID, DATA_UUID

ADDRESS = "F0:00:00:00:E0:01"


class Scripted(BaseBleakClient):
    """A system that refuses writes with the next of its errors, and pairs or does not."""

    refusals: list[Exception]
    pairing: Exception | None = None
    hidden: frozenset[str] = frozenset()
    options: list[dict]
    n_paired: int

    mtu_size = 23
    name = "scripted"
    is_connected = True
    read_gatt_descriptor = write_gatt_descriptor = stop_notify = unpair = None

    def __init__(self, device, *, disconnected_callback, timeout, **kwargs):
        super().__init__(device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs)
        type(self).options.append(kwargs["winrt"])

    async def connect(self, pair, **_):
        self.services = _service_collection(20, self.hidden)

    async def disconnect(self):
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def pair(self, *_, **__):
        type(self).n_paired += 1
        if self.pairing is not None:
            raise self.pairing

    async def read_gatt_char(self, characteristic, **_):
        return bytearray(b"x")

    async def write_gatt_char(self, characteristic, data, response):
        if self.refusals:
            raise self.refusals.pop(0)

    async def start_notify(self, characteristic, callback, **_):
        pass


def a_connection(*errors, lost=None, **attributes):
    system = type(
        "System", (Scripted,), {"refusals": list(errors), "options": [], "n_paired": 0, **attributes}
    )
    sensor = FoundSensor("emgmon-BEEF", ADDRESS, -50, BLEDevice(ADDRESS, "emgmon-BEEF", None))
    connection = Connection(sensor, Radio(client=system), on_lost=lost or (lambda: None))
    return SimpleNamespace(connection=connection, system=system)


NOT_TRUSTED = [
    BleakGATTProtocolError(0x05),
    BleakGATTProtocolError(0x0F),
    BleakGATTProtocolError(0x0C),
    BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]),
]


@pytest.mark.parametrize("error", NOT_TRUSTED, ids=str)
async def test_a_refusal_for_want_of_a_key_is_followed_by_pairing_and_one_more_try(error):
    """Clause 2.12."""
    made = a_connection(error)
    await made.connection.open()
    await made.connection.write_control(b"\x03\x01")
    assert made.system.n_paired == 1


async def test_macos_pairs_by_itself_so_that_one_more_try_is_enough():
    made = a_connection(BleakGATTProtocolError(0x05), pairing=NotImplementedError())
    await made.connection.open()
    await made.connection.write_control(b"\x03\x01")


async def test_a_second_refusal_is_told_with_how_to_pair_anew():
    made = a_connection(BleakGATTProtocolError(0x05), BleakGATTProtocolError(0x0F))
    await made.connection.open()
    with pytest.raises(PairingRefused, match="does not trust this computer") as caught:
        await made.connection.write_control(b"\x03\x01")
    assert made.system.n_paired == 1
    assert "list of devices" in caught.value.advice


@pytest.mark.parametrize("error", [BleakError("no agent"), OSError(5, "odd"), AssertionError("odder")])
async def test_pairing_that_fails_is_told_in_the_systems_own_words_too(error):
    made = a_connection(BleakGATTProtocolError(0x05), pairing=error)
    await made.connection.open()
    with pytest.raises(PairingRefused, match=f"pairing failed .*{type(error).__name__}"):
        await made.connection.write_control(b"\x03\x01")


@pytest.mark.parametrize("error", [BleakGATTProtocolError(0x0E), BleakError("x"), KeyError("y")])
async def test_another_refusal_is_no_reason_to_pair(error):
    made = a_connection(error)
    await made.connection.open()
    with pytest.raises(SensorError, match="failed while writing"):
        await made.connection.write_control(b"\x03\x01")
    assert made.system.n_paired == 0


async def test_services_are_asked_for_past_the_cache_only_when_some_are_missing():
    made = a_connection()
    await made.connection.open()
    assert made.system.options[1:] == [{}]


async def test_what_is_missing_past_the_cache_too_is_named():
    """Clause 2.13."""
    made = a_connection(hidden=frozenset({DATA_UUID, CONTROL_UUID}))
    with pytest.raises(UnusableSensor, match=f"{DATA_UUID}, {CONTROL_UUID}"):
        await made.connection.open()
    assert made.system.options[1:] == [{}, {"use_cached_services": False}]


async def test_a_loss_is_told_once_and_a_goodbye_of_ours_is_none():
    lost = []
    made = a_connection(lost=lambda: lost.append(1))
    await made.connection.open()
    made.connection._client._backend._disconnected_callback()
    made.connection._client._backend._disconnected_callback()
    assert lost == [1]
    made = a_connection(lost=lambda: lost.append(2))
    await made.connection.open()
    await made.connection.close()
    assert lost == [1]


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("linux", f"bluetoothctl remove {ADDRESS}"),
        ("darwin", "Forget This Device"),
        ("win32", "Remove device"),
        ("plan9", "list of Bluetooth devices"),
    ],
)
def test_every_system_has_its_own_way_to_forget_a_sensor(system, words):
    advice = bond_advice(ADDRESS, system=system)
    assert words in advice
    assert "{" not in advice


def test_a_version_that_is_not_known_is_told_beside_the_one_that_is():
    """Clause 3.2."""
    error = refusals.other_version("2.0")
    assert "version 2.0" in str(error)
    assert "knows version 1" in str(error)

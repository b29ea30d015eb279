"""What a person is told when there is no usable Bluetooth."""

import pytest
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from emgmon.errors import SensorError
from emgmon.sensors.ble import Radio, scan


def a_radio_that_raises(error):
    class Broken(BaseBleakScanner):
        def __init__(self, detection_callback, service_uuids, scanning_mode, **_):
            super().__init__(detection_callback, service_uuids)

        async def start(self):
            raise error

        async def stop(self):
            raise AssertionError("a scanner that never started is not stopped")

    return Radio(scanner=Broken)


async def told_by(error):
    with pytest.raises(SensorError) as caught:
        await scan(a_radio_that_raises(error), duration_s=0)
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize("reason", BleakBluetoothNotAvailableReason)
async def test_each_of_bleaks_reasons_has_its_own_words_and_advice(reason):
    told = await told_by(BleakBluetoothNotAvailableError("as the system says it", reason))
    assert "as the system says it" in str(told)
    assert told.advice


async def test_the_reasons_are_told_apart():
    told = {
        str(await told_by(BleakBluetoothNotAvailableError("", reason)))
        for reason in BleakBluetoothNotAvailableReason
    }
    assert len(told) == len(BleakBluetoothNotAvailableReason)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file or directory"),
        ConnectionRefusedError(111, "refused"),
        BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["org.bluez was not provided"]),
        EOFError(),
    ],
)
async def test_a_missing_bluetooth_service_is_named_with_what_to_start(error):
    told = await told_by(error)
    assert "Bluetooth service does not answer" in str(told)
    assert "bluetoothd" in told.advice
    assert "emgmon demo" in told.advice


@pytest.mark.parametrize("error", [BleakError("odd"), RuntimeError("odder")])
async def test_whatever_else_goes_wrong_is_passed_on_with_its_own_words(error):
    told = await told_by(error)
    assert str(error) in str(told)
    assert told.advice


async def test_a_scan_lists_the_sensor_with_its_name_and_strength(make_bench):
    from emgmon.virtual.air import SENSOR_ADDRESS
    from tests.sensors.bench import BOOT_ID, FastClock

    bench = await make_bench(clock=FastClock(1))
    (found,) = await scan(bench.radio, duration_s=0.3)
    assert (found.name, found.address) == (f"emgmon-{BOOT_ID & 0xFFFF:04X}", SENSOR_ADDRESS)
    assert found.rssi_dbm < 0

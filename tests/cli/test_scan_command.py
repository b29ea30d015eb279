"""``emgmon scan``."""

import platform
import sys

import pytest
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from click.testing import CliRunner

from emgmon.cli.scan import command
from emgmon.errors import SensorError
from emgmon.sensors import ble, examine
from emgmon.sensors.findings import KernelFacts
from firmware_protocol.gatt import SERVICE_UUID
from tests.end_to_end.program import run

if sys.platform == "linux":
    from tests.sensors.fake_bluez import DAEMON, WITHOUT_DAEMON, serving

    needs_daemon = pytest.mark.skipif(DAEMON is None, reason=WITHOUT_DAEMON)
else:
    needs_daemon = pytest.mark.skip(reason="D-Bus and BlueZ are of Linux")


class NoBluetooth(BaseBleakScanner):
    def __init__(self, detection_callback, service_uuids, scanning_mode, **_):
        super().__init__(detection_callback, service_uuids)

    async def start(self):
        raise BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF)

    async def stop(self): ...


class DeadAir(NoBluetooth):
    async def start(self): ...


@pytest.fixture
def elsewhere(monkeypatch):
    """A system whose Bluetooth cannot be asked step by step."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")


def assert_no_sensor(done, words):
    """Status 1; after the line that says what is listened for, the cause and advice."""
    assert (done.returncode, done.stdout) == (1, "")
    listening, message, advice = done.stderr.splitlines()
    assert listening.startswith("listening for 0.1 s")
    assert message.startswith(f"emgmon: {words}")
    assert advice.endswith("(more: emgmon doctor)")


def listening_with(monkeypatch, scanner):
    monkeypatch.setattr(examine, "SYSTEM_RADIO", ble.Radio(scanner=scanner))
    return CliRunner().invoke(command, ["--duration", "0.01"])


def hearing(monkeypatch, *sensors):
    async def scan(_radio, *, duration_s):
        return sensors

    monkeypatch.setattr(examine, "scan", scan)
    return CliRunner().invoke(command, [])


def test_a_machine_without_bluetooth_is_told_what_to_do(monkeypatch, elsewhere):
    result = listening_with(monkeypatch, NoBluetooth)
    assert isinstance(result.exception, SensorError)
    assert str(result.exception) == "Bluetooth is switched off (off)"
    assert result.exception.advice == "Switch Bluetooth on and try again. (more: emgmon doctor)"


def test_hearing_nobody_is_a_failure_with_advice(monkeypatch, elsewhere):
    result = listening_with(monkeypatch, DeadAir)
    assert isinstance(result.exception, SensorError)
    assert str(result.exception) == "No sensor was heard within 0.01 s"
    assert "Switch the sensor on" in result.exception.advice
    assert "emgmon doctor" in result.exception.advice


def test_sensors_are_listed_one_a_line(monkeypatch, elsewhere):
    near = ble.FoundSensor("emgmon-0001", "AA:BB", -40, None)
    far = ble.FoundSensor("emgmon-0002", "CC:DD", -101, None)
    result = hearing(monkeypatch, near, far)
    assert result.stdout == "AA:BB  -40 dBm, near  emgmon-0001\nCC:DD  -101 dBm, far  emgmon-0002\n"


def test_what_is_listened_for_and_how_to_connect_stay_out_of_the_results(monkeypatch, elsewhere):
    result = hearing(monkeypatch, ble.FoundSensor("emgmon-0001", "AA:BB", -40, None))
    assert SERVICE_UUID in result.stderr
    assert "emgmon live --sensor AA:BB" in result.stderr


def test_a_name_from_the_air_cannot_touch_the_terminal(monkeypatch, elsewhere):
    result = hearing(monkeypatch, ble.FoundSensor("\x1b]0;mine\x07", "AA:BB", -40, None))
    assert result.stdout == "AA:BB  -40 dBm, near  ]0;mine\n"


@pytest.mark.parametrize("duration", ["0", "-1", "soon"])
def test_a_senseless_duration_is_wrong_usage(duration):
    assert CliRunner().invoke(command, ["--duration", duration]).exit_code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is of Linux")
def test_without_a_bus_the_program_says_where_it_looked(monkeypatch, tmp_path):
    nowhere = f"unix:path={tmp_path / 'nowhere'}"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", nowhere)
    monkeypatch.setattr(examine, "read_kernel", lambda _place: KernelFacts(adapters=("hci0",)))
    result = CliRunner().invoke(command, ["--duration", "0.1"])
    assert isinstance(result.exception, SensorError)
    assert str(result.exception) == f"D-Bus is unreachable: there is nothing at {nowhere}"


@needs_daemon
def test_a_sensor_is_heard_through_bleak_and_d_bus(monkeypatch, tmp_path):
    with serving(tmp_path, "sensor") as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        done = run("scan", "--duration", "0.3")
    assert done.stdout == "C0:00:00:00:00:01  -48 dBm, near  emgmon-0001\n"
    assert done.returncode == 0


@needs_daemon
@pytest.mark.parametrize(
    ("scene", "words"),
    [
        ("others", "2 other devices were heard within 0.1 s, but no sensor"),
        ("silence", "Nothing at all was heard within 0.1 s"),
        ("off", "Bluetooth is switched off (hci0 00:11:22:33:44:55)"),
    ],
)
def test_silence_is_told_apart_by_its_cause(monkeypatch, tmp_path, scene, words):
    with serving(tmp_path, scene) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        done = run("scan", "--duration", "0.1")
    assert_no_sensor(done, words)

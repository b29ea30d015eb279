"""``emgmon scan``."""

import asyncio

import pytest
from bleak.backends.scanner import BaseBleakScanner
from click.testing import CliRunner

from emgmon.cli.scan import command
from emgmon.errors import SensorError
from emgmon.sensors import ble


class NoBus(BaseBleakScanner):
    def __init__(self, detection_callback, service_uuids, scanning_mode, **_):
        super().__init__(detection_callback, service_uuids)

    async def start(self):
        raise FileNotFoundError(2, "No such file or directory")

    async def stop(self): ...


class DeadAir(NoBus):
    async def start(self): ...


def test_a_machine_without_bluetooth_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(ble, "SYSTEM_RADIO", ble.Radio(scanner=NoBus))
    result = CliRunner().invoke(command, ["--duration", "0.01"])
    assert isinstance(result.exception, SensorError)
    assert "bluetoothd" in result.exception.advice


def test_hearing_nobody_is_a_failure_with_advice(monkeypatch):
    monkeypatch.setattr(ble, "SYSTEM_RADIO", ble.Radio(scanner=DeadAir))
    result = CliRunner().invoke(command, ["--duration", "0.01"])
    assert isinstance(result.exception, SensorError)
    assert str(result.exception) == "no sensor was heard within 0.01 s"


def test_sensors_are_listed_one_a_line(monkeypatch):
    async def two(_radio, *, duration_s):
        await asyncio.sleep(0)
        return (
            ble.FoundSensor("emgmon-0001", "AA:BB", -40, None),
            ble.FoundSensor("emgmon-0002", "CC:DD", -71, None),
        )

    monkeypatch.setattr(ble, "scan", two)
    result = CliRunner().invoke(command, [])
    assert result.output == "AA:BB  -40 dBm  emgmon-0001\nCC:DD  -71 dBm  emgmon-0002\n"


@pytest.mark.parametrize("duration", ["0", "-1", "soon"])
def test_a_senseless_duration_is_wrong_usage(duration):
    assert CliRunner().invoke(command, ["--duration", duration]).exit_code == 2

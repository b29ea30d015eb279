"""``emgmon doctor``."""

import json
import platform
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from emgmon.cli.doctor import command
from emgmon.errors import SensorError
from emgmon.sensors import examine
from emgmon.sensors.ble import FoundSensor
from emgmon.sensors.findings import State, Step
from tests.end_to_end.program import ROOT, run

if sys.platform == "linux":
    from tests.sensors.fake_bluez import DAEMON, WITHOUT_DAEMON, serving

    needs_daemon = pytest.mark.skipif(DAEMON is None, reason=WITHOUT_DAEMON)
else:
    needs_daemon = pytest.mark.skip(reason="D-Bus and BlueZ are of Linux")

NEAR = FoundSensor("emgmon-0001", "AA:BB", -40, None)


@pytest.fixture
def elsewhere(monkeypatch):
    """A system whose Bluetooth tells no more than whether it listens."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")


@pytest.fixture
def on_bus(monkeypatch, tmp_path):
    """Runs the program beside a bluetoothd that has no radio."""

    def on(scene, *options):
        with serving(tmp_path, scene) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            return run("doctor", "--duration", "0.1", *options)

    return on


def listening_gives(monkeypatch, *heard, error=None):
    async def scan(_radio, *, duration_s):
        if error is not None:
            raise error
        return heard

    monkeypatch.setattr(examine, "scan", scan)


def test_a_sensor_that_is_heard_ends_well(monkeypatch, elsewhere):
    listening_gives(monkeypatch, NEAR)
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0
    assert "1 sensor was heard: emgmon-0001 at AA:BB (-40 dBm, near)." in result.stdout
    assert result.stdout.endswith("A sensor can be used: emgmon live\n")


def test_a_silent_sensor_is_not_this_computers_fault(monkeypatch, elsewhere):
    listening_gives(monkeypatch)
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0
    assert result.stdout.endswith("Nothing on this computer stands in the way of a sensor.\n")


def test_bluetooth_that_is_off_is_status_one(monkeypatch, elsewhere):
    listening_gives(monkeypatch, error=SensorError("Bluetooth is switched off", advice="Switch it on."))
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-5:] == [
        "fail  adapter       Bluetooth is switched off.",
        "                    > Switch it on.",
        "-     sensors       Not looked at, because adapter stands in the way.",
        "",
        "Only adapter stands in the way.",
    ]


def test_findings_can_be_had_as_json(monkeypatch, elsewhere):
    listening_gives(monkeypatch, NEAR)
    document = json.loads(CliRunner().invoke(command, ["--json"]).stdout)
    assert document["schema"] == "emgmon.doctor/1"
    assert document["is_ready"] is True
    assert [finding["step"] for finding in document["findings"]] == ["system", "adapter", "sensors"]
    assert document["findings"][1] == {
        "step": "adapter",
        "state": "ok",
        "sentence": "Bluetooth is on, and this program may use it.",
        "advice": "",
    }
    assert document["sensors"] == [{"name": "emgmon-0001", "address": "AA:BB", "rssi_dbm": -40}]


def test_no_line_is_wider_than_a_page_and_none_begins_at_the_margin_but_findings(monkeypatch, elsewhere):
    listening_gives(monkeypatch, *[NEAR] * 5)
    lines = CliRunner().invoke(command, []).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    marks = {"ok", "warn", "fail", "-"}
    assert all(line[:6].strip() in marks or line.startswith(" " * 20) for line in lines[:-2])


@pytest.mark.parametrize("duration", ["0", "-1", "soon"])
def test_a_senseless_duration_is_wrong_usage(duration):
    assert CliRunner().invoke(command, ["--duration", duration]).exit_code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is of Linux")
def test_on_a_machine_without_a_bus_every_step_is_told_and_what_hangs_on_it_is_not_looked_at(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nowhere'}")
    done = run("doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = {finding["step"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert list(found) == list(Step)
    assert found["D-Bus"]["state"] == State.FAIL
    assert f"there is nothing at unix:path={tmp_path / 'nowhere'}" in found["D-Bus"]["sentence"]
    assert found["bluetoothd"]["state"] == found["sensors"]["state"] == State.SKIPPED


@needs_daemon
def test_a_sensor_is_heard_through_bleak_and_d_bus(on_bus):
    done = on_bus("sensor")
    assert done.returncode == 0
    assert "ok    BlueZ         BlueZ 5.82.\n" in done.stdout
    assert "1 sensor was heard: emgmon-0001 at C0:00:00:00:00:01" in done.stdout


@needs_daemon
@pytest.mark.parametrize(
    ("scene", "step", "state", "status"),
    [
        ("others", "sensors", "warn", 0),
        ("silence", "sensors", "warn", 0),
        ("off", "adapter", "fail", 1),
    ],
)
def test_causes_are_told_apart_on_a_bus(on_bus, scene, step, state, status):
    done = on_bus(scene, "--json")
    found = {finding["step"]: finding["state"] for finding in json.loads(done.stdout)["findings"]}
    assert (found[step], done.returncode) == (state, status)


@needs_daemon
@pytest.mark.parametrize("name", ["doctor", "scan"])
def test_ctrl_c_while_listening_is_quiet(monkeypatch, tmp_path, name):
    with serving(tmp_path, "silence") as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        arguments = [sys.executable, "-m", "emgmon", name, "--duration", "60"]
        with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            assert program.stderr.readline().startswith(b"listening for 60 s")
            program.send_signal(signal.SIGINT)
            _, said = program.communicate(timeout=30)
    assert (program.returncode, said.strip()) == (130, b"emgmon: stopped")

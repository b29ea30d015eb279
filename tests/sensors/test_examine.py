"""Facts are read from a computer as it is, and listening ends in time."""

import asyncio
import platform
import sys

import pytest
from bleak.backends.scanner import BaseBleakScanner

from emgmon import __version__
from emgmon.errors import SensorError
from emgmon.sensors import examine
from emgmon.sensors.ble import Radio
from emgmon.sensors.bluez import BluezFacts, BusState
from emgmon.sensors.examine import (
    Place,
    add_bluez,
    explained,
    listen,
    read_kernel,
    read_surroundings,
    read_system,
    read_tool_version,
)
from emgmon.sensors.findings import Facts, Heard, KernelFacts, RadioSwitch, Surroundings

MAC = Facts("Darwin", "24.1", "3.13.1", "3.1.0", "1.0")
LINUX_WITHOUT_BUS = Facts(
    "Linux",
    "6.12",
    "3.13.1",
    "3.1.0",
    "1.0",
    kernel=KernelFacts(adapters=("hci0",)),
    bluez=BluezFacts(BusState.NO_SOCKET),
    bus_address="unix:path=/run/bus",
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell script as a program")


class DeadAir(BaseBleakScanner):
    def __init__(self, detection_callback, service_uuids, scanning_mode, **_):
        super().__init__(detection_callback, service_uuids)

    async def start(self): ...

    async def stop(self): ...


class Undecided(DeadAir):
    """macOS, while its question whether the terminal may use Bluetooth stands unanswered."""

    async def start(self):
        await asyncio.get_running_loop().create_future()


def put(root, **texts):
    for path, text in texts.items():
        file = root / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def rfkill(root, number, kind, *, soft="0", hard="0", name=None):
    folder = root / "sys" / "class" / "rfkill" / f"rfkill{number}"
    folder.mkdir(parents=True)
    for file, text in {"type": kind, "soft": soft, "hard": hard, "name": name}.items():
        if text is not None:
            (folder / file).write_text(f"{text}\n")


def tool(folder, script):
    program = folder / "bluetoothctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(folder)


def test_this_computer_is_told_with_all_versions():
    facts = read_system()
    assert (facts.system, facts.python, facts.emgmon) == (
        platform.system(),
        platform.python_version(),
        __version__,
    )
    assert facts.bleak[0].isdigit()
    assert (facts.kernel is not None) == (platform.system() == "Linux")


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
async def test_elsewhere_than_on_linux_nothing_of_linux_is_read(monkeypatch, system):
    monkeypatch.setattr(platform, "system", lambda: system)
    facts = await add_bluez(read_system())
    assert (facts.kernel, facts.bluez, facts.surroundings, facts.bus_address) == (None, None, (), "")


async def test_on_linux_bluez_is_asked_as_well(monkeypatch, tmp_path):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nowhere'}")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    facts = await add_bluez(read_system())
    assert facts.bluez.bus in {BusState.NO_SOCKET, BusState.NO_LIBRARY}
    assert facts.bus_address == f"unix:path={tmp_path / 'nowhere'}"


def test_a_computer_of_its_own_is_inside_nothing(tmp_path):
    put(tmp_path, proc__cpuinfo="flags\t\t: fpu vme sse\n", proc__sys__kernel__osrelease="6.12-amd64\n")
    assert read_surroundings(Place(tmp_path)) == ()


@pytest.mark.parametrize("mark", [".dockerenv", "run__.containerenv", "run__systemd__container"])
def test_containers_leave_their_marks(tmp_path, mark):
    put(tmp_path, **{mark: ""})
    assert read_surroundings(Place(tmp_path)) == (Surroundings.CONTAINER,)


def test_a_container_in_a_virtual_machine_is_both_and_the_innermost_comes_first(tmp_path):
    put(tmp_path, proc__cpuinfo="processor\t: 0\nflags\t\t: fpu hypervisor sse\n")
    inside = Place(tmp_path, (("container", "podman"),))
    assert read_surroundings(inside) == (Surroundings.CONTAINER, Surroundings.VIRTUAL_MACHINE)


def test_wsl_is_not_called_a_virtual_machine_too(tmp_path):
    put(
        tmp_path,
        proc__cpuinfo="flags\t\t: hypervisor\n",
        proc__sys__kernel__osrelease="5.15.167.4-microsoft-standard-WSL2\n",
    )
    assert read_surroundings(Place(tmp_path)) == (Surroundings.WSL,)


def test_adapters_are_read_without_their_connections(tmp_path):
    for name in ("hci1", "hci0", "hci0:11"):
        (tmp_path / "sys" / "class" / "bluetooth" / name).mkdir(parents=True)
    assert read_kernel(Place(tmp_path)).adapters == ("hci0", "hci1")


def test_only_switches_of_bluetooth_are_read(tmp_path):
    rfkill(tmp_path, 0, "wlan", soft="1", hard="1", name="phy0")
    rfkill(tmp_path, 1, "bluetooth", soft="1", name="hci0")
    rfkill(tmp_path, 2, "bluetooth", hard="1")
    assert read_kernel(Place(tmp_path)).switches == (
        RadioSwitch("hci0", is_soft_blocked=True, is_hard_blocked=False),
        RadioSwitch("rfkill2", is_soft_blocked=False, is_hard_blocked=True),
    )


def test_a_machine_without_anything_is_read_as_such(tmp_path):
    assert read_kernel(Place(tmp_path)) == KernelFacts()


@pytest.mark.parametrize("where", ["usr__libexec__bluetooth__bluetoothd", "usr__lib__bluetooth__bluetoothd"])
def test_an_installed_bluetoothd_is_seen(tmp_path, where):
    put(tmp_path, **{where: ""})
    assert read_kernel(Place(tmp_path)).is_daemon_installed


@posix
@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo 'bluetoothctl: 5.66'", (5, 66)),
        ("echo 5.50", (5, 50)),
        ("echo no idea", None),
        ("echo oops >&2; exit 1", None),
    ],
)
def test_bluetoothctl_is_asked_for_its_version(tmp_path, script, version):
    assert read_tool_version(tool(tmp_path, script)) == version


@posix
def test_a_bluetoothctl_that_hangs_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(examine, "TOOL_LIMIT_S", 0.05)
    assert read_tool_version(tool(tmp_path, "read nothing < /dev/zero")) is None


async def test_another_radios_air_is_listened_to_and_not_counted():
    assert await listen(MAC, duration_s=0, radio=Radio(scanner=DeadAir)) == Heard(0, (), None)


async def test_a_system_that_does_not_begin_to_listen_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(examine, "START_LIMIT_S", 0.01)
    with pytest.raises(SensorError, match=r"did not begin to listen within 0\.01 s") as told:
        await listen(MAC, duration_s=0, radio=Radio(scanner=Undecided))
    assert "allow it" in told.value.advice


def test_an_error_is_explained_by_the_step_that_fails():
    told = explained(SensorError("the service does not answer", advice="Start it."), LINUX_WITHOUT_BUS)
    assert str(told) == "D-Bus is unreachable: there is nothing at unix:path=/run/bus"
    assert told.advice.endswith("(more: emgmon doctor)")


def test_where_no_step_fails_the_error_keeps_its_own_words():
    told = explained(SensorError("Bluetooth is switched off", advice="Switch it on."), MAC)
    assert (str(told), told.advice) == ("Bluetooth is switched off", "Switch it on. (more: emgmon doctor)")

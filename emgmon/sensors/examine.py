"""Goes and looks: reads this computer's facts for the doctor and listens to the air, each with a limit."""

import asyncio
import os
import platform
import re
import subprocess
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from emgmon import __version__
from emgmon.errors import SensorError
from emgmon.sensors.ble import SYSTEM_RADIO, Radio, scan
from emgmon.sensors.bluez import ask_bluez, bus_address, counting_others
from emgmon.sensors.doctor import judge_computer
from emgmon.sensors.findings import Facts, Heard, KernelFacts, RadioSwitch, State, Surroundings

START_LIMIT_S = 20.0
"""Outer limit on starting to listen; macOS waits for a person to answer its question first."""

TOOL_LIMIT_S = 5.0
"""Outer limit on a program that only has to print its version."""

MORE = "(more: emgmon doctor)"

_DAEMONS = ("usr/libexec/bluetooth/bluetoothd", "usr/lib/bluetooth/bluetoothd", "usr/sbin/bluetoothd")
"""Where Debian, Fedora, Arch and others put it."""

_SLOW_TO_START = (
    "If the system asks whether this program may use Bluetooth, allow it. Else switch Bluetooth off and on."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where facts are read from: the machine's own root and environment, or a test's."""

    root: Path
    environment: tuple[tuple[str, str], ...] = ()


def this_place() -> Place:
    """Give the computer that this runs on."""
    return Place(Path("/"), tuple(os.environ.items()))


def read_system() -> Facts:
    """Read what needs no radio and no bus: versions, and on Linux what the kernel says."""
    system = platform.system()
    return Facts(
        system=system,
        release=platform.release(),
        python=platform.python_version(),
        bleak=_version_of("bleak"),
        emgmon=__version__,
        surroundings=read_surroundings(this_place()) if system == "Linux" else (),
        kernel=read_kernel(this_place()) if system == "Linux" else None,
        bus_address=bus_address() if system == "Linux" else "",
    )


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def read_surroundings(place: Place) -> tuple[Surroundings, ...]:
    """Tell what the system runs in, the innermost first."""
    found = []
    marks = (
        place.root / ".dockerenv",
        place.root / "run/.containerenv",
        place.root / "run/systemd/container",
    )
    if any(mark.exists() for mark in marks) or "container" in dict(place.environment):
        found.append(Surroundings.CONTAINER)
    if "microsoft" in _text(place.root / "proc/sys/kernel/osrelease").lower():
        found.append(Surroundings.WSL)
    elif re.search(r"^flags\s*:.*\bhypervisor\b", _text(place.root / "proc/cpuinfo"), re.MULTILINE):
        found.append(Surroundings.VIRTUAL_MACHINE)
    return tuple(found)


def read_kernel(place: Place) -> KernelFacts:
    """Read adapters and switches from /sys, and which BlueZ is installed."""
    adapters = _names(place.root / "sys/class/bluetooth", "hci*")
    switches = [
        RadioSwitch(
            name=_text(folder / "name") or folder.name,
            is_soft_blocked=_text(folder / "soft") == "1",
            is_hard_blocked=_text(folder / "hard") == "1",
        )
        for folder in sorted((place.root / "sys/class/rfkill").glob("rfkill*"))
        if _text(folder / "type") == "bluetooth"
    ]
    return KernelFacts(
        # hci0:11 is a connection of hci0, not an adapter.
        adapters=tuple(name for name in adapters if ":" not in name),
        switches=tuple(switches),
        is_daemon_installed=any((place.root / daemon).exists() for daemon in _DAEMONS),
        tool_version=read_tool_version(dict(place.environment).get("PATH", "")),
    )


def read_tool_version(path: str) -> tuple[int, int] | None:
    """Ask ``bluetoothctl`` for its version; ``None`` when there is none, or it does not say."""
    try:
        said = subprocess.run(
            ["bluetoothctl", "--version"],
            env={"PATH": path},
            capture_output=True,
            timeout=TOOL_LIMIT_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"(\d+)\.(\d+)", said)
    return None if found is None else (int(found[1]), int(found[2]))


def _names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


async def add_bluez(facts: Facts) -> Facts:
    """Ask BlueZ as well, where there could be one."""
    return facts if facts.kernel is None else replace(facts, bluez=await ask_bluez())


async def listen(facts: Facts, *, duration_s: float, radio: Radio | None = None) -> Heard:
    """Listen for sensors, and where BlueZ allows it count whatever else advertises.

    Parameters
    ----------
    facts
        What is known of the computer.
    duration_s
        How long to listen.
    radio
        The system's own when not given; another radio's air cannot be counted.

    Raises
    ------
    SensorError
        When there is no usable Bluetooth.
    """
    radio = SYSTEM_RADIO if radio is None else radio
    usable = () if facts.bluez is None else tuple(one for one in facts.bluez.adapters if one.is_usable)
    async with AsyncExitStack() as stack:
        count = None
        if usable and radio.scanner is None:
            count = await stack.enter_async_context(counting_others(usable))
        try:
            async with asyncio.timeout(duration_s + START_LIMIT_S):
                sensors = await scan(radio, duration_s=duration_s)
        except TimeoutError as error:
            what = f"Bluetooth did not begin to listen within {START_LIMIT_S:g} s"
            raise SensorError(what, advice=_SLOW_TO_START) from error
        n_others = None if count is None else await count()
    return Heard(duration_s, sensors, n_others)


def explained(error: SensorError, facts: Facts) -> SensorError:
    """Put the doctor's sentence in place of the error, where a step tells more than the radio did."""
    failed = [finding for finding in judge_computer(facts) if finding.state is State.FAIL]
    if not failed:
        return SensorError(str(error), advice=f"{error.advice} {MORE}".strip())
    sentence = failed[0].sentence.rstrip(".")
    return SensorError(sentence, advice=f"{failed[0].advice} {MORE}".strip())

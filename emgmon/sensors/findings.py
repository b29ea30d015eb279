"""What is looked at between this program and a sensor, what is known of it, and what came out."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from emgmon.sensors.ble import FoundSensor
from emgmon.sensors.bluez import BluezFacts

NEAR_DBM = -60
FAR_DBM = -80
"""Our choice: receivers lose packets below about -90 dBm, and a body in between costs 10 dB or more."""


class State(StrEnum):
    """What came out of a step."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Step(StrEnum):
    """What is looked at, from the ground up."""

    SYSTEM = "system"
    SURROUNDINGS = "surroundings"
    HARDWARE = "hardware"
    RFKILL = "rfkill"
    BUS = "D-Bus"
    DAEMON = "bluetoothd"
    VERSION = "BlueZ"
    ADAPTER = "adapter"
    SENSORS = "sensors"


class Surroundings(StrEnum):
    """What may stand between a Linux system and the hardware."""

    CONTAINER = "container"
    WSL = "WSL"
    VIRTUAL_MACHINE = "virtual machine"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found, in a sentence, and what to do about it."""

    step: Step
    state: State
    sentence: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class RadioSwitch:
    """One of the kernel's switches for Bluetooth (rfkill)."""

    name: str
    is_soft_blocked: bool
    is_hard_blocked: bool


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What Linux says without any Bluetooth service."""

    adapters: tuple[str, ...] = ()
    switches: tuple[RadioSwitch, ...] = ()
    is_daemon_installed: bool = False
    tool_version: tuple[int, int] | None = None
    """Of ``bluetoothctl``, which is what bleak judges by; ``None`` when there is none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known before listening; `kernel` and `bluez` are ``None`` anywhere but on Linux."""

    system: str
    release: str
    python: str
    bleak: str
    emgmon: str
    surroundings: tuple[Surroundings, ...] = ()
    kernel: KernelFacts | None = None
    bluez: BluezFacts | None = None
    bus_address: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was in the air."""

    duration_s: float
    sensors: tuple[FoundSensor, ...] = ()
    n_others: int | None = None
    """Devices that are not ours; ``None`` where the system does not let them be counted."""


def is_ready(findings: Iterable[Finding]) -> bool:
    """Whether nothing on this computer stands in the way of a sensor.

    A silent sensor is no failure of the computer: whoever wants to know whether one can be heard now asks
    ``emgmon scan``, whose exit status says just that.
    """
    return all(finding.state is not State.FAIL for finding in findings)


def is_known(rssi_dbm: int) -> bool:
    """Whether it is a strength at all: -127 and 20 or more are how systems say that they do not know."""
    return -127 < rssi_dbm < 20


def signal_words(rssi_dbm: int) -> str:
    """Say a signal strength in figures and words."""
    if not is_known(rssi_dbm):
        return "strength not measured"
    near_or_far = "near" if rssi_dbm >= NEAR_DBM else "far" if rssi_dbm < FAR_DBM else "in reach"
    return f"{rssi_dbm} dBm, {near_or_far}"


def shown_name(sensor: FoundSensor) -> str:
    """Name of a sensor, without whatever a stranger's device could do to a terminal."""
    return "".join(letter for letter in sensor.name if letter.isprintable()).strip() or "(no name)"

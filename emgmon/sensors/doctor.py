"""Judges facts about this computer's Bluetooth into findings: no file, bus or radio is touched here.

The steps go from the ground up, so the first that fails is the one to begin with.
"""

from collections.abc import Callable, Iterable

from emgmon.errors import SensorError
from emgmon.sensors.ble import NOT_HEARD_ADVICE, FoundSensor
from emgmon.sensors.bluez import Adapter, BluezFacts, BusState, DaemonState
from emgmon.sensors.findings import (
    FAR_DBM,
    Facts,
    Finding,
    Heard,
    KernelFacts,
    State,
    Step,
    Surroundings,
    is_known,
    is_ready,
    shown_name,
    signal_words,
)

OLDEST_BLUEZ = (5, 55)
"""bleak refuses to connect through anything older."""

DEAF_UNTIL_BLUEZ = (5, 88)
"""Until this version bluetoothd may believe it scans when it does not (bluez issue 807)."""

WITHOUT_BLUETOOTH = "To see emgmon work without Bluetooth, run: emgmon demo"


def judge_computer(facts: Facts) -> tuple[Finding, ...]:
    """Judge everything that can be known before listening.

    Parameters
    ----------
    facts
        What was read; on systems other than Linux only their Bluetooth itself can say more.
    """
    if facts.kernel is None or facts.bluez is None:
        return (_system(facts),)
    findings = [judge(facts, facts.kernel, facts.bluez) for judge in _LINUX]
    findings[1:1] = [_surroundings(facts, is_fine=is_ready(findings))]
    return tuple(findings)


def judge_air(
    computer: tuple[Finding, ...], facts: Facts, heard: Heard | SensorError | None
) -> tuple[Finding, ...]:
    """Judge what listening brought; ``None`` when it was not tried."""
    on_linux = facts.kernel is not None
    if heard is None:
        first = next(finding for finding in computer if finding.state is State.FAIL)
        return (_skipped(Step.SENSORS, f"{first.step} stands in the way"),)
    if isinstance(heard, SensorError):
        step = Step.SENSORS if on_linux else Step.ADAPTER
        refused = Finding(step, State.FAIL, _sentence(str(heard)), heard.advice)
        return (refused,) if on_linux else (refused, _skipped(Step.SENSORS, "adapter stands in the way"))
    air = _air(heard, facts.bluez)
    if on_linux:
        return (air,)
    return (Finding(Step.ADAPTER, State.OK, "Bluetooth is on, and this program may use it."), air)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}".rstrip(".") + "."


def _skipped(step: Step, because: str) -> Finding:
    return Finding(step, State.SKIPPED, f"Not looked at, because {because}.")


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]:02d}"


def _system(facts: Facts) -> Finding:
    name = "macOS" if facts.system == "Darwin" else facts.system or "an unknown system"
    sentence = f"{name} {facts.release}, Python {facts.python}, bleak {facts.bleak}, emgmon {facts.emgmon}."
    if facts.system in {"Linux", "Darwin", "Windows"}:
        return Finding(Step.SYSTEM, State.OK, sentence)
    advice = f"Bluetooth works on Linux, macOS and Windows. {WITHOUT_BLUETOOTH}"
    return Finding(Step.SYSTEM, State.FAIL, sentence, advice)


_REACHES = {
    Surroundings.CONTAINER: "A container reaches Bluetooth only through its host's D-Bus.",
    Surroundings.WSL: "WSL does not pass the computer's Bluetooth on.",
    Surroundings.VIRTUAL_MACHINE: "A virtual machine has only the adapters that are passed through to it.",
}

_SHARE_BUS = (
    "Start the container with -v /run/dbus:/run/dbus:ro, and bluetoothd on the host. Where AppArmor refuses, "
    "add --security-opt apparmor=unconfined."
)


def _surroundings(facts: Facts, *, is_fine: bool) -> Finding:
    if not facts.surroundings:
        return Finding(Step.SURROUNDINGS, State.OK, "Neither a container nor a virtual machine.")
    sentence = f"This is {' in '.join(_article(one) for one in facts.surroundings)}."
    if is_fine:
        return Finding(Step.SURROUNDINGS, State.OK, sentence)
    return Finding(
        Step.SURROUNDINGS, State.WARN, sentence, " ".join(_REACHES[one] for one in facts.surroundings)
    )


def _article(surroundings: Surroundings) -> str:
    return surroundings.value if surroundings is Surroundings.WSL else f"a {surroundings}"


def _hardware(facts: Facts, kernel: KernelFacts, bluez: BluezFacts) -> Finding:
    names = kernel.adapters or tuple(adapter.name for adapter in bluez.adapters)
    if names:
        return Finding(Step.HARDWARE, State.OK, f"The system has {_and(names)}.")
    if Surroundings.WSL in facts.surroundings:
        advice = "Install and run emgmon in Windows itself."
    elif Surroundings.VIRTUAL_MACHINE in facts.surroundings:
        advice = "Pass a USB Bluetooth adapter through to the virtual machine, or run emgmon on its host."
    else:
        advice = "Plug in a Bluetooth LE adapter, or enable the built-in one in the firmware set-up (BIOS)."
    sentence = "This machine has no Bluetooth adapter, or the kernel has no driver for it."
    return Finding(Step.HARDWARE, State.FAIL, sentence, f"{advice} {WITHOUT_BLUETOOTH}")


def _rfkill(_facts: Facts, kernel: KernelFacts, bluez: BluezFacts) -> Finding:
    # BlueZ knows of a block even where /sys does not show it.
    off = next((one.name for one in bluez.adapters if one.is_blocked), None)
    soft = next((one.name for one in kernel.switches if one.is_soft_blocked), None) or off
    hard = next((one.name for one in kernel.switches if one.is_hard_blocked), None)
    state = State.WARN if any(adapter.is_usable for adapter in bluez.adapters) else State.FAIL
    if hard is not None:
        sentence = f"A switch of the computer itself keeps {hard} off (rfkill: hard blocked)."
        advice = "Turn the wireless switch or key of the computer on, or enable Bluetooth in the BIOS."
        return Finding(Step.RFKILL, state, sentence, advice)
    if soft is not None:
        sentence = f"The system keeps {soft} off (rfkill: soft blocked)."
        return Finding(Step.RFKILL, state, sentence, "Leave flight mode, or run: rfkill unblock bluetooth")
    return Finding(Step.RFKILL, State.OK, "Nothing blocks Bluetooth.")


def _bus(facts: Facts, _kernel: KernelFacts, bluez: BluezFacts) -> Finding:
    if bluez.bus is BusState.REACHED:
        return Finding(Step.BUS, State.OK, "The system bus answers.")
    sentence = _BUS[bluez.bus].format(where=facts.bus_address)
    # A missing socket has nothing to add; the others may say something that can be searched for.
    if bluez.detail and bluez.bus in {BusState.NO_LIBRARY, BusState.DENIED, BusState.BROKEN}:
        sentence = f"{sentence} ({bluez.detail})"
    in_container = Surroundings.CONTAINER in facts.surroundings
    return Finding(Step.BUS, State.FAIL, f"{sentence}.", _bus_advice(bluez.bus, in_container=in_container))


_BUS = {
    BusState.NO_LIBRARY: "The Python package dbus-fast, which bleak needs on Linux, cannot be loaded",
    BusState.NO_SOCKET: "D-Bus is unreachable: there is nothing at {where}",
    BusState.NOBODY_LISTENS: "D-Bus is unreachable: nobody listens at {where}",
    BusState.DENIED: "D-Bus does not let this user in",
    BusState.SILENT: "D-Bus does not answer at {where}",
    BusState.BROKEN: "D-Bus cannot be used at {where}",
}


def _bus_advice(state: BusState, *, in_container: bool) -> str:
    match state:
        case BusState.NO_LIBRARY:
            return "Install emgmon again in its environment: bleak brings dbus-fast with it."
        case BusState.DENIED if in_container:
            return (
                "Where the user has another number outside, set BLEAK_DBUS_AUTH_UID to that number; where "
                "AppArmor refuses, start the container with --security-opt apparmor=unconfined."
            )
        case BusState.DENIED:
            return "Run emgmon as the user who is logged in, outside of any sandbox."
        case BusState.BROKEN:
            return "Check DBUS_SYSTEM_BUS_ADDRESS, if it is set."
        case _ if in_container:
            return _SHARE_BUS
        case BusState.SILENT:
            return "Restart the computer."
    return "Start it: sudo systemctl start dbus"


def _daemon(facts: Facts, kernel: KernelFacts, bluez: BluezFacts) -> Finding:
    if bluez.daemon is None:
        return _skipped(Step.DAEMON, "D-Bus cannot be used")
    if bluez.daemon is DaemonState.RUNNING:
        return Finding(Step.DAEMON, State.OK, "bluetoothd is running.")
    sentence, advice = _DAEMON[bluez.daemon]
    if bluez.daemon is DaemonState.NOT_OFFERED and kernel.is_daemon_installed:
        sentence, advice = _DAEMON[DaemonState.NOT_STARTED]
    elif bluez.daemon is DaemonState.NOT_OFFERED and Surroundings.CONTAINER in facts.surroundings:
        advice = "Start bluetoothd on the host: sudo systemctl enable --now bluetooth"
    if bluez.daemon is DaemonState.NOT_STARTED and not kernel.adapters:
        advice = "systemd starts it only once there is an adapter: see hardware."
    return Finding(
        Step.DAEMON, State.FAIL, f"{sentence} ({bluez.detail})." if bluez.detail else f"{sentence}.", advice
    )


_DAEMON = {
    DaemonState.NOT_OFFERED: (
        "bluetoothd is not installed",
        "Install BlueZ: sudo apt install bluez (Debian, Ubuntu), sudo dnf install bluez (Fedora), "
        "sudo pacman -S bluez (Arch).",
    ),
    DaemonState.NOT_STARTED: (
        "bluetoothd is installed but does not run",
        "Start it: sudo systemctl enable --now bluetooth. What it says: journalctl -b -u bluetooth",
    ),
    DaemonState.DENIED: (
        "This user may not use bluetoothd: permission was refused",
        "Often the group helps: sudo usermod -a -G bluetooth $USER, then log in again.",
    ),
    DaemonState.SILENT: (
        "bluetoothd is there but does not answer",
        "Restart it: sudo systemctl restart bluetooth",
    ),
    DaemonState.BROKEN: (
        "bluetoothd answers with an error",
        "Restart it: sudo systemctl restart bluetooth. What it says: journalctl -b -u bluetooth",
    ),
}


def _bluez_version(_facts: Facts, kernel: KernelFacts, bluez: BluezFacts) -> Finding:
    known = [version for version in (bluez.version, kernel.tool_version) if version is not None]
    if not known and bluez.daemon is not DaemonState.RUNNING:
        return _skipped(Step.VERSION, "no BlueZ is there to ask")
    if not known:
        sentence = f"The version of BlueZ could not be read; {_version(OLDEST_BLUEZ)} or later is needed."
        return Finding(Step.VERSION, State.WARN, sentence, "See it with: bluetoothctl --version")
    if min(known) < OLDEST_BLUEZ:
        sentence = f"BlueZ {_version(min(known))} is too old: connecting needs {_version(OLDEST_BLUEZ)}."
        return Finding(Step.VERSION, State.FAIL, sentence, "Update BlueZ with the system it belongs to.")
    if min(known) != max(known):
        sentence = (
            f"bluetoothd runs as {_version(known[0])}, but bluetoothctl is of {_version(known[1])}: "
            "one is left from before an update, or from outside a container."
        )
        return Finding(Step.VERSION, State.OK, sentence)
    return Finding(Step.VERSION, State.OK, f"BlueZ {_version(known[0])}.")


def _adapter(_facts: Facts, kernel: KernelFacts, bluez: BluezFacts) -> Finding:
    if bluez.daemon is not DaemonState.RUNNING:
        return _skipped(Step.ADAPTER, "bluetoothd cannot be asked")
    if not bluez.adapters:
        if not kernel.adapters:
            return _skipped(Step.ADAPTER, "there is no hardware")
        sentence = f"bluetoothd does not know {_and(kernel.adapters)}."
        advice = (
            "Its firmware may be missing, see: sudo dmesg | grep -i bluetooth. "
            "Then: sudo systemctl restart bluetooth"
        )
        return Finding(Step.ADAPTER, State.FAIL, sentence, advice)
    central = [adapter for adapter in bluez.adapters if adapter.is_central is not False]
    if not central:
        sentence = f"{_told(bluez.adapters)} cannot connect to Low Energy sensors."
        advice = f"Use an adapter of Bluetooth 4.0 or later. {WITHOUT_BLUETOOTH}"
        return Finding(Step.ADAPTER, State.FAIL, sentence, advice)
    usable = [adapter for adapter in central if adapter.is_usable]
    if usable:
        return Finding(Step.ADAPTER, State.OK, f"{_told(usable)} is on and can connect to sensors.")
    blocked = any(adapter.is_blocked for adapter in central) or any(
        switch.is_soft_blocked or switch.is_hard_blocked for switch in kernel.switches
    )
    advice = (
        "First what rfkill says, then: bluetoothctl power on"
        if blocked
        else ("Switch Bluetooth on in the system's settings, or run: bluetoothctl power on")
    )
    return Finding(Step.ADAPTER, State.FAIL, f"Bluetooth is switched off ({_told(central)}).", advice)


_LINUX: tuple[Callable[[Facts, KernelFacts, BluezFacts], Finding], ...] = (
    lambda facts, _kernel, _bluez: _system(facts),
    _hardware,
    _rfkill,
    _bus,
    _daemon,
    _bluez_version,
    _adapter,
)


def _air(heard: Heard, bluez: BluezFacts | None) -> Finding:
    if heard.sensors:
        return _sensors(heard.sensors)
    within = f"within {heard.duration_s:g} s"
    if bluez is not None and bluez.connected:
        sentence = f"{_and(bluez.connected)} is connected to this computer already, so it does not advertise."
        advice = "Close whatever else uses it, or run: bluetoothctl disconnect ADDRESS"
        return Finding(Step.SENSORS, State.WARN, sentence, advice)
    if heard.n_others is None:
        return Finding(Step.SENSORS, State.WARN, f"No sensor was heard {within}.", NOT_HEARD_ADVICE)
    if heard.n_others:
        others = "1 other device was" if heard.n_others == 1 else f"{heard.n_others} other devices were"
        sentence = f"{others} heard {within}, but no sensor."
        return Finding(Step.SENSORS, State.WARN, sentence, NOT_HEARD_ADVICE)
    deaf = " If phones or headphones are about, the adapter may be deaf: check its aerial"
    may_hang = bluez is None or bluez.version is None or bluez.version < DEAF_UNTIL_BLUEZ
    deaf += ", and run: bluetoothctl power off; bluetoothctl power on" if may_hang else "."
    sentence = f"Nothing at all was heard {within}, neither a sensor nor anything else."
    return Finding(Step.SENSORS, State.WARN, sentence, NOT_HEARD_ADVICE + deaf)


def _sensors(sensors: tuple[FoundSensor, ...]) -> Finding:
    listed = "; ".join(
        f"{shown_name(sensor)} at {sensor.address} ({signal_words(sensor.rssi_dbm)})" for sensor in sensors
    )
    count = "1 sensor was" if len(sensors) == 1 else f"{len(sensors)} sensors were"
    known = [sensor.rssi_dbm for sensor in sensors if is_known(sensor.rssi_dbm)]
    if known and max(known) < FAR_DBM:
        advice = "Bring it closer, with nothing but air between: a body in the way costs much of the signal."
        return Finding(Step.SENSORS, State.WARN, f"{count} heard, from far: {listed}.", advice)
    return Finding(Step.SENSORS, State.OK, f"{count} heard: {listed}.")


def _told(adapters: Iterable[Adapter]) -> str:
    return _and(f"{adapter.name} {adapter.address}".strip() for adapter in adapters)


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last

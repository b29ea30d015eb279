"""Errors and sentences for what a sensor or a system refuses; every sentence says what a person can do."""

from emgmon.errors import SensorError
from firmware_protocol.packets import PROTOCOL_MAJOR

OUT_OF_REACH_ADVICE = "Bring the sensor closer, switch it off and on, and try again."
UPDATE_ADVICE = "Check that the sensor's firmware and emgmon are both up to date."
RESTART_ADVICE = "Switch the sensor off and on, then try again."
STALE_SERVICES_ADVICE = (
    "Its services were looked up anew already. Check that the sensor's firmware is up to date; else remove "
    "the sensor from the system's list of Bluetooth devices and try again: after a firmware update the "
    "system may still remember the old services."
)

_WITHOUT_BLUETOOTH = "To see emgmon work without Bluetooth, run: emgmon demo"

NO_RADIO: dict[str, tuple[str, str]] = {
    "NO_BLUETOOTH": (
        "this machine has no Bluetooth adapter",
        f"Plug in a Bluetooth LE adapter. {_WITHOUT_BLUETOOTH}",
    ),
    "NO_BLE_CENTRAL_ROLE": (
        "the Bluetooth adapter cannot connect to Low Energy sensors",
        f"Use an adapter of Bluetooth 4.0 or later. {_WITHOUT_BLUETOOTH}",
    ),
    "POWERED_OFF": ("Bluetooth is switched off", "Switch Bluetooth on and try again."),
    "DENIED_BY_USER": (
        "this program may not use Bluetooth: permission was refused",
        "Allow Bluetooth for your terminal in the system's privacy settings, then try again.",
    ),
    "DENIED_BY_SYSTEM": (
        "this program may not use Bluetooth: the system forbids it",
        "Run emgmon as a user who may use Bluetooth (on Linux often the group 'bluetooth').",
    ),
    "DENIED_BY_UNKNOWN": (
        "this program may not use Bluetooth",
        "Allow Bluetooth for your terminal in the system's settings, then try again.",
    ),
    "UNKNOWN": (
        "Bluetooth is not available",
        f"Check that Bluetooth is present and switched on. {_WITHOUT_BLUETOOTH}",
    ),
}
"""What to tell a person for each of bleak's reasons, by their names."""

NO_SERVICE = (
    "the system's Bluetooth service does not answer",
    "On Linux it needs D-Bus and bluetoothd: start them (sudo systemctl start bluetooth), or install "
    f"BlueZ. Containers usually have neither. {_WITHOUT_BLUETOOTH}",
)
"""What to tell where nothing answers that could know a reason."""

_FORGET = {
    "linux": "run: bluetoothctl remove {address}",
    "darwin": "in System Settings, Bluetooth, choose Forget This Device",
    "win32": "in Settings, Bluetooth & devices, choose Remove device",
}
"""How a person removes a sensor from the system's list, by `sys.platform`."""


class Unanswered(SensorError):
    """The sensor, or the system on its behalf, did not answer in time."""


class UnusableSensor(SensorError):
    """The sensor answers, but this session cannot use it; trying again would change nothing."""


class PairingRefused(SensorError):
    """Data and control of the sensor need an encrypted link, and it did not come about."""


def bond_advice(address: str, *, system: str) -> str:
    """Tell what to do when one of the two has lost its bond (SPEC 2.12), in the words of a `sys.platform`."""
    forget = _FORGET.get(system, "remove it from the system's list of Bluetooth devices").format(
        address=address
    )
    return (
        "The sensor or this computer has lost the key that they had agreed on, or the sensor takes no new "
        f"ones now. Remove the sensor from the system's list of devices ({forget}), switch the sensor off "
        "and on, and try again at once: it will pair anew."
    )


def other_version(version: str) -> UnusableSensor:
    """Refuse a sensor of a major version that is not known (SPEC 3.2)."""
    return UnusableSensor(
        f"the sensor speaks version {version} of the sensor protocol; this emgmon knows version "
        f"{PROTOCOL_MAJOR}",
        advice="Update emgmon (pip install --upgrade emgmon), or put older firmware on the sensor.",
    )

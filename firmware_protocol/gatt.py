"""What a sensor shows over Bluetooth: its name, its service, and who may do what with each characteristic."""

import enum
from dataclasses import dataclass

ADVERTISED_NAME_PREFIX = "emgmon"
"""A sensor's advertised name begins with this (SPEC 2.1)."""

SERVICE_UUID = "35315226-937a-481c-b8f5-ef35ca223c99"
DATA_UUID = "b9522c5a-5669-47a1-a526-8a4efafb18a4"
CONTROL_UUID = "4d28402f-1b07-4efc-8b1e-a65b8952c9f3"

BATTERY_SERVICE_UUID = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_LEVEL_UUID = "00002a19-0000-1000-8000-00805f9b34fb"

DEVICE_INFORMATION_SERVICE_UUID = "0000180a-0000-1000-8000-00805f9b34fb"
MANUFACTURER_UUID = "00002a29-0000-1000-8000-00805f9b34fb"
MODEL_UUID = "00002a24-0000-1000-8000-00805f9b34fb"
SERIAL_UUID = "00002a25-0000-1000-8000-00805f9b34fb"
HARDWARE_UUID = "00002a27-0000-1000-8000-00805f9b34fb"
FIRMWARE_UUID = "00002a26-0000-1000-8000-00805f9b34fb"

ATT_INSUFFICIENT_AUTHENTICATION = 0x05
"""The sensor has no bond with this host (SPEC 2.11)."""
ATT_INSUFFICIENT_ENCRYPTION = 0x0F
"""There is a bond, but the link is not encrypted (SPEC 2.11)."""
ATT_CCCD_IMPROPERLY_CONFIGURED = 0xFD
"""Indications of the control point are not enabled (SPEC 2.11)."""
ATT_PROCEDURE_ALREADY_IN_PROGRESS = 0xFE
"""The sensor still has a response to send (SPEC 6.5)."""

ATT_OVERHEAD = 3
"""Bytes of ATT_MTU that a notification, an indication or a write does not carry (SPEC 2.6)."""
MIN_ATT_MTU = 23
"""What every link has, before anyone asks for more."""
MAX_ATTRIBUTE_SIZE = 512
"""No attribute is longer, whatever the ATT_MTU (Bluetooth Core, volume 3, part F, 3.2.9)."""


def payload_size(att_mtu: int) -> int:
    """Bytes that one notification, indication or write carries (SPEC 2.6)."""
    return min(att_mtu - ATT_OVERHEAD, MAX_ATTRIBUTE_SIZE)


class Property(enum.Flag):
    """What a host may do with a characteristic."""

    READ = enum.auto()
    WRITE = enum.auto()
    """Write with response."""
    NOTIFY = enum.auto()
    INDICATE = enum.auto()


class Security(enum.Enum):
    """What the link must offer before a characteristic may be used (SPEC 2.9)."""

    OPEN = "open"
    """No pairing, no encryption."""
    ENCRYPTED = "encrypted"
    """LE Secure Connections, bonding, a key of 16 bytes; sensors of version 1.0 demand nothing of it."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One row of the table in SPEC 2.2."""

    service_uuid: str
    uuid: str
    properties: Property
    security: Security


CHARACTERISTICS = (
    Characteristic(SERVICE_UUID, DATA_UUID, Property.NOTIFY, Security.ENCRYPTED),
    Characteristic(SERVICE_UUID, CONTROL_UUID, Property.WRITE | Property.INDICATE, Security.ENCRYPTED),
    Characteristic(BATTERY_SERVICE_UUID, BATTERY_LEVEL_UUID, Property.READ | Property.NOTIFY, Security.OPEN),
    *(
        Characteristic(DEVICE_INFORMATION_SERVICE_UUID, uuid, Property.READ, Security.OPEN)
        for uuid in (MANUFACTURER_UUID, MODEL_UUID, SERIAL_UUID, HARDWARE_UUID, FIRMWARE_UUID)
    ),
)
"""Every characteristic of this version."""

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

ATT_OVERHEAD = 3
"""Bytes of ATT_MTU that a notification, an indication or a write does not carry (SPEC 2.6)."""


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
    """LE Secure Connections with bonding; no other security existed before version 1.1 than an open link."""


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

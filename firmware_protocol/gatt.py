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
    """No pairing, no encryption: the only level of version 1.0."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One row of the table in SPEC 2.2."""

    service_uuid: str
    uuid: str
    properties: Property
    security: Security


CHARACTERISTICS = (
    Characteristic(SERVICE_UUID, DATA_UUID, Property.NOTIFY, Security.OPEN),
    Characteristic(SERVICE_UUID, CONTROL_UUID, Property.WRITE | Property.INDICATE, Security.OPEN),
    Characteristic(BATTERY_SERVICE_UUID, BATTERY_LEVEL_UUID, Property.READ | Property.NOTIFY, Security.OPEN),
)
"""Every characteristic of this version."""

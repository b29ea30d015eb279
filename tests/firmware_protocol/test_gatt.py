"""What a sensor shows over Bluetooth against SPEC 2."""

import uuid
from pathlib import Path

import firmware_protocol
from firmware_protocol import gatt

SPEC = (Path(firmware_protocol.__file__).parent / "SPEC.md").read_text(encoding="utf-8")


def test_our_uuids_are_random_and_all_different() -> None:
    ours = [gatt.SERVICE_UUID, gatt.DATA_UUID, gatt.CONTROL_UUID]
    assert len(set(ours)) == 3
    for text in ours:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert parsed.version == 4
        assert parsed.variant == uuid.RFC_4122


def test_the_specification_names_the_same_uuids_and_properties() -> None:
    rows = [line for line in SPEC.splitlines() if line.startswith("|")]
    assert any(gatt.SERVICE_UUID in row and gatt.DATA_UUID in row and "notify" in row for row in rows)
    assert any(gatt.CONTROL_UUID in row and "write" in row and "indicate" in row for row in rows)
    properties = {one.uuid: one.properties for one in gatt.CHARACTERISTICS}
    assert properties == {
        gatt.DATA_UUID: gatt.Property.NOTIFY,
        gatt.CONTROL_UUID: gatt.Property.WRITE | gatt.Property.INDICATE,
        gatt.BATTERY_LEVEL_UUID: gatt.Property.READ | gatt.Property.NOTIFY,
    }


def test_the_battery_uuids_are_those_of_the_bluetooth_sig() -> None:
    base = "0000{:04x}-0000-1000-8000-00805f9b34fb"
    assert base.format(0x180F) == gatt.BATTERY_SERVICE_UUID
    assert base.format(0x2A19) == gatt.BATTERY_LEVEL_UUID


def test_the_advertised_name_begins_as_the_specification_says() -> None:
    assert f"SHALL begin with `{gatt.ADVERTISED_NAME_PREFIX}`" in SPEC

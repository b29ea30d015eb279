"""What a sensor shows over Bluetooth against SPEC 2."""

import re
import uuid
from pathlib import Path

import pytest

import firmware_protocol
from firmware_protocol import gatt

SPEC = (Path(firmware_protocol.__file__).parent / "SPEC.md").read_text(encoding="utf-8")
SIG_BASE = "0000{:04x}-0000-1000-8000-00805f9b34fb"
WORDS = {
    "read": gatt.Property.READ,
    "write (with response)": gatt.Property.WRITE,
    "notify": gatt.Property.NOTIFY,
    "indicate": gatt.Property.INDICATE,
}


def rows_of_clause_2_2() -> list[tuple[str, str, gatt.Property]]:
    """Service, characteristic and properties as the table says them; a service is named in full once."""
    table = SPEC.split("**2.2**")[1].split("**2.3**")[0]
    services: dict[str, str] = {}
    rows = []
    for line in re.findall(r"^\| (.*) \|$", table, re.MULTILINE)[1:]:
        service, _, code, words = line.split(" | ")
        name, _, service_code = service.partition(" `")
        services.setdefault(name, service_code.strip("`"))
        properties = gatt.Property(0)
        for word in words.split(", "):
            properties |= WORDS[word]
        rows.append((services[name], code.strip("`"), properties))
    return rows


def long_uuid(code: str) -> str:
    return SIG_BASE.format(int(code, 16)) if len(code) == 4 else code


def test_our_uuids_are_random_and_all_different() -> None:
    ours = [gatt.SERVICE_UUID, gatt.DATA_UUID, gatt.CONTROL_UUID]
    assert len(set(ours)) == 3
    for text in ours:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert parsed.version == 4
        assert parsed.variant == uuid.RFC_4122


def test_the_table_of_the_specification_is_the_one_of_the_code() -> None:
    told = [
        (long_uuid(service), long_uuid(code), properties)
        for service, code, properties in rows_of_clause_2_2()
    ]
    assert told == [(one.service_uuid, one.uuid, one.properties) for one in gatt.CHARACTERISTICS]
    assert len(told) == 8


def test_data_and_control_need_encryption_and_the_standard_services_do_not() -> None:
    encrypted = {one.uuid for one in gatt.CHARACTERISTICS if one.security is gatt.Security.ENCRYPTED}
    assert encrypted == {gatt.DATA_UUID, gatt.CONTROL_UUID}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (gatt.ATT_INSUFFICIENT_AUTHENTICATION, "0x05 (Insufficient Authentication)"),
        (gatt.ATT_INSUFFICIENT_ENCRYPTION, "0x0F (Insufficient Encryption)"),
        (
            gatt.ATT_CCCD_IMPROPERLY_CONFIGURED,
            "0xFD (Client Characteristic Configuration Descriptor Improperly Configured)",
        ),
        (gatt.ATT_PROCEDURE_ALREADY_IN_PROGRESS, "0xFE (Procedure Already in Progress)"),
    ],
)
def test_the_specification_names_the_same_att_errors(code: int, words: str) -> None:
    assert words.startswith(f"0x{code:02X} ")
    assert words in SPEC.replace("\n", " ")


@pytest.mark.parametrize(
    ("att_mtu", "payload_size"), [(23, 20), (185, 182), (247, 244), (515, 512), (517, 512)]
)
def test_a_notification_is_never_longer_than_an_attribute(att_mtu: int, payload_size: int) -> None:
    assert gatt.payload_size(att_mtu) == payload_size


def test_the_advertised_name_begins_as_the_specification_says() -> None:
    assert f"SHALL begin with `{gatt.ADVERTISED_NAME_PREFIX}`" in SPEC

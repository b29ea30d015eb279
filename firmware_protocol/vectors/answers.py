"""What a sensor answers in which state, written by hand from SPEC 6 and 8: nothing here runs a sensor."""

from firmware_protocol.control import RESPONSE_OVERHEAD
from firmware_protocol.vectors.examples import example_sensor
from firmware_protocol.vectors.meaning import Json

AMPLE_MTU = 247
LEAST_MTU = 23

CONNECTED = "connected"
"""Indications and notifications are on, no session runs; the sensor was switched on a moment ago."""
SILENT = "silent"
"""As connected, but notifications of data are off."""
STREAMING = "streaming"
"""A session began a moment ago, and no RESEND was asked in it."""

_PELVIS = "0006" + b"pelvis".hex()


def answer_vectors() -> list[Json]:
    """List requests to the example sensor, which offers everything that is optional."""
    return [
        *(_row(CONNECTED, *row) for row in (*_everywhere(), *_connected())),
        *(_row(SILENT, *row) for row in _silent()),
        *(_row(STREAMING, *row) for row in (*_everywhere(), *_streaming())),
        *(_row(CONNECTED, *row, att_mtu=LEAST_MTU) for row in _least_mtu()),
    ]


def _row(
    state: str, name: str, request: str, response: str, n_open: int = 0, *, att_mtu: int = AMPLE_MTU
) -> Json:
    """Write a row; ``n_open`` bytes behind the stated ones depend on the sensor and the moment."""
    stated = bytes.fromhex(response)
    return {
        "name": f"{name}, {state}",
        "state": state,
        "att_mtu": att_mtu,
        "request": bytes.fromhex(request).hex(),
        "response": stated.hex(),
        "n_bytes": len(stated) + n_open,
    }


def _part(offset: int, *, att_mtu: int) -> str:
    """Give the payload of a part of the description, as 6.6 puts it together."""
    whole = example_sensor().to_bytes()
    room = att_mtu - 3 - RESPONSE_OVERHEAD - 4
    head = len(whole).to_bytes(2, "little") + offset.to_bytes(2, "little")
    return (head + whole[offset : offset + room]).hex()


def _everywhere() -> tuple[tuple[str, str, str, int], ...]:
    """List what no state changes: broken and unknown requests, and those that are always answered."""
    last = len(example_sensor().to_bytes()) - 1
    last_hex, end_hex = (offset.to_bytes(2, "little").hex() for offset in (last, last + 1))
    return (
        ("no bytes", "", "80 00 02", 0),
        ("one byte", "02", "80 00 02", 0),
        ("opcode 0", "00 11", "80 00 02", 0),
        ("an opcode with bit 7", "82 11", "80 00 02", 0),
        ("an unknown opcode", "7e 11 00", "fe 11 01", 0),
        ("GET CAPABILITIES from 0", "01 12 0000", "81 12 00" + _part(0, att_mtu=AMPLE_MTU), 0),
        ("GET CAPABILITIES, last byte", "01 12" + last_hex, "81 12 00" + _part(last, att_mtu=AMPLE_MTU), 0),
        ("GET CAPABILITIES beyond the end", "01 12" + end_hex, "81 12 02", 0),
        ("GET CAPABILITIES without offset", "01 12", "81 12 02", 0),
        ("GET CAPABILITIES, 3 bytes", "01 12 000000", "81 12 02", 0),
        ("START with a payload", "02 13 00", "82 13 02", 0),
        ("STOP with a payload", "03 14 00", "83 14 02", 0),
        ("STOP", "03 14", "83 14 00", 0),
        ("RESEND, 8 bytes", "04 15 01 00000000 010000", "84 15 02", 0),
        ("RESEND, 10 bytes", "04 15 01 00000000 01000000 00", "84 15 02", 0),
        ("RESEND of no samples", "04 15 01 00000000 00000000", "84 15 02", 0),
        ("RESEND of an unknown stream", "04 15 09 00000000 01000000", "84 15 02", 0),
        ("TIME", "05 16 0102030405060708", "85 16 00 0102030405060708", 12),
        ("TIME without t1", "05 16", "85 16 02", 0),
        ("TIME, 9 bytes", "05 16 010203040506070809", "85 16 02", 0),
        ("SET SITES without payload", "06 17", "86 17 02", 0),
        ("SET SITES of no entry", "06 17 02 00", "86 17 02", 0),
        ("SET SITES, unknown stream", "06 17 09 01 ff" + _PELVIS, "86 17 02", 0),
        ("SET SITES, unknown channel", "06 17 02 01 06" + _PELVIS, "86 17 02", 0),
        ("SET SITES, second channel unknown", "06 17 02 02 00" + _PELVIS + "06" + _PELVIS, "86 17 02", 0),
        ("SET SITES, undefined side", "06 17 02 01 ff 03 01 61", "86 17 02", 0),
        ("SET SITES, capital letter", "06 17 02 01 ff 00 01 41", "86 17 02", 0),
        ("SET SITES, site of 32 letters", "06 17 02 01 ff 00 20" + "61" * 32, "86 17 02", 0),
        ("SET SITES, a byte too few", "06 17 02 01 ff 00 02 61", "86 17 02", 0),
        ("SET SITES, a byte too many", "06 17 02 01 ff 00 01 61 00", "86 17 02", 0),
        ("IDENTIFY", "07 18 05", "87 18 00", 0),
        ("IDENTIFY, end", "07 18 00", "87 18 00", 0),
        ("IDENTIFY without seconds", "07 18", "87 18 02", 0),
        ("IDENTIFY, 2 bytes", "07 18 05 00", "87 18 02", 0),
        ("LEAD CHECK without stream", "08 19", "88 19 02", 0),
        ("LEAD CHECK, 2 bytes", "08 19 01 00", "88 19 02", 0),
        ("LEAD CHECK of an unknown stream", "08 19 09", "88 19 02", 0),
    )


def _connected() -> tuple[tuple[str, str, str, int], ...]:
    motion = "02 06" + "00 ffff" * 6  # channels without electrodes (6.13)
    return (
        ("START", "02 13", "82 13 00", 11 + 4 * 11),
        ("RESEND", "04 15 01 00000000 01000000", "84 15 03", 0),
        ("RESEND of more than can have been", "04 15 01 00000000 ffffffff", "84 15 03", 0),
        ("SET SITES, one channel", "06 17 01 01 00" + _PELVIS, "86 17 00", 0),
        ("SET SITES, all channels", "06 17 02 01 ff" + _PELVIS, "86 17 00", 0),
        ("SET SITES, the same channel twice", "06 17 01 02 00" + _PELVIS + "00 00 01 61", "86 17 00", 0),
        ("LEAD CHECK of electrodes", "08 19 01", "88 19 00 01 02", 2 * 3),
        ("LEAD CHECK of motion", "08 19 02", "88 19 00" + motion, 0),
    )


def _silent() -> tuple[tuple[str, str, str, int], ...]:
    return (
        ("START", "02 13", "82 13 03", 0),
        ("STOP", "03 14", "83 14 00", 0),
        ("TIME", "05 16 0102030405060708", "85 16 00 0102030405060708", 12),
    )


def _streaming() -> tuple[tuple[str, str, str, int], ...]:
    return (
        ("START", "02 13", "82 13 03", 0),
        ("RESEND of more than can have been", "04 15 01 00000000 ffffffff", "84 15 02", 0),
        ("SET SITES", "06 17 02 01 ff" + _PELVIS, "86 17 03", 0),
    )


def _least_mtu() -> tuple[tuple[str, str, str, int], ...]:
    """List what the smallest ATT_MTU of Bluetooth makes of requests (6.15)."""
    return (
        ("GET CAPABILITIES, least MTU", "01 12 0000", "81 12 00" + _part(0, att_mtu=LEAST_MTU), 0),
        ("START, least MTU", "02 13", "82 13 04", 2),
        ("START with a payload, least MTU", "02 13 00", "82 13 02", 0),
        ("STOP, least MTU", "03 14", "83 14 00", 0),
        ("RESEND, least MTU", "04 15 01 00000000 01000000", "84 15 03", 0),
        ("TIME, least MTU", "05 16 0102030405060708", "85 16 04 1a00", 0),
        ("TIME without t1, least MTU", "05 16", "85 16 02", 0),
        ("SET SITES, least MTU", "06 17 02 01 ff" + _PELVIS, "86 17 00", 0),
        ("IDENTIFY, least MTU", "07 18 05", "87 18 00", 0),
        ("LEAD CHECK of 2 channels, least MTU", "08 19 01", "88 19 00 01 02", 2 * 3),
        ("LEAD CHECK of 6 channels, least MTU", "08 19 02", "88 19 04 1a00", 0),
    )

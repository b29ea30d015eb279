"""Messages of the control point, sound ones put together from values and faulty ones written by hand."""

from firmware_protocol.control import (
    Opcode,
    Request,
    Response,
    Status,
    capability_part,
    capability_request,
    mtu_too_small,
)
from firmware_protocol.resend import ResendAnswer, SampleRange, TimeAnswer, resend_request, time_request
from firmware_protocol.vectors.examples import example_sensor, example_start
from firmware_protocol.vectors.meaning import Json, message_meaning
from firmware_protocol.worn import (
    ALL_CHANNELS,
    BatteryState,
    Contact,
    DroppedOnDevice,
    Lead,
    LeadCheck,
    LeadsChanged,
    Saturated,
    SiteEntry,
    SitesSet,
    identify_request,
    lead_check_request,
    sites_request,
    status_bytes,
)

SITES = SitesSet(1, (SiteEntry(0, "gluteus_medius", "left"), SiteEntry(1, "multifidus", None)))
EVERYWHERE = SitesSet(2, (SiteEntry(ALL_CHANNELS, "thigh", "right"),))
RANGE = SampleRange(1, 1000, 200)
WRAPPING = SampleRange(200, 2**32 - 10, 30)
TIMES = TimeAnswer(2**64 - 1, 2**48 - 20, 15)
LEADS = LeadCheck(1, (Lead(Contact.GOOD, 12), Lead(Contact.OFF, None)))


def requests() -> tuple[tuple[str, Request], ...]:
    """Give every request of this version, and one of a later one."""
    return (
        ("GET CAPABILITIES from byte 250 on", capability_request(transaction=1, offset=250)),
        ("START", Request(Opcode.START, 2)),
        ("STOP, transaction 255", Request(Opcode.STOP, 255)),
        ("RESEND", resend_request(RANGE, transaction=4)),
        ("RESEND of a range that runs over the wrap", resend_request(WRAPPING, transaction=5)),
        ("TIME, t1 = 1 s", time_request(10**9, transaction=6)),
        ("SET SITES, two channels", sites_request(SITES, transaction=7)),
        ("SET SITES, all channels of the stream", sites_request(EVERYWHERE, transaction=8)),
        ("IDENTIFY for 5 s", identify_request(5, transaction=9)),
        ("LEAD CHECK", lead_check_request(1, transaction=10)),
        ("an opcode of a later version", Request(0x7E, 0, b"\x01\x02")),
    )


def responses() -> tuple[tuple[str, Response], ...]:
    """Give a response to every request, refusals among them."""
    part = capability_part(example_sensor().to_bytes(), offset=250, payload_size=27)
    start, resend = Request(Opcode.START, 2), resend_request(RANGE, transaction=4)
    none = ResendAnswer(RANGE, 0, 0).to_bytes()
    partly, wrapped = ResendAnswer(RANGE, 1100, 100), ResendAnswer(WRAPPING, 2**32 - 4, 24)
    return (
        ("a part of the description", Response(Opcode.GET_CAPABILITIES, 1, Status.OK, part.to_bytes())),
        ("START of two streams", Response(Opcode.START, 2, Status.OK, example_start().to_bytes())),
        ("START of no stream", Response(Opcode.START, 2, Status.OK, bytes(11))),
        ("START, bytes of a later version", Response(Opcode.START, 2, Status.OK, bytes(11) + b"later")),
        ("START refused: MTU", mtu_too_small(start, needed_mtu=185)),
        ("START refused: a session runs", Response(Opcode.START, 2, Status.WRONG_STATE)),
        ("STOP", Response(Opcode.STOP, 255, Status.OK)),
        ("RESEND, held in part", _resent(resend, Status.OK, partly.to_bytes())),
        ("RESEND, held from before the wrap on", _resent(resend, Status.OK, wrapped.to_bytes())),
        ("RESEND, bytes of a later version", _resent(resend, Status.OK, partly.to_bytes() + b"later")),
        ("RESEND, nothing held", _resent(resend, Status.EXPIRED, none)),
        ("RESEND, busy", _resent(resend, Status.BUSY, none)),
        ("RESEND without a session", _resent(resend, Status.WRONG_STATE)),
        ("RESEND without a ring", _resent(resend, Status.NOT_SUPPORTED)),
        ("TIME, the device clock wraps", Response(Opcode.TIME, 6, Status.OK, TIMES.to_bytes())),
        ("TIME refused: MTU", mtu_too_small(Request(Opcode.TIME, 6), needed_mtu=26)),
        ("SET SITES", Response(Opcode.SET_SITES, 7, Status.OK)),
        ("IDENTIFY, not supported", Response(Opcode.IDENTIFY, 9, Status.NOT_SUPPORTED)),
        ("LEAD CHECK", Response(Opcode.LEAD_CHECK, 10, Status.OK, LEADS.to_bytes())),
        ("LEAD CHECK, a contact of a later version", Response(8, 10, Status.OK, b"\x01\x01\x09\xff\xff")),
        ("an unknown opcode", Response(0x7E, 0, Status.UNKNOWN_OPCODE)),
        ("a status of a later version", Response(Opcode.STOP, 1, 0xEE)),
        ("what was no request", Response(0, 0, Status.BAD_PAYLOAD)),
    )


def _resent(request: Request, status: Status, payload: bytes = b"") -> Response:
    return Response(request.opcode, request.transaction, status, payload)


def statuses() -> tuple[tuple[str, bytes], ...]:
    """Give a status notification of every kind, and one of a later version."""
    return (
        ("electrode off", status_bytes(LeadsChanged(1, 0, Contact.OFF), count=0)),
        ("a contact of a later version", b"\xff\x01\x01\x01\x00\x09"),
        ("saturated", status_bytes(Saturated(3, 0), count=2)),
        ("dropped over the wrap", status_bytes(DroppedOnDevice(1, 2**32 - 5, 50), count=3)),
        ("battery low", status_bytes(BatteryState(7, charging=False, low=True, ending=False), count=4)),
        ("battery charging", status_bytes(BatteryState(80, charging=True, low=False, ending=False), count=5)),
        ("battery ends", status_bytes(BatteryState(1, charging=False, low=True, ending=True), count=255)),
        ("more than 100 percent, reserved bits", b"\xff\x00\x04\xff\xf8"),
        ("bytes of a later version", b"\xff\x01\x02\x01\x00later"),
        ("a kind of a later version", b"\xff\x02\x09"),
    )


def message_vectors() -> list[Json]:
    """Spell out every message."""
    messages = (
        *(("request", name, one.to_bytes()) for name, one in requests()),
        *(("response", name, one.to_bytes()) for name, one in responses()),
        *(("status", name, data) for name, data in statuses()),
    )
    return [
        {"name": name, "kind": kind, "hex": data.hex(), "meaning": message_meaning(kind, data)}
        for kind, name, data in messages
    ]


def message_faults() -> list[Json]:
    """List messages that break a clause; spaces in the hex are for reading here only."""
    faults = (
        ("request", "no bytes", "", "6.1"),
        ("request", "a request of one byte", "02", "6.1"),
        ("request", "opcode 0", "0001", "6.1"),
        ("request", "a request with bit 7", "8201", "6.1"),
        ("request", "GET CAPABILITIES without offset", "0101", "6.6"),
        ("request", "GET CAPABILITIES, 3 bytes", "0101 000000", "6.6"),
        ("request", "RESEND cut short", "0404 01 e8030000 c80000", "8.2"),
        ("request", "RESEND, a byte too many", "0404 01 e8030000 c8000000 00", "8.2"),
        ("request", "RESEND of no samples", "0404 01 e8030000 00000000", "8.2"),
        ("request", "TIME, 7 bytes", "0506 00000000000000", "8.5"),
        ("request", "TIME, 9 bytes", "0506 000000000000000000", "8.5"),
        ("request", "SET SITES without payload", "0607", "6.11"),
        ("request", "SET SITES of no entry", "0607 0100", "6.11"),
        ("request", "SET SITES, entry cut short", "0607 0101 000106 70656c7669", "6.11"),
        ("request", "SET SITES, second entry missing", "0607 0102 000106 70656c766973", "6.11"),
        ("request", "SET SITES, a byte too many", "0607 0101 000106 70656c766973 00", "6.11"),
        ("request", "SET SITES, side 3", "0607 0101 000306 70656c766973", "7.9"),
        ("request", "SET SITES, site in capitals", "0607 0101 000106 50656c766973", "7.10"),
        ("request", "SET SITES, empty site", "0607 0101 000100", "7.10"),
        ("request", "SET SITES, site of 32 letters", "0607 0101 000120" + "61" * 32, "7.10"),
        ("request", "SET SITES, site not ASCII", "0607 0101 000102 c3bc", "7.10"),
        ("request", "IDENTIFY without seconds", "0709", "6.12"),
        ("request", "IDENTIFY, 2 bytes", "0709 0500", "6.12"),
        ("request", "LEAD CHECK without stream", "080a", "6.13"),
        ("request", "LEAD CHECK, 2 bytes", "080a 0100", "6.13"),
        ("response", "a response of two bytes", "8201", "6.2"),
        ("response", "a response without bit 7", "020100", "6.2"),
        ("response", "an empty part", "810100 0a000000", "6.6"),
        ("response", "a part beyond the end", "810100 02000100 01ff", "6.6"),
        ("response", "START cut short", "820200" + "00" * 10, "6.8"),
        ("response", "START, a stream cut off", "820200" + "00" * 10 + "01", "6.8"),
        ("response", "START, a stream twice", "820200" + "00" * 10 + "02" + ("01" + "00" * 10) * 2, "6.8"),
        ("response", "RESEND cut short", "840400 01 e8030000 c8000000 e8030000 c80000", "8.3"),
        ("response", "RESEND, more held than asked", "840400 01 e8030000 c8000000 4c040000 65000000", "8.3"),
        ("response", "RESEND, held before asked", "840400 01 e8030000 c8000000 e7030000 01000000", "8.3"),
        ("response", "RESEND, OK but none held", "840400 01 e8030000 c8000000 00000000 00000000", "8.3"),
        ("response", "RESEND, expired but held", "840405 01 e8030000 c8000000 e8030000 01000000", "8.3"),
        ("response", "RESEND of no samples", "840405 01 e8030000 00000000 00000000 00000000", "8.3"),
        ("response", "TIME cut short", "850600" + "00" * 19, "8.5"),
        ("response", "LEAD CHECK without channels", "880a00 01", "6.13"),
        ("response", "LEAD CHECK, a channel cut off", "880a00 0102 010c00 03ff", "6.13"),
        ("status", "a status of two bytes", "ff00", "6.14"),
        ("status", "what is a response", "840000", "6.14"),
        ("status", "LEADS cut short", "ff0001 0100", "6.14"),
        ("status", "SATURATED cut short", "ff0002 01", "6.14"),
        ("status", "DROPPED cut short", "ff0003 01 d0070000 320000", "6.14"),
        ("status", "BATTERY cut short", "ff0004 07", "6.14"),
    )
    return [
        {"name": name, "kind": kind, "hex": data.replace(" ", ""), "clause": clause}
        for kind, name, data, clause in faults
    ]

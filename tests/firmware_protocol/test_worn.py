"""SET SITES, IDENTIFY, LEAD CHECK and status notifications against the byte tables of SPEC 6."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode
from firmware_protocol.errors import HostFault, SensorFault
from firmware_protocol.packets import SampleFormat
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
    StatusNotification,
    identify_request,
    identify_seconds,
    is_status_notification,
    lead_check_request,
    lead_check_stream,
    read_status,
    sites_request,
    status_bytes,
    with_sites,
)

U8, U32 = (st.integers(0, 2**width - 1) for width in (8, 32))
BOOLS = st.booleans()
SITES = st.builds(
    str.__add__,
    st.sampled_from(string.ascii_lowercase),
    st.text(string.ascii_lowercase + string.digits + "_", max_size=30),
)
ENTRIES = st.builds(SiteEntry, U8, SITES, st.sampled_from([None, "left", "right"]))
SITES_SETS = st.builds(SitesSet, U8, st.lists(ENTRIES, min_size=1, max_size=6).map(tuple))
LEADS = st.builds(Lead, st.sampled_from(Contact), st.none() | st.integers(0, 2**16 - 2))
LEAD_CHECKS = st.builds(LeadCheck, U8, st.lists(LEADS, max_size=255).map(tuple))
STATUSES: st.SearchStrategy[StatusNotification] = st.one_of(
    st.builds(LeadsChanged, U8, U8, st.sampled_from(Contact)),
    st.builds(Saturated, U8, U8),
    st.builds(DroppedOnDevice, U8, U32, U32),
    st.builds(BatteryState, st.integers(0, 100), BOOLS, BOOLS, BOOLS),
)

EMG = tuple(
    Channel(Quantity.EMG, site, None, None, Unit.MICROVOLT, 1.0) for site in ("multifidus", "gluteus_medius")
)
MOTION = (Channel(Quantity.ACCELERATION, "pelvis", None, "z", Unit.METRE_PER_SECOND_SQUARED, 1.0),)
SENSOR = Capabilities(
    version_minor=1,
    boot_id=7,
    name="belt",
    ring_ms=15_000,
    streams=(
        Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, EMG),
        Stream(2, StreamKind.IMU, SampleFormat.INT16, 100.0, MOTION),
    ),
)


def test_set_sites_lies_as_in_its_table() -> None:
    sites = SitesSet(3, (SiteEntry(1, "lumbar", None), SiteEntry(ALL_CHANNELS, "a", "right")))
    by_hand = bytes((3, 2)) + bytes((1, 0, 6)) + b"lumbar" + bytes((0xFF, 2, 1)) + b"a"
    assert sites.to_bytes() == by_hand
    assert SitesSet.from_bytes(by_hand) == sites
    assert sites_request(sites, transaction=4).to_bytes() == b"\x06\x04" + by_hand


def test_a_lead_check_lies_as_in_its_table() -> None:
    check = LeadCheck(1, (Lead(Contact.POOR, 0x0102), Lead(Contact.UNKNOWN, None)))
    by_hand = bytes.fromhex("01 02  02 0201  00 ffff")
    assert check.to_bytes() == by_hand
    assert LeadCheck.from_bytes(by_hand) == check
    assert LeadCheck.from_bytes(by_hand + b"later") == check


@pytest.mark.parametrize(
    ("status", "by_hand"),
    [
        (LeadsChanged(1, 2, Contact.OFF), "ff 09 01 01 02 03"),
        (Saturated(1, 2), "ff 09 02 01 02"),
        (DroppedOnDevice(1, 0x01020304, 0x0A0B0C0D), "ff 09 03 01 04030201 0d0c0b0a"),
        (BatteryState(99, charging=True, low=False, ending=False), "ff 09 04 63 01"),
        (BatteryState(5, charging=False, low=True, ending=False), "ff 09 04 05 02"),
        (BatteryState(1, charging=False, low=False, ending=True), "ff 09 04 01 04"),
    ],
)
def test_status_notifications_lie_as_in_their_table(status: StatusNotification, by_hand: str) -> None:
    data = bytes.fromhex(by_hand)
    assert status_bytes(status, count=9) == data
    assert read_status(data) == status
    assert read_status(data + b"later") == status


def test_one_byte_requests_lie_as_in_the_text() -> None:
    assert identify_request(5, transaction=3).to_bytes() == bytes((Opcode.IDENTIFY, 3, 5))
    assert lead_check_request(200, transaction=4).to_bytes() == bytes((Opcode.LEAD_CHECK, 4, 200))


@given(U8, U8)
def test_one_byte_requests_are_read_back(value: int, transaction: int) -> None:
    assert identify_seconds(identify_request(value, transaction=transaction).payload) == value
    assert lead_check_stream(lead_check_request(value, transaction=transaction).payload) == value


@given(SITES_SETS)
def test_sites_are_read_back(sites: SitesSet) -> None:
    assert SitesSet.from_bytes(sites.to_bytes()) == sites


@given(LEAD_CHECKS)
def test_a_lead_check_is_read_back(check: LeadCheck) -> None:
    assert LeadCheck.from_bytes(check.to_bytes()) == check


@given(STATUSES, U8)
def test_a_status_notification_is_read_back_and_is_no_response(
    status: StatusNotification, count: int
) -> None:
    data = status_bytes(status, count=count)
    assert is_status_notification(data)
    assert data[1] == count
    assert read_status(data) == status


@pytest.mark.parametrize("opcode", Opcode)
def test_no_response_to_a_request_of_this_version_is_taken_for_a_status_notification(opcode: Opcode) -> None:
    assert not is_status_notification(bytes((opcode | 0x80, 0, 0)))


def test_nothing_is_no_status_notification() -> None:
    assert not is_status_notification(b"")


def test_what_a_later_version_says_is_skipped_or_not_known() -> None:
    assert read_status(b"\xff\x00\x05") is None
    assert read_status(b"\xff\x00\x00rest") is None
    assert read_status(b"\xff\x00\x01\x01\x00\x04") == LeadsChanged(1, 0, Contact.UNKNOWN)
    assert LeadCheck.from_bytes(b"\x01\x01\x77\x05\x00").leads == (Lead(Contact.UNKNOWN, 5),)


def test_a_battery_of_more_than_100_percent_is_full() -> None:
    full = BatteryState(100, charging=False, low=False, ending=False)
    assert read_status(b"\xff\x00\x04\xff\xf8") == full


def test_a_sensor_worn_elsewhere_keeps_everything_but_site_and_side() -> None:
    moved = with_sites(SENSOR, SitesSet(1, (SiteEntry(1, "erector_spinae", "left"),)))
    changed = Channel(Quantity.EMG, "erector_spinae", "left", None, Unit.MICROVOLT, 1.0)
    assert moved.streams[0].channels == (EMG[0], changed)
    assert moved.streams[1] == SENSOR.streams[1]
    assert (moved.boot_id, moved.name, moved.ring_ms) == (SENSOR.boot_id, SENSOR.name, SENSOR.ring_ms)


def test_all_channels_can_be_named_at_once_and_the_later_entry_holds() -> None:
    entries = (SiteEntry(ALL_CHANNELS, "thigh", "left"), SiteEntry(0, "lumbar", None))
    channels = with_sites(SENSOR, SitesSet(1, entries)).streams[0].channels
    assert [(one.site, one.side) for one in channels] == [("lumbar", None), ("thigh", "left")]


@pytest.mark.parametrize(
    ("sites", "value"),
    [
        (SitesSet(3, (SiteEntry(0, "thigh", None),)), "stream 3"),
        (SitesSet(1, (SiteEntry(2, "thigh", None),)), "channel 2"),
        (SitesSet(1, (SiteEntry(0, "thigh", None), SiteEntry(254, "thigh", None))), "channel 254"),
    ],
)
def test_sites_of_what_the_sensor_does_not_have_are_refused(sites: SitesSet, value: str) -> None:
    with pytest.raises(HostFault, match=value) as fault:
        with_sites(SENSOR, sites)
    assert fault.value.clause == "6.11"


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (SitesSet(256, (SiteEntry(0, "a", None),)), "6.11"),
        (SitesSet(0, ()), "6.11"),
        (SitesSet(0, (SiteEntry(0, "a", None),) * 256), "6.11"),
        (SitesSet(0, (SiteEntry(256, "a", None),)), "6.11"),
        (SitesSet(0, (SiteEntry(0, "A", None),)), "7.10"),
        (SitesSet(0, (SiteEntry(0, "a" * 32, None),)), "7.10"),
        (SitesSet(0, (SiteEntry(0, "ü", None),)), "7.10"),
        (SitesSet(0, (SiteEntry(0, "a", "middle"),)), "7.9"),
        (LeadCheck(256, ()), "6.13"),
        (LeadCheck(0, (Lead(Contact.GOOD, 1),) * 256), "6.13"),
        (LeadCheck(0, (Lead(Contact.GOOD, 2**16),)), "6.13"),
        (LeadCheck(0, (Lead(Contact.GOOD, 2**16 - 1),)), "6.13"),
    ],
)
def test_what_does_not_fit_is_not_written(value: SitesSet | LeadCheck, clause: str) -> None:
    with pytest.raises(HostFault) as fault:
        value.to_bytes()
    assert fault.value.clause == clause


@pytest.mark.parametrize(
    "status",
    [
        LeadsChanged(256, 0, Contact.GOOD),
        LeadsChanged(0, 256, Contact.GOOD),
        Saturated(-1, 0),
        Saturated(0, -1),
        DroppedOnDevice(256, 0, 0),
        DroppedOnDevice(0, 2**32, 0),
        DroppedOnDevice(0, 0, 2**32),
        BatteryState(101, charging=False, low=False, ending=False),
        BatteryState(-1, charging=False, low=False, ending=False),
    ],
)
def test_a_status_that_does_not_fit_is_not_written(status: StatusNotification) -> None:
    with pytest.raises(HostFault) as fault:
        status_bytes(status, count=0)
    assert fault.value.clause == "6.14"


def test_counts_and_seconds_that_do_not_fit_are_not_written() -> None:
    with pytest.raises(HostFault, match="count 256"):
        status_bytes(Saturated(0, 0), count=256)
    with pytest.raises(HostFault, match="seconds 256"):
        identify_request(256, transaction=0)
    with pytest.raises(HostFault, match="stream -1"):
        lead_check_request(-1, transaction=0)


@given(SITES_SETS, st.data())
def test_cut_sites_are_refused_as_the_hosts_fault(sites: SitesSet, data: st.DataObject) -> None:
    whole = sites.to_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(HostFault) as fault:
        SitesSet.from_bytes(cut)
    assert fault.value.clause == "6.11"
    with pytest.raises(HostFault, match="1 bytes are behind"):
        SitesSet.from_bytes(whole + b"\0")


@given(LEAD_CHECKS, st.data())
def test_a_cut_lead_check_is_refused_as_the_sensors_fault(check: LeadCheck, data: st.DataObject) -> None:
    whole = check.to_bytes()
    with pytest.raises(SensorFault) as fault:
        LeadCheck.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert fault.value.clause == "6.13"


@given(STATUSES, st.data())
def test_a_cut_status_is_refused_as_the_sensors_fault(
    status: StatusNotification, data: st.DataObject
) -> None:
    whole = status_bytes(status, count=0)
    with pytest.raises(SensorFault) as fault:
        read_status(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert fault.value.clause == "6.14"


def check_sites_are_read_or_refused(data: bytes) -> None:
    written, clause = data, "6.11"
    try:
        written = SitesSet.from_bytes(data).to_bytes()
    except HostFault as fault:
        clause = fault.clause
    assert written == data
    assert clause in {"6.11", "7.9", "7.10"}


@given(st.binary(max_size=80))
@example(b"\x01\x01\x00\x00\x01\xff")
@example(b"\x01\x01\x00\x03\x01a")
def test_any_sites_are_read_or_refused_as_the_hosts_fault(data: bytes) -> None:
    check_sites_are_read_or_refused(data)


@given(SITES_SETS, st.data())
def test_damaged_sites_are_read_or_refused_as_the_hosts_fault(sites: SitesSet, data: st.DataObject) -> None:
    damaged = bytearray(sites.to_bytes())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(U8)
    check_sites_are_read_or_refused(bytes(damaged))


@given(st.binary(max_size=24))
def test_any_lead_check_is_read_or_refused_as_the_sensors_fault(data: bytes) -> None:
    if len(data) >= 2 and len(data) >= 2 + 3 * data[1]:
        check = LeadCheck.from_bytes(data)
        assert (check.stream, len(check.leads)) == (data[0], data[1])
        return
    with pytest.raises(SensorFault) as fault:
        LeadCheck.from_bytes(data)
    assert fault.value.clause == "6.13"


@given(st.binary(max_size=14) | st.binary(max_size=12).map(lambda rest: b"\xff\x00" + rest))
def test_any_status_is_read_or_refused_as_the_sensors_fault(data: bytes) -> None:
    sizes = {1: 6, 2: 5, 3: 12, 4: 5}
    if data[:1] == b"\xff" and len(data) >= 3 and len(data) >= sizes.get(data[2], 3):
        status = read_status(data)
        assert (status is None) == (data[2] not in sizes)
        assert status is None or read_status(status_bytes(status, count=0)) == status
        return
    with pytest.raises(SensorFault) as fault:
        read_status(data)
    assert fault.value.clause == "6.14"


@pytest.mark.parametrize("payload", [b"", b"\x00\x00"])
@pytest.mark.parametrize(("read", "clause"), [(identify_seconds, "6.12"), (lead_check_stream, "6.13")])
def test_one_byte_payloads_of_another_length_are_refused(read: Any, clause: str, payload: bytes) -> None:
    with pytest.raises(HostFault, match=f"takes 1 byte, not {len(payload)}") as fault:
        read(payload)
    assert fault.value.clause == clause

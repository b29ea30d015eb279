"""What D-Bus and bluetoothd answer becomes facts, whatever they answer: on a bus of our own."""

import asyncio
import errno
import socket
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("D-Bus and BlueZ are of Linux", allow_module_level=True)

from dbus_fast import MessageType, Variant
from dbus_fast.aio import MessageBus

from emgmon.sensors.bluez import (
    DEFAULT_BUS,
    Adapter,
    BluezFacts,
    BusState,
    DaemonState,
    ask_bluez,
    bus_address,
    counting_others,
)
from firmware_protocol.gatt import SERVICE_UUID
from tests.sensors.fake_bluez import (
    DAEMON,
    HCI0,
    OTHERS,
    SENSOR,
    WITHOUT_DAEMON,
    FakeBluez,
    adapter,
    device,
    private_bus,
    talking,
)

SOON_S = 0.05
needs_daemon = pytest.mark.skipif(DAEMON is None, reason=WITHOUT_DAEMON)
LOCAL_ADAPTER = Adapter("hci0", "00:11:22:33:44:55", is_powered=True, modalias="usb:v1D6Bp0246d0552")


@pytest.fixture
def use_bus(monkeypatch):
    def use(address):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)

    return use


@pytest.fixture
def bus(tmp_path, use_bus):
    with private_bus(tmp_path) as address:
        use_bus(address)
        yield address


@pytest.fixture
async def bluetoothd(bus):
    """Puts a bluetoothd on the bus."""
    opened = []

    async def run(fake):
        opened.append(await fake.open(bus))
        return fake

    yield run
    for one in opened:
        one.disconnect()
        await one.wait_for_disconnect()


async def test_without_a_socket_there_is_no_bus(tmp_path, use_bus):
    use_bus(f"unix:path={tmp_path / 'nowhere'}")
    facts = await ask_bluez()
    assert (facts.bus, facts.daemon, facts.adapters) == (BusState.NO_SOCKET, None, ())


async def test_a_socket_that_a_bus_left_behind_is_told_from_none(tmp_path, use_bus):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "socket"))
    use_bus(f"unix:path={tmp_path / 'socket'}")
    assert (await ask_bluez()).bus is BusState.NOBODY_LISTENS


@pytest.mark.parametrize(
    ("answer", "state"), [(b"REJECTED EXTERNAL\r\n", BusState.DENIED), (None, BusState.SILENT)]
)
async def test_a_bus_that_refuses_is_told_from_one_that_says_nothing(tmp_path, use_bus, answer, state):
    served = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        if answer is not None:
            writer.write(answer)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        served.set_result(None)

    server = await asyncio.start_unix_server(serve, tmp_path / "socket")
    use_bus(f"unix:path={tmp_path / 'socket'}")
    async with server:
        assert (await ask_bluez(SOON_S)).bus is state
        await served


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), BusState.DENIED),
        (OSError(errno.EIO, "Input/output error"), BusState.BROKEN),
        (EOFError(), BusState.DENIED),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), BusState.DENIED),
    ],
)
async def test_other_errors_of_the_socket_are_passed_on_in_their_words(monkeypatch, error, state):
    async def connect(_bus):
        raise error

    monkeypatch.setattr(MessageBus, "connect", connect)
    facts = await ask_bluez()
    assert facts == BluezFacts(state, detail=str(error) or "EOFError")


HELLO = (MessageType.METHOD_RETURN, "", "s", ":1.7")


@pytest.mark.parametrize("answers", [(), (HELLO,)])
async def test_a_bus_that_is_refused_by_a_guard_is_told_in_the_guards_words(tmp_path, use_bus, answers):
    refusal = (MessageType.ERROR, "org.freedesktop.DBus.Error.AccessDenied", "s", "AppArmor forbids it")
    async with talking(tmp_path / "socket", *answers, refusal) as address:
        use_bus(address)
        facts = await ask_bluez()
    assert facts == BluezFacts(BusState.DENIED, detail="AppArmor forbids it")


async def test_a_bus_that_falls_silent_is_not_taken_for_bluetoothd(tmp_path, use_bus):
    async with talking(tmp_path / "socket", HELLO) as address:
        use_bus(address)
        facts = await ask_bluez(SOON_S)
    assert facts == BluezFacts(BusState.SILENT)


async def test_a_bus_that_ends_while_it_is_asked_is_broken(tmp_path, use_bus):
    async with talking(tmp_path / "socket", HELLO, hangs_up=True) as address:
        use_bus(address)
        assert (await ask_bluez()).bus is BusState.BROKEN


async def test_a_senseless_address_is_a_bus_that_cannot_be_used(use_bus):
    use_bus("carrier pigeon")
    facts = await ask_bluez()
    assert facts.bus is BusState.BROKEN
    assert facts.detail


async def test_without_the_library_nothing_is_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    assert (await ask_bluez()).bus is BusState.NO_LIBRARY


def test_the_system_bus_is_where_the_specification_puts_it(monkeypatch, use_bus):
    use_bus("unix:path=/elsewhere")
    assert bus_address() == "unix:path=/elsewhere"
    monkeypatch.delenv("DBUS_SYSTEM_BUS_ADDRESS")
    assert bus_address() == DEFAULT_BUS


@needs_daemon
async def test_a_bus_without_bluetoothd_says_so(bus):
    assert await ask_bluez() == BluezFacts(BusState.REACHED, DaemonState.NOT_OFFERED)


@needs_daemon
async def test_a_bluetoothd_that_cannot_be_started_is_told_with_the_words_of_the_bus(tmp_path, use_bus):
    with private_bus(tmp_path, starts="/bin/false") as address:
        use_bus(address)
        facts = await ask_bluez()
    assert (facts.bus, facts.daemon) == (BusState.REACHED, DaemonState.NOT_STARTED)
    assert "org.bluez" in facts.detail


@needs_daemon
async def test_a_bluetoothd_that_starts_and_never_shows_is_not_waited_for(tmp_path, use_bus):
    # The bus leaves what it started behind: it ends by itself soon after the test.
    with private_bus(tmp_path, starts="/bin/sleep 5") as address:
        use_bus(address)
        facts = await ask_bluez(SOON_S)
    assert (facts.daemon, facts.detail) == (DaemonState.NOT_STARTED, "no sign of it within 0.05 s")


@needs_daemon
async def test_a_policy_that_forbids_bluetoothd_is_told(tmp_path, use_bus):
    with private_bus(tmp_path, rule='<deny send_destination="org.bluez"/>') as address:
        use_bus(address)
        other = await FakeBluez().open(address)
        facts = await ask_bluez()
        other.disconnect()
    assert (facts.bus, facts.daemon) == (BusState.REACHED, DaemonState.DENIED)
    assert "org.bluez" in facts.detail


@needs_daemon
async def test_a_policy_that_lets_nobody_in_is_told(tmp_path, use_bus):
    with private_bus(tmp_path, rule='<deny user="*"/>') as address:
        use_bus(address)
        assert (await ask_bluez()).bus is BusState.DENIED


@needs_daemon
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("org.freedesktop.DBus.Error.AccessDenied", DaemonState.DENIED),
        ("org.freedesktop.DBus.Error.NoReply", DaemonState.SILENT),
        ("org.freedesktop.DBus.Error.ServiceUnknown", DaemonState.NOT_STARTED),
        ("org.bluez.Error.Failed", DaemonState.BROKEN),
    ],
)
async def test_errors_of_bluetoothd_are_told_apart(bluetoothd, name, state):
    await bluetoothd(FakeBluez(refuses={"GetManagedObjects": (name, "as it says")}))
    assert await ask_bluez() == BluezFacts(BusState.REACHED, state, "as it says")


@needs_daemon
async def test_a_bluetoothd_that_does_not_answer_is_not_waited_for(bluetoothd):
    await bluetoothd(FakeBluez(silent=("GetManagedObjects",)))
    assert await ask_bluez(SOON_S) == BluezFacts(BusState.REACHED, DaemonState.SILENT)


@needs_daemon
async def test_adapters_are_read_with_power_role_and_version(bluetoothd):
    off = {
        "Powered": Variant("b", False),
        "PowerState": Variant("s", "off-blocked"),
        "Roles": Variant("as", ["peripheral"]),
    }
    await bluetoothd(FakeBluez(adapters={HCI0: adapter(), "/org/bluez/hci1": adapter(**off)}))
    facts = await ask_bluez()
    assert facts.daemon is DaemonState.RUNNING
    assert facts.version == (5, 82)
    first, second = facts.adapters
    assert first == LOCAL_ADAPTER
    assert first.is_usable
    assert (second.name, second.is_powered, second.is_blocked, second.is_central) == (
        "hci1",
        False,
        True,
        False,
    )
    assert not second.is_usable


@needs_daemon
async def test_what_an_old_bluez_does_not_say_is_not_made_up(bluetoothd):
    await bluetoothd(FakeBluez(adapters={HCI0: adapter(Roles=None, PowerState=None, Modalias=None)}))
    (found,) = (await ask_bluez()).adapters
    assert (found.is_central, found.is_blocked, found.bluez_version) == (None, False, None)


@needs_daemon
async def test_a_sensor_that_is_connected_already_is_named(bluetoothd):
    mine = device(1, "emgmon-0001", SERVICE_UUID, connected=True)
    loose = device(2, "emgmon-0002", SERVICE_UUID)
    phone = device(3, "phone", connected=True)
    await bluetoothd(FakeBluez(known=[mine, loose, phone]))
    assert (await ask_bluez()).connected == ("emgmon-0001 (C0:00:00:00:00:01)",)


@pytest.mark.parametrize(
    ("modalias", "version"),
    [
        ("usb:v1D6Bp0246d0542", (5, 66)),
        ("bluetooth:v1d6bp0246d0537", (5, 55)),
        ("usb:v1D6Bp0246d0558", (5, 88)),
        ("usb:v004Cp7412d0100", None),
        ("", None),
    ],
)
def test_bluez_names_its_version_in_the_adapters_modalias(modalias, version):
    assert Adapter("hci0", "", is_powered=True, modalias=modalias).bluez_version == version


@needs_daemon
async def test_others_are_counted_though_bleak_would_hide_them(bluetoothd):
    fake = await bluetoothd(FakeBluez(air=[SENSOR, *OTHERS]))
    async with counting_others((LOCAL_ADAPTER,)) as count:
        assert await count() == 2
    assert fake.calls[:2] == ["SetDiscoveryFilter", "StartDiscovery"]


@needs_daemon
async def test_devices_that_are_only_remembered_are_not_counted(bluetoothd):
    await bluetoothd(FakeBluez(known=OTHERS))
    async with counting_others((LOCAL_ADAPTER,)) as count:
        assert await count() == 0


@needs_daemon
@pytest.mark.parametrize("refused", ["SetDiscoveryFilter", "StartDiscovery", "GetManagedObjects"])
async def test_a_count_that_is_refused_is_none_and_not_nought(bluetoothd, refused):
    await bluetoothd(FakeBluez(air=OTHERS, refuses={refused: ("org.bluez.Error.NotReady", "Not ready")}))
    async with counting_others((LOCAL_ADAPTER,)) as count:
        assert await count() is None


async def test_without_a_bus_nothing_is_counted(tmp_path, use_bus):
    use_bus(f"unix:path={tmp_path / 'nowhere'}")
    async with counting_others((LOCAL_ADAPTER,)) as count:
        assert await count() is None


@needs_daemon
async def test_an_error_while_counting_comes_out_as_it_is(bluetoothd):
    await bluetoothd(FakeBluez())
    with pytest.raises(ZeroDivisionError):
        async with counting_others((LOCAL_ADAPTER,)):
            raise ZeroDivisionError

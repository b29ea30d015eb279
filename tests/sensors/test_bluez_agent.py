"""The agent agrees to one sensor's pairing, takes leave, and is in nobody's way: on a bus of our own."""

import asyncio
import builtins
import sys
from contextlib import AsyncExitStack, suppress

import pytest

if sys.platform != "linux":
    pytest.skip("D-Bus and BlueZ are of Linux", allow_module_level=True)

from dbus_fast import Message, MessageType

from emgmon.sensors.bluez_agent import AGENT_PATH, pairing_agent
from tests.sensors.fake_bluez import DAEMON, WITHOUT_DAEMON, FakeBluez, private_bus, talking

pytestmark = pytest.mark.skipif(DAEMON is None, reason=WITHOUT_DAEMON)

SOON_S = 0.05
LIMIT_S = 10.0
ADDRESS = "c0:00:00:00:00:0a"
DEVICE = "/org/bluez/hci1/dev_C0_00_00_00_00_0A"
OTHER = "/org/bluez/hci1/dev_C0_00_00_00_00_0B"
REGISTERED = ["RegisterAgent", "RequestDefaultAgent"]
AGREED = (MessageType.METHOD_RETURN, None)
REJECTED = (MessageType.ERROR, "org.bluez.Error.Rejected")


class Asking(FakeBluez):
    """A bluetoothd that knows who its agent is, and asks it."""

    def answer(self, bus, message):
        if message.member == "RegisterAgent":
            self.bus, self.agent, self.said = bus, message.sender, message.body
        return super().answer(bus, message)

    async def ask(self, member, signature, *body, path=AGENT_PATH, interface="org.bluez.Agent1"):
        question = Message(self.agent, path, interface, member, signature=signature, body=list(body))
        async with asyncio.timeout(LIMIT_S):
            reply = await self.bus.call(question)
        return reply.message_type, reply.error_name


@pytest.fixture
def address(tmp_path, monkeypatch):
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


@pytest.fixture
async def bluetoothd(address):
    fake = Asking()
    bus = await fake.open(address)
    yield fake
    bus.disconnect()
    await bus.wait_for_disconnect()


async def test_it_is_the_default_agent_while_the_block_runs_and_takes_leave(bluetoothd):
    async with pairing_agent(ADDRESS):
        assert bluetoothd.calls == REGISTERED
        assert bluetoothd.said == [AGENT_PATH, "NoInputNoOutput"]
    assert bluetoothd.calls == [*REGISTERED, "UnregisterAgent"]


async def test_it_is_off_the_bus_afterwards(bluetoothd):
    async with pairing_agent(ADDRESS):
        pass
    assert await bluetoothd.ask("RequestAuthorization", "o", DEVICE) == (
        MessageType.ERROR,
        "org.freedesktop.DBus.Error.ServiceUnknown",
    )


QUESTIONS = [
    ("RequestAuthorization", "o", ()),
    ("RequestConfirmation", "ou", (123456,)),
    ("AuthorizeService", "os", ("0000180f-0000-1000-8000-00805f9b34fb",)),
]


@pytest.mark.parametrize(("member", "signature", "rest"), QUESTIONS)
async def test_it_agrees_to_what_is_asked_about_its_sensor(bluetoothd, member, signature, rest):
    async with pairing_agent(ADDRESS):
        assert await bluetoothd.ask(member, signature, DEVICE, *rest) == AGREED


@pytest.mark.parametrize(("member", "signature", "rest"), QUESTIONS)
@pytest.mark.parametrize(
    "device", [OTHER, DEVICE + "B", DEVICE + "/service0001", "/elsewhere/hci1/dev_C0_00_00_00_00_0A", "/"]
)
async def test_it_rejects_what_is_asked_about_anything_else(bluetoothd, member, signature, rest, device):
    async with pairing_agent(ADDRESS):
        assert await bluetoothd.ask(member, signature, device, *rest) == REJECTED


@pytest.mark.parametrize(
    ("member", "signature", "body"),
    [
        ("RequestPinCode", "o", (DEVICE,)),
        ("RequestPasskey", "o", (DEVICE,)),
        ("DisplayPinCode", "os", (DEVICE, "0000")),
        ("DisplayPasskey", "ouq", (DEVICE, 1, 0)),
        ("RequestAuthorization", "", ()),
        ("SomethingNew", "o", (DEVICE,)),
    ],
)
async def test_it_rejects_what_would_need_keys_or_a_screen(bluetoothd, member, signature, body):
    async with pairing_agent(ADDRESS):
        assert await bluetoothd.ask(member, signature, *body) == REJECTED


@pytest.mark.parametrize("member", ["Release", "Cancel"])
async def test_it_takes_note_that_it_is_not_needed_any_more(bluetoothd, member):
    async with pairing_agent(ADDRESS):
        assert await bluetoothd.ask(member, "") == AGREED


@pytest.mark.parametrize("elsewhere", [{"path": "/else"}, {"interface": "org.else"}])
async def test_nothing_else_is_agreed_to_on_its_connection(bluetoothd, elsewhere):
    async with pairing_agent(ADDRESS):
        kind, error = await bluetoothd.ask("RequestAuthorization", "o", DEVICE, **elsewhere)
    assert kind is MessageType.ERROR
    assert error.startswith("org.freedesktop.DBus.Error.Unknown")


@pytest.mark.parametrize("member", REGISTERED)
async def test_where_registering_is_refused_the_block_runs_all_the_same(bluetoothd, member):
    bluetoothd.refuses[member] = ("org.bluez.Error.AlreadyExists", "no")
    ran = False
    async with pairing_agent(ADDRESS):
        ran = True
    assert ran
    assert member in bluetoothd.calls


@pytest.mark.parametrize("member", REGISTERED)
async def test_a_bluetoothd_that_says_nothing_holds_up_nobody(bluetoothd, member):
    bluetoothd.silent = (member,)
    ran = False
    async with pairing_agent(ADDRESS, SOON_S):
        ran = True
    assert ran
    assert member in bluetoothd.calls


async def test_a_bluetoothd_that_does_not_say_goodbye_is_left(bluetoothd, monkeypatch):
    monkeypatch.setattr("emgmon.sensors.bluez_agent.PARTING_LIMIT_S", SOON_S)
    bluetoothd.silent = ("UnregisterAgent",)
    async with pairing_agent(ADDRESS):
        pass
    assert bluetoothd.calls == [*REGISTERED, "UnregisterAgent"]


async def test_without_bluetoothd_the_block_runs_all_the_same_and_nobody_is_started(tmp_path, monkeypatch):
    mark = tmp_path / "started"
    ran = False
    with private_bus(tmp_path / "bus", starts=f"/usr/bin/touch {mark}") as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        async with pairing_agent(ADDRESS):
            ran = True
    assert ran
    assert not mark.exists()


async def test_without_a_bus_the_block_runs_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nowhere'}")
    ran = False
    async with pairing_agent(ADDRESS):
        ran = True
    assert ran


async def test_a_bus_that_lets_nobody_in_holds_up_nobody(tmp_path, monkeypatch):
    ran = False
    async with talking(tmp_path / "socket") as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        async with pairing_agent(ADDRESS, SOON_S):
            ran = True
    assert ran


async def test_a_bus_that_goes_away_meanwhile_is_no_matter(tmp_path, monkeypatch):
    fake = Asking()
    async with AsyncExitStack() as pairing:
        with private_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            bus = await fake.open(address)
            await pairing.enter_async_context(pairing_agent(ADDRESS))
        with suppress(EOFError):
            await bus.wait_for_disconnect()
    assert fake.calls == REGISTERED


async def test_without_the_library_the_block_runs_all_the_same(bluetoothd, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("dbus_fast"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    ran = False
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", refuse)
        async with pairing_agent(ADDRESS):
            ran = True
    assert ran
    assert bluetoothd.calls == []


@pytest.mark.parametrize("system", ["darwin", "win32"])
async def test_on_other_systems_nobody_is_called(bluetoothd, monkeypatch, system):
    monkeypatch.setattr("emgmon.sensors.bluez_agent.sys.platform", system)
    async with pairing_agent(ADDRESS):
        pass
    assert bluetoothd.calls == []


async def test_what_the_block_raises_is_passed_on_after_taking_leave(bluetoothd):
    with pytest.raises(EOFError, match="mine"):
        async with pairing_agent(ADDRESS):
            raise EOFError("mine")
    assert bluetoothd.calls == [*REGISTERED, "UnregisterAgent"]


async def test_whoever_is_cancelled_takes_leave_too(bluetoothd):
    entered = asyncio.Event()

    async def pair():
        async with pairing_agent(ADDRESS):
            entered.set()
            await asyncio.Event().wait()

    pairing = asyncio.create_task(pair())
    await entered.wait()
    pairing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pairing
    assert bluetoothd.calls == [*REGISTERED, "UnregisterAgent"]


async def test_whoever_is_cancelled_while_registering_is_cancelled(bluetoothd):
    bluetoothd.silent = ("RegisterAgent",)

    async def pair():
        async with pairing_agent(ADDRESS):
            raise AssertionError("nobody answered")

    pairing = asyncio.create_task(pair())
    async with asyncio.timeout(LIMIT_S):
        while "RegisterAgent" not in bluetoothd.calls:
            await asyncio.wait((pairing,), timeout=SOON_S)
    pairing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pairing

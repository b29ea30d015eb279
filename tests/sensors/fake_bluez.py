"""A private D-Bus with a bluetoothd on it that has no radio: what BlueZ would answer, fault by fault.

Run as a program (``python -m tests.sensors.fake_bluez ADDRESS SCENE``) it serves another process.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from firmware_protocol.gatt import SERVICE_UUID

DAEMON = shutil.which("dbus-daemon")
WITHOUT_DAEMON = "needs dbus-daemon, which is not installed"
MANAGER = "org.freedesktop.DBus.ObjectManager"
HCI0 = "/org/bluez/hci0"

_CONFIG = """<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
    {rule}
  </policy>
</busconfig>
"""


@contextmanager
def private_bus(folder: Path, *, rule: str = "", starts: str | None = None) -> Iterator[str]:
    """Run a bus of our own; `starts` is the program behind ``org.bluez``, `rule` one more line of policy."""
    services = folder / "services"
    services.mkdir(parents=True)
    if starts is not None:
        (services / "org.bluez.service").write_text(f"[D-BUS Service]\nName=org.bluez\nExec={starts}\n")
    config = folder / "bus.conf"
    config.write_text(_CONFIG.format(socket=folder / "socket", services=services, rule=rule))
    with subprocess.Popen(
        [DAEMON, f"--config-file={config}", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as daemon:
        yield daemon.stdout.readline().strip()
        daemon.terminate()


def adapter(**changed: object) -> dict[str, Variant]:
    properties = {
        "Address": Variant("s", "00:11:22:33:44:55"),
        "Powered": Variant("b", True),
        "PowerState": Variant("s", "on"),
        "Roles": Variant("as", ["central", "peripheral"]),
        "Modalias": Variant("s", "usb:v1D6Bp0246d0552"),
    }
    return {name: value for name, value in {**properties, **changed}.items() if value is not None}


def device(number: int, name: str, *uuids: str, connected: bool = False) -> tuple[str, dict[str, Variant]]:
    address = f"C0:00:00:00:00:{number:02X}"
    properties = {
        "Address": Variant("s", address),
        "AddressType": Variant("s", "random"),
        "Alias": Variant("s", name),
        "Name": Variant("s", name),
        "Adapter": Variant("o", HCI0),
        "UUIDs": Variant("as", list(uuids)),
        "Paired": Variant("b", False),
        "Connected": Variant("b", connected),
    }
    return f"{HCI0}/dev_{address.replace(':', '_')}", properties


@dataclass
class FakeBluez:
    """Answers as bluetoothd; devices in `air` are seen by whoever listens without a filter, or for them."""

    adapters: dict[str, dict[str, Variant]] = field(default_factory=lambda: {HCI0: adapter()})
    known: list[tuple[str, dict[str, Variant]]] = field(default_factory=list)
    air: list[tuple[str, dict[str, Variant]]] = field(default_factory=list)
    refuses: dict[str, tuple[str, str]] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list)
    filters: dict[str, list[str]] = field(default_factory=dict)
    listeners: set[str] = field(default_factory=set)

    async def open(self, address: str) -> MessageBus:
        bus = await MessageBus(address).connect()
        bus.add_message_handler(lambda message: self.answer(bus, message))
        await bus.request_name("org.bluez")
        return bus

    def answer(self, bus: MessageBus, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        self.calls.append(message.member)
        if message.member in self.silent:
            return True
        if message.member in self.refuses:
            return Message.new_error(message, *self.refuses[message.member])
        if message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects()])
        if message.member == "SetDiscoveryFilter":
            uuids = message.body[0].get("UUIDs")
            self.filters[message.sender] = [] if uuids is None else uuids.value
        if message.member == "StartDiscovery":
            self.listeners.add(message.sender)
            for path, properties in self.heard():
                body = [path, {"org.bluez.Device1": properties}]
                bus.send(Message.new_signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", body))
        if message.member == "StopDiscovery":
            self.listeners.discard(message.sender)
        return Message.new_method_return(message)

    def heard(self) -> list[tuple[str, dict[str, Variant]]]:
        """BlueZ reports a device when one listener asked for it, or for everything."""
        filters = [self.filters.get(listener, []) for listener in self.listeners]
        return [
            (path, {**properties, "RSSI": Variant("n", -48 - 10 * index)})
            for index, (path, properties) in enumerate(self.air)
            if any(not wanted or set(wanted) & set(properties["UUIDs"].value) for wanted in filters)
        ]

    def objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        found = {path: {"org.bluez.Adapter1": properties} for path, properties in self.adapters.items()}
        return found | {path: {"org.bluez.Device1": seen} for path, seen in (*self.known, *self.heard())}


@asynccontextmanager
async def talking(
    socket: Path, *answers: tuple[MessageType, str, str, object], hangs_up: bool = False
) -> AsyncIterator[str]:
    """Let everybody in, then give these answers (kind, error, signature, value) in turn, and no more."""
    served = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not (line := await reader.readuntil(b"\r\n")).startswith(b"BEGIN"):
            writer.write(b"OK 0123456789abcdef\r\n" if b"AUTH" in line else b"AGREE_UNIX_FD\r\n")
        for serial, (kind, error, signature, value) in enumerate(answers, start=1):
            await reader.read(1024)
            said = Message(
                message_type=kind,
                error_name=error or None,
                signature=signature,
                body=[value],
                reply_serial=serial,
                serial=serial,
            )
            writer.write(said._marshall(False))
        await reader.read(1 if hangs_up else -1)
        writer.close()
        await writer.wait_closed()
        served.set_result(None)

    async with await asyncio.start_unix_server(serve, socket):
        yield f"unix:path={socket}"
        await served


SENSOR = device(1, "emgmon-0001", SERVICE_UUID)
OTHERS = [device(2, "headphones", "0000110b-0000-1000-8000-00805f9b34fb"), device(3, "lamp")]

SCENES = {
    "sensor": lambda: FakeBluez(air=[SENSOR, *OTHERS]),
    "others": lambda: FakeBluez(air=OTHERS),
    "silence": FakeBluez,
    "off": lambda: FakeBluez(adapters={HCI0: adapter(Powered=Variant("b", False))}),
    "no adapter": lambda: FakeBluez(adapters={}),
}


@contextmanager
def serving(folder: Path, scene: str) -> Iterator[str]:
    """Run a bus with a bluetoothd in a process of its own, for code that runs its own event loop."""
    with private_bus(folder) as address:
        command = [sys.executable, "-m", "tests.sensors.fake_bluez", address, scene]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as fake:
            assert fake.stdout.readline() == "ready\n"
            yield address
            fake.terminate()


async def serve(address: str, scene: str) -> None:
    bus = await SCENES[scene]().open(address)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))

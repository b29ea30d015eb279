"""What Linux and BlueZ know about Bluetooth, as facts: asked for here, judged in `doctor`.

D-Bus is spoken directly, beside bleak, because bleak answers *whether* a sensor can be reached and these
facts answer *why not*. ``dbus_fast`` comes with bleak on Linux and is imported only when called.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from firmware_protocol.gatt import SERVICE_UUID

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

ANSWER_LIMIT_S = 5.0
"""How long one answer over D-Bus may take; a running bluetoothd needs milliseconds."""

DEFAULT_BUS = "unix:path=/var/run/dbus/system_bus_socket"
"""Where the D-Bus specification puts the system bus."""

_BUS = "org.freedesktop.DBus"
_BUS_PATH = "/org/freedesktop/DBus"
_BLUEZ = "org.bluez"
_ADAPTER = "org.bluez.Adapter1"
_DEVICE = "org.bluez.Device1"

_MODALIAS = re.compile(r"(?:usb|bluetooth):v1D6Bp0246d([0-9A-F]{2})([0-9A-F]{2})", re.IGNORECASE)
"""BlueZ names itself in each adapter's Modalias: Linux Foundation, BlueZ, then its own version."""


class BusState(StrEnum):
    """How far D-Bus could be reached."""

    REACHED = "reached"
    NO_LIBRARY = "no library"
    NO_SOCKET = "no socket"
    NOBODY_LISTENS = "nobody listens"
    DENIED = "denied"
    SILENT = "silent"
    BROKEN = "broken"


class DaemonState(StrEnum):
    """How bluetoothd answered on a bus that was reached."""

    RUNNING = "running"
    NOT_OFFERED = "not offered"
    """Nobody owns ``org.bluez``, and D-Bus knows of no way to start it."""
    NOT_STARTED = "not started"
    """D-Bus may start it, and that did not work."""
    DENIED = "denied"
    SILENT = "silent"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter as BlueZ sees it."""

    name: str
    address: str
    is_powered: bool
    is_blocked: bool = False
    """BlueZ 5.66 and later say when rfkill is what keeps it off."""
    is_central: bool | None = True
    """Whether it can connect to sensors; ``None`` when BlueZ does not say."""
    modalias: str = ""

    @property
    def bluez_version(self) -> tuple[int, int] | None:
        """Version of the bluetoothd that runs; ``None`` where main.conf gives another identity."""
        found = _MODALIAS.fullmatch(self.modalias)
        return None if found is None else (int(found[1], 16), int(found[2], 16))

    @property
    def is_usable(self) -> bool:
        """Whether a scan can run on it."""
        return self.is_powered and self.is_central is not False


@dataclass(frozen=True, slots=True)
class BluezFacts:
    """What D-Bus and bluetoothd answered."""

    bus: BusState
    daemon: DaemonState | None = None
    """``None`` when it could not be asked."""
    detail: str = ""
    """The words of whoever refused or failed."""
    adapters: tuple[Adapter, ...] = ()
    connected: tuple[str, ...] = ()
    """Sensors of ours that are connected to this computer already, as name and address."""

    @property
    def version(self) -> tuple[int, int] | None:
        """Version of the bluetoothd that runs, where an adapter tells it."""
        return next((adapter.bluez_version for adapter in self.adapters if adapter.bluez_version), None)


class BusError(Exception):
    """The bus could not be reached, or broke."""

    def __init__(self, state: BusState, detail: str) -> None:
        super().__init__(detail)
        self.state = state


class _Refused(Exception):
    """An error reply: the D-Bus name of the error and its words."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words or name)
        self.name = name


def bus_address() -> str:
    """Where the system bus is looked for."""
    return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or DEFAULT_BUS


async def ask_bluez(limit_s: float = ANSWER_LIMIT_S) -> BluezFacts:
    """Ask D-Bus for bluetoothd, and bluetoothd for its adapters; never raises for want of either.

    Parameters
    ----------
    limit_s
        Outer limit on each answer, in seconds.
    """
    try:
        async with system_bus(limit_s) as bus:
            return await _ask(bus, limit_s)
    except BusError as error:
        return BluezFacts(error.state, detail=str(error))


async def _ask(bus: "MessageBus", limit_s: float) -> BluezFacts:
    try:
        runs = await _call(bus, "NameHasOwner", [_BLUEZ], limit_s)
        may_start = runs or _BLUEZ in await _call(bus, "ListActivatableNames", [], limit_s)
    except _Refused as refused:
        raise BusError(BusState.DENIED, str(refused)) from refused
    except TimeoutError as error:
        raise BusError(BusState.SILENT, "") from error
    if not may_start:
        return BluezFacts(BusState.REACHED, DaemonState.NOT_OFFERED)
    try:
        if not runs:
            await _start(bus, limit_s)
        objects = await _objects(bus, limit_s)
    except _Refused as refused:
        return BluezFacts(BusState.REACHED, _daemon_state(refused), str(refused))
    except TimeoutError:
        return BluezFacts(BusState.REACHED, DaemonState.SILENT)
    return BluezFacts(
        BusState.REACHED,
        DaemonState.RUNNING,
        adapters=tuple(_adapters(objects)),
        connected=tuple(_connected(objects)),
    )


async def _start(bus: "MessageBus", limit_s: float) -> None:
    """Let D-Bus start bluetoothd, as bleak's first call would."""
    try:
        await _call(bus, "StartServiceByName", [_BLUEZ, 0], limit_s, "su")
    except _Refused as refused:
        raise _Refused(f"{_BUS}.Error.Spawn.Failed", str(refused)) from refused
    except TimeoutError as error:
        raise _Refused(f"{_BUS}.Error.Spawn.Failed", f"no sign of it within {limit_s:g} s") from error


def _daemon_state(refused: _Refused) -> DaemonState:
    kind = refused.name.removeprefix(f"{_BUS}.Error.")
    if kind == "AccessDenied":
        return DaemonState.DENIED
    if kind in {"NoReply", "Timeout", "TimedOut"}:
        return DaemonState.SILENT
    gone = kind.startswith("Spawn.") or kind in {"ServiceUnknown", "NameHasNoOwner"}
    return DaemonState.NOT_STARTED if gone else DaemonState.BROKEN


def _adapters(objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Adapter]:
    found = []
    for path, interfaces in sorted(objects.items()):
        if (seen := interfaces.get(_ADAPTER)) is not None:
            found.append(
                Adapter(
                    name=path.rpartition("/")[2],
                    address=str(seen.get("Address", "")),
                    is_powered=bool(seen.get("Powered", False)),
                    is_blocked=seen.get("PowerState") == "off-blocked",
                    is_central="central" in seen["Roles"] if "Roles" in seen else None,
                    modalias=str(seen.get("Modalias", "")),
                )
            )
    return found


def _devices(objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    return [interfaces[_DEVICE] for _, interfaces in sorted(objects.items()) if _DEVICE in interfaces]


def _is_ours(device: Mapping[str, Any]) -> bool:
    return SERVICE_UUID in device.get("UUIDs", ())


def _connected(objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    return [
        f"{device.get('Alias', 'a sensor')} ({device.get('Address', 'address unknown')})"
        for device in _devices(objects)
        if _is_ours(device) and device.get("Connected", False)
    ]


@asynccontextmanager
async def counting_others(
    adapters: tuple[Adapter, ...], limit_s: float = ANSWER_LIMIT_S
) -> AsyncIterator[Callable[[], Awaitable[int | None]]]:
    """Listen for everything while the block runs; what it gives counts the others heard so far.

    bleak listens for our service alone, and BlueZ then hides the rest. A second listener without a filter
    makes it report all; BlueZ gives signal strength only to what it hears now.

    Yields
    ------
    count
        Coroutine function: how many that are not ours were heard; ``None`` when it could not be counted.
    """
    async with AsyncExitStack() as stack:
        listening: MessageBus | None = None
        with suppress(BusError, _Refused, TimeoutError):
            bus = await stack.enter_async_context(system_bus(limit_s))
            for adapter in adapters:
                await _discover(bus, adapter, limit_s)
            listening = bus

        async def count() -> int | None:
            if listening is None:
                return None
            with suppress(BusError, _Refused, TimeoutError):
                devices = _devices(await _objects(listening, limit_s))
                return sum("RSSI" in device and not _is_ours(device) for device in devices)
            return None

        # Leaving the bus ends this listener's discovery: BlueZ watches for that.
        yield count


async def _discover(bus: "MessageBus", adapter: Adapter, limit_s: float) -> None:
    from dbus_fast import Message, Variant

    path = f"/org/bluez/{adapter.name}"
    low_energy = {"Transport": Variant("s", "le")}
    for member, signature, body in (
        ("SetDiscoveryFilter", "a{sv}", [low_energy]),
        ("StartDiscovery", "", []),
    ):
        request = Message(_BLUEZ, path, _ADAPTER, member, signature=signature, body=body)
        await reply_of(bus, request, limit_s)


@asynccontextmanager
async def system_bus(limit_s: float) -> AsyncIterator["MessageBus"]:
    bus = await _connect(limit_s)
    try:
        yield bus
    finally:
        bus.disconnect()


async def _connect(limit_s: float) -> "MessageBus":
    try:
        from dbus_fast import BusType
        from dbus_fast.aio import MessageBus
        from dbus_fast.auth import UID_NOT_SPECIFIED, AuthExternal
    except ImportError as error:
        raise BusError(BusState.NO_LIBRARY, str(error)) from error
    # bleak reads the same variable: in a container the user has another number outside.
    uid = os.environ.get("BLEAK_DBUS_AUTH_UID", "")
    auth = AuthExternal(uid=int(uid) if uid.isdigit() else UID_NOT_SPECIFIED)
    try:
        bus = MessageBus(bus_address(), BusType.SYSTEM, auth=auth)
        async with asyncio.timeout(limit_s):
            await bus.connect()
    except Exception as error:
        raise BusError(_bus_state(error), str(error) or type(error).__name__) from error
    name = bus.unique_name or ""
    if not name.startswith(":"):
        # dbus_fast takes the words of a refused Hello (AppArmor in containers) for our name on the bus.
        bus.disconnect()
        raise BusError(BusState.DENIED, name)
    return bus


def _bus_state(error: Exception) -> BusState:
    from dbus_fast import AuthError

    match error:
        case TimeoutError():
            return BusState.SILENT
        case FileNotFoundError():
            return BusState.NO_SOCKET
        case ConnectionRefusedError():
            return BusState.NOBODY_LISTENS
        # A bus whose policy lets a user not in hangs up without a word.
        case PermissionError() | AuthError() | ConnectionError() | EOFError():
            return BusState.DENIED
        case _:
            return BusState.BROKEN


async def _call(bus: "MessageBus", member: str, body: list[Any], limit_s: float, signature: str = "") -> Any:
    """Ask the bus itself."""
    from dbus_fast import Message

    signature = signature or "s" * len(body)
    return await reply_of(
        bus, Message(_BUS, _BUS_PATH, _BUS, member, signature=signature, body=body), limit_s
    )


async def _objects(bus: "MessageBus", limit_s: float) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    from dbus_fast import Message, unpack_variants

    request = Message(_BLUEZ, "/", f"{_BUS}.ObjectManager", "GetManagedObjects")
    objects: Mapping[str, Mapping[str, Mapping[str, Any]]]
    objects = unpack_variants(await reply_of(bus, request, limit_s))
    return objects


async def reply_of(bus: "MessageBus", request: Any, limit_s: float) -> Any:
    """Give the first value of the answer.

    Raises
    ------
    _Refused
        When the answer is an error.
    TimeoutError
        When there is none in time.
    BusError
        When the bus itself is lost.
    """
    from dbus_fast import MessageType

    try:
        async with asyncio.timeout(limit_s):
            reply = await bus.call(request)
    except TimeoutError:
        raise
    except (OSError, EOFError) as error:
        raise BusError(BusState.BROKEN, str(error) or type(error).__name__) from error
    if reply is None:
        raise BusError(BusState.BROKEN, "the connection ended")
    if reply.message_type is MessageType.ERROR:
        raise _Refused(str(reply.error_name), " ".join(str(word) for word in reply.body))
    return reply.body[0] if reply.body else None

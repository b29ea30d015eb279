"""Agrees, on Linux, to the pairing that this program asked for, and to nothing else: BlueZ wants an agent.

A desktop has one that asks the person. Without a desktop nobody answers bluetoothd, and it refuses even a
pairing that needs no keys and no screen on either side. bleak registers no agent.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from emgmon.sensors.bluez import ANSWER_LIMIT_S, reply_of, system_bus

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

PARTING_LIMIT_S = 1.0
"""How long taking leave of bluetoothd may take; it also notices by itself when an agent leaves the bus."""

AGENT_PATH = "/emgmon/pairing_agent"
CAPABILITY = "NoInputNoOutput"
"""With neither keys nor a screen on this side the two pair without a question to a person."""

_BLUEZ = "org.bluez"
_MANAGER_PATH = "/org/bluez"
_MANAGER = "org.bluez.AgentManager1"
_AGENT = "org.bluez.Agent1"
_REJECTED = "org.bluez.Error.Rejected"

_QUESTIONS = frozenset({"RequestAuthorization", "RequestConfirmation", "AuthorizeService"})
"""What can be agreed to without keys and screen; the first argument of each is the device."""

_NOTICES = frozenset({"Cancel", "Release"})


@asynccontextmanager
async def pairing_agent(address: str, limit_s: float = ANSWER_LIMIT_S) -> AsyncIterator[None]:
    """Answer bluetoothd's questions about one sensor while the block runs.

    Where that is not possible (another system, no D-Bus, no BlueZ, or it refuses) the block runs all the
    same, and pairing goes as it goes there. Nothing is raised but what the block raises, and cancellation.

    Parameters
    ----------
    address
        Bluetooth address of the sensor that is being paired with; every other device is rejected.
    limit_s
        Outer limit on each answer of D-Bus, in seconds.

    Notes
    -----
    While the block runs this is the default agent of the system: BlueZ asks the one before it again
    afterwards. Only one block at a time is asked, the one that was entered last.
    """
    async with AsyncExitStack() as stack:
        if sys.platform == "linux":
            # Whatever fails here: the pairing itself will tell whether an agent was needed.
            with suppress(Exception):
                await _register(stack, address, limit_s)
        yield


async def _register(stack: AsyncExitStack, address: str, limit_s: float) -> None:
    bus = await stack.enter_async_context(system_bus(limit_s))
    bus.add_message_handler(lambda message: _answer(message, address))
    stack.push_async_callback(_unregister, bus)
    await _manage(bus, "RegisterAgent", "os", [AGENT_PATH, CAPABILITY], limit_s)
    # bleak asks for the pairing on a connection of its own, which has no agent: the default one is asked.
    await _manage(bus, "RequestDefaultAgent", "o", [AGENT_PATH], limit_s)


async def _unregister(bus: "MessageBus") -> None:
    with suppress(Exception):
        await _manage(bus, "UnregisterAgent", "o", [AGENT_PATH], PARTING_LIMIT_S)


async def _manage(bus: "MessageBus", member: str, signature: str, body: list[str], limit_s: float) -> None:
    from dbus_fast import Message, MessageFlag

    # Nobody is to start bluetoothd for this: where it does not run there is nothing to pair with.
    request = Message(
        _BLUEZ,
        _MANAGER_PATH,
        _MANAGER,
        member,
        signature=signature,
        body=body,
        flags=MessageFlag.NO_AUTOSTART,
    )
    await reply_of(bus, request, limit_s)


def _answer(message: "Message", address: str) -> "Message | None":
    """Answer what bluetoothd asks its agent; ``None`` for what is not for the agent."""
    from dbus_fast import Message, MessageType

    is_call = message.message_type is MessageType.METHOD_CALL
    if not is_call or message.path != AGENT_PATH or message.interface != _AGENT:
        return None
    if message.member in _NOTICES:
        return Message.new_method_return(message)
    if message.member in _QUESTIONS and message.body and _is_of(str(message.body[0]), address):
        return Message.new_method_return(message)
    return Message.new_error(message, _REJECTED, "this program pairs with its own sensor only")


def _is_of(device_path: str, address: str) -> bool:
    """Whether it is the path of that device, on whichever adapter: ``/org/bluez/hci0/dev_AA_BB_...``."""
    adapter, _, device = device_path.rpartition("/")
    return adapter.startswith(f"{_MANAGER_PATH}/") and device == f"dev_{address.upper().replace(':', '_')}"

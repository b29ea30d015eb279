"""What the system knows, asked over D-Bus without bleak: whether our client left the traces it should.

There is no desktop here, and so no agent but the one that our client brings.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

BLUEZ = "org.bluez"
ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
CALL_LIMIT_S = 15.0
LOOK_AGAIN_S = 0.05

Properties = Mapping[str, Any]
"""Properties of one interface by name; what they hold is D-Bus's affair."""


class Bluez:
    """A second look at bluetoothd."""

    def __init__(self) -> None:
        self._bus = MessageBus(bus_type=BusType.SYSTEM)

    async def open(self) -> None:
        """Connect to D-Bus."""
        await self._bus.connect()

    def close(self) -> None:
        """Disconnect from D-Bus."""
        self._bus.disconnect()

    async def await_radio(self) -> None:
        """Wait until there is an adapter, switched on. Set a limit outside."""
        while not any(found.get("Powered") for found in (await self.objects(ADAPTER)).values()):
            await asyncio.sleep(LOOK_AGAIN_S)

    async def device(self, address: str) -> Properties:
        """Properties of a device; empty when the system does not know it."""
        devices = (await self.objects(DEVICE)).values()
        return next((found for found in devices if found["Address"].lower() == address.lower()), {})

    async def acquired(self) -> tuple[str, ...]:
        """UUIDs of the characteristics whose notifications go through a socket (AcquireNotify)."""
        found = (await self.objects(CHARACTERISTIC)).values()
        return tuple(sorted(properties["UUID"] for properties in found if properties.get("NotifyAcquired")))

    async def mtu(self, uuid: str) -> int:
        """MTU of the connection as the system tells it beside a characteristic."""
        found = (await self.objects(CHARACTERISTIC)).values()
        return int(next(properties["MTU"] for properties in found if properties["UUID"] == uuid))

    async def remove(self, address: str) -> None:
        """Have the system forget a device and its bond."""
        for path, found in (await self.objects(DEVICE)).items():
            if found["Address"].lower() == address.lower():
                await self._call(path.rsplit("/", 1)[0], ADAPTER, "RemoveDevice", "o", path)

    async def switch(self, *, on: bool) -> None:
        """Switch the radio on or off, as a person does in the settings."""
        for path in await self.objects(ADAPTER):
            value = Variant("b", on)
            await self._call(path, "org.freedesktop.DBus.Properties", "Set", "ssv", ADAPTER, "Powered", value)

    async def objects(self, interface: str) -> dict[str, Properties]:
        """Properties of one interface of every object that has it, by path."""
        try:
            (tree,) = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        except ConnectionError:
            # Not up yet.
            return {}
        return {
            path: {name: variant.value for name, variant in interfaces[interface].items()}
            for path, interfaces in tree.items()
            if interface in interfaces
        }

    async def _call(
        self, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> list[Any]:
        message = Message(BLUEZ, path, interface, member, signature=signature, body=list(body))
        async with asyncio.timeout(CALL_LIMIT_S):
            reply = await self._bus.call(message)
        if reply is None or reply.message_type is MessageType.ERROR:
            raise ConnectionError(f"{member}: {reply and (reply.error_name, reply.body)}")
        return reply.body

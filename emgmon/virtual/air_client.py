"""What bleak's clients on both airs have in common: how bleak makes them, and what they are called."""

from collections.abc import Callable
from typing import Any, ClassVar

from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice

from emgmon.virtual.system import HostSystem, is_past_cache


class AirClient(BaseBleakClient):
    """A client of bleak's whose operating system is a :class:`HostSystem`."""

    system: ClassVar[HostSystem]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs
        )
        self._past_cache = is_past_cache(kwargs)

    @property
    def name(self) -> str:
        return self.address.replace(":", "-")

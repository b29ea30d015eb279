"""Sensors and a host without a Bluetooth stack between them: thousands of mishaps a minute, for real code.

Runs on a :class:`~emgmon.virtual.turned_loop.TurnedLoop`: time passes only while everybody waits.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from emgmon.clock import ManualClock
from emgmon.sensors.ble import Radio
from emgmon.virtual.fate import FateHook, deliver_all
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import MachineFactory
from emgmon.virtual.quick_client import QuickClient, QuickScanner
from emgmon.virtual.quick_sensor import QuickSensor
from emgmon.virtual.system import HostSystem
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.gatt import Security

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

FIRST_ADDRESS = "F0:00:00:00:E0:01"


class QuickAir:
    """Several sensors, one host, and what is between them.

    Parameters
    ----------
    clock
        That of the loop.
    fate
        Decides about every notification; may be set later.
    latency_s
        One way of a request or an indication, seconds.
    jitter_s
        Drawn for every notification: how much later than its look it arrives. Order is kept.
    system
        The host's operating system.
    """

    def __init__(
        self,
        clock: ManualClock,
        *,
        fate: FateHook = deliver_all,
        latency_s: float = 0.01,
        jitter_s: Callable[[], float] | None = None,
        system: HostSystem | None = None,
    ) -> None:
        self.clock = clock
        self.fate = fate
        self.latency_s = latency_s
        self.jitter_s = jitter_s
        self.system = HostSystem() if system is None else system
        self.bonds: dict[str, int] = {}
        """The host's: key of every sensor that it paired with, by address."""
        self.sensors: dict[str, QuickSensor] = {}
        self.radio = self._make_radio()

    def _make_radio(self) -> Radio:
        class Scanner(QuickScanner):
            sensors = self.sensors

        class Client(QuickClient):
            system = self.system
            bonds = self.bonds
            sensors = self.sensors
            latency_s = self.latency_s

        return Radio(scanner=Scanner, client=Client)

    def add(
        self,
        capabilities: Capabilities,
        streams: Sequence["StreamSamples"],
        *,
        address: str = FIRST_ADDRESS,
        machine: MachineFactory = Firmware,
        security: Security = Security.OPEN,
        pace_s: float = 0.02,
        packets_per_s: float | None = None,
    ) -> QuickSensor:
        """Switch a sensor on.

        Parameters
        ----------
        pace_s
            How often it looks whether a packet is due.
        packets_per_s
            What its radio takes; ``None`` takes everything at once.
        """
        sensor = QuickSensor(
            capabilities,
            streams,
            clock=self.clock,
            address=address,
            machine=machine,
            security=security,
            latency_s=self.latency_s,
            pace_s=pace_s,
            packets_per_s=packets_per_s,
            fate=lambda where, value: self.fate(where, value),
            jitter_s=self.jitter_s,
        )
        self.sensors[address] = sensor
        return sensor

    async def turn(self, seconds: float) -> None:
        """Let everything happen that happens in so long."""
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """Switch every sensor off."""
        for sensor in self.sensors.values():
            sensor.switch_off()

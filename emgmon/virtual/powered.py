"""A sensor from power-up to power-down: boot id, clock, battery, and the machine that they drive."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from emgmon.clock import Clock
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import MachineFactory
from emgmon.virtual.measuring import Measuring
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.worn import BatteryState

if TYPE_CHECKING:
    from emgmon.virtual.athlete import StreamSamples

FULL_PCT = 87
"""A battery that does not run down."""
LOW_PCT = 10
ENDING_S = 60.0


class PoweredSensor:
    """Everything of a virtual sensor but its radio.

    Parameters
    ----------
    capabilities
        What it says about itself; the boot id is that of the first power-up.
    streams
        What it will measure from the first START on; after a reboot what is left of it.
    clock
        Drives its device time; a faster clock makes a faster sensor.
    machine
        Makes its back end.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        streams: Sequence["StreamSamples"],
        *,
        clock: Clock,
        machine: MachineFactory = Firmware,
    ) -> None:
        self.capabilities = capabilities
        self._streams = tuple(streams)
        self._clock = clock
        self._make_machine = machine
        self._battery_pct = FULL_PCT
        self._drain_from_ns = 0
        self._drain_ns: int | None = None
        self._boot()

    def _boot(self) -> None:
        self._boot_ns = self._clock.now_ns()
        self.measuring = Measuring(self._make_machine(self.capabilities), self.capabilities, self._streams)

    @property
    def now_us(self) -> int:
        """Device time: since power-up."""
        return (self._clock.now_ns() - self._boot_ns) // 1000

    def reboot(self, boot_id: int | None = None) -> None:
        """Begin anew: another boot id (by default the next), device time and counters from 0, an empty ring.

        The next START goes on with the samples whose time has not come yet: the body moved on meanwhile.
        """
        self.measuring.measure(self.now_us)
        self._streams = self.measuring.left()
        number = (self.capabilities.boot_id + 1) % (1 << 32) if boot_id is None else boot_id
        # Where it is worn it remembers (SPEC 6.11).
        described = Capabilities.from_bytes(self.measuring.machine.description)
        self.capabilities = replace(described, boot_id=number)
        self._boot()

    @property
    def battery_pct(self) -> int:
        """Level of the battery, percent; 0 when it is empty."""
        if self._drain_ns is None:
            return self._battery_pct
        used = (self._clock.now_ns() - self._drain_from_ns) / self._drain_ns
        return max(0, -int(-self._battery_pct * (1.0 - used) // 1))

    def set_battery(self, level_pct: int, *, lasts_s: float | None = None) -> None:
        """Set the level of the battery; with `lasts_s` it runs down to 0 in so long, else it stays."""
        self._battery_pct = level_pct
        self._drain_from_ns = self._clock.now_ns()
        self._drain_ns = None if lasts_s is None else round(lasts_s * 1e9)

    def battery_state(self) -> BatteryState:
        """Tell what a status notification says of the battery."""
        level_pct, left_s = self.battery_pct, None
        if self._drain_ns is not None:
            left_s = (self._drain_from_ns + self._drain_ns - self._clock.now_ns()) / 1e9
        ending = left_s is not None and left_s <= ENDING_S
        return BatteryState(level_pct, charging=False, low=level_pct <= LOW_PCT, ending=ending)

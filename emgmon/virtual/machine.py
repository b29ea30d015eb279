"""What every back end of the virtual sensor can do, whether written in Python or in C, and how to get one."""

import random
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.capabilities import Capabilities
from firmware_protocol.worn import BatteryState, LeadsChanged, Saturated


class SensorMachine(Protocol):
    """A sensor without its radio, its converter and its clock. Clauses are those of SPEC.md."""

    @property
    def streaming(self) -> bool:
        """Whether START was obeyed and neither STOP nor a disconnection has come since."""
        ...

    @property
    def description(self) -> bytes:
        """The description as it stands (7)."""
        ...

    def take(self, stream: int, values: NDArray[np.generic], *, flags: int = 0) -> None:
        """Take samples of shape (n_samples, n_channels); ignored while it does not sample."""
        ...

    def skip(self, stream: int, n_samples: int) -> None:
        """Count samples that the converter lost (5.5)."""
        ...

    def connect(self) -> None:
        """Have a host."""
        ...

    def disconnect(self) -> None:
        """Stop sending, not sampling (2.8)."""
        ...

    def notifications_off(self) -> None:
        """Stop sending, not sampling: the host switched notifications of data off (2.8)."""
        ...

    def respond(self, written: bytes, *, payload_size: int, notifying: bool, now_us: int) -> bytes:
        """Obey what was written to the control point; the indication to send."""
        ...

    def next_packet(self, *, payload_size: int) -> bytes | None:
        """Give the next packet to notify: live ones first, then those asked for again (8.4)."""
        ...

    def next_status(self, now_us: int) -> bytes | None:
        """Give the next status notification to indicate (6.14)."""
        ...

    def report(self, status: LeadsChanged | Saturated | BatteryState) -> None:
        """Have a state told to the host, if there is one."""
        ...


MachineFactory: TypeAlias = Callable[[Capabilities], SensorMachine]
"""Makes a machine that has just been switched on."""


def session_ids(capabilities: Capabilities) -> Callable[[], int]:
    """Draw session ids, other ones after every boot (6.8)."""
    chance = random.Random(capabilities.boot_id)
    return lambda: chance.getrandbits(32)


def c_machine(capabilities: Capabilities) -> SensorMachine:
    """Make the sensor that is written in C; it is compiled when it is needed for the first time.

    Raises
    ------
    CompilerError
        Where there is no C compiler.
    """
    from firmware_protocol.c.sensor import CSensor

    return CSensor(capabilities, random_u32=session_ids(capabilities))

"""Fields of the control point as numbers of a fixed width, checked before they are written."""

from firmware_protocol.errors import HostFault
from firmware_protocol.packets import TIME_MODULUS


def check_unsigned(name: str, value: int, *, bits: int, clause: str) -> None:
    """Refuse a number that its field cannot carry; raises HostFault."""
    if not 0 <= value < 1 << bits:
        raise HostFault(f"{name} {value} does not fit in {bits} bits", clause=clause)


def split_time(time_us: int) -> tuple[int, int]:
    """Cut a 48-bit time into its low 32 and its high 16 bits."""
    return time_us & 0xFFFFFFFF, (time_us % TIME_MODULUS) >> 32

"""What becomes of each notification on its way: one small named thing for every fault of a radio."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one notification."""

    copies: int = 1
    """How often it arrives; 0 = it is lost."""
    behind: int = 0
    """It is held back until so many later ones have gone by."""
    flip: tuple[int, int] | None = None
    """A byte (counted from the front, or from the back when negative) and the bits of it that are turned."""
    length: int | None = None
    """So many of its bytes arrive."""

    def bend(self, value: bytes) -> bytes:
        """Give the bytes that arrive."""
        bent = bytearray(value[: self.length])
        if self.flip is not None and bent:
            bent[self.flip[0] % len(bent)] ^= self.flip[1]
        return bytes(bent)


DELIVER = Fate()
DROP = Fate(copies=0)
DUPLICATE = Fate(copies=2)


def held_back(behind: int) -> Fate:
    """Arrive after so many later notifications."""
    return Fate(behind=behind)


def corrupted(byte: int = -1, bits: int = 0xFF) -> Fate:
    """Arrive with bits turned."""
    return Fate(flip=(byte, bits))


def cut_short(length: int) -> Fate:
    """Arrive without the end."""
    return Fate(length=length)


FateHook: TypeAlias = Callable[[str, bytes], Fate]
"""Asked once for every notification, with the address of the sensor and what it notified."""


def deliver_all(_address: str, _value: bytes) -> Fate:
    """Let everything arrive once, whole and in order."""
    return DELIVER


class Passage:
    """The way of notifications from one sensor; keeps those that are held back."""

    def __init__(self) -> None:
        self._held: list[tuple[int, bytes]] = []

    def through(self, value: bytes, fate: Fate) -> Iterator[bytes]:
        """Give what arrives now that this was sent."""
        overtaken = [(behind - 1, held) for behind, held in self._held]
        self._held = [(behind, held) for behind, held in overtaken if behind > 0]
        arriving = [fate.bend(value)] * fate.copies
        if fate.behind:
            self._held += [(fate.behind, held) for held in arriving]
        else:
            yield from arriving
        yield from (held for behind, held in overtaken if behind <= 0)

    def release(self) -> Iterator[bytes]:
        """Give what is still held back."""
        held, self._held = self._held, []
        yield from (value for _, value in held)

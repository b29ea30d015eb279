"""What every segmentation reports, on the hop grid, in live order."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestLeft:
    """Something that may become a repetition has begun."""

    hop: int
    """When it was noticed."""


@dataclass(frozen=True, slots=True)
class RestResumed:
    """What had begun was no repetition after all."""

    hop: int


@dataclass(frozen=True, slots=True)
class RepFound:
    """One repetition; its phases lie between the hops named here, which never decrease in this order."""

    start_hop: int
    hold_hop: int
    """The way out ends here."""
    turn_hop: int
    """Middle of the hold; the farthest point where there is none."""
    back_hop: int
    """The way back begins here."""
    end_hop: int
    range_m: float | None
    """How far the pelvis went, metres; ``None`` where height is not measured."""
    range_deg: float | None = None
    """How far gravity turned about the sensor, degrees; ``None`` where no angle is followed."""
    turn_axis: tuple[float, float, float] | None = None
    """Unit vector in sensor axes about which it turned on the way out; tells directions and sides apart."""
    origin: str = "found"
    """``found`` by the program, or ``added`` or ``moved`` by a person."""

    @property
    def has_phases(self) -> bool:
        """Whether a movement was followed, so that its phases are known."""
        return self.range_m is not None or self.range_deg is not None


Found = RestLeft | RestResumed | RepFound

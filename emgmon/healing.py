"""What was told before it was certain: kept until it stands, taken back where it does not."""

from collections.abc import Sequence
from dataclasses import dataclass

from emgmon.events import Healed, QualityChanged, RepCompleted, RepWithdrawn, SessionEvent

_Rep = RepCompleted | RepWithdrawn


@dataclass(frozen=True, slots=True)
class Tale:
    """What was told of one kind of event."""

    n_settled: int = 0
    """How many of them stand, from the first of the session on."""
    tail: tuple[SessionEvent, ...] = ()
    """The provisional ones told behind those."""


@dataclass(frozen=True, slots=True)
class ToldState:
    """All that the past leaves to the future."""

    reps: Tale
    quality: Tale


class Told:
    """Compares what is found now with what was told before, so that only differences are told again."""

    def __init__(self) -> None:
        self._state = ToldState(Tale(), Tale())

    @property
    def state(self) -> ToldState:
        """All that the past leaves to the future; settable."""
        return self._state

    @state.setter
    def state(self, state: ToldState) -> None:
        self._state = state

    def go_on(self, ahead: Sequence[SessionEvent]) -> list[SessionEvent]:
        """Tell more that is provisional."""
        reps, quality = self._state.reps, self._state.quality
        self._state = ToldState(
            Tale(reps.n_settled, (*reps.tail, *_reps(ahead))),
            Tale(quality.n_settled, (*quality.tail, *_quality(ahead))),
        )
        return list(ahead)

    def settle(self, settled: Sequence[SessionEvent], ahead: Sequence[SessionEvent]) -> list[SessionEvent]:
        """Tell what stands from now on, and all that is provisional behind it.

        Whatever was told provisionally before and is in neither is taken back.
        """
        reps = _Step.of(self._state.reps, _reps(settled), _reps(ahead))
        quality = _Step.of(self._state.quality, _quality(settled), _quality(ahead))
        return self._tell([*settled, *ahead], reps, quality)

    def settle_some(self, settled: Sequence[SessionEvent]) -> list[SessionEvent]:
        """Tell what stands from now on; what is provisional behind it stays as it was told, if it can."""
        reps = _Step.of_some(self._state.reps, _reps(settled))
        quality = _Step.of_some(self._state.quality, _quality(settled))
        return self._tell(settled, reps, quality)

    def _tell(self, events: Sequence[SessionEvent], reps: "_Step", quality: "_Step") -> list[SessionEvent]:
        self._state = ToldState(reps.after, quality.after)
        told: list[SessionEvent] = []
        if reps.takes_back or quality.takes_back:
            told.append(Healed(reps.n_standing, quality.n_standing))
        known_reps, known_quality = reps.n_known, quality.n_known
        for event in events:
            if isinstance(event, _Rep) and known_reps:
                known_reps -= 1
            elif isinstance(event, QualityChanged) and known_quality:
                known_quality -= 1
            else:
                told.append(event)
        return told


@dataclass(frozen=True, slots=True)
class _Step:
    """How one kind of event goes on."""

    after: Tale
    n_known: int
    """How many of the events told now were told before."""
    n_standing: int
    """How many of all told before stand."""
    takes_back: bool

    @classmethod
    def of(cls, tale: Tale, settled: Sequence[SessionEvent], ahead: Sequence[SessionEvent]) -> "_Step":
        n_known = _n_equal(tale.tail, [*settled, *ahead])
        after = Tale(tale.n_settled + len(settled), tuple(ahead))
        return cls(after, n_known, tale.n_settled + n_known, takes_back=n_known < len(tale.tail))

    @classmethod
    def of_some(cls, tale: Tale, settled: Sequence[SessionEvent]) -> "_Step":
        n_known = _n_equal(tale.tail, settled)
        agrees = n_known == len(settled) or n_known == len(tale.tail)
        left = tale.tail[n_known:] if agrees else ()
        after = Tale(tale.n_settled + len(settled), left)
        return cls(after, n_known, tale.n_settled + n_known + len(left), takes_back=not agrees)


def _n_equal(one: Sequence[SessionEvent], other: Sequence[SessionEvent]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _reps(events: Sequence[SessionEvent]) -> list[SessionEvent]:
    return [event for event in events if isinstance(event, _Rep)]


def _quality(events: Sequence[SessionEvent]) -> list[SessionEvent]:
    return [event for event in events if isinstance(event, QualityChanged)]

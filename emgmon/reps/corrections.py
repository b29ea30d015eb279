"""A person's corrections are decisions about stretches of time, and stand above whatever is found there."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from emgmon.events import HOP_RATE_HZ
from emgmon.reps.found import Found, RepFound, RestLeft, RestResumed


@dataclass(frozen=True, slots=True)
class RepAdded:
    """There is a repetition here. Times are session seconds, ``start_s < turn_s < end_s``.

    A found repetition that overlaps it by more than half of the shorter of the two is the same one: it
    gets these edges.
    """

    start_s: float
    turn_s: float
    end_s: float
    side: str | None = None


@dataclass(frozen=True, slots=True)
class RepRemoved:
    """There is no repetition here: whatever turns from ``start_s`` to ``end_s`` is none."""

    at_s: float
    """Where the person pointed to."""
    start_s: float
    """Edges that the repetition had when it was removed."""
    end_s: float


@dataclass(frozen=True, slots=True)
class RepMoved:
    """The repetition that turns from ``was_start_s`` to ``was_end_s`` has other edges.

    It is there even when nothing is found any more. Of several that are found there, the one that overlaps
    the new edges most is meant, and the others are none.
    """

    at_s: float
    """Its turn when it was moved."""
    was_start_s: float
    was_end_s: float
    start_s: float
    end_s: float
    turn_s: float | None = None
    """``None`` where the turn stays as it is found, or as it was."""


Correction = RepAdded | RepRemoved | RepMoved
"""What a person may say about repetitions; a later one is about what the earlier ones left."""


@dataclass(frozen=True, slots=True)
class CorrectedParams:
    """What may be tuned."""

    news_delay_s: float = 2.0
    """Segmentation reports an edge, a leaving of rest or a return to it at most this long afterwards.
    When something is put between, the result runs so far behind the movement signal."""
    patience_s: float = 1.0
    """A repetition may be found to end this much later than a person said, and still be the same one."""
    same_share: float = 0.5
    """Two repetitions are the same when they share more than this of the shorter one."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Hops from ``first`` to ``last``."""

    first: int
    last: int

    def holds(self, hop: int) -> bool:
        return self.first <= hop <= self.last

    def shared(self, other: "_Stretch") -> int:
        """Hops that two stretches have in common."""
        return max(0, min(self.last, other.last) - max(self.first, other.first))

    def mostly(self, other: "_Stretch", share: float) -> bool:
        shorter = min(self.last - self.first, other.last - other.first)
        return self.shared(other) > share * shorter


@dataclass(frozen=True, slots=True)
class _Claim:
    """Which found repetitions a decision is about."""

    turns: tuple[_Stretch, ...] = ()
    """Those that turn in one of these ..."""
    spans: tuple[_Stretch, ...] = ()
    """... and those that lie mostly in one of these."""

    def holds(self, found: RepFound, share: float) -> bool:
        span = _span(found)
        return any(turns.holds(found.turn_hop) for turns in self.turns) or any(
            own.mostly(span, share) for own in self.spans
        )


@dataclass(frozen=True, slots=True)
class _Put:
    """A repetition that a person has put somewhere, in place of what is found there."""

    claim: _Claim
    span: _Stretch
    turn_hop: int
    turn_is_given: bool
    origin: str
    side: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What holds in the end."""

    puts: tuple[_Put, ...]
    """In order of their end."""
    gone: tuple[_Claim, ...]
    """Where nothing is to be."""


@dataclass(slots=True)
class CorrectedState:
    """What one hop leaves for the next."""

    next_hop: int = 0
    """How far the movement signal has come."""
    n_begun: int = 0
    """How many of those put in, in order of their start, have begun."""
    n_given: int = 0
    """How many of those put in, in order of their end, were handed on."""
    met: list[RepFound | None] = field(default_factory=list)
    """What was found of each one put in, in order of their end."""
    away: bool = False
    """Segmentation says that a repetition may be under way."""
    told_away: bool = False
    """What was handed on about that."""

    def copy(self) -> "CorrectedState":
        """Independent copy, for a checkpoint."""
        return replace(self, met=self.met.copy())


class Corrected:
    """Puts found repetitions in order by what a person has said about them, in live order.

    Removed ones are left out and those put in between come in order of their end. What is handed on is
    again what a segmentation says: rest is left, and then resumed or ended by a repetition. The result
    does not depend on how the hops were cut. Without corrections everything is handed on as it comes.

    Parameters
    ----------
    corrections
        All that hold, in the order in which they were made. They have to be known beforehand.
    """

    def __init__(self, corrections: Sequence[Correction], params: CorrectedParams | None = None) -> None:
        self.params = params or CorrectedParams()
        self._plan = _plan(corrections)
        self._starts = sorted(put.span.first for put in self._plan.puts)
        self._delay_hops = round(self.params.news_delay_s * HOP_RATE_HZ) if self._plan.puts else 0
        self._patience_hops = round(self.params.patience_s * HOP_RATE_HZ)
        self._state = CorrectedState(met=[None] * len(self._plan.puts))

    @property
    def state(self) -> CorrectedState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: CorrectedState) -> None:
        self._state = state.copy()

    @property
    def settled_hop(self) -> int:
        """Up to here nothing more will come, unless a repetition is under way.

        Behind the movement signal where a person has put repetitions; that is how far rests between
        sets may be measured.
        """
        return max(0, self._state.next_hop - self._delay_hops)

    def process(self, found: Iterable[Found], next_hop: int) -> list[Found]:
        """Take what was found while the movement signal came to a hop.

        Parameters
        ----------
        found
            In order of their hops: of noticing for rests, of ending for repetitions.
        next_hop
            Hop after the last that the movement signal has come to.
        """
        self._state.next_hop = max(self._state.next_hop, next_hop)
        if not self._plan.puts and not self._plan.gone:
            return list(found)
        handed = [news for item in found for news in self._take(item)]
        return [*handed, *self._pass(self.settled_hop)]

    def finish(self, found: Iterable[Found]) -> list[Found]:
        """Take what was found at the end of the movement signal, and close what is open.

        A repetition that a person put behind the end of the signal is not there: nothing tells of it.
        """
        state = self._state
        handed = self.process(found, state.next_hop)
        while (put := self._next()) is not None and put.span.last <= state.next_hop + self._patience_hops:
            handed.extend(self._pass(put.span.last))
            handed.extend(self._give_next())
        # What lies behind the end holds rest back no longer.
        state.n_begun = state.n_given
        handed.extend(self._tell(state.next_hop))
        return handed

    def side(self, rep: RepFound) -> str | None:
        """Tell the side that a person named for a repetition; ``None`` where none was named."""
        named = (put.side for put in self._plan.puts if put.span == _span(rep))
        return next((side for side in named if side is not None), None)

    def _take(self, item: Found) -> Iterator[Found]:
        state = self._state
        hop = item.end_hop if isinstance(item, RepFound) else item.hop
        yield from self._pass(hop)
        state.away = isinstance(item, RestLeft)
        if not isinstance(item, RepFound) or self._belongs(item):
            yield from self._tell(hop)
            return
        while (put := self._next()) is not None and put.span.last <= hop:
            yield from self._give_next()
        yield from self._give(item)

    def _belongs(self, found: RepFound) -> bool:
        """Whether a person has decided about a found repetition; notes it where it is wanted."""
        share, state, puts = self.params.same_share, self._state, self._plan.puts
        claiming = [i for i, put in enumerate(puts) if put.claim.holds(found, share)]
        waiting = [i for i in claiming if i >= state.n_given]
        if waiting:
            best = max(waiting, key=lambda i: puts[i].span.shared(_span(found)))
            wanted, met = puts[best].span, state.met[best]
            if wanted.shared(_span(found)) > (0 if met is None else wanted.shared(_span(met))):
                state.met[best] = found
        return bool(claiming) or any(claim.holds(found, share) for claim in self._plan.gone)

    def _next(self) -> _Put | None:
        """Look at the repetition put in that ends next."""
        given, puts = self._state.n_given, self._plan.puts
        return puts[given] if given < len(puts) else None

    def _pass(self, hop: int) -> Iterator[Found]:
        """Give what begins and ends before a hop."""
        state = self._state
        while True:
            start = self._starts[state.n_begun] if state.n_begun < len(self._starts) else math.inf
            due = self._due()
            if min(start, due) >= hop:
                return
            if start <= due:
                state.n_begun += 1
                yield from self._tell(int(start))
            else:
                yield from self._give_next()

    def _due(self) -> float:
        """When the repetition put in that ends next is waited for no longer."""
        put = self._next()
        if put is None:
            return math.inf
        if self._state.met[self._state.n_given] is not None:
            return put.span.last
        return max([put.span.last, *(turns.last for turns in put.claim.turns)]) + self._patience_hops

    def _give_next(self) -> Iterator[Found]:
        state = self._state
        put, met = self._plan.puts[state.n_given], state.met[state.n_given]
        state.n_given += 1
        yield from self._give(_rep(put, met))

    def _give(self, rep: RepFound) -> Iterator[Found]:
        yield rep
        self._state.told_away = False
        yield from self._tell(rep.end_hop)

    def _tell(self, hop: int) -> Iterator[Found]:
        """Say whether something may be under way, when that has changed."""
        state = self._state
        away = state.away or state.n_begun > state.n_given
        if away != state.told_away:
            state.told_away = away
            yield RestLeft(hop) if away else RestResumed(hop)


def _hop(time_s: float) -> int:
    return round(time_s * HOP_RATE_HZ)


def _stretch(start_s: float, end_s: float) -> _Stretch:
    return _Stretch(_hop(start_s), _hop(end_s))


def _span(rep: RepFound) -> _Stretch:
    return _Stretch(rep.start_hop, rep.end_hop)


def _plan(corrections: Sequence[Correction]) -> _Plan:
    """Gather what holds in the end: every correction is about what those before it left."""
    puts: list[_Put] = []
    gone: list[_Claim] = []
    for correction in corrections:
        match correction:
            case RepAdded(start_s, turn_s, end_s, side):
                span = _stretch(start_s, end_s)
                claim, turn_hop = _Claim(spans=(span,)), _hop(turn_s)
                puts.append(_Put(claim, span, turn_hop, turn_is_given=True, origin="added", side=side))
            case RepRemoved(_, start_s, end_s):
                span = _stretch(start_s, end_s)
                # Who removes what was put in does not want back what it had taken the place of.
                gone += [put.claim for put in puts if span.holds(put.turn_hop)]
                gone.append(_Claim(turns=(span,)))
                puts = [put for put in puts if not span.holds(put.turn_hop)]
            case RepMoved():
                _move(puts, correction)
    return _Plan(tuple(sorted(puts, key=lambda put: (put.span.last, put.span.first))), tuple(gone))


def _move(puts: list[_Put], moved: RepMoved) -> None:
    was, span = _stretch(moved.was_start_s, moved.was_end_s), _stretch(moved.start_s, moved.end_s)
    at = _hop(moved.at_s)
    turn, given = (at, False) if moved.turn_s is None else (_hop(moved.turn_s), True)
    if not span.first < turn < span.last:
        turn, given = (span.first + span.last) // 2, False
    put = min(
        (put for put in puts if was.holds(put.turn_hop)), key=lambda put: abs(put.turn_hop - at), default=None
    )
    if put is None:
        claim = _Claim((was,), (span,))
        puts.append(_Put(claim, span, turn, turn_is_given=given, origin="moved", side=None))
        return
    claim = _Claim((*put.claim.turns, was), (*put.claim.spans, span))
    given = given or put.turn_is_given
    puts[puts.index(put)] = replace(put, claim=claim, span=span, turn_hop=turn, turn_is_given=given)


def _rep(put: _Put, met: RepFound | None) -> RepFound:
    """Put a person's edges on what was found; phases are unknown where nothing fits."""
    first, last, turn = put.span.first, put.span.last, put.turn_hop
    if met is None or not first < met.turn_hop < last:
        # What was measured of another movement says nothing about this one.
        return RepFound(first, turn, turn, turn, last, range_m=None, origin=put.origin)
    if not put.turn_is_given:
        turn = met.turn_hop
    hold = back = turn
    if met.hold_hop <= turn <= met.back_hop:
        hold, back = max(first, met.hold_hop), min(last, met.back_hop)
    return replace(
        met, start_hop=first, hold_hop=hold, turn_hop=turn, back_hop=back, end_hop=last, origin=put.origin
    )

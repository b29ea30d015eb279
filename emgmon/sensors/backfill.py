"""Which missing samples to ask for next, and when: a planner that is told the time and never waits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from firmware_protocol.packets import SAMPLE_MODULUS
from firmware_protocol.reassembly import Span, StreamState, common, without
from firmware_protocol.resend import ResendAnswer, SampleRange

LONGEST_RANGE_S = 1.0
"""So much of one stream is asked for at once, and nothing more while it comes: what is on its way again never
holds up the live samples for long."""

GRACE_NS = 80_000_000
"""So long a gap may close by itself: a packet that was overtaken by the next one comes right behind it."""

NEXT_NS = 250_000_000
"""After so long without a sample of what was promised something else is asked for: if the sensor has not sent
everything yet it says that it is busy."""

PATIENCE_NS = 2_000_000_000
"""After so long without a sample of what was promised it is asked for again (SPEC 8.8)."""

FINISH_LIMIT_NS = 5_000_000_000
"""So long a session that is over goes on for what is missing."""

PROGRESS_LIMIT_NS = 2_000_000_000
"""Beyond that limit only while the last missing sample came no longer ago than this."""

LAST_LIMIT_NS = 15_000_000_000
"""Nobody waits longer for the end of a session, whatever still comes."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A missing span, and since when it is known."""

    stream: int
    span: Span
    since_ns: int


@dataclass(frozen=True, slots=True)
class _Promised:
    """What the sensor said that it will send again."""

    stream: int
    span: Span
    n_missing: int
    since_ns: int
    """When the last of it came, or when it was promised."""

    def look(self, missing: tuple[Span, ...], now_ns: int) -> "_Promised | None":
        """See how much of it has come; ``None`` when there is nothing more to wait for."""
        left = common(missing, self.span)
        n_missing = sum(stop - start for start, stop in left)
        since_ns = now_ns if n_missing < self.n_missing else self.since_ns
        last_is_here = not left or left[-1][1] < self.span[1]
        if last_is_here or now_ns - since_ns >= PATIENCE_NS:
            return None
        return replace(self, n_missing=n_missing, since_ns=since_ns)


class Backfill:
    """Plans the requests of one connection, one after the other.

    Parameters
    ----------
    rates_hz
        Of every stream, by its number.
    ring_ms
        How far back the sensor promises to have samples.
    """

    def __init__(self, rates_hz: Mapping[int, float], *, ring_ms: int) -> None:
        self._rates_hz = dict(rates_hz)
        self._ring_ms = ring_ms
        self._known: list[_Known] = []
        self._asked: tuple[int, Span] | None = None
        self._promised: list[_Promised] = []
        self._resume_ns: int | None = None
        self._last_stream: int | None = None

    def ask(self, streams: Sequence[StreamState], now_ns: int) -> SampleRange | None:
        """Choose what to ask for now; ``None`` when there is nothing, or something is coming.

        The caller tells what became of it by :meth:`answered` or :meth:`refused`.

        Parameters
        ----------
        streams
            What the receiver has and misses.
        now_ns
            A clock that never goes back.
        """
        self._note_missing(streams, now_ns)
        self._look_after_promises(streams, now_ns)
        if self._ring_ms == 0 or any(now_ns - promised.since_ns < NEXT_NS for promised in self._promised):
            return None
        if self._resume_ns is not None and now_ns < self._resume_ns:
            return None
        ripe = [(state, span) for state in streams if (span := self._oldest_ripe(state, now_ns)) is not None]
        if not ripe:
            return None
        return self._ask_for(*max(ripe, key=lambda one: self._urgency(*one)))

    def answered(self, answer: ResendAnswer, now_ns: int) -> None:
        """Take note of what the sensor still has of what was asked (OK or EXPIRED)."""
        asked, self._asked = self._asked, None
        if asked is None or not answer.held_count:
            return
        stream, (first, _) = asked
        held = first + (answer.held_first - first) % SAMPLE_MODULUS
        span = (held, held + answer.held_count)
        self._promised.append(_Promised(stream, span, answer.held_count, now_ns))

    def refused(self, now_ns: int) -> None:
        """Leave the sensor alone for a while: it is busy, or did not say what it has."""
        self._asked = None
        self._resume_ns = now_ns + PATIENCE_NS

    def _note_missing(self, streams: Iterable[StreamState], now_ns: int) -> None:
        """Remember since when each span is known; what is left of a known one is known as long."""
        known: list[_Known] = []
        for state in streams:
            before = [old for old in self._known if old.stream == state.stream]
            for span in state.missing:
                since = [old.since_ns for old in before if common((old.span,), span)]
                known.append(_Known(state.stream, span, min(since, default=now_ns)))
        self._known = known

    def _look_after_promises(self, streams: Iterable[StreamState], now_ns: int) -> None:
        """Let go of a promise once its last sample is here, or none has come for long."""
        missing = {state.stream: state.missing for state in streams}
        looked_after = [
            promised.look(missing.get(promised.stream, ()), now_ns) for promised in self._promised
        ]
        before = sum(promised.n_missing for promised in self._promised)
        self._promised = [promised for promised in looked_after if promised is not None]
        if sum(promised.n_missing for promised in self._promised) < before:
            # A sensor that was busy is busy no longer, or with what is coming right now.
            self._resume_ns = None

    def _oldest_ripe(self, state: StreamState, now_ns: int) -> Span | None:
        """Give the oldest span that will not close by itself, and is not promised."""
        promised = [one.span for one in self._promised if one.stream == state.stream]
        spans: list[Span] = []
        for known in self._known:
            if known.stream == state.stream and now_ns - known.since_ns >= GRACE_NS:
                left: tuple[Span, ...] = (known.span,)
                for span in promised:
                    left = without(left, span)
                spans += left
        return min(spans, default=None)

    def _urgency(self, state: StreamState, span: Span) -> tuple[float, bool]:
        """Older samples go first, for they expire first; of two as old those of another stream."""
        age_s = (_next_sample(state) - span[0]) / self._rates_hz[state.stream]
        return age_s, state.stream != self._last_stream

    def _ask_for(self, state: StreamState, span: Span) -> SampleRange:
        rate_hz = self._rates_hz[state.stream]
        # What the ring need not have any more is asked for in one go: the answer says what of it is final.
        surely_held = _next_sample(state) - math.floor(self._ring_ms * rate_hz / 1000)
        start = max(span[0], surely_held)
        stop = min(span[1], start + max(1, math.floor(LONGEST_RANGE_S * rate_hz)))
        self._asked, self._last_stream = (state.stream, (span[0], stop)), state.stream
        return SampleRange(state.stream, span[0] % SAMPLE_MODULUS, stop - span[0])


def _next_sample(state: StreamState) -> int:
    # Nothing can be missing before the first sample.
    assert state.next_sample is not None
    return state.next_sample


def n_missing(streams: Iterable[StreamState]) -> int:
    """Count the samples of all streams that did not come and still may."""
    return sum(stop - start for state in streams for start, stop in state.missing)


def is_worth_waiting(*, waited_ns: int, since_progress_ns: int) -> bool:
    """Whether a session that is over goes on a little longer for what is missing."""
    if waited_ns < FINISH_LIMIT_NS:
        return True
    return since_progress_ns < PROGRESS_LIMIT_NS and waited_ns < LAST_LIMIT_NS

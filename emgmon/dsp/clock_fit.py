"""A sensor's clock laid over the host's: nothing arrives before it is sent, and that alone sets the limits.

Of a message from host to sensor, the host's time of sending less the device's time of receipt is never more
than the offset between the clocks (host less device); of one from sensor to host, arrival less sending is
never less. So every exchange and every arrival is a limit, and the lines that break none are the offsets and
drifts the clocks can have (Duda, Harrus, Haddad and Bernard 1987, Estimating global time in distributed
systems, Proc 7th ICDCS; for arrivals alone Moon, Skelly and Towsley 1999, 10.1109/INFCOM.1999.749287). The
quickest message sets the narrowest limit, as in the minimum filter of NTP (Mills et al 2010, RFC 5905,
section 10) and in Cristian 1989 (10.1007/BF01784024); one that was late by seconds sets none that matters.

No model of the delays is needed. A connection interval makes them coarse and lopsided, the middle between the
limits is off by as much, and the interval reaches from one limit to the other. The rate of a crystal wanders
with its temperature, so a limit is loosened by what the offset may have strayed since: so it is forgotten.
"""

import math
from dataclasses import dataclass, replace

from emgmon.dsp.clock_limits import Allowance, LimitKind, OffsetLimit, OffsetLines, limited_offset


@dataclass(frozen=True, slots=True)
class TimeExchange:
    """Question and answer between host and sensor; device times are unwrapped."""

    host_sent_ns: int
    device_received_us: int
    device_sent_us: int
    host_received_ns: int

    @property
    def round_trip_ns(self) -> int:
        """Time on the way, there and back (RFC 5905, section 8: delta)."""
        on_device_us = self.device_sent_us - self.device_received_us
        return self.host_received_ns - self.host_sent_ns - 1000 * on_device_us

    @property
    def earliest_offset_ns(self) -> int:
        """Host less device, had the question taken no time: the least that the offset can be."""
        return self.host_sent_ns - 1000 * self.device_received_us

    @property
    def latest_offset_ns(self) -> int:
        """Host less device, had the answer taken no time: the most that the offset can be."""
        return self.host_received_ns - 1000 * self.device_sent_us

    @property
    def offset_ns(self) -> int:
        """Host less device, had both ways taken as long (RFC 5905, section 8: theta); rounded down.

        Wrong by up to half of `round_trip_ns`.
        """
        return (self.earliest_offset_ns + self.latest_offset_ns) // 2

    @property
    def device_midpoint_us(self) -> int:
        """Device time that `offset_ns` belongs to; rounded down."""
        return (self.device_received_us + self.device_sent_us) // 2


@dataclass(frozen=True, slots=True)
class ClockFitParams:
    """What is taken for granted about clocks and radios."""

    longest_round_trip_ns: int = 4_000_000_000
    """An exchange that took longer waited for a lost link and limits nothing."""
    stamp_tolerance_ns: int = 100_000
    """How true a sensor's time stamp is: what SPEC 8.5 asks for, three ticks of a 32,768 Hz clock."""
    largest_drift_ppm: float = 500.0
    """Bluetooth allows a sleep clock no more (Core 5.4, Vol 6, Part B, 4.2.2); crystals reach 200."""
    wander_ppm_per_min: float = 0.2
    """Most that drift changes: twice what a crystal does on a body. In 10 min that makes 0.6 ms of offset."""
    slowest_best_delay_ns: int = 60_000_000
    """Where no exchange helps: of half a minute's packets the quickest took no longer. Packets made in step
    with the connection events all wait as long, up to an interval of 50 ms; 10 ms are for radio and host."""
    second_ns: int = 1_000_000_000
    """Of the arrivals in this time the quickest is kept."""
    seconds_per_stretch: int = 30
    """So many of those with arrivals are the half minute of `slowest_best_delay_ns`; a stall is shorter."""
    memory_s: float = 3600.0
    """Older limits are let go of: wander has loosened them by more than 20 ms."""
    most_limits: int = 64
    """Of one kind; the oldest goes. Real delays leave about twenty, the lines of a hull."""
    contradictions: int = 3
    """So many in a row that cannot be true beside what is known are believed against it: a clock stepped (the
    host slept). Fewer are wrong time stamps."""

    @property
    def allowance(self) -> Allowance:
        """What is granted to every limit."""
        return Allowance(
            stamp_ns=self.stamp_tolerance_ns,
            wander_ns_per_s2=self.wander_ppm_per_min * 1000.0 / 60.0,
            steepest_ns_per_s=self.largest_drift_ppm * 1000.0,
            best_delay_ns=self.slowest_best_delay_ns,
        )


Evidence = tuple[OffsetLimit, ...]
"""What is believed or not together: both limits of an exchange, or one from arrivals."""


@dataclass(frozen=True, slots=True)
class ClockFitState:
    """All that the past leaves to the future."""

    limits: tuple[OffsetLimit, ...] = ()
    """In order of kind and device time, without those that others make superfluous."""
    aside: tuple[Evidence, ...] = ()
    """What contradicted the limits, and waits for more of its kind."""
    second_begins_ns: int | None = None
    """Host time from which arrivals are collected now; ``None`` before the first."""
    second_quickest: OffsetLimit | None = None
    stretch_quickest: OffsetLimit | None = None
    stretch_seconds: int = 0
    n_exchanges: int = 0
    """All that were added."""
    n_left_out: int = 0
    """Exchanges that cannot be (answered before they were asked) or were too slow."""
    n_contradicting: int = 0
    """Exchanges, seconds and stretches of arrivals that contradicted what was known."""
    n_restarts: int = 0
    """How often the older evidence was given up for what contradicted it."""


class ClockFit:
    """Offset and drift of one sensor's clock, from one start of the sensor to the next.

    What it says depends on nothing but the sequence of what was added.

    Parameters
    ----------
    params
        What is taken for granted.
    """

    def __init__(self, params: ClockFitParams | None = None) -> None:
        self._params = params or ClockFitParams()
        self._allowance = self._params.allowance
        self.state = ClockFitState()

    @property
    def state(self) -> ClockFitState:
        """All that the past leaves to the future; immutable, and settable."""
        return replace(
            self._state,
            second_begins_ns=None if self._begins_ns == math.inf else int(self._begins_ns),
            second_quickest=self._quickest,
        )

    @state.setter
    def state(self, state: ClockFitState) -> None:
        self._state = state
        self._lines: OffsetLines | None = None
        if state.limits:
            self._believe(())
        # Held bare, as hundreds of arrivals a second are compared with them.
        begins_ns, quickest = state.second_begins_ns, state.second_quickest
        self._begins_ns = math.inf if begins_ns is None else begins_ns
        self._ends_ns = self._begins_ns + self._params.second_ns
        self._quickest_ns = math.inf if quickest is None else quickest.offset_ns
        self._quickest_us = 0 if quickest is None else quickest.device_us

    def add(self, exchange: TimeExchange) -> None:
        """Take an exchange, in any order; one that cannot be is left out and counted."""
        state = self._state
        possible = self._is_possible(exchange)
        self._state = replace(
            state, n_exchanges=state.n_exchanges + 1, n_left_out=state.n_left_out + (not possible)
        )
        if possible:
            earliest_ns, latest_ns = exchange.earliest_offset_ns, exchange.latest_offset_ns
            self._weigh(
                OffsetLimit(LimitKind.EARLIEST, exchange.device_received_us, earliest_ns),
                OffsetLimit(LimitKind.LATEST, exchange.device_sent_us, latest_ns),
            )

    def add_arrival(self, device_us: int, arrival_ns: int) -> None:
        """Take the arrival of a packet; those of a second are weighed together, when it is over.

        Parameters
        ----------
        device_us
            Device time of the newest sample in it. That of an older one is as true, and says less.
        arrival_ns
            Host time.
        """
        offset_ns = arrival_ns - 1000 * device_us
        if self._begins_ns <= arrival_ns < self._ends_ns:
            if offset_ns < self._quickest_ns:
                self._quickest_ns, self._quickest_us = offset_ns, device_us
            return
        self._end_second()
        self._begins_ns = arrival_ns // self._params.second_ns * self._params.second_ns
        self._ends_ns = self._begins_ns + self._params.second_ns
        self._quickest_ns, self._quickest_us = offset_ns, device_us
        if not self._state.limits:
            self._weigh(OffsetLimit(LimitKind.LATEST, device_us, offset_ns))

    @property
    def known(self) -> bool:
        """Whether anything was learnt yet."""
        return self._lines is not None

    @property
    def knows_delay(self) -> bool:
        """Whether an exchange limits the offset from below; else a longest delay is taken for granted."""
        return any(limit.kind is LimitKind.EARLIEST for limit in self._state.limits)

    def host_ns(self, device_us: int) -> float | None:
        """Where a device time lies on the host's clock: on the middle of all lines that break no limit.

        Returns
        -------
        float or None
            Nanoseconds; of a host clock that counts from 1970 rounded to 256 ns. ``None`` before anything is
            known.
        """
        if self._lines is None:
            return None
        middle_ns = self._lines.middle_ns(self._lines.seconds(device_us))
        return 1000 * device_us + self._lines.base_offset_ns + middle_ns

    def device_us(self, host_ns: float) -> float | None:
        """Which device time a host time is: the inverse of `host_ns`, to its rounding.

        Returns
        -------
        float or None
            Microseconds; ``None`` before anything is known.
        """
        lines = self._lines
        if lines is None:
            return None
        since_ns = host_ns - (1000 * lines.device_us + lines.base_offset_ns) - lines.offset_ns
        return lines.device_us + since_ns / (1e3 + 1e-6 * lines.drift_ns_per_s)

    def uncertainty_ns(self, device_us: float) -> float | None:
        """Half width of the 95 % interval of `host_ns`.

        It reaches to the farther of the least and the greatest offset that break no limit. So it holds the
        truth more often than 95 times in 100, however lopsided the delays: always, while stamps, wander and
        (without exchanges) the quickest delay are within `ClockFitParams`. Away from the data it grows with
        the range of the drift and the square of the time.

        Returns
        -------
        float or None
            Nanoseconds; ``None`` before anything is known.
        """
        if self._lines is None:
            return None
        device_s = self._lines.seconds(device_us)
        low, high = self._lines.range_ns(device_s)
        middle = self._lines.middle_ns(device_s)
        return max(high - middle, middle - low) + self._allowance.strayed_ns(device_s)

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the host's clock runs than the device's, at the newest limit.

        ``None`` while any drift is possible that a clock may have.
        """
        if self._lines is None or self.drift_uncertainty_ppm is None:
            return None
        return self._lines.drift_ns_per_s / 1e3

    @property
    def drift_uncertainty_ppm(self) -> float | None:
        """Half width of the 95 % interval of `drift_ppm`: it reaches to the farther end of the possible."""
        if self._lines is None:
            return None
        least, most = min(self._lines.corner_drift_ns_per_s), max(self._lines.corner_drift_ns_per_s)
        if most - least >= 2.0 * self._allowance.steepest_ns_per_s:
            return None
        middle = self._lines.drift_ns_per_s
        return max(most - middle, middle - least) / 1e3

    @property
    def _quickest(self) -> OffsetLimit | None:
        if self._quickest_ns == math.inf:
            return None
        return OffsetLimit(LimitKind.LATEST, self._quickest_us, int(self._quickest_ns))

    def _is_possible(self, exchange: TimeExchange) -> bool:
        least_ns = -2 * self._params.stamp_tolerance_ns
        return (
            exchange.host_received_ns >= exchange.host_sent_ns
            and exchange.device_sent_us >= exchange.device_received_us
            and least_ns <= exchange.round_trip_ns <= self._params.longest_round_trip_ns
        )

    def _end_second(self) -> None:
        quickest = self._quickest
        if quickest is None or not self._weigh(quickest):
            return
        state = self._state
        known = state.stretch_quickest
        best = quickest if known is None or quickest.offset_ns < known.offset_ns else known
        n_seconds = state.stretch_seconds + 1
        if n_seconds < self._params.seconds_per_stretch:
            self._state = replace(state, stretch_quickest=best, stretch_seconds=n_seconds)
            return
        self._state = replace(state, stretch_quickest=None, stretch_seconds=0)
        assumed_ns = best.offset_ns - self._params.slowest_best_delay_ns
        self._weigh(OffsetLimit(LimitKind.ASSUMED_EARLIEST, best.device_us, assumed_ns))

    def _weigh(self, *evidence: OffsetLimit) -> bool:
        """Believe what can be true beside what is known, and say so; put the rest aside."""
        kinds = [limit.kind for limit in evidence]
        if self._is_believable(evidence):
            aside = tuple(other for other in self._state.aside if [limit.kind for limit in other] != kinds)
            self._state = replace(self._state, aside=aside)
            self._believe(evidence)
            return True
        # What is merely assumed counts for nothing against what was measured.
        if LimitKind.ASSUMED_EARLIEST not in kinds or not self.knows_delay:
            aside = (*self._state.aside, evidence)
            self._state = replace(self._state, aside=aside, n_contradicting=self._state.n_contradicting + 1)
            if len(aside) >= self._params.contradictions:
                self._restart()
        return False

    def _restart(self) -> None:
        """Begin anew with what contradicted, and what came since and goes with it, the newest first.

        Nothing older is kept: a step would pass for drift over the time between.
        """
        state = self._state
        since_us = min(limit.device_us for evidence in state.aside for limit in evidence)
        later = sorted(
            (limit for limit in state.limits if limit.device_us >= since_us),
            key=lambda limit: -limit.device_us,
        )
        self._state = replace(state, limits=(), aside=(), n_restarts=state.n_restarts + 1)
        self._lines = None
        for evidence in (*reversed(state.aside), *((limit,) for limit in later)):
            if self._is_believable(evidence):
                self._believe(evidence)

    def _is_believable(self, evidence: Evidence) -> bool:
        lines = self._lines
        if lines is None:
            return True
        for limit in evidence:
            device_s = lines.seconds(limit.device_us)
            low, high = lines.range_ns(device_s)
            offset_ns = limit.offset_ns - lines.base_offset_ns
            beyond_ns = low - offset_ns if limit.kind is LimitKind.LATEST else offset_ns - high
            if beyond_ns > self._allowance.slack_ns(device_s):
                return False
        return True

    def _believe(self, evidence: Evidence) -> None:
        limits = (*self._state.limits, *evidence)
        known = limited_offset(
            limits, self._allowance, memory_s=self._params.memory_s, most=self._params.most_limits
        )
        self._state = replace(self._state, limits=known.limits)
        self._lines = known.lines


@dataclass(frozen=True, slots=True)
class MappedTime:
    """A moment on the clock of another sensor."""

    device_us: float
    uncertainty_us: float
    """Half width of the 95 % interval."""


def between(a: ClockFit, b: ClockFit, device_us: int) -> MappedTime | None:
    """Carry a device time of sensor B over to the clock of sensor A, both fitted to the same host.

    The uncertainties are added, not their squares: both delays may lean the same way.

    Returns
    -------
    MappedTime or None
        ``None`` while either clock is unknown.
    """
    host_ns, b_ns = b.host_ns(device_us), b.uncertainty_ns(device_us)
    mapped_us = None if host_ns is None else a.device_us(host_ns)
    a_ns = None if mapped_us is None else a.uncertainty_ns(mapped_us)
    if mapped_us is None or a_ns is None or b_ns is None:
        return None
    return MappedTime(mapped_us, (a_ns + b_ns) / 1e3)


@dataclass(frozen=True, slots=True)
class TimeAway:
    """How long nothing was measured."""

    away_ns: float
    uncertainty_ns: float
    """Half width of the 95 % interval."""


def time_away(before: ClockFit, last_us: int, after: ClockFit, first_us: int) -> TimeAway | None:
    """Host time between a sensor's last moment before it began anew and its first one after.

    Parameters
    ----------
    before, after
        Fits of the two starts of the sensor to the same host.
    last_us, first_us
        Device times, each on the clock of its own start.

    Returns
    -------
    TimeAway or None
        ``None`` while either clock is unknown.
    """
    last_ns, last_uncertainty_ns = before.host_ns(last_us), before.uncertainty_ns(last_us)
    first_ns, first_uncertainty_ns = after.host_ns(first_us), after.uncertainty_ns(first_us)
    if last_ns is None or first_ns is None or last_uncertainty_ns is None or first_uncertainty_ns is None:
        return None
    return TimeAway(first_ns - last_ns, last_uncertainty_ns + first_uncertainty_ns)

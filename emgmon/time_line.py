"""Every sensor's clock on the session's time line: the first sensor's own clock, by way of the host's."""

from collections.abc import Sequence
from dataclasses import dataclass

from emgmon.dsp.clock_fit import ClockFit, ClockFitState, TimeExchange, between
from firmware_protocol.receiver import TimeAnswered

CATCH_UP_S = 10.0
"""So long a deviation from the time line takes to be made good; exchanges come about as often."""

MOST_STRETCH = 0.005
"""A second of a sensor is never made longer or shorter than by this, so that no movement is distorted."""

SMALLEST_CORRECTION_S = 0.0002
"""A smaller deviation with no drift to speak of is left alone: it is what the fit wavers by."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a moment of a sensor's clock lies on the time line, and how time goes on from there."""

    device_us: int
    session_s: float
    stretch: float = 1.0
    """Session seconds that a second of the sensor takes."""

    def seconds(self, device_us: int) -> float:
        """Session time of a device time."""
        return self.session_s + (device_us - self.device_us) / 1e6 * self.stretch


@dataclass(frozen=True, slots=True)
class TimeLineState:
    """All that the past leaves to the future."""

    fits: tuple[ClockFitState, ...]
    places: tuple[Place | None, ...]
    first: int | None
    opened_ns: int
    unplaced: frozenset[int]


class TimeLine:
    """Lays the clocks of several sensors side by side.

    Session time is the clock of the sensor that answered START first, from that START on. The clock of every
    other is laid over it through the host's clock (`ClockFit`) and follows it smoothly from then on. Before
    both clocks are known through exchanges, the arrival of the answers to START is what there is.

    Parameters
    ----------
    n_sensors
        How many there are.
    """

    def __init__(self, n_sensors: int) -> None:
        self._fits = [ClockFit() for _ in range(n_sensors)]
        self._places: list[Place | None] = [None] * n_sensors
        self._first: int | None = None
        self._opened_ns = 0
        self._unplaced: frozenset[int] = frozenset()
        """Sensors whose clock began anew and whose START has not told where it goes on."""

    @property
    def state(self) -> TimeLineState:
        """All that the past leaves to the future; settable."""
        fits = tuple(fit.state for fit in self._fits)
        return TimeLineState(fits, tuple(self._places), self._first, self._opened_ns, self._unplaced)

    @state.setter
    def state(self, state: TimeLineState) -> None:
        for fit, kept in zip(self._fits, state.fits, strict=True):
            fit.state = kept
        self._places, self._first = list(state.places), state.first
        self._opened_ns, self._unplaced = state.opened_ns, state.unplaced

    def place(self, sensor: int) -> Place | None:
        """Where a sensor's clock lies now; ``None`` before it has started."""
        return self._places[sensor]

    def begin(self, sensor: int, device_us: int, arrival_ns: int) -> Place:
        """Place the clock of a sensor that starts; a later start changes nothing.

        Parameters
        ----------
        device_us
            Device time of its START.
        arrival_ns
            When the answer to it came.
        """
        place = self._places[sensor]
        if place is not None:
            return place
        if self._first is None:
            self._first, self._opened_ns = sensor, arrival_ns
            place = Place(device_us, 0.0)
        else:
            place = self._beside_first(sensor, device_us, arrival_ns)
        self._places[sensor] = place
        self._unplaced -= {sensor}
        return place

    def _beside_first(self, sensor: int, device_us: int, arrival_ns: int) -> Place:
        truth_s = self._true_seconds(sensor, device_us)
        session_s = (arrival_ns - self._opened_ns) / 1e9 if truth_s is None else truth_s
        # Nothing may come before the session begins.
        return Place(device_us, max(0.0, session_s))

    def _true_seconds(self, sensor: int, device_us: int) -> float | None:
        """Session time of a device time by the fits; ``None`` while one of them is unknown."""
        if self._first is None or self._first in self._unplaced:
            return None
        reference = self._places[self._first]
        mapped = between(self._fits[self._first], self._fits[sensor], device_us)
        if reference is None or mapped is None:
            return None
        return reference.session_s + (mapped.device_us - reference.device_us) / 1e6

    def where(self, sensor: int, device_us: int) -> float | None:
        """Session time of a clock that began anew, by the fits; ``None`` for the first sensor's.

        It is ``None`` too while one of the fits is unknown.
        """
        return None if sensor == self._first else self._true_seconds(sensor, device_us)

    def uncertainty_s(self, sensor: int) -> float | None:
        """Half width of the 95 % interval of where a sensor lies; ``None`` when that is not known.

        The first sensor makes the time line and is exact.
        """
        place = self._places[sensor]
        if place is None or self._first is None:
            return None
        if sensor == self._first:
            return 0.0
        if {sensor, self._first} & self._unplaced:
            return None
        first, other = self._fits[self._first], self._fits[sensor]
        if not (first.knows_delay and other.knows_delay):
            return None
        mapped = between(first, other, place.device_us)
        return None if mapped is None else mapped.uncertainty_us / 1e6

    def reboot(self, sensor: int) -> None:
        """Forget what was known of a clock that began anew."""
        self._fits[sensor] = ClockFit()
        self._unplaced |= {sensor}

    def resume(self, sensor: int, device_us: int, session_s: float) -> None:
        """Place a clock that began anew."""
        self._places[sensor] = Place(device_us, session_s)
        self._unplaced -= {sensor}

    def learn(
        self,
        sensor: int,
        answered: TimeAnswered,
        arrival_ns: int,
        quickest: tuple[int, int] | None,
    ) -> Place | None:
        """Take an exchange of times, and find how the clock of its sensor should go on.

        Parameters
        ----------
        quickest
            Device time of the last sample of the data notification that came quickest since the last
            exchange, and when it arrived; ``None`` when none came.

        Returns
        -------
        Place or None
            From where and how fast it goes on; ``None`` where nothing changes.
        """
        fit = self._fits[sensor]
        if quickest is not None:
            fit.add_arrival(*quickest)
        fit.add(
            TimeExchange(
                host_sent_ns=answered.host_sent_ns,
                device_received_us=answered.device_received_us,
                device_sent_us=answered.device_sent_us,
                host_received_ns=arrival_ns,
            )
        )
        place = self._places[sensor]
        if place is None or sensor == self._first or sensor in self._unplaced:
            return None
        return self._corrected(sensor, place, answered.device_sent_us)

    def _corrected(self, sensor: int, place: Place, device_us: int) -> Place | None:
        """Aim at where the clock should be a while from now."""
        later_us = device_us + round(CATCH_UP_S * 1e6)
        aim_s = self._true_seconds(sensor, later_us)
        if aim_s is None:
            return None
        shown_s = place.seconds(device_us)
        stretch = (aim_s - shown_s) / CATCH_UP_S
        stretch = min(max(stretch, 1.0 - MOST_STRETCH), 1.0 + MOST_STRETCH)
        if abs(stretch - place.stretch) * CATCH_UP_S < SMALLEST_CORRECTION_S:
            return None
        corrected = Place(device_us, shown_s, stretch)
        self._places[sensor] = corrected
        return corrected


def notes_on_clocks(line: TimeLine, n_sensors: int) -> Sequence[str]:
    """Sentences on how well the sensors of a session lie beside each other."""
    said = []
    for sensor in range(1, n_sensors):
        within_s = line.uncertainty_s(sensor)
        if line.place(sensor) is None:
            continue
        if within_s is None:
            said.append(
                f"sensor {sensor} lies beside sensor 0 by when its answers arrived, which may be off by some"
                " tens of milliseconds"
            )
        else:
            said.append(f"sensor {sensor} lies beside sensor 0 to within {1e3 * within_s:.0f} ms")
    return said

"""Clocks of several sensors, with offsets, drift and a radio in between, come to lie on one time line."""

from dataclasses import dataclass

import numpy as np
import pytest

from emgmon.dsp.timeline import SampleClock
from emgmon.time_line import TimeLine, notes_on_clocks
from firmware_protocol.receiver import TimeAnswered


@dataclass
class SensorClock:
    """A crystal: what it shows when so many true seconds have passed."""

    offset_us: int
    drift_ppm: float

    def us(self, true_s):
        return round(self.offset_us + true_s * 1e6 * (1 + self.drift_ppm * 1e-6))


class Bench:
    """Two sensors and a host whose clock shows true time; exchanges take a connection interval or two."""

    def __init__(self, *clocks, interval_s=0.015, seed=1):
        self.clocks, self.line = clocks, TimeLine(len(clocks))
        self.chance, self.interval_s = np.random.default_rng(seed), interval_s

    def start(self, sensor, at_s):
        arrival_ns = round((at_s + self.chance.uniform(0.005, 0.03)) * 1e9)
        return self.line.begin(sensor, self.clocks[sensor].us(at_s), arrival_ns)

    def exchange(self, sensor, at_s):
        there, back = self.chance.uniform(0.001, self.interval_s, 2).tolist()
        back += self.interval_s
        received_s, arrival_s = at_s + there, at_s + there + back
        clock = self.clocks[sensor]
        answered = TimeAnswered(round(at_s * 1e9), clock.us(received_s), clock.us(received_s))
        data_s = at_s - 0.5
        quickest = (clock.us(data_s), round((data_s + self.chance.uniform(0.001, 0.004)) * 1e9))
        return self.line.learn(sensor, answered, round(arrival_s * 1e9), quickest)

    def shown_s(self, sensor, true_s):
        return self.line.place(sensor).seconds(self.clocks[sensor].us(true_s))


@pytest.mark.parametrize("drift_ppm", [0.0, 40.0, -90.0])
def test_a_second_sensor_stays_beside_the_first_for_an_hour(drift_ppm):
    bench = Bench(SensorClock(5_000_000, 20.0), SensorClock(987_654_321, 20.0 + drift_ppm))
    for k in range(8):
        bench.exchange(0, 0.5 + 0.05 * k)
        bench.exchange(1, 0.6 + 0.05 * k)
    bench.start(0, 2.0)
    bench.start(1, 2.2)
    errors_ms = []
    for k in range(360):
        at_s = 10.0 + 10.0 * k
        bench.exchange(0, at_s)
        bench.exchange(1, at_s + 0.1)
        errors_ms.append(1e3 * abs(bench.shown_s(1, at_s + 5.0) - bench.shown_s(0, at_s + 5.0)))
    # The delay of half an interval here and none there is what nobody can know.
    assert max(errors_ms[30:]) < 10.0
    assert np.median(errors_ms) < 5.0


def test_without_exchanges_the_answers_to_start_lay_a_sensor_within_some_tens_of_milliseconds():
    bench = Bench(SensorClock(0, 0.0), SensorClock(123_000_000, 0.0))
    bench.start(0, 1.0)
    bench.start(1, 4.0)
    assert bench.shown_s(1, 9.0) == pytest.approx(bench.shown_s(0, 9.0), abs=0.04)
    assert bench.line.uncertainty_s(1) is None
    (note,) = notes_on_clocks(bench.line, 2)
    assert "tens of milliseconds" in note


def test_the_first_sensor_is_the_time_line_and_never_moves():
    bench = Bench(SensorClock(77, 300.0), SensorClock(0, 0.0))
    bench.start(0, 1.0)
    before = bench.line.place(0)
    for k in range(20):
        assert bench.exchange(0, 1.1 + k) is None
        bench.exchange(1, 1.2 + k)
    assert bench.line.place(0) == before
    assert bench.line.uncertainty_s(0) == 0.0


def test_the_interval_that_is_told_covers_the_error():
    bench = Bench(SensorClock(5, -30.0), SensorClock(10**9, 60.0), interval_s=0.05, seed=3)
    for k in range(8):
        bench.exchange(0, 0.5 + 0.1 * k)
        bench.exchange(1, 0.55 + 0.1 * k)
    bench.start(0, 2.0)
    bench.start(1, 2.5)
    within_s = bench.line.uncertainty_s(1)
    assert within_s is not None
    assert abs(bench.shown_s(1, 3.0) - bench.shown_s(0, 3.0)) < within_s


def test_a_time_line_restored_in_mid_session_goes_on_alike():
    clocks = SensorClock(0, 10.0), SensorClock(99, -10.0)
    one, other = Bench(*clocks), Bench(*clocks)
    one.start(0, 0.0)
    one.start(1, 0.5)
    for k in range(5):
        one.exchange(0, 1.0 + k)
        one.exchange(1, 1.1 + k)
    other.line.state = one.line.state
    other.chance.bit_generator.state = one.chance.bit_generator.state
    assert [one.exchange(1, 20.0 + k) for k in range(5)] == [other.exchange(1, 20.0 + k) for k in range(5)]
    assert one.line.state == other.line.state


def test_nothing_lies_before_the_session_begins():
    bench = Bench(SensorClock(0, 0.0), SensorClock(0, 0.0))
    bench.line.begin(0, 1_000_000, 2_000_000_000)
    assert bench.line.begin(1, 5_000_000, 1_000_000_000).session_s == 0.0


def test_a_clock_that_changes_its_pace_does_not_jump():
    clock = SampleClock(100, 3.0, 2000.0)
    faster = clock.stretched(5100, 1.0001)
    assert faster.seconds(5100) == clock.seconds(5100)
    assert faster.seconds(5100 + 2000) == pytest.approx(clock.seconds(7100) + 0.0001, abs=1e-9)


def test_a_sensor_that_rebooted_before_it_ever_started_is_followed_like_any_other():
    bench = Bench(SensorClock(0, 0.0), SensorClock(10**9, 100.0))
    bench.start(0, 1.0)
    bench.line.reboot(1)
    for k in range(8):
        bench.exchange(0, 1.5 + 0.05 * k)
        bench.exchange(1, 1.6 + 0.05 * k)
    bench.start(1, 2.2)
    for k in range(12):
        bench.exchange(0, 10.0 + 10.0 * k)
        bench.exchange(1, 10.1 + 10.0 * k)
    assert bench.line.uncertainty_s(1) is not None
    assert bench.shown_s(1, 130.0) == pytest.approx(bench.shown_s(0, 130.0), abs=0.01)

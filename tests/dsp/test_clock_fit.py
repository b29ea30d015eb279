import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emgmon.dsp.clock_fit import ClockFit, ClockFitParams, ClockFitState, TimeExchange, between, time_away
from tests.dsp.simulated_clocks import Arrival, take, traffic

SECOND_NS, SECOND_US = 10**9, 10**6


def fitted(events, params=None):
    fit = ClockFit(params)
    for event in events:
        take(fit, event)
    return fit


def exchange(device_us, *, offset_ns=0, drift_ppm=0, there_ns=0, back_ns=0, on_device_us=0):
    """What two clocks note when the question and the answer take the given times; exact to a nanosecond."""

    def host_ns(at_us):
        return offset_ns + 1000 * at_us + round(Fraction(drift_ppm) * at_us / 1000)

    sent_us = device_us + on_device_us
    return TimeExchange(host_ns(device_us) - there_ns, device_us, sent_us, host_ns(sent_us) + back_ns)


def exchanges(times_s, **facts):
    return [exchange(round(time_s * SECOND_US), **facts) for time_s in times_s]


offsets_ns = st.integers(-(10**12), 10**15)
drifts_ppm = st.integers(-200_000, 200_000).map(lambda ppb: ppb / 1000)
delays_ns = st.integers(0, 3 * 10**7)


# One exchange


def test_an_exchange_gives_the_offset_and_the_delay_of_ntp():
    ask = TimeExchange(
        host_sent_ns=5_000, device_received_us=100, device_sent_us=150, host_received_ns=75_000
    )
    assert ask.round_trip_ns == 75_000 - 5_000 - 50_000
    assert ask.offset_ns == ((5_000 - 100_000) + (75_000 - 150_000)) // 2
    assert (ask.earliest_offset_ns, ask.latest_offset_ns) == (-95_000, -75_000)
    assert ask.device_midpoint_us == 125


def test_before_anything_came_nothing_is_known():
    fit = ClockFit()
    assert not fit.known
    assert [fit.host_ns(1), fit.device_us(1), fit.uncertainty_ns(1)] == [None] * 3
    assert [fit.drift_ppm, fit.drift_uncertainty_ppm] == [None] * 2


def test_one_exchange_tells_the_offset_and_no_drift():
    fit = fitted([exchange(SECOND_US, offset_ns=77, there_ns=4_000_000, back_ns=4_000_000)])
    assert fit.known
    assert fit.host_ns(SECOND_US) == pytest.approx(SECOND_NS + 77, abs=1.0)
    assert fit.uncertainty_ns(SECOND_US) == pytest.approx(4_100_000, rel=1e-9)
    assert fit.drift_ppm is None


@pytest.mark.parametrize(
    "impossible",
    [
        TimeExchange(2 * SECOND_NS, 0, 0, SECOND_NS),
        TimeExchange(0, 2 * SECOND_US, SECOND_US, SECOND_NS),
        TimeExchange(0, 0, 0, 5 * SECOND_NS),
        TimeExchange(0, 0, SECOND_US, SECOND_NS - 300_000),
    ],
    ids=[
        "answered before asked",
        "sent before received",
        "under way for 5 s",
        "longer on the sensor than away",
    ],
)
def test_an_exchange_that_cannot_be_is_left_out_and_counted(impossible):
    fit = fitted([impossible])
    assert not fit.known
    assert fit.state == ClockFitState(n_exchanges=1, n_left_out=1)


# What exact messages tell


@given(
    offsets_ns,
    drifts_ppm,
    st.lists(st.integers(0, 600), min_size=2, max_size=30, unique=True),
    st.integers(0, 1000),
)
def test_perfect_exchanges_give_offset_and_drift(offset_ns, drift_ppm, times_s, on_device_us):
    assume(max(times_s) - min(times_s) >= 10)
    facts = {"offset_ns": offset_ns, "drift_ppm": drift_ppm}
    fit = fitted(exchanges(times_s, on_device_us=on_device_us, **facts))
    assert fit.drift_ppm == pytest.approx(drift_ppm, abs=0.01)
    for time_s in times_s:
        truth = exchange(time_s * SECOND_US, **facts).host_sent_ns
        assert fit.host_ns(time_s * SECOND_US) == pytest.approx(truth, abs=10.0)


@given(offsets_ns, drifts_ppm, delays_ns)
def test_a_delay_that_is_the_same_both_ways_moves_nothing(offset_ns, drift_ppm, delay_ns):
    facts = {"offset_ns": offset_ns, "drift_ppm": drift_ppm}
    fit = fitted(exchanges(range(0, 300, 10), there_ns=delay_ns, back_ns=delay_ns, **facts))
    truth = exchange(290 * SECOND_US, **facts).host_sent_ns
    assert fit.host_ns(290 * SECOND_US) == pytest.approx(truth, abs=0.01 * delay_ns + 10.0)
    assert fit.uncertainty_ns(290 * SECOND_US) >= delay_ns


@given(delays_ns, delays_ns, drifts_ppm)
def test_the_interval_owns_up_to_lopsided_delays(there_ns, back_ns, drift_ppm):
    fit = fitted(exchanges(range(0, 300, 10), there_ns=there_ns, back_ns=back_ns, drift_ppm=drift_ppm))
    truth = exchange(290 * SECOND_US, drift_ppm=drift_ppm).host_sent_ns
    error_ns = abs(fit.host_ns(290 * SECOND_US) - truth)
    assert error_ns <= fit.uncertainty_ns(290 * SECOND_US)
    assert error_ns == pytest.approx(abs(there_ns - back_ns) / 2, abs=0.01 * (there_ns + back_ns) + 10.0)
    assert abs(fit.drift_ppm - drift_ppm) <= fit.drift_uncertainty_ppm


def test_uncertainty_grows_away_from_the_data():
    fit = fitted(exchanges(range(0, 600, 10), there_ns=2_000_000, back_ns=2_000_000))
    after = [fit.uncertainty_ns(time_s * SECOND_US) for time_s in (600, 700, 1200, 3600, 36_000)]
    before = [fit.uncertainty_ns(time_s * SECOND_US) for time_s in (0, -100, -600, -3600)]
    assert after == sorted(after)
    assert before == sorted(before)


def test_far_from_the_data_uncertainty_grows_with_the_square_of_time_as_wander_does():
    fit = fitted(exchanges(range(0, 600, 10), there_ns=2_000_000, back_ns=2_000_000))
    near, far, farther = (fit.uncertainty_ns(time_s * SECOND_US) for time_s in (10_000, 15_000, 20_000))
    # 0.2 ppm/min are 10/3 ns/s a second.
    assert farther - 2.0 * far + near == pytest.approx(10 / 3 * 5000**2, rel=1e-6)


@given(st.integers(-(10**10), 10**11))
def test_device_time_is_the_inverse_of_host_time(device_us):
    fit = fitted(exchanges(range(0, 100, 10), offset_ns=10**12, drift_ppm=150, there_ns=10**6, back_ns=10**7))
    assert fit.device_us(fit.host_ns(device_us)) == pytest.approx(device_us, abs=0.01)


def test_host_time_that_counts_from_1970_is_carried_to_the_resolution_of_a_float():
    epoch_ns = 1_760_000_000 * SECOND_NS
    fit = fitted(exchanges(range(0, 100, 10), offset_ns=epoch_ns, drift_ppm=100))
    assert fit.host_ns(50 * SECOND_US) == pytest.approx(epoch_ns + 50 * SECOND_NS + 5_000_000, abs=256)


# What must not move it


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 290), st.integers(10**8, 19 * 10**8), st.integers(10**8, 19 * 10**8)),
        max_size=20,
    ),
    drifts_ppm,
)
def test_exchanges_that_were_late_move_nothing(outliers, drift_ppm):
    kept = [
        (at_s, exchange(at_s * SECOND_US, drift_ppm=drift_ppm, there_ns=3_000_000, back_ns=9_000_000))
        for at_s in range(0, 301, 10)
    ]
    late = [
        (at_s, exchange(at_s * SECOND_US + 5, drift_ppm=drift_ppm, there_ns=there_ns, back_ns=back_ns))
        for at_s, there_ns, back_ns in outliers
    ]
    clean = fitted([one for _, one in kept])
    both = fitted([one for _, one in sorted(kept + late, key=lambda pair: pair[0])])
    assert both.state.n_exchanges == len(kept) + len(late)
    assert both.state.limits == clean.state.limits
    assert both.host_ns(300 * SECOND_US) == clean.host_ns(300 * SECOND_US)


def test_backfill_that_arrives_late_moves_nothing():
    live = [Arrival(20_000 * n, 20_000_000 * n + 3_000_000) for n in range(3000)]
    backfill = [Arrival(20_000 * n, 20_000_000 * (n + 700)) for n in range(2000)]
    mixed = sorted(live + backfill, key=lambda one: one.arrival_ns)
    after = Arrival(61 * SECOND_US, 61 * SECOND_NS + 3_000_000)
    # Those that come when nothing else does are their second's quickest, but limit nothing.
    assert fitted([*mixed, after]).state.limits == fitted([*live, after]).state.limits


def test_one_wrong_time_stamp_is_put_aside():
    good = exchanges(range(0, 300, 10), there_ns=3_000_000, back_ns=9_000_000)
    wrong = dataclasses.replace(
        good[15],
        device_received_us=good[15].device_received_us - 50_000,
        device_sent_us=good[15].device_sent_us - 50_000,
    )
    fit = fitted([*good[:15], wrong, *good[15:]])
    assert fit.state.n_contradicting == 1
    assert fit.state.aside == ()
    assert fit.state.limits == fitted(good).state.limits


def test_a_packet_from_the_future_is_put_aside():
    good = [Arrival(20_000 * n, 20_000_000 * n + 3_000_000) for n in range(6000)]
    wrong = dataclasses.replace(good[5000], device_us=good[5000].device_us + 900 * SECOND_US)
    asked = exchanges(range(0, 30, 10), there_ns=3_000_000, back_ns=9_000_000)
    fit = fitted([*asked, *good[:5000], wrong, *good[5001:]])
    assert fit.state.n_contradicting == 1
    assert fit.state.n_restarts == 0
    assert abs(fit.host_ns(120 * SECOND_US) - 120 * SECOND_NS) <= fit.uncertainty_ns(120 * SECOND_US)


def test_a_queue_on_the_sensor_that_makes_everything_late_for_minutes_moves_nothing():
    asked = exchanges(range(-20, 0, 2), there_ns=3_000_000, back_ns=9_000_000)
    delays_ns = [3_000_000] * 3000 + [500_000_000] * 9000
    fit = fitted([*asked, *(Arrival(20_000 * n, 20_000_000 * n + late) for n, late in enumerate(delays_ns))])
    assert fit.knows_delay
    assert fit.state.n_restarts == fit.state.n_contradicting == 0
    assert abs(fit.host_ns(240 * SECOND_US) - 240 * SECOND_NS) <= fit.uncertainty_ns(240 * SECOND_US)


@pytest.mark.parametrize("step_ns", [-SECOND_NS, -100_000_000, 100_000_000, SECOND_NS])
@pytest.mark.parametrize("exchange_every_s", [0.0, 10.0], ids=["arrivals only", "with exchanges"])
def test_a_host_clock_that_stepped_is_followed(step_ns, exchange_every_s):
    heard = traffic(5, seconds=400.0, exchange_every_s=exchange_every_s)
    fit = ClockFit()
    for at_s, event in zip(heard.at_s, heard.events, strict=True):
        if at_s > 200.0 and isinstance(event, TimeExchange):
            event = dataclasses.replace(
                event,
                host_sent_ns=event.host_sent_ns + step_ns,
                host_received_ns=event.host_received_ns + step_ns,
            )
        elif at_s > 200.0:
            event = Arrival(event.device_us, event.arrival_ns + step_ns)
        take(fit, event)
    device_us = 380 * SECOND_US
    truth = heard.crystal.boot_ns + heard.crystal.host_ns(1000.0 * device_us) + step_ns
    assert abs(fit.host_ns(device_us) - truth) <= fit.uncertainty_ns(device_us) < 75_000_000
    assert fit.state.n_restarts >= 1


# Sequence, state, bounds


anything = st.one_of(
    st.builds(Arrival, st.integers(-(10**8), 10**9), st.integers(-(10**11), 10**12)),
    st.builds(
        lambda at_us, turn_us, offset_ns, trip_ns: TimeExchange(
            1000 * at_us + offset_ns, at_us, at_us + turn_us, 1000 * (at_us + turn_us) + offset_ns + trip_ns
        ),
        st.integers(-(10**8), 10**9),
        st.integers(-10, 10**5),
        st.integers(-(10**9), 10**9),
        st.integers(-(10**6), 5 * 10**9),
    ),
)


@given(st.lists(anything, max_size=60))
@settings(deadline=None)
def test_whatever_comes_in_whatever_order_gives_finite_answers(events):
    fit = fitted(events)
    if fit.known:
        figures = [fit.host_ns(10**9), fit.device_us(10**12), fit.uncertainty_ns(10**9)]
        assert all(math.isfinite(figure) for figure in figures)
        assert fit.uncertainty_ns(10**9) >= 0.0
    assert len(fit.state.limits) <= 3 * ClockFitParams().most_limits
    assert len(fit.state.aside) < ClockFitParams().contradictions


@given(st.lists(anything, max_size=60), st.data())
@settings(deadline=None)
def test_a_state_put_back_goes_on_the_same_whatever_came(events, data):
    cut = data.draw(st.integers(0, len(events)))
    whole, first, resumed = fitted(events), fitted(events[:cut]), ClockFit()
    resumed.state = first.state
    for event in events[cut:]:
        take(resumed, event)
    assert resumed.state == whole.state
    assert resumed.host_ns(5 * 10**8) == whole.host_ns(5 * 10**8)
    assert resumed.uncertainty_ns(5 * 10**8) == whole.uncertainty_ns(5 * 10**8)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_state_put_back_in_a_stream_goes_on_the_same_and_questions_change_nothing(seed):
    events = traffic(seed, seconds=300.0).events
    whole, resumed = fitted(events), ClockFit()
    for number, event in enumerate(events):
        if number % 997 == 0:
            state = resumed.state
            resumed = ClockFit()
            resumed.state = state
            resumed.host_ns(number)
        take(resumed, event)
    assert resumed.state == whole.state
    assert resumed.host_ns(300 * SECOND_US) == whole.host_ns(300 * SECOND_US)


def test_the_state_taken_out_stays_as_it_was():
    fit = fitted(exchanges(range(0, 100, 10)))
    taken = fit.state
    fit.add(exchange(200 * SECOND_US))
    fit.add_arrival(201 * SECOND_US, 201 * SECOND_NS)
    assert taken == fitted(exchanges(range(0, 100, 10))).state != fit.state


def test_exchanges_in_another_order_give_the_same_lines():
    asked = exchanges(range(0, 300, 10), there_ns=3_000_000, back_ns=9_000_000, drift_ppm=40)
    assert fitted(asked).state == fitted(reversed(asked)).state


def test_memory_is_bounded_by_the_worst_that_can_come():
    params = ClockFitParams(most_limits=16)
    fit = fitted(exchanges(range(0, 2000, 10)), params)
    assert len(fit.state.limits) == 2 * 16
    assert fit.drift_ppm == pytest.approx(0.0, abs=1e-6)


# Simulated radios


@dataclasses.dataclass(frozen=True)
class Told:
    """What a fit said every five seconds, against the truth; arrays of equal length."""

    error_ns: np.ndarray
    uncertainty_ns: np.ndarray
    drift_error_ppm: np.ndarray
    drift_uncertainty_ppm: np.ndarray

    @property
    def covered(self):
        return float(np.mean(np.abs(self.error_ns) <= self.uncertainty_ns))

    @property
    def drift_covered(self):
        return float(np.mean(np.abs(self.drift_error_ppm) <= self.drift_uncertainty_ppm))


def told(heard, *, from_s=5.0, every_s=5.0):
    fit, rows, crystal = ClockFit(), [], heard.crystal
    due_s = from_s
    for at_s, event in zip(heard.at_s, heard.events, strict=True):
        take(fit, event)
        if at_s >= due_s:
            due_s += every_s
            device_us = int(crystal.device_ns(1e9 * at_s) / 1e3)
            truth_ns = crystal.boot_ns + crystal.host_ns(1e3 * device_us)
            drift_ppm = np.nan if fit.drift_ppm is None else fit.drift_ppm
            drift_error_ppm = drift_ppm - crystal.drift_ppm[device_us // SECOND_US]
            rows.append(
                (
                    fit.host_ns(device_us) - truth_ns,
                    fit.uncertainty_ns(device_us),
                    drift_error_ppm,
                    fit.drift_uncertainty_ppm or np.nan,
                )
            )
    return Told(*np.array(rows).T), fit


def pooled(many):
    return Told(
        *(np.concatenate([getattr(one, field.name) for one in many]) for field in dataclasses.fields(Told))
    )


def test_over_radios_of_every_interval_the_offset_is_good_to_a_millisecond_and_the_interval_holds():
    said = pooled([told(traffic(seed, seconds=900.0), from_s=60.0)[0] for seed in range(8)])
    assert np.median(np.abs(said.error_ns)) < 1.5e6
    assert np.quantile(np.abs(said.error_ns), 0.95) < 7e6
    assert np.median(said.uncertainty_ns) < 6e6
    assert said.covered >= 0.95
    assert np.median(np.abs(said.drift_error_ppm)) < 5.0
    assert said.drift_covered >= 0.95


def test_eight_exchanges_before_a_stream_already_tell_the_offset():
    said = pooled([told(traffic(seed, seconds=30.0), from_s=4.0)[0] for seed in range(20)])
    assert np.median(np.abs(said.error_ns)) < 8e6
    assert np.median(said.uncertainty_ns) < 20e6
    assert said.covered >= 0.95


def test_exchanges_alone_carry_half_of_the_answers_wait_and_say_so():
    said = pooled([told(traffic(seed, packets_hz=0.0), from_s=60.0)[0] for seed in range(6)])
    assert np.quantile(np.abs(said.error_ns), 0.95) < 30e6
    assert said.covered >= 0.95
    assert said.drift_covered >= 0.95


def test_arrivals_alone_are_less_certain_and_say_so():
    said = pooled(
        [told(traffic(seed, seconds=900.0, exchange_every_s=0.0), from_s=60.0)[0] for seed in range(6)]
    )
    assert np.median(said.uncertainty_ns) > 25e6
    assert said.covered >= 0.95
    drift_known = np.isfinite(said.drift_error_ppm)
    assert np.median(np.abs(said.drift_error_ppm[drift_known])) < 5.0


def test_eight_hours_stay_true_and_take_no_more_memory():
    heard = traffic(11, seconds=8 * 3600.0, packets_hz=0.5, interval_ms=30.0)
    said, fit = told(heard, from_s=600.0, every_s=60.0)
    assert np.quantile(np.abs(said.error_ns), 0.95) < 4e6
    assert said.covered >= 0.95
    assert said.drift_covered >= 0.95
    assert fit.state.n_restarts == 0
    assert len(fit.state.limits) < 80


# Two sensors


def test_a_time_of_one_sensor_is_carried_over_to_another():
    one, other = (
        traffic(21, seconds=300.0, boot_ns=10**12),
        traffic(22, seconds=300.0, boot_ns=10**12 + 40 * SECOND_NS),
    )
    a, b = fitted(one.events), fitted(other.events)
    device_us = 250 * SECOND_US
    mapped = between(a, b, device_us)
    host_ns = other.crystal.host_ns(1e3 * device_us) + other.crystal.boot_ns - one.crystal.boot_ns
    error_us = mapped.device_us - one.crystal.device_ns(host_ns) / 1e3
    assert abs(error_us) <= mapped.uncertainty_us < 25_000
    assert abs(error_us) < 5_000
    assert mapped.uncertainty_us > b.uncertainty_ns(device_us) / 1e3


def test_a_sensor_over_itself_is_itself():
    fit = fitted(traffic(23, seconds=60.0).events)
    assert between(fit, fit, 30 * SECOND_US).device_us == pytest.approx(30 * SECOND_US, abs=0.01)


def test_nothing_is_carried_over_to_or_from_an_unknown_clock():
    known, unknown = fitted(exchanges([0, 10])), ClockFit()
    assert between(known, unknown, 0) is None
    assert between(unknown, known, 0) is None
    assert time_away(known, 0, unknown, 0) is None
    assert time_away(unknown, 0, known, 0) is None


def test_how_long_a_sensor_was_away_that_began_anew():
    before = traffic(31, seconds=120.0, boot_ns=10**12, drift_ppm=30.0)
    after = traffic(32, seconds=20.0, boot_ns=10**12 + 130 * SECOND_NS, drift_ppm=30.0)
    last_us, first_us = 109 * SECOND_US, 2 * SECOND_US
    away = time_away(fitted(before.events), last_us, fitted(after.events), first_us)
    truth_ns = after.crystal.boot_ns + after.crystal.host_ns(1e3 * first_us)
    truth_ns -= before.crystal.boot_ns + before.crystal.host_ns(1e3 * last_us)
    assert abs(away.away_ns - truth_ns) <= away.uncertainty_ns < 40e6

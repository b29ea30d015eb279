import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emgmon.recording.csv_timing import estimate_rate, number_samples


def _times(rate_hz: float, n: int, *, decimals: int = 9, start_s: float = 0.0) -> NDArray[np.float64]:
    return np.round(start_s + np.arange(n) / rate_hz, decimals)


def _without(t_s: NDArray[np.float64], *lost: int) -> NDArray[np.float64]:
    return np.delete(t_s, lost)


@pytest.mark.parametrize("rate_hz", [10.0, 25.0, 50.0, 100.0, 128.0, 250.0, 1000.0, 2000.0, 5000.0])
def test_a_whole_rate_is_found_exactly(rate_hz: float) -> None:
    assert estimate_rate(_times(rate_hz, 2000)).rate_hz == rate_hz


@pytest.mark.parametrize("rate_hz", [52.08, 110.24, 148.148, 700.7, 1925.93])
def test_an_uneven_rate_is_found_to_a_fraction_of_a_sample(rate_hz: float) -> None:
    n = 5000
    found = estimate_rate(_times(rate_hz, n, decimals=6)).rate_hz
    assert abs(found - rate_hz) * n / rate_hz < 0.5


@pytest.mark.parametrize("rate_hz", [75.0, 110.0, 400.0, 600.0, 700.0])
def test_rounding_to_milliseconds_does_not_spoil_the_rate(rate_hz: float) -> None:
    assert estimate_rate(_times(rate_hz, 3000, decimals=3)).rate_hz == rate_hz


def test_holes_do_not_spoil_the_rate() -> None:
    rng = np.random.default_rng(1)
    lost = rng.choice(np.arange(1, 2999), 60, replace=False)
    t_s = np.concatenate(
        [_without(_times(110.0, 3000, decimals=3), *lost), 60 + _times(110.0, 500, decimals=3)]
    )
    assert abs(estimate_rate(t_s).rate_hz - 110.0) < 0.01


def test_jittered_times_give_the_mean_rate() -> None:
    jitter = np.random.default_rng(2).uniform(-0.002, 0.002, 5000)
    estimate = estimate_rate(_times(100.0, 5000) + jitter)
    assert not estimate.in_bursts
    assert abs(estimate.rate_hz - 100.0) < 0.01


def test_times_in_bursts_give_the_mean_rate_and_say_so() -> None:
    # Four samples with each notification, every 40 ms, stamped as they are unpacked.
    t_s = (np.repeat(np.arange(500) * 0.04, 4).reshape(-1, 4) + np.arange(4) * 1e-4).ravel()
    estimate = estimate_rate(t_s)
    assert estimate.in_bursts
    assert abs(estimate.rate_hz - 100.0) < 0.2


def test_two_rows_are_enough() -> None:
    assert estimate_rate(np.array([3.0, 3.5])).rate_hz == 2.0


def test_rows_without_holes_are_numbered_without_gaps() -> None:
    found = number_samples(_times(110.0, 3000, decimals=3, start_s=7.0), 110.0)
    assert np.array_equal(found.numbers, np.arange(3000))
    assert found.stretches == ((0, 3000),)
    assert found.max_deviation_s <= 0.0005 + 1e-9


def test_lost_rows_leave_their_numbers_out() -> None:
    lost = (5, 6, 7, 40, 90)
    found = number_samples(_without(_times(100.0, 100), *lost), 100.0)
    assert np.array_equal(found.numbers, np.delete(np.arange(100), lost))
    assert found.stretches == ((0, 5), (5, 37), (37, 86), (86, 95))
    assert found.n_unseen == 0


@pytest.mark.parametrize(
    ("step_periods", "n_missing"), [(1.4, 0), (1.49, 0), (1.51, 1), (2.0, 1), (2.4, 1), (2.6, 2), (11.0, 10)]
)
def test_a_hole_longer_than_one_and_a_half_periods_is_a_gap(step_periods: float, n_missing: int) -> None:
    before = _times(100.0, 50)
    after = before[-1] + step_periods / 100.0 + _times(100.0, 50)
    found = number_samples(np.concatenate([before, after]), 100.0)
    assert found.numbers[50] - found.numbers[49] == 1 + n_missing


def test_many_holes_of_half_a_period_do_not_push_the_count_off_the_time() -> None:
    # A pause of 0.55 periods every 221 samples, as a real sensor made them.
    t_s = np.arange(221 * 40) / 110.5 + np.repeat(np.arange(40), 221) * 0.55 / 110.5
    found = number_samples(t_s, 110.5)
    deviation = np.abs(found.numbers / 110.5 - t_s) * 110.5
    assert deviation.max() <= 1.0 + 1e-6
    assert len(found.stretches) > 20


def test_loss_that_leaves_no_hole_is_found_when_it_adds_up() -> None:
    # The sensor runs 1 % slower than the rate that was given.
    found = number_samples(_times(99.0, 2000), 100.0)
    assert found.n_unseen > 0
    assert found.max_deviation_s * 100.0 <= 2.0 + 1e-6


def test_a_gap_is_not_made_of_jitter() -> None:
    jitter = np.random.default_rng(3).uniform(-0.002, 0.002, 5000)
    found = number_samples(_times(100.0, 5000) + jitter, 100.0)
    assert found.stretches == ((0, 5000),)


@given(
    n_between=st.lists(st.integers(1, 30), min_size=1, max_size=20),
    n_lost=st.lists(st.integers(1, 50), min_size=20, max_size=20),
    rate_hz=st.sampled_from([25.0, 100.0, 110.0, 1000.0]),
)
def test_exact_times_give_exact_numbers(n_between: list[int], n_lost: list[int], rate_hz: float) -> None:
    kept, at = [], 0
    for n_kept, n_hole in zip(n_between, n_lost, strict=False):
        kept += range(at, at + n_kept)
        at += n_kept + n_hole
    numbers = np.array(kept)
    found = number_samples(numbers / rate_hz, rate_hz)
    assert np.array_equal(found.numbers, numbers)
    assert [stop - start for start, stop in found.stretches] == n_between


@given(st.lists(st.floats(1e-4, 0.5), min_size=1, max_size=200), st.floats(5.0, 500.0))
def test_any_times_give_rising_numbers_in_whole_stretches(steps: list[float], rate_hz: float) -> None:
    t_s = np.concatenate([[0.0], np.cumsum(steps)])
    found = number_samples(t_s, rate_hz)
    assert found.numbers[0] == 0
    assert (np.diff(found.numbers) >= 1).all()
    assert found.stretches[0][0] == 0
    assert found.stretches[-1][1] == len(t_s)
    for start, stop in found.stretches:
        assert found.numbers[stop - 1] - found.numbers[start] == stop - 1 - start

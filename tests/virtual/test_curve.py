"""A curve's value and mean are those of the minimum-jerk polynomial."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.errors import SimulationError
from emgmon.virtual.curve import SmoothCurve


def curve(times_s: list[float], values: list[float]) -> SmoothCurve:
    return SmoothCurve(np.asarray(times_s), np.asarray(values))


def test_a_curve_passes_through_its_knots() -> None:
    assert curve([1.0, 2.0, 4.0], [3.0, 5.0, -1.0]).at([1.0, 2.0, 4.0]).tolist() == [3.0, 5.0, -1.0]


def test_a_curve_is_constant_outside_its_knots() -> None:
    assert curve([1.0, 2.0], [3.0, 5.0]).at([-9.0, 0.999, 2.001, 1e6]).tolist() == [3.0, 3.0, 5.0, 5.0]


def test_a_quarter_of_the_way_in_time_is_the_polynomial_of_the_way_in_value() -> None:
    u = 0.25
    assert curve([0.0, 1.0], [0.0, 1.0]).at(u) == pytest.approx(10 * u**3 - 15 * u**4 + 6 * u**5, abs=1e-15)


def test_a_single_knot_is_a_constant() -> None:
    assert curve([1.0], [7.0]).at([0.0, 2.0]).tolist() == [7.0, 7.0]


def test_the_mean_of_a_symmetric_step_is_half_its_height() -> None:
    assert curve([2.0, 6.0], [0.0, 10.0]).mean(2.0, 6.0) == 5.0


def test_the_mean_counts_the_constant_ends() -> None:
    # One second at 0, a step of 2 s with mean 5, one second at 10.
    assert curve([1.0, 3.0], [0.0, 10.0]).mean(0.0, 4.0) == pytest.approx((0 + 2 * 5 + 10) / 4)


@given(
    gaps=st.lists(st.floats(0.01, 5.0), min_size=2, max_size=6),
    values=st.lists(st.floats(-50.0, 50.0), min_size=6, max_size=6),
    edges=st.tuples(st.floats(-2.0, 20.0), st.floats(0.05, 20.0)),
)
def test_the_mean_is_what_fine_sampling_gives(
    gaps: list[float], values: list[float], edges: tuple[float, float]
) -> None:
    times_s = np.cumsum(gaps)
    path = SmoothCurve(times_s, np.asarray(values[: len(gaps)]))
    start_s, end_s = edges[0], edges[0] + edges[1]
    middles_s = start_s + (np.arange(40_000) + 0.5) / 40_000 * (end_s - start_s)
    assert path.mean(start_s, end_s) == pytest.approx(path.at(middles_s).mean(), abs=1e-3)


def test_sampling_in_blocks_gives_the_same_as_all_at_once() -> None:
    path = curve([0.0, 100.0, 130.0], [0.0, 3.0, 1.0])
    n_samples = 250_001
    at_once = path.at(np.arange(n_samples) / 2000.0).astype(np.float32)
    assert np.array_equal(path.sampled(n_samples, 2000.0), at_once)


def test_knots_that_do_not_increase_are_refused() -> None:
    with pytest.raises(SimulationError, match="increase"):
        curve([1.0, 1.0], [0.0, 1.0])


def test_the_mean_over_no_time_is_refused() -> None:
    with pytest.raises(SimulationError, match="no time"):
        curve([0.0, 1.0], [0.0, 1.0]).mean(0.5, 0.5)

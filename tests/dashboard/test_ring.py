"""The ring, against plain arrays that forget nothing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dashboard.ring import HopRing

CAPACITY = 16


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12),
    st.integers(-5, 400),
    st.integers(1, 2 * CAPACITY),
)
def test_a_window_holds_the_newest_hops_however_they_came(
    start: int, pieces: list[tuple[int, int]], end_hop: int, n_hops: int
) -> None:
    ring = HopRing(1, capacity=CAPACITY)
    everything = np.full(2000, np.nan)
    hop = start
    for n_skipped, n_new in pieces:
        hop += n_skipped
        values = np.arange(hop, hop + n_new, dtype=float)
        ring.append(hop, values[:, np.newaxis])
        everything[hop : hop + n_new] = values
        hop += n_new
    everything[: max(0, ring.end_hop - CAPACITY)] = np.nan
    hops = np.arange(end_hop - n_hops, end_hop)
    expected = np.where(hops >= 0, everything[np.maximum(hops, 0)], np.nan)
    np.testing.assert_array_equal(ring.window(end_hop, n_hops)[:, 0], expected)


def test_an_empty_ring_has_measured_nothing() -> None:
    ring = HopRing(2)
    assert ring.first_hop is None
    assert np.isnan(ring.window(100, 10)).all()


def test_hops_that_were_jumped_over_are_not_the_values_of_an_earlier_round() -> None:
    ring = HopRing(1, capacity=CAPACITY)
    ring.append(0, np.ones((CAPACITY, 1)))
    ring.append(CAPACITY + 4, np.ones((1, 1)))
    assert np.isnan(ring.window(CAPACITY + 4, 4)).all()


def test_memory_does_not_grow_with_the_session() -> None:
    ring = HopRing(1, capacity=CAPACITY)
    before = ring._values.nbytes
    ring.append(0, np.zeros((10_000, 1)))
    assert ring._values.nbytes == before


@given(st.integers(0, 60), st.integers(1, 30), st.integers(0, 60), st.integers(1, 30))
def test_hops_that_come_again_take_the_place_of_the_old_ones_and_of_no_others(
    first: int, n_first: int, again: int, n_again: int
) -> None:
    ring = HopRing(1, capacity=CAPACITY)
    ring.append(0, np.arange(first + n_first, dtype=float)[:, np.newaxis])
    everything = np.concatenate([np.arange(first + n_first, dtype=float), np.full(100, np.nan)])
    stop = min(again + n_again, first + n_first)
    if again >= stop:
        return
    ring.append(again, -np.arange(again, stop, dtype=float)[:, np.newaxis])
    everything[again:stop] = -np.arange(again, stop)
    end_hop = first + n_first
    expected = everything[max(0, end_hop - CAPACITY) : end_hop]
    np.testing.assert_array_equal(ring.window(end_hop, len(expected))[:, 0], expected)

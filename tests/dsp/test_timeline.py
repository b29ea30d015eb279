import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dsp.timeline import LONGEST_PIECE_S, SampleClock, missing_pieces, runs

clocks = st.builds(
    SampleClock,
    anchor_sample=st.integers(0, 2**40),
    anchor_s=st.floats(0, 1e5),
    rate_hz=st.sampled_from([100.0, 110.0123, 250.0, 1000.0, 1116.0, 2000.0]),
)


def test_a_sample_belongs_to_the_hop_it_falls_into():
    clock = SampleClock(anchor_sample=100, anchor_s=0.5, rate_hz=1000.0)
    np.testing.assert_array_equal(clock.samples_at(np.array([50, 51, 60])), [100, 110, 200])
    assert clock.seconds(350) == 0.75


@given(clocks, st.integers(0, 10**7))
def test_hops_and_samples_enclose_each_other(clock, ahead):
    sample = clock.anchor_sample + ahead
    after, before = clock.first_hop_from(sample), clock.hop_before(sample)
    starts = clock.samples_at(np.array([before, before + 1, after - 1, after]))
    assert starts[0] <= sample < starts[1]
    assert starts[2] < sample <= starts[3]


def test_a_long_gap_comes_in_pieces_of_at_most_a_minute():
    pieces = list(missing_pieces(250_000, n_channels=2, rate_hz=1000.0))
    assert sum(piece.shape[1] for piece in pieces) == 250_000
    assert max(piece.shape[1] for piece in pieces) == LONGEST_PIECE_S * 1000
    assert all(np.isnan(piece).all() for piece in pieces)


@given(st.lists(st.booleans()))
def test_runs_put_together_are_the_flags(flags):
    found = runs(np.array(flags, dtype=bool))
    assert [value for start, stop, value in found for _ in range(start, stop)] == flags
    assert all(one[2] != other[2] for one, other in itertools.pairwise(found))

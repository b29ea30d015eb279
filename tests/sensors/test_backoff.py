"""The pauses between tries to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.sensors.backoff import FIRST_DELAYS_S, JITTER, LONGEST_DELAY_S, retry_delay_s

chances = st.floats(0, 1)


def test_the_first_try_is_immediate_and_the_next_ones_are_fast():
    assert [retry_delay_s(attempt, jitter=0.5) for attempt in range(3)] == list(FIRST_DELAYS_S)
    assert retry_delay_s(0, jitter=1.0) == 0


def test_later_ones_grow_to_a_limit():
    delays = [retry_delay_s(attempt, jitter=0.5) for attempt in range(50)]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_S


@given(attempt=st.integers(0, 10**9), jitter=chances)
def test_no_delay_is_longer_than_the_longest_and_its_share_of_chance(attempt, jitter):
    assert 0 <= retry_delay_s(attempt, jitter=jitter) <= LONGEST_DELAY_S * (1 + JITTER)


@given(attempt=st.integers(1, 100), one=chances, other=chances)
def test_chance_moves_a_delay_the_way_it_is_drawn(attempt, one, other):
    delays = [retry_delay_s(attempt, jitter=jitter) for jitter in sorted((one, other))]
    assert delays == sorted(delays)


@pytest.mark.parametrize(("attempt", "jitter"), [(-1, 0.5), (0, -0.1), (0, 1.1)])
def test_what_makes_no_sense_is_refused(attempt, jitter):
    with pytest.raises(ValueError, match="are not at least 0, and 0 to 1"):
        retry_delay_s(attempt, jitter=jitter)

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.history import HopHistory, SampleHistory


def test_what_was_appended_is_found_again_and_the_rest_is_missing():
    history = HopHistory(1)
    history.append(10, np.arange(5.0)[:, np.newaxis])
    np.testing.assert_array_equal(
        history.between(8, 17)[:, 0], [np.nan, np.nan, 0, 1, 2, 3, 4, np.nan, np.nan]
    )
    assert history.next_hop == 15


def test_forgetting_keeps_what_is_still_asked_for():
    history = HopHistory(1)
    for hop in range(0, 5000, 10):
        history.append(hop, np.arange(hop, hop + 10.0)[:, np.newaxis])
        history.forget_before(hop - 100)
        wanted = np.arange(max(0, hop - 90), hop + 10)
        np.testing.assert_array_equal(history.between(wanted[0], wanted[-1] + 1)[:, 0], wanted)


def test_hours_of_hops_do_not_fill_the_memory():
    history = HopHistory(1)
    rows = np.zeros((100, 1))
    for hop in range(0, 1_000_000, 100):
        history.append(hop, rows)
        history.forget_before(hop - 4500)
    assert len(history._rows) < 20_000


def test_a_copy_lives_its_own_life():
    history = HopHistory(1)
    history.append(0, np.ones((3, 1)))
    other = history.copy()
    history.append(3, np.ones((3, 1)))
    assert (history.next_hop, other.next_hop) == (6, 3)


def counted(first_sample, n_samples, *, n_channels=2):
    """Samples that are their own number, half a number higher in each further channel."""
    return np.arange(first_sample, first_sample + n_samples) + 0.5 * np.arange(n_channels)[:, np.newaxis]


def test_samples_are_found_again_and_the_rest_is_missing():
    history = SampleHistory(2)
    assert history.next_sample is None
    assert np.isnan(history.between(0, 3)).all()
    history.append(10, counted(10, 5))
    assert history.next_sample == 15
    nan = np.nan
    np.testing.assert_array_equal(
        history.between(8, 17),
        [[nan, nan, 10, 11, 12, 13, 14, nan, nan], [nan, nan, 10.5, 11.5, 12.5, 13.5, 14.5, nan, nan]],
    )
    assert history.between(17, 12).shape == (2, 0)


def test_missing_samples_stay_missing():
    history = SampleHistory(2)
    history.append(0, np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]]))
    np.testing.assert_array_equal(history.between(0, 3), [[1, np.nan, 3], [4, 5, 6]])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 9000), min_size=1, max_size=25),
    st.integers(1, 12_000),
    st.integers(-(2**40), 2**40),
)
def test_whatever_the_pieces_the_newest_samples_are_there(sizes, wanted, first_sample):
    """float32 holds these numbers only modulo 2^20, which keeps them apart over any stretch asked for."""
    history, position = SampleHistory(1), first_sample
    for size in sizes:
        history.append(position, counted(position, size, n_channels=1) % 2**20)
        position += size
        history.forget_before(position - wanted)
    there = min(wanted, sum(sizes))
    expected = counted(position - there, there, n_channels=1) % 2**20
    np.testing.assert_array_equal(history.between(position - there, position), expected)


def test_the_same_stream_in_other_pieces_gives_the_same_bits():
    emg_uv = np.random.default_rng(0).normal(0, 20, (3, 20_000))
    whole, cut = SampleHistory(3), SampleHistory(3)
    whole.append(5, emg_uv)
    for start in range(0, 20_000, 7):
        cut.append(5 + start, emg_uv[:, start : start + 7])
    np.testing.assert_array_equal(cut.between(0, 20_010), whole.between(0, 20_010))


def test_rounding_is_far_below_any_noise():
    emg_uv = np.random.default_rng(0).normal(0, 1000, (1, 5000))
    history = SampleHistory(1)
    history.append(0, emg_uv)
    assert np.abs(history.between(0, 5000) - emg_uv).max() < 4000 * 2.0**-24


def test_a_sensor_that_counts_anew_keeps_what_came_before_on_its_new_count():
    history = SampleHistory(1)
    history.append(1000, np.arange(10.0)[np.newaxis])
    history.append(3, np.array([[10.0, 11.0]]))
    assert history.next_sample == 5
    np.testing.assert_array_equal(history.between(-7, 5)[0], np.arange(12.0))


def test_hours_of_samples_do_not_fill_the_memory():
    history, minute = SampleHistory(4), np.zeros((4, 120_000))
    for position in range(0, 120 * 120_000, 120_000):
        history.append(position, minute)
        history.forget_before(position + 120_000 - 90_000)
    assert history.n_bytes < 4 * 4 * 450_000


def test_the_memory_of_a_long_batch_is_given_back():
    history = SampleHistory(1)
    history.append(0, np.zeros((1, 5_000_000)))
    history.forget_before(4_990_000)
    assert history.n_bytes < 4 * 50_000
    np.testing.assert_array_equal(history.between(4_990_000, 5_000_000), np.zeros((1, 10_000)))


def test_a_copy_of_samples_lives_its_own_life():
    history = SampleHistory(1)
    history.append(0, np.ones((1, 3)))
    other = history.copy()
    history.append(3, np.full((1, 3), 2.0))
    other.append(3, np.full((1, 3), 5.0))
    assert (history.next_sample, other.next_sample) == (6, 6)
    np.testing.assert_array_equal(history.between(2, 4), [[1.0, 2.0]])
    np.testing.assert_array_equal(other.between(2, 4), [[1.0, 5.0]])
    assert history.copy().copy().n_bytes == 24

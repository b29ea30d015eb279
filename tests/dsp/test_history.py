import numpy as np

from emgmon.dsp.history import HopHistory


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

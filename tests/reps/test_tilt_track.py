"""The track of gravity: averaged to both sides, differentiated, and the same for any cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.reps.tilt_track import SHAKE, SPEED, UP, VELOCITY, TiltTrack
from tests.builders import turned_up

HALF_HOPS = 10


def track_of(up, force=None, *, cuts=(10_000_000,), first_hop=0, restore=False):
    force = np.full(len(up), 9.81) if force is None else force
    track, pieces, start, n = TiltTrack(half_hops=HALF_HOPS), [], 0, 0
    while start < len(up):
        stop = start + cuts[n % len(cuts)]
        pieces.append(track.process(first_hop + start, up[start:stop], force[start:stop]))
        if restore:
            kept, track = track.state, TiltTrack(half_hops=HALF_HOPS)
            track.state = kept
        start, n = stop, n + 1
    pieces.append(track.finish())
    hop = first_hop
    for given_hop, rows in pieces:
        assert given_hop == hop or not len(rows)
        hop += len(rows)
    return np.concatenate([rows for _, rows in pieces])


def wandering(n_hops, *, seed=0):
    steps = np.random.default_rng(seed).normal(0.0, 0.4, n_hops)
    return turned_up(np.cumsum(steps))


@pytest.mark.parametrize("n_hops", [1, 2, 9, 10, 11, 12, 21, 100])
@pytest.mark.parametrize("cuts", [(1,), (3,), (11, 1)])
def test_a_row_comes_for_every_hop_however_few_there_are_and_however_they_are_cut(n_hops, cuts):
    up = wandering(n_hops)
    whole = track_of(up, first_hop=37)
    assert whole.shape == (n_hops, 8)
    np.testing.assert_array_equal(track_of(up, cuts=cuts, first_hop=37), whole)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=10).map(tuple), st.integers(0, 99))
def test_the_state_put_into_another_track_goes_on_with_the_same_bits(cuts, seed):
    up = wandering(300, seed=seed)
    force = 9.81 + np.random.default_rng(seed).normal(0.0, 1.0, 300)
    np.testing.assert_array_equal(track_of(up, force, cuts=cuts, restore=True), track_of(up, force))


def test_directions_have_unit_length_and_the_velocity_lies_square_to_them():
    rows = track_of(wandering(400))
    np.testing.assert_allclose(np.linalg.norm(rows[:, UP], axis=1), 1.0, atol=1e-12)
    across = np.sum(rows[:, UP] * rows[:, VELOCITY], axis=1)
    assert np.abs(across[1:-1]).max() < 0.01 * np.linalg.norm(rows[:, VELOCITY], axis=1).max()


@pytest.mark.parametrize("speed_dps", [-90.0, 3.0, 40.0])
def test_an_even_turn_keeps_its_angle_and_its_speed(speed_dps):
    angle_deg = speed_dps * np.arange(0.0, 1.0, 0.01)
    rows = track_of(turned_up(angle_deg))
    middle = slice(HALF_HOPS + 1, -HALF_HOPS - 1)
    found_deg = np.degrees(np.arctan2(-rows[:, 0], rows[:, 2]))
    np.testing.assert_allclose(found_deg[middle], angle_deg[middle], atol=1e-9)
    np.testing.assert_allclose(rows[middle, SPEED], abs(speed_dps), rtol=1e-3)


def test_rows_come_eleven_hops_after_their_samples():
    track = TiltTrack(half_hops=HALF_HOPS)
    up = wandering(50)
    given_after = []
    for hop in range(50):
        first, rows = track.process(hop, up[hop : hop + 1], np.array([9.81]))
        given_after += [hop - (first + k) for k in range(len(rows))]
    assert set(given_after) == {HALF_HOPS + 1}


def test_shaking_is_what_an_even_gain_error_is_not():
    still = np.tile([0.0, 0.0, 1.0], (300, 1))
    steady = track_of(still, np.full(300, 10.4))
    shaken = track_of(still, 10.4 + np.tile([2.0, -2.0], 150))
    assert steady[:, SHAKE].max() == pytest.approx(0.0, abs=1e-12)
    assert shaken[20:-20, SHAKE].mean() == pytest.approx(2.0, rel=0.06)


def test_nothing_in_gives_nothing_out():
    track = TiltTrack(half_hops=HALF_HOPS)
    assert track.process(5, np.empty((0, 3)), np.empty(0))[1].shape == (0, 8)
    assert track.finish()[1].shape == (0, 8)

"""Repetitions on a tilt: what is found must depend on the movement, and on nothing else."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.reps.found import RepFound, RestLeft, RestResumed
from emgmon.reps.tilt import TiltReps, TiltRepsParams
from tests.builders import Movement, smooth_step, turned_up

GRAVITY = 9.81
PARAMS = TiltRepsParams(least_deg=8.0)
EITHER_WAY = TiltRepsParams(least_deg=8.0, turn_axis=(0.0, 1.0, 0.0), either_way=True)
mountings = st.integers(0, 10_000).map(lambda seed: Rotation.random(rng=seed).as_matrix())


def angles_of(movement, *, noise_deg=0.05, seed=1):
    """Angle of a sensor, in degrees where the movement has metres, at 100 Hz."""
    angle_deg = movement.height_m(np.arange(0.0, movement.duration_s, 0.01))
    return angle_deg + np.random.default_rng(seed).normal(0.0, noise_deg, len(angle_deg))


def turning(axis, angle_deg):
    """Rotations about one axis."""
    return Rotation.from_rotvec(np.outer(np.radians(angle_deg), np.eye(3)["xyz".index(axis)]))


def up_of(movement, **how):
    return turned_up(angles_of(movement, **how))


def follow(up, *, params=PARAMS, force_mps2=None, cuts=(10_000_000,), restore=False, first_hop=0):
    """Everything found, and the curve; the stream is cut into pieces of these sizes, over and over."""
    force = np.full(len(up), GRAVITY) if force_mps2 is None else force_mps2
    reps, found, curve, start, n = TiltReps(params), [], [], 0, 0
    while start < len(up):
        stop = start + cuts[n % len(cuts)]
        found += reps.process(first_hop + start, up[start:stop], force[start:stop])
        curve.append(reps.take_curve())
        if restore:
            kept = reps.state
            # What the first one does afterwards must not reach the second.
            reps.process(first_hop + stop, up[stop : stop + 400], force[stop : stop + 400])
            reps = TiltReps(params)
            reps.state = kept
        start, n = stop, n + 1
    found += reps.finish()
    return found, joined(curve)


def joined(pieces):
    """The curve; proves on the way that its hops follow each other."""
    pieces = [piece for piece in pieces if len(piece[1])]
    for (first, values), (following, _) in itertools.pairwise(pieces):
        assert first + len(values) == following
    return pieces[0][0], np.concatenate([values for _, values in pieces])


def reps_in(up, **how):
    return [news for news in follow(up, **how)[0] if isinstance(news, RepFound)]


def edges_of(reps):
    return [(rep.start_hop / 100, rep.turn_hop / 100, rep.end_hop / 100) for rep in reps]


def regular(*, n_reps=6, out_s=1.2, hold_s=1.0, back_s=1.2, pause_s=1.0, range_deg=40.0, first_s=4.0):
    period_s = out_s + hold_s + back_s + pause_s
    return Movement([(first_s + k * period_s, out_s, hold_s, back_s, range_deg) for k in range(n_reps)])


def assert_found(reps, movement, *, within_s=0.1):
    assert len(reps) == len(movement.reps)
    for found_s, true_s in zip(edges_of(reps), movement.edges(), strict=True):
        assert found_s == pytest.approx(true_s, abs=within_s)


LIFTS = regular()
LIFTS_UP = up_of(LIFTS)


@pytest.mark.parametrize(
    "movement",
    [
        LIFTS,
        regular(hold_s=10.0, n_reps=3),
        regular(out_s=0.35, hold_s=0.0, back_s=0.35, pause_s=0.0, n_reps=20, range_deg=20.0),
        regular(out_s=0.35, hold_s=0.0, back_s=0.35, pause_s=0.3, n_reps=12),
        regular(hold_s=0.0, pause_s=0.0, n_reps=10),
        regular(out_s=4.0, hold_s=2.0, back_s=4.0, n_reps=3, range_deg=70.0),
        regular(range_deg=10.0, out_s=0.8, back_s=0.8),
        regular(range_deg=100.0),
    ],
    ids=["lifts", "10 s holds", "0.7 s pulses", "pulses with pauses", "no pause", "slow", "small", "wide"],
)
def test_every_repetition_is_found_with_its_edges(movement):
    longest_s = max(max(rep[1], rep[3]) for rep in movement.reps)
    assert_found(reps_in(up_of(movement)), movement, within_s=max(0.1, 0.05 * longest_s))


@pytest.mark.parametrize("duration_s", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("range_deg", [12.0, 40.0, 80.0])
def test_edges_of_a_smooth_movement_lie_within_80_ms_or_a_tenth_of_its_way(duration_s, range_deg):
    """The way is that of minimum jerk (Flash and Hogan 1985, J Neurosci 5:1688): no speed at its ends."""
    movement = regular(out_s=duration_s, back_s=duration_s, range_deg=range_deg, n_reps=4)
    reps = reps_in(up_of(movement))
    assert_found(reps, movement, within_s=max(0.08, 0.1 * duration_s))
    assert [rep.range_deg for rep in reps] == pytest.approx([range_deg] * 4, rel=0.03, abs=2.2)


def test_the_phases_follow_the_movement():
    for rep, (start_s, out_s, hold_s, _, range_deg) in zip(reps_in(LIFTS_UP), LIFTS.reps, strict=True):
        assert rep.hold_hop / 100 == pytest.approx(start_s + out_s, abs=0.1)
        assert rep.back_hop / 100 == pytest.approx(start_s + out_s + hold_s, abs=0.1)
        assert rep.range_deg == pytest.approx(range_deg, abs=1.0)
        assert rep.turn_axis == pytest.approx((0.0, -1.0, 0.0), abs=0.02)
        assert rep.range_m is None


@pytest.mark.parametrize("pause_s", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("out_s", [0.35, 0.7, 1.5])
def test_repetitions_never_overlap_and_their_hops_never_go_backwards(pause_s, out_s):
    movement = regular(out_s=out_s, hold_s=0.0, back_s=out_s, pause_s=pause_s, n_reps=8)
    reps = reps_in(up_of(movement))
    assert len(reps) == 8
    hops = [
        hop for rep in reps for hop in (rep.start_hop, rep.hold_hop, rep.turn_hop, rep.back_hop, rep.end_hop)
    ]
    assert hops == sorted(hops)


MIXED_REPS = (
    (4.0, 1.2, 1.0, 1.2, 40.0),
    (8.2, 1.2, 0.0, 1.2, 40.0),
    (10.6, 1.2, 3.0, 1.2, 35.0),
    (19.0, 0.4, 0.0, 0.4, 16.0),
    (21.0, 1.2, 0.5, 1.0, 42.0),
)


def mixed_up():
    """Lifts with and without pauses, then the body rolls over and lifts two more times."""
    movement = Movement(MIXED_REPS, tail_s=20.0)
    t_s = np.arange(0.0, movement.duration_s, 0.01)
    roll_deg = 70.0 * smooth_step((t_s - 27.0) / 1.5)
    late = Movement([(33.0, 1.0, 1.0, 1.0, 40.0), (37.0, 1.0, 1.0, 1.0, 40.0)])
    lift_deg = angles_of(movement) + late.height_m(t_s)
    turns = turning("x", roll_deg).as_matrix()
    return np.einsum("nij,nj->ni", turns, turned_up(lift_deg))


MIXED_UP = mixed_up()
MIXED_UP[2440:2490] = np.nan
MIXED = follow(MIXED_UP)
cut_sizes = st.lists(st.integers(1, 900), min_size=2, max_size=9).filter(lambda n: sum(n) > 500).map(tuple)


def assert_same(found, expected):
    assert found[0] == expected[0]
    assert found[1][0] == expected[1][0]
    np.testing.assert_array_equal(found[1][1], expected[1][1])


def test_the_mixed_stream_holds_repetitions_before_and_after_the_roll():
    reps = [news for news in MIXED[0] if isinstance(news, RepFound)]
    starts_s = [rep.start_hop / 100 for rep in reps]
    assert starts_s == pytest.approx([4.0, 8.2, 10.6, 19.0, 21.0, 33.0, 37.0], abs=0.1)


@pytest.mark.parametrize("cuts", [(1,), (7,), (10,), (64,), (999, 1)])
def test_every_cut_gives_the_same_news_and_the_same_curve(cuts):
    assert_same(follow(MIXED_UP, cuts=cuts), MIXED)


@settings(max_examples=12, deadline=None)
@given(cuts=cut_sizes)
def test_the_state_put_into_another_machine_goes_on_with_the_same_bits(cuts):
    assert_same(follow(MIXED_UP, cuts=cuts, restore=True), MIXED)


@settings(max_examples=15, deadline=None)
@given(at=st.integers(300, 4000))
def test_the_state_may_be_taken_out_in_mid_repetition_or_while_several_ideas_are_alive(at):
    assert_same(follow(MIXED_UP, cuts=(at, 10_000_000), restore=True), MIXED)


@settings(max_examples=20, deadline=None)
@given(
    cuts=cut_sizes,
    breaks=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 80)), max_size=6),
    first_hop=st.integers(-30, 30),
)
def test_breaks_anywhere_are_the_same_for_every_cut(cuts, breaks, first_hop):
    up = MIXED_UP.copy()
    for start, n_hops in breaks:
        up[start : start + n_hops] = np.nan
    whole = follow(up, first_hop=first_hop)
    assert_same(follow(up, cuts=cuts, restore=True, first_hop=first_hop), whole)
    first, curve = whole[1]
    assert first_hop <= first
    assert first + len(curve) <= first_hop + len(up)


@pytest.mark.parametrize("n_short", [1, 5, 11, 14])
def test_stretches_too_short_to_average_leave_no_hole_in_the_curve(n_short):
    up = turned_up(np.zeros(200))
    up[n_short : n_short + 20] = np.nan
    up[2 * n_short + 20 : 2 * n_short + 40] = np.nan
    assert_same(follow(up, cuts=(1,)), follow(up))


@settings(max_examples=30, deadline=None)
@given(mounting=mountings)
def test_the_sensor_may_sit_any_way_round(mounting):
    straight, turned = reps_in(LIFTS_UP), reps_in(LIFTS_UP @ mounting.T)
    assert edges_of(turned) == edges_of(straight)
    for rep, other in zip(turned, straight, strict=True):
        assert rep.turn_axis == pytest.approx(tuple(mounting @ other.turn_axis), abs=1e-6)


def test_where_the_axis_is_known_beforehand_a_movement_about_another_is_none():
    known = TiltRepsParams(least_deg=8.0, turn_axis=(0.0, -1.0, 0.0))
    assert len(reps_in(LIFTS_UP, params=known)) == 6
    other_way = TiltRepsParams(least_deg=8.0, turn_axis=(0.0, 1.0, 0.0))
    assert reps_in(up_of(regular(hold_s=0.0)), params=other_way) == []
    assert reps_in(turned_up(angles_of(LIFTS), axis="x"), params=known) == []


def test_lifts_to_either_side_are_found_and_their_axes_tell_them_apart():
    sides = [1.0, -1.0, 1.0, 1.0, -1.0, -1.0]
    both = Movement([(4.0 + 3.4 * k, 1.0, 0.4, 1.0, 35.0 * side) for k, side in enumerate(sides)], tail_s=3.0)
    reps = reps_in(up_of(both), params=EITHER_WAY)
    assert_found(reps, both)
    assert [-rep.turn_axis[1] for rep in reps] == pytest.approx(sides, abs=0.02)


def test_either_side_without_a_pause_in_the_middle_is_found_too():
    sides = [1.0, -1.0] * 4
    both = Movement([(4.0 + 2.4 * k, 1.2, 0.0, 1.2, 35.0 * side) for k, side in enumerate(sides)])
    reps = reps_in(up_of(both), params=EITHER_WAY)
    assert_found(reps, both, within_s=0.15)


def test_amplitude_and_tempo_may_change_within_a_set():
    reps = [(4.0, 1.0, 0.5, 1.0, 40.0), (7.5, 1.0, 0.5, 1.0, 40.0), (11.0, 0.5, 0.0, 0.5, 22.0)]
    reps += [(13.0, 2.5, 3.0, 3.0, 60.0), (23.0, 0.4, 0.2, 0.4, 25.0), (25.0, 1.0, 0.5, 1.0, 38.0)]
    movement = Movement(reps)
    assert_found(reps_in(up_of(movement)), movement, within_s=0.2)


def test_partial_repetitions_are_found_with_their_own_range():
    reps = [(4.0 + 4.0 * k, 1.0, 0.5, 1.0, 14.0 if k == 3 else 40.0) for k in range(6)]
    found = reps_in(up_of(Movement(reps)))
    assert [rep.range_deg for rep in found] == pytest.approx([40.0, 40.0, 40.0, 14.0, 40.0, 40.0], abs=1.0)


@pytest.mark.parametrize("rest_s", [5.0, 9.0, 30.0, 200.0])
def test_a_rest_in_mid_set_changes_nothing(rest_s):
    period_s = 3.4
    movement = Movement(
        [(4.0 + period_s * k + (rest_s if k > 2 else 0.0), 1.2, 0.0, 1.2, 40.0) for k in range(6)]
    )
    assert_found(reps_in(up_of(movement)), movement)


def test_after_a_long_rest_smaller_repetitions_are_a_new_set():
    reps = [(4.0 + 4.0 * k, 1.0, 0.5, 1.0, 60.0) for k in range(4)]
    reps += [(35.0 + 4.0 * k, 1.0, 0.5, 1.0, 12.0) for k in range(4)]
    movement = Movement(reps)
    assert_found(reps_in(up_of(movement)), movement)


@pytest.mark.parametrize("drift_deg_per_min", [5.0, -20.0, 40.0])
def test_rest_may_drift_slowly_for_minutes(drift_deg_per_min):
    movement = Movement([(20.0 + 12.0 * k, 1.2, 1.0, 1.2, 40.0) for k in range(20)])
    angle_deg = angles_of(movement)
    drift_deg = drift_deg_per_min * np.arange(len(angle_deg)) / 6000
    assert_found(reps_in(turned_up(angle_deg + drift_deg)), movement)


def test_drift_alone_is_no_repetition():
    t_s = np.arange(0.0, 600.0, 0.01)
    assert reps_in(turned_up(20.0 * np.sin(2 * np.pi * t_s / 120.0))) == []


ROLL = (("x", 70.0), ("y", 80.0), ("x", -90.0), ("y", -60.0))


@pytest.mark.parametrize("still_s", [1.5, 4.0, 20.0])
@pytest.mark.parametrize(("axis", "turn_deg"), ROLL)
def test_a_change_of_position_is_no_repetition_and_hides_none_after_it(axis, turn_deg, still_s):
    t_s = np.arange(0.0, 60.0 + still_s, 0.01)
    turn = turning(axis, turn_deg * smooth_step((t_s - 20.0) / 1.5)).as_matrix()
    starts_s = [4.0, 8.0, 12.0, 21.5 + still_s, 25.5 + still_s, 29.5 + still_s]
    lifts = Movement([(start_s, 1.0, 1.0, 1.0, 35.0) for start_s in starts_s])
    up = np.einsum("nij,nj->ni", turn, turned_up(lifts.height_m(t_s)))
    reps = reps_in(up)
    assert [rep.start_hop / 100 for rep in reps] == pytest.approx(starts_s, abs=0.1)


def test_lying_down_lifting_rolling_over_and_getting_up_gives_the_lifts_alone():
    t_s = np.arange(0.0, 70.0, 0.01)
    lie = turning("y", 85.0 * smooth_step((t_s - 4.0) / 2.5))
    roll = turning("z", 180.0 * smooth_step((t_s - 30.0) / 2.0))
    get_up = turning("y", 80.0 * smooth_step((t_s - 60.0) / 2.5))
    starts_s = [12.0, 16.0, 20.0, 38.0, 42.0, 46.0]
    lifts = Movement([(start_s, 1.0, 0.8, 1.0, 30.0) for start_s in starts_s]).height_m(t_s)
    turn = (get_up * roll * lie).as_matrix()
    reps = reps_in(np.einsum("nij,nj->ni", turn, turned_up(lifts)))
    assert [rep.start_hop / 100 for rep in reps] == pytest.approx(starts_s, abs=0.1)


def test_walking_shakes_too_much_to_be_a_lift():
    t_s = np.arange(0.0, 60.0, 0.01)
    swing_deg = 20.0 * np.sin(2 * np.pi * t_s)
    force = GRAVITY + 3.0 * np.sin(2 * np.pi * 2.0 * t_s) + 2.0 * np.sin(2 * np.pi * 8.0 * t_s)
    assert len(reps_in(turned_up(swing_deg))) > 30
    assert reps_in(turned_up(swing_deg), force_mps2=force) == []


def test_lying_still_gives_nothing():
    noise = np.random.default_rng(0).normal(0.0, 0.3, 30_000)
    assert follow(turned_up(noise))[0] == []


def test_a_turn_that_does_not_come_back_is_told_once_and_taken_back():
    up = turned_up(60.0 * smooth_step((np.arange(0.0, 70.0, 0.01) - 5.0) / 1.5))
    assert [type(news) for news in follow(up)[0]] == [RestLeft, RestResumed]


def told_away(found):
    """Whether the news, one after the other, say that rest is left."""
    away, told = False, []
    for news in found:
        away = isinstance(news, RestLeft)
        told.append(away)
    return told


def test_rest_is_never_said_to_be_resumed_while_another_idea_is_away():
    """A repetition from the new rest is under way when the old idea of rest runs out of patience."""
    change = 60.0 * smooth_step((np.arange(0.0, 80.0, 0.01) - 5.0) / 1.5)
    lift = Movement([(49.0, 2.0, 4.0, 2.0, 30.0)]).height_m(np.arange(0.0, 80.0, 0.01))
    found, _ = follow(turned_up(change + lift))
    reps = [news for news in found if isinstance(news, RepFound)]
    assert [rep.start_hop / 100 for rep in reps] == pytest.approx([49.0], abs=0.15)
    place = found.index(reps[0])
    assert isinstance(found[place - 1], RestLeft)


@pytest.mark.parametrize("middle_s", [0.6, 1.7, 2.8])
def test_a_break_in_a_repetition_turns_none_of_the_others_upside_down(middle_s):
    for pause_s in (0.2, 1.0, 2.0):
        movement = regular(n_reps=8, pause_s=pause_s)
        up = up_of(movement)
        at = round(100 * (movement.reps[2][0] + middle_s))
        up[at - 30 : at + 30] = np.nan
        starts_s = [start_s for start_s, _, _ in movement.edges()]
        found_s = [rep.start_hop / 100 for rep in reps_in(up)]
        whole_s = [start_s for k, start_s in enumerate(starts_s) if k != 2]
        touched_s = [s for s in found_s if starts_s[2] - 0.1 < s < starts_s[3] - 0.5]
        assert len(touched_s) <= 1
        assert [s for s in found_s if s not in touched_s] == pytest.approx(whole_s, abs=0.12)


def test_a_sensor_that_was_put_on_anew_in_a_break_finds_its_new_rest():
    before, after = regular(n_reps=3), regular(n_reps=4)
    turned = turned_up(angles_of(after), axis="y") @ Rotation.from_euler("x", 100, degrees=True).as_matrix()
    n_before = len(up_of(before))
    up = np.concatenate([up_of(before), np.full((500, 3), np.nan), turned])
    starts_s = [s for s, _, _ in before.edges()]
    starts_s += [s + (n_before + 500) / 100 for s, _, _ in after.edges()]
    assert [rep.start_hop / 100 for rep in reps_in(up)] == pytest.approx(starts_s, abs=0.12)


def test_a_repetition_is_known_within_three_tenths_of_a_second_of_its_end():
    late = []
    reps = TiltReps(PARAMS)
    for hop, up in enumerate(LIFTS_UP):
        found = reps.process(hop, up[np.newaxis], np.array([GRAVITY]))
        late += [hop - rep.end_hop for rep in found if isinstance(rep, RepFound)]
    assert len(late) == 6
    assert max(late) <= 30


def test_an_end_at_the_end_of_the_stream_is_found_when_it_is_finished():
    movement = regular(n_reps=2)
    end_s = list(movement.edges())[-1][2]
    reps = reps_in(up_of(movement)[: round(100 * end_s) + 2])
    assert_found(reps, movement)

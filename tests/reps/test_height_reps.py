import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.pelvis_motion import PelvisMotionHops
from emgmon.dsp.pipeline import MotionPipeline
from emgmon.dsp.timeline import SampleClock
from emgmon.reps.found import RepFound, RestLeft, RestResumed
from emgmon.reps.height import HeightReps
from tests.builders import Movement


def motion_of(movement, *, seed=0):
    pipeline = MotionPipeline(rate_hz=100.0)
    imu = movement.imu(seed=seed).T.astype(np.float64)
    return pipeline.process(imu, SampleClock(0, 0.0, 100.0), 0).height


def found_in(motion, *, direction=1, size=None, restore_between=False):
    reps, found = HeightReps(direction=direction), []
    step = size or len(motion.height_m)
    for start in range(0, len(motion.height_m), step):
        piece = slice(start, start + step)
        found += reps.process(
            PelvisMotionHops(
                motion.first_hop + start,
                motion.height_m[piece],
                motion.velocity_mps[piece],
                motion.acceleration_mps2[piece],
                motion.offset_mps2[piece],
                motion.resting[piece],
            )
        )
        if restore_between:
            other = HeightReps(direction=direction)
            other.state, reps = reps.state, other
    return found + reps.finish()


def reps_in(motion, **how):
    return [news for news in found_in(motion, **how) if isinstance(news, RepFound)]


def regular(*, n_reps=6, out_s=1.2, hold_s=1.0, back_s=1.2, pause_s=1.0, range_m=0.16):
    period_s = out_s + hold_s + back_s + pause_s
    return Movement([(4.0 + k * period_s, out_s, hold_s, back_s, range_m) for k in range(n_reps)])


BRIDGE = regular()


@pytest.mark.parametrize(
    "movement",
    [
        BRIDGE,
        regular(hold_s=10.0),
        regular(out_s=0.9, range_m=0.3),
        regular(out_s=0.5, hold_s=0.2, back_s=0.5, pause_s=0.3, range_m=0.12),
        regular(hold_s=0.0, range_m=0.25),
    ],
    ids=["bridge", "long holds", "hip thrust", "quick", "no hold"],
)
def test_every_repetition_is_found_with_its_edges(movement):
    reps = reps_in(motion_of(movement))
    assert len(reps) == len(movement.reps)
    for rep, (start_s, turn_s, end_s) in zip(reps, movement.edges(), strict=True):
        assert rep.start_hop / 100 == pytest.approx(start_s, abs=0.1)
        assert rep.turn_hop / 100 == pytest.approx(turn_s, abs=0.15)
        assert rep.end_hop / 100 == pytest.approx(end_s, abs=0.1)


def test_the_phases_follow_the_movement():
    for rep, (start_s, out_s, hold_s, _, range_m) in zip(
        reps_in(motion_of(BRIDGE)), BRIDGE.reps, strict=True
    ):
        assert rep.hold_hop / 100 == pytest.approx(start_s + out_s, abs=0.12)
        assert rep.back_hop / 100 == pytest.approx(start_s + out_s + hold_s, abs=0.12)
        assert rep.range_m == pytest.approx(range_m, abs=0.02)


def test_a_squat_is_the_same_movement_the_other_way():
    down = Movement([(4.0 + 3.2 * k, 1.2, 0.0, 1.0, -0.4) for k in range(5)])
    motion = motion_of(down)
    reps = reps_in(motion, direction=-1)
    assert len(reps) == 5
    assert [rep.range_m for rep in reps] == pytest.approx([0.4] * 5, abs=0.02)


@pytest.mark.parametrize("size", [1, 9, 250])
def test_every_cut_gives_the_same_repetitions(size):
    motion = motion_of(BRIDGE)
    assert found_in(motion, size=size) == found_in(motion)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 400))
def test_the_state_put_into_another_machine_goes_on_as_if_nothing_had_happened(size):
    motion = motion_of(BRIDGE)
    assert found_in(motion, size=size, restore_between=True) == found_in(motion)


def test_a_repetition_is_known_within_three_tenths_of_a_second_of_its_end():
    motion = motion_of(BRIDGE)
    reps, late = HeightReps(direction=1), []
    for hop in range(len(motion.height_m)):
        piece = slice(hop, hop + 1)
        columns = (
            motion.height_m,
            motion.velocity_mps,
            motion.acceleration_mps2,
            motion.offset_mps2,
            motion.resting,
        )
        news = reps.process(PelvisMotionHops(motion.first_hop + hop, *(column[piece] for column in columns)))
        late += [motion.first_hop + hop - rep.end_hop for rep in news if isinstance(rep, RepFound)]
    # The motion itself is 14 hops behind the samples.
    assert len(late) == len(BRIDGE.reps)
    assert max(late) + 14 <= 30


def test_lying_still_and_small_shifts_are_no_repetitions():
    shifts = Movement([(4.0 + 3 * k, 0.5, 0.5, 0.5, 0.02) for k in range(8)])
    assert reps_in(motion_of(shifts)) == []
    assert reps_in(motion_of(Movement([], tail_s=60.0))) == []


def test_getting_up_without_coming_back_is_no_repetition():
    up = Movement([(4.0, 1.0, 60.0, 1.0, 0.4)], tail_s=-20.0)
    found = found_in(motion_of(up))
    assert [type(news) for news in found] == [RestLeft, RestResumed]


def test_a_break_in_the_middle_ends_the_attempt_and_the_next_repetition_counts():
    motion = motion_of(BRIDGE)
    middle = round((BRIDGE.reps[2][0] + 1.5) * 100)
    for column in (motion.height_m, motion.velocity_mps, motion.acceleration_mps2, motion.offset_mps2):
        column[middle : middle + 50] = np.nan
    reps = reps_in(motion)
    starts_s = [rep.start_hop / 100 for rep in reps]
    expected_s = [start_s for k, (start_s, _, _) in enumerate(BRIDGE.edges()) if k != 2]
    assert [any(abs(s - e) < 0.2 for s in starts_s) for e in expected_s] == [True] * 5


def test_hops_of_a_repetition_never_go_backwards():
    for seed in range(5):
        for rep in reps_in(motion_of(regular(hold_s=0.3, pause_s=0.4), seed=seed)):
            hops = [rep.start_hop, rep.hold_hop, rep.turn_hop, rep.back_hop, rep.end_hop]
            assert hops == sorted(hops)


@pytest.mark.parametrize("size", [1, 13, 500, 7000])
def test_minutes_of_rest_before_and_between_repetitions_change_nothing(size):
    rested = Movement([(start_s, 1.2, 1.0, 1.2, 0.16) for start_s in (70.0, 75.0, 205.0, 330.0)])
    motion = motion_of(rested)
    whole = found_in(motion)
    assert sum(isinstance(news, RepFound) for news in whole) == 4
    assert found_in(motion, size=size, restore_between=size > 100) == whole


@pytest.mark.parametrize("away_s", [12.0, 20.0])
@pytest.mark.parametrize("range_m", [0.2, 0.4, 0.6])
def test_a_movement_that_never_came_back_is_none_whatever_the_drifting_curve_says(range_m, away_s):
    down = Movement([(8.0, 1.5, away_s, 1.0, -range_m)], tail_s=-1.0)
    motion = motion_of(down)
    assert reps_in(motion, direction=-1) == []
    # The curve itself comes back by half: a look at it alone would take this for a repetition.
    curve = -motion.height_m
    assert curve[1000:].min() < curve[:800].max() + 0.9 * (curve.max() - curve[:800].max())


def test_after_one_that_never_came_back_repetitions_from_the_new_rest_count():
    down = [(8.0, 1.5, 60.0, 1.0, -0.4)]
    lower = [(40.0 + 4.0 * k, 1.0, 0.5, 1.0, -0.2) for k in range(4)]
    reps = reps_in(motion_of(Movement([*down, *lower])), direction=-1)
    starts_s = [rep.start_hop / 100 for rep in reps]
    assert starts_s == pytest.approx([start_s for start_s, *_ in lower], abs=0.15)


@pytest.mark.parametrize("first_s", [4.0, 6.0, 9.0])
@pytest.mark.parametrize(("out_s", "hold_s"), [(2.0, 0.5), (1.5, 0.5), (2.0, 1.5), (1.2, 0.0)])
@pytest.mark.parametrize("range_m", [0.3, 0.6])
def test_a_slow_first_repetition_soon_after_the_beginning_is_found_with_its_edges(
    first_s, out_s, hold_s, range_m
):
    movement = Movement([(first_s + 8.0 * k, out_s, hold_s, out_s, -range_m) for k in range(3)])
    reps = reps_in(motion_of(movement), direction=-1)
    assert len(reps) == 3
    for rep, (start_s, _, end_s) in zip(reps, movement.edges(), strict=True):
        assert rep.start_hop / 100 == pytest.approx(start_s, abs=0.2)
        assert rep.end_hop / 100 == pytest.approx(end_s, abs=0.25)


def pushed_twice(*, drop_m, drop_s, way_m, way_s):
    """A way out that begins slowly and ends fast, so that its strongest push comes late."""
    reps = []
    for start_s in (8.0, 16.0, 24.0):
        reps.append((start_s, drop_s, way_s + 1.4, 1.4, -drop_m))
        reps.append((start_s + 0.75 * drop_s, way_s, 0.25 * drop_s + 1.4, 1.4, -way_m))
    return Movement(reps, tail_s=4.0)


def test_where_the_strongest_push_comes_after_most_of_the_way_the_start_is_found_before_it():
    movement = pushed_twice(drop_m=0.3, drop_s=2.2, way_m=0.12, way_s=0.5)
    reps = reps_in(motion_of(movement), direction=-1)
    assert len(reps) == 3
    for rep, start_s in zip(reps, (8.0, 16.0, 24.0), strict=True):
        assert rep.start_hop / 100 == pytest.approx(start_s, abs=0.35)
        assert rep.range_m > 0.3

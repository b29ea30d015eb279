"""Which movements of a set are its repetitions, from tables of sizes, axes, positions and lengths."""

import math

import pytest

from emgmon.reps.found import RepFound
from emgmon.reps.likeness import (
    OTHER_DIRECTION_DEG,
    OTHER_POSITION_DEG,
    USUAL_SHARE_OF_ONE_LEG,
    Unlike,
    partial_reason,
    revise,
    too_few_alike,
)


def rep(range_deg=40.0, *, k=0, axis_deg=0.0, seconds=3.0, range_m=None, known_axis=True):
    """One repetition whose axis lies in a plane, so that one angle tells it."""
    radians = math.radians(axis_deg)
    return RepFound(
        400 * k,
        400 * k + 100,
        400 * k + 110,
        400 * k + 120,
        400 * k + round(100 * seconds),
        range_m=range_m,
        range_deg=range_deg,
        turn_axis=(math.cos(radians), math.sin(radians), 0.0) if known_axis else None,
    )


def sized(*sizes_deg):
    return [rep(size, k=k) for k, size in enumerate(sizes_deg)]


def about(*axes_deg):
    return [rep(axis_deg=axis, k=k) for k, axis in enumerate(axes_deg)]


def begun_at(*angles_deg):
    """Directions of up in a plane; ``None`` where unknown."""
    return [
        None if angle is None else (math.sin(math.radians(angle)), 0.0, math.cos(math.radians(angle)))
        for angle in angles_deg
    ]


UNKNOWN = [None] * 20


@pytest.mark.parametrize(
    ("before", "size", "partial"),
    [
        ((), 1.0, False),
        ((40.0,), 1.0, False),
        ((40.0, 40.0), 19.9, True),
        ((40.0, 40.0), 20.0, False),
        ((40.0, 42.0, 38.0), 15.0, True),
        ((40.0, 42.0, 38.0), 200.0, False),
        ((14.0, 40.0, 40.0), 13.0, True),
        ((14.0, 40.0, 40.0), 15.0, False),
        ((14.0, 15.0, 40.0), 16.0, False),
    ],
)
def test_a_repetition_is_partial_below_half_of_what_is_usual_with_three_to_go_by(before, size, partial):
    reason = partial_reason(rep(size), sized(*before))
    assert (reason is not None) == partial
    assert reason is None or reason.startswith("partial: ")


def test_the_reason_says_how_much_of_the_usual_range_it_was():
    assert partial_reason(rep(12.0), sized(40.0, 40.0)) == "partial: 30 % of the usual range of this set"


def test_metres_come_before_degrees():
    before = [rep(90.0, range_m=0.2), rep(90.0, range_m=0.2)]
    assert partial_reason(rep(90.0, range_m=0.05), before) is not None
    assert partial_reason(rep(10.0, range_m=0.2), before) is None


def test_without_a_range_nothing_is_partial():
    unknown = rep(None)
    assert partial_reason(unknown, sized(40.0, 40.0, 40.0)) is None
    assert partial_reason(rep(5.0), [unknown, unknown, unknown]) is None


def test_a_sensor_on_one_thigh_goes_by_the_larger_ones():
    both_legs = sized(40.0, 12.0, 41.0, 11.0, 39.0)
    other_leg, own_leg = rep(12.0), rep(40.0)
    assert partial_reason(other_leg, both_legs, usual_share=USUAL_SHARE_OF_ONE_LEG) is not None
    assert partial_reason(own_leg, both_legs, usual_share=USUAL_SHARE_OF_ONE_LEG) is None


@pytest.mark.parametrize(
    ("sizes_deg", "places"),
    [
        ((40.0, 40.0), []),
        ((40.0, 41.0, 39.0, 40.0), []),
        ((110.0, 40.0, 41.0, 39.0), [0]),
        ((99.0, 40.0, 41.0, 39.0), []),
        ((15.0, 40.0, 41.0, 39.0), [0]),
        ((40.0, 41.0, 39.0, 15.0), [3]),
        ((40.0, 10.0, 41.0, 130.0, 39.0), [1, 3]),
        ((10.0, 100.0), []),
        ((10.0, 40.0, 400.0), [0]),
        ((40.0, 41.0, 400.0), []),
    ],
)
def test_sizes_that_do_not_fit_are_found_unless_they_are_half_of_the_set(sizes_deg, places):
    found = revise(sized(*sizes_deg), UNKNOWN[: len(sizes_deg)], alternating=False)
    assert [unlike.place for unlike in found] == places


def test_partial_ones_that_are_not_counted_belong_to_what_is_usual():
    counted = sized(60.0, 25.0, 60.0)
    partial = sized(22.0, 24.0, 23.0, 22.0)
    assert revise(counted, UNKNOWN[:3], alternating=False) == [
        Unlike(1, "partial: 42 % of the usual range of this set")
    ]
    with_partial = revise(counted, UNKNOWN[:3], partial=partial, alternating=False)
    assert [unlike.place for unlike in with_partial] == []


@pytest.mark.parametrize(
    ("axes_deg", "places"),
    [
        ((0, 5, -5, 0), []),
        ((90, 5, -5, 0), [0]),
        ((0, 5, OTHER_DIRECTION_DEG + 20, 0), [2]),
        ((0, 0, OTHER_DIRECTION_DEG - 1, 0), []),
        ((180, 0, 0, 0), [0]),
        ((90, 0), []),
    ],
)
def test_another_axis_than_that_of_most_is_found(axes_deg, places):
    found = revise(about(*axes_deg), UNKNOWN[: len(axes_deg)], alternating=False)
    assert [unlike.place for unlike in found] == places
    assert all("about another axis" in unlike.reason for unlike in found)


@pytest.mark.parametrize(
    ("axes_deg", "places"),
    [
        ((0, 180, 5, 175), []),
        ((0, 180, 5, 175, 90), [4]),
        ((40, -40, 40, -40), []),
        ((0, 180, 90), []),
        ((90, 0, 180), []),
    ],
)
def test_where_sides_alternate_left_and_right_may_have_an_axis_each(axes_deg, places):
    found = revise(about(*axes_deg), UNKNOWN[: len(axes_deg)], alternating=True)
    assert [unlike.place for unlike in found] == places


def test_one_unknown_axis_leaves_all_of_them_unjudged():
    reps = [*about(0, 0, 90, 0), rep(known_axis=False, k=4)]
    assert revise(reps, UNKNOWN[:5], alternating=False) == []


@pytest.mark.parametrize(
    ("starts_deg", "places"),
    [
        ((0, 10, 5, 0), []),
        ((90, 10, 5, 0), [0]),
        ((0, 0, 0, OTHER_POSITION_DEG + 1), [3]),
        ((0, 0, 0, OTHER_POSITION_DEG - 1), []),
        ((90, 0, None, 0), []),
        ((90, 0), []),
    ],
)
def test_another_position_at_the_start_is_found_where_all_are_known(starts_deg, places):
    found = revise(sized(*[40.0] * len(starts_deg)), begun_at(*starts_deg), alternating=False)
    assert [unlike.place for unlike in found] == places
    assert all("begun in another position" in unlike.reason for unlike in found)


@pytest.mark.parametrize(
    ("seconds", "sizes_deg", "a_set"),
    [
        ((3.0, 3.0, 3.0), (40.0, 40.0, 40.0), True),
        ((3.0, 3.0), (40.0, 40.0), False),
        ((3.0, 3.0, 7.0), (40.0, 40.0, 40.0), False),
        ((3.0, 3.0, 3.0, 9.0), (40.0, 40.0, 40.0, 40.0), True),
        ((3.0, 3.0, 3.0), (40.0, 40.0, 15.0), False),
        ((3.0, 3.0, 3.0), (40.0, 40.0, 21.0), True),
        ((3.0,), (40.0,), False),
    ],
)
def test_where_little_is_known_fewer_than_three_like_movements_are_no_set(seconds, sizes_deg, a_set):
    reps = [
        rep(size, k=k, seconds=length)
        for k, (size, length) in enumerate(zip(sizes_deg, seconds, strict=True))
    ]
    reason = too_few_alike(reps)
    assert (reason is None) == a_set
    assert reason is None or "accelerometer alone" in reason

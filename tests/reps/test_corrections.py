"""Corrections on made-up segmentations: what stands, in what order, and that cutting changes nothing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.reps.corrections import Corrected, Correction, RepAdded, RepMoved, RepRemoved
from emgmon.reps.found import Found, RepFound, RestLeft, RestResumed

DELAY_HOPS = 30
"""How late the made-up segmentation reports."""


def rep(start: int, turn: int, end: int, **others: object) -> RepFound:
    return RepFound(start, turn - 3, turn, turn + 3, end, range_m=0.3, **others)  # type: ignore[arg-type]


def segmentation(*reps: RepFound) -> list[Found]:
    return [news for one in reps for news in (RestLeft(one.start_hop + 5), one)]


def hop_of(item: Found) -> int:
    return item.end_hop if isinstance(item, RepFound) else item.hop


def run(
    corrections: Sequence[Correction], found: Sequence[Found], *, end_hop: int, cuts: Sequence[int] = ()
) -> list[Found]:
    """Hand everything over in portions; each piece of news comes late, as segmentation gives it."""
    stage = Corrected(corrections)
    handed: list[Found] = []
    waiting = list(found)
    for hop in [*sorted(cuts), end_hop]:
        n_due = sum(hop_of(item) + DELAY_HOPS < hop for item in waiting)
        due, waiting = waiting[:n_due], waiting[n_due:]
        handed += stage.process(due, hop)
    return handed + stage.finish(waiting)


def reps_of(found: Sequence[Found]) -> list[RepFound]:
    return [item for item in found if isinstance(item, RepFound)]


def spans(found: Sequence[Found]) -> list[tuple[int, int]]:
    return [(one.start_hop, one.end_hop) for one in reps_of(found)]


def keeps_order(found: Sequence[Found]) -> bool:
    """Rest is left before it is resumed or ended by a repetition, and repetitions end in order."""
    away = False
    for item in found:
        if isinstance(item, RepFound):
            away = False
        elif isinstance(item, RestLeft) == away:
            return False
        else:
            away = not away
    ends = [one.end_hop for one in reps_of(found)]
    return ends == sorted(ends)


THREE = segmentation(rep(100, 200, 300), rep(400, 500, 600), rep(700, 800, 900))


def test_without_corrections_all_is_handed_on_at_once_as_it_comes() -> None:
    stage = Corrected(())
    odd = [RestResumed(3), RestLeft(4), RestLeft(5), rep(1, 5, 9)]
    assert stage.process(odd, 50) == odd
    assert stage.settled_hop == 50
    assert stage.finish([RestResumed(60)]) == [RestResumed(60)]


def test_a_removed_repetition_is_left_out_and_rest_is_resumed_in_its_place() -> None:
    left = run([RepRemoved(5.0, 4.0, 6.0)], THREE, end_hop=1200)
    assert left == [*THREE[:2], THREE[2], RestResumed(600), *THREE[4:]]


def test_removing_holds_back_nothing() -> None:
    stage = Corrected([RepRemoved(5.0, 4.0, 6.0)])
    stage.process((), 777)
    assert stage.settled_hop == 777


def test_a_removal_takes_whatever_turns_within_it_and_nothing_that_only_touches_it() -> None:
    better = segmentation(rep(380, 430, 480), rep(490, 560, 601), rep(599, 700, 800))
    assert spans(run([RepRemoved(5.0, 4.0, 6.0)], better, end_hop=1200)) == [(599, 800)]


def test_an_added_repetition_comes_in_order_of_its_end_with_unknown_phases() -> None:
    handed = run([RepAdded(6.2, 6.5, 6.8, side="left")], THREE, end_hop=1200)
    assert spans(handed) == [(100, 300), (400, 600), (620, 680), (700, 900)]
    assert reps_of(handed)[2] == RepFound(620, 650, 650, 650, 680, range_m=None, origin="added")
    assert keeps_order(handed)


def test_an_added_repetition_waits_until_no_news_can_come_before_it() -> None:
    stage = Corrected([RepAdded(1.0, 1.5, 2.0)])
    assert stage.process((), 300) == []
    assert stage.settled_hop == 100
    assert stage.process((), 301) == [RestLeft(100)]
    # A repetition that is found a little later might still be this one.
    assert stage.process((), 500) == []
    assert stage.process((), 501) == [RepFound(100, 150, 150, 150, 200, range_m=None, origin="added")]


def test_an_added_repetition_lends_its_edges_to_a_found_one_it_mostly_overlaps() -> None:
    (one,) = reps_of(run([RepAdded(4.1, 4.9, 6.4)], THREE[2:4], end_hop=1200))
    # 4.9 s lies outside the hold that was found, 4.97 to 5.03 s.
    assert one == RepFound(410, 490, 490, 490, 640, range_m=0.3, origin="added")


def test_a_found_repetition_that_shares_half_or_less_stays_beside_an_added_one() -> None:
    assert spans(run([RepAdded(5.0, 6.0, 7.0)], THREE[2:4], end_hop=1200)) == [(400, 600), (500, 700)]
    assert spans(run([RepAdded(4.99, 6.0, 7.0)], THREE[2:4], end_hop=1200)) == [(499, 700)]


def test_a_moved_repetition_keeps_what_was_measured_around_its_turn() -> None:
    moved = RepMoved(5.0, 4.0, 6.0, start_s=3.5, end_s=5.5)
    one = reps_of(run([moved], THREE, end_hop=1200))[1]
    assert one == RepFound(350, 497, 500, 503, 550, range_m=0.3, origin="moved")


@pytest.mark.parametrize(
    ("turn_s", "hold", "turn", "back"), [(5.02, 497, 502, 503), (5.2, 520, 520, 520), (None, 497, 500, 503)]
)
def test_phases_stay_where_the_turn_lies_in_the_hold_that_was_found(
    turn_s: float | None, hold: int, turn: int, back: int
) -> None:
    moved = RepMoved(5.0, 4.0, 6.0, start_s=4.5, end_s=5.5, turn_s=turn_s)
    one = reps_of(run([moved], THREE, end_hop=1200))[1]
    assert (one.hold_hop, one.turn_hop, one.back_hop) == (hold, turn, back)


def test_phases_never_reach_beyond_edges_that_were_moved_inwards() -> None:
    long_hold = [RestLeft(405), RepFound(400, 420, 500, 580, 600, range_m=0.3)]
    (one,) = reps_of(run([RepMoved(5.0, 4.0, 6.0, 4.5, 5.5)], long_hold, end_hop=1200))
    assert (one.start_hop, one.hold_hop, one.turn_hop, one.back_hop, one.end_hop) == (450, 450, 500, 550, 550)


def test_a_moved_repetition_is_there_although_nothing_is_found_any_more() -> None:
    moved = RepMoved(5.0, 4.0, 6.0, start_s=4.2, end_s=6.2)
    handed = run([moved], [], end_hop=1200)
    assert handed == [RestLeft(420), RepFound(420, 500, 500, 500, 620, range_m=None, origin="moved")]


def test_a_repetition_moved_past_its_turn_has_its_turn_in_the_middle() -> None:
    (one,) = reps_of(run([RepMoved(5.0, 4.0, 6.0, 5.2, 6.0)], THREE[2:4], end_hop=1200))
    assert one == RepFound(520, 560, 560, 560, 600, range_m=None, origin="moved")


def test_of_two_found_where_one_was_moved_the_nearer_lends_its_measures_and_neither_stays() -> None:
    split = segmentation(replace(rep(400, 440, 480), range_m=0.1), rep(490, 540, 610))
    (one,) = reps_of(run([RepMoved(5.0, 4.0, 6.0, 4.6, 6.2)], split, end_hop=1200))
    assert (one.start_hop, one.turn_hop, one.end_hop, one.range_m) == (460, 540, 620, 0.3)


def test_a_merged_repetition_is_cut_in_two_by_moving_and_adding() -> None:
    corrections = [RepMoved(5.0, 4.0, 6.0, 4.0, 4.9, turn_s=4.4), RepAdded(4.9, 5.4, 6.0)]
    assert spans(run(corrections, THREE, end_hop=1200)) == [(100, 300), (400, 490), (490, 600), (700, 900)]
    better = segmentation(rep(402, 440, 488), rep(491, 540, 603))
    assert spans(run(corrections, better, end_hop=1200)) == [(400, 490), (490, 600)]


def test_an_added_repetition_can_be_moved_and_stays_an_added_one() -> None:
    corrections = [RepAdded(6.2, 6.5, 6.8, "right"), RepMoved(6.5, 6.2, 6.8, 6.1, 6.7)]
    stage = Corrected(corrections)
    (one,) = reps_of([*stage.process((), 1200), *stage.finish(())])
    assert one == RepFound(610, 650, 650, 650, 670, range_m=None, origin="added")
    assert stage.side(one) == "right"
    assert stage.side(rep(400, 500, 600)) is None


def test_a_repetition_moved_twice_has_its_last_edges() -> None:
    corrections = [RepMoved(5.0, 4.0, 6.0, 4.2, 6.2), RepMoved(5.0, 4.2, 6.2, 4.3, 6.3)]
    handed = run(corrections, THREE, end_hop=1200)
    assert spans(handed) == [(100, 300), (430, 630), (700, 900)]
    assert reps_of(handed)[1].range_m == 0.3


def test_what_was_moved_and_then_removed_does_not_come_back_as_it_was_found() -> None:
    corrections = [RepMoved(5.0, 4.0, 6.0, 4.0, 4.8, turn_s=4.4), RepRemoved(4.4, 4.0, 4.8)]
    assert spans(run(corrections, THREE, end_hop=1200)) == [(100, 300), (700, 900)]


def test_what_is_added_after_a_removal_stays() -> None:
    corrections = [RepRemoved(5.0, 4.0, 6.0), RepAdded(4.5, 5.0, 5.5)]
    assert spans(run(corrections, THREE, end_hop=1200)) == [(100, 300), (450, 550), (700, 900)]


def test_segmentation_may_be_away_while_an_added_repetition_ends() -> None:
    walk = [RestLeft(100), RestResumed(900)]
    handed = run([RepAdded(2.0, 2.5, 3.0)], walk, end_hop=1200)
    assert handed == [
        RestLeft(100),
        RepFound(200, 250, 250, 250, 300, range_m=None, origin="added"),
        RestLeft(300),
        RestResumed(900),
    ]


def test_what_a_person_put_behind_the_end_of_the_signal_is_not_there() -> None:
    assert run([RepAdded(9.0, 12.0, 13.01)], [], end_hop=1200) == [RestLeft(900), RestResumed(1200)]
    assert run([RepAdded(11.0, 12.0, 13.01)], [], end_hop=1200) == []
    assert spans(run([RepAdded(11.0, 12.0, 13.0)], [], end_hop=1200)) == [(1100, 1300)]
    assert run([RepAdded(20.0, 21.0, 22.0)], THREE, end_hop=1200) == THREE


@st.composite
def repetitions(draw: st.DrawFn, *, most: int = 5) -> list[tuple[int, int, int]]:
    """Starts, turns and ends, one repetition behind the other."""
    hop, drawn = 0, []
    for _ in range(draw(st.integers(0, most))):
        start = hop + draw(st.integers(0, 400))
        turn = start + draw(st.integers(10, 200))
        hop = turn + draw(st.integers(10, 200))
        drawn.append((start, turn, hop))
    return drawn


@st.composite
def segmentations(draw: st.DrawFn) -> list[Found]:
    """Repetitions with starts of movement between them that come to nothing."""
    found: list[Found] = []
    for start, turn, end in draw(repetitions()):
        before = hop_of(found[-1]) if found else 0
        if draw(st.booleans()) and start - before > 20:
            found += [RestLeft(before + 5), RestResumed(before + 15)]
        found += [RestLeft(start + 5), rep(start, turn, end)]
    return found


@st.composite
def any_corrections(draw: st.DrawFn) -> list[Correction]:
    """What people might say, about repetitions that are there and others that are not."""
    made: list[Correction] = []
    stretches = [[hop / 100 for hop in one] for one in draw(repetitions(most=6))]
    for start, turn, end in draw(st.permutations(stretches)):
        kind = draw(st.sampled_from(["add", "remove", "move"]))
        if kind == "add":
            made.append(RepAdded(start, turn, end))
        elif kind == "remove":
            made.append(RepRemoved(turn, start, end))
        else:
            to, by = draw(st.sampled_from(stretches)), draw(st.integers(0, 50)) / 100
            given = draw(st.sampled_from([None, to[1] + by]))
            made.append(RepMoved(turn, start, end, to[0] + by, to[2] + by, turn_s=given))
    return made


@given(segmentations(), any_corrections(), st.lists(st.integers(1, 4_500), max_size=30))
def test_cutting_the_signal_anywhere_gives_the_same(
    found: list[Found], corrections: list[Correction], cuts: list[int]
) -> None:
    whole = run(corrections, found, end_hop=4_500)
    assert run(corrections, found, end_hop=4_500, cuts=cuts) == whole
    assert run(corrections, found, end_hop=4_500, cuts=range(1, 4_500, 7)) == whole


@given(segmentations(), any_corrections())
def test_the_order_of_a_segmentation_is_kept(found: list[Found], corrections: list[Correction]) -> None:
    assert keeps_order(run(corrections, found, end_hop=4_500))


@given(segmentations(), any_corrections())
def test_what_is_settled_does_not_change(found: list[Found], corrections: list[Correction]) -> None:
    stage = Corrected(corrections)
    waiting, away = list(found), False
    for hop in range(0, 4_500, 13):
        settled = stage.settled_hop
        n_due = sum(hop_of(item) + DELAY_HOPS < hop for item in waiting)
        due, waiting = waiting[:n_due], waiting[n_due:]
        handed = stage.process(due, hop)
        # While something may be under way, no rest is measured; what comes in that time may lie back.
        assert away or all(hop_of(item) + DELAY_HOPS >= settled for item in handed[:1])
        away = isinstance(handed[-1], RestLeft) if handed else away


@given(segmentations(), st.integers(0, 3_000))
def test_removing_what_was_added_gives_what_was_found(found: list[Found], start: int) -> None:
    span = (start, start + 40)
    beside = all(one.end_hop < span[0] or one.start_hop > span[1] for one in reps_of(found))
    added = RepAdded(span[0] / 100, (span[0] + 20) / 100, span[1] / 100)
    with_it = run([added], found, end_hop=4_500)
    without = run([added, RepRemoved(added.turn_s, added.start_s, added.end_s)], found, end_hop=4_500)
    if beside:
        assert without == found
        assert [one for one in reps_of(with_it) if one.origin == "found"] == reps_of(found)
    assert [one for one in reps_of(with_it) if one.origin == "added"]
    assert not [one for one in reps_of(without) if one.origin != "found"]


@given(segmentations())
def test_moving_every_repetition_to_where_it_is_changes_nothing_but_the_mark(found: list[Found]) -> None:
    corrections = [
        RepMoved(one.turn_hop / 100, *edges, *edges)
        for one in reps_of(found)
        for edges in [(one.start_hop / 100, one.end_hop / 100)]
    ]
    moved = run(corrections, found, end_hop=4_500)
    assert reps_of(moved) == [replace(one, origin="moved") for one in reps_of(found)]


@given(segmentations())
def test_removing_every_repetition_leaves_none(found: list[Found]) -> None:
    corrections = [
        RepRemoved(one.turn_hop / 100, one.start_hop / 100, one.end_hop / 100) for one in reps_of(found)
    ]
    assert reps_of(run(corrections, found, end_hop=4_500)) == []


@given(segmentations(), any_corrections(), st.integers(0, 4_400))
def test_a_state_put_back_gives_the_same_future(
    found: list[Found], corrections: list[Correction], at: int
) -> None:
    n_due = sum(hop_of(item) + DELAY_HOPS < at for item in found)
    first, second = Corrected(corrections), Corrected(corrections)
    first.process(found[:n_due], at)
    kept = first.state
    future = [*first.process(found[n_due:], 4_500), *first.finish(())]
    second.state = kept
    assert [*second.process(found[n_due:], 4_500), *second.finish(())] == future

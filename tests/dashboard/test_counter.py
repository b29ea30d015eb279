"""The large digits, and the sides beside or below them."""

import pytest

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.counter import Counter
from emgmon.events import RepWithdrawn
from tests.dashboard.synthetic import GLUTE_AND_BACK, PARTIAL, closed_set, emg_rep, leg_lift, partial_rep

SMALL, LOW, TALL = (28, 7), (38, 4), (44, 16)
SIZES = pytest.mark.parametrize("size", [SMALL, LOW, TALL])


def drawn(view: SessionView, size: tuple[int, int]) -> list[str]:
    width, height = size
    rows = ["".join(text for text, _ in line).rstrip() for line in Counter().draw(view, width, height)]
    assert len(rows) <= height
    assert all(len(row) <= width for row in rows)
    return rows


def view_of(*movements: object) -> SessionView:
    return SessionView(sensors=(GLUTE_AND_BACK,), movements=list(movements), end_hop=100)  # type: ignore[arg-type]


@SIZES
def test_each_side_is_counted_where_sides_alternate(size: tuple[int, int]) -> None:
    sides = ("left", "right") * 6
    text = "\n".join(drawn(view_of(*(leg_lift(n, side) for n, side in enumerate(sides, 1))), size))
    assert "L 6  R 6" in text
    assert "reps" in text


@SIZES
def test_where_both_sides_work_together_no_side_is_named(size: tuple[int, int]) -> None:
    text = "\n".join(drawn(view_of(emg_rep(1, share=60)), size))
    assert "L " not in text
    assert text.rstrip().endswith("rep")


@SIZES
def test_only_what_counts_is_in_the_digits(size: tuple[int, int]) -> None:
    counted = [emg_rep(1, share=60), emg_rep(2, share=60)]
    assert drawn(view_of(*counted, partial_rep()), size) == drawn(view_of(*counted), size)


def test_a_repetition_taken_back_leaves_the_digits() -> None:
    view = view_of(emg_rep(1, share=60), emg_rep(2, share=60))
    before = Counter().facts(view)
    view.apply(RepWithdrawn(1, 1, 0.0, 3.0, PARTIAL))
    assert Counter().facts(view) != before
    assert drawn(view, SMALL) == drawn(view_of(emg_rep(1, share=60)), SMALL)


def test_sides_are_those_of_the_set_under_way() -> None:
    first = [leg_lift(1, "left"), leg_lift(2, "right")]
    view = view_of(*first, emg_rep(1, share=60, set_number=2, side="left"))
    view.sets.append(closed_set(first))
    assert drawn(view, SMALL)[0].startswith("SET 2")
    assert drawn(view, SMALL)[-1] == "L 1"


def test_a_hundred_repetitions_leave_no_room_for_sides_in_a_low_window_and_nothing_is_cut() -> None:
    view = view_of(*(leg_lift(n, "left" if n % 2 else "right") for n in range(1, 101)))
    assert drawn(view, (28, 4))[-1].endswith("reps")

import pytest

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line
from emgmon.dashboard.widgets.reps import RepList
from emgmon.events import MovementSignal, RepWithdrawn, SessionEnded, Verdict
from tests.dashboard.synthetic import (
    GLUTE_AND_BACK,
    IMU_ONLY,
    MOTION_SENTENCES,
    PARTIAL,
    emg_rep,
    leg_lift,
    measured,
    motion_rep,
    partial_rep,
    pelvis,
    surrogate,
    tempo,
    unmeasured,
)

NARROW, WIDE = 48, 110


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def lines(
    *reps: object,
    width: int = NARROW,
    height: int = 12,
    sensor: object = GLUTE_AND_BACK,
    signal: MovementSignal = MovementSignal.PELVIS_HEIGHT,
) -> list[Line]:
    view = SessionView(sensors=(sensor,), movements=list(reps), movement_signal=signal)  # type: ignore[arg-type]
    return list(RepList().draw(view, width, height))


def rows(*reps: object, **size: object) -> list[str]:
    """What stands below the heading and the titles of the columns."""
    return [text(line) for line in lines(*reps, **size)[2:]]  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "n_glute"), [(0, 0), (25, 5), (50, 10), (75, 15), (100, 20)])
def test_the_border_on_the_bar_is_the_share(share: float, n_glute: int) -> None:
    # 54 columns leave 20 for the bar beside number, share, interval and verdict.
    rep = emg_rep(1, share=50, metrics=(measured("glute_share_pct", share),))
    (row,) = rows(rep, width=54)
    assert row.count("■") == n_glute
    assert row.count("□") == 20 - n_glute


def test_a_row_says_number_share_interval_and_verdict() -> None:
    (row,) = rows(emg_rep(7, share=58))
    assert row.split() == ["7", "■" * 8 + "□" * 6, "58", "%", "53–63", "◆", "shared"]


def test_left_and_right_repetitions_are_told_apart() -> None:
    left, right = rows(emg_rep(1, share=60, side="left"), emg_rep(1, share=60, side="right"))
    assert (left.split()[0], right.split()[0]) == ("1L", "1R")


def test_a_share_that_was_not_measured_is_said_in_words_with_its_reason() -> None:
    rep = emg_rep(
        1,
        share=60,
        verdict=Verdict.CANNOT_TELL,
        metrics=(unmeasured("glute_share_pct", "lead off"), *tempo()),
    )
    (row,) = rows(rep)
    assert "not measured: lead off" in row
    assert "■" not in row
    assert "0 %" not in row
    assert row.endswith("? cannot tell")


def test_a_share_that_nobody_mentioned_is_not_measured_either() -> None:
    (row,) = rows(emg_rep(1, share=60, metrics=tempo()))
    assert "not measured" in row


def test_a_reason_too_long_for_its_room_ends_in_an_ellipsis_and_moves_nothing() -> None:
    rep = emg_rep(1, share=60, metrics=(unmeasured("glute_share_pct", "very " * 30 + "long"),))
    (row,) = rows(rep)
    assert "…" in row
    assert len(row.rstrip()) <= NARROW
    assert row.index("◆") == rows(emg_rep(1, share=60))[0].index("◆")


def test_a_repetition_that_was_left_out_does_not_show_a_verdict_or_colours() -> None:
    row = lines(emg_rep(1, share=60, excluded="samples were lost"))[2]
    assert text(row).endswith("∅ left out")
    assert {tone for _, tone in row}.isdisjoint({"glute", "back"})


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("width", [44, NARROW, WIDE, 113])
def test_every_verdict_fits_into_its_column(verdict: Verdict, width: int) -> None:
    for rep in (
        emg_rep(500, share=100, verdict=verdict, start_s=5000.0, side="left"),
        emg_rep(1, share=50, verdict=verdict, metrics=()),
        emg_rep(1, share=60, verdict=verdict, excluded="samples were lost"),
    ):
        for row in rows(rep, width=width):
            assert len(row.rstrip()) <= width


@pytest.mark.parametrize("width", [44, NARROW, WIDE, 113])
def test_a_row_of_motion_fits_also_after_an_hour(width: int) -> None:
    (row,) = rows(motion_rep(12, start_s=4000.0), width=width, sensor=IMU_ONLY)
    assert "42 cm" in row
    assert "1:06:40" in row
    assert len(row.rstrip()) <= width


def test_a_wide_list_shows_times_and_levels_too() -> None:
    rep = emg_rep(1, share=60, start_s=65.0)
    (row,) = rows(rep, width=WIDE)
    # The glute is at 30 + 60/4 = 45 %, the back at 45 * 40/60 = 30 % of the reference.
    assert row.split()[:9] == ["1", "1:05", "1.2", "0.4", "1.4", "45", "%", "30", "%"]


def test_the_titles_stand_over_their_columns() -> None:
    titles, row = (text(line) for line in lines(emg_rep(1, share=58))[1:3])
    assert titles.index("share") + len("share") == row.index("%") + 1
    assert titles.index("■") == row.index("■")


def test_a_wide_list_of_unmeasured_levels_shows_dashes() -> None:
    rep = emg_rep(1, share=60, metrics=(measured("glute_share_pct", 60.0),))
    (row,) = rows(rep, width=WIDE)
    assert row.split()[:7] == ["1", "0:00", "–", "–", "–", "–", "–"]


def test_motion_only_shows_tempo_and_travel_in_proportion() -> None:
    slow = motion_rep(1, travel_m=0.4)
    # 42 columns are taken by figures; 6 are left for 3 s: lift 1.2 s, hold 0.4 s, return 1.4 s.
    (row,) = rows(slow, sensor=IMU_ONLY)
    assert row.split() == ["1", "0:00", "1.2", "0.4", "1.4", "██─▒▒▒", "40", "cm"]


def test_travel_that_was_not_measured_is_a_dash() -> None:
    rep = emg_rep(1, share=60, metrics=tempo())
    (row,) = rows(rep, sensor=IMU_ONLY)
    assert row.rstrip().endswith("–")


def test_only_the_newest_repetitions_are_shown_where_there_is_no_room() -> None:
    shown = rows(*(emg_rep(number, share=60) for number in range(1, 501)), height=6)
    assert [row.split()[0] for row in shown] == ["497", "498", "499", "500"]


def test_a_line_stands_between_two_sets() -> None:
    shown = rows(emg_rep(1, share=60), emg_rep(1, share=60, set_number=2), emg_rep(2, share=60, set_number=2))
    assert [row.split()[0] for row in shown] == ["1", "set", "1", "2"]
    assert shown[1].split()[1] == "2"


def test_an_empty_list_says_so_and_says_it_differently_at_the_end() -> None:
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    widget = RepList()
    before = widget.facts(view)
    assert "none yet" in text(list(widget.draw(view, NARROW, 8))[-1])
    view.apply(SessionEnded(5.0))
    assert "none counted" in text(list(widget.draw(view, NARROW, 8))[-1])
    assert widget.facts(view) != before


@pytest.mark.parametrize("sensor", [GLUTE_AND_BACK, IMU_ONLY], ids=["emg", "imu"])
def test_what_is_not_counted_is_grey_and_has_a_reason_but_no_number(sensor: object) -> None:
    before, row, after = lines(emg_rep(1, share=60), partial_rep(), emg_rep(2, share=60), sensor=sensor)[2:]
    assert {tone for _, tone in row} == {"dim"}
    assert "· partial: 38 % of the us" in text(row)
    assert "0:00" not in text(row) or sensor is IMU_ONLY
    assert (text(before).split()[0], text(after).split()[0]) == ("1", "2")


def test_with_room_the_reason_is_whole_and_the_time_stands_where_times_do() -> None:
    _, row = rows(emg_rep(1, share=60), partial_rep(start_s=65.0), width=WIDE)
    assert row == f"        1:05  · not counted: {PARTIAL}"


@pytest.mark.parametrize("width", [44, NARROW, WIDE, 113])
@pytest.mark.parametrize("sensor", [GLUTE_AND_BACK, IMU_ONLY], ids=["emg", "imu"])
def test_a_very_long_reason_is_cut(width: int, sensor: object) -> None:
    (row,) = rows(emg_rep(None, share=60, uncounted="very " * 60), width=width, sensor=sensor)
    assert len(row) == width
    assert row.endswith("…")


@pytest.mark.parametrize(("origin", "mark"), [("added", "+"), ("moved", "*"), ("found", " ")])
def test_a_repetition_corrected_by_hand_is_marked_and_nothing_moves(origin: str, mark: str) -> None:
    (row,) = rows(emg_rep(12, share=60, origin=origin, side="left"))
    assert row.startswith(f" 12L{mark}■")


def test_a_leg_lift_shows_how_the_pelvis_moved_along() -> None:
    rep = leg_lift(1, "left")
    titles, row = (text(line) for line in lines(rep, width=113, signal=MovementSignal.PELVIS_TILT)[1:3])
    assert titles.index("rot.") + 4 == row.index("12°") + 3
    assert titles.index("pitch") + 5 == row.index("+4°") + 3
    assert "travel" not in titles


def test_a_leg_lift_without_electrodes_shows_it_too() -> None:
    rep = motion_rep(1)
    rep = emg_rep(1, share=60, metrics=(*rep.metrics, *pelvis(12.4, -4.4)))
    for width in (44, NARROW, WIDE):
        (row,) = rows(rep, sensor=IMU_ONLY, width=width, signal=MovementSignal.PELVIS_ROTATION)
        assert "12°   -4°" in row
        assert len(row.rstrip()) <= width


def test_an_exercise_followed_on_pitch_shows_its_range() -> None:
    rep = emg_rep(1, share=60, metrics=(measured("pelvis_pitch_range_deg", 37.6), *tempo()))
    titles, row = (
        text(line) for line in lines(rep, sensor=IMU_ONLY, signal=MovementSignal.PELVIS_PITCH)[1:3]
    )
    assert titles.endswith("   pitch")
    assert row.endswith("     38°")


def test_what_the_pelvis_did_is_a_dash_where_it_was_not_measured_and_never_0() -> None:
    rep = emg_rep(
        1, share=60, metrics=(unmeasured("pelvis_rotation_range_deg", "needs a gyroscope"), *tempo())
    )
    (row,) = rows(rep, sensor=IMU_ONLY, signal=MovementSignal.PELVIS_TILT)
    assert row.split()[-2:] == ["–", "–"]


def test_the_list_is_drawn_anew_when_one_is_taken_back() -> None:
    view, widget = SessionView(sensors=(GLUTE_AND_BACK,)), RepList()
    view.apply(emg_rep(1, share=60))
    before = widget.facts(view)
    view.apply(RepWithdrawn(1, 1, 0.0, 3.0, PARTIAL))
    assert widget.facts(view) != before


@pytest.mark.parametrize("verdict", list(MOTION_SENTENCES))
@pytest.mark.parametrize("width", [44, NARROW, WIDE, 113])
def test_a_verdict_from_motion_has_its_own_mark_and_says_so_in_every_width(
    width: int, verdict: Verdict
) -> None:
    shown = lines(surrogate(12, verdict), width=width, sensor=IMU_ONLY, signal=MovementSignal.PELVIS_TILT)
    heading, titles, row = (text(line) for line in shown)
    mark = {Verdict.STEADY: "≈", Verdict.BEYOND_RANGE: "≠", Verdict.CANNOT_TELL: "?"}[verdict]
    assert f" {mark}" in row
    assert "REPETITIONS judged from motion" in heading
    assert "17°   +3°" in row
    assert {tone for line in shown for _, tone in line}.isdisjoint({"glute", "back"})
    assert max(len(heading), len(titles.rstrip()), len(row.rstrip())) <= width
    if width >= WIDE:
        assert row.rstrip().endswith(", from motion")


def test_in_a_narrow_list_verdicts_from_motion_take_the_room_of_start_and_tempo() -> None:
    titles, row = (text(line) for line in lines(surrogate(1, Verdict.STEADY), sensor=IMU_ONLY)[1:])
    assert titles.split() == ["rep", "lift", "hold", "return", "travel", "verdict"]
    assert row.split() == ["1L", "1.2", "0.4", "1.4", "–", "≈", "steady"]
    assert titles.index("return") + len("return") == row.index("1.4") + 3


def test_without_a_reference_the_narrow_list_shows_start_and_tempo_and_no_verdict() -> None:
    heading, _, row = (text(line) for line in lines(motion_rep(1), sensor=IMU_ONLY))
    assert "from motion" not in heading
    assert "0:00" in row
    assert "no ref" not in row


def test_a_level_above_100_percent_is_marked() -> None:
    loud = (measured("glute_engagement_pct", 132.0), measured("back_engagement_pct", 100.0))
    (row,) = rows(emg_rep(1, share=57, metrics=(measured("glute_share_pct", 57.0), *loud)), width=WIDE)
    assert "↑132 %   100 %" in row

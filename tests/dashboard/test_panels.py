"""The last repetition and the last set in words and figures."""

from collections.abc import Sequence

import pytest

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import LinesWidget
from emgmon.dashboard.widgets.summary import SummaryPanel
from emgmon.dashboard.widgets.verdict import VerdictPanel
from emgmon.events import Metric, MovementSignal, RepCompleted
from tests.dashboard.synthetic import (
    GLUTE_AND_BACK,
    IMU_ONLY,
    PARTIAL,
    closed_set,
    emg_rep,
    leg_lift,
    measured,
    motion_rep,
    partial_rep,
    tempo,
    unmeasured,
)

SMALL, TALL = (28, 7), (44, 20)
LEG = MovementSignal.PELVIS_TILT
NO_GYROSCOPE = "needs a gyroscope: an accelerometer alone knows tilt only while held still"


def view_of(
    *movements: RepCompleted,
    signal: MovementSignal = MovementSignal.PELVIS_HEIGHT,
    sensor: object = GLUTE_AND_BACK,
    summary: Sequence[RepCompleted] = (),
) -> SessionView:
    view = SessionView(sensors=(sensor,), movements=list(movements), movement_signal=signal)  # type: ignore[arg-type]
    if summary:
        view.sets.append(closed_set(summary))
    return view


def drawn(panel: LinesWidget, view: SessionView, size: tuple[int, int]) -> list[str]:
    width, height = size
    rows = ["".join(text for text, _ in line).rstrip() for line in panel.draw(view, width, height)][:height]
    assert all(len(row) <= width for row in rows)
    return rows


def verdict(view: SessionView, size: tuple[int, int] = TALL) -> str:
    return " ".join(" ".join(row.split()) for row in drawn(VerdictPanel(), view, size))


def motion(*metrics: Metric) -> RepCompleted:
    return emg_rep(1, share=60, metrics=(*metrics, *tempo()))


def test_the_side_of_a_repetition_stands_beside_its_number() -> None:
    assert drawn(VerdictPanel(), view_of(leg_lift(4, "right"), signal=LEG), SMALL)[0].endswith("─ 4 right")


def test_a_movement_that_is_not_counted_says_why_and_gets_no_verdict() -> None:
    rows = drawn(VerdictPanel(), view_of(emg_rep(1, share=60), partial_rep()), SMALL)
    assert rows[0].startswith("LAST MOVEMENT ─")
    assert rows[1] == "· not counted"
    assert " ".join(rows[2:]) == PARTIAL


@pytest.mark.parametrize(
    ("origin", "said"), [("added", "added by hand"), ("moved", "edges moved by hand"), ("found", None)]
)
def test_a_repetition_corrected_by_hand_says_so(origin: str, said: str | None) -> None:
    text = verdict(view_of(emg_rep(1, share=60, origin=origin)))
    assert ("by hand" in text) == (said is not None)
    assert (said or "") in text


def test_a_leg_lift_says_in_one_line_how_the_pelvis_moved_along() -> None:
    rows = drawn(VerdictPanel(), view_of(leg_lift(1, "left", share=70), signal=LEG), SMALL)
    assert rows[-1] == "pelvis  rot. 12°  pitch +4°"
    # The sentence is whole all the same.
    assert " ".join(rows[2:5]) == "Glute-led: activity share 70 %, above your reference of 58 %."


def test_with_room_it_has_a_row_for_each_figure() -> None:
    text = verdict(view_of(leg_lift(1, "left"), signal=LEG))
    assert "pelvis rot. 12° pelvis pitch +4°" in text
    assert "lift 1.2 s" in text


@pytest.mark.parametrize("size", [SMALL, TALL])
def test_where_it_was_not_measured_the_reason_is_said_and_no_0(size: tuple[int, int]) -> None:
    rep = motion(
        unmeasured("pelvis_rotation_range_deg", NO_GYROSCOPE),
        unmeasured("pelvis_anterior_change_deg", NO_GYROSCOPE),
    )
    text = verdict(view_of(rep, signal=LEG), size)
    assert "not measured" in text
    assert "0°" not in text
    if size == TALL:
        assert f"pelvis rot. and pelvis pitch not measured: {NO_GYROSCOPE}" in text


def test_of_two_figures_the_one_that_was_measured_is_shown() -> None:
    rep = motion(
        unmeasured("pelvis_rotation_range_deg", NO_GYROSCOPE), measured("pelvis_anterior_change_deg", -3.0)
    )
    assert verdict(view_of(rep, signal=LEG), SMALL).endswith("pelvis rot. – pitch -3°")
    assert f"pelvis rot. not measured: {NO_GYROSCOPE}" in verdict(view_of(rep, signal=LEG))


def test_where_the_pelvis_is_what_moves_its_way_is_shown() -> None:
    assert "pelvis travel 42 cm" in verdict(view_of(motion_rep(1)))
    rep = motion(measured("pelvis_pitch_range_deg", 38.2))
    assert "pelvis pitch 38°" in verdict(view_of(rep, signal=MovementSignal.PELVIS_PITCH))


def test_extension_of_the_lower_back_is_shown_where_it_was_measured() -> None:
    pitch = measured("pelvis_pitch_range_deg", 38.2)
    known = motion(pitch, measured("lumbar_extension_deg", 8.6))
    unknown = motion(pitch, unmeasured("lumbar_extension_deg", "needs a second IMU at T12/L1"))
    assert "lumbar ext. +9°" in verdict(view_of(known, signal=MovementSignal.PELVIS_PITCH))
    assert "lumbar" not in verdict(view_of(unknown, signal=MovementSignal.PELVIS_PITCH))


def summary(view: SessionView, height: int, width: int = 28) -> str:
    return " ".join(" ".join(row.split()) for row in drawn(SummaryPanel(), view, (width, height)))


def test_a_set_says_sides_and_what_was_not_counted() -> None:
    reps = [leg_lift(1, "left"), leg_lift(2, "right"), leg_lift(3, "left")]
    text = summary(view_of(*reps, partial_rep(), signal=LEG, summary=reps), 12)
    assert "repetitions 3 in 0:03 by side L 2 R 1" in text
    assert "shared 3 not counted 1" in text
    assert "pelvis rot. 12° pitch +4°" in text


def test_where_there_is_little_room_verdicts_and_the_pelvis_stay() -> None:
    shares = (70, 60, 40)
    reps = [leg_lift(n, "left", share=share) for n, share in enumerate(shares, 1)]
    text = summary(view_of(*reps, signal=LEG, summary=reps), 7)
    assert "pelvis rot. 12° pitch +4° glute-led 1 shared 1 back-led 1" in text
    assert "by side" not in text
    assert "of ref." not in text


def test_a_set_without_electrodes_shows_tempo_and_the_way_of_the_pelvis() -> None:
    reps = [motion_rep(1), motion_rep(2)]
    text = summary(view_of(*reps, sensor=IMU_ONLY, summary=reps), 8)
    assert text.endswith("pelvis travel 42 cm lift 1.2 s hold 0.4 s return 1.4 s")
    assert "share" not in text


def test_the_summary_changes_when_a_repetition_of_the_set_is_taken_back() -> None:
    reps = [emg_rep(1, share=60)]
    view = view_of(*reps, summary=reps)
    before = SummaryPanel().facts(view)
    view.apply(partial_rep())
    assert SummaryPanel().facts(view) != before

"""The last repetition and the last set in words and figures."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import LinesWidget
from emgmon.dashboard.widgets.summary import SummaryPanel
from emgmon.dashboard.widgets.verdict import VerdictPanel
from emgmon.events import Metric, MovementSignal, RepCompleted, Verdict, VerdictBasis
from tests.dashboard.synthetic import (
    CUE,
    GLUTE_AND_BACK,
    IMU_ONLY,
    MOTION_CUE,
    MOTION_SENTENCES,
    PARTIAL,
    closed_set,
    emg_rep,
    leg_lift,
    measured,
    motion_rep,
    normalised,
    partial_rep,
    surrogate,
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


LOW, NARROWEST = (38, 6), (26, 7)


@pytest.mark.parametrize("size", [SMALL, TALL, LOW, NARROWEST])
@pytest.mark.parametrize("verdict", list(MOTION_SENTENCES))
def test_a_verdict_from_motion_says_so_beside_it_in_every_size(
    verdict: Verdict, size: tuple[int, int]
) -> None:
    view = view_of(surrogate(1, verdict), sensor=IMU_ONLY, signal=LEG)
    width, height = size
    headline = list(VerdictPanel().draw(view, width, height))[1]
    said = "".join(text for text, _ in headline)
    assert said.endswith(" from motion")
    assert said[0] == {Verdict.STEADY: "≈", Verdict.BEYOND_RANGE: "≠", Verdict.CANNOT_TELL: "?"}[verdict]
    assert {tone for _, tone in headline}.isdisjoint({"glute", "back"})


def test_a_verdict_from_emg_does_not_say_from_motion() -> None:
    assert "from motion" not in verdict(view_of(emg_rep(1, share=60)))


def test_a_practice_cue_stands_once_between_the_verdict_and_its_sentence() -> None:
    rep = emg_rep(2, share=40, warning=CUE)
    text = verdict(view_of(emg_rep(1, share=40), rep))
    assert f"▲ back-led 40 % → {CUE} {rep.sentence}" in text
    assert text.count("Practice cue") == 1


def test_a_cue_is_no_alarm() -> None:
    rows = VerdictPanel().draw(view_of(emg_rep(2, share=40, warning=CUE)), *TALL)
    tones = {tone for row in rows for text, tone in row if "→" in text or "glute in the" in text}
    assert tones == {"strong"}


@pytest.mark.parametrize(("size", "mark"), [(SMALL, "→ "), (LOW, "")])
def test_with_little_room_what_to_do_stays_of_the_cue_and_the_sentence_begins(
    size: tuple[int, int], mark: str
) -> None:
    text = verdict(view_of(emg_rep(2, share=40, warning=CUE)), size)
    # In the low window the mark would cost a row of the sentence.
    assert f"40 % {mark}Practice cue: glute first, back easy. Back-led: activity share" in text


def test_a_cue_is_gone_with_the_next_repetition_that_calls_for_none() -> None:
    assert "→" not in verdict(view_of(emg_rep(2, share=40, warning=CUE), emg_rep(3, share=60)))


def test_a_partial_movement_does_not_take_the_cue_away() -> None:
    text = verdict(view_of(emg_rep(2, share=40, warning=CUE), partial_rep()))
    assert text.endswith(f"{PARTIAL} → {CUE}")


def test_why_a_repetition_was_left_out_is_not_said_twice() -> None:
    reason = "left gluteus maximus: the electrode gives no signal"
    rep = emg_rep(1, share=60, excluded=reason, sentence=f"Cannot tell: {reason}.")
    text = verdict(view_of(rep))
    assert text.count(reason) == 1
    assert "∅ left out" in text
    assert f"left out: {reason}" in verdict(view_of(replace(rep, sentence="Shared.")))


def levels(glute: float, back: float, method: str | None) -> RepCompleted:
    names = {"glute_engagement_pct": glute, "back_engagement_pct": back, "glute_share_pct": 60.0}
    rep = emg_rep(1, share=60, metrics=tuple(measured(name, value) for name, value in names.items()))
    return normalised(rep, method) if method else rep


def test_levels_say_what_they_are_percent_of() -> None:
    assert "glute 46 % of mvic back 24 % of mvic" in verdict(view_of(levels(46, 24, "mvic")))
    assert "glute 46 % of ref. back 24 % of ref." in verdict(view_of(levels(46, 24, None)))


def test_where_there_is_no_room_beside_a_line_below_says_it() -> None:
    rows = drawn(VerdictPanel(), view_of(levels(46, 24, "best-so-far")), (28, 20))
    at = rows.index("glute          46 %")
    assert rows[at + 1 : at + 3] == ["back           24 %", "100 % = best-so-far"]


def test_a_level_above_100_percent_is_marked_and_not_clipped() -> None:
    assert "glute ↑ 132 % of mvic back 100 % of mvic" in verdict(view_of(levels(132, 100, "mvic")))


COURSE = (
    measured("squeeze_sustain_pct", 78.0),
    measured("late_back_surge", 2.34),
    replace(measured("onset_difference_ms", 35.0), reason="together"),
    measured("fatigue_slope_pct_per_rep", -0.84),
)
NOTES = (
    "The glute's signal slowed while it grew, which can be a sign of tiring.",
    "The left glute was more active than the right, by 18 % of their mean.",
)


def with_notes(height: int, width: int = 28) -> list[str]:
    reps = [emg_rep(1, share=60)]
    view = view_of(*reps, summary=reps)
    view.sets[-1] = replace(view.sets[-1], summary=(*view.sets[-1].summary, *COURSE), notes=NOTES)
    return drawn(SummaryPanel(), view, (width, height))


@pytest.mark.parametrize("width", [28, 44])
def test_a_set_shows_how_activity_ran_and_its_notes_in_full(width: int) -> None:
    text = " ".join(" ".join(row.split()) for row in with_notes(30, width))
    course = "squeeze kept 78 % of work back at end 2.3× of start glute onset +35 ms together"
    assert f"{course} frequency -0.8 % a rep" in text
    assert all(note in text for note in NOTES)


@pytest.mark.parametrize(("height", "n_notes"), [(13, 2), (11, 1), (8, 0)])
def test_notes_go_before_figures_where_not_all_have_room_and_are_never_cut(height: int, n_notes: int) -> None:
    text = " ".join(" ".join(row.split()) for row in with_notes(height))
    assert [note in text for note in NOTES] == [n_notes > 0, n_notes > 1]
    assert "squeeze" not in text
    assert "…" not in text
    assert "shared 1" in text


def test_a_long_word_for_the_onset_stands_below_it() -> None:
    onset = replace(measured("onset_difference_ms", -135.0), reason="the glute began earlier than the back")
    reps = [emg_rep(1, share=60)]
    view = view_of(*reps, summary=reps)
    view.sets[-1] = replace(view.sets[-1], summary=(onset,))
    rows = drawn(SummaryPanel(), view, (28, 20))
    at = rows.index("glute onset    -135 ms")
    assert " ".join(rows[at + 1 : at + 3]) == "the glute began earlier than the back"


def test_without_a_word_for_the_onset_its_interval_says_how_sure_it_is() -> None:
    reps = [emg_rep(1, share=60)]
    view = view_of(*reps, summary=reps)
    view.sets[-1] = replace(view.sets[-1], summary=(measured("onset_difference_ms", -28.0, 50.0),))
    assert "glute onset -28 ms -78 to +22" in summary(view, 20)


def test_a_set_judged_from_motion_says_so_in_every_row_of_its_verdicts() -> None:
    verdicts = (Verdict.STEADY, Verdict.BEYOND_RANGE, Verdict.BEYOND_RANGE)
    reps = [surrogate(n, verdict) for n, verdict in enumerate(verdicts, 1)]
    reps[-1] = replace(reps[-1], warning=MOTION_CUE)
    text = summary(view_of(*reps, sensor=IMU_ONLY, signal=LEG, summary=reps), 12)
    assert "≈ steady 1 from motion ≠ beyond range 2 from motion practice cues 1" in text
    assert {rep.verdict_basis for rep in reps} == {VerdictBasis.MOTION}

"""``emgmon analyze`` as a table: what stands in it, what is said below it, and that it fits on paper."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from emgmon.analysis_document import (
    AnalysisDocument,
    ChannelDocument,
    MetricDocument,
    QualityChangeDocument,
    RecordingDocument,
    RepDocument,
    SetDocument,
    StreamDocument,
    UncountedDocument,
)
from emgmon.cli import analyze as module
from emgmon.cli.analysis_head import head_lines
from emgmon.cli.analysis_quality import quality_lines
from emgmon.cli.analysis_table import PELVIS, SURROGATE, rebase_lines, set_lines
from emgmon.dsp.quality_track import CROSSTALK
from emgmon.events import QualityFigures
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.reference import MotionReference, ReferenceSet

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings").glob("*.arrows"))
NO_LUMBAR = "needs a second IMU at T12/L1"


def metric(
    value: float | None, *, reason: str | None = None, spread: float | None = None, of: str | None = None
) -> MetricDocument:
    low, high = (None, None) if value is None or spread is None else (value - spread, value + spread)
    return MetricDocument(value, low, high, 1, "good", reason, of)


def pelvis(tilt: float, rotation: float, obliquity: float) -> dict[str, MetricDocument]:
    return {
        "pelvis_anterior_change_deg": metric(tilt),
        "pelvis_rotation_range_deg": metric(rotation),
        "pelvis_obliquity_range_deg": metric(obliquity),
        "lumbar_extension_deg": metric(None, reason=NO_LUMBAR),
    }


def a_rep(number: int, **changes: Any) -> RepDocument:
    fields = {
        "number": number,
        "side": None,
        "start_s": 4.0 * number,
        "turn_s": 4.0 * number + 1.5,
        "end_s": 4.0 * number + 3.0,
        "verdict": "glute-led",
        "verdict_basis": "emg",
        "sentence": "Glute-led.",
        "excluded": None,
        "metrics": {"glute_share_pct": metric(62.3, spread=5.0), **pelvis(3.4, 12.1, 4.0)},
    }
    return RepDocument(**(fields | changes))


def a_set(*reps: RepDocument, **changes: Any) -> SetDocument:
    fields = {
        "exercise": "bird-dog",
        "start_s": 4.0,
        "end_s": 20.0,
        "reps": reps,
        "summary": {"glute_share_pct": metric(62.3, spread=2.0), **pelvis(3.4, 12.1, 4.0)},
    }
    return SetDocument(**(fields | changes))


def table(done: SetDocument) -> list[str]:
    lines = list(set_lines(1, done))
    assert [line for line in lines if len(line) > 80] == []
    return lines


def a_document(*sets: SetDocument, **changes: Any) -> AnalysisDocument:
    fields = {
        "path": "a.arrows",
        "duration_s": 40.0,
        "sensors": (),
        "streams": (),
        "lost_samples": 0,
        "normalisation": None,
        "movement_signal": "pelvis_pitch",
        "alignment": "standing-and-bows",
        "complete": True,
        "warnings": (),
    }
    return AnalysisDocument("emgmon.analysis/1", RecordingDocument(**(fields | changes)), sets)


def head(**changes: Any) -> list[str]:
    lines = list(head_lines(a_document(**changes)))
    assert [line for line in lines if len(line) > 80] == []
    return lines


@pytest.mark.parametrize(
    ("signal", "alignment", "said"),
    [
        (
            "pelvis_pitch",
            "standing-and-bows",
            "pelvis pitch; alignment of the pelvis sensor from standing and bows",
        ),
        ("emg_envelope", "repetitions", "EMG envelope; alignment of the pelvis sensor from repetitions"),
        ("thigh_pitch", None, "thigh pitch; alignment of the pelvis sensor not known"),
    ],
)
def test_the_head_says_what_was_followed_and_what_the_sensors_place_is_known_from(
    signal: str, alignment: str | None, said: str
) -> None:
    assert head(movement_signal=signal, alignment=alignment)[-1] == f"  counted on {said}"


def test_where_nothing_could_be_followed_nothing_is_said_to_be() -> None:
    assert head(movement_signal=None) == ["a.arrows: 40.0 s, 0 samples lost"]


def test_many_channels_are_wrapped_and_axes_go_without_saying() -> None:
    muscles = tuple(f"gluteus_maximus.{i}" for i in range(12))
    axes = ("thigh.right.x", "thigh.right.y", "thigh.right.z") * 2
    lines = head(
        streams=(
            StreamDocument(0, 1, "emg", 2000.0, muscles, 0),
            StreamDocument(0, 2, "imu", 100.0, axes, 0),
        )
    )
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()).count("gluteus_maximus.") == 12
    assert "  imu 100 Hz: thigh.right" in lines


def test_a_row_holds_times_share_and_the_pelvis() -> None:
    lines = table(a_set(a_rep(1)))
    assert lines[0] == "Set 1: bird-dog, 1 rep"
    assert lines[2].split() == [
        "rep",
        "start",
        "turn",
        "end",
        "share",
        "95%",
        "pitch",
        "rot.",
        "obl.",
        "verdict",
    ]
    assert lines[3].split() == ["1", "4.00", "5.50", "7.00", "62", "57-67", "+3", "12", "4", "glute-led"]


def test_names_of_groups_stand_over_their_columns() -> None:
    groups, titles = table(a_set(a_rep(1)))[1:3]
    assert groups.index("glute, %") == titles.index("share")
    assert groups.index("pelvis, degrees") == titles.index("pitch")


def test_sides_have_a_column_only_where_one_is_known() -> None:
    reps = (a_rep(1, side="left"), a_rep(2, side="right"), a_rep(3, side="left"), a_rep(4))
    lines = table(a_set(*reps))
    assert lines[0] == "Set 1: bird-dog, 4 reps (left 2, right 1, side not known 1)"
    assert [line.split()[:2] for line in lines[2:6]] == [
        ["rep", "side"],
        ["1", "left"],
        ["2", "right"],
        ["3", "left"],
    ]
    assert "side" not in "".join(table(a_set(a_rep(1))))


def test_the_widest_row_there_can_be_fits() -> None:
    widest = {
        "glute_share_pct": metric(100.0, spread=0.0),
        **pelvis(-103.0, 120.0, 110.0),
        "lumbar_extension_deg": metric(-101.0),
    }
    rep = a_rep(
        99, side="right", start_s=9000.0, turn_s=9001.0, end_s=9002.0, verdict="no-reference",
        metrics=widest, origin="moved", excluded="EMG samples are missing " * 8,
    )  # fmt: skip
    lines = table(a_set(rep))
    assert "*99 right" in lines[3]
    assert "-101 no-reference" in lines[3]


def test_a_figure_that_one_repetition_lacks_is_a_dash_there() -> None:
    lines = table(a_set(a_rep(1), a_rep(2, metrics={"glute_share_pct": metric(None, reason="lead off")})))
    assert lines[4].split() == ["2", "8.00", "9.50", "11.00", "–", "–", "–", "–", "glute-led"]


def test_what_no_repetition_has_has_no_column_but_its_reason_once() -> None:
    reason = "needs a motion sensor on the pelvis"
    missing = {name: metric(None, reason=reason) for name in PELVIS}
    missing["glute_share_pct"] = metric(None, reason="no electrode on the glute")
    lines = table(a_set(a_rep(1, metrics=missing), summary=missing))
    assert lines[1].split() == ["rep", "start", "turn", "end", "verdict"]
    assert lines[3] == "  glute share not measured: no electrode on the glute"
    assert " ".join(" ".join(lines[4:]).split()) == (
        f"pelvis pitch change, rotation, obliquity, lumbar extension not measured: {reason}"
    )


def test_a_figure_that_some_repetitions_lack_says_how_many_and_why() -> None:
    lacking = {**pelvis(3.4, 12.1, 4.0), "pelvis_anterior_change_deg": metric(None, reason="not held still")}
    lines = table(a_set(a_rep(1), a_rep(2, metrics=lacking), a_rep(3, metrics=lacking)))
    assert "  pelvis pitch change not measured in 2 of 3 reps: not held still" in lines
    assert "  mean pelvis pitch change +3°, rotation 12°, obliquity 4°" in lines


def test_means_stand_below_with_what_one_sensor_cannot_tell() -> None:
    lines = table(a_set(a_rep(1)))
    assert lines[4:] == [
        "  mean glute share 62.3 % (60 to 64) over 1 rep",
        "  mean pelvis pitch change +3°, rotation 12°, obliquity 4°",
        f"  lumbar extension not measured: {NO_LUMBAR}",
    ]


def test_extension_of_the_lower_back_has_a_column_where_it_was_measured() -> None:
    known = {**pelvis(-40.2, 1.0, 2.0), "lumbar_extension_deg": metric(8.6)}
    lines = table(a_set(a_rep(1, metrics=known), summary=known))
    assert lines[3].split()[4:] == ["-40", "1", "2", "+9", "glute-led"]
    assert "lumbar extension +9°" in lines[-1]


def test_a_change_of_less_than_half_a_degree_has_no_sign() -> None:
    assert table(a_set(a_rep(1, metrics=pelvis(-0.3, 0.2, 0.0))))[3].split()[4:7] == ["0", "0", "0"]


def test_a_repetition_that_does_not_vote_says_why_in_a_line_of_its_own() -> None:
    lines = table(a_set(a_rep(1, excluded="EMG samples are missing"), a_rep(2)))
    assert lines[4] == "      left out: EMG samples are missing"
    assert lines[5].split()[0] == "2"


def test_movements_that_are_not_counted_are_listed_at_the_end_with_their_reasons() -> None:
    uncounted = (
        UncountedDocument(12.1, 13.4, "partial: 44 % of the usual range of this set"),
        UncountedDocument(30.0, 33.0, "begun in another position than the rest: " + "a movement " * 9),
    )
    lines = table(a_set(a_rep(1), uncounted=uncounted))
    at = lines.index("  not counted:")
    assert lines[at + 1] == "    12.10 to 13.40 s  partial: 44 % of the usual range of this set"
    assert lines[at + 2].startswith("    30.00 to 33.00 s  begun in another position")


def test_repetitions_corrected_by_hand_are_marked_and_the_marks_explained() -> None:
    lines = table(a_set(a_rep(1), a_rep(2, origin="added"), a_rep(3, origin="moved")))
    assert [line.split()[0] for line in lines[3:6]] == ["1", "+2", "*3"]
    assert lines[-1] == "  + added by hand, * edges moved by hand"
    assert "by hand" not in "".join(table(a_set(a_rep(1))))


def test_a_verdict_from_motion_says_so_beside_it_and_what_it_cannot_tell_below() -> None:
    motion = {"verdict_basis": "motion", "metrics": pelvis(3.4, 17.2, 4.0)}
    reps = (a_rep(1, verdict="steady", **motion), a_rep(2, verdict="beyond-range", **motion))
    lines = table(a_set(*reps, summary=pelvis(3.4, 17.2, 4.0)))
    assert [" ".join(line.split()[-3:]) for line in lines[3:5]] == [
        "steady from motion",
        "beyond-range from motion",
    ]
    assert " ".join(" ".join(lines).split()).endswith(SURROGATE)
    assert "motion" not in "".join(table(a_set(a_rep(1))))


def test_the_widest_row_there_can_be_from_motion_fits() -> None:
    widest = {**pelvis(-103.0, 120.0, 110.0), "lumbar_extension_deg": metric(-101.0)}
    rep = a_rep(
        99, side="right", start_s=9000.0, turn_s=9001.0, end_s=9002.0, verdict="no-reference",
        verdict_basis="motion", metrics=widest, origin="moved", warning="Practice cue: slow.",
    )  # fmt: skip
    assert ">*99 right" in table(a_set(rep))[3]


CUE = "Practice cue: glute first, back easy. {} of the last 3 reps were outside your usual range."


def test_repetitions_that_called_for_a_cue_are_marked_and_the_cue_is_said_once() -> None:
    reps = (a_rep(1), a_rep(2, warning=CUE.format(2)), a_rep(3, warning=CUE.format(3)))
    lines = table(a_set(*reps))
    assert [line[0] for line in lines[3:6]] == [" ", ">", ">"]
    assert [line for line in lines if "cue" in line] == [
        "> Practice cue: glute first, back easy (after rep 2, 3)"
    ]


def test_activity_says_what_100_percent_stands_for() -> None:
    summary = {
        "glute_engagement_pct": metric(46.2, spread=5.0, of="mvic"),
        "back_engagement_pct": metric(24.0, of="submaximal"),
    }
    lines = table(a_set(a_rep(1), summary=summary))
    assert "  mean activity, 100 % = mvic: glute 46.2 % (41 to 51)" in lines
    assert "  mean activity, 100 % = submaximal: back 24.0 %" in lines


def test_how_activity_ran_is_said_where_it_was_measured_and_notes_stand_in_full() -> None:
    summary = {
        "squeeze_sustain_pct": metric(78.0, spread=8.0),
        "late_back_surge": metric(1.24, spread=0.3),
        "onset_difference_ms": metric(35.0, spread=55.0, reason="together"),
        "median_frequency_hz": metric(None, reason="an envelope has no spectrum"),
        "fatigue_slope_pct_per_rep": metric(-0.04),
    }
    note = "The glute's signal slowed while it grew, which can be a sign of tiring."
    text = " ".join(" ".join(table(a_set(a_rep(1), summary=summary, notes=(note,)))).split())
    assert (
        "glute squeezed for 78 % of the work (70 to 86); back at the end of the lift 1.2 times its start "
        "(0.9 to 1.5); glute begins +35 ms after the back (-20 to 90): together; changing by +0.0 % from"
    ) in text
    assert "Hz" not in text
    assert note in text


FIGURES = QualityFigures(noise_uv=2.14, snr_db=22.3, hum_ratio=0.031, hum_hz=50.0, missing_share=0.0)


def graded(channel: str, grade: str, reason: str | None = None) -> ChannelDocument:
    return ChannelDocument(channel, grade, reason, FIGURES)


def some_reps() -> tuple[RepDocument, ...]:
    """Three repetitions; a glute falls off in the second, and the back has hum in the last two."""
    glute, back, hum = "gluteus_maximus.left", "erector_spinae", "mains hum makes up 14 % of the signal"
    return (
        a_rep(1, channels=(graded(glute, "good"), graded(back, "good"))),
        a_rep(2, channels=(graded(glute, "usable", "weaker"), graded(back, "usable", hum))),
        a_rep(3, channels=(graded(glute, "reject", "no signal"), graded(back, "usable", hum))),
    )


def test_channels_that_were_not_good_say_in_how_many_repetitions_and_the_worst_reason() -> None:
    lines = table(a_set(*some_reps()))
    assert "  signal of left gluteus maximus rejected in 1 and only usable in 1 of 3 reps:" in lines
    assert "  signal of erector spinae only usable in 2 of 3 reps: mains hum makes up 14 %" in lines
    assert "signal of" not in "".join(table(a_set(a_rep(1, channels=(graded("multifidus", "good"),)))))


def quality(*reps: RepDocument, **changes: Any) -> list[str]:
    lines = list(quality_lines(a_document(a_set(*reps), **changes)))
    assert [line for line in lines if len(line) > 80] == []
    return lines


def test_the_quality_table_has_every_figure_of_every_channel_and_repetition() -> None:
    lines = quality(*some_reps())
    at = lines.index("Set 1, left gluteus maximus")
    assert lines[at + 1].split() == [
        "rep", "grade", "noise", "SNR", "hum", "at", "cut", "silent", "motion", "median", "beat", "missing",
    ]  # fmt: skip
    assert lines[at + 3].split() == ["1", "good", "2.1", "22.3", "3.1", "50", *"–––––", "0.0"]
    assert lines[at + 6 : at + 8] == ["  rep 2: weaker", "  rep 3: no signal"]
    assert "  rep 2, 3: mains hum makes up 14 % of the signal" in lines
    for line in lines[at + 1 : at + 3]:
        assert line.rindex("%" if "%" in line else "g") == len(line) - 1


def test_the_quality_table_says_that_a_dash_is_not_measured_and_that_crosstalk_is_not() -> None:
    lines = quality(*some_reps())
    assert "– means not measured." in lines
    assert " ".join(" ".join(lines).split()).endswith(CROSSTALK)


def test_changes_of_quality_are_listed_in_order_of_time() -> None:
    changes = (
        QualityChangeDocument(12.4, 0, 1, graded("gluteus_maximus.left", "reject", "no signal")),
        QualityChangeDocument(20.0, 0, 1, graded("gluteus_maximus.left", "good")),
    )
    lines = quality(*some_reps(), quality_changes=changes)
    at = lines.index("Changes of signal quality:")
    assert lines[at + 1 : at + 3] == [
        "  12.4 s  left gluteus maximus reject: no signal",
        "  20.0 s  left gluteus maximus good",
    ]
    assert "No channel became better or worse." in quality(*some_reps())


def test_above_100_percent_is_said_with_the_way_to_measure_anew() -> None:
    loud = {"back_engagement_pct": metric(132.4, of="mvic"), "glute_engagement_pct": metric(100.0)}
    louder = {"back_engagement_pct": metric(140.0, of="mvic")}
    done = a_set(a_rep(1, metrics=loud), a_rep(2, metrics=louder))
    lines = list(rebase_lines(a_document(done)))
    assert lines[1] == "back above 100 % of mvic in 2 reps, up to 140 %"
    assert lines[-1] == "  emgmon calibrate a.arrows --best-so-far"
    assert [line for line in lines if len(line) > 80] == []
    assert list(rebase_lines(a_document(a_set(a_rep(1))))) == []


CHANNELS = (
    ChannelCalibration("gluteus_maximus", "left", 3.0, 120.0),
    ChannelCalibration("erector_spinae", None, 3.0, 60.0, method="submaximal"),
)


def test_the_head_says_where_100_percent_comes_from() -> None:
    calibration = Calibration(
        "mvic", CHANNELS, made_utc="2026-03-04T10:20:00+00:00", placement=3, source="rest.arrows"
    )
    assert " ".join(" ".join(head(calibration=calibration)[2:]).split()) == (
        "100 % = mvic, submaximal for erector spinae, measured 2026-03-04, electrode placement 3, "
        "from rest.arrows"
    )
    assert head(calibration=Calibration("best-so-far", ()))[2:] == ["  100 % = best-so-far"]


@pytest.mark.parametrize(
    ("placement", "told"),
    [
        # Student's t of 9 degrees of freedom, 2.262, times 0.04 sqrt(1 + 1/10): 0.095, 2.4 points at 50 %.
        (3, "-2/+2 points, from your own spread"),
        # Electrodes put on anew: 0.71 in the log ratio.
        (4, "-17/+17 points, from an allowance for electrodes put on anew"),
    ],
)
def test_the_head_says_which_change_from_the_reference_can_be_told(placement: int, told: str) -> None:
    reference = ReferenceSet("bridge", 10, 0.0, 0.04, made_utc="2026-03-04T10:20:00+00:00", placement=3)
    calibration = Calibration("mvic", (), placement=placement)
    said = " ".join(" ".join(head(reference=reference, calibration=calibration)[3:]).split())
    assert said == (
        "reference: glute share 50 % over 10 reps, measured 2026-03-04, electrode placement 3; "
        f"one rep can be told from it beyond {told}"
    )


def test_a_reference_from_motion_alone_says_so() -> None:
    motion = (MotionReference("pelvis_rotation_range_deg", 5.1, 0.4, 8),)
    reference = ReferenceSet("bird-dog", 0, None, 0.0, motion=motion)
    assert head(reference=reference)[2:] == ["  reference: a set of bird-dog with 8 reps, motion only"]


def test_a_figure_is_never_parted_from_its_per_cent_sign() -> None:
    for n in range(60):
        reason = "x" * n + " mains hum makes up 98 % of the signal"
        lines = table(a_set(a_rep(1, channels=(graded("multifidus", "reject", reason),))))
        assert not any(line.strip().startswith("%") for line in lines)


def test_quality_is_an_option_of_the_command() -> None:
    path = str(RECORDINGS[0])
    plain, full = (CliRunner().invoke(module.command, [path, *more]).stdout for more in ([], ["--quality"]))
    assert full.startswith(plain)
    assert "Set 1, left gluteus maximus" in full
    assert [line for line in full.splitlines()[1:] if len(line) > 80] == []


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_the_recordings_that_ship_give_tables_that_fit(path: Path) -> None:
    result = CliRunner().invoke(module.command, [str(path)])
    assert result.exit_code == 0
    first, *rest = result.stdout.splitlines()
    assert first.startswith(f"{path}: ")
    assert [line for line in rest if len(line) > 80] == []
    assert any(line.startswith("  counted on pelvis ") for line in rest)
    assert sum(line.split()[-1:] in (["back-led"], ["glute-led"], ["no-reference"]) for line in rest) == 8

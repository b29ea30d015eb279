"""``emgmon analyze`` as a table: what stands in it, what is said below it, and that it fits on paper."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from emgmon.analysis import (
    AnalysisDocument,
    MetricDocument,
    RecordingDocument,
    RepDocument,
    SetDocument,
    StreamDocument,
    UncountedDocument,
)
from emgmon.cli import analyze as module

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings").glob("*.arrows"))
NO_LUMBAR = "needs a second IMU at T12/L1"


def metric(value: float | None, *, reason: str | None = None, spread: float | None = None) -> MetricDocument:
    low, high = (None, None) if value is None or spread is None else (value - spread, value + spread)
    return MetricDocument(value, low, high, 1, "good", reason)


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
    lines = list(module._set_lines(1, done))
    assert [line for line in lines if len(line) > 80] == []
    return lines


def head(**changes: Any) -> list[str]:
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
    document = AnalysisDocument("emgmon.analysis/1", RecordingDocument(**(fields | changes)), ())
    return list(module._head_lines(document))


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
    missing = {name: metric(None, reason=reason) for name in module.PELVIS}
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


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_the_recordings_that_ship_give_tables_that_fit(path: Path) -> None:
    result = CliRunner().invoke(module.command, [str(path)])
    assert result.exit_code == 0
    first, *rest = result.stdout.splitlines()
    assert first.startswith(f"{path}: ")
    assert [line for line in rest if len(line) > 80] == []
    assert any(line.startswith("  counted on pelvis ") for line in rest)
    assert sum(line.split()[-1:] in (["back-led"], ["glute-led"], ["no-reference"]) for line in rest) == 8

"""Real recordings of real people, where they are at hand; they are not part of the project."""

import csv
import itertools
import json
import statistics

import pytest

from benchmarks.live import run_recording
from benchmarks.real_data import VARIABLE, real_data
from benchmarks.real_sets import edge_errors_s, turns_inside
from benchmarks.rep_sets import emg_alone, no_reps, prone_units, thigh_sets, waist_squats
from emgmon.dashboard.app import MonitorApp
from emgmon.events import MovementSignal
from tests.end_to_end.program import run

FOLDER = real_data()
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason=f"the real recordings are not here; {VARIABLE} names the folder that holds them"
)


def imported(source, out, exercise):
    done = run("import", str(out), "--csv", str(source), "--exercise", exercise)
    assert done.returncode == 0, done.stderr
    return out


def counted(rep_set, folder):
    """What the engine makes of a recording imported as the program imports it."""
    return run_recording(rep_set.record(folder), as_live=False)


def test_waist_squats_are_counted_as_they_were_labelled_by_hand(tmp_path):
    errors = []
    for rep_set in waist_squats(FOLDER):
        outcome = counted(rep_set, tmp_path)
        assert len(outcome.reps) == len(rep_set.edges), rep_set.name
        assert turns_inside(rep_set, outcome) == len(rep_set.edges), rep_set.name
        errors += [abs(error) for error in edge_errors_s(rep_set, outcome)]
    assert len(errors) == 2 * 300
    assert statistics.median(errors) <= 0.25


def test_the_program_itself_counts_a_squat_set(tmp_path):
    source = FOLDER / "waist_squats" / "subject1_correct_set1.csv.gz"
    out = imported(source, tmp_path / "squats.arrows", "squat")
    document = json.loads(run("analyze", str(out), "--json").stdout)
    assert [len(done["reps"]) for done in document["sets"]] == [10]


def test_bridges_and_bird_dogs_are_counted_from_an_accelerometer_on_the_thigh(tmp_path):
    outcomes = [(rep_set, counted(rep_set, tmp_path)) for rep_set in thigh_sets(FOLDER)]
    assert len(outcomes) == 30
    assert sum(rep_set.right(outcome) for rep_set, outcome in outcomes) >= 28


def test_prone_hip_extensions_at_25_hz_are_counted_on_the_unit_that_swings_most(tmp_path):
    chosen = [rep_set for rep_set in prone_units(FOLDER) if rep_set.headline]
    assert [rep_set.name for rep_set in chosen] == ["unit2, six axes", "unit2, accelerometer"]
    for rep_set in chosen:
        assert 29 <= len(counted(rep_set, tmp_path).reps) <= 31, rep_set.name


def test_sitting_down_walking_and_lying_are_no_repetitions_of_what_is_done_lying_or_bowing(tmp_path):
    without = [rep_set for rep_set in no_reps(FOLDER) if rep_set.headline]
    assert len(without) == 12
    assert {rep_set.name: len(counted(rep_set, tmp_path).reps) for rep_set in without} == {
        rep_set.name: 0 for rep_set in without
    }


def test_seated_knee_extensions_are_counted_on_muscle_activity_alone(tmp_path):
    seated = [rep_set for rep_set in emg_alone(FOLDER) if rep_set.headline]
    assert len(seated) == 5
    for rep_set in seated:
        outcome = counted(rep_set, tmp_path)
        assert outcome.signal is MovementSignal.EMG_ENVELOPE
        assert rep_set.right(outcome), rep_set.name


def test_walking_glutes_have_one_burst_of_the_envelope_each_stride(tmp_path):
    out = imported(FOLDER / "gait_gluteus" / "emg.csv.gz", tmp_path / "gait.arrows", "bridge")
    table = tmp_path / "envelopes.csv"
    assert run("analyze", str(out), "--envelopes", str(table)).returncode == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    strides = json.loads((FOLDER / "gait_gluteus" / "strides.json").read_text())["touchdown_and_liftoff_s"]
    for muscle in ("gluteus_maximus", "gluteus_medius"):
        column = f"envelope.{muscle}.right_uV"
        measured = [(float(row["t_s"]), float(row[column])) for row in rows if row[column]]
        assert len(measured) > 0.95 * len(rows)
        # The glutes load the leg as the foot comes down, and rest while it swings.
        for (down_s, off_s), (next_down_s, _) in itertools.pairwise(strides):
            loading = [uv for t_s, uv in measured if down_s - 0.1 <= t_s <= down_s + 0.25]
            swinging = [uv for t_s, uv in measured if off_s + 0.05 <= t_s <= next_down_s - 0.15]
            assert max(loading) > 2 * sorted(swinging)[len(swinging) // 2]


async def test_an_imported_squat_set_plays_on_the_dashboard(tmp_path):
    from emgmon.clock import ManualClock
    from emgmon.recording.playback import PlaybackFeed

    out = imported(FOLDER / "waist_squats" / "subject1_correct_set1.csv.gz", tmp_path / "s.arrows", "squat")
    clock = ManualClock()
    app = MonitorApp(PlaybackFeed(out, clock=clock, speed=1.0))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for _ in range(30):
            clock.advance_s(1.0)
            await pilot.pause(0.05)
        assert len(app.view.reps) == 10
        await pilot.press("q")
    assert app.return_code == 0

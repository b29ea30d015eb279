"""Real recordings of real people, where they are at hand; they are not part of the project."""

import csv
import itertools
import json

import pytest

from benchmarks.real_data import VARIABLE, real_data
from emgmon.dashboard.app import MonitorApp
from tests.end_to_end.program import run

FOLDER = real_data()
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason=f"the real recordings are not here; {VARIABLE} names the folder that holds them"
)


def imported(source, out, exercise):
    done = run("import", str(out), "--csv", str(source), "--exercise", exercise)
    assert done.returncode == 0, done.stderr
    return out


def labelled_sets():
    if FOLDER is None:
        return []
    return json.loads((FOLDER / "waist_squats" / "reps.json").read_text())


def test_waist_squats_are_counted_as_they_were_labelled_by_hand(tmp_path):
    exact, inside, reps_in_exact_sets = 0, 0, 0
    for entry in labelled_sets():
        out = imported(FOLDER / "waist_squats" / entry["file"], tmp_path / f"{entry['file']}.arrows", "squat")
        document = json.loads(run("analyze", str(out), "--json", "--exercise", "squat").stdout)
        reps = [rep for done in document["sets"] for rep in done["reps"]]
        if len(reps) == len(entry["reps_s"]):
            exact += 1
            reps_in_exact_sets += len(reps)
            pairs = zip(reps, entry["reps_s"], strict=True)
            inside += sum(start <= rep["turn_s"] <= end for rep, (start, end) in pairs)
    assert exact >= 28
    assert inside == reps_in_exact_sets


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

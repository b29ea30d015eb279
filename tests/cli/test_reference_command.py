"""``emgmon reference`` on recordings that ship: a set becomes the yardstick, here and for others."""

import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from emgmon.analysis import analyse
from emgmon.cli import analyze as analyze_command
from emgmon.cli.profiles import load_profile
from emgmon.cli.reference import command, load_reference
from emgmon.clock import ManualClock
from emgmon.errors import ProfileError, ReferenceSetError
from emgmon.metrics.engagement import share_pct
from emgmon.metrics.reference import ANOTHER_PLACEMENT, Comparison, ReferenceSet, comparison_of
from emgmon.recording.host_events import read_corrections
from emgmon.recording.reader import RecordingReader
from emgmon.recording.verify import verify
from emgmon.recording.writer import RecordingWriter

SHIPPED = Path(__file__).parents[2] / "recordings"
KIND = re.compile(r"weak|inhibit|abnormal|injur|diagnos|treat", re.IGNORECASE)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return Path(shutil.copy(SHIPPED / "bridge-glute-led.arrows", tmp_path / "good.arrows"))


@pytest.fixture
def back_led(tmp_path: Path) -> Path:
    return Path(shutil.copy(SHIPPED / "bridge-back-led.arrows", tmp_path / "back.arrows"))


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def verdicts(path: Path, **more) -> list[str]:
    return [rep.verdict for done in analyse(path, **more).sets for rep in done.reps]


def test_a_set_becomes_the_reference_of_its_recording(good: Path) -> None:
    before = good.read_bytes()
    result = run(good, "--set", 1, "--note", "felt good")
    assert result.exit_code == 0, result.exception
    reference = read_corrections(good).reference
    mean_pct = analyse(good).sets[0].summary["glute_share_pct"].value
    assert (reference.exercise, reference.n_reps) == ("bridge", 8)
    assert share_pct(reference.log_ratio) == pytest.approx(mean_pct, abs=0.5)
    # What the sensors sent is as it was.
    assert good.read_bytes().startswith(before[:-8])
    assert verify(good) == []


def test_what_is_printed_tells_share_limits_and_where_they_come_from(good: Path) -> None:
    said = run(good, "--set", 1).stdout
    assert "set 1 is now your reference for bridge" in said
    assert re.search(r"activity share 7\d % glute, from 8 of 8 reps", said)
    assert re.search(r"within the session +-\d/\+\d +-\d/\+\d  from your own spread", said)
    assert re.search(r"across days +-1\d/\+1\d +-1\d/\+1\d  from an allowance", said)
    assert not KIND.search(said)
    assert all(len(line) <= 100 for line in said.splitlines()[1:])


def test_later_analyses_judge_by_it_and_the_newest_wins(back_led: Path) -> None:
    assert set(verdicts(back_led)) == {"back-led"}
    assert run(back_led, "--set", 1).exit_code == 0
    # Like the set that was called good: what leans on the back is shared.
    assert set(verdicts(back_led)) == {"shared"}
    run(back_led, "--set", 1, "--note", "once more")
    log = read_corrections(back_led)
    assert log.next_number == 3
    assert log.rows == ()


def test_another_recording_is_judged_by_it_as_on_another_day(good: Path, back_led: Path) -> None:
    run(back_led, "--set", 1)
    reference = load_reference(back_led, recording=good, exercise=None)
    assert comparison_of(reference, None) is Comparison.ACROSS_DAYS
    assert set(verdicts(good, reference=reference)) == {"glute-led"}
    words = [str(back_led), "--reference", str(good), "--json"]
    result = CliRunner().invoke(analyze_command.command, words)
    sentences = [rep["sentence"] for rep in json.loads(result.stdout)["sets"][0]["reps"]]
    assert all("back-led" in sentence.lower() for sentence in sentences)


def test_a_reference_whose_placement_is_known_keeps_it(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"recording": good, "exercise": None}
    assert load_reference(good, **asked).placement == ANOTHER_PLACEMENT
    known = ReferenceSet("bridge", 8, 0.8, 0.1, placement=3)
    log = read_corrections(good)
    monkeypatch.setattr(
        "emgmon.recording.host_events.read_corrections", lambda _path: type(log)(reference=known)
    )
    assert load_reference(good, **asked) == known


def test_a_reference_of_another_exercise_is_not_used_and_that_is_told(good: Path) -> None:
    squat = ReferenceSet("squat", 8, -3.0, 0.1)
    document = analyse(good, reference=squat)
    assert {rep.verdict for rep in document.sets[0].reps} == {"glute-led"}
    assert any("one of squat and says nothing about bridge" in said for said in document.recording.warnings)


def test_a_set_that_is_not_there_is_told_with_how_many_there_are(good: Path) -> None:
    result = run(good, "--set", 4)
    assert isinstance(result.exception, ReferenceSetError)
    assert "there is no set 4" in str(result.exception)
    assert "has 1 set" in str(result.exception)
    assert "emgmon analyze" in result.exception.advice


def test_one_set_cannot_be_both(good: Path) -> None:
    result = run(good, "--set", 1, "--back-driven", 1)
    assert result.exit_code == 2
    assert "cannot be the good and the back-driven one" in result.stderr


def test_a_profile_keeps_the_newest_reference_of_each_exercise(
    good: Path, back_led: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMGMON_DATA", str(tmp_path / "data"))
    squat = shutil.copy(SHIPPED / "squat.arrows", tmp_path / "squat.arrows")
    for path in (squat, back_led, good):
        said = run(path, "--set", 1, "--profile", "kim")
        assert said.exit_code == 0, said.exception
    assert "kept in the profile kim" in said.stdout
    profile = load_profile("kim")
    assert [one.exercise for one in profile.references] == ["squat", "bridge"]
    assert profile.find_reference("bridge") == read_corrections(good).reference
    words = [str(back_led), "--reference", "kim", "--json"]
    result = CliRunner().invoke(analyze_command.command, words)
    assert result.exit_code == 0, result.exception
    assert {rep["verdict"] for rep in json.loads(result.stdout)["sets"][0]["reps"]} == {"back-led"}
    with pytest.raises(ReferenceSetError, match="the profile kim holds no reference set"):
        load_reference(Path("kim"), recording=good, exercise="lunge")


def test_a_profile_that_cannot_be_used_costs_nobody_the_recording(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMGMON_DATA", str(tmp_path))
    before = good.read_bytes()
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "kim.json").write_text('{"references": 3}')
    assert isinstance(run(good, "--set", 1, "--profile", "kim").exception, ProfileError)
    assert isinstance(run(good, "--set", 1, "--profile", "../kim").exception, ProfileError)
    assert good.read_bytes() == before


def test_a_recording_without_a_reference_has_none_to_give(tmp_path: Path) -> None:
    bare = without_calibration("bridge-glute-led.arrows", tmp_path / "bare.arrows")
    with pytest.raises(ReferenceSetError, match="holds no reference set") as caught:
        load_reference(bare, recording=bare, exercise=None)
    assert "emgmon reference" in caught.value.advice


def test_without_calibration_the_motion_alone_makes_a_reference(tmp_path: Path) -> None:
    bare = without_calibration("squat.arrows", tmp_path / "bare.arrows")
    result = run(bare, "--set", 1)
    assert result.exit_code == 0, result.exception
    reference = read_corrections(bare).reference
    assert reference.log_ratio is None
    assert "pelvis_anterior_change_deg" in [motion.name for motion in reference.motion]
    assert "activity share not measured; motion only" in result.stdout
    assert re.search(r"pelvis anterior change -?\d+\.\d° over \d+ reps; a change of \d", result.stdout)


def without_calibration(name: str, out: Path) -> Path:
    """Copy a shipped recording as one that knows nothing of the person."""
    reader = RecordingReader(SHIPPED / name)
    header = msgspec.structs.replace(reader.header, calibration=None, reference=None)
    with RecordingWriter(out, header, clock=ManualClock()) as writer:
        for batch in reader.batches():
            writer.append_many(batch)
    return out

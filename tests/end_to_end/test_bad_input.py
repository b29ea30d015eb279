"""Whatever a person gives the program: what and where is said, with advice, and nothing is destroyed."""

import gzip
import json
import shutil

import pytest

from tests.end_to_end.program import ROOT, assert_refused, run

SQUAT = ROOT / "recordings" / "squat.arrows"
READERS = ("analyze", "replay", "verify")


@pytest.fixture
def recording(tmp_path):
    return shutil.copy(SQUAT, tmp_path / "squat.arrows")


@pytest.mark.parametrize("command", READERS)
def test_a_path_that_does_not_exist_is_named(command, tmp_path):
    assert_refused(run(command, str(tmp_path / "nowhere.arrows")), "nowhere.arrows", "does not exist")


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"t_s,emg\n0,1\n", "text"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (bytes(range(256)), "not a recording"),
    ],
    ids=["empty", "text", "gzip", "noise"],
)
def test_a_file_that_is_no_recording_is_told_for_what_it_is(command, content, word, tmp_path):
    path = tmp_path / "other.arrows"
    path.write_bytes(content)
    assert_refused(run(command, str(path)), "other.arrows", word)


def test_a_truncated_recording_is_analysed_up_to_its_last_whole_batch(recording):
    whole = recording.read_bytes()
    recording.write_bytes(whole[: len(whole) // 2])
    done = run("analyze", str(recording), "--json")
    assert done.returncode == 1
    assert "cut off" in done.stderr
    document = json.loads(done.stdout)
    assert 0 < len(document["sets"][0]["reps"]) < 8
    assert document["recording"]["complete"] is False
    (warning,) = document["recording"]["warnings"]
    assert "byte" in warning
    assert "emgmon repair" in warning


def test_flipped_bytes_are_found_by_verify_and_left_out_by_repair(recording, tmp_path):
    damaged = bytearray(recording.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 4] = bytes(255 - byte for byte in damaged[middle : middle + 4])
    recording.write_bytes(damaged)
    verified = run("verify", str(recording))
    assert verified.returncode == 1
    assert "byte" in verified.stdout
    repaired = run("repair", str(recording))
    assert repaired.returncode == 0, repaired.stderr
    assert recording.read_bytes() == bytes(damaged)
    (mended,) = [path for path in tmp_path.iterdir() if path != recording]
    document = json.loads(run("analyze", str(mended), "--json").stdout)
    # What stood behind the damage is there again; only the lost second is missing.
    assert document["recording"]["duration_s"] > 35
    assert document["recording"]["lost_samples"] > 0
    assert run("verify", str(mended)).returncode == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("t_s,emg.gluteus_maximus.left_uV\n", []),
        ("t_s,heart_rate\n0.0,60\n0.1,61\n", ["column"]),
        ("time,emg.gluteus_maximus.left_uV\n0.0,1\n", ["t_s"]),
        ("t_s,emg.gluteus_maximus.left_uV\n0.0,1\n0.001,2\n0.0005,3\n0.003,4\n", ["line 4"]),
        ("t_s,emg.gluteus_maximus.left_uV\n0.0,1\n0.001,much\n0.002,3\n", ["line 3", "much"]),
    ],
    ids=["empty", "no rows", "no usable column", "no time", "time goes back", "no number"],
)
def test_a_csv_that_cannot_be_imported_is_named_with_line_and_column(text, words, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.arrows"
    source.write_text(text)
    done = run("import", str(out), "--csv", str(source), "--exercise", "squat")
    assert_refused(done, "in.csv", *words)
    assert list(tmp_path.iterdir()) == [source]


def test_a_source_is_never_replaced_by_what_is_made_of_it(tmp_path):
    source = tmp_path / "in.csv"
    text = "t_s,emg.gluteus_maximus.left_uV\n" + "".join(f"{i / 1000},{i % 5}\n" for i in range(500))
    source.write_text(text)
    assert_refused(run("import", str(source), "--csv", str(source), "--force"), "in.csv")
    assert source.read_text() == text


def test_another_exercise_than_the_recorded_one_is_pointed_out(recording):
    document = json.loads(run("analyze", str(recording), "--json", "--exercise", "bridge").stdout)
    assert "squat" in document["recording"]["warnings"][0]


def test_columns_outside_the_contract_are_skipped_with_a_warning(tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.arrows"
    rows = "".join(f"{i / 1000:.3f},{i % 7 - 3},60\n" for i in range(2000))
    source.write_text(f"t_s,emg.gluteus_maximus.left_uV,heart_rate\n{rows}")
    done = run("import", str(out), "--csv", str(source), "--exercise", "bridge")
    assert done.returncode == 0
    assert "heart_rate" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "OUT", "--csv", "CSV", "--exercise", "squat"],
        ["simulate", "OUT", "--exercise", "squat", "--reps", "1"],
    ],
    ids=["import", "simulate"],
)
def test_an_existing_file_is_not_replaced_without_force(arguments, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.arrows"
    source.write_text(
        "t_s,emg.gluteus_maximus.left_uV\n" + "".join(f"{i / 1000},{i % 5}\n" for i in range(500))
    )
    out.write_bytes(b"precious")
    arguments = [{"OUT": str(out), "CSV": str(source)}.get(word, word) for word in arguments]
    assert_refused(run(*arguments), "out.arrows", "exists")
    assert out.read_bytes() == b"precious"
    assert run(*arguments, "--force").returncode == 0
    assert out.read_bytes() != b"precious"


def test_an_unknown_exercise_names_the_known_ones(recording):
    done = run("analyze", str(recording), "--exercise", "plank")
    assert_refused(done, "plank")
    assert "hip-thrust" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyse"],
        ["analyze"],
        ["analyze", "x", "--frobnicate"],
        ["replay", "x", "--speed", "-1"],
        ["replay", "x", "--speed", "nan"],
    ],
)
def test_wrong_usage_ends_with_status_two(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Usage" in done.stderr or "No such" in done.stderr

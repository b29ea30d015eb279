"""``emgmon exercises``."""

import json
import os
import shutil
import sys

import pytest

from emgmon import cli
from emgmon.cli.own_files import data_folder, find_exercise
from emgmon.cli.pages import width
from emgmon.errors import ExerciseError
from emgmon.exercises import EXERCISE_NAMES, load_exercise
from tests.exercises.examples import exercise_toml


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a file into the person's folder of exercises."""
    monkeypatch.setenv("EMGMON_DATA", str(tmp_path))
    folder = tmp_path / "exercises"

    def write(file, data):
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes(data)
        return folder / file

    return write


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(["exercises", *arguments])
    told = capsys.readouterr()
    return end.value.code, told.out, told.err


def test_the_list_has_one_line_for_each_exercise(own, capsys):
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    assert sorted(line.split()[0] for line in out.splitlines() if line.startswith("  ")) == sorted(
        EXERCISE_NAMES
    )


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_a_page_goes_to_stdout_in_eighty_columns(name, own, capsys):
    status, out, err = run(capsys, name)
    assert (status, err) == (0, "")
    assert out.startswith(load_exercise(name).title)
    assert max(map(len, out.splitlines())) <= 80


def test_an_unknown_name_is_told_the_known_ones_own_included(own, capsys):
    own("frog-bridge.toml", exercise_toml())
    status, out, err = run(capsys, "plank")
    assert (status, out) == (1, "")
    assert err == (
        "emgmon: there is no exercise called 'plank'\n"
        f"  Choose one of: {', '.join(EXERCISE_NAMES)}, frog-bridge.\n"
    )


def test_json_gives_back_what_the_file_says(own, capsys):
    _, out, _ = run(capsys, "bridge", "--json")
    told = json.loads(out)
    assert told["signals"][1] == {"on": "thigh_pitch", "least_deg": 4.0}
    assert told["expected"][0]["grade"] == "sourced"
    _, out, _ = run(capsys, "--json")
    assert [exercise["name"] for exercise in json.loads(out)] == list(EXERCISE_NAMES)


def test_an_own_exercise_is_listed_and_shown(own, capsys):
    own("frog-bridge.toml", exercise_toml())
    _, out, _ = run(capsys)
    assert "Frog bridge (your own)" in out
    status, out, _ = run(capsys, "frog-bridge")
    assert status == 0
    assert out.startswith("Frog bridge")


def test_a_slip_in_one_own_file_is_told_and_hides_no_other_exercise(own, capsys):
    broken = own("broken.toml", exercise_toml("broken").replace(b'"both"', b'"left"'))
    own("frog-bridge.toml", exercise_toml())
    status, out, err = run(capsys)
    assert status == 1
    assert "frog-bridge" in out
    assert err == f"emgmon: {broken}: sides is 'left'\n  It may be one of: alternating, both, one.\n"
    assert run(capsys, "frog-bridge")[0] == 0
    assert run(capsys, "broken") == (1, "", err)


def test_an_own_file_with_the_name_of_a_shipped_exercise_is_refused_in_a_sentence(own, capsys):
    path = own("bridge.toml", exercise_toml("bridge"))
    told = (
        f"emgmon: {path}: name is 'bridge', which is the name of another exercise, so the file was not used\n"
        "  Rename the file and its field name, for instance to my-bridge.\n"
    )
    assert run(capsys, "bridge") == (1, "", told)
    status, out, err = run(capsys)
    assert (status, err) == (1, told)
    assert "  bridge " in out


def test_other_files_in_the_folder_are_left_alone(own, capsys):
    own("notes.txt", b"not toml")
    own("._frog-bridge.toml", b"\x00\x05\x16\x07")
    assert run(capsys)[::2] == (0, "")


def test_what_cannot_be_read_is_told_with_its_path(own, capsys, tmp_path):
    own("frog-bridge.toml", exercise_toml())
    (tmp_path / "exercises" / "folder.toml").mkdir()
    status, out, err = run(capsys)
    assert status == 1
    assert "frog-bridge" in out
    assert f"{tmp_path / 'exercises' / 'folder.toml'} cannot be read" in err


@pytest.mark.parametrize("name", ["../frog-bridge", "/etc/passwd", "", "BRIDGE"])
def test_a_name_is_never_taken_for_a_path(name, own, tmp_path):
    own("frog-bridge.toml", exercise_toml())
    (tmp_path / "frog-bridge.toml").write_bytes(exercise_toml())
    with pytest.raises(ExerciseError, match="there is no exercise called"):
        find_exercise(name)


def test_the_folder_is_the_systems_own_unless_another_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("EMGMON_DATA", raising=False)
    assert data_folder().name == "emgmon"
    monkeypatch.setenv("EMGMON_DATA", str(tmp_path))
    assert data_folder() == tmp_path


def test_a_file_whose_name_cannot_be_typed_is_to_be_renamed(own, capsys):
    path = own("Frog Bridge.toml", exercise_toml())
    assert run(capsys)[2] == (
        f"emgmon: {path}: name is 'frog-bridge'\n"
        "  Name and file have to agree: rename the file to frog-bridge.toml.\n"
    )


@pytest.mark.parametrize(("columns", "letters"), [(200, 80), (60, 60), (20, 40)])
def test_a_terminal_gets_lines_that_fit_it_and_can_be_read(columns, letters, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    assert width() == letters


def test_a_pipe_gets_eighty_columns(monkeypatch):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((60, 24)))
    assert width() == 80

"""``emgmon program``."""

import json

import pytest

from emgmon import cli
from emgmon.exercises.programs import PROGRAM_NAMES, shipped_programs
from tests.exercises.examples import PROGRAM, exercise_toml, program_toml, with_change


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a file into one of the person's folders."""
    monkeypatch.setenv("EMGMON_DATA", str(tmp_path))

    def write(file, data):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    return write


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(["program", *arguments])
    told = capsys.readouterr()
    return end.value.code, told.out, told.err


def test_the_list_has_one_line_for_each_program(own, capsys):
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    assert tuple(line.split()[0] for line in out.splitlines() if line.startswith("  ")) == PROGRAM_NAMES


@pytest.mark.parametrize("name", PROGRAM_NAMES)
def test_a_page_goes_to_stdout_in_eighty_columns(name, own, capsys):
    status, out, err = run(capsys, name)
    assert (status, err) == (0, "")
    assert out.startswith(shipped_programs().find(name).title)
    assert max(map(len, out.splitlines())) <= 80


def test_an_unknown_name_is_told_the_known_ones(own, capsys):
    told = "emgmon: there is no program called 'marathon'\n  Choose one of: routine, short-routine.\n"
    assert run(capsys, "marathon") == (1, "", told)


def test_json_gives_back_what_the_file_says(own, capsys):
    _, out, _ = run(capsys, "routine", "--json")
    assert json.loads(out)["main"]["move_on"] == {"sets_met": 5, "of_sets": 6, "reps_met_pct": 80.0}
    _, out, _ = run(capsys, "--json")
    assert [program["name"] for program in json.loads(out)] == list(PROGRAM_NAMES)


def test_an_own_program_may_name_an_own_exercise(own, capsys):
    own("exercises/frog-bridge.toml", exercise_toml())
    own("programs/mine.toml", with_change(PROGRAM, "main.steps.0.exercise", "frog-bridge"))
    status, out, _ = run(capsys, "mine")
    assert status == 0
    assert "1. Frog bridge (frog-bridge)" in out
    assert "mine           Mine (your own)" in run(capsys)[1]


def test_a_slip_in_an_own_program_is_told_and_hides_no_other(own, capsys):
    broken = own("programs/broken.toml", program_toml("broken").replace(b'"bridge"', b'"plank"'))
    status, out, err = run(capsys)
    assert status == 1
    assert "short-routine" in out
    assert err.startswith(f"emgmon: {broken}: main.steps[0].exercise is 'plank'\n  It may be one of: bridge,")
    assert run(capsys, "routine")[0] == 0


def test_an_own_program_with_the_name_of_a_shipped_one_is_refused_in_a_sentence(own, capsys):
    path = own("programs/routine.toml", program_toml("routine"))
    status, _, err = run(capsys)
    assert status == 1
    assert err.startswith(f"emgmon: {path}: name is 'routine', which is the name of another program")

"""``emgmon replay`` without a terminal: lines of text, or what is wrong in words."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emgmon.cli.own_files import FOLDER_VARIABLE
from emgmon.cli.replay import command
from emgmon.errors import ExerciseError, RecordingError
from tests.exercises.examples import exercise_toml

BRIDGE = Path(__file__).parents[2] / "recordings" / "bridge-back-led.arrows"


def run(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


def at_the_margin(text: str) -> list[str]:
    """One line for each event; what is said of it besides stands below it, further in."""
    return [line for line in text.splitlines() if not line.startswith(" ")]


@pytest.mark.parametrize("option", [(), ("--plain",)])
def test_without_a_terminal_every_repetition_is_a_line(option: tuple[str, ...]) -> None:
    result = run(str(BRIDGE), "--speed", "inf", *option)
    assert result.exit_code == 0
    lines = at_the_margin(result.stdout)
    assert [line.split()[:4] for line in lines[:8]] == [["set", "1", "rep", str(n)] for n in range(1, 9)]
    assert all("Back-led" in line for line in lines[:8])
    assert lines[8].startswith("set 1 bridge: 8 reps")
    assert "session ended" in result.stderr


def test_a_wrong_path_is_told_before_any_screen(tmp_path: Path) -> None:
    result = run(str(tmp_path / "nothing.arrows"))
    assert isinstance(result.exception, RecordingError)
    assert "nothing.arrows" in str(result.exception)
    assert result.exception.advice


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.arrows"
    path.write_text("t_s,emg\n0,1\n")
    result = run(str(path))
    assert isinstance(result.exception, RecordingError)
    assert not result.stdout


def test_an_unknown_exercise_is_refused() -> None:
    assert isinstance(run(str(BRIDGE), "--exercise", "handstand").exception, ExerciseError)


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "fast"])
def test_a_speed_that_is_none_is_wrong_usage(speed: str) -> None:
    assert run(str(BRIDGE), "--speed", speed).exit_code == 2


def test_a_torn_recording_is_played_to_where_it_is_torn_and_says_so(tmp_path: Path) -> None:
    whole = BRIDGE.read_bytes()
    torn = tmp_path / "torn.arrows"
    torn.write_bytes(whole[: len(whole) * 2 // 3])
    result = run(str(torn), "--speed", "inf")
    assert result.exit_code == 1
    assert 0 < sum(" rep " in line for line in at_the_margin(result.stdout)) < 8
    assert "warning: " in result.stderr
    assert "torn.arrows" in result.stderr


def test_a_recording_can_be_played_as_a_persons_own_exercise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "frog-bridge.toml").write_bytes(exercise_toml())
    result = run(str(BRIDGE), "--speed", "inf", "--exercise", "frog-bridge")
    assert result.exit_code == 0
    assert "set 1 frog-bridge: " in result.stdout


def test_every_repetition_counted_and_not_taken_back_is_in_the_sum_of_its_set() -> None:
    lines = at_the_margin(run(str(BRIDGE), "--speed", "inf").stdout)
    counted = sum(line.split()[2] == "rep" and "taken back" not in line for line in lines)
    taken_back = sum("taken back" in line for line in lines)
    assert f": {counted - taken_back} reps in" in lines[-1]

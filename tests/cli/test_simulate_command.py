"""``emgmon simulate`` writes a recording with its truth, or says what is wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emgmon.cli.simulate import command
from emgmon.errors import EmgmonError, SimulationError


def run(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


def test_a_recording_and_its_truth_are_written_and_named(tmp_path: Path) -> None:
    out = tmp_path / "set.arrows"
    result = run(str(out), "--exercise", "squat", "--reps", "2", "--glute-share", "40", "--seed", "7")
    assert result.exit_code == 0
    assert out.exists()
    truth = json.loads((tmp_path / "set.truth.json").read_bytes())
    assert [(rep["set"], rep["number"]) for rep in truth["reps"]] == [(1, 1), (1, 2)]
    assert truth["params"]["glute_share_pct"] == 40.0
    assert f"{out}: squat, 1 set(s), 2 repetitions" in result.stdout
    assert str(tmp_path / "set.truth.json") in result.stdout


def test_every_option_reaches_the_athlete(tmp_path: Path) -> None:
    options = "--exercise bridge --reps 1 --sets 2 --snr-db 15 --hum-uv 10 --heartbeat-uv 50 --loss 5"
    result = run(str(tmp_path / "x.arrows"), *options.split(), "--duration", "50", "--seed", "3")
    assert result.exit_code == 0
    truth = json.loads((tmp_path / "x.truth.json").read_bytes())
    assert truth["duration_s"] == 50.0
    assert [rep["set"] for rep in truth["reps"]] == [1, 2]
    assert sum(loss["notifications"] for loss in truth["lost"]) > 0
    asked = {"snr_db": 15.0, "hum_uv": 10.0, "heartbeat_uv": 50.0, "seed": 3}
    assert asked.items() <= truth["params"].items()


def test_the_same_command_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(str(tmp_path / f"{name}.arrows"), "--exercise", "bridge", "--reps", "1", "--loss", "3")
    assert (tmp_path / "a.arrows").read_bytes() == (tmp_path / "b.arrows").read_bytes()


@pytest.mark.parametrize("exercise", ["bird-dog", "lunge", "juggling"])
def test_an_exercise_that_cannot_be_simulated_is_refused_with_the_choice(
    tmp_path: Path, exercise: str
) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", exercise)
    assert isinstance(result.exception, SimulationError)
    assert exercise in str(result.exception)
    assert result.exception.advice == "Choose one of bridge, hip-thrust, squat."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--reps", "0"),
        ("--reps", "1000"),
        ("--sets", "0"),
        ("--glute-share", "0"),
        ("--glute-share", "101"),
        ("--snr-db", "-3"),
        ("--hum-uv", "-1"),
        ("--heartbeat-uv", "2001"),
        ("--loss", "100"),
        ("--duration", "0"),
        ("--seed", "-1"),
        ("--seed", "one"),
    ],
)
def test_a_value_out_of_range_is_wrong_usage_and_names_the_option(
    tmp_path: Path, option: str, value: str
) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", option, value)
    assert result.exit_code == 2
    assert option in result.stderr
    assert value in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--snr-db", "--loss", "--duration"])
def test_not_a_number_is_refused(tmp_path: Path, option: str) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", option, "nan")
    assert result.exit_code != 0
    assert isinstance(result.exception, (SimulationError, SystemExit))
    assert list(tmp_path.iterdir()) == []


def test_a_duration_too_short_for_one_set_is_refused(tmp_path: Path) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", "--duration", "12")
    assert isinstance(result.exception, SimulationError)
    assert "12 s" in str(result.exception)


def test_an_existing_recording_is_replaced_only_by_force(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    out.write_bytes(b"mine")
    words = [str(out), "--exercise", "bridge", "--reps", "1"]
    refused = run(*words)
    assert isinstance(refused.exception, EmgmonError)
    assert "--force" in refused.exception.advice
    assert out.read_bytes() == b"mine"
    assert run(*words, "--force").exit_code == 0
    assert out.read_bytes() != b"mine"


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    result = run(str(tmp_path / "no" / "x.arrows"), "--exercise", "bridge")
    assert isinstance(result.exception, EmgmonError)
    assert str(tmp_path / "no") in str(result.exception)

"""``emgmon import``: which exercise goes into the recording, and how."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emgmon.cli.import_csv import command
from emgmon.cli.own_files import FOLDER_VARIABLE
from emgmon.errors import ExerciseError
from emgmon.exercises import load_exercise, parse_exercise
from emgmon.recording.csv_import import import_csv
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from tests.exercises.examples import exercise_toml

CSV = "t_s,acc.pelvis.x_g,acc.pelvis.y_g,acc.pelvis.z_g\n" + "".join(
    f"{i / 100:.2f},0,0,1\n" for i in range(50)
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CSV file, and with one exercise of the person's own."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "frog-bridge.toml").write_bytes(exercise_toml())
    (tmp_path / "imu.csv").write_text(CSV)
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [str(folder / "a.arrows"), "--csv", str(folder / "imu.csv"), *words])


def test_a_persons_own_exercise_is_kept_whole_so_that_anyone_can_analyse_it(folder: Path) -> None:
    assert run(folder, "--exercise", "frog-bridge").exit_code == 0
    header = RecordingReader(folder / "a.arrows").header
    assert header.exercise == "frog-bridge"
    assert header.own_exercise == parse_exercise("frog-bridge", exercise_toml(), file="frog-bridge.toml")
    # Without the file, on another machine.
    (folder / "exercises" / "frog-bridge.toml").unlink()
    assert session_setup(header).exercise == header.own_exercise


@pytest.mark.parametrize("exercise", ["bridge", load_exercise("bridge")], ids=["by name", "as such"])
def test_an_exercise_of_the_catalogue_is_kept_by_its_name(folder: Path, exercise: object) -> None:
    import_csv([folder / "imu.csv"], folder / "a.arrows", exercise=exercise)  # type: ignore[arg-type]
    header = RecordingReader(folder / "a.arrows").header
    assert (header.exercise, header.own_exercise) == ("bridge", None)


def test_no_exercise_need_be_named(folder: Path) -> None:
    assert run(folder).exit_code == 0
    header = RecordingReader(folder / "a.arrows").header
    assert (header.exercise, header.own_exercise) == (None, None)


def test_an_unknown_exercise_is_refused_and_nothing_is_written(folder: Path) -> None:
    result = run(folder, "--exercise", "handstand")
    assert isinstance(result.exception, ExerciseError)
    assert "frog-bridge" in (result.exception.advice or "")
    assert not (folder / "a.arrows").exists()

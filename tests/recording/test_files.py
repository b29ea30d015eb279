from pathlib import Path

import pytest

from emgmon.errors import RecordingError
from emgmon.recording.files import written_beside


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    with written_beside(path) as part:
        part.write_text("half")
        assert not path.exists()
        part.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_neither_file_nor_part(tmp_path: Path) -> None:
    def fail() -> None:
        with written_beside(tmp_path / "truth.json") as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_file_that_was_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text("old")

    def fail() -> None:
        with written_beside(path, replace=True) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"


def test_an_existing_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text("old")
    with pytest.raises(RecordingError, match="exists already") as caught, written_beside(path):
        pytest.fail("the block must not be entered")
    assert "--force" in caught.value.advice
    assert path.read_text() == "old"


def test_what_the_system_refuses_is_told_in_words(tmp_path: Path) -> None:
    def fail() -> None:
        with written_beside(tmp_path / "truth.json"):
            raise OSError(28, "No space left on device")

    with pytest.raises(RecordingError, match="No space left on device"):
        fail()


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a folder"), written_beside(tmp_path, replace=True):
        pytest.fail("the block must not be entered")

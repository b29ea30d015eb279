import re
from pathlib import Path

import pytest

from emgmon.dsp.alignment import Alignment
from emgmon.events import NotificationKind
from emgmon.recording.format import SCHEMA, RecordingHeader, plain_schema
from emgmon.recording.messages import MAX_ROWS
from tests.recording.recording_examples import session_rows, write

PAGE = (Path(__file__).parents[2] / "docs" / "recording-format.md").read_text(encoding="utf-8")


def test_the_python_on_the_page_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "set.arrows", session_rows(12), exercise="bridge")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "emgmon.recording/1 bridge 13"
    # Each of the twelve packets carries five samples of two channels.
    assert lines[1:] == [f"{(5 * n + 4) * 10_000_000} 1 {5 * n} (5, 2)" for n in range(12)]


def test_the_page_names_every_column_kind_and_header_field() -> None:
    for name in plain_schema().names:
        assert f"| `{name}` |" in PAGE
    for kind in NotificationKind:
        assert f"| {kind.value} | {kind.name} |" in PAGE
    for name in RecordingHeader.__struct_fields__:
        assert f"| `{name}` |" in PAGE
    for name in re.findall(r"`(\w+)`", _row("alignments")):
        assert name in {"alignments", *Alignment.__dataclass_fields__}
    assert f"`{SCHEMA}`" in PAGE
    assert f"{MAX_ROWS:,} rows" in PAGE


def _row(field: str) -> str:
    """The page's line about a field of the header."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{field}` |")]
    return line

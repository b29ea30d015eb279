"""The truth file has the layout that other programs rely on."""

import json
from pathlib import Path

import pytest

from emgmon.errors import SimulationError
from emgmon.virtual.truth import RepTruth, Truth, read_truth, truth_path

REP = RepTruth(
    set=1, number=2, side=None, start_s=5.0, turn_s=6.5, end_s=8.25, glute_share_pct=61.5, work_start_s=5.0
)


def test_a_repetition_has_the_seven_keys_of_the_contract() -> None:
    written = json.loads(Truth(reps=(REP,)).to_json())
    contract = {"set": 1, "number": 2, "side": None, "start_s": 5.0, "turn_s": 6.5, "end_s": 8.25}
    assert contract.items() <= written["reps"][0].items()
    assert written["reps"][0]["glute_share_pct"] == 61.5


def test_what_was_written_reads_back_equal() -> None:
    truth = Truth(reps=(REP, REP), exercise="squat", duration_s=30.0)
    assert Truth.from_json(truth.to_json()) == truth


def test_a_truth_file_by_somebody_else_needs_only_the_contract_and_may_hold_more() -> None:
    text = (
        b'{"reps": [{"set": 1, "number": 1, "side": "left", "start_s": 1, "turn_s": 2, "end_s": 3,'
        b' "glute_share_pct": 50, "mood": "good"}], "camera": true}'
    )
    assert Truth.from_json(text).reps[0].side == "left"


@pytest.mark.parametrize("text", [b"", b"[]", b'{"reps": 3}', b'{"reps": [{"set": 1}]}', b"\xff\xfe"])
def test_what_is_not_a_truth_file_is_refused(text: bytes) -> None:
    with pytest.raises(SimulationError, match="not a truth file"):
        Truth.from_json(text)


def test_the_truth_lies_beside_the_recording() -> None:
    assert truth_path(Path("a/b.arrows")) == Path("a/b.truth.json")
    assert truth_path(Path("a/b.2.arrows")) == Path("a/b.2.truth.json")
    assert truth_path(Path("a/b")) == Path("a/b.truth.json")


def test_the_truth_beside_a_recording_is_read(tmp_path: Path) -> None:
    truth = Truth(reps=(REP,))
    (tmp_path / "x.truth.json").write_bytes(truth.to_json())
    assert read_truth(tmp_path / "x.arrows") == truth

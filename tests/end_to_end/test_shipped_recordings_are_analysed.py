"""The program on its own sample recordings, held against the truth beside them."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.end_to_end.program import ROOT, run

NAMES = ("bridge-glute-led", "bridge-back-led", "squat")
SCHEMA = json.loads((ROOT / "emgmon" / "analysis-1.schema.json").read_text())


def analysis_of(name):
    done = run("analyze", str(ROOT / "recordings" / f"{name}.arrows"), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    truth = json.loads((ROOT / "recordings" / f"{name}.truth.json").read_text())
    return document, truth["reps"]


@pytest.mark.parametrize("name", NAMES)
def test_every_repetition_is_counted_and_placed(name):
    document, truth = analysis_of(name)
    reps = [rep for done in document["sets"] for rep in done["reps"]]
    assert len(reps) == len(truth)
    for rep, true in zip(reps, truth, strict=True):
        assert rep["start_s"] == pytest.approx(true["start_s"], abs=0.1)
        assert rep["turn_s"] == pytest.approx(true["turn_s"], abs=0.15)
        assert rep["end_s"] == pytest.approx(true["end_s"], abs=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_the_share_is_that_of_the_truth_and_its_interval_says_how_far_to_trust_it(name):
    document, truth = analysis_of(name)
    shares = [rep["metrics"]["glute_share_pct"] for done in document["sets"] for rep in done["reps"]]
    errors = sorted(
        abs(share["value"] - true["glute_share_pct"]) for share, true in zip(shares, truth, strict=True)
    )
    assert errors[len(errors) // 2] <= 2.0
    assert all(share["low"] < share["value"] < share["high"] for share in shares)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("bridge-glute-led", "glute-led"), ("bridge-back-led", "back-led"), ("squat", "glute-led")],
)
def test_the_verdict_names_who_worked(name, verdict):
    document, _ = analysis_of(name)
    assert {rep["verdict"] for done in document["sets"] for rep in done["reps"]} == {verdict}


def test_the_shipped_schema_is_that_of_the_program():
    from emgmon.analysis_document import analysis_schema

    assert (ROOT / "emgmon" / "analysis-1.schema.json").read_bytes() == analysis_schema()


def test_analysing_twice_gives_the_same_bytes():
    path = str(Path("recordings") / "squat.arrows")
    assert run("analyze", path, "--json").stdout == run("analyze", path, "--json").stdout

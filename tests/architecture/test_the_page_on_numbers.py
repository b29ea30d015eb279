"""docs/how-the-numbers-are-made.md says what the code does: constants, metrics, pictures, example."""

import importlib
import json
import re
import sys

import pytest

from tests.architecture.test_words_are_kind import JUDGING
from tests.end_to_end.program import ROOT, run

sys.path.insert(0, str(ROOT / "docs" / "pictures"))
try:
    from page import PAGE, Threshold, example_of, metrics_of, thresholds_of, with_output
finally:
    sys.path.pop(0)

TEXT = PAGE.read_text(encoding="utf-8")
THRESHOLDS = thresholds_of(TEXT)
WORN_SELDOM = {"hamstring_engagement_pct"}
"""Not in the shipped recordings."""


def constant(where):
    module, _, name = where.rpartition(".")
    value = getattr(importlib.import_module(f"emgmon.{module}"), name)
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("row", THRESHOLDS, ids=lambda row: row.where)
def test_every_threshold_of_the_page_is_that_of_the_code(row):
    assert row.numbers == pytest.approx(constant(row.where), rel=1e-9)


def test_every_threshold_says_whether_it_is_published_computed_or_our_choice():
    kinds = ("published", "computed", "our choice", "high-pass published")
    assert [row.where for row in THRESHOLDS if not row.kind.startswith(kinds)] == []
    assert len(THRESHOLDS) > 60
    assert len({row.where for row in THRESHOLDS}) == len(THRESHOLDS)


@pytest.mark.parametrize(
    ("value", "where", "numbers"),
    [
        ("30 Hz", "A_HZ", (30.0,)),
        ("25 %", "A_SHARE", (0.25,)),
        ("5 %", "A_PCT", (5.0,)),
        ("−10 dB", "A_DB", (-10.0,)),
        ("40 to 200 Hz", "A_HZ", (40.0, 200.0)),
        ("15 hops of 10 ms", "A_HOPS", (15.0,)),
        ("50 ms", "A_S", (0.05,)),
        ("100 ms", "A_MS", (100.0,)),
        ("0.6°", "A_DEG", (0.6,)),
    ],
)
def test_a_value_is_read_in_the_unit_of_its_constant(value, where, numbers):
    assert Threshold("it", value, where, "our choice").numbers == pytest.approx(numbers)


def test_the_table_of_metrics_names_all_that_the_program_gives_and_no_other():
    given = set(WORN_SELDOM)
    for name in ("bridge-glute-led", "squat"):
        done = run("analyze", str(ROOT / "recordings" / f"{name}.arrows"), "--json")
        assert done.returncode == 0, done.stderr
        for one in json.loads(done.stdout)["sets"]:
            given.update(one["summary"], *(rep["metrics"] for rep in one["reps"]))
    named = metrics_of(TEXT)
    assert sorted(named) == sorted(given)


def test_the_shipped_intervals_hold_the_truth_as_often_as_the_page_says():
    held = []
    for name in ("bridge-glute-led", "bridge-back-led", "squat"):
        done = run("analyze", str(ROOT / "recordings" / f"{name}.arrows"), "--json")
        truth = json.loads((ROOT / "recordings" / f"{name}.truth.json").read_text())["reps"]
        shares = [rep["metrics"]["glute_share_pct"] for rep in json.loads(done.stdout)["sets"][0]["reps"]]
        for share, true in zip(shares, truth, strict=True):
            held.append(share["low"] <= true["glute_share_pct"] <= share["high"])
    assert f"holds it in {sum(held)} of {len(held)} repetitions" in " ".join(TEXT.split())


def test_the_script_of_the_page_prints_what_the_page_says():
    example = example_of(TEXT)
    assert example.run() == example.output, "python docs/pictures/make.py worked-example puts it right"


def test_the_script_and_the_program_agree_on_share_and_interval():
    by_hand = re.search(r"^by hand: .*(share .*)$", example_of(TEXT).output, re.MULTILINE)
    program = re.search(r"^the program: (share .*)$", example_of(TEXT).output, re.MULTILINE)
    assert by_hand[1] == program[1]


def test_an_output_that_changed_is_put_in_its_place_and_nothing_else():
    changed = with_output(TEXT, "other words\n")
    assert example_of(changed).output == "other words\n"
    assert with_output(changed, example_of(TEXT).output) == TEXT


def test_every_picture_is_there_and_is_shown():
    shown = re.findall(r"!\[[^\]]+\]\(pictures/([\w-]+\.svg)\)", TEXT)
    made = sorted(path.name for path in (ROOT / "docs" / "pictures").glob("*.svg"))
    assert sorted(shown) == made


def test_links_within_the_page_lead_somewhere():
    heads = {
        re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) - heads == set()


def test_the_page_judges_nobody():
    assert JUDGING.findall(TEXT) == []

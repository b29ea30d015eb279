import re
from pathlib import Path
from typing import get_args

import pytest

from emgmon.exercises import Exercise, parse_exercise, shipped_catalogue
from emgmon.exercises.exercise import ANGLES, SUMMARY_LETTERS, Position, SignalName
from emgmon.exercises.figures import Grade
from emgmon.exercises.programs import Feedback, Program, parse_program
from emgmon.exercises.sites import load_sites

PAGE = (Path(__file__).parents[2] / "docs" / "exercises.md").read_text(encoding="utf-8")


def example(kind):
    return re.findall(rf"```toml {kind}\n(.*?)```", PAGE, re.DOTALL)[0].encode()


def test_the_exercise_on_the_page_is_valid():
    assert parse_exercise("frog-bridge", example("exercise")).signals[1].least_deg == 8.0


def test_the_exercise_with_the_evidence_on_the_page_is_valid():
    evidence = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0].encode()
    exercise = parse_exercise("frog-bridge", example("exercise") + evidence)
    assert [figure.is_known for figure in exercise.expected] == [True, False]


def test_the_program_on_the_page_is_valid():
    program = parse_program("my-routine", example("program"), shipped_catalogue())
    assert [step.exercise for step in program.main.steps] == ["bridge", "hip-thrust"]


@pytest.mark.parametrize(
    "word",
    [
        *Exercise.__struct_fields__,
        *Program.__struct_fields__,
        *get_args(Position),
        *get_args(SignalName),
        *get_args(Feedback),
        *(grade.value for grade in Grade),
        *(site.name for site in load_sites().site),
    ],
)
def test_the_page_names_every_field_and_choice(word):
    assert f"`{word}`" in PAGE


def test_the_page_counts_as_the_code_does():
    assert f"at most {SUMMARY_LETTERS} letters" in PAGE
    assert len(ANGLES) == 4

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.exercises import EXERCISE_NAMES, load_exercise, parse_exercise, shipped_catalogue
from emgmon.exercises.exercise_page import exercise_list, exercise_page
from emgmon.exercises.figures import Grade, Statement
from emgmon.exercises.page import Page
from emgmon.exercises.program_page import program_list, program_page
from emgmon.exercises.programs import PROGRAM_NAMES, shipped_programs
from tests.exercises.examples import EXERCISE, exercise_toml, with_change

JUDGING = re.compile(
    r"weak|inhibit|abnormal|injur|diagnos|\btreat|dysfunction|amnesia|prevent|reliev|\b(?:un)?safe\b|\brehab\b|medical-grade",
    re.IGNORECASE,
)


def every_page(width=80):
    shelf = shipped_programs()
    pages = {name: exercise_page(load_exercise(name), width) for name in EXERCISE_NAMES}
    pages |= {
        f"program {name}": program_page(shelf.find(name), shelf.catalogue, width) for name in PROGRAM_NAMES
    }
    pages |= {"list": exercise_list(shipped_catalogue(), width), "programs": program_list(shelf, width)}
    return pages


PAGES = every_page()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_judges_the_person_or_promises_a_cure(name):
    assert JUDGING.findall(PAGES[name]) == []


@pytest.mark.parametrize(
    "word", ["Weak", "inhibited", "abnormality", "injury", "treat", "rehab", "dysfunction"]
)
def test_the_search_knows_the_words(word):
    assert JUDGING.search(f"for {word} glutes")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_eighty_columns_and_has_no_loose_ends(name):
    lines = PAGES[name].splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line != line.rstrip()] == []
    assert lines[0]
    assert lines[-1]
    assert "\n\n\n" not in PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_plain_text(name):
    assert not re.search("[\x00-\x09\x0b-\x1f\xa0]", PAGES[name])


def test_a_narrow_terminal_gets_narrow_lines_except_for_words_that_do_not_fit():
    for page in every_page(40).values():
        assert [line for line in page.splitlines() if len(line) > 40 and len(line.split()) > 1] == []


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_every_number_of_a_source_leads_to_one_and_every_source_is_cited(name):
    body, _, sources = PAGES[name].partition("\nSources\n")
    listed = [int(number) for number in re.findall(r"^ +\[(\d+)\]", sources, re.MULTILINE)]
    assert listed == list(range(1, len(listed) + 1))
    assert {int(number) for number in re.findall(r"\[(\d+)\]", body)} == set(listed)


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_a_page_says_that_height_does_not_matter_and_that_others_are_no_yardstick(name):
    words = " ".join(PAGES[name].split())
    assert "does not matter" in words
    if any(figure.is_known for figure in load_exercise(name).expected):
        assert "nothing you do is judged by these figures" in words


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_a_page_shows_all_that_its_file_says_to_a_person(name):
    words = " ".join(PAGES[name].split())
    exercise = load_exercise(name)
    told = [
        exercise.title,
        exercise.purpose,
        exercise.position,
        *exercise.how,
        *exercise.cues,
        *exercise.safety,
    ]
    told += [text for fault in exercise.faults for text in (fault.seen, fault.instead)]
    told += [placement.why for placement in exercise.placements]
    told += [finding.says for finding in exercise.findings]
    assert [text for text in told if " ".join(text.split()) not in words] == []


def test_an_unknown_figure_is_called_unknown():
    assert "Unknown: gluteus maximus (no study of the scorpion was found" in PAGES["scorpion"]
    assert "Direction and posture while placing: unknown" in PAGES["bridge"]


def test_a_derived_figure_says_what_it_was_derived_from():
    assert re.search(r"0\.49 .*24 / 49, a\s+share of 33 % derived from \[\d+\]", PAGES["prone-hip-extension"])


def test_a_file_with_only_the_needed_fields_makes_a_page():
    needed = {"also_called", "cues", "placements", "expected", "findings", "faults"}
    text = EXERCISE
    for field in needed & set(re.findall(r"^(\w+) =", EXERCISE, re.MULTILINE)):
        text = with_change(text, field, None).decode()
    page = exercise_page(parse_exercise("frog-bridge", text.encode()), 80)
    assert "Frog bridge" in page
    assert "What others measured\n  unknown" in page
    assert "Sensors and electrodes" not in page


def test_the_list_marks_own_exercises_and_names_all():
    listed = exercise_list(shipped_catalogue().with_own("frog-bridge", exercise_toml()), 80)
    assert re.search(r"^  frog-bridge +Frog bridge \(your own\)$", listed, re.MULTILINE)
    assert set(EXERCISE_NAMES) <= {line.split()[0] for line in listed.splitlines() if line.startswith("  ")}


def test_a_program_counts_repetitions_per_side_where_there_are_sides():
    page = PAGES["program routine"]
    assert "2 sets of 6 repetitions on each side, hold 1 s" in " ".join(page.split())
    assert "1. 8 repetitions, then rest 90 s" in page


def test_a_program_says_when_to_move_on():
    words = " ".join(PAGES["program routine"].split())
    assert "Move on when you met your own reference in 5 of your last 6 main sets." in words
    assert "at least 80 %" in words
    assert "Move on" not in PAGES["program short-routine"]


def test_the_same_source_keeps_its_number():
    page = Page(80)
    first = Statement(grade=Grade.SOURCED, says="One.", source="Oh", year=2007, doi="10.1/x")
    other = Statement(grade=Grade.DERIVED, says="Two.", source="Ho", year=2020)
    again = Statement(grade=Grade.SOURCED, says="Three.", source="Oh", year=2007, doi="10.1/x")
    unsourced = Statement(grade=Grade.CONVENTION, says="So be it.")
    assert [page.cite(claim) for claim in (first, other, again, unsourced)] == [
        "[1]",
        "derived from [2]",
        "[1]",
        "",
    ]
    page.sources()
    assert page.text() == "Sources\n  [1] Oh (2007), doi:10.1/x\n  [2] Ho (2020)"


@given(st.text(alphabet="ab -5%sm", max_size=200), st.integers(20, 80))
def test_wrapping_loses_no_word(text, width):
    page = Page(width)
    page.item("-", f"x {text}")
    assert page.text().split() == ["-", "x", *text.split()]


@given(st.integers(1, 3000), st.integers(30, 80))
def test_a_number_is_never_parted_from_its_unit(number, width):
    page = Page(width)
    page.paragraph(f"Hold it and then rest for {number} s after each of the sets that you have done")
    assert f"{number} s" in page.text()

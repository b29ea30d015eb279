import ast
import re
from pathlib import Path

import pytest
from textual.widgets import Static

import emgmon.dashboard
from emgmon.dashboard.app import MonitorApp
from emgmon.exercises import EXERCISE_NAMES, load_exercise
from emgmon.metrics import verdict
from tests.dashboard.synthetic import GLUTE_AND_BACK, Script, SyntheticFeed

JUDGING = re.compile(r"weak|inhibit|abnormal|injur|diagnos|treat", re.IGNORECASE)

FOLDER = Path(emgmon.dashboard.__file__).parent
SOURCES = [*sorted(FOLDER.rglob("*.py")), Path(verdict.__file__)]


def _texts(source: str) -> list[str]:
    """Every text in a module that is not a docstring, so that could be shown."""
    tree = ast.parse(source)
    shown = []
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            docstring = isinstance(node, ast.Expr)
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and not docstring:
                shown.append(child.value)
    return shown


def test_the_search_finds_texts_and_leaves_out_what_only_programmers_read() -> None:
    source = '"""A treat."""\nx = f"weak {1}"\ndef f():\n    """Injury."""\n    return ("abnormal",)\n'
    assert [text for text in _texts(source) if JUDGING.search(text)] == ["weak ", "abnormal"]


@pytest.mark.parametrize(
    "word", ["Weak", "inhibited", "abnormality", "injury", "injured", "diagnose", "treat"]
)
def test_the_search_knows_the_words_in_every_form(word: str) -> None:
    assert JUDGING.search(f"your glute: {word}")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_text_in_the_code_of_the_screen_judges_the_person(path: Path) -> None:
    assert [text for text in _texts(path.read_text(encoding="utf-8")) if JUDGING.search(text)] == []


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_no_name_of_an_exercise_judges_the_person(name: str) -> None:
    assert not JUDGING.search(f"{name} {load_exercise(name).title}")


async def test_the_help_screen_as_it_is_shown_judges_nobody() -> None:
    app = MonitorApp(SyntheticFeed(Script(GLUTE_AND_BACK)))
    async with app.run_test(size=(80, 200)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = str(app.screen.query_one("#text", Static).visual)
    assert "Activity share" in text
    assert not JUDGING.search(text)

"""Every message that the program can show is about activity and the own reference, never about faults."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JUDGING = re.compile(
    r"\bweak|inhibit|abnormal|injur|diagnos|\btreat|dysfunction|amnesia|patholog|disorder|\bfaulty\b|\bunsafe\b"
    r"|medical[- ]grade|force share|fires? last",
    re.IGNORECASE,
)
"""What a wellness product must not say, and what nobody who trains should have to read."""

MODULES = sorted(path for room in ("emgmon", "firmware_protocol") for path in (ROOT / room).rglob("*.py"))
TABLES = sorted((ROOT / "emgmon").rglob("*.toml"))


def shown(source: str) -> list[str]:
    """Every text in a module that is not a docstring, so that could be shown."""
    tree = ast.parse(source)
    return [
        child.value
        for node in ast.walk(tree)
        if not isinstance(node, ast.Expr)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.Constant) and isinstance(child.value, str)
    ]


def texts_of(value: object) -> Iterator[str]:
    """Every text in a table, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def judging(texts: list[str]) -> list[str]:
    return [text for text in texts if JUDGING.search(text)]


def test_the_search_finds_texts_and_leaves_out_what_only_programmers_read():
    source = '"""A treat."""\nx = f"weak {1}"\ndef f():\n    """Injury."""\n    return ("abnormal",)\n'
    assert judging(shown(source)) == ["weak ", "abnormal"]
    assert judging(list(texts_of(tomllib.loads('a = [{b = "your weak side"}]')))) == ["your weak side"]


@pytest.mark.parametrize(
    "word",
    ["Weak", "weaker", "inhibited", "abnormality", "injury", "injured", "diagnose", "treat", "treatment"],
)
def test_the_search_knows_the_words_in_every_form(word):
    assert JUDGING.search(f"your glute: {word}")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_in_the_code_judges_the_person(path):
    assert judging(shown(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_no_exercise_site_or_program_judges_the_person(path):
    assert judging(list(texts_of(tomllib.loads(path.read_text(encoding="utf-8"))))) == []

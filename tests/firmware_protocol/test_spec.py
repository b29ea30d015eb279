"""SPEC.md is the contract: whatever cites a clause cites one that exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import firmware_protocol

ROOM = Path(firmware_protocol.__file__).parent
SPEC = (ROOM / "SPEC.md").read_text(encoding="utf-8")
CLAUSES = re.findall(r"^\*\*(\d+\.\d+)\*\* ", SPEC, re.MULTILINE)
SECTIONS = re.findall(r"^## (\d+) ", SPEC, re.MULTILINE)


def cited_in_code() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOM.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for clause in re.findall(r"\"(\d+\.\d+)\"", text):
            # The vectors also name the version of the page.
            if clause != "1.0":
                yield path.name, clause
        for phrase in re.findall(r"\(SPEC ([^)]*)\)|SPEC (\d+\.\d+)", text):
            for clause in re.findall(r"\d+\.\d+", " ".join(phrase)):
                yield path.name, clause


def test_every_clause_that_the_code_cites_exists() -> None:
    cited = list(cited_in_code())
    assert len({clause for _, clause in cited}) > 25
    assert [pair for pair in cited if pair[1] not in CLAUSES] == []


def test_clauses_are_numbered_without_holes_in_their_sections() -> None:
    assert [str(number) for number in range(1, len(SECTIONS) + 1)] == SECTIONS
    expected = [
        f"{section}.{number}"
        for section in SECTIONS
        for number in range(1, sum(clause.startswith(f"{section}.") for clause in CLAUSES) + 1)
    ]
    assert expected == CLAUSES


def test_every_clause_that_the_specification_cites_exists() -> None:
    body = re.sub(r"^\*\*\d+\.\d+\*\* ", "", SPEC, flags=re.MULTILINE)
    body = re.sub(
        r"version 1\.0|a 1\.0 host|is 1\.0|9\.81|7\.5 to 15 ms|```.*?```",
        "",
        body,
        flags=re.DOTALL | re.IGNORECASE,
    )
    cited = re.findall(r"\b\d+\.\d+\b", body)
    assert len(cited) > 25
    assert [clause for clause in cited if clause not in CLAUSES] == []


def test_the_example_of_clause_4_13_is_the_one_of_the_vectors() -> None:
    example = re.search(r"\*\*4\.13\*\*.*?```\n(.*?)\n```", SPEC, re.DOTALL)
    assert example is not None
    vectors = (ROOM / "vectors" / "packets.json").read_text(encoding="utf-8")
    assert f'"hex": "{bytes.fromhex(example[1]).hex()}"' in vectors

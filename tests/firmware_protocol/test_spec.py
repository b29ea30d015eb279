"""SPEC.md is the contract: whatever cites a clause cites one that exists."""

import enum
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import firmware_protocol
from firmware_protocol.capabilities import RecordType
from firmware_protocol.control import (
    CapabilityPart,
    Opcode,
    Request,
    Response,
    Started,
    Status,
    StreamStart,
    capability_request,
)
from firmware_protocol.packets import PacketFlag
from firmware_protocol.resend import ResendAnswer, SampleRange, TimeAnswer, resend_request, time_request
from firmware_protocol.worn import (
    Contact,
    DroppedOnDevice,
    Lead,
    LeadCheck,
    SiteEntry,
    SitesSet,
    StatusKind,
    identify_request,
    lead_check_request,
    sites_request,
    status_bytes,
)

ROOM = Path(firmware_protocol.__file__).parent
SPEC = (ROOM / "SPEC.md").read_text(encoding="utf-8")
CLAUSES = re.findall(r"^\*\*(\d+\.\d+)\*\* ", SPEC, re.MULTILINE)
SECTIONS = re.findall(r"^## (\d+) ", SPEC, re.MULTILINE)


def cited_in_code() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOM.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for clause in re.findall(r"\"(\d+\.\d+)\"", text):
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


def test_prose_is_wrapped_at_120_characters() -> None:
    # Tables and examples cannot be wrapped.
    outside = re.sub(r"```.*?```", "", SPEC, flags=re.DOTALL).splitlines()
    assert [line for line in outside if len(line) > 120 and not line.startswith("|")] == []


def test_every_table_has_as_many_cells_in_each_row_as_in_its_head() -> None:
    for table in re.findall(r"(?:^\|.*\|\n)+", SPEC, re.MULTILINE):
        cells = [len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()]
        assert len(set(cells)) == 1, table.splitlines()[0]


@pytest.mark.parametrize("members", [Opcode, Status, RecordType, StatusKind, PacketFlag])
def test_every_number_of_the_code_is_in_a_table_of_the_specification(members: type[enum.Enum]) -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in SPEC.splitlines() if line[:1] == "|"]
    for member in members:
        number = int(member.value)
        told = {str(number), f"0x{number:02X}"}
        if members is PacketFlag:
            told = {str(number.bit_length() - 1)}
        names = {str(member.name), str(member.name).replace("_", " ")}
        assert any(row[0] in told and row[1] in names for row in rows), member


def test_sizes_of_the_control_point_are_those_of_the_code() -> None:
    """Clause 6.15 against messages of the code: 2 streams, 6 channels, a site of 5 letters."""
    table = SPEC.split("**6.15**")[1].split("A payload size")[0]
    sizes = {
        cells[0].strip(): (_size(cells[1]), _size(cells[2]))
        for line in table.splitlines()
        if len(cells := line.strip("|").split("|")) == 3 and any(map(str.isdigit, line))
    }
    sites = SitesSet(1, (SiteEntry(0, "thigh", None),))
    asked = SampleRange(1, 0, 1)
    started = Started(0, 0, (StreamStart(1, 0, 0), StreamStart(2, 0, 0)))
    requests = {
        "GET CAPABILITIES": capability_request(transaction=0, offset=0),
        "START": Request(Opcode.START, 0),
        "STOP": Request(Opcode.STOP, 0),
        "RESEND": resend_request(asked, transaction=0),
        "TIME": time_request(0, transaction=0),
        "SET SITES, one entry": sites_request(sites, transaction=0),
        "IDENTIFY": identify_request(0, transaction=0),
        "LEAD CHECK": lead_check_request(0, transaction=0),
    }
    payloads = {
        "GET CAPABILITIES": CapabilityPart(1, 0, b"x").to_bytes(),
        "START": started.to_bytes(),
        "RESEND": ResendAnswer(asked, 0, 1).to_bytes(),
        "TIME": TimeAnswer(0, 0, 0).to_bytes(),
        "LEAD CHECK": LeadCheck(1, (Lead(Contact.GOOD, 1),) * 6).to_bytes(),
    }
    for name, request in requests.items():
        response = Response(request.opcode, 0, Status.OK, payloads.get(name, b""))
        assert sizes.pop(name) == (len(request.to_bytes()), len(response.to_bytes())), name
    assert sizes == {"status notification": (0, len(status_bytes(DroppedOnDevice(1, 0, 1), count=0)))}


def _size(cell: str) -> int:
    """Work out a cell such as ``14 + 11 x streams``."""
    total = 0
    for term in re.sub(r"at most|, or more.*", "", cell).split("+"):
        factor = 1
        for word in term.split("×"):
            factor *= {"streams": 2, "channels": 6, "site_length": 5, "": 0}.get(word.strip()) or int(
                word.strip() or 0
            )
        total += factor
    return total

"""Where sensors and electrodes go: one shared table that exercises refer to by name."""

import functools
from collections.abc import Iterator
from importlib import resources
from typing import Literal

import msgspec

from emgmon.exercises.figures import Statement, statement_problems
from emgmon.exercises.reading import Problem, read

FILE = "sites.toml"


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place on the body, with how to find it and how well that is known."""

    name: str
    """As channels are named: ``gluteus_maximus``."""
    title: str
    measures: Literal["motion", "muscle"]
    sides: Literal["one", "left-and-right"]
    landmark: Statement
    orientation: Statement
    posture: Statement
    """In which the skin is marked."""
    remark: Statement | None = None


class SiteTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All sites, and what holds for every electrode."""

    electrodes: tuple[Statement, ...]
    site: tuple[Site, ...]

    def find(self, name: str) -> Site | None:
        """Look a site up; ``None`` when there is none of that name."""
        return next((site for site in self.site if site.name == name), None)


@functools.cache
def load_sites() -> SiteTable:
    """Read the table that ships.

    Raises
    ------
    ExerciseError
        When the file is not valid.
    """
    return parse_sites(resources.files("emgmon.exercises").joinpath(FILE).read_bytes())


def parse_sites(data: bytes) -> SiteTable:
    """Read a table of sites from the bytes of its file.

    Raises
    ------
    ExerciseError
        When it is not valid.
    """
    return read(FILE, data, SiteTable, check=_problems)


def _problems(table: SiteTable) -> Iterator[Problem]:
    names = [site.name for site in table.site]
    for i, statement in enumerate(table.electrodes):
        yield from statement_problems(f"electrodes[{i}]", statement)
    for i, site in enumerate(table.site):
        if names.count(site.name) > 1:
            yield Problem(f"site[{i}].name", f"is {site.name!r} once more", "Every site has its own name.")
        for part in ("landmark", "orientation", "posture", "remark"):
            statement = getattr(site, part)
            if statement is not None:
                yield from statement_problems(f"site[{i}].{part}", statement)

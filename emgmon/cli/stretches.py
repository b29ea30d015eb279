"""Parts of a recording as people name them: FROM:TO, in seconds."""

import math
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class Between:
    """Part of a recording, seconds."""

    from_s: float
    to_s: float

    def __str__(self) -> str:
        return f"{self.from_s:g}:{self.to_s:g}"


def parse_between(words: str) -> Between:
    """Read FROM:TO.

    Raises
    ------
    click.BadParameter
        When it is not two times, or not an earlier and a later one.
    """
    try:
        from_s, to_s = (float(part) for part in words.split(":"))
    except ValueError:
        raise click.BadParameter(f"{words!r} is not two times in seconds, like 12:20.") from None
    if not 0.0 <= from_s < to_s < math.inf:
        raise click.BadParameter(f"{words!r} does not lead from an earlier second to a later one.")
    return Between(from_s, to_s)


def between(_context: click.Context, _option: click.Parameter, value: str | None) -> Between | None:
    """Read an option that names a part of a recording; for ``callback=``."""
    return None if value is None else parse_between(value)


@dataclass(frozen=True, slots=True)
class Reference:
    """One contraction that a person has pointed out."""

    site: str
    """As written: with or without its side."""
    position: str
    between: Between

    def __str__(self) -> str:
        position = f"@{self.position}" if self.position else ""
        return f"{self.site}{position}={self.between}"

    def is_of(self, site: str, side: str | None) -> bool:
        """Whether a channel is meant."""
        return self.site in (site, f"{site}.{side}")


def references(
    _context: click.Context, _option: click.Parameter, words: tuple[str, ...]
) -> tuple[Reference, ...]:
    """Read an option that names contractions, several times; for ``callback=``."""
    return tuple(_reference(word) for word in words)


def _reference(word: str) -> Reference:
    place, equals, times = word.partition("=")
    site, _, position = place.partition("@")
    if not (equals and site):
        raise click.BadParameter(f"{word!r} is not SITE=FROM:TO, like gluteus_maximus=20:25.")
    return Reference(site, position, parse_between(times))

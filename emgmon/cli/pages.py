"""Puts pages on stdout, in a width that people read, and troubles with own files on stderr."""

import shutil
import sys
from collections.abc import Iterable

import click

from emgmon.errors import ExerciseError

WIDEST = 80
NARROWEST = 40


def width() -> int:
    """Letters to a line: those of the terminal, but no more than 80; 80 in a pipe."""
    if not sys.stdout.isatty():
        return WIDEST
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))


def show(page: object) -> None:
    """Write a page as it is, anything else as JSON."""
    if isinstance(page, str):
        click.echo(page)
        return
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(page), indent=2).decode())


def tell_problems(problems: Iterable[ExerciseError]) -> None:
    """Tell what is wrong with files that could not be used; results are not touched."""
    for problem in problems:
        click.echo(f"emgmon: {problem}", err=True)
        if problem.advice:
            click.echo(f"  {problem.advice}", err=True)

"""Runs a live feed to its end, on a screen or as lines of text, and says where the recording is.

Ctrl-C is a way to end a session, not to break it: samples that are still missing are fetched, STOP is sent,
the recording is closed, and the exit status is 0 when something was recorded, else 130. A second Ctrl-C ends
the fetching.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from emgmon.errors import SensorError
from emgmon.events import Event

if TYPE_CHECKING:
    from emgmon.dashboard.feed import Feed
    from emgmon.virtual.feed import VirtualFeed
    from emgmon.virtual.script import Script

    class RecordedFeed(Feed, Protocol):
        """A feed that writes a recording."""

        path: Path

        @property
        def ended(self) -> bool: ...

        @property
        def lost(self) -> bool: ...

        @property
        def recorded(self) -> bool: ...


POLLS_PER_S = 30
PARTING_S = 0.5
"""A goodbye that takes longer is explained."""

INTERRUPTED = 130
"""Exit status of a program that was ended by Ctrl-C before it had done anything."""


def wants_plain(*, plain: bool) -> bool:
    """Whether to write lines: asked for, or nobody could see a screen."""
    dumb = os.environ.get("TERM", "") in ("", "dumb") and sys.platform != "win32"
    return plain or dumb or not (sys.stdout.isatty() and sys.stdin.isatty())


def default_path(exercise: str | None) -> Path:
    """Where a recording goes when the person did not say."""
    from datetime import datetime

    from emgmon.cli.own_files import data_folder
    from emgmon.sensors.live import recording_path

    return recording_path(data_folder() / "recordings", exercise, datetime.now().astimezone())


def virtual_feed(exercise: str, make_script: "Callable[[], Script]", out: Path | None) -> "VirtualFeed":
    """Prepare a session with the virtual sensor.

    Raises
    ------
    SensorError
        When Bumble, which is not a dependency of emgmon itself, is not installed.
    """
    from emgmon.clock import SystemClock

    try:
        import bumble  # noqa: F401 - only to learn whether it is there
    except ModuleNotFoundError as error:
        raise SensorError(
            "the virtual sensor needs the package bumble, which is not installed",
            advice="Install it with: pip install 'emgmon[virtual]'",
        ) from error
    from emgmon.virtual.feed import VirtualFeed

    return VirtualFeed(exercise, make_script, out=out or default_path(exercise), clock=SystemClock())


def follow(feed: "RecordedFeed", *, plain: bool, duration_s: float | None = None) -> None:
    """Run a session until it ends, the time is up, or the person has had enough.

    Raises
    ------
    EmgmonError
        When the session could not begin, could not be recorded, or lost its sensor.
    """
    interrupted = False
    try:
        if plain:
            interrupted = _on_lines(feed, duration_s)
        else:
            on_screen(feed)
    finally:
        if feed.recorded:
            click.echo(f"recording: {feed.path}", err=True)
    if feed.lost:
        raise SensorError(
            "the sensor was lost before the session was over, and the session was told not to wait longer",
            advice="The recording is complete up to then. Start a new session to go on.",
        )
    if interrupted and not feed.recorded:
        raise SystemExit(INTERRUPTED)


def on_screen(feed: "Feed") -> None:
    """Show a feed until the person leaves; what went wrong is raised once the terminal is itself again."""
    from emgmon.dashboard.app import MonitorApp

    app = MonitorApp(feed)
    app.run()
    if app.failure is not None:
        raise app.failure
    if app.return_code:
        raise SystemExit(app.return_code)


def _on_lines(feed: "RecordedFeed", duration_s: float | None) -> bool:
    """Whether the person ended it."""
    try:
        asyncio.run(_print_until_over(feed, duration_s))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("stopped", err=True)
        return True
    return False


async def _print_until_over(feed: "RecordedFeed", duration_s: float | None) -> None:
    _heed_termination()
    try:
        await _open(feed)
        with suppress(TimeoutError):
            async with asyncio.timeout(duration_s):
                await _print_while_running(feed)
    finally:
        try:
            await _close(feed)
        finally:
            print_events(feed.poll())


async def _open(feed: "RecordedFeed") -> None:
    """Connect; meanwhile tell how far that is."""
    opening = asyncio.create_task(feed.open())
    try:
        while not opening.done():
            print_events(feed.poll())
            await asyncio.wait((opening,), timeout=1 / POLLS_PER_S)
    finally:
        if not opening.done():
            opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
    opening.result()


async def _close(feed: "RecordedFeed") -> None:
    """Say goodbye; meanwhile go on telling, for it may take a while to fetch what is missing."""
    closing = asyncio.create_task(feed.close())
    try:
        await asyncio.wait((closing,), timeout=PARTING_S)
        if not closing.done():
            click.echo("fetching samples that are still missing (Ctrl-C: leave them)", err=True)
        while not closing.done():
            print_events(feed.poll())
            await asyncio.wait((closing,), timeout=1 / POLLS_PER_S)
    finally:
        if not closing.done():
            closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
    closing.result()


async def _print_while_running(feed: "RecordedFeed") -> None:
    while not feed.ended:
        print_events(feed.poll())
        await asyncio.sleep(1 / POLLS_PER_S)


def print_events(events: Iterable[Event]) -> None:
    """Write results to stdout and everything else to stderr."""
    from emgmon.cli.plain import lines

    for event in events:
        for said in lines(event):
            click.echo(said.text, err=not said.is_result)


def _heed_termination() -> None:
    """Treat a polite request to end like Ctrl-C."""
    task = asyncio.current_task()
    assert task is not None
    # Windows has no handlers on the loop.
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

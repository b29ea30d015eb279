"""``emgmon replay``: a recorded session, played as if it were live."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.exercises import Exercise
    from emgmon.recording.playback import PlaybackFeed
    from emgmon.session import Session


def _a_number(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("nan is not a speed.")
    return value


@click.command(name="replay")
@click.argument("recording", metavar="REC", type=click.Path(path_type=Path))
@click.option(
    "--speed",
    metavar="X",
    type=click.FloatRange(min=0, min_open=True),
    callback=_a_number,
    default=1.0,
    show_default=True,
    help="2 is twice as fast, 0.5 half, inf as fast as possible.",
)
@click.option("--exercise", metavar="NAME", help="Instead of the exercise that the recording names.")
@click.option("--plain", is_flag=True, help="One line per event instead of a screen.")
def command(*, recording: Path, speed: float, exercise: str | None, plain: bool) -> None:
    """Play the recording REC: the same counts and verdicts as live.

    Keys: space pauses, the arrows go 5 seconds back and on, + and - change the speed, q leaves.
    """
    from emgmon.cli.follow import on_screen, wants_plain
    from emgmon.cli.own_files import find_exercise
    from emgmon.recording.reader import RecordingReader

    # A file that cannot be played is told at once, not on a screen that has to be left first.
    RecordingReader(recording)
    feed = _feed(recording, speed, None if exercise is None else find_exercise(exercise))
    if wants_plain(plain=plain):
        _on_lines(feed)
    else:
        on_screen(feed)
    for warning in feed.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not feed.complete:
        raise SystemExit(1)


def _feed(recording: Path, speed: float, exercise: "Exercise | None") -> "PlaybackFeed":
    from emgmon.clock import SystemClock
    from emgmon.recording.playback import PlaybackFeed

    class OwnPlaybackFeed(PlaybackFeed):
        """Plays by an exercise that is no name in the catalogue but a person's own."""

        def _new_session(self) -> "Session":
            assert self._setup is not None
            self._setup = replace(self._setup, exercise=exercise)
            return super()._new_session()

    if exercise is None:
        return PlaybackFeed(recording, clock=SystemClock(), speed=speed)
    return OwnPlaybackFeed(recording, clock=SystemClock(), speed=speed, exercise=exercise.name)


def _on_lines(feed: "PlaybackFeed") -> None:
    try:
        asyncio.run(_print_all(feed))
    except KeyboardInterrupt:
        from emgmon.cli.follow import INTERRUPTED

        click.echo("stopped", err=True)
        raise SystemExit(INTERRUPTED) from None


async def _print_all(feed: "PlaybackFeed") -> None:
    from emgmon.cli.follow import POLLS_PER_S, print_events

    await feed.open()
    over = False
    while not over:
        events = feed.poll()
        over = feed.ended
        print_events(events)
        if not events:
            await asyncio.sleep(1 / POLLS_PER_S)

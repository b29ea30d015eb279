"""``emgmon demo``: a virtual athlete on a virtual sensor, judged live; no Bluetooth, no key needed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.virtual.script import Script

EXERCISE = "bridge"
GOOD_REPS = 3
TIRED_REPS = 2
TIRED_SHARE_PCT = 42.0
"""Glute share once the back has taken over."""


@click.command(name="demo")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another athlete.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the recording goes.")
@click.option("--plain", is_flag=True, help="One line per event instead of a screen.")
def command(*, seed: int, out: Path | None, plain: bool) -> None:
    """Watch a virtual athlete do bridges: the glutes lead, then the back takes over.

    Discovery, connection and notifications really happen, over a Bluetooth stack in memory. Without a
    terminal the events are written as lines, and the command ends with the performance.
    """
    from emgmon.cli.follow import follow, virtual_feed, wants_plain

    follow(virtual_feed(EXERCISE, lambda: _script(seed), out), plain=wants_plain(plain=plain))


def _script(seed: int) -> "Script":
    from emgmon.virtual.athlete import perform
    from emgmon.virtual.params import AthleteParams
    from emgmon.virtual.script import script

    good = AthleteParams(exercise=EXERCISE, n_reps=GOOD_REPS, seed=seed)
    tired = AthleteParams(exercise=EXERCISE, n_reps=TIRED_REPS, glute_share_pct=TIRED_SHARE_PCT, seed=seed)
    return script([perform(good), perform(tired)])

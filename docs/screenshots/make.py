"""Takes the pictures of the dashboard: plays a recording by a hand-turned clock, without a terminal.

    PYTHONPATH=. python docs/screenshots/make.py [RECORDING ...]

Without an argument the pictures of this folder are made anew, from the recordings that ship and from two
that the virtual athlete makes for the purpose. With arguments each recording is pictured at 80x24 and
160x48, in the current folder. PNG files are written too when cairosvg is installed.
"""

import asyncio
import html
import itertools
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emgmon.clock import ManualClock
from emgmon.dashboard.app import MonitorApp
from emgmon.events import Metric, Quality
from emgmon.metrics.reference import reference_of
from emgmon.recording.append import append_rows
from emgmon.recording.host_events import ReferenceSetRow, event_notifications
from emgmon.recording.playback import PlaybackFeed
from emgmon.virtual.athlete import perform
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.simulate import write_recording

HERE = Path(__file__).resolve().parent
RECORDINGS = HERE.parent.parent / "recordings"
MADE = Path(tempfile.gettempdir()) / "emgmon-screenshots"
"""Where the recordings that do not ship are made."""

CELL_WIDTH = 12.2
CELL_HEIGHT = 24.4
BASELINE = 18.5
"""From the top of a row to the baseline of its text, in Textual's pictures."""


@dataclass(frozen=True)
class Picture:
    """One file to make."""

    name: str
    recording: Path
    columns: int
    rows: int
    at_s: float | None = None
    """Position in the recording; the end when not given."""
    keys: tuple[str, ...] = ()


SHIPPED = (
    Picture("dashboard", RECORDINGS / "bridge-back-led.arrows", 100, 26, at_s=37.0),
    Picture("bridge-80x24", RECORDINGS / "bridge-back-led.arrows", 80, 24, at_s=32.0),
    Picture("bridge-160x48", RECORDINGS / "bridge-back-led.arrows", 160, 48),
    Picture("squat-80x24", RECORDINGS / "squat.arrows", 80, 24, at_s=24.0),
    Picture("squat-160x48", RECORDINGS / "squat.arrows", 160, 48),
    Picture("motion-80x24", MADE / "bird-dog.arrows", 80, 24, at_s=15.0),
    Picture("electrode-off-80x24", MADE / "bridge.arrows", 80, 24, at_s=26.8),
    Picture("signals-80x24", MADE / "bridge.arrows", 80, 24, at_s=26.8, keys=("s",)),
    Picture("help-80x24", RECORDINGS / "squat.arrows", 80, 24, at_s=1.0, keys=("question_mark",)),
)


def make_recordings() -> None:
    """Make a set in which an electrode comes off, and one of motion alone with its reference."""
    MADE.mkdir(exist_ok=True)
    off = AthleteParams(
        exercise="bridge",
        glute_share_pct=45.0,
        electrode_off="gluteus_maximus.left",
        electrode_off_at_s=23.0,
        seed=5,
    )
    write_recording(perform(off), MADE / "bridge.arrows", loss_pct=0.0, seed=off.seed, replace=True)
    turned = AthleteParams(exercise="bird-dog", emg=False, rotation_excess_deg=12.0, seed=4)
    path = MADE / "bird-dog.arrows"
    write_recording(perform(turned), path, loss_pct=0.0, seed=turned.seed, replace=True)
    usual = {"pelvis_rotation_range_deg": 5.1, "pelvis_anterior_change_deg": 3.3}
    good = [[Metric(name, deg, None, None, 1, Quality.GOOD) for name, deg in usual.items()]] * 8
    reference = reference_of("bird-dog", good, motion=tuple(usual))
    row = ReferenceSetRow(number=1, reference=reference, set_number=1)
    append_rows(path, lambda newest_ns: event_notifications([row], arrival_ns=newest_ns))


async def take(picture: Picture) -> str:
    """Play up to the position and export the screen as SVG."""
    clock = ManualClock()
    feed = PlaybackFeed(picture.recording, clock=clock)
    app = MonitorApp(feed)
    async with app.run_test(size=(picture.columns, picture.rows)) as pilot:
        while not app.opened:
            if app.failure is not None:
                raise app.failure
            await pilot.pause(0.05)
        clock.advance_s(feed.duration_s + 1 if picture.at_s is None else picture.at_s)
        while feed.position_s < min(feed.duration_s, picture.at_s or feed.duration_s):
            await pilot.pause(0.05)
        revision = None
        while revision != app.view.revision:
            revision = app.view.revision
            app.frame()
            await pilot.pause(0.05)
        await pilot.press(*picture.keys)
        await pilot.pause(0.05)
        return app.export_screenshot(title=f"emgmon replay {picture.recording.name}")


# Few fonts have braille, and fonts leave gaps between blocks. So these characters become shapes: the picture
# then looks the same everywhere.

TEXT = re.compile(
    r'<text class="(?P<tone>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="[\d.]+"'
    r' clip-path="(?P<clip>[^"]+)">(?P<text>[^<]*)</text>'
)
BOXES = {
    "█": ((0.0, 0.0, 1.0, 1.0),),
    "▀": ((0.0, 0.0, 1.0, 0.5),),
    "▄": ((0.0, 0.5, 1.0, 0.5),),
    "▒": ((0.0, 0.0, 1.0, 1.0),),
    "■": ((0.1, 0.3, 0.8, 0.4),),
    "□": ((0.1, 0.3, 0.8, 0.06), (0.1, 0.64, 0.8, 0.06), (0.1, 0.36, 0.12, 0.28), (0.78, 0.36, 0.12, 0.28)),
    "─": ((0.0, 0.47, 1.0, 0.05),),
    "━": ((0.0, 0.44, 1.0, 0.12),),
    "│": ((0.46, 0.0, 0.1, 1.0),),
    "┤": ((0.46, 0.0, 0.1, 1.0), (0.0, 0.47, 0.5, 0.05)),
    "┊": tuple((0.46, top, 0.1, 0.13) for top in (0.06, 0.31, 0.56, 0.81)),
    "┈": tuple((left, 0.47, 0.13, 0.05) for left in (0.06, 0.31, 0.56, 0.81)),
}
"""Left, top, width and height as parts of a cell."""

BRAILLE_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dot that each bit of a braille character stands for."""
DOT_WIDTH, DOT_HEIGHT = 0.34, 0.17


def boxes(character: str) -> tuple[tuple[float, float, float, float], ...]:
    """The rectangles a character consists of; none when it stays text."""
    bits = ord(character) - 0x2800
    if not 0 < bits < 256:
        return BOXES.get(character, ())
    dots = (dot for bit, dot in enumerate(BRAILLE_DOTS) if bits >> bit & 1)
    return tuple(
        (0.25 + 0.5 * column - DOT_WIDTH / 2, 0.125 + 0.25 * row - DOT_HEIGHT / 2, DOT_WIDTH, DOT_HEIGHT)
        for column, row in dots
    )


def draw_shapes(svg: str) -> str:
    """Replace characters that fonts draw badly by rectangles."""
    return TEXT.sub(lambda match: "".join(_elements(match)), svg)


def _elements(match: re.Match[str]) -> Iterator[str]:
    """The pieces of one text: shapes and what stays text."""
    x, y, tone, clip = float(match["x"]), float(match["y"]), match["tone"], match["clip"]
    cell = 0
    for kind, group in itertools.groupby(html.unescape(match["text"]), _kind):
        characters = list(group)
        left = x + cell * CELL_WIDTH
        cell += len(characters)
        if kind == "text":
            length = len(characters) * CELL_WIDTH
            text = html.escape("".join(characters))
            yield (
                f'<text class="{tone}" x="{left:.1f}" y="{y}" textLength="{length:.1f}"'
                f' clip-path="{clip}">{text}</text>'
            )
        else:
            shade = ' fill-opacity="0.5"' if kind == "▒" else ""
            yield f'<path class="{tone}"{shade} d="{_path(characters, left, y - BASELINE)}"/>'


def _kind(character: str) -> str:
    return "▒" if character == "▒" else "shape" if boxes(character) else "text"


def _path(characters: list[str], left: float, top: float) -> str:
    steps: list[str] = []
    for index, character in enumerate(characters):
        for box_left, box_top, width, height in boxes(character):
            x = left + (index + box_left) * CELL_WIDTH
            y = top + box_top * CELL_HEIGHT
            # A hair wider than a full cell, or neighbours would show a seam.
            across = width * CELL_WIDTH + 0.1 * (width == 1)
            down = height * CELL_HEIGHT + 0.1 * (height == 1)
            steps.append(f"M{x:.1f} {y:.1f}h{across:.1f}v{down:.1f}h{-across:.1f}z")
    return "".join(steps)


def write(picture: Picture, folder: Path) -> None:
    """Take a picture and write its files."""
    svg = draw_shapes(asyncio.run(take(picture)))
    path = folder / f"{picture.name}.svg"
    path.write_text(svg, encoding="utf-8")
    print(path)
    try:
        import cairosvg
    except ImportError:
        return
    # Cairo asks for one family only and takes any font when it is not installed.
    portable = svg.replace("Fira Code, monospace", "monospace")
    cairosvg.svg2png(bytestring=portable.encode(), write_to=str(path.with_suffix(".png")))


def pictures_of(recordings: list[Path]) -> Iterator[Picture]:
    for recording in recordings:
        for columns, rows in ((80, 24), (160, 48)):
            yield Picture(f"{recording.stem}-{columns}x{rows}", recording, columns, rows)


if __name__ == "__main__":
    if not sys.argv[1:]:
        make_recordings()
    for wanted in list(pictures_of([Path(name) for name in sys.argv[1:]])) or SHIPPED:
        write(wanted, HERE if wanted in SHIPPED else Path.cwd())

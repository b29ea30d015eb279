"""Errors end as words on the screen, and every way out leaves the terminal clean."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgmon.errors import RecordingError, SensorError
from emgmon.events import LinkChanged, LinkState
from tests.dashboard.driving import running
from tests.dashboard.synthetic import GLUTE_AND_BACK, Script, SyntheticFeed, SyntheticTransport

ROOT = Path(__file__).parents[2]


def feed(**facts: object) -> SyntheticFeed:
    return SyntheticFeed(Script(GLUTE_AND_BACK), **facts)  # type: ignore[arg-type]


class NeverOpens(SyntheticFeed):
    """Searches for ever; notes that it was told to stop."""

    cancelled = False

    async def open(self) -> None:
        self.pending.append(LinkChanged(0, LinkState.SCANNING, "Hold the sensor near."))
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled = True


class NeverCloses(SyntheticFeed):
    """A sensor that does not answer the farewell."""

    async def close(self) -> None:
        await asyncio.Event().wait()


async def test_an_error_on_opening_is_told_with_advice_and_ends_with_status_1() -> None:
    error = SensorError("No sensor was seen within 10 s.", advice="Switch it on and hold it near.")
    async with running(feed(error=error)) as run:
        await run.until(lambda: "No sensor was seen within 10 s." in run.text)
        assert "Switch it on and hold it near." in run.text
        assert "Press q to leave." in run.text
        await run.press("q")
        await run.until(lambda: run.app.return_code is not None)
    assert run.app.return_code == 1
    assert run.app.failure is error
    assert run.feed.n_closed == 1


async def test_an_error_in_mid_session_is_told_the_same_way() -> None:
    async with running(feed()) as run:
        await run.advance_to(5.0)
        run.feed.poll_error = RecordingError("The disk is full.", advice="Make room.")
        await run.until(lambda: "The disk is full." in run.text and "Make room." in run.text)
        await run.press("q")
        await run.until(lambda: run.app.return_code is not None)
    assert run.app.return_code == 1


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_every_key_to_leave_closes_the_feed_first(key: str) -> None:
    async with running(feed(transport=SyntheticTransport())) as run:
        await run.press(key)
        await run.until(lambda: run.app.return_code is not None)
    assert run.app.return_code == 0
    assert run.feed.n_closed == 1


async def test_q_leaves_from_the_help_page_too() -> None:
    async with running(feed()) as run:
        await run.press("question_mark", "q")
        await run.until(lambda: run.app.return_code is not None)
    assert run.app.return_code == 0


async def test_q_leaves_while_connecting_and_stops_the_search() -> None:
    searching = NeverOpens(Script(GLUTE_AND_BACK))
    async with running(searching) as run:
        await run.until(lambda: "Searching …" in run.text and "Hold the sensor near." in run.text)
        await run.press("q")
        await run.until(lambda: run.app.return_code is not None)
    assert run.app.return_code == 0
    assert searching.cancelled
    assert searching.n_closed == 1


async def test_a_second_q_leaves_at_once_when_the_sensor_does_not_answer() -> None:
    async with running(NeverCloses(Script(GLUTE_AND_BACK))) as run:
        await run.press("q")
        await run.until(lambda: "Closing …" in run.text)
        assert run.app.return_code is None
        await run.press("q")
        await run.until(lambda: run.app.return_code is not None)
    assert run.app.return_code == 0


# The rest runs in a terminal of its own, because only there is a terminal to be left clean.

PROGRAM = """
import sys
from pathlib import Path
from emgmon.clock import SystemClock
from emgmon.dashboard.app import MonitorApp
from tests.dashboard.synthetic import GLUTE_AND_BACK, Script, SyntheticFeed

class Noting(SyntheticFeed):
    async def close(self):
        Path(sys.argv[1]).write_text("closed")

app = MonitorApp(Noting(Script(GLUTE_AND_BACK), clock=SystemClock()))
app.run()
sys.exit(app.return_code)
"""
DRAWN = b"REPETITIONS"
MAIN_SCREEN = b"\x1b[?1049l"
CURSOR = b"\x1b[?25h"

in_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@contextlib.contextmanager
def in_terminal(note: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the screen in a terminal of its own and wait until it is drawn."""
    ours, theirs = os.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(note)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        seen = b""
        while DRAWN not in seen:
            seen += os.read(ours, 65536)
        yield program, ours
    finally:
        program.kill()
        program.wait()


def read_to_the_end(terminal: int) -> bytes:
    seen = b""
    # Linux reports the closed other side as an error, others as an empty read.
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65536):
            seen += piece
    os.close(terminal)
    return seen


@in_a_terminal
@pytest.mark.parametrize("how", [b"q", b"\x03", b"qq", signal.SIGTERM, signal.SIGINT])
def test_the_terminal_is_left_clean(how: bytes | signal.Signals, tmp_path: Path) -> None:
    with in_terminal(tmp_path / "note") as (program, terminal):
        if isinstance(how, bytes):
            os.write(terminal, how)
        else:
            program.send_signal(how)
        seen = read_to_the_end(terminal)
        assert program.wait() == 0
    assert MAIN_SCREEN in seen
    assert CURSOR in seen
    # Nothing is said behind the farewell, above all no traceback.
    assert b"Traceback" not in seen
    assert b"Warning" not in seen


@in_a_terminal
def test_a_closed_window_ends_the_program_and_closes_the_feed(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with in_terminal(note) as (program, terminal):
        os.close(terminal)
        # The kernel hangs up on the leader of a terminal's session; ours is not one, so we say it.
        with contextlib.suppress(ProcessLookupError):
            program.send_signal(signal.SIGHUP)
        assert program.wait() == 0
    assert note.read_text() == "closed"


def test_the_screen_loads_nothing_heavy() -> None:
    heavy = ("scipy", "vqf", "pyarrow", "bleak", "bumble")
    code = f"import sys, emgmon.dashboard.app; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"

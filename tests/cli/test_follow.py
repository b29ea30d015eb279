"""Running a live feed to its end without a screen."""

import asyncio
import signal
from pathlib import Path

import pytest

from emgmon.cli import follow as module
from emgmon.cli.follow import INTERRUPTED, default_path, follow, virtual_feed
from emgmon.cli.own_files import FOLDER_VARIABLE
from emgmon.errors import SensorError
from emgmon.events import BatteryRead, LinkChanged, LinkState, SessionEnded, SetCompleted

SET = SetCompleted(1, "bridge", 0.0, 9.0, 3, ())


class ScriptedFeed:
    """Gives one list of events per poll; ends with the last, or when it is closed."""

    title = "scripted"
    exercise = "bridge"
    sensors = ()
    transport = None
    path = Path("set.arrows")

    def __init__(self, polls=(), *, fails=None, endless=False, lost=False, interrupt=None, parting_s=0.0):
        self.polls = list(polls)
        self.fails = fails
        self.endless = endless
        self.lost = lost
        self.interrupt = interrupt
        self.parting_s = parting_s
        self.recorded = False
        self.n_closed = 0

    @property
    def ended(self):
        return bool(self.n_closed) or not (self.polls or self.endless)

    async def open(self):
        if self.interrupt == "opening":
            raise KeyboardInterrupt
        if self.fails:
            raise self.fails
        self.recorded = True

    def poll(self):
        if self.n_closed:
            return [SET, SessionEnded(9.0)] if self.recorded else []
        if not self.recorded:
            return []
        if self.interrupt == "running":
            raise KeyboardInterrupt
        return self.polls.pop(0) if self.polls else []

    async def close(self):
        try:
            await asyncio.sleep(self.parting_s)
        finally:
            self.n_closed += 1


def test_results_go_to_stdout_and_everything_else_to_stderr(capsys):
    feed = ScriptedFeed([[LinkChanged(0, LinkState.STREAMING)], [BatteryRead(0, 80)]])
    follow(feed, plain=True)
    said = capsys.readouterr()
    assert said.out == "set 1 bridge: 3 reps in 9.0 s, glute share not measured\n"
    assert said.err.splitlines() == [
        "link: streaming",
        "battery: 80 %",
        "session ended after 9.0 s",
        "recording: set.arrows",
    ]
    assert feed.n_closed == 1


def test_a_duration_ends_the_session_properly(capsys):
    follow(ScriptedFeed(endless=True), plain=True, duration_s=0.05)
    assert "set 1 bridge" in capsys.readouterr().out


def test_a_session_that_cannot_begin_raises_its_error_and_names_no_recording(capsys):
    feed = ScriptedFeed(fails=SensorError("no sensor"))
    with pytest.raises(SensorError, match="no sensor"):
        follow(feed, plain=True)
    assert capsys.readouterr().err == ""
    assert feed.n_closed == 1


def test_a_lost_sensor_is_an_error_that_says_the_recording_is_kept(capsys):
    with pytest.raises(SensorError, match="told not to wait longer") as caught:
        follow(ScriptedFeed(lost=True), plain=True)
    assert "complete" in caught.value.advice
    assert "recording: set.arrows" in capsys.readouterr().err


def test_ctrl_c_during_a_session_ends_it_properly_and_is_no_failure(capsys):
    feed = ScriptedFeed(endless=True, interrupt="running")
    follow(feed, plain=True)
    said = capsys.readouterr()
    assert feed.n_closed == 1
    assert "set 1 bridge" in said.out
    assert said.err.splitlines()[-2:] == ["stopped", "recording: set.arrows"]


def test_a_goodbye_that_takes_a_while_is_explained_and_events_go_on(capsys, monkeypatch):
    monkeypatch.setattr(module, "PARTING_S", 0.01)
    polls = [[BatteryRead(0, level)] for level in range(80, 75, -1)]
    follow(ScriptedFeed(polls, endless=True, parting_s=0.3), plain=True, duration_s=0.02)
    said = capsys.readouterr().err.splitlines()
    explained = said.index("fetching samples that are still missing (Ctrl-C: leave them)")
    assert "battery: 76 %" in said[explained:]


def test_a_second_ctrl_c_ends_the_goodbye_and_the_recording_is_closed_all_the_same(capsys, monkeypatch):
    monkeypatch.setattr(module, "PARTING_S", 0.01)
    feed = ScriptedFeed(endless=True, parting_s=1000.0)
    feed.poll = Interrupting(feed)
    follow(feed, plain=True)
    assert feed.n_closed == 1
    assert "stopped" in capsys.readouterr().err


class Interrupting:
    """Presses Ctrl-C when it is asked for the second time, and then once more during the goodbye."""

    def __init__(self, feed):
        self.feed = feed
        self.n_polls = 0

    def __call__(self):
        self.n_polls += 1
        if self.n_polls in (2, 4):
            signal.raise_signal(signal.SIGINT)
        return []


def test_ctrl_c_before_anything_was_recorded_ends_with_status_130(capsys):
    with pytest.raises(SystemExit) as caught:
        follow(ScriptedFeed(interrupt="opening"), plain=True)
    assert caught.value.code == INTERRUPTED
    assert "recording" not in capsys.readouterr().err


def test_without_bumble_the_virtual_sensor_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "bumble", None)
    with pytest.raises(SensorError, match="bumble") as caught:
        virtual_feed("bridge", lambda: None, tmp_path / "a.arrows")
    assert "pip install 'emgmon[virtual]'" in caught.value.advice


def test_recordings_go_to_the_persons_data_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    path = default_path("squat")
    assert path.parent == tmp_path / "emgmon" / "recordings"
    assert path.name.endswith("_squat.arrows")


def test_a_person_may_name_another_folder_for_their_data(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert default_path(None).parent == tmp_path / "recordings"


@pytest.mark.parametrize(
    ("plain", "out_is_tty", "in_is_tty", "expected"),
    [
        (False, True, True, False),
        (True, True, True, True),
        (False, False, True, True),
        (False, True, False, True),
    ],
)
def test_a_screen_is_drawn_only_where_somebody_can_see_and_leave_it(
    monkeypatch, plain, out_is_tty, in_is_tty, expected
):
    monkeypatch.setattr(module.sys.stdout, "isatty", lambda: out_is_tty, raising=False)
    monkeypatch.setattr(module.sys.stdin, "isatty", lambda: in_is_tty, raising=False)
    assert module.wants_plain(plain=plain) is expected

"""The Textual app: opens the feed, shows it, and leaves the terminal clean whatever happens."""

import asyncio
import contextlib
import os
import signal
import sys
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.theme import Theme
from textual.timer import Timer
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from emgmon.dashboard.feed import Feed
from emgmon.dashboard.screens.monitor import MonitorScreen
from emgmon.dashboard.view import SessionView
from emgmon.errors import EmgmonError

FRAMES_PER_S = 30

_THEME = Theme(
    name="emgmon",
    primary="#56b4e9",
    secondary="#e69f00",
    warning="#f0e442",
    error="#e69f00",
    foreground="#c8cfd8",
    background="#0e1217",
    surface="#1a2029",
    panel="#1a2029",
    dark=True,
)


class MonitorApp(App[None]):
    """Shows a feed until the person leaves.

    Parameters
    ----------
    feed
        Opened, polled and closed by the app, in its own event loop.

    Notes
    -----
    After ``run()``, ``return_code`` is 1 when the feed failed, and ``failure`` is the error.
    """

    CSS_PATH = "app.tcss"
    TITLE = "emgmon"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "leave", "Leave", priority=True),
        Binding("question_mark,f1", "help", "Help"),
        Binding("s", "signals", "Signal quality"),
    ]

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.view = SessionView()
        self.failure: EmgmonError | None = None
        self._feed = feed
        self.opened = False
        self._opening: Worker[None] | None = None
        self._goodbye: Worker[None] | None = None
        self._leaving = False
        self._frames: Timer | None = None
        self._terminal_gone = False
        self._farewell = contextlib.ExitStack()
        self._monitor = MonitorScreen(feed, self.view)

    def on_mount(self) -> None:
        self.register_theme(_THEME)
        self.theme = _THEME.name
        self._heed_signals()
        self.push_screen(self._monitor)
        # A frame is drawn before the feed is opened: opening may import or read for a while.
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self._opening = self.run_worker(self._open, group="feed", exit_on_error=True)
        self._frames = self.set_interval(1 / FRAMES_PER_S, self.frame)

    async def _open(self) -> None:
        try:
            await self._feed.open()
        except EmgmonError as error:
            self.failure = error
        else:
            self.opened = True

    def frame(self) -> None:
        """Take in every event there is and draw once."""
        self._take_in()
        if self._monitor.is_running:
            self._monitor.show_state(opened=self.opened, failure=self.failure, leaving=self._leaving)

    def _take_in(self) -> None:
        if self.failure is not None:
            return
        try:
            events = self._feed.poll()
        except EmgmonError as error:
            self.failure = error
            return
        self.view.sensors = self._feed.sensors
        for event in events:
            self.view.apply(event)

    def action_help(self) -> None:
        # The page of text is built only when somebody asks for it.
        from emgmon.dashboard.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_signals(self) -> None:
        from emgmon.dashboard.screens.quality import QualityScreen

        if self.screen is self._monitor:
            self.push_screen(QualityScreen(self.view))

    def action_leave(self) -> None:
        """Say goodbye to the feed and go; asked a second time, go at once."""
        if self._leaving:
            self._go()
            return
        self._leaving = True
        self._goodbye = self.run_worker(self._say_goodbye, group="goodbye", exit_on_error=True)

    async def _say_goodbye(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(WorkerCancelled, WorkerFailed):
                await self._opening.wait()
        try:
            await self._feed.close()
        except EmgmonError as error:
            self.failure = self.failure or error
        self._take_in()
        self._go()

    def _go(self) -> None:
        status = 0 if self.failure is None else 1
        if self._terminal_gone:
            # There is nothing to restore, and Textual would wait for a terminal that takes no more output.
            os._exit(status)
        self.exit(return_code=status)
        if self.is_headless:
            return
        # A terminal that was resized meanwhile may carry the picture over to the main screen, so nothing
        # is left of it, and the update begun here, which never ends, keeps it from being drawn again.
        self._farewell.enter_context(self.batch_update())
        if self._driver is not None:
            self._driver.write("\x1b[2J\x1b[H")

    def _heed_signals(self) -> None:
        """Answer a request to end from outside like the key, so that the terminal is restored."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        answers = {"SIGINT": self.action_leave, "SIGTERM": self.action_leave, "SIGHUP": self._hang_up}
        for name, answer in answers.items():
            # Windows knows neither all of these nor handlers on the loop.
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError):
                loop.add_signal_handler(getattr(signal, name), answer)

    def _hang_up(self) -> None:
        """Close the feed although the window was closed; nothing is drawn any more."""
        try:
            os.get_terminal_size(sys.__stdin__.fileno() if sys.__stdin__ else 0)
        except OSError:
            self._terminal_gone = True
        if self._terminal_gone and self._frames is not None:
            self._frames.stop()
        if not self._leaving:
            self.action_leave()

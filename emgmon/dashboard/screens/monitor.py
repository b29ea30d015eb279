"""The session's screen: hands the state to its parts, and keys to the replay."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import Screen

from emgmon.dashboard.feed import Feed
from emgmon.dashboard.plots import Tops, choose_plots
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.counter import Counter
from emgmon.dashboard.widgets.keys import LIVE_KEYS, REPLAY_KEYS, KeyLine
from emgmon.dashboard.widgets.notice import Notice
from emgmon.dashboard.widgets.progress import ProgressLine
from emgmon.dashboard.widgets.reps import RepList
from emgmon.dashboard.widgets.status import StatusBar
from emgmon.dashboard.widgets.summary import SummaryPanel
from emgmon.dashboard.widgets.trace import Trace
from emgmon.dashboard.widgets.troubles import Troubles
from emgmon.dashboard.widgets.verdict import VerdictPanel
from emgmon.errors import EmgmonError

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_MAX_TRACES = 4
_WIDE_COLUMNS = 110
_TALL_ROWS = 36
_NARROW_COLUMNS = 76
"""In a window narrower than this a bar would say nothing: counter and verdict get all the room."""
_LOW_ROWS = 24
"""In a window lower than this the summary waits until the set is over, and then has the room to itself."""
_TROUBLE_ROWS, _TROUBLE_ROWS_WHEN_LOW = 4, 2
_SIDE_MARGINS = 2
_ROWS_PER_TRACE = 5
"""A plot lower than this shows nothing; the least important ones give way."""


class MonitorScreen(Screen[None]):
    """Traces and repetitions on the left; counter, verdict and summary on the right."""

    CSS_PATH = "monitor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_pause", "Pause"),
        Binding("left", "seek_by(-5)", "5 s back"),
        Binding("right", "seek_by(5)", "5 s on"),
        Binding("shift+left", "seek_by(-30)", "30 s back"),
        Binding("shift+right", "seek_by(30)", "30 s on"),
        Binding("home", "seek_start", "Start"),
        Binding("plus,equals_sign,full_stop", "change_speed(1)", "Faster"),
        Binding("minus,comma", "change_speed(-1)", "Slower"),
        Binding("up", "scroll_reps(-1)", "Older repetitions"),
        Binding("down", "scroll_reps(1)", "Newer repetitions"),
        Binding("pageup", "scroll_reps(-8)", "Older repetitions"),
        Binding("pagedown", "scroll_reps(8)", "Newer repetitions"),
    ]

    def __init__(self, feed: Feed, view: SessionView) -> None:
        super().__init__()
        self._feed = feed
        self._view = view
        self._tops = Tops()
        keys = REPLAY_KEYS if feed.transport else LIVE_KEYS
        self._notice = Notice(id="notice")
        self._troubles = Troubles(id="troubles")
        self._body = Horizontal(id="body")
        self._panes = Vertical(id="traces")
        self._traces = tuple(Trace(id=f"trace-{index}") for index in range(_MAX_TRACES))
        self._status = StatusBar(feed, id="status")
        self._reps = RepList(id="reps")
        self._right = Counter(id="counter"), VerdictPanel(id="verdict"), SummaryPanel(id="summary")
        self._progress = ProgressLine(feed.transport, id="progress")
        self._keys = KeyLine(keys, id="keys")

    def compose(self) -> ComposeResult:
        yield self._status
        yield self._notice
        yield self._troubles
        with self._body:
            with Vertical(id="left"):
                with self._panes:
                    yield from self._traces
                yield self._reps
            with Vertical(id="right"):
                yield from self._right
        yield self._progress
        yield self._keys

    def on_mount(self) -> None:
        self._progress.display = self._feed.transport is not None
        self._body.display = self._troubles.display = False

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.width >= _WIDE_COLUMNS, "-wide")
        self.set_class(event.size.height >= _TALL_ROWS, "-tall")
        self.set_class(event.size.width < _NARROW_COLUMNS, "-narrow")
        self.set_class(event.size.height < _LOW_ROWS, "-low")

    def show_state(self, *, opened: bool, failure: EmgmonError | None, leaving: bool) -> None:
        """Draw what is new since the last frame."""
        self._notice.display = leaving or failure is not None or not opened
        self._body.display = not self._notice.display
        self._notice.tell(self._view, failure=failure, leaving=leaving)
        self.set_class(self._view.set_is_closed, "-closed")
        self.set_class(self._view.cue is not None, "-cue")
        if opened:
            self._show_troubles()
            self._show_traces()
        for part in (self._status, self._reps, *self._right, self._progress, self._keys):
            part.follow(self._view)

    def _show_troubles(self) -> None:
        most_rows = _TROUBLE_ROWS if self.size.height >= _LOW_ROWS else _TROUBLE_ROWS_WHEN_LOW
        self._troubles.show(self._view, width=self.size.width - _SIDE_MARGINS, most_rows=most_rows)

    def _show_traces(self) -> None:
        n_fitting = max(1, self._panes.size.height // _ROWS_PER_TRACE)
        plots = choose_plots(self._view, self._tops)[:n_fitting]
        for index, trace in enumerate(self._traces):
            plot = plots[index] if index < len(plots) else None
            trace.show(plot, self._view, note_time=index == 0)

    def action_toggle_pause(self) -> None:
        if self._feed.transport is not None:
            self._feed.transport.toggle_pause()

    def action_seek_by(self, seconds: float) -> None:
        transport = self._feed.transport
        if transport is not None:
            target_s = transport.position_s + seconds
            transport.seek(min(max(target_s, 0.0), transport.duration_s))

    def action_seek_start(self) -> None:
        if self._feed.transport is not None:
            self._feed.transport.seek(0.0)

    def action_change_speed(self, direction: int) -> None:
        """To the next faster or slower of the speeds there are."""
        transport = self._feed.transport
        if transport is None:
            return
        if direction > 0:
            speed = next((speed for speed in SPEEDS if speed > transport.speed), transport.speed)
        else:
            speed = next((speed for speed in reversed(SPEEDS) if speed < transport.speed), transport.speed)
        transport.set_speed(speed)

    def action_scroll_reps(self, n_rows: int) -> None:
        self._reps.scroll_rows(n_rows)

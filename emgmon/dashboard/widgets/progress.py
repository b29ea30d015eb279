"""The replay's line: playing or paused, speed, where it stands."""

from collections.abc import Hashable, Iterable

from textual.events import Click

from emgmon.dashboard import words
from emgmon.dashboard.feed import Transport
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget

_STATE_WIDTH = 9
_SPEED_WIDTH = 11


class ProgressLine(LinesWidget):
    """State, speed, position, bar, length; a click on the bar goes there."""

    def __init__(self, transport: Transport | None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._transport = transport
        self._bar_start = 0
        self._bar_width = 0

    def facts(self, view: SessionView) -> Hashable:
        transport = self._transport
        if transport is None:
            return None
        position = round(transport.position_s, 1), transport.duration_s
        return position, transport.paused, transport.speed, view.ended

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        transport = self._transport
        if transport is None:
            return
        state = "■ end" if view.ended else "‖ paused" if transport.paused else "▸ play"
        now, end = words.duration(transport.position_s), words.duration(transport.duration_s)
        lead = f"{state:<{_STATE_WIDTH}}{words.speed(transport.speed):<{_SPEED_WIDTH}}"
        self._bar_start = len(lead) + len(end) + 1
        self._bar_width = bar_width = max(0, width - self._bar_start - len(end) - 1)
        share = transport.position_s / transport.duration_s if transport.duration_s > 0 else 0.0
        n_played = round(min(max(share, 0.0), 1.0) * bar_width)
        yield [
            (lead, "strong"),
            (f"{now:>{len(end)}} ", "plain"),
            ("━" * n_played, "strong"),
            ("─" * (bar_width - n_played), "faint"),
            (f" {end}", "dim"),
        ]

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        if self._transport is None or offset is None or not self._bar_width:
            return
        share = (offset.x - self._bar_start) / self._bar_width
        if 0 <= share <= 1:
            self._transport.seek(share * self._transport.duration_s)

"""The top line: exercise, link, sensor; loss, battery, time."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.feed import Feed
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, fit, width_of

_GAP = "   "
_LEAST_TITLE = 4
_LOW_BATTERY_PCT = 15


class StatusBar(LinesWidget):
    """One line; the name of the source gives way first when there is little room."""

    def __init__(self, feed: Feed, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._feed = feed

    def facts(self, view: SessionView) -> Hashable:
        counts = view.n_rejected, words.percent(view.loss_pct, decimals=1), _fetching(view)
        now = words.duration(view.end_s), bool(view.end_hop)
        return self._feed.title, self._feed.exercise, view.link, view.lowest_battery_pct, counts, now

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        left: list[list[Piece]] = [[("emgmon", "heading")], self._exercise(), self._state(view)]
        right = self._figures(view)
        # What gives way, in this order, where there is too little room.
        for entries, index in ((left, 0), (right, 2), (left, 1), (right, 0), (right, 1), (left, 2)):
            if _width(left) + _width(right) + len(_GAP) > width:
                entries[index] = []
        room = width - _width(left) - _width(right) - 2 * len(_GAP)
        if room >= _LEAST_TITLE:
            left.append([(fit(self._feed.title, room), "dim")])
        between = " " * (width - _width(left) - _width(right))
        yield [*_joined(left), (between, "plain"), *_joined(right)]

    def _exercise(self) -> list[Piece]:
        name = self._feed.exercise
        return [(words.exercise(name), "strong")] if name else []

    def _state(self, view: SessionView) -> list[Piece]:
        link = view.link
        if link is None:
            return [("replay", "plain")] if self._feed.transport else []
        tone = words.LINK_TONES.get(link.state, "plain")
        return [(f"{words.LINK_MARKS[link.state]} {words.LINK_WORDS[link.state]}", tone)]

    def _figures(self, view: SessionView) -> list[list[Piece]]:
        """Gather counts, battery and time; a replay shows its time on its own line."""
        live = self._feed.transport is None
        return [
            [("not decoded ", "dim"), (f"{view.n_rejected}", "warn")] if view.n_rejected else [],
            _loss(view),
            _battery(view) if live or view.battery_pct else [],
            [(words.duration(view.end_s) if view.end_hop else words.MISSING, "strong")] if live else [],
        ]


def _fetching(view: SessionView) -> str:
    """Say how much is being asked for again; empty when nothing is."""
    return "" if view.fetching_s is None else f"fetching {max(view.fetching_s, 0.1):.1f} s"


def _loss(view: SessionView) -> list[Piece]:
    if fetching := _fetching(view):
        return [(fetching, "warn")]
    loss_pct = view.loss_pct
    return [("loss ", "dim"), (words.percent(loss_pct, decimals=1), "warn" if loss_pct else "plain")]


def _battery(view: SessionView) -> list[Piece]:
    level_pct = view.lowest_battery_pct
    low = level_pct is not None and level_pct <= _LOW_BATTERY_PCT
    return [("battery ", "dim"), (words.percent(level_pct), "warn" if low else "plain")]


def _joined(entries: list[list[Piece]]) -> list[Piece]:
    """Put a gap between the entries that are there."""
    shown = [entry for entry in entries if entry]
    return [piece for index, entry in enumerate(shown) for piece in ([(_GAP, "plain")] * (index > 0) + entry)]


def _width(entries: list[list[Piece]]) -> int:
    return width_of(_joined(entries))

"""The top line: exercise, link, sensor; loss, battery, time."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.feed import Feed
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, fit, width_of

_GAP = "   "


class StatusBar(LinesWidget):
    """One line; the name of the source gives way first when there is little room."""

    def __init__(self, feed: Feed, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._feed = feed

    def facts(self, view: SessionView) -> Hashable:
        counts = (view.n_rejected, view.n_duplicates, words.percent(view.loss_pct, decimals=1))
        clock = words.duration(view.end_s)
        return self._feed.title, self._feed.exercise, view.link, view.lowest_battery_pct, counts, clock

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        left = [("emgmon", "heading"), *self._exercise(), *self._state(view)]
        right = _figures(view)
        room = width - width_of(left) - width_of(right) - 2 * len(_GAP)
        title = fit(self._feed.title, room) if room >= 4 else ""
        left.append((f"{_GAP}{title}", "dim"))
        yield [*left, (" " * (width - width_of(left) - width_of(right)), "plain"), *right]

    def _exercise(self) -> list[Piece]:
        name = self._feed.exercise
        return [(f"{_GAP}{words.exercise(name)}", "strong")] if name else []

    def _state(self, view: SessionView) -> list[Piece]:
        link = view.link
        if link is None:
            return [(f"{_GAP}replay", "plain")] if self._feed.transport else []
        tone = words.LINK_TONES.get(link.state, "plain")
        return [(f"{_GAP}{words.LINK_MARKS[link.state]} {words.LINK_WORDS[link.state]}", tone)]


def _figures(view: SessionView) -> list[Piece]:
    pieces: list[Piece] = []
    if view.n_rejected:
        pieces += [("not decoded ", "dim"), (f"{view.n_rejected}", "warn"), (_GAP, "plain")]
    loss = view.loss_pct
    pieces += [
        ("loss ", "dim"),
        (words.percent(loss, decimals=1), "warn" if loss else "plain"),
        (_GAP, "plain"),
    ]
    battery = view.lowest_battery_pct
    low = battery is not None and battery <= 15
    pieces += [("battery ", "dim"), (words.percent(battery), "warn" if low else "plain"), (_GAP, "plain")]
    return [*pieces, (words.duration(view.end_s) if view.end_hop else words.MISSING, "strong")]

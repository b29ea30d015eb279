"""Which channels are not good just now and why; takes no room while all are."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, fit, wrap
from emgmon.events import ChannelQuality


class Troubles(LinesWidget):
    """A channel's name and the reason, from the moment it became bad until it recovers."""

    def show(self, view: SessionView, *, width: int, most_rows: int) -> None:
        """Take as many rows as there is to say, and say it."""
        n_rows = len(list(self.draw(view, width, most_rows)))
        self.display = n_rows > 0
        self.styles.height = n_rows
        self.follow(view)

    def facts(self, view: SessionView) -> Hashable:
        return tuple((change.quality.grade, words.trouble(change.quality)) for change in view.troubles)

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        qualities = [change.quality for change in view.troubles]
        if len(qualities) == 1:
            tone = words.QUALITY_TONES[qualities[0].grade]
            yield from ([(line, tone)] for line in wrap(words.trouble(qualities[0]), width, n_lines=height))
            return
        n_whole = len(qualities) if len(qualities) <= height else height - 1
        for quality in qualities[: max(0, n_whole)]:
            yield [(fit(words.trouble(quality), width), words.QUALITY_TONES[quality.grade])]
        if n_whole < len(qualities):
            yield [(fit(_others(qualities[max(0, n_whole) :]), width), "warn")]


def _others(qualities: list[ChannelQuality]) -> str:
    names = ", ".join(words.channel(quality.site, quality.side) for quality in qualities)
    return f"and {len(qualities)} more (s): {names}"

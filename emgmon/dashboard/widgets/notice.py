"""What is said while there is no session to show: connecting, or why there will be none."""

from collections.abc import Hashable, Iterable

from emgmon.dashboard import words
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, wrap
from emgmon.errors import EmgmonError

_TEXT_WIDTH = 72
_MARGIN = 2


class Notice(LinesWidget):
    """A few sentences in the middle of the screen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._failure: EmgmonError | None = None
        self._leaving = False

    def tell(self, view: SessionView, *, failure: EmgmonError | None, leaving: bool) -> None:
        """Say how things stand."""
        self._failure, self._leaving = failure, leaving
        self.follow(view)

    def facts(self, view: SessionView) -> Hashable:
        return view.link, self._failure, self._leaving

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        text_width = min(_TEXT_WIDTH, width - 2 * _MARGIN)
        lines = list(self._sentences(view, text_width))
        if len(lines) > height:
            lines = [line for line in lines if line]
        yield from [[]] * max(0, (height - len(lines)) // 2)
        indent = " " * ((width - text_width) // 2)
        for line in lines:
            yield [(indent, "plain"), *line]

    def _sentences(self, view: SessionView, width: int) -> Iterable[Line]:
        if self._leaving:
            yield [("Closing …", "strong")]
            yield []
            yield [("Press q again to leave at once.", "dim")]
        elif self._failure is not None:
            yield from _failure_lines(self._failure, width)
        else:
            yield from _link_lines(view, width)


def _failure_lines(failure: EmgmonError, width: int) -> Iterable[Line]:
    yield [("✕ This did not work", "warn")]
    yield []
    for text in wrap(str(failure), width, n_lines=8):
        yield [(text, "strong")]
    if failure.advice:
        yield []
    for text in wrap(failure.advice, width, n_lines=8):
        yield [(text, "plain")]
    yield []
    yield [("Press q to leave.", "dim")]


def _link_lines(view: SessionView, width: int) -> Iterable[Line]:
    link = view.link
    if link is None:
        yield [("Opening …", "strong")]
    else:
        yield [(f"{words.LINK_MARKS[link.state]} {words.LINK_WORDS[link.state].capitalize()} …", "strong")]
        for text in wrap(link.detail, width, n_lines=4):
            yield [(text, "plain")]
    yield []
    yield [("Press q to leave.", "dim")]

"""How far each channel can be trusted, for those who want the figures; follows the session behind it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.keys import KeyLine
from emgmon.dashboard.widgets.quality import QualityTable

_KEYS = (("Esc", "back"), ("↑↓", "scroll"), ("q", "leave"))
_REFRESHES_PER_S = 5


class QualityScreen(Screen[None]):
    """One table over the session, which goes on behind it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,s,enter", "app.pop_screen", "Back"),
    ]

    def __init__(self, view: SessionView) -> None:
        super().__init__()
        self._view = view
        self._table = QualityTable(id="table")
        self._keys = KeyLine(_KEYS, id="keys")

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield self._table
        yield self._keys

    def on_mount(self) -> None:
        self.query_one("#page").focus()
        self._follow()
        self.set_interval(1 / _REFRESHES_PER_S, self._follow)

    def _follow(self) -> None:
        self._table.show(self._view)

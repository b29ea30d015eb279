"""The bottom line: which keys do what, as far as there is room."""

from collections.abc import Iterable, Sequence

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line, LinesWidget, Piece, width_of

LIVE_KEYS = (("q", "leave"), ("?", "help"), ("s", "signals"), ("↑↓", "older reps"))
REPLAY_KEYS = (
    ("q", "leave"),
    ("?", "help"),
    ("space", "pause"),
    ("←→", "5 s"),
    ("+ -", "speed"),
    ("s", "signals"),
    ("shift ←→", "30 s"),
    ("home", "start"),
    ("↑↓", "reps"),
)


_LEAST_GAP = 2
_WIDEST_GAP = 4


class KeyLine(LinesWidget):
    """Keys and their meaning; the first ones stay longest."""

    def __init__(self, keys: Sequence[tuple[str, str]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys

    def draw(self, view: SessionView, width: int, height: int) -> Iterable[Line]:
        entries: list[list[Piece]] = [
            [(key, "heading"), (f" {meaning}", "dim")] for key, meaning in self._keys
        ]
        n_shown = len(entries)
        while n_shown > 1 and sum(map(width_of, entries[:n_shown])) + _LEAST_GAP * (n_shown - 1) > width:
            n_shown -= 1
        room = width - sum(map(width_of, entries[:n_shown]))
        gap = min(_WIDEST_GAP, room // max(1, n_shown - 1))
        yield [piece for entry in entries[:n_shown] for piece in (*entry, (" " * gap, "plain"))]

"""Hands out recorded notifications when they are due, always measured against one target time."""

import math
from collections.abc import Iterable

import numpy as np

from emgmon.clock import Clock
from emgmon.events import Notification, NotificationBatch
from emgmon.recording.columns import join, rows, to_notifications


class ReplaySource:
    """Plays a recording at any pace; does nothing by itself, the caller asks :meth:`due` at will.

    The position is a time on the recording's own time line, counted from its first notification. It
    is computed from one anchor (a moment of the clock and the position at that moment), never by
    adding up steps, so that asking often or seldom makes no difference.

    A notification is due once the position has reached its arrival time. Where arrival times go
    backwards, the order of the file is kept and the late ones are due with the one before.

    Parameters
    ----------
    batches
        The recording, in order; see :meth:`emgmon.recording.reader.RecordingReader.batches`.
    clock
        Turned by hand in tests.
    speed
        1 is real time, 2 twice as fast, ``math.inf`` as fast as the caller asks.
    """

    def __init__(self, batches: Iterable[NotificationBatch], clock: Clock, speed: float = 1.0) -> None:
        self._batch = join(list(batches))
        self._clock = clock
        arrival_ns = np.maximum.accumulate(self._batch.arrival_ns)
        self._start_ns = int(arrival_ns[0]) if len(arrival_ns) else 0
        self._due_ns = arrival_ns - self._start_ns
        self._end_ns = int(self._due_ns[-1]) if len(arrival_ns) else 0
        self._next = 0
        self._speed = _checked(speed)
        self._paused = False
        self._anchor_clock_ns = clock.now_ns()
        self._anchor_ns = 0

    @property
    def start_s(self) -> float:
        """Session time of position 0: arrival of the first notification."""
        return self._start_ns / 1e9

    @property
    def duration_s(self) -> float:
        """From the first to the last notification."""
        return self._end_ns / 1e9

    @property
    def position_s(self) -> float:
        """How far the replay is, 0 to ``duration_s``."""
        return self._position_ns() / 1e9

    @property
    def finished(self) -> bool:
        """Whether everything has been handed out; seeking back makes it false again."""
        return self._next == len(self._batch)

    @property
    def paused(self) -> bool:
        """Whether the position stands still."""
        return self._paused

    @property
    def speed(self) -> float:
        """Recorded seconds per second of the clock."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        checked = _checked(speed)
        self._anchor_here()
        self._speed = checked

    def pause(self) -> None:
        """Let the position stand still; what is due already is still handed out."""
        self._anchor_here()
        self._paused = True

    def resume(self) -> None:
        """Go on from where the position stands."""
        self._anchor_here()
        self._paused = False

    def toggle(self) -> None:
        """Pause or go on."""
        if self._paused:
            self.resume()
        else:
            self.pause()

    def seek(self, position_s: float) -> bool:
        """Move to a position; beyond either end means to that end.

        Everything up to the position becomes due at once, paused or not, because the engine needs all
        of it: after a step forwards that is what was skipped, after a step backwards it is everything
        from the beginning of the recording on.

        Returns
        -------
        bool
            True when something behind the position had been handed out already: the caller must
            start a new session before it asks again.
        """
        if math.isnan(position_s):
            raise ValueError("a position must be a number of seconds, not NaN")
        self._anchor_ns = round(min(max(position_s * 1e9, 0.0), float(self._end_ns)))
        self._anchor_clock_ns = self._clock.now_ns()
        went_beyond = self._next > 0 and int(self._due_ns[self._next - 1]) > self._anchor_ns
        if went_beyond:
            self._next = 0
        return went_beyond

    def due(self, limit: int | None = None) -> list[Notification]:
        """Hand out what is due, oldest first, each notification once.

        Parameters
        ----------
        limit
            At most so many; the others are still due at the next call. Keeps a screen alive while
            a long stretch is caught up.
        """
        return list(to_notifications(self.due_batch(limit)))

    def due_batch(self, limit: int | None = None) -> NotificationBatch:
        """Hand out what is due as columns; see :meth:`due`."""
        first = self._next
        stop = int(np.searchsorted(self._due_ns, self._target_ns(), side="right"))
        stop = max(first, stop)
        if limit is not None:
            stop = min(stop, first + limit)
        self._next = stop
        return rows(self._batch, first, stop)

    def _target_ns(self) -> int:
        """Up to where notifications are due: the one target that everything is measured against."""
        if self._paused:
            return self._anchor_ns
        if math.isinf(self._speed):
            return self._end_ns
        elapsed_ns = self._clock.now_ns() - self._anchor_clock_ns
        return round(min(self._anchor_ns + elapsed_ns * self._speed, float(self._end_ns)))

    def _position_ns(self) -> int:
        """As fast as possible there is no pace; the position is then that of the last one handed out."""
        if self._paused or not math.isinf(self._speed):
            return self._target_ns()
        handed_out = int(self._due_ns[self._next - 1]) if self._next else 0
        return max(self._anchor_ns, handed_out)

    def _anchor_here(self) -> None:
        self._anchor_ns = self._position_ns()
        self._anchor_clock_ns = self._clock.now_ns()


def _checked(speed: float) -> float:
    if not speed > 0:
        raise ValueError(f"speed must be greater than 0, not {speed}")
    return speed

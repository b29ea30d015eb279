"""Notifications as rows and as columns: the only place that turns one into the other."""

from collections.abc import Iterator, Sequence

import numpy as np

from emgmon.events import Notification, NotificationBatch, NotificationKind


def from_notifications(notifications: Sequence[Notification]) -> NotificationBatch:
    """Make columns of rows; the payloads are copied.

    Raises
    ------
    ValueError
        When an arrival time or a sensor index does not fit its column.
    """
    lengths = [len(row.payload) for row in notifications]
    sensors = [row.sensor for row in notifications]
    if sensors and not (min(sensors) >= 0 and max(sensors) <= 255):
        raise ValueError(f"sensor index {max(sensors, key=abs)} is not within 0..255")
    return NotificationBatch(
        arrival_ns=np.array([row.arrival_ns for row in notifications], np.int64),
        sensor=np.array(sensors, np.uint8),
        kind=np.array([row.kind for row in notifications], np.uint8),
        data=np.frombuffer(b"".join(row.payload for row in notifications), np.uint8),
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
    )


def to_notifications(batch: NotificationBatch) -> Iterator[Notification]:
    """Make rows of columns, in order; a kind that this version does not know is left out."""
    known = set(NotificationKind)
    data = batch.data.tobytes()
    for arrival_ns, sensor, kind, start, end in zip(
        batch.arrival_ns.tolist(),
        batch.sensor.tolist(),
        batch.kind.tolist(),
        batch.offsets[:-1].tolist(),
        batch.offsets[1:].tolist(),
        strict=True,
    ):
        if kind in known:
            yield Notification(arrival_ns, sensor, NotificationKind(kind), data[start:end])


def rows(batch: NotificationBatch, start: int, stop: int) -> NotificationBatch:
    """Take some rows of a batch, without copying payloads."""
    offsets = batch.offsets[start : stop + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    return NotificationBatch(
        arrival_ns=batch.arrival_ns[start:stop],
        sensor=batch.sensor[start:stop],
        kind=batch.kind[start:stop],
        data=batch.data[first:last],
        offsets=offsets - first,
    )


def join(batches: Sequence[NotificationBatch]) -> NotificationBatch:
    """One batch out of several, in order; a single one is handed back as it is."""
    if len(batches) == 1:
        return batches[0]
    if not batches:
        return from_notifications([])
    ends = np.cumsum([0, *(int(batch.offsets[-1]) for batch in batches)])
    shifted = [batch.offsets[1:] + end for batch, end in zip(batches, ends[:-1], strict=True)]
    return NotificationBatch(
        arrival_ns=np.concatenate([batch.arrival_ns for batch in batches]),
        sensor=np.concatenate([batch.sensor for batch in batches]),
        kind=np.concatenate([batch.kind for batch in batches]),
        data=np.concatenate([batch.data for batch in batches]),
        offsets=np.concatenate([np.zeros(1, np.int64), *shifted]),
    )

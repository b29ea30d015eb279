"""A radio that loses packets and brings them later, as a sensor with a ring makes it: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emgmon.events import Healed, Notification, NotificationKind, QualityChanged, RepCompleted, RepWithdrawn
from emgmon.virtual.athlete import Performance
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.packets import PacketHeader
from firmware_protocol.resend import ResendAnswer, SampleRange

PACE_NS = 2_000_000
"""From one packet that is sent again to the next."""


def ringed(performance: Performance, *, ring_ms: int = 15_000) -> Capabilities:
    """Describe the sensor of a performance as one that can send again."""
    return replace(performance.capabilities, version_minor=1, ring_ms=ring_ms)


def again(row: Notification, arrival_ns: int) -> Notification:
    """Send a packet once more."""
    payload = row.payload[:15] + bytes([row.payload[15] | 1]) + row.payload[16:]
    return replace(row, arrival_ns=arrival_ns, payload=payload)


def lost_and_found(rows: Sequence[Notification], lost: Sequence[int], *, back_s: float) -> list[Notification]:
    """Lose packets, by their place in `rows`; each run of them comes back so long after its last one."""
    gone, late = set(lost), []
    for first, last in _runs(sorted(gone)):
        from_ns = rows[last].arrival_ns + round(back_s * 1e9)
        late += [again(rows[i], from_ns + (i - first) * PACE_NS) for i in range(first, last + 1)]
    kept = [row for i, row in enumerate(rows) if i not in gone]
    return sorted([*kept, *late], key=lambda row: row.arrival_ns)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Cut places into runs of neighbours: the first and the last of each."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place <= runs[-1][1] + 1:
            runs[-1] = runs[-1][0], place
        else:
            runs.append((place, place))
    return runs


def away(rows: Sequence[Notification], from_s: float, to_s: float) -> list[int]:
    """Places of the data packets that arrive in a stretch of time."""
    return [
        i
        for i, row in enumerate(rows)
        if row.kind is NotificationKind.DATA and from_s <= row.arrival_ns / 1e9 < to_s
    ]


def expired(row: Notification, arrival_ns: int) -> Notification:
    """Answer that the samples of a packet are not in the ring any more."""
    header = PacketHeader.from_bytes(row.payload)
    answer = ResendAnswer(SampleRange(header.stream, header.first_sample, header.n_samples), 0, 0)
    payload = bytes((0x84, 1, 5)) + answer.to_bytes()
    return Notification(arrival_ns, row.sensor, NotificationKind.CONTROL, payload)


def standing(events):
    """What a person has been told in the end of repetitions, and of quality: corrections obeyed."""
    reps, quality = [], []
    for event in events:
        if isinstance(event, Healed):
            del reps[event.n_reps :]
            del quality[event.n_quality :]
        elif isinstance(event, RepCompleted | RepWithdrawn):
            reps.append(event)
        elif isinstance(event, QualityChanged):
            quality.append(event)
    return reps, quality


def curves(events, kind, *, key=lambda event: 0):
    """Join the portions of a curve; later ones take the place of earlier ones."""
    found = {}
    for event in events:
        if isinstance(event, kind):
            values = event.values if hasattr(event, "values") else event.envelope_uv
            curve = found.setdefault(key(event), {})
            for k, value in enumerate(np.atleast_1d(values)):
                curve[event.first_hop + k] = np.asarray(value).tobytes()
    return found

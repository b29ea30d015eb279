"""Of many data notifications the one that came quickest: it says most about how two clocks lie."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.columns import gather_headers
from firmware_protocol.packets import HEADER_SIZE, PROTOCOL_MAJOR, PacketFlag


@dataclass(frozen=True, slots=True)
class Quickest:
    """When a notification was complete in the sensor, and when it came."""

    device_us: int
    """Device time of its last sample."""
    arrival_ns: int
    delay_ns: int
    """Of the same zero for all notifications of a sensor: only differences mean anything."""


def quickest_of(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    arrival_ns: NDArray[np.int64],
    rates_hz: Mapping[int, float],
) -> Quickest | None:
    """Find the notification that came soonest after its last sample; ``None`` when there is none.

    Those that were sent again are left out, and those too short or of unknown streams. Device times
    are taken as they came, not unwrapped: 48 bits of microseconds last for eight years.

    Parameters
    ----------
    data, offsets
        Notification *i* is ``data[offsets[i]:offsets[i + 1]]``.
    arrival_ns
        Shape (n,).
    rates_hz
        Sample rate of each stream.
    """
    headers = gather_headers(data, offsets[:-1], np.diff(offsets))
    period_us = np.full(256, np.nan)
    for stream, rate_hz in rates_hz.items():
        period_us[stream] = 1e6 / rate_hz
    span_us = (headers["n_samples"].astype(np.int64) - 1) * period_us[headers["stream"]]
    sound = (np.diff(offsets) >= HEADER_SIZE) & (headers["n_samples"] > 0) & np.isfinite(span_us)
    sound &= headers["version_format"] >> 4 == PROTOCOL_MAJOR
    sound &= (headers["flags"] & int(PacketFlag.RETRANSMITTED)) == 0
    if not sound.any():
        return None
    first_us = headers["time_high"].astype(np.int64) << 32 | headers["time_low"]
    device_us = first_us[sound] + np.rint(span_us[sound]).astype(np.int64)
    arrivals = arrival_ns[sound]
    delay_ns = arrivals - 1000 * device_us
    best = int(np.argmin(delay_ns))
    return Quickest(int(device_us[best]), int(arrivals[best]), int(delay_ns[best]))

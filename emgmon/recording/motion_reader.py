"""The motion sensors of a recording as tracks on the hop grid, by the same stages as in a session."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import MotionTrack
from emgmon.dsp.orientation import OrientationHops
from emgmon.dsp.rotations import unit
from emgmon.events import HOP_RATE_HZ
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session


def read_motion(path: Path | str) -> tuple[MotionTrack, ...]:
    """Read how every motion sensor of a recording was turned, from its first sound batch to its last.

    Raises
    ------
    RecordingError
        When the file is not a recording.
    """
    reader = RecordingReader(path)
    heard: list[list[OrientationHops]] = []
    session = Session(session_setup(reader.header), overhear=lambda index, hops: heard[index].append(hops))
    heard.extend([] for _ in session.motion)
    for batch in reader.batches():
        session.receive_many(batch)
    session.finish()
    return tuple(
        _track(stream.site, stream.side, hops, gyroscope=stream.has_gyroscope)
        for stream, hops in zip(session.motion, heard, strict=True)
        if any(len(piece) for piece in hops)
    )


def _track(site: str, side: str | None, hops: list[OrientationHops], *, gyroscope: bool) -> MotionTrack:
    pieces = [piece for piece in hops if len(piece)]
    up = unit(np.concatenate([piece.up for piece in pieces]))
    quaternion = np.concatenate([piece.quaternion for piece in pieces]) if gyroscope else None
    rate = None if quaternion is None else _angular_rate(quaternion)
    return MotionTrack(site, side, pieces[0].first_hop, up, quaternion, rate)


def _angular_rate(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angular rate in sensor axes, rad/s, shape (n, 3), from each hop to the next; the last is repeated."""
    w, x, y, z = quaternion[:-1].T
    w2, x2, y2, z2 = quaternion[1:].T
    # The vector part of the conjugate times the next one is half the turn between two hops.
    turn = np.stack(
        [
            w * x2 - x * w2 - y * z2 + z * y2,
            w * y2 + x * z2 - y * w2 - z * x2,
            w * z2 - x * y2 + y * x2 - z * w2,
        ],
        axis=1,
    )
    rate: NDArray[np.float64] = np.concatenate([turn, turn[-1:]]) * (2.0 * HOP_RATE_HZ)
    return rate

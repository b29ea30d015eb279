"""Small sensors, notifications and motions that many tests build on."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from emgmon.events import (
    EnvelopeComputed,
    MovementComputed,
    Notification,
    NotificationBatch,
    NotificationKind,
    SessionEvent,
)
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.control import Opcode, Response, Started, Status, StreamStart
from firmware_protocol.packets import PackedNotifications, SampleFormat, pack_stream

EMG, IMU = 1, 2


def emg_channel(site: str, side: str | None = None) -> Channel:
    return Channel(Quantity.EMG, site, side, None, Unit.MICROVOLT, 1.0)


def emg_stream(*sites: tuple[str, str | None], rate_hz: float = 1000.0, number: int = EMG) -> Stream:
    channels = tuple(emg_channel(site, side) for site, side in sites)
    return Stream(number, StreamKind.EMG, SampleFormat.FLOAT32, rate_hz, channels)


def imu_stream(
    *sites: tuple[str, str | None], n_axes: int = 6, rate_hz: float = 100.0, number: int = IMU
) -> Stream:
    """One stream that carries a motion sensor, with a gyroscope or without, for each site."""
    quantities = (
        (Quantity.ACCELERATION, Unit.METRE_PER_SECOND_SQUARED),
        (Quantity.ANGULAR_RATE, Unit.RADIAN_PER_SECOND),
    )[: n_axes // 3]
    channels = tuple(
        Channel(quantity, site, side, axis, unit, 1.0)
        for site, side in sites
        for quantity, unit in quantities
        for axis in "xyz"
    )
    return Stream(number, StreamKind.IMU, SampleFormat.FLOAT32, rate_hz, channels)


def pelvis_stream(*, rate_hz: float = 100.0, number: int = IMU) -> Stream:
    return imu_stream(("pelvis", None), rate_hz=rate_hz, number=number)


def inertial(angle_deg: NDArray[np.float64], *, axis: str = "y", n_axes: int = 6) -> NDArray[np.float32]:
    """What a sensor says that turns about one of its axes, at 100 Hz, shape (n, n_axes)."""
    acceleration = 9.80665 * turned_up(angle_deg, axis=axis)
    # Turned about +y, up goes towards -x; about +x, towards +y.
    turn_rate = np.zeros_like(acceleration)
    turn_rate[:, "xyz".index(axis)] = np.gradient(np.radians(angle_deg)) * 100.0
    return np.concatenate([acceleration, turn_rate], axis=1)[:, :n_axes].astype(np.float32)


def capabilities(*streams: Stream) -> Capabilities:
    return Capabilities(version_minor=0, boot_id=1, name="emgmon-test", ring_ms=0, streams=streams)


def start(*streams: Stream) -> Notification:
    started = Started(1, 0, tuple(StreamStart(stream.number, 0, 0) for stream in streams))
    response = Response(Opcode.START, 1, Status.OK, started.to_bytes())
    return Notification(0, 0, NotificationKind.CONTROL, response.to_bytes())


def packed(stream: Stream, values: NDArray[np.generic], *, samples_per_packet: int) -> PackedNotifications:
    return pack_stream(
        values,
        stream=stream.number,
        sample_format=stream.sample_format,
        rate_hz=stream.rate_hz,
        samples_per_packet=samples_per_packet,
    )


def data_notifications(
    stream: Stream, values: NDArray[np.generic], *, samples_per_packet: int
) -> list[Notification]:
    """Notifications of one stream, each arriving with its last sample."""
    packets = packed(stream, values, samples_per_packet=samples_per_packet)
    ends = packets.first_samples + packets.n_samples
    return [
        Notification(
            int(ends[i] * 1e9 / stream.rate_hz),
            0,
            NotificationKind.DATA,
            packets.data[packets.offsets[i] : packets.offsets[i + 1]].tobytes(),
        )
        for i in range(len(ends))
    ]


def merged(*notifications: Iterable[Notification]) -> list[Notification]:
    """All notifications in order of arrival."""
    return sorted((n for some in notifications for n in some), key=lambda n: n.arrival_ns)


def batch(notifications: list[Notification]) -> NotificationBatch:
    sizes = [len(n.payload) for n in notifications]
    return NotificationBatch(
        arrival_ns=np.array([n.arrival_ns for n in notifications], dtype=np.int64),
        sensor=np.array([n.sensor for n in notifications], dtype=np.uint8),
        kind=np.array([n.kind for n in notifications], dtype=np.uint8),
        data=np.frombuffer(b"".join(n.payload for n in notifications), dtype=np.uint8),
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


def smooth_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minimum-jerk way from 0 to 1 (Flash and Hogan 1985, J Neurosci 5:1688)."""
    x = np.clip(x, 0.0, 1.0)
    return 10.0 * x**3 - 15.0 * x**4 + 6.0 * x**5


def turned_up(angle_deg: NDArray[np.float64], *, axis: str = "y") -> NDArray[np.float64]:
    """Direction of gravity in a sensor that turns about one of its axes, shape (n, 3); z is up at 0."""
    angle, zero = np.radians(angle_deg), np.zeros_like(angle_deg)
    columns = {
        "y": (-np.sin(angle), zero, np.cos(angle)),
        "x": (zero, np.sin(angle), np.cos(angle)),
    }
    return np.stack(columns[axis], axis=1)


class Movement:
    """Height of a pelvis that leaves rest and comes back, sampled at any rate, with known edges."""

    def __init__(
        self, reps: Iterable[tuple[float, float, float, float, float]], *, tail_s: float = 3.0
    ) -> None:
        """Take (start, out, hold, back, range) of each repetition, in seconds and metres."""
        self.reps = tuple(reps)
        last = self.reps[-1] if self.reps else (0.0, 0.0, 0.0, 0.0, 0.0)
        self.duration_s = sum(last[:4]) + tail_s

    def edges(self) -> Iterator[tuple[float, float, float]]:
        """Start, turn (middle of the hold) and end of each repetition."""
        for start_s, out_s, hold_s, back_s, _ in self.reps:
            yield start_s, start_s + out_s + hold_s / 2, start_s + out_s + hold_s + back_s

    def height_m(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        height = np.zeros_like(t_s)
        for start_s, out_s, hold_s, back_s, range_m in self.reps:
            height += range_m * smooth_step((t_s - start_s) / out_s)
            height -= range_m * smooth_step((t_s - start_s - out_s - hold_s) / back_s)
        return height

    def imu(self, *, rate_hz: float = 100.0, seed: int = 0, pitch_rad: float = 0.5) -> NDArray[np.float32]:
        """What a six-axis sensor says that pitches with the height, shape (n, 6)."""
        rng = np.random.default_rng(seed)
        step = 1e-4
        t_s = np.arange(0.0, self.duration_s, 1.0 / rate_hz)
        up = (self.height_m(t_s + step) - 2 * self.height_m(t_s) + self.height_m(t_s - step)) / step**2
        span = max((rep[4] for rep in self.reps), default=1.0)
        pitch = pitch_rad * self.height_m(t_s) / span
        turn = pitch_rad * (self.height_m(t_s + step) - self.height_m(t_s - step)) / (2 * step * span)
        force = up + 9.80665
        zero = np.zeros_like(t_s)
        # The sensor turns about its y axis, so gravity moves between its x and z axes.
        rows = [-force * np.sin(pitch), zero, force * np.cos(pitch), zero, turn, zero]
        noise = rng.normal(0.0, 1.0, (6, len(t_s))) * np.array([[0.03]] * 3 + [[0.003]] * 3)
        return (np.array(rows) + noise).T.astype(np.float32)


def bursts(
    t_s: NDArray[np.float64], times_s: Iterable[tuple[float, float]], *, uv: float, rest_uv: float, seed: int
) -> NDArray[np.float32]:
    """White noise that is stronger within some stretches of time."""
    rng = np.random.default_rng(seed)
    amplitude = np.full_like(t_s, rest_uv)
    for start_s, end_s in times_s:
        amplitude[(t_s >= start_s) & (t_s < end_s)] = uv
    return (rng.normal(0.0, 1.0, len(t_s)) * amplitude).astype(np.float32)


def decisions(events: Iterable[SessionEvent]) -> list[SessionEvent]:
    """Events without the curves, which come in portions."""
    return [e for e in events if not isinstance(e, EnvelopeComputed | MovementComputed)]


def curves(events: Iterable[SessionEvent]) -> dict[str, NDArray[np.float64]]:
    """The curves, joined; proves on the way that their hops follow each other."""
    joined: dict[str, list[NDArray[np.float64]]] = {}
    next_hop: dict[str, int] = {}
    for event in events:
        if isinstance(event, EnvelopeComputed):
            key, values = f"envelope {event.stream}", event.envelope_uv
        elif isinstance(event, MovementComputed):
            key, values = event.signal, event.values
        else:
            continue
        assert next_hop.setdefault(key, event.first_hop) == event.first_hop
        next_hop[key] = event.first_hop + len(values)
        joined.setdefault(key, []).append(values)
    return {key: np.concatenate(values) for key, values in joined.items()}

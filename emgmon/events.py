"""What flows between rooms: frozen values, facts in the past tense, no behaviour."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_RATE_HZ = 100
"""Rate of the feature grid: hop *k* covers session time [k, k + 1) / HOP_RATE_HZ."""


class NotificationKind(enum.IntEnum):
    """What the payload of a recorded notification is."""

    DATA = 0
    """One notification of the data characteristic, as it came over the air."""
    CONTROL = 1
    """One indication of the control point, as it came over the air."""
    BATTERY = 2
    """One value of the battery level characteristic: a single byte, percent."""
    EVENT = 3
    """JSON written by the host: link changes, marks, anything that depended on the host's clock."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One payload as it arrived; the unit of recording and of replay."""

    arrival_ns: int
    """Host clock at arrival, counted from the start of the session."""
    sensor: int
    """Index of the sensor within the session."""
    kind: NotificationKind
    payload: bytes


@dataclass(frozen=True, slots=True, eq=False)
class NotificationBatch:
    """Many notifications as columns; ``payload[i]`` is ``data[offsets[i]:offsets[i + 1]]``."""

    arrival_ns: NDArray[np.int64]
    """Shape (n,)."""
    sensor: NDArray[np.uint8]
    """Shape (n,)."""
    kind: NDArray[np.uint8]
    """Shape (n,), values of :class:`NotificationKind`."""
    data: NDArray[np.uint8]
    """All payloads, one behind the other."""
    offsets: NDArray[np.int64]
    """Shape (n + 1,)."""

    def __len__(self) -> int:
        return len(self.arrival_ns)


class MovementSignal(enum.StrEnum):
    """What repetitions are found on."""

    PELVIS_HEIGHT = "pelvis_height"
    PELVIS_PITCH = "pelvis_pitch"
    PELVIS_ROTATION = "pelvis_rotation"
    PELVIS_TILT = "pelvis_tilt"
    THIGH_PITCH = "thigh_pitch"
    EMG_ENVELOPE = "emg_envelope"

    @property
    def unit(self) -> str:
        """Unit of its curve."""
        if self is MovementSignal.PELVIS_HEIGHT:
            return "m"
        return "µV" if self is MovementSignal.EMG_ENVELOPE else "°"


class Quality(enum.StrEnum):
    """How far a figure may be trusted."""

    GOOD = "good"
    USABLE = "usable"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure, or the reason why there is none."""

    name: str
    value: float | None
    """In the unit that the name carries; ``None`` when it was not measured."""
    low: float | None
    """Lower end of the 95 % interval, where one is known."""
    high: float | None
    """Upper end of the 95 % interval, where one is known."""
    n: int
    """How many repetitions the figure rests on."""
    quality: Quality
    reason: str | None = None
    """Why ``value`` is missing, in words; beside a value, what to bear in mind about it."""
    normalisation: str | None = None
    """What 100 % stands for: the method of the calibration; ``None`` where nothing was normalised."""


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """What an expert may want to see of one EMG channel; ``None`` where it was not measured."""

    noise_uv: float | None = None
    """RMS of the cleaned signal at rest."""
    snr_db: float | None = None
    """20 log10 of the RMS at work over that at rest, both cleaned."""
    hum_ratio: float | None = None
    """Power of mains hum and its harmonics over all power from 20 to 450 Hz."""
    hum_hz: float | None = None
    """50 or 60, whichever is stronger."""
    clipped_share: float | None = None
    """Share of samples at the rail."""
    flat_share: float | None = None
    """Share of time in which the channel gave no signal."""
    motion_share: float | None = None
    """Power below 20 Hz over all power, before cleaning."""
    median_frequency_hz: float | None = None
    heartbeat_share: float | None = None
    """Part of the cleaned signal's power that comes with the heartbeat."""
    missing_share: float | None = None
    """Share of samples that never came."""


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """How far one EMG channel can be trusted over a stretch of time."""

    site: str
    side: str | None
    grade: Quality
    reason: str | None
    """Why it is not good, in words; ``None`` when it is."""
    figures: QualityFigures


def channel_words(site: str, side: str | None) -> str:
    """Name an EMG channel as a person would."""
    return " ".join(part for part in (side, site.replace("_", " ")) if part)


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """An EMG channel became better or worse, or for another reason."""

    sensor: int
    stream: int
    channel: int
    """Row of the channel in its stream."""
    at_s: float
    """End of the stretch that showed it, session seconds."""
    quality: ChannelQuality


class Verdict(enum.StrEnum):
    """The judgement of one repetition."""

    GLUTE_LED = "glute-led"
    SHARED = "shared"
    BACK_LED = "back-led"
    STEADY = "steady"
    """From motion alone: the pelvis moved as in the person's own reference set."""
    BEYOND_RANGE = "beyond-range"
    """From motion alone: it moved more than that by more than the minimal detectable change."""
    CANNOT_TELL = "cannot-tell"
    NO_REFERENCE = "no-reference"


class VerdictBasis(enum.StrEnum):
    """What a verdict was reached from."""

    EMG = "emg"
    MOTION = "motion"


@dataclass(frozen=True, slots=True)
class VerdictGrounds:
    """What decided a verdict, as data."""

    reason: str
    """A word of a fixed list, for example ``below-range`` or ``channel-rejected``."""
    change: float | None
    """Difference from the reference: log ratio, or degrees for a verdict from motion; ``None`` where none."""
    limit: float | None
    """Minimal detectable change that it was held against, in the same unit."""


@dataclass(frozen=True, slots=True)
class RepCompleted:
    """A repetition has ended and was measured. Times are session seconds."""

    set_number: int
    number: int | None
    """Its place among the counted repetitions of its set; ``None`` when it is not counted."""
    side: str | None
    """Which side worked; ``None`` when both did or it is not known."""
    start_s: float
    turn_s: float
    end_s: float
    verdict: Verdict
    verdict_basis: VerdictBasis
    sentence: str
    """The verdict and its reason, for a person."""
    excluded: str | None
    """Why this repetition does not vote, in words; ``None`` when it does."""
    metrics: tuple[Metric, ...]
    uncounted: str | None = None
    """Why it is shown but not counted, in words; ``None`` when it counts."""
    origin: str = "found"
    """``found``, or ``added`` or ``moved`` by hand."""
    warning: str | None = None
    """What to tell the person now, once two of the last three repetitions lay beyond the reference."""
    channels: tuple[ChannelQuality, ...] = ()
    """Quality of every EMG channel over this repetition, in column order."""
    grounds: VerdictGrounds | None = None


@dataclass(frozen=True, slots=True)
class RepWithdrawn:
    """A repetition announced before is taken back; later ones of its set move up by one."""

    set_number: int
    number: int
    start_s: float
    end_s: float
    reason: str
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class SetCompleted:
    """A set was closed by rest or by the end of the session."""

    set_number: int
    exercise: str
    start_s: float
    end_s: float
    n_reps: int
    summary: tuple[Metric, ...]
    notes: tuple[str, ...] = ()
    """What the set as a whole shows, in words; information, never a verdict."""


@dataclass(frozen=True, slots=True, eq=False)
class EnvelopeComputed:
    """New hops of the EMG envelope of one stream; how many at once depends on the delivery."""

    sensor: int
    stream: int
    first_hop: int
    envelope_uv: NDArray[np.float64]
    """Shape (n_hops, n_channels); NaN where nothing was measured."""
    activation_pct: NDArray[np.float64]
    """Same shape, percent of each channel's reference; NaN without calibration."""


@dataclass(frozen=True, slots=True, eq=False)
class MovementComputed:
    """New hops of the movement signal; how many at once depends on the delivery."""

    first_hop: int
    signal: MovementSignal
    values: NDArray[np.float64]
    """Shape (n_hops,), in the unit of the signal."""


@dataclass(frozen=True, slots=True)
class SamplesMissing:
    """How many samples of a stream are missing just now and may still come; 0 when none are any more."""

    sensor: int
    stream: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class Healed:
    """Samples that were missing have come (or never will), and what was told meanwhile has to be corrected.

    Of what was told so far, in the order in which it was told, the beginning stands; the rest is taken back
    and told anew right after this.
    """

    n_reps: int
    """How many `RepCompleted` and `RepWithdrawn` stand, counted together from the first of the session."""
    n_quality: int
    """How many `QualityChanged` stand."""


@dataclass(frozen=True, slots=True)
class SensorStatus:
    """A sensor said something about itself without being asked."""

    sensor: int
    said: str
    """In words."""


@dataclass(frozen=True, slots=True)
class SamplesLost:
    """Samples of a stream will never come."""

    sensor: int
    stream: int
    start_s: float
    n_samples: int


@dataclass(frozen=True, slots=True)
class NotificationRejected:
    """A notification did not decode; it was counted and left out."""

    sensor: int
    reason: str
    clause: str


@dataclass(frozen=True, slots=True)
class DuplicateReceived:
    """Samples came that had come before, or too late to be used; they were left out."""

    sensor: int
    stream: int
    n_samples: int


@dataclass(frozen=True, slots=True)
class BatteryRead:
    """A sensor told its battery level."""

    sensor: int
    level_pct: int


class LinkState(enum.StrEnum):
    """Where the connection to a sensor stands."""

    IDLE = "idle"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    CHECKING = "checking"
    STREAMING = "streaming"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The connection to a sensor moved to another state."""

    sensor: int
    state: LinkState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more will come; every open repetition and set has been closed."""

    end_s: float


SessionEvent = (
    RepCompleted
    | RepWithdrawn
    | SetCompleted
    | EnvelopeComputed
    | MovementComputed
    | SamplesLost
    | SamplesMissing
    | Healed
    | SensorStatus
    | NotificationRejected
    | DuplicateReceived
    | BatteryRead
    | QualityChanged
    | SessionEnded
)
"""What the session engine reports."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """A replay was set back: every event of the session follows anew, from its beginning."""


Event = SessionEvent | LinkChanged | Rewound
"""What a screen is shown."""

"""What really happened, beside every simulated recording: the yardstick of the analysis."""

from pathlib import Path

import msgspec

from emgmon.errors import SimulationError

TRUTH_SCHEMA = "emgmon.truth/1"
"""Name of the file's layout."""


class PhaseTruth(msgspec.Struct, frozen=True):
    """One phase of a repetition: ``lift``, ``hold`` or ``return``."""

    name: str
    start_s: float
    end_s: float


class OnsetTruth(msgspec.Struct, frozen=True):
    """When one muscle begins to work in a repetition."""

    site: str
    side: str
    onset_s: float
    """Its activation leaves tonic activity."""
    tenth_s: float
    """It has climbed a tenth of its first rise: about where an eye sees it begin."""


class RepTruth(msgspec.Struct, frozen=True):
    """One repetition as it was performed; times are session seconds."""

    set: int
    number: int
    side: str | None
    start_s: float
    """The pelvis leaves the start position."""
    turn_s: float
    """Middle of the time in the far position: the top of a bridge, the bottom of a squat."""
    end_s: float
    """The pelvis is back."""
    glute_share_pct: float
    """``100 GE / (GE + BE)``."""
    glute_engagement_pct: float | None = None
    """GE: mean noise-free activation over the work, both sides averaged, percent of reference."""
    back_engagement_pct: float | None = None
    """BE: the same for the erector spinae."""
    work_start_s: float | None = None
    """The working phases start: with the lift, or at the turn where the lift comes last."""
    work_end_s: float | None = None
    """They end: with the hold, or with the lift where it comes last."""
    phases: tuple[PhaseTruth, ...] = ()
    pelvis_height_range_m: float | None = None
    """Highest less lowest point of the pelvis over the repetition."""
    pelvis_pitch_range_deg: float | None = None
    """Largest less smallest pitch relative to the start; likewise the other ranges."""
    pelvis_anterior_change_deg: float | None = None
    """Pitch at the turn relative to the start; positive is more anterior tilt."""
    pelvis_obliquity_range_deg: float | None = None
    pelvis_rotation_range_deg: float | None = None
    lumbar_extension_deg: float | None = None
    """At the turn relative to the start; positive is the trunk bent backwards on the pelvis."""
    partial: bool | None = None
    """Whether the repetition goes a third of the way only."""
    glute_left_engagement_pct: float | None = None
    """As `glute_engagement_pct`, of one side."""
    glute_right_engagement_pct: float | None = None
    back_left_engagement_pct: float | None = None
    back_right_engagement_pct: float | None = None
    onsets: tuple[OnsetTruth, ...] = ()
    """Of glute and back, left and right."""
    onset_difference_ms: float | None = None
    """Onset of the glute less that of the back."""
    glute_median_frequency_hz: float | None = None
    """Of the muscle alone, over 20-450 Hz; the back's likewise."""
    back_median_frequency_hz: float | None = None
    fatigue_pct: float | None = None
    """How far the median frequency was made to fall since the set's first repetition."""
    squeeze_sustain_pct: float | None = None
    """Part of the work in which the glute, both sides averaged, is above half of its 95th percentile."""
    late_back_surge: float | None = None
    """The back's mean over the last fifth of the lift, over that over its first half."""
    symmetry_pct: float | None = None
    """``100 (L - R) / ((L + R) / 2)`` of the glute's engagement."""
    pelvis_reversal_deg: float | None = None
    """How far the pelvis has tipped forward, when the hold ends, from its most backward pitch."""
    pelvis_lockout_deg: float | None = None
    """How far it tips back, on the way up, beyond its pitch at the start; at least 0."""


class SetUpTruth(msgspec.Struct, frozen=True):
    """One movement that is no repetition."""

    kind: str
    """``walking``, ``sitting-down``, ``rolling-over``, ``shuffling``, ``getting-up`` or ``lying-down``."""
    start_s: float
    end_s: float


class ReferenceTruth(msgspec.Struct, frozen=True):
    """Reference contractions of one muscle, both sides at once; 100 % between the ramps of a second."""

    site: str
    trials_s: tuple[tuple[float, float], ...]


class CalibrationTruth(msgspec.Struct, frozen=True):
    """What a recording begins with, from and to in session seconds."""

    rest_s: tuple[float, float] | None = None
    references: tuple[ReferenceTruth, ...] = ()
    stance_s: tuple[float, float] | None = None
    bows_s: tuple[tuple[float, float], ...] = ()


class ElectrodeOffTruth(msgspec.Struct, frozen=True):
    """An electrode that came off and stayed off."""

    site: str
    side: str
    at_s: float
    kind: str
    """``floating`` or ``flat``."""


class LossTruth(msgspec.Struct, frozen=True):
    """What the air swallowed of one stream."""

    stream: int
    notifications: int
    samples: int


class ParamsTruth(msgspec.Struct, frozen=True):
    """What the virtual athlete was asked for."""

    glute_share_pct: float
    snr_db: float
    hum_uv: float
    heartbeat_uv: float
    drift_uv: float
    motion_uv: float
    seed: int
    lumbar_share: float | None = None
    slip_deg: float | None = None
    wobble_deg: float | None = None
    mains_hz: float | None = None
    glute_delay_s: float | None = None
    onset_ramp_s: float | None = None
    squeeze_fade: float | None = None
    back_surge: float | None = None
    fatigue_pct_per_rep: float | None = None
    fatigue_rise_pct_per_rep: float | None = None
    clip_uv: float | None = None
    reversal_deg: float | None = None
    lockout_deg: float | None = None


class Truth(msgspec.Struct, frozen=True):
    """Truth of one recording. Only `reps` is always there."""

    reps: tuple[RepTruth, ...]
    schema: str = TRUTH_SCHEMA
    exercise: str | None = None
    duration_s: float | None = None
    params: ParamsTruth | None = None
    lost: tuple[LossTruth, ...] = ()
    set_up: tuple[SetUpTruth, ...] = ()
    """Movements before, between and after the sets."""
    heartbeats_s: tuple[float, ...] = ()
    """R waves on the back channels."""
    electrode_off: ElectrodeOffTruth | None = None
    calibration: CalibrationTruth | None = None
    """Where the recording begins with one."""

    def to_json(self) -> bytes:
        """Encode for a file that people also read."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> "Truth":
        """Decode; keys that are not known are ignored.

        Raises
        ------
        SimulationError
            When the data is not a truth file.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise SimulationError(f"this is not a truth file: {error}") from error


def truth_path(recording: Path) -> Path:
    """Where the truth of a recording lies: ``OUT.truth.json`` beside ``OUT.arrows``."""
    stem = recording.with_suffix("") if recording.suffix == ".arrows" else recording
    return stem.with_name(stem.name + ".truth.json")


def read_truth(recording: Path) -> Truth:
    """Read the truth that lies beside a recording."""
    return Truth.from_json(truth_path(recording).read_bytes())

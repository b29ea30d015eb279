"""Which signal an exercise is followed on, and what is found on it; one signal serves a whole session."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment
from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.pelvis_motion import PelvisMotionHops
from emgmon.dsp.pipeline import MotionHops
from emgmon.events import MovementComputed, MovementSignal
from emgmon.exercises import Exercise, SignalChoice
from emgmon.reps.envelope import EnvelopeReps, EnvelopeRepsState
from emgmon.reps.envelope_activity import ActivityState, EnvelopeActivity
from emgmon.reps.found import Found
from emgmon.reps.height import HeightReps, HeightRepsState
from emgmon.reps.tilt import TiltReps, TiltRepsParams, TiltRepsState
from emgmon.streams import PELVIS, EmgStream, MotionStream

THIGH = "thigh"

ACCELEROMETER_HALF_HOPS = 15
"""An accelerometer alone shows every jolt as a tilt, so its direction is averaged for longer."""

MOST_SHAKING_MPS2, MOST_SHAKING_LEG_MPS2, MOST_SHAKING_TRUNK_MPS2 = 5.0, 1.2, 0.4
"""Mean acceleration above 3 Hz in a lift under control, at most: with a gyroscope, which knows a jolt from a
tilt, only a fall is more; then for an accelerometer alone on a leg and on the trunk. On 250 real thigh
repetitions it was 0.03 to 0.9, where the knee lands; on a pelvis in walking about 0.9, at rest and in slow
lifts a tenth of that."""

_ANGLES = ("pelvis_pitch", "pelvis_rotation", "pelvis_tilt", "thigh_pitch")

Reps = HeightReps | TiltReps | EnvelopeReps
RepsState = HeightRepsState | TiltRepsState | EnvelopeRepsState


@dataclass(frozen=True, slots=True)
class MovementSource:
    """The signal that was chosen, and where it comes from."""

    signal: MovementSignal
    stream: int
    """Index among the motion streams, or among the EMG streams for the envelope."""
    least_deg: float | None
    accelerometer_only: bool

    @property
    def is_emg(self) -> bool:
        """Whether it is muscle activity and not motion."""
        return self.signal is MovementSignal.EMG_ENVELOPE


def choose_source(
    exercise: Exercise, motion: Sequence[MotionStream], emg: Sequence[EmgStream], *, emg_stream: int
) -> MovementSource | None:
    """Take the best signal of an exercise for which a stream is worn; ``None`` when none is."""
    for choice in exercise.signals:
        if choice.on == "emg_envelope":
            if emg:
                return MovementSource(MovementSignal.EMG_ENVELOPE, emg_stream, None, accelerometer_only=False)
            continue
        stream = _worn(choice, motion)
        if stream is not None:
            signal, only = MovementSignal(choice.on), not motion[stream].has_gyroscope
            return MovementSource(signal, stream, choice.least_deg, accelerometer_only=only)
    return None


def _worn(choice: SignalChoice, motion: Sequence[MotionStream]) -> int | None:
    """Find the motion stream that carries a signal; height needs a gyroscope, angles do not."""
    site = THIGH if choice.on == "thigh_pitch" else PELVIS
    for index, stream in enumerate(motion):
        if stream.site == site and (choice.on in _ANGLES or stream.has_gyroscope):
            return index
    return None


@dataclass(slots=True)
class MovementState:
    """Where the movement signal stands."""

    reps: RepsState | None
    activity: ActivityState
    next_hop: int = 0


@dataclass(frozen=True, slots=True)
class Followed:
    """What new hops of the movement signal brought."""

    curve: MovementComputed | None
    found: list[Found]
    next_hop: int | None
    """Up to where the signal was decided on; ``None`` when these hops were not of the movement signal.

    The curve may be ahead of it, by more or less as the stream is cut; rests must not be measured by that."""


NOT_FOLLOWED = Followed(None, [], None)


class Movement:
    """Follows the movement signal and segments it."""

    def __init__(
        self,
        exercise: Exercise | None,
        motion: Sequence[MotionStream],
        emg: Sequence[EmgStream],
        *,
        emg_columns: dict[int, list[int]],
        alignments: Sequence[Alignment],
    ) -> None:
        """Choose the source.

        Parameters
        ----------
        exercise
            What is to be counted.
        motion, emg
            The streams of the session.
        emg_columns
            Columns of glute and back in each EMG stream.
        alignments
            How the motion sensors sit, where that was measured.
        """
        self._emg_columns = emg_columns
        watched = min((stream for stream, columns in emg_columns.items() if columns), default=0)
        self.source = choose_source(exercise, motion, emg, emg_stream=watched) if exercise else None
        self._reps = _segmentation(exercise, self.source, alignments) if exercise and self.source else None
        self._activity = EnvelopeActivity()
        self._state = MovementState(None, self._activity.state)

    @property
    def state(self) -> MovementState:
        """All that the past leaves to the future; a copy, and settable."""
        reps = None if self._reps is None else self._reps.state
        return replace(self._state, reps=reps, activity=self._activity.state)

    @state.setter
    def state(self, state: MovementState) -> None:
        self._state, self._activity.state = replace(state), state.activity
        if self._reps is not None and state.reps is not None:
            self._reps.state = state.reps

    @property
    def next_hop(self) -> int:
        """Hop of the movement signal up to which everything was decided on."""
        return self._state.next_hop

    @property
    def follows_height(self) -> bool:
        """Whether repetitions are found on the height of the pelvis."""
        return self.source is not None and self.source.signal is MovementSignal.PELVIS_HEIGHT

    def take_envelope(self, index: int, hops: EnvelopeHops) -> Followed:
        """Take new hops of the envelope of an EMG stream."""
        if self.source is None or not self.source.is_emg or index != self.source.stream:
            return NOT_FOLLOWED
        assert isinstance(self._reps, EnvelopeReps)
        columns = self._emg_columns.get(index) or list(range(hops.envelope_uv.shape[1]))
        activity = self._activity.process(hops.first_hop, hops.envelope_uv[:, columns])
        found = self._reps.process(hops.first_hop, activity)
        return self._follow(hops.first_hop, activity, found, self._reps.decided_hop)

    def take_motion(self, index: int, hops: MotionHops) -> Followed:
        """Take new hops of a motion stream."""
        if self.source is None or self.source.is_emg or index != self.source.stream:
            return NOT_FOLLOWED
        if isinstance(self._reps, HeightReps):
            return NOT_FOLLOWED if hops.height is None else self.take_height(hops.height)
        assert isinstance(self._reps, TiltReps)
        orientation = hops.orientation
        if not len(orientation):
            return NOT_FOLLOWED
        found = self._reps.process(orientation.first_hop, orientation.up, orientation.force_mps2)
        first_hop, angle_deg = self._reps.take_curve()
        return self._follow(first_hop, angle_deg, found, self._reps.decided_hop)

    def take_height(self, height: PelvisMotionHops) -> Followed:
        """Take new hops of the height of the pelvis."""
        assert isinstance(self._reps, HeightReps)
        if not len(height.height_m):
            return NOT_FOLLOWED
        found = self._reps.process(height)
        return self._follow(height.first_hop, height.height_m, found, height.first_hop + len(height.height_m))

    def finish(self) -> list[Found]:
        """Close what is open; nothing more will come."""
        return [] if self._reps is None else self._reps.finish()

    def _follow(
        self, first_hop: int, values: NDArray[np.float64], found: Iterable[Found], decided_hop: int
    ) -> Followed:
        assert self.source is not None
        curve = MovementComputed(first_hop, self.source.signal, values) if len(values) else None
        if curve is not None:
            self._state.next_hop = decided_hop
        return Followed(curve, list(found), self._state.next_hop)


def _segmentation(exercise: Exercise, source: MovementSource, alignments: Sequence[Alignment]) -> Reps:
    if source.is_emg:
        return EnvelopeReps()
    if source.signal is MovementSignal.PELVIS_HEIGHT:
        return HeightReps(direction=exercise.direction)
    assert source.least_deg is not None
    on_leg = source.signal is MovementSignal.THIGH_PITCH
    alone = MOST_SHAKING_LEG_MPS2 if on_leg else MOST_SHAKING_TRUNK_MPS2
    params = TiltRepsParams(
        least_deg=source.least_deg,
        most_shaking_mps2=alone if source.accelerometer_only else MOST_SHAKING_MPS2,
        turn_axis=None if on_leg else _turn_axis(exercise, alignments),
        either_way=exercise.pelvis_turn == "rotation",
    )
    if source.accelerometer_only:
        params = replace(params, smoothing_half_hops=ACCELEROMETER_HALF_HOPS)
    return TiltReps(params)


def _turn_axis(exercise: Exercise, alignments: Sequence[Alignment]) -> tuple[float, float, float] | None:
    """Give the axis about which gravity turns in the pelvis sensor on the way out, where it is known.

    Seen from a body that turns one way, gravity turns the other way.
    """
    alignment = next((one for one in alignments if one.site == PELVIS and one.knows_neutral), None)
    if alignment is None or exercise.pelvis_turn == "little":
        return None
    row, sign = {"pitch-forward": (1, -1.0), "pitch-backward": (1, 1.0), "rotation": (2, 1.0)}[
        exercise.pelvis_turn
    ]
    x, y, z = (sign * alignment.matrix[row]).tolist()
    return (x, y, z)


def movement_limits(
    exercise: Exercise | None, source: MovementSource | None, motion: Sequence[MotionStream]
) -> tuple[str, ...]:
    """Sentences about what the movement signal cannot give, and why."""
    if exercise is None:
        return ("no exercise is named, so no repetitions are counted: give one with --exercise",)
    if source is None:
        return (f"nothing is worn on which {exercise.name} could be counted: {_wanted(exercise)}",)
    said = []
    if exercise.signals[0].on == "pelvis_height" and source.signal is not MovementSignal.PELVIS_HEIGHT:
        on = "the EMG envelope" if source.is_emg else _NAMES[source.signal]
        said.append(f"no six-axis motion sensor on the pelvis: repetitions are counted on {on}")
    if source.is_emg:
        # A sensor on the pelvis that the repetitions are not found on still measures how it moved.
        besides = "" if any(stream.site == PELVIS for stream in motion) else ", range and posture"
        said.append(
            "counted on muscle activity alone: bursts are seen, not movements, so lift, hold and return"
            f"{besides} are not measured"
        )
    elif source.accelerometer_only:
        said.append(
            "counted on an accelerometer alone: edges are softer, and height, ranges of motion and"
            " rotation are not measured"
        )
    if source.signal is MovementSignal.THIGH_PITCH and exercise.sides == "alternating":
        side = motion[source.stream].side
        leg = f"the {side} leg" if side else "the leg that wears the sensor"
        said.append(f"only repetitions of {leg} are counted")
    if source.signal is MovementSignal.PELVIS_TILT:
        said.append("counted on small tilts of the pelvis: the steadier it is held, the less can be found")
    return tuple(said)


_NAMES = {
    MovementSignal.PELVIS_PITCH: "the tilt of the pelvis",
    MovementSignal.PELVIS_ROTATION: "the rotation of the pelvis",
    MovementSignal.PELVIS_TILT: "the tilt of the pelvis",
    MovementSignal.THIGH_PITCH: "the tilt of the thigh",
}


def _wanted(exercise: Exercise) -> str:
    wanted = dict.fromkeys(_NEEDS[choice.on] for choice in exercise.signals)
    return "it needs " + " or ".join(wanted)


_NEEDS = {
    "pelvis_height": "a six-axis motion sensor on the pelvis",
    "pelvis_pitch": "a motion sensor on the pelvis",
    "pelvis_rotation": "a motion sensor on the pelvis",
    "pelvis_tilt": "a motion sensor on the pelvis",
    "thigh_pitch": "a motion sensor on the thigh",
    "emg_envelope": "EMG",
}

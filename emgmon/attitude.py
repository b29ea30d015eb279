"""How pelvis and lower back turned in each repetition: their past, how their sensors sit, the figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import (
    Alignment,
    SegmentSite,
    align_from_held_poses,
    align_from_repetition,
    averaged,
)
from emgmon.dsp.history import HopHistory
from emgmon.dsp.orientation import OrientationHops
from emgmon.dsp.rotations import angle_deg, unit
from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.exercises import Exercise
from emgmon.metrics.engagement import missing
from emgmon.metrics.measure import SHARP_RANGE_S
from emgmon.metrics.pelvis import (
    SegmentMotion,
    Tipping,
    pelvis_metrics,
    segment_angles,
    side_of_rotation,
)
from emgmon.metrics.side import Side
from emgmon.reps.found import RepFound
from emgmon.streams import MotionStream

PELVIS: SegmentSite = "pelvis"
LUMBAR: SegmentSite = "lumbar"

LEARNT_REPS = 2
"""How the sensors sit is learnt from this many repetitions where nobody stood and bowed, then kept."""

_N_COLUMNS = 8
"""Of a history: up (3), quaternion (4), vertical acceleration."""
_UP, _QUATERNION, _VERTICAL = slice(0, 3), slice(3, 7), 7

OTHER_POSITION_DEG = 35.0
"""A movement that ends with the pelvis turned by more than this is a change of position."""

MOST_TURNED_DEG = 85.0
"""No exercise tips the pelvis this far; lying down and getting up do ..."""

MOST_TURNED_HINGE_DEG = 100.0
"""... except for a deep hinge from standing ..."""

MOST_TURNED_STEADY_DEG = 30.0
"""... while one in which the pelvis is held steady does not tip it even this far."""

OTHER_HEIGHT_M = 0.25
"""One that ends this much higher or lower is, too ..."""

OTHER_HEIGHT_STEADY_M = 0.12
"""... where the pelvis is held steady even less ..."""

LONGEST_SHARP_S = 8.0
"""... as far as height can be told: integrated twice, an offset grows with the square of time."""

FEWEST_STEPS = 6
"""One that goes up and down this often is walking; a repetition goes out and back."""

SWING_SHARE = 0.3
"""Of the fastest vertical speed of a movement; slower ups and downs are wobble."""

SLOWEST_STEP_MPS = 0.12
"""... and so is whatever is slower than any step."""

FAR_FROM_START_DEG = 55.0
"""One that begins this far from the exercise's start position is no repetition of it."""


@dataclass(slots=True)
class AttitudeState:
    """All that the past leaves to the future."""

    histories: list[HopHistory]
    learnt: list[list[Alignment]]
    """For each segment what its first repetitions showed; never more than `LEARNT_REPS`."""

    def copy(self) -> "AttitudeState":
        """Independent copy, for a checkpoint."""
        return AttitudeState([h.copy() for h in self.histories], [list(found) for found in self.learnt])


@dataclass(frozen=True, slots=True)
class _Segment:
    site: SegmentSite
    stream: int
    """Index among the motion streams of the session."""
    has_gyroscope: bool
    given: Alignment | None


@dataclass(frozen=True, slots=True)
class PelvisTurned:
    """What one repetition shows of the pelvis."""

    metrics: tuple[Metric, ...]
    side: Side | None
    """Which side was lifted, where the rotation tells."""


LONGEST_INTEGRATED_S = 20.0
"""A height that is integrated over longer than this says nothing."""

NO_HEIGHT = "needs a six-axis motion sensor on the pelvis"

_HELD_HOPS = 10
"""Gravity alone is averaged over this long at the start and at the turn."""

_NOTHING: tuple[Alignment, ...] = ()


class Attitude:
    """Keeps the attitude of pelvis and lumbar sensor for as long as a repetition may ask for it."""

    def __init__(
        self,
        exercise: Exercise | None,
        motion: Sequence[MotionStream],
        alignments: Sequence[Alignment] = _NOTHING,
    ) -> None:
        self._exercise = exercise
        self._segments = [
            segment
            for site in (PELVIS, LUMBAR)
            if (segment := _find_segment(site, motion, alignments)) is not None
        ]
        n = len(self._segments)
        self._state = AttitudeState([HopHistory(_N_COLUMNS) for _ in range(n)], [[] for _ in range(n)])

    @property
    def state(self) -> AttitudeState:
        """All that the past leaves to the future; a copy, and settable."""
        return self._state.copy()

    @state.setter
    def state(self, state: AttitudeState) -> None:
        self._state = state.copy()

    @property
    def alignment_method(self) -> str | None:
        """What the pelvis sensor's place is known from; ``None`` while it is not known."""
        alignment = self._alignment(PELVIS)
        return None if alignment is None else alignment.method.value

    def take(self, stream: int, hops: OrientationHops) -> None:
        """Keep new hops of a motion stream, if it is pelvis or lower back."""
        for segment, history in zip(self._segments, self._state.histories, strict=True):
            if segment.stream == stream:
                rows = np.column_stack([hops.up, hops.quaternion, hops.acceleration_mps2])
                history.append(hops.first_hop, rows)

    def reaches(self, hop: int) -> bool:
        """Whether all segments are known up to a hop."""
        return all((history.next_hop or 0) >= hop for history in self._state.histories)

    def forget_before(self, hop: int, *, longest_hops: int) -> None:
        """Let go of older hops, and of those that lie farther back than the longest memory."""
        for history in self._state.histories:
            history.forget_before(max(hop, (history.next_hop or 0) - longest_hops))

    def start_up(self, rep: RepFound) -> tuple[float, float, float] | None:
        """Give the direction of up where a repetition began, in axes of the pelvis sensor."""
        history = self._pelvis()
        if history is None:
            return None
        up = history.between(rep.start_hop, rep.start_hop + 1)[0, _UP]
        if bool(np.isnan(up).any()):
            return None
        x, y, z = (up / np.linalg.norm(up)).tolist()
        return (x, y, z)

    def changed_position(self, rep: RepFound) -> bool:
        """Tell whether a found movement is none of the exercise: begun elsewhere, or not come back.

        Only the pelvis is asked, and of an accelerometer alone only where both ends were held.
        """
        history = self._pelvis()
        if history is None:
            return False
        rows = _rows_of(history, rep)
        if len(rows) < 2 or bool(np.isnan(rows[:, _UP]).any()):
            return False
        up = unit(rows[:, _UP])
        turned_deg = angle_deg(up, up[0])
        if float(turned_deg[-1]) > OTHER_POSITION_DEG or float(turned_deg.max()) > self._most_turned_deg:
            return True
        if self._far_from_start(up[0]) or _swings(rows[:, _VERTICAL]) >= FEWEST_STEPS:
            return True
        # Whoever was followed on height has come back to it.
        sharp = rep.range_m is None and len(rows) <= LONGEST_SHARP_S * HOP_RATE_HZ
        return sharp and abs(_net_height_m(rows[:, _VERTICAL])) > self._other_height_m

    @property
    def _other_height_m(self) -> float:
        """How much higher or lower a movement must not end; lying down one can neither sit down nor rise."""
        exercise = self._exercise
        if exercise is None or exercise.start_position == "standing":
            return OTHER_HEIGHT_M
        return OTHER_HEIGHT_STEADY_M if exercise.pelvis_turn == "little" else math.inf

    @property
    def _most_turned_deg(self) -> float:
        exercise = self._exercise
        if exercise is None:
            return MOST_TURNED_DEG
        if exercise.pelvis_turn == "little":
            return MOST_TURNED_STEADY_DEG
        hinge = exercise.start_position == "standing" and exercise.signals[0].on == "pelvis_pitch"
        return MOST_TURNED_HINGE_DEG if hinge else MOST_TURNED_DEG

    def _far_from_start(self, up: NDArray[np.float64]) -> bool:
        """Compare with the exercise's start position, where standing and bowing told how the sensor sits."""
        alignment = self._alignment(PELVIS)
        if self._exercise is None or alignment is None or not alignment.knows_neutral:
            return False
        pitch = math.radians(self._exercise.start_pitch_deg)
        expected = np.array([-math.sin(pitch), 0.0, math.cos(pitch)])
        return float(angle_deg(alignment.matrix @ up, expected)) > FAR_FROM_START_DEG

    def _pelvis(self) -> HopHistory | None:
        for segment, history in zip(self._segments, self._state.histories, strict=True):
            if segment.site == PELVIS:
                return history
        return None

    def turned(self, rep: RepFound, *, learn: bool, gap: str | None) -> PelvisTurned:
        """Measure how the pelvis turned in a repetition.

        Parameters
        ----------
        rep
            Its edges.
        learn
            Whether it may teach how the sensors sit.
        gap
            Why its motion must not be measured, in words; ``None`` when it may.
        """
        if learn and gap is None:
            self._learn(rep)
        pelvis, lumbar = self._motion(PELVIS, rep), self._motion(LUMBAR, rep)
        turn = rep.turn_hop - rep.start_hop
        return PelvisTurned(
            pelvis_metrics(
                pelvis,
                turn=turn,
                lumbar=lumbar,
                gap=gap,
                tipping=None if self._exercise is None else tipping_of(self._exercise),
                back=rep.back_hop - rep.start_hop if rep.has_phases else None,
            ),
            None if gap else self._side(pelvis, turn),
        )

    def height(self, rep: RepFound, *, gap: str | None) -> Metric:
        """Measure how far the pelvis went up or down in a repetition that was not followed on height.

        Between two moments of rest at the same height the offset of the accelerometer is known, so its
        vertical part is integrated twice without any leak.
        """
        name = "pelvis_height_range_m"
        history = self._pelvis()
        if history is None or gap is not None:
            return missing(name, gap or NO_HEIGHT)
        rows = _rows_of(history, rep)
        vertical_mps2 = rows[:, _VERTICAL]
        seconds = len(rows) / HOP_RATE_HZ
        if not len(rows) or bool(np.isnan(vertical_mps2).any()):
            return missing(name, NO_HEIGHT)
        if seconds > LONGEST_INTEGRATED_S:
            return missing(
                name, f"the repetition lasted {seconds:.0f} s, too long to integrate acceleration twice"
            )
        quality = Quality.GOOD if seconds <= SHARP_RANGE_S else Quality.USABLE
        return Metric(name, float(np.ptp(_heights_m(vertical_mps2))), None, None, 1, quality)

    def _side(self, pelvis: SegmentMotion | None, turn: int) -> Side | None:
        if self._exercise is None or self._exercise.pelvis_turn != "rotation" or pelvis is None:
            return None
        if pelvis.alignment is None or pelvis.quaternion is None or turn >= len(pelvis.quaternion):
            return None
        if bool(np.isnan(pelvis.quaternion).any()):
            return None
        angles = segment_angles(pelvis.quaternion, pelvis.alignment)
        return side_of_rotation(float(angles.rotation_deg[turn]), pelvis.alignment)

    def _motion(self, site: str, rep: RepFound) -> SegmentMotion | None:
        for segment, history in zip(self._segments, self._state.histories, strict=True):
            if segment.site == site:
                rows = _rows_of(history, rep)
                quaternion = rows[:, _QUATERNION] if segment.has_gyroscope else None
                return SegmentMotion(unit(rows[:, _UP]), quaternion, self._alignment(site))
        return None

    def _alignment(self, site: str) -> Alignment | None:
        for segment, learnt in zip(self._segments, self._state.learnt, strict=True):
            if segment.site == site:
                return segment.given or (averaged(learnt) if learnt else None)
        return None

    def _learn(self, rep: RepFound) -> None:
        """Let one of the first repetitions tell how the sensors sit that nobody told about."""
        exercise = self._exercise
        if exercise is None or not rep.has_phases:
            return
        for segment, history, learnt in zip(
            self._segments, self._state.histories, self._state.learnt, strict=True
        ):
            if segment.given is not None or len(learnt) >= LEARNT_REPS:
                continue
            rows = history.between(rep.start_hop, rep.turn_hop + 1)
            if bool(np.isnan(rows[:, _UP]).any()):
                continue
            found = _align(segment, rows, exercise)
            if found is None:
                continue
            learnt.append(found)
            if averaged(learnt) is None:
                # They contradict each other; the later one is the more settled.
                del learnt[0]


def tipping_of(exercise: Exercise) -> Tipping | None:
    """Tell how the pelvis could tip in an exercise where it should not."""
    if exercise.pelvis_turn == "pitch-backward":
        return "reversal"
    stands_up = exercise.start_position == "standing" and exercise.pelvis_turn == "pitch-forward"
    return "lockout" if stands_up and exercise.sides == "both" else None


def _find_segment(
    site: SegmentSite, motion: Sequence[MotionStream], alignments: Sequence[Alignment]
) -> _Segment | None:
    given = next((alignment for alignment in alignments if alignment.site == site), None)
    for index, stream in enumerate(motion):
        if stream.site == site:
            return _Segment(site, index, stream.has_gyroscope, given)
    return None


def _align(segment: _Segment, rows: NDArray[np.float64], exercise: Exercise) -> Alignment | None:
    if segment.has_gyroscope:
        return align_from_repetition(
            rows[:, _QUATERNION],
            start_pitch_deg=exercise.start_pitch_deg,
            pelvis_turn=exercise.pelvis_turn,
            site=segment.site,
        )
    up = unit(rows[:, _UP])
    return align_from_held_poses(
        up[:_HELD_HOPS].mean(axis=0),
        up[-_HELD_HOPS:].mean(axis=0),
        start_pitch_deg=exercise.start_pitch_deg,
        pelvis_turn=exercise.pelvis_turn,
        site=segment.site,
    )


def _speeds_mps(vertical_mps2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vertical speed over a movement that begins and ends at rest, so that no offset is left in it."""
    speed = np.cumsum(vertical_mps2) / HOP_RATE_HZ
    speeds: NDArray[np.float64] = speed - np.linspace(speed[0], speed[-1], len(speed))
    return speeds


def _net_height_m(vertical_mps2: NDArray[np.float64]) -> float:
    """How much higher a movement ended, its sensor at rest before and after; NaN where it is not known."""
    return float(np.sum(_speeds_mps(vertical_mps2)) / HOP_RATE_HZ)


def _swings(vertical_mps2: NDArray[np.float64]) -> int:
    """How often a movement changes between going up and going down at speed; 0 where it is not known."""
    if bool(np.isnan(vertical_mps2).any()):
        return 0
    speed = _speeds_mps(vertical_mps2)
    fast = speed[np.abs(speed) >= max(SWING_SHARE * float(np.abs(speed).max()), SLOWEST_STEP_MPS)]
    return int(np.count_nonzero(np.diff(np.sign(fast)))) + 1


def _heights_m(vertical_mps2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height over a movement that begins and ends at rest and at the same height, shape (n_hops,)."""
    height = np.cumsum(_speeds_mps(vertical_mps2)) / HOP_RATE_HZ
    heights: NDArray[np.float64] = height - np.linspace(height[0], height[-1], len(height))
    return heights


def _rows_of(history: HopHistory, rep: RepFound) -> NDArray[np.float64]:
    """Give the hops of a repetition, as far as they have come.

    An end that is foreseen may lie a little beyond the end of a session, and a sensor may have fallen silent.
    """
    return history.between(rep.start_hop, max(rep.start_hop, min(rep.end_hop + 1, history.next_hop or 0)))

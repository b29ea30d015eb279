"""How pelvis and lower back were turned in each repetition: their past, how their sensors sit, the figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment, align_from_held_poses, align_from_repetition, averaged
from emgmon.dsp.history import HopHistory
from emgmon.dsp.orientation import OrientationHops
from emgmon.events import Metric
from emgmon.exercises import Exercise
from emgmon.metrics.pelvis import SegmentMotion, pelvis_metrics, segment_angles, side_of_rotation
from emgmon.metrics.side import Side
from emgmon.reps.found import RepFound
from emgmon.streams import MotionStream

PELVIS, LUMBAR = "pelvis", "lumbar"

LEARNT_REPS = 2
"""How the sensors sit is learnt from this many repetitions where nobody stood and bowed, then kept."""

_N_COLUMNS = 7
"""Of a history: up (3) and quaternion (4)."""


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
    site: str
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
                history.append(hops.first_hop, np.concatenate([hops.up, hops.quaternion], axis=1))

    def reaches(self, hop: int) -> bool:
        """Whether all segments are known up to a hop."""
        return all((history.next_hop or 0) >= hop for history in self._state.histories)

    def forget_before(self, hop: int) -> None:
        """Let go of older hops."""
        for history in self._state.histories:
            history.forget_before(hop)

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
            pelvis_metrics(pelvis, turn=turn, lumbar=lumbar, gap=gap),
            None if gap else self._side(pelvis, turn),
        )

    def _side(self, pelvis: SegmentMotion | None, turn: int) -> Side | None:
        if self._exercise is None or self._exercise.pelvis_turn != "rotation" or pelvis is None:
            return None
        if pelvis.alignment is None or pelvis.quaternion is None or bool(np.isnan(pelvis.quaternion).any()):
            return None
        angles = segment_angles(pelvis.quaternion, pelvis.alignment)
        return side_of_rotation(float(angles.rotation_deg[turn]), pelvis.alignment)

    def _motion(self, site: str, rep: RepFound) -> SegmentMotion | None:
        for segment, history in zip(self._segments, self._state.histories, strict=True):
            if segment.site == site:
                # An end that is foreseen may lie a little beyond what has come by the end of a session.
                rows = history.between(rep.start_hop, min(rep.end_hop + 1, history.next_hop or 0))
                quaternion = rows[:, 3:] if segment.has_gyroscope else None
                return SegmentMotion(_unit(rows[:, :3]), quaternion, self._alignment(site))
        return None

    def _alignment(self, site: str) -> Alignment | None:
        for segment, learnt in zip(self._segments, self._state.learnt, strict=True):
            if segment.site == site:
                return segment.given or (averaged(learnt) if learnt else None)
        return None

    def _learn(self, rep: RepFound) -> None:
        """Let one of the first repetitions tell how the sensors sit that nobody told about."""
        exercise = self._exercise
        if exercise is None or rep.range_m is None and rep.range_deg is None:
            return
        for segment, history, learnt in zip(
            self._segments, self._state.histories, self._state.learnt, strict=True
        ):
            if segment.given is not None or len(learnt) >= LEARNT_REPS:
                continue
            rows = history.between(rep.start_hop, rep.turn_hop + 1)
            if bool(np.isnan(rows[:, :3]).any()):
                continue
            found = _align(segment, rows, exercise)
            if found is None:
                continue
            learnt.append(found)
            if averaged(learnt) is None:
                # They contradict each other; the later one is the more settled.
                del learnt[0]


def _find_segment(
    site: str, motion: Sequence[MotionStream], alignments: Sequence[Alignment]
) -> _Segment | None:
    given = next((alignment for alignment in alignments if alignment.site == site), None)
    for index, stream in enumerate(motion):
        if stream.site == site:
            return _Segment(site, index, stream.has_gyroscope, given)
    return None


def _align(segment: _Segment, rows: NDArray[np.float64], exercise: Exercise) -> Alignment | None:
    if segment.has_gyroscope:
        return align_from_repetition(
            rows[:, 3:],
            start_pitch_deg=exercise.start_pitch_deg,
            pelvis_turn=exercise.pelvis_turn,
            site=segment.site,  # type: ignore[arg-type]
        )
    up = _unit(rows[:, :3])
    return align_from_held_poses(
        up[:_HELD_HOPS].mean(axis=0),
        up[-_HELD_HOPS:].mean(axis=0),
        start_pitch_deg=exercise.start_pitch_deg,
        pelvis_turn=exercise.pelvis_turn,
        site=segment.site,  # type: ignore[arg-type]
    )


def _unit(up: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = up / np.sqrt(np.sum(up**2, axis=1, keepdims=True))
    return unit

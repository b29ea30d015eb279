"""How far pelvis and lumbar spine really moved in each repetition, from the movement without sensor or noise.

The body's sway is part of the movement and stays in; skin wobble, slip, bias and noise are not.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emgmon.virtual.body import LUMBAR, PELVIS, BodyMotion, Segment
from emgmon.virtual.geometry import BodyAngles, body_angles
from emgmon.virtual.plan import RepPlan

POINTS = 101
"""Each repetition is looked at this often, start and end included."""

REPS_AT_ONCE = 100
"""Bounds the memory of long sessions."""


class RepMotion(NamedTuple):
    """Movement within one repetition, relative to its start."""

    pelvis_height_range_m: float
    pelvis_pitch_range_deg: float
    pelvis_anterior_change_deg: float
    """At the turn; positive is more anterior tilt."""
    pelvis_obliquity_range_deg: float
    pelvis_rotation_range_deg: float
    lumbar_extension_deg: float
    """At the turn; positive is the trunk bent backwards on the pelvis."""
    pelvis_reversal_deg: float | None
    """From the most backward pitch until the hold's end; ``None`` where the pelvis does not tip backward."""
    pelvis_lockout_deg: float | None
    """Beyond the start's pitch on the way up; ``None`` where nothing is locked out."""


def rep_motions(body: BodyMotion, reps: Sequence[RepPlan]) -> Iterator[RepMotion]:
    """Measure every repetition on the noise-free movement."""
    for first in range(0, len(reps), REPS_AT_ONCE):
        yield from _motions(body, reps[first : first + REPS_AT_ONCE])


def _motions(body: BodyMotion, reps: Sequence[RepPlan]) -> Iterator[RepMotion]:
    starts_s, turns_s, ends_s = (
        np.array([getattr(rep, edge) for rep in reps]) for edge in ("start_s", "turn_s", "end_s")
    )
    times_s = np.column_stack([np.linspace(starts_s, ends_s, POINTS, axis=1), turns_s])
    heights_m, pelvis = _changes(body, PELVIS, times_s)
    _, lumbar = _changes(body, LUMBAR, times_s[:, [0, -1]])
    columns = (
        np.ptp(heights_m, axis=1),
        np.ptp(pelvis.pitch_deg, axis=1),
        pelvis.pitch_deg[:, -1],
        np.ptp(pelvis.obliquity_deg, axis=1),
        np.ptp(pelvis.rotation_deg, axis=1),
        pelvis.pitch_deg[:, -1] - lumbar.pitch_deg[:, -1],
    )
    reversals_deg = _reversals_deg(body, reps) if body.model.tips_backward else [None] * len(reps)
    lockouts_deg = _lockouts_deg(body, reps) if body.model.locks_out else [None] * len(reps)
    rows = np.column_stack(columns).tolist()
    for row, *tipped_deg in zip(rows, reversals_deg, lockouts_deg, strict=True):
        yield RepMotion(*row, *tipped_deg)


def _reversals_deg(body: BodyMotion, reps: Sequence[RepPlan]) -> list[float | None]:
    times_s = np.linspace([rep.start_s for rep in reps], [rep.left_s for rep in reps], POINTS, axis=1)
    pitch_deg = _changes(body, PELVIS, times_s)[1].pitch_deg
    return list((pitch_deg[:, -1] - pitch_deg.min(axis=1)).tolist())


def _lockouts_deg(body: BodyMotion, reps: Sequence[RepPlan]) -> list[float | None]:
    ways_up_s = np.linspace([rep.left_s for rep in reps], [rep.end_s for rep in reps], POINTS, axis=1)
    starts_s = np.array([[rep.start_s] for rep in reps])
    pitch_deg = _changes(body, PELVIS, np.concatenate([starts_s, ways_up_s], axis=1))[1].pitch_deg
    return list(np.maximum(0.0, -pitch_deg[:, 1:].min(axis=1)).tolist())


def _changes(
    body: BodyMotion, segment: Segment, times_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], BodyAngles]:
    """Height, and change of orientation since the first time of each row; shape (n_reps, n_times) each."""
    placed = body.place(segment, times_s.ravel())
    turn = placed.turn.reshape(*times_s.shape, 3, 3)
    change = np.swapaxes(turn[:, :1], -1, -2) @ turn
    return placed.position_m[:, 2].reshape(times_s.shape), body_angles(change)

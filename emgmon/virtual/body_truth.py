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
    for row in np.column_stack(columns).tolist():
        yield RepMotion(*row)


def _changes(
    body: BodyMotion, segment: Segment, times_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], BodyAngles]:
    """Height, and change of orientation since the first time of each row; shape (n_reps, n_times) each."""
    placed = body.place(segment, times_s.ravel())
    turn = placed.turn.reshape(*times_s.shape, 3, 3)
    change = np.swapaxes(turn[:, :1], -1, -2) @ turn
    return placed.position_m[:, 2].reshape(times_s.shape), body_angles(change)

"""What the muscles really did in each repetition, from the noise-free curves and the spectrum's formula."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from emgmon.virtual.activation import MuscleActivation
from emgmon.virtual.muscle import median_frequency_hz
from emgmon.virtual.plan import RepPlan
from emgmon.virtual.truth import OnsetTruth

GRID_S = 0.01
"""Shares of time are told on this grid."""

TENTH_OF_TIME = 0.247
"""A minimum-jerk rise has climbed a tenth of its way after this part of its time."""

SURGE_PARTS = (0.5, 0.8)
"""Where the first part of a lift ends, and where its last one begins."""


class RepMuscles(NamedTuple):
    """Muscles in one repetition: the fields of the truth that electrodes could tell."""

    glute_share_pct: float
    glute_engagement_pct: float
    back_engagement_pct: float
    glute_left_engagement_pct: float
    glute_right_engagement_pct: float
    back_left_engagement_pct: float
    back_right_engagement_pct: float
    onsets: tuple[OnsetTruth, ...]
    onset_difference_ms: float
    glute_median_frequency_hz: float
    back_median_frequency_hz: float
    fatigue_pct: float
    squeeze_sustain_pct: float
    late_back_surge: float
    symmetry_pct: float


def rep_muscles(number: int, rep: RepPlan, glute: MuscleActivation, back: MuscleActivation) -> RepMuscles:
    """Measure one repetition on the noise-free curves; `number` counts all repetitions from 0."""
    glutes_pct = [curve.mean(*rep.work_s) for curve in (glute.left, glute.right)]
    backs_pct = [curve.mean(*rep.work_s) for curve in (back.left, back.right)]
    glute_pct, back_pct = sum(glutes_pct) / 2.0, sum(backs_pct) / 2.0
    frequency_hz = median_frequency_hz(rep.spectrum)
    return RepMuscles(
        glute_share_pct=100.0 * glute_pct / (glute_pct + back_pct),
        glute_engagement_pct=glute_pct,
        back_engagement_pct=back_pct,
        glute_left_engagement_pct=glutes_pct[0],
        glute_right_engagement_pct=glutes_pct[1],
        back_left_engagement_pct=backs_pct[0],
        back_right_engagement_pct=backs_pct[1],
        onsets=tuple(_onsets(number, (glute, back))),
        onset_difference_ms=round(1e3 * (glute.rises_s[number][0] - back.rises_s[number][0]), 3),
        glute_median_frequency_hz=frequency_hz,
        back_median_frequency_hz=frequency_hz,
        fatigue_pct=100.0 * (1.0 - rep.spectrum),
        squeeze_sustain_pct=_sustained_pct(rep, glute),
        late_back_surge=_surge(rep, back),
        symmetry_pct=100.0 * (glutes_pct[0] - glutes_pct[1]) / glute_pct,
    )


def _onsets(number: int, muscles: tuple[MuscleActivation, ...]) -> Iterator[OnsetTruth]:
    """Tell every muscle's onset; both sides share one."""
    for muscle in muscles:
        onset_s, risen_s = muscle.rises_s[number]
        tenth_s = onset_s + TENTH_OF_TIME * (risen_s - onset_s)
        for side in ("left", "right"):
            yield OnsetTruth(muscle.site, side, round(onset_s, 4), round(tenth_s, 4))


def _sustained_pct(rep: RepPlan, glute: MuscleActivation) -> float:
    start_s, end_s = rep.work_s
    times_s = np.arange(start_s, end_s, GRID_S)
    level_pct = (glute.left.at(times_s) + glute.right.at(times_s)) / 2.0
    return 100.0 * float(np.mean(level_pct >= 0.5 * np.percentile(level_pct, 95)))


def _surge(rep: RepPlan, back: MuscleActivation) -> float:
    start_s, end_s = (rep.start_s, rep.reached_s) if rep.lift_first else (rep.left_s, rep.end_s)
    first_s, last_s = (start_s + part * (end_s - start_s) for part in SURGE_PARTS)
    return back.mean_pct(last_s, end_s) / back.mean_pct(start_s, first_s)

"""A verdict from motion alone: the pelvis moved as in the reference or farther, never which muscle did it."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from emgmon.events import Metric, MovementSignal, Verdict, VerdictBasis
from emgmon.metrics.engagement import Z_95
from emgmon.metrics.reference import (
    MIN_REPS_FOR_OWN_SPREAD,
    ChangeSource,
    MotionReference,
    ReferenceSet,
    student_975,
)
from emgmon.metrics.verdict import Judgement, VerdictReason

INCLINATION_ERROR_DEG = 0.6
"""Root mean square error of the tilt of one sensor (six-axis VQF on BROAD, mean of 22 trials)."""

LEAST_CHANGE_DEG = Z_95 * 2.0 * INCLINATION_ERROR_DEG
"""2.4: a change is the difference of two tilts, and two changes are compared; less is never believed."""

LEAST_LUMBAR_CHANGE_DEG = math.sqrt(2.0) * LEAST_CHANGE_DEG
"""3.3: two sensors err."""

USUAL_CHANGE_DEG = 5.0
"""Limit for a person of whom too few repetitions are known: a choice of ours, for no study gives one."""

USUAL_LUMBAR_CHANGE_DEG = 10.0
"""The same between two sensors; a choice of ours as well."""

LUMBAR = "lumbar_extension_deg"


class Beyond(enum.StrEnum):
    """On which side of the reference a measure leaves the usual range."""

    ABOVE = "above"
    EITHER_SIDE = "either-side"


@dataclass(frozen=True, slots=True)
class MotionMeasure:
    """One figure that tells how the pelvis moved, and how to speak of it."""

    name: str
    """Of the metric, in degrees."""
    words: str
    """What it measures, to be followed by an angle."""
    negative: str = ""
    """The same where the angle is negative; empty where it never is."""
    beyond: Beyond = Beyond.ABOVE

    def said(self, value_deg: float, digits: int = 0) -> str:
        """Put one angle into words."""
        words = self.negative if self.negative and value_deg < 0.0 else self.words
        return f"{words} {_degrees(abs(value_deg), digits)}"


@dataclass(frozen=True, slots=True)
class MotionMeasures:
    """What counts in an exercise: groups in order, of which the first that can be compared decides."""

    groups: tuple[tuple[MotionMeasure, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all the metrics, for :func:`emgmon.metrics.reference.reference_of`."""
        return tuple(measure.name for group in self.groups for measure in group)


_BENT = MotionMeasure(LUMBAR, "the lower back arched by", "the lower back rounded by", Beyond.EITHER_SIDE)
_ARCHED = replace(_BENT, beyond=Beyond.ABOVE)
_LEANT = MotionMeasure(
    "pelvis_anterior_change_deg",
    "the pelvis tipped forward by",
    "the pelvis tipped backward by",
    Beyond.EITHER_SIDE,
)
_TIPPED = replace(_LEANT, beyond=Beyond.ABOVE)
_TURNED = MotionMeasure("pelvis_rotation_range_deg", "the pelvis turned by")
_ROLLED = MotionMeasure("pelvis_obliquity_range_deg", "the pelvis rolled by")
_REVERSED = MotionMeasure("pelvis_reversal_deg", "the pelvis tipped forward again towards the top by")
_LOCKED_OUT = MotionMeasure(
    "pelvis_lockout_deg",
    "the pelvis tipped backward beyond standing by",
    "the pelvis stayed short of standing by",
)

STEADY_PELVIS = MotionMeasures(((_ARCHED, _TIPPED, _TURNED, _ROLLED),))
"""Leg lifts: the pelvis should hardly move, so its own motion is the measure."""
TURNING_PELVIS = MotionMeasures(((_ARCHED, _TIPPED, _ROLLED),))
"""Where turning is the exercise."""
RISING_PELVIS = MotionMeasures(((_ARCHED,), (_REVERSED,)))
"""Bridge and thrust: one sensor cannot tell hip from back, a late reversal is what it can see."""
HINGE = MotionMeasures(((_BENT,), (_LOCKED_OUT,)))
SQUAT = MotionMeasures(((_BENT,), (_LEANT,)))


def measures_of(*, pelvis_turn: str, first_signal: str) -> MotionMeasures:
    """Tell which measures count, from what an exercise says of itself.

    Parameters
    ----------
    pelvis_turn
        What the pelvis does on the way out: ``little``, ``rotation``, ``pitch-backward`` or
        ``pitch-forward``.
    first_signal
        What repetitions are best found on; a hinge is found on the pitch of the pelvis.
    """
    if pelvis_turn == "little":
        return STEADY_PELVIS
    if pelvis_turn == "rotation":
        return TURNING_PELVIS
    if pelvis_turn == "pitch-backward":
        return RISING_PELVIS
    return HINGE if first_signal == MovementSignal.PELVIS_PITCH else SQUAT


@dataclass(frozen=True, slots=True)
class DetectableMotion:
    """Smallest difference of an angle from the reference that is more than scatter, and how that is known."""

    deg: float
    source: ChangeSource | None
    """``None`` for a limit of our choosing, or that of the sensor."""


def detectable_motion(reference: MotionReference) -> DetectableMotion:
    """Give the 95 % limit of the difference between one repetition and the mean of the reference set.

    From the person's own spread, as the prediction interval of Student's t, where there are at least
    `MIN_REPS_FOR_OWN_SPREAD` repetitions; else `USUAL_CHANGE_DEG`, or what the few repetitions varied by
    if that is more. Never less than the sensor's own error.
    """
    lumbar = reference.name == LUMBAR
    least = LEAST_LUMBAR_CHANGE_DEG if lumbar else LEAST_CHANGE_DEG
    means = math.sqrt(1.0 + 1.0 / max(reference.n_reps, 1))
    if reference.n_reps >= MIN_REPS_FOR_OWN_SPREAD:
        own = student_975(reference.n_reps - 1) * reference.rep_sd * means
        return (
            DetectableMotion(own, ChangeSource.OWN_SPREAD) if own > least else DetectableMotion(least, None)
        )
    usual = USUAL_LUMBAR_CHANGE_DEG if lumbar else USUAL_CHANGE_DEG
    own = Z_95 * reference.rep_sd * means
    return DetectableMotion(own, ChangeSource.OWN_SPREAD) if own > usual else DetectableMotion(usual, None)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One measure of one repetition beside the reference."""

    measure: MotionMeasure
    value: float
    mean: float
    limit: float

    @property
    def change(self) -> float:
        return self.value - self.mean

    @property
    def excess(self) -> float:
        """How far beyond the limit, as a multiple of it; up to 1 is within."""
        size = abs(self.change) if self.measure.beyond is Beyond.EITHER_SIDE else self.change
        return size / self.limit


def judge_motion(
    metrics: Sequence[Metric], reference: ReferenceSet | None, measures: MotionMeasures
) -> Judgement:
    """Judge one repetition by how the pelvis moved; a surrogate that knows nothing of muscles.

    Parameters
    ----------
    metrics
        Of this repetition.
    reference
        The person's own good set of this exercise.
    measures
        What counts in this exercise, from :func:`measures_of`.
    """
    if reference is None or not any(reference.find_motion(name) for name in measures.names):
        lacking = "no reference set" if reference is None else "no motion of the pelvis in your reference set"
        said = f"Counted from motion alone; there is {lacking} to compare with, so no verdict."
        return _motion(Verdict.NO_REFERENCE, said, VerdictReason.NO_REFERENCE)
    found = {metric.name: metric for metric in metrics}
    for group in measures.groups:
        compared = _compared(group, found, reference)
        if compared:
            return _decide(compared)
    reason = _why_missing(found, reference, measures)
    return _motion(Verdict.CANNOT_TELL, f"Cannot tell from motion: {reason}.", VerdictReason.NOT_MEASURED)


def _compared(
    group: Sequence[MotionMeasure], found: dict[str, Metric], reference: ReferenceSet
) -> list[_Compared]:
    compared = []
    for measure in group:
        metric, known = found.get(measure.name), reference.find_motion(measure.name)
        if metric is not None and metric.value is not None and known is not None:
            compared.append(_Compared(measure, metric.value, known.mean, detectable_motion(known).deg))
    return compared


def _decide(compared: Sequence[_Compared]) -> Judgement:
    beyond = [one for one in compared if one.excess > 1.0]
    # The farthest out is what the person should know of; when all are steady, the foremost.
    told = max(beyond, key=lambda one: one.excess) if beyond else compared[0]
    if beyond:
        said = f"Beyond range, from motion alone: {_outside(told)}."
        verdict, reason = Verdict.BEYOND_RANGE, VerdictReason.MOTION_BEYOND_RANGE
    else:
        said = f"Steady, from motion alone: {told.measure.said(told.value)}, within your reference."
        verdict, reason = Verdict.STEADY, VerdictReason.MOTION_IN_RANGE
    return _motion(verdict, said, reason, told)


def _outside(told: _Compared) -> str:
    size, most = abs(told.change), told.limit
    if told.measure.beyond is Beyond.EITHER_SIDE:
        digits = _digits(size, most)
        usual = f"{_degrees(size, digits)} from your reference, up to {most:.{digits}f} is usual"
    else:
        digits = _digits(told.value, told.mean + most)
        usual = f"up to {_degrees(told.mean + most, digits)}"
    return f"{told.measure.said(told.value, digits)}, outside your usual range ({usual})"


def _digits(value_deg: float, limit_deg: float) -> int:
    """Show tenths where whole degrees would look the same."""
    return int(round(value_deg) == round(limit_deg))


def _why_missing(found: dict[str, Metric], reference: ReferenceSet, measures: MotionMeasures) -> str:
    names = [name for name in measures.names if reference.find_motion(name) is not None]
    # The last group is what a single sensor gives; that is what is missed.
    reasons = [found[name].reason for name in reversed(names) if name in found]
    return next((reason for reason in reasons if reason), "the motion of the pelvis was not measured")


def _degrees(value_deg: float, digits: int = 0) -> str:
    # Adding 0.0 makes -0 a plain 0.
    text = f"{round(value_deg, digits) + 0.0:.{digits}f}"
    return f"{text} degree" if text == "1" else f"{text} degrees"


def _motion(
    verdict: Verdict, sentence: str, reason: VerdictReason, told: _Compared | None = None
) -> Judgement:
    change, limit = (None, None) if told is None else (told.change, told.limit)
    return Judgement(verdict, VerdictBasis.MOTION, sentence, reason, change, limit)

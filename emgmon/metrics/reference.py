"""The person's own good repetitions of one exercise: the only yardstick of compensation."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from emgmon.errors import ReferenceSetError
from emgmon.events import Metric, Quality
from emgmon.metrics.engagement import Z_95

PUBLISHED_REP_CV = 0.11
"""Smallest same-day within-person variation of one muscle's normalised amplitude
(Bolgla and Uhl 2007, J Electromyogr Kinesiol 17:102: 11 to 22 %)."""

PUBLISHED_DAY_CV = 0.18
"""Our allowance for one muscle's normalised amplitude from day to day, electrodes put on anew. Published are
11 to 22 % within a day (Bolgla and Uhl 2007) and, for the back over days, limits of change of 39 to 83 %."""

MIN_REPS = 3
"""Fewer repetitions are no reference set: one odd one would move their mean too far."""

MIN_REPS_FOR_OWN_SPREAD = 5
"""With fewer repetitions the person's own spread is too uncertain to use."""

SMALLEST_REP_SD = 0.034
"""No person is steadier: two seconds of ideal steady EMG scatter by 2.4 % in each of the two muscles."""

ACROSS_DAYS_CHANGE = Z_95 * math.sqrt(2.0) * math.sqrt(2.0) * PUBLISHED_DAY_CV
"""0.71, twice the ratio: new electrodes shift both muscles, however many repetitions are averaged."""

LOG_RATIO = "glute_back_log_ratio"

ANOTHER_PLACEMENT = 0
"""Stands for electrodes of another day whose number nobody kept; numbers count from 1."""

_REPEAT = (
    f"Record a set of at least {MIN_REPS_FOR_OWN_SPREAD} good repetitions, then make the reference of it."
)


@dataclass(frozen=True, slots=True)
class MotionReference:
    """How one measure of the pelvis was distributed over the person's own good set."""

    name: str
    """Of the metric, for example ``pelvis_rotation_range_deg``."""
    mean: float
    rep_sd: float
    """Standard deviation from repetition to repetition."""
    n_reps: int


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """How the log ratio of glute to back was distributed over the person's own good set."""

    exercise: str
    n_reps: int
    """Repetitions behind the log ratio."""
    log_ratio: float | None
    """Mean of ln(glute engagement / back engagement); ``None`` where the muscles were not measured."""
    rep_sd: float
    """Standard deviation of the log ratio from repetition to repetition."""
    motion: tuple[MotionReference, ...] = ()
    """What the pelvis did in the same set."""
    back_driven_log_ratio: float | None = None
    """Mean over a set that was driven by the back on purpose, where there is one."""
    made_utc: str | None = None
    """ISO 8601."""
    placement: int | None = None
    """Electrode placement it was measured with; another one makes the comparison one across days."""

    def find_motion(self, name: str) -> MotionReference | None:
        """Look up one measure of the pelvis."""
        return next((measure for measure in self.motion if measure.name == name), None)


class Comparison(enum.StrEnum):
    """What lies between a repetition and the reference set it is compared with."""

    WITHIN_SESSION = "within-session"
    """The electrodes were not touched."""
    ACROSS_DAYS = "across-days"
    """They were put on anew."""


class ChangeSource(enum.StrEnum):
    """Where a minimal detectable change was taken from."""

    OWN_SPREAD = "own-spread"
    """The scatter of the person's own reference repetitions."""
    PUBLISHED_SAME_DAY = "published-same-day"
    """What others vary from one repetition to the next, for want of repetitions of this person."""
    BETWEEN_DAYS = "between-days"
    """Our allowance for electrodes put on anew: no study of glute and back together gives one."""

    @property
    def words(self) -> str:
        """The same for a person."""
        return {
            ChangeSource.OWN_SPREAD: "your own spread",
            ChangeSource.PUBLISHED_SAME_DAY: "the published variation within a day",
            ChangeSource.BETWEEN_DAYS: "an allowance for electrodes put on anew",
        }[self]


@dataclass(frozen=True, slots=True)
class DetectableChange:
    """Smallest change of the log ratio that is more than scatter, and how that is known."""

    log_ratio: float
    source: ChangeSource

    @property
    def factor(self) -> float:
        """The same as a factor of the ratio of glute to back."""
        return math.exp(self.log_ratio)


def detectable_change(
    reference: ReferenceSet, *, n_reps: int = 1, comparison: Comparison = Comparison.WITHIN_SESSION
) -> DetectableChange:
    """Smallest change of the log ratio that is more than the person's own scatter.

    95 % limit of the difference between the mean of `n_reps` repetitions and the mean of the reference
    set. From the person's own spread it is the prediction interval of Student's t, which is wider the
    fewer repetitions that spread was learnt from. With fewer than `MIN_REPS_FOR_OWN_SPREAD`
    the published variation of both muscles, ``1.96 sqrt(2) CV sqrt(1/n + 1/n_reference)``, takes its place
    unless the person varied more than that. Across days it is never less than `ACROSS_DAYS_CHANGE`.

    Parameters
    ----------
    reference
        The good set.
    n_reps
        How many repetitions are averaged before comparing.
    comparison
        Whether the electrodes stayed where they were.

    Returns
    -------
    DetectableChange
        In units of the log ratio.
    """
    within = _within_session(reference, n_reps)
    if comparison is Comparison.ACROSS_DAYS and within.log_ratio < ACROSS_DAYS_CHANGE:
        return DetectableChange(ACROSS_DAYS_CHANGE, ChangeSource.BETWEEN_DAYS)
    return within


def minimal_detectable_change(
    reference: ReferenceSet, *, n_reps: int = 1, comparison: Comparison = Comparison.WITHIN_SESSION
) -> float:
    """Give :func:`detectable_change` as a plain number, in units of the log ratio."""
    return detectable_change(reference, n_reps=n_reps, comparison=comparison).log_ratio


def _within_session(reference: ReferenceSet, n_reps: int) -> DetectableChange:
    means = math.sqrt(1.0 / n_reps + 1.0 / max(reference.n_reps, 1))
    published = math.sqrt(2.0) * PUBLISHED_REP_CV
    own = reference.rep_sd if math.isfinite(reference.rep_sd) else 0.0
    if reference.n_reps >= MIN_REPS_FOR_OWN_SPREAD and own > 0.0:
        limit = student_975(reference.n_reps - 1) * max(own, SMALLEST_REP_SD) * means
        return DetectableChange(limit, ChangeSource.OWN_SPREAD)
    source = ChangeSource.OWN_SPREAD if own > published else ChangeSource.PUBLISHED_SAME_DAY
    return DetectableChange(Z_95 * max(own, published) * means, source)


_STUDENT_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)


def student_975(freedom: int) -> float:
    """Give the 97.5 % point of Student's t: a table, then its expansion about the normal distribution.

    Abramowitz and Stegun 26.7.5; from 13 degrees of freedom up two terms are within 0.1 %.
    """
    if freedom <= len(_STUDENT_975):
        return _STUDENT_975[freedom - 1]
    z = 1.959964
    first, second = (z**3 + z) / 4.0, (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    return z + first / freedom + second / freedom**2


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two measurements of the same thing may differ by, in its unit."""

    sem: float
    """Standard error of one measurement."""
    mdc95: float
    """Minimal detectable change between two."""


def minimal_detectable_difference(sd_diff: float) -> Agreement:
    """Turn the standard deviation of test-retest differences into SEM and minimal detectable change.

    SEM = SD / sqrt(2), MDC95 = 1.96 sqrt(2) SEM (Weir 2005, J Strength Cond Res 19:231, 10.1519/15184.1).
    """
    sem = sd_diff / math.sqrt(2.0)
    return Agreement(sem, Z_95 * math.sqrt(2.0) * sem)


def taken_elsewhere(reference: ReferenceSet) -> ReferenceSet:
    """Mark a reference set of another recording: unless its placement is known, it is another one."""
    return reference if reference.placement else replace(reference, placement=ANOTHER_PLACEMENT)


def comparison_of(reference: ReferenceSet, placement: int | None) -> Comparison:
    """Tell from the placement numbers whether electrodes stayed where they were.

    Two unknown numbers are those of one recording; one that is known and one that is not are
    nothing to rely on.
    """
    return Comparison.WITHIN_SESSION if reference.placement == placement else Comparison.ACROSS_DAYS


def reference_of(
    exercise: str,
    reps: Sequence[Sequence[Metric]],
    *,
    motion: Sequence[str] = (),
    back_driven: Sequence[Sequence[Metric]] = (),
    made_utc: str | None = None,
    placement: int | None = None,
) -> ReferenceSet:
    """Make a reference set of a person's own good repetitions.

    Parameters
    ----------
    exercise
        Its name; a reference serves no other.
    reps
        Metrics of each good repetition that votes. What was not measured or was rejected is left out.
    motion
        Names of the measures of the pelvis that matter in this exercise.
    back_driven
        The same of a set that was driven by the back on purpose.
    made_utc
        When the set was done, ISO 8601.
    placement
        Number of the electrode placement.

    Raises
    ------
    ReferenceSetError
        When neither the log ratio nor any of the measures was measured in `MIN_REPS` repetitions, or
        when the back-driven set cannot be told from the good one.
    """
    ratios = _values(reps, LOG_RATIO)
    pelvis = [(name, values) for name in motion if len(values := _values(reps, name)) >= MIN_REPS]
    if len(ratios) < MIN_REPS and not pelvis:
        raise _too_few(reps, len(ratios))
    measured = len(ratios) >= MIN_REPS
    good = ReferenceSet(
        exercise=exercise,
        n_reps=len(ratios) if measured else 0,
        log_ratio=_mean(ratios) if measured else None,
        rep_sd=_sd(ratios) if measured else 0.0,
        motion=tuple(MotionReference(name, _mean(v), _sd(v), len(v)) for name, v in pelvis),
        back_driven_log_ratio=None,
        made_utc=made_utc,
        placement=placement,
    )
    return _with_back_driven(good, back_driven) if back_driven else good


def _with_back_driven(good: ReferenceSet, reps: Sequence[Sequence[Metric]]) -> ReferenceSet:
    ratios = _values(reps, LOG_RATIO)
    if good.log_ratio is None or len(ratios) < MIN_REPS:
        raise _too_few(reps, len(ratios), said="the back-driven set")
    below, limit = good.log_ratio - _mean(ratios), minimal_detectable_change(good, n_reps=len(ratios))
    if below <= limit:
        raise ReferenceSetError(
            f"the back-driven set lies {below:.2f} below the good one in the log ratio, and less than "
            f"{limit:.2f} may be chance",
            advice="Let the back lead clearly in that set, or leave it out: it is not needed.",
        )
    return replace(good, back_driven_log_ratio=_mean(ratios))


def _too_few(reps: Sequence[Sequence[Metric]], n: int, *, said: str = "the set") -> ReferenceSetError:
    reasons = [m.reason for rep in reps for m in rep if m.name == LOG_RATIO and m.value is None and m.reason]
    why = f": {reasons[0]}" if reasons else ""
    return ReferenceSetError(
        f"{said} has {n} measured repetitions of {len(reps)}, and a reference needs {MIN_REPS}{why}",
        advice=_REPEAT,
    )


def _values(reps: Sequence[Sequence[Metric]], name: str) -> list[float]:
    return [
        metric.value
        for rep in reps
        for metric in rep
        if metric.name == name and metric.value is not None and metric.quality is not Quality.REJECT
    ]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _sd(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))

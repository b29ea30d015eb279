"""Runs drawn athletes through the real engine and holds every figure and verdict against the truth."""

import math
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from benchmarks.accuracy_draws import (
    BOTH_SIDES,
    BOTH_WORK,
    JUDGED_SET,
    LEFT_ONLY,
    SWEEP,
    Athlete,
    Condition,
    Montage,
)
from benchmarks.live import Outcome
from benchmarks.scoring import match
from emgmon.errors import ReferenceSetError
from emgmon.events import HOP_RATE_HZ, Metric, RepCompleted, SetCompleted, Verdict
from emgmon.metrics.fatigue import relative_to_start, theil_sen
from emgmon.metrics.reference import ReferenceSet, minimal_detectable_change, reference_of
from emgmon.metrics.verdict import judge, verdict_at
from emgmon.recording.columns import join
from emgmon.refining import refine
from emgmon.session import Session, SessionSetup
from emgmon.virtual.activation import MuscleActivation
from emgmon.virtual.athlete import Performance, activate_muscles, perform
from emgmon.virtual.plan import RepPlan, make_plan
from emgmon.virtual.simulate import transmit, write_recording
from emgmon.virtual.truth import RepTruth

Item = TypeVar("Item")

SHARE, LOG_RATIO = "glute_share_pct", "glute_back_log_ratio"

REP_METRICS = (
    SHARE,
    LOG_RATIO,
    "glute_engagement_pct",
    "back_engagement_pct",
    "onset_difference_ms",
    "median_frequency_hz",
    "squeeze_sustain_pct",
    "late_back_surge",
    "symmetry_pct",
    "pelvis_pitch_range_deg",
    "pelvis_anterior_change_deg",
    "pelvis_obliquity_range_deg",
    "pelvis_rotation_range_deg",
    "pelvis_reversal_deg",
    "pelvis_lockout_deg",
)
"""Figures of a repetition that are held against the truth."""

SLOPE = "fatigue_slope_pct_per_rep"

ONE_ELECTRODE = (SHARE, LOG_RATIO, "glute_engagement_pct", "back_engagement_pct")
"""Of these the truth of one side is told, too."""

OF_PHASES = (*ONE_ELECTRODE, "squeeze_sustain_pct")
"""These differ between the work and the whole of a repetition; truth is that of what the figure is one of."""

Pairs = Sequence[tuple[RepCompleted, "RepOfAthlete"]]

TRUE_NAMES = {"median_frequency_hz": "glute_median_frequency_hz"}
"""Metrics that the truth calls by another name."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one repetition, or of one set, and what is true."""

    group: tuple[str, str, str]
    """Condition, montage, exercise."""
    of: str
    """``rep`` or ``set``."""
    name: str
    true: float
    value: float | None
    low: float | None
    high: float | None
    whole: bool = False
    """Whether the phases of the repetition were not known and the figure is one of all of it."""
    reason: str | None = None
    """Why it was not measured."""


@dataclass(frozen=True, slots=True)
class RepOfAthlete:
    """What is true of one repetition."""

    truth: RepTruth
    whole: RepTruth
    """The same with every amplitude over all of the repetition instead of its work."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict and what it should have been."""

    group: tuple[str, str, str]
    reference: str
    """``measured`` or ``model``."""
    share_pct: float
    """True glute share."""
    change: float
    """True log ratio less that of the reference set, in minimal detectable changes."""
    true: Verdict
    said: Verdict
    reason: str


@dataclass(slots=True)
class Result:
    """All that one athlete gave."""

    figures: list[Figure] = field(default_factory=list)
    verdicts: list[Judged] = field(default_factory=list)
    n_true: int = 0
    n_found: int = 0
    n_false: int = 0
    no_reference: list[str] = field(default_factory=list)
    """Why no reference set could be made, in words."""


@dataclass(slots=True)
class Heard:
    """What the engine said of one recording."""

    outcome: Outcome = field(default_factory=Outcome)
    sets: list[SetCompleted] = field(default_factory=list)

    @property
    def voting(self) -> list[RepCompleted]:
        return [rep for rep in self.outcome.reps if rep.excluded is None]


def mapped(jobs: Sequence[Athlete], n_workers: int) -> Iterator[Result]:
    """Run all athletes in order; equal arguments give equal results, whatever the number of workers."""
    if n_workers <= 1:
        yield from with_progress(map(run_athlete, jobs), len(jobs))
        return
    with multiprocessing.get_context("spawn").Pool(n_workers) as pool:
        yield from with_progress(pool.imap(run_athlete, jobs, chunksize=4), len(jobs))


def with_progress(results: Iterable[Item], n_jobs: int) -> Iterator[Item]:
    began, told = time.monotonic(), time.monotonic()
    for done, result in enumerate(results, start=1):
        now = time.monotonic()
        if now - told > 15.0:
            left_s = (now - began) / done * (n_jobs - done)
            print(f"  {done} of {n_jobs} athletes, {left_s:.0f} s to go", file=sys.stderr)
            told = now
        yield result


def run_athlete(athlete: Athlete) -> Result:
    good, measured = perform(athlete.good), perform(athlete.measured)
    true = true_reps(athlete, measured)
    montages = [BOTH_SIDES]
    if athlete.exercise in BOTH_WORK and athlete.condition in SWEEP:
        montages.append(LEFT_ONLY)
    result = Result()
    for montage in montages:
        _run_worn(montage, montage.worn(good), montage.worn(measured), true, athlete, result)
    return result


def true_reps(athlete: Athlete, performance: Performance) -> list[RepOfAthlete]:
    """Truth as told, and the same over whole repetitions from the same noise-free curves."""
    plan = make_plan(athlete.measured)
    curves = activate_muscles(plan, athlete.measured)
    pairs = zip(performance.truth.reps, plan.reps, strict=True)
    return [RepOfAthlete(truth, _over_the_whole(truth, rep, *curves)) for truth, rep in pairs]


def _over_the_whole(
    truth: RepTruth, rep: RepPlan, glute: MuscleActivation, back: MuscleActivation
) -> RepTruth:
    stretch_s = rep.start_s, rep.end_s
    glutes_pct = [curve.mean(*stretch_s) for curve in (glute.left, glute.right)]
    backs_pct = [curve.mean(*stretch_s) for curve in (back.left, back.right)]
    times_s = np.arange(*stretch_s, 1.0 / HOP_RATE_HZ)
    level_pct = (glute.left.at(times_s) + glute.right.at(times_s)) / 2.0
    return msgspec.structs.replace(
        truth,
        glute_engagement_pct=statistics.fmean(glutes_pct),
        back_engagement_pct=statistics.fmean(backs_pct),
        glute_left_engagement_pct=glutes_pct[0],
        back_left_engagement_pct=backs_pct[0],
        squeeze_sustain_pct=100.0 * float(np.mean(level_pct >= 0.5 * np.percentile(level_pct, 95))),
    )


def _run_worn(
    montage: Montage,
    good: Performance,
    measured: Performance,
    true: Sequence[RepOfAthlete],
    athlete: Athlete,
    result: Result,
) -> None:
    group = (athlete.condition.name, montage.name, athlete.exercise)
    reference = None
    try:
        reps = run(good, athlete.condition, reference=None, seed=athlete.seed).voting
        reference = reference_of(athlete.exercise, [rep.metrics for rep in reps])
    except ReferenceSetError as error:
        result.no_reference.append(f"{group[0]}: {error}")
    heard = run(measured, athlete.condition, reference=reference, seed=athlete.seed + 1)
    found = match(heard.outcome.reps, [rep.truth for rep in true])
    if montage is BOTH_SIDES:
        result.n_true += len(true)
        result.n_found += len(found.pairs)
        result.n_false += len(found.false)
    pairs = [(heard.outcome.reps[i], true[j]) for i, j in found.pairs]
    for rep, truth in pairs:
        result.figures += rep_figures(group, montage, rep, truth)
        if truth.truth.set == JUDGED_SET:
            result.verdicts += _verdicts(group, montage, rep, truth, reference, measured.reference)
    for done in heard.sets:
        result.figures += _set_figures(group, montage, done, pairs)


def run(
    performance: Performance, condition: Condition, *, reference: ReferenceSet | None, seed: int
) -> Heard:
    setup = SessionSetup(
        sensors=(performance.capabilities,),
        exercise=performance.exercise,
        calibration=performance.calibration,
        reference=reference,
        alignments=performance.alignments,
    )
    if condition.second_look:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "set.arrows"
            write_recording(performance, path, loss_pct=condition.loss_pct, seed=seed)
            found = refine(path, performance.calibration)
        setup = replace(setup, refinements=found.streams, calibration=found.calibration)
    session, heard = Session(setup), Heard()
    # The same events as second by second, sooner.
    everything = join(list(transmit(performance, loss_pct=condition.loss_pct, seed=seed).seconds()))
    for events in (session.receive_many(everything), session.finish()):
        for event in events:
            heard.outcome.take(event, None)
            if isinstance(event, SetCompleted):
                heard.sets.append(event)
    return heard


def is_whole(rep: RepCompleted) -> bool:
    """Whether its phases were not known."""
    return all(metric.value is None for metric in rep.metrics if metric.name == "lift_s")


def rep_figures(
    group: tuple[str, str, str], montage: Montage, rep: RepCompleted, truth: RepOfAthlete
) -> Iterator[Figure]:
    names, whole = REP_METRICS if montage is BOTH_SIDES else ONE_ELECTRODE, is_whole(rep)
    for metric in rep.metrics:
        true = true_value(metric.name, montage, rep, truth) if metric.name in names else None
        if true is not None:
            yield _figure(group, "rep", metric, true, whole=whole)


def _figure(group: tuple[str, str, str], of: str, metric: Metric, true: float, *, whole: bool) -> Figure:
    reason = metric.reason if metric.value is None else None
    return Figure(group, of, metric.name, true, metric.value, metric.low, metric.high, whole, reason)


def true_value(name: str, montage: Montage, rep: RepCompleted, truth: RepOfAthlete) -> float | None:
    """What is true of a repetition; ``None`` where the truth does not tell."""
    true = truth.whole if is_whole(rep) else truth.truth
    glute_pct, back_pct = montage.engagements_pct(true)
    of_montage = {
        SHARE: 100.0 * glute_pct / (glute_pct + back_pct),
        LOG_RATIO: math.log(glute_pct / back_pct),
        "glute_engagement_pct": glute_pct,
        "back_engagement_pct": back_pct,
    }
    if name in of_montage:
        return of_montage[name]
    value: float | None = getattr(true, TRUE_NAMES.get(name, name))
    return value


def _verdicts(
    group: tuple[str, str, str],
    montage: Montage,
    rep: RepCompleted,
    truth: RepOfAthlete,
    measured: ReferenceSet | None,
    model: ReferenceSet | None,
) -> Iterator[Judged]:
    """The engine's verdict by the measured reference set, and by the same rule that of the model's."""
    true = true_value(LOG_RATIO, montage, rep, truth)
    assert true is not None
    if measured is not None and measured.log_ratio is not None and rep.grounds is not None:
        yield _judged(group, "measured", true, measured, rep.verdict, rep.grounds.reason)
    if model is not None and montage is BOTH_SIDES:
        found = {metric.name: metric for metric in rep.metrics}
        said = judge(
            glute=found["glute_engagement_pct"],
            back=found["back_engagement_pct"],
            share=found[SHARE],
            log_ratio=found[LOG_RATIO],
            reference=model,
            has_emg=True,
            channels=rep.channels,
        )
        yield _judged(group, "model", true, model, said.verdict, said.reason.value)


def _judged(
    group: tuple[str, str, str],
    kind: str,
    true_log_ratio: float,
    reference: ReferenceSet,
    said: Verdict,
    reason: str,
) -> Judged:
    assert reference.log_ratio is not None
    return Judged(
        group=group,
        reference=kind,
        share_pct=100.0 / (1.0 + math.exp(-true_log_ratio)),
        change=(true_log_ratio - reference.log_ratio) / minimal_detectable_change(reference),
        true=verdict_at(true_log_ratio, reference),
        said=said,
        reason=reason,
    )


def _set_figures(
    group: tuple[str, str, str], montage: Montage, done: SetCompleted, pairs: Pairs
) -> Iterator[Figure]:
    """Means of a set against the mean truth of the repetitions behind them."""
    own = [(rep, truth) for rep, truth in pairs if rep.set_number == done.set_number and rep.excluded is None]
    names = {*REP_METRICS} if montage is BOTH_SIDES else {*ONE_ELECTRODE}
    whole = any(is_whole(rep) for rep, _ in own)
    for metric in done.summary:
        if metric.name == SLOPE and montage is BOTH_SIDES:
            true: float | None = _true_slope(own)
        elif metric.name in names:
            true = _true_mean(metric.name, montage, own)
        else:
            continue
        if true is not None:
            yield _figure(group, "set", metric, true, whole=whole)


def _true_mean(name: str, montage: Montage, own: Pairs) -> float | None:
    """Mean truth of the repetitions in which it was measured; the median where the set's figure is one."""
    values = [
        true
        for rep, truth in own
        if any(one.name == name and one.value is not None for one in rep.metrics)
        and (true := true_value(name, montage, rep, truth)) is not None
    ]
    if not values:
        return None
    return statistics.median(values) if name == "onset_difference_ms" else statistics.fmean(values)


def _true_slope(own: Pairs) -> float | None:
    """Slope of the true median frequency over the repetitions of one side, as the engine takes it."""
    sides = [rep.side for rep, _ in own]
    most = max(dict.fromkeys(sides), key=sides.count, default=None)
    of_side = [(rep, truth.truth) for rep, truth in own if rep.side == most]
    if not of_side:
        return None
    frequency_hz = [truth.glute_median_frequency_hz or math.nan for _, truth in of_side]
    slope = theil_sen([float(rep.number or 0) for rep, _ in of_side], relative_to_start(frequency_hz))
    return None if slope is None else slope.value

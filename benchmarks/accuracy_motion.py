"""Verdicts from motion alone: steady or beyond range, against the same rule applied to the true angles.

Drawn, uniform
    one sensor on the pelvis, in every other draw one at T12/L1 as well; length of every part 0.7 to 1.5 and
    way 0.7 to 1.3 times the exercise's mean, swing on the skin 0.1 to 0.6 degrees RMS. A good set of 10 gives
    the reference set through the engine. Of two sets of 10 the second is judged; it differs by one thing,
    drawn from those that the exercise has: nothing; pitch -10 to 15, obliquity or rotation -15 to 15 degrees;
    a reversal or a lock-out of 0 to 15 degrees; a lumbar share of 0 to 0.5.
"""

import multiprocessing
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.accuracy_draws import EXERCISES, JUDGED_SET, N_REPS, QUICK_EXERCISES, SEEDS_EACH, usual
from benchmarks.accuracy_runs import Figure, Heard, run, with_progress
from benchmarks.accuracy_tables import DIGITS, HEAD, Goal, cells, line_of, reasons
from benchmarks.scoring import aligned, match, percent
from emgmon.events import Metric, Quality, Verdict
from emgmon.exercises import load_exercise
from emgmon.metrics.motion_verdict import (
    Beyond,
    MotionMeasures,
    detectable_motion,
    judge_motion,
    measures_of,
)
from emgmon.metrics.reference import ReferenceSet, reference_of
from emgmon.virtual.athlete import perform
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.truth import RepTruth

FIRST_SEED = 80_000

N_DRAWS = 20
"""Of each exercise."""

LARGEST_DEG = 15.0

RIGHT_PCT = 95.0

CLEAR = 1.5
"""A truth so many limits out is clear; so is one that many times within."""

ANGLES = (
    "pelvis_pitch_range_deg",
    "pelvis_anterior_change_deg",
    "pelvis_obliquity_range_deg",
    "pelvis_rotation_range_deg",
    "pelvis_reversal_deg",
    "pelvis_lockout_deg",
    "lumbar_extension_deg",
)


@dataclass(frozen=True, slots=True)
class MotionDraw:
    exercise: str
    number: int

    @property
    def seed(self) -> int:
        return FIRST_SEED + SEEDS_EACH * EXERCISES.index(self.exercise) + self.number

    @property
    def sites(self) -> tuple[str, ...]:
        return ("pelvis", "lumbar") if self.number % 2 else ("pelvis",)

    def params(self) -> tuple[str, AthleteParams, AthleteParams]:
        """What is unusual, the good set, and what is judged."""
        chance = np.random.default_rng([self.seed, zlib.crc32(self.exercise.encode())])
        common: dict[str, Any] = {
            "exercise": self.exercise,
            "seed": self.seed,
            "n_reps": N_REPS,
            "emg": False,
            "imu_sites": self.sites,
            "tempo_scale": float(chance.uniform(0.7, 1.5)),
            "range_scale": float(chance.uniform(0.7, 1.3)),
            "wobble_deg": float(chance.uniform(0.1, 0.6)),
        }
        kinds = list(_unusual(self.exercise))
        name, low, high = kinds[int(chance.integers(len(kinds)))]
        unusual = {name: float(chance.uniform(low, high))} if name != "nothing" else {}
        return name, AthleteParams(n_sets=1, **common), AthleteParams(n_sets=JUDGED_SET, **common, **unusual)


def _unusual(exercise: str) -> Iterator[tuple[str, float, float]]:
    model = EXERCISE_MODELS[exercise]
    yield "nothing", 0.0, 0.0
    yield "pitch_excess_deg", -10.0, LARGEST_DEG
    yield "obliquity_excess_deg", -LARGEST_DEG, LARGEST_DEG
    yield "rotation_excess_deg", -LARGEST_DEG, LARGEST_DEG
    yield "lumbar_share", 0.0, 0.5
    if model.tips_backward:
        yield "reversal_deg", 0.0, LARGEST_DEG
    if model.locks_out:
        yield "lockout_deg", 0.0, LARGEST_DEG


@dataclass(frozen=True, slots=True)
class JudgedMotion:
    exercise: str
    sites: tuple[str, ...]
    unusual: str
    true: Verdict
    said: Verdict
    excess: float
    """How far out the truth lies, in limits; up to 1 is within."""


@dataclass(slots=True)
class MotionResult:
    verdicts: list[JudgedMotion] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    n_true: int = 0
    n_found: int = 0


def run_draw(draw: MotionDraw) -> MotionResult:
    unusual, good_params, params = draw.params()
    exercise, result = load_exercise(draw.exercise), MotionResult()
    measures = measures_of(pelvis_turn=exercise.pelvis_turn, first_signal=exercise.signals[0].on)
    still = usual(15.0)
    good = run(perform(good_params), still, reference=None, seed=draw.seed)
    reference = reference_of(draw.exercise, [rep.metrics for rep in good.voting], motion=measures.names)
    performance = perform(params)
    heard = run(performance, still, reference=reference, seed=draw.seed + 1)
    true = [rep for rep in performance.truth.reps if rep.set == JUDGED_SET]
    result.n_true = len(true)
    for i, j in match(heard.outcome.reps, true).pairs:
        rep, truth = heard.outcome.reps[i], true[j]
        result.n_found += 1
        metrics = true_metrics(truth, lumbar="lumbar" in draw.sites)
        result.verdicts.append(
            JudgedMotion(
                exercise=draw.exercise,
                sites=draw.sites,
                unusual=unusual,
                true=judge_motion(metrics, reference, measures).verdict,
                said=rep.verdict,
                excess=true_excess(metrics, reference, measures),
            )
        )
        result.figures += _figures(draw, heard, i, truth)
    return result


def true_metrics(truth: RepTruth, *, lumbar: bool) -> list[Metric]:
    """The true angles as if they had been measured exactly."""
    found = []
    for name in ANGLES:
        value = getattr(truth, name)
        if value is not None and (lumbar or name != "lumbar_extension_deg"):
            found.append(Metric(name, value, value, value, 1, Quality.GOOD))
    return found


def true_excess(metrics: Sequence[Metric], reference: ReferenceSet, measures: MotionMeasures) -> float:
    """How far out the true angle lies that lies farthest out, in limits."""
    value = {metric.name: metric.value for metric in metrics}
    for group in measures.groups:
        excesses = []
        for measure in group:
            known, angle_deg = reference.find_motion(measure.name), value.get(measure.name)
            if known is None or angle_deg is None:
                continue
            change = angle_deg - known.mean
            size = abs(change) if measure.beyond is Beyond.EITHER_SIDE else change
            excesses.append(size / detectable_motion(known).deg)
        if excesses:
            return max(excesses)
    return 0.0


def _figures(draw: MotionDraw, heard: Heard, place: int, truth: RepTruth) -> Iterator[Figure]:
    for metric in heard.outcome.reps[place].metrics:
        true = getattr(truth, metric.name) if metric.name in ANGLES else None
        if true is not None and not (metric.name == "lumbar_extension_deg" and "lumbar" not in draw.sites):
            group = ("motion", ", ".join(draw.sites), draw.exercise)
            reason = metric.reason if metric.value is None else None
            yield Figure(
                group, "rep", metric.name, true, metric.value, metric.low, metric.high, reason=reason
            )


def run_motion(*, quick: bool, n_jobs: int) -> list[MotionResult]:
    exercises, n_draws = (QUICK_EXERCISES, 4) if quick else (EXERCISES, N_DRAWS)
    draws = [MotionDraw(exercise, number) for number in range(1, n_draws + 1) for exercise in exercises]
    if n_jobs <= 1:
        return list(with_progress(map(run_draw, draws), len(draws)))
    with multiprocessing.get_context("spawn").Pool(n_jobs) as pool:
        return list(with_progress(pool.imap(run_draw, draws, chunksize=4), len(draws)))


Keep = Callable[[JudgedMotion], bool]

VERDICT_HEAD = ("n", "beyond", "called so %", "steady", "called so %", "clear", "right %", "cannot tell %")


def _cells(judged: Sequence[JudgedMotion]) -> tuple[str, ...]:
    beyond = [one for one in judged if one.true is Verdict.BEYOND_RANGE]
    steady = [one for one in judged if one.true is Verdict.STEADY]
    clear = [one for one in judged if is_clear(one)]
    return (
        str(len(judged)),
        str(len(beyond)),
        percent(sum(map(is_right, beyond)), len(beyond)),
        str(len(steady)),
        percent(sum(map(is_right, steady)), len(steady)),
        str(len(clear)),
        percent(sum(map(is_right, clear)), len(clear)),
        percent(sum(one.said is Verdict.CANNOT_TELL for one in judged), len(judged)),
    )


def is_right(one: JudgedMotion) -> bool:
    return one.said is one.true


def is_clear(one: JudgedMotion) -> bool:
    return one.excess > CLEAR or one.excess < 1.0 / CLEAR


def _by(judged: Sequence[JudgedMotion], title: str, key: Callable[[JudgedMotion], str]) -> str:
    labels = list(dict.fromkeys(map(key, judged)))
    rows = [(label, *_cells([one for one in judged if key(one) == label])) for label in labels]
    return aligned([(title, *VERDICT_HEAD), *rows])


def print_motion(results: Sequence[MotionResult]) -> list[Goal]:
    judged = [one for result in results for one in result.verdicts]
    n_true, n_found = sum(result.n_true for result in results), sum(result.n_found for result in results)
    print(f"\nverdicts from motion alone: {n_found} of {n_true} repetitions found")
    print(_by(judged, "exercise", lambda one: one.exercise))
    print()
    print(_by(judged, "worn at", lambda one: ", ".join(one.sites)))
    print()
    print(_by(judged, "what is unusual", lambda one: one.unusual))
    print()
    print(_by(judged, "how far out the truth is", _distance))
    figures = [figure for result in results for figure in result.figures]
    print("\nangles, degrees, each repetition; no EMG worn")
    rows = []
    for name in ANGLES:
        own = [one for one in figures if one.name == name]
        if own:
            rows.append((name, str(len(own)), *cells(line_of(own), DIGITS.get(name, 2)), reasons(own)))
    print(aligned([("angle", "n", *HEAD), *rows]))
    counted = Counter(map(is_right, [one for one in judged if one.true is Verdict.BEYOND_RANGE]))
    steady = Counter(map(is_right, [one for one in judged if one.true is Verdict.STEADY]))
    return [
        _goal("motion alone, truly beyond range: called so", counted),
        _goal("motion alone, truly steady: called so", steady),
        _goal("motion alone, clear cases: right", Counter(map(is_right, filter(is_clear, judged)))),
    ]


def _distance(one: JudgedMotion) -> str:
    edges = (0.67, 1.0, 1.5, 2.0)
    below = next((edge for edge in edges if one.excess < edge), None)
    return f"beyond {edges[-1]:g} limits" if below is None else f"less than {below:g} limits"


def _goal(what: str, counted: Counter[bool]) -> Goal:
    n, right = sum(counted.values()), counted[True]
    share = 100.0 * right / n if n else 0.0
    return Goal(what, f"at least {RIGHT_PCT:g} %", f"{share:.1f} % of {n}", share >= RIGHT_PCT)

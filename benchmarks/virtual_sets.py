"""Performs drawn sets, feeds them to the engine and holds what it says against what was performed."""

import itertools
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.live import Outcome, run_batches, run_live
from benchmarks.scoring import match
from benchmarks.virtual_draws import WAYS_TO_WEAR, VirtualSet, draw_set, n_performances
from emgmon.events import MovementSignal, RepCompleted
from emgmon.session import SessionSetup
from emgmon.virtual.athlete import Performance, perform
from emgmon.virtual.simulate import transmit
from emgmon.virtual.truth import RepTruth

LIVE_EVERY = 10
"""One performance in so many is fed notification by notification, for the delay; others second by second."""

METRICS = (
    "pelvis_pitch_range_deg",
    "pelvis_anterior_change_deg",
    "pelvis_rotation_range_deg",
    "pelvis_obliquity_range_deg",
    "pelvis_height_range_m",
    "lumbar_extension_deg",
)
"""Figures of a repetition that are held against the truth."""

Kind = tuple[str, str, str]
"""Exercise, group, way to wear."""


@dataclass(slots=True)
class SetScore:
    """One true set: what was counted from half-way before it to half-way behind it."""

    true: int
    counted: int

    @property
    def off(self) -> int:
        return abs(self.true - self.counted)


@dataclass(slots=True)
class Score:
    """One performance against its truth."""

    drawn: VirtualSet
    signal: str = "-"
    sets: list[SetScore] = field(default_factory=list)
    start_errors_s: list[float] = field(default_factory=list)
    """Counted less true, of repetitions that were both; ends likewise."""
    end_errors_s: list[float] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    minutes: float = 0.0
    n_false: int = 0
    """Counted, and there was none, full or partial."""
    n_partial: int = 0
    """Partial ones that were counted."""
    n_missed: int = 0
    sides_true: int = 0
    sides_right: int = 0
    sides_wrong: int = 0
    errors: dict[str, list[float]] = field(default_factory=dict)
    """By metric: measured less true."""
    story: list[str] = field(default_factory=list)
    """What went wrong, where anything did."""
    classes: set[str] = field(default_factory=set)
    """The same in a few words that many misses share."""

    @property
    def exact(self) -> bool:
        return all(one.off == 0 for one in self.sets)


def run_virtual(plan: Sequence[Kind], *, n_sets: int, n_workers: int) -> dict[Kind, list[Score]]:
    """Run all draws; equal arguments give equal scores, whatever the number of workers."""
    jobs = [
        (kind, seed)
        for kind in plan
        for seed in range(1, n_performances(n_sets, group=kind[1], wear=kind[2]) + 1)
    ]
    scores: dict[Kind, list[Score]] = {kind: [] for kind in plan}
    for (kind, _), score in zip(jobs, _mapped(jobs, n_workers), strict=True):
        scores[kind].append(score)
    return scores


def _mapped(jobs: Sequence[tuple[Kind, int]], n_workers: int) -> Iterator[Score]:
    if n_workers <= 1:
        yield from _with_progress(map(_run_job, jobs), len(jobs))
        return
    with multiprocessing.get_context("spawn").Pool(n_workers) as pool:
        yield from _with_progress(pool.imap(_run_job, jobs, chunksize=8), len(jobs))


def _with_progress(scores: Iterator[Score], n_jobs: int) -> Iterator[Score]:
    began, told = time.monotonic(), 0.0
    for done, score in enumerate(scores, start=1):
        now = time.monotonic()
        if now - told > 10.0 or done == n_jobs:
            left_s = (now - began) / done * (n_jobs - done)
            print(f"  {done} of {n_jobs} performances, {left_s:.0f} s to go", file=sys.stderr)
            told = now
        yield score


def _run_job(job: tuple[Kind, int]) -> Score:
    (exercise, group, wear), seed = job
    drawn = draw_set(exercise, group=group, wear=wear, seed=seed)
    return score_set(drawn, as_live=seed % LIVE_EVERY == 0)


def score_set(drawn: VirtualSet, *, as_live: bool) -> Score:
    performance = perform(drawn.params)
    return judge(drawn, performance, run(drawn, performance, as_live=as_live))


def run(drawn: VirtualSet, performance: Performance, *, as_live: bool) -> Outcome:
    setup = SessionSetup(
        sensors=(performance.capabilities,),
        exercise=performance.exercise,
        calibration=performance.calibration,
        reference=performance.reference,
        alignments=performance.alignments if WAYS_TO_WEAR[drawn.wear].bows else (),
    )
    batches = transmit(performance, seed=drawn.seed).seconds()
    return run_live(setup, batches) if as_live else run_batches(setup, batches)


def judge(drawn: VirtualSet, performance: Performance, outcome: Outcome) -> Score:
    true = expected_reps(drawn, performance, outcome)
    full, reps = [rep for rep in true if not rep.partial], outcome.reps
    score = Score(drawn, "-" if outcome.signal is None else outcome.signal.value)
    found = match(reps, true)
    for i, j in found.pairs:
        if true[j].partial:
            score.n_partial += 1
        else:
            _compare(score, reps[i], true[j])
    missed = [true[j] for j in found.missed if not true[j].partial]
    score.n_false, score.n_missed = len(found.false), len(missed)
    score.sets, score.delays_s = _set_scores(full, reps), outcome.delays_s
    score.minutes = outcome.duration_s / 60.0
    if not score.exact:
        partial = [rep for i, j in found.pairs if true[j].partial for rep in (reps[i],)]
        false = [reps[i] for i in found.false]
        score.story = _story(false, partial, missed, outcome, performance)
        score.classes = _classes(score, false, missed, performance)
    return score


def expected_reps(drawn: VirtualSet, performance: Performance, outcome: Outcome) -> list[RepTruth]:
    """True repetitions; with a sensor on one thigh only those of its leg, where each leg works by itself."""
    reps = list(performance.truth.reps)
    if outcome.signal is not MovementSignal.THIGH_PITCH:
        return reps
    return [rep for rep in reps if rep.side in (None, drawn.params.worn_thigh)]


def _compare(score: Score, rep: RepCompleted, true: RepTruth) -> None:
    score.start_errors_s.append(rep.start_s - true.start_s)
    score.end_errors_s.append(rep.end_s - true.end_s)
    if true.side is not None:
        score.sides_true += 1
        score.sides_right += rep.side == true.side
        score.sides_wrong += rep.side is not None and rep.side != true.side
    for metric in rep.metrics:
        if metric.name in METRICS and metric.value is not None:
            error = metric.value - getattr(true, metric.name)
            score.errors.setdefault(metric.name, []).append(error)


def _set_scores(full: Sequence[RepTruth], reps: Sequence[RepCompleted]) -> list[SetScore]:
    """Share out what was counted among the true sets: each reaches half-way to the next."""
    sets = [list(of) for _, of in itertools.groupby(full, key=lambda rep: rep.set)]
    halves_s = [(one[-1].end_s + other[0].start_s) / 2.0 for one, other in itertools.pairwise(sets)]
    limits_s = [-1.0, *halves_s, float("inf")]
    return [
        SetScore(len(of), sum(first_s <= rep.turn_s < last_s for rep in reps))
        for of, (first_s, last_s) in zip(sets, itertools.pairwise(limits_s), strict=True)
    ]


def _classes(
    score: Score, false: Sequence[RepCompleted], missed: Sequence[RepTruth], performance: Performance
) -> set[str]:
    classes = {f"{_rhythm(score.drawn)}: {_which(missed, score)} missed"} if missed else set()
    for rep in false:
        during = _moves_during(rep, performance)
        classes.add(f"false in {during[0]}" if during else "false within a set")
    return classes | ({"partial counted"} if score.n_partial else set())


def _which(missed: Sequence[RepTruth], score: Score) -> str:
    if len(missed) == sum(one.true for one in score.sets):
        return "all"
    if all(rep.number == 1 for rep in missed):
        return "first"
    return "most" if 2 * len(missed) > sum(one.true for one in score.sets) else "some"


def _rhythm(drawn: VirtualSet) -> str:
    params = drawn.params
    if params.pause_s is not None:
        return "pulses"
    return "usual" if params.hold_s is None else "held"


def _moves_during(rep: RepCompleted, performance: Performance) -> list[str]:
    moves = performance.truth.set_up
    return [move.kind for move in moves if move.start_s < rep.end_s and rep.start_s < move.end_s]


def _story(
    false: Sequence[RepCompleted],
    partial: Sequence[RepCompleted],
    missed: Sequence[RepTruth],
    outcome: Outcome,
    performance: Performance,
) -> list[str]:
    def during(rep: RepCompleted) -> str:
        kinds = _moves_during(rep, performance)
        return f" ({', '.join(kinds)})" if kinds else ""

    said = [f"false {rep.start_s:.2f}-{rep.end_s:.2f}{during(rep)}" for rep in false]
    said += [f"partial counted {rep.start_s:.2f}-{rep.end_s:.2f}" for rep in partial]
    said += _missed_lines(missed)
    said += [f"left out {rep.start_s:.2f}-{rep.end_s:.2f}: {rep.uncounted}" for rep in outcome.uncounted]
    said += [f"taken back {back.start_s:.2f}-{back.end_s:.2f}: {back.reason}" for back in outcome.withdrawn]
    return said


def _missed_lines(missed: Sequence[RepTruth]) -> list[str]:
    """One line for each true set of which something was missed."""
    said = []
    for number, of in itertools.groupby(missed, key=lambda rep: rep.set):
        reps = list(of)
        numbers = ", ".join(str(rep.number) for rep in reps)
        said.append(f"missed in set {number}: {numbers} ({reps[0].start_s:.2f}-{reps[-1].end_s:.2f})")
    return said


def look_at(drawn: VirtualSet) -> None:
    """Print one set in full: parameters, truth, and everything the engine said."""
    performance = perform(drawn.params)
    outcome = run(drawn, performance, as_live=True)
    print(drawn.params)
    for move in performance.truth.set_up:
        print(f"{move.start_s:8.2f} {move.end_s:8.2f}  {move.kind}")
    for rep in expected_reps(drawn, performance, outcome):
        partial = " partial" if rep.partial else ""
        print(
            f"{rep.start_s:8.2f} {rep.end_s:8.2f}  true, set {rep.set} rep {rep.number} {rep.side}{partial}"
        )
    print(f"counted on {outcome.signal}")
    for done in sorted([*outcome.reps, *outcome.uncounted], key=lambda rep: rep.start_s):
        what = f"counted, set {done.set_number} {done.side}" if done.uncounted is None else done.uncounted
        print(f"{done.start_s:8.2f} {done.end_s:8.2f}  {what}")
    for back in outcome.withdrawn:
        print(f"{back.start_s:8.2f} {back.end_s:8.2f}  taken back: {back.reason}")
    score = judge(drawn, performance, outcome)
    print("\n".join(score.story) or "exact")

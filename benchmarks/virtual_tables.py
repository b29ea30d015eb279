"""Prints the scores of virtual sets: one table of counts and edges, one of angles, and every miss."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields

from benchmarks.scoring import aligned, percent, two
from benchmarks.virtual_draws import EXERCISES
from benchmarks.virtual_sets import METRICS, Kind, Score
from emgmon.virtual.params import AthleteParams

COUNT_HEAD = (
    "sets", "exact %", "within 1 %", "edge s", "bias start/end", "delay s", "false/min", "partial", "missed",
    "sides %", "wrong %", "signal",
)  # fmt: skip

ANGLE_HEAD = ("pitch range", "anterior change", "rotation", "obliquity", "height m", "lumbar")


def print_virtual(scores: Mapping[Kind, Sequence[Score]], *, misses: bool) -> None:
    for (wear, group), kinds in itertools.groupby(scores, key=lambda kind: (kind[2], kind[1])):
        of_exercise = {kind[0]: scores[kind] for kind in kinds}
        print(f"\nvirtual, {group}, worn: {wear}")
        _print_table(COUNT_HEAD, of_exercise, _counts)
        if any(score.errors for of in of_exercise.values() for score in of):
            print("errors against truth, median/95th percentile, degrees or metres")
            _print_table(ANGLE_HEAD, of_exercise, _angles)
    _print_classes(scores)
    if misses:
        _print_misses(itertools.chain.from_iterable(scores.values()))


def _print_table(
    head: tuple[str, ...],
    of_exercise: Mapping[str, Sequence[Score]],
    row: Callable[[Sequence[Score]], tuple[str, ...]],
) -> None:
    rows = [(exercise, *row(of)) for exercise, of in of_exercise.items()]
    everything = [score for of in of_exercise.values() for score in of]
    print(aligned([("", *head), *rows, *([("all", *row(everything))] if len(rows) > 1 else [])]))


def _counts(scores: Sequence[Score]) -> tuple[str, ...]:
    sets = [one for score in scores for one in score.sets]
    starts = [error for score in scores for error in score.start_errors_s]
    ends = [error for score in scores for error in score.end_errors_s]
    minutes, n_false = sum(score.minutes for score in scores), sum(score.n_false for score in scores)
    sided = sum(score.sides_true for score in scores)
    return (
        str(len(sets)),
        percent(sum(one.off == 0 for one in sets), len(sets)),
        percent(sum(one.off <= 1 for one in sets), len(sets)),
        two([abs(error) for error in (*starts, *ends)]),
        f"{_middle(starts)} {_middle(ends)}",
        two([delay for score in scores for delay in score.delays_s]),
        f"{n_false / minutes:.3f}",
        str(sum(score.n_partial for score in scores)),
        str(sum(score.n_missed for score in scores)),
        percent(sum(score.sides_right for score in scores), sided),
        percent(sum(score.sides_wrong for score in scores), sided),
        _signals(scores),
    )


def _signals(scores: Sequence[Score]) -> str:
    if len({score.drawn.exercise for score in scores}) > 1:
        return ""
    return "/".join(sorted({score.signal for score in scores}))


def _middle(errors: Sequence[float]) -> str:
    return f"{sorted(errors)[len(errors) // 2]:+.3f}" if errors else "-"


def _angles(scores: Sequence[Score]) -> tuple[str, ...]:
    def errors(name: str) -> list[float]:
        return [abs(error) for score in scores for error in score.errors.get(name, ())]

    return tuple(two(errors(name), 3 if name.endswith("_m") else 1) for name in METRICS)


def _print_classes(scores: Mapping[Kind, Sequence[Score]]) -> None:
    """How many performances went wrong in which way, and the seeds of the first few."""
    of_class: dict[tuple[str, str, str, str], list[int]] = {}
    for (exercise, group, wear), of in scores.items():
        for score in of:
            for one in score.classes:
                of_class.setdefault((wear, one, exercise, group), []).append(score.drawn.seed)
    rows = [
        (f"{wear}: {one}", exercise, group, str(len(seeds)), " ".join(str(seed) for seed in seeds[:6]))
        for (wear, one, exercise, group), seeds in sorted(of_class.items())
    ]
    if rows:
        print("\nmisses by class: performances, and the first seeds")
        print(aligned([("class", "exercise", "group", "n", "seeds"), *rows]))


def _print_misses(scores: Iterable[Score]) -> None:
    order = {exercise: place for place, exercise in enumerate(EXERCISES)}
    wrong = [score for score in scores if not score.exact]
    print(f"\nevery miss ({len(wrong)})")
    for score in sorted(
        wrong, key=lambda s: (s.drawn.wear, order[s.drawn.exercise], s.drawn.group, s.drawn.seed)
    ):
        counts = ", ".join(f"{one.counted} of {one.true}" for one in score.sets)
        print(f"\n{score.drawn.name}\n  {counts} on {score.signal}; {_told(score.drawn.params)}")
        for line in score.story:
            print(f"  {line}")


def _told(params: AthleteParams) -> str:
    """What was drawn otherwise than the virtual athlete would have done by itself."""
    usual = AthleteParams(exercise=params.exercise)
    return " ".join(
        f"{one.name}={getattr(params, one.name)}"
        for one in fields(params)
        if one.name not in ("exercise", "seed") and getattr(params, one.name) != getattr(usual, one.name)
    )

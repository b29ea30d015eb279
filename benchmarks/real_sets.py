"""Runs the real recordings and prints what was counted against what is true, part by part."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.live import Outcome, run_recording
from benchmarks.rep_sets import PARTS, RepSet
from benchmarks.scoring import Timed, aligned, match, quantile, two

Result = tuple[RepSet, Outcome]

HEAD = ("true", "counted", "", "turns in", "edge error s", "delay s", "signal", "")


def run_part(part: str, data: Path) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for rep_set in PARTS[part](data):
            results.append((rep_set, run_recording(rep_set.record(Path(scratch)))))
    return results


def edge_errors_s(rep_set: RepSet, outcome: Outcome) -> list[float]:
    """Start and end of every repetition that has a label, less the label's."""
    labels, reps = rep_set.edges or (), outcome.reps
    pairs = match(reps, labels).pairs
    return [
        error
        for i, j in pairs
        for error in (reps[i].start_s - labels[j].start_s, reps[i].end_s - labels[j].end_s)
    ]


def turns_inside(rep_set: RepSet, outcome: Outcome) -> int:
    labels = rep_set.edges or ()
    return sum(any(one.start_s <= rep.turn_s <= one.end_s for one in labels) for rep in outcome.reps)


def per_set(rep_set: RepSet, outcome: Outcome) -> str:
    counts = [sum(one.start_s <= rep.turn_s < one.end_s for rep in outcome.reps) for one in rep_set.sets]
    return "+".join(str(count) for count in counts)


def print_part(part: str, results: Sequence[Result], *, misses: bool) -> None:
    print(f"\n{part}: real data")
    print(aligned([(part, *HEAD), *(_row(*result) for result in results)]))
    _print_summary([result for result in results if result[0].headline])
    for result in results:
        if misses and result[0].worth_a_look and not result[0].right(result[1]):
            print_miss(*result)


def _row(rep_set: RepSet, outcome: Outcome) -> tuple[str, ...]:
    low, high = rep_set.expected or (None, None)
    true = "?" if low is None else str(low) if low == high else f"{low}-{high}"
    mark = "" if low is None or rep_set.right(outcome) else "MISS" if rep_set.headline else "x"
    return (
        rep_set.name,
        true,
        str(len(outcome.counted)),
        mark,
        str(turns_inside(rep_set, outcome)) if rep_set.edges else "",
        two([abs(error) for error in edge_errors_s(rep_set, outcome)], 2) if rep_set.edges else "",
        two(outcome.delays_s, 2),
        "-" if outcome.signal is None else outcome.signal.value,
        " ".join(
            note
            for note in (rep_set.note, per_set(rep_set, outcome), "" if rep_set.headline else "(information)")
            if note
        ),
    )


def _print_summary(results: Sequence[Result]) -> None:
    judged = [(rep_set, outcome) for rep_set, outcome in results if rep_set.expected is not None]
    errors = [abs(error) for result in judged for error in edge_errors_s(*result)]
    delays = [delay for _, outcome in judged for delay in outcome.delays_s]
    n_right = sum(rep_set.right(outcome) for rep_set, outcome in judged)
    print(f"right          {n_right} of {len(judged)}, within 1: {sum(_off(*r) <= 1 for r in judged)}")
    labelled = [(rep_set, outcome) for rep_set, outcome in judged if rep_set.edges]
    if errors:
        n_reps = sum(len(outcome.counted) for _, outcome in labelled)
        print(f"turns inside   {sum(turns_inside(*result) for result in labelled)} of {n_reps}")
        print(f"edge error     {_spread(errors)}")
    if delays:
        print(f"announced      {_spread(delays)} after its end")
    zero = [outcome for rep_set, outcome in judged if rep_set.expected == (0, 0)]
    if zero:
        minutes, n_false = sum(o.duration_s for o in zero) / 60.0, sum(len(o.counted) for o in zero)
        print(f"false          {n_false} in {minutes:.1f} min without repetitions")


def _spread(values_s: Sequence[float]) -> str:
    return f"median {quantile(values_s, 0.5):.3f} s, 95 % below {quantile(values_s, 0.95):.3f} s"


def _off(rep_set: RepSet, outcome: Outcome) -> int:
    low, high = rep_set.expected or (0, 0)
    return max(low - len(outcome.counted), len(outcome.counted) - high, 0)


def print_miss(rep_set: RepSet, outcome: Outcome) -> None:
    """What was counted without a label, labelled without a count, left out and taken back."""
    print(f"\n  {rep_set.name}: {len(outcome.counted)} counted, {rep_set.expected} true")
    labels, reps = rep_set.edges or (), outcome.reps
    found = match(reps, labels)
    print_spans("counted, not true", [reps[i] for i in found.false])
    print_spans("true, not counted", [labels[j] for j in found.missed])
    for rep in outcome.uncounted:
        print(f"    left out   {rep.start_s:7.2f} to {rep.end_s:7.2f} s: {rep.uncounted}")
    for back in outcome.withdrawn:
        print(f"    taken back {back.start_s:7.2f} to {back.end_s:7.2f} s: {back.reason}")


def print_spans(title: str, spans: Sequence[Timed]) -> None:
    if spans:
        print(f"    {title}: " + ", ".join(f"{one.start_s:.2f}-{one.end_s:.2f}" for one in spans))

"""How near the truth the program's figures and verdicts are, on the virtual athlete; prints, gates nothing.

python benchmarks/accuracy.py                     everything on the virtual athlete
python benchmarks/accuracy.py --quick             three exercises, one athlete each
python benchmarks/accuracy.py --jobs 2            on both cores
python benchmarks/accuracy.py --parts sweep       only part of it
python benchmarks/accuracy.py --real              the real recordings
python benchmarks/accuracy.py --pictures          and draw each metric into docs/pictures/accuracy
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_draws import DISTURBED, EXERCISES, QUICK_EXERCISES, SWEEP, plan  # noqa: E402
from benchmarks.accuracy_motion import print_motion, run_motion  # noqa: E402
from benchmarks.accuracy_onset import print_onsets  # noqa: E402
from benchmarks.accuracy_pictures import draw_all  # noqa: E402
from benchmarks.accuracy_real import print_real  # noqa: E402
from benchmarks.accuracy_runs import Result, mapped  # noqa: E402
from benchmarks.accuracy_tables import (  # noqa: E402
    Goal,
    cover_goals,
    print_goals,
    print_groups,
    print_metrics,
    share_goals,
)
from benchmarks.accuracy_verdicts import print_verdicts, verdict_goals  # noqa: E402
from benchmarks.real_data import real_data  # noqa: E402

PICTURES = ROOT / "docs" / "pictures" / "accuracy"

PARTS = ("sweep", "disturbed", "motion", "onset")
N_SWEPT, N_DISTURBED = 6, 3
"""Athletes of each exercise in every condition."""


def run_emg(parts: Sequence[str], *, quick: bool, n_jobs: int) -> list[Result]:
    exercises = QUICK_EXERCISES if quick else EXERCISES
    athletes = plan(SWEEP, exercises, 1 if quick else N_SWEPT) if "sweep" in parts else []
    if "disturbed" in parts:
        athletes += plan(DISTURBED, exercises, 1 if quick else N_DISTURBED)
    return list(mapped(athletes, n_jobs))


def print_emg(results: Sequence[Result], *, pictures: Path | None) -> list[Goal]:
    figures = [figure for result in results for figure in result.figures]
    verdicts = [judged for result in results for judged in result.verdicts]
    print_metrics(figures)
    print_groups(figures)
    print_verdicts(verdicts)
    n_true, n_found, n_false = (
        sum(getattr(result, name) for result in results) for name in ("n_true", "n_found", "n_false")
    )
    print(f"\nrepetitions: {n_true} true, {n_found} found, {n_false} false")
    lacking = [reason for result in results for reason in result.no_reference]
    print(f"no reference set for {len(lacking)} of {len(results)} athletes")
    for reason in sorted(set(lacking)):
        print(f"  {lacking.count(reason)} x {reason}")
    if pictures is not None:
        print("\n" + "\n".join(str(path) for path in draw_all(pictures, figures, verdicts)))
    return [*share_goals(figures), *cover_goals(figures), *verdict_goals(verdicts)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Error and interval coverage against the virtual athlete.")
    parser.add_argument("--quick", action="store_true", help="three exercises, one athlete in each condition")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes; one unless told")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--real", action="store_true", help="the real recordings, and nothing else")
    parser.add_argument(
        "--pictures",
        type=Path,
        nargs="?",
        const=PICTURES,
        metavar="FOLDER",
        help="draw each metric; into docs/pictures/accuracy unless told",
    )
    return parser.parse_args()


def main() -> None:
    asked, began = arguments(), time.monotonic()
    if asked.real:
        print_real(real_data())
        return
    goals: list[Goal] = []
    if {"sweep", "disturbed"} & set(asked.parts):
        results = run_emg(asked.parts, quick=asked.quick, n_jobs=asked.jobs)
        goals += print_emg(results, pictures=asked.pictures)
    if "motion" in asked.parts:
        goals += print_motion(run_motion(quick=asked.quick, n_jobs=asked.jobs))
    if "onset" in asked.parts:
        goals += print_onsets(quick=asked.quick)
    print_goals(goals)
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

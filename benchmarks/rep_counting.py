"""Repetitions counted on real recordings and random virtual sets; prints tables, gates nothing.

Every recording is imported as the program imports it and fed to the engine one notification after the other,
as it would have come live. Only the exercise is named; nothing else is set for any file.

    python benchmarks/rep_counting.py                         all real recordings
    python benchmarks/rep_counting.py --real thigh prone      some of them: squats thigh prone no-reps emg
    python benchmarks/rep_counting.py --virtual 500           random sets, every way to wear
    python benchmarks/rep_counting.py --virtual 50 --exercise squat lunge --group plain --wear default
    python benchmarks/rep_counting.py --look 17 --exercise squat --group set-up --wear default

`--misses` lists what went wrong in every set that was not exact; `--look SEED` shows one virtual set in full.
How virtual sets are drawn is told by `benchmarks/virtual_draws.py`.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import VARIABLE, real_data  # noqa: E402
from benchmarks.real_sets import print_part, run_part  # noqa: E402
from benchmarks.rep_sets import PARTS  # noqa: E402
from benchmarks.virtual_draws import EXERCISES, GROUPS, WAYS_TO_WEAR, draw_set  # noqa: E402
from benchmarks.virtual_sets import look_at, run_virtual  # noqa: E402
from benchmarks.virtual_tables import print_virtual  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Repetitions counted on real recordings and on random sets of the virtual athlete."
    )
    parser.add_argument("--real", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--virtual", nargs="?", type=int, const=500, metavar="N", help="sets of each exercise"
    )
    parser.add_argument("--exercise", nargs="+", choices=EXERCISES, default=EXERCISES, metavar="NAME")
    parser.add_argument("--group", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--wear", nargs="+", choices=list(WAYS_TO_WEAR), default=list(WAYS_TO_WEAR))
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--misses", action="store_true", help="list what went wrong in every set not exact")
    parser.add_argument("--look", type=int, metavar="SEED", help="show one virtual set in full")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    if asked.look is not None:
        look_at(draw_set(asked.exercise[0], group=asked.group[0], wear=asked.wear[0], seed=asked.look))
        return
    if asked.real is not None or asked.virtual is None:
        _real(asked.real or list(PARTS), misses=asked.misses)
    if asked.virtual is not None:
        plan = [
            (exercise, group, wear)
            for wear in asked.wear
            for group in asked.group
            for exercise in asked.exercise
            if exercise in WAYS_TO_WEAR[wear].exercises
        ]
        print_virtual(run_virtual(plan, n_sets=asked.virtual, n_workers=asked.workers), misses=asked.misses)


def _real(parts: list[str], *, misses: bool) -> None:
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        sys.exit(f"There is no part {unknown[0]!r}: choose from {', '.join(PARTS)}.")
    data = real_data()
    if data is None:
        sys.exit(f"The real recordings are not here: set {VARIABLE} to the folder that holds waist_squats/.")
    for part in parts:
        print_part(part, run_part(part, data), misses=misses)


if __name__ == "__main__":
    main()

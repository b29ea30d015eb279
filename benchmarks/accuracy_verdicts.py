"""How often a verdict was right, opposite or left open, against the same rule applied to the truth."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.accuracy_draws import BOTH_SIDES, BOTH_WORK, DISTURBED, LEFT_ONLY, SNRS_DB, usual
from benchmarks.accuracy_runs import Judged
from benchmarks.accuracy_tables import USUAL_NAME, Goal
from benchmarks.scoring import aligned, percent
from emgmon.events import Verdict

OPPOSITE = {frozenset((Verdict.GLUTE_LED, Verdict.BACK_LED))}

RIGHT_PCT = 95.0
OPPOSITE_PCT = 0.5

OPEN = (Verdict.CANNOT_TELL, Verdict.NO_REFERENCE)

HEAD = (
    "n",
    "beyond",
    "right %",
    "other %",
    "opposite %",
    "open %",
    "all: right %",
    "opposite %",
    "open %",
    "left open because",
)

Keep = Callable[[Judged], bool]


def is_beyond(one: Judged) -> bool:
    """Whether the true share lies beyond the minimal detectable change, to either side."""
    return abs(one.change) > 1.0


def is_opposite(one: Judged) -> bool:
    return frozenset((one.true, one.said)) in OPPOSITE


def is_open(one: Judged) -> bool:
    return one.said in OPEN


def right_of_decided(judged: Sequence[Judged]) -> tuple[int, int]:
    """How many were right, and of how many that were not left open."""
    decided = [one for one in judged if not is_open(one)]
    return sum(one.said is one.true for one in decided), len(decided)


def _cells(judged: Sequence[Judged]) -> tuple[str, ...]:
    beyond = [one for one in judged if is_beyond(one)]
    reasons = Counter(one.reason for one in judged if is_open(one))
    said = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common(3))
    return (
        str(len(judged)),
        str(len(beyond)),
        percent(sum(one.said is one.true for one in beyond), len(beyond)),
        percent(sum(not is_open(one) and one.said is not one.true for one in beyond), len(beyond)),
        f"{_share(sum(map(is_opposite, beyond)), len(beyond))}",
        percent(sum(map(is_open, beyond)), len(beyond)),
        percent(sum(one.said is one.true for one in judged), len(judged)),
        f"{_share(sum(map(is_opposite, judged)), len(judged))}",
        percent(sum(map(is_open, judged)), len(judged)),
        said or "-",
    )


def _share(part: int, whole: int) -> str:
    return f"{100.0 * part / whole:.2f}" if whole else "-"


def _table(title: str, judged: Sequence[Judged], rows: Sequence[tuple[str, Keep]]) -> str:
    groups = [(label, [one for one in judged if keep(one)]) for label, keep in rows]
    return aligned([(title, *HEAD), *((label, *_cells(group)) for label, group in groups if group)])


def _under(condition: str) -> Keep:
    return lambda one: one.group[0] == condition


def print_verdicts(judged: Sequence[Judged]) -> None:
    swept = [(usual(snr_db).name, _under(usual(snr_db).name)) for snr_db in SNRS_DB]
    names = [condition.name for condition in DISTURBED]
    ordered = [(names[0], names[0]), ("usual", USUAL_NAME), *((name, name) for name in names[1:])]
    rows = [(label, _under(name)) for label, name in ordered]
    measured = [one for one in judged if one.reference == "measured"]
    on_both = [one for one in measured if one.group[1] == BOTH_SIDES.name]
    model = [one for one in judged if one.reference == "model"]
    left = [one for one in measured if one.group[1] == LEFT_ONLY.name]
    print("\nverdicts against the person's own good set, measured by the engine")
    print(_table("signal-to-noise", on_both, swept))
    print(_table(f"at {USUAL_NAME}, disturbed by", on_both, rows))
    print("\nthe same, electrodes on the left side only, exercises in which both sides work")
    print(_table("signal-to-noise", left, swept))
    both_work = [one for one in on_both if one.group[2] in BOTH_WORK]
    print("\nthe same exercises with four electrodes")
    print(_table("signal-to-noise", both_work, swept))
    print("\nverdicts against the good set of the virtual athlete's own parameters")
    print(_table("signal-to-noise", model, swept))
    print(f"\nverdicts at {USUAL_NAME} and more by how far the true log ratio lies from the reference")
    clear = [one for one in on_both if one.group[0] in {usual(snr_db).name for snr_db in SNRS_DB[3:]}]
    print(_table("minimal detectable changes", clear, _distances()))


def _distances() -> list[tuple[str, Keep]]:
    edges = (-99.0, -3.0, -2.0, -1.5, -1.25, -1.0, -0.75, 0.0, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 99.0)

    def within(low: float, high: float) -> Keep:
        return lambda one: low <= one.change < high

    def label(low: float, high: float) -> str:
        if low == edges[0]:
            return f"below {high:g}"
        return f"above {low:g}" if high == edges[-1] else f"{low:g} to {high:g}"

    return [(label(low, high), within(low, high)) for low, high in itertools.pairwise(edges)]


def verdict_goals(judged: Sequence[Judged]) -> list[Goal]:
    """Each signal-to-noise ratio by itself, four electrodes, usual disturbances, measured reference."""
    goals = []
    for snr_db in SNRS_DB:
        own = [
            one
            for one in judged
            if one.reference == "measured"
            and one.group[1] == BOTH_SIDES.name
            and one.group[0] == usual(snr_db).name
        ]
        beyond = [one for one in own if is_beyond(one)]
        if not beyond:
            continue
        right = 100.0 * sum(one.said is one.true for one in beyond) / len(beyond)
        n_right, n_decided = right_of_decided(beyond)
        opposite = 100.0 * sum(map(is_opposite, own)) / len(own)
        got = f"{right:.1f} % of {len(beyond)} ({percent(n_right, n_decided)} % of {n_decided} decided)"
        what = f"verdicts beyond the detectable change at {snr_db:g} dB: right"
        goals.append(Goal(what, f"at least {RIGHT_PCT:g} %", got, right >= RIGHT_PCT))
        what = f"verdicts at {snr_db:g} dB: the opposite"
        got = f"{opposite:.2f} % of {len(own)}"
        goals.append(Goal(what, f"under {OPPOSITE_PCT:g} %", got, opposite < OPPOSITE_PCT))
    return goals

"""Figures held against the truth become rows: error, bias, and what the intervals held."""

import itertools
import math
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.accuracy_draws import BOTH_SIDES, BOTH_WORK, DISTURBED, EXERCISES, LEFT_ONLY, SNRS_DB, usual
from benchmarks.accuracy_runs import LOG_RATIO, OF_PHASES, REP_METRICS, SHARE, SLOPE, Figure
from benchmarks.scoring import aligned, percent, quantile

GOOD_COVER_PCT = (92.0, 98.0)

USUAL_NAME = usual(15.0).name

DIGITS = {SHARE: 2, LOG_RATIO: 3, "late_back_surge": 3}

UNITS = (
    ("_pct_per_rep", "% per repetition"),
    ("_pct", "%"),
    ("_ms", "ms"),
    ("_hz", "Hz"),
    ("_deg", "degrees"),
)

SET_METRICS = (*(name for name in REP_METRICS if not name.startswith("pelvis")), SLOPE)

HEAD = ("measured %", "median", "p95", "bias", "cover %", "width", "stretch", "not measured")


@dataclass(frozen=True, slots=True)
class Line:
    """How well one metric was measured in one group."""

    n: int
    n_measured: int
    median: float
    """Of the error without sign; likewise its 95th percentile."""
    p95: float
    bias: float
    """Median of measured less true."""
    n_with_interval: int
    n_covered: int
    width: float
    """Median of high less low; NaN where there are no intervals."""
    factor: float
    """By which the intervals would have to be stretched about the value to hold 95 % of the truths."""

    @property
    def cover_pct(self) -> float:
        return 100.0 * self.n_covered / self.n_with_interval if self.n_with_interval else math.nan


def unit_of(name: str) -> str:
    return next((unit for ending, unit in UNITS if name.endswith(ending)), "")


def line_of(figures: Sequence[Figure]) -> Line:
    errors = [one.value - one.true for one in figures if one.value is not None]
    sizes = [abs(error) for error in errors]
    with_interval = [one for one in figures if one.value is not None and one.low is not None]
    widths = [(one.high or 0.0) - (one.low or 0.0) for one in with_interval]
    nothing = math.nan
    return Line(
        n=len(figures),
        n_measured=len(errors),
        median=statistics.median(sizes) if sizes else nothing,
        p95=quantile(sizes, 0.95) if sizes else nothing,
        bias=statistics.median(errors) if errors else nothing,
        n_with_interval=len(with_interval),
        n_covered=sum((one.low or 0.0) <= one.true <= (one.high or 0.0) for one in with_interval),
        width=statistics.median(widths) if widths else nothing,
        factor=quantile([stretch(one) for one in with_interval], 0.95) if with_interval else nothing,
    )


def stretch(figure: Figure) -> float:
    """Distance of the truth from the value, in lengths of the interval to that side."""
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    away = figure.true - figure.value
    reach = figure.high - figure.value if away > 0.0 else figure.value - figure.low
    if abs(away) <= 1e-9:
        return 0.0
    return abs(away) / reach if reach > 0.0 else math.inf


def cells(line: Line, digits: int) -> tuple[str, ...]:
    if not line.n_measured:
        return (percent(0, line.n), "-", "-", "-", "-", "-", "-")
    low, high = GOOD_COVER_PCT
    mark = "" if not line.n_with_interval or low <= line.cover_pct <= high else " !"
    return (
        percent(line.n_measured, line.n),
        f"{line.median:.{digits}f}",
        f"{line.p95:.{digits}f}",
        f"{line.bias:+.{digits}f}",
        f"{percent(line.n_covered, line.n_with_interval)}{mark}",
        "-" if math.isnan(line.width) else f"{line.width:.{digits}f}",
        "-" if math.isnan(line.factor) else f"{line.factor:.2f}",
    )


def reasons(figures: Sequence[Figure]) -> str:
    """Why figures were not measured, the two most frequent reasons, numbers left out."""
    said = Counter(re.sub(r"[0-9.]+", "_", one.reason) for one in figures if one.reason is not None)
    return "; ".join(f"{count} {reason}" for reason, count in said.most_common(1))[:70] or "-"


Keep = Callable[[Figure], bool]


def table(title: str, figures: Sequence[Figure], rows: Sequence[tuple[str, Keep]], digits: int) -> str:
    """One row for each group of figures that is not empty."""
    groups = [(label, [one for one in figures if keep(one)]) for label, keep in rows]
    lines = [
        (label, str(len(group)), *cells(line_of(group), digits), reasons(group))
        for label, group in groups
        if group
    ]
    return aligned([(title, "n", *HEAD), *lines])


def under(condition: str) -> Keep:
    return lambda one: one.group[0] == condition


def of_exercise(exercise: str) -> Keep:
    return lambda one: one.group[0] == USUAL_NAME and one.group[2] == exercise


def swept() -> list[tuple[str, Keep]]:
    return [(usual(snr_db).name, under(usual(snr_db).name)) for snr_db in SNRS_DB]


def disturbed() -> list[tuple[str, Keep]]:
    names = [condition.name for condition in DISTURBED]
    ordered = [names[0], USUAL_NAME, *names[1:]]
    return [("usual" if name == USUAL_NAME else name, under(name)) for name in ordered]


def print_metrics(figures: Sequence[Figure]) -> None:
    """Every metric of a repetition, then of a set: by signal-to-noise ratio and by disturbance."""
    on_both = [one for one in figures if one.group[1] == BOTH_SIDES.name]
    for of, names in (("rep", REP_METRICS), ("set", SET_METRICS)):
        for name in names:
            own = [one for one in on_both if one.of == of and one.name == name]
            _print_metric(name, of, [one for one in own if as_defined(one)], "")
            _print_metric(name, of, [one for one in own if not as_defined(one)], WHOLE)


WHOLE = ", where phases are not known: all of the repetition"


def as_defined(one: Figure) -> bool:
    """Whether a figure is one of the phases that its definition names."""
    return not (one.whole and one.name in OF_PHASES)


def _print_metric(name: str, of: str, own: Sequence[Figure], note: str) -> None:
    if not own:
        return
    digits = DIGITS.get(name, 1 if unit_of(name) in ("ms", "Hz") else 2)
    unit = f", {unit_of(name)}" if unit_of(name) else ""
    print(f"\n{name}{unit}: {'each repetition' if of == 'rep' else 'mean of a set'}{note}")
    print(table("signal-to-noise", own, swept(), digits))
    if any(keep(one) for _, keep in disturbed()[:1] for one in own):
        print(table(f"at {USUAL_NAME}, disturbed by", own, disturbed(), digits))


def print_groups(figures: Sequence[Figure]) -> None:
    """The share by who works and what is worn, and every amplitude by exercise."""
    reps = [one for one in figures if one.of == "rep" and as_defined(one)]
    worn: tuple[tuple[str, Keep], ...] = (
        ("both sides work, four electrodes", _worn(BOTH_SIDES.name, both=True)),
        ("both sides work, left electrodes", _worn(LEFT_ONLY.name, both=True)),
        ("one side works, four electrodes", _worn(BOTH_SIDES.name, both=False)),
    )
    shares = [one for one in reps if one.name == SHARE]
    for label, keep in worn:
        print(f"\n{SHARE}, %: each repetition, {label}")
        print(table("signal-to-noise", [one for one in shares if keep(one)], swept(), 2))
    on_both = [one for one in reps if one.group[1] == BOTH_SIDES.name]
    for name in (SHARE, "glute_engagement_pct", "back_engagement_pct", "late_back_surge"):
        own = [one for one in on_both if one.name == name]
        print(f"\n{name} at {USUAL_NAME} by exercise: each repetition")
        print(table("exercise", own, [(exercise, of_exercise(exercise)) for exercise in EXERCISES], 3))


def _worn(montage: str, *, both: bool) -> Keep:
    return lambda one: one.group[1] == montage and (one.group[2] in BOTH_WORK) is both


@dataclass(frozen=True, slots=True)
class Goal:
    """What was aimed at, and what came."""

    what: str
    aim: str
    got: str
    hit: bool


def share_goals(figures: Sequence[Figure]) -> list[Goal]:
    reps = [one for one in figures if one.of == "rep" and one.group[1] == BOTH_SIDES.name and as_defined(one)]
    goals = []
    for snr_db, most in ((15.0, 1.5), (8.0, 3.0)):
        line = line_of([o for o in reps if o.name == SHARE and o.group[0] == usual(snr_db).name])
        got = f"{line.median:.2f} of {line.n_measured} repetitions"
        what = f"glute share at {snr_db:g} dB, median error"
        goals.append(Goal(what, f"at most {most:g} points", got, line.median <= most))
    return goals


def cover_goals(figures: Iterable[Figure]) -> list[Goal]:
    """Coverage of every metric over all signal-to-noise ratios together, usual disturbances."""
    names = {usual(snr_db).name for snr_db in SNRS_DB}
    kept = [one for one in figures if one.group[0] in names and one.group[1] == BOTH_SIDES.name]
    goals = []
    for of, metrics in (("rep", REP_METRICS), ("set", SET_METRICS)):
        for name, defined in itertools.product(metrics, (True, False)):
            own = [one for one in kept if one.of == of and one.name == name and as_defined(one) is defined]
            goal = _cover_goal(f"{name} of a {'repetition' if of == 'rep' else 'set'}", own)
            if goal is not None:
                goals.append(goal if defined else replace(goal, what=f"{goal.what}, whole repetitions"))
    return goals


def _cover_goal(what: str, figures: Sequence[Figure]) -> Goal | None:
    line, (low, high) = line_of(figures), GOOD_COVER_PCT
    if not line.n_with_interval:
        return None
    got = f"{line.cover_pct:.1f} % of {line.n_with_interval}, stretch by {line.factor:.2f}"
    return Goal(f"intervals: {what}", f"{low:g} to {high:g} %", got, low <= line.cover_pct <= high)


def print_goals(goals: Sequence[Goal]) -> None:
    rows = [(goal.what, goal.aim, goal.got, "hit" if goal.hit else "MISS") for goal in goals]
    print("\n" + aligned([("goal", "aim", "got", ""), *rows]))

"""What only the set as a whole can show: tiring, sides, timing; information, never a verdict."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from emgmon.events import Metric, Quality
from emgmon.metrics.engagement import worse
from emgmon.metrics.fatigue import assess_fatigue
from emgmon.metrics.onset import set_metric, timing_sentence
from emgmon.metrics.symmetry import detectable_symmetry_pct, symmetry_sentence


@dataclass(frozen=True, slots=True)
class RepOfSet:
    """What one repetition that votes adds to the trend of its set."""

    number: int
    side: str | None
    metrics: tuple[Metric, ...]
    log_index: float | None

    def value(self, name: str) -> float:
        """Give one figure; NaN where it was not measured."""
        metric = self.metric(name)
        return math.nan if metric is None or metric.value is None else metric.value

    def metric(self, name: str) -> Metric | None:
        """Look up one figure."""
        return next((metric for metric in self.metrics if metric.name == name), None)


@dataclass(frozen=True, slots=True)
class Trend:
    """Figures of a set that are no means over its repetitions, and sentences about it."""

    metrics: tuple[Metric, ...]
    """One of a name that a mean has as well takes its place."""
    notes: tuple[str, ...]


def follow(reps: Sequence[RepOfSet], summary: Sequence[Metric]) -> Trend:
    """Look at the repetitions of a set in their order.

    Parameters
    ----------
    reps
        Those that vote.
    summary
        Means over them.
    """
    one_leg = _same_side(reps)
    fatigue = assess_fatigue(
        "glute",
        number=[float(rep.number) for rep in one_leg],
        median_frequency_hz=[rep.value("median_frequency_hz") for rep in one_leg],
        log_index=[math.nan if rep.log_index is None else rep.log_index for rep in one_leg],
        engagement_pct=[rep.value("glute_engagement_pct") for rep in one_leg],
        quality=_lowest(one_leg, "median_frequency_hz"),
    )
    symmetry = next((metric for metric in summary if metric.name == "symmetry_pct"), None)
    notes = [fatigue.sentence]
    if symmetry is not None and symmetry.n:
        notes.append(symmetry_sentence(symmetry, detectable_pct=detectable_symmetry_pct(symmetry.n)))
    onsets = [metric for rep in reps if (metric := rep.metric("onset_difference_ms")) is not None]
    notes.append(timing_sentence(onsets))
    metrics = (fatigue.frequency, set_metric(onsets))
    return Trend(
        tuple(metric for metric in metrics if metric is not None),
        tuple(note for note in notes if note is not None),
    )


def _same_side(reps: Sequence[RepOfSet]) -> list[RepOfSet]:
    """Keep the side with more repetitions: two electrodes differ, and their change of turns is no trend."""
    sides = Counter(rep.side for rep in reps)
    most = max(sides, key=lambda side: sides[side], default=None)
    return [rep for rep in reps if rep.side == most]


def _lowest(reps: Sequence[RepOfSet], name: str) -> Quality:
    quality = Quality.GOOD
    for rep in reps:
        metric = rep.metric(name)
        if metric is not None and metric.value is not None:
            quality = worse(quality, metric.quality)
    return quality

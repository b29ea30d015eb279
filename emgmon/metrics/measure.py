"""One repetition's edges and signals become its figures, or the reasons for none."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ, ChannelQuality, Metric, Quality
from emgmon.metrics.engagement import (
    EDGE_S,
    HEIGHT_EDGE_S,
    Body,
    Engagement,
    Muscle,
    duration_metric,
    engagement,
    engagement_metric,
    missing,
    share_metrics,
    worse,
)
from emgmon.metrics.frequency import SpectralFigures, spectral_figures
from emgmon.metrics.onset import Onset, find_onset, onset_difference
from emgmon.metrics.shape import late_back_surge, squeeze_sustain
from emgmon.metrics.symmetry import symmetry_metric
from emgmon.reps.found import RepFound

SHARP_RANGE_S = 6.0
"""The height of longer repetitions is not sharp."""

NO_PHASES = "needs a motion sensor: bursts of activity do not show where a lift ends"
WHOLE_BURST = "mean over the whole repetition: without a motion signal its phases are not known"
SCATTERED = "the channels of this muscle come from different sensors"
MOST_HEARTBEAT = 0.1
"""Beats that make up more of the back's signal than this begin as a muscle does."""

BEATING = "the heartbeat on the back begins as a muscle does; a second look takes it out"
NO_START = "needs a motion sensor: without one a repetition begins where its activity does"


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """In which order an exercise goes through its phases, and which of them are work."""

    order: tuple[str, str, str] = ("lift", "hold", "return")
    work: tuple[str, ...] = ("lift", "hold")
    both_sides: bool = True
    """Whether both sides work at once, so that they can be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class MuscleSamples:
    """Cleaned samples of a muscle's channels around one repetition; NaN where missing."""

    rate_hz: float
    rest_uv: NDArray[np.float64]
    """RMS of each channel at rest, shape (n_channels,); NaN where it is not known."""
    work_uv: NDArray[np.float64] | None
    """Over the working phases, shape (n_channels, n); ``None`` where any channel sends an envelope."""
    onset_uv: NDArray[np.float64]
    """Around the start of the repetition, same number of rows."""
    onset_first_s: float
    """Session time of the first of them."""


@dataclass(frozen=True, slots=True, eq=False)
class RepSignals:
    """All that EMG shows of one repetition, columns in the order of the session's channels."""

    activation_pct: NDArray[np.float64]
    """Shape (n_hops, n_channels): from the repetition's start to its end."""
    envelope_uv: NDArray[np.float64]
    """Same shape."""
    qualities: tuple[ChannelQuality, ...]
    glute: MuscleSamples | None
    """``None`` where the channels do not come from one stream."""
    back: MuscleSamples | None
    gap: str | None
    """Why EMG of this repetition must not be measured, in words; ``None`` when it may."""

    def quality_of(self, muscle: Muscle) -> Quality:
        """Give the quality of a muscle's channels over the repetition, the worst of them."""
        grade = Quality.GOOD
        for column in muscle.channels:
            grade = worse(grade, self.qualities[column].grade)
        return grade

    def heartbeat_of(self, muscle: Muscle) -> float:
        """Give the part of a muscle's power that is heartbeat, over its channels; 0 where none was seen."""
        shares = [self.qualities[column].figures.heartbeat_share or 0.0 for column in muscle.channels]
        return math.fsum(shares) / len(shares) if shares else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that the EMG and the edges of one repetition give."""

    metrics: tuple[Metric, ...]
    log_index: float | None
    """ln FInsm5 of the glute, for the trend over the set."""

    def metric(self, name: str) -> Metric:
        """Look up one figure; all names that this room makes are there."""
        return next(metric for metric in self.metrics if metric.name == name)


def phase_hops(rep: RepFound, plan: PhasePlan) -> dict[str, tuple[int, int]]:
    """First hop of each phase and the one after its last, by name."""
    edges = (rep.start_hop, rep.hold_hop, rep.back_hop, rep.end_hop)
    return {name: (edges[i], edges[i + 1]) for i, name in enumerate(plan.order)}


def working_hops(rep: RepFound, plan: PhasePlan) -> tuple[int, int]:
    """First hop of work and the one after the last.

    Without motion the phases are not known and the whole burst counts.
    """
    if not rep.has_phases:
        return rep.start_hop, rep.end_hop
    spans = [span for name, span in phase_hops(rep, plan).items() if name in plan.work]
    first, stop = min(first for first, _ in spans), max(stop for _, stop in spans)
    # Where the lift comes last the muscles turn the movement round before it goes up.
    return (rep.turn_hop if plan.order[0] == "return" and "hold" not in plan.work else first), stop


def one_side(muscle: Muscle, side: str | None) -> Muscle:
    """Keep the channels of the side that worked, where there are both and it is known."""
    kept = [i for i, part in enumerate(muscle.parts) if part.side == side]
    if side is None or not kept or len(kept) == len(muscle.channels):
        return muscle
    return replace(
        muscle,
        channels=tuple(muscle.channels[i] for i in kept),
        parts=tuple(muscle.parts[i] for i in kept),
    )


def measure(rep: RepFound, *, plan: PhasePlan, body: Body, worked: Muscle, signals: RepSignals) -> Measured:
    """Measure one repetition.

    Parameters
    ----------
    rep
        Its edges.
    plan
        Order of the phases, and which are work, from the exercise.
    body
        Which columns belong to which muscle.
    worked
        The glute, or of two the one on the side that worked.
    signals
        EMG of the repetition.
    """
    first, stop = working_hops(rep, plan)
    work = signals.activation_pct[first - rep.start_hop : stop - rep.start_hop]
    amplitudes = _amplitudes(rep, body, work, signals)
    spectrum = _spectrum(worked, signals)
    shapes = _shapes(rep, plan, body, worked, work, signals)
    metrics = (*amplitudes, *shapes, _onset_difference(rep, worked, body.back, signals))
    return Measured((*metrics, spectrum.median_frequency, *_motion_metrics(rep, plan)), spectrum.log_index)


def _amplitudes(
    rep: RepFound, body: Body, work: NDArray[np.float64], signals: RepSignals
) -> tuple[Metric, ...]:
    def engaged(muscle: Muscle) -> Engagement:
        return engagement(
            muscle,
            work,
            gap=signals.gap,
            seen=signals.quality_of(muscle),
            heartbeat_share=signals.heartbeat_of(muscle),
            edge_s=_edge_s(rep),
        )

    glute, back = engaged(body.glute), engaged(body.back)
    parts = [glute, back] if body.hamstring is None else [glute, back, engaged(body.hamstring)]
    metrics = (*map(engagement_metric, parts), *share_metrics(glute, back))
    return metrics if rep.has_phases else tuple(map(_over_the_whole, metrics))


def _over_the_whole(metric: Metric) -> Metric:
    """Mark a figure whose phases are not known: it is the mean over all of the activity."""
    if metric.value is None:
        return metric
    return replace(metric, quality=worse(metric.quality, Quality.USABLE), reason=WHOLE_BURST)


def _shapes(
    rep: RepFound,
    plan: PhasePlan,
    body: Body,
    worked: Muscle,
    work: NDArray[np.float64],
    signals: RepSignals,
) -> tuple[Metric, ...]:
    lift, shifted = _lifts(rep, plan, signals.activation_pct)
    gap, seen = signals.gap, signals.quality_of(worked)
    found = [
        squeeze_sustain(worked, work, gap=gap, seen=seen, edge_s=_edge_s(rep)),
        late_back_surge(body.back, lift, gap=gap, seen=signals.quality_of(body.back), shifted=shifted),
    ]
    if plan.both_sides:
        found.append(symmetry_metric(body.glute, work, gap=gap, seen=signals.quality_of(body.glute)))
    return tuple(found) if rep.has_phases else tuple(map(_over_the_whole, found))


def _lifts(
    rep: RepFound, plan: PhasePlan, activation_pct: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, list[NDArray[np.float64]]]:
    """Cut the lift out, and then with its start and with its end a standard error earlier and later."""
    if not rep.has_phases:
        return None, []
    start, stop = (hop - rep.start_hop for hop in phase_hops(rep, plan)["lift"])
    step = round(EDGE_S * HOP_RATE_HZ)
    edges = [(start - step, stop), (start + step, stop), (start, stop - step), (start, stop + step)]
    shifted = [activation_pct[max(0, first) : last] for first, last in edges if last - max(0, first) > step]
    return activation_pct[start:stop], shifted if len(shifted) == len(edges) else []


def _edge_s(rep: RepFound) -> float:
    """Give the standard error of where the phases of a repetition begin and end."""
    return EDGE_S if rep.range_m is None else HEIGHT_EDGE_S


def _spectrum(worked: Muscle, signals: RepSignals) -> SpectralFigures:
    if not worked.channels or signals.glute is None:
        reason = worked.missing or SCATTERED
        return SpectralFigures(missing("median_frequency_hz", reason), None)
    samples = signals.glute
    return spectral_figures(
        samples.work_uv,
        rate_hz=samples.rate_hz,
        rest_uv=samples.rest_uv,
        quality=signals.quality_of(worked),
        gap=signals.gap,
    )


def _onset_difference(rep: RepFound, worked: Muscle, back: Muscle, signals: RepSignals) -> Metric:
    name = "onset_difference_ms"
    reason = worked.missing or back.missing or signals.gap or (None if rep.has_phases else NO_START)
    if reason is not None:
        return missing(name, reason)
    if signals.glute is None or signals.back is None:
        return missing(name, SCATTERED)
    if signals.heartbeat_of(back) > MOST_HEARTBEAT:
        return missing(name, BEATING)
    return onset_difference(_onset(signals.glute), _onset(signals.back))


def _onset(samples: MuscleSamples) -> Onset | str:
    """When one muscle began, near the start of the repetition."""
    return find_onset(
        samples.onset_uv,
        samples.rate_hz,
        samples.rest_uv,
        samples.onset_first_s,
        is_envelope=samples.work_uv is None,
    )


def _motion_metrics(rep: RepFound, plan: PhasePlan) -> tuple[Metric, ...]:
    if not rep.has_phases:
        times = tuple(missing(name, NO_PHASES) for name in ("lift_s", "hold_s", "return_s"))
    else:
        spans = phase_hops(rep, plan)
        times = tuple(
            duration_metric(f"{name}_s", (spans[name][1] - spans[name][0]) / HOP_RATE_HZ)
            for name in ("lift", "hold", "return")
        )
    return times if rep.range_m is None else (*times, height_metric(rep, rep.range_m))


def height_metric(rep: RepFound, range_m: float) -> Metric:
    """State how far the pelvis went up or down in a repetition that was followed on height."""
    return Metric("pelvis_height_range_m", range_m, None, None, 1, _range_quality(rep))


def _range_quality(rep: RepFound) -> Quality:
    """Doubt the height of long repetitions: integrated twice, an offset grows with the square of time."""
    return Quality.GOOD if rep.end_hop - rep.start_hop <= SHARP_RANGE_S * HOP_RATE_HZ else Quality.USABLE

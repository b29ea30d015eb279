"""One repetition's edges and activations become its figures and its verdict, or the reason for none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.events import HOP_RATE_HZ, Metric, Quality
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.engagement import (
    BACK_SITES,
    GLUTE_SITES,
    HAMSTRING_SITES,
    ChannelSite,
    Muscle,
    duration_metric,
    engagement,
    engagement_metric,
    find_muscle,
    missing,
    share_metrics,
)
from emgmon.metrics.reference import ReferenceSet
from emgmon.metrics.verdict import Judgement, judge
from emgmon.reps.found import RepFound

SHARP_RANGE_S = 6.0
"""The height of longer repetitions is not sharp."""

NO_PHASES = "needs a motion sensor: bursts of activity do not show where a lift ends"


@dataclass(frozen=True, slots=True)
class Body:
    """Which channels stand for which muscle in this session."""

    glute: Muscle
    back: Muscle
    hamstring: Muscle | None
    """``None`` when it is not worn: then nothing is said about it."""

    @property
    def has_emg(self) -> bool:
        """Whether glute or back is worn at all."""
        return bool(self.glute.channels or self.back.channels)

    @property
    def watched(self) -> list[int]:
        """Columns that have to be whole for a repetition to count."""
        return sorted({*self.glute.channels, *self.back.channels})


def find_body(channels: Sequence[ChannelSite], calibration: Calibration | None) -> Body:
    """Map the channels of all EMG streams, in column order, to muscles."""
    hamstring = find_muscle("hamstring", HAMSTRING_SITES, channels, calibration)
    return Body(
        glute=find_muscle("glute", GLUTE_SITES, channels, calibration),
        back=find_muscle("back", BACK_SITES, channels, calibration),
        hamstring=hamstring if hamstring.channels else None,
    )


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """In which order an exercise goes through its phases, and which of them are work."""

    order: tuple[str, str, str] = ("lift", "hold", "return")
    work: tuple[str, ...] = ("lift", "hold")


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
    return min(first for first, _ in spans), max(stop for _, stop in spans)


def measure(
    rep: RepFound,
    *,
    plan: PhasePlan,
    body: Body,
    activation_pct: NDArray[np.float64],
    gap: str | None,
    reference: ReferenceSet | None,
) -> tuple[tuple[Metric, ...], Judgement]:
    """Measure and judge one repetition.

    Parameters
    ----------
    rep
        Its edges.
    plan
        Order of the phases, and which are work, from the exercise.
    body
        Which columns belong to which muscle.
    activation_pct
        Shape (n_hops, n_channels): hops of the repetition from its start to its end.
    gap
        Why EMG of this repetition must not be measured, in words; ``None`` when it may.
    reference
        The person's own good set of this exercise.
    """
    first, stop = working_hops(rep, plan)
    work = activation_pct[first - rep.start_hop : stop - rep.start_hop]
    glute, back = engagement(body.glute, work, gap=gap), engagement(body.back, work, gap=gap)
    share, log_ratio = share_metrics(glute, back)
    metrics = [engagement_metric(glute), engagement_metric(back)]
    if body.hamstring is not None:
        metrics.append(engagement_metric(engagement(body.hamstring, work, gap=gap)))
    judgement = judge(
        glute=metrics[0],
        back=metrics[1],
        share=share,
        log_ratio=log_ratio,
        reference=reference,
        has_emg=body.has_emg,
    )
    return (*metrics, share, log_ratio, *_motion_metrics(rep, plan)), judgement


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

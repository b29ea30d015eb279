"""One pure function from figures and the person's own reference to a verdict and one sentence."""

import math
from dataclasses import dataclass

from emgmon.events import Metric, Verdict, VerdictBasis
from emgmon.metrics.engagement import share_pct
from emgmon.metrics.reference import ReferenceSet, minimal_detectable_change

MIN_BACK_PCT = 10.0
"""Below this share of its reference the back is not working, whatever the ratio says."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one repetition and why."""

    verdict: Verdict
    basis: VerdictBasis
    sentence: str


def judge(
    *,
    glute: Metric,
    back: Metric,
    share: Metric,
    log_ratio: Metric,
    reference: ReferenceSet | None,
    has_emg: bool,
) -> Judgement:
    """Judge one repetition.

    A repetition within the minimal detectable change of the person's own good set, or above it, is
    glute-led. Beyond it, the glute may still do as much as the back (shared) or less (back-led). How
    high the lift went, which muscle began, and posture play no part.
    """
    if not has_emg:
        return Judgement(
            Verdict.NO_REFERENCE,
            VerdictBasis.MOTION,
            "Counted from motion. There is no reference set yet, so there is no verdict.",
        )
    if share.value is None:
        verdict = Verdict.NO_REFERENCE if reference is None else Verdict.CANNOT_TELL
        return _emg(verdict, f"Cannot tell: {share.reason or 'the activity share was not measured'}.")
    said = f"{share.value:.0f} % glute"
    if reference is None:
        return _emg(
            Verdict.NO_REFERENCE,
            f"Activity share {said}. There is no reference set yet, so there is no verdict.",
        )
    glute_pct, back_pct = glute.value or 0.0, back.value or 0.0
    own = f"your reference ({share_pct(reference.log_ratio):.0f} %)"
    ratio = log_ratio.value if log_ratio.value is not None else math.copysign(math.inf, share.value - 50.0)
    if ratio >= reference.log_ratio - minimal_detectable_change(reference):
        return _emg(Verdict.GLUTE_LED, f"Glute-led: {said}, in line with {own}.")
    if back_pct < MIN_BACK_PCT:
        said = f"glute {glute_pct:.0f} % and back {back_pct:.0f} % of their references"
        return _emg(Verdict.CANNOT_TELL, f"Cannot tell: {said} are too little to compare.")
    if ratio >= 0.0:
        return _emg(Verdict.SHARED, f"Shared: {said}, the back did more than in {own}.")
    return _emg(Verdict.BACK_LED, f"Back-led: {said}, the back did more than the glute, outside {own}.")


def _emg(verdict: Verdict, sentence: str) -> Judgement:
    return Judgement(verdict, VerdictBasis.EMG, sentence)

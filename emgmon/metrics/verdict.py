"""One pure function from figures and the person's own reference to a verdict and one sentence."""

import math
from dataclasses import dataclass

from emgmon.events import Metric, Verdict, VerdictBasis
from emgmon.metrics.engagement import share_pct
from emgmon.metrics.reference import ReferenceSet, minimal_detectable_change

MIN_ACTIVITY_PCT = 5.0
"""When both muscles stay below this share of their references, chance decides their ratio."""

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
    glute-led. Below it, the glute may still do as much as the back (shared) or less (back-led). Where the
    good set itself leans on the back, a repetition like it is shared. How high the lift went, which muscle
    began, and posture play no part.
    """
    if not has_emg:
        said = "Counted from motion; the muscles were not measured, so there is no verdict."
        return Judgement(Verdict.NO_REFERENCE, VerdictBasis.MOTION, said)
    if share.value is None:
        reason = share.reason or "the activity share was not measured"
        if reference is None:
            return _emg(Verdict.NO_REFERENCE, f"No verdict: {reason}.")
        return _emg(Verdict.CANNOT_TELL, f"Cannot tell: {reason}.")
    if reference is None:
        said = f"Activity share {share.value:.0f} % glute. There is no reference set yet, so no verdict."
        return _emg(Verdict.NO_REFERENCE, said)
    ratio = log_ratio.value if log_ratio.value is not None else math.copysign(math.inf, share.value - 50.0)
    return _compare(glute.value or 0.0, back.value or 0.0, share.value, ratio, reference)


def _compare(
    glute_pct: float, back_pct: float, share: float, ratio: float, reference: ReferenceSet
) -> Judgement:
    change = minimal_detectable_change(reference)
    low, high = reference.log_ratio - change, reference.log_ratio + change
    back_rests = ratio < low and back_pct < MIN_BACK_PCT
    if back_rests or max(glute_pct, back_pct) < MIN_ACTIVITY_PCT:
        said = f"glute {glute_pct:.0f} % and back {back_pct:.0f} % of their references"
        return _emg(Verdict.CANNOT_TELL, f"Cannot tell: {said} are too little to compare.")
    place = "below" if ratio < low else "above" if ratio > high else "in line with"
    said = f"{share:.0f} % glute, {place} your reference ({share_pct(reference.log_ratio):.0f} %)."
    if ratio < low and ratio < 0.0:
        return _emg(Verdict.BACK_LED, f"Back-led: {said}")
    if ratio < low or ratio < 0.0:
        return _emg(Verdict.SHARED, f"Shared: {said}")
    return _emg(Verdict.GLUTE_LED, f"Glute-led: {said}")


def _emg(verdict: Verdict, sentence: str) -> Judgement:
    return Judgement(verdict, VerdictBasis.EMG, sentence)

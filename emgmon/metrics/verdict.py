"""One pure function from figures, quality and the person's own reference to a verdict and one sentence."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from emgmon.events import ChannelQuality, Metric, Quality, Verdict, VerdictBasis, channel_words
from emgmon.metrics.engagement import share_pct
from emgmon.metrics.reference import Comparison, ReferenceSet, minimal_detectable_change

MIN_ACTIVITY_PCT = 5.0
"""When both muscles stay below this share of their references, chance decides their ratio."""

MIN_BACK_PCT = 10.0
"""Below this share of its reference the back leads nothing, whatever the ratio says."""

WARNING_REPS = 3
"""A warning looks back over this many repetitions ..."""

REPS_FOR_WARNING = 2
"""... and needs this many of them beyond the usual range: one alone may be chance."""


class VerdictReason(enum.StrEnum):
    """What decided a verdict."""

    IN_RANGE = "in-range"
    """Within the minimal detectable change of the reference."""
    ABOVE_RANGE = "above-range"
    """More glute than in the reference by more than the minimal detectable change."""
    BELOW_RANGE = "below-range"
    """Less glute than in the reference by more than the minimal detectable change."""
    LIKE_A_BACK_LEANING_REFERENCE = "like-a-back-leaning-reference"
    """Not below the reference, but the back does more than the glute in both."""
    MOTION_IN_RANGE = "motion-in-range"
    MOTION_BEYOND_RANGE = "motion-beyond-range"
    """The pelvis moved farther than in the reference by more than the minimal detectable change."""
    NO_REFERENCE = "no-reference"
    MUSCLES_NOT_WORN = "muscles-not-worn"
    """No electrode on glute or back."""
    NOT_MEASURED = "not-measured"
    CHANNEL_REJECTED = "channel-rejected"
    """The signal of glute or back was too poor over this repetition."""
    TOO_LITTLE_ACTIVITY = "too-little-activity"
    BACK_AT_REST = "back-at-rest"
    """The ratio lies below the range, but the back hardly worked."""
    TOO_UNCERTAIN = "too-uncertain"
    """The 95 % interval holds glute-led and back-led alike."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one repetition and why."""

    verdict: Verdict
    basis: VerdictBasis
    sentence: str
    reason: VerdictReason
    change: float | None = None
    """Difference from the reference: log ratio, or degrees for a verdict from motion; ``None`` where none."""
    limit: float | None = None
    """Minimal detectable change that it was held against, in the same unit."""

    @property
    def calls_for_cue(self) -> bool:
        """Whether the repetition lies beyond the usual range on the side of the back."""
        return self.reason in (VerdictReason.BELOW_RANGE, VerdictReason.MOTION_BEYOND_RANGE)


@dataclass(frozen=True, slots=True)
class _Range:
    """The person's usual range of the log ratio."""

    middle: float
    limit: float
    comparison: Comparison

    @property
    def low(self) -> float:
        return self.middle - self.limit

    def verdict(self, log_ratio: float) -> Verdict:
        """Apply the rule; monotonic in the log ratio."""
        if log_ratio < self.low:
            return Verdict.BACK_LED if log_ratio < 0.0 else Verdict.SHARED
        return Verdict.SHARED if log_ratio < 0.0 else Verdict.GLUTE_LED

    def reason(self, log_ratio: float) -> VerdictReason:
        """Say where the log ratio lies."""
        if log_ratio < self.low:
            return VerdictReason.BELOW_RANGE
        if log_ratio > self.middle + self.limit:
            return VerdictReason.ABOVE_RANGE
        return VerdictReason.LIKE_A_BACK_LEANING_REFERENCE if log_ratio < 0.0 else VerdictReason.IN_RANGE

    @property
    def words(self) -> str:
        """Say between which shares it lies."""
        return f"{share_pct(self.low):.0f} to {share_pct(self.middle + self.limit):.0f} %"


def judge(
    *,
    glute: Metric,
    back: Metric,
    share: Metric,
    log_ratio: Metric,
    reference: ReferenceSet | None,
    has_emg: bool,
    channels: Sequence[ChannelQuality] = (),
    comparison: Comparison = Comparison.WITHIN_SESSION,
) -> Judgement:
    """Judge one repetition by its EMG.

    A repetition within the minimal detectable change of the person's own good set, or above it, is
    glute-led. Below it, the glute may still do as much as the back (shared) or less (back-led). Where the
    good set itself leans on the back, a repetition like it is shared. A signal too poor, a back that hardly
    works, or an interval that holds both glute-led and back-led leave it open. How high the lift went,
    which muscle began, the two sides of the back, and posture play no part.

    Parameters
    ----------
    glute, back, share, log_ratio
        Of this repetition.
    reference
        The person's own good set of this exercise.
    has_emg
        Whether glute or back is worn at all.
    channels
        Quality, over this repetition, of the channels that stand for glute and back.
    comparison
        Whether the electrodes are where they were in the reference set.
    """
    if not has_emg:
        said = "Counted from motion; the muscles were not measured, so there is no verdict."
        return Judgement(Verdict.NO_REFERENCE, VerdictBasis.MOTION, said, VerdictReason.MUSCLES_NOT_WORN)
    # Without a reference there would have been no verdict anyway.
    known = reference is not None and reference.log_ratio is not None
    otherwise = Verdict.CANNOT_TELL if known else Verdict.NO_REFERENCE
    rejected = next((channel for channel in channels if channel.grade is Quality.REJECT), None)
    if rejected is not None:
        return _open(otherwise, VerdictReason.CHANNEL_REJECTED, _poor(rejected))
    if share.value is None:
        said = share.reason or "the activity share was not measured"
        return _open(otherwise, VerdictReason.NOT_MEASURED, said)
    if reference is None or reference.log_ratio is None:
        lacking = "no reference set yet" if reference is None else "no activity share in your reference set"
        said = f"Activity share {share.value:.0f} % glute. There is {lacking}, so no verdict."
        return _emg(Verdict.NO_REFERENCE, said, VerdictReason.NO_REFERENCE)
    limit = minimal_detectable_change(reference, comparison=comparison)
    usual = _Range(reference.log_ratio, limit, comparison)
    return _compare(glute.value or 0.0, back.value or 0.0, share, log_ratio, usual)


def verdict_at(
    log_ratio: float, reference: ReferenceSet, *, comparison: Comparison = Comparison.WITHIN_SESSION
) -> Verdict:
    """Apply the rule of :func:`judge` to a log ratio that is known exactly.

    This is what a repetition of known truth should have been called, whatever measuring it may do.
    """
    if reference.log_ratio is None:
        return Verdict.NO_REFERENCE
    limit = minimal_detectable_change(reference, comparison=comparison)
    return _Range(reference.log_ratio, limit, comparison).verdict(log_ratio)


def warning(history: Sequence[Judgement]) -> str | None:
    """Give one sentence for the person when the last repetitions were not like their own good ones.

    Parameters
    ----------
    history
        Judgements so far, newest last; only the last `WARNING_REPS` are looked at.

    Returns
    -------
    str or None
        ``None`` unless at least `REPS_FOR_WARNING` of them, the newest among them, lie beyond the reference
        by more than the minimal detectable change, with the back above `MIN_BACK_PCT`.
    """
    recent = history[-WARNING_REPS:]
    beyond = [judgement for judgement in recent if judgement.calls_for_cue]
    if len(beyond) < REPS_FOR_WARNING or not recent[-1].calls_for_cue:
        return None
    if recent[-1].basis is VerdictBasis.MOTION:
        return (
            f"Practice cue: slow and steady. {len(beyond)} of the last {len(recent)} reps were outside your "
            "usual range, from motion alone."
        )
    return (
        f"Practice cue: glute first, back easy. {len(beyond)} of the last {len(recent)} reps were outside "
        "your usual range, with less glute in the activity share."
    )


def _compare(glute_pct: float, back_pct: float, share: Metric, log_ratio: Metric, usual: _Range) -> Judgement:
    share_value = 50.0 if share.value is None else share.value
    ratio = math.copysign(math.inf, share_value - 50.0) if log_ratio.value is None else log_ratio.value
    reason = _undecided(glute_pct, back_pct, ratio, log_ratio, usual)
    change = ratio - usual.middle if math.isfinite(ratio) else None
    if reason is None:
        verdict, decided = usual.verdict(ratio), usual.reason(ratio)
        said = _place_sentence(verdict, decided, share_value, usual)
        return Judgement(verdict, VerdictBasis.EMG, said, decided, change, usual.limit)
    said = {
        VerdictReason.TOO_LITTLE_ACTIVITY: f"glute {glute_pct:.0f} % and back {back_pct:.0f} % of their "
        "references are too little to compare",
        VerdictReason.BACK_AT_REST: f"the back is at {back_pct:.0f} % of its reference, too little to lead",
        VerdictReason.TOO_UNCERTAIN: f"too uncertain, the activity share lies {_between(share, log_ratio)}",
    }[reason]
    sentence = f"Cannot tell: {said}."
    return Judgement(Verdict.CANNOT_TELL, VerdictBasis.EMG, sentence, reason, change, usual.limit)


def _undecided(
    glute_pct: float, back_pct: float, ratio: float, log_ratio: Metric, usual: _Range
) -> VerdictReason | None:
    """Say what keeps a measured share from being judged; ``None`` when nothing does."""
    if max(glute_pct, back_pct) < MIN_ACTIVITY_PCT:
        return VerdictReason.TOO_LITTLE_ACTIVITY
    if ratio < usual.low and back_pct < MIN_BACK_PCT:
        return VerdictReason.BACK_AT_REST
    if log_ratio.low is None or log_ratio.high is None:
        return None
    ends = {usual.verdict(log_ratio.low), usual.verdict(log_ratio.high)}
    return VerdictReason.TOO_UNCERTAIN if ends == {Verdict.BACK_LED, Verdict.GLUTE_LED} else None


def _between(share: Metric, log_ratio: Metric) -> str:
    low = share.low if share.low is not None else share_pct(log_ratio.low or 0.0)
    high = share.high if share.high is not None else share_pct(log_ratio.high or 0.0)
    return f"between {low:.0f} and {high:.0f} %"


def _place_sentence(verdict: Verdict, reason: VerdictReason, share: float, usual: _Range) -> str:
    mine = f"{share_pct(usual.middle):.0f} %"
    place = {
        VerdictReason.IN_RANGE: f"in line with your reference of {mine}",
        VerdictReason.ABOVE_RANGE: f"above your reference of {mine}",
        VerdictReason.LIKE_A_BACK_LEANING_REFERENCE: f"as in your reference of {mine}",
        VerdictReason.BELOW_RANGE: f"below your usual range of {usual.words}",
    }[reason]
    said = f"{verdict.value.capitalize()}: activity share {share:.0f} % glute, {place}"
    if usual.comparison is Comparison.ACROSS_DAYS:
        return f"{said}, widened as the electrodes were put on anew."
    return f"{said}."


def _poor(channel: ChannelQuality) -> str:
    return f"{channel_words(channel.site, channel.side)}: {channel.reason or 'the signal is too poor'}"


def _open(verdict: Verdict, reason: VerdictReason, said: str) -> Judgement:
    begin = "Cannot tell" if verdict is Verdict.CANNOT_TELL else "No verdict"
    return _emg(verdict, f"{begin}: {said}.", reason)


def _emg(verdict: Verdict, sentence: str, reason: VerdictReason) -> Judgement:
    return Judgement(verdict, VerdictBasis.EMG, sentence, reason)

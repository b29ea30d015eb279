import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.events import ChannelQuality, Metric, Quality, QualityFigures, Verdict, VerdictBasis
from emgmon.metrics.engagement import missing, share_pct
from emgmon.metrics.reference import Comparison, ReferenceSet, minimal_detectable_change
from emgmon.metrics.verdict import Judgement, VerdictReason, judge, verdict_at, warning

REFERENCE = ReferenceSet("bridge", 8, math.log(0.7 / 0.3), 0.1)
KIND = ("weak", "inhibit", "abnormal", "injur", "diagnos", "treat", "dysfunction")
ORDER = [Verdict.BACK_LED, Verdict.SHARED, Verdict.GLUTE_LED]


def metric(name, value, low=None, high=None):
    return Metric(name, value, low, high, 1, Quality.GOOD)


def figures(glute, back, margin=0.1):
    """The four metrics of a repetition whose log ratio is known to within `margin`."""
    given = {"glute": metric("glute_engagement_pct", glute), "back": metric("back_engagement_pct", back)}
    if glute > 0.0 and back > 0.0:
        ratio = math.log(glute) - math.log(back)
        low, high = ratio - margin, ratio + margin
        share = metric("glute_share_pct", share_pct(ratio), share_pct(low), share_pct(high))
        return given | {"share": share, "log_ratio": metric("glute_back_log_ratio", ratio, low, high)}
    silent = missing("glute_back_log_ratio", "one muscle is silent")
    if glute == back == 0.0:
        return given | {"share": missing("glute_share_pct", "neither rose above rest"), "log_ratio": silent}
    share = metric("glute_share_pct", 100.0 if glute else 0.0)
    return given | {"share": share, "log_ratio": silent}


def judged(glute, back, reference=REFERENCE, *, margin=0.1, **more):
    return judge(**figures(glute, back, margin), reference=reference, has_emg=True, **more)


def quality(grade, reason=None, site="gluteus_maximus", side="left"):
    return ChannelQuality(site, side, grade, reason, QualityFigures())


@pytest.mark.parametrize(
    ("glute", "back", "verdict", "reason"),
    [
        (70.0, 30.0, Verdict.GLUTE_LED, VerdictReason.IN_RANGE),
        (90.0, 10.0, Verdict.GLUTE_LED, VerdictReason.ABOVE_RANGE),
        (55.0, 45.0, Verdict.SHARED, VerdictReason.BELOW_RANGE),
        (50.0, 50.0, Verdict.SHARED, VerdictReason.BELOW_RANGE),
        (35.0, 65.0, Verdict.BACK_LED, VerdictReason.BELOW_RANGE),
        (40.0, 0.0, Verdict.GLUTE_LED, VerdictReason.ABOVE_RANGE),
        (0.0, 40.0, Verdict.BACK_LED, VerdictReason.BELOW_RANGE),
        (4.0, 4.5, Verdict.CANNOT_TELL, VerdictReason.TOO_LITTLE_ACTIVITY),
        (4.9, 0.1, Verdict.CANNOT_TELL, VerdictReason.TOO_LITTLE_ACTIVITY),
        (4.0, 8.0, Verdict.CANNOT_TELL, VerdictReason.BACK_AT_REST),
        (9.0, 9.9, Verdict.CANNOT_TELL, VerdictReason.BACK_AT_REST),
        (0.0, 9.9, Verdict.CANNOT_TELL, VerdictReason.BACK_AT_REST),
        (0.0, 0.0, Verdict.CANNOT_TELL, VerdictReason.NOT_MEASURED),
    ],
)
def test_verdicts_follow_the_persons_own_reference(glute, back, verdict, reason):
    judgement = judged(glute, back)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)
    assert judgement.basis is VerdictBasis.EMG


def test_the_change_and_the_limit_it_was_held_against_are_given_as_numbers():
    judgement = judged(55.0, 45.0)
    assert judgement.change == pytest.approx(math.log(55 / 45) - REFERENCE.log_ratio)
    assert judgement.limit == minimal_detectable_change(REFERENCE)
    assert judged(0.0, 40.0).change is None


@pytest.mark.parametrize("back", [10.0, 9.99])
def test_a_back_below_a_tenth_of_its_reference_leads_nothing(back):
    led = judged(5.0, back).verdict is Verdict.BACK_LED
    assert led == (back >= 10.0)


def test_a_person_whose_good_set_leans_on_the_back_is_judged_by_that_set():
    own = ReferenceSet("romanian-deadlift", 8, math.log(0.4 / 0.6), 0.1)
    # Like the good set, but to call it glute-led would not be true.
    like = judged(40.0, 60.0, own)
    assert (like.verdict, like.reason) == (Verdict.SHARED, VerdictReason.LIKE_A_BACK_LEANING_REFERENCE)
    assert judged(30.0, 70.0, own).verdict is Verdict.BACK_LED
    better = judged(49.0, 51.0, own)
    assert (better.verdict, better.reason) == (Verdict.SHARED, VerdictReason.ABOVE_RANGE)


def test_a_rejected_channel_leaves_it_open_and_says_why():
    bad = quality(Quality.REJECT, "the electrode came off")
    judgement = judged(70.0, 30.0, channels=(quality(Quality.GOOD), bad))
    assert (judgement.verdict, judgement.reason) == (Verdict.CANNOT_TELL, VerdictReason.CHANNEL_REJECTED)
    assert judgement.sentence == "Cannot tell: left gluteus maximus: the electrode came off."


def test_a_usable_channel_is_used():
    usable = quality(Quality.USABLE, "some hum")
    assert judged(70.0, 30.0, channels=(usable,)) == judged(70.0, 30.0)


def test_an_interval_that_holds_both_ends_leaves_it_open():
    assert judged(60.0, 40.0, margin=0.2).verdict is Verdict.SHARED
    wide = judged(60.0, 40.0, margin=0.9)
    assert (wide.verdict, wide.reason) == (Verdict.CANNOT_TELL, VerdictReason.TOO_UNCERTAIN)
    assert "between 38 and 79 %" in wide.sentence


def test_across_days_a_wider_change_counts_and_the_sentence_says_so():
    within, across = judged(55.0, 45.0), judged(55.0, 45.0, comparison=Comparison.ACROSS_DAYS)
    assert (within.verdict, across.verdict) == (Verdict.SHARED, Verdict.GLUTE_LED)
    assert across.limit > within.limit
    assert "electrodes were put on anew" in across.sentence
    assert "anew" not in within.sentence


def test_without_a_reference_there_is_a_share_but_no_verdict():
    judgement = judged(70.0, 30.0, None)
    assert (judgement.verdict, judgement.reason) == (Verdict.NO_REFERENCE, VerdictReason.NO_REFERENCE)
    assert "70 % glute" in judgement.sentence


def test_a_reference_of_motion_alone_is_none_for_the_muscles():
    motion_only = ReferenceSet("bridge", 0, None, 0.0)
    assert judged(70.0, 30.0, motion_only).verdict is Verdict.NO_REFERENCE
    assert verdict_at(0.5, motion_only) is Verdict.NO_REFERENCE


def test_a_rejected_channel_without_a_reference_stays_without_a_verdict():
    bad = quality(Quality.REJECT, "clipped", side=None)
    judgement = judged(70.0, 30.0, None, channels=(bad,))
    assert (judgement.verdict, judgement.reason) == (Verdict.NO_REFERENCE, VerdictReason.CHANNEL_REJECTED)
    assert judgement.sentence == "No verdict: gluteus maximus: clipped."


def test_motion_alone_says_so():
    nothing = missing("x", "no electrode")
    parts = {"glute": nothing, "back": nothing, "share": nothing, "log_ratio": nothing}
    judgement = judge(**parts, reference=REFERENCE, has_emg=False)
    assert (judgement.verdict, judgement.basis) == (Verdict.NO_REFERENCE, VerdictBasis.MOTION)
    assert judgement.reason is VerdictReason.MUSCLES_NOT_WORN


def test_an_unmeasured_share_gives_its_reason():
    nothing = missing("x", "30 ms of EMG are missing")
    parts = {"glute": nothing, "back": nothing, "share": nothing, "log_ratio": nothing}
    judgement = judge(**parts, reference=REFERENCE, has_emg=True)
    assert judgement.verdict is Verdict.CANNOT_TELL
    assert "30 ms of EMG are missing" in judgement.sentence


references = st.builds(
    lambda ratio, sd, n: ReferenceSet("bridge", n, ratio, sd),
    st.floats(-1.5, 1.5),
    st.floats(0.0, 0.4),
    st.integers(3, 12),
)


@given(st.floats(1, 200), st.floats(10, 200), st.floats(1, 5), references, st.sampled_from(Comparison))
def test_more_glute_never_makes_the_verdict_worse(glute, back, factor, reference, comparison):
    pair = [judged(g, back, reference, comparison=comparison).verdict for g in (glute, glute * factor)]
    if Verdict.CANNOT_TELL not in pair:
        assert ORDER.index(pair[1]) >= ORDER.index(pair[0])


@given(st.floats(-3, 3), st.floats(0, 3), references)
def test_the_rule_itself_never_falls_with_more_glute(log_ratio, more, reference):
    before, after = verdict_at(log_ratio, reference), verdict_at(log_ratio + more, reference)
    assert ORDER.index(after) >= ORDER.index(before)


@given(st.floats(10, 200), st.floats(10, 200), references)
def test_what_is_judged_is_judged_by_the_rule(glute, back, reference):
    judgement = judged(glute, back, reference, margin=0.0)
    assert judgement.verdict is verdict_at(math.log(glute) - math.log(back), reference)


@given(st.floats(0, 200), st.floats(0, 200), st.sampled_from([None, REFERENCE]), st.sampled_from(Comparison))
def test_no_sentence_judges_the_person(glute, back, reference, comparison):
    said = judged(glute, back, reference, comparison=comparison, margin=0.6).sentence
    assert not any(word in said.lower() for word in KIND)
    assert said.endswith(".")
    assert len(said) < 120


@pytest.mark.parametrize("noise", [0.05, 0.1])
@pytest.mark.parametrize("good_pct", [40.0, 55.0, 70.0])
def test_measured_verdicts_agree_with_the_truth_beyond_the_detectable_change(noise, good_pct):
    # 0.05 is what two bilateral muscles scatter by at 15 dB, 0.1 at 8 dB.
    chance = np.random.default_rng(5)
    reference = ReferenceSet("bridge", 10, math.log(good_pct / (100 - good_pct)), math.hypot(0.08, noise))
    truths = reference.log_ratio + chance.uniform(-2.0, 2.0, 4000)
    found = truths + chance.normal(0.0, noise, len(truths))
    right = opposite = beyond = 0
    for truth, ratio in zip(truths, found, strict=True):
        true = verdict_at(truth, reference)
        verdict = judged(30.0 * math.exp(ratio), 30.0, reference, margin=1.96 * noise).verdict
        opposite += {true, verdict} == {Verdict.GLUTE_LED, Verdict.BACK_LED}
        if abs(truth - reference.log_ratio) > minimal_detectable_change(reference):
            beyond += 1
            right += verdict is true
    assert right / beyond >= 0.95
    assert opposite / len(truths) < 0.005


BELOW, FINE = judged(45.0, 55.0), judged(70.0, 30.0)
AT_REST, OPEN = judged(5.0, 9.0), judged(60.0, 40.0, margin=2.0)
FARTHER = replace(BELOW, basis=VerdictBasis.MOTION, reason=VerdictReason.MOTION_BEYOND_RANGE)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [BELOW],
        [FINE, FINE, BELOW],
        [BELOW, AT_REST, AT_REST],
        [BELOW, OPEN, OPEN],
        [BELOW, BELOW, FINE, FINE],
        [BELOW, BELOW, FINE],
        [judged(40.0, 60.0, ReferenceSet("squat", 8, -0.4, 0.1))] * 3,
    ],
)
def test_there_is_no_warning_without_two_of_the_last_three_and_the_newest(history):
    assert warning(history) is None


@pytest.mark.parametrize(
    "history", [[BELOW, BELOW], [BELOW, FINE, BELOW], [FINE, BELOW, BELOW], [FINE, FINE, OPEN, BELOW, BELOW]]
)
def test_two_of_the_last_three_below_the_range_give_a_practice_cue(history):
    said = warning(history)
    assert said is not None
    assert said.startswith("Practice cue: glute first")
    assert f"2 of the last {min(len(history), 3)} reps were outside your usual range" in said


def test_a_warning_from_motion_says_so_and_names_no_muscle():
    said = warning([FARTHER, FARTHER, FARTHER])
    assert said is not None
    assert "from motion alone" in said
    assert "3 of the last 3 reps were outside your usual range" in said
    assert not any(word in said for word in ("glute", "back", "muscle"))


def test_warnings_are_short_and_kind():
    for history in ([BELOW, BELOW], [FARTHER, FARTHER]):
        said = warning(history)
        assert said is not None
        assert len(said) < 130
        assert not any(word in said.lower() for word in KIND)


def test_every_reason_of_a_verdict_from_emg_can_be_reached():
    reached = {judgement.reason for judgement in EVERY}
    assert reached == {reason for reason in VerdictReason if not reason.name.startswith("MOTION_")}


EVERY: list[Judgement] = [
    FINE,
    judged(95.0, 5.0),
    BELOW,
    judged(40.0, 60.0, ReferenceSet("squat", 8, -0.4, 0.1)),
    judged(70.0, 30.0, None),
    judge(**figures(0.0, 0.0), reference=None, has_emg=False),
    judged(0.0, 0.0),
    judged(70.0, 30.0, channels=(quality(Quality.REJECT),)),
    judged(1.0, 1.0),
    AT_REST,
    OPEN,
]

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.events import Metric, Quality, Verdict, VerdictBasis
from emgmon.metrics.engagement import Engagement, Muscle, engagement_metric, share_metrics
from emgmon.metrics.reference import ReferenceSet, minimal_detectable_change
from emgmon.metrics.verdict import judge

REFERENCE = ReferenceSet("bridge", 8, math.log(0.7 / 0.3), 0.1)
GLUTE = Muscle("glute", (0,), 2.0, None, Quality.GOOD)
BACK = Muscle("back", (1,), 2.0, None, Quality.GOOD)


def judged(glute, back, reference=REFERENCE):
    glute_part, back_part = Engagement(GLUTE, glute, 0.05, None), Engagement(BACK, back, 0.05, None)
    share, log_ratio = share_metrics(glute_part, back_part)
    return judge(
        glute=engagement_metric(glute_part),
        back=engagement_metric(back_part),
        share=share,
        log_ratio=log_ratio,
        reference=reference,
        has_emg=True,
    )


@pytest.mark.parametrize(
    ("glute", "back", "verdict"),
    [
        (70.0, 30.0, Verdict.GLUTE_LED),
        (90.0, 10.0, Verdict.GLUTE_LED),
        (55.0, 45.0, Verdict.SHARED),
        (50.0, 50.0, Verdict.SHARED),
        (35.0, 65.0, Verdict.BACK_LED),
        (4.0, 8.0, Verdict.CANNOT_TELL),
        (40.0, 0.0, Verdict.GLUTE_LED),
        (0.0, 40.0, Verdict.BACK_LED),
        (0.0, 0.0, Verdict.CANNOT_TELL),
        (4.9, 0.1, Verdict.CANNOT_TELL),
    ],
)
def test_verdicts_follow_the_persons_own_reference(glute, back, verdict):
    judgement = judged(glute, back)
    assert judgement.verdict is verdict
    assert judgement.basis is VerdictBasis.EMG


def test_a_person_whose_good_set_leans_on_the_back_is_judged_by_that_set():
    own = ReferenceSet("romanian-deadlift", 8, math.log(0.4 / 0.6), 0.1)
    # Like the good set, but to call it glute-led would not be true.
    assert judged(40.0, 60.0, own).verdict is Verdict.SHARED
    assert judged(30.0, 70.0, own).verdict is Verdict.BACK_LED


def test_without_a_reference_there_is_a_share_but_no_verdict():
    judgement = judged(70.0, 30.0, None)
    assert judgement.verdict is Verdict.NO_REFERENCE
    assert "70 % glute" in judgement.sentence


def test_motion_alone_says_so():
    nothing = Metric("x", None, None, None, 0, Quality.REJECT, "no electrode")
    judgement = judge(
        glute=nothing, back=nothing, share=nothing, log_ratio=nothing, reference=REFERENCE, has_emg=False
    )
    assert (judgement.verdict, judgement.basis) == (Verdict.NO_REFERENCE, VerdictBasis.MOTION)


def test_an_unmeasured_share_gives_its_reason():
    nothing = Metric("x", None, None, None, 0, Quality.REJECT, "30 ms of EMG are missing")
    judgement = judge(
        glute=nothing, back=nothing, share=nothing, log_ratio=nothing, reference=REFERENCE, has_emg=True
    )
    assert judgement.verdict is Verdict.CANNOT_TELL
    assert "30 ms of EMG are missing" in judgement.sentence


@given(st.floats(1, 200), st.floats(10, 200), st.floats(1.01, 5))
def test_more_glute_never_makes_the_verdict_worse(glute, back, factor):
    order = [Verdict.BACK_LED, Verdict.SHARED, Verdict.GLUTE_LED]
    before, after = judged(glute, back).verdict, judged(glute * factor, back).verdict
    assert order.index(after) >= order.index(before)


@given(st.floats(0, 200), st.floats(0, 200))
def test_no_sentence_judges_the_person(glute, back):
    for reference in (REFERENCE, None):
        said = judged(glute, back, reference).sentence.lower()
        assert not any(
            word in said for word in ("weak", "inhibited", "abnormal", "injury", "diagnos", "treat")
        )


def test_the_minimal_detectable_change_is_that_of_the_published_variation():
    # CV 11 % of both muscles: 0.43 between two repetitions, 0.153 between two means of eight.
    few = ReferenceSet("bridge", 1, 0.8, 0.0)
    assert minimal_detectable_change(few) == pytest.approx(0.43, abs=0.005)
    eight = ReferenceSet("bridge", 8, 0.8, math.sqrt(2) * 0.11)
    assert minimal_detectable_change(eight, n_reps=8) == pytest.approx(0.153, abs=0.001)


def test_the_persons_own_spread_counts_only_when_there_are_enough_repetitions():
    assert minimal_detectable_change(ReferenceSet("bridge", 4, 0.8, 0.01)) > 0.3
    assert minimal_detectable_change(ReferenceSet("bridge", 5, 0.8, 0.01)) < 0.03

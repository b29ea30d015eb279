import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emgmon.errors import ReferenceSetError
from emgmon.events import Metric, Quality
from emgmon.metrics.engagement import missing
from emgmon.metrics.reference import (
    LOG_RATIO,
    SMALLEST_REP_SD,
    ChangeSource,
    Comparison,
    ReferenceSet,
    comparison_of,
    detectable_change,
    minimal_detectable_change,
    minimal_detectable_difference,
    reference_of,
    student_975,
)

PUBLISHED_SD = math.sqrt(2) * 0.11
WITHIN, ACROSS = Comparison.WITHIN_SESSION, Comparison.ACROSS_DAYS


def measured(name, value, quality=Quality.GOOD):
    return Metric(name, value, None, None, 1, quality)


def ratios(*values):
    return [(measured(LOG_RATIO, value),) for value in values]


def test_two_repetitions_differ_for_sure_by_a_factor_of_1_54():
    # CV 11 % of both muscles: 0.43 from one repetition to another.
    change = detectable_change(ReferenceSet("bridge", 1, 0.8, 0.0))
    assert change.log_ratio == pytest.approx(0.43, abs=0.002)
    assert change.factor == pytest.approx(1.54, abs=0.005)
    assert change.source is ChangeSource.PUBLISHED_SAME_DAY


def test_two_means_of_eight_differ_for_sure_by_a_factor_of_1_17():
    # With as many repetitions the person's own spread serves, so the published formula is put here by hand.
    assert 1.96 * PUBLISHED_SD * math.sqrt(2 / 8) == pytest.approx(0.153, abs=0.001)
    own = detectable_change(ReferenceSet("bridge", 8, 0.8, PUBLISHED_SD), n_reps=8)
    assert own.source is ChangeSource.OWN_SPREAD
    assert own.log_ratio == pytest.approx(0.153 * stats.t.ppf(0.975, 7) / 1.96, rel=0.005)


@pytest.mark.parametrize("n_reps", [1, 8, 1000])
def test_across_days_the_factor_is_two_however_many_repetitions_are_averaged(n_reps):
    change = detectable_change(ReferenceSet("bridge", 8, 0.8, 0.1), n_reps=n_reps, comparison=ACROSS)
    assert change.log_ratio == pytest.approx(0.71, abs=0.005)
    assert change.factor == pytest.approx(2.0, abs=0.03)
    assert change.source is ChangeSource.BETWEEN_DAYS


def test_a_person_who_varies_more_within_a_session_is_not_thought_steadier_across_days():
    restless = ReferenceSet("bridge", 6, 0.8, 0.5)
    assert detectable_change(restless, comparison=ACROSS) == detectable_change(restless, comparison=WITHIN)


@given(st.integers(5, 30), st.floats(SMALLEST_REP_SD, 1.0), st.integers(1, 30))
def test_the_own_spread_gives_the_prediction_interval_of_students_t(n, rep_sd, n_reps):
    expected = stats.t.ppf(0.975, n - 1) * rep_sd * math.sqrt(1 / n + 1 / n_reps)
    found = minimal_detectable_change(ReferenceSet("bridge", n, 0.8, rep_sd), n_reps=n_reps)
    assert found == pytest.approx(expected, rel=0.003)


@pytest.mark.parametrize("n", [5, 8, 20])
def test_a_repetition_like_the_others_stays_within_the_limit_in_95_of_100(n):
    chance = np.random.default_rng(n)
    draws = chance.normal(0.8, 0.15, (4000, n + 1))
    limits = [
        minimal_detectable_change(ReferenceSet("bridge", n, 0.8, float(sd)))
        for sd in draws[:, :n].std(axis=1, ddof=1)
    ]
    within = np.abs(draws[:, n] - draws[:, :n].mean(axis=1)) <= limits
    assert within.mean() == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize("freedom", [4, 5, 7, 12, 30, 200])
def test_students_t_is_that_of_the_tables(freedom):
    assert student_975(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.003)


@given(st.integers(1, 30), st.floats(0.0, 2.0), st.integers(1, 20))
def test_more_repetitions_never_widen_the_limit(n, rep_sd, n_reps):
    reference = ReferenceSet("bridge", n, 0.8, rep_sd)
    for comparison in Comparison:
        fewer = minimal_detectable_change(reference, n_reps=n_reps, comparison=comparison)
        more = minimal_detectable_change(reference, n_reps=n_reps + 1, comparison=comparison)
        assert 0.0 < more <= fewer


def test_few_repetitions_are_not_believed_to_be_steady_but_are_believed_to_be_restless():
    published = detectable_change(ReferenceSet("bridge", 4, 0.8, 0.0))
    assert detectable_change(ReferenceSet("bridge", 4, 0.8, 0.01)) == published
    restless = detectable_change(ReferenceSet("bridge", 4, 0.8, 0.5))
    assert restless.log_ratio > published.log_ratio
    assert restless.source is ChangeSource.OWN_SPREAD


def test_nobody_is_believed_to_be_steadier_than_the_signal_itself():
    machine = minimal_detectable_change(ReferenceSet("bridge", 8, 0.8, 1e-6))
    assert machine == minimal_detectable_change(ReferenceSet("bridge", 8, 0.8, SMALLEST_REP_SD))
    assert machine > 0.06


def test_a_set_of_unknown_spread_falls_back_on_the_published_variation():
    for rep_sd in (0.0, math.nan, math.inf):
        change = detectable_change(ReferenceSet("bridge", 8, 0.8, rep_sd))
        assert change.source is ChangeSource.PUBLISHED_SAME_DAY


@pytest.mark.parametrize("source", ChangeSource)
def test_every_source_can_be_told(source):
    assert source.words


def test_a_standard_deviation_of_differences_of_6_5_is_a_detectable_change_of_12_7():
    agreement = minimal_detectable_difference(6.5)
    assert (agreement.sem, agreement.mdc95) == (
        pytest.approx(4.60, abs=0.005),
        pytest.approx(12.74, abs=0.005),
    )


def test_a_reference_holds_mean_and_spread_of_what_was_measured():
    reps = [*ratios(0.6, 0.8, 1.0), (missing(LOG_RATIO, "samples are missing"),)]
    reps.append((measured(LOG_RATIO, 9.0, Quality.REJECT),))
    reference = reference_of("bridge", reps, made_utc="2025-03-01T18:00:00+00:00", placement=3)
    assert (reference.exercise, reference.n_reps) == ("bridge", 3)
    assert reference.log_ratio == pytest.approx(0.8)
    assert reference.rep_sd == pytest.approx(0.2)
    assert (reference.made_utc, reference.placement) == ("2025-03-01T18:00:00+00:00", 3)


def test_a_reference_holds_the_motion_that_matters_and_no_other():
    reps = [
        (measured("pelvis_reversal_deg", value), measured("pelvis_pitch_range_deg", 40.0), *ratio)
        for value, ratio in zip((1.0, 2.0, 3.0), ratios(0.6, 0.8, 1.0), strict=True)
    ]
    reference = reference_of("bridge", reps, motion=("pelvis_reversal_deg", "lumbar_extension_deg"))
    assert [motion.name for motion in reference.motion] == ["pelvis_reversal_deg"]
    motion = reference.find_motion("pelvis_reversal_deg")
    assert (motion.mean, motion.rep_sd, motion.n_reps) == (2.0, 1.0, 3)
    assert reference.find_motion("pelvis_pitch_range_deg") is None


def test_motion_alone_makes_a_reference_without_a_log_ratio():
    reps = [(measured("pelvis_reversal_deg", value),) for value in (1.0, 2.0, 3.0)]
    reference = reference_of("bridge", reps, motion=("pelvis_reversal_deg",))
    assert (reference.log_ratio, reference.n_reps) == (None, 0)


def test_two_repetitions_are_no_reference_and_the_reason_is_told():
    reps = [*ratios(0.6, 0.8), (missing(LOG_RATIO, "30 ms of EMG are missing"),)]
    with pytest.raises(
        ReferenceSetError, match=r"2 measured repetitions of 3.*30 ms of EMG are missing"
    ) as caught:
        reference_of("bridge", reps)
    assert "good repetitions" in caught.value.advice


def test_a_back_driven_set_is_kept_when_it_can_be_told_from_the_good_one():
    reference = reference_of("bridge", ratios(0.6, 0.8, 1.0), back_driven=ratios(-0.4, -0.5, -0.6))
    assert reference.back_driven_log_ratio == pytest.approx(-0.5)
    assert reference.log_ratio == pytest.approx(0.8)


@pytest.mark.parametrize("back_driven", [(0.7, 0.75, 0.8), (1.4, 1.5, 1.6)])
def test_a_back_driven_set_like_the_good_one_is_refused(back_driven):
    with pytest.raises(ReferenceSetError, match="back-driven set lies") as caught:
        reference_of("bridge", ratios(0.6, 0.8, 1.0), back_driven=ratios(*back_driven))
    assert "not needed" in caught.value.advice


def test_a_back_driven_set_of_two_is_refused():
    with pytest.raises(ReferenceSetError, match="back-driven set has 2 measured"):
        reference_of("bridge", ratios(0.6, 0.8, 1.0), back_driven=ratios(-1.0, -1.1))


@pytest.mark.parametrize(
    ("made", "now", "comparison"),
    [(3, 3, WITHIN), (3, 4, ACROSS), (None, None, WITHIN), (None, 4, ACROSS), (3, None, ACROSS)],
)
def test_new_electrodes_make_it_a_comparison_across_days(made, now, comparison):
    assert comparison_of(ReferenceSet("bridge", 8, 0.8, 0.1, placement=made), now) is comparison

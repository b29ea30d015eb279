import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.events import Metric, Quality, Verdict, VerdictBasis
from emgmon.exercises import EXERCISE_NAMES, load_exercise
from emgmon.metrics.engagement import missing
from emgmon.metrics.motion_verdict import (
    HINGE,
    LEAST_CHANGE_DEG,
    LEAST_LUMBAR_CHANGE_DEG,
    LUMBAR,
    RISING_PELVIS,
    SQUAT,
    STEADY_PELVIS,
    TURNING_PELVIS,
    USUAL_CHANGE_DEG,
    USUAL_LUMBAR_CHANGE_DEG,
    detectable_motion,
    judge_motion,
    measures_of,
)
from emgmon.metrics.reference import ChangeSource, MotionReference, ReferenceSet
from emgmon.metrics.verdict import VerdictReason

TIPPED, TURNED = "pelvis_anterior_change_deg", "pelvis_rotation_range_deg"
ROLLED, REVERSED = "pelvis_obliquity_range_deg", "pelvis_reversal_deg"
LOCKED_OUT = "pelvis_lockout_deg"
MUSCLES = ("glute", "erector", "muscle", "hamstring")
KIND = ("weak", "inhibit", "abnormal", "injur", "diagnos", "treat", "dysfunction")


def reference(n_reps=8, rep_sd=1.0, **means):
    motion = tuple(MotionReference(name, mean, rep_sd, n_reps) for name, mean in means.items())
    return ReferenceSet("bird-dog", 0, None, 0.0, motion)


def metrics(**values):
    return [Metric(name, value, None, None, 1, Quality.GOOD) for name, value in values.items()]


LEG_LIFT = reference(**{TIPPED: 2.0, TURNED: 3.0, ROLLED: 1.0})


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({TIPPED: 2.0, TURNED: 3.0, ROLLED: 1.0}, Verdict.STEADY),
        ({TIPPED: 2.0, TURNED: 5.0, ROLLED: 1.0}, Verdict.STEADY),
        ({TIPPED: 2.0, TURNED: 9.0, ROLLED: 1.0}, Verdict.BEYOND_RANGE),
        ({TIPPED: 8.0, TURNED: 3.0, ROLLED: 1.0}, Verdict.BEYOND_RANGE),
        ({TIPPED: 2.0, TURNED: 3.0, ROLLED: 7.0}, Verdict.BEYOND_RANGE),
        # To hold the pelvis stiller, or tipped back, is not beyond anything.
        ({TIPPED: -9.0, TURNED: 0.0, ROLLED: 0.0}, Verdict.STEADY),
    ],
)
def test_a_leg_lift_is_judged_by_how_far_the_pelvis_moved(values, verdict):
    judgement = judge_motion(metrics(**values), LEG_LIFT, STEADY_PELVIS)
    assert judgement.verdict is verdict
    assert judgement.basis is VerdictBasis.MOTION


def test_turning_is_the_exercise_in_a_scorpion():
    values = metrics(**{TIPPED: 2.0, TURNED: 60.0, ROLLED: 1.0})
    assert judge_motion(values, LEG_LIFT, TURNING_PELVIS).verdict is Verdict.STEADY
    assert judge_motion(values, LEG_LIFT, STEADY_PELVIS).verdict is Verdict.BEYOND_RANGE


def test_a_bridge_is_judged_by_the_late_reversal():
    own = reference(**{REVERSED: 1.0})
    assert judge_motion(metrics(**{REVERSED: 2.0}), own, RISING_PELVIS).verdict is Verdict.STEADY
    late = judge_motion(metrics(**{REVERSED: 9.0}), own, RISING_PELVIS)
    assert late.verdict is Verdict.BEYOND_RANGE
    assert "tipped forward again towards the top by 9 degrees" in late.sentence


def test_a_hinge_is_judged_at_lock_out():
    own = reference(**{LOCKED_OUT: 0.0})
    assert judge_motion(metrics(**{LOCKED_OUT: -4.0}), own, HINGE).verdict is Verdict.STEADY
    assert judge_motion(metrics(**{LOCKED_OUT: 8.0}), own, HINGE).verdict is Verdict.BEYOND_RANGE


@pytest.mark.parametrize("change_deg", [-12.0, 12.0])
def test_a_squat_leaves_its_range_on_either_side(change_deg):
    own = reference(**{TIPPED: 20.0})
    judgement = judge_motion(metrics(**{TIPPED: 20.0 + change_deg}), own, SQUAT)
    assert judgement.verdict is Verdict.BEYOND_RANGE
    assert judgement.change == pytest.approx(change_deg)
    assert "12 degrees from your reference" in judgement.sentence


def test_a_second_sensor_decides_where_one_cannot_tell_hip_from_back():
    own = reference(**{LUMBAR: 2.0, REVERSED: 1.0})
    assert (
        judge_motion(metrics(**{LUMBAR: 3.0, REVERSED: 30.0}), own, RISING_PELVIS).verdict is Verdict.STEADY
    )
    arched = judge_motion(metrics(**{LUMBAR: 20.0, REVERSED: 1.0}), own, RISING_PELVIS)
    assert arched.verdict is Verdict.BEYOND_RANGE
    assert "the lower back arched by 20 degrees" in arched.sentence
    # A reference made without that sensor is no yardstick for it.
    alone = reference(**{REVERSED: 1.0})
    assert (
        judge_motion(metrics(**{LUMBAR: 20.0, REVERSED: 1.0}), alone, RISING_PELVIS).verdict is Verdict.STEADY
    )


def test_in_a_leg_lift_both_sensors_are_heard_and_the_second_is_told_first():
    own = reference(**{LUMBAR: 2.0, TURNED: 3.0})
    steady = judge_motion(metrics(**{LUMBAR: 2.0, TURNED: 3.0}), own, STEADY_PELVIS)
    assert "the lower back arched by 2 degrees" in steady.sentence
    turned = judge_motion(metrics(**{LUMBAR: 2.0, TURNED: 30.0}), own, STEADY_PELVIS)
    assert turned.verdict is Verdict.BEYOND_RANGE


def test_the_sentence_says_motion_alone_and_what_was_seen():
    own = reference(**{TURNED: 3.0})
    steady = judge_motion(metrics(**{TURNED: 3.2}), own, STEADY_PELVIS)
    assert (
        steady.sentence == "Steady, from motion alone: the pelvis turned by 3 degrees, within your reference."
    )
    beyond = judge_motion(metrics(**{TURNED: 9.4}), own, STEADY_PELVIS)
    assert beyond.sentence == (
        "Beyond range, from motion alone: the pelvis turned by 9 degrees, outside your usual range "
        "(up to 6 degrees)."
    )
    assert beyond.reason is VerdictReason.MOTION_BEYOND_RANGE
    assert beyond.change == pytest.approx(6.4)
    assert beyond.limit == pytest.approx(2.51, abs=0.01)


def test_a_figure_just_beyond_the_range_is_told_with_tenths():
    judgement = judge_motion(metrics(**{TURNED: 5.6}), reference(**{TURNED: 3.0}), STEADY_PELVIS)
    assert "5.6 degrees, outside your usual range (up to 5.5 degrees)" in judgement.sentence


def test_the_farthest_out_of_several_is_told():
    judgement = judge_motion(metrics(**{TIPPED: 8.0, TURNED: 30.0, ROLLED: 9.0}), LEG_LIFT, STEADY_PELVIS)
    assert "the pelvis turned by 30 degrees" in judgement.sentence


def test_a_pelvis_tipped_the_other_way_is_told_without_a_minus():
    judgement = judge_motion(metrics(**{TIPPED: -4.0}), LEG_LIFT, STEADY_PELVIS)
    assert "tipped backward by 4 degrees" in judgement.sentence


def test_what_was_not_measured_leaves_it_open_with_its_reason():
    judgement = judge_motion([missing(TURNED, "samples are missing")], LEG_LIFT, STEADY_PELVIS)
    assert (judgement.verdict, judgement.reason) == (Verdict.CANNOT_TELL, VerdictReason.NOT_MEASURED)
    assert judgement.sentence == "Cannot tell from motion: samples are missing."
    assert judge_motion([], LEG_LIFT, STEADY_PELVIS).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize("own", [None, ReferenceSet("bridge", 8, 0.8, 0.1)])
def test_without_motion_in_the_reference_there_is_no_verdict(own):
    judgement = judge_motion(metrics(**{TURNED: 3.0}), own, STEADY_PELVIS)
    assert (judgement.verdict, judgement.reason) == (Verdict.NO_REFERENCE, VerdictReason.NO_REFERENCE)
    assert "motion alone" in judgement.sentence


def test_the_limit_is_the_persons_own_where_it_is_known():
    own = detectable_motion(MotionReference(TURNED, 3.0, 4.0, 8))
    assert own.deg == pytest.approx(2.365 * 4.0 * math.sqrt(1 + 1 / 8), rel=0.003)
    assert own.source is ChangeSource.OWN_SPREAD


@pytest.mark.parametrize(("name", "least"), [(TURNED, LEAST_CHANGE_DEG), (LUMBAR, LEAST_LUMBAR_CHANGE_DEG)])
def test_no_limit_is_smaller_than_the_error_of_the_sensor(name, least):
    limit = detectable_motion(MotionReference(name, 3.0, 0.01, 8))
    assert (limit.deg, limit.source) == (least, None)


def test_the_error_of_the_sensor_is_that_of_the_published_orientation_filter():
    # 0.6 degrees in each of four tilts.
    assert pytest.approx(1.96 * math.sqrt(4 * 0.6**2)) == LEAST_CHANGE_DEG


@pytest.mark.parametrize(("name", "usual"), [(TURNED, USUAL_CHANGE_DEG), (LUMBAR, USUAL_LUMBAR_CHANGE_DEG)])
def test_few_repetitions_get_a_limit_of_our_choosing_unless_they_vary_more(name, usual):
    assert detectable_motion(MotionReference(name, 3.0, 0.5, 4)).deg == usual
    restless = detectable_motion(MotionReference(name, 3.0, 10.0, 4))
    assert restless.deg > usual
    assert restless.source is ChangeSource.OWN_SPREAD


@given(st.floats(-60, 60), st.floats(0, 40), st.floats(0, 10), st.integers(3, 12))
def test_more_motion_never_makes_a_one_sided_verdict_better(value, more, rep_sd, n_reps):
    own = reference(n_reps, rep_sd, **{TIPPED: 5.0})
    pair = [judge_motion(metrics(**{TIPPED: v}), own, STEADY_PELVIS).verdict for v in (value, value + more)]
    assert pair != [Verdict.BEYOND_RANGE, Verdict.STEADY]


@given(st.sampled_from([STEADY_PELVIS, TURNING_PELVIS, RISING_PELVIS, HINGE, SQUAT]), st.floats(-90, 90))
def test_no_sentence_names_a_muscle_or_judges_the_person(measures, value):
    own = reference(**dict.fromkeys(measures.names, 5.0))
    for name in measures.names:
        said = judge_motion(metrics(**{name: value}), own, measures).sentence.lower()
        assert "motion" in said
        assert "-" not in said
        assert not any(word in said for word in (*MUSCLES, *KIND))


def test_good_repetitions_are_seldom_called_beyond():
    chance = np.random.default_rng(3)
    called = 0
    for _ in range(300):
        draws = chance.normal([2.0, 6.0, 4.0], 2.0, (9, 3))
        motion = tuple(
            MotionReference(name, float(column.mean()), float(column.std(ddof=1)), 8)
            for name, column in zip((TIPPED, TURNED, ROLLED), draws[:8].T, strict=True)
        )
        values = dict(zip((TIPPED, TURNED, ROLLED), draws[8].tolist(), strict=True))
        own = ReferenceSet("bird-dog", 0, None, 0.0, motion)
        called += judge_motion(metrics(**values), own, STEADY_PELVIS).verdict is Verdict.BEYOND_RANGE
    # Three measures, 2.5 of 100 each.
    assert called / 300 < 0.11


EXPECTED = {
    "bird-dog": STEADY_PELVIS,
    "leg-extension-tubing": STEADY_PELVIS,
    "prone-hip-extension": STEADY_PELVIS,
    "scorpion": TURNING_PELVIS,
    "bridge": RISING_PELVIS,
    "hip-thrust": RISING_PELVIS,
    "romanian-deadlift": HINGE,
    "squat": SQUAT,
    "lunge": SQUAT,
}


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_every_exercise_that_ships_has_its_measures(name):
    exercise = load_exercise(name)
    measures = measures_of(pelvis_turn=exercise.pelvis_turn, first_signal=exercise.signals[0].on)
    assert measures is EXPECTED[name]
    assert measures.names[0] == LUMBAR

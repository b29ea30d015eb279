"""The mean activation over each repetition's work is what was asked for."""

import numpy as np
import pytest

from emgmon.virtual.activation import MuscleActivation, activate
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, make_plan


def glute_of(plan: Plan) -> MuscleActivation:
    means_pct = [rep.glute_pct for rep in plan.reps]
    sides = [rep.glute_side for rep in plan.reps]
    return activate("gluteus_maximus", plan.reps, means_pct, sides, seed=1)


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
@pytest.mark.parametrize("share_pct", [1.0, 50.0, 99.0])
def test_the_mean_over_the_work_is_exactly_the_level_asked_for(exercise: str, share_pct: float) -> None:
    plan = make_plan(AthleteParams(exercise=exercise, glute_share_pct=share_pct))
    glute = glute_of(plan)
    for rep in plan.reps:
        assert glute.mean_pct(*rep.work_s) == pytest.approx(rep.glute_pct, rel=1e-12)


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_between_repetitions_there_is_only_tonic_activity(exercise: str) -> None:
    plan = make_plan(AthleteParams(exercise=exercise))
    glute = glute_of(plan)
    pauses_s = np.array([rep.end_s + 0.2 for rep in plan.reps])
    assert glute.left.at(pauses_s).tolist() == [1.0] * len(plan.reps)


def test_activation_rises_in_the_lift_stays_in_the_hold_and_is_lower_in_the_return() -> None:
    plan = make_plan(AthleteParams(exercise="bridge"))
    glute = glute_of(plan)
    for rep in plan.reps:
        hold = glute.left.at(np.linspace(rep.reached_s, rep.left_s, 20))
        assert np.ptp(hold) == 0.0
        assert glute.left.at(rep.start_s) < 0.3 * hold[0]
        returning = glute.left.at(np.linspace(rep.left_s + 0.01, rep.end_s, 50))
        assert np.all(np.diff(returning) < 0.0)


def test_activation_is_never_negative() -> None:
    plan = make_plan(AthleteParams(glute_share_pct=1.0, n_reps=50))
    glute = glute_of(plan)
    assert min(glute.left.values.min(), glute.right.values.min()) > 0.0


def test_the_sides_differ_by_the_fraction_asked_for_and_average_to_the_level() -> None:
    plan = make_plan(AthleteParams())
    glute = glute_of(plan)
    rep = plan.reps[0]
    left, right = glute.left.at(rep.turn_s), glute.right.at(rep.turn_s)
    assert (left - right) / (left + right) == pytest.approx(rep.glute_side)

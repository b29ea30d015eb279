"""The mean activation over each repetition's work is what was asked for."""

import numpy as np
import pytest

from emgmon.virtual.activation import MuscleActivation, Shaping, activate
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import SET_UP_KINDS, AthleteParams
from emgmon.virtual.plan import Plan, make_plan


def glute_of(plan: Plan) -> MuscleActivation:
    means_pct = [rep.glute_pct for rep in plan.reps]
    sides = [rep.glute_side for rep in plan.reps]
    return activate("gluteus_maximus", plan.reps, means_pct, sides, seed=1, set_up=plan.set_up)


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


@pytest.mark.parametrize("exercise", ["lunge", "scorpion", "leg-extension-tubing"])
def test_the_working_sides_glute_is_four_times_as_active(exercise: str) -> None:
    plan = make_plan(AthleteParams(exercise=exercise, n_reps=6))
    glute = glute_of(plan)
    for rep in plan.reps:
        left_pct, right_pct = (curve.mean(*rep.work_s) for curve in (glute.left, glute.right))
        working_pct, other_pct = (left_pct, right_pct) if rep.side == "left" else (right_pct, left_pct)
        assert other_pct / working_pct == pytest.approx(0.25, abs=0.06)


def test_quick_pulses_have_the_level_asked_for_too() -> None:
    plan = make_plan(AthleteParams(lift_s=0.2, hold_s=0.02, return_s=0.2, pause_s=0.05, n_reps=40))
    glute = glute_of(plan)
    for rep in plan.reps:
        assert glute.mean_pct(*rep.work_s) == pytest.approx(rep.glute_pct, rel=1e-12)


def test_set_up_stirs_the_muscles_and_leaves_the_repetitions_alone() -> None:
    plan = make_plan(AthleteParams(n_sets=2, n_reps=2, set_up=SET_UP_KINDS))
    glute = glute_of(plan)
    for move in plan.set_up:
        assert 2.0 < glute.mean_pct(move.start_s, move.end_s) < 30.0
        assert glute.left.at([move.start_s, move.end_s]).tolist() == [1.0, 1.0]
    for rep in plan.reps:
        assert glute.mean_pct(*rep.work_s) == pytest.approx(rep.glute_pct, rel=1e-12)


def test_the_glutes_take_turns_while_walking() -> None:
    plan = make_plan(AthleteParams(exercise="squat", n_reps=1, set_up=("walking",)))
    glute = glute_of(plan)
    times_s = np.arange(plan.set_up[0].start_s, plan.set_up[0].end_s, 0.01)
    assert np.corrcoef(glute.left.at(times_s), glute.right.at(times_s))[0, 1] < -0.3


def shaped(plan: Plan, shaping: Shaping) -> MuscleActivation:
    means_pct = [rep.glute_pct for rep in plan.reps]
    sides = [rep.glute_side for rep in plan.reps]
    return activate("gluteus_maximus", plan.reps, means_pct, sides, seed=1, shaping=shaping)


SHAPINGS = [
    Shaping(delay_s=0.2),
    Shaping(delay_s=-0.2, ramp_s=0.05),
    Shaping(ramp_s=2.0),
    Shaping(fade=0.7),
    Shaping(surge=1.5),
    Shaping(delay_s=0.5, ramp_s=0.02, fade=0.9, surge=2.0),
]


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
@pytest.mark.parametrize("lift_s", [None, 0.2])
def test_whatever_its_shape_the_mean_over_the_work_is_as_asked(exercise, shaping, lift_s) -> None:
    plan = make_plan(AthleteParams(exercise=exercise, lift_s=lift_s, hold_s=lift_s, return_s=lift_s))
    glute = shaped(plan, shaping)
    for rep in plan.reps:
        assert glute.mean_pct(*rep.work_s) == pytest.approx(rep.glute_pct, rel=1e-9)
    assert min(glute.left.values.min(), glute.right.values.min()) > 0.0


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_a_delay_moves_every_onset_by_as_much(exercise: str) -> None:
    plan = make_plan(AthleteParams(exercise=exercise))
    usual, late = shaped(plan, Shaping()), shaped(plan, Shaping(delay_s=0.15))
    moved_s = [after[0] - before[0] for before, after in zip(usual.rises_s, late.rises_s, strict=True)]
    assert moved_s == pytest.approx([0.15] * len(plan.reps))


def test_an_onset_is_where_activation_leaves_tonic_activity() -> None:
    plan = make_plan(AthleteParams(exercise="bridge"))
    glute = shaped(plan, Shaping(ramp_s=0.05))
    for onset_s, risen_s in glute.rises_s:
        assert risen_s - onset_s == pytest.approx(0.05)
        assert glute.left.at(onset_s) == pytest.approx(1.0)
        assert glute.left.at(onset_s + 0.01) > 1.1
        assert glute.left.at(risen_s) == pytest.approx(glute.left.at(risen_s + 0.3))


def test_a_fading_squeeze_has_lost_the_fraction_asked_for_when_the_hold_ends() -> None:
    plan = make_plan(AthleteParams(exercise="bridge"))
    glute = shaped(plan, Shaping(fade=0.4))
    for rep, (_, risen_s) in zip(plan.reps, glute.rises_s, strict=True):
        assert (glute.left.at(rep.left_s) - 1.0) / (glute.left.at(risen_s) - 1.0) == pytest.approx(
            0.6, abs=0.01
        )


@pytest.mark.parametrize("exercise", ["bridge", "squat"])
def test_a_surge_raises_the_end_of_the_lift_above_its_middle(exercise: str) -> None:
    plan = make_plan(AthleteParams(exercise=exercise))
    usual, surging = shaped(plan, Shaping()), shaped(plan, Shaping(surge=1.0))

    def late(muscle: MuscleActivation, rep) -> float:
        start_s, end_s = (rep.start_s, rep.reached_s) if rep.lift_first else (rep.left_s, rep.end_s)
        first, last = (start_s + part * (end_s - start_s) for part in (0.5, 0.8))
        return muscle.mean_pct(last, end_s) / muscle.mean_pct(start_s, first)

    for rep in plan.reps:
        assert late(surging, rep) > 1.4 * late(usual, rep)

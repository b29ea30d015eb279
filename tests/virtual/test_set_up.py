"""Set-up movement: a chain of postures, and a body that travels along it."""

import itertools

import numpy as np
import pytest

from emgmon.errors import SimulationError
from emgmon.virtual.body import PELVIS, Segment, move_body
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import SET_UP_KINDS, AthleteParams
from emgmon.virtual.plan import QUIET_END_S, Plan, make_plan
from emgmon.virtual.set_up import HEIGHT_M, LEAD_S, PITCH_DEG, REST_S, SETTLE_S, SetUpMove

LISTS = [*[(kind,) for kind in SET_UP_KINDS], SET_UP_KINDS, ("rolling-over", "sitting-down", "rolling-over")]


def planned(exercise: str, set_up: tuple[str, ...], **asked: int) -> tuple[AthleteParams, Plan]:
    params = AthleteParams(exercise=exercise, set_up=set_up, n_reps=2, **asked)  # type: ignore[arg-type]
    return params, make_plan(params)


def before_first(plan: Plan) -> list[SetUpMove]:
    return [move for move in plan.set_up if move.end_s < plan.reps[0].start_s]


@pytest.mark.parametrize("set_up", LISTS)
@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_every_movement_begins_in_the_posture_where_the_one_before_ended(
    exercise: str, set_up: tuple[str, ...]
) -> None:
    _, plan = planned(exercise, set_up, n_sets=3)
    assert all(after.leaves == before.reaches for before, after in itertools.pairwise(plan.set_up))
    own = EXERCISE_MODELS[exercise].posture
    for rep in plan.reps:
        assert [move.reaches for move in plan.set_up if move.end_s < rep.start_s][-1] == own


@pytest.mark.parametrize("set_up", LISTS)
def test_the_movements_asked_for_come_in_order_before_between_and_after(set_up: tuple[str, ...]) -> None:
    _, plan = planned("bird-dog", set_up, n_sets=2)
    edges_s = [0.0, plan.reps[0].start_s, plan.reps[2].start_s, plan.duration_s]
    for start_s, end_s in itertools.pairwise(edges_s):
        kinds = iter([move.kind for move in plan.set_up if start_s < move.start_s < end_s])
        assert all(kind in kinds for kind in set_up)  # consumes: a subsequence


def test_set_up_never_touches_a_repetition_and_leaves_time_to_settle() -> None:
    _, plan = planned("scorpion", SET_UP_KINDS, n_sets=3)
    assert plan.set_up[0].start_s == LEAD_S
    for before, after in itertools.pairwise(plan.set_up):
        assert after.start_s > before.end_s
    for rep in plan.reps:
        assert all(
            move.end_s <= rep.start_s - SETTLE_S + 1e-9 for move in plan.set_up if move.start_s < rep.start_s
        )
        assert all(
            move.start_s >= rep.end_s + REST_S - 1e-9 for move in plan.set_up if move.start_s > rep.start_s
        )
    assert plan.duration_s - plan.set_up[-1].end_s >= QUIET_END_S


def test_the_rest_between_sets_is_at_least_the_one_asked_for() -> None:
    _, plan = planned("bridge", ("shuffling",), n_sets=2)
    assert plan.reps[2].start_s - plan.reps[1].end_s == pytest.approx(20.0)


def test_without_set_up_nothing_is_moved_apart_from_the_repetitions() -> None:
    params, plan = planned("bridge", ())
    assert plan.set_up == ()
    assert move_body(params, plan).floor is None


def test_what_is_needed_to_get_down_is_put_in_by_itself() -> None:
    _, plan = planned("bridge", ("walking",))
    assert [move.kind for move in before_first(plan)] == ["walking", "lying-down"]


def test_a_performance_with_set_up_fits_into_its_duration() -> None:
    params = AthleteParams(exercise="bridge", n_reps=2, set_up=SET_UP_KINDS, duration_s=300.0)
    plan = make_plan(params)
    assert plan.duration_s == 300.0
    assert plan.set_up[-1].end_s <= 300.0 - QUIET_END_S
    assert plan.reps[-1].set_number > 1


def test_a_movement_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SimulationError, match="'jumping'") as caught:
        AthleteParams(set_up=("walking", "jumping"))
    assert "shuffling" in caught.value.advice


@pytest.mark.parametrize("set_up", LISTS)
@pytest.mark.parametrize("exercise", ["bridge", "scorpion", "lunge", "hip-thrust"])
def test_the_body_is_in_each_posture_when_a_movement_has_reached_it(
    exercise: str, set_up: tuple[str, ...]
) -> None:
    params, plan = planned(exercise, set_up, n_sets=2)
    body, model = move_body(params, plan), params.model
    reached = {move.end_s + 0.05: move.reaches for move in plan.set_up}
    placed = body.place(PELVIS, np.array(list(reached)))
    for posture, position_m, turn in zip(reached.values(), placed.position_m, placed.turn, strict=True):
        height_m = HEIGHT_M[posture] - HEIGHT_M[model.posture]
        pitch_deg = model.start_pitch_deg if posture == model.posture else PITCH_DEG[posture]
        assert position_m[2] == pytest.approx(height_m, abs=0.005)
        expected = [-np.sin(np.deg2rad(pitch_deg)), np.cos(np.deg2rad(pitch_deg))]
        assert [turn[2, 0], turn[2, 2]] == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_a_repetition_after_set_up_is_the_one_without_it(exercise: str) -> None:
    """Whichever way round the person lies by then."""
    kinds = ("rolling-over", "walking", "rolling-over")
    (params, plan), (plain, undisturbed) = planned(exercise, kinds), planned(exercise, ())
    for rep, same in zip(plan.reps, undisturbed.reps, strict=True):
        changes = []
        for asked, performed, one in ((params, plan, rep), (plain, undisturbed, same)):
            placed = move_body(asked, performed).place(PELVIS, np.array([one.start_s, one.turn_s]))
            changes.append(
                (placed.turn[0].T @ placed.turn[1], placed.turn[0].T @ np.diff(placed.position_m, axis=0)[0])
            )
        assert changes[0][0] == pytest.approx(changes[1][0], abs=0.04)
        assert changes[0][1] == pytest.approx(changes[1][1], abs=0.015)


def walk() -> tuple[Plan, SetUpMove, np.ndarray, np.ndarray]:
    params, plan = planned("squat", ("walking",))
    move = plan.set_up[0]
    times_s = np.arange(move.start_s + 0.8, move.start_s + 0.4 * (move.end_s - move.start_s), 0.01)
    placed = move_body(params, plan).place(PELVIS, times_s)
    return plan, move, times_s, placed.position_m


def test_walking_bobs_by_three_to_five_centimetres_at_the_cadence() -> None:
    _, _, times_s, position_m = walk()
    height_m = position_m[:, 2] - position_m[:, 2].mean()
    assert 0.03 < np.ptp(height_m) < 0.07  # sway and the foot's landing come on top
    upward = np.flatnonzero((height_m[:-1] < 0.0) & (height_m[1:] >= 0.0))
    steps_hz = (len(upward) - 1) / (times_s[upward[-1]] - times_s[upward[0]])
    assert 1.4 < steps_hz < 2.2


def test_who_walks_gets_somewhere() -> None:
    _, move, _, position_m = walk()
    assert np.linalg.norm(position_m[-1, :2] - position_m[0, :2]) > 0.25 * 0.7 * (move.end_s - move.start_s)


def test_the_thighs_swing_against_each_other_while_walking() -> None:
    params, plan = planned("squat", ("walking",))
    move = plan.set_up[0]
    times_s = np.arange(move.start_s + 1.0, move.end_s - 1.0, 0.01)
    body = move_body(params, plan)
    left, right = (body.place(Segment("thigh", side), times_s).turn[:, 2, 2] for side in ("left", "right"))
    assert left.min() < np.cos(np.deg2rad(15.0))
    assert right.min() < np.cos(np.deg2rad(15.0))
    forward = [body.place(Segment("thigh", side), times_s).position_m for side in ("left", "right")]
    pelvis_m = body.place(PELVIS, times_s).position_m
    ahead_m = np.linalg.norm(forward[0] - pelvis_m, axis=1), np.linalg.norm(forward[1] - pelvis_m, axis=1)
    assert np.corrcoef(*ahead_m)[0, 1] < -0.5


def test_sitting_down_leans_forward_on_the_way() -> None:
    params, plan = planned("squat", ("sitting-down",))
    move = plan.set_up[0]
    times_s = np.linspace(move.start_s, move.end_s, 200)
    placed = move_body(params, plan).place(PELVIS, times_s)
    pitch_deg = np.rad2deg(np.arcsin(-placed.turn[:, 2, 0]))
    assert 25.0 < pitch_deg.max() < 45.0
    assert placed.position_m[-1, 2] - placed.position_m[0, 2] == pytest.approx(-0.40, abs=0.01)


def test_rolling_over_lifts_the_pelvis_by_ten_centimetres_halfway() -> None:
    params, plan = planned("prone-hip-extension", ("rolling-over",))
    move = plan.set_up[0]
    times_s = np.linspace(move.start_s, move.end_s, 101)
    placed = move_body(params, plan).place(PELVIS, times_s)
    assert placed.position_m[50, 2] - placed.position_m[0, 2] == pytest.approx(0.10, abs=0.01)
    anterior_up = placed.turn[:, 2, 0]
    assert (anterior_up[0], anterior_up[-1]) == pytest.approx((1.0, -1.0), abs=0.03)


def test_shuffling_is_small_and_irregular() -> None:
    params, plan = planned("bridge", ("shuffling",))
    move = plan.set_up[0]
    placed = move_body(params, plan).place(PELVIS, np.linspace(move.start_s, move.end_s, 500))
    assert 0.01 < np.ptp(placed.position_m[:, 2]) < 0.07
    turned = np.arccos(np.clip(placed.turn[:, 2, 0] / np.abs(placed.turn[:, 2, 0]).max(), -1.0, 1.0))
    assert np.rad2deg(turned.max()) < 20.0

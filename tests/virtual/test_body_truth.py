"""The truth of every repetition is what the body did, by the definitions of the metrics."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emgmon.virtual.body import LUMBAR, PELVIS, BodyMotion, Segment, move_body
from emgmon.virtual.body_truth import RepMotion, rep_motions
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, RepPlan, make_plan

SWAY_DEG = 1.5
SWAY_M = 0.01
"""More than the body ever sways within one repetition."""


def performed(params: AthleteParams) -> tuple[Plan, BodyMotion, list[RepMotion]]:
    plan = make_plan(params)
    body = move_body(params, plan)
    return plan, body, list(rep_motions(body, plan.reps))


def euler_deg(body: BodyMotion, segment: Segment, rep: RepPlan, times_s: np.ndarray) -> np.ndarray:
    """Pitch, obliquity, rotation since the start, by another way than the program's."""
    start = Rotation.from_matrix(body.place(segment, np.array([rep.start_s])).turn[0])
    return (start.inv() * Rotation.from_matrix(body.place(segment, times_s).turn)).as_euler(
        "YXZ", degrees=True
    )


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_ranges_and_changes_are_those_of_a_fine_look_at_the_body(exercise: str) -> None:
    plan, body, motions = performed(AthleteParams(exercise=exercise, n_reps=4, rotation_excess_deg=10.0))
    for rep, motion in zip(plan.reps, motions, strict=True):
        times_s = np.linspace(rep.start_s, rep.end_s, 5001)
        angles_deg = euler_deg(body, PELVIS, rep, times_s)
        heights_m = body.place(PELVIS, times_s).position_m[:, 2]
        turn_s = np.array([rep.turn_s])
        anterior_deg = euler_deg(body, PELVIS, rep, turn_s)[0, 0]
        assert motion[:6] == pytest.approx(
            (
                np.ptp(heights_m),
                np.ptp(angles_deg[:, 0]),
                anterior_deg,
                np.ptp(angles_deg[:, 1]),
                np.ptp(angles_deg[:, 2]),
                anterior_deg - euler_deg(body, LUMBAR, rep, turn_s)[0, 0],
            ),
            abs=0.01,
        )


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_a_person_moves_as_the_model_says_but_for_sway(exercise: str) -> None:
    model = EXERCISE_MODELS[exercise]
    plan, _, motions = performed(AthleteParams(exercise=exercise, n_reps=6))
    for rep, motion in zip(plan.reps, motions, strict=True):
        one_sided = abs(rep.side_sign) * rep.turn_scale
        pitch_deg = model.pitch_deg * rep.pitch_scale
        assert motion.pelvis_anterior_change_deg == pytest.approx(pitch_deg, abs=SWAY_DEG)
        assert motion.pelvis_pitch_range_deg == pytest.approx(abs(pitch_deg), abs=SWAY_DEG)
        assert motion.pelvis_height_range_m == pytest.approx(
            abs(model.height_m) * rep.range_scale, abs=SWAY_M
        )
        assert motion.pelvis_rotation_range_deg == pytest.approx(
            abs(model.rotation_deg) * one_sided, abs=SWAY_DEG
        )
        assert motion.pelvis_obliquity_range_deg == pytest.approx(
            abs(model.obliquity_deg) * one_sided, abs=SWAY_DEG
        )


def test_the_lumbar_share_is_that_of_the_trunk_on_thigh_extension() -> None:
    params = AthleteParams(exercise="bridge", n_reps=1, lumbar_share=0.4)
    plan, body, motions = performed(params)
    rep = plan.reps[0]
    turn_s = np.array([rep.turn_s])
    pelvis, lumbar, thigh = (
        euler_deg(body, segment, rep, turn_s)[0, 0] for segment in (PELVIS, LUMBAR, Segment("thigh", "left"))
    )
    assert (pelvis - lumbar) / (thigh - lumbar) == pytest.approx(0.4, abs=0.01)
    assert motions[0].lumbar_extension_deg == pytest.approx(pelvis - lumbar)


@pytest.mark.parametrize(
    ("exercise", "sign"), [("bridge", 1), ("hip-thrust", 1), ("romanian-deadlift", -1), ("squat", -1)]
)
def test_a_lift_ends_in_lumbar_extension_and_a_descent_in_flexion(exercise: str, sign: int) -> None:
    _, _, motions = performed(AthleteParams(exercise=exercise, lumbar_share=0.2, n_reps=3))
    assert all(sign * motion.lumbar_extension_deg > 5.0 for motion in motions)


def test_without_a_lumbar_share_trunk_and_pelvis_move_as_one() -> None:
    _, _, motions = performed(AthleteParams(exercise="romanian-deadlift", lumbar_share=0.0))
    assert [motion.lumbar_extension_deg for motion in motions] == pytest.approx([0.0] * 8, abs=1e-6)


def test_pitch_in_excess_comes_from_the_lumbar_spine() -> None:
    params = AthleteParams(exercise="prone-hip-extension", n_reps=4)
    _, _, plain = performed(params)
    _, _, excess = performed(replace(params, pitch_excess_deg=8.0))
    for before, after in zip(plain, excess, strict=True):
        more_deg = after.pelvis_anterior_change_deg - before.pelvis_anterior_change_deg
        assert more_deg == pytest.approx(8.0, abs=0.05)
        assert after.lumbar_extension_deg - before.lumbar_extension_deg == pytest.approx(8.0, abs=0.05)


def test_rotation_and_obliquity_in_excess_add_to_those_of_the_exercise() -> None:
    params = AthleteParams(exercise="bird-dog", n_reps=2, rotation_excess_deg=10.0, obliquity_excess_deg=5.0)
    plan, body, _ = performed(params)
    for rep, sign in zip(plan.reps, (1, -1), strict=True):
        _, obliquity_deg, rotation_deg = euler_deg(body, PELVIS, rep, np.array([rep.turn_s]))[0]
        assert sign * rotation_deg == pytest.approx(14.0, abs=SWAY_DEG)
        assert sign * obliquity_deg == pytest.approx(8.0, abs=SWAY_DEG)
    _, _, lunges = performed(replace(params, exercise="lunge"))
    assert lunges[0].pelvis_rotation_range_deg == pytest.approx(15.0, abs=SWAY_DEG)
    _, _, bridges = performed(replace(params, exercise="bridge"))
    assert bridges[0].pelvis_rotation_range_deg == pytest.approx(10.0, abs=SWAY_DEG)


def test_in_a_leg_lift_the_pelvis_turns_the_working_side_up() -> None:
    plan, body, _ = performed(AthleteParams(exercise="scorpion", n_reps=2))
    for rep, sign in zip(plan.reps, (1, -1), strict=True):
        leftward_up = body.place(PELVIS, np.array([rep.turn_s])).turn[0, 2, 1]
        assert sign * leftward_up > 0.5


def test_the_working_thigh_extends_and_the_other_stays() -> None:
    plan, body, _ = performed(AthleteParams(exercise="bird-dog", n_reps=2))
    for rep in plan.reps:
        changes_deg = {
            side: euler_deg(body, Segment("thigh", side), rep, np.array([rep.turn_s]))[0, 0]
            for side in ("left", "right")
        }
        other = "right" if rep.side == "left" else "left"
        assert changes_deg[str(rep.side)] == pytest.approx(70.0, abs=10.0)
        assert abs(changes_deg[other]) < 4.0


@pytest.mark.parametrize(
    ("exercise", "pitch_deg"),
    [
        *[("bridge", -90), ("hip-thrust", -50), ("romanian-deadlift", 5), ("squat", 5), ("lunge", 5)],
        *[("leg-extension-tubing", 90), ("bird-dog", 90), ("scorpion", 90), ("prone-hip-extension", 90)],
    ],
)
def test_the_start_position_has_the_pelvis_turned_as_its_exercise_says(
    exercise: str, pitch_deg: float
) -> None:
    _, body, _ = performed(AthleteParams(exercise=exercise))
    turn = body.place(PELVIS, np.array([2.0])).turn[0]
    expected = [-np.sin(np.deg2rad(pitch_deg)), np.cos(np.deg2rad(pitch_deg))]
    assert [turn[2, 0], turn[2, 2]] == pytest.approx(expected, abs=0.03)


def test_a_partial_repetition_goes_a_third_of_the_way_in_everything() -> None:
    plan, _, motions = performed(AthleteParams(exercise="scorpion", n_partial=3))
    ranges = {True: [], False: []}
    for rep, motion in zip(plan.reps, motions, strict=True):
        ranges[rep.partial].append((motion.pelvis_rotation_range_deg, motion.pelvis_height_range_m))
    ratio = np.mean(ranges[True], axis=0) / np.mean(ranges[False], axis=0)
    assert ratio == pytest.approx([0.35, 0.35], abs=0.06)


def test_a_scaled_range_is_one_of_everything() -> None:
    whole, half = (
        performed(AthleteParams(exercise="lunge", range_scale=scale, n_reps=3))[2] for scale in (1.0, 0.5)
    )
    for large, small in zip(whole, half, strict=True):
        assert small.pelvis_height_range_m == pytest.approx(0.5 * large.pelvis_height_range_m, abs=SWAY_M)
        assert small.lumbar_extension_deg == pytest.approx(0.5 * large.lumbar_extension_deg, rel=1e-3)


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_tipping_is_told_where_an_exercise_has_a_place_for_it(exercise: str) -> None:
    _, _, motions = performed(AthleteParams(exercise=exercise, n_reps=1))
    told = (motions[0].pelvis_reversal_deg is not None, motions[0].pelvis_lockout_deg is not None)
    assert told == (exercise in ("bridge", "hip-thrust"), exercise in ("squat", "romanian-deadlift"))


@pytest.mark.parametrize("exercise", ["bridge", "hip-thrust"])
def test_a_reversal_tips_the_pelvis_forward_at_the_top_by_about_as_much_as_asked(exercise: str) -> None:
    params = AthleteParams(exercise=exercise, n_reps=4)
    _, _, usual = performed(params)
    plan, body, motions = performed(replace(params, reversal_deg=8.0))
    for rep, before, after in zip(plan.reps, usual, motions, strict=True):
        # Sway alone moves the pelvis by half a degree over the hold.
        assert before.pelvis_reversal_deg == pytest.approx(0.5, abs=0.6)
        assert after.pelvis_reversal_deg == pytest.approx(8.0, abs=1.2)
        assert after.lumbar_extension_deg - before.lumbar_extension_deg == pytest.approx(8.0, abs=0.1)
        times_s = np.linspace(rep.start_s, rep.left_s, 2001)
        pitch_deg = euler_deg(body, PELVIS, rep, times_s)[:, 0]
        assert after.pelvis_reversal_deg == pytest.approx(pitch_deg[-1] - pitch_deg.min(), abs=0.02)


@pytest.mark.parametrize("exercise", ["squat", "romanian-deadlift"])
def test_a_lockout_leans_the_pelvis_back_before_the_end_and_no_longer_at_it(exercise: str) -> None:
    params = AthleteParams(exercise=exercise, n_reps=4, lockout_deg=6.0)
    plan, body, motions = performed(params)
    for rep, motion in zip(plan.reps, motions, strict=True):
        assert motion.pelvis_lockout_deg == pytest.approx(5.0, abs=1.3)
        times_s = np.linspace(rep.left_s, rep.end_s, 2001)
        pitch_deg = euler_deg(body, PELVIS, rep, times_s)[:, 0]
        assert motion.pelvis_lockout_deg == pytest.approx(-pitch_deg.min(), abs=0.02)
        assert abs(pitch_deg[-1]) < SWAY_DEG


def test_partial_repetitions_tip_by_a_third() -> None:
    params = AthleteParams(exercise="bridge", n_reps=6, n_partial=2, reversal_deg=9.0)
    plan, _, motions = performed(params)
    parts_deg = [m.pelvis_reversal_deg for rep, m in zip(plan.reps, motions, strict=True) if rep.partial]
    assert parts_deg == pytest.approx([0.35 * 9.0] * 2, abs=1.0)

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.dsp.alignment import (
    LARGEST_DISAGREEMENT_DEG,
    STANCE_AND_BOWS,
    Alignment,
    AlignmentMethod,
    align_from_bows,
    align_from_held_poses,
    align_from_repetition,
    averaged,
    swap_sides,
    tilt_deg,
)
from emgmon.errors import CalibrationError
from tests.builders import smooth_step

RATE_HZ = 100

angles = st.floats(-180.0, 180.0)
mountings = st.builds(
    lambda *turns: Rotation.from_euler("zyx", turns, degrees=True), angles, st.floats(-90.0, 90.0), angles
)
"""Sensor to body, any way round."""


def excursion(*, hops=200):
    """From 0 to 1 and back."""
    x = np.arange(hops) / hops
    return smooth_step(2.0 * x) - smooth_step(2.0 * x - 1.0)


def body_to_world(pitch_deg, obliquity_deg=0.0, rotation_deg=0.0, *, start_pitch_deg=0.0, heading_deg=0.0):
    """Start pose, and from there the decomposition y, x, z."""
    turns = np.stack(np.broadcast_arrays(pitch_deg, obliquity_deg, rotation_deg), axis=-1)
    start = Rotation.from_euler("ZY", [heading_deg, start_pitch_deg], degrees=True)
    return start * Rotation.from_euler("YXZ", turns, degrees=True)


def quaternions(body, mounting):
    return (body * mounting).as_quat(scalar_first=True)


def up_of(body, mounting):
    """What an accelerometer at rest would say in sensor axes."""
    return (body * mounting).inv().apply([0.0, 0.0, 1.0])


def rates_of(body, mounting):
    """Angular rate in sensor axes; body to world of each hop gives the turn to the next one."""
    steps = (body[:-1].inv() * body[1:]).as_rotvec() * RATE_HZ
    return mounting.inv().apply(np.concatenate([steps, steps[-1:]]))


def error_deg(alignment, mounting):
    return math.degrees((Rotation.from_matrix(alignment.matrix) * mounting.inv()).magnitude())


def bows(mounting, *, lean_deg=40.0, side_deg=0.0, n=3, heading_deg=0.0):
    lean = np.tile(excursion(), n)
    body = body_to_world(lean_deg * lean, side_deg * lean, heading_deg=heading_deg)
    return rates_of(body, mounting), up_of(body, mounting)


def stance(mounting, *, sway_deg=0.0, seconds=5.0):
    sway = sway_deg * np.sin(np.arange(round(seconds * RATE_HZ)) / 40.0)
    return up_of(body_to_world(sway), mounting)


IDENTITY = Rotation.identity()


@given(mounting=mountings, heading=angles, lean=st.floats(16.0, 100.0), side=st.floats(-0.015, 0.015))
@settings(max_examples=60, deadline=None)
def test_stance_and_bows_find_the_mounting_whatever_it_is(mounting, heading, lean, side):
    # A bow that leads to the side by 1.5 % of its way is off by 0.86 degrees.
    rate, up = bows(mounting, lean_deg=lean, heading_deg=heading, side_deg=side * lean)
    found = align_from_bows(stance(mounting), rate, up)
    assert error_deg(found, mounting) < 1.0
    assert found.method is AlignmentMethod.STANDING_AND_BOWS
    assert found.turn_deg == pytest.approx(lean, abs=0.5)
    assert (found.knows_neutral, found.sides_known, found.site) == (True, True, "pelvis")


@given(mounting=mountings)
@settings(max_examples=30, deadline=None)
def test_an_accelerometer_alone_learns_the_same_from_slow_bows(mounting):
    _, up = bows(mounting)
    assert error_deg(align_from_bows(stance(mounting), None, up), mounting) < 1e-6


def test_the_first_lean_leads_forward_even_after_a_small_sway_back():
    lean = np.concatenate([-8.0 * excursion(), 40.0 * excursion(), -15.0 * excursion()])
    body = body_to_world(lean)
    found = align_from_bows(stance(IDENTITY), rates_of(body, IDENTITY), up_of(body, IDENTITY))
    assert error_deg(found, IDENTITY) < 1e-6


def with_noise(up, noise, rng):
    noisy = up + rng.normal(0.0, noise, up.shape)
    return noisy / np.linalg.norm(noisy, axis=1)[:, np.newaxis]


@pytest.mark.parametrize("seed", range(5))
def test_noise_moves_the_alignment_by_no_more_than_its_share_of_the_signal(seed):
    # The up direction is a mean of 500 hops. The axis has the error s / (sqrt(m) r) of a first principal
    # component whose m hops have noise s across and root mean square r along the axis; four deviations.
    rng = np.random.default_rng(seed)
    mounting = Rotation.random(rng=seed)
    rate, up = bows(mounting)
    noise_rate, noise_up = 0.05, 0.02
    along = math.sqrt(np.mean(np.sum(rate**2, axis=1)))
    axis_deg = math.degrees(noise_rate / (math.sqrt(len(rate)) * along))
    up_deg = math.degrees(noise_up / math.sqrt(500))
    up = with_noise(up, noise_up, rng)
    found = align_from_bows(
        with_noise(stance(mounting), noise_up, rng), rate + rng.normal(0.0, noise_rate, rate.shape), up
    )
    assert error_deg(found, mounting) < 4.0 * math.sqrt(2.0 * up_deg**2 + axis_deg**2)
    assert found.first_axis_share < 1.0


def test_missing_hops_are_left_out():
    rate, up = bows(IDENTITY)
    rate[50:60] = up[50:60] = np.nan
    quiet = stance(IDENTITY)
    quiet[:20] = np.nan
    assert error_deg(align_from_bows(quiet, rate, up), IDENTITY) < 1e-6


def refusal(**given):
    rate, up = bows(IDENTITY)
    usual = {"stance_up": stance(IDENTITY), "bow_rate_radps": rate, "bow_up": up}
    with pytest.raises(CalibrationError) as refused:
        align_from_bows(**{**usual, **given})
    assert refused.value.advice == STANCE_AND_BOWS
    return str(refused.value)


def test_a_stance_that_moved_is_refused_with_how_far_it_moved():
    assert align_from_bows(stance(IDENTITY, sway_deg=2.5), *bows(IDENTITY)).stance_spread_deg < 3.0
    assert refusal(stance_up=stance(IDENTITY, sway_deg=6.0)).startswith("the sensor turned by 6")


def test_small_bows_are_refused():
    rate, up = bows(IDENTITY, lean_deg=14.0)
    assert "by only 14°" in refusal(bow_rate_radps=rate, bow_up=up)


def test_bows_about_several_axes_are_refused():
    forward, _ = bows(IDENTITY)
    sideways = np.roll(forward, 1, axis=1)
    mixed = np.concatenate([forward, 0.6 * sideways])
    # Squares of the two amplitudes: 1 / (1 + 0.36).
    assert "only 74 %" in refusal(bow_rate_radps=mixed)


def test_an_axis_far_off_horizontal_is_refused():
    rate, _ = bows(IDENTITY)
    for off_deg, accepted in ((19.0, True), (21.0, False)):
        tipped = Rotation.from_euler("x", off_deg, degrees=True).apply(rate)
        if accepted:
            found = align_from_bows(stance(IDENTITY), tipped, bows(IDENTITY)[1])
            assert found.off_expected_deg == pytest.approx(off_deg)
        else:
            assert "21° off horizontal" in refusal(bow_rate_radps=tipped)


def test_too_little_time_is_refused():
    assert "quiet stance holds only 1.9 s" in refusal(stance_up=stance(IDENTITY, seconds=1.9))
    assert "bows holds only 0.0 s" in refusal(bow_up=np.full((300, 3), np.nan))


EXERCISES = {
    "squat": (5.0, "pitch-forward", 25.0),
    "romanian-deadlift": (0.0, "pitch-forward", 60.0),
    "bridge": (-90.0, "pitch-backward", -25.0),
    "hip-thrust": (-50.0, "pitch-backward", -40.0),
}


@pytest.mark.parametrize("exercise", EXERCISES)
@given(mounting=mountings, heading=angles)
@settings(max_examples=25, deadline=None)
def test_one_repetition_that_pitches_finds_the_mounting(exercise, mounting, heading):
    start_deg, turn, change_deg = EXERCISES[exercise]
    body = body_to_world(change_deg * excursion()[:101], start_pitch_deg=start_deg, heading_deg=heading)
    found = align_from_repetition(
        quaternions(body, mounting), start_pitch_deg=start_deg, pelvis_turn=turn, site="lumbar"
    )
    assert error_deg(found, mounting) < 1e-4
    assert (found.method, found.site, found.n_reps) == (AlignmentMethod.REPETITIONS, "lumbar", 1)
    assert found.sides_known
    assert not found.knows_neutral


@pytest.mark.parametrize(("side", "swapped"), [(45.0, False), (-45.0, True)])
@given(mounting=mountings, heading=angles)
@settings(max_examples=25, deadline=None)
def test_a_rotation_finds_the_mounting_but_not_which_side_is_which(side, swapped, mounting, heading):
    body = body_to_world(0.0, 0.0, side * excursion()[:101], start_pitch_deg=90.0, heading_deg=heading)
    found = align_from_repetition(quaternions(body, mounting), start_pitch_deg=90.0, pelvis_turn="rotation")
    assert not found.sides_known
    assert error_deg(swap_sides(found) if swapped else found, mounting) < 1e-4


@given(mounting=mountings, off=st.floats(0.0, 24.9), change=st.floats(20.0, 70.0))
@settings(max_examples=40, deadline=None)
def test_an_axis_that_leans_out_of_the_horizontal_is_put_back_by_gravity(mounting, off, change):
    # Gravity at the start puts the axis back into the horizontal, so leaning out of it costs nothing.
    axis = Rotation.from_euler("x", off, degrees=True).apply([0.0, 1.0, 0.0])
    body = Rotation.from_rotvec(np.outer(np.radians(change) * excursion()[:101], axis))
    found = align_from_repetition(
        quaternions(body, mounting), start_pitch_deg=0.0, pelvis_turn="pitch-forward"
    )
    assert found.off_expected_deg == pytest.approx(off, abs=1e-6)
    assert error_deg(found, mounting) < 1e-4


@pytest.mark.parametrize(
    ("pitch_deg", "turn", "rows"),
    [
        (7.5, "pitch-forward", slice(None)),
        (30.0, "little", slice(None)),
        (30.0, "pitch-forward", slice(0, 1)),
    ],
    ids=["too small a movement", "an exercise whose pelvis stays", "a single hop"],
)
def test_what_does_not_tell_the_axes_gives_no_alignment(pitch_deg, turn, rows):
    rows = quaternions(body_to_world(pitch_deg * excursion()[:101]), IDENTITY)[rows]
    assert align_from_repetition(rows, start_pitch_deg=0.0, pelvis_turn=turn) is None


def test_an_axis_that_does_not_fit_the_exercise_gives_no_alignment():
    turning = quaternions(body_to_world(0.0, 0.0, 40.0 * excursion()[:101]), IDENTITY)
    assert align_from_repetition(turning, start_pitch_deg=0.0, pelvis_turn="pitch-forward") is None
    # Upright, turning about the length axis says nothing about where the front is.
    assert align_from_repetition(turning, start_pitch_deg=0.0, pelvis_turn="rotation") is None


def test_a_hole_in_the_repetition_gives_no_alignment():
    rows = quaternions(body_to_world(30.0 * excursion()[:101]), IDENTITY)
    rows[40] = np.nan
    assert align_from_repetition(rows, start_pitch_deg=0.0, pelvis_turn="pitch-forward") is None
    nowhere = np.full(3, np.nan)
    assert align_from_held_poses(nowhere, nowhere, start_pitch_deg=0.0, pelvis_turn="rotation") is None


@pytest.mark.parametrize("exercise", EXERCISES)
@given(mounting=mountings)
@settings(max_examples=20, deadline=None)
def test_gravity_at_start_and_turn_is_enough_for_an_accelerometer(exercise, mounting):
    start_deg, turn, change_deg = EXERCISES[exercise]
    up = up_of(body_to_world(np.array([0.0, change_deg]), start_pitch_deg=start_deg), mounting)
    found = align_from_held_poses(*up, start_pitch_deg=start_deg, pelvis_turn=turn)
    assert error_deg(found, mounting) < 1e-4
    assert found.turn_deg == pytest.approx(abs(change_deg))


def test_poses_that_are_the_same_give_no_alignment():
    up = np.array([0.0, 0.0, 1.0])
    assert align_from_held_poses(up, up, start_pitch_deg=0.0, pelvis_turn="pitch-forward") is None


def learnt(mounting, *, sides_known=True, **quality):
    matrix = tuple(mounting.as_matrix().ravel().tolist())
    return Alignment(
        "pelvis", AlignmentMethod.REPETITIONS, matrix, 30.0, n_reps=1, sides_known=sides_known, **quality
    )


@given(mounting=mountings, axis=st.integers(0, 2), apart=st.floats(0.0, 29.0))
@settings(max_examples=40, deadline=None)
def test_the_mean_of_two_alignments_lies_halfway(mounting, axis, apart):
    other = Rotation.from_rotvec(np.eye(3)[axis] * math.radians(apart)) * mounting
    mean = averaged([learnt(mounting), learnt(other)])
    assert error_deg(mean, mounting) == pytest.approx(apart / 2.0, abs=1e-4)
    assert error_deg(mean, other) == pytest.approx(apart / 2.0, abs=1e-4)
    assert mean.n_reps == 2
    # Starting more or less upright is a turn about the medio-lateral axis and no disagreement.
    assert mean.disagreement_deg == pytest.approx(0.0 if axis == 1 else apart / 2.0, abs=1e-4)


def test_the_mean_keeps_the_poorest_quality():
    poor = replace(learnt(IDENTITY, first_axis_share=0.8, off_expected_deg=12.0), turn_deg=9.0)
    fine = learnt(IDENTITY, first_axis_share=0.99, off_expected_deg=2.0)
    mean = averaged([fine, poor])
    assert (mean.first_axis_share, mean.off_expected_deg, mean.turn_deg) == (0.8, 12.0, 9.0)


def test_alternating_rotations_are_brought_to_the_side_of_the_first():
    left, right = (
        align_from_repetition(
            quaternions(body_to_world(0.0, 0.0, turn * excursion()[:101], start_pitch_deg=90.0), IDENTITY),
            start_pitch_deg=90.0,
            pelvis_turn="rotation",
        )
        for turn in (40.0, -40.0)
    )
    mean = averaged([left, right])
    assert error_deg(mean, IDENTITY) < 1e-4
    assert not mean.sides_known


@pytest.mark.parametrize(("axis", "agree"), [("x", False), ("y", True), ("z", False)])
def test_repetitions_whose_medio_lateral_axes_disagree_teach_nothing(axis, agree):
    far = Rotation.from_euler(axis, 2.1 * LARGEST_DISAGREEMENT_DEG, degrees=True)
    assert (averaged([learnt(IDENTITY), learnt(far)]) is not None) == agree
    assert averaged([]) is None


def test_one_alignment_is_its_own_mean():
    one = learnt(IDENTITY)
    assert averaged([one]) == one


@given(mounting=mountings, pitch=st.floats(-89.0, 89.0), heading=angles)
@settings(max_examples=40, deadline=None)
def test_pitch_from_gravity_does_not_depend_on_where_the_person_faces(mounting, pitch, heading):
    up = up_of(body_to_world(np.array([pitch]), heading_deg=heading), mounting)
    pitch_deg, obliquity_deg = tilt_deg(up, learnt(mounting))
    assert pitch_deg[0] == pytest.approx(pitch, abs=1e-6)
    assert obliquity_deg[0] == pytest.approx(0.0, abs=1e-6)


def test_a_higher_left_side_is_positive_obliquity():
    _, obliquity_deg = tilt_deg(up_of(body_to_world(0.0, np.array([6.0])), IDENTITY), learnt(IDENTITY))
    assert obliquity_deg[0] == pytest.approx(6.0)


@given(mounting=mountings, n_reps=st.integers(0, 3), sides=st.booleans())
def test_an_alignment_survives_the_way_through_json(mounting, n_reps, sides):
    assume(n_reps or sides)
    before = learnt(mounting, sides_known=sides, disagreement_deg=1.5)
    assert msgspec.json.decode(msgspec.json.encode(before), type=Alignment) == before


def test_a_header_with_a_matrix_of_another_size_is_not_read():
    text = msgspec.json.encode(learnt(IDENTITY)).replace(b"[1.0,", b"[1.0,1.0,")
    with pytest.raises(msgspec.ValidationError, match="length 9"):
        msgspec.json.decode(text, type=Alignment)

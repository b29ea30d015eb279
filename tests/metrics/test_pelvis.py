import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.dsp.alignment import Alignment, AlignmentMethod, align_from_repetition
from emgmon.events import Quality
from emgmon.metrics.pelvis import (
    HOLES,
    LONGEST_SHARP_S,
    NO_ALIGNMENT,
    NO_DIRECTION,
    NO_GYROSCOPE,
    NO_SENSOR,
    NOT_STILL,
    PELVIS_METRICS,
    SegmentMotion,
    held_pitch_deg,
    pelvis_metrics,
    segment_angles,
    side_of_rotation,
)
from tests.builders import smooth_step

PITCH_RANGE, ANTERIOR, ROTATION, OBLIQUITY, LUMBAR = PELVIS_METRICS

angles = st.floats(-180.0, 180.0)
mountings = st.builds(
    lambda *turns: Rotation.from_euler("zyx", turns, degrees=True), angles, st.floats(-90.0, 90.0), angles
)


def way(*, seconds=2.0, hold_s=0.5):
    """0, slowly to 1, held there, and back; the turn is the middle of the hold."""
    t_s = np.arange(round((seconds + hold_s) * 100) + 1) / 100
    return smooth_step(2 * t_s / seconds) - smooth_step(2 * (t_s - hold_s) / seconds - 1)


def alignment(mounting, *, method=AlignmentMethod.STANDING_AND_BOWS, sides_known=True, site="pelvis"):
    matrix = tuple(mounting.as_matrix().ravel().tolist())
    return Alignment(site, method, matrix, 40.0, sides_known=sides_known)


def motion(pitch_deg, obliquity_deg=0.0, rotation_deg=0.0, *, start_deg=0.0, heading_deg=0.0, **worn):
    """One repetition; ``mounting`` is how the sensor sits, ``known`` what is thought of it."""
    mounting = worn.get("mounting") or Rotation.identity()
    turns = np.stack(np.broadcast_arrays(pitch_deg, obliquity_deg, rotation_deg), axis=-1)
    headings = np.broadcast_to(heading_deg, len(turns))[:, np.newaxis]
    start = Rotation.from_euler("ZY", np.insert(headings, 1, start_deg, axis=1), degrees=True)
    sensor = start * Rotation.from_euler("YXZ", turns, degrees=True) * mounting
    known = worn.get("known") or alignment(mounting)
    return SegmentMotion(sensor.inv().apply([0.0, 0.0, 1.0]), sensor.as_quat(scalar_first=True), known)


def without_gyroscope(whole, *, known="same"):
    return SegmentMotion(whole.up, None, whole.alignment if known == "same" else known)


def measured(pelvis, *, turn=125, **others):
    metrics = pelvis_metrics(pelvis, turn=turn, **others)
    assert tuple(metric.name for metric in metrics) == PELVIS_METRICS
    for metric in metrics:
        assert (metric.value is None) == (metric.reason is not None) == (metric.n == 0)
        assert (metric.value is None) == (metric.quality is Quality.REJECT)
    return {metric.name: metric for metric in metrics}


@given(
    mounting=mountings,
    heading=angles,
    start=st.sampled_from([0.0, 5.0, -50.0, -90.0, 90.0]),
    pitch=st.floats(-70.0, 70.0),
    obliquity=st.floats(-30.0, 30.0),
    rotation=st.floats(-60.0, 60.0),
)
@settings(max_examples=80, deadline=None)
def test_angles_are_recovered_for_any_mounting_heading_and_start(
    mounting, heading, start, pitch, obliquity, rotation
):
    x = way()
    moved = motion(
        pitch * x, obliquity * x, rotation * x, start_deg=start, heading_deg=heading, mounting=mounting
    )
    found = segment_angles(moved.quaternion, moved.alignment)
    np.testing.assert_allclose(found.pitch_deg, pitch * x, atol=1e-6)
    np.testing.assert_allclose(found.obliquity_deg, obliquity * x, atol=1e-6)
    np.testing.assert_allclose(found.rotation_deg, rotation * x, atol=1e-6)
    metrics = measured(moved)
    assert metrics[ANTERIOR].value == pytest.approx(pitch, abs=1e-6)
    for name, value in ((PITCH_RANGE, pitch), (OBLIQUITY, obliquity), (ROTATION, rotation)):
        assert metrics[name].value == pytest.approx(abs(value), abs=1e-6)


@given(mounting=mountings, off=mountings.map(lambda r: r.as_rotvec()), pitch=st.floats(-60.0, 60.0))
@settings(max_examples=60, deadline=None)
def test_an_alignment_off_by_one_degree_costs_a_degree_of_pitch_at_most(mounting, off, pitch):
    # It turns the axis by a degree, and the movement by no more than 2 sin(p / 2) of that.
    length = np.linalg.norm(off)
    tilted = Rotation.from_rotvec(np.radians(1.0) * off / (length if length > 0 else 1.0)) * mounting
    moved = motion(pitch * way(), mounting=mounting, known=alignment(tilted))
    limit = 2.0 * abs(np.sin(np.radians(pitch / 2.0)))
    assert abs(measured(moved)[ANTERIOR].value - pitch) <= limit + 1e-6


@pytest.mark.parametrize(
    ("exercise", "start_deg", "turn", "change_deg"),
    [
        ("romanian-deadlift", 5.0, "pitch-forward", 60.0),
        ("squat", 5.0, "pitch-forward", 25.0),
        ("bridge", -90.0, "pitch-backward", -25.0),
        ("hip-thrust", -50.0, "pitch-backward", -40.0),
    ],
)
def test_bending_forward_is_positive_and_bridging_up_negative_with_an_alignment_learnt_from_the_movement(
    exercise, start_deg, turn, change_deg
):
    mounting = Rotation.random(rng=7)
    moved = motion(change_deg * way(), start_deg=start_deg, heading_deg=77.0, mounting=mounting)
    found = align_from_repetition(moved.quaternion[:126], start_pitch_deg=start_deg, pelvis_turn=turn)
    metrics = measured(SegmentMotion(moved.up, moved.quaternion, found))
    assert metrics[ANTERIOR].value == pytest.approx(change_deg, abs=0.5)
    assert metrics[PITCH_RANGE].value == pytest.approx(abs(change_deg), abs=0.5)
    assert metrics[ANTERIOR].quality is Quality.USABLE


@pytest.mark.parametrize("thought_deg", [-15.0, 5.0, 25.0])
def test_a_start_more_or_less_upright_than_thought_changes_no_pitch(thought_deg):
    mounting = Rotation.random(rng=8)
    moved = motion(30.0 * way(), start_deg=5.0, mounting=mounting)
    found = align_from_repetition(
        moved.quaternion[:126], start_pitch_deg=thought_deg, pelvis_turn="pitch-forward"
    )
    metrics = measured(SegmentMotion(moved.up, moved.quaternion, found))
    assert metrics[ANTERIOR].value == pytest.approx(30.0, abs=1e-4)
    assert metrics[OBLIQUITY].value == pytest.approx(0.0, abs=1e-4)


def test_the_head_goes_below_the_hips_when_a_bridge_pitches_backwards():
    moved = motion(np.array([0.0, -25.0]), start_deg=-90.0)
    head = np.array([0.0, 0.0, 1.0])
    # How far the direction to the head points up, in body axes that are the sensor's here.
    assert moved.up[0] @ head == pytest.approx(0.0)
    assert moved.up[1] @ head < 0.0


@pytest.mark.parametrize(("rotation_deg", "side"), [(40.0, "left"), (-40.0, "right"), (4.9, None)])
def test_the_side_that_a_prone_rotation_lifts_is_told_by_its_sign(rotation_deg, side):
    moved = motion(0.0 * way(), 0.0, rotation_deg * way(), start_deg=90.0, heading_deg=-130.0)
    angles_found = segment_angles(moved.quaternion, moved.alignment)
    assert side_of_rotation(float(angles_found.rotation_deg[125]), moved.alignment) == side
    if side is not None:
        # The left hip is along +y, and it goes up when up gains a part along +y.
        left_is_up = moved.up[125] @ np.array([0.0, 1.0, 0.0]) > 0.0
        assert left_is_up == (side == "left")


def test_no_side_is_told_when_the_alignment_does_not_know_sides():
    unknown = alignment(Rotation.identity(), method=AlignmentMethod.REPETITIONS, sides_known=False)
    assert side_of_rotation(40.0, unknown) is None
    assert side_of_rotation(float("nan"), alignment(Rotation.identity())) is None


def test_ranges_hold_but_directions_do_not_when_sides_are_not_known():
    unknown = alignment(
        Rotation.from_euler("x", 180, degrees=True), method=AlignmentMethod.REPETITIONS, sides_known=False
    )
    x = way()
    metrics = measured(motion(8.0 * x, 5.0 * x, 40.0 * x, start_deg=90.0, known=unknown))
    assert metrics[ROTATION].value == pytest.approx(40.0)
    assert metrics[PITCH_RANGE].value == pytest.approx(8.0)
    assert metrics[OBLIQUITY].value == pytest.approx(5.0)
    assert metrics[ANTERIOR].reason == NO_DIRECTION
    assert metrics[ROTATION].quality is Quality.USABLE


def test_the_range_takes_in_both_sides_of_the_start():
    x = np.concatenate([way(), -0.5 * way()])
    metrics = measured(motion(20.0 * x))
    assert metrics[PITCH_RANGE].value == pytest.approx(30.0)
    assert metrics[ANTERIOR].value == pytest.approx(20.0)


def lumbar(pitch_deg, **others):
    return motion(pitch_deg, mounting=Rotation.random(rng=3), **others)


@given(pelvis_heading=angles, lumbar_heading=angles, start=st.sampled_from([0.0, -90.0, -50.0, 90.0]))
@settings(max_examples=40, deadline=None)
def test_lumbar_extension_needs_no_common_heading_of_the_two_sensors(pelvis_heading, lumbar_heading, start):
    x = way()
    pelvis = motion(30.0 * x, start_deg=start, heading_deg=pelvis_heading, mounting=Rotation.random(rng=1))
    upper = lumbar(18.0 * x, start_deg=start + 10.0, heading_deg=lumbar_heading)
    assert measured(pelvis, lumbar=upper)[LUMBAR].value == pytest.approx(12.0, abs=1e-6)


def test_a_trunk_that_leans_back_over_a_still_pelvis_extends():
    metrics = measured(motion(0.0 * way()), lumbar=lumbar(-14.0 * way()))
    assert metrics[LUMBAR].value == pytest.approx(14.0)
    assert metrics[LUMBAR].quality is Quality.GOOD


def test_lumbar_extension_without_a_second_sensor_says_what_it_needs():
    for pelvis in (motion(20.0 * way()), None, without_gyroscope(motion(20.0 * way()))):
        assert measured(pelvis)[LUMBAR].reason == "needs a second IMU at T12/L1"


def test_lumbar_extension_says_what_the_second_sensor_lacks():
    pelvis, upper = motion(20.0 * way()), lumbar(10.0 * way())
    holed = upper.quaternion.copy()
    holed[3] = np.nan
    lacking = {
        "gyroscope": without_gyroscope(upper),
        "bows": SegmentMotion(upper.up, upper.quaternion, None),
        "samples are missing": SegmentMotion(upper.up, holed, upper.alignment),
    }
    for word, other in lacking.items():
        assert word in measured(pelvis, lumbar=other)[LUMBAR].reason


@pytest.mark.parametrize(
    ("start_deg", "rotation", "obliquity"),
    [
        (0.0, Quality.USABLE, Quality.GOOD),
        (-90.0, Quality.GOOD, Quality.USABLE),
        (90.0, Quality.GOOD, Quality.USABLE),
        (-50.0, Quality.USABLE, Quality.USABLE),
    ],
    ids=["standing", "supine", "prone", "reclined"],
)
def test_a_long_repetition_doubts_what_turns_about_the_plumb_line(start_deg, rotation, obliquity):
    seconds = LONGEST_SHARP_S
    slow = measured(motion(20.0 * way(seconds=seconds + 1.0), start_deg=start_deg))
    assert (slow[ROTATION].quality, slow[OBLIQUITY].quality) == (rotation, obliquity)
    assert slow[PITCH_RANGE].quality is slow[ANTERIOR].quality is Quality.GOOD
    quick = measured(motion(20.0 * way(seconds=seconds - 1.0), start_deg=start_deg))
    assert quick[ROTATION].quality is quick[OBLIQUITY].quality is Quality.GOOD


@pytest.mark.parametrize(("start_deg", "drifts"), [(0.0, "rotation"), (90.0, "obliquity")])
def test_a_drifting_heading_spares_pitch(start_deg, drifts):
    x = way()
    moved = motion(20.0 * x, start_deg=start_deg, heading_deg=np.linspace(0.0, 3.0, len(x)))
    found = segment_angles(moved.quaternion, moved.alignment)
    # At the turn half the drift has come; it turns the whole movement about the plumb line.
    np.testing.assert_allclose(found.pitch_deg, 20.0 * x, atol=0.05)
    assert abs(getattr(found, f"{drifts}_deg")[-1]) == pytest.approx(3.0, abs=1e-6)


def test_the_reasons_for_what_is_missing():
    moved = motion(20.0 * way())
    holed = moved.quaternion.copy()
    holed[10, 2] = np.nan
    cases = {
        NO_SENSOR: measured(None),
        NO_ALIGNMENT: measured(SegmentMotion(moved.up, moved.quaternion, None)),
        HOLES: measured(SegmentMotion(moved.up, holed, moved.alignment)),
        "40 ms are missing": measured(moved, gap="40 ms are missing"),
    }
    for reason, metrics in cases.items():
        assert [metrics[name].reason for name in PELVIS_METRICS[:4]] == [reason] * 4


def held(change_deg, *, start_deg, hold_s=0.5):
    still = np.zeros(30)
    path = np.concatenate([still, way(hold_s=hold_s)])
    return without_gyroscope(motion(change_deg * path, start_deg=start_deg, mounting=Rotation.random(rng=9)))


@pytest.mark.parametrize(("start_deg", "change_deg"), [(0.0, 35.0), (-90.0, -25.0), (90.0, 7.0)])
def test_an_accelerometer_gives_the_change_between_two_held_poses_and_nothing_else(start_deg, change_deg):
    metrics = measured(held(change_deg, start_deg=start_deg), turn=155)
    assert metrics[ANTERIOR].value == pytest.approx(change_deg, abs=0.5)
    assert metrics[ANTERIOR].quality is Quality.USABLE
    assert [metrics[name].reason for name in (PITCH_RANGE, ROTATION, OBLIQUITY)] == [NO_GYROSCOPE] * 3


def test_an_accelerometer_says_nothing_of_a_turn_that_was_not_held():
    metrics = measured(held(60.0, start_deg=0.0), turn=90)
    assert metrics[ANTERIOR].reason == NOT_STILL


def test_a_missing_hop_near_the_moment_leaves_no_pitch():
    moved = held(20.0, start_deg=0.0)
    up = moved.up.copy()
    up[5] = np.nan
    assert held_pitch_deg(up, moved.alignment, 0) is None
    assert held_pitch_deg(up, moved.alignment, 155) == pytest.approx(20.0, abs=0.1)

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.dsp.alignment import Alignment, AlignmentMethod, MotionTrack
from emgmon.errors import CalibrationError
from emgmon.metrics.posture import (
    CONTEXT,
    FLOOR_SMALLEST_CHANGE_DEG,
    LONGEST_STRETCH_S,
    NOT_THE_SAME_WEARING,
    PRIOR_SMALLEST_CHANGE_DEG,
    Comparison,
    Neutral,
    Stretch,
    compare,
    comparison_sentence,
    measure_posture,
    posture_sentences,
    quiet_standing,
    smallest_change_deg,
    theil_sen,
)

JUDGING = re.compile(
    r"weak|inhibit|abnormal|injur|diagnos|treat|dysfunction|norm\b|wrong|bad\b", re.IGNORECASE
)

MOUNTING = Rotation.random(rng=4)


def alignment(mounting=MOUNTING, *, method=AlignmentMethod.STANDING_AND_BOWS, sides_known=True):
    return Alignment(
        "pelvis", method, tuple(mounting.as_matrix().ravel().tolist()), 40.0, sides_known=sides_known
    )


LEARNT = alignment(method=AlignmentMethod.REPETITIONS)


def still(seconds, pitch_deg, obliquity_deg=0.0):
    return np.tile([pitch_deg, obliquity_deg, 0.0], (round(seconds * 100), 1))


def moving(seconds):
    """Steps: quick tilting about neutral, and turning on the spot."""
    t_s = np.arange(round(seconds * 100)) / 100
    return np.stack([8 * np.sin(6 * t_s), 5 * np.sin(3 * t_s), 30 * np.sin(2 * t_s)], axis=1)


def track(*parts, mounting=MOUNTING, gyroscope=True, first_hop=0):
    turns = np.concatenate(parts)
    sensor = Rotation.from_euler("YXZ", turns, degrees=True) * mounting
    rate = np.concatenate([(sensor[:-1].inv() * sensor[1:]).as_rotvec() * 100, np.zeros((1, 3))])
    return MotionTrack(
        "pelvis",
        None,
        first_hop,
        sensor.inv().apply([0.0, 0.0, 1.0]),
        sensor.as_quat(scalar_first=True) if gyroscope else None,
        rate if gyroscope else None,
    )


def stretch(at_s, tilt_deg, *, seconds=10.0):
    return Stretch(at_s, at_s + seconds, tilt_deg, 0.0, 0.3)


def test_quiet_standing_between_movements_is_found_with_its_tilt():
    worn = track(moving(4), still(6, 3.0, -2.0), moving(5), still(4, -5.0), moving(2), first_hop=1000)
    first, second = quiet_standing(worn, alignment())
    # Half a second of averaging and comparing is lost next to a movement.
    assert (first.start_s, first.end_s) == pytest.approx((14.0, 20.0), abs=0.6)
    assert (second.start_s, second.end_s) == pytest.approx((25.0, 29.0), abs=0.6)
    assert (first.tilt_deg, first.obliquity_deg) == pytest.approx((3.0, -2.0), abs=0.5)
    assert second.tilt_deg == pytest.approx(-5.0, abs=0.5)


@given(
    tilt=st.floats(-30.0, 30.0),
    obliquity=st.floats(-10.0, 10.0),
    seed=st.integers(0, 1000),
    gyroscope=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_tilt_is_exact_for_any_mounting_with_or_without_a_gyroscope(tilt, obliquity, seed, gyroscope):
    mounting = Rotation.random(rng=seed)
    worn = track(still(5, tilt, obliquity), mounting=mounting, gyroscope=gyroscope)
    (found,) = quiet_standing(worn, alignment(mounting))
    # Tilt is that of the sagittal plane: tan(tilt) = tan(pitch) / cos(obliquity).
    tangent = math.tan(math.radians(tilt)) / math.cos(math.radians(obliquity))
    expected = math.degrees(math.atan(tangent))
    assert found.tilt_deg == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(tilt, abs=0.5)
    assert (found.start_s, found.end_s) == (0.0, 5.0)


@pytest.mark.parametrize(
    "parts",
    [
        [still(2.9, 0.0)],
        [still(10, 40.0)],
        [still(10, -80.0)],
        [moving(20)],
        [np.linspace([0.0, 0.0, 0.0], [30.0, 0.0, 0.0], 1000)],
    ],
    ids=["too short", "bent forward", "lying", "stepping", "leaning slowly"],
)
def test_what_is_not_quiet_standing_is_not_found(parts):
    assert quiet_standing(track(*parts), alignment()) == ()


def test_turning_on_the_spot_is_noticed_by_a_gyroscope_only():
    turning = np.linspace([0.0, 0.0, 0.0], [0.0, 0.0, 170.0], 1000)
    assert quiet_standing(track(turning), alignment()) == ()
    assert len(quiet_standing(track(turning, gyroscope=False), alignment())) == 1


def test_sway_and_sensor_noise_do_not_end_a_stretch():
    t_s = np.arange(3000) / 100
    sway = np.stack([np.sin(1.5 * t_s), 0.7 * np.sin(t_s), 0 * t_s], axis=1)
    worn = track(sway + np.array([2.0, 0.0, 0.0]), gyroscope=False)
    noisy = worn.up + np.random.default_rng(1).normal(0.0, 0.01, worn.up.shape)
    noisy /= np.linalg.norm(noisy, axis=1)[:, np.newaxis]
    (found,) = quiet_standing(MotionTrack("pelvis", None, 0, noisy, None, None), alignment())
    # Noise: 0.57 degrees over the square root of 3000; sway: a part of its 1 degree for the broken last wave.
    assert found.tilt_deg == pytest.approx(2.0, abs=4 * 0.57 / math.sqrt(3000) + 1.0 / (1.5 * 30) * 2)


def test_missing_hops_cut_a_stretch_in_two():
    worn = track(still(12, 1.0))
    worn.up[600:620] = np.nan
    first, second = quiet_standing(worn, alignment())
    assert first.end_s < 6.0
    assert second.start_s > 6.2
    assert (first.tilt_deg, second.tilt_deg) == pytest.approx((1.0, 1.0))


def test_long_standing_is_cut_into_equal_pieces_so_that_a_slow_change_shows():
    slow = np.linspace([0.0, 0.0, 0.0], [6.0, 0.0, 0.0], round(3 * LONGEST_STRETCH_S * 100) - 600)
    pieces = quiet_standing(track(slow), alignment())
    lengths = [piece.end_s - piece.start_s for piece in pieces]
    assert lengths == pytest.approx([58.0, 58.0, 58.0], abs=0.02)
    assert [piece.tilt_deg for piece in pieces] == pytest.approx([1.0, 3.0, 5.0], abs=0.05)


def test_neutral_is_the_calibration_stance_and_else_the_first_stretch():
    worn = track(still(5, 4.0, 1.0), moving(3), still(5, 7.0, 3.0))
    known = measure_posture(worn, alignment())
    assert known.neutral is Neutral.CALIBRATION_STANCE
    assert [s.tilt_deg for s in known.stretches] == pytest.approx([4.0, 7.0], abs=0.5)
    learnt = measure_posture(worn, LEARNT)
    assert learnt.neutral is Neutral.FIRST_STRETCH
    assert (learnt.stretches[0].tilt_deg, learnt.stretches[0].obliquity_deg) == (0.0, 0.0)
    assert learnt.stretches[1].tilt_deg == pytest.approx(3.0, abs=0.5)
    assert learnt.stretches[1].obliquity_deg == pytest.approx(2.0, abs=0.5)


def test_an_alignment_that_does_not_know_forwards_is_refused():
    unknown = alignment(method=AlignmentMethod.REPETITIONS, sides_known=False)
    with pytest.raises(CalibrationError, match="forwards from backwards") as refused:
        measure_posture(track(still(5, 0.0)), unknown)
    assert "bow" in refused.value.advice


def test_the_change_is_from_the_first_stretch_to_the_last():
    worn = track(still(6, 0.0), moving(3), still(6, 2.0), moving(3), still(6, 8.0, 1.0))
    posture = measure_posture(worn, alignment())
    assert posture.change.tilt_deg == pytest.approx(8.0, abs=0.5)
    assert posture.change.obliquity_deg == pytest.approx(1.0, abs=0.5)
    assert posture.change.minutes == pytest.approx(18 / 60, abs=0.01)
    assert posture.change.smallest_deg == PRIOR_SMALLEST_CHANGE_DEG
    assert posture.change.is_told
    assert posture.mean_tilt_deg == pytest.approx(10 / 3, abs=0.5)


def test_one_stretch_has_no_change_and_two_have_no_slope():
    assert measure_posture(track(still(6, 1.0)), alignment()).change is None
    two = measure_posture(track(still(6, 1.0), moving(3), still(6, 1.0)), alignment())
    assert two.change.tilt_deg_per_min is None
    assert not two.change.is_told


def test_nothing_found_is_not_measured():
    posture = measure_posture(track(moving(10)), alignment())
    assert (posture.stretches, posture.change, posture.mean_tilt_deg) == ((), None, None)
    assert posture_sentences(posture) == ("No quiet standing of at least 3 s was found.",)
    assert quiet_standing(track(still(0.1, 0.0)), alignment()) == ()


def test_the_slope_is_the_median_of_all_pairs():
    minutes = np.array([0.0, 1.0, 2.0, 3.0])
    # One outlier of four: slopes 1, 1, 1 among (0, 1, 3), and 20, 10.5, -17 with it.
    assert theil_sen(minutes, np.array([0.0, 1.0, 20.0, 3.0])) == 1.0
    assert theil_sen(minutes, 2.5 * minutes) == 2.5


def test_the_smallest_change_is_a_prior_until_the_own_scatter_is_known():
    steady = [stretch(60.0 * i, 1.0) for i in range(4)]
    assert smallest_change_deg(steady[:3]) == smallest_change_deg([]) == PRIOR_SMALLEST_CHANGE_DEG
    assert smallest_change_deg(steady) == FLOOR_SMALLEST_CHANGE_DEG


def test_the_own_scatter_sets_the_smallest_change_and_a_steady_trend_does_not():
    trend = [stretch(60.0 * i, 2.0 * i) for i in range(8)]
    assert smallest_change_deg(trend) == FLOOR_SMALLEST_CHANGE_DEG
    scattered = [stretch(60.0 * i, value) for i, value in enumerate([3.0, -3.0] * 8)]
    # Deviations of 3 about a line that is nearly level: 1.96 sqrt(2) 3 sqrt(16 / 14).
    expected = 1.96 * math.sqrt(2) * 3 * math.sqrt(16 / 14)
    assert smallest_change_deg(scattered) == pytest.approx(expected, rel=0.05)


def posture(tilt_deg, *, known=True, scatter=(0.0,)):
    parts = [part for s in scatter for part in (still(6, tilt_deg + s), moving(3))]
    return measure_posture(track(*parts), alignment() if known else LEARNT)


def test_recordings_of_one_wearing_compare_by_their_means():
    found = compare(posture(1.0), posture(9.0), same_wearing=True)
    assert found.tilt_deg == pytest.approx(8.0, abs=0.1)
    assert (found.smallest_deg, found.reason) == (PRIOR_SMALLEST_CHANGE_DEG, None)
    wide = posture(1.0, scatter=(-6.0, 6.0, -6.0, 6.0, -6.0))
    assert compare(posture(1.0), wide, same_wearing=True).smallest_deg == wide.smallest_change_deg
    assert wide.smallest_change_deg > PRIOR_SMALLEST_CHANGE_DEG


@pytest.mark.parametrize(
    ("earlier", "later", "same_wearing", "reason"),
    [
        (posture(1.0), posture(9.0), False, NOT_THE_SAME_WEARING),
        (posture(1.0, known=False), posture(9.0), True, "no calibration stance"),
        (posture(1.0), posture(50.0), True, "no quiet standing"),
    ],
)
def test_recordings_that_do_not_compare_say_why(earlier, later, same_wearing, reason):
    found = compare(earlier, later, same_wearing=same_wearing)
    assert found.tilt_deg is None
    assert reason in found.reason
    assert comparison_sentence(found) == f"Not compared: {found.reason}."


def test_sentences_tell_what_changed_and_what_did_not():
    neutral, changed = posture_sentences(posture(0.0, scatter=(0.0, 3.0, 6.0, 9.0)))
    assert "your own neutral" in neutral
    assert re.search(r"came to tilt 9\.\d° more anterior", changed)
    assert "° per minute" in changed
    _, same = posture_sentences(posture(0.0, scatter=(0.0, -4.0)))
    assert "stayed the same as far as can be told (-" in same
    assert "5.0°" in same
    assert "first stretch" in posture_sentences(posture(0.0, known=False))[0]
    assert "less anterior" in comparison_sentence(Comparison(-7.0, 5.0, None))


def test_no_sentence_judges_the_person_or_knows_an_angle_to_reach():
    said = [*CONTEXT, NOT_THE_SAME_WEARING]
    for scatter in ((0.0,), (0.0, 3.0), (0.0, 9.0), (0.0, 3.0, 6.0, 9.0), (0.0, -9.0)):
        for known in (True, False):
            said += posture_sentences(posture(0.0, scatter=scatter, known=known))
    assert len(said) > 15
    assert [sentence for sentence in said if JUDGING.search(sentence)] == []
    assert "hypothesis" in CONTEXT[1]

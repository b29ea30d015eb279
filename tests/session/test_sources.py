"""Which signal an exercise is counted on, by what is worn; and what is said about what it cannot give."""

import pytest

from emgmon.exercises import EXERCISE_NAMES
from emgmon.session import Session, SessionSetup
from tests.builders import IMU, capabilities, emg_stream, imu_stream

PELVIS = imu_stream(("pelvis", None))
PELVIS_3 = imu_stream(("pelvis", None), n_axes=3)
THIGH = imu_stream(("thigh", "left"), number=3)
THIGH_3 = imu_stream(("thigh", "left"), n_axes=3, number=3)
LUMBAR = imu_stream(("lumbar", None), number=4)
EMG = emg_stream(("gluteus_maximus", "left"), ("erector_spinae", "left"))
QUADRICEPS = emg_stream(("rectus_femoris", "left"), number=8)

NO_HEIGHT = "no six-axis motion sensor on the pelvis: repetitions are counted on "
MUSCLES = "counted on muscle activity alone"
GRAVITY = "counted on an accelerometer alone"
ONE_LEG = "only repetitions of the left leg are counted"
SMALL = "counted on small tilts of the pelvis"


def session_of(exercise, *streams, sensors=None):
    return Session(SessionSetup(sensors or (capabilities(*streams),), exercise, None, None))


@pytest.mark.parametrize(
    ("exercise", "worn", "signal", "said"),
    [
        ("squat", (PELVIS, THIGH, EMG), "pelvis_height", []),
        ("squat", (THIGH, EMG), "thigh_pitch", [NO_HEIGHT + "the tilt of the thigh"]),
        ("squat", (PELVIS_3, EMG), "pelvis_pitch", [NO_HEIGHT + "the tilt of the pelvis", GRAVITY]),
        ("squat", (EMG,), "emg_envelope", [NO_HEIGHT + "the EMG envelope", MUSCLES]),
        ("lunge", (PELVIS,), "pelvis_height", []),
        ("lunge", (THIGH_3,), "thigh_pitch", [NO_HEIGHT + "the tilt of the thigh", GRAVITY, ONE_LEG]),
        ("lunge", (PELVIS_3, EMG), "emg_envelope", [NO_HEIGHT + "the EMG envelope", MUSCLES]),
        ("bridge", (PELVIS, THIGH, EMG), "pelvis_pitch", []),
        ("bridge", (PELVIS_3,), "pelvis_pitch", [GRAVITY]),
        ("bridge", (THIGH,), "thigh_pitch", []),
        ("bridge", (LUMBAR, EMG), "emg_envelope", [MUSCLES]),
        ("hip-thrust", (PELVIS,), "pelvis_pitch", []),
        ("romanian-deadlift", (PELVIS,), "pelvis_pitch", []),
        ("romanian-deadlift", (THIGH, EMG), "emg_envelope", [MUSCLES]),
        ("scorpion", (PELVIS, THIGH), "pelvis_rotation", []),
        ("scorpion", (THIGH,), "thigh_pitch", [ONE_LEG]),
        ("bird-dog", (PELVIS, THIGH, EMG), "thigh_pitch", [ONE_LEG]),
        ("bird-dog", (PELVIS, EMG), "emg_envelope", [MUSCLES]),
        ("bird-dog", (PELVIS,), "pelvis_tilt", [SMALL]),
        ("bird-dog", (PELVIS_3,), "pelvis_tilt", [GRAVITY, SMALL]),
        ("leg-extension-tubing", (THIGH,), "thigh_pitch", []),
        ("prone-hip-extension", (THIGH_3,), "thigh_pitch", [GRAVITY, ONE_LEG]),
        ("prone-hip-extension", (QUADRICEPS,), "emg_envelope", [MUSCLES]),
    ],
)
def test_the_best_signal_that_is_worn_serves(exercise, worn, signal, said):
    session = session_of(exercise, *worn)
    assert session.movement_signal == signal
    assert len(session.limits) == len(said)
    for sentence, beginning in zip(session.limits, said, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize("exercise", EXERCISE_NAMES)
def test_every_exercise_can_be_counted_on_muscles_or_on_a_pelvis_sensor_or_says_what_it_needs(exercise):
    for worn in ((EMG,), (PELVIS,), (PELVIS_3,), (THIGH,), (LUMBAR,)):
        session = session_of(exercise, *worn)
        if session.movement_signal is None:
            (sentence,) = session.limits
            assert sentence.startswith(f"nothing is worn on which {exercise} could be counted: it needs ")
    assert session_of(exercise, EMG).movement_signal == "emg_envelope"
    assert session_of(exercise, PELVIS).movement_signal is not None
    assert session_of(exercise, LUMBAR).movement_signal is None


def test_what_an_exercise_needs_is_named_once_each():
    (sentence,) = session_of("squat", LUMBAR).limits
    assert sentence == (
        "nothing is worn on which squat could be counted: it needs a six-axis motion sensor on the pelvis or"
        " a motion sensor on the thigh or a motion sensor on the pelvis or EMG"
    )


def test_without_an_exercise_it_is_said_how_to_name_one():
    assert session_of(None, PELVIS).limits == (
        "no exercise is named, so no repetitions are counted: give one with --exercise",
    )
    assert session_of(None, PELVIS).movement_signal is None


def test_posture_is_not_called_unmeasured_while_a_sensor_on_the_pelvis_measures_it():
    (alone,) = session_of("bird-dog", EMG).limits
    (besides,) = session_of("bird-dog", PELVIS, EMG).limits
    assert "posture" in alone
    assert "posture" not in besides


def test_two_motion_sensors_may_share_a_stream_or_have_one_each():
    shared = session_of("bird-dog", imu_stream(("pelvis", None), ("thigh", "right")))
    parted = session_of("bird-dog", PELVIS, imu_stream(("thigh", "right"), number=3))
    apart = session_of(
        "bird-dog", sensors=(capabilities(PELVIS), capabilities(imu_stream(("thigh", "right"))))
    )
    for session in (shared, parted, apart):
        assert [(imu.site, imu.side) for imu in session.motion] == [("pelvis", None), ("thigh", "right")]
        assert session.movement_signal == "thigh_pitch"
        assert session.limits == ("only repetitions of the right leg are counted",)


def test_a_stream_that_lacks_an_axis_is_no_motion_sensor_and_one_without_turn_rates_is_an_accelerometer():
    whole = imu_stream(("pelvis", None))
    without_z = imu_stream(("pelvis", None), n_axes=3)
    lacking = type(whole)(IMU, whole.kind, whole.sample_format, 100.0, without_z.channels[:2])
    assert session_of("bridge", lacking, EMG).movement_signal == "emg_envelope"
    five = type(whole)(IMU, whole.kind, whole.sample_format, 100.0, whole.channels[:5])
    (imu,) = session_of("bridge", five, EMG).motion
    assert not imu.has_gyroscope

"""Gates against changes of position, and how long an attitude is kept."""

import numpy as np
import pytest

from emgmon.attitude import MOST_TURNED_DEG, MOST_TURNED_STEADY_DEG, Attitude
from emgmon.dsp.orientation import OrientationStage
from emgmon.dsp.timeline import SampleClock
from emgmon.events import RepCompleted, SetCompleted
from emgmon.exercises import load_exercise
from emgmon.reps.found import RepFound
from emgmon.session import Session
from tests.builders import Movement, capabilities, data_notifications, imu_stream, inertial, merged, start
from tests.session.test_session import setup

PELVIS = imu_stream(("pelvis", None))
THIGH = imu_stream(("thigh", "left"), number=3)


def attitude_after(angle_deg, *, exercise="bridge"):
    """What is kept of a pelvis that pitched like this."""
    session = Session(setup(capabilities(PELVIS), exercise=exercise))
    attitude = Attitude(load_exercise(exercise), session.motion)
    imu = inertial(angle_deg).T.astype(np.float64)
    attitude.take(0, OrientationStage(rate_hz=100.0).process(imu, SampleClock(0, 0.0, 100.0), 0))
    return attitude


def one_rep(range_deg, *, back_deg=None):
    movement = Movement([(4.0, 1.0, 1.0, 1.0, range_deg)], tail_s=3.0)
    t_s = np.arange(0.0, movement.duration_s, 0.01)
    angle_deg = movement.height_m(t_s)
    return angle_deg if back_deg is None else np.where(t_s > 5.5, np.maximum(angle_deg, back_deg), angle_deg)


REP = RepFound(400, 500, 550, 600, 700, range_m=None, range_deg=40.0)


@pytest.mark.parametrize(
    ("exercise", "range_deg", "back_deg", "changed"),
    [
        ("bridge", 40.0, None, False),
        ("bridge", MOST_TURNED_DEG - 5.0, None, False),
        ("bridge", MOST_TURNED_DEG + 5.0, None, True),
        ("bridge", 60.0, 20.0, False),
        ("bridge", 60.0, 45.0, True),
        ("bird-dog", MOST_TURNED_STEADY_DEG - 5.0, None, False),
        ("bird-dog", MOST_TURNED_STEADY_DEG + 5.0, None, True),
    ],
)
def test_who_turned_too_far_or_did_not_come_back_has_changed_position(exercise, range_deg, back_deg, changed):
    attitude = attitude_after(one_rep(range_deg, back_deg=back_deg), exercise=exercise)
    assert attitude.changed_position(REP) == changed


def test_what_is_not_known_whole_is_not_refused():
    attitude = attitude_after(one_rep(100.0))
    late = RepFound(2000, 2100, 2150, 2200, 2300, range_m=None)
    assert not attitude.changed_position(late)
    assert attitude.start_up(late) is None
    assert attitude.start_up(REP) == pytest.approx((0.0, 0.0, 1.0), abs=0.02)


def test_a_change_of_position_is_neither_counted_nor_does_it_begin_a_set():
    angle_deg = np.concatenate([one_rep(100.0), np.zeros(1500), one_rep(35.0), one_rep(35.0)])
    received = data_notifications(PELVIS, inertial(angle_deg), samples_per_packet=5)
    session = Session(setup(capabilities(PELVIS), calibration=None, reference=None))
    events = [event for n in [start(PELVIS), *received] for event in session.receive(n)] + session.finish()
    assert [event.number for event in events if isinstance(event, RepCompleted)] == [1, 2]
    (done,) = [event for event in events if isinstance(event, SetCompleted)]
    assert (done.set_number, done.n_reps) == (1, 2)


def test_a_leg_that_moves_because_the_pelvis_rolls_over_lifts_nothing():
    lift, roll = one_rep(40.0), one_rep(60.0)
    thigh_deg = np.concatenate([lift, roll, lift, lift])
    pelvis_deg = np.concatenate([0.0 * lift, roll, 0.0 * lift, 0.0 * lift])
    received = merged(
        [start(PELVIS, THIGH)],
        data_notifications(PELVIS, inertial(pelvis_deg), samples_per_packet=5),
        data_notifications(THIGH, inertial(thigh_deg), samples_per_packet=5),
    )
    told = setup(capabilities(PELVIS, THIGH), exercise="bird-dog", calibration=None, reference=None)
    session = Session(told)
    events = [event for n in received for event in session.receive(n)] + session.finish()
    starts_s = [event.start_s for event in events if isinstance(event, RepCompleted)]
    step_s = len(lift) / 100
    assert starts_s == pytest.approx([4.0, 4.0 + 2 * step_s, 4.0 + 3 * step_s], abs=0.15)


def test_no_attitude_is_kept_for_longer_than_the_longest_memory():
    """Where nothing is followed, nothing says which hops are still needed."""
    attitude = attitude_after(np.zeros(200_000))
    attitude.forget_before(-6000, longest_hops=60_000)
    (history,) = attitude.state.histories
    assert np.isnan(history.between(100_000, 100_001)).all()
    assert not np.isnan(history.between(140_000, 140_001)[:, :3]).any()

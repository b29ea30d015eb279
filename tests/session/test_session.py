"""The engine as a whole: what it reports must not depend on how the bytes came."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.events import (
    BatteryRead,
    DuplicateReceived,
    EnvelopeComputed,
    Notification,
    NotificationKind,
    NotificationRejected,
    RepCompleted,
    SamplesLost,
    SessionEnded,
    SetCompleted,
    Verdict,
    VerdictBasis,
)
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.measure import NO_PHASES
from emgmon.metrics.reference import ReferenceSet
from emgmon.session import Session, SessionSetup
from tests.builders import (
    EMG,
    IMU,
    Movement,
    batch,
    bursts,
    capabilities,
    curves,
    data_notifications,
    decisions,
    emg_stream,
    merged,
    pelvis_stream,
    start,
)

GLUTE_UV, BACK_UV, REST_UV, REFERENCE_UV = 40.0, 20.0, 2.0, 100.0
MOVEMENT = Movement([(4.0 + 4.0 * k, 1.0, 1.0, 1.0, 0.16) for k in range(4)], tail_s=2.0)
EMG_STREAM = emg_stream(("gluteus_maximus", "left"), ("erector_spinae", "left"))
PELVIS_STREAM = pelvis_stream()
BOTH = capabilities(EMG_STREAM, PELVIS_STREAM)
CALIBRATION = Calibration(
    "mvic",
    (
        ChannelCalibration("gluteus_maximus", "left", REST_UV, REFERENCE_UV),
        ChannelCalibration("erector_spinae", "left", REST_UV, REFERENCE_UV),
    ),
)
REFERENCE = ReferenceSet("bridge", 8, math.log(2.0), 0.1)


def setup(sensor=BOTH, *, exercise="bridge", calibration=CALIBRATION, reference=REFERENCE):
    return SessionSetup((sensor,), exercise, calibration, reference)


def emg_values(movement=MOVEMENT, rate_hz=1000.0):
    t_s = np.arange(0.0, movement.duration_s, 1.0 / rate_hz)
    work = [(start_s, end_s) for start_s, _, end_s in movement.edges()]
    # White noise keeps the share of its power that lies in the band of 30 to 450 Hz.
    in_band = math.sqrt((450 - 30) / (rate_hz / 2))
    channels = [
        bursts(t_s, work, uv=uv / in_band, rest_uv=REST_UV / in_band, seed=seed)
        for seed, uv in enumerate((GLUTE_UV, BACK_UV))
    ]
    return np.stack(channels, axis=1)


EMG_VALUES = emg_values()
IMU_VALUES = MOVEMENT.imu()


def notifications(*, emg_per_packet=20, imu_per_packet=5):
    return merged(
        [start(EMG_STREAM, PELVIS_STREAM)],
        data_notifications(EMG_STREAM, EMG_VALUES, samples_per_packet=emg_per_packet),
        data_notifications(PELVIS_STREAM, IMU_VALUES, samples_per_packet=imu_per_packet),
    )


def run(received, session_setup=None):
    session = Session(session_setup or setup())
    events = [event for notification in received for event in session.receive(notification)]
    return events + session.finish()


def reps_of(events):
    return [event for event in events if isinstance(event, RepCompleted)]


def value(rep, name):
    return next(metric for metric in rep.metrics if metric.name == name)


WHOLE = run(notifications())


def test_every_repetition_is_counted_and_judged_in_one_set():
    reps = reps_of(WHOLE)
    assert [rep.number for rep in reps] == [1, 2, 3, 4]
    assert {rep.verdict for rep in reps} == {Verdict.GLUTE_LED}
    assert {rep.verdict_basis for rep in reps} == {VerdictBasis.EMG}
    for rep, (start_s, turn_s, end_s) in zip(reps, MOVEMENT.edges(), strict=True):
        assert (rep.start_s, rep.turn_s, rep.end_s) == pytest.approx((start_s, turn_s, end_s), abs=0.12)
    (done,) = [event for event in WHOLE if isinstance(event, SetCompleted)]
    assert (done.n_reps, done.exercise, done.set_number) == (4, "bridge", 1)
    assert isinstance(WHOLE[-1], SessionEnded)


def test_engagement_and_share_are_those_of_the_signal():
    for rep in reps_of(WHOLE):
        assert value(rep, "glute_engagement_pct").value == pytest.approx(GLUTE_UV, rel=0.06)
        assert value(rep, "back_engagement_pct").value == pytest.approx(BACK_UV, rel=0.06)
        assert value(rep, "glute_share_pct").value == pytest.approx(100 * 2 / 3, abs=1.5)
        assert value(rep, "pelvis_height_range_m").value == pytest.approx(0.16, abs=0.02)


@pytest.mark.parametrize(("emg_per_packet", "imu_per_packet"), [(1, 1), (7, 3), (113, 25), (255, 42)])
def test_samples_cut_into_other_packets_give_the_same_bits(emg_per_packet, imu_per_packet):
    events = run(notifications(emg_per_packet=emg_per_packet, imu_per_packet=imu_per_packet))
    assert decisions(events) == decisions(WHOLE)
    for name, values in curves(WHOLE).items():
        np.testing.assert_array_equal(curves(events)[name], values)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_batches_of_any_size_give_the_events_of_single_notifications(sizes):
    received, session, events, first = notifications(), Session(setup()), [], 0
    for step in range(len(received)):
        size = sizes[step % len(sizes)]
        events += session.receive_many(batch(received[first : first + size]))
        first += size
        if first >= len(received):
            break
    events += session.finish()
    assert decisions(events) == decisions(WHOLE)
    for name, values in curves(WHOLE).items():
        np.testing.assert_array_equal(curves(events)[name], values)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 1200))
def test_the_state_put_into_another_session_goes_on_with_the_same_bits(at):
    received, first = notifications(), Session(setup())
    events = [event for notification in received[:at] for event in first.receive(notification)]
    kept, second = first.state, Session(setup())
    # What the first session does afterwards must not reach the second.
    first.receive_many(batch(received[at:]))
    second.state = kept
    events += second.receive_many(batch(received[at:])) + second.finish()
    assert decisions(events) == decisions(WHOLE)


def test_a_lost_packet_is_told_and_its_repetition_does_not_vote():
    received = notifications()
    lost = [n for n in received if n.kind is NotificationKind.DATA and n.payload[1] == EMG][250]
    events = run([n for n in received if n is not lost])
    (gap,) = [event for event in events if isinstance(event, SamplesLost)]
    assert (gap.stream, gap.n_samples, gap.start_s) == (EMG, 20, 5.0)
    first, *others = reps_of(events)
    assert "missing" in first.excluded
    assert value(first, "glute_share_pct").value is None
    assert first.verdict is Verdict.CANNOT_TELL
    assert [rep.excluded for rep in others] == [None] * 3
    (done,) = [event for event in events if isinstance(event, SetCompleted)]
    assert done.n_reps == 4
    assert next(metric for metric in done.summary if metric.name == "glute_share_pct").n == 3


def test_lost_motion_excludes_the_repetition_it_touches():
    received = notifications()
    imu = [n for n in received if n.kind is NotificationKind.DATA and n.payload[1] == IMU]
    lost = imu[182:184]
    events = run([n for n in received if n not in lost])
    touched = reps_of(events)[1]
    assert touched.start_s < 9.1 < touched.end_s
    assert touched.excluded == "motion samples are missing in this repetition"


def test_loss_before_the_first_packet_is_told_too():
    received = notifications()
    emg = [n for n in received if n.kind is NotificationKind.DATA and n.payload[1] == EMG]
    events = run([n for n in received if n not in emg[:3]])
    assert next(e for e in events if isinstance(e, SamplesLost)) == SamplesLost(0, EMG, 0.0, 60)


def test_repeated_and_damaged_notifications_are_counted_and_change_nothing():
    received = notifications()
    again = received[100]
    broken = Notification(again.arrival_ns, 0, NotificationKind.DATA, again.payload[:-1])
    events = run([*received[:101], again, broken, *received[101:]])
    assert [type(e) for e in events if isinstance(e, DuplicateReceived | NotificationRejected)] == [
        DuplicateReceived,
        NotificationRejected,
    ]
    assert reps_of(events) == reps_of(WHOLE)


def test_battery_is_reported_and_host_events_are_passed_over():
    session = Session(setup())
    assert session.receive(Notification(0, 0, NotificationKind.BATTERY, b"\x5f")) == [BatteryRead(0, 95)]
    assert session.receive(Notification(0, 0, NotificationKind.BATTERY, b"")) == []
    assert session.receive(Notification(0, 0, NotificationKind.EVENT, b"{}")) == []


def test_a_broken_control_indication_is_counted():
    session = Session(setup())
    (event,) = session.receive(Notification(0, 0, NotificationKind.CONTROL, b"\x82"))
    assert isinstance(event, NotificationRejected)


def test_without_the_answer_to_start_the_first_packet_is_the_zero_of_time():
    events = run(notifications()[1:])
    assert len(reps_of(events)) == 4
    assert not [event for event in events if isinstance(event, SamplesLost)]


def test_repetitions_wait_for_the_muscles_to_catch_up():
    imu_first = sorted(
        notifications(), key=lambda n: (len(n.payload) > 0 and n.payload[1] == EMG, n.arrival_ns)
    )
    assert reps_of(run(imu_first)) == reps_of(WHOLE)


def test_muscles_that_never_come_are_not_waited_for_at_the_end():
    received = [n for n in notifications() if n.kind is not NotificationKind.DATA or n.payload[1] == IMU]
    reps = reps_of(run(received))
    assert len(reps) == 4
    assert all(rep.excluded for rep in reps)
    assert all(value(rep, "glute_share_pct").value is None for rep in reps)


def test_muscles_alone_are_counted_on_their_envelope():
    sensor = capabilities(EMG_STREAM)
    received = merged([start(EMG_STREAM)], data_notifications(EMG_STREAM, EMG_VALUES, samples_per_packet=20))
    session = Session(setup(sensor))
    assert session.movement_signal == "emg_envelope"
    assert len(session.limits) == 1
    reps = reps_of(run(received, setup(sensor)))
    assert len(reps) == 4
    assert value(reps[0], "glute_share_pct").value == pytest.approx(100 * 2 / 3, abs=3)
    assert value(reps[0], "lift_s").reason == NO_PHASES


def test_motion_alone_counts_and_does_not_claim_to_know_the_muscles():
    sensor = capabilities(PELVIS_STREAM)
    received = merged(
        [start(PELVIS_STREAM)], data_notifications(PELVIS_STREAM, IMU_VALUES, samples_per_packet=5)
    )
    reps = reps_of(run(received, setup(sensor, calibration=None, reference=None)))
    assert len(reps) == 4
    assert {(rep.verdict, rep.verdict_basis) for rep in reps} == {(Verdict.NO_REFERENCE, VerdictBasis.MOTION)}
    assert value(reps[0], "glute_share_pct").reason == "no electrode on the glute"


def test_a_long_rest_parts_two_sets():
    rested = Movement([(4.0 + 4.0 * k + 20.0 * (k > 1), 1.0, 1.0, 1.0, 0.16) for k in range(4)], tail_s=2.0)
    sensor = capabilities(PELVIS_STREAM)
    received = merged(
        [start(PELVIS_STREAM)], data_notifications(PELVIS_STREAM, rested.imu(), samples_per_packet=5)
    )
    events = run(received, setup(sensor))
    assert [(rep.set_number, rep.number) for rep in reps_of(events)] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    closed = [event for event in events if isinstance(event, RepCompleted | SetCompleted)]
    assert [type(event) for event in closed] == [RepCompleted, RepCompleted, SetCompleted] * 2


def test_without_an_exercise_there_are_envelopes_but_no_repetitions():
    events = run(notifications(), setup(exercise=None))
    assert not reps_of(events)
    assert any(isinstance(event, EnvelopeComputed) for event in events)
    assert "no exercise" in Session(setup(exercise=None)).limits[0]


def test_a_reference_of_another_exercise_is_no_reference():
    events = run(notifications(), setup(reference=ReferenceSet("squat", 8, 0.7, 0.1)))
    assert {rep.verdict for rep in reps_of(events)} == {Verdict.NO_REFERENCE}


def test_without_calibration_nothing_is_claimed_in_percent():
    reps = reps_of(run(notifications(), setup(calibration=None)))
    assert len(reps) == 4
    assert "calibration" in value(reps[0], "glute_share_pct").reason


def test_an_emg_stream_that_is_too_slow_is_named():
    slow = emg_stream(("gluteus_maximus", "left"), rate_hz=50.0)
    session = Session(setup(capabilities(slow, PELVIS_STREAM)))
    assert "too slow" in session.limits[0]


def test_finishing_twice_gives_nothing_more():
    session = Session(setup())
    assert session.finish() == [SessionEnded(0.0)]
    assert session.finish() == []

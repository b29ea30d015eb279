"""What goes wrong on a body and in the air: it is told, and it does not become a number."""

import numpy as np
import pytest

from emgmon.events import (
    Notification,
    NotificationKind,
    NotificationRejected,
    RepCompleted,
    SamplesLost,
    SessionEnded,
    Verdict,
)
from emgmon.session import Session
from firmware_protocol.control import Opcode, Response, Started, Status, StreamStart
from tests.builders import (
    EMG,
    IMU,
    Movement,
    batch,
    capabilities,
    data_notifications,
    decisions,
    emg_stream,
    imu_stream,
    inertial,
    merged,
    start,
)
from tests.session.performing import counted
from tests.session.test_session import (
    BOTH,
    EMG_STREAM,
    EMG_VALUES,
    IMU_VALUES,
    MOVEMENT,
    PELVIS_STREAM,
    emg_values,
    notifications,
    reps_of,
    run,
    setup,
    value,
)


def motion_only(movement, *, without=(), imu=None, exercise="bridge"):
    received = data_notifications(
        PELVIS_STREAM, movement.imu() if imu is None else imu, samples_per_packet=10
    )
    kept = [n for n in received if not any(a <= n.arrival_ns / 1e9 - 0.05 < b for a, b in without)]
    return run([start(PELVIS_STREAM), *kept], setup(capabilities(PELVIS_STREAM), exercise=exercise))


def bridges(n_reps, *, first_s=4.0, range_m=0.16):
    return [(first_s + 4.0 * k, 1.0, 1.0, 1.0, range_m) for k in range(n_reps)]


def test_two_big_movements_do_not_hide_the_set_that_follows():
    got_in_place = [(4.0, 1.5, 0.5, 1.5, -0.5), (9.0, 1.5, 0.5, 1.5, -0.5)]
    movement = Movement([*got_in_place, *bridges(8, first_s=15.0, range_m=-0.14)])
    events = motion_only(movement, exercise="squat")
    starts_s = [rep.start_s for rep in counted(events)]
    assert [s for s in starts_s if s > 14.0] == pytest.approx([15.0 + 4.0 * k for k in range(8)], abs=0.1)


@pytest.mark.parametrize("gap_s", [(9.5, 10.2), (11.2, 11.7), (8.1, 8.9), (13.0, 13.6)])
@pytest.mark.parametrize(("exercise", "sign"), [("bridge", 1.0), ("squat", -1.0)])
def test_after_a_break_in_the_motion_nothing_false_votes(gap_s, exercise, sign):
    movement = Movement(bridges(8, range_m=0.16 * sign))
    true_starts_s = [start_s for start_s, _, _ in movement.edges()]
    reps = counted(motion_only(movement, without=[gap_s], exercise=exercise))
    assert len(reps) >= 6
    for rep in reps:
        near = min(abs(rep.start_s - true_s) for true_s in true_starts_s)
        assert rep.excluded or near < 0.15


@pytest.mark.parametrize("away_s", [0.5 * 3600, 1.5 * 3600])
def test_a_sensor_that_is_started_again_after_long_goes_on_after_the_pause(away_s):
    movement = Movement(bridges(2))
    imu = movement.imu()
    again = int(movement.duration_s * 100 + away_s * 100)
    restarted = Started(2, int(again * 1e4), (StreamStart(IMU, again, int(again * 1e4)),))
    received = data_notifications(PELVIS_STREAM, imu, samples_per_packet=10)
    later = data_notifications(PELVIS_STREAM, imu, samples_per_packet=10)
    shifted = [Notification(n.arrival_ns, 0, n.kind, _with_first_sample(n.payload, again)) for n in later]
    answer = Response(Opcode.START, 2, Status.OK, restarted.to_bytes()).to_bytes()
    events = run(
        [start(PELVIS_STREAM), *received, Notification(0, 0, NotificationKind.CONTROL, answer), *shifted],
        setup(capabilities(PELVIS_STREAM)),
    )
    reps = reps_of(events)
    assert [rep.set_number for rep in reps] == [1, 1, 2, 2]
    assert reps[2].start_s == pytest.approx(again / 100 + 4.0, abs=0.2)
    (lost,) = [event for event in events if isinstance(event, SamplesLost)]
    assert lost.n_samples == pytest.approx(away_s * 100, abs=1000)


def test_a_sensor_that_was_switched_off_and_on_begins_anew_after_what_came_before():
    received = notifications()
    again = [start(EMG_STREAM, PELVIS_STREAM), *received[1:]]
    events = run([*received, *again])
    reps = reps_of(events)
    assert len(reps) == 8
    first_end_s = MOVEMENT.duration_s
    assert reps[4].start_s == pytest.approx(first_end_s + 1.0 + 4.0, abs=0.2)
    assert value(reps[4], "glute_share_pct").value == pytest.approx(
        value(reps[0], "glute_share_pct").value, abs=0.5
    )
    assert {event.stream for event in events if isinstance(event, SamplesLost)} == {EMG, IMU}
    at_once = Session(setup())
    many = at_once.receive_many(batch([*received, *again])) + at_once.finish()
    assert [e for e in many if isinstance(e, RepCompleted)] == reps


def emg_only(values, *, drop_first_s=0.0):
    received = data_notifications(EMG_STREAM, values, samples_per_packet=20)
    kept = [n for n in received if n.arrival_ns / 1e9 > drop_first_s]
    return run([start(EMG_STREAM), *kept], setup(capabilities(EMG_STREAM)))


def test_muscles_alone_are_counted_though_the_beginning_was_lost():
    late = np.concatenate([EMG_VALUES[:3500][::-1], EMG_VALUES])
    assert len(reps_of(emg_only(late, drop_first_s=3.0))) == 4


def test_an_electrode_that_came_on_late_does_not_spoil_the_counting():
    zeros = np.zeros((3000, 2), np.float32)
    assert len(reps_of(emg_only(np.concatenate([zeros, EMG_VALUES])))) == 4


def with_emg(values, *, imu=IMU_VALUES):
    return run(
        merged(
            [start(EMG_STREAM, PELVIS_STREAM)],
            data_notifications(EMG_STREAM, values, samples_per_packet=20),
            data_notifications(PELVIS_STREAM, imu, samples_per_packet=5),
        )
    )


def test_silence_is_not_glute_led():
    rng = np.random.default_rng(3)
    noise = (rng.normal(0.0, 2.2, EMG_VALUES.shape)).astype(np.float32)
    verdicts = {rep.verdict for rep in reps_of(with_emg(noise))}
    assert verdicts == {Verdict.CANNOT_TELL}


def test_an_electrode_without_a_signal_is_named():
    flat = EMG_VALUES.copy()
    flat[:, 0] = 0.0
    for rep in reps_of(with_emg(flat)):
        assert rep.excluded == "left gluteus maximus: the electrode gives no signal"
        assert rep.verdict is Verdict.CANNOT_TELL


def test_an_impossible_sample_is_missing_not_measured():
    wild = EMG_VALUES.copy()
    wild[5000, 0] = 1e30
    first, *others = reps_of(with_emg(wild))
    assert "missing" in first.excluded
    assert all(rep.excluded is None for rep in others)
    shaken = IMU_VALUES.copy()
    shaken[500, 2] = 1e6
    assert len(reps_of(with_emg(EMG_VALUES, imu=shaken))) == 4


def test_motion_that_is_missing_inside_packets_counts_as_missing():
    holed = IMU_VALUES.copy()
    holed[900:920, 1] = np.nan
    assert [rep.excluded is not None for rep in reps_of(with_emg(EMG_VALUES, imu=holed))] == [
        False,
        True,
        False,
        False,
    ]


def test_every_second_motion_packet_lost_is_too_much():
    received = notifications()
    imu = [n for n in received if n.kind is NotificationKind.DATA and n.payload[1] == IMU]
    lost = {id(n) for n in imu[1::2]}
    reps = reps_of(run([n for n in received if id(n) not in lost]))
    assert all(rep.excluded for rep in reps)


def test_a_silent_sensor_on_another_muscle_holds_nothing_back():
    spare = emg_stream(("biceps_femoris", "left"), number=7)
    sensor = capabilities(*BOTH.streams, spare)
    session = Session(setup(sensor))
    events = [event for n in notifications() for event in session.receive(n)]
    assert len(reps_of(events)) >= 3


def test_a_notification_of_an_unknown_sensor_is_counted():
    session = Session(setup())
    stray = Notification(0, 3, NotificationKind.DATA, b"\x12")
    (event,) = session.receive(stray)
    assert isinstance(event, NotificationRejected)
    assert decisions(session.receive_many(batch([stray]))) == [event]


def test_the_end_is_that_of_the_newest_sample_of_any_stream():
    sensor = capabilities(PELVIS_STREAM)
    received = data_notifications(PELVIS_STREAM, IMU_VALUES, samples_per_packet=10)
    events = run([start(PELVIS_STREAM), *received], setup(sensor, exercise="lunge"))
    assert events[-1] == SessionEnded(len(IMU_VALUES) / 100)
    # Nothing is missing to count lunges; what a silent muscle lacks is said by its own figure.
    assert Session(setup(sensor, exercise="lunge")).limits == ()


def _with_first_sample(payload, offset):
    first = int.from_bytes(payload[4:8], "little") + offset
    time_us = int.from_bytes(payload[8:14], "little") + offset * 10_000
    return payload[:4] + first.to_bytes(4, "little") + time_us.to_bytes(6, "little") + payload[14:]


@pytest.mark.parametrize("exercise", ["bird-dog", "scorpion", "bridge"])
@pytest.mark.parametrize("silent_from_s", [0.0, 7.0])
def test_a_pelvis_sensor_that_falls_silent_leaves_its_figures_unmeasured(exercise, silent_from_s):
    thigh = imu_stream(("thigh", "left"), number=3)
    movement = Movement([(4.0 + 4.0 * k, 1.0, 1.0, 1.0, 40.0) for k in range(3)])
    lifted = inertial(movement.height_m(np.arange(0.0, movement.duration_s, 0.01)))
    pelvis = data_notifications(PELVIS_STREAM, inertial(np.zeros(len(lifted))), samples_per_packet=5)
    received = merged(
        [start(PELVIS_STREAM, thigh)],
        [n for n in pelvis if n.arrival_ns < silent_from_s * 1e9],
        data_notifications(thigh, lifted, samples_per_packet=5),
        data_notifications(EMG_STREAM, emg_values(movement), samples_per_packet=20),
    )
    sensor = capabilities(EMG_STREAM, PELVIS_STREAM, thigh)
    events = run(received, setup(sensor, exercise=exercise))
    if exercise == "bird-dog":
        assert len(reps_of(events)) == 3
        last = reps_of(events)[-1]
        assert value(last, "pelvis_pitch_range_deg").value is None
        assert value(last, "pelvis_height_range_m").value is None
    assert isinstance(events[-1], SessionEnded)

"""What a session says of pelvis, lower back and side, by what is worn and by how the sensors were put on."""

from dataclasses import replace

import numpy as np
import pytest

from emgmon.dsp.alignment import AlignmentMethod
from emgmon.events import Quality
from emgmon.metrics.pelvis import NO_ALIGNMENT, NO_DIRECTION, NO_GYROSCOPE, NO_LUMBAR, NO_SENSOR
from emgmon.session import Session
from emgmon.virtual.athlete import StreamSamples
from tests.session.performing import counted, events_of, metric, performed, run, setup_of

PELVIS_ONLY = {"emg": False, "n_reps": 5, "seed": 6}
WITH_LUMBAR = {**PELVIS_ONLY, "imu_sites": ("pelvis", "lumbar")}


def values(reps, name):
    return [metric(rep, name).value for rep in reps]


def reasons(reps, name):
    return {metric(rep, name).reason for rep in reps}


@pytest.mark.parametrize("lumbar_share", [0.1, 0.5])
@pytest.mark.parametrize("name", ["bridge", "hip-thrust", "romanian-deadlift"])
def test_with_a_sensor_on_the_lower_back_its_extension_is_measured(name, lumbar_share):
    athlete = performed(name, **WITH_LUMBAR, lumbar_share=lumbar_share)
    reps = counted(events_of(athlete))
    assert len(reps) == 5
    true_deg = [rep.lumbar_extension_deg for rep in athlete.truth.reps]
    assert values(reps, "lumbar_extension_deg") == pytest.approx(true_deg, abs=3.0)


@pytest.mark.parametrize("name", ["bridge", "hip-thrust", "romanian-deadlift", "squat", "scorpion"])
def test_without_one_it_is_said_what_is_needed(name):
    reps = counted(events_of(performed(name, **PELVIS_ONLY)))
    assert len(reps) == 5
    assert reasons(reps, "lumbar_extension_deg") == {"needs a second IMU at T12/L1"}
    assert NO_LUMBAR == "needs a second IMU at T12/L1"


def test_without_a_sensor_on_the_pelvis_nothing_of_it_is_measured():
    reps = counted(events_of(performed("bridge", **{**PELVIS_ONLY, "imu_sites": ("thigh",)})))
    assert len(reps) == 5
    assert reasons(reps, "pelvis_pitch_range_deg") == {NO_SENSOR}


def test_an_accelerometer_alone_gives_no_ranges():
    reps = counted(events_of(performed("bridge", **PELVIS_ONLY, imu_axes=3)))
    assert len(reps) == 5
    assert reasons(reps, "pelvis_pitch_range_deg") == {NO_GYROSCOPE}


def test_an_alignment_that_was_given_is_used_and_named():
    athlete = performed("bridge", **PELVIS_ONLY)
    session = Session(setup_of(athlete))
    assert session.alignment_method == AlignmentMethod.STANDING_AND_BOWS == "standing-and-bows"
    reps = counted(run(session, athlete))
    assert {metric(rep, "pelvis_pitch_range_deg").quality for rep in reps} == {Quality.GOOD}


@pytest.mark.parametrize("name", ["bridge", "hip-thrust", "romanian-deadlift", "squat"])
def test_without_one_it_is_learnt_from_the_first_repetitions_and_that_is_named(name):
    athlete = performed(name, **PELVIS_ONLY)
    session = Session(setup_of(athlete, alignments=()))
    assert session.alignment_method is None
    reps = counted(run(session, athlete))
    assert session.alignment_method == "repetitions"
    true_deg = [rep.pelvis_anterior_change_deg for rep in athlete.truth.reps]
    assert values(reps, "pelvis_anterior_change_deg") == pytest.approx(true_deg, abs=4.0)
    assert {metric(rep, "pelvis_pitch_range_deg").quality for rep in reps} == {Quality.USABLE}


@pytest.mark.parametrize("name", ["bird-dog", "leg-extension-tubing", "prone-hip-extension"])
def test_repetitions_that_hold_the_pelvis_steady_teach_nothing(name):
    athlete = performed(name, **PELVIS_ONLY)
    session = Session(setup_of(athlete, alignments=()))
    reps = counted(run(session, athlete))
    assert session.alignment_method is None
    assert reasons(reps, "pelvis_pitch_range_deg") == {NO_ALIGNMENT}


def test_a_rotation_that_was_learnt_does_not_tell_left_from_right():
    athlete = performed("scorpion", **PELVIS_ONLY)
    session = Session(setup_of(athlete, alignments=()))
    reps = counted(run(session, athlete))
    assert session.alignment_method == "repetitions"
    assert reasons(reps, "pelvis_anterior_change_deg") == {NO_DIRECTION}
    assert {rep.side for rep in reps} == {None}
    assert None not in values(reps, "pelvis_rotation_range_deg")


@pytest.mark.parametrize("side", ["left", "right", "alternating"])
def test_the_side_of_a_scorpion_is_told_by_its_rotation(side):
    athlete = performed("scorpion", **PELVIS_ONLY, side=side)
    reps = counted(events_of(athlete))
    assert [rep.side for rep in reps] == [rep.side for rep in athlete.truth.reps]


@pytest.mark.parametrize("name", ["bird-dog", "leg-extension-tubing", "prone-hip-extension", "lunge"])
def test_the_side_of_a_leg_lift_is_told_by_its_glute(name):
    athlete = performed(name, n_reps=4, seed=6, emg_rate_hz=1000.0)
    reps = counted(events_of(athlete))
    assert len(reps) >= 3
    for rep in reps:
        true = min(athlete.truth.reps, key=lambda true: abs(true.turn_s - rep.turn_s))
        assert (rep.side, rep.turn_s) == (true.side, pytest.approx(true.turn_s, abs=1.0))


@pytest.mark.parametrize("thigh_side", ["left", "right"])
def test_a_sensor_on_a_thigh_counts_its_own_leg_and_names_it(thigh_side):
    athlete = performed("bird-dog", emg=False, n_reps=8, seed=6, imu_sites=("thigh",), thigh_side=thigh_side)
    reps = counted(events_of(athlete))
    own = [rep for rep in athlete.truth.reps if rep.side == thigh_side]
    assert [rep.side for rep in reps] == [thigh_side] * len(own)
    assert [rep.turn_s for rep in reps] == pytest.approx([rep.turn_s for rep in own], abs=0.3)


@pytest.mark.parametrize("name", ["bridge", "squat", "romanian-deadlift"])
def test_where_both_sides_work_none_is_named(name):
    athlete = performed(name, n_reps=4, seed=6, emg_rate_hz=1000.0)
    assert {rep.side for rep in counted(events_of(athlete))} == {None}


@pytest.mark.parametrize("name", ["bridge", "squat", "romanian-deadlift", "scorpion"])
def test_a_second_sensor_changes_nothing_of_the_first(name):
    both = counted(events_of(performed(name, **WITH_LUMBAR)))
    single = counted(events_of(performed(name, **PELVIS_ONLY)))
    assert [rep.start_s for rep in both] == [rep.start_s for rep in single]
    assert values(both, "pelvis_pitch_range_deg") == values(single, "pelvis_pitch_range_deg")


def in_one_stream(athlete):
    """The same performance by one sensor that sends all its motion in one stream."""
    first = athlete.streams[0].stream
    channels = tuple(channel for samples in athlete.streams for channel in samples.stream.channels)
    stream = replace(first, channels=channels)
    counts = np.concatenate([samples.counts for samples in athlete.streams], axis=1)
    return replace(
        athlete,
        capabilities=replace(athlete.capabilities, streams=(stream,)),
        streams=(StreamSamples(stream, 0, counts),),
    )


@pytest.mark.parametrize("name", ["bridge", "squat", "scorpion"])
def test_two_motion_sensors_in_one_stream_are_two_motion_sensors(name):
    athlete = performed(name, **WITH_LUMBAR)
    parted, shared = counted(events_of(athlete)), counted(events_of(in_one_stream(athlete)))
    assert len(parted) == 5
    assert shared == parted
    assert None not in values(shared, "lumbar_extension_deg")

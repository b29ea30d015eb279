"""Every exercise of the virtual athlete: counted, placed, and the same however the bytes come."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.events import RepCompleted, RepWithdrawn, SamplesLost, SessionEnded, SetCompleted
from emgmon.exercises import EXERCISE_NAMES
from emgmon.session import Session
from tests.builders import batch, curves, decisions
from tests.session.performing import counted, events_of, metric, notifications_of, performed, setup_of

ON_PELVIS_TILT = ("bird-dog", "leg-extension-tubing", "prone-hip-extension")
SMALL_TILT_S = 0.5
"""The pelvis is held steady in these, so that little of them is seen."""
HALF_LEGS = {"imu_sites": ("pelvis", "thigh")}
WORN = [
    *[(name, {}) for name in EXERCISE_NAMES],
    ("bird-dog", HALF_LEGS),
    ("scorpion", {"imu_sites": ("pelvis", "lumbar", "thigh")}),
    ("prone-hip-extension", {"imu_sites": ("thigh",), "imu_axes": 3}),
    ("bridge", {"imu_axes": 3}),
    ("squat", {"imu_sites": ("pelvis", "lumbar")}),
]
IDS = [
    "-".join([name, *map(str, worn.get("imu_sites", ())), *(["3"] if "imu_axes" in worn else [])])
    for name, worn in WORN
]
TWO_SETS = {"emg": False, "n_sets": 2, "n_reps": 4, "seed": 5, "set_up": ("shuffling", "rolling-over")}
ON_EMG = {"imu_sites": (), "n_reps": 3, "seed": 5, "emg_rate_hz": 1000.0}


def assert_same(events, expected):
    """What is told of one kind is the same, in the same order; kinds may overtake each other in a batch."""
    for kind in (SamplesLost, RepCompleted | RepWithdrawn | SetCompleted, SessionEnded):
        told = [event for event in expected if isinstance(event, kind)]
        assert [event for event in events if isinstance(event, kind)] == told
    assert curves(events).keys() == curves(expected).keys()
    for name, values in curves(expected).items():
        np.testing.assert_array_equal(curves(events)[name], values)


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_every_repetition_is_counted_where_it_was(name):
    athlete = performed(name, emg=False, n_reps=5, seed=4)
    reps = counted(events_of(athlete))
    assert [(rep.set_number, rep.number) for rep in reps] == [(1, n) for n in range(1, 6)]
    for rep, true in zip(reps, athlete.truth.reps, strict=True):
        assert (rep.start_s, rep.turn_s, rep.end_s) == pytest.approx(
            (true.start_s, true.turn_s, true.end_s), abs=SMALL_TILT_S if name in ON_PELVIS_TILT else 0.25
        )


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_every_exercise_can_be_counted_on_muscles_alone(name):
    athlete = performed(name, **ON_EMG)
    reps = counted(events_of(athlete))
    assert len(reps) == 3
    assert {metric(rep, "lift_s").value for rep in reps} == {None}


@pytest.mark.parametrize(("name", "worn"), WORN, ids=IDS)
def test_one_by_one_or_in_batches_of_any_size_the_events_are_the_same(name, worn):
    athlete = performed(name, **{**TWO_SETS, **worn})
    received, at_once = notifications_of(athlete, loss_pct=1.0), Session(setup_of(athlete))
    whole = at_once.receive_many(batch(list(received))) + at_once.finish()
    assert sum(isinstance(event, RepCompleted) for event in whole) >= 4
    for size in (1, 60):
        session, events = Session(setup_of(athlete)), []
        for first in range(0, len(received), size):
            piece = received[first : first + size]
            events += session.receive(piece[0]) if size == 1 else session.receive_many(batch(list(piece)))
        assert_same(events + session.finish(), whole)


@settings(max_examples=25, deadline=None)
@given(
    which=st.sampled_from(WORN),
    share=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3),
)
def test_a_session_may_be_put_away_and_taken_up_again_at_any_moment(which, share):
    name, worn = which
    athlete = performed(name, **{**TWO_SETS, **worn})
    received = list(notifications_of(athlete, loss_pct=1.0))
    places = [0, *sorted(round(part * len(received)) for part in share), len(received)]
    session, events = Session(setup_of(athlete)), []
    for first, stop in itertools.pairwise(places):
        events += session.receive_many(batch(received[first:stop]))
        kept = session.state
        # What this one does afterwards must not reach the next.
        session.receive_many(batch(received[stop : stop + 300]))
        session = Session(setup_of(athlete))
        session.state = kept
    whole = Session(setup_of(athlete))
    assert_same(events + session.finish(), whole.receive_many(batch(received)) + whole.finish())


@settings(max_examples=6, deadline=None)
@given(share=st.floats(0.05, 0.95))
@pytest.mark.parametrize("name", ["bridge", "bird-dog"])
def test_with_electrodes_too(name, share):
    athlete = performed(name, n_reps=3, seed=5, emg_rate_hz=1000.0)
    received = list(notifications_of(athlete))
    at = round(share * len(received))
    first, second = Session(setup_of(athlete)), Session(setup_of(athlete))
    events = first.receive_many(batch(received[:at]))
    second.state = first.state
    events += second.receive_many(batch(received[at:])) + second.finish()
    assert_same(events, events_of(athlete))


@pytest.mark.parametrize("rest_s", [11.7, 11.9, 12.0, 12.1, 12.3])
@pytest.mark.parametrize(("name", "worn"), [("bridge", {}), ("squat", {}), ("bird-dog", ON_EMG)])
def test_where_one_set_ends_does_not_depend_on_the_cut(name, worn, rest_s):
    athlete = performed(
        name,
        **{"emg": "imu_sites" in worn, "n_reps": 2, "n_sets": 2, "seed": 2, **worn, "set_rest_s": rest_s},
    )
    received, wholes = list(notifications_of(athlete)), []
    for size in (2, 37, len(received)):
        session, events = Session(setup_of(athlete)), []
        for first in range(0, len(received), size):
            events += session.receive_many(batch(received[first : first + size]))
        wholes.append(decisions(events + session.finish()))
    assert wholes[0] == wholes[1] == wholes[2]


@pytest.mark.parametrize("name", ["bridge", "squat", "romanian-deadlift", "scorpion"])
@pytest.mark.parametrize("mounting_deg", [(0.0, 0.0, 0.0), (90.0, -45.0, 170.0), (10.0, 80.0, -60.0)])
def test_figures_do_not_depend_on_how_the_sensor_sits(name, mounting_deg):
    athlete = performed(name, emg=False, n_reps=4, seed=6, mounting_deg=mounting_deg)
    reps = counted(events_of(athlete))
    assert len(reps) == 4
    for rep, true in zip(reps, athlete.truth.reps, strict=True):
        pitch = metric(rep, "pelvis_pitch_range_deg").value
        assert pitch == pytest.approx(true.pelvis_pitch_range_deg, abs=3.0)
        change = metric(rep, "pelvis_anterior_change_deg").value
        assert change == pytest.approx(true.pelvis_anterior_change_deg, abs=3.0)

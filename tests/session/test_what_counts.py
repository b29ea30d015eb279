"""Partial and withdrawn repetitions, and what a person says about them: in events and in the document."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.analysis import analyse
from emgmon.events import RepCompleted, RepWithdrawn, SessionEnded, SetCompleted
from emgmon.exercises import EXERCISE_NAMES
from emgmon.judging import Partials
from emgmon.recording.append import append_rows
from emgmon.recording.format import sensor_header
from emgmon.recording.host_events import RepAddedRow, RepMovedRow, RepRemovedRow, event_notifications
from emgmon.reps.corrections import RepAdded, RepMoved, RepRemoved
from emgmon.session import Session
from emgmon.virtual.simulate import write_recording
from tests.builders import (
    Movement,
    batch,
    capabilities,
    data_notifications,
    decisions,
    imu_stream,
    inertial,
    start,
)
from tests.recording.recording_examples import write
from tests.session.performing import (
    counted,
    events_of,
    metric,
    notifications_of,
    performed,
    run,
    sets_of,
    setup_of,
)
from tests.session.test_session import run as run_all
from tests.session.test_session import setup

PELVIS = imu_stream(("pelvis", None))
PELVIS_3 = imu_stream(("pelvis", None), n_axes=3)
WITH_PARTIAL = {"emg": False, "n_reps": 8, "n_partial": 2, "seed": 12}


def lifts(ranges_deg, *, first_s=4.0):
    return [(first_s + 4.0 * k, 1.0, 0.6, 1.0, range_deg) for k, range_deg in enumerate(ranges_deg)]


def pitching(reps, *, n_axes=6):
    """The stream of a sensor that only pitches, and what it sends."""
    stream = PELVIS if n_axes == 6 else PELVIS_3
    movement = Movement(reps, tail_s=4.0)
    angle_deg = movement.height_m(np.arange(0.0, movement.duration_s, 0.01))
    data = data_notifications(stream, inertial(angle_deg, n_axes=n_axes), samples_per_packet=5)
    return stream, [start(stream), *data]


def pitched(reps, *, n_axes=6, **how):
    """Events of a sensor that only pitches, as a bridge whose mounting nobody knows."""
    stream, received = pitching(reps, n_axes=n_axes)
    told = setup(capabilities(stream), exercise="bridge", calibration=None, reference=None)
    return run_all(received, type(told)(told.sensors, "bridge", None, None, **how))


def withdrawn(events):
    return [event for event in events if isinstance(event, RepWithdrawn)]


def uncounted(events):
    return [event for event in events if isinstance(event, RepCompleted) and event.uncounted]


@pytest.mark.parametrize("name", ["bridge", "squat", "romanian-deadlift", "hip-thrust"])
def test_partial_repetitions_are_shown_and_not_counted_unless_asked_for(name):
    athlete = performed(name, **WITH_PARTIAL)
    whole = [rep.turn_s for rep in athlete.truth.reps if not rep.partial]
    events = events_of(athlete)
    assert [rep.turn_s for rep in counted(events)] == pytest.approx(whole, abs=0.3)
    for rep in uncounted(events):
        assert rep.uncounted.startswith("partial: ")
        assert rep.number is None
    every = counted(events_of(athlete, count_partial=Partials.COUNTED))
    assert len(every) >= len(whole)
    assert len(every) == len(whole) + len(uncounted(events)) + len(withdrawn(events))


def test_a_half_way_start_is_taken_back_once_the_others_have_shown_what_is_usual():
    events = pitched(lifts([12.0, 40.0, 40.0, 40.0, 40.0]))
    (gone,) = withdrawn(events)
    assert (gone.set_number, gone.number) == (1, 1)
    assert gone.start_s == pytest.approx(4.0, abs=0.2)
    assert gone.reason.startswith("partial: 30 %")
    assert [rep.start_s for rep in counted(events)] == pytest.approx([8.0, 12.0, 16.0, 20.0], abs=0.1)
    (done,) = sets_of(events)
    assert done.n_reps == 4
    assert done.start_s == pytest.approx(8.0, abs=0.1)


def test_numbers_given_after_a_withdrawal_close_the_gap():
    events = pitched(lifts([12.0, 40.0, 40.0, 40.0, 40.0]))
    told = [
        (type(event).__name__, event.number)
        for event in events
        if isinstance(event, RepCompleted | RepWithdrawn)
    ]
    assert told == [
        ("RepCompleted", 1),
        ("RepCompleted", 2),
        ("RepCompleted", 3),
        ("RepWithdrawn", 1),
        ("RepCompleted", 3),
        ("RepCompleted", 4),
    ]


def test_asked_to_count_partial_ones_nothing_is_taken_back():
    events = pitched(lifts([12.0, 40.0, 40.0, 40.0, 40.0]), count_partial=Partials.COUNTED)
    assert not withdrawn(events)
    assert len(counted(events)) == 5


def test_with_an_accelerometer_alone_two_movements_are_no_set():
    events = pitched(lifts([40.0, 40.0]), n_axes=3)
    assert [(event.number, "accelerometer alone" in event.reason) for event in withdrawn(events)] == [
        (2, True),
        (1, True),
    ]
    assert not sets_of(events)
    assert len(sets_of(pitched(lifts([40.0, 40.0]), n_axes=6))) == 1
    assert len(sets_of(pitched(lifts([40.0, 40.0, 40.0]), n_axes=3))) == 1


def test_who_corrected_one_of_two_movements_has_said_that_they_are_a_set():
    moved = RepMoved(5.3, 4.0, 6.6, 3.9, 6.8)
    events = pitched(lifts([40.0, 40.0]), n_axes=3, corrections=(moved,))
    assert not withdrawn(events)
    assert [rep.origin for rep in counted(events)] == ["moved", "found"]


def test_what_was_put_in_by_hand_is_never_taken_back_and_never_partial():
    added = RepAdded(24.0, 24.5, 25.0)
    events = pitched(lifts([40.0] * 5), corrections=(added,))
    assert not withdrawn(events)
    *found, last = counted(events)
    assert [rep.origin for rep in found] == ["found"] * 5
    assert (last.start_s, last.turn_s, last.end_s, last.origin) == (24.0, 24.5, 25.0, "added")
    small = RepMoved(13.3, 12.0, 14.6, 12.1, 14.5)
    events = pitched(lifts([40.0, 40.0, 12.0, 40.0]), corrections=(small,))
    assert [rep.origin for rep in counted(events)] == ["found", "found", "moved", "found"]


def corrections_of(athlete):
    """One of each kind, about repetitions where they really were."""
    first, second, third = athlete.truth.reps[:3]
    last = athlete.truth.reps[-1]
    return (
        RepRemoved(first.turn_s, first.start_s - 0.1, first.end_s + 0.1),
        RepMoved(
            second.turn_s, second.start_s - 0.1, second.end_s + 0.1, second.start_s - 0.2, second.end_s + 0.2
        ),
        RepAdded(last.end_s + 1.0, last.end_s + 1.6, last.end_s + 2.2, side="left"),
        RepMoved(third.turn_s, third.start_s - 0.1, third.end_s + 0.1, third.start_s, third.end_s - 0.1),
    )


CORRECTED = [(name, {"emg": False}) for name in EXERCISE_NAMES] + [
    ("bird-dog", {"emg": False, "imu_sites": ("pelvis", "thigh"), "side": "right"}),
    ("bridge", {"imu_sites": (), "emg_rate_hz": 1000.0}),
]


def tailed(name, worn):
    """A performance that goes on for some seconds after its last repetition."""
    short = performed(name, n_reps=4, seed=9, **worn)
    return performed(name, n_reps=4, seed=9, duration_s=short.truth.duration_s + 6.0, n_sets=1, **worn)


@pytest.mark.parametrize(("name", "worn"), CORRECTED)
def test_corrections_are_honoured_on_every_signal(name, worn):
    athlete = tailed(name, worn)
    corrections = corrections_of(athlete)
    reps = counted(events_of(athlete, corrections=corrections))
    _, second, third, fourth = athlete.truth.reps
    added = corrections[2]
    found = [rep for rep in reps if rep.origin == "found"]
    assert [rep.origin for rep in reps if rep.origin != "found"] == ["moved", "moved", "added"]
    assert reps[0].start_s == pytest.approx(second.start_s - 0.2, abs=0.006)
    assert reps[0].end_s == pytest.approx(second.end_s + 0.2, abs=0.006)
    assert reps[1].end_s == pytest.approx(third.end_s - 0.1, abs=0.006)
    assert reps[-1].turn_s == pytest.approx(added.turn_s, abs=0.006)
    assert reps[-1].side == "left"
    assert [rep.turn_s for rep in found] == pytest.approx([fourth.turn_s], abs=0.6)


@settings(max_examples=25, deadline=None)
@given(which=st.sampled_from(CORRECTED), sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_corrected_sessions_do_not_depend_on_cuts_or_on_being_put_away(which, sizes):
    name, worn = which
    athlete = tailed(name, worn)
    told = setup_of(athlete, corrections=corrections_of(athlete))
    received, session, events, first, n = list(notifications_of(athlete)), Session(told), [], 0, 0
    while first < len(received):
        # Small pieces first, and then larger ones, so that a long session does not take for ever.
        size = max(sizes[n % len(sizes)], n * n)
        events += session.receive_many(batch(received[first : first + size]))
        kept, session = session.state, Session(told)
        session.state = kept
        first, n = first + size, n + 1
    events += session.finish()
    assert decisions(events) == decisions(run(Session(told), athlete))


def recorded(athlete, folder):
    path = Path(folder) / "set.arrows"
    write_recording(athlete, path)
    return path


def document_reps(document):
    return [
        (done_number, rep.number, rep.start_s, rep.end_s, rep.side, rep.origin)
        for done_number, done in enumerate(document.sets, start=1)
        for rep in done.reps
    ]


@pytest.mark.parametrize("name", ["bridge", "scorpion", "squat"])
def test_the_document_holds_what_the_events_tell(name, tmp_path):
    athlete = performed(name, emg=False, n_sets=2, n_reps=4, seed=3)
    events = events_of(athlete)
    document = analyse(recorded(athlete, tmp_path))
    assert document_reps(document) == [
        (rep.set_number, rep.number, rep.start_s, rep.end_s, rep.side, rep.origin) for rep in counted(events)
    ]
    assert [(done.start_s, done.end_s, len(done.reps)) for done in document.sets] == [
        (done.start_s, done.end_s, done.n_reps) for done in sets_of(events)
    ]
    assert document.recording.alignment == "standing-and-bows"
    (ended,) = [event for event in events if isinstance(event, SessionEnded)]
    assert document.recording.duration_s == ended.end_s


def test_the_document_lists_partial_and_withdrawn_movements_beside_the_counted_ones(tmp_path):
    athlete = performed("bridge", **WITH_PARTIAL)
    path = recorded(athlete, tmp_path)
    (done,) = analyse(path).sets
    partial = [rep.turn_s for rep in athlete.truth.reps if rep.partial]
    assert [rep.number for rep in done.reps] == list(range(1, 7))
    assert done.uncounted
    for movement in done.uncounted:
        assert any(movement.start_s < turn_s < movement.end_s for turn_s in partial)
        assert movement.reason.startswith("partial: ")
    (every,) = analyse(path, partial="counted").sets
    assert len(every.reps) == len(done.reps) + len(done.uncounted)
    assert every.uncounted == ()


def test_a_withdrawn_repetition_stands_beside_the_others_in_the_document(tmp_path):
    stream, received = pitching(lifts([12.0, 40.0, 41.0, 42.0, 43.0]))
    path = tmp_path / "lifts.arrows"
    write(path, received, exercise="bridge", sensors=(sensor_header(capabilities(stream)),))
    (done,) = analyse(path).sets
    assert [rep.start_s for rep in done.reps] == pytest.approx([8.0, 12.0, 16.0, 20.0], abs=0.1)
    assert [rep.number for rep in done.reps] == [1, 2, 3, 4]
    (gone,) = done.uncounted
    assert gone.start_s == pytest.approx(4.0, abs=0.1)
    assert gone.reason.startswith("partial: ")


def test_corrections_in_the_recording_are_honoured_by_every_later_analysis(tmp_path):
    athlete = tailed("bridge", {"emg": False})
    path = recorded(athlete, tmp_path)
    removed, moved, added, _ = corrections_of(athlete)
    rows = [
        RepRemovedRow(number=1, at_s=removed.at_s, start_s=removed.start_s, end_s=removed.end_s),
        RepMovedRow(
            number=2,
            at_s=moved.at_s,
            was_start_s=moved.was_start_s,
            was_end_s=moved.was_end_s,
            start_s=moved.start_s,
            end_s=moved.end_s,
        ),
        RepAddedRow(number=3, start_s=added.start_s, turn_s=added.turn_s, end_s=added.end_s, side="left"),
    ]
    append_rows(path, lambda newest_ns: event_notifications(rows, arrival_ns=newest_ns))
    (done,) = analyse(path).sets
    assert [rep.origin for rep in done.reps] == ["moved", "found", "found", "added"]
    assert [rep.number for rep in done.reps] == [1, 2, 3, 4]
    assert done.reps[-1].side == "left"


def test_a_withdrawn_repetition_has_no_share_in_the_summary_of_its_set():
    events = pitched(lifts([12.0, 40.0, 40.0, 40.0, 40.0]))
    (done,) = [event for event in events if isinstance(event, SetCompleted)]
    pitch = next(metric for metric in done.summary if metric.name == "pelvis_pitch_range_deg")
    assert pitch.n == 4
    assert pitch.value == pytest.approx(40.0, abs=2.0)
    assert [metric(rep, "pelvis_pitch_range_deg").value for rep in counted(events)] == pytest.approx(
        [40.0] * 4, abs=2.0
    )


@pytest.mark.parametrize("seed", [4, 7, 14, 15])
def test_a_recording_that_stops_right_behind_the_last_repetition_measures_it_whole(seed):
    """Its end is foreseen, and may lie a little beyond the last sample."""
    performance = performed("bridge", n_reps=4, seed=seed)
    stop_s = performance.truth.reps[-1].end_s + 0.05
    cut = tuple(
        replace(samples, counts=samples.counts[: int(stop_s * samples.stream.rate_hz)])
        for samples in performance.streams
    )
    reps = counted(events_of(replace(performance, streams=cut)))
    assert [rep.excluded for rep in reps] == [None] * 4

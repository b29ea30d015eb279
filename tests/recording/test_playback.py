import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import emgmon.recording.playback as playback
from emgmon.clock import ManualClock
from emgmon.errors import ExerciseError, RecordingError
from emgmon.events import Event, RepCompleted, Rewound, SessionEnded, SetCompleted
from emgmon.recording.playback import PlaybackFeed
from tests.builders import curves, decisions
from tests.recording.recording_examples import capabilities, session_rows, write

RECORDINGS = Path(__file__).parents[2] / "recordings"
BRIDGE, SQUAT = RECORDINGS / "bridge-back-led.arrows", RECORDINGS / "squat.arrows"


async def opened(path: Path = BRIDGE, **changes: object) -> tuple[PlaybackFeed, ManualClock]:
    clock = ManualClock(123_456_789)
    feed = PlaybackFeed(path, clock=clock, **changes)  # type: ignore[arg-type]
    await feed.open()
    return feed, clock


def rest_of(feed: PlaybackFeed) -> list[Event]:
    """Everything up to the end, as fast as possible."""
    feed.set_speed(math.inf)
    events: list[Event] = []
    while not feed.ended:
        events += feed.poll()
    return events


def end_s(event: Event) -> float:
    assert isinstance(event, RepCompleted | SetCompleted)
    return event.end_s


def reps(events: Iterable[Event]) -> list[RepCompleted]:
    return [event for event in events if isinstance(event, RepCompleted)]


def assert_same(told: list[Event], again: list[Event]) -> None:
    """The same decisions in the same order, and the same curves, however they were cut."""
    assert decisions(told) == decisions(again)  # type: ignore[arg-type]
    first, second = curves(told), curves(again)  # type: ignore[arg-type]
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name], equal_nan=True)


async def test_before_it_is_open_nothing_comes_and_every_key_is_harmless() -> None:
    feed = PlaybackFeed(BRIDGE, clock=ManualClock())
    feed.toggle_pause()
    feed.seek(5.0)
    assert list(feed.poll()) == []
    assert (feed.position_s, feed.duration_s, feed.paused, feed.speed) == (0.0, 0.0, False, 1.0)
    assert (feed.sensors, feed.title, feed.transport) == ((), "bridge-back-led.arrows", feed)
    await feed.close()
    assert list(feed.poll()) == []


async def test_the_header_says_exercise_and_sensors() -> None:
    feed, _ = await opened()
    assert feed.exercise == "bridge"
    assert len(feed.sensors) == 1
    assert feed.warnings == ()
    assert feed.complete


async def test_events_come_at_the_pace_of_the_recording() -> None:
    whole = reps(rest_of((await opened())[0]))
    feed, clock = await opened()
    assert reps(feed.poll()) == []
    clock.advance_s(whole[2].end_s - 0.1)
    early = reps(feed.poll())
    assert early == whole[: len(early)]
    assert len(early) < 3
    assert feed.position_s == pytest.approx(whole[2].end_s - 0.1)
    clock.advance_s(whole[3].end_s - whole[2].end_s)
    late = reps(feed.poll())
    assert early + late == whole[: len(early + late)]
    assert 3 <= len(early + late) < len(whole)


async def test_time_that_stands_still_brings_nothing_new() -> None:
    feed, clock = await opened()
    clock.advance_s(10.0)
    assert len(feed.poll()) > 0
    assert list(feed.poll()) == []


async def test_asking_often_tells_the_same_as_asking_once() -> None:
    once = rest_of((await opened(SQUAT))[0])
    feed, clock = await opened(SQUAT)
    often: list[Event] = []
    while not feed.ended:
        clock.advance_s(1 / 3)
        often += feed.poll()
    assert_same(once, often)
    assert isinstance(often[-1], SessionEnded)


async def test_a_pause_holds_everything() -> None:
    feed, clock = await opened()
    clock.advance_s(4.0)
    feed.poll()
    feed.toggle_pause()
    assert feed.paused
    clock.advance_s(100.0)
    assert list(feed.poll()) == []
    assert feed.position_s == 4.0
    feed.toggle_pause()
    clock.advance_s(1.0)
    assert len(feed.poll()) > 0
    assert feed.position_s == 5.0


@pytest.mark.parametrize("speed", [0.5, 4.0])
async def test_speed_scales_the_pace(speed: float) -> None:
    feed, clock = await opened(speed=speed)
    clock.advance_s(4.0)
    assert feed.position_s == 4.0 * speed
    feed.set_speed(1.0)
    clock.advance_s(1.0)
    assert (feed.position_s, feed.speed) == (4.0 * speed + 1.0, 1.0)


async def test_a_speed_chosen_before_opening_holds() -> None:
    clock = ManualClock()
    feed = PlaybackFeed(BRIDGE, clock=clock)
    feed.set_speed(2.0)
    await feed.open()
    clock.advance_s(3.0)
    assert feed.position_s == 6.0


async def test_the_session_ends_once_and_stays_at_the_end() -> None:
    feed, clock = await opened(SQUAT)
    clock.advance_s(1e6)
    events = list(feed.poll())
    assert [type(event) for event in events[-2:]] == [SetCompleted, SessionEnded]
    assert feed.ended
    assert feed.position_s == feed.duration_s
    clock.advance_s(10.0)
    assert list(feed.poll()) == []


async def test_a_step_forward_goes_on_with_the_same_session() -> None:
    whole = rest_of((await opened())[0])
    feed, clock = await opened()
    clock.advance_s(5.0)
    events = list(feed.poll())
    feed.seek(20.0)
    events += feed.poll()
    assert feed.position_s == 20.0
    assert len(reps(events)) == len([rep for rep in reps(whole) if rep.end_s < 19.0])
    events += rest_of(feed)
    assert not any(isinstance(event, Rewound) for event in events)
    assert_same(whole, events)


async def test_a_step_back_tells_the_session_anew_up_to_there() -> None:
    played, clock = await opened()
    clock.advance_s(15.0)
    then = list(played.poll())
    feed, clock = await opened()
    clock.advance_s(30.0)
    feed.poll()
    feed.seek(15.0)
    marker, *told = feed.poll()
    assert marker == Rewound()
    assert_same(then, told)
    assert_same(rest_of((await opened())[0]), told + rest_of(feed))


async def test_a_step_back_from_the_end_plays_on() -> None:
    feed, clock = await opened(SQUAT)
    clock.advance_s(1e6)
    whole = list(feed.poll())
    feed.seek(0.0)
    assert not feed.ended
    assert next(iter(feed.poll())) == Rewound()
    clock.advance_s(1e6)
    again = list(feed.poll())
    assert_same([event for event in whole if not isinstance(event, Rewound)], again)


async def test_a_step_back_before_the_events_were_fetched_leaves_no_old_ones() -> None:
    feed, clock = await opened()
    clock.advance_s(30.0)
    feed.poll()
    feed.seek(12.0)
    feed.seek(4.0)
    events = list(feed.poll())
    assert events.count(Rewound()) == 1
    assert events[0] == Rewound()
    assert all(end_s(rep) <= 4.0 for rep in reps(events))


async def test_a_step_back_in_the_midst_of_catching_up_drops_what_was_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(playback, "MAX_PER_POLL", 1000)
    feed, _ = await opened()
    feed.toggle_pause()
    feed.seek(30.0)
    assert list(feed.poll()) == []
    feed.seek(1.0)
    events = list(feed.poll())
    assert events[0] == Rewound()
    assert events.count(Rewound()) == 1


async def test_a_step_while_paused_shows_the_new_position_and_stays_paused() -> None:
    feed, clock = await opened()
    feed.toggle_pause()
    feed.seek(20.0)
    assert len(reps(feed.poll())) > 0
    clock.advance_s(50.0)
    assert feed.paused
    assert feed.position_s == 20.0
    assert list(feed.poll()) == []


async def test_a_step_beyond_the_end_ends_the_session() -> None:
    feed, _ = await opened()
    feed.seek(1e6)
    assert feed.position_s == feed.duration_s
    assert isinstance(rest_of(feed)[-1], SessionEnded)
    feed.seek(feed.duration_s)
    assert list(feed.poll()) == []


async def test_a_long_jump_is_caught_up_in_pieces_and_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rest_of((await opened(SQUAT))[0])
    monkeypatch.setattr(playback, "MAX_PER_POLL", 500)
    feed, _ = await opened(SQUAT)
    feed.toggle_pause()
    feed.seek(30.0)
    polls = [list(feed.poll())]
    while not polls[-1]:
        polls.append(list(feed.poll()))
    assert len(polls) > 2
    feed.toggle_pause()
    assert_same(whole, polls[-1] + rest_of(feed))


async def test_closing_ends_open_sets_and_gives_the_last_events_once() -> None:
    feed, clock = await opened(SQUAT)
    clock.advance_s(20.0)
    n_reps = len(reps(feed.poll()))
    assert n_reps > 0
    await feed.close()
    await feed.close()
    events = list(feed.poll())
    assert [type(event) for event in events[-2:]] == [SetCompleted, SessionEnded]
    assert isinstance(events[-2], SetCompleted)
    assert events[-2].n_reps == n_reps + len(reps(events))
    assert list(feed.poll()) == []


async def test_closing_at_the_end_adds_nothing() -> None:
    feed, clock = await opened(SQUAT)
    clock.advance_s(1e6)
    feed.poll()
    await feed.close()
    assert list(feed.poll()) == []


async def test_another_exercise_takes_the_place_of_the_recorded_one() -> None:
    feed, _ = await opened(BRIDGE, exercise="hip-thrust")
    assert feed.exercise == "hip-thrust"
    closed = [event for event in rest_of(feed) if isinstance(event, SetCompleted)]
    assert {event.exercise for event in closed} == {"hip-thrust"}


async def test_an_unknown_exercise_is_an_error_on_opening() -> None:
    feed = PlaybackFeed(BRIDGE, clock=ManualClock(), exercise="juggling")
    with pytest.raises(ExerciseError, match="juggling"):
        await feed.open()
    await feed.close()
    assert list(feed.poll()) == []


async def test_a_recording_without_an_exercise_plays(tmp_path: Path) -> None:
    path = tmp_path / "plain.arrows"
    write(path, session_rows(60))
    feed, _ = await opened(path)
    assert feed.exercise is None
    assert feed.sensors == (capabilities(),)
    events = rest_of(feed)
    assert isinstance(events[-1], SessionEnded)
    assert reps(events) == []


async def test_a_truncated_recording_plays_up_to_the_damage_and_warns(tmp_path: Path) -> None:
    path = tmp_path / "whole.arrows"
    ends = write(path, session_rows(59), rows_per_batch=20)
    torn = tmp_path / "torn.arrows"
    torn.write_bytes(path.read_bytes()[: ends[1] + 40])
    feed, _ = await opened(torn)
    # Two batches of 20 are whole: START and packets 0 to 38, the last of which ends with sample 194.
    assert feed.duration_s == 1.94
    warning = feed.warnings[0]
    assert not feed.complete
    assert str(torn) in warning
    assert "emgmon repair" in warning
    assert isinstance(rest_of(feed)[-1], SessionEnded)


async def test_a_recording_that_was_never_closed_plays_whole_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "whole.arrows"
    ends = write(path, session_rows(59), rows_per_batch=20)
    open_ended = tmp_path / "open.arrows"
    open_ended.write_bytes(path.read_bytes()[: ends[-1]])
    feed, _ = await opened(open_ended)
    assert feed.duration_s == 2.94
    assert "never closed" in feed.warnings[0]
    assert feed.complete


async def test_a_recording_without_notifications_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "empty.arrows"
    write(path, [])
    feed, _ = await opened(path)
    assert (feed.duration_s, feed.position_s) == (0.0, 0.0)
    assert feed.poll() == [SessionEnded(0.0)]
    assert feed.ended


@pytest.mark.parametrize("content", [b"", b"time,emg\n0,1\n"])
async def test_a_file_that_is_no_recording_is_an_error_on_opening(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.arrows"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="is not a recording"):
        await PlaybackFeed(path, clock=ManualClock()).open()

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.clock import ManualClock
from emgmon.events import Notification, NotificationKind
from emgmon.recording.columns import from_notifications, rows
from emgmon.recording.replay import ReplaySource

MS = 1_000_000


def _recording(arrivals_ms: list[int]) -> list[Notification]:
    return [
        Notification(ms * MS, 0, NotificationKind.DATA, number.to_bytes(2, "little"))
        for number, ms in enumerate(arrivals_ms)
    ]


def _source(arrivals_ms: list[int], speed: float = 1.0) -> tuple[ReplaySource, ManualClock]:
    clock = ManualClock(123_456_789)
    return ReplaySource([from_notifications(_recording(arrivals_ms))], clock, speed), clock


def _numbers(notifications: list[Notification]) -> list[int]:
    return [int.from_bytes(n.payload, "little") for n in notifications]


def test_each_notification_is_due_at_its_arrival_and_not_before() -> None:
    source, clock = _source([500, 600, 700])
    assert _numbers(source.due()) == [0]
    clock.advance_s(0.099)
    assert source.due() == []
    clock.advance_s(0.001)
    assert _numbers(source.due()) == [1]
    assert not source.finished
    clock.advance_s(0.1)
    assert _numbers(source.due()) == [2]
    assert source.finished


def test_what_comes_out_is_what_went_in() -> None:
    source, _ = _source([0, 10, 20], speed=math.inf)
    assert source.due() == _recording([0, 10, 20])


def test_positions_are_counted_from_the_first_notification() -> None:
    source, clock = _source([500, 600, 700])
    assert (source.start_s, source.duration_s, source.position_s) == (0.5, 0.2, 0.0)
    clock.advance_s(0.05)
    assert source.position_s == 0.05
    clock.advance_s(5)
    assert source.position_s == 0.2


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.0, 2.0, 8.0])
def test_speed_scales_the_recorded_time(speed: float) -> None:
    source, clock = _source(list(range(0, 1001, 10)), speed)
    clock.advance_s(0.4 / speed)
    assert len(source.due()) == 41
    assert source.position_s == pytest.approx(0.4)


def test_a_changed_speed_counts_from_the_moment_of_the_change() -> None:
    source, clock = _source(list(range(0, 10_001, 100)))
    clock.advance_s(2)
    source.speed = 4.0
    assert source.position_s == 2.0
    clock.advance_s(1)
    assert source.position_s == 6.0
    source.speed = 0.5
    clock.advance_s(1)
    assert source.position_s == 6.5
    assert _numbers(source.due()) == list(range(66))


def test_a_pause_stops_the_position_but_not_what_was_due() -> None:
    source, clock = _source([0, 100, 200, 300])
    clock.advance_s(0.15)
    source.pause()
    clock.advance_s(60)
    assert source.paused
    assert source.position_s == 0.15
    assert _numbers(source.due()) == [0, 1]
    source.toggle()
    assert not source.paused
    clock.advance_s(0.05)
    assert _numbers(source.due()) == [2]


def test_pausing_twice_and_resuming_twice_changes_nothing() -> None:
    source, clock = _source([0, 100, 200])
    for act in (source.pause, source.pause, source.resume, source.resume):
        act()
        clock.advance_s(0.05)
    assert source.position_s == 0.1


def test_as_fast_as_possible_gives_everything_at_once() -> None:
    source, _ = _source(list(range(0, 10_000, 10)), math.inf)
    assert len(source.due()) == 1000
    assert source.finished
    assert source.position_s == source.duration_s


def test_as_fast_as_possible_in_portions_stands_where_the_last_portion_ended() -> None:
    source, _ = _source(list(range(0, 100, 10)), math.inf)
    assert _numbers(source.due(limit=4)) == [0, 1, 2, 3]
    assert source.position_s == 0.03
    source.speed = 1.0
    assert source.due() == []
    assert source.position_s == 0.03


def test_as_fast_as_possible_can_be_paused() -> None:
    source, _ = _source(list(range(0, 100, 10)), math.inf)
    source.due(limit=4)
    source.pause()
    assert source.due() == []
    source.resume()
    assert _numbers(source.due()) == [4, 5, 6, 7, 8, 9]


def test_a_limit_leaves_the_rest_due() -> None:
    source, clock = _source(list(range(10)))
    clock.advance_s(1)
    assert _numbers(source.due(limit=3)) == [0, 1, 2]
    assert _numbers(source.due(limit=3)) == [3, 4, 5]
    assert _numbers(source.due()) == [6, 7, 8, 9]


def test_a_step_forwards_hands_out_what_was_skipped_at_once() -> None:
    source, clock = _source(list(range(0, 1000, 100)))
    source.due()
    assert source.seek(0.55) is False
    assert _numbers(source.due()) == [1, 2, 3, 4, 5]
    clock.advance_s(0.05)
    assert _numbers(source.due()) == [6]


def test_a_step_backwards_begins_anew_and_asks_for_a_new_session() -> None:
    source, clock = _source(list(range(0, 1000, 100)))
    clock.advance_s(0.75)
    source.due()
    assert source.seek(0.25) is True
    assert source.position_s == 0.25
    assert _numbers(source.due()) == [0, 1, 2]
    clock.advance_s(0.05)
    assert _numbers(source.due()) == [3]


def test_a_step_backwards_over_nothing_handed_out_needs_no_new_session() -> None:
    source, clock = _source([0, 100, 900])
    clock.advance_s(0.8)
    assert _numbers(source.due()) == [0, 1]
    assert source.seek(0.5) is False
    assert source.due() == []
    assert source.position_s == 0.5


def test_steps_work_while_paused() -> None:
    source, clock = _source(list(range(0, 1000, 100)))
    source.pause()
    source.due()
    source.seek(0.3)
    clock.advance_s(9)
    assert _numbers(source.due()) == [1, 2, 3]
    assert source.position_s == 0.3
    assert source.seek(0.0) is True
    assert _numbers(source.due()) == [0]


def test_steps_beyond_either_end_go_to_that_end() -> None:
    source, _ = _source(list(range(0, 1000, 100)))
    source.seek(1e9)
    assert source.position_s == source.duration_s == 0.9
    assert len(source.due()) == 10
    assert source.finished
    assert source.seek(math.inf) is False
    assert source.finished
    assert source.seek(-5) is True
    assert not source.finished
    assert _numbers(source.due()) == [0]


def test_a_finished_replay_plays_again_after_a_step_backwards() -> None:
    source, clock = _source([0, 100, 200])
    clock.advance_s(100)
    source.due()
    source.seek(0.0)
    clock.advance_s(0.1)
    assert _numbers(source.due()) == [0, 1]


def test_late_arrivals_keep_the_order_of_the_file() -> None:
    source, clock = _source([0, 300, 100, 400])
    clock.advance_s(0.2)
    assert _numbers(source.due()) == [0]
    clock.advance_s(0.1)
    assert _numbers(source.due()) == [1, 2]


def test_an_empty_recording_is_finished_from_the_start() -> None:
    source = ReplaySource([], ManualClock())
    assert source.finished
    assert source.due() == []
    assert (source.duration_s, source.position_s) == (0.0, 0.0)
    assert source.seek(3.0) is False


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_must_be_positive(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        _source([0], speed)


def test_a_position_must_be_a_number() -> None:
    source, _ = _source([0])
    with pytest.raises(ValueError, match="NaN"):
        source.seek(math.nan)


def test_a_frame_rate_of_30_for_an_hour_does_not_drift() -> None:
    source, clock = _source([0, 3_600_000])
    for _ in range(30 * 3600):
        clock.advance_s(1 / 30)
        source.due_batch()
    assert source.position_s == pytest.approx(clock.now_ns() / 1e9 - 0.123456789, abs=1e-6)


@given(
    steps_ms=st.lists(st.integers(0, 400), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 10), max_size=6),
)
def test_asking_often_or_seldom_gives_the_same(steps_ms: list[int], cuts: list[int]) -> None:
    arrivals = list(range(0, 1500, 37))
    often, clock = _source(arrivals)
    collected = []
    for step in steps_ms:
        clock.advance_s(step / 1000)
        collected += _numbers(often.due())
    seldom, late_clock = _source(arrivals)
    late_clock.advance_s(sum(steps_ms) / 1000)
    assert _numbers(seldom.due()) == collected
    edges = [0, *sorted(cuts), len(arrivals)]
    whole = from_notifications(_recording(arrivals))
    pieces = [rows(whole, a, b) for a, b in itertools.pairwise(edges)]
    assert _numbers(ReplaySource(pieces, clock, math.inf).due()) == list(range(len(arrivals)))


def test_batches_come_out_as_columns_too() -> None:
    source, clock = _source([0, 10, 20, 30])
    clock.advance_s(0.015)
    batch = source.due_batch()
    assert batch.arrival_ns.tolist() == [0, 10 * MS]
    assert np.array_equal(batch.offsets, [0, 2, 4])
    assert len(source.due_batch()) == 0

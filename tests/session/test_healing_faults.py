"""What no honest sensor sends, or sends too late: it is told or left out, and never ends a session."""

from dataclasses import replace

import numpy as np
import pytest

from emgmon.events import (
    Healed,
    Notification,
    NotificationKind,
    Quality,
    QualityChanged,
    SamplesLost,
    SessionEnded,
)
from emgmon.healing import Told
from emgmon.recording.columns import from_notifications
from firmware_protocol.control import CapabilityPart, Opcode, Response, Status
from tests.dashboard.synthetic import GLUTE_AND_BACK, emg_rep, quality_changed
from tests.session.late import again, away, ringed, standing
from tests.session.test_healing import bridges, rows, run, session, told_at_end


def control(opcode, payload, arrival_ns):
    data = Response(opcode, 1, Status.OK, payload).to_bytes()
    return Notification(arrival_ns, 0, NotificationKind.CONTROL, data)


def description(capabilities, arrival_ns):
    data = capabilities.to_bytes()
    return control(Opcode.GET_CAPABILITIES, CapabilityPart(len(data), 0, data).to_bytes(), arrival_ns)


def test_a_sensor_that_rebooted_and_whose_answer_to_start_was_lost_goes_on_behind_what_came():
    other = replace(ringed(bridges()), boot_id=99)
    cut = len(rows()) // 2
    told = description(other, rows()[cut].arrival_ns)
    received = [*rows()[:cut], told, *rows()[cut + 8 :]]
    events = run(received, at_once=1)
    assert told_at_end(events) == told_at_end(run(received))
    lost = [event for event in events if isinstance(event, SamplesLost)]
    assert lost
    assert all(event.n_samples > 0 for event in lost)
    assert isinstance(events[-1], SessionEnded)


def test_a_count_that_goes_back_after_a_reboot_without_start_is_not_swallowed():
    other = replace(ringed(bridges()), boot_id=99)
    cut = len(rows()) // 2
    received = [*rows()[:cut], description(other, rows()[cut].arrival_ns), *rows()[1:cut]]
    end = run(received)[-1]
    assert end.end_s == pytest.approx(2 * rows()[cut].arrival_ns / 1e9, rel=0.1)


def test_a_kind_of_notification_that_a_later_version_writes_is_left_out():
    batch = from_notifications(rows())
    kinds = batch.kind.copy()
    kinds[3] = 77
    one = session()
    events = one.receive_many(replace(batch, kind=kinds)) + one.finish()
    assert isinstance(events[-1], SessionEnded)


def test_a_packet_that_comes_after_the_end_changes_nothing():
    lost = away(rows(), 12.0, 12.1)
    one = session()
    run([row for i, row in enumerate(rows()) if i not in set(lost)], one=one)
    for i in lost:
        events = one.receive(again(rows()[i], rows()[-1].arrival_ns + 1))
        assert not [event for event in events if isinstance(event, SamplesLost | SessionEnded)]
    assert one.finish() == []


def test_a_range_of_no_samples_takes_nothing_for_lost():
    lost = away(rows(), 12.0, 12.5)
    kept = [row for i, row in enumerate(rows()) if i not in set(lost)]
    place = next(i for i, row in enumerate(kept) if row.arrival_ns > rows()[lost[-1]].arrival_ns)
    late = [again(rows()[i], kept[place].arrival_ns) for i in lost]
    events = run([*kept[:place], *late, *kept[place:]])
    assert all(event.n_samples for event in events if isinstance(event, SamplesLost))


def test_what_stands_of_one_kind_is_not_taken_back_with_the_other():
    """Quality is contradicted while the repetitions told ahead still stand."""
    r1, r2, r3 = (emg_rep(number, share=60) for number in (1, 2, 3))
    good, bad = (quality_changed(GLUTE_AND_BACK, 1, grade) for grade in (Quality.USABLE, Quality.REJECT))
    told = Told()
    events = [
        *told.go_on([r1, good, r2, r3]),
        *told.settle_some([r1, bad]),
        *told.settle([], [r2, r3]),
        *told.settle([r2, r3], []),
    ]
    assert any(isinstance(event, Healed) for event in events)
    assert standing(events) == ([r1, r2, r3], [bad])
    assert isinstance(bad, QualityChanged)


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_anything_ends_a_session(seed):
    """Descriptions of other boots, copies, losses and noise, one by one and many at once."""
    chance = np.random.default_rng(seed)
    received = list(rows()[:1200])
    for _ in range(4):
        at = int(chance.integers(2, len(received) - 60))
        arrival_ns = received[at].arrival_ns
        what = chance.integers(4)
        if what == 0:
            other = replace(ringed(bridges()), boot_id=int(chance.integers(5)))
            received.insert(at, description(other, arrival_ns))
        elif what == 1:
            del received[at : at + int(chance.integers(1, 50))]
        elif what == 2:
            copies = [again(row, arrival_ns) for row in received[at - 2 : at + 30]]
            received[at:at] = copies
        else:
            noise = chance.integers(0, 256, int(chance.integers(0, 60)), dtype=np.uint8).tobytes()
            kind = NotificationKind(int(chance.integers(0, 3)))
            received.insert(at, Notification(arrival_ns, int(chance.integers(0, 2)), kind, noise))
    one, many = run(received, at_once=1), run(received, at_once=100)
    assert told_at_end(one) == told_at_end(many)

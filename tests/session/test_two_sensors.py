"""Muscles on one sensor and the pelvis on another, each with a clock of its own, judged as one body."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from emgmon.events import Notification, NotificationKind, RepCompleted
from emgmon.recording.columns import from_notifications
from emgmon.session import Session
from firmware_protocol.capabilities import StreamKind
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.packets import PacketHeader
from firmware_protocol.resend import TimeAnswer
from tests.session.performing import counted, metric, notifications_of, performed, setup_of

OFFSET_US = 777_000_000


@cache
def body():
    return performed("bridge", n_reps=24)


@cache
def one_sensor():
    session = Session(setup_of(body()))
    rows = list(notifications_of(body()))
    return counted([*session.receive_many(from_notifications(rows)), *session.finish()])


def split():
    """Describe the sensor as two: one of the muscles, one of motion."""
    whole = body().capabilities
    emg = tuple(stream for stream in whole.streams if stream.kind is StreamKind.EMG)
    motion = tuple(stream for stream in whole.streams if stream.kind is StreamKind.IMU)
    return replace(whole, version_minor=1, streams=emg), replace(whole, version_minor=1, streams=motion)


def device_us(true_us, drift_ppm):
    return OFFSET_US + round(true_us * (1 + drift_ppm * 1e-6))


def on_two(drift_ppm, *, exchanges=True):
    """Give the rows of one sensor to two, the second with a clock that is off."""
    emg, motion = split()
    numbers = {stream.number for stream in motion.streams}
    started = next(_started(row) for row in notifications_of(body()) if row.kind is NotificationKind.CONTROL)
    rows = [_start_row(started, 0, {s.number for s in emg.streams}, lambda us: us)]
    rows.append(_start_row(started, 1, numbers, lambda us: device_us(us, drift_ppm)))
    for row in notifications_of(body()):
        if row.kind is not NotificationKind.DATA:
            continue
        header = PacketHeader.from_bytes(row.payload)
        if header.stream in numbers:
            moved = device_us(header.time_us, drift_ppm).to_bytes(6, "little")
            payload = row.payload[:8] + moved + row.payload[14:]
            rows.append(replace(row, sensor=1, payload=payload))
        else:
            rows.append(row)
    if exchanges:
        rows += _exchanges(started.time_us, drift_ppm, rows[-1].arrival_ns)
    return sorted(rows, key=lambda row: row.arrival_ns)


def _started(row):
    return Started.from_bytes(Response.from_bytes(row.payload).payload)


def _start_row(started, sensor, numbers, clock):
    streams = tuple(
        replace(start, time_us=clock(start.time_us)) for start in started.streams if start.stream in numbers
    )
    answer = replace(started, time_us=clock(started.time_us), streams=streams)
    payload = Response(Opcode.START, 1, Status.OK, answer.to_bytes()).to_bytes()
    return Notification(sensor, sensor, NotificationKind.CONTROL, payload)


def _exchanges(zero_us, drift_ppm, end_ns):
    """Exchange times with both: host time is true time since START, the way there and back 6 to 20 ms."""
    chance = np.random.default_rng(4)
    rows = []
    for sent_ns in [*range(-8, 0), *range(10**10, end_ns, 10**10)]:
        for sensor in (0, 1):
            there_ns, back_ns = (int(way) for way in chance.integers(6_000_000, 20_000_000, 2))
            true_us = zero_us + (max(sent_ns, 0) + there_ns) // 1000
            stamp_us = true_us if sensor == 0 else device_us(true_us, drift_ppm)
            answer = TimeAnswer(max(sent_ns, 0), stamp_us, stamp_us)
            payload = Response(Opcode.TIME, 1, Status.OK, answer.to_bytes()).to_bytes()
            arrival_ns = max(sent_ns, 0) + there_ns + back_ns
            order_ns = 0 if sent_ns < 0 else arrival_ns
            rows.append((order_ns, Notification(arrival_ns, sensor, NotificationKind.CONTROL, payload)))
    return [row for _, row in rows]


def reps_on_two(drift_ppm, **how):
    emg, motion = split()
    session = Session(replace(setup_of(body()), sensors=(emg, motion)))
    rows = on_two(drift_ppm, **how)
    return counted([*session.receive_many(from_notifications(rows)), *session.finish()])


@pytest.mark.parametrize("drift_ppm", [0.0, 80.0, -150.0])
def test_the_repetitions_are_those_of_one_sensor_with_one_clock(drift_ppm):
    expected, found = one_sensor(), reps_on_two(drift_ppm)
    assert len(found) == len(expected) == 24
    for rep, other in zip(found, expected, strict=True):
        assert rep.start_s == pytest.approx(other.start_s, abs=0.03)
        assert rep.end_s == pytest.approx(other.end_s, abs=0.03)
        share, other_share = (metric(one, "glute_share_pct").value for one in (rep, other))
        assert share == pytest.approx(other_share, abs=1.0)


def test_the_result_does_not_depend_on_how_the_rows_are_cut():
    emg, motion = split()
    rows = on_two(60.0)
    told = []
    for at_once in (len(rows), 97):
        session = Session(replace(setup_of(body()), sensors=(emg, motion)))
        events = []
        for i in range(0, len(rows), at_once):
            events += session.receive_many(from_notifications(rows[i : i + at_once]))
        events += session.finish()
        told.append([event for event in events if isinstance(event, RepCompleted)])
        assert session.notes == (session.notes[0],)
        assert "sensor 1 lies beside sensor 0 to within" in session.notes[0]
    assert told[0] == told[1]

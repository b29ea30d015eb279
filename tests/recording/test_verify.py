from dataclasses import replace
from pathlib import Path

import pytest

from emgmon.errors import RecordingError
from emgmon.events import Notification, NotificationKind
from emgmon.recording.verify import Finding, Severity, verify
from tests.recording.recording_examples import data_row, header, session_rows, start_response, write

INFORMATION, PROBLEM = Severity.INFORMATION, Severity.PROBLEM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.arrows"


def _only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_sound_recording_gives_no_findings(path: Path) -> None:
    rows = session_rows(30)
    rows += [
        Notification(rows[-1].arrival_ns, 0, NotificationKind.BATTERY, b"\x55"),
        Notification(rows[-1].arrival_ns, 0, NotificationKind.EVENT, b'{"state": "lost"}'),
    ]
    write(path, rows)
    assert verify(path) == []


def test_a_damaged_batch_is_found_at_its_byte(path: Path) -> None:
    ends = write(path, session_rows(29))
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] + 500] ^= 1
    path.write_bytes(damaged)
    problems = [finding for finding in verify(path) if finding.severity is PROBLEM]
    assert _only(problems).byte == ends[0]
    assert "emgmon repair" in _only(problems).advice


def test_what_a_damaged_batch_held_shows_as_a_gap(path: Path) -> None:
    ends = write(path, session_rows(29))
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] + 500] ^= 1
    path.write_bytes(damaged)
    gap = _only([finding for finding in verify(path) if finding.severity is INFORMATION])
    # Ten packets of five samples, noticed in the batch behind.
    assert gap.byte == ends[1]
    assert "samples missing, once, 50 samples in all, first at 0.450 s" in gap.what


def test_an_open_end_is_a_problem(path: Path) -> None:
    ends = write(path, session_rows(29))
    path.write_bytes(path.read_bytes()[: ends[-1]])
    finding = _only(verify(path))
    assert (finding.byte, finding.severity) == (ends[-1], PROBLEM)


def test_bytes_behind_the_end_are_a_problem(path: Path) -> None:
    write(path, session_rows(29))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"x")
    finding = _only(verify(path))
    assert (finding.byte, finding.severity) == (size, PROBLEM)


def test_lost_packets_are_counted_where_they_show_first(path: Path) -> None:
    rows = session_rows(40)
    ends = write(path, rows[:14] + rows[16:25] + rows[26:])
    finding = _only(verify(path))
    assert finding.byte == ends[0]
    assert finding.severity is INFORMATION
    assert "stream 1: samples missing, 2 times, 15 samples in all, first at 0.650 s" in finding.what


def test_repeated_packets_are_counted(path: Path) -> None:
    rows = session_rows(10)
    write(path, [*rows, replace(rows[-1], arrival_ns=rows[-1].arrival_ns + 1)])
    assert "samples came twice, once, 5 samples in all, first at 0.450 s" in _only(verify(path)).what


def test_packets_that_do_not_decode_are_counted_with_their_clause(path: Path) -> None:
    rows = session_rows(10)
    broken = replace(rows[-1], payload=rows[-1].payload[:-1])
    write(path, [*rows[:-1], broken, broken])
    finding = _only(verify(path))
    assert finding.severity is INFORMATION
    assert "packets do not decode, 2 times" in finding.what
    assert "SPEC 4.10" in finding.what


def test_arrival_times_that_go_backwards_are_told_with_both_times(path: Path) -> None:
    rows = session_rows(20)
    late = replace(rows[12], arrival_ns=1_500_000)
    ends = write(path, [*rows[:12], late, *rows[13:]])
    finding = _only(verify(path))
    assert finding.byte == ends[0]
    assert f"from {rows[11].arrival_ns / 1e9:.6f} s to 0.001500 s" in finding.what


def test_arrival_times_are_compared_across_batches(path: Path) -> None:
    rows = session_rows(20)
    ends = write(path, [*rows[:10], replace(rows[10], arrival_ns=1_500_000), *rows[11:]])
    assert _only(verify(path)).byte == ends[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Notification(0, 0, NotificationKind.BATTERY, b""), "BATTERY"),
        (Notification(0, 0, NotificationKind.EVENT, b"{"), "EVENT"),
        (Notification(0, 0, NotificationKind.CONTROL, b"\x82"), "CONTROL"),
        (Notification(0, 0, NotificationKind.CONTROL, b"\x82\x00\x00\x01"), "CONTROL"),
    ],
)
def test_other_notifications_that_do_not_decode_are_told(path: Path, row: Notification, words: str) -> None:
    write(path, [start_response(), row])
    finding = _only(verify(path))
    assert words in finding.what
    assert finding.severity is INFORMATION


def test_a_sensor_that_the_header_does_not_know_is_a_problem(path: Path) -> None:
    write(path, [*session_rows(3), replace(data_row(3), sensor=2)])
    finding = _only(verify(path))
    assert finding.severity is PROBLEM
    assert "sensors [2], the header knows 1" in finding.what


def test_an_empty_recording_and_one_without_start_say_so(path: Path) -> None:
    write(path, [])
    assert "no notifications" in _only(verify(path)).what
    path.unlink()
    write(path, [data_row(0)])
    assert "START" in _only(verify(path)).what


def test_every_sensor_has_its_own_decoder(path: Path) -> None:
    sensors = header().sensors * 2
    rows = [replace(row, sensor=sensor) for row in session_rows(20) for sensor in (0, 1)]
    write(path, rows, sensors=sensors)
    assert verify(path) == []


def test_a_file_that_is_no_recording_cannot_be_verified(path: Path) -> None:
    path.write_text("t_s\n")
    with pytest.raises(RecordingError, match="text file"):
        verify(path)

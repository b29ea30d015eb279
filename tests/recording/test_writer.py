import os
import signal
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from emgmon.clock import ManualClock
from emgmon.errors import RecordingError
from emgmon.events import Notification, NotificationKind
from emgmon.recording import writer as writer_module
from emgmon.recording.columns import from_notifications, join, rows
from emgmon.recording.messages import MAX_PAYLOAD_BYTES, MAX_ROWS
from emgmon.recording.reader import RecordingReader
from emgmon.recording.writer import RecordingWriter, complete_or_nothing
from tests.recording.recording_examples import data_row, header, same, session_rows, write


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    expected = session_rows(50)
    write(tmp_path / "a.arrows", expected)
    reader = RecordingReader(tmp_path / "a.arrows")
    assert same(reader.read_all(), expected)
    assert reader.torn is None
    assert reader.header == header()


def test_any_arrow_program_reads_the_columns(tmp_path: Path) -> None:
    expected = session_rows(25)
    write(tmp_path / "a.arrows", expected)
    with pa.OSFile(str(tmp_path / "a.arrows")) as file:
        table = pa.ipc.open_stream(file).read_all()
    table.validate(full=True)
    assert table.column_names == ["arrival_ns", "sensor", "kind", "payload"]
    assert table["arrival_ns"].to_pylist() == [row.arrival_ns for row in expected]
    assert table["kind"].to_pylist() == [int(row.kind) for row in expected]
    assert table["payload"].to_pylist() == [row.payload for row in expected]


def test_the_checksum_is_the_crc32_of_row_count_and_message_body(tmp_path: Path) -> None:
    write(tmp_path / "a.arrows", session_rows(29), rows_per_batch=10)
    data = pa.py_buffer((tmp_path / "a.arrows").read_bytes())
    bodies = pa.BufferReader(data)
    pa.ipc.read_schema(bodies)
    reader = pa.ipc.open_stream(pa.BufferReader(data))
    for n_rows in (10, 10, 10):
        body = pa.ipc.read_message(bodies).body
        batch, metadata = reader.read_next_batch_with_custom_metadata()
        assert batch.num_rows == n_rows
        expected = zlib.crc32(n_rows.to_bytes(8, "little") + body.to_pybytes())
        assert metadata[b"crc32"] == f"{expected:08x}".encode()


def test_nothing_waits_longer_than_250_ms_for_the_operating_system(tmp_path: Path) -> None:
    clock = ManualClock()
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=clock) as writer:
        empty = writer.part.stat().st_size
        writer.append(data_row(0))
        clock.advance_s(0.249)
        writer.append(data_row(1))
        assert writer.part.stat().st_size == empty
        clock.advance_s(0.001)
        writer.tick()
        assert same(RecordingReader(writer.part).read_all(), [data_row(0), data_row(1)])


def test_the_250_ms_begin_with_the_first_waiting_notification(tmp_path: Path) -> None:
    clock = ManualClock()
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=clock) as writer:
        clock.advance_s(10)
        writer.append(data_row(0))
        writer.tick()
        assert len(RecordingReader(writer.part).read_all()) == 0


def test_the_disk_is_synced_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    synced: list[float] = []
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=clock) as writer:
        monkeypatch.setattr(writer_module.os, "fsync", lambda handle: synced.append(clock.now_ns() / 1e9))
        for number in range(61):
            writer.append(data_row(number))
            clock.advance_s(0.05)
        assert synced == [1.0, 2.0, 3.0]


def test_an_idle_recording_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=clock) as writer:
        monkeypatch.setattr(writer_module.os, "fsync", lambda handle: pytest.fail("nothing to sync"))
        clock.advance_s(100)
        writer.tick()
        monkeypatch.undo()


def test_many_rows_are_cut_at_every_second_of_arrival(tmp_path: Path) -> None:
    expected = session_rows(200)
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
        writer.append_many(from_notifications(expected))
    batches = list(RecordingReader(tmp_path / "a.arrows").batches(min_rows=1))
    assert same(join(batches), expected)
    # Packets of 50 ms: the first second also holds the answer to START.
    assert [len(batch) for batch in batches] == [21] + [20] * 9
    assert [batch.arrival_ns[0] // 10**9 for batch in batches] == list(range(10))


def test_many_rows_within_a_second_become_few_large_batches(tmp_path: Path) -> None:
    expected = [replace(row, arrival_ns=7) for row in session_rows(40_000 - 1)]
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
        writer.append(expected[0])
        writer.append_many(from_notifications(expected[1:]))
    batches = list(RecordingReader(tmp_path / "a.arrows").batches(min_rows=1))
    assert [len(batch) for batch in batches] == [1, MAX_ROWS, MAX_ROWS, 39_999 - 2 * MAX_ROWS]
    assert same(join(batches), expected)


def test_a_batch_is_cut_by_bytes_as_well(tmp_path: Path) -> None:
    big = [Notification(n, 0, NotificationKind.EVENT, bytes(MAX_PAYLOAD_BYTES // 2 + 1)) for n in range(3)]
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
        writer.append_many(from_notifications(big))
    batches = list(RecordingReader(tmp_path / "a.arrows").batches(min_rows=1))
    assert [len(batch) for batch in batches] == [1, 1, 1]


def test_part_of_a_batch_can_be_written(tmp_path: Path) -> None:
    expected = session_rows(20)
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
        writer.append_many(rows(from_notifications(expected), 5, 15))
    assert same(RecordingReader(tmp_path / "a.arrows").read_all(), expected[5:15])


def test_the_file_has_its_name_only_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    with RecordingWriter(path, header(), clock=ManualClock()) as writer:
        assert sorted(tmp_path.iterdir()) == [tmp_path / "a.arrows.part"]
    assert sorted(tmp_path.iterdir()) == [path]
    writer.close()
    with pytest.raises(RecordingError, match="closed already"):
        writer.append(data_row(0))


def test_an_existing_file_is_not_replaced_without_being_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="exists already") as caught:
        RecordingWriter(path, header(), clock=ManualClock())
    assert "--force" in caught.value.advice
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    path.write_text("worthless")
    with RecordingWriter(path, header(), clock=ManualClock(), replace=True) as writer:
        writer.append(data_row(3))
        assert path.read_text() == "worthless"
    assert same(RecordingReader(path).read_all(), [data_row(3)])


def test_a_file_that_appeared_meanwhile_survives_and_so_does_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    writer = RecordingWriter(path, header(), clock=ManualClock())
    writer.append(data_row(3))
    path.write_text("precious")
    with pytest.raises(RecordingError, match=r"a\.arrows\.part"):
        writer.close()
    assert path.read_text() == "precious"
    assert same(RecordingReader(writer.part).read_all(), [data_row(3)])


def test_the_part_file_of_an_interrupted_recording_is_not_replaced(tmp_path: Path) -> None:
    part = tmp_path / "a.arrows.part"
    part.write_text("precious")
    with pytest.raises(RecordingError, match="interrupted") as caught:
        RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock())
    assert "emgmon repair" in caught.value.advice
    assert part.read_text() == "precious"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="nowhere does not exist"):
        RecordingWriter(tmp_path / "nowhere" / "a.arrows", header(), clock=ManualClock())


def test_ctrl_c_inside_the_with_block_leaves_a_closed_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"

    def interrupted() -> None:
        with RecordingWriter(path, header(), clock=ManualClock()) as writer:
            writer.append(data_row(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    reader = RecordingReader(path)
    assert same(reader.read_all(), [data_row(0)])
    assert reader.torn is None


def test_a_maker_of_complete_files_leaves_nothing_when_it_fails(tmp_path: Path) -> None:
    def interrupted() -> None:
        with complete_or_nothing(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
            writer.append_many(from_notifications([data_row(0)]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_every_whole_batch_and_says_where(tmp_path: Path) -> None:
    class FullDisk:
        """Takes half of what it is given, then nothing."""

        def __init__(self, file: object) -> None:
            self.file = file
            self.full = False

        def write(self, data: memoryview) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            self.full = True
            return self.file.write(data[: len(data) // 2])  # type: ignore[attr-defined]

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    writer = RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock())
    writer.append_many(from_notifications(session_rows(30)))
    writer._file = FullDisk(writer._file)  # type: ignore[assignment]
    with pytest.raises(RecordingError, match=r"a\.arrows\.part.*No space left"):
        writer.append_many(from_notifications(session_rows(30)))
    writer.close()
    reader = RecordingReader(writer.part)
    assert same(reader.read_all(), session_rows(30))
    assert reader.damage is not None
    assert reader.damage.kind.name == "UNCLOSED"


def test_an_interrupt_while_a_message_is_made_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(batch: object) -> bytes:
        raise KeyboardInterrupt

    with RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
        monkeypatch.setattr(writer_module, "batch_message", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.append_many(from_notifications([data_row(0)]))
        monkeypatch.undo()
        writer.append_many(from_notifications([data_row(1)]))
    reader = RecordingReader(tmp_path / "a.arrows")
    assert same(reader.read_all(), [data_row(1)])
    assert reader.torn is None


def test_a_recording_is_readable_before_its_first_notification(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.arrows", header(), clock=ManualClock()) as writer:
        assert RecordingReader(writer.part).header == header()


_CHILD = """
import sys
sys.path[:0] = sys.argv[2:]
from dataclasses import replace
from pathlib import Path
from tests.recording.recording_examples import data_row, header
from emgmon.clock import ManualClock
from emgmon.recording.writer import RecordingWriter

clock = ManualClock()
writer = RecordingWriter(Path(sys.argv[1]), header(), clock=clock)
for number in range(40):
    writer.append(data_row(number))
    clock.advance_s(0.05)
    writer.tick()
sys.stdout.write("written\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_9_leaves_everything_but_the_last_quarter_second(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path), *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        os.kill(child.pid, signal.SIGKILL)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.arrows.part"]
    reader = RecordingReader(tmp_path / "a.arrows.part")
    found = reader.read_all()
    assert same(found, [data_row(number) for number in range(len(found))])
    # 40 notifications, 50 ms apart: at most 250 ms of them were waiting.
    assert 40 - 5 <= len(found) <= 40
    assert reader.damage is not None
    assert reader.damage.kind.name == "UNCLOSED"


def test_arrival_times_and_sensors_keep_their_full_range(tmp_path: Path) -> None:
    extreme = [
        Notification(2**63 - 1, 255, NotificationKind.BATTERY, b""),
        Notification(-(2**63), 0, NotificationKind.EVENT, b"\x00"),
    ]
    write(tmp_path / "a.arrows", extreme)
    batch = RecordingReader(tmp_path / "a.arrows").read_all()
    assert same(batch, extreme)
    assert batch.arrival_ns.dtype == np.int64

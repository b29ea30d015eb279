from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgmon.errors import RecordingError
from emgmon.recording.messages import header_message
from emgmon.recording.reader import RecordingReader
from emgmon.recording.repair import default_output, repair
from emgmon.recording.verify import verify
from tests.recording.recording_examples import header, same, session_rows, write

ROWS = session_rows(59)
N = 10
"""Rows in each of the six batches."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.arrows"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "b.arrows"


def _kept(out: Path) -> RecordingReader:
    reader = RecordingReader(out)
    reader.read_all()
    assert reader.torn is None
    assert not [finding for finding in verify(out) if finding.advice]
    return reader


def test_batches_behind_a_damaged_one_are_kept(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    damaged[ends[1] + 500] ^= 0x10
    path.write_bytes(damaged)
    report = repair(path, out)
    assert same(_kept(out).read_all(), ROWS[: 2 * N] + ROWS[3 * N :])
    assert (report.n_batches, report.n_rows, report.closed) == (5, 50, True)
    (lost,) = report.lost
    assert (lost.first_byte, lost.end_byte) == (ends[1], ends[2])
    assert lost.after_s == ROWS[2 * N - 1].arrival_ns / 1e9
    assert lost.before_s == ROWS[3 * N].arrival_ns / 1e9
    assert path.read_bytes() == damaged


def test_several_damaged_places_are_told_one_by_one(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] + 2] ^= 0xFF
    damaged[ends[3] + 20 : ends[3] + 60] = bytes(40)
    path.write_bytes(damaged)
    report = repair(path, out)
    assert [(lost.first_byte, lost.end_byte) for lost in report.lost] == [
        (ends[0], ends[1]),
        (ends[3], ends[4]),
    ]
    assert same(_kept(out).read_all(), ROWS[:N] + ROWS[2 * N : 4 * N] + ROWS[5 * N :])


@pytest.mark.parametrize("n_removed", [1, 3, 8, 100])
def test_removed_bytes_cost_only_the_batch_they_belonged_to(path: Path, out: Path, n_removed: int) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    del damaged[ends[1] + 300 : ends[1] + 300 + n_removed]
    path.write_bytes(damaged)
    repair(path, out)
    assert same(_kept(out).read_all(), ROWS[: 2 * N] + ROWS[3 * N :])


def test_inserted_bytes_between_batches_cost_nothing(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    damaged[ends[1] : ends[1]] = b"\xff\xff\xff\xff\x08\x00\x00\x00garbage"
    path.write_bytes(damaged)
    report = repair(path, out)
    assert same(_kept(out).read_all(), ROWS)
    assert [(lost.first_byte, lost.end_byte) for lost in report.lost] == [(ends[1], ends[1] + 15)]


def test_a_false_end_mark_hides_nothing(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    damaged[ends[1] + 4 : ends[1] + 8] = bytes(4)
    path.write_bytes(damaged)
    assert same(RecordingReader(path).read_all(), ROWS[: 2 * N])
    report = repair(path, out)
    assert same(_kept(out).read_all(), ROWS[: 2 * N] + ROWS[3 * N :])
    assert [(lost.first_byte, lost.end_byte) for lost in report.lost] == [(ends[1], ends[2])]


def test_a_torn_recording_is_closed_and_its_last_bytes_are_told(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    path.write_bytes(path.read_bytes()[: ends[4] - 7])
    report = repair(path, out)
    assert same(_kept(out).read_all(), ROWS[: 4 * N])
    (lost,) = report.lost
    assert (lost.first_byte, lost.end_byte, lost.before_s) == (ends[3], ends[4] - 7, None)
    assert not report.closed


def test_a_recording_that_was_only_not_closed_loses_nothing(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    path.write_bytes(path.read_bytes()[: ends[-1]])
    report = repair(path, out)
    assert same(_kept(out).read_all(), ROWS)
    assert report.lost == ()
    assert not report.closed
    assert RecordingReader(out).header == header()


def test_the_header_of_a_repaired_recording_says_so(path: Path, out: Path) -> None:
    ends = write(path, ROWS, rows_per_batch=N, notes=("first",))
    path.write_bytes(path.read_bytes()[: ends[4] - 7])
    repair(path, out)
    notes = RecordingReader(out).header.notes
    assert notes[0] == "first"
    assert f"{ends[4] - 7 - ends[3]} bytes of a.arrows" in notes[1]


def test_a_sound_recording_is_copied(path: Path, out: Path) -> None:
    write(path, ROWS, rows_per_batch=N)
    report = repair(path, out)
    assert same(_kept(out).read_all(), ROWS)
    assert (report.lost, report.closed) == ((), True)


def test_a_damaged_header_is_replaced_by_that_of_another_recording(path: Path, out: Path) -> None:
    write(path, ROWS, rows_per_batch=N)
    donor = path.with_name("donor.arrows")
    write(donor, ROWS[:5], exercise="squat")
    damaged = bytearray(path.read_bytes())
    damaged[20:200] = bytes(180)
    path.write_bytes(damaged)
    with pytest.raises(RecordingError) as caught:
        repair(path, out)
    assert not out.exists()
    assert caught.value.advice
    repair(path, out, header_from=donor)
    reader = _kept(out)
    assert same(reader.read_all(), ROWS)
    assert reader.header.exercise == "squat"


def test_without_a_sound_batch_nothing_is_written(path: Path, out: Path) -> None:
    ends = write(path, ROWS[:N], rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] - 1] ^= 1
    damaged[ends[0] - 20] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(RecordingError, match="no batch in it is sound"):
        repair(path, out)
    assert not out.exists()


def test_the_damaged_file_is_never_replaced(path: Path) -> None:
    write(path, ROWS)
    before = path.read_bytes()
    for replace in (False, True):
        with pytest.raises(RecordingError):
            repair(path, path, replace=replace)
    assert path.read_bytes() == before


def test_an_existing_output_is_replaced_only_when_asked(path: Path, out: Path) -> None:
    write(path, ROWS)
    out.write_text("precious")
    with pytest.raises(RecordingError, match="exists already"):
        repair(path, out)
    assert out.read_text() == "precious"
    repair(path, out, replace=True)
    assert same(_kept(out).read_all(), ROWS)


@pytest.mark.parametrize("replace", [False, True])
def test_a_part_file_is_repaired_to_the_name_it_never_got(path: Path, replace: bool) -> None:
    ends = write(path, ROWS, rows_per_batch=N)
    part = path.rename(path.with_name("a.arrows.part"))
    part.write_bytes(part.read_bytes()[: ends[4] - 7])
    before = part.read_bytes()
    repair(part, default_output(part), replace=replace)
    assert same(_kept(path).read_all(), ROWS[: 4 * N])
    assert part.read_bytes() == before
    assert sorted(path.parent.iterdir()) == [path, part]


def test_the_output_is_named_after_the_damaged_file() -> None:
    assert default_output(Path("x/a.arrows")) == Path("x/a.repaired.arrows")
    assert default_output(Path("x/a.arrows.part")) == Path("x/a.arrows")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.integers(0, 5), at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_one_changed_byte_costs_at_most_one_batch(tmp_path: Path, batch: int, at: int, flip: int) -> None:
    path, out = tmp_path / "a.arrows", tmp_path / "b.arrows"
    path.unlink(missing_ok=True)
    ends = write(path, ROWS, rows_per_batch=N)
    damaged = bytearray(path.read_bytes())
    start = [len(header_message(header())), *ends][batch]
    damaged[start + at % (ends[batch] - start)] ^= flip
    path.write_bytes(damaged)
    repair(path, out, replace=True)
    kept = RecordingReader(out).read_all()
    without = ROWS[: batch * N] + ROWS[(batch + 1) * N :]
    assert same(kept, ROWS) or same(kept, without)

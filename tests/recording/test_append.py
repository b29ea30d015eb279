"""Rows behind a finished recording: what was there stays, and no failure leaves anything but a whole file."""

import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgmon.errors import RecordingError
from emgmon.events import Notification, NotificationKind
from emgmon.recording import append as append_module
from emgmon.recording import files as files_module
from emgmon.recording.append import append_rows
from emgmon.recording.host_events import RepAddedRow, encode, event_notifications, read_corrections
from emgmon.recording.messages import END_MARK, MAX_ROWS
from emgmon.recording.reader import RecordingReader
from emgmon.recording.repair import repair
from emgmon.recording.verify import verify
from tests.recording.recording_examples import same, session_rows, write

ROWS = session_rows(29)
ADDED = RepAddedRow(number=1, start_s=0.1, turn_s=0.3, end_s=0.6)


def added_row(newest_ns: int) -> list[Notification]:
    return event_notifications([ADDED], arrival_ns=newest_ns)


NEW = added_row(ROWS[-1].arrival_ns)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "a.arrows", ROWS, exercise="bridge")
    return tmp_path / "a.arrows"


def assert_whole(path: Path, rows: list[Notification]) -> None:
    reader = RecordingReader(path)
    assert same(reader.read_all(), rows)
    assert reader.torn is None
    assert verify(path) == []


def test_rows_stand_behind_the_last_one_with_its_time_and_all_that_was_there_stays(path: Path) -> None:
    before = path.read_bytes()
    append_rows(path, added_row)
    after = path.read_bytes()
    assert after.startswith(before[: -len(END_MARK)])
    assert after.endswith(END_MARK)
    assert_whole(path, [*ROWS, *NEW])
    assert RecordingReader(path).header.exercise == "bridge"
    assert list(path.parent.iterdir()) == [path]


def test_the_new_rows_are_told_the_newest_time_even_where_times_go_backwards(tmp_path: Path) -> None:
    late = [*ROWS[:20], ROWS[3]]
    write(tmp_path / "late.arrows", late)
    told: list[int] = []
    append_rows(tmp_path / "late.arrows", lambda newest_ns: told.append(newest_ns) or [])
    assert told == [ROWS[19].arrival_ns]
    assert same(RecordingReader(tmp_path / "late.arrows").read_all(), late)


def test_a_recording_without_rows_grows_as_well(tmp_path: Path) -> None:
    write(tmp_path / "empty.arrows", [])
    append_rows(tmp_path / "empty.arrows", added_row)
    assert same(RecordingReader(tmp_path / "empty.arrows").read_all(), added_row(0))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.binary(max_size=50), max_size=5), max_size=5))
def test_growing_several_times_keeps_every_row_in_order(tmp_path: Path, several: list[list[bytes]]) -> None:
    path = tmp_path / "a.arrows"
    path.unlink(missing_ok=True)
    write(path, ROWS[:12])
    expected = ROWS[:12]
    for payloads in several:
        new = [Notification(ROWS[11].arrival_ns, 0, NotificationKind.EVENT, payload) for payload in payloads]
        expected = [*expected, *new]
        append_rows(path, lambda _newest_ns, new=new: new)  # type: ignore[misc]
    reader = RecordingReader(path)
    assert same(reader.read_all(), expected)
    assert reader.torn is None


def test_many_rows_become_several_batches(path: Path) -> None:
    new = NEW * (MAX_ROWS + 1)
    append_rows(path, lambda _newest_ns: new)
    sizes = [len(batch) for batch in RecordingReader(path).batches(min_rows=1)]
    assert sizes == [10, 10, 10, MAX_ROWS, 1]


def test_who_reads_the_recording_meanwhile_keeps_the_old_one(path: Path) -> None:
    reader = RecordingReader(path)
    append_rows(path, added_row)
    assert same(reader.read_all(), ROWS)


def test_a_link_stays_and_what_it_points_to_grows(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    link = path.parent / "elsewhere" / "link.arrows"
    link.symlink_to(path)
    append_rows(link, added_row)
    assert link.is_symlink()
    assert_whole(path, [*ROWS, *NEW])
    assert list(link.parent.iterdir()) == [link]


def test_who_may_read_the_file_stays_the_same(path: Path) -> None:
    path.chmod(0o640)
    append_rows(path, added_row)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_repair_keeps_what_was_appended(tmp_path: Path) -> None:
    path, out = tmp_path / "a.arrows", tmp_path / "b.arrows"
    ends = write(path, ROWS)
    append_rows(path, added_row)
    damaged = bytearray(path.read_bytes())
    damaged[ends[1] - 3] ^= 0xFF
    path.write_bytes(damaged)
    report = repair(path, out)
    assert (report.n_rows, len(report.lost)) == (21, 1)
    assert read_corrections(out).rows == (ADDED,)


def _cut_off(content: bytes, _ends: list[int]) -> bytes:
    return content[: -len(END_MARK)]


def _torn(content: bytes, ends: list[int]) -> bytes:
    return content[: ends[1] - 7]


def _changed(content: bytes, ends: list[int]) -> bytes:
    return content[: ends[1] - 3] + b"\xaa" + content[ends[1] - 2 :]


def _followed(content: bytes, _ends: list[int]) -> bytes:
    return content + b"something else"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_cut_off, "was never closed, or is still being recorded"),
        (_torn, "is damaged, byte"),
        (_changed, "is damaged, byte"),
        (_followed, "14 bytes follow the end mark"),
    ],
)
def test_a_recording_that_is_not_sound_is_refused_and_stays_as_it_is(
    tmp_path: Path, spoil: Callable[[bytes, list[int]], bytes], said: str
) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS)
    spoiled = spoil(path.read_bytes(), ends)
    path.write_bytes(spoiled)
    with pytest.raises(RecordingError, match=said) as caught:
        append_rows(path, added_row)
    assert f"emgmon repair {path}" in caught.value.advice
    assert path.read_bytes() == spoiled
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "said"), [(None, "does not exist"), (b"", "is empty"), (b"hello\n", "is not a recording")]
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "a.arrows"
    if content is not None:
        path.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RecordingError, match=said):
        append_rows(path, added_row)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a folder"):
        append_rows(tmp_path, added_row)


def test_two_that_change_the_same_recording_do_not_meet(path: Path) -> None:
    before = path.read_bytes()

    def while_another_begins(newest_ns: int) -> list[Notification]:
        with pytest.raises(RecordingError, match=r"a\.arrows\.append exists") as caught:
            append_rows(path, added_row)
        assert "delete a.arrows.append" in caught.value.advice
        assert path.read_bytes() == before
        return added_row(newest_ns)

    append_rows(path, while_another_begins)
    assert_whole(path, [*ROWS, *NEW])


def test_rows_that_cannot_be_made_leave_nothing_behind(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        append_rows(path, lambda _newest_ns: (_ for _ in ()).throw(KeyboardInterrupt))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


class PowerCut(BaseException):
    """The machine stops: nothing of the program runs any more, not even its tidying up."""


class Machine:
    """Lets every step of a change happen, and fails at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failing: int, error: BaseException) -> None:
        self.steps: list[str] = []
        self._failing, self._error = failing, error
        real_open, real_replace, real_unlink = Path.open, Path.replace, Path.unlink

        def opened(path: Path, *words: object, **others: object) -> object:
            file = self.step("open", lambda: real_open(path, *words, **others))  # type: ignore[call-overload]
            return self._watched(file)

        def unlinked(path: Path, **others: bool) -> None:
            if not isinstance(self._error, PowerCut):
                real_unlink(path, **others)

        def renamed(path: Path, to: Path) -> object:
            return self.step("rename", lambda: real_replace(path, to))

        self._os = append_module.os
        watched_os = SimpleNamespace(fsync=self._fsync)
        monkeypatch.setattr(append_module, "os", watched_os)
        folder_os = SimpleNamespace(
            open=self._os.open, close=self._os.close, O_RDONLY=self._os.O_RDONLY, fsync=self._fsync
        )
        monkeypatch.setattr(files_module, "os", folder_os)
        monkeypatch.setattr(append_module.shutil, "copymode", self._copymode(shutil.copymode))
        monkeypatch.setattr(Path, "open", opened)
        monkeypatch.setattr(Path, "replace", renamed)
        monkeypatch.setattr(Path, "unlink", unlinked)

    def step(self, name: str, do: Callable[[], object]) -> object:
        self.steps.append(name)
        if len(self.steps) - 1 == self._failing:
            raise self._error
        return do()

    def _fsync(self, handle: int) -> None:
        self.step("sync", lambda: self._os.fsync(handle))

    def _copymode(self, real: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
        return lambda old, new: self.step("mode", lambda: real(old, new))  # type: ignore[return-value]

    def _watched(self, file: object) -> object:
        real_write = file.write  # type: ignore[attr-defined]

        def written(data: memoryview) -> object:
            if len(self.steps) == self._failing:
                # Half of it is there before the failure.
                real_write(bytes(data)[: len(data) // 2])
            return self.step("write", lambda: real_write(data))

        return Handle(file, written)


class Handle:
    """An open file whose writing is watched."""

    def __init__(self, file: object, write: Callable[[memoryview], object]) -> None:
        self.write = write
        self._file = file

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


STEPS = ["open", "write", "write", "write", "sync", "mode", "rename", "sync"]
NEVER = len(STEPS)


def test_what_is_written_is_on_the_disk_before_it_gets_the_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, NEVER, PowerCut())
    append_rows(path, added_row)
    assert machine.steps == STEPS


@pytest.mark.parametrize("failing", range(NEVER), ids=[f"{n}-{step}" for n, step in enumerate(STEPS)])
def test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_recording(
    path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    with monkeypatch.context() as patched:
        Machine(patched, failing, PowerCut())
        with pytest.raises(PowerCut):
            append_rows(path, added_row)
    renamed = failing > STEPS.index("rename")
    assert_whole(path, [*ROWS, *NEW] if renamed else ROWS)
    left = path.with_name("a.arrows.append")
    if left.exists():
        with pytest.raises(RecordingError, match="was cut off") as caught:
            append_rows(path, added_row)
        assert "The recording is whole" in caught.value.advice
        left.unlink()
    append_rows(path, added_row)
    assert_whole(path, [*ROWS, *NEW, *NEW] if renamed else [*ROWS, *NEW])


@pytest.mark.parametrize("failing", range(STEPS.index("rename")))
def test_a_disk_that_refuses_leaves_the_old_recording_and_nothing_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        Machine(patched, failing, OSError(28, "No space left on device"))
        with pytest.raises(RecordingError, match="No space left on device") as caught:
            append_rows(path, added_row)
    assert "free space" in caught.value.advice
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_refused_renaming_is_told_with_where_the_longer_recording_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        Machine(patched, STEPS.index("rename"), OSError(13, "Permission denied"))
        with pytest.raises(RecordingError, match=r"a\.arrows\.append could not be renamed"):
            append_rows(path, added_row)
    assert_whole(path, ROWS)
    assert_whole(path.with_name("a.arrows.append"), [*ROWS, *NEW])


def test_a_folder_that_cannot_be_synced_is_no_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        Machine(patched, NEVER - 1, OSError(22, "Invalid argument"))
        append_rows(path, added_row)
    assert_whole(path, [*ROWS, *NEW])


def test_what_verify_says_of_a_recording_does_not_change(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    write(path, [*ROWS[:5], *ROWS[8:]])
    before = verify(path)
    append_rows(path, added_row)
    assert before
    assert verify(path) == before
    assert encode(ADDED) in path.read_bytes()

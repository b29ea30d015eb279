import gzip
import zlib
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgmon.errors import EmgmonError, RecordingError
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.recording.format import arrow_schema, sensor_capabilities, session_setup
from emgmon.recording.messages import DamageKind
from emgmon.recording.reader import RecordingReader
from emgmon.recording.verify import verify
from tests.recording.recording_examples import capabilities, header, same, session_rows, write

ROWS = session_rows(59)
ROWS_PER_BATCH = 10


def _write_schema_only(path: Path, schema: pa.Schema) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema):
        pass


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    write(tmp_path / "sound.arrows", ROWS, rows_per_batch=ROWS_PER_BATCH)
    return tmp_path / "sound.arrows"


def test_the_header_comes_back_whole(tmp_path: Path) -> None:
    calibration = Calibration("mvic", (ChannelCalibration("gluteus_maximus", "left", 3.5, 210.0),))
    reference = ReferenceSet("bridge", 8, 0.4, 0.1)
    changes = {
        "origin": "simulation",
        "started_utc": "2026-01-01T00:00:00Z",
        "exercise": "bridge",
        "calibration": calibration,
        "reference": reference,
        "notes": ("ein Hüftgurt",),
    }
    write(tmp_path / "a.arrows", ROWS, **changes)
    read = RecordingReader(tmp_path / "a.arrows").header
    assert read == header(**changes)
    assert sensor_capabilities(read) == (capabilities(),)


@pytest.mark.parametrize("min_rows", [1, 10, 11, 25, 60, 1000])
def test_small_batches_are_joined_to_the_size_asked_for(sound: Path, min_rows: int) -> None:
    batches = list(RecordingReader(sound).batches(min_rows=min_rows))
    assert all(len(batch) >= min_rows for batch in batches[:-1])
    assert sum(len(batch) for batch in batches) == len(ROWS)
    joined = RecordingReader(sound).read_all()
    assert same(joined, ROWS)


def test_batches_are_views_of_the_file(sound: Path) -> None:
    batch = next(RecordingReader(sound).batches(min_rows=1))
    assert not batch.data.flags.owndata
    assert not batch.data.flags.writeable


def test_a_recording_without_notifications_has_no_batches(tmp_path: Path) -> None:
    write(tmp_path / "a.arrows", [])
    reader = RecordingReader(tmp_path / "a.arrows")
    assert list(reader.batches()) == []
    assert len(reader.read_all()) == 0
    assert reader.torn is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"t_s,emg.gluteus_maximus_uV\n0,1\n", "it is a text file"),
        (gzip.compress(b"t_s\n", mtime=0), "it is a gzip file"),
        (b"ARROW1\x00\x00" + bytes(100), "Arrow file"),
        (b"PAR1" + bytes(100), "Parquet"),
        (b"PK\x03\x04" + bytes(100), "zip"),
        (bytes(4096), "nothing but zeros"),
        (b"\x89PNG\r\n\x1a\n", "its first bytes are 89 50 4e 47"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(100), "Arrow stream of another program"),
    ],
)
def test_a_file_that_is_no_recording_is_told_for_what_it_is(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=words) as caught:
        RecordingReader(path)
    assert str(path) in str(caught.value)
    assert caught.value.advice


def test_an_arrow_stream_of_another_program_is_no_recording(tmp_path: Path) -> None:
    _write_schema_only(tmp_path / "other.arrows", pa.schema([("a", pa.int64())]))
    with pytest.raises(RecordingError, match="is not a recording: it is an Arrow stream of another program"):
        RecordingReader(tmp_path / "other.arrows")


def test_a_csv_file_is_sent_to_the_import(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t_s,emg.gluteus_maximus_uV\n0,1\n")
    with pytest.raises(RecordingError) as caught:
        RecordingReader(path)
    assert "emgmon import" in caught.value.advice


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="does not exist"):
        RecordingReader(tmp_path / "none.arrows")
    with pytest.raises(RecordingError, match="is a folder"):
        RecordingReader(tmp_path)
    with pytest.raises(RecordingError, match="not a file name"):
        RecordingReader("a\0b")


def test_a_missing_file_with_a_part_file_beside_it_is_an_interrupted_recording(tmp_path: Path) -> None:
    (tmp_path / "a.arrows.part").write_text("")
    with pytest.raises(RecordingError, match=r"a\.arrows\.part") as caught:
        RecordingReader(tmp_path / "a.arrows")
    assert "emgmon repair" in caught.value.advice


def test_a_later_format_asks_for_an_update(tmp_path: Path) -> None:
    _write_schema_only(tmp_path / "a.arrows", arrow_schema(header(schema="emgmon.recording/2")))
    with pytest.raises(RecordingError, match=r"emgmon\.recording/2") as caught:
        RecordingReader(tmp_path / "a.arrows")
    assert "Update" in caught.value.advice


def test_fields_of_a_later_header_are_left_out(tmp_path: Path) -> None:
    text = msgspec.json.encode(msgspec.to_builtins(header()) | {"shoe_size": 44})
    metadata = {b"emgmon": text, b"emgmon.crc32": f"{zlib.crc32(text):08x}".encode()}
    _write_schema_only(tmp_path / "a.arrows", arrow_schema(header()).with_metadata(metadata))
    assert RecordingReader(tmp_path / "a.arrows").header == header()


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"not json",
        b'{"schema": 3}',
        b'{"schema": "emgmon.recording/1"}',
        b'{"schema":"mcap"}',
        b"[" * 10_000,
    ],
)
def test_a_header_that_says_nothing_useful_is_damaged(tmp_path: Path, text: bytes) -> None:
    metadata = {b"emgmon": text, b"emgmon.crc32": f"{zlib.crc32(text):08x}".encode()}
    _write_schema_only(tmp_path / "a.arrows", arrow_schema(header()).with_metadata(metadata))
    with pytest.raises(RecordingError, match="header is damaged"):
        RecordingReader(tmp_path / "a.arrows")


def test_one_changed_letter_in_the_header_is_noticed(sound: Path) -> None:
    damaged = sound.read_bytes().replace(b"test sensor", b"tEst sensor", 1)
    sound.write_bytes(damaged)
    with pytest.raises(RecordingError, match="header is damaged") as caught:
        RecordingReader(sound)
    assert "--header-from" in caught.value.advice


def test_the_header_sets_up_a_session(tmp_path: Path) -> None:
    calibration = Calibration("mvic", (ChannelCalibration("gluteus_maximus", "left", 3.5, 210.0),))
    read = header(exercise="bridge", calibration=calibration)
    setup = session_setup(read)
    assert setup.sensors == (capabilities(),)
    assert (setup.exercise, setup.calibration, setup.reference) == ("bridge", calibration, None)
    assert session_setup(read, exercise="squat").exercise == "squat"
    other = Calibration("submaximal", calibration.channels)
    assert session_setup(read, calibration=other).calibration == other


def test_capabilities_that_do_not_decode_are_named(tmp_path: Path) -> None:
    good = header().sensors[0]
    for hexadecimal in ("zz", good.capabilities[:-2]):
        broken = header(sensors=(msgspec.structs.replace(good, capabilities=hexadecimal),))
        with pytest.raises(RecordingError, match="capabilities of sensor 0"):
            sensor_capabilities(broken)


def test_a_torn_tail_is_read_up_to_the_last_whole_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS, rows_per_batch=ROWS_PER_BATCH)
    whole = path.read_bytes()
    for length in range(ends[2], len(whole)):
        path.write_bytes(whole[:length])
        reader = RecordingReader(path)
        n_whole = sum(end <= length for end in ends)
        assert same(reader.read_all(), ROWS[: n_whole * ROWS_PER_BATCH]), length
        assert reader.damage is not None, length
        last_end = ends[n_whole - 1]
        assert reader.damage.first_byte == last_end
        kind = DamageKind.UNCLOSED if n_whole == len(ends) or length == last_end else DamageKind.TORN
        if length - last_end >= 8 or kind is DamageKind.UNCLOSED:
            assert reader.damage.kind is kind, length
        assert reader.warnings


def test_reading_stops_at_a_damaged_batch_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS, rows_per_batch=ROWS_PER_BATCH)
    damaged = bytearray(path.read_bytes())
    damaged[ends[1] + 600] ^= 1
    path.write_bytes(damaged)
    reader = RecordingReader(path)
    assert same(reader.read_all(), ROWS[: 2 * ROWS_PER_BATCH])
    assert reader.damage is not None
    assert reader.damage.kind is DamageKind.DAMAGED
    assert (reader.damage.first_byte, reader.damage.end_byte) == (ends[1], ends[2])
    assert f"byte {ends[1]}" in reader.warnings[0]
    assert f"emgmon repair {path}" in reader.warnings[0]


def test_bytes_behind_the_end_mark_are_mentioned_but_do_no_harm(sound: Path) -> None:
    size = sound.stat().st_size
    sound.write_bytes(sound.read_bytes() + b"garbage")
    reader = RecordingReader(sound)
    assert same(reader.read_all(), ROWS)
    assert reader.damage is not None
    assert (reader.damage.kind, reader.damage.first_byte) == (DamageKind.TRAILING, size)


def _assert_prefix_or_told(path: Path) -> None:
    """Whatever the bytes: either our own error, or a prefix of the truth, complete or with a warning."""
    try:
        reader = RecordingReader(path)
        batch = reader.read_all()
        findings = verify(path)
    except EmgmonError as error:
        told = error.advice
        assert told, "an error without advice"
        return
    assert same(batch, ROWS[: len(batch)])
    if len(batch) < len(ROWS):
        assert reader.warnings
        assert findings


def test_no_flipped_byte_is_believed(sound: Path) -> None:
    whole = sound.read_bytes()
    for position in range(0, len(whole), max(1, len(whole) // 500)):
        for flip in (0x01, 0xFF):
            damaged = bytearray(whole)
            damaged[position] ^= flip
            sound.write_bytes(damaged)
            _assert_prefix_or_told(sound)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_makes_the_reader_stumble(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "fuzzed.arrows"
    path.unlink(missing_ok=True)
    write(path, ROWS, rows_per_batch=ROWS_PER_BATCH)
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(damaged) - 1, 0)))
        n_removed = data.draw(st.integers(0, 40))
        inserted = data.draw(st.binary(max_size=40))
        damaged[at : at + n_removed] = inserted
    path.write_bytes(damaged)
    _assert_prefix_or_told(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), marker=st.booleans())
def test_no_content_makes_the_reader_stumble(tmp_path: Path, content: bytes, marker: bool) -> None:
    path = tmp_path / "random"
    path.write_bytes(b"\xff\xff\xff\xff" * marker + content)
    with pytest.raises(RecordingError) as caught:
        RecordingReader(path)
    assert caught.value.advice


@pytest.mark.parametrize("length", [2**31 - 1, -1, 2**30, 8, -(2**31)])
def test_a_giant_length_allocates_nothing(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS, rows_per_batch=ROWS_PER_BATCH)
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] + 4 : ends[0] + 8] = length.to_bytes(4, "little", signed=True)
    path.write_bytes(damaged)
    before = pa.total_allocated_bytes()
    reader = RecordingReader(path)
    assert same(reader.read_all(), ROWS[:ROWS_PER_BATCH])
    assert reader.damage is not None
    assert reader.damage.end_byte == ends[1]
    assert pa.total_allocated_bytes() - before < 1 << 20

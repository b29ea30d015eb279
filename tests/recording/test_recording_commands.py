from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emgmon.cli.import_csv import command as import_command
from emgmon.cli.repair import command as repair_command
from emgmon.cli.verify import command as verify_command
from emgmon.errors import ImportFileError, RecordingError
from emgmon.recording.reader import RecordingReader
from tests.recording.recording_examples import same, session_rows, write

ROWS = session_rows(29)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "set.csv"
    rows = "".join(f"{n / 100},{n},{n / 2}\n" for n in range(100) if n != 40)
    path.write_text("t_s,seq,emg.gluteus_maximus.left_uV\n" + rows)
    return path


def _run(command: object, *words: object) -> Result:
    result = CliRunner().invoke(command, [str(word) for word in words])  # type: ignore[arg-type]
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_commands_bear_the_names_that_people_type() -> None:
    assert [c.name for c in (import_command, verify_command, repair_command)] == [
        "import",
        "verify",
        "repair",
    ]


def test_import_tells_what_it_made_and_warns_on_the_other_channel(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "set.arrows"
    result = _run(import_command, out, "--csv", csv, "--exercise", "squat")
    assert result.exit_code == 0
    assert f"{out}: 1 stream(s), 1.0 s" in result.stdout
    assert "EMG of left gluteus_maximus: 99 samples at 100 Hz, 1 missing in 1 gap(s)" in result.stdout
    assert "Warning" not in result.stdout
    assert "warning: set.csv: column 2 ('seq') is skipped" in result.stderr
    assert RecordingReader(out).header.exercise == "squat"


def test_import_takes_a_rate_and_several_files(csv: Path, tmp_path: Path) -> None:
    imu = tmp_path / "imu.csv"
    imu.write_text(
        "t_s,acc.pelvis.x_g,acc.pelvis.y_g,acc.pelvis.z_g\n"
        + "".join(f"{n / 100},0,0,1\n" for n in range(50))
    )
    out = tmp_path / "set.arrows"
    result = _run(import_command, out, "--csv", csv, "--csv", imu, "--rate", "101")
    assert result.exit_code == 0
    assert result.stdout.count("at 101 Hz (given)") == 2


def test_import_replaces_only_by_force(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "set.arrows"
    out.write_text("precious")
    with pytest.raises(RecordingError):
        _run(import_command, out, "--csv", csv)
    assert out.read_text() == "precious"
    assert _run(import_command, out, "--csv", csv, "--force").exit_code == 0


def test_import_without_a_file_is_wrong_usage(tmp_path: Path) -> None:
    assert _run(import_command, tmp_path / "set.arrows").exit_code == 2


def test_import_of_a_bad_file_raises_our_error(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("")
    with pytest.raises(ImportFileError):
        _run(import_command, tmp_path / "set.arrows", "--csv", tmp_path / "bad.csv")


def test_verify_of_a_sound_recording_succeeds(tmp_path: Path) -> None:
    write(tmp_path / "a.arrows", ROWS)
    result = _run(verify_command, tmp_path / "a.arrows")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'a.arrows'}: sound\n")


def test_information_alone_does_not_fail_verify(tmp_path: Path) -> None:
    write(tmp_path / "a.arrows", ROWS[:5] + ROWS[6:])
    result = _run(verify_command, tmp_path / "a.arrows")
    assert result.exit_code == 0
    assert "information: sensor 0, stream 1: samples missing" in result.stdout


def test_verify_of_a_damaged_recording_fails_and_points_to_repair(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS)
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] + 500] ^= 1
    path.write_bytes(damaged)
    result = _run(verify_command, path)
    assert result.exit_code == 1
    assert f"byte {ends[0]}: problem" in result.stdout
    assert f"emgmon repair {path}" in result.stderr


def test_repair_writes_beside_and_tells_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS)
    damaged = bytearray(path.read_bytes())
    damaged[ends[0] + 500] ^= 1
    path.write_bytes(damaged)
    result = _run(repair_command, path)
    out = tmp_path / "a.repaired.arrows"
    assert result.exit_code == 0
    assert f"lost: bytes {ends[0]} to {ends[1]}" in result.stdout
    assert "between 0.440 s and 0.990 s" in result.stdout
    assert f"{out}: 20 notifications in 2 batches kept" in result.stdout
    assert same(RecordingReader(out).read_all(), ROWS[:10] + ROWS[20:])


def test_repair_closes_the_part_file_of_an_interrupted_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    ends = write(path, ROWS)
    part = path.rename(tmp_path / "a.arrows.part")
    part.write_bytes(part.read_bytes()[: ends[-1]])
    result = _run(repair_command, part)
    assert result.exit_code == 0
    assert "nothing is lost; the recording was only not closed" in result.stdout
    assert same(RecordingReader(path).read_all(), ROWS)
    assert part.exists()


def test_repair_takes_an_output_and_a_header(tmp_path: Path) -> None:
    path, donor, out = tmp_path / "a.arrows", tmp_path / "donor.arrows", tmp_path / "out.arrows"
    write(path, ROWS)
    write(donor, ROWS[:1])
    damaged = bytearray(path.read_bytes())
    damaged[30:60] = bytes(30)
    path.write_bytes(damaged)
    result = _run(repair_command, path, "--out", out, "--header-from", donor)
    assert result.exit_code == 0
    assert "everything before 0.000 s" in result.stdout
    assert same(RecordingReader(out).read_all(), ROWS)

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emgmon.errors import EmgmonError, ExerciseError, ImportFileError, RecordingError
from emgmon.events import NotificationKind
from emgmon.recording.columns import to_notifications
from emgmon.recording.csv_import import ImportReport, import_csv
from emgmon.recording.format import sensor_capabilities
from emgmon.recording.reader import RecordingReader
from emgmon.recording.verify import verify
from firmware_protocol.capabilities import Capabilities, Quantity, StreamKind
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.decoder import Decoder, Gap, Reject, SampleBlock

IMU = tuple(
    f"{kind}.pelvis.{axis}_{unit}" for kind, unit in (("acc", "mps2"), ("gyr", "radps")) for axis in "xyz"
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.arrows"


def _csv(path: Path, names: tuple[str, ...], t_s: NDArray[np.float64], values: NDArray[np.float64]) -> Path:
    """Write full precision; NaN becomes an empty cell."""
    lines = [",".join(("t_s", *names))]
    for time, row in zip(t_s.tolist(), values.tolist(), strict=True):
        lines.append(",".join([repr(time), *("" if value != value else repr(value) for value in row)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def _ramp(n_rows: int, n_columns: int) -> NDArray[np.float64]:
    return np.arange(n_rows * n_columns, dtype=np.float64).reshape(n_rows, n_columns) / 8 - 10


class _Decoded:
    """What a session would see of a recording."""

    def __init__(self, out: Path) -> None:
        reader = RecordingReader(out)
        self.header = reader.header
        (self.capabilities,) = sensor_capabilities(reader.header)
        assert isinstance(self.capabilities, Capabilities)
        self.rows = list(to_notifications(reader.read_all()))
        assert reader.torn is None
        assert self.rows[0].kind is NotificationKind.CONTROL
        response = Response.from_bytes(self.rows[0].payload)
        assert (response.opcode, response.status) == (Opcode.START, Status.OK)
        self.started = Started.from_bytes(response.payload)
        decoder = Decoder(self.capabilities)
        decoder.start(self.started)
        self.events = []
        for row in self.rows[1:]:
            assert row.kind is NotificationKind.DATA
            self.events += [(row.arrival_ns, event) for event in decoder.receive(row.payload)]

    def samples(self, stream: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Session times as the engine computes them, from the sample counter; and the values."""
        start = next(start for start in self.started.streams if start.stream == stream)
        about = self.capabilities.stream(stream)
        assert about is not None
        blocks = [e for _, e in self.events if isinstance(e, SampleBlock) and e.stream == stream]
        numbers = np.concatenate([b.first_sample + np.arange(len(b.values)) for b in blocks])
        zero_s = (start.time_us - self.started.time_us) / 1e6
        return zero_s + numbers / about.rate_hz, np.concatenate([b.values for b in blocks])

    def gaps(self, stream: int) -> list[tuple[int, int]]:
        return [
            (e.first_sample, e.n_samples) for _, e in self.events if isinstance(e, Gap) and e.stream == stream
        ]


def test_samples_come_back_in_microvolt_at_their_times(tmp_path: Path, out: Path) -> None:
    t_s, values = np.arange(1000) / 1000, _ramp(1000, 3)
    names = ("emg.gluteus_maximus.left_uV", "emg.erector_spinae.left_mV", "emg.rectus_femoris.right_V")
    report = import_csv([_csv(tmp_path / "a.csv", names, t_s, values)], out, exercise="squat")
    decoded = _Decoded(out)
    times, samples = decoded.samples(0)
    assert np.array_equal(samples, (values * [1, 1e3, 1e6]).astype(np.float32))
    assert np.allclose(times, t_s, rtol=0, atol=1e-9)
    stream = decoded.capabilities.streams[0]
    assert (stream.kind, stream.rate_hz) == (StreamKind.EMG, 1000.0)
    assert [(c.site, c.side, c.scale) for c in stream.channels] == [
        ("gluteus_maximus", "left", 1.0),
        ("erector_spinae", "left", 1.0),
        ("rectus_femoris", "right", 1.0),
    ]
    assert (decoded.header.origin, decoded.header.exercise) == ("import", "squat")
    assert report.warnings == ()
    assert report.streams[0].n_missing == 0
    assert verify(out) == []


def test_motion_is_kept_in_si_units_with_acceleration_first(tmp_path: Path, out: Path) -> None:
    t_s, values = np.arange(200) / 100, _ramp(200, 6)
    names = tuple(f"gyr.pelvis.{axis}_dps" for axis in "xyz") + tuple(
        f"acc.pelvis.{axis}_g" for axis in "zyx"
    )
    import_csv([_csv(tmp_path / "a.csv", names, t_s, values)], out, exercise=None)
    decoded = _Decoded(out)
    (stream,) = decoded.capabilities.streams
    assert [(c.quantity, c.axis) for c in stream.channels] == [
        *((Quantity.ACCELERATION, axis) for axis in "xyz"),
        *((Quantity.ANGULAR_RATE, axis) for axis in "xyz"),
    ]
    _, samples = decoded.samples(0)
    expected = np.concatenate([values[:, 5:2:-1] * 9.80665, values[:, :3] * (np.pi / 180)], axis=1)
    assert np.array_equal(samples, expected.astype(np.float32))


def test_session_time_is_the_time_in_the_file_even_when_it_begins_late(tmp_path: Path, out: Path) -> None:
    t_s = 12.345 + np.arange(300) / 100
    report = import_csv([_csv(tmp_path / "a.csv", IMU, t_s, _ramp(300, 6))], out, exercise=None)
    decoded = _Decoded(out)
    assert decoded.started.time_us == 0
    assert np.allclose(decoded.samples(0)[0], t_s, rtol=0, atol=1e-6)
    assert report.warnings == ()
    assert report.duration_s == t_s[-1]
    assert decoded.rows[0].arrival_ns == 12_345_000_000


def test_a_packet_arrives_with_its_last_sample(tmp_path: Path, out: Path) -> None:
    t_s = 3 + np.arange(505) / 100
    import_csv([_csv(tmp_path / "a.csv", IMU, t_s, _ramp(505, 6))], out, exercise=None)
    decoded = _Decoded(out)
    for arrival_ns, event in decoded.events:
        assert isinstance(event, SampleBlock)
        last = event.first_sample + len(event.values) - 1
        assert arrival_ns == round(t_s[last] * 1e9)
        assert event.time_us == round(t_s[event.first_sample] * 1e6)


def test_several_files_become_several_streams_on_one_time_line(tmp_path: Path, out: Path) -> None:
    emg_t, imu_t = 0.5 + np.arange(2000) / 1000, np.arange(250) / 100
    emg = _csv(tmp_path / "emg.csv", ("emg.gluteus_maximus.left_uV",), emg_t, _ramp(2000, 1))
    imu = _csv(tmp_path / "imu.csv", IMU, imu_t, _ramp(250, 6))
    report = import_csv([emg, imu], out, exercise="bridge")
    decoded = _Decoded(out)
    assert [stream.kind for stream in decoded.capabilities.streams] == [StreamKind.EMG, StreamKind.IMU]
    assert np.allclose(decoded.samples(0)[0], emg_t, rtol=0, atol=1e-6)
    assert np.allclose(decoded.samples(1)[0], imu_t, rtol=0, atol=1e-6)
    arrivals = [row.arrival_ns for row in decoded.rows]
    assert arrivals == sorted(arrivals)
    assert [stream.file for stream in report.streams] == ["emg.csv", "imu.csv"]
    assert decoded.header.notes == ("imported from emg.csv, imu.csv",)
    assert verify(out) == []


def test_a_file_with_muscles_and_motion_becomes_two_streams_with_their_own_rates(
    tmp_path: Path, out: Path
) -> None:
    t_s = np.arange(2000) / 1000
    values = _ramp(2000, 7)
    values[np.arange(2000) % 10 > 0, 1:] = np.nan
    path = _csv(tmp_path / "a.csv", ("emg.multifidus.left_uV", *IMU), t_s, values)
    import_csv([path], out, exercise=None)
    decoded = _Decoded(out)
    assert [(s.kind, s.rate_hz) for s in decoded.capabilities.streams] == [
        (StreamKind.EMG, 1000.0),
        (StreamKind.IMU, 100.0),
    ]
    assert np.array_equal(decoded.samples(1)[1], values[::10, 1:].astype(np.float32))
    assert decoded.gaps(1) == []


def test_every_site_with_motion_is_a_stream_of_its_own(tmp_path: Path, out: Path) -> None:
    names = tuple(
        f"acc.{site}.{axis}_g" for site in ("thigh.left", "thigh.right", "pelvis") for axis in "xyz"
    )
    import_csv([_csv(tmp_path / "a.csv", names, np.arange(100) / 50, _ramp(100, 9))], out, exercise=None)
    streams = _Decoded(out).capabilities.streams
    assert [(s.channels[0].site, s.channels[0].side, len(s.channels)) for s in streams] == [
        ("thigh", "left", 3),
        ("thigh", "right", 3),
        ("pelvis", None, 3),
    ]


def test_a_missing_row_is_a_gap_and_a_missing_cell_is_nan(tmp_path: Path, out: Path) -> None:
    values = _ramp(100, 2)
    values[20:23] = np.nan
    values[50, 1] = np.nan
    names = ("emg.multifidus.left_uV", "emg.multifidus.right_uV")
    report = import_csv([_csv(tmp_path / "a.csv", names, np.arange(100) / 100, values)], out, exercise=None)
    decoded = _Decoded(out)
    assert decoded.gaps(0) == [(20, 3)]
    times, samples = decoded.samples(0)
    kept = np.delete(np.arange(100), [20, 21, 22])
    assert np.array_equal(samples, values[kept].astype(np.float32), equal_nan=True)
    assert np.allclose(times, kept / 100, rtol=0, atol=1e-9)
    assert (report.streams[0].n_missing, report.streams[0].n_gaps) == (3, 1)


def test_a_hole_in_time_is_a_gap_of_its_length(tmp_path: Path, out: Path) -> None:
    t_s = np.delete(np.arange(500) / 100, np.arange(200, 260))
    import_csv([_csv(tmp_path / "a.csv", IMU, t_s, _ramp(440, 6))], out, exercise=None)
    decoded = _Decoded(out)
    assert decoded.gaps(0) == [(200, 60)]
    assert np.allclose(decoded.samples(0)[0], t_s, rtol=0, atol=1e-9)


def test_columns_outside_the_contract_are_named_in_warnings(tmp_path: Path, out: Path) -> None:
    path = _csv(tmp_path / "a.csv", ("seq", "emg.multifidus_uV", "emg_V"), np.arange(9) / 9, _ramp(9, 3))
    report = import_csv([path], out, exercise=None)
    assert [warning.split(" is skipped")[0] for warning in report.warnings] == [
        "a.csv: column 2 ('seq')",
        "a.csv: column 4 ('emg_V')",
    ]


def test_an_incomplete_set_of_axes_is_skipped_with_a_warning(tmp_path: Path, out: Path) -> None:
    names = (*IMU[:3], "gyr.pelvis.x_dps", "gyr.pelvis.y_dps", "acc.thigh.left.x_g")
    report = import_csv(
        [_csv(tmp_path / "a.csv", names, np.arange(50) / 50, _ramp(50, 6))], out, exercise=None
    )
    (stream,) = _Decoded(out).capabilities.streams
    assert {channel.quantity for channel in stream.channels} == {Quantity.ACCELERATION}
    assert len(report.warnings) == 2
    assert "gyr.pelvis.x_dps, gyr.pelvis.y_dps" in report.warnings[0]
    assert "acc.thigh.left.x_g" in report.warnings[1]


def test_angular_rate_without_acceleration_makes_no_stream(tmp_path: Path, out: Path) -> None:
    path = _csv(tmp_path / "a.csv", IMU[3:], np.arange(50) / 50, _ramp(50, 3))
    with pytest.raises(ImportFileError, match="no column makes a stream") as caught:
        import_csv([path], out, exercise=None)
    assert "no acceleration" in caught.value.advice
    assert not out.exists()


def test_a_column_without_any_value_is_named(tmp_path: Path, out: Path) -> None:
    values = _ramp(50, 2)
    values[:, 1] = np.nan
    path = _csv(
        tmp_path / "a.csv", ("emg.multifidus.left_uV", "emg.multifidus.right_uV"), np.arange(50) / 50, values
    )
    (warning,) = import_csv([path], out, exercise=None).warnings
    assert "emg.multifidus.right_uV holds no value" in warning


@pytest.mark.parametrize("first_s", [-2.0, 1.7e9])
def test_times_that_are_dates_or_negative_are_counted_from_the_first_row(
    tmp_path: Path, out: Path, first_s: float
) -> None:
    t_s = first_s + np.arange(200) / 100
    emg = _csv(tmp_path / "emg.csv", ("emg.multifidus_uV",), t_s + 0.5, _ramp(200, 1))
    imu = _csv(tmp_path / "imu.csv", IMU, t_s, _ramp(200, 6))
    report = import_csv([emg, imu], out, exercise=None)
    decoded = _Decoded(out)
    assert np.allclose(decoded.samples(1)[0], np.arange(200) / 100, rtol=0, atol=2e-6)
    assert np.allclose(decoded.samples(0)[0], 0.5 + np.arange(200) / 100, rtol=0, atol=2e-6)
    (warning,) = report.warnings
    assert f"begins at {first_s!r} s" in warning


def test_files_without_a_common_time_line_are_refused(tmp_path: Path, out: Path) -> None:
    emg = _csv(tmp_path / "emg.csv", ("emg.multifidus_uV",), 1.7e9 + np.arange(9) / 9, _ramp(9, 1))
    imu = _csv(tmp_path / "imu.csv", IMU, np.arange(9) / 9, _ramp(9, 6))
    with pytest.raises(ImportFileError, match="share no time line"):
        import_csv([emg, imu], out, exercise=None)


def test_a_given_rate_takes_the_place_of_the_estimate(tmp_path: Path, out: Path) -> None:
    t_s = np.round(np.arange(3000) / 701, 3)
    path = _csv(tmp_path / "a.csv", ("emg.multifidus_uV",), t_s, _ramp(3000, 1))
    report = import_csv([path], out, exercise=None, rate_hz=701.0)
    assert report.streams[0].rate_given
    assert report.streams[0].stream.rate_hz == 701.0
    assert _Decoded(out).gaps(0) == []


def test_a_given_rate_that_contradicts_the_times_is_refused(tmp_path: Path, out: Path) -> None:
    path = _csv(tmp_path / "a.csv", ("emg.multifidus_uV",), np.arange(300) / 100, _ramp(300, 1))
    for rate_hz in (1000.0, 50.0):
        with pytest.raises(ImportFileError, match="t_s shows 100 Hz"):
            import_csv([path], out, exercise=None, rate_hz=rate_hz)
    for rate_hz in (0.0, -1.0, float("nan")):
        with pytest.raises(ImportFileError, match="not greater than 0"):
            import_csv([path], out, exercise=None, rate_hz=rate_hz)


def test_a_single_row_needs_a_given_rate(tmp_path: Path, out: Path) -> None:
    path = _csv(tmp_path / "a.csv", ("emg.multifidus_uV",), np.array([1.0]), _ramp(1, 1))
    with pytest.raises(ImportFileError, match="tells no rate") as caught:
        import_csv([path], out, exercise=None)
    assert "--rate" in caught.value.advice
    import_csv([path], out, exercise=None, rate_hz=100.0)
    assert len(_Decoded(out).samples(0)[0]) == 1


def test_times_in_bursts_are_imported_with_a_warning(tmp_path: Path, out: Path) -> None:
    t_s = (np.repeat(np.arange(250) * 0.04, 4).reshape(-1, 4) + np.arange(4) * 1e-4).ravel()
    path = _csv(tmp_path / "a.csv", IMU, t_s, _ramp(1000, 6))
    assert "--rate" in import_csv([path], out, exercise=None).warnings[0]
    assert (
        import_csv([path], out, exercise=None, rate_hz=100.0, replace=True).streams[0].max_deviation_s < 0.05
    )


def test_a_hole_of_more_than_an_hour_is_refused(tmp_path: Path, out: Path) -> None:
    t_s = np.concatenate([np.arange(100) / 10, 4000 + np.arange(100) / 10])
    path = _csv(tmp_path / "a.csv", ("emg.multifidus_uV",), t_s, _ramp(200, 1))
    with pytest.raises(ImportFileError, match=r"from t_s 9\.9 to 4000\.0 s"):
        import_csv([path], out, exercise=None)


def test_a_value_beyond_float32_is_named(tmp_path: Path, out: Path) -> None:
    values = _ramp(10, 1)
    values[3] = 1e35
    path = _csv(tmp_path / "a.csv", ("emg.multifidus_V",), np.arange(10) / 10, values)
    with pytest.raises(ImportFileError, match=r"column 2 \(emg\.multifidus_V\).*1e\+35"):
        import_csv([path], out, exercise=None)


def test_the_same_signal_in_two_files_is_refused(tmp_path: Path, out: Path) -> None:
    path = _csv(tmp_path / "a.csv", IMU, np.arange(9) / 9, _ramp(9, 6))
    other = _csv(tmp_path / "b.csv", IMU, np.arange(9) / 9, _ramp(9, 6))
    with pytest.raises(ImportFileError, match=r"b\.csv, column 2 .* came from a\.csv"):
        import_csv([path, other], out, exercise=None)
    with pytest.raises(ImportFileError, match="came from a"):
        import_csv([path, path], out, exercise=None)


@pytest.mark.parametrize(("n_channels", "fits"), [(57, True), (58, True), (124, True), (125, False)])
def test_many_channels_take_larger_packets_as_far_as_they_go(
    tmp_path: Path, out: Path, n_channels: int, fits: bool
) -> None:
    names = tuple(f"emg.m{number}_uV" for number in range(n_channels))
    path = _csv(tmp_path / "a.csv", names, np.arange(40) / 1000, _ramp(40, n_channels))
    if fits:
        import_csv([path], out, exercise=None)
        assert _Decoded(out).samples(0)[1].shape == (40, n_channels)
    else:
        with pytest.raises(ImportFileError, match="125 channels"):
            import_csv([path], out, exercise=None)
        assert list(tmp_path.iterdir()) == [path]


def test_an_existing_output_is_refused_before_the_input_is_read(tmp_path: Path, out: Path) -> None:
    out.write_text("precious")
    with pytest.raises(RecordingError, match="exists already"):
        import_csv([tmp_path / "missing.csv"], out, exercise=None)
    assert out.read_text() == "precious"


def test_an_unknown_exercise_is_refused(tmp_path: Path, out: Path) -> None:
    path = _csv(tmp_path / "a.csv", IMU, np.arange(9) / 9, _ramp(9, 6))
    with pytest.raises(ExerciseError):
        import_csv([path], out, exercise="planking")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_import_leaves_the_file_that_was_to_be_replaced(tmp_path: Path, out: Path) -> None:
    out.write_text("precious")
    (tmp_path / "a.csv").write_text("t_s,emg.multifidus_uV\n0,1\n0,2\n")
    with pytest.raises(ImportFileError):
        import_csv([tmp_path / "a.csv"], out, exercise=None, replace=True)
    assert out.read_text() == "precious"


def test_no_packet_is_rejected_whatever_the_gaps(tmp_path: Path, out: Path) -> None:
    rng = np.random.default_rng(5)
    keep = np.flatnonzero(rng.random(20_000) > 0.2)
    path = _csv(tmp_path / "a.csv", ("emg.multifidus_uV",), keep / 2000, _ramp(len(keep), 1))
    import_csv([path], out, exercise=None, rate_hz=2000.0)
    decoded = _Decoded(out)
    assert not [event for _, event in decoded.events if isinstance(event, Reject)]
    assert np.allclose(decoded.samples(0)[0], (keep - keep[0]) / 2000 + keep[0] / 2000, rtol=0, atol=1e-6)


def _real_data() -> Path:
    return Path(os.environ.get("EMGMON_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.skipif(
    not (_real_data() / "waist_squats").is_dir(), reason="the real recordings are not on this machine"
)
def test_a_real_waist_set_keeps_its_times_and_values(out: Path) -> None:
    path = _real_data() / "waist_squats" / "subject1_correct_set1.csv.gz"
    truth = np.loadtxt(path, delimiter=",", skiprows=1)
    report: ImportReport = import_csv([path], out, exercise="squat")
    times, samples = _Decoded(out).samples(0)
    assert np.array_equal(samples, truth[:, 2:].astype(np.float32))
    assert np.abs(times - truth[:, 0]).max() < 2 / 110
    assert 110 < report.streams[0].stream.rate_hz < 111


def test_import_errors_are_errors_that_a_person_may_see() -> None:
    assert issubclass(ImportFileError, EmgmonError)

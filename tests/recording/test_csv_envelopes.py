"""Rectified and smoothed EMG is told from raw EMG with an offset, on made signals and on recorded ones."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, filtfilt

from benchmarks.real_data import VARIABLE, real_data
from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.timeline import SampleClock
from emgmon.recording.csv_envelopes import EmgForm, emg_form, is_often_negative
from emgmon.recording.csv_import import ImportReport, import_csv
from emgmon.recording.format import sensor_capabilities
from emgmon.recording.reader import RecordingReader
from emgmon.virtual.muscle import muscle_noise
from firmware_protocol.capabilities import Quantity

Signal = NDArray[np.float64]
FOLDER = real_data()
needs_real_data = pytest.mark.skipif(
    FOLDER is None, reason=f"the real recordings are not here; {VARIABLE} names the folder that holds them"
)
RATES_HZ = (200.0, 250.0, 500.0, 1000.0, 1111.0, 2000.0)


def bursts(rate_hz: float, *, seconds: float = 20.0, rest_uv: float = 3.0) -> tuple[Signal, Signal]:
    """Times, and raw EMG that is 60 uV for 1.2 of every 3 s."""
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    chance = np.random.default_rng(round(rate_hz))
    amplitude_uv = np.where(t_s % 3.0 < 1.2, 60.0, rest_uv)
    return t_s, muscle_noise(len(t_s), rate_hz, chance) * amplitude_uv + chance.normal(0.0, 1.0, len(t_s))


def averaged(values: Signal, width_s: float, rate_hz: float) -> Signal:
    width = max(1, round(width_s * rate_hz))
    return np.maximum(np.convolve(values, np.ones(width) / width, "same"), 0.0)


def low_passed(values: Signal, corner_hz: float, rate_hz: float) -> Signal:
    b, a = butter(2, corner_hz / (rate_hz / 2))
    return np.asarray(filtfilt(b, a, values))


def form(values: Signal, rate_hz: float) -> EmgForm:
    return emg_form(values.astype(np.float32), rate_hz)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_raw_emg_is_raw_whatever_its_offset(rate_hz: float) -> None:
    t_s, raw = bursts(rate_hz)
    drifting = raw + 400.0 + 2000.0 * np.exp(-t_s / 8.0)
    shifted = raw + 400.0 + 1000.0 * low_passed((t_s % 3.0 < 1.2) * 1.0, 6.0, rate_hz)
    for lifted in (raw, raw + 32768.0, raw + 2048.0, raw - raw.min(), drifting, shifted):
        assert form(lifted, rate_hz) is EmgForm.RAW
    assert form(np.round(raw + 2048.0), rate_hz) is EmgForm.RAW


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_rectified_emg_piles_up_at_zero(rate_hz: float) -> None:
    _, raw = bursts(rate_hz)
    for rectified in (np.abs(raw), np.maximum(raw, 0.0), np.round(np.abs(raw))):
        assert form(rectified, rate_hz) is EmgForm.RECTIFIED


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("width_s", [0.02, 0.1, 0.25])
def test_a_moving_rms_and_a_moving_average_are_smoothed(rate_hz: float, width_s: float) -> None:
    _, raw = bursts(rate_hz)
    assert form(np.sqrt(averaged(raw * raw, width_s, rate_hz)), rate_hz) is EmgForm.SMOOTHED
    assert form(averaged(np.abs(raw), width_s, rate_hz), rate_hz) is EmgForm.SMOOTHED


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("corner_hz", [3.0, 6.0, 10.0])
def test_a_linear_envelope_is_smoothed_although_it_undershoots(rate_hz: float, corner_hz: float) -> None:
    _, raw = bursts(rate_hz, rest_uv=1.0)
    assert form(low_passed(np.abs(raw), corner_hz, rate_hz), rate_hz) is EmgForm.SMOOTHED


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_an_envelope_in_counts_of_ten_bits_over_some_offset_is_smoothed(rate_hz: float) -> None:
    _, raw = bursts(rate_hz)
    assert form(np.round(10.0 * low_passed(np.abs(raw), 6.0, rate_hz) + 30.0), rate_hz) is EmgForm.SMOOTHED


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_an_envelope_of_a_single_level_is_left_alone_but_said_to_be_unclear(rate_hz: float) -> None:
    raw = muscle_noise(round(20 * rate_hz), rate_hz, np.random.default_rng(1)).astype(np.float64) * 50.0
    assert form(np.sqrt(averaged(raw * raw, 0.1, rate_hz)), rate_hz) is EmgForm.UNCLEAR


def test_rectified_emg_over_an_offset_is_unclear() -> None:
    _, raw = bursts(1000.0)
    assert form(np.abs(raw) + 5.0, 1000.0) is EmgForm.UNCLEAR


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(5000),
        np.full(5000, 7.0),
        np.full(5000, np.nan),
        np.array([]),
        np.abs(bursts(1000.0)[1][:900]),
    ],
)
def test_a_dead_channel_and_less_than_a_second_are_not_judged(values: Signal) -> None:
    assert form(values, 1000.0) is EmgForm.RAW


def test_missing_samples_do_not_change_what_a_signal_is() -> None:
    _, raw = bursts(1000.0)
    rectified, lifted = np.abs(raw), raw + 2048.0
    for values in (rectified, lifted):
        values[3000:3100] = np.nan
        values[::977] = np.nan
    assert form(rectified, 1000.0) is EmgForm.RECTIFIED
    assert form(lifted, 1000.0) is EmgForm.RAW


def test_a_long_file_is_judged_all_over() -> None:
    """Half an hour of quiet converter noise over an offset, and the work only at its end."""
    quiet = np.random.default_rng(2).normal(0.0, 1.0, 30 * 60 * 250)
    _, raw = bursts(250.0, seconds=600.0)
    assert form(np.concatenate([np.abs(quiet), np.abs(raw)]), 250.0) is EmgForm.RECTIFIED
    assert form(np.concatenate([quiet, raw]) + 2048.0, 250.0) is EmgForm.RAW
    enveloped = np.concatenate([averaged(np.abs(quiet), 0.1, 250.0), averaged(np.abs(raw), 0.1, 250.0)])
    assert form(enveloped, 250.0) is EmgForm.SMOOTHED


def test_samples_lost_as_zeros_do_not_make_raw_emg_an_envelope() -> None:
    _, raw = bursts(1000.0)
    lifted = raw + 2048.0
    lifted[4000:9000] = 0.0
    assert form(lifted, 1000.0) is EmgForm.RAW


def test_an_envelope_may_undershoot_but_not_swing_below_zero() -> None:
    assert not is_often_negative(np.array([1.0, 2.0, np.nan], dtype=np.float32))
    assert not is_often_negative(np.full(3, np.nan, dtype=np.float32))
    assert is_often_negative(np.array([1.0, -2.0, np.nan], dtype=np.float32))


def write(path: Path, columns: dict[str, Signal], rate_hz: float) -> Path:
    table = np.column_stack([np.arange(len(next(iter(columns.values())))) / rate_hz, *columns.values()])
    np.savetxt(path, table, delimiter=",", fmt="%.6g", header=",".join(["t_s", *columns]), comments="")
    return path


def quantities(report: ImportReport) -> list[Quantity]:
    return [channel.quantity for stream in report.streams for channel in stream.stream.channels]


def test_raw_emg_and_envelopes_are_one_stream_channel_by_channel(tmp_path: Path) -> None:
    _, raw = bursts(1000.0)
    columns = {
        "emg.gluteus_maximus.left_uV": raw,
        "env.gluteus_maximus.right_uV": averaged(np.abs(raw), 0.1, 1000.0),
        "emg.erector_spinae.left_uV": np.abs(raw),
        "emg.erector_spinae.right_uV": np.sqrt(averaged(raw * raw, 0.25, 1000.0)),
        "emg.biceps_femoris.left_uV": raw + 2048.0,
    }
    out = tmp_path / "out.arrows"
    report = import_csv([write(tmp_path / "a.csv", columns, 1000.0)], out, exercise=None)
    raw_emg, envelope = Quantity.EMG, Quantity.ENVELOPE
    assert len(report.streams) == 1
    assert quantities(report) == [raw_emg, envelope, envelope, envelope, raw_emg]
    rectified, smoothed = report.warnings
    assert rectified.startswith("a.csv: emg.erector_spinae.left_uV never goes below 0 and piles up there")
    assert smoothed.startswith("a.csv: emg.erector_spinae.right_uV rises from 0 with the effort")
    for warning in report.warnings:
        assert "no median frequency, and no onset finer than its smoothing" in warning
        assert "env." in warning
    (sensor,) = sensor_capabilities(RecordingReader(out).header)
    assert sensor is not None
    assert [channel.quantity for channel in sensor.streams[0].channels] == quantities(report)


def test_what_is_unclear_stays_raw_and_the_warning_tells_how_to_name_it(tmp_path: Path) -> None:
    raw = muscle_noise(20_000, 1000.0, np.random.default_rng(1)).astype(np.float64) * 50.0
    columns = {"emg.multifidus.left_uV": averaged(np.abs(raw), 0.1, 1000.0)}
    report = import_csv([write(tmp_path / "a.csv", columns, 1000.0)], tmp_path / "out.arrows", exercise=None)
    assert quantities(report) == [Quantity.EMG]
    (warning,) = report.warnings
    assert warning.endswith("if it is an envelope, name it env.multifidus.left_uV")


def test_raw_emg_that_is_called_an_envelope_is_pointed_out(tmp_path: Path) -> None:
    _, raw = bursts(1000.0)
    path = write(tmp_path / "a.csv", {"env.multifidus_uV": raw}, 1000.0)
    report = import_csv([path], tmp_path / "out.arrows", exercise=None)
    assert quantities(report) == [Quantity.ENVELOPE]
    (warning,) = report.warnings
    assert "goes below 0 often" in warning


def recorded(path: Path) -> tuple[list[str], Signal, float]:
    """Names and values of a recorded file's columns, and its rate."""
    with gzip.open(path, "rt") as file:
        names = next(csv.reader(file))
        table = np.loadtxt(file, delimiter=",", ndmin=2)
    return names[1:], table[:, 1:], 1.0 / float(np.median(np.diff(table[:, 0])))


def recorded_emg() -> list[Path]:
    assert FOLDER is not None
    folders = ("back_lifting", "bursts_fatigue_ecg", "gait_gluteus", "thigh_emg_knee_angle")
    return [path for folder in folders for path in sorted((FOLDER / folder).glob("*.csv.gz"))]


@needs_real_data
def test_no_recorded_raw_emg_is_called_an_envelope() -> None:
    n_judged = 0
    for path in recorded_emg():
        names, columns, rate_hz = recorded(path)
        for name, values in zip(names, columns.T, strict=True):
            if name != "knee_angle_deg":
                assert form(values, rate_hz) in (EmgForm.RAW, EmgForm.UNCLEAR), (path.name, name)
                n_judged += 1
    assert n_judged == 81


@needs_real_data
def test_recorded_emg_as_converter_counts_is_raw_beyond_doubt(tmp_path: Path) -> None:
    assert FOLDER is not None
    for name in ("emg_bursts", "emg_fatigue"):
        _, columns, rate_hz = recorded(FOLDER / "bursts_fatigue_ecg" / f"{name}.csv.gz")
        assert columns.min() >= 0.0
        path = write(tmp_path / f"{name}.csv", {"emg.multifidus_uV": columns[:, 0]}, rate_hz)
        report = import_csv([path], tmp_path / f"{name}.arrows", exercise=None)
        assert quantities(report) == [Quantity.EMG]
        assert report.warnings == ()


@needs_real_data
def test_recorded_envelopes_of_20_ms_are_found_in_every_muscle(tmp_path: Path) -> None:
    assert FOLDER is not None
    for path in sorted((FOLDER / "glute_back_envelopes").glob("*.csv.gz")):
        names, columns, rate_hz = recorded(path)
        sites = {
            f"emg.{name.removeprefix('R.').lower().replace('&', '_')}.right_mV": values
            for name, values in zip(names, columns.T, strict=True)
        }
        source = write(tmp_path / path.name.replace(".gz", ""), sites, rate_hz)
        report = import_csv([source], tmp_path / f"{path.name}.arrows", exercise=None)
        assert quantities(report) == [Quantity.ENVELOPE] * 8, path.name
        assert len(report.warnings) == 8


@needs_real_data
def test_the_back_at_250_hz_shows_its_eleven_lifts(tmp_path: Path) -> None:
    assert FOLDER is not None
    _, columns, rate_hz = recorded(FOLDER / "back_lifting" / "back_lifting.csv.gz")
    path = write(tmp_path / "a.csv", {"emg.erector_spinae_V": columns[:, 0]}, rate_hz)
    report = import_csv([path], tmp_path / "a.arrows", exercise=None)
    assert quantities(report) == [Quantity.EMG]
    stage = EnvelopeStage(n_channels=1, rate_hz=report.streams[0].stream.rate_hz)
    hops = stage.process(1e6 * columns.T.copy(), SampleClock(0, 0.0, rate_hz), 0)
    assert n_bursts(hops.envelope_uv[:, 0]) == 11


def n_bursts(envelope_uv: Signal) -> int:
    """Count how often a second of envelope rises over a third of the way from rest to effort."""
    second = np.convolve(np.nan_to_num(envelope_uv), np.ones(100) / 100, "same")
    rest, effort = np.quantile(second, [0.25, 0.95])
    loud = second > rest + (effort - rest) / 3.0
    return int(np.count_nonzero(loud[1:] & ~loud[:-1]))

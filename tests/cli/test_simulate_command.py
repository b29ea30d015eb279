"""``emgmon simulate`` writes a recording with its truth, or says what is wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emgmon.cli.simulate import command
from emgmon.errors import EmgmonError, SimulationError
from emgmon.exercises import EXERCISE_NAMES
from emgmon.recording.format import sensor_capabilities
from emgmon.recording.reader import RecordingReader
from emgmon.virtual.truth import read_truth


def run(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


def test_a_recording_and_its_truth_are_written_and_named(tmp_path: Path) -> None:
    out = tmp_path / "set.arrows"
    result = run(str(out), "--exercise", "squat", "--reps", "2", "--glute-share", "40", "--seed", "7")
    assert result.exit_code == 0
    assert out.exists()
    truth = json.loads((tmp_path / "set.truth.json").read_bytes())
    assert [(rep["set"], rep["number"]) for rep in truth["reps"]] == [(1, 1), (1, 2)]
    assert truth["params"]["glute_share_pct"] == 40.0
    assert f"{out}: squat, 1 set(s), 2 repetitions" in result.stdout
    assert str(tmp_path / "set.truth.json") in result.stdout


def test_every_option_reaches_the_athlete(tmp_path: Path) -> None:
    options = "--exercise bridge --reps 1 --sets 2 --snr-db 15 --hum-uv 10 --heartbeat-uv 50 --loss 5"
    result = run(str(tmp_path / "x.arrows"), *options.split(), "--duration", "50", "--seed", "3")
    assert result.exit_code == 0
    truth = json.loads((tmp_path / "x.truth.json").read_bytes())
    assert truth["duration_s"] == 50.0
    assert [rep["set"] for rep in truth["reps"]] == [1, 2]
    assert sum(loss["notifications"] for loss in truth["lost"]) > 0
    asked = {"snr_db": 15.0, "hum_uv": 10.0, "heartbeat_uv": 50.0, "seed": 3}
    assert asked.items() <= truth["params"].items()


def test_the_same_command_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(str(tmp_path / f"{name}.arrows"), "--exercise", "bridge", "--reps", "1", "--loss", "3")
    assert (tmp_path / "a.arrows").read_bytes() == (tmp_path / "b.arrows").read_bytes()


def test_an_exercise_that_cannot_be_simulated_is_refused_with_the_choice(tmp_path: Path) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "juggling")
    assert isinstance(result.exception, SimulationError)
    assert "juggling" in str(result.exception)
    assert result.exception.advice == f"Choose one of {', '.join(EXERCISE_NAMES)}."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exercise", EXERCISE_NAMES)
def test_every_exercise_is_performed(tmp_path: Path, exercise: str) -> None:
    out = tmp_path / "x.arrows"
    assert run(str(out), "--exercise", exercise, "--reps", "2", "--no-emg").exit_code == 0
    assert [rep.number for rep in read_truth(out).reps] == [1, 2]


def test_every_option_of_the_movement_reaches_the_athlete(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    options = (
        "--exercise lunge --reps 4 --side left --range 0.5 --lift 2 --hold 3 --return 2.5 --pause 2"
        " --partial 1 --mid-set-rest 10 --set-up walking,shuffling --lumbar-share 0.3 --rotation-excess 12"
        " --wobble 0.5 --slip 9 --imu pelvis,thigh --accelerometer-only --no-emg"
    )
    assert run(str(out), *options.split()).exit_code == 0
    truth = read_truth(out)
    assert {rep.side for rep in truth.reps} == {"left"}
    assert [rep.partial for rep in truth.reps].count(True) == 1
    assert {"walking", "shuffling"} <= {move.kind for move in truth.set_up}
    assert truth.reps[2].start_s - truth.reps[1].end_s == pytest.approx(12.0, abs=1.0)
    first = truth.reps[0]
    lengths_s = {phase.name: phase.end_s - phase.start_s for phase in first.phases}
    assert lengths_s == pytest.approx({"lift": 2.0, "hold": 3.0, "return": 2.5}, rel=0.25)
    assert first.pelvis_height_range_m == pytest.approx(0.14, abs=0.03)
    assert first.pelvis_rotation_range_deg == pytest.approx(12.0 + 2.5, abs=1.5)
    assert truth.params is not None
    asked = (truth.params.lumbar_share, truth.params.slip_deg, truth.params.wobble_deg)
    assert asked == (0.3, 9.0, 0.5)
    streams = sensor_capabilities(RecordingReader(out).header)[0].streams
    assert [(stream.number, len(stream.channels)) for stream in streams] == [(2, 3), (4, 3)]


def test_tempo_and_thigh_reach_the_athlete(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    words = "--exercise bird-dog --reps 1 --tempo 2 --imu thigh --thigh right --set-rest 30 --sets 2 --no-emg"
    assert run(str(out), *words.split()).exit_code == 0
    first, second = read_truth(out).reps
    assert first.end_s - first.start_s == pytest.approx(2.0 * 4.1, rel=0.2)
    assert second.start_s - first.end_s == pytest.approx(30.0)
    channel = sensor_capabilities(RecordingReader(out).header)[0].streams[0].channels[0]
    assert (channel.site, channel.side) == ("thigh", "right")


def test_excess_and_the_moment_of_a_slip_reach_the_athlete(tmp_path: Path) -> None:
    motions = {}
    for name, words in {"usual": [], "excess": ["--pitch-excess", "10", "--obliquity-excess", "8"]}.items():
        out = tmp_path / f"{name}.arrows"
        run(str(out), "--exercise", "prone-hip-extension", "--reps", "1", "--no-emg", *words)
        motions[name] = read_truth(out).reps[0]
    usual, excess = motions["usual"], motions["excess"]
    assert excess.pelvis_anterior_change_deg - usual.pelvis_anterior_change_deg == pytest.approx(
        10.0, abs=0.1
    )
    assert excess.pelvis_obliquity_range_deg - usual.pelvis_obliquity_range_deg == pytest.approx(8.0, abs=0.5)


def test_when_the_sensors_slip_can_be_chosen(tmp_path: Path) -> None:
    recordings = []
    for name, words in {"slowly": [], "at once": ["--slip-at", "6"]}.items():
        out = tmp_path / f"{name}.arrows"
        run(str(out), "--exercise", "bridge", "--reps", "1", "--no-emg", "--slip", "20", *words)
        recordings.append(out.read_bytes())
    assert recordings[0] != recordings[1]


def test_every_option_of_the_muscles_reaches_the_athlete(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    options = (
        "--exercise bridge --reps 3 --mains-hz 60 --glute-delay 0.2 --onset-ramp 0.1 --squeeze-fade 0.5"
        " --back-surge 1 --fatigue 5 --fatigue-rise 2 --clip-uv 400 --reversal 6"
    )
    assert run(str(out), *options.split()).exit_code == 0
    truth = read_truth(out)
    asked = {
        "mains_hz": 60.0,
        "glute_delay_s": 0.2,
        "onset_ramp_s": 0.1,
        "squeeze_fade": 0.5,
        "back_surge": 1.0,
        "fatigue_pct_per_rep": 5.0,
        "fatigue_rise_pct_per_rep": 2.0,
        "clip_uv": 400.0,
        "reversal_deg": 6.0,
    }
    told = json.loads((tmp_path / "x.truth.json").read_bytes())["params"]
    assert asked.items() <= told.items()
    first, _, last = truth.reps
    assert first.onset_difference_ms == pytest.approx(200.0, abs=100.0)
    assert last.fatigue_pct == pytest.approx(100.0 * (1.0 - 0.95**2))
    assert first.pelvis_reversal_deg == pytest.approx(6.0, abs=1.5)


def test_an_electrode_comes_off_when_and_as_asked(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    words = "--electrode-off erector_spinae.right --electrode-off-at 7.5 --electrode-off-as flat"
    assert run(str(out), "--exercise", "bridge", "--reps", "1", *words.split()).exit_code == 0
    off = read_truth(out).electrode_off
    assert off is not None
    assert (off.site, off.side, off.at_s, off.kind) == ("erector_spinae", "right", 7.5, "flat")


def test_an_electrode_comes_off_half_way_when_no_moment_is_given(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    words = "--exercise bridge --reps 2 --duration 40 --electrode-off gluteus_maximus.left"
    assert run(str(out), *words.split()).exit_code == 0
    off = read_truth(out).electrode_off
    assert off is not None
    assert (off.at_s, off.kind) == (20.0, "floating")


def test_a_recording_can_begin_with_a_calibration_instead_of_carrying_one(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    assert run(str(out), "--exercise", "bridge", "--reps", "1", "--with-calibration").exit_code == 0
    header = RecordingReader(out).header
    assert (header.calibration, header.reference, header.alignments) == (None, None, ())
    calibration = read_truth(out).calibration
    assert calibration is not None
    assert [one.site for one in calibration.references] == ["gluteus_maximus", "erector_spinae"]


@pytest.mark.parametrize(
    ("exercise", "option", "fitting"),
    [
        ("squat", "--reversal", "bridge, hip-thrust"),
        ("bridge", "--lockout", "romanian-deadlift, squat"),
        ("lunge", "--lockout", "romanian-deadlift, squat"),
    ],
)
def test_tipping_where_an_exercise_has_no_place_for_it_is_refused_with_the_choice(
    tmp_path: Path, exercise: str, option: str, fitting: str
) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", exercise, option, "5")
    assert isinstance(result.exception, SimulationError)
    assert exercise in str(result.exception)
    assert fitting in result.exception.advice
    assert list(tmp_path.iterdir()) == []


def test_electrodes_alone_can_be_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    assert run(str(out), "--exercise", "bridge", "--reps", "1", "--imu", "none").exit_code == 0
    streams = sensor_capabilities(RecordingReader(out).header)[0].streams
    assert [stream.number for stream in streams] == [1]


def test_nothing_to_wear_is_refused(tmp_path: Path) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", "--imu", "none", "--no-emg")
    assert isinstance(result.exception, SimulationError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--reps", "0"),
        ("--reps", "1000"),
        ("--sets", "0"),
        ("--glute-share", "0"),
        ("--glute-share", "101"),
        ("--snr-db", "-3"),
        ("--hum-uv", "-1"),
        ("--heartbeat-uv", "2001"),
        ("--loss", "100"),
        ("--duration", "0"),
        ("--seed", "-1"),
        ("--seed", "one"),
        ("--side", "front"),
        ("--range", "0.1"),
        ("--tempo", "9"),
        ("--lift", "0.1"),
        ("--hold", "21"),
        ("--return", "16"),
        ("--pause", "0"),
        ("--partial", "-1"),
        ("--set-up", "jumping"),
        ("--imu", "pelvis,ankle"),
        ("--thigh", "both"),
        ("--slip", "90"),
        ("--lumbar-share", "1"),
        ("--glute-delay", "0.6"),
        ("--onset-ramp", "0.01"),
        ("--squeeze-fade", "1"),
        ("--back-surge", "-0.1"),
        ("--fatigue", "11"),
        ("--fatigue-rise", "-1"),
        ("--electrode-off", "rectus_femoris.left"),
        ("--electrode-off-at", "-1"),
        ("--electrode-off-as", "loose"),
        ("--clip-uv", "1"),
        ("--mains-hz", "400"),
        ("--reversal", "31"),
        ("--lockout", "31"),
    ],
)
def test_a_value_out_of_range_is_wrong_usage_and_names_the_option(
    tmp_path: Path, option: str, value: str
) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", option, value)
    assert result.exit_code == 2
    assert option in result.stderr
    assert value.split(",")[-1] in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--snr-db", "--loss", "--duration"])
def test_not_a_number_is_refused(tmp_path: Path, option: str) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", option, "nan")
    assert result.exit_code != 0
    assert isinstance(result.exception, (SimulationError, SystemExit))
    assert list(tmp_path.iterdir()) == []


def test_a_duration_too_short_for_one_set_is_refused(tmp_path: Path) -> None:
    result = run(str(tmp_path / "x.arrows"), "--exercise", "bridge", "--duration", "12")
    assert isinstance(result.exception, SimulationError)
    assert "12 s" in str(result.exception)


def test_an_existing_recording_is_replaced_only_by_force(tmp_path: Path) -> None:
    out = tmp_path / "x.arrows"
    out.write_bytes(b"mine")
    words = [str(out), "--exercise", "bridge", "--reps", "1"]
    refused = run(*words)
    assert isinstance(refused.exception, EmgmonError)
    assert "--force" in refused.exception.advice
    assert out.read_bytes() == b"mine"
    assert run(*words, "--force").exit_code == 0
    assert out.read_bytes() != b"mine"


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    result = run(str(tmp_path / "no" / "x.arrows"), "--exercise", "bridge")
    assert isinstance(result.exception, EmgmonError)
    assert str(tmp_path / "no") in str(result.exception)

"""``emgmon calibrate`` on a performance that begins with rest and reference contractions."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emgmon.analysis import analyse
from emgmon.cli import analyze as analyze_command
from emgmon.cli import live as live_module
from emgmon.cli import main
from emgmon.cli.calibrate import command, load_calibration
from emgmon.cli.live import live_feed, worn_by
from emgmon.cli.own_files import FOLDER_VARIABLE
from emgmon.cli.profiles import Profile, load_profile, save_profile
from emgmon.clock import ManualClock
from emgmon.errors import CalibrationError, ProfileError, UsageError
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.recording.host_events import read_corrections
from emgmon.recording.playback import PlaybackFeed
from emgmon.recording.reader import RecordingReader
from emgmon.recording.verify import verify
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.emg import channel_models
from emgmon.virtual.simulate import write_recording
from emgmon.virtual.truth import Truth
from tests.recording.recording_examples import start_response, write

PARAMS = AthleteParams(
    n_reps=3, with_calibration=True, imu_sites=(), emg_rate_hz=1000.0, seed=4, heartbeat_uv=60.0
)
KIND = re.compile(r"weak|inhibit|abnormal|injur|diagnos|treat", re.IGNORECASE)


@pytest.fixture(scope="module")
def performed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    path = tmp_path_factory.mktemp("performed") / "a.arrows"
    return path, write_recording(perform(PARAMS), path)


@pytest.fixture
def recording(performed: tuple[Path, Truth], tmp_path: Path) -> Path:
    return Path(shutil.copy(performed[0], tmp_path / "a.arrows"))


@pytest.fixture
def words(performed: tuple[Path, Truth]) -> list[str]:
    """Rest and all trials, as a person would name them."""
    truth = performed[1].calibration
    named = ["--rest", "{}:{}".format(*truth.rest_s)]
    for reference in truth.references:
        for from_s, to_s in reference.trials_s:
            named += ["--reference", f"{reference.site}={from_s}:{to_s}"]
    return named


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def status(*words: object) -> int:
    """Exit status as the shell sees it."""
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", *map(str, words)])
    return int(ended.value.code or 0)


def test_stretches_become_the_calibration_and_the_truth_comes_out(
    recording: Path, words: list[str], performed: tuple[Path, Truth]
) -> None:
    before = recording.read_bytes()
    result = run(recording, *words, "--note", "felt strong")
    assert result.exit_code == 0, result.exception
    calibration = read_corrections(recording).calibration
    models = {(model.site, model.side): model for model in channel_models(PARAMS)}
    assert {(one.site, one.side) for one in calibration.channels} == set(models)
    for channel in calibration.channels:
        # The band-pass leaves 97 % of the muscle's RMS.
        truth_uv = 0.97 * models[channel.site, channel.side].reference_uv
        assert abs(channel.reference_uv / truth_uv - 1.0) < 3.0 * channel.reference_cv
        assert channel.n_trials == 3
        assert channel.hum_hz is None
    backs = [one for one in calibration.channels if one.site == "erector_spinae"]
    assert all(one.rest_between_beats_uv < one.rest_uv for one in backs)
    assert calibration.method == "mvic"
    # What the sensors sent is as it was.
    assert recording.read_bytes().startswith(before[:-8])
    assert verify(recording) == []


def test_analysis_and_replay_go_by_it(
    recording: Path, words: list[str], performed: tuple[Path, Truth]
) -> None:
    assert analyse(recording).recording.normalisation is None
    run(recording, *words)
    document = analyse(recording)
    assert document.recording.normalisation == "mvic"
    calibration = read_corrections(recording).calibration
    assert document.recording.calibration == calibration
    truths = [rep.glute_engagement_pct for rep in performed[1].reps]
    found = [
        rep.metrics["glute_engagement_pct"].value
        for rep in document.sets[-1].reps
        if rep.metrics["glute_engagement_pct"].value is not None
    ]
    assert sum(found) / len(found) == pytest.approx(sum(truths) / len(truths), rel=0.12)


async def test_a_replay_has_the_calibration_that_was_made(recording: Path, words: list[str]) -> None:
    run(recording, *words)
    feed = PlaybackFeed(recording, clock=ManualClock())
    await feed.open()
    assert feed._setup is not None
    assert feed._setup.calibration == read_corrections(recording).calibration
    await feed.close()


def test_the_newest_calibration_wins(recording: Path, words: list[str]) -> None:
    run(recording, *words)
    run(recording, *words, "--method", "submaximal")
    log = read_corrections(recording)
    assert (log.calibration.method, log.next_number) == ("submaximal", 3)
    assert log.rows == ()


def test_what_is_printed_is_a_row_for_each_channel(recording: Path, words: list[str]) -> None:
    said = run(recording, *words).stdout
    rows = [line for line in said.splitlines() if " dB " in line]
    assert [row[:22].strip() for row in rows] == [
        "left gluteus maximus",
        "right gluteus maximus",
        "left erector spinae",
        "right erector spinae",
    ]
    assert all(re.search(r"\d µV +\d+\.\d µV +2\d dB +3 +\d+ % +±\d %", row) for row in rows)
    assert all(len(line) <= 110 for line in said.splitlines())
    assert not KIND.search(said)


def test_a_dry_run_prints_the_same_and_keeps_nothing(recording: Path, words: list[str]) -> None:
    before = recording.read_bytes()
    result = run(recording, *words, "--dry-run", "--profile", "anna")
    assert "left gluteus maximus" in result.stdout
    assert recording.read_bytes() == before
    assert load_profile("anna") is None


def test_one_side_and_positions_can_be_named(recording: Path, words: list[str]) -> None:
    first, second, _ = (word.partition("=")[2] for word in words if word.startswith("gluteus"))
    named = [
        *words[:2],
        "--reference",
        f"gluteus_maximus.left@prone={first}",
        "--reference",
        f"gluteus_maximus.left@standing={second}",
    ]
    said = run(recording, *named).stdout
    assert re.search(r"left gluteus maximus: the reference is that of position (prone|standing)", said)
    (channel,) = read_corrections(recording).calibration.channels
    assert (channel.site, channel.side, channel.n_trials) == ("gluteus_maximus", "left", 1)


def test_channels_without_a_reference_may_take_their_strongest_half_second(
    recording: Path, words: list[str]
) -> None:
    gluteal = [f"--reference={word}" for word in words if word.startswith("gluteus")]
    run(recording, *words[:2], *gluteal, "--best-so-far")
    calibration = read_corrections(recording).calibration
    assert calibration.method == "mvic"
    assert {one.site: calibration.method_of(one) for one in calibration.channels} == {
        "gluteus_maximus": "mvic",
        "erector_spinae": "best-so-far",
    }


def test_references_that_the_recording_passed_are_raised(recording: Path, words: list[str]) -> None:
    calibrated = run(recording, *words)
    assert calibrated.exit_code == 0
    known = read_corrections(recording).calibration
    low = [
        ChannelCalibration("gluteus_maximus", "left", known.channels[0].rest_uv, 40.0, bandwidth_hz=190.0),
        *known.channels[1:],
    ]
    _put(recording, Calibration("submaximal", tuple(low), placement=2))
    result = run(recording, "--best-so-far")
    assert result.exit_code == 0, result.exception
    assert re.search(r"left gluteus maximus: 2\d\d % of 40\.0 µV is now 100 %", result.stdout)
    new = read_corrections(recording).calibration
    assert new.channels[0].reference_uv == pytest.approx(known.channels[0].reference_uv, rel=0.08)
    assert (new.method, new.placement) == ("submaximal", 2)
    assert new.method_of(new.channels[0]) == "best-so-far"
    # Once raised, there is nothing left to raise.
    with pytest.raises(CalibrationError, match="stronger than its reference"):
        raise run(recording, "--best-so-far").exception


def _put(recording: Path, calibration: Calibration) -> None:
    from emgmon.recording.append import append_rows
    from emgmon.recording.host_events import CalibrationSetRow, event_notifications

    row = CalibrationSetRow(number=9, calibration=calibration)
    append_rows(recording, lambda newest_ns: event_notifications([row], arrival_ns=newest_ns))


def test_another_recording_goes_by_it_and_says_whose_it_is(
    recording: Path, words: list[str], performed: tuple[Path, Truth], tmp_path: Path
) -> None:
    other = Path(shutil.copy(performed[0], tmp_path / "other.arrows"))
    run(recording, *words)
    found = load_calibration(recording, recording=other)
    assert found.source == "a.arrows"
    result = CliRunner().invoke(
        analyze_command.command, [str(other), "--calibration", str(recording), "--json"]
    )
    told = json.loads(result.stdout)["recording"]
    assert told["normalisation"] == "mvic"
    assert told["calibration"]["source"] == "a.arrows"
    assert read_corrections(other).calibration is None


def test_a_recording_without_a_calibration_has_none_to_give(recording: Path) -> None:
    with pytest.raises(CalibrationError, match="holds no calibration") as refused:
        load_calibration(recording, recording=recording)
    assert "emgmon calibrate" in refused.value.advice


def test_a_calibration_of_other_electrodes_is_refused(
    recording: Path, words: list[str], performed: tuple[Path, Truth], tmp_path: Path
) -> None:
    other = Path(shutil.copy(performed[0], tmp_path / "other.arrows"))
    run(recording, *words, "--placement", 3)
    run(other, *words, "--placement", 4)
    with pytest.raises(CalibrationError, match=r"placement 3, and .* with placement 4"):
        load_calibration(recording, recording=other)


def test_a_profile_keeps_it_and_new_electrodes_count_on(recording: Path, words: list[str]) -> None:
    run(recording, *words, "--profile", "anna")
    profile = load_profile("anna")
    assert (profile.placement, profile.calibration.placement) == (1, 1)
    assert profile.calibration.source == "a.arrows"
    run(recording, *words, "--profile", "anna", "--new-electrodes")
    assert load_profile("anna").calibration.placement == 2
    assert read_corrections(recording).calibration.placement == 2
    assert load_calibration(Path("anna"), recording=recording).channels == profile.calibration.channels


@pytest.mark.parametrize(
    "wrong",
    [
        ["--rest", "1:5"],
        ["--reference", "gluteus_maximus=5:6"],
        ["--best-so-far"],
        ["--rest", "5:1", "--reference", "gluteus_maximus=5:6"],
        ["--rest", "1:5", "--reference", "gluteus_maximus"],
        ["--rest", "1:5", "--reference", "=5:6"],
        ["--rest", "1:5", "--reference", "deltoid=5:9"],
        ["--rest", "1:5", "--reference", "gluteus_maximus.middle=5:9"],
        ["--rest", "1:5", "--reference", "gluteus_maximus=5000:5005"],
        ["--rest", "9000:9005", "--reference", "gluteus_maximus=5:9"],
        ["--rest", "1:5", "--reference", "gluteus_maximus=5:9", "--new-electrodes"],
        ["--rest", "1:5", "--reference", "gluteus_maximus=5:9", "--placement", "0"],
        ["--rest", "1:5", "--reference", "gluteus_maximus=5:9", "--method", "guess"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_status_2_and_changes_nothing(
    recording: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = recording.read_bytes()
    assert status(recording, *wrong) == 2
    assert recording.read_bytes() == before
    assert "Traceback" not in capsys.readouterr().err


def test_an_unknown_site_is_told_with_those_there_are(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status(recording, "--rest", "1:5", "--reference", "deltoid=5:9")
    said = capsys.readouterr().err
    assert "deltoid=5:9 names no channel" in said
    assert "gluteus_maximus.left, gluteus_maximus.right" in said


def test_channels_that_are_refused_are_all_named_with_status_1(
    recording: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rest = words[1]
    # The rest as its own reference: nothing in it stands above it.
    assert status(recording, "--rest", rest, "--reference", f"gluteus_maximus={rest}") == 1
    said = capsys.readouterr().err
    assert "2 channels cannot be calibrated: the reference of the left gluteus maximus" in said
    assert "the right gluteus maximus" in said
    assert said.count("contract harder") == 1
    assert read_corrections(recording).calibration is None


def test_a_recording_without_emg_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "none.arrows", [start_response()])
    assert status(tmp_path / "none.arrows", "--rest", "1:5", "--reference", "gluteus_maximus=5:9") == 1


CALIBRATION = Calibration("mvic", (ChannelCalibration("gluteus_maximus", "left", 2.0, 100.0),), placement=5)
REFERENCE = ReferenceSet("bridge", 8, 0.8, 0.1)


def test_a_session_of_a_person_begins_with_their_calibration_and_reference() -> None:
    save_profile("anna", Profile(calibration=CALIBRATION, references=(REFERENCE,), placement=5))
    person = worn_by("anna", None, new_electrodes=False)
    setup = live_feed(None, "bridge", Path("x.arrows"), person)._setup
    assert setup.calibration == CALIBRATION
    assert (setup.reference.exercise, setup.reference.log_ratio) == ("bridge", 0.8)
    # Of another day, as long as nobody counted the electrodes then.
    assert setup.reference.placement != CALIBRATION.placement
    assert live_feed(None, "squat", Path("x.arrows"), person)._setup.reference is None
    assert live_feed(None, "bridge", Path("x.arrows"))._setup.calibration is None


def test_new_electrodes_end_the_calibration_of_a_profile() -> None:
    save_profile("anna", Profile(calibration=CALIBRATION, references=(REFERENCE,), placement=5))
    person = worn_by("anna", None, new_electrodes=True)
    assert person.calibration is None
    assert load_profile("anna").placement == 6
    assert load_profile("anna").references == (REFERENCE,)


@pytest.mark.parametrize("name", ["live", "record"])
def test_a_session_needs_a_profile_that_is_there_and_a_sensor_that_is_worn(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--profile", "nobody"])
    assert ended.value.code == 1
    assert "there is no profile 'nobody'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([name, "--new-electrodes"])
    assert ended.value.code == 2
    with pytest.raises(UsageError, match="worn by nobody"):
        worn_by("anna", live_module.VIRTUAL.upper(), new_electrodes=False)
    with pytest.raises(ProfileError):
        worn_by("../anna", None, new_electrodes=False)


def test_a_header_without_a_calibration_is_what_the_event_stands_in_for(
    recording: Path, words: list[str]
) -> None:
    run(recording, *words)
    assert RecordingReader(recording).header.calibration is None
    assert read_corrections(recording).calibration is not None

"""``emgmon posture`` on tracks that a recording would give."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.spatial.transform import Rotation

from emgmon.analysis import analyse
from emgmon.cli import posture as posture_command
from emgmon.dsp.alignment import STANCE_AND_BOWS, Alignment, AlignmentMethod, MotionTrack
from emgmon.errors import CalibrationError, UsageError
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.calibration_motion import record_calibration_motion
from emgmon.virtual.simulate import write_recording
from tests.builders import smooth_step

MOUNTING = Rotation.random(rng=11)
STANCE_AND_BOWS_TIMES = ("--stance", "0:5", "--bows", "5:13")


def alignment(mounting: Rotation = MOUNTING, *, turn_deg: float = 40.0) -> Alignment:
    matrix = tuple(mounting.as_matrix().ravel().tolist())
    return Alignment("pelvis", AlignmentMethod.STANDING_AND_BOWS, matrix, turn_deg)


def session(*tilts_deg: float, first_hop: int = 0) -> MotionTrack:
    """Quiet stance, two bows, then 6 s of standing for each tilt with quick movement between."""
    x = np.arange(400) / 400
    bow = 40.0 * (smooth_step(2 * x) - smooth_step(2 * x - 1))
    quick = 10.0 * np.sin(np.arange(200) / 10)
    standing = [part for tilt in tilts_deg for part in (quick, np.full(600, tilt))]
    pitch = np.concatenate([np.zeros(500), bow, bow, *standing])
    sensor = Rotation.from_euler("y", pitch[:, np.newaxis], degrees=True) * MOUNTING
    rate = np.concatenate([(sensor[:-1].inv() * sensor[1:]).as_rotvec() * 100, np.zeros((1, 3))])
    up = sensor.inv().apply([0.0, 0.0, 1.0])
    return MotionTrack("pelvis", None, first_hop, up, sensor.as_quat(scalar_first=True), rate)


@pytest.fixture
def worn(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[MotionTrack, tuple[Alignment, ...]]]:
    """What each recording holds, by its file's name."""
    held: dict[str, tuple[MotionTrack, tuple[Alignment, ...]]] = {}
    monkeypatch.setattr(posture_command, "read_pelvis", lambda path: held[Path(path).name])
    return held


def run(*words: str) -> Result:
    return CliRunner().invoke(posture_command.command, list(words))


def document(*words: str) -> dict:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_the_alignment_of_the_header_serves(worn) -> None:
    worn["a.arrows"] = (session(2.0, 9.0), (alignment(),))
    result = run("a.arrows")
    assert result.exit_code == 0
    assert "a.arrows: aligned from standing and bows" in result.stdout
    assert "your own neutral" in result.stdout
    assert "more anterior" in result.stdout
    assert "Herrington 2011" in result.stdout


def test_stance_and_bows_named_by_their_seconds_serve_too(worn) -> None:
    worn["a.arrows"] = (session(2.0, 9.0), ())
    found = document("a.arrows", *STANCE_AND_BOWS_TIMES)
    (recording,) = found["recordings"]
    assert found["schema"] == "emgmon.posture/1"
    np.testing.assert_allclose(
        np.reshape(recording["alignment"]["sensor_to_body"], (3, 3)), MOUNTING.as_matrix(), atol=1e-4
    )
    tilts = [stretch["tilt_deg"] for stretch in recording["posture"]["stretches"]]
    assert tilts == pytest.approx([0.0, 2.0, 9.0], abs=0.5)
    assert recording["posture"]["change"]["tilt_deg"] == pytest.approx(9.0, abs=0.5)
    assert recording["posture"]["neutral"] == "calibration-stance"


def test_seconds_count_from_the_recording_and_not_from_the_first_motion(worn) -> None:
    worn["a.arrows"] = (session(2.0, first_hop=1000), ())
    found = document("a.arrows", "--stance", "10:15", "--bows", "15:23")
    first = found["recordings"][0]["posture"]["stretches"][0]
    assert first["start_s"] == pytest.approx(10.0)
    assert first["tilt_deg"] == pytest.approx(0.0, abs=0.5)


def test_recordings_with_the_same_calibration_are_compared(worn) -> None:
    worn["a.arrows"] = (session(0.0), (alignment(),))
    worn["b.arrows"] = (session(12.0, 12.0), (alignment(),))
    (comparison,) = document("a.arrows", "b.arrows")["comparisons"]
    # All at 0 against 5 s at 0 and two times 6 s at 12; up to half a second of each end is lost.
    assert comparison["comparison"]["tilt_deg"] == pytest.approx(12.0 * 12 / 17, abs=0.3)
    assert comparison["earlier"] == "a.arrows"
    assert "more anterior" in comparison["sentence"]


def test_a_sensor_that_was_put_on_anew_is_not_compared(worn) -> None:
    worn["a.arrows"] = (session(0.0), (alignment(),))
    worn["b.arrows"] = (session(12.0), (alignment(turn_deg=41.0),))
    (comparison,) = document("a.arrows", "b.arrows")["comparisons"]
    assert comparison["comparison"]["tilt_deg"] is None
    assert "aligned anew" in comparison["sentence"]
    assert "b.arrows against a.arrows:\n  Not compared: " in run("a.arrows", "b.arrows").stdout


def test_worn_through_lets_the_first_neutral_serve_for_all(worn) -> None:
    worn["a.arrows"] = (session(0.0), ())
    worn["b.arrows"] = (session(12.0, 12.0), ())
    found = document("a.arrows", "b.arrows", *STANCE_AND_BOWS_TIMES, "--worn-through")
    assert found["recordings"][0]["alignment"] == found["recordings"][1]["alignment"]
    assert found["comparisons"][0]["comparison"]["tilt_deg"] == pytest.approx(12.0 * 12 / 17, abs=0.3)


def test_stance_times_for_several_recordings_need_the_word_of_the_person(worn) -> None:
    result = run("a.arrows", "b.arrows", *STANCE_AND_BOWS_TIMES)
    assert isinstance(result.exception, UsageError)
    assert "--worn-through" in result.exception.advice


@pytest.mark.parametrize("words", [("--stance", "0:5"), ("--bows", "5:13")])
def test_stance_and_bows_belong_together(worn, words) -> None:
    result = run("a.arrows", *words)
    assert isinstance(result.exception, UsageError)
    assert "--stance 0:5 --bows 5:20" in result.exception.advice


@pytest.mark.parametrize("value", ["5", "5:", "a:b", "1:2:3", "5:5", "9:3", "-1:4", "nan:3", "0:inf"])
def test_times_that_are_none_are_wrong_usage(worn, value) -> None:
    result = run("a.arrows", f"--stance={value}", "--bows", "5:13")
    assert result.exit_code == 2
    assert "--stance" in result.stderr
    assert repr(value) in result.stderr


def test_times_outside_the_recording_are_told_with_what_there_is(worn) -> None:
    worn["a.arrows"] = (session(), ())
    result = run("a.arrows", "--stance", "0:5", "--bows", "5:40")
    assert isinstance(result.exception, UsageError)
    assert "--bows 5:40 lies outside the motion, which goes from 0.00 to 13.00 s" in str(result.exception)


def test_a_stretch_without_bows_is_refused_with_what_to_do(worn) -> None:
    worn["a.arrows"] = (session(0.0), ())
    result = run("a.arrows", "--stance", "0:3", "--bows", "2:5")
    assert isinstance(result.exception, CalibrationError)
    assert result.exception.advice == STANCE_AND_BOWS


def test_a_recording_without_alignment_says_how_to_give_one(worn) -> None:
    worn["a.arrows"] = (session(0.0), ())
    result = run("a.arrows")
    assert isinstance(result.exception, CalibrationError)
    assert "a.arrows does not say how the pelvis sensor sits" in str(result.exception)
    assert "--stance" in result.exception.advice


def test_standing_that_is_not_there_is_said(worn) -> None:
    bent = np.tile(session().up[700], (1000, 1))
    worn["a.arrows"] = (MotionTrack("pelvis", None, 0, bent, None, None), (alignment(),))
    result = run("a.arrows")
    assert result.exit_code == 0
    assert "No quiet standing of at least 3 s was found." in result.stdout


def test_the_pelvis_is_looked_for_among_the_tracks(tmp_path: Path) -> None:
    path = tmp_path / "two.arrows"
    performance = perform(AthleteParams(n_reps=1, emg=False, imu_sites=("pelvis", "thigh")))
    write_recording(performance, path)
    track, alignments = posture_command.read_pelvis(path)
    assert track.site == "pelvis"
    assert alignments == performance.alignments
    # The same without a sensor on the pelvis.
    thigh, capabilities = performance.streams[1], performance.capabilities
    alone = replace(capabilities, streams=(thigh.stream,))
    other = tmp_path / "thigh.arrows"
    write_recording(replace(performance, streams=(thigh,), capabilities=alone), other)
    with pytest.raises(CalibrationError, match="no motion of the pelvis"):
        posture_command.read_pelvis(other)


def test_what_stance_and_bows_told_can_be_kept_in_the_recording(tmp_path: Path) -> None:
    params = AthleteParams(exercise="squat", n_reps=3, emg=False, seed=4)
    performance = perform(params)
    bows, imu = record_calibration_motion(params).takes[0].imu, performance.streams[0]
    scales = np.array([channel.scale for channel in imu.stream.channels])
    counts = np.concatenate([np.rint(bows / scales).astype(np.int16), imu.counts])
    stood = replace(performance, streams=(replace(imu, counts=counts),), alignments=())
    path = tmp_path / "stood.arrows"
    write_recording(stood, path)
    before = analyse(path)
    assert before.recording.alignment == "repetitions"
    assert run(str(path), "--stance", "0:5", "--bows", "5:14", "--keep").exit_code == 0
    after = analyse(path)
    assert after.recording.alignment == "standing-and-bows"
    assert [rep.start_s for done in after.sets for rep in done.reps] == [
        rep.start_s for done in before.sets for rep in done.reps
    ]
    # Later calls need not be told where the stance was.
    assert "aligned from standing and bows" in run(str(path)).stdout


def test_nothing_is_kept_without_a_stance_and_bows(tmp_path: Path) -> None:
    path = tmp_path / "lift.arrows"
    write_recording(perform(AthleteParams(n_reps=1, emg=False)), path)
    before = path.read_bytes()
    result = run(str(path), "--keep")
    assert isinstance(result.exception, UsageError)
    assert path.read_bytes() == before

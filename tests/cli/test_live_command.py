"""The commands as a person runs them: another process, signals, files."""

import signal
import subprocess
import sys

import pytest

from emgmon.cli.live import live_feed
from emgmon.cli.own_files import FOLDER_VARIABLE
from emgmon.errors import ExerciseError, UsageError
from emgmon.events import NotificationKind
from emgmon.recording.reader import RecordingReader
from firmware_protocol.control import Opcode
from tests.exercises.examples import exercise_toml

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals to another process need POSIX")


def start(name, *arguments):
    # Whoever runs the tests in the background may have made Ctrl-C be ignored, which is inherited.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heard}; from emgmon.cli.{name} import command; command()"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process, words):
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"ended without saying {words!r}: {said}")


def rows_in(path):
    reader = RecordingReader(path)
    rows = [
        (int(batch.kind[i]), batch.data[batch.offsets[i] : batch.offsets[i + 1]].tobytes())
        for batch in reader.batches()
        for i in range(len(batch))
    ]
    assert reader.torn is None
    return rows


def kinds_in(path):
    return [kind for kind, _ in rows_in(path)]


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["live", "record", "demo"])
def test_an_interrupted_session_sends_stop_and_leaves_a_closed_recording(tmp_path, name, number):
    path = tmp_path / "set.arrows"
    which = [] if name == "demo" else ["--sensor", "virtual"]
    with start(name, *which, "--out", path) as process:
        wait_for(process, "battery")
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert said.splitlines()[-2:] == ["stopped", f"recording: {path}"]
    opcodes = [payload[0] & 0x7F for kind, payload in rows_in(path) if kind == NotificationKind.CONTROL]
    # The goodbye was said.
    assert opcodes.count(Opcode.START) == 1
    assert opcodes[-1] == Opcode.STOP
    assert NotificationKind.DATA in kinds_in(path)
    assert [found.name for found in tmp_path.iterdir()] == ["set.arrows"]


@posix_only
def test_a_session_interrupted_while_it_connects_ends_without_a_traceback(tmp_path):
    with start("live", "--sensor", "virtual", "--out", tmp_path / "a.arrows") as process:
        wait_for(process, "scanning")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    # Connecting takes a fifth of a second, so now and then the signal comes after it.
    assert process.returncode in (0, 130)
    assert "Traceback" not in said
    assert not (tmp_path / "a.arrows.part").exists()


def test_a_recording_of_a_given_length_ends_by_itself(tmp_path):
    path = tmp_path / "set.arrows"
    with start("record", "--sensor", "virtual", "--out", path, "--duration", "0.5") as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.splitlines()[-1] == f"recording: {path}"
    assert NotificationKind.DATA in kinds_in(path)


@pytest.fixture
def own_exercise(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    folder = tmp_path / "exercises"
    folder.mkdir()
    (folder / "frog-bridge.toml").write_bytes(exercise_toml())


def test_a_session_may_be_one_of_a_persons_own_exercise(own_exercise, tmp_path):
    feed = live_feed(None, "frog-bridge", None)
    assert feed.exercise == "frog-bridge"
    assert feed.path.parent == tmp_path / "recordings"
    assert feed.path.name.endswith("_frog-bridge.arrows")


def test_several_sensors_may_share_a_session(tmp_path):
    feed = live_feed(("AA:01", "AA:02"), None, tmp_path / "a.arrows")
    assert feed._setup.addresses == ("AA:01", "AA:02")


def test_without_a_name_the_first_sensor_that_is_heard_is_taken(tmp_path):
    assert live_feed((), None, tmp_path / "a.arrows")._setup.addresses == ()


@pytest.mark.parametrize(
    ("sensors", "words"),
    [
        (("virtual", "AA:01"), "shares no session with others"),
        (("AA:01", "AA:02", "aa:01"), "--sensor aa:01 is given twice"),
        (("virtual", "VIRTUAL"), "--sensor virtual is given twice"),
    ],
)
def test_sensors_that_do_not_go_together_are_refused(tmp_path, sensors, words):
    with pytest.raises(UsageError, match=words) as caught:
        live_feed(sensors, None, tmp_path / "a.arrows")
    assert caught.value.advice


@pytest.mark.parametrize("sensors", [(), ("virtual",)])
def test_an_unknown_exercise_is_refused_before_any_sensor_is_looked_for(own_exercise, sensors):
    with pytest.raises(ExerciseError, match="handstand") as caught:
        live_feed(sensors, "handstand", None)
    assert "frog-bridge" in caught.value.advice

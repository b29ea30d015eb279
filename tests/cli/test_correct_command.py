"""``emgmon correct`` on recordings whose repetitions are made up, and on one that ships."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from emgmon.cli.correct import command
from emgmon.errors import RecordingError, UsageError
from emgmon.events import Notification, NotificationKind
from emgmon.recording.append import append_rows
from emgmon.recording.columns import to_notifications
from emgmon.recording.host_events import RepAddedRow, RepMovedRow, RepRemovedRow, read_corrections
from emgmon.recording.reader import RecordingReader
from emgmon.recording.verify import verify
from emgmon.reps.corrections import Corrected
from emgmon.reps.found import Found, RepFound, RestLeft
from tests.recording.recording_examples import session_rows, write

ROWS = session_rows(29)
SHIPPED = Path(__file__).parents[2] / "recordings" / "bridge-glute-led.arrows"

FOUND = {1: [(100, 200, 300), (400, 500, 600), (700, 800, 900)], 2: [(4000, 4100, 4200)]}
"""Start, turn and end of what is found in each set, hops."""
DURATION_S = 50.0


def _rep_document(number: int, rep: RepFound, side: str | None) -> SimpleNamespace:
    times_s = {"start_s": rep.start_hop / 100, "turn_s": rep.turn_hop / 100, "end_s": rep.end_hop / 100}
    return SimpleNamespace(number=number, side=side, **times_s)


def made_up_analysis(path: Path, *, exercise: str | None = None) -> SimpleNamespace:
    """Find always the same, honour the corrections, part the sets at 30 s."""
    stage = Corrected(read_corrections(path).corrections)
    spans = [] if exercise == "nothing" else [span for spans in FOUND.values() for span in spans]
    found: list[Found] = []
    for start, turn, end in spans:
        found += [RestLeft(start + 5), RepFound(start, turn, turn, turn, end, range_m=0.3)]
    given = [*stage.process(found, 5000), *stage.finish(())]
    reps = [item for item in given if isinstance(item, RepFound)]
    sets = [[rep for rep in reps if (rep.end_hop > 3000) is late] for late in (False, True)]
    documents = [
        SimpleNamespace(reps=[_rep_document(n, rep, stage.side(rep)) for n, rep in enumerate(done, start=1)])
        for done in sets
        if done
    ]
    recording = SimpleNamespace(path=str(path), duration_s=DURATION_S)
    return SimpleNamespace(recording=recording, sets=documents)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("emgmon.analysis.analyse", made_up_analysis)
    write(tmp_path / "a.arrows", ROWS)
    return tmp_path / "a.arrows"


def run(path: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [str(path), *words])


def told(path: Path, *words: str) -> list[str]:
    result = run(path, *words)
    assert result.exit_code == 0, result.exception or result.stderr
    assert result.stderr == ""
    return result.stdout.splitlines()


def refused(path: Path, *words: str) -> RecordingError | UsageError:
    """Refused with advice, and nothing was written."""
    before = path.read_bytes()
    result = run(path, *words)
    assert isinstance(result.exception, RecordingError | UsageError), result.stdout
    assert result.exception.advice
    assert result.stdout == ""
    assert path.read_bytes() == before
    return result.exception


def test_a_removed_rep_is_gone_from_the_count_and_the_samples_are_untouched(path: Path) -> None:
    before = path.read_bytes()
    assert told(path, "--remove", "1.2") == ["removed rep 1.2, 4.00 to 6.00 s", "now 3 reps in 2 sets"]
    assert path.read_bytes().startswith(before[:-8])
    assert verify(path) == []
    (row,) = read_corrections(path).rows
    assert isinstance(row, RepRemovedRow)
    assert (row.number, row.at_s, row.start_s, row.end_s) == (1, 5.0, 4.0, 6.0)
    assert row.made_utc is not None
    assert row.made_utc.endswith("+00:00")


def test_numbers_are_those_that_the_recording_shows_now(path: Path) -> None:
    told(path, "--remove", "1.1")
    assert told(path, "--remove", "1.1")[0] == "removed rep 1.1, 4.00 to 6.00 s"
    assert told(path, "--remove", "2.1") == ["removed rep 2.1, 40.00 to 42.00 s", "now 1 rep"]


def test_a_rep_is_removed_by_a_second_that_lies_in_it(path: Path) -> None:
    assert told(path, "--remove-at", "7.3")[0] == "removed rep 1.3, 7.00 to 9.00 s"


def test_a_second_without_a_rep_is_refused_with_what_there_is(path: Path) -> None:
    error = refused(path, "--remove-at", "6.5")
    assert str(error) == f"there is no rep at 6.50 s in {path}"
    assert error.advice.startswith("There are 1.1 to 1.3, 2.1;")


def test_an_added_rep_is_counted_and_keeps_its_side(path: Path) -> None:
    lines = told(path, "--add", "10.004:11:12.5", "--side", "left", "--note", "a slow one")
    assert lines == ["added a left rep, 10.00 to 12.50 s", "now 5 reps in 2 sets"]
    assert made_up_analysis(path).sets[0].reps[3].side == "left"
    (row,) = read_corrections(path).rows
    assert isinstance(row, RepAddedRow)
    assert (row.start_s, row.turn_s, row.end_s, row.side, row.note) == (
        10.0,
        11.0,
        12.5,
        "left",
        "a slow one",
    )


def test_a_moved_rep_has_its_new_edges(path: Path) -> None:
    assert told(path, "--move", "1.2=3.5:6.25") == [
        "moved rep 1.2, 4.00 to 6.00 s: now 3.50 to 6.25 s",
        "now 4 reps in 2 sets",
    ]
    rep = made_up_analysis(path).sets[0].reps[1]
    assert (rep.start_s, rep.turn_s, rep.end_s) == (3.5, 5.0, 6.25)


def test_a_turn_is_moved_when_three_times_are_given(path: Path) -> None:
    told(path, "--move", "1.2=3.5:4.5:6")
    (row,) = read_corrections(path).rows
    assert isinstance(row, RepMovedRow)
    assert (row.at_s, row.was_start_s, row.was_end_s, row.turn_s) == (5.0, 4.0, 6.0, 4.5)
    assert made_up_analysis(path).sets[0].reps[1].turn_s == 4.5


def test_a_rep_may_touch_its_neighbours(path: Path) -> None:
    assert told(path, "--add", "3:3.5:4")[1] == "now 5 reps in 2 sets"
    assert told(path, "--move", "1.3=4:7")[1] == "now 5 reps in 2 sets"


def test_a_rep_moved_away_from_its_turn_needs_to_be_told_the_new_one(path: Path) -> None:
    error = refused(path, "--move", "1.2=5.2:6.5")
    assert str(error) == "rep 1.2 turns at 5.00 s, which is not between 5.20 to 6.50 s"
    assert "--move 1.2=START:TURN:END" in error.advice


def test_corrections_are_taken_back_one_by_one_from_the_last(path: Path) -> None:
    told(path, "--remove", "1.2")
    told(path, "--move", "1.2=7:9.5")
    told(path, "--add", "20:21:22")
    assert told(path, "--undo") == [
        "took back correction 3: added 20.00 to 22.00 s, turn at 21.00 s",
        "now 3 reps in 2 sets",
    ]
    assert told(path, "--undo")[0] == "took back correction 2: moved 7.00 to 9.00 s: now 7.00 to 9.50 s"
    assert told(path, "--undo") == ["took back correction 1: removed 4.00 to 6.00 s", "now 4 reps in 2 sets"]
    assert str(refused(path, "--undo")) == f"{path} has no correction to take back"
    assert read_corrections(path).next_number == 7


def test_a_correction_after_one_that_was_taken_back_is_the_next_to_be_taken_back(path: Path) -> None:
    told(path, "--remove", "1.2")
    told(path, "--undo")
    told(path, "--remove", "1.3")
    assert told(path, "--undo")[0] == "took back correction 3: removed 7.00 to 9.00 s"


def test_the_list_shows_everything_that_was_said(path: Path) -> None:
    assert told(path, "--list") == [f"{path}: no corrections"]
    told(path, "--remove", "1.2", "--note", "sat up")
    told(path, "--add", "20:21:22", "--side", "right")
    told(path, "--move", "1.1=1:2.5:3.5")
    told(path, "--undo")
    made = [row.made_utc for row in read_corrections(path).rows]
    assert told(path, "--list") == [
        f"  1  removed 4.00 to 6.00 s  {made[0]} sat up",
        f"  2  added 20.00 to 22.00 s, turn at 21.00 s, right  {made[1]}",
        f"  3  moved 1.00 to 3.00 s: now 1.00 to 3.50 s, turn at 2.50 s (taken back)  {made[2]}",
    ]


def test_the_list_does_not_analyse(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emgmon.analysis.analyse", lambda *_words, **_others: pytest.fail("analysed"))
    assert told(path, "--list") == [f"{path}: no corrections"]


@pytest.mark.parametrize("name", ["1.4", "2.2", "3.1"])
@pytest.mark.parametrize("words", [("--remove", "{}"), ("--move", "{}=1:3")])
def test_a_rep_that_is_not_there_is_refused_with_those_that_are(
    path: Path, name: str, words: tuple[str, str]
) -> None:
    error = refused(path, words[0], words[1].format(name))
    assert str(error) == f"there is no rep {name} in {path}"
    assert error.advice == f"There are 1.1 to 1.3, 2.1; for their times, run: emgmon analyze {path}"


def test_where_no_reps_are_found_the_way_to_find_out_why_is_told(path: Path) -> None:
    error = refused(path, "--remove", "1.1", "--exercise", "nothing")
    assert error.advice == f"No repetitions were found; to see why, run: emgmon analyze {path}"


@pytest.mark.parametrize(
    ("words", "edges", "other"),
    [
        (("--add", "2.99:3.2:3.5"), "2.99 to 3.50 s", "1.1, 1.00 to 3.00 s"),
        (("--add", "0.5:2:10"), "0.50 to 10.00 s", "1.1, 1.00 to 3.00 s"),
        (("--add", "4.5:5:5.5"), "4.50 to 5.50 s", "1.2, 4.00 to 6.00 s"),
        (("--move", "1.2=4:7.5"), "4.00 to 7.50 s", "1.3, 7.00 to 9.00 s"),
    ],
)
def test_reps_never_overlap(path: Path, words: tuple[str, str], edges: str, other: str) -> None:
    error = refused(path, *words)
    assert isinstance(error, RecordingError)
    assert str(error) == f"{edges} overlaps rep {other}"
    assert f"--move {other[:3]}=START:END" in error.advice


@pytest.mark.parametrize("words", [("--add", "48:49:50.01"), ("--move", "2.1=40:51")])
def test_times_behind_the_end_are_wrong_usage(path: Path, words: tuple[str, str]) -> None:
    error = refused(path, *words)
    assert isinstance(error, UsageError)
    assert "lies outside the recording, which ends at 50.00 s" in str(error)


@pytest.mark.parametrize(
    "words",
    [
        ("--remove", "3"),
        ("--remove", "0.1"),
        ("--remove", "1.0"),
        ("--remove", "a.b"),
        ("--remove", "1.2.3"),
        ("--remove-at", "soon"),
        ("--remove-at", "-1"),
        ("--remove-at", "nan"),
        ("--remove-at", "inf"),
        ("--add", "1:2"),
        ("--add", "1:2:3:4"),
        ("--add", "1:3:2"),
        ("--add", "1:1:2"),
        ("--add", "1:1.001:2"),
        ("--add", "-1:1:2"),
        ("--add", "1:nan:2"),
        ("--add", "1:2:inf"),
        ("--add", "1:2:1e999"),
        ("--add", "1::3"),
        ("--move", "1.2"),
        ("--move", "1.2="),
        ("--move", "1.2=5"),
        ("--move", "1.2=5:4"),
        ("--move", "1.2=5:6=7"),
        ("--move", "x=5:6"),
    ],
)
def test_words_of_the_wrong_form_are_wrong_usage(path: Path, words: tuple[str, str]) -> None:
    before = path.read_bytes()
    result = run(path, *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr
    assert repr(words[1]) in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing was asked for"),
        (("--note", "x"), "nothing was asked for"),
        (("--remove", "1.1", "--undo"), "--remove and --undo do not go together"),
        (("--add", "1:2:3", "--list"), "--add and --list do not go together"),
        (("--remove", "1.1", "--side", "left"), "--side left belongs to --add"),
        (("--list", "--note", "x"), "--note belongs to a correction"),
    ],
)
def test_words_that_do_not_fit_together_are_wrong_usage(
    path: Path, words: tuple[str, ...], said: str
) -> None:
    error = refused(path, *words)
    assert isinstance(error, UsageError)
    assert str(error) == said


def test_a_recording_that_was_not_closed_is_refused_with_advice(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])
    error = refused(path, "--remove", "1.1")
    assert f"emgmon repair {path}" in error.advice


def test_events_that_cannot_be_read_are_told_and_hinder_nothing(path: Path) -> None:
    broken = Notification(0, 0, NotificationKind.EVENT, b'{"event": "rep-added"}')
    append_rows(path, lambda _newest_ns: [broken])
    result = run(path, "--remove", "1.1")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: 1 EVENT row could not be read")
    assert result.stdout.splitlines()[0] == "removed rep 1.1, 1.00 to 3.00 s"


def test_the_command_bears_the_name_that_people_type() -> None:
    assert command.name == "correct"


def test_a_recording_that_ships_can_be_corrected(tmp_path: Path) -> None:
    path = tmp_path / "bridge.arrows"
    shutil.copy(SHIPPED, path)
    lines = told(path, "--remove", "1.3", "--note", "slipped")
    assert lines[0].startswith("removed rep 1.3, ")
    assert lines[1].startswith("now ")
    *rows, last = to_notifications(RecordingReader(path).read_all())
    assert last.kind is NotificationKind.EVENT
    assert last.arrival_ns == max(row.arrival_ns for row in rows)
    assert json.loads(last.payload)["note"] == "slipped"
    assert rows == list(to_notifications(RecordingReader(SHIPPED).read_all()))

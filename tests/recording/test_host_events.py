"""EVENT rows: there and back, strangers skipped; the cheap search finds what a full reading finds."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgmon.dsp.alignment import Alignment, AlignmentMethod
from emgmon.events import LinkChanged, LinkState, Notification, NotificationKind
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.reference import MotionReference, ReferenceSet
from emgmon.recording import skim
from emgmon.recording.columns import from_notifications
from emgmon.recording.host_events import (
    TAGS,
    AlignmentSetRow,
    CalibrationSetRow,
    CorrectionLog,
    CorrectionUndoneRow,
    HostEvent,
    LinkRow,
    MalformedEventError,
    ReferenceSetRow,
    RepAddedRow,
    RepMovedRow,
    RepRemovedRow,
    correction_log,
    decode,
    encode,
    event_notifications,
    read_corrections,
)
from emgmon.recording.reader import RecordingReader, open_bytes
from emgmon.recording.skim import batches_with
from emgmon.reps.corrections import RepAdded, RepMoved, RepRemoved
from emgmon.sensors.journal import link_row
from tests.recording.recording_examples import data_row, session_rows, write

PAGE = (Path(__file__).parents[2] / "docs" / "recording-format.md").read_text(encoding="utf-8")

ADDED = RepAddedRow(number=1, start_s=1.0, turn_s=2.0, end_s=3.5, side="left")
REMOVED = RepRemovedRow(number=2, at_s=6.0, start_s=5.0, end_s=7.25)
MOVED = RepMovedRow(number=3, at_s=2.0, was_start_s=1.0, was_end_s=3.5, start_s=0.5, end_s=3.0)
UNDONE = CorrectionUndoneRow(number=4, undone=2)


def event_row(payload: bytes, arrival_ns: int = 0) -> Notification:
    return Notification(arrival_ns, 0, NotificationKind.EVENT, payload)


def log_of(path: Path, *payloads: bytes) -> CorrectionLog:
    rows = session_rows(30)
    step = len(rows) // (len(payloads) + 1)
    for place, payload in reversed(list(enumerate(payloads, start=1))):
        rows.insert(place * step, event_row(payload, rows[place * step].arrival_ns))
    write(path, rows, rows_per_batch=4)
    found = read_corrections(path)
    assert found == correction_log(RecordingReader(path).batches())
    return found


times_s = st.floats(0.0, 1e6, allow_nan=False)
words = st.none() | st.text()


@st.composite
def ordered(draw: st.DrawFn, count: int) -> list[float]:
    hops = draw(st.lists(st.integers(0, 10**9), min_size=count, max_size=count, unique=True))
    return [hop / 100 for hop in sorted(hops)]


@st.composite
def host_events(draw: st.DrawFn) -> HostEvent:
    by = {
        "number": draw(st.integers(1, 10**6)),
        "author": draw(words),
        "note": draw(words),
        "made_utc": draw(words),
    }
    start_s, turn_s, end_s = draw(ordered(3))
    side = draw(st.sampled_from([None, "left", "right"]))
    was_start_s, was_end_s = draw(ordered(2))
    return draw(
        st.sampled_from(
            [
                LinkRow(draw(st.integers(0, 255)), draw(st.sampled_from(LinkState)), draw(st.text())),
                RepAddedRow(**by, start_s=start_s, turn_s=turn_s, end_s=end_s, side=side),
                RepRemovedRow(**by, at_s=draw(times_s), start_s=start_s, end_s=end_s),
                RepMovedRow(
                    **by,
                    at_s=draw(times_s),
                    was_start_s=was_start_s,
                    was_end_s=was_end_s,
                    start_s=start_s,
                    turn_s=draw(st.sampled_from([None, turn_s])),
                    end_s=end_s,
                ),
                CorrectionUndoneRow(**by, undone=draw(st.integers(1, 10**6))),
                AlignmentSetRow(**by, alignments=(alignment("pelvis", turn_deg=draw(times_s)),)),
                ReferenceSetRow(**by, reference=reference_set(log_ratio=draw(times_s)), set_number=2),
                CalibrationSetRow(**by, calibration=calibration(draw(times_s)), rest="5:10"),
            ]
        )
    )


def alignment(site: str, *, turn_deg: float = 40.0) -> Alignment:
    upright = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Alignment(site, AlignmentMethod.STANDING_AND_BOWS, upright, turn_deg)


def reference_set(*, log_ratio: float) -> ReferenceSet:
    motion = (MotionReference("pelvis_reversal_deg", 1.5, 0.5, 8),)
    return ReferenceSet("bridge", 8, log_ratio, 0.1, motion, placement=2)


def calibration(rest_uv: float) -> Calibration:
    channel = ChannelCalibration("gluteus_maximus", "left", rest_uv, 100.0, hum_hz=50.0, reference_cv=0.03)
    return Calibration("mvic", (channel,), made_utc="2025-03-01T18:20:07+00:00", placement=2)


@given(host_events())
def test_every_event_is_read_as_it_was_written(event: HostEvent) -> None:
    assert decode(encode(event)) == event


@pytest.mark.parametrize("detail", ["", "no answer for 2 s"])
def test_a_link_row_is_what_live_sessions_have_always_written(detail: str) -> None:
    row = LinkRow(3, LinkState.STALLED, detail)
    assert encode(row) == link_row(LinkChanged(3, LinkState.STALLED, detail))
    assert encode(row) == f'{{"event":"link","sensor":3,"state":"stalled","detail":"{detail}"}}'.encode()


def test_what_a_row_says_is_flat_and_leaves_out_what_was_not_said() -> None:
    assert json.loads(encode(ADDED)) == {
        "event": "rep-added",
        "number": 1,
        "start_s": 1.0,
        "turn_s": 2.0,
        "end_s": 3.5,
        "side": "left",
    }
    assert encode(UNDONE) == b'{"event":"correction-undone","number":4,"undone":2}'


def test_rows_become_the_values_that_the_engine_takes() -> None:
    assert ADDED.correction == RepAdded(1.0, 2.0, 3.5, "left")
    assert REMOVED.correction == RepRemoved(6.0, 5.0, 7.25)
    assert MOVED.correction == RepMoved(2.0, 1.0, 3.5, 0.5, 3.0, turn_s=None)


@pytest.mark.parametrize("payload", [b'{"event": "mark-set", "matrix": []}', b'{"event": "", "number": "x"}'])
def test_a_tag_of_a_later_version_is_skipped(tmp_path: Path, payload: bytes) -> None:
    assert decode(payload) is None
    found = log_of(tmp_path / "a.arrows", payload, encode(ADDED))
    assert (found.rows, found.n_malformed, found.warnings) == ((ADDED,), 0, ())


def test_a_field_of_a_later_version_is_skipped() -> None:
    assert decode(encode(ADDED)[:-1] + b',"confidence":0.9}') == ADDED


MALFORMED = [
    b"",
    b"\xff\xfe",
    b"[1, 2]",
    b"{}",
    b'{"event": 3}',
    b'{"event": "rep-removed", "number": 1}',
    b'{"event": "rep-added", "number": 1, "start_s": 3, "turn_s": 2, "end_s": 5}',
    b'{"event": "rep-added", "number": 1, "start_s": 1, "turn_s": 1.001, "end_s": 5}',
    b'{"event": "rep-added", "number": 1, "start_s": -1, "turn_s": 2, "end_s": 5}',
    b'{"event": "rep-added", "number": 1, "start_s": 1, "turn_s": 2, "end_s": 1e999}',
    b'{"event": "rep-added", "number": 1, "start_s": 1, "turn_s": 2, "end_s": 5, "side": "middle"}',
    b'{"event": "rep-moved", "number": 1, "at_s": 1, "was_start_s": 2, "was_end_s": 1,'
    b' "start_s": 1, "end_s": 4}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("payload", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_row_is_counted_and_told_and_spoils_nothing(tmp_path: Path, payload: bytes) -> None:
    with pytest.raises(MalformedEventError):
        decode(payload)
    found = log_of(tmp_path / "a.arrows", encode(ADDED), payload, encode(REMOVED))
    assert found.rows == (ADDED, REMOVED)
    assert found.n_malformed == 1
    (warning,) = found.warnings
    assert warning.startswith("1 EVENT row could not be read")


@given(st.binary(max_size=200))
def test_no_payload_makes_anything_but_an_event_nothing_or_a_told_error(payload: bytes) -> None:
    try:
        event = decode(payload)
    except MalformedEventError:
        return
    assert event is None or isinstance(event, get_args(HostEvent))


def test_what_was_taken_back_stays_on_the_list_and_holds_no_longer(tmp_path: Path) -> None:
    found = log_of(tmp_path / "a.arrows", *map(encode, [ADDED, REMOVED, MOVED, UNDONE]))
    assert found.rows == (ADDED, REMOVED, MOVED)
    assert found.undone == {2}
    assert found.standing == (ADDED, MOVED)
    assert found.corrections == (ADDED.correction, MOVED.correction)
    assert found.next_number == 5


def test_a_recording_without_events_has_no_corrections(tmp_path: Path) -> None:
    assert log_of(tmp_path / "a.arrows") == CorrectionLog()


def test_an_undone_row_whose_correction_was_lost_takes_nothing_else_back() -> None:
    lost = CorrectionLog(rows=(ADDED, MOVED), undone=frozenset({2}), next_number=5)
    assert lost.standing == (ADDED, MOVED)


def test_of_each_place_the_alignment_that_was_set_last_holds() -> None:
    rows = [
        AlignmentSetRow(number=1, alignments=(alignment("pelvis", turn_deg=30.0), alignment("lumbar"))),
        ADDED,
        AlignmentSetRow(number=5, alignments=(alignment("pelvis", turn_deg=50.0),)),
    ]
    log = correction_log([from_notifications(event_notifications(rows, arrival_ns=0))])
    assert {one.site: one.turn_deg for one in log.alignments} == {"pelvis": 50.0, "lumbar": 40.0}
    assert log.rows == (ADDED,)
    assert log.next_number == 6


def test_the_reference_set_that_was_made_last_holds() -> None:
    first, last = reference_set(log_ratio=0.5), reference_set(log_ratio=0.7)
    rows = [
        ReferenceSetRow(number=1, reference=first, set_number=1),
        ADDED,
        ReferenceSetRow(number=2, reference=last, set_number=3),
    ]
    log = correction_log([from_notifications(event_notifications(rows, arrival_ns=0))])
    assert log.reference == last
    assert log.rows == (ADDED,)
    assert log.next_number == 3


def test_the_calibration_that_was_made_last_holds() -> None:
    rows = [
        CalibrationSetRow(number=1, calibration=calibration(2.0), references=("gluteus_maximus=20:25",)),
        CalibrationSetRow(number=2, calibration=calibration(3.0)),
        ADDED,
    ]
    log = correction_log([from_notifications(event_notifications(rows, arrival_ns=0))])
    assert log.calibration == calibration(3.0)
    assert (log.rows, log.next_number) == ((ADDED,), 3)


def test_a_reference_set_of_an_older_calibration_is_told() -> None:
    made = ReferenceSetRow(number=2, reference=reference_set(log_ratio=0.5), set_number=1)
    before, after = (CalibrationSetRow(number=n, calibration=calibration(2.0)) for n in (1, 3))

    def warnings(*rows: HostEvent) -> tuple[str, ...]:
        return correction_log([from_notifications(event_notifications(rows, arrival_ns=0))]).warnings

    assert warnings(before, made) == ()
    (warning,) = warnings(before, made, after)
    assert "before the calibration that holds now" in warning
    assert warnings(before, after) == ()


def test_link_changes_are_no_corrections(tmp_path: Path) -> None:
    found = log_of(tmp_path / "a.arrows", encode(LinkRow(0, LinkState.STREAMING)), encode(ADDED))
    assert found.rows == (ADDED,)


def test_events_become_rows_of_one_arrival_time() -> None:
    assert event_notifications([ADDED, UNDONE], arrival_ns=77) == [
        event_row(encode(ADDED), 77),
        event_row(encode(UNDONE), 77),
    ]


def test_the_page_names_every_tag_and_every_field() -> None:
    section = PAGE.split("## Events")[1].split("## Header")[0]
    for kind in get_args(HostEvent):
        assert f"| `{kind.__struct_config__.tag}` |" in section
        for field in kind.__struct_fields__:
            assert f"`{field}`" in section, field
    (example,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert isinstance(decode(example.encode()), RepMovedRow)
    assert len(TAGS) == len(get_args(HostEvent))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), max_size=60), st.integers(1, 13))
def test_the_cheap_search_finds_exactly_the_batches_with_events(
    tmp_path: Path, kinds: list[bool], rows_per_batch: int
) -> None:
    path = tmp_path / "a.arrows"
    path.unlink(missing_ok=True)
    rows = [event_row(f"{n}".encode()) if event else data_row(n) for n, event in enumerate(kinds)]
    write(path, rows, rows_per_batch=rows_per_batch)
    for kind in (NotificationKind.EVENT, NotificationKind.DATA, NotificationKind.BATTERY):
        wanted = [batch for batch in RecordingReader(path).batches(min_rows=1) if (batch.kind == kind).any()]
        found = list(batches_with(open_bytes(path), kind))
        assert [batch.data.tobytes() for batch in found] == [batch.data.tobytes() for batch in wanted]
        assert [batch.kind.tolist() for batch in found] == [batch.kind.tolist() for batch in wanted]


def test_the_cheap_search_checks_no_batch_without_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = session_rows(99)
    write(tmp_path / "a.arrows", [*rows[:50], event_row(encode(ADDED)), *rows[50:]], rows_per_batch=10)
    checked: list[int] = []

    def counted(stream: object, **others: object) -> object:
        checked.append(1)
        return walk(stream, **others)  # type: ignore[arg-type]

    walk = skim.walk
    monkeypatch.setattr(skim, "walk", counted)
    assert read_corrections(tmp_path / "a.arrows").rows == (ADDED,)
    assert len(checked) == 1


def test_a_batch_of_events_whose_checksum_does_not_fit_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    write(path, [event_row(encode(ADDED)), event_row(encode(REMOVED))], rows_per_batch=1)
    damaged = path.read_bytes().replace(b'"start_s":1.0', b'"start_s":1.5')
    path.write_bytes(damaged)
    assert read_corrections(path).rows == (REMOVED,)


def test_corrections_behind_damaged_samples_are_found_and_those_behind_damaged_frames_are_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.arrows"
    rows = [*session_rows(19), event_row(encode(ADDED))]
    ends = write(path, rows, rows_per_batch=5)
    whole = path.read_bytes()
    path.write_bytes(whole[: ends[1] - 1] + b"\x55" + whole[ends[1] :])
    assert read_corrections(path).rows == (ADDED,)
    path.write_bytes(whole[: ends[1]] + bytes(8) + whole[ends[1] + 8 :])
    assert read_corrections(path).rows == ()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), flip=st.integers(1, 255), cut_off=st.booleans())
def test_no_damage_makes_the_cheap_search_fail_or_invent_anything(
    tmp_path: Path, at: int, flip: int, cut_off: bool
) -> None:
    path = tmp_path / "a.arrows"
    if not path.exists():
        write(path, [*session_rows(5), event_row(encode(ADDED)), data_row(6)], rows_per_batch=2)
    damaged = bytearray(path.read_bytes())
    reader = RecordingReader(path)
    first_byte = next(iter(reader.walk())).first_byte
    place = first_byte + at % (len(damaged) - first_byte)
    damaged[place] ^= flip
    other = tmp_path / "b.arrows"
    other.write_bytes(damaged[: place + 1] if cut_off else damaged)
    assert read_corrections(other).rows in ((), (ADDED,))

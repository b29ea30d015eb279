"""The raw EMG of a recording: every sample where it was, in microvolt, losses as NaN."""

import numpy as np
import pytest

from emgmon.clock import ManualClock
from emgmon.errors import RecordingError
from emgmon.events import NotificationKind
from emgmon.metrics.engagement import ChannelSite
from emgmon.recording.columns import to_notifications
from emgmon.recording.emg_reader import read_emg
from emgmon.recording.reader import RecordingReader
from emgmon.recording.writer import RecordingWriter
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.emg import EMG_SCALE_UV
from emgmon.virtual.simulate import write_recording
from tests.recording.recording_examples import session_rows, start_response, write

PARAMS = {"exercise": "bridge", "n_reps": 1, "seed": 8, "emg_rate_hz": 1000.0, "imu_sites": ()}


@pytest.fixture(scope="module")
def performed():
    return perform(AthleteParams(**PARAMS))


def test_every_sample_comes_back_in_microvolt(tmp_path, performed):
    write_recording(performed, tmp_path / "a.arrows")
    (track,) = read_emg(tmp_path / "a.arrows")
    counts = performed.streams[0].counts
    np.testing.assert_array_equal(track.raw_uv, counts.T * EMG_SCALE_UV)
    assert (track.first_sample, track.from_s) == (0, 0.0)
    assert track.to_s == len(counts) / 1000.0
    assert track.sites[0] == ChannelSite("gluteus_maximus", "left")
    assert track.is_envelope == (False,) * 4


def test_what_the_radio_lost_is_missing_and_nothing_else_moves(tmp_path, performed):
    write_recording(performed, tmp_path / "a.arrows", loss_pct=5.0)
    (track,) = read_emg(tmp_path / "a.arrows")
    there = ~np.isnan(track.raw_uv[0])
    assert 0.9 < there.mean() < 0.99
    counts = performed.streams[0].counts[track.first_sample :][: len(there)]
    np.testing.assert_array_equal(track.raw_uv[:, there], counts[there].T * EMG_SCALE_UV)


def test_part_of_it_is_the_same_part_and_the_ends_are_still_known(tmp_path, performed):
    write_recording(performed, tmp_path / "a.arrows")
    (whole,), (part,) = read_emg(tmp_path / "a.arrows"), read_emg(tmp_path / "a.arrows", from_s=2.0, to_s=3.0)
    first, stop = part.between(2.0, 3.0)
    np.testing.assert_array_equal(part.raw_uv[:, first:stop], whole.raw_uv[:, 2000:3000])
    assert (first, stop) == (0, 1000)
    assert part.first_sample == 2000
    assert (part.from_s, part.to_s) == (whole.from_s, whole.to_s)
    assert part.between(-5.0, 1e6) == (0, part.raw_uv.shape[1])


def test_without_an_answer_to_start_time_begins_with_the_first_packet(tmp_path, performed):
    write_recording(performed, tmp_path / "a.arrows")
    reader = RecordingReader(tmp_path / "a.arrows")
    rows = [row for batch in reader.batches() for row in to_notifications(batch)]
    data = [row for row in rows if row.kind is NotificationKind.DATA]
    with RecordingWriter(tmp_path / "b.arrows", reader.header, clock=ManualClock()) as writer:
        for row in data[10:]:
            writer.append(row)
    (whole,), (late,) = read_emg(tmp_path / "a.arrows"), read_emg(tmp_path / "b.arrows")
    assert (late.from_s, late.first_sample) == (0.0, 0)
    n = late.raw_uv.shape[1]
    np.testing.assert_array_equal(late.raw_uv, whole.raw_uv[:, -n:])
    assert 0 < n < whole.raw_uv.shape[1]


def test_emg_too_slow_to_be_measured_and_no_emg_at_all_have_no_tracks(tmp_path):
    write(tmp_path / "slow.arrows", session_rows(12))
    write(tmp_path / "none.arrows", [start_response()])
    assert read_emg(tmp_path / "slow.arrows") == read_emg(tmp_path / "none.arrows") == ()


def test_what_is_no_recording_is_refused(tmp_path):
    (tmp_path / "a.arrows").write_text("nothing of the kind")
    with pytest.raises(RecordingError):
        read_emg(tmp_path / "a.arrows")

import numpy as np
import pytest

from emgmon.clock import ManualClock
from emgmon.errors import RecordingError
from emgmon.events import EnvelopeComputed
from emgmon.recording.envelope_csv import EnvelopeTable
from emgmon.recording.format import RecordingHeader, sensor_header
from emgmon.recording.writer import RecordingWriter
from tests.builders import EMG, capabilities, emg_stream, pelvis_stream


def recording(tmp_path, *streams):
    path = tmp_path / "some.arrows"
    header = RecordingHeader(
        app_version="0", origin="import", sensors=(sensor_header(capabilities(*streams)),)
    )
    with RecordingWriter(path, header, clock=ManualClock()):
        pass
    return path


def test_a_hop_is_a_row_and_what_was_not_measured_is_empty(tmp_path):
    stream = emg_stream(("gluteus_maximus", "left"), ("multifidus", None))
    table = EnvelopeTable(recording(tmp_path, stream))
    envelope_uv = np.array([[1.0, 2.0], [np.nan, 3.5]])
    table.take(EnvelopeComputed(0, EMG, 10, envelope_uv, envelope_uv))
    table.take(EnvelopeComputed(0, EMG, 12, envelope_uv[:1], envelope_uv[:1]))
    table.write(tmp_path / "out.csv", replace=False)
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "t_s,envelope.gluteus_maximus.left_uV,envelope.multifidus_uV",
        "0.105,1.0000,2.0000",
        "0.115,,3.5000",
        "0.125,1.0000,2.0000",
    ]


def test_a_recording_without_muscles_has_no_envelopes(tmp_path):
    table = EnvelopeTable(recording(tmp_path, pelvis_stream()))
    with pytest.raises(RecordingError, match="no EMG"):
        table.write(tmp_path / "out.csv", replace=False)
    assert not (tmp_path / "out.csv").exists()

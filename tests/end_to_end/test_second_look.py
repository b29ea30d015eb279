"""``analyze --refine``: what a second look takes out, and that nothing of it happens without being told."""

import json
import statistics
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from emgmon import refining
from emgmon.analysis import Refining, analyse
from emgmon.analysis_document import AnalysisDocument
from emgmon.recording.emg_reader import read_emg
from emgmon.refining import refine
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.simulate import write_recording


def recorded(folder, **params):
    path = folder / "set.arrows"
    performance = perform(AthleteParams(exercise="bridge", n_reps=8, snr_db=15.0, seed=3, **params))
    write_recording(performance, path, replace=False)
    return path, performance


def share_errors(document, performance):
    truth = [rep.glute_share_pct for rep in performance.truth.reps]
    found = [rep.metrics["glute_share_pct"].value for rep in document.sets[0].reps]
    return [value - true for value, true in zip(found, truth, strict=True)]


def test_a_large_heartbeat_biases_the_share_and_a_second_look_takes_that_away(tmp_path):
    path, performance = recorded(tmp_path, heartbeat_uv=500.0)
    live, second = (analyse(path, refined=how) for how in Refining)
    assert statistics.median(share_errors(live, performance)) > 2.0
    assert abs(statistics.median(share_errors(second, performance))) < 0.7
    (told,) = second.recording.refinements
    duration_s = second.recording.duration_s
    assert 70.0 < 60.0 * told.n_beats / duration_s < 110.0
    assert [uv is not None for uv in told.heartbeat_uv] == [False, False, True, True]
    assert live.recording.refinements == ()


def test_where_no_heart_beats_nothing_is_taken_out(tmp_path):
    path, _ = recorded(tmp_path, heartbeat_uv=0.0)
    live, second = (analyse(path, refined=how) for how in Refining)
    assert second.sets == live.sets
    (told,) = second.recording.refinements
    assert told.n_beats == 0


def test_what_is_taken_out_lies_on_the_beats(tmp_path):
    path, _ = recorded(tmp_path, heartbeat_uv=500.0)
    (found,) = refine(path, None).streams
    (track,) = read_emg(path)
    assert found.heartbeat_uv.shape == track.raw_uv.shape
    back = found.heartbeat_uv[2]
    peaks = np.flatnonzero((back[1:-1] > 300.0) & (back[1:-1] >= back[:-2]) & (back[1:-1] > back[2:]))
    assert len(peaks) == found.n_beats
    # The R wave is 500 uV high, and the signal is highest there.
    assert np.median(back[peaks + 1]) == pytest.approx(500.0, rel=0.1)


def test_long_recordings_are_looked_at_in_pieces_that_fit_together(tmp_path, monkeypatch):
    path, _ = recorded(tmp_path, heartbeat_uv=200.0)
    (whole,) = refine(path, None).streams
    monkeypatch.setattr(refining, "PIECE_S", 15.0)
    (pieces,) = refine(path, None).streams
    assert pieces.first_sample == whole.first_sample
    assert pieces.heartbeat_uv.shape == whole.heartbeat_uv.shape
    assert pieces.n_beats == pytest.approx(whole.n_beats, abs=2)
    # Where a piece has fewer beats around it, its template differs a little.
    difference = np.sqrt(np.mean(np.square(pieces.heartbeat_uv[2] - whole.heartbeat_uv[2])))
    assert difference < 0.1 * np.sqrt(np.mean(np.square(whole.heartbeat_uv[2])))


def test_hum_is_taken_out_only_where_it_dominates_and_nobody_calibrated(tmp_path):
    path, performance = recorded(tmp_path, hum_uv=40.0)
    (bare,) = refine(path, None).streams
    assert set(bare.hum_hz) == {50.0}
    (calibrated,) = refine(path, performance.calibration).streams
    assert set(calibrated.hum_hz) == {None}
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    (good,) = refine(recorded(quiet, hum_uv=3.0)[0], None).streams
    assert set(good.hum_hz) == {None}


def test_rest_noise_loses_the_heartbeat_that_the_signal_loses(tmp_path):
    path, performance = recorded(tmp_path, heartbeat_uv=500.0)
    refined = refine(path, performance.calibration).calibration
    for before, after in zip(performance.calibration.channels, refined.channels, strict=True):
        if before.site == "erector_spinae":
            assert after.rest_uv < 0.5 * before.rest_uv
            assert replace(after, rest_uv=before.rest_uv) == before
        else:
            assert after == before


def test_the_document_of_a_second_look_can_be_read_back(tmp_path):
    path, _ = recorded(tmp_path, heartbeat_uv=200.0)
    document = analyse(path, refined=Refining.SECOND_LOOK)
    text = msgspec.json.encode(document)
    assert msgspec.json.decode(text, type=AnalysisDocument) == document
    assert json.loads(text)["recording"]["refinements"][0]["n_beats"] > 0

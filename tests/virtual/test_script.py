"""Joining performances of one person."""

import numpy as np

from emgmon.virtual.athlete import perform
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.script import SEAM_S, script


def performances():
    return [
        perform(AthleteParams(n_reps=1, seed=3)),
        perform(AthleteParams(n_reps=1, seed=3, glute_share_pct=40.0)),
    ]


def test_one_performance_is_played_as_it_is():
    (alone, _) = performances()
    played = script([alone])
    for samples, original in zip(played.streams, alone.streams, strict=True):
        np.testing.assert_array_equal(samples.counts, original.counts)
    assert played.calibration == alone.calibration


def test_nothing_is_lost_or_added_at_a_seam_and_motion_is_left_as_it_is():
    before, after = performances()
    emg, imu = script([before, after]).streams
    n_before = len(before.streams[0].counts)
    assert len(emg.counts) == n_before + len(after.streams[0].counts)
    np.testing.assert_array_equal(emg.counts[:n_before], before.streams[0].counts)
    np.testing.assert_array_equal(
        imu.counts, np.concatenate((before.streams[1].counts, after.streams[1].counts))
    )


def test_an_electrodes_offset_does_not_jump_at_a_seam():
    before, after = performances()
    emg, _ = script([before, after]).streams
    seam, n = len(before.streams[0].counts), round(SEAM_S * 2000)
    step = emg.counts[seam - n : seam].mean(axis=0) - emg.counts[seam : seam + n].mean(axis=0)
    # Rounding to whole counts is all that is left.
    assert np.abs(step).max() <= 0.5


def test_a_shift_alone_is_made_and_the_signal_keeps_its_shape():
    before, after = performances()
    emg, _ = script([before, after]).streams
    played = emg.counts[len(before.streams[0].counts) :].astype(int)
    np.testing.assert_array_equal(
        np.diff(played, axis=0), np.diff(after.streams[0].counts.astype(int), axis=0)
    )

"""The motion of a recording as tracks: what the session saw, hop for hop."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emgmon.errors import RecordingError
from emgmon.recording.format import session_setup
from emgmon.recording.motion_reader import _angular_rate, read_motion
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.simulate import write_recording


def recorded(folder, **params):
    path = folder / "motion.arrows"
    write_recording(perform(AthleteParams(n_reps=2, seed=8, **params)), path, loss_pct=1.0)
    return path


def overheard(path):
    """Attitudes as a session that receives one notification after the other is shown them."""
    reader = RecordingReader(path)
    heard = {}
    session = Session(
        session_setup(reader.header), overhear=lambda index, hops: heard.setdefault(index, []).append(hops)
    )
    for batch in reader.batches():
        session.receive_many(batch)
    session.finish()
    return session, heard


@pytest.mark.parametrize(
    "params",
    [
        {"exercise": "bridge", "imu_sites": ("pelvis", "lumbar"), "emg": False},
        {
            "exercise": "bird-dog",
            "imu_sites": ("pelvis", "thigh"),
            "thigh_side": "left",
            "emg_rate_hz": 1000.0,
        },
        {"exercise": "squat", "imu_rate_hz": 110.0, "emg": False},
    ],
    ids=["pelvis and back", "with electrodes", "another rate"],
)
def test_tracks_are_what_the_session_saw(tmp_path, params):
    path = recorded(tmp_path, **params)
    session, heard = overheard(path)
    tracks = read_motion(path)
    assert [(track.site, track.side) for track in tracks] == [(imu.site, imu.side) for imu in session.motion]
    assert len(tracks) == len(params.get("imu_sites", ("pelvis",)))
    for index, track in enumerate(tracks):
        pieces = [piece for piece in heard[index] if len(piece)]
        assert track.first_hop == pieces[0].first_hop
        np.testing.assert_array_equal(
            track.quaternion, np.concatenate([piece.quaternion for piece in pieces])
        )
        up = np.concatenate([piece.up for piece in pieces])
        np.testing.assert_allclose(track.up, up, atol=1e-3)
        lengths = np.linalg.norm(track.up, axis=1)
        np.testing.assert_allclose(lengths[~np.isnan(lengths)], 1.0, atol=1e-12)


def test_tracks_have_one_row_a_hop_from_the_first_sample_to_the_last(tmp_path):
    path = tmp_path / "motion.arrows"
    athlete = perform(AthleteParams(exercise="bridge", n_reps=2, seed=8, emg=False))
    write_recording(athlete, path)
    (track,) = read_motion(path)
    n_samples = len(athlete.streams[0].counts)
    assert track.first_hop == 0
    assert len(track.up) == len(track.quaternion) == len(track.rate_radps) == n_samples - 1


def test_an_accelerometer_has_a_direction_and_no_turning(tmp_path):
    (track,) = read_motion(recorded(tmp_path, exercise="bridge", imu_axes=3, emg=False))
    assert track.quaternion is None
    assert track.rate_radps is None


def test_a_recording_without_motion_has_no_tracks(tmp_path):
    path = recorded(tmp_path, exercise="bridge", imu_sites=(), emg_rate_hz=1000.0)
    assert read_motion(path) == ()


def test_what_is_no_recording_is_refused(tmp_path):
    path = tmp_path / "text.arrows"
    path.write_text("nothing of the kind")
    with pytest.raises(RecordingError):
        read_motion(path)


@pytest.mark.parametrize("seed", range(5))
def test_the_angular_rate_of_a_known_turn_is_found_in_sensor_axes(seed):
    rng = np.random.default_rng(seed)
    rate_radps = rng.normal(0.0, 2.0, 3)
    start = Rotation.random(rng=seed)
    # Turning evenly about an axis of its own, a sensor sees the same rate at all times.
    turned = start * Rotation.from_rotvec(np.outer(np.arange(200) / 100.0, rate_radps))
    quaternion = turned.as_quat(scalar_first=True)
    signs = np.sign(np.sum(quaternion[1:] * quaternion[:-1], axis=1))
    quaternion[1:] *= np.multiply.accumulate(signs)[:, np.newaxis]
    found = _angular_rate(quaternion)
    assert found.shape == (200, 3)
    np.testing.assert_allclose(found, np.tile(rate_radps, (200, 1)), rtol=1e-3)


def test_a_missing_hop_leaves_the_rates_beside_it_missing():
    quaternion = np.tile([1.0, 0.0, 0.0, 0.0], (6, 1))
    quaternion[3] = np.nan
    assert np.isnan(_angular_rate(quaternion)).any(axis=1).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]

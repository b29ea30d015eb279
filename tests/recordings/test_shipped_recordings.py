"""The recordings that ship are small, sound, and what their README says."""

from pathlib import Path

import pytest

from emgmon.recording.reader import RecordingReader
from emgmon.virtual.truth import read_truth

FOLDER = Path(__file__).parents[2] / "recordings"


@pytest.mark.parametrize(
    ("name", "exercise", "share_pct"),
    [("bridge-glute-led", "bridge", 70.0), ("bridge-back-led", "bridge", 35.0), ("squat", "squat", 62.0)],
)
def test_a_shipped_recording_is_whole_and_its_truth_is_what_the_readme_says(
    name: str, exercise: str, share_pct: float
) -> None:
    path = FOLDER / f"{name}.arrows"
    assert path.stat().st_size < 1_500_000
    reader = RecordingReader(path)
    n_notifications = sum(len(batch) for batch in reader.batches())
    assert reader.torn is None
    assert n_notifications > 4000
    assert (reader.header.origin, reader.header.exercise) == ("simulation", exercise)
    assert reader.header.calibration is not None
    assert reader.header.started_utc is None
    truth = read_truth(path)
    assert [rep.number for rep in truth.reps] == list(range(1, 9))
    shares_pct = [rep.glute_share_pct for rep in truth.reps]
    assert sum(shares_pct) / len(shares_pct) == pytest.approx(share_pct, abs=2.0)
    assert max(abs(share - share_pct) for share in shares_pct) < 6.0

"""The athlete performs today what it performed when the sample recordings were made."""

from pathlib import Path

import numpy as np
import pytest

from emgmon.events import NotificationKind
from emgmon.recording.columns import to_notifications
from emgmon.recording.reader import RecordingReader
from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.truth import read_truth
from firmware_protocol.control import Response, Started
from firmware_protocol.decoder import Decoder, SampleBlock

FOLDER = Path(__file__).parents[2] / "recordings"

MADE = {
    "bridge-glute-led": AthleteParams(exercise="bridge", n_reps=8, glute_share_pct=70.0, seed=11),
    "bridge-back-led": AthleteParams(exercise="bridge", n_reps=8, glute_share_pct=35.0, seed=12),
    "squat": AthleteParams(exercise="squat", n_reps=8, seed=13),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_new_and_not_asked_for_changes_no_sample_of_old_recordings(name: str) -> None:
    performance = perform(MADE[name])
    decoder = Decoder(performance.capabilities)
    blocks: list[SampleBlock] = []
    for batch in RecordingReader(FOLDER / f"{name}.arrows").batches():
        for row in to_notifications(batch):
            if row.kind is NotificationKind.CONTROL:
                decoder.start(Started.from_bytes(Response.from_bytes(row.payload).payload))
            elif row.kind is NotificationKind.DATA:
                blocks += [item for item in decoder.receive(row.payload) if isinstance(item, SampleBlock)]
    for samples in performance.streams:
        old = np.concatenate([b.values for b in blocks if b.stream == samples.stream.number])
        # Another processor may round a sample to the count beside it.
        assert old.shape == samples.counts.shape
        assert np.abs(old.astype(np.int32) - samples.counts).max() <= 1


@pytest.mark.parametrize("name", MADE)
def test_what_old_truth_tells_is_still_true(name: str) -> None:
    old, new = read_truth(FOLDER / f"{name}.arrows"), perform(MADE[name]).truth
    for before, after in zip(old.reps, new.reps, strict=True):
        for field in before.__struct_fields__:
            value = getattr(before, field)
            if isinstance(value, float):
                assert getattr(after, field) == pytest.approx(value, rel=1e-9)
            elif value not in (None, ()):
                assert getattr(after, field) == value

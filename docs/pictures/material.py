"""What the pictures show: our own recordings, and sets that the virtual athlete performs for the purpose."""

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.analysis import analyse
from emgmon.analysis_document import AnalysisDocument, RepDocument
from emgmon.dsp.cleaning import Cleaning
from emgmon.events import EnvelopeComputed, Metric, Quality
from emgmon.recording.emg_reader import EmgTrack, read_emg
from emgmon.virtual.athlete import perform
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.simulate import write_recording
from emgmon.virtual.truth import Truth, read_truth

HERE = Path(__file__).resolve().parent
RECORDINGS = HERE.parent.parent / "recordings"
MADE = Path(tempfile.gettempdir()) / "emgmon-pictures"
"""Where the sets that do not ship are kept while pictures are made."""

GLUTE_LEFT, GLUTE_RIGHT, BACK_LEFT, BACK_RIGHT = range(4)


@dataclass(frozen=True)
class Envelopes:
    """Of all channels, from the first hop on."""

    first_hop: int
    envelope_uv: NDArray[np.float64]
    activation_pct: NDArray[np.float64]

    @property
    def time_s(self) -> NDArray[np.float64]:
        return (self.first_hop + np.arange(len(self.envelope_uv)) + 0.5) / 100.0


@functools.cache
def performed(name: str, params: AthleteParams) -> Path:
    """Let the virtual athlete perform a set."""
    MADE.mkdir(exist_ok=True)
    path = MADE / f"{name}.arrows"
    write_recording(perform(params), path, seed=params.seed, replace=True)
    return path


@functools.cache
def analysed(path: Path) -> tuple[AnalysisDocument, Envelopes]:
    """Analyse a recording as the program does."""
    seen: list[EnvelopeComputed] = []

    def watch(event: object) -> None:
        if isinstance(event, EnvelopeComputed):
            seen.append(event)

    document = analyse(path, watch=watch)
    envelopes = Envelopes(
        seen[0].first_hop if seen else 0,
        np.concatenate([event.envelope_uv for event in seen]) if seen else np.empty((0, 0)),
        np.concatenate([event.activation_pct for event in seen]) if seen else np.empty((0, 0)),
    )
    return document, envelopes


@functools.cache
def emg_of(path: Path) -> EmgTrack:
    """Read the raw samples of a recording's only EMG stream."""
    (track,) = read_emg(path)
    return track


def truth_of(path: Path) -> Truth:
    return read_truth(path)


def clean(raw_uv: NDArray[np.float64], rate_hz: float, hum_hz: float | None = None) -> NDArray[np.float64]:
    """Clean one channel as a session does; shape (n_samples,)."""
    stage = Cleaning(n_channels=1, rate_hz=rate_hz, hum_hz=(hum_hz,))
    return stage.process(np.array(raw_uv[np.newaxis], dtype=np.float64))[0]


def reps_of(document: AnalysisDocument) -> list[RepDocument]:
    return [rep for done in document.sets for rep in done.reps]


def metrics_of(rep: RepDocument) -> list[Metric]:
    """Give a repetition's figures back as the reference set wants them."""
    return [
        Metric(name, m.value, m.low, m.high, m.n, Quality(m.quality), m.reason)
        for name, m in rep.metrics.items()
    ]

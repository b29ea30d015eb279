"""Envelopes as a table for other programs: a row a hop, a column a channel, empty where not measured."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.errors import RecordingError
from emgmon.events import HOP_RATE_HZ, EnvelopeComputed, SessionEvent
from emgmon.recording.files import written_beside
from emgmon.recording.format import sensor_capabilities
from emgmon.recording.reader import RecordingReader
from firmware_protocol.capabilities import StreamKind


class EnvelopeTable:
    """Collects the envelopes of one analysis.

    Parameters
    ----------
    recording
        Names the channels.
    """

    def __init__(self, recording: Path) -> None:
        self._recording = recording
        self._names = {
            (sensor, stream.number): [
                f"envelope.{channel.site}{'.' + channel.side if channel.side else ''}_uV"
                for channel in stream.channels
            ]
            for sensor, capabilities in enumerate(sensor_capabilities(RecordingReader(recording).header))
            for stream in capabilities.streams
            if stream.kind is StreamKind.EMG
        }
        self._pieces: dict[tuple[int, int], list[EnvelopeComputed]] = {key: [] for key in self._names}

    def take(self, event: SessionEvent) -> None:
        """Keep an event if it carries envelopes."""
        if isinstance(event, EnvelopeComputed):
            self._pieces[(event.sensor, event.stream)].append(event)

    def write(self, path: Path, *, replace: bool) -> None:
        """Write the table as CSV, microvolt.

        Raises
        ------
        RecordingError
            When the recording holds no EMG.
        """
        columns = {key: _joined(pieces) for key, pieces in self._pieces.items() if pieces}
        if not columns:
            raise RecordingError(
                f"{self._recording} holds no EMG, so it has no envelopes",
                advice="Analyse it without --envelopes.",
            )
        first = min(hop for hop, _ in columns.values())
        stop = max(hop + len(values) for hop, values in columns.values())
        names = ["t_s", *(name for key in columns for name in self._names[key])]
        table = np.full((stop - first, len(names)), np.nan)
        table[:, 0] = (np.arange(first, stop) + 0.5) / HOP_RATE_HZ
        column = 1
        for hop, values in columns.values():
            table[hop - first : hop - first + len(values), column : column + values.shape[1]] = values
            column += values.shape[1]
        with written_beside(path, replace=replace) as temporary:
            temporary.write_bytes(_csv(names, table))


def _joined(pieces: list[EnvelopeComputed]) -> tuple[int, NDArray[np.float64]]:
    return pieces[0].first_hop, np.concatenate([piece.envelope_uv for piece in pieces])


def _csv(names: list[str], table: NDArray[np.float64]) -> bytes:
    text = io.StringIO()
    text.write(",".join(names) + "\n")
    for row in table.tolist():
        cells = [f"{row[0]:.3f}", *("" if value != value else f"{value:.4f}" for value in row[1:])]
        text.write(",".join(cells) + "\n")
    return text.getvalue().encode()

"""What the virtual sensor will measure and what is known of the person: one performance or several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.alignment import Alignment
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from emgmon.virtual.athlete import Performance, StreamSamples
from firmware_protocol.capabilities import Capabilities, StreamKind

SEAM_S = 0.05
"""Stretch on either side of a seam over which the electrode's offset is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """Samples for a virtual sensor."""

    capabilities: Capabilities
    streams: tuple[StreamSamples, ...]
    exercise: str
    calibration: Calibration | None
    reference: ReferenceSet | None
    alignments: tuple[Alignment, ...] = ()


def script(performances: Sequence[Performance]) -> Script:
    """Play performances of one person one after the other; what is known is taken from the first."""
    first = performances[0]
    streams = zip(*(performance.streams for performance in performances), strict=True)
    return Script(
        capabilities=first.capabilities,
        streams=tuple(reduce(_append, parts) for parts in streams),
        exercise=first.exercise,
        calibration=first.calibration,
        reference=first.reference,
        alignments=first.alignments,
    )


def _append(before: StreamSamples, after: StreamSamples) -> StreamSamples:
    counts: NDArray[np.int16] = after.counts
    if before.stream.kind is StreamKind.EMG:
        counts = _levelled(before.counts, counts, round(SEAM_S * before.stream.rate_hz))
    return replace(before, counts=np.concatenate((before.counts, counts)))


def _levelled(before: NDArray[np.int16], after: NDArray[np.int16], n_seam: int) -> NDArray[np.int16]:
    """Shift a take to where the one before left off: an electrode's offset wanders, it does not jump."""
    step = np.rint(before[-n_seam:].mean(axis=0) - after[:n_seam].mean(axis=0))
    limits = np.iinfo(np.int16)
    levelled: NDArray[np.int16] = np.clip(after + step, limits.min, limits.max).astype(np.int16)
    return levelled

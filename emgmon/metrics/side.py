"""Which side worked in a repetition: told by where the sensor sits, by rotation, or by the louder glute."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emgmon.metrics.engagement import Body

Side = Literal["left", "right"]

CALIBRATED_RATIO = 1.25
"""The working glute stands out by this much, both in percent of their references ..."""

BARE_RATIO = 1.6
"""... and by this much in microvolt, where electrodes alone may make a difference."""


@dataclass(frozen=True, slots=True)
class GlutePair:
    """Columns of the left and the right glute among all EMG channels."""

    left: int
    right: int


def glute_pair(body: Body, sides: list[str | None]) -> GlutePair | None:
    """Find the two glutes; ``None`` unless both are worn.

    Parameters
    ----------
    body
        Which channels stand for which muscle.
    sides
        Side of every EMG channel, in column order.
    """
    found = {sides[column]: column for column in body.glute.channels}
    if "left" not in found or "right" not in found:
        return None
    return GlutePair(found["left"], found["right"])


def louder_glute(
    pair: GlutePair, activation_pct: NDArray[np.float64], envelope_uv: NDArray[np.float64]
) -> Side | None:
    """Tell which glute worked, from the hops of the working phases, shape (n_hops, n_channels) each.

    Returns
    -------
    "left", "right" or None
        ``None`` when neither stands out.
    """
    calibrated = _mean_pair(pair, activation_pct)
    values, ratio = (calibrated, CALIBRATED_RATIO)
    if not all(math.isfinite(value) for value in values):
        values, ratio = _mean_pair(pair, envelope_uv), BARE_RATIO
    left, right = values
    if not (math.isfinite(left) and math.isfinite(right)):
        return None
    if left >= ratio * right:
        return "left" if left > 0.0 else None
    return "right" if right >= ratio * left else None


def _mean_pair(pair: GlutePair, columns: NDArray[np.float64]) -> tuple[float, float]:
    if not len(columns):
        return math.nan, math.nan
    return float(np.mean(columns[:, pair.left])), float(np.mean(columns[:, pair.right]))

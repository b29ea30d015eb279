"""Rest is the longest part of a stretch in which nothing moves, so a twitch costs seconds and no accuracy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.timeline import runs
from emgmon.errors import CalibrationError
from emgmon.metrics.strongest import step_samples, window_power

SHORTEST_REST_S = 2.0

CALM_WINDOW_S = 1.5
"""Holds a heartbeat at 40 per minute, and no more than two at 80, so a quiet back is calm."""

CALM_RATIO = 1.5
"""Rest is calm while no window is louder than the calmest by more: one heartbeat more makes up to 1.41."""


@dataclass(frozen=True, slots=True)
class CalmPart:
    """The longest calm part of a stretch, as samples of it."""

    first: int
    stop: int
    rms_uv: float
    """Median over all windows of `CALM_WINDOW_S` in it."""


def longest_calm(clean_uv: NDArray[np.float64], rate_hz: float, *, name: str) -> CalmPart:
    """Find where a muscle was at rest.

    Parameters
    ----------
    clean_uv
        Shape (n_samples,), a stretch meant as rest, NaN where missing.
    rate_hz
        Sample rate.
    name
        The channel as people call it, for refusals.

    Raises
    ------
    CalibrationError
        When no `SHORTEST_REST_S` of it are calm.
    """
    window_uv = np.sqrt(window_power(clean_uv, rate_hz, CALM_WINDOW_S))
    if np.isnan(window_uv).all():
        raise CalibrationError(
            f"the rest of the {name} has no {CALM_WINDOW_S:g} s in one piece",
            advice="Choose a stretch without gaps.",
        )
    calmest_uv, loudest_uv = float(np.nanmin(window_uv)), float(np.nanmax(window_uv))
    calm = np.where(np.isnan(window_uv), np.inf, window_uv) <= CALM_RATIO * calmest_uv
    first, stop = max(((a, b) for a, b, is_calm in runs(calm) if is_calm), key=lambda run: run[1] - run[0])
    # A movement next to it reaches into the outer windows, and the median does not mind.
    rms_uv = float(np.median(window_uv[first:stop]))
    step = step_samples(rate_hz)
    first, stop = first * step, (stop - 1) * step + round(CALM_WINDOW_S * rate_hz)
    # The last window may end a step before the stretch.
    if (stop - first + step) / rate_hz < SHORTEST_REST_S:
        raise CalibrationError(
            f"the {name} was not at rest: from {calmest_uv:.1f} to {loudest_uv:.1f} µV,"
            f" and calm for {(stop - first) / rate_hz:.1f} s only",
            advice=f"Choose at least {SHORTEST_REST_S:g} s, better 5 s, lying still and relaxed.",
        )
    return CalmPart(first, stop, rms_uv)

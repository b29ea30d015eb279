"""The person's own good repetitions of one exercise: the only yardstick of compensation."""

import math
from dataclasses import dataclass

PUBLISHED_REP_CV = 0.11
"""Smallest same-day within-person variation of one muscle's normalised amplitude
(Bolgla and Uhl 2007, J Electromyogr Kinesiol 17:102: 11 to 22 %)."""

MIN_REPS_FOR_OWN_SPREAD = 5
"""With fewer repetitions the person's own spread is too uncertain to use."""


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """How the log ratio of glute to back was distributed over the person's own good set."""

    exercise: str
    n_reps: int
    log_ratio: float
    """Mean of ln(glute engagement / back engagement)."""
    rep_sd: float
    """Standard deviation of the log ratio from repetition to repetition."""


def minimal_detectable_change(reference: ReferenceSet, *, n_reps: int = 1) -> float:
    """Smallest change of the log ratio that is more than the person's own scatter.

    95 % limit of the difference between the mean of `n_reps` repetitions and the mean of the
    reference set. With few reference repetitions the published variation of both muscles takes
    the place of the person's own.

    Parameters
    ----------
    reference
        The good set.
    n_reps
        How many repetitions are averaged before comparing.

    Returns
    -------
    float
        In units of the log ratio.
    """
    published = math.sqrt(2.0) * PUBLISHED_REP_CV
    own = reference.n_reps >= MIN_REPS_FOR_OWN_SPREAD and reference.rep_sd > 0.0
    known = reference.rep_sd if math.isfinite(reference.rep_sd) else 0.0
    rep_sd = reference.rep_sd if own else max(known, published)
    return 1.96 * rep_sd * math.sqrt(1.0 / n_reps + 1.0 / max(reference.n_reps, 1))

"""How long to leave a sensor alone between two tries to reach it: a pure function and its constants."""

FIRST_DELAYS_S = (0.0, 0.1, 0.3)
"""The first tries follow each other fast: most losses are over in a moment."""

GROWTH = 2.0
"""By so much every later delay is longer than the one before it."""

LONGEST_DELAY_S = 2.0
"""A try itself listens for seconds, so that a sensor that comes back is heard at once most of the time;
a longer pause between tries would save little and be noticed."""

JITTER = 0.25
"""Share by which chance makes a delay shorter or longer, so that several links do not try in step."""


def retry_delay_s(attempt: int, *, jitter: float) -> float:
    """Tell how long to wait before a try.

    Parameters
    ----------
    attempt
        Number of the try since the loss, from 0.
    jitter
        A number from 0 to 1, drawn by the caller.

    Returns
    -------
    float
        Seconds; never more than :data:`LONGEST_DELAY_S` and the share of chance above it.

    Raises
    ------
    ValueError
        For a negative attempt, or a jitter beyond 0 to 1.
    """
    if attempt < 0 or not 0 <= jitter <= 1:
        raise ValueError(f"attempt {attempt} and jitter {jitter} are not at least 0, and 0 to 1")
    if attempt < len(FIRST_DELAYS_S):
        delay_s = FIRST_DELAYS_S[attempt]
    else:
        # The exponent is bounded: a session may go without its sensor for days.
        n_later = min(attempt - len(FIRST_DELAYS_S) + 1, 64)
        delay_s = min(FIRST_DELAYS_S[-1] * GROWTH**n_later, LONGEST_DELAY_S)
    return delay_s * (1 + JITTER * (2 * jitter - 1))

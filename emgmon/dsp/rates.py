"""What a low rate, or an envelope in place of raw EMG, cannot give is said in words before anyone asks."""

from collections.abc import Sequence

from emgmon.dsp.filters import HIGH_PASS_HZ, LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE, has_emg_band

LOWEST_ENVELOPE_RATE_HZ = 10.0
"""Activity of a repetition comes and goes within a second; slower envelopes do not follow it."""

LEAST_UPPER_HZ = 350.0
"""A channel that is cut below this misses so much of the spectrum that its median means something else: a
fall of 20 % of the whole spectrum of the EMG model (Stulen and De Luca 1981) moves the median of what lies
under 0.45 of the rate by 17 % at 1000 Hz, but by 12 % at 400, 8 % at 250 and 5 % at 200 Hz."""

WHOLE_BAND_RATE_HZ = LOW_PASS_HZ / LOW_PASS_SHARE_OF_RATE
"""1000 Hz: from here on the whole band up to 450 Hz is measured."""


def is_too_slow(rate_hz: float, *, has_raw: bool) -> bool:
    """Whether nothing can be measured on an EMG stream.

    Parameters
    ----------
    rate_hz
        Sample rate.
    has_raw
        Whether any channel is raw EMG, which needs a band above the high-pass; envelopes need none.
    """
    return not has_emg_band(rate_hz) if has_raw else rate_hz < LOWEST_ENVELOPE_RATE_HZ


def has_median_frequency(rate_hz: float) -> bool:
    """Whether the spectrum of raw EMG at this rate reaches far enough for its median."""
    return min(LOW_PASS_HZ, LOW_PASS_SHARE_OF_RATE * rate_hz) >= LEAST_UPPER_HZ


def rate_limits(rate_hz: float) -> tuple[str, ...]:
    """Say what raw EMG at this rate cannot give.

    Returns
    -------
    tuple of str
        Sentences without a full stop; empty from 1000 Hz on.
    """
    if is_too_slow(rate_hz, has_raw=True):
        return (
            f"at {rate_hz:g} Hz no band is left above the {HIGH_PASS_HZ:g} Hz high-pass: no EMG is measured",
        )
    if rate_hz >= WHOLE_BAND_RATE_HZ:
        return ()
    above = f"at {rate_hz:g} Hz nothing above {LOW_PASS_SHARE_OF_RATE * rate_hz:.0f} Hz is measured"
    scatter = f"amplitudes scatter more than at {WHOLE_BAND_RATE_HZ:g} Hz"
    if not has_median_frequency(rate_hz):
        return (f"{above}: {scatter}, and there is no median frequency",)
    return (f"{above}: {scatter}, and the median frequency reads lower and falls less with fatigue",)


def envelope_limits(sites: Sequence[str]) -> tuple[str, ...]:
    """Say what channels that came as envelopes cannot give.

    Parameters
    ----------
    sites
        Names of those channels, as a person reads them.

    Returns
    -------
    tuple of str
        One sentence without a full stop, or none where there is no such channel.
    """
    if not sites:
        return ()
    return (
        f"{', '.join(sites)}: rectified or smoothed before it was recorded, so there is no median frequency,"
        " and no onset finer than that smoothing",
    )

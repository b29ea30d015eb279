"""Which channel is calibrated from which samples: stretches that a person has pointed out, cut out."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.cli.stretches import Between, Reference
from emgmon.dsp.beats import find_beats
from emgmon.errors import CalibrationError, UsageError
from emgmon.metrics.calibrating import ChannelStretches, Stretch, Trial
from emgmon.metrics.engagement import BACK_SITES, ChannelSite
from emgmon.recording.emg_reader import EmgTrack, read_emg

LEAD_S = 0.5
"""Filters settle in this much of what comes before a stretch."""

BEATS_AROUND_S = 30.0
"""Heartbeats are sought this long before and after the rest: a few seconds of rest hold too few of them."""

ROUNDING_S = 0.25
"""A stretch may end this much after the recording: nobody knows the last tenth of a second."""


def read_tracks(
    recording: Path, rest: Between, references: Sequence[Reference], *, best_so_far: bool
) -> tuple[EmgTrack, ...]:
    """Read as much of the recording's EMG as the stretches need.

    Raises
    ------
    RecordingError
        When the file cannot be read.
    CalibrationError
        When there is no EMG in it.
    """
    parts = [rest, *(reference.between for reference in references)]
    from_s = min(min(part.from_s for part in parts) - LEAD_S, rest.from_s - BEATS_AROUND_S)
    to_s = max(max(part.to_s for part in parts), rest.to_s + BEATS_AROUND_S)
    if best_so_far:
        from_s, to_s = 0.0, math.inf
    tracks = read_emg(recording, from_s=from_s, to_s=to_s)
    if not tracks:
        raise CalibrationError(
            f"{recording} holds no EMG", advice="A calibration is of electrodes; motion needs emgmon posture."
        )
    return tracks


def cut(
    tracks: Sequence[EmgTrack], rest: Between, references: Sequence[Reference], *, best_so_far: bool
) -> Iterator[tuple[ChannelStretches, bool]]:
    """Give the stretches of every channel to be calibrated, and whether its references were pointed out.

    Raises
    ------
    UsageError
        When a site is not among the channels, or a stretch lies outside the recording.
    """
    _check_sites([site for track in tracks for site in track.sites], references)
    for track in tracks:
        beats = _beats(track, rest)
        for row, site in enumerate(track.sites):
            own = [reference for reference in references if reference.is_of(site.site, site.side)]
            if own or best_so_far:
                yield _stretches(track, row, rest, own, beats), bool(own)


def whole_channels(recording: Path) -> Iterator[ChannelStretches]:
    """Give every channel of a recording with all there is of it as its only trial, and no rest.

    Raises
    ------
    RecordingError
        When the file cannot be read.
    """
    for track in read_emg(recording):
        for row, site in enumerate(track.sites):
            yield ChannelStretches(
                site=site.site,
                side=site.side,
                rate_hz=track.rate_hz,
                rest=Stretch(track.raw_uv[row, :0]),
                trials=(Trial("", Stretch(track.raw_uv[row])),),
                is_envelope=track.is_envelope[row],
            )


def channel_word(site: ChannelSite) -> str:
    """Write a channel as an option names it."""
    return site.site if site.side is None else f"{site.site}.{site.side}"


def _check_sites(sites: Sequence[ChannelSite], references: Sequence[Reference]) -> None:
    for reference in references:
        if not any(reference.is_of(site.site, site.side) for site in sites):
            known = ", ".join(dict.fromkeys(channel_word(site) for site in sites))
            raise UsageError(
                f"--reference {reference} names no channel of the recording",
                advice=f"There are {known}; a site without its side means both.",
            )


def _stretches(
    track: EmgTrack, row: int, rest: Between, references: Sequence[Reference], beats: NDArray[np.int64]
) -> ChannelStretches:
    site = track.sites[row]
    trials = [Trial(one.position, _cut(track, row, one.between, f"--reference {one}")) for one in references]
    return ChannelStretches(
        site=site.site,
        side=site.side,
        rate_hz=track.rate_hz,
        rest=_cut(track, row, rest, f"--rest {rest}"),
        trials=tuple(trials or [Trial("", Stretch(track.raw_uv[row]))]),
        is_envelope=track.is_envelope[row],
        beats=beats if row in _trunk_rows(track) else beats[:0],
    )


def _cut(track: EmgTrack, row: int, between: Between, option: str) -> Stretch:
    if between.from_s < track.from_s - ROUNDING_S or between.to_s > track.to_s + ROUNDING_S:
        raise UsageError(
            f"{option} lies outside the EMG, which goes from {track.from_s:.2f} to {track.to_s:.2f} s",
            advice="Give two times within it.",
        )
    first, stop = track.between(between.from_s, between.to_s)
    lead, _ = track.between(between.from_s - LEAD_S, between.to_s)
    return Stretch(track.raw_uv[row, lead:stop], first - lead)


def _trunk_rows(track: EmgTrack) -> list[int]:
    """Channels that see the heart, as it was sent."""
    pairs = zip(track.sites, track.is_envelope, strict=True)
    return [row for row, (site, enveloped) in enumerate(pairs) if site.site in BACK_SITES and not enveloped]


def _beats(track: EmgTrack, rest: Between) -> NDArray[np.int64]:
    """Find heartbeats in the rest, as samples of it."""
    rows = _trunk_rows(track)
    if not rows:
        return np.empty(0, dtype=np.int64)
    around, stop = track.between(rest.from_s - BEATS_AROUND_S, rest.to_s + BEATS_AROUND_S)
    first, last = track.between(rest.from_s, rest.to_s)
    beats = find_beats(track.raw_uv[rows, around:stop], track.rate_hz) + around
    return beats[(beats >= first) & (beats < last)] - first

"""A second look at a recording: what only the whole of it shows is taken out before it is analysed again.

Two things cannot be had live. A heartbeat's template rests on the beats before and after each beat, and
whether hum dominates a channel that nobody calibrated shows only once its muscle has worked. Both are asked
for by the person, and told in the analysis; nothing of it happens silently.
"""

import itertools
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.beats import find_beats
from emgmon.dsp.cleaning import Cleaning, hum_to_remove
from emgmon.dsp.filters import has_emg_band
from emgmon.dsp.heartbeat import subtract_beats
from emgmon.metrics.calibration import Calibration, ChannelCalibration
from emgmon.metrics.calibration_signal import SeenSignal, look
from emgmon.metrics.engagement import BACK_SITES
from emgmon.recording.emg_reader import EmgTrack, read_emg
from emgmon.streams import StreamRefinement

PIECE_S = 600.0
"""Beats are looked for in pieces of this length, so that an hour does not fill the memory ..."""

MARGIN_S = 60.0
"""... each with this much more at either side: the template of a beat rests on half a minute around it."""

MOST_HEART = 0.5
"""Of the power of a rest. Beyond it, what is left after taking the heartbeat off depends on how many beats
that rest happened to hold; the quiet moments of the refined recording tell it better."""

QUIET_PERCENTILE = 10.0
"""Of the power of pieces of `QUIET_S`: between repetitions the back rests for more of the time than this."""

QUIET_S = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What a second look found."""

    streams: tuple[StreamRefinement, ...]
    calibration: Calibration | None
    """The calibration with the heartbeat taken off its rest noise."""


def refine(path: Path | str, calibration: Calibration | None) -> Refined:
    """Look for heartbeats in the back channels, and for hum that dominates where nothing was calibrated.

    Parameters
    ----------
    path
        The recording.
    calibration
        By which it is to be analysed.

    Raises
    ------
    RecordingError
        When the file is not a recording.
    """
    pieces: dict[tuple[int, int], list[_Piece]] = {}
    for start in itertools.count():
        begin_s, end_s = start * PIECE_S, (start + 1) * PIECE_S
        tracks = read_emg(path, from_s=begin_s - MARGIN_S, to_s=end_s + MARGIN_S)
        for track in tracks:
            pieces.setdefault((track.sensor, track.stream), []).append(
                _look_at(track, begin_s, end_s, calibration)
            )
        if all(track.to_s <= end_s for track in tracks):
            break
    streams = tuple(_join(sensor, stream, found) for (sensor, stream), found in pieces.items())
    return Refined(streams, None if calibration is None else _without_beats(calibration, streams))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """What was found in one piece of one stream."""

    track: EmgTrack
    """Without its samples."""
    first_sample: int
    artefact_uv: NDArray[np.float32]
    """Shape (n_channels, n)."""
    power_uv2: NDArray[np.float64]
    """Sum of squares of the cleaned heartbeat, shape (n_channels,)."""
    quiet_uv: NDArray[np.float64]
    """RMS of the quiet moments once it is taken out, shape (n_channels,); NaN where none was."""
    n_beats: int
    hum_hz: tuple[float | None, ...]


def _look_at(track: EmgTrack, from_s: float, to_s: float, calibration: Calibration | None) -> _Piece:
    first, stop = track.between(from_s, to_s)
    trunk = [
        row for row, site in enumerate(track.sites) if site.site in BACK_SITES and not track.is_envelope[row]
    ]
    artefact: NDArray[np.float32] = np.zeros((len(track.sites), max(0, stop - first)), dtype=np.float32)
    power, quiet_uv, n_beats = np.zeros(len(track.sites)), np.full(len(track.sites), np.nan), 0
    if trunk and has_emg_band(track.rate_hz) and first < stop:
        beats = find_beats(track.raw_uv[trunk], track.rate_hz)
        if len(beats):
            without, laid = subtract_beats(track.raw_uv[trunk], beats, track.rate_hz)
            artefact[trunk] = laid[:, first:stop]
            power[trunk] = np.nansum(_cleaned_power(laid, track.rate_hz)[:, first:stop], axis=1)
            quiet_uv[trunk] = _quiet_uv(_cleaned_power(without, track.rate_hz), track.rate_hz)
            n_beats = int(((beats >= first) & (beats < stop)).sum())
    hum = tuple(_hum_of(track, row, first, stop, calibration) for row in range(len(track.sites)))
    empty = replace(track, raw_uv=track.raw_uv[:, :0])
    return _Piece(empty, track.first_sample + first, artefact, power, quiet_uv, n_beats, hum)


def _cleaned_power(raw_uv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Square of what the band-pass leaves, same shape."""
    return np.square(Cleaning(n_channels=len(raw_uv), rate_hz=rate_hz, hum_hz=()).process(raw_uv.copy()))


def _quiet_uv(power_uv2: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """RMS of the quiet moments of each channel; NaN where nothing was measured."""
    length = round(QUIET_S * rate_hz)
    n_pieces = power_uv2.shape[1] // length
    pieces = power_uv2[:, : n_pieces * length].reshape(len(power_uv2), n_pieces, length).mean(axis=2)
    quiet = [
        np.percentile(row[~np.isnan(row)], QUIET_PERCENTILE) if not np.isnan(row).all() else np.nan
        for row in pieces
    ]
    rms_uv: NDArray[np.float64] = np.sqrt(np.array(quiet))
    return rms_uv


def _hum_of(
    track: EmgTrack, row: int, first: int, stop: int, calibration: Calibration | None
) -> float | None:
    """Decide about hum where no calibration has decided."""
    site = track.sites[row]
    calibrated = calibration is not None and calibration.find(site.site, site.side) is not None
    if calibrated or track.is_envelope[row] or not has_emg_band(track.rate_hz):
        return None
    raw_uv = track.raw_uv[row, first:stop]
    nothing, whole = (look(part, track.rate_hz) for part in (raw_uv[:0], raw_uv))
    seen = SeenSignal(site.site, track.rate_hz, nothing, (whole,))
    return hum_to_remove(*seen.hum_ratios)


def _join(sensor: int, stream: int, found: list[_Piece]) -> StreamRefinement:
    first = min(piece.first_sample for piece in found)
    stop = max(piece.first_sample + piece.artefact_uv.shape[1] for piece in found)
    n_channels = len(found[0].track.sites)
    artefact: NDArray[np.float32] = np.zeros((n_channels, stop - first), dtype=np.float32)
    for piece in found:
        at = piece.first_sample - first
        artefact[:, at : at + piece.artefact_uv.shape[1]] = piece.artefact_uv
    power = sum((piece.power_uv2 for piece in found), np.zeros(n_channels)) / max(stop - first, 1)
    return StreamRefinement(
        sensor=sensor,
        stream=stream,
        sites=found[0].track.sites,
        first_sample=first,
        heartbeat_uv=artefact,
        heartbeat_uv2=tuple(power.tolist()),
        quiet_uv=tuple(np.min([piece.quiet_uv for piece in found], axis=0).tolist()),
        n_beats=sum(piece.n_beats for piece in found),
        hum_hz=tuple(_commonest(column) for column in zip(*(p.hum_hz for p in found), strict=True)),
    )


def _commonest(decisions: tuple[float | None, ...]) -> float | None:
    """One decision for the whole recording: the filter must not change in the middle."""
    hum = [hum_hz for hum_hz in decisions if hum_hz is not None]
    return max(set(hum), key=hum.count) if 2 * len(hum) > len(decisions) else None


def _without_beats(calibration: Calibration, streams: tuple[StreamRefinement, ...]) -> Calibration:
    """Take the heartbeat off the rest noise of the channels that it was taken out of."""
    found = {
        (site.site, site.side): (power, quiet_uv)
        for stream in streams
        for site, power, quiet_uv in zip(stream.sites, stream.heartbeat_uv2, stream.quiet_uv, strict=True)
        if power > 0.0
    }
    channels = [
        replace(channel, rest_uv=_refined_rest_uv(channel, *found[channel.site, channel.side]))
        if (channel.site, channel.side) in found
        else channel
        for channel in calibration.channels
    ]
    return replace(calibration, channels=tuple(channels))


def _refined_rest_uv(channel: ChannelCalibration, power_uv2: float, quiet_uv: float) -> float:
    if channel.rest_between_beats_uv is not None:
        return channel.rest_between_beats_uv
    if power_uv2 <= MOST_HEART * channel.rest_uv**2:
        return math.sqrt(channel.rest_uv**2 - power_uv2)
    return channel.rest_uv if math.isnan(quiet_uv) else min(channel.rest_uv, quiet_uv)

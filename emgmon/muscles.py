"""What the muscles did: the past of every EMG stream, for as long as a repetition may ask for it."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emgmon.dsp.beat_watch import BeatReading, BeatWatch, BeatWatchState
from emgmon.dsp.envelope import EnvelopeHops
from emgmon.dsp.history import HopHistory, SampleHistory
from emgmon.dsp.pipeline import EmgHops
from emgmon.dsp.quality_track import QualityTrack
from emgmon.dsp.quality_watch import ChannelChange
from emgmon.dsp.rates import has_median_frequency
from emgmon.dsp.spectrum import welch
from emgmon.events import HOP_RATE_HZ, ChannelQuality, Quality, QualityChanged, channel_words
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.engagement import BACK_SITES, Muscle, find_body
from emgmon.metrics.frequency import LEAST_SNR_DB, median_frequency
from emgmon.metrics.measure import MuscleSamples, RepSignals
from emgmon.reps.found import RepFound
from emgmon.streams import EmgStream

ONSET_HALF_S = 0.5
"""Muscles begin this close to the start of a repetition."""


@dataclass(slots=True)
class MusclesState:
    """All that the past leaves to the future."""

    envelopes: list[HopHistory]
    samples: list[SampleHistory]
    quality: list[QualityTrack]
    beats: list[BeatWatchState]
    """Of each stream's back channels."""
    readings: list[deque[BeatReading]]

    def copy(self) -> "MusclesState":
        """Independent copy, for a checkpoint."""
        return MusclesState(
            [history.copy() for history in self.envelopes],
            [history.copy() for history in self.samples],
            [track.copy() for track in self.quality],
            [state.copy() for state in self.beats],
            [readings.copy() for readings in self.readings],
        )


class Muscles:
    """Keeps envelopes, cleaned samples and quality of all EMG streams, and cuts repetitions out of them."""

    def __init__(self, streams: Sequence[EmgStream], calibration: Calibration | None) -> None:
        self._streams = streams
        self.sites = [site for stream in streams for site in stream.sites]
        self.body = find_body(self.sites, calibration)
        ends = np.cumsum([0, *(len(stream.sites) for stream in streams)]).tolist()
        self._spans = list(pairwise(ends))
        """First column of each stream and the one after its last."""
        self._watched = [
            any(first <= column < stop for column in self.body.watched) for first, stop in self._spans
        ]
        self._trunk = [[i for i, c in enumerate(s.sites) if c.site in BACK_SITES] for s in streams]
        """Rows of each stream that the heartbeat reaches."""
        self._watches = [BeatWatch(len(rows)) for rows in self._trunk]
        self._state = MusclesState(
            [HopHistory(len(stream.sites)) for stream in streams],
            [SampleHistory(len(stream.sites)) for stream in streams],
            [_quality_track(stream) for stream in streams],
            [watch.state for watch in self._watches],
            [deque() for _ in streams],
        )

    @property
    def state(self) -> MusclesState:
        """All that the past leaves to the future; a copy, and settable."""
        self._state.beats = [watch.state for watch in self._watches]
        return self._state.copy()

    @state.setter
    def state(self, state: MusclesState) -> None:
        self._state = state.copy()
        for watch, kept in zip(self._watches, state.beats, strict=True):
            watch.state = kept

    def take_envelope(self, index: int, hops: EnvelopeHops) -> None:
        """Keep new hops of one EMG stream."""
        self._state.envelopes[index].append(hops.first_hop, hops.envelope_uv)
        rows = self._trunk[index]
        if rows:
            trunk = EnvelopeHops(hops.first_hop, hops.envelope_uv[:, rows])
            self._state.readings[index].extend(self._watches[index].process(trunk))

    def take(self, index: int, hops: EmgHops) -> list[QualityChanged]:
        """Keep new samples of one EMG stream, and tell of channels that became better or worse."""
        state, stream = self._state, self._streams[index]
        state.samples[index].append(hops.first_sample, hops.clean_uv)
        return [_changed(stream, change) for change in state.quality[index].take(hops.quality)]

    def reaches(self, hop: int) -> bool:
        """Whether every EMG stream that holds glute or back has come this far."""
        histories = zip(self._state.envelopes, self._watched, strict=True)
        return all((history.next_hop or 0) >= hop for history, watched in histories if watched)

    def ends(self) -> list[int]:
        """Where each stream that holds glute or back stands."""
        watched = zip(self._state.envelopes, self._watched, strict=True)
        return [history.next_hop or 0 for history, needed in watched if needed]

    def forget_before(self, hop: int, *, longest_hops: int) -> None:
        """Let go of what lies farther back than a hop or than the longest memory."""
        state = self._state
        for stream, envelope, samples, track, readings in zip(
            self._streams, state.envelopes, state.samples, state.quality, state.readings, strict=True
        ):
            oldest = max(hop, (envelope.next_hop or 0) - longest_hops)
            envelope.forget_before(oldest)
            samples.forget_before(math.floor((oldest / HOP_RATE_HZ - ONSET_HALF_S) * stream.rate_hz))
            track.forget_before(oldest)
            # The newest reading before then still holds.
            while len(readings) > 1 and readings[1].hop < oldest:
                readings.popleft()

    def signals(self, rep: RepFound, work: tuple[int, int]) -> RepSignals:
        """Cut one repetition out; `work` is the first hop of its work and the one after the last."""
        none: NDArray[np.float64] = np.empty((rep.end_hop - rep.start_hop, 0))
        parts = [history.between(rep.start_hop, rep.end_hop) for history in self._state.envelopes]
        percents = [s.activation_pct(part) for s, part in zip(self._streams, parts, strict=True)]
        envelope_uv = np.concatenate([none, *parts], axis=1)
        qualities = tuple(
            quality
            for index, stream in enumerate(self._streams)
            for quality in self._rep_quality(index, stream, rep, work, parts[index])
        )
        return RepSignals(
            activation_pct=np.concatenate([none, *percents], axis=1),
            envelope_uv=envelope_uv,
            qualities=qualities,
            glute=self.samples(self.body.glute, rep, work),
            back=self.samples(self.body.back, rep, work),
            gap=self._gap(envelope_uv, qualities),
        )

    def _rep_quality(
        self,
        index: int,
        stream: EmgStream,
        rep: RepFound,
        work: tuple[int, int],
        envelope_uv: NDArray[np.float64],
    ) -> Iterator[ChannelQuality]:
        """Grade every channel of a stream over one repetition."""
        grades = self._state.quality[index].grades(
            rep.start_hop,
            rep.end_hop,
            median_frequency_hz=self._median_frequencies(index, stream, work),
            heartbeat_share=self._heartbeat_shares(index, rep.end_hop, envelope_uv),
        )
        for site, seen in zip(stream.sites, grades, strict=True):
            yield ChannelQuality(site.site, site.side, seen.grade, seen.reason, seen.figures)

    def _median_frequencies(self, index: int, stream: EmgStream, work: tuple[int, int]) -> list[float | None]:
        """Median frequency of each raw channel at work; ``None`` where noise would decide it."""
        found: list[float | None] = [None] * len(stream.sites)
        if not has_median_frequency(stream.rate_hz) or all(stream.is_envelope):
            return found
        first, stop = (round(hop / HOP_RATE_HZ * stream.rate_hz) for hop in work)
        work_uv = self._state.samples[index].between(first, stop)
        if work_uv.shape[1] < 2:
            return found
        frequency_hz, density = welch(work_uv, stream.rate_hz)
        for row, (spectrum, rest_uv) in enumerate(zip(density, stream.rest_uv, strict=True)):
            if stream.is_envelope[row] or bool(np.isnan(spectrum).any()):
                continue
            power = float(spectrum.sum()) * float(frequency_hz[1])
            if power > 10.0 ** (LEAST_SNR_DB / 10.0) * rest_uv**2:
                found[row] = median_frequency(spectrum, frequency_hz)
        return found

    def _heartbeat_shares(self, index: int, hop: int, envelope_uv: NDArray[np.float64]) -> list[float | None]:
        """Part of each channel's power that comes with the heartbeat, by the last rest before a hop."""
        shares: list[float | None] = [None] * envelope_uv.shape[1]
        known = [reading for reading in self._state.readings[index] if reading.hop <= hop]
        if not known or not len(envelope_uv):
            return shares
        for row, power in zip(self._trunk[index], known[-1].heartbeat_uv2, strict=True):
            whole = float(np.mean(np.square(envelope_uv[:, row])))
            if power is not None and whole > 0.0:
                shares[row] = min(power / whole, 1.0)
        return shares

    def _gap(self, envelope_uv: NDArray[np.float64], qualities: tuple[ChannelQuality, ...]) -> str | None:
        watched = self.body.watched
        if not watched:
            return None
        missing = int(np.any(np.isnan(envelope_uv[:, watched]), axis=1).sum())
        if missing:
            lost_ms = missing * 1000 // HOP_RATE_HZ
            return f"EMG samples are missing, {lost_ms} ms of this repetition could not be measured"
        poor = next((qualities[c] for c in watched if qualities[c].grade is Quality.REJECT), None)
        return None if poor is None else f"{channel_words(poor.site, poor.side)}: {poor.reason}"

    def samples(self, muscle: Muscle, rep: RepFound, work: tuple[int, int]) -> MuscleSamples | None:
        """Cut the cleaned samples of one muscle out; ``None`` where they are of several streams, or none."""
        index = next((i for i, span in enumerate(self._spans) if _inside(muscle.channels, span)), None)
        if index is None or not muscle.parts:
            return None
        stream, kept = self._streams[index], self._state.samples[index]
        rows = [column - self._spans[index][0] for column in muscle.channels]
        enveloped = any(stream.is_envelope[row] for row in rows)
        first, stop = (round(hop / HOP_RATE_HZ * stream.rate_hz) for hop in work)
        begin_s = rep.start_hop / HOP_RATE_HZ
        around = (
            math.floor((begin_s - ONSET_HALF_S) * stream.rate_hz),
            math.ceil((begin_s + ONSET_HALF_S) * stream.rate_hz),
        )
        return MuscleSamples(
            rate_hz=stream.rate_hz,
            rest_uv=stream.rest_uv[rows],
            work_uv=None if enveloped else kept.between(first, stop)[rows],
            onset_uv=kept.between(*around)[rows],
            onset_first_s=around[0] / stream.rate_hz,
        )


def _quality_track(stream: EmgStream) -> QualityTrack:
    return QualityTrack(
        n_channels=len(stream.sites),
        rate_hz=stream.rate_hz,
        rest_uv=stream.rest_uv,
        reference_uv=stream.reference_uv,
        rest_between_beats_uv=stream.rest_between_beats_uv,
        hum_hz=stream.hum_hz,
        envelope_channels=stream.is_envelope,
    )


def _changed(stream: EmgStream, change: ChannelChange) -> QualityChanged:
    site = stream.sites[change.channel]
    quality = ChannelQuality(site.site, site.side, change.grade, change.reason, change.figures)
    return QualityChanged(stream.sensor, stream.number, change.channel, change.at_s, quality)


def _inside(channels: tuple[int, ...], span: tuple[int, int]) -> bool:
    return bool(channels) and all(span[0] <= column < span[1] for column in channels)

"""Real recordings without a truth to the decimal: what was asked of each, and what was found.

Every file is imported as ``emgmon import`` does it and goes through the engine with nothing told but an
exercise; cleaned signals are those of the engine's own band-pass over the samples that the import stored.
What is compared with is found without our code: bursts by a plain threshold on a zero-phase envelope, hum by
Welch's spectrum, knees by a broken line. The recordings are not part of this project.
"""

import gzip
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from benchmarks.real_data import VARIABLE
from benchmarks.rewritten import adc_channel, read_table, volt_channel, write_table
from emgmon.dsp.filters import BandPass
from emgmon.events import (
    ChannelQuality,
    EnvelopeComputed,
    Quality,
    QualityChanged,
    RepCompleted,
    RepWithdrawn,
    SetCompleted,
)
from emgmon.metrics.calibration import Calibration, CalibrationMethod, ChannelCalibration
from emgmon.metrics.engagement import ChannelSite
from emgmon.metrics.onset import Onset, find_onset
from emgmon.recording.csv_import import import_csv
from emgmon.recording.emg_reader import EmgTrack, read_emg
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.session import Session

Floats = NDArray[np.float64]

EXERCISE = "prone-hip-extension"
"""Named for all of them: without a motion sensor repetitions are bursts, whatever the exercise."""

NEAR_S = 0.05

HALF_S = 0.5

HUM_PRESENT, HUM_ABSENT = 0.15, 0.05
"""Shares of the power from 20 to 450 Hz, by an independent spectrum."""

LINE_HZ = 60.0
"""Mains where the knee angles were recorded."""


@dataclass(slots=True)
class Heard:
    """What the engine said of one recording."""

    reps: list[RepCompleted] = field(default_factory=list)
    sets: list[SetCompleted] = field(default_factory=list)
    changes: list[QualityChanged] = field(default_factory=list)
    envelopes: list[EnvelopeComputed] = field(default_factory=list)

    def envelope_uv(self) -> Floats:
        """Shape (n_hops, n_channels), from the first hop on."""
        return np.concatenate([event.envelope_uv for event in self.envelopes])

    @property
    def first_s(self) -> float:
        return self.envelopes[0].first_hop / 100.0


Row = tuple[str, str, str, bool]
"""File, what was asked, what was found, whether that is it."""


def imported(csv: Path, scratch: Path) -> Path:
    out = scratch / f"{csv.name.split('.')[0]}.arrows"
    import_csv([csv], out, exercise=EXERCISE, replace=True)
    return out


def listen(path: Path, calibration: Calibration | None = None) -> Heard:
    reader = RecordingReader(path)
    setup = session_setup(reader.header)
    session = Session(setup if calibration is None else replace(setup, calibration=calibration))
    heard = Heard()
    for events in (*map(session.receive_many, reader.batches()), session.finish()):
        for event in events:
            if isinstance(event, RepCompleted) and event.uncounted is None:
                heard.reps.append(event)
            elif isinstance(event, RepWithdrawn):
                of_set = [rep for rep in heard.reps if rep.set_number == event.set_number]
                heard.reps.remove(of_set[event.number - 1])
            elif isinstance(event, SetCompleted):
                heard.sets.append(event)
            elif isinstance(event, QualityChanged):
                heard.changes.append(event)
            elif isinstance(event, EnvelopeComputed):
                heard.envelopes.append(event)
    return heard


def cleaned(track: EmgTrack) -> Floats:
    """Shape (n_channels, n_samples)."""
    raw_uv = track.raw_uv - np.nanmedian(track.raw_uv, axis=1, keepdims=True)
    clean_uv = BandPass(n_channels=len(raw_uv), rate_hz=track.rate_hz).process(raw_uv)
    return np.asarray(np.nan_to_num(clean_uv))


def zero_phase(clean_uv: Floats, rate_hz: float, corner_hz: float) -> Floats:
    sos = signal.butter(2, corner_hz, fs=rate_hz, output="sos")
    return np.asarray(np.maximum(signal.sosfiltfilt(sos, np.abs(clean_uv)), 1e-9))


def spans_above(envelope: Floats, threshold: float, *, least: int, gap: int) -> list[tuple[int, int]]:
    """First sample and last of every stretch above, short gaps closed and short stretches dropped."""
    above = np.flatnonzero(envelope > threshold)
    if not len(above):
        return []
    breaks = np.flatnonzero(np.diff(above) > gap + 1)
    firsts, lasts = above[np.r_[0, breaks + 1]], above[np.r_[breaks, len(above) - 1]]
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True) if b - a + 1 >= least]


def find_near(clean_uv: Floats, rate_hz: float, sample: int) -> Onset | str:
    """Our onset in half a second to either side, as in a repetition."""
    first = max(0, sample - round(HALF_S * rate_hz))
    stop = sample + round(HALF_S * rate_hz)
    return find_onset(clean_uv[None, first:stop], rate_hz, np.array([np.nan]), first / rate_hz)


def knees_s(envelope: Floats, rest: Floats, begin: int) -> list[float]:
    """Three ways to see where an envelope at 1 kHz bends up: leaving rest; a broken line; its logarithm's."""
    first = max(0, begin - 500)
    look = envelope[first : begin + 100 : 5]
    left_rest = np.flatnonzero(envelope[:begin] <= rest.mean() + 3.0 * rest.std())[-1]
    places = (left_rest, first + 5 * _broken_line(look), first + 5 * _broken_line(np.log(look)))
    return [float(place) / 1000.0 for place in places]


def _broken_line(y: Floats) -> int:
    """Where a level that turns into a slope fits best."""
    at, left = np.arange(len(y), dtype=float), []
    for knee in range(5, len(y) - 4):
        lines = np.stack([np.ones_like(at), np.clip(at - knee, 0.0, None)], axis=1)
        left.append(np.square(y - lines @ np.linalg.lstsq(lines, y, rcond=None)[0]).sum())
    return 5 + int(np.argmin(left))


def bursts(data: Path, scratch: Path) -> list[Row]:
    name = "emg_bursts"
    path = imported(_named(data, name, 16, scratch), scratch)
    heard, (track,) = listen(path), read_emg(path)
    clean_uv = cleaned(track)[0]
    envelope = zero_phase(clean_uv, track.rate_hz, 10.0)
    slow = zero_phase(clean_uv, track.rate_hz, 4.0)
    quiet = slice(2600, 3900)
    begins = [span[0] for span in spans_above(slow, 4.0 * slow[quiet].mean(), least=1, gap=0)]
    near, between, held, told = 0, 0, 0, 0
    for begin in begins:
        found = find_near(clean_uv, track.rate_hz, begin)
        if isinstance(found, str):
            continue
        told += 1
        seen_s = knees_s(envelope, envelope[quiet], begin)
        near += min(abs(found.at_s - one) for one in seen_s) <= NEAR_S
        between += min(seen_s) - NEAR_S <= found.at_s <= max(seen_s) + NEAR_S
        held += found.low_s <= max(seen_s) and found.high_s >= min(seen_s)
    said = f"{told} told of {len(begins)}; {near} near one of three knees, {between} near or between them"
    return [
        (name, "10 bursts counted", f"{len(heard.reps)} (threshold: {len(begins)})", len(heard.reps) == 10),
        (name, "10 onsets within 50 ms of the knee", said, between == 10),
        (name, "their intervals hold a knee", f"{held} of {told}", held == told),
    ]


def _named(data: Path, name: str, bits: int, scratch: Path) -> Path:
    """ADC counts as a glute in millivolt."""
    plain = adc_channel(data / "bursts_fatigue_ecg" / f"{name}.csv.gz", scratch / f"{name}.csv", bits=bits)
    text = plain.read_text()
    plain.write_text(text.replace("unknown_muscle", "gluteus_maximus", 1))
    return plain


def fatigue(data: Path, scratch: Path) -> list[Row]:
    name = "emg_fatigue"
    path = imported(_named(data, name, 12, scratch), scratch)
    (track,) = read_emg(path)
    envelope = zero_phase(cleaned(track)[0], track.rate_hz, 3.0)
    contractions = spans_above(envelope, 0.25 * np.percentile(envelope, 95), least=300, gap=200)
    asked = "falling median frequency"
    heard = listen(path, _calibrated(track))
    counted = f"{len(heard.reps)} (threshold: {len(contractions)})"
    rows: list[Row] = [(name, "about 30 contractions", counted, 28 <= len(heard.reps) <= 32)]
    for done in heard.sets:
        slope = next(metric for metric in done.summary if metric.name == "fatigue_slope_pct_per_rep")
        if slope.value is None or slope.low is None or slope.high is None:
            rows.append((name, asked, slope.reason or "-", False))
        else:
            said = f"{slope.value:+.2f} ({slope.low:+.2f} to {slope.high:+.2f}) % per repetition, n {slope.n}"
            rows.append((name, asked, f"{said}; {'; '.join(done.notes) or 'no note'}", slope.high < 0.0))
    return rows


def _calibrated(track: EmgTrack) -> Calibration:
    """Rest and reference from the quietest and the strongest moment: there is no longer rest."""
    width = round(0.25 * track.rate_hz)
    level_uv = np.sqrt(np.convolve(np.square(cleaned(track)[0]), np.ones(width) / width, mode="valid"))
    channel = ChannelCalibration(
        site=track.sites[0].site,
        side=track.sites[0].side,
        rest_uv=float(np.percentile(level_uv, 3)),
        reference_uv=float(level_uv.max()),
    )
    return Calibration(method=CalibrationMethod.BEST_SO_FAR.value, channels=(channel,))


def gait(data: Path, scratch: Path) -> list[Row]:
    name = "gait_gluteus"
    strides = json.loads((data / name / "strides.json").read_text())["touchdown_and_liftoff_s"]
    path = imported(data / name / "emg.csv.gz", scratch)
    heard, (track,) = listen(path), read_emg(path)
    row = next(i for i, site in enumerate(track.sites) if site.site == "gluteus_maximus")
    envelope = np.nan_to_num(heard.envelope_uv()[:, row])
    low, high = np.quantile(envelope, (0.2, 0.98))
    spans = spans_above(envelope, low + 0.25 * (high - low), least=8, gap=15)
    clean_uv, before_ms, single = cleaned(track)[row], [], 0
    start_s = track.first_sample / track.rate_hz
    touchdowns_s = [touchdown_s for touchdown_s, _ in strides]
    ends_s = [*touchdowns_s[1:], touchdowns_s[-1] + float(np.median(np.diff(touchdowns_s)))]
    for (touchdown_s, _), end_s in zip(strides, ends_s, strict=True):
        own = [
            1
            for a, b in spans
            if heard.first_s + b / 100.0 > touchdown_s and heard.first_s + a / 100.0 < end_s - 0.3
        ]
        single += len(own) == 1
        found = find_near(clean_uv, track.rate_hz, round((touchdown_s - start_s) * track.rate_hz))
        if isinstance(found, Onset):
            before_ms.append(1e3 * (touchdown_s - start_s - found.at_s))
    said = f"{len(before_ms)} told, {min(before_ms):.0f} to {max(before_ms):.0f} ms" if before_ms else "none"
    return [
        (name, "one glute burst in each stride", f"in {single} of {len(strides)}", single == len(strides)),
        (name, "onset before touch-down", said, len(before_ms) == len(strides) and min(before_ms) > 0.0),
    ]


def lifting(data: Path, scratch: Path) -> list[Row]:
    rows: list[Row] = []
    folder = data / "back_lifting"
    for name, asked, expected in (
        ("back_lifting", "11 bursts", 11),
        ("back_resting", "none", 0),
        ("triceps_resting", "none", 0),
    ):
        csv = volt_channel(folder / f"{name}.csv.gz", scratch / f"{name}.csv", site="erector_spinae.right")
        heard = listen(imported(csv, scratch))
        rows.append((name, asked, str(len(heard.reps)), len(heard.reps) == expected))
        rejected = [change for change in heard.changes if change.quality.grade is Quality.REJECT]
        reasons = [f"{one.quality.reason} at {one.at_s:.1f} s" for one in rejected]
        said = "; ".join(reasons[:2]) or "not rejected"
        dead = name == "triceps_resting"
        rows.append((name, "rejected: dead" if dead else "not rejected", said, bool(rejected) is dead))
    return rows


def hum(data: Path, scratch: Path) -> list[Row]:
    """Every channel of every file: hum called so where an independent spectrum shows it, and only there."""
    found, present, called, absent, differences = 0, 0, 0, 0, []
    for csv in sorted((data / "thigh_emg_knee_angle").glob("*.csv.gz")):
        plain = write_table(scratch / csv.name.removesuffix(".gz"), _header(csv)[:5], read_table(csv)[:, :5])
        path = imported(plain, scratch)
        heard, (track,) = listen(path), read_emg(path)
        for row, site in enumerate(track.sites):
            ratio = independent_hum(track.raw_uv[row], track.rate_hz)
            said = _told_of_hum(heard, row, site)
            if ratio > HUM_PRESENT:
                present += 1
                found += any(one.figures.hum_hz == LINE_HZ for one in said)
                differences += [one.figures.hum_ratio - ratio for one in said if one.figures.hum_ratio]
            elif ratio < HUM_ABSENT:
                absent += 1
                called += bool(said)
    near = f"; its share off by {np.median(np.abs(differences)):.2f} (median)" if differences else ""
    name = "thigh_emg_knee_angle"
    return [
        (name, "60 Hz hum told where it is", f"in {found} of {present} channels{near}", found == present),
        (name, "no hum told where there is none", f"told in {called} of {absent}", called == 0),
    ]


def _told_of_hum(heard: Heard, row: int, site: ChannelSite) -> list[ChannelQuality]:
    """Every time that a channel was said to hum: as it began, and over a repetition."""
    changed = [change.quality for change in heard.changes if change.channel == row]
    of_reps = [one for rep in heard.reps for one in rep.channels if one.site == site.site]
    return [one for one in (*changed, *of_reps) if "hum" in (one.reason or "")]


def _header(csv: Path) -> list[str]:
    with gzip.open(csv, "rt") as file:
        return file.readline().strip().split(",")


def independent_hum(raw_uv: Floats, rate_hz: float) -> float:
    """Power in 2 Hz about mains and harmonics above what lies beside it, over all from 20 to 450 Hz."""
    frequency_hz, density = signal.welch(np.nan_to_num(raw_uv), rate_hz, nperseg=2000)
    total = density[(frequency_hz >= 20.0) & (frequency_hz <= 450.0)].sum()
    lines = 0.0
    for line_hz in np.arange(LINE_HZ, 450.0, LINE_HZ):
        away_hz = np.abs(frequency_hz - line_hz)
        beside = np.median(density[(away_hz > 2.0) & (away_hz <= 6.0)])
        lines += float((density[away_hz <= 1.0] - beside).sum())
    return lines / float(total)


CHECKS: tuple[Callable[[Path, Path], list[Row]], ...] = (bursts, fatigue, gait, lifting, hum)


def print_real(data: Path | None) -> None:
    if data is None:
        print(f"\nNo real recordings here; {VARIABLE} names their folder.")
        return
    rows: list[Row] = []
    for check in CHECKS:
        with tempfile.TemporaryDirectory() as scratch:
            rows += check(data, Path(scratch))
    print("\nreal recordings")
    for name, asked, found, is_it in rows:
        print(f"{'hit ' if is_it else 'MISS'}  {name:<20}  {asked:<34}  {found}")

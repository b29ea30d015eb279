"""Onsets: steps and ramps of known beginning, real bursts against knees of their envelopes; gates nothing.

    python benchmarks/onset.py                methods side by side, coverage, pairs, real bursts
    python benchmarks/onset.py --seeds 50     quicker

EMG-like noise that begins 0.35 to 0.55 s into one second of samples, 1 kHz, one channel, after 2 s of rest;
band-passed like every channel. Ratios are 20 log10 of RMS at full height over that of the noise, before the
filter. Bad is missed or off by more than 100 ms. Spikes are a heart's, 4 times the noise, every 0.9 s.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import VARIABLE, real_data  # noqa: E402
from emgmon.dsp.change_point import runs_above, variance_change  # noqa: E402
from emgmon.dsp.filters import BandPass  # noqa: E402
from emgmon.metrics.onset import Onset, find_onset, onset_difference  # noqa: E402
from emgmon.virtual.muscle import muscle_noise  # noqa: E402

Floats = NDArray[np.float64]

RATE_HZ = 1000.0
REST_S, LOOK_S = 2.0, 1.0
SPIKE_S, BEAT_S = 0.004, 0.9
BAD_MS = 100.0
STEP = "step"


@dataclass(frozen=True)
class Trial:
    """One second of cleaned samples, after rest, with the truth."""

    rest_uv: Floats
    look_uv: Floats
    begin_s: float


@dataclass(frozen=True)
class Cell:
    snr_db: float
    rise_s: float = 0.0
    shape: str = "straight"
    spikes: float = 0.0
    n_channels: int = 1

    @property
    def name(self) -> str:
        rise = STEP if not self.rise_s else f"{1e3 * self.rise_s:.0f} ms {self.shape}"
        return f"{rise}, {self.snr_db:g} dB" + (", spikes" if self.spikes else "")


def height(since_s: Floats, cell: Cell) -> Floats:
    """Share of its amplitude that the muscle has reached."""
    if not cell.rise_s:
        return (since_s >= 0.0).astype(float)
    x = np.clip(since_s / cell.rise_s, 0.0, 1.0)
    return x if cell.shape == "straight" else x**3 * (10.0 - 15.0 * x + 6.0 * x * x)


def trial(cell: Cell, seed: int) -> Trial:
    chance = np.random.default_rng(seed)
    n = round((REST_S + LOOK_S + 0.2) * RATE_HZ)
    at_s = np.arange(n) / RATE_HZ
    begin_s = chance.uniform(0.35, 0.55)
    curve = 10.0 ** (cell.snr_db / 20.0) * height(at_s - REST_S - begin_s, cell)
    raw = np.stack(
        [curve * muscle_noise(n, RATE_HZ, chance) + chance.standard_normal(n) for _ in range(cell.n_channels)]
    )
    for beat_s in np.arange(chance.uniform(0.0, BEAT_S), at_s[-1], BEAT_S):
        # A wave that swings both ways, as the R wave does behind an electrode pair.
        z = (at_s - beat_s) / SPIKE_S
        raw += cell.spikes * np.exp(0.5) * z * np.exp(-0.5 * z * z)
    clean = np.nan_to_num(BandPass(n_channels=cell.n_channels, rate_hz=RATE_HZ).process(raw))
    first = round(REST_S * RATE_HZ)
    return Trial(clean[:, 200:first], clean[:, first : first + round(LOOK_S * RATE_HZ)], begin_s)


def ours(one: Trial) -> Onset | None:
    rest_uv = np.sqrt(np.mean(np.square(one.rest_uv), axis=1))
    found = find_onset(one.look_uv, RATE_HZ, rest_uv, 0.0)
    return found if isinstance(found, Onset) else None


def ours_of_envelopes(one: Trial) -> Onset | None:
    found = find_onset(one.look_uv, RATE_HZ, np.ones(1), 0.0, is_envelope=True, smoothing_s=0.0)
    return found if isinstance(found, Onset) else None


def _bare(at_s: float | None) -> Onset | None:
    return None if at_s is None else Onset(at_s, at_s, at_s, 0.0, "")


def plain_change_point(one: Trial) -> Onset | None:
    found = variance_change(one.look_uv, independence=0.25)
    if found is None:
        return None
    return Onset(found.index / RATE_HZ, found.low / RATE_HZ, found.high / RATE_HZ, 0.0, "")


def hodges_bui(one: Trial) -> Onset | None:
    """Rectified, low-passed at 50 Hz; the first 50 ms that lie 1 SD above rest throughout."""
    sos = signal.butter(2, 50.0, fs=RATE_HZ, output="sos")
    rest, look = (signal.sosfiltfilt(sos, np.abs(part[0])) for part in (one.rest_uv, one.look_uv))
    above = runs_above(look, rest.mean() + rest.std(), 50)
    return _bare(above[0, 0] / RATE_HZ if len(above) else None)


METHODS: dict[str, Callable[[Trial], Onset | None]] = {
    "Hodges-Bui 1 SD 50 ms": hodges_bui,
    "plain change point": plain_change_point,
    "emgmon": ours,
    "emgmon, of envelopes": ours_of_envelopes,
}


def scored(cell: Cell, method: Callable[[Trial], Onset | None], seeds: int) -> tuple[str, float, float]:
    """``median[half IQR] bad %``, share of intervals that hold the truth, their median width in ms."""
    errors, held, widths, missed = [], [], [], 0
    for seed in range(seeds):
        one = trial(cell, seed)
        found = method(one)
        if found is None:
            missed += 1
            continue
        errors.append(1e3 * (found.at_s - one.begin_s))
        held.append(found.low_s - 0.0005 <= one.begin_s <= found.high_s + 0.0005)
        widths.append(1e3 * (found.high_s - found.low_s))
    if not errors:
        return "-", 0.0, 0.0
    low, middle, high = np.percentile(errors, (25, 50, 75))
    bad = 100.0 * (missed + np.sum(np.abs(errors) > BAD_MS)) / seeds
    said = f"{middle:+.0f}[{(high - low) / 2:.0f}] {bad:.0f}%"
    return said, float(np.mean(held)), float(np.median(widths))


def print_methods(seeds: int) -> None:
    cells = [
        Cell(snr_db, rise_s, spikes=spikes)
        for spikes in (0.0, 4.0)
        for rise_s in (0.0, 0.2)
        for snr_db in (6.0, 10.0, 20.0)
    ]
    print("\nmedian error ms[half IQR] bad")
    print(f"{'':30}" + "".join(f"{name:>24}" for name in METHODS))
    for cell in cells:
        row = [scored(cell, method, seeds)[0] for method in METHODS.values()]
        print(f"{cell.name:30}" + "".join(f"{said:>24}" for said in row))


def print_coverage(seeds: int, name: str, spikes: float = 0.0) -> None:
    beats = ", spikes" if spikes else ""
    print(f"\n{name}{beats}: truth inside 95 % intervals, % (median width, ms), one channel / two channels")
    rises = [
        (0.0, "straight"),
        *((rise, shape) for shape in ("straight", "smooth") for rise in (0.1, 0.2, 0.6)),
    ]
    everything: dict[int, list[float]] = {1: [], 2: []}
    for rise_s, shape in rises:
        said = []
        for snr_db in (10.0, 15.0, 20.0, 30.0):
            parts = []
            for n_channels, all_held in everything.items():
                cell = Cell(snr_db, rise_s, shape, spikes, n_channels)
                _, held, width = scored(cell, METHODS[name], seeds)
                all_held.append(held)
                parts.append(f"{100 * held:.0f}({width:.0f})")
            said.append(f"{snr_db:g} dB {'/'.join(parts)}")
        rise = STEP if not rise_s else f"{1e3 * rise_s:.0f} ms {shape}"
        print(f"{rise:18}" + "".join(f"{one:>22}" for one in said))
    means = ", ".join(f"{n} channel(s) {100 * np.mean(held):.1f} %" for n, held in everything.items())
    print(f"over all of them: {means}")


def print_pairs(seeds: int) -> None:
    print("\ndifference of two muscles: truth inside its interval, %; scatter ms")
    for rise_s, shape in ((0.0, "straight"), (0.2, "straight"), (0.2, "smooth"), (0.6, "smooth")):
        for glute_db, back_db in ((20.0, 20.0), (12.0, 22.0), (12.0, 12.0)):
            errors, held = [], []
            for seed in range(seeds):
                glute, back = (
                    trial(Cell(snr_db, rise_s, shape), seed + offset)
                    for snr_db, offset in ((glute_db, 0), (back_db, 10_000))
                )
                metric = onset_difference(*(ours(one) or "" for one in (glute, back)))
                if metric.value is None or metric.low is None or metric.high is None:
                    continue
                truth = 1e3 * (glute.begin_s - back.begin_s)
                errors.append(metric.value - truth)
                held.append(metric.low - 0.5 <= truth <= metric.high + 0.5)
            cell = Cell(glute_db, rise_s, shape)
            print(f"{cell.name:26} against {back_db:g} dB {100 * np.mean(held):6.0f} {np.std(errors):6.0f}")


def read(path: Path, column: int, rate_hz: float) -> Floats:
    """One column, cleaned."""
    raw = np.loadtxt(path, delimiter=",", skiprows=1, usecols=column)
    return np.nan_to_num(BandPass(n_channels=1, rate_hz=rate_hz).process((raw - np.median(raw))[None])[0])


def zero_phase(clean: Floats, rate_hz: float, corner_hz: float) -> Floats:
    sos = signal.butter(2, corner_hz, fs=rate_hz, output="sos")
    return np.maximum(signal.sosfiltfilt(sos, np.abs(clean)), 1e-9)


def broken_line(y: Floats) -> int:
    """Where a level that turns into a slope fits best."""
    at, left = np.arange(len(y), dtype=float), []
    for knee in range(5, len(y) - 4):
        lines = np.stack([np.ones_like(at), np.clip(at - knee, 0.0, None)], axis=1)
        left.append(float(np.square(y - lines @ np.linalg.lstsq(lines, y, rcond=None)[0]).sum()))
    return 5 + int(np.argmin(left))


def knees_s(envelope: Floats, rest: Floats, begin: int) -> list[float]:
    """Where the envelope leaves rest by 3 SD for good, and where a line through it or its log bends."""
    first = max(0, begin - 500)
    look = envelope[first : begin + 100 : 5]
    left_rest = int(np.flatnonzero(envelope[:begin] <= rest.mean() + 3.0 * rest.std())[-1])
    places = (left_rest, first + 5 * broken_line(look), first + 5 * broken_line(np.log(look)))
    return [place / RATE_HZ for place in places]


def around(clean: Floats, rate_hz: float, at: float) -> Onset | str:
    first, last = max(0, int(at - 0.5 * rate_hz)), int(at + 0.5 * rate_hz)
    return find_onset(clean[None, first:last], rate_hz, np.array([np.nan]), first / rate_hz)


def said(found: Onset | str) -> str:
    if isinstance(found, str):
        return found
    return f"{found.at_s:8.3f} [{found.low_s:.3f}, {found.high_s:.3f}] {found.snr_db:3.0f} dB"


def print_bursts(data: Path) -> None:
    clean = read(data / "bursts_fatigue_ecg" / "emg_bursts.csv.gz", 1, RATE_HZ)
    quiet = slice(2600, 3900)
    slow, envelope = (zero_phase(clean, RATE_HZ, corner_hz) for corner_hz in (4.0, 10.0))
    begins = np.flatnonzero(np.diff((slow > 4.0 * slow[quiet].mean()).astype(int)) == 1)
    print(
        f"\nemg_bursts, {len(begins)} bursts: onset; knees of the envelope (leaves rest, bends, bends in dB)"
    )
    near, at_each = 0, np.zeros(3, dtype=int)
    for begin in begins.tolist():
        found, knees = around(clean, RATE_HZ, begin), knees_s(envelope, envelope[quiet], begin)
        inside = isinstance(found, Onset) and min(knees) - 0.05 <= found.at_s <= max(knees) + 0.05
        near += inside
        if isinstance(found, Onset):
            at_each += np.abs(np.array(knees) - found.at_s) <= 0.05
        print(f"  {said(found):52} {' '.join(f'{knee:7.3f}' for knee in knees)}")
    each = ", ".join(str(n) for n in at_each)
    print(f"  within 50 ms of each knee taken alone: {each} of {len(begins)}")
    print(
        f"  within 50 ms of what lies between the knees, which are up to 0.5 s apart: {near} of {len(begins)}"
    )


def print_strides(data: Path, touchdowns_s: Sequence[float]) -> None:
    path = data / "gait_gluteus" / "emg.csv.gz"
    clean = read(path, 2, RATE_HZ)
    first_s = float(np.loadtxt(path, delimiter=",", skiprows=1, usecols=0, max_rows=1))
    envelope = zero_phase(clean, RATE_HZ, 6.0)
    low, high = np.quantile(envelope, (0.2, 0.98))
    bursts = runs_above(envelope, low + 0.25 * (high - low), 80, 150)
    print(f"\ngluteus maximus in walking: {len(bursts)} bursts; onsets before {len(touchdowns_s)} touchdowns")
    for touchdown_s in touchdowns_s:
        found = around(clean, RATE_HZ, (touchdown_s - first_s) * RATE_HZ)
        before = (
            "" if isinstance(found, str) else f"{1e3 * (touchdown_s - first_s - found.at_s):.0f} ms before"
        )
        print(f"  {said(found):52} {before}")


def print_lifting(data: Path) -> None:
    clean = 1e6 * read(data / "back_lifting" / "back_lifting.csv.gz", 1, 250.0)
    envelope = zero_phase(clean, 250.0, 2.0)
    low, high = np.quantile(envelope, (0.1, 0.98))
    bursts = runs_above(envelope, low + 0.3 * (high - low), 125, 125)
    print(f"\nback_lifting, 250 Hz, {len(bursts)} bursts: where the envelope passes 30 %, and the onset")
    for first in bursts[:, 0].tolist():
        print(f"  {first / 250.0:8.3f} {said(around(clean, 250.0, first))}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Onsets of known beginning, and real ones.")
    parser.add_argument("--seeds", type=int, default=200)
    asked = parser.parse_args()
    print_methods(asked.seeds)
    print_coverage(asked.seeds, "emgmon")
    print_coverage(asked.seeds, "emgmon", spikes=4.0)
    print_coverage(asked.seeds, "emgmon, of envelopes")
    print_pairs(asked.seeds)
    data = real_data()
    if data is None:
        print(f"No real recordings here; {VARIABLE} names their folder.")
        return
    print_bursts(data)
    told = json.loads((data / "gait_gluteus" / "strides.json").read_text())
    print_strides(data, [touchdown_s for touchdown_s, _ in told["touchdown_and_liftoff_s"]])
    print_lifting(data)


if __name__ == "__main__":
    main()

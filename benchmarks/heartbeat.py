"""What is left of the heartbeat after cleaning: real ECG on real EMG, and the virtual athlete; gates nothing.

    python benchmarks/heartbeat.py                    every table
    python benchmarks/heartbeat.py --peers PYTHON     the mixtures also by NeuroKit2 and pyemgpipeline

PYTHON is the interpreter of an environment of its own with the peers: `pip install neurokit2 pyemgpipeline`.

A mixture is EMG plus ECG scaled so that ``20 log10(RMS of the EMG in its bursts / RMS of the ECG)`` is the
ratio asked for, both before any filter and without offset. What is left is the RMS difference between the
150 ms RMS envelopes of the mixture and of its EMG alone, as a percentage of the RMS of the latter in bursts.
Peers' envelopes are compared with their own of the EMG alone.
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import VARIABLE, real_data  # noqa: E402
from benchmarks.scoring import aligned  # noqa: E402
from emgmon.dsp.beats import find_beats  # noqa: E402
from emgmon.dsp.filters import BandPass  # noqa: E402
from emgmon.dsp.heartbeat import heartbeat_share, rest_between_beats, subtract_beats  # noqa: E402
from emgmon.virtual.artefacts import beat_times  # noqa: E402
from emgmon.virtual.athlete import AthleteParams, perform  # noqa: E402
from emgmon.virtual.chance import generator  # noqa: E402

Floats = NDArray[np.float64]

RATIOS_DB = (0.0, 6.0, 12.0)
EMG_FILES = ("emg_bursts", "emg_fatigue")
ECG_FILES = ("ecg_5_min", "ecg_20_sec_1000_hz")
COUNTS_RATE_HZ = 1000.0
BURST_LEVEL = 0.2
"""Of the 95th percentile of the EMG's envelope: above it is a burst, below it rest."""

SAME_BEAT_S = 0.02
"""A beat is found when one is told this near."""


@dataclass(frozen=True, eq=False)
class Mixture:
    name: str
    rate_hz: float
    emg: Floats
    """Shape (n_samples,), without a heartbeat."""
    raw: Floats
    """The same with it."""
    true_beats: NDArray[np.int64]


def mixtures(data: Path) -> list[Mixture]:
    """Every EMG with every ECG at every ratio; the ECG's own beats, found without any EMG, are the truth."""
    made = []
    for emg_name in EMG_FILES:
        emg = read_counts(data / "bursts_fatigue_ecg" / f"{emg_name}.csv.gz")
        for ecg_name in ECG_FILES:
            ecg = read_counts(data / "bursts_fatigue_ecg" / f"{ecg_name}.csv.gz")
            n = min(len(emg), len(ecg))
            for ratio_db in RATIOS_DB:
                name = f"{emg_name} + {ecg_name}, {ratio_db:g} dB"
                made.append(mix(name, emg[:n], ecg[:n], ratio_db, COUNTS_RATE_HZ))
    return made


def mix(name: str, emg: Floats, ecg: Floats, ratio_db: float, rate_hz: float) -> Mixture:
    work = emg[in_bursts(envelope(band_passed(emg, rate_hz), rate_hz))]
    gain = np.sqrt(np.mean(work**2) / np.mean(ecg**2)) / 10.0 ** (ratio_db / 20.0)
    return Mixture(name, rate_hz, emg, emg + gain * ecg, find_beats(ecg, rate_hz))


def read_counts(path: Path) -> Floats:
    """Second column, without its median."""
    with gzip.open(path, "rt") as file:
        values = np.loadtxt(file, delimiter=",", skiprows=1, usecols=1)
    return np.asarray(values - np.median(values))


def band_passed(raw: Floats, rate_hz: float) -> Floats:
    return BandPass(n_channels=1, rate_hz=rate_hz).process(raw[np.newaxis].copy())[0]


def without_heartbeat(raw: Floats, rate_hz: float) -> Floats:
    """Template subtraction with the beats that are found, then the band-pass."""
    return band_passed(subtract_beats(raw, find_beats(raw, rate_hz), rate_hz)[0], rate_hz)


def envelope(clean: Floats, rate_hz: float) -> Floats:
    """Centred moving RMS over 150 ms at every sample."""
    width = round(0.15 * rate_hz)
    power = np.convolve(np.square(np.nan_to_num(clean)), np.ones(width) / width, mode="same")
    return np.sqrt(np.maximum(power, 0.0))


def in_bursts(emg_envelope: Floats) -> NDArray[np.bool_]:
    return np.asarray(emg_envelope > BURST_LEVEL * np.quantile(emg_envelope, 0.95))


def left_pct(mixed: Floats, alone: Floats, bursts: NDArray[np.bool_]) -> tuple[float, float]:
    """RMS difference of two envelopes in bursts and in between, percent of the EMG's level in bursts."""
    level = np.sqrt(np.mean(alone[bursts] ** 2))
    error = np.square(mixed - alone)
    return tuple(float(100.0 * np.sqrt(error[where].mean()) / level) for where in (bursts, ~bursts))


def found(beats: NDArray[np.int64], true_beats: NDArray[np.int64], rate_hz: float) -> tuple[float, float]:
    """Precision and recall."""
    if not len(beats) or not len(true_beats):
        return (float("nan"), 0.0)
    near = np.abs(beats[:, np.newaxis] - true_beats) <= SAME_BEAT_S * rate_hz
    return float(near.any(axis=1).mean()), float(near.any(axis=0).mean())


METHODS: dict[str, Callable[[Floats, float], Floats]] = {
    "band-pass": band_passed,
    "subtracted": without_heartbeat,
}


def left_by_us(mixture: Mixture) -> dict[str, tuple[float, float]]:
    """What each of our methods leaves of a mixture."""
    alone = envelope(band_passed(mixture.emg, mixture.rate_hz), mixture.rate_hz)
    bursts = in_bursts(alone)
    return {
        name: left_pct(envelope(clean(mixture.raw, mixture.rate_hz), mixture.rate_hz), alone, bursts)
        for name, clean in METHODS.items()
    }


def left_by_peers(mixture: Mixture, python: Path) -> dict[str, tuple[float, float]]:
    """What peers' envelopes leave, each against its own envelope of the EMG alone, on our bursts."""
    bursts = in_bursts(envelope(band_passed(mixture.emg, mixture.rate_hz), mixture.rate_hz))
    script = Path(__file__).parent / "peers" / "heartbeat_peers.py"
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch) / "given.npz", Path(scratch) / "made.npz"
        np.savez(given, alone=mixture.emg, mixed=mixture.raw, rate_hz=mixture.rate_hz)
        subprocess.run([python, script, given, made], check=True)
        with np.load(made) as envelopes:
            return {name: left_pct(both[1], both[0], bursts) for name, both in envelopes.items()}


def virtual_mixture(heartbeat_uv: float, exercise: str, seed: int) -> tuple[Mixture, Mixture]:
    """Both back channels of the virtual athlete with a heartbeat, and without as truth; microvolt."""
    params = AthleteParams(exercise=exercise, heartbeat_uv=heartbeat_uv, seed=seed, n_sets=2)
    quiet = AthleteParams(exercise=exercise, heartbeat_uv=0.0, seed=seed, n_sets=2)
    raw, emg = (0.1 * perform(one).streams[0].counts.T[2:].astype(np.float64) for one in (params, quiet))
    rate_hz = params.emg_rate_hz
    times_s = beat_times(raw.shape[1] / rate_hz, generator(seed, "heart", "performance"))
    true_beats = np.round(times_s * rate_hz).astype(np.int64)
    name = f"{exercise} {seed}, {heartbeat_uv:g} uV"
    left, right = (
        Mixture(name, rate_hz, alone, mixed, true_beats) for alone, mixed in zip(emg, raw, strict=True)
    )
    return left, right


def print_mixtures(data: Path, python: Path | None) -> None:
    rows = []
    for mixture in mixtures(data):
        results = left_by_us(mixture) | (left_by_peers(mixture, python) if python else {})
        beats = find_beats(mixture.raw, mixture.rate_hz)
        told = found(beats, mixture.true_beats, mixture.rate_hz)
        row = (mixture.name, str(len(mixture.true_beats)), *(f"{100 * part:.1f}" for part in told))
        rows.append((row, results))
    names = list(rows[0][1])
    head = ("real EMG + real ECG", "beats", "precision %", "recall %", *names)
    cells = [(*row, *(f"{in_:.1f}/{out:.1f}" for in_, out in left.values())) for row, left in rows]
    print("\nleft of the heartbeat, % of the burst level: in bursts/in between")
    print(aligned([head, *cells]))


def print_back(data: Path) -> None:
    """No truth: how much heartbeat is in the cleaned signal before and after."""
    head = ("real back and chest, 250 Hz", "beats", "per min", "share %", "after", "between beats")
    rows = []
    for name in ("back_lifting", "back_resting", "chest_lifting"):
        raw, rate_hz = 1e6 * read_counts(data / "back_lifting" / f"{name}.csv.gz"), 250.0
        beats = find_beats(raw, rate_hz)
        clean, after = band_passed(raw, rate_hz), without_heartbeat(raw, rate_hz)
        rate = f"{60 * rate_hz / np.median(np.diff(beats)):.0f}" if len(beats) > 1 else "-"
        shares = [heartbeat_share(one, beats, rate_hz) for one in (clean, after)]
        rest_uv = rest_between_beats(clean, beats, rate_hz)
        rows.append(
            (
                name,
                str(len(beats)),
                rate,
                *("-" if share is None else f"{100 * share:.1f}" for share in shares),
                f"{rest_uv:.2f} uV" if rest_uv else "-",
            )
        )
    print("\n" + aligned([head, *rows]))


def print_virtual() -> None:
    head = ("virtual athlete", "beats", "precision %", "recall %", *METHODS)
    rows = []
    for heartbeat_uv in (15.0, 30.0, 100.0, 500.0):
        for exercise in ("bridge", "romanian-deadlift"):
            for seed in (1, 2, 3):
                rows.append(_virtual_row(heartbeat_uv, exercise, seed))
    print("\nvirtual athlete, both back channels searched together; left as above, left channel")
    print(aligned([head, *rows]))


def _virtual_row(heartbeat_uv: float, exercise: str, seed: int) -> tuple[str, ...]:
    left, right = virtual_mixture(heartbeat_uv, exercise, seed)
    rate_hz = left.rate_hz
    beats = find_beats(np.stack([left.raw, right.raw]), rate_hz)
    alone = envelope(band_passed(left.emg, rate_hz), rate_hz)
    cleaned = band_passed(subtract_beats(left.raw, beats, rate_hz)[0], rate_hz)
    results = [
        left_pct(envelope(clean, rate_hz), alone, in_bursts(alone))
        for clean in (band_passed(left.raw, rate_hz), cleaned)
    ]
    told = found(beats, left.true_beats, rate_hz)
    cells = (*(f"{100 * part:.1f}" for part in told), *(f"{in_:.1f}/{out:.1f}" for in_, out in results))
    return (left.name, str(len(left.true_beats)), *cells)


def main() -> None:
    parser = argparse.ArgumentParser(description="What is left of the heartbeat after cleaning.")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="interpreter that has the peers")
    asked = parser.parse_args()
    data = real_data()
    if data is None:
        print(f"No real recordings here; {VARIABLE} names their folder.")
    else:
        print_mixtures(data, asked.peers)
        print_back(data)
    print_virtual()


if __name__ == "__main__":
    main()

"""Real files whose columns have other names, written anew by the import contract; no value is changed."""

import csv
import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.scoring import Span
from emgmon.virtual.athlete import perform
from emgmon.virtual.params import AthleteParams
from firmware_protocol.capabilities import Quantity

AXES = ("x", "y", "z")

EXERCISE_RATE_HZ = 25.0
"""Of the physical therapy exercises, whose files number their samples."""

ADC_FULL_SCALE_MV = 3.0
"""biosignalsplux: ``(counts / 2**bits - 0.5) * 3 V / 1000``."""

STILL_S = 120.0
"""How long the virtual athlete lies still."""


def read_table(path: Path) -> NDArray[np.float64]:
    """All rows below the header, shape (n_rows, n_columns)."""
    with gzip.open(path, "rt") as file:
        next(file)
        return np.array(list(csv.reader(file)), dtype=np.float64)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[float]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([f"{value:.7g}" for value in row] for row in rows)
    return path


def exercise_unit(source: Path, out: Path, *, site: str, n_axes: int) -> Path:
    """A unit of the physical therapy exercises; `n_axes` 3 leaves the gyroscope out."""
    table = read_table(source)
    t_s = np.arange(len(table)) / EXERCISE_RATE_HZ
    kinds = (("acc", "mps2"), ("gyr", "radps"))
    header = ["t_s", *(f"{kind}.{site}.{axis}_{unit}" for kind, unit in kinds for axis in AXES)]
    return write_table(out, header[: 1 + n_axes], np.column_stack([t_s, table[:, 1 : 1 + n_axes]]))


def exercise_tilt_deg(source: Path, *, window_s: float = 10.0) -> float:
    """How far a unit swings: median over windows of the largest angle of gravity from its usual direction.

    Looks at no label and counts nothing.
    """
    slow, n_window = _gravity(source), int(window_s * EXERCISE_RATE_HZ)
    windows = [slow[first : first + n_window] for first in range(0, len(slow) - n_window + 1, n_window)]
    return float(np.median([_largest_deg(window, np.median(window, axis=0)) for window in windows]))


def labelled_tilt_deg(source: Path, spans: Sequence[Span]) -> float:
    """How far gravity turns within labelled repetitions, from where each begins; median."""
    slow = _gravity(source)
    rows = [slow[int(one.start_s * EXERCISE_RATE_HZ) : int(one.end_s * EXERCISE_RATE_HZ)] for one in spans]
    return float(np.median([_largest_deg(of, of[0]) for of in rows]))


def _gravity(source: Path) -> NDArray[np.float64]:
    """Direction of the acceleration averaged over 0.6 s, shape (n, 3)."""
    acc, n_smooth = read_table(source)[:, 1:4], int(0.6 * EXERCISE_RATE_HZ)
    smooth = np.ones(n_smooth) / n_smooth
    slow = np.column_stack([np.convolve(axis, smooth, mode="same") for axis in acc.T])
    unit: NDArray[np.float64] = slow / np.linalg.norm(slow, axis=1, keepdims=True)
    return unit


def _largest_deg(directions: NDArray[np.float64], usual: NDArray[np.float64]) -> float:
    cosine = np.clip(directions @ usual / np.linalg.norm(usual), -1.0, 1.0)
    return float(np.degrees(np.arccos(cosine)).max())


def adc_channel(source: Path, out: Path, *, bits: int) -> Path:
    """One channel of counts, as millivolt of a muscle that is not named."""
    table = read_table(source)
    emg_mv = (table[:, 1] / 2**bits - 0.5) * ADC_FULL_SCALE_MV
    return write_table(out, ["t_s", "emg.unknown_muscle.right_mV"], np.column_stack([table[:, 0], emg_mv]))


def volt_channel(source: Path, out: Path, *, site: str) -> Path:
    """One channel in volt."""
    return write_table(out, ["t_s", f"emg.{site}_V"], read_table(source))


def lying_still(out: Path, *, exercise: str, seed: int) -> Path:
    """Two minutes of the virtual athlete resting in the start position of an exercise, six axes.

    Cut out from behind a repetition: breath, sway and the sensor's noise are in it.
    """
    params = AthleteParams(
        exercise=exercise, n_sets=1, n_reps=1, duration_s=STILL_S + 25.0, emg=False, seed=seed
    )
    performance = perform(params)
    samples = performance.streams[0]
    first = int((performance.truth.reps[-1].end_s + 3.0) * samples.stream.rate_hz)
    counts = samples.counts[first : first + int(STILL_S * samples.stream.rate_hz)]
    t_s = np.arange(len(counts)) / samples.stream.rate_hz
    values = counts * np.array([channel.scale for channel in samples.stream.channels])
    units = {Quantity.ACCELERATION: ("acc", "mps2"), Quantity.ANGULAR_RATE: ("gyr", "radps")}
    named = [(units[channel.quantity], channel.axis) for channel in samples.stream.channels]
    header = ["t_s", *(f"{kind}.pelvis.{axis}_{unit}" for (kind, unit), axis in named)]
    return write_table(out, header, np.column_stack([t_s, values]))

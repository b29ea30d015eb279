"""Every real recording as a set of one kind: where it is, which exercise is named, and what is true of it."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.live import Outcome
from benchmarks.rewritten import (
    EXERCISE_RATE_HZ,
    adc_channel,
    exercise_tilt_deg,
    exercise_unit,
    labelled_tilt_deg,
    lying_still,
    read_table,
    volt_channel,
)
from benchmarks.scoring import Span
from emgmon.recording.csv_import import import_csv

ZERO_EXERCISES = ("bridge", "hip-thrust", "romanian-deadlift", "scorpion")
"""Walking, lying and sit-to-stand asked for one of these are to give no repetition."""

OTHER_EXERCISES = ("squat", "lunge", "prone-hip-extension")
"""Asked for for information: sitting down is a squat of sorts, a step a lunge of sorts."""


@dataclass(frozen=True, slots=True)
class RepSet:
    """One recording, the exercise that is named for it, and its truth."""

    part: str
    name: str
    exercise: str
    prepare: Callable[[Path], Path]
    """Give a CSV file by the import contract, made in the folder given where the source is none."""
    expected: tuple[int, int] | None
    """Fewest and most counts that are right; ``None`` where nobody knows."""
    edges: tuple[Span, ...] | None = None
    sets: tuple[Span, ...] = ()
    """Spans counted by themselves, too."""
    headline: bool = True
    """Whether it counts in the part's figures; others are shown for information."""
    note: str = ""

    def record(self, scratch: Path) -> Path:
        """Import it, as the program does, into the folder given."""
        out = scratch / "recording.arrows"
        import_csv([self.prepare(scratch)], out, exercise=self.exercise, replace=True)
        return out

    @property
    def worth_a_look(self) -> bool:
        """Whether a wrong count is listed: not for the units of a body part that hardly moves."""
        return self.expected is not None and (self.headline or self.part != "prone")

    def right(self, outcome: Outcome) -> bool:
        low, high = self.expected or (0, 0)
        return low <= len(outcome.counted) <= high


def _as_is(path: Path) -> Callable[[Path], Path]:
    return lambda scratch: path


def waist_squats(data: Path) -> Iterator[RepSet]:
    folder = data / "waist_squats"
    for entry in json.loads((folder / "reps.json").read_text()):
        spans = tuple(Span(start, end) for start, end in entry["reps_s"])
        yield RepSet(
            part="squats",
            name=entry["file"].removesuffix(".csv.gz"),
            exercise="squat",
            prepare=_as_is(folder / entry["file"]),
            expected=(len(spans), len(spans)),
            edges=spans,
        )


def thigh_sets(data: Path) -> Iterator[RepSet]:
    folder = data / "thigh_bridge_birddog"
    for entry in json.loads((folder / "reps.json").read_text()):
        name = entry["file"].removesuffix(".csv.gz")
        yield RepSet(
            part="thigh",
            name=name,
            exercise="bridge" if name.endswith("bridge") else "bird-dog",
            prepare=_as_is(folder / entry["file"]),
            expected=(min(entry["complete"]), max(entry["complete"]) + entry["partial"]),
            edges=tuple(Span(start, end) for start, end in entry["reps_s"]),
        )


def prone_units(data: Path) -> Iterator[RepSet]:
    """Five units, with and without gyroscope. Where they are worn is not told: each is taken for a thigh.

    The headline is the unit whose gravity swings furthest, which is found without labels or counts.
    """
    folder = data / "hip_exercises_25hz"
    spans, sets = _exercise_labels(folder / "prone_hip_extension_reps.csv")
    sources = [folder / f"prone_hip_extension_unit{number}.csv.gz" for number in range(1, 6)]
    swings_deg = [exercise_tilt_deg(source) for source in sources]
    kinds = [[one for one in spans if of.start_s <= one.start_s < of.end_s] for of in sets]
    for source, swing_deg in zip(sources, swings_deg, strict=True):
        tilts = "/".join(f"{labelled_tilt_deg(source, kind):.0f}" for kind in kinds)
        for n_axes, worn in ((6, "six axes"), (3, "accelerometer")):
            yield RepSet(
                part="prone",
                name=f"{source.name.removeprefix('prone_hip_extension_').removesuffix('.csv.gz')}, {worn}",
                exercise="prone-hip-extension",
                prepare=_unit_as_thigh(source, n_axes),
                expected=(len(spans), len(spans)),
                edges=spans,
                sets=sets,
                headline=swing_deg == max(swings_deg),
                note=f"swings {swing_deg:.1f}°, in labels {tilts}°; counted",
            )


def _unit_as_thigh(source: Path, n_axes: int) -> Callable[[Path], Path]:
    return lambda scratch: exercise_unit(source, scratch / "unit.csv", site="thigh.left", n_axes=n_axes)


def _exercise_labels(path: Path) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Labelled repetitions, and the sets they make: correct, fast, low amplitude."""
    with path.open() as file:
        rows = [(row["execution.type"], Span(*_seconds(row))) for row in csv.DictReader(file)]
    kinds = list(dict.fromkeys(kind for kind, _ in rows))
    of_kind = [[span for other, span in rows if other == kind] for kind in kinds]
    return tuple(span for _, span in rows), tuple(Span(of[0].start_s, of[-1].end_s) for of in of_kind)


def _seconds(row: dict[str, str]) -> tuple[float, float]:
    return int(row["start"]) / EXERCISE_RATE_HZ, int(row["end"]) / EXERCISE_RATE_HZ


def no_reps(data: Path) -> Iterator[RepSet]:
    folder = data / "no_reps_lumbar"
    for name in ("sit_to_stand_lumbar", "gait_lumbar"):
        for exercise in (*ZERO_EXERCISES, *OTHER_EXERCISES):
            yield RepSet(
                part="no-reps",
                name=f"{name} as {exercise}",
                exercise=exercise,
                prepare=_as_is(folder / f"{name}.csv.gz"),
                expected=(0, 0),
                headline=exercise in ZERO_EXERCISES,
            )
    for seed, exercise in enumerate((*ZERO_EXERCISES, *OTHER_EXERCISES), start=1):
        yield RepSet(
            part="no-reps",
            name=f"lying or standing still (virtual) as {exercise}",
            exercise=exercise,
            prepare=_still(exercise, seed),
            expected=(0, 0),
            headline=exercise in ZERO_EXERCISES,
        )


def _still(exercise: str, seed: int) -> Callable[[Path], Path]:
    return lambda scratch: lying_still(scratch / "still.csv", exercise=exercise, seed=seed)


def emg_alone(data: Path) -> Iterator[RepSet]:
    """No motion sensor: counted on the envelope, whichever exercise is named."""
    thigh = data / "thigh_emg_knee_angle"
    for task in ("seated_knee_extension", "standing_knee_flexion", "gait"):
        for person in range(1, 6):
            path = thigh / f"healthy{person}_{task}.csv.gz"
            known = None if task == "gait" else knee_cycles(path)
            yield _on_emg(path, _as_is(path), known, headline=task == "seated_knee_extension")
    counts, back = data / "bursts_fatigue_ecg", data / "back_lifting"
    bursts = counts / "emg_bursts.csv.gz"
    yield _on_emg(bursts, _adc(bursts, 16), (9, 9), note="9 stand three times above the rest")
    yield _on_emg(
        counts / "emg_fatigue.csv.gz", _adc(counts / "emg_fatigue.csv.gz", 12), None, note="about 30"
    )
    yield _on_emg(back / "back_lifting.csv.gz", _volt(back / "back_lifting.csv.gz"), (11, 11))
    for path in (back / "back_resting.csv.gz", back / "triceps_resting.csv.gz"):
        yield _on_emg(path, _volt(path), (0, 0))
    for name in ("ecg_20_sec_1000_hz", "ecg_5_min"):
        path = counts / f"{name}.csv.gz"
        yield _on_emg(path, _adc(path, 16), (0, 0), note="a heart")
    gait = data / "gait_gluteus" / "emg.csv.gz"
    yield _on_emg(gait, _as_is(gait), (0, 0), note="walking, gluteal channels")


def _on_emg(
    path: Path,
    prepare: Callable[[Path], Path],
    expected: tuple[int, int] | None,
    *,
    headline: bool = False,
    note: str = "",
) -> RepSet:
    name = f"{path.parent.name}/{path.name.removesuffix('.csv.gz')}"
    return RepSet("emg", name, "prone-hip-extension", prepare, expected, headline=headline, note=note)


def _adc(path: Path, bits: int) -> Callable[[Path], Path]:
    return lambda scratch: adc_channel(path, scratch / "counts.csv", bits=bits)


def _volt(path: Path) -> Callable[[Path], Path]:
    return lambda scratch: volt_channel(path, scratch / "volt.csv", site="erector_spinae.right")


def knee_cycles(path: Path) -> tuple[int, int]:
    """Count the cycles of the knee angle: fewest (complete ones) and most (with those cut off).

    Rest is the angle at the file's start or, of the 5th and the 95th percentile, the one nearer to it. A
    cycle leaves rest by more than 60 % of the way between them and is complete once it is back within
    40 %. One that is out at the file's start or end is cut off.
    """
    angle_deg = read_table(path)[:, -1]
    low, high = np.percentile(angle_deg, [5, 95])
    rest, far = (low, high) if abs(angle_deg[0] - low) < abs(angle_deg[0] - high) else (high, low)
    out = (angle_deg - rest) / (far - rest)
    complete, away = 0, bool(out[0] > 0.4)
    cut_off = int(away)
    begun = not away
    for way in out:
        if not away and way > 0.6:
            away = True
        elif away and way < 0.4:
            away, complete, begun = False, complete + begun, True
    return complete, complete + cut_off + int(away)


PARTS: dict[str, Callable[[Path], Iterator[RepSet]]] = {
    "squats": waist_squats,
    "thigh": thigh_sets,
    "prone": prone_units,
    "no-reps": no_reps,
    "emg": emg_alone,
}

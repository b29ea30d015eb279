"""Repetitions counted on real squats, held against labels set by hand; prints a table, gates nothing.

Every set is imported as the program imports it, then fed to the engine one notification after the other, as
they would have come live, so the table also tells how long after its end a repetition was announced.

    python benchmarks/rep_counting.py
"""

import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import VARIABLE, real_data  # noqa: E402
from emgmon.events import Notification, NotificationKind, RepCompleted  # noqa: E402
from emgmon.recording.csv_import import import_csv  # noqa: E402
from emgmon.recording.format import session_setup  # noqa: E402
from emgmon.recording.reader import RecordingReader  # noqa: E402
from emgmon.session import Session  # noqa: E402


@dataclass
class SetResult:
    name: str
    labelled: list[tuple[float, float]]
    reps: list[RepCompleted] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return len(self.reps) == len(self.labelled)

    def edge_errors_s(self) -> list[float]:
        """Start and end of each repetition against its label; only where the counts agree."""
        if not self.exact:
            return []
        pairs = zip(self.reps, self.labelled, strict=True)
        return [e for rep, (start_s, end_s) in pairs for e in (rep.start_s - start_s, rep.end_s - end_s)]

    def turns_inside(self) -> int:
        return sum(any(start <= rep.turn_s <= end for start, end in self.labelled) for rep in self.reps)


def count(path: Path, labelled: list[tuple[float, float]], name: str) -> SetResult:
    reader = RecordingReader(path)
    session, result = Session(session_setup(reader.header)), SetResult(name, labelled)
    for batch in reader.batches():
        for row in range(len(batch)):
            payload = batch.data[batch.offsets[row] : batch.offsets[row + 1]].tobytes()
            arrival_ns = int(batch.arrival_ns[row])
            notification = Notification(arrival_ns, 0, NotificationKind(int(batch.kind[row])), payload)
            for event in session.receive(notification):
                if isinstance(event, RepCompleted):
                    result.reps.append(event)
                    result.delays_s.append(arrival_ns / 1e9 - event.end_s)
    result.reps += [event for event in session.finish() if isinstance(event, RepCompleted)]
    return result


def waist_squats(folder: Path) -> list[SetResult]:
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for entry in json.loads((folder / "reps.json").read_text()):
            out = Path(scratch) / f"{entry['file']}.arrows"
            import_csv([folder / entry["file"]], out, exercise="squat")
            labelled = [(start, end) for start, end in entry["reps_s"]]
            results.append(count(out, labelled, entry["file"].removesuffix(".csv.gz")))
    return results


def print_table(results: list[SetResult]) -> None:
    columns = f"{'labelled':>8} {'counted':>8} {'turns in':>8} {'edge error s, median':>21} {'worst':>7}"
    print(f"{'set':<34} {columns}")
    for result in results:
        errors = [abs(error) for error in result.edge_errors_s()]
        edges = f"{statistics.median(errors):>21.3f} {max(errors):>7.3f}" if errors else f"{'-':>21} {'-':>7}"
        counts = f"{len(result.labelled):>8} {len(result.reps):>8} {result.turns_inside():>8}"
        print(f"{result.name:<34} {counts} {edges}")


def print_summary(results: list[SetResult]) -> None:
    errors = sorted(abs(error) for result in results for error in result.edge_errors_s())
    delays_s = sorted(delay for result in results for delay in result.delays_s)
    within_1 = sum(abs(len(result.reps) - len(result.labelled)) <= 1 for result in results)
    n_reps = sum(len(result.reps) for result in results)
    print()
    print(f"sets exact              {sum(result.exact for result in results)} of {len(results)}")
    print(f"sets within 1           {within_1} of {len(results)}")
    print(f"turns inside a label    {sum(result.turns_inside() for result in results)} of {n_reps}")
    print(f"edge error              {spread(errors)}")
    print(f"announced after its end {spread(delays_s)}")


def spread(ordered_s: list[float]) -> str:
    return f"median {statistics.median(ordered_s):.3f} s, 95 % below {quantile(ordered_s, 0.95):.3f} s"


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    folder = real_data()
    if folder is None or not (folder / "waist_squats").is_dir():
        sys.exit(f"The real recordings are not here: set {VARIABLE} to the folder that holds waist_squats/.")
    results = waist_squats(folder / "waist_squats")
    print_table(results)
    print_summary(results)


if __name__ == "__main__":
    main()

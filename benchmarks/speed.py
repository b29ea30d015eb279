"""How fast an hour is analysed and one live step is computed, beside the plainest thing that could be done.

    python benchmarks/speed.py [--seconds 3600] [--runs 3]

Prints a table and gates nothing: machines are noisy, so what counts is the ratio within one run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from emgmon.events import Notification, NotificationKind  # noqa: E402
from emgmon.recording.format import session_setup  # noqa: E402
from emgmon.recording.reader import RecordingReader  # noqa: E402
from emgmon.session import Session  # noqa: E402

ONE_CORE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ARROW_NUM_THREADS": "1",
}
ENVIRONMENT = {**os.environ, **ONE_CORE, "PYTHONPATH": str(ROOT)}
STEP_NS = 10_000_000
PINNED = """
import atexit, os, resource, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr))
from emgmon.cli import main
main(sys.argv[1:])
"""


def emgmon(*arguments: str) -> tuple[float, float, str]:
    """Wall seconds, peak megabytes and output of one command, pinned to one core where that is possible."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PINNED, *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - begun, int(done.stderr.split()[-1]) / 1024, done.stdout


def bare_band_pass(rate_hz: float, n_channels: int, seconds: float) -> float:
    """Seconds for nothing but scipy's sosfilt, 30 to 450 Hz of order 4, over as many samples in memory."""
    from scipy import signal

    counts = np.random.default_rng(0).normal(0, 200, (n_channels, int(seconds * rate_hz))).astype(np.float64)
    sos = np.concatenate(
        [
            signal.butter(4, 30.0, "highpass", fs=rate_hz, output="sos"),
            signal.butter(4, 450.0, "lowpass", fs=rate_hz, output="sos"),
        ]
    )
    begun = time.perf_counter()
    signal.sosfilt(sos, counts, axis=1)
    return time.perf_counter() - begun


def live_steps_ms(reader: RecordingReader, seconds: float) -> list[float]:
    """Time of each 10 ms step when notifications come one by one, as they do live."""
    session, steps_ms, step_end_ns, spent_s = Session(session_setup(reader.header)), [], STEP_NS, 0.0
    for batch in reader.batches():
        for row in range(len(batch)):
            arrival_ns = int(batch.arrival_ns[row])
            payload = batch.data[batch.offsets[row] : batch.offsets[row + 1]].tobytes()
            while arrival_ns >= step_end_ns:
                steps_ms.append(spent_s * 1e3)
                step_end_ns, spent_s = step_end_ns + STEP_NS, 0.0
            notification = Notification(arrival_ns, 0, NotificationKind(int(batch.kind[row])), payload)
            begun = time.perf_counter()
            session.receive(notification)
            spent_s += time.perf_counter() - begun
            if arrival_ns > seconds * 1e9:
                return steps_ms
    return steps_ms


def median_of(runs: int, measured: Callable[[], float]) -> float:
    return statistics.median(measured() for _ in range(runs))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = str(Path(scratch) / "long.arrows")
        simulated_s, _, _ = emgmon(
            "simulate", path, "--exercise", "bridge", "--duration", str(options.seconds)
        )
        truth = json.loads((Path(scratch) / "long.truth.json").read_text())
        analysed = [emgmon("analyze", path, "--json") for _ in range(options.runs)]
        document = json.loads(analysed[0][2])
        emg = next(stream for stream in document["recording"]["streams"] if stream["kind"] == "emg")
        reader = RecordingReader(path)
        n_channels, rate_hz = len(emg["channels"]), emg["rate_hz"]
        bare_s = median_of(options.runs, lambda: bare_band_pass(rate_hz, n_channels, options.seconds))
        steps_ms = sorted(live_steps_ms(reader, min(options.seconds, 120.0)))
    help_s = median_of(options.runs, lambda: emgmon("--help")[0])
    analysed_s = statistics.median(seconds for seconds, _, _ in analysed)
    counted = sum(len(done["reps"]) for done in document["sets"])
    print(f"{options.seconds:.0f} s of {n_channels} channels x {rate_hz:g} Hz and an IMU, one core")
    print(f"  repetitions counted        {counted} of {len(truth['reps'])}")
    print(
        f"  analyze, file to JSON      {analysed_s:8.3f} s   {options.seconds / analysed_s:,.0f} x real time"
    )
    print(f"  its peak memory            {max(mb for _, mb, _ in analysed):8.0f} MB")
    print(
        f"  bare scipy band-pass       {bare_s:8.3f} s   the analysis takes {analysed_s / bare_s:.1f} x this"
    )
    print(f"  simulate                   {simulated_s:8.3f} s")
    print(f"  emgmon --help              {help_s:8.3f} s")
    median_ms, slow_ms = statistics.median(steps_ms), steps_ms[int(0.99 * len(steps_ms))]
    print(f"  live step of 10 ms         {median_ms:8.3f} ms  99 % below {slow_ms:.3f} ms")


if __name__ == "__main__":
    main()

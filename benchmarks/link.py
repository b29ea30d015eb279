"""What a link costs and what it loses: nothing, as long as the sensor's ring holds it.

    python benchmarks/link.py                 a radio loss in mid-set, reconnection, throughput
    python benchmarks/link.py --soak 10000    so many random schedules of faults
    python benchmarks/link.py --hours 8       so long a session at full speed of computation

Run from the root of the project. All but the throughput runs on a hand-turned clock: its seconds are those
of the radio, not of this machine.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.link_long import run_long  # noqa: E402
from benchmarks.link_loss import measure_loss  # noqa: E402
from benchmarks.link_return import measure_return  # noqa: E402
from benchmarks.link_soak import soak  # noqa: E402
from benchmarks.link_throughput import measure_throughput  # noqa: E402


def main() -> int:
    """Run what is asked for; the status is 1 when a sample was lost that the ring held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--soak", type=int, metavar="N", help="run N random schedules of faults instead")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="seed of the first schedule")
    parser.add_argument("--hours", type=float, metavar="H", help="run one session of H hours instead")
    asked = parser.parse_args()
    if asked.soak is not None:
        return soak(asked.soak, first=asked.first)
    if asked.hours is not None:
        return run_long(asked.hours)
    status = measure_loss()
    measure_return()
    measure_throughput()
    return status


if __name__ == "__main__":
    sys.exit(main())

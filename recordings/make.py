"""Makes the sample recordings: the same files, byte for byte, every time on one installation.

Run from the project's root: ``python recordings/make.py [FOLDER]``.
"""

import sys
from pathlib import Path

from emgmon.virtual.athlete import AthleteParams, perform
from emgmon.virtual.simulate import write_recording

RECORDINGS = {
    "bridge-glute-led": AthleteParams(exercise="bridge", n_reps=8, glute_share_pct=70.0, seed=11),
    "bridge-back-led": AthleteParams(exercise="bridge", n_reps=8, glute_share_pct=35.0, seed=12),
    "squat": AthleteParams(exercise="squat", n_reps=8, seed=13),
}
"""What each recording, by name, shows."""


def make(folder: Path) -> None:
    for name, params in RECORDINGS.items():
        path = folder / f"{name}.arrows"
        write_recording(perform(params), path, seed=params.seed, replace=True)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

"""Where the real recordings are: a folder that the project does not ship."""

import os
from pathlib import Path

VARIABLE = "EMGMON_REAL_DATA"
ROOT = Path(__file__).parents[1]


def real_data() -> Path | None:
    """The folder named by the environment, else ``../shared/data`` beside the project; None when absent."""
    folder = Path(os.environ.get(VARIABLE) or ROOT.parent / "shared" / "data")
    return folder if folder.is_dir() else None

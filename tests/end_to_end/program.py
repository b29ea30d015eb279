"""Runs the program as a person would: another process, its words and its exit status."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path = ROOT, timeout_s: float = 120.0) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", "emgmon", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def assert_refused(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Exit status 1, a message with these words and advice, and no traceback."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    message, *advice = done.stderr.strip().splitlines()
    assert message.startswith("emgmon: ")
    for word in words:
        assert word in message, message
    assert advice

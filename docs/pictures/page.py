"""Reads ``docs/how-the-numbers-are-made.md``: its example can be run, its table of thresholds compared."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-the-numbers-are-made.md"

_EXAMPLE = re.compile(
    r"```sh\n(?P<command>emgmon [^\n]*)\n```.*?```python\n(?P<script>.*?)```.*?```text\n(?P<output>.*?)```",
    re.DOTALL,
)
_THRESHOLD = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<value>[^|]+) \| `(?P<where>[\w.]+)` \| (?P<kind>[^|]+) \|$", re.M
)
_METRIC = re.compile(r"^\| (?P<names>`\w+`(?:, `\w+`)*) \| .* \|$", re.M)


@dataclass(frozen=True)
class Example:
    """A command, a script that reads what it wrote, and what the script printed."""

    command: str
    script: str
    output: str

    def run(self) -> str:
        """Run both in an empty folder and give what the script prints."""
        program, *arguments = shlex.split(self.command.partition(" > ")[0])
        assert program == "emgmon"
        written = self.command.partition(" > ")[2]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "recordings").symlink_to(ROOT / "recordings")
            document = _output([sys.executable, "-m", "emgmon", *arguments], folder)
            (folder / written).write_text(document, encoding="utf-8")
            return _output([sys.executable, "-c", self.script], folder)


@dataclass(frozen=True)
class Threshold:
    """One row of the tables of thresholds."""

    what: str
    value: str
    where: str
    kind: str

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers of its value; percentages as parts of one unless the constant is in percent."""
        number = re.compile(r"−?\d+(?:\.\d+)?(?!\w)")
        # What comes after "of" explains a unit.
        found = number.findall(self.value.partition(" of ")[0])
        part = 0.01 if "%" in self.value and not self.where.endswith("_PCT") else 1.0
        part = 0.001 if " ms" in self.value and self.where.endswith("_S") else part
        return tuple(part * float(text.replace("−", "-")) for text in found)


def example_of(page: str) -> Example:
    found = _EXAMPLE.search(page)
    assert found is not None
    return Example(**found.groupdict())


def with_output(page: str, output: str) -> str:
    """Put another output of the example into the page."""
    found = _EXAMPLE.search(page)
    assert found is not None
    return page[: found.start("output")] + output + page[found.end("output") :]


def thresholds_of(page: str) -> list[Threshold]:
    return [Threshold(**found.groupdict()) for found in _THRESHOLD.finditer(page)]


def metrics_of(page: str) -> list[str]:
    """Names in the table of metrics."""
    section = page.partition("## All metrics")[2].partition("\n## ")[0]
    return [name for found in _METRIC.finditer(section) for name in re.findall(r"\w+", found["names"])]


def _output(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout

"""Tells at the end of a run what the real stack was measured to do: passing alone does not say how fast."""

import pytest

from tests.bluez_vm.measured import MEASURED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, if the guest ran."""
    if MEASURED:
        terminalreporter.section("measured in the guest")
        for line in MEASURED:
            terminalreporter.write_line(line)

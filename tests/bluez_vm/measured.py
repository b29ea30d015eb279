"""What was measured in this run, in lines for people: filled by the test, printed at its end."""

from tests.bluez_vm.run import Run

MEASURED: list[str] = []


def note(run: Run) -> None:
    """Take note of a run."""
    if run.ready_s is not None:
        MEASURED.append(f"boot to a radio that is on: {run.ready_s:.1f} s; all: {run.duration_s:.1f} s")
    for report in run.reports.values():
        facts = ", ".join(f"{name} {value}" for name, value in report.facts.items())
        MEASURED.append(f"{report.duration_s:6.1f} s  {report.scenario}: {facts or 'failed'}")

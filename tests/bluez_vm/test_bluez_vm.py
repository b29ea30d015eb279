"""Our client against BlueZ itself, in a guest of QEMU; only on request: it takes a minute and a download."""

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("dbus_fast", reason="BlueZ and its D-Bus exist on Linux only")

from tests.bluez_vm import image, packages
from tests.bluez_vm.guest.scenarios import SCENARIOS
from tests.bluez_vm.measured import note
from tests.bluez_vm.run import Run, run

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("EMGMON_BLUEZ_VM") != "1",
        reason="runs a virtual machine; to have it, set EMGMON_BLUEZ_VM=1 (tests/bluez_vm/README.md)",
    ),
    # The first time, packages are fetched.
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def outcome() -> Run:
    """One boot, in which every scenario runs."""
    cache = packages.cache_folder()
    try:
        provided = packages.provide(cache)
    except packages.Unavailable as error:
        pytest.skip(f"the guest cannot be made: {error}")
    # In the system's own folder for such things: pytest's are too long for the path of a socket.
    with tempfile.TemporaryDirectory(prefix="emgmon-") as folder:
        made = image.make(cache, provided, Path(folder) / "root.cpio")
        outcome = asyncio.run(run(provided, made, Path(folder)))
    note(outcome)
    return outcome


def test_the_guest_finds_a_radio_that_is_switched_on(outcome: Run) -> None:
    assert outcome.ready_s is not None, outcome.console


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_on_the_real_stack(outcome: Run, scenario: str) -> None:
    assert scenario in outcome.reports, outcome.console
    report = outcome.reports[scenario]
    assert report.failure is None, f"{report.failure}\n{outcome.console}"


def test_the_guest_comes_to_its_end(outcome: Run) -> None:
    assert outcome.ended, outcome.console

"""The guest's program: waits for the radio, runs every scenario, reports each, and ends."""

import asyncio
import time
import traceback
from pathlib import Path

from tests.bluez_vm.guest.bluez import Bluez
from tests.bluez_vm.guest.messages import Ended, Facts, Ready, Report
from tests.bluez_vm.guest.port import Port
from tests.bluez_vm.guest.scenarios import SCENARIO_LIMIT_S, SCENARIOS, Guest, Scenario

RADIO_LIMIT_S = 120.0


def _uptime_s() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


async def _run(scenario: Scenario, guest: Guest) -> Report:
    begun_s = time.monotonic()
    facts: Facts = {}
    failure = None
    try:
        async with asyncio.timeout(SCENARIO_LIMIT_S):
            facts = await scenario(guest)
    except Exception:
        failure = traceback.format_exc()
    return Report(scenario.__name__, round(time.monotonic() - begun_s, 3), facts, failure)


async def main() -> None:
    """Run all scenarios on the one radio."""
    bluez = Bluez()
    async with Port() as port:
        await bluez.open()
        async with asyncio.timeout(RADIO_LIMIT_S):
            await bluez.await_radio()
        port.send(Ready(_uptime_s()))
        for scenario in SCENARIOS:
            port.send(await _run(scenario, Guest(port, bluez)))
        bluez.close()
        port.send(Ended())


if __name__ == "__main__":
    asyncio.run(main())

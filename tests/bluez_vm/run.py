"""One boot: starts the sensor's end and QEMU, obeys the guest's requests and collects its reports."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.bluez_vm.guest.messages import Answer, Ask, Ended, Ready, Report, to_line, upward
from tests.bluez_vm.image import Image
from tests.bluez_vm.machine import Sockets, command, running
from tests.bluez_vm.packages import Packages
from tests.bluez_vm.radio import GuestAir

RUN_LIMIT_S = 300.0
"""For everything; the guest has its own limits, which are shorter."""
LINES_OF_LOG = 60

Line: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Run:
    """What came of a boot."""

    ready_s: float | None = None
    """From QEMU's start to a radio that is switched on; None when it never came to that."""
    uptime_s: float | None = None
    """The same by the guest's own clock."""
    duration_s: float = 0.0
    reports: dict[str, Report] = field(default_factory=dict)
    ended: bool = False
    """Whether the guest came to its end."""
    console: str = ""
    """The last lines of the guest's console, for whoever has to find out."""


async def run(packages: Packages, image: Image, folder: Path) -> Run:
    """Boot the guest once and let it run its scenarios.

    Parameters
    ----------
    folder
        For sockets and logs; its path must be short, as that of a socket must.
    """
    outcome = Run()
    begun_s = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(RUN_LIMIT_S):
            await _boot(packages, image, folder, outcome)
    outcome.duration_s = time.monotonic() - begun_s
    logs = [path.read_text(errors="replace").splitlines() for path in sorted(folder.glob("*.log"))]
    outcome.console = "\n".join(line for log in logs for line in log[-LINES_OF_LOG:])
    return outcome


async def _boot(packages: Packages, image: Image, folder: Path, outcome: Run) -> None:
    sockets = Sockets(folder / "hci", folder / "port")
    qemu = command(packages, image=image, sockets=sockets, console=folder / "console.log")
    met: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
    air = GuestAir()
    server = await asyncio.start_unix_server(lambda *line: met.set_result(line), sockets.port)
    try:
        await air.open(sockets.hci)
        async with running(qemu, packages, log=folder / "qemu.log") as process:
            gone = asyncio.create_task(process.wait())
            listening = asyncio.create_task(_listen(met, air, outcome))
            await asyncio.wait({gone, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            await _cancel(gone, listening)
    finally:
        server.close()
        await air.close()


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(met: asyncio.Future[Line], air: GuestAir, outcome: Run) -> None:
    begun_s = time.monotonic()
    reader, writer = await met
    try:
        while line := await reader.readline():
            match upward(line):
                case Ready(uptime_s):
                    outcome.ready_s = time.monotonic() - begun_s
                    outcome.uptime_s = uptime_s
                case Ask() as ask:
                    writer.write(to_line(Answer(await air.do(ask))))
                case Report() as report:
                    outcome.reports[report.scenario] = report
                case Ended():
                    outcome.ended = True
                    return
    finally:
        writer.close()

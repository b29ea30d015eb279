"""The QEMU process: how it is started, and that it is gone afterwards, whatever happens."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bluez_vm.image import Image
from tests.bluez_vm.packages import Packages

MEMORY_MB = 768
STOP_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where the guest's two lines end; somebody must listen there before it starts."""

    hci: Path
    port: Path


def command(packages: Packages, *, image: Image, sockets: Sockets, console: Path) -> list[str]:
    """QEMU's command line: no disk, no network, no screen; two virtio lines and a console log."""
    return [
        *packages.command("usr/bin/qemu-system-x86_64"),
        *("-L", str(packages.root / "usr/share/qemu"), "-L", str(packages.root / "usr/share/seabios")),
        # /dev/kvm may exist and not work.
        *("-accel", "tcg", "-cpu", "max", "-machine", "pc", "-m", str(MEMORY_MB)),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none"),
        *("-kernel", str(image.kernel), "-initrd", str(image.root)),
        *("-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on mitigations=off"),
        *("-serial", f"file:{console}"),
        *("-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=hci,path={sockets.hci}", "-device", "virtconsole,chardev=hci"),
        *("-chardev", f"socket,id=port,path={sockets.port}", "-device", "virtserialport,chardev=port"),
    ]


@asynccontextmanager
async def running(
    command: list[str], packages: Packages, *, log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run QEMU; killed on the way out if it has not ended by itself. What it says goes into a file."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, "QEMU_MODULE_DIR": str(packages.libraries / "qemu")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()

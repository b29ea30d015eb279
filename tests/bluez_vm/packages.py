"""Fetches Debian's packages into a folder of our own: nothing is installed, nobody need be root.

apt-get is pointed at an empty list of installed packages, so that it names everything down to the C
library. What is unpacked therefore runs with its own loader and libraries, whatever the machine has.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WANTED = ("qemu-system-x86", "bluez", "dbus-daemon", "busybox-static")
"""Fetched with all that they need."""

KERNEL_META_PACKAGE = "linux-image-amd64"
"""Names the newest kernel. The `cloud` flavour has no Bluetooth."""

FETCH_LIMIT_S = 900.0

_NEEDED_TOOLS = ("apt-get", "apt-cache", "dpkg-deb", "tar")
_MERGED_FOLDERS = ("bin", "sbin", "lib", "lib64")
"""Links into `usr`, as on an installed system; packages put files into either."""

_LEFT_OUT = (
    "./usr/share/doc",
    "./usr/share/locale",
    "./usr/share/man",
    "./usr/share/perl*",
    "./usr/lib/x86_64-linux-gnu/perl*",
    *(f"*/kernel/{part}" for part in ("fs", "sound", "drivers/gpu", "drivers/media", "drivers/net")),
)
"""Two thirds of the whole, and no use here."""


class Unavailable(Exception):
    """This machine cannot run the guest; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Unpacked packages, and how to run and look into them."""

    root: Path

    @property
    def kernel(self) -> Path:
        """The kernel image."""
        return next((self.root / "boot").glob("vmlinuz-*"))

    @property
    def modules(self) -> Path:
        """Folder of the kernel's modules."""
        return next((self.root / "usr/lib/modules").iterdir()) / "kernel"

    @property
    def loader(self) -> Path:
        """The program that starts programs, of the same C library."""
        return self.root / "usr/lib64/ld-linux-x86-64.so.2"

    @property
    def libraries(self) -> Path:
        """Folder of the shared libraries."""
        return self.root / "usr/lib/x86_64-linux-gnu"

    def command(self, program: str) -> list[str]:
        """How to run one of the unpacked programs on this machine."""
        return [str(self.loader), "--library-path", str(self.libraries), str(self.root / program)]


def cache_folder() -> Path:
    """Where packages and images are kept between runs."""
    told = os.environ.get("EMGMON_BLUEZ_VM_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(told) if told else Path(base).expanduser() / "emgmon-bluez-vm"


def provide(cache: Path) -> Packages:
    """Unpacked packages: those of an earlier run, or fresh ones.

    Raises
    ------
    Unavailable
        When this machine cannot have them.
    """
    check_machine()
    root = cache / "root"
    if not root.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            unpacked = Path(work) / "root"
            _unpack(_fetch(Path(work)), unpacked)
            # Only what is complete gets its final name.
            unpacked.rename(root)
    return Packages(root)


def check_machine() -> None:
    """Raise `Unavailable` where the guest cannot run or its packages cannot be fetched."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise Unavailable(
            f"the guest is made for Linux on x86_64, not {sys.platform} on {platform.machine()}"
        )
    missing = [tool for tool in _NEEDED_TOOLS if shutil.which(tool) is None]
    if missing:
        raise Unavailable(f"the guest is made of Debian's packages, but there is no {', '.join(missing)}")


def _fetch(work: Path) -> list[Path]:
    """Download all packages, with apt's own check of their signatures."""
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    options = [
        f"-oDir::State={work / 'state'}",
        f"-oDir::State::status={work / 'status'}",
        f"-oDir::Cache={work / 'cache'}",
        "-oAPT::Sandbox::User=root",
        "-oAPT::Install-Recommends=false",
        "-oDebug::NoLocking=true",
        "-qq",
    ]
    _run(["apt-get", *options, "update"], cwd=work)
    kernel = _kernel_package(_run(["apt-cache", *options, "depends", KERNEL_META_PACKAGE], cwd=work))
    _run(["apt-get", *options, "install", "--download-only", "--yes", *WANTED], cwd=work)
    # The kernel alone: what it depends on would make an initramfs, and that we do ourselves.
    _run(["apt-get", *options, "download", kernel], cwd=work / "debs")
    return sorted([*(work / "cache/archives").glob("*.deb"), *(work / "debs").glob("*.deb")])


def _kernel_package(depends: str) -> str:
    words = [line.split()[-1] for line in depends.splitlines() if "Depends:" in line]
    kernels = [word for word in words if word.startswith("linux-image-")]
    if not kernels:
        raise Unavailable(f"{KERNEL_META_PACKAGE} names no kernel: is this a Debian of amd64?")
    return kernels[0]


def _unpack(archives: Sequence[Path], root: Path) -> None:
    for folder in _MERGED_FOLDERS:
        (root / "usr" / folder).mkdir(parents=True)
        (root / folder).symlink_to(f"usr/{folder}")
    # Not `dpkg-deb --extract`: that would put folders in the place of the links.
    tar = ["tar", "-x", "--keep-directory-symlink", *(f"--exclude={part}" for part in _LEFT_OUT)]
    for archive in archives:
        unpacked = archive.with_suffix(".tar")
        _run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$0" > "$1"', str(archive), str(unpacked)], cwd=root)
        _run([*tar, "--no-same-owner", "-f", str(unpacked)], cwd=root)
        unpacked.unlink()


def _run(command: Sequence[str], *, cwd: Path, limit_s: float = FETCH_LIMIT_S) -> str:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=limit_s, check=True, env=_environment()
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise Unavailable(f"{command[0]} failed: {said[-1] if said else error}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} took longer than {limit_s:g} s") from error
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}

"""Makes the guest's root: a big part that stays the same, and a small one with the code under test.

The big part holds programs, kernel modules, this very Python and the packages that our client needs; it is
kept between runs under a name made from what went into it. The small one is made anew for every run and
follows it in the same file, which is how the kernel takes them.
"""

import hashlib
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from tests.bluez_vm import kernel
from tests.bluez_vm.cpio import Archive
from tests.bluez_vm.packages import Packages

PROJECT = Path(__file__).parents[2]
PROJECT_FOLDERS = ("emgmon", "firmware_protocol", "tests/bluez_vm/guest")
GUEST_FILES = Path(__file__).parent / "guest"

PYTHON_PACKAGES = ("bleak", "dbus-fast", "msgspec", "numpy", "typing-extensions")
"""What the client needs to find a sensor, talk to it and decode what it sends."""

PROGRAMS = (
    "usr/bin/busybox",
    "usr/bin/dbus-daemon",
    "usr/bin/btattach",
    "usr/libexec/bluetooth/bluetoothd",
)

_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_SITE = "app/packages"
_NOT_IN_THE_GUEST = re.compile(
    r"(^|/)(tests?|testing|idlelib|lib2to3|ensurepip|tkinter|turtledemo|site-packages|pydoc_data|config-[^/]*"
    r"|__pycache__|f2py|_pyinstaller|include)(/|$)|\.(a|pyi|pyx|pxd|h|exe)$|/(_test|_ctypes_test|_tkinter|_sqlite3|_xx|_ssl|_hashlib|_curses|nis\.|readline)"
)
_RESOLVED = re.compile(r"(\S+) => (/\S+)")


@dataclass(frozen=True, slots=True)
class Image:
    """What QEMU is started with."""

    kernel: Path
    root: Path


def make(cache: Path, packages: Packages, out: Path) -> Image:
    """Provide the kernel, and write the guest's root to a file."""
    lasting = _lasting_part(cache, packages)
    shutil.copyfile(lasting.root, out)
    with out.open("ab") as file:
        archive = Archive(file)
        _add_project(archive)
        archive.finish()
    return Image(lasting.kernel, out)


def _lasting_part(cache: Path, packages: Packages) -> Image:
    ingredients = [*map(_pinned, PYTHON_PACKAGES), sys.version, sys.base_prefix, packages.kernel.name]
    ingredients += [path.read_text() for path in (Path(__file__), Path(kernel.__file__))]
    folder = cache / f"guest-{hashlib.sha256(repr(ingredients).encode()).hexdigest()[:12]}"
    if not folder.exists():
        for old in cache.glob("guest-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            made = Path(work) / "made"
            _write_lasting_part(packages, made)
            # Only what is complete gets its final name.
            made.rename(folder)
    return Image(folder / "kernel", folder / "root.cpio")


def _write_lasting_part(packages: Packages, folder: Path) -> None:
    folder.mkdir()
    packed = packages.kernel.read_bytes()
    (folder / "kernel").write_bytes(kernel.unpacked(packed) or packed)
    with (folder / "root.cpio").open("wb") as file:
        archive = Archive(file)
        _add_system(archive, packages)
        _add_python(archive, packages)
        archive.finish()


def _pinned(package: str) -> str:
    return f"{package}=={distribution(package).version}"


def _add_system(archive: Archive, packages: Packages) -> None:
    for folder in ("bin", "sbin", "lib", "lib64"):
        archive.add_folder(f"usr/{folder}")
        archive.add_link(folder, f"usr/{folder}")
    for folder in ("proc", "sys", "dev", "run", "tmp", "var/lib", "etc"):
        archive.add_folder(folder)
    archive.add_text("etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
    archive.add_text("etc/group", "root:x:0:\n")
    archive.add_text("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    for program in PROGRAMS:
        archive.add(program, packages.root / program)
    for number, module in enumerate(kernel.load_order(packages.modules)):
        archive.add_bytes(f"app/modules/{number:02}-{module.stem}.ko", kernel.contents(module))


def _add_python(archive: Archive, packages: Packages) -> None:
    executable = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    files = {path: _place(path) for path in _wanted(library)}
    files |= {path.resolve(): name for path, name in _package_files()}
    for path, name in files.items():
        _add_module(archive, path, name)
    archive.add(_place(executable), executable)
    archive.add_text("app/python", str(executable))
    binaries = [packages.root / program for program in PROGRAMS]
    machine_code = [executable, *(path for path in files if ".so" in path.name)]
    libraries = _libraries_from_packages(packages, binaries) | _libraries_of_the_machine(machine_code)
    for name in sorted(libraries):
        ours = packages.libraries / name
        if libraries[name].resolve() not in files:
            archive.add(f"{_LIBRARIES}/{name}", ours if ours.exists() else libraries[name])
    archive.add("usr/lib64/ld-linux-x86-64.so.2", packages.loader)


def _place(path: Path) -> str:
    return str(path).lstrip("/")


def _wanted(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _NOT_IN_THE_GUEST.search(str(path.relative_to(folder))):
            yield path


def _package_files() -> Iterator[tuple[Path, str]]:
    """Files of the Python packages, from this virtual environment: the versions that the tests have here."""
    for package in PYTHON_PACKAGES:
        for file in distribution(package).files or ():
            path = Path(str(file.locate()))
            if not _NOT_IN_THE_GUEST.search(str(file)) and not str(file).startswith("..") and path.is_file():
                yield path, f"{_SITE}/{file}"


def _add_module(archive: Archive, path: Path, name: str) -> None:
    """Add a file; a Python module with its compiled form, as compiling is slow in the guest."""
    archive.add(name, path)
    if path.suffix != ".py":
        return
    with tempfile.TemporaryDirectory() as work:
        compiled = Path(work) / "compiled"
        # Never looked at again: the guest unpacks files with the time of unpacking.
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(path), str(compiled), dfile=f"/{name}", doraise=True, invalidation_mode=mode)
        tag = sys.implementation.cache_tag
        archive.add(str(Path(name).parent / "__pycache__" / f"{Path(name).stem}.{tag}.pyc"), compiled)


def _libraries_from_packages(packages: Packages, binaries: list[Path]) -> dict[str, Path]:
    listing = [str(packages.loader), "--library-path", str(packages.libraries), "--list"]
    return _resolved([[*listing, str(binary)] for binary in binaries])


def _libraries_of_the_machine(binaries: list[Path]) -> dict[str, Path]:
    return _resolved([["ldd", *map(str, binaries)]])


def _resolved(commands: list[list[str]]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for command in commands:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
        found |= {name: Path(path) for name, path in _RESOLVED.findall(listing) if not name.startswith("/")}
    return found


def _add_project(archive: Archive) -> None:
    archive.add("init", GUEST_FILES / "init")
    for name in ("dbus.conf", "bluetooth.conf"):
        archive.add(f"app/{name}", GUEST_FILES / name)
    for folder in ("tests", "tests/bluez_vm"):
        archive.add_text(f"app/project/{folder}/__init__.py", "")
    for folder in PROJECT_FOLDERS:
        for path in _wanted(PROJECT / folder):
            if path.suffix in {".py", ".toml"}:
                _add_module(archive, path, f"app/project/{path.relative_to(PROJECT)}")

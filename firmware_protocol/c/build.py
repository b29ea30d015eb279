"""Compiles the C sensor when it is asked for; nothing is compiled when the package is installed."""

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = tuple(sorted(FOLDER.glob("*.c")))
"""The library: what a firmware author compiles."""
HOST_SOURCE = FOLDER / "host" / "emgmon_host.c"
"""Makes a sensor from its description; not for firmware."""
STRICT_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
"""What the library compiles under without a word; not asked of the compiler on a person's machine."""
_FLAGS = ("-std=c99", "-O2", "-DEMGMON_MAX_PAYLOAD=512u")
"""The largest payload that a notification carries (SPEC 2.6)."""


class CompilerError(OSError):
    """The C sensor cannot be compiled here; says why.

    Attributes
    ----------
    advice
        What the person can do about it.
    """

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


def find_compiler() -> tuple[str, ...]:
    """Command of a C compiler: that of the variable CC, else cc, gcc or clang; raises CompilerError."""
    wanted = shlex.split(os.environ.get("CC", "")) or ["cc"]
    for name in (wanted[0], "cc", "gcc", "clang"):
        found = shutil.which(name)
        if found is not None:
            return (found, *(wanted[1:] if name == wanted[0] else ()))
    raise CompilerError(
        "no C compiler was found: neither cc nor gcc nor clang",
        advice="Install one (Linux: the package gcc; macOS: xcode-select --install; Windows: MinGW-w64),"
        " or name yours in the variable CC, or use the sensor that is written in Python.",
    )


def compile_c(
    sources: Sequence[Path], output: Path, *, flags: Sequence[str], compiler: Sequence[str] | None = None
) -> None:
    """Compile and link; raises CompilerError with the compiler's own words."""
    command = [*(compiler or find_compiler()), *flags, *map(str, sources), "-o", str(output)]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if run.returncode != 0:
        raise CompilerError(
            f"the compiler refused the C sensor with status {run.returncode}:\n{run.stderr.strip()}",
            advice="Name another compiler in the variable CC, or use the sensor that is written in Python.",
        )


def shared_library(cache: Path | None = None) -> Path:
    """Path of the compiled sensor; compiles it where these sources were not compiled before.

    Parameters
    ----------
    cache
        Folder to keep it in; by default the user's own cache, or a temporary one where that is read-only.

    Raises
    ------
    CompilerError
        Where there is no compiler, or it refuses.
    """
    compiler = find_compiler()
    flags = (*_FLAGS, "-shared", *(("-fPIC",) if os.name == "posix" else ()))
    folder = _writable(cache or _user_cache())
    library = folder / f"emgmon_sensor-{_fingerprint((*compiler, *flags))}.so"
    if not library.exists():
        # Compiled beside and moved: another process may be doing the same at this moment.
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            fresh = Path(beside) / library.name
            compile_c((*SOURCES, HOST_SOURCE), fresh, flags=flags, compiler=compiler)
            fresh.replace(library)
    return library


def _fingerprint(command: Sequence[str]) -> str:
    """Hash of everything that decides what comes out: sources, headers, compiler and flags."""
    digest = hashlib.sha256("\0".join(command).encode())
    for path in sorted(FOLDER.rglob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _user_cache() -> Path:
    # Not a shared temporary folder: whoever can write there could put another library in the way.
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "emgmon"


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="emgmon-"))

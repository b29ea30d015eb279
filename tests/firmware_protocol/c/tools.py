"""Compilers and emulators that this machine may have, and the programs that are built with them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_protocol.c.build import (
    FOLDER,
    HOST_SOURCE,
    SOURCES,
    STRICT_FLAGS,
    CompilerError,
    compile_c,
    find_compiler,
)

HERE = Path(__file__).parent
DRIVER = HERE / "driver.c"
STRICT = (*STRICT_FLAGS, f"-I{FOLDER}", f"-I{HERE}")
HOST_PAYLOAD = "-DEMGMON_MAX_PAYLOAD=512u"
PTHREAD_PORT = '-DEMGMON_PORT_HEADER="port_pthread.h"'
LIBRARY_SOURCES = SOURCES

CORTEX_M4 = ("arm-none-eabi-gcc",)
CORTEX_M4_FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", *STRICT)
CORTEX_M4_RUN = [
    "qemu-system-arm",
    "-M",
    "mps2-an386",
    "-display",
    "none",
    "-serial",
    "none",
    "-monitor",
    "none",
]


def compiler_is_here() -> bool:
    try:
        find_compiler()
    except CompilerError:
        return False
    return True


needs_compiler = pytest.mark.skipif(
    not compiler_is_here(), reason="there is no C compiler on this machine: cc, gcc or clang"
)
needs_cross_compiler = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="there is no compiler for Cortex-M here (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi)",
)
needs_emulator = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None,
    reason="there is no emulator of Cortex-M here (Debian: qemu-system-arm)",
)


def build_driver(output: Path, *flags: str) -> Path:
    compile_c((*SOURCES, HOST_SOURCE, DRIVER), output, flags=(*STRICT, HOST_PAYLOAD, *flags))
    return output


def build_cortex_driver(output: Path) -> Path:
    return _build_for_emulator((HOST_SOURCE, DRIVER), output, "-O2", HOST_PAYLOAD)


def build_cortex_speed(output: Path) -> Path:
    """Counts instructions; the port turns interrupts off, as firmware does."""
    port = '-DEMGMON_PORT_HEADER="port_systick.h"'
    return _build_for_emulator((HERE / "speed_cortex_m4.c",), output, "-Os", "-Wno-pedantic", port)


def _build_for_emulator(sources: tuple[Path, ...], output: Path, *flags: str) -> Path:
    linked = ("-T", str(HERE / "cortex_m4.ld"), "--specs=rdimon.specs")
    compile_c(
        (*SOURCES, *sources, HERE / "cortex_m4_start.c"),
        output,
        flags=(*CORTEX_M4_FLAGS, *flags, *linked),
        compiler=CORTEX_M4,
    )
    return output


def build_minimal(output: Path) -> Path:
    """The smallest sensor for a Cortex-M4, with nothing in it that it does not use."""
    flags = (
        *CORTEX_M4_FLAGS,
        *(
            "-Os",
            "-ffunction-sections",
            "-fdata-sections",
            "-nostartfiles",
            "-Wl,--gc-sections",
            "-Wl,-e,main",
        ),
        *("--specs=nano.specs", "--specs=nosys.specs"),
    )
    compile_c((*SOURCES, HERE / "minimal.c"), output, flags=flags, compiler=CORTEX_M4)
    return output


def run_driver(driver: Path, script: bytes) -> bytes:
    """What the driver answers; fails with its own words, for example those of a sanitizer."""
    run = subprocess.run([str(driver)], input=script, capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    assert run.stderr == b""
    return run.stdout


def run_cortex_driver(driver: Path, script: bytes, folder: Path) -> bytes:
    (folder / "script.bin").write_bytes(script)
    arguments = ",".join(f"arg={one}" for one in ("driver", "script.bin", "answers.bin"))
    semihosting = ["-semihosting-config", f"enable=on,target=native,{arguments}"]
    run = subprocess.run(
        [*CORTEX_M4_RUN, *semihosting, "-kernel", str(driver)], cwd=folder, capture_output=True, timeout=60
    )
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    return (folder / "answers.bin").read_bytes()

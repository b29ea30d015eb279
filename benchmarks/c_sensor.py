"""Whether the C sensor and the Python one agree over many random exchanges, and what the C one costs.

    python benchmarks/c_sensor.py [--exchanges 100000] [--seed 0]

Plays random schedules (samples taken and lost, connections, requests sound and not, packets and statuses
fetched) on both sensors and compares every answer byte for byte; plays the same ones in a program built with
the address and undefined-behaviour sanitizers, and where a cross-compiler and an emulator are there some of
them on a Cortex-M4. Then prints flash and RAM of a minimal sensor, and what a packet takes. The exit status
is 1 when anything differed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from emgmon.virtual.firmware import Firmware  # noqa: E402
from firmware_protocol.c.build import CompilerError, compile_c  # noqa: E402
from tests.firmware_protocol.c import tools  # noqa: E402
from tests.firmware_protocol.c.schedules import (  # noqa: E402
    Fetch,
    Played,
    SessionIds,
    Write,
    answers_in,
    play_at_random,
    replay,
    script_of,
)

CALLS_PER_SCHEDULE = 250
SCHEDULES_AT_ONCE = 40
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RING_BYTES = 2000 * (2 * 2 + 1)
"""Of the minimal sensor: 2 s at 1 kHz, two channels of 16 bits, and a byte about each sample."""
SPEED_FLAGS = (*tools.STRICT, "-O2")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        agree = exchanges(options.exchanges, options.seed, Path(folder))
        speed(Path(folder))
        agree &= cortex_m4(Path(folder), options.seed)
    return 0 if agree else 1


def exchanges(n_exchanges: int, seed: int, folder: Path) -> bool:
    """Compare three ways of the same exchanges; whether none differed."""
    sanitized = sanitized_driver(folder)
    n_played = n_differing = n_sanitized_differing = n_packets = n_responses = 0
    c_s = python_s = 0.0
    while n_played < n_exchanges:
        begin_s = time.perf_counter()
        played = list(schedules(seed + n_played // CALLS_PER_SCHEDULE))
        c_s += time.perf_counter() - begin_s
        begin_s = time.perf_counter()
        n_differing += sum(map(differences, played))
        python_s += time.perf_counter() - begin_s
        n_played += sum(len(one.calls) for one in played)
        n_packets += sum(isinstance(call, Fetch) and bool(a) for one in played for call, a in answered(one))
        n_responses += sum(isinstance(call, Write) for one in played for call, _ in answered(one))
        n_sanitized_differing += 0 if sanitized is None else sanitized_differences(sanitized, played)
    print(f"random exchanges                        {n_played:>10,}  of them {n_responses:,} requests")
    print(f"packets among the answers               {n_packets:>10,}")
    print(f"answers in which C and Python differ    {n_differing:>10,}")
    if sanitized is None:
        print("sanitizers                              not measured: this compiler has none")
    else:
        print(f"answers that differ under sanitizers    {n_sanitized_differing:>10,}  and they said nothing")
    print(f"exchanges/s, made and played on C       {n_played / c_s:>10,.0f}  through ctypes")
    print(f"exchanges/s, replayed on Python         {n_played / python_s:>10,.0f}")
    return n_differing == n_sanitized_differing == 0


def schedules(seed: int) -> Iterator[Played]:
    for offset in range(SCHEDULES_AT_ONCE):
        yield play_at_random(seed + offset, CALLS_PER_SCHEDULE)


def answered(played: Played) -> Iterator[tuple[object, bytes | None]]:
    return zip(played.calls, played.answers, strict=True)


def differences(played: Played) -> int:
    session_ids = SessionIds()
    answers = replay(played, Firmware(played.capabilities, draw_session_id=session_ids), session_ids)
    return sum(a != b for a, b in zip(answers, played.answers, strict=True))


def sanitized_driver(folder: Path) -> Path | None:
    try:
        return tools.build_driver(folder / "driver", *SANITIZED)
    except CompilerError:
        return None


def sanitized_differences(driver: Path, played: list[Played]) -> int:
    """Answers that are not the same; what a sanitizer says ends the run."""
    output = tools.run_driver(driver, b"".join(map(script_of, played)))
    expected = [answer for one in played for answer in one.answers if answer is not None]
    return sum(a != b for a, b in zip(answers_in(output), expected, strict=True))


def speed(folder: Path) -> None:
    program = folder / "speed"
    compile_c((*tools.LIBRARY_SOURCES, tools.HERE / "speed_host.c"), program, flags=SPEED_FLAGS)
    print(f"\nthis machine\n{run(str(program))}")


def cortex_m4(folder: Path, seed: int) -> bool:
    """Sizes, instructions and exchanges on the emulator; whether none differed."""
    print("Cortex-M4")
    try:
        flash_bytes, ram_bytes = sizes(tools.build_minimal(folder / "minimal.elf"))
    except OSError:
        print("not measured: there is no compiler (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi)")
        return True
    library_bytes = sum(sizes(compiled)[0] for compiled in library_objects(folder))
    print(f"flash, all of the library: {library_bytes:,} bytes")
    print(f"flash, minimal sensor with what it takes of libc and libgcc: {flash_bytes:,} bytes")
    print(f"RAM, minimal sensor: {ram_bytes:,} bytes, of them {RING_BYTES:,} for its ring of 2 s")
    try:
        print(run(*tools.CORTEX_M4_RUN, *counting(folder)), end="")
    except FileNotFoundError:
        print("not run: there is no emulator (Debian: qemu-system-arm)")
        return True
    return emulated_exchanges(folder, seed)


def emulated_exchanges(folder: Path, seed: int) -> bool:
    played = list(schedules(seed))
    driver = tools.build_cortex_driver(folder / "driver.elf")
    output = tools.run_cortex_driver(driver, b"".join(map(script_of, played)), folder)
    expected = [answer for one in played for answer in one.answers if answer is not None]
    n_differing = sum(a != b for a, b in zip(answers_in(output), expected, strict=True))
    n_calls = sum(len(one.calls) for one in played)
    print(f"exchanges on the emulator: {n_calls:,}, answers that differ {n_differing}")
    return n_differing == 0


def sizes(program: Path) -> tuple[int, int]:
    """Bytes of flash and of RAM."""
    text, data, bss = map(int, run("arm-none-eabi-size", str(program)).splitlines()[1].split()[:3])
    return text + data, data + bss


def library_objects(folder: Path) -> Iterator[Path]:
    for source in tools.LIBRARY_SOURCES:
        compiled = folder / f"{source.stem}.o"
        compile_c((source,), compiled, flags=(*tools.CORTEX_M4_FLAGS, "-Os", "-c"), compiler=tools.CORTEX_M4)
        yield compiled


def counting(folder: Path) -> list[str]:
    """Arguments of the emulator for the program that counts instructions."""
    program = tools.build_cortex_speed(folder / "speed.elf")
    return ["-icount", "shift=7", "-semihosting-config", "enable=on,target=native", "-kernel", str(program)]


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


if __name__ == "__main__":
    sys.exit(main())

"""What only a caller in C sees of the library, and what it is built from: warnings, symbols, compilers."""

import re
import shutil
import subprocess
import sys

import pytest

from firmware_protocol.c import build
from firmware_protocol.c.build import FOLDER, HOST_SOURCE, SOURCES, CompilerError, compile_c, shared_library
from firmware_protocol.c.sensor import CSensor
from firmware_protocol.capabilities import Capabilities, Stream, StreamKind
from firmware_protocol.errors import HostFault
from firmware_protocol.packets import SampleFormat
from tests.firmware_protocol.c import tools
from tests.firmware_protocol.c.schedules import EMG

ALSO_STRICT = (
    *("-Wsign-conversion", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wcast-align"),
    *("-Wcast-qual", "-Wundef", "-Wdouble-promotion", "-Wvla", "-Wwrite-strings"),
)
RULES = tuple(tools.HERE / name for name in ("rules.c", "rules_set_up.c", "rules_session.c", "bench.c"))
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
PACKET_PATH = [path for path in SOURCES if path.name != "emgmon_capabilities.c"]
"""Everything but the file that takes a scale as a float, once, when the sensor is set up."""
ONE_STREAM = Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, (EMG,))


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    program = tmp_path_factory.mktemp("rules") / "rules"
    flags = (*tools.STRICT, "-O1", "-g")
    sources = (*SOURCES, *RULES)
    try:
        compile_c(sources, program, flags=(*flags, *SANITIZED))
    except CompilerError:
        compile_c(sources, program, flags=flags)
    return subprocess.run([str(program)], capture_output=True, text=True, timeout=60)


@tools.needs_compiler
def test_every_rule_of_the_library_holds(said):
    assert (said.returncode, said.stderr) == (0, "")
    assert [line for line in said.stdout.splitlines() if not line.startswith("holds ")] == []


@tools.needs_compiler
def test_every_rule_that_is_written_is_asked(said):
    text = "".join(path.read_text() for path in RULES)
    written = re.findall(r"^static bool (\w+)\(void\)$", text, re.MULTILINE)
    assert written == [line.split()[1] for line in said.stdout.splitlines()]
    assert len(written) > 20


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_library_compiles_without_a_warning(compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not on this machine")
    flags = (*tools.STRICT, *ALSO_STRICT, "-O2", tools.HOST_PAYLOAD, "-c")
    for source in (*SOURCES, HOST_SOURCE):
        compile_c((source,), tmp_path / "one.o", flags=flags, compiler=(compiler,))


@tools.needs_compiler
@pytest.mark.parametrize("port", ["port_key.h", "port_block.h", "port_pthread.h"])
def test_a_port_may_declare_a_key_or_open_a_block(port, tmp_path):
    every_file = tmp_path / "every_file.c"
    for source in SOURCES:
        every_file.write_text(f'#include "{source}"\n')
        flags = (*tools.STRICT, "-Wshadow", f'-DEMGMON_PORT_HEADER="{port}"', "-fsyntax-only")
        compile_c((every_file,), tmp_path / "nothing", flags=flags)


@tools.needs_compiler
def test_the_header_is_also_c_plus_plus(tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not on this machine")
    source = tmp_path / "sketch.cpp"
    source.write_text('#include "emgmon_sensor.h"\nsize_t size() { return sizeof(emgmon_sensor); }\n')
    flags = ("-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{FOLDER}", "-c")
    compile_c((source,), tmp_path / "sketch.o", flags=flags, compiler=("g++",))


@tools.needs_cross_compiler
def test_the_library_needs_neither_memory_from_a_heap_nor_floating_point(tmp_path):
    needed = set()
    for source in SOURCES:
        object_file = tmp_path / f"{source.stem}.o"
        compile_c(
            (source,), object_file, flags=(*tools.CORTEX_M4_FLAGS, "-Os", "-c"), compiler=tools.CORTEX_M4
        )
        run = subprocess.run(["arm-none-eabi-nm", "-u", str(object_file)], capture_output=True, text=True)
        needed |= {line.split()[-1] for line in run.stdout.splitlines()}
    outside = {name for name in needed if not name.startswith("emgmon_")}
    assert outside == {"memcpy", "memmove", "memset", "strlen", "__aeabi_uldivmod"}


def test_the_one_float_is_the_scale_of_a_channel():
    for path in (*SOURCES, FOLDER / "emgmon_sensor.h"):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        floats = re.findall(r"\b(?:float|double) \w+", code)
        assert floats == (["float scale"] if path not in PACKET_PATH else []), path.name


@tools.needs_compiler
def test_the_configuration_in_the_readme_compiles(tmp_path):
    first_block = re.findall(
        r"```c\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )[0]
    source = tmp_path / "sensor.c"
    source.write_text(first_block)
    compile_c((source,), tmp_path / "sensor.o", flags=(*tools.STRICT, "-c"))


def test_files_and_functions_of_the_library_stay_short():
    for path in (*SOURCES, HOST_SOURCE, FOLDER / "emgmon_sensor.h", FOLDER / "emgmon_internal.h"):
        text = path.read_text()
        assert text.count("\n") <= 400, path.name
        assert max(map(len, text.splitlines())) <= 110, path.name
        for body in re.findall(r"^\{\n(.*?)^\}\n", text, re.MULTILINE | re.DOTALL):
            assert body.count("\n") <= 45, path.name


def test_without_a_compiler_the_advice_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(CompilerError, match="no C compiler") as error:
        shared_library(tmp_path)
    assert "Install one" in error.value.advice


@tools.needs_compiler
def test_what_the_compiler_says_is_told(tmp_path):
    source = tmp_path / "broken.c"
    source.write_text("int main(void) { return x; }\n")
    with pytest.raises(CompilerError, match="undeclared"):
        compile_c((source,), tmp_path / "broken", flags=())


@tools.needs_compiler
def test_the_library_is_compiled_once(tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(
        build, "compile_c", lambda sources, output, **_: (compiled.append(output), output.touch())
    )
    first = shared_library(tmp_path)
    assert shared_library(tmp_path) == first
    assert len(compiled) == 1
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


@tools.needs_compiler
def test_another_compiler_or_other_flags_get_a_library_of_their_own():
    names = {build._fingerprint(command) for command in (("cc", "-O2"), ("cc", "-O3"), ("gcc", "-O2"))}
    assert len(names) == 3


@tools.needs_compiler
@pytest.mark.skipif(sys.platform == "win32", reason="folders are read-only in another way there")
def test_a_cache_that_cannot_be_written_is_not_needed(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert build._writable(in_the_way / "folder") != in_the_way / "folder"


@tools.needs_compiler
def test_capabilities_that_no_start_can_answer_are_refused_in_words():
    streams = tuple(
        Stream(number, StreamKind.EMG, SampleFormat.INT16, 1000.0, (EMG,)) for number in range(46)
    )
    with pytest.raises(HostFault, match="'bench'"):
        CSensor(Capabilities(1, 0, "bench", 0, streams), random_u32=lambda: 0)


@tools.needs_compiler
def test_device_time_may_begin_anywhere():
    """Clause 4.6: sample 0 is taken at boot_us."""
    sensor = CSensor(
        Capabilities(1, 0, "bench", 0, (ONE_STREAM,)), random_u32=lambda: 0, boot_us=(1 << 48) - 5
    )
    assert sensor.sample_time_us(1, 0) == (1 << 48) - 5
    sensor.connect()
    answer = sensor.respond(b"\2\0", payload_size=244, notifying=True, now_us=(1 << 48) - 5)
    assert answer.hex() == "820000" + "00000000" + "fbffffffffff" + "01" + "01" + "00000000" + "fbffffffffff"

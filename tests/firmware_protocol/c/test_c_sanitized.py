"""The C sensor under sanitizers and on another processor: the same answers, and nothing to complain about."""

import subprocess
import sys

import pytest

from firmware_protocol.c.build import compile_c
from firmware_protocol.packets import PacketHeader
from tests.firmware_protocol.c import tools
from tests.firmware_protocol.c.schedules import answers_in, play_at_random, script_of

pytestmark = tools.needs_compiler

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def has_sanitizers(tmp_path_factory):
    source = tmp_path_factory.mktemp("sanitizers") / "nothing.c"
    source.write_text("int main(void) { return 0; }\n")
    try:
        compile_c((source,), source.with_suffix(".bin"), flags=SANITIZED)
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def sanitized_driver(tmp_path_factory):
    if not has_sanitizers(tmp_path_factory):
        pytest.skip("this compiler has no address and undefined-behaviour sanitizers")
    return tools.build_driver(tmp_path_factory.mktemp("driver") / "driver", *SANITIZED)


@pytest.fixture(scope="module")
def played():
    return [play_at_random(seed, n_calls=300) for seed in range(100, 120)]


def test_the_sanitizers_are_silent_and_the_answers_the_same(sanitized_driver, played):
    script = b"".join(script_of(one) for one in played)
    expected = [answer for one in played for answer in one.answers if answer is not None]
    assert list(answers_in(tools.run_driver(sanitized_driver, script))) == expected


def test_the_sanitizers_would_speak(sanitized_driver):
    """Guard against a build that watches nothing: a packet for which the script gives too little memory."""
    played = play_at_random(100, n_calls=1)
    script = script_of(played) + b"T" + bytes((200, 0, 1, 0))
    run = subprocess.run([str(sanitized_driver)], input=script, capture_output=True, timeout=60)
    assert run.returncode != 0
    assert b"Sanitizer" in run.stderr or b"runtime error" in run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the thread sanitizer is asked on Linux only")
def test_one_thread_may_take_samples_while_another_sends_them(tmp_path):
    program = tmp_path / "two_contexts"
    sources = (*tools.LIBRARY_SOURCES, tools.HERE / "two_contexts.c")
    flags = (*tools.STRICT, tools.PTHREAD_PORT, "-O1", "-g", "-pthread")
    try:
        compile_c(sources, program, flags=(*flags, "-fsanitize=thread"))
    except OSError:
        compile_c(sources, program, flags=flags)
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "sent again" in run.stdout


@tools.needs_cross_compiler
@tools.needs_emulator
def test_a_cortex_m4_gives_the_same_answers(tmp_path, played):
    driver = tools.build_cortex_driver(tmp_path / "driver.elf")
    few = played[:6]
    script = b"".join(script_of(one) for one in few)
    answers = list(answers_in(tools.run_cortex_driver(driver, script, tmp_path)))
    assert answers == [answer for one in few for answer in one.answers if answer is not None]
    packets = [PacketHeader.from_bytes(answer) for answer in answers if answer[:1] in (b"\x10", b"\x11")]
    assert sum(packet.n_samples for packet in packets) > 1000


@tools.needs_cross_compiler
def test_a_minimal_sensor_takes_little_of_a_cortex_m4(tmp_path, record_property):
    program = tools.build_minimal(tmp_path / "minimal.elf")
    run = subprocess.run(["arm-none-eabi-size", str(program)], capture_output=True, text=True, check=True)
    text, data, bss = (int(number) for number in run.stdout.splitlines()[1].split()[:3])
    record_property("flash_bytes", text + data)
    record_property("ram_bytes", data + bss)
    ring_bytes = 2000 * 5
    assert text + data < 12_000
    assert data + bss - ring_bytes < 1_200

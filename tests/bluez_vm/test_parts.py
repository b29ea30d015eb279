"""The parts of the guest that need no virtual machine; these run everywhere, so that they do not rot."""

import io
import platform
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bluez_vm import kernel, packages
from tests.bluez_vm.cpio import Archive
from tests.bluez_vm.guest.messages import (
    Answer,
    Ask,
    Deed,
    Ended,
    Ready,
    Report,
    Sensor,
    answer,
    to_line,
    upward,
)
from tests.bluez_vm.guest.pattern import n_out_of_place, pattern


@given(first=st.integers(0, 200_000), n_channels=st.integers(1, 8))
def test_values_in_their_place_are_recognised_from_wherever_they_begin(first: int, n_channels: int) -> None:
    assert n_out_of_place(pattern(first, 50, n_channels)) == 0


def test_a_lost_a_doubled_and_a_changed_sample_are_all_seen() -> None:
    values = pattern(60_000, 100, 2)
    changed = values.copy()
    changed[40, 1] += 1
    assert n_out_of_place(np.delete(values, 40, axis=0)) == 59
    assert n_out_of_place(np.insert(values, 40, values[40], axis=0)) == 60
    assert n_out_of_place(changed) == 1


@pytest.mark.parametrize(
    "message",
    [Ready(7.5), Ask(Deed.CUT, Sensor.FAST, 5.0), Report("a", 1.0, {"b": 2, "c": "d"}, "why"), Ended()],
)
def test_what_the_guest_says_arrives_as_it_was_meant(message: Ready | Ask | Report | Ended) -> None:
    assert upward(to_line(message)) == message


def test_answers_arrive_as_they_were_meant() -> None:
    assert answer(to_line(Answer({"encrypted": True}))) == Answer({"encrypted": True})


def test_an_archive_holds_folders_before_files_and_everything_at_multiples_of_four(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"12345")
    out = io.BytesIO()
    archive = Archive(out)
    archive.add("usr/bin/program", tmp_path / "source")
    archive.add_link("bin", "usr/bin")
    archive.finish()
    assert _entries(out.getvalue()) == [
        ("usr", b""),
        ("usr/bin", b""),
        ("usr/bin/program", b"12345"),
        ("bin", b"usr/bin"),
        ("TRAILER!!!", b""),
    ]


def _entries(data: bytes) -> list[tuple[str, bytes]]:
    entries, at = [], 0
    while at < len(data):
        assert data[at : at + 6] == b"070701"
        n_bytes, n_name = (int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in (6, 11))
        name = data[at + 110 : at + 110 + n_name - 1].decode()
        at = -(-(at + 110 + n_name) // 4) * 4
        entries.append((name, data[at : at + n_bytes]))
        at = -(-(at + n_bytes) // 4) * 4
    return entries


def test_modules_come_after_what_they_depend_on(tmp_path: Path) -> None:
    needs = {"bluetooth": b"rfkill,ecdh_generic", "rfkill": b"", "ecdh-generic": b"ecc", "ecc": b""}
    for name, needed in needs.items():
        (tmp_path / f"{name}.ko").write_bytes(b"\0depends=" + needed + b"\0")
    order = [path.stem for path in kernel.load_order(tmp_path)]
    assert order == ["ecc", "ecdh-generic", "rfkill", "bluetooth"]


def test_a_kernel_that_is_not_packed_with_xz_is_left_as_it_is() -> None:
    image = bytearray(2048)
    image[0x248:0x250] = struct.pack("<II", 0, 4)
    assert kernel.unpacked(bytes(image)) is None


def test_another_machine_is_told_that_the_guest_is_not_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(packages.Unavailable, match="for Linux on x86_64, not linux on aarch64"):
        packages.check_machine()


def test_a_machine_without_apt_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr("shutil.which", lambda tool: None if tool == "apt-get" else f"/usr/bin/{tool}")
    with pytest.raises(packages.Unavailable, match="there is no apt-get"):
        packages.check_machine()

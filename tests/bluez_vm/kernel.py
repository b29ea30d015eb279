"""The kernel and its modules, made ready on this side: in the guest every step takes ten times as long.

Modules come in the order in which they have to be loaded: no depmod, no modprobe, no search in the guest.
"""

import lzma
import re
import struct
from collections.abc import Iterator
from pathlib import Path

WANTED = (
    "virtio_pci",
    "virtio_console",
    # Pairing draws its key pair through ecdh_generic, and that asks for a random number generator at once:
    # what it is made of must be there before, or pairing fails in a kernel without modprobe.
    "sha512_generic",
    "ctr",
    "ansi_cprng",
    "drbg",
    "ecdh_generic",
    "cmac",
    "ecb",
    "ccm",
    # bluetoothd computes through the kernel's sockets.
    "algif_hash",
    "algif_skcipher",
    "bluetooth",
    "hci_uart",
)

_SETUP_SECTORS_AT = 0x1F1
_PAYLOAD_AT = 0x248
"""Offset from the end of the setup part, and length (the kernel's Documentation/x86/boot.rst)."""
_SECTOR_SIZE = 512
_XZ = b"\xfd7zXZ\0"

_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def unpacked(image: bytes) -> bytes | None:
    """The kernel inside a compressed image, which QEMU starts as it is; None when it is not packed with xz.

    Unpacking takes the guest more than three seconds.
    """
    offset, length = struct.unpack_from("<II", image, _PAYLOAD_AT)
    begin = (image[_SETUP_SECTORS_AT] + 1) * _SECTOR_SIZE + offset
    payload = image[begin : begin + length]
    # What follows the xz stream is its length once more.
    return lzma.LZMADecompressor().decompress(payload) if payload.startswith(_XZ) else None


def load_order(folder: Path) -> list[Path]:
    """Files of the wanted modules and of all that they depend on, each after what it needs.

    A module that is no file is taken to be built into the kernel.
    """
    files = {_name(path): path for path in folder.rglob("*.ko*")}
    order: dict[str, Path] = {}

    def visit(name: str) -> None:
        if name in order or name not in files:
            return
        for needed in _dependencies(files[name]):
            visit(needed)
        order[name] = files[name]

    for name in WANTED:
        visit(name)
    return list(order.values())


def contents(path: Path) -> bytes:
    """A module as the kernel takes it."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _dependencies(path: Path) -> Iterator[str]:
    found = _DEPENDS.search(contents(path))
    for name in (found.group(1).decode() if found else "").split(","):
        if name:
            yield name.replace("-", "_")


def _name(path: Path) -> str:
    return path.name.split(".")[0].replace("-", "_")

"""Writes the archive that a kernel unpacks into memory as its root: cpio's "newc" form, uncompressed.

Archives may follow one another in one file; later ones add to and replace what earlier ones brought.
"""

import stat
from pathlib import Path
from typing import BinaryIO

_ALIGNMENT = 4
_TRAILER = "TRAILER!!!"


class Archive:
    """An archive being written.

    Parameters
    ----------
    out
        Where to; every archive must begin at a multiple of four bytes.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._inode = 0
        self._folders: set[str] = set()

    def add(self, name: str, source: Path) -> None:
        """Add a file with its contents and mode, following links."""
        mode = 0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644
        self._put(name, stat.S_IFREG | mode, source.read_bytes())

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a file that exists nowhere else."""
        self._put(name, stat.S_IFREG | 0o644, data)

    def add_text(self, name: str, text: str) -> None:
        """Add a text that exists nowhere else."""
        self.add_bytes(name, text.encode())

    def add_link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._put(name, stat.S_IFLNK | 0o777, target.encode())

    def add_folder(self, name: str) -> None:
        """Add an empty folder, with those above it."""
        if name in ("", ".") or name in self._folders:
            return
        self._folders.add(name)
        self._put(name, stat.S_IFDIR | 0o755, b"")

    def finish(self) -> None:
        """Write what ends an archive."""
        self._write(_TRAILER, 0, b"")

    def _put(self, name: str, mode: int, data: bytes) -> None:
        self.add_folder(str(Path(name).parent))
        self._inode += 1
        self._write(name, mode, data)

    def _write(self, name: str, mode: int, data: bytes) -> None:
        path = name.encode() + b"\0"
        # inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._out.write(_padded(header + path))
        self._out.write(_padded(data))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)

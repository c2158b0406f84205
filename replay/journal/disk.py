"""The disk, as what must outlive a crash sees it.

Everything durable goes through five calls (`open`, `write`, `fdatasync`, `replace`, `sync_folder`), so that tests can
put a disk beneath that forgets what was not synced, tears a write and fails the n-th call. The rest reads, or may be
forgotten.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import BinaryIO, Protocol

from ..private_files import FOLDER_MODE, check_private_folder, open_own_file

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""


class Disk(Protocol):
    """What a writer asks of a disk. Every call may raise OSError; a write or sync that raised may not be believed."""

    def open(self, path: Path, *, fresh: bool = False) -> int:
        """A descriptor that writes at the file's end; a file that is not there, or is wanted `fresh`, begins empty."""

    def write(self, descriptor: int, data: bytes) -> None:
        """Put all of `data` at the end."""

    def fdatasync(self, descriptor: int) -> None:
        """Wait until the file's content outlives a loss of power."""

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name; what had that name is gone, and there is no moment without either."""

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in it outlive a loss of power."""

    def overwrite(self, descriptor: int, data: bytes) -> None:
        """Put less than a sector at the file's beginning: after a crash, the old bytes are there or the new ones."""

    def close(self, descriptor: int) -> None:
        """Give a descriptor back, and the lock that it holds."""

    def lock(self, path: Path) -> int:
        """A descriptor that holds the file alone until it is closed.

        Raises:
            BlockingIOError: Another holds it.
        """

    def make_folder(self, folder: Path) -> None:
        """Have a folder there that is nobody else's, and those above it."""

    def read(self, path: Path) -> BinaryIO:
        """A file to read from its beginning.

        Raises:
            FileNotFoundError: It is not there.
        """

    def names(self, folder: Path) -> list[str]:
        """The names of all files in a folder, in order; none where it is not there."""


class RealDisk:
    """The file system. Files are made 0600 and folders 0700.

    Every call that takes a path raises JournalError where others may read or write the file or folder, it belongs to
    somebody else but root, or it is a symbolic link.
    """

    def open(self, path: Path, *, fresh: bool = False) -> int:
        """A descriptor that writes at the file's end."""
        descriptor = open_own_file(path, os.O_WRONLY | os.O_CREAT)
        if fresh:
            os.ftruncate(descriptor, 0)  # only once it is known whose file it is
        os.lseek(descriptor, 0, os.SEEK_END)  # O_APPEND would send `overwrite` to the end too
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        """Put all of `data` at the end."""
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])

    def fdatasync(self, descriptor: int) -> None:
        """Wait until the file's content outlives a loss of power."""
        os.fdatasync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name."""
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in it outlive a loss of power."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def overwrite(self, descriptor: int, data: bytes) -> None:
        """Put less than a sector at the file's beginning."""
        if os.pwrite(descriptor, data, 0) != len(data):
            raise OSError(errno.EIO, "a sector was written in part")

    def close(self, descriptor: int) -> None:
        """Give a descriptor back, and the lock that it holds."""
        os.close(descriptor)

    def lock(self, path: Path) -> int:
        """A descriptor that holds the file alone until it is closed."""
        descriptor = open_own_file(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def make_folder(self, folder: Path) -> None:
        """Have a folder there that is nobody else's, and those above it."""
        if not os.path.lexists(folder):
            if not folder.parent.exists():
                self.make_folder(folder.parent)
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            self.sync_folder(folder.parent)
        check_private_folder(folder)

    def read(self, path: Path) -> BinaryIO:
        """A file to read from its beginning."""
        return os.fdopen(open_own_file(path, os.O_RDONLY), "rb")

    def names(self, folder: Path) -> list[str]:
        """The names of all files in a folder, in order."""
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


REAL_DISK = RealDisk()

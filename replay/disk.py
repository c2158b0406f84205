"""The disk, as what must outlive a crash sees it.

Everything durable goes through five calls (`open`, `write`, `fdatasync`, `replace`, `sync_folder`), so that tests can
put a disk beneath that forgets what was not synced, tears a write and fails the n-th call. The rest reads, or may be
forgotten.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import BinaryIO, Protocol

from ..errors import JournalError

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""

_OTHERS = 0o077


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
        descriptor = _open_private(path, os.O_WRONLY | os.O_CREAT)
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
        descriptor = _open_private(path, os.O_RDWR | os.O_CREAT)
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
            folder.mkdir(mode=0o700, exist_ok=True)
            self.sync_folder(folder.parent)
        _refuse_shared(folder, folder.lstat(), folder=True)

    def read(self, path: Path) -> BinaryIO:
        """A file to read from its beginning."""
        return os.fdopen(_open_private(path, os.O_RDONLY), "rb")

    def names(self, folder: Path) -> list[str]:
        """The names of all files in a folder, in order."""
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


REAL_DISK = RealDisk()


def _open_private(path: Path, flags: int) -> int:
    """Open a file that is nobody else's.

    Raises:
        JournalError: It is somebody else's, others may read or write it, or it is no plain file.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise JournalError(f"{path}: is a symbolic link; put the file itself there.") from error
        raise
    try:
        _refuse_shared(path, os.fstat(descriptor), folder=False)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_shared(path: Path, found: os.stat_result, *, folder: bool) -> None:
    """Raise JournalError where a path is not of its kind, not ours, or open to others."""
    kind, private = ("folder", "700") if folder else ("file", "600")
    if stat.S_ISLNK(found.st_mode):
        raise JournalError(f"{path}: is a symbolic link; put the {kind} itself there.")
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(found.st_mode):
        raise JournalError(f"{path}: is no {kind}.")
    if found.st_uid not in {os.geteuid(), 0}:
        raise JournalError(f"{path}: belongs to user {found.st_uid}; it must be ours, user {os.geteuid()}, or root's.")
    if found.st_mode & _OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        raise JournalError(f"{path}: others may use it (mode {mode:o}); allowed is {private}: chmod {private} {path}")

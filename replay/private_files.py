"""Files that nobody else may read or write: keys, tokens and journals.

Folders are 0700, files 0600, and both belong to us or to root. What is more open, belongs to somebody else or is a
symbolic link is refused and never mended in silence: whoever could have read or changed it, may have.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from ..errors import DataError, JournalError

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_OTHERS = 0o077
_MOST_BYTES = 1_000_000
"""Of a secret; keys and tokens are far smaller."""


def make_private_folder(folder: Path) -> None:
    """Make a folder and what is above it where they are missing, 0700 each; check it where it is there.

    Raises:
        JournalError: What is there is not private.
    """
    for missing in [*reversed(folder.parents), folder]:
        with suppress(FileExistsError):
            missing.mkdir(mode=FOLDER_MODE)
    check_private_folder(folder)


def check_private_folder(folder: Path) -> None:
    """Raise JournalError where others may look into a folder, or where it is not ours; DataError where it is none."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        raise DataError(f"{folder}: no such folder.") from None
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(folder, "is no folder of its own, or a symbolic link to one", "name the folder itself")
    _check(folder, found, FOLDER_MODE)


def open_own_file(path: Path, flags: int = os.O_RDONLY | os.O_NONBLOCK) -> int:
    """A descriptor of a private file, which is checked as it is opened.

    Raises:
        FileNotFoundError: There is no such file.
        JournalError: It is not private.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _refused(path, "is a symbolic link", "put the file itself there") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _refused(path, "is no plain file", "put a file there")
        _check(path, found, FILE_MODE)
    except JournalError:
        os.close(descriptor)
        raise
    return descriptor


def open_private(path: Path) -> int:
    """The same to read it, in a folder that is private too.

    Raises:
        DataError: There is no such file.
        JournalError: It or its folder is not private, or it cannot be read.
    """
    check_private_folder(path.parent)
    try:
        return open_own_file(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except OSError as error:
        raise JournalError(f"{path}: cannot be opened: {error.strerror}.") from None


def read_private(path: Path) -> bytes:
    """The bytes of a private file.

    Raises:
        DataError: There is no such file.
        JournalError: It or its folder is not private, or it is far too long for a secret.
    """
    with os.fdopen(open_private(path), "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise _refused(path, f"has more than {_MOST_BYTES:,} bytes", "check what it is")
    return data


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a private file so that after a crash the old or the new bytes are there, whole.

    Bytes that are replaced are overwritten where they lie, so that they are not found on the disk.

    Raises:
        FileExistsError: It is there already, and `replace` was not asked for.
        JournalError: Its folder is not private, or what is to be replaced is not.
    """
    make_private_folder(path.parent)
    old = _open_to_overwrite(path) if replace else None
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _write_new(temporary, data)
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path, follow_symlinks=False)  # unlike a rename, it never replaces
        _sync_folder(path.parent)
        if old is not None:
            _overwrite(old)
    finally:
        temporary.unlink(missing_ok=True)
        if old is not None:
            os.close(old)


def _open_to_overwrite(path: Path) -> int | None:
    try:
        os.close(open_private(path))
    except DataError:
        return None
    return os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _write_new(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # left behind by a process of the same number that was killed
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _overwrite(descriptor: int) -> None:
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path, found: os.stat_result, allowed: int) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS:
        raise _refused(path, f"has mode {mode:04o}, so that others may get at it", f"chmod {allowed:04o}")
    if found.st_uid not in (os.geteuid(), 0):
        raise _refused(path, f"belongs to user {found.st_uid}, not to us ({os.geteuid()}) or root", "chown it")


def _refused(path: Path, why: str, mend: str) -> JournalError:
    return JournalError(f"{path}: {why}; nothing is done with it. If you trust what is there: {mend}.")

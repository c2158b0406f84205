"""A bundle as a folder: all of it or nothing, and nothing before it is verified."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ...errors import UsageError
from .verifying import Verified


def unpack_bundle(bundle: Verified, folder: Path) -> list[Path]:
    """Write a verified bundle's members, from the bytes that were verified, into a new folder.

    Args:
        bundle: What `verify_bundle` gave.
        folder: Where it goes; it must not be there yet.

    Returns:
        The files, in the order of their paths.

    Raises:
        UsageError: Something is there already.
    """
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"--output-dir {folder}: is there already and is kept; name a folder that is not.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        for path, data in sorted(bundle.members.items()):
            _write_new(temporary / path, data)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return [folder / path for path in sorted(bundle.members)]


def _write_new(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fsync(file.fileno())
